//! A line of the size of a word, for table cells. Time runs from left to right in every language.

use crate::layout::Markup;

const WIDTH: f64 = 110.0;
const HEIGHT: f64 = 22.0;

/// The values as a line between their smallest (or zero) and largest; unknown ones leave a gap. It repeats what
/// the cells beside it say, so screen readers pass it by.
pub fn sparkline(values: &[Option<f64>]) -> Markup {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let largest = known().fold(0.0, f64::max);
    let smallest = known().fold(0.0, f64::min);
    let range = if largest > smallest { largest - smallest } else { 1.0 };
    #[allow(clippy::cast_precision_loss)] // a few hundred points
    let across = |place: usize| 1.0 + place as f64 / (values.len().max(2) - 1) as f64 * (WIDTH - 2.0);
    let mut path = Vec::new();
    let mut pen_down = false;
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            pen_down = false;
            continue;
        };
        let up = HEIGHT - 2.0 - (value - smallest) / range * (HEIGHT - 4.0);
        path.push(format!("{}{:.1} {up:.1}", if pen_down { 'L' } else { 'M' }, across(place)));
        pen_down = true;
    }
    Markup::trusted(format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         aria-hidden=\"true\"><path d=\"{}\"/></svg>",
        path.concat()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_on_top_and_gaps_stay_open() {
        let svg = sparkline(&[Some(0.0), Some(10.0), None, Some(5.0)]).to_string();
        assert!(svg.contains("d=\"M1.0 20.0L37.0 2.0M109.0 11.0\""), "{svg}");
    }

    #[test]
    fn nothing_known_draws_nothing() {
        assert!(sparkline(&[None, Some(f64::NAN)]).to_string().contains("d=\"\""));
    }
}
