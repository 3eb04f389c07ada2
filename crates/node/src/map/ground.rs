//! What lies under the symbols: the coastline, the points of places, and borders if an operator installed them.

use super::projection::place;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::OnceLock;

const LAND: &str = include_str!("../../../../data/map/land.txt");
const POINTS: &str = include_str!("../../../../data/map/points.tsv");

/// The coastline as the data of one SVG path.
pub fn land() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| LAND.lines().filter(|line| !line.starts_with('#')).map(ring).collect())
}

/// One closed ring, given as a point and steps in tenths of a degree. Points beyond an edge are left out.
fn ring(line: &str) -> String {
    let numbers: Vec<i32> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    let (mut longitude, mut latitude) = (0, 0);
    let points = numbers.chunks_exact(2).filter_map(|step| {
        longitude += step[0];
        latitude += step[1];
        place(f64::from(longitude) / 10.0, f64::from(latitude) / 10.0)
    });
    line_path(points, true)
}

/// A line through points, rounded to half a pixel of a wide screen and written as steps, which are short.
pub(super) fn line_path(points: impl Iterator<Item = (f64, f64)>, closed: bool) -> String {
    let mut path = String::new();
    let mut last: Option<(i64, i64)> = None;
    for (x, y) in points {
        #[allow(clippy::cast_possible_truncation)] // within the drawing
        let point = (x.round() as i64, y.round() as i64);
        match last {
            None => write!(path, "M{} {}l", point.0, point.1),
            Some(last) if last == point => continue,
            Some(last) => {
                let (x, y) = (point.0 - last.0, point.1 - last.1);
                let gap = if x < 0 || path.ends_with('l') { "" } else { " " };
                let between = if y < 0 { "" } else { " " };
                write!(path, "{gap}{x}{between}{y}")
            }
        }
        .expect("writing to a string");
        last = Some(point);
    }
    // A ring that shrank to a point is not drawn.
    if path.ends_with('l') {
        return String::new();
    }
    if closed {
        path.push('z');
    }
    path
}

/// Where the symbol of a place stands on the drawing; `None` for codes without a point.
pub fn point(alpha3: &str) -> Option<(f64, f64)> {
    static TABLE: OnceLock<BTreeMap<&str, (f64, f64)>> = OnceLock::new();
    let table =
        TABLE.get_or_init(|| POINTS.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect());
    table.get(alpha3).copied()
}

fn row(line: &str) -> Option<(&str, (f64, f64))> {
    let mut fields = line.split('\t');
    let (alpha3, longitude, latitude) = (fields.next()?, fields.next()?, fields.next()?);
    Some((alpha3, place(longitude.parse().ok()?, latitude.parse().ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::super::projection::{HEIGHT, WIDTH};
    use super::*;

    #[test]
    fn the_coastline_is_drawn_within_the_map_and_small() {
        let land = land();
        assert_eq!(land.matches('z').count(), land.matches('M').count());
        assert!(land.matches('M').count() > 80, "continents and islands");
        assert!(land.len() < 40_000, "{}", land.len());
    }

    #[test]
    fn every_listed_place_stands_on_the_map_but_antarctica() {
        let listed = POINTS.lines().filter(|line| !line.starts_with('#'));
        for alpha3 in listed.filter_map(|line| line.split('\t').next()) {
            match point(alpha3) {
                Some((x, y)) => {
                    assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{alpha3}");
                }
                None => assert_eq!(alpha3, "ATA"),
            }
        }
        assert_eq!(point("XXX"), None);
    }

    #[test]
    fn north_is_up_and_east_is_right() {
        let (japan, france, australia) =
            (point("JPN").unwrap(), point("FRA").unwrap(), point("AUS").unwrap());
        assert!(japan.0 > france.0 && australia.1 > japan.1);
    }

    #[test]
    fn steps_are_written_short() {
        let points = [(1.0, 2.0), (1.2, 2.0), (4.0, 1.0), (3.0, 5.0)];
        assert_eq!(line_path(points.into_iter(), true), "M1 2l3-1-1 4z");
        assert_eq!(line_path([(1.0, 2.0), (1.1, 2.0)].into_iter(), true), "");
    }
}
