//! Equal Earth: areas stay true to each other, so that nobody looks larger than they are.
//!
//! B. Šavrič, T. Patterson, B. Jenny: "The Equal Earth map projection", International Journal of Geographical
//! Information Science 33 (2019), equations 7 and 8; the constants are theirs.

const A: [f64; 4] = [1.340_264, -0.081_106, 0.000_893, 0.003_796];

/// Width of the drawing, from 180° west to 180° east.
pub const WIDTH: f64 = 2000.0;
/// Height of the drawing, from [`NORTH`] to [`SOUTH`].
pub const HEIGHT: f64 = 870.0;
/// The northern edge, in degrees: Greenland's coast ends at 83.6.
const NORTH: f64 = 84.0;
/// The southern edge, in degrees: Cape Horn lies at -56.
pub const SOUTH: f64 = -57.0;

/// Longitude and latitude in degrees as distances from the centre of the map, on a sphere of radius 1.
fn equal_earth(longitude: f64, latitude: f64) -> (f64, f64) {
    let root = 3.0_f64.sqrt();
    let theta = (root / 2.0 * latitude.to_radians().sin()).asin();
    let square = theta * theta;
    let sixth = square * square * square;
    let slope = A[0] + 3.0 * A[1] * square + sixth * (7.0 * A[2] + 9.0 * A[3] * square);
    let east = 2.0 * root * longitude.to_radians() * theta.cos() / (3.0 * slope);
    let north = theta * (A[0] + A[1] * square + sixth * (A[2] + A[3] * square));
    (east, north)
}

/// A place on the drawing, from its upper left corner; `None` if it lies beyond its edges or is no place on Earth.
pub fn place(longitude: f64, latitude: f64) -> Option<(f64, f64)> {
    if !(-180.0..=180.0).contains(&longitude) || !(SOUTH..=NORTH).contains(&latitude) {
        return None;
    }
    let scale = WIDTH / (2.0 * equal_earth(180.0, 0.0).0);
    let (x, y) = equal_earth(longitude, latitude);
    let top = equal_earth(0.0, NORTH).1;
    Some((WIDTH / 2.0 + x * scale, (top - y) * scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: (f64, f64), b: (f64, f64)) -> bool {
        (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6
    }

    #[test]
    fn agrees_with_a_second_implementation() {
        // d3-geo's geoEqualEarthRaw (longitude and latitude in radians).
        assert!(near(equal_earth(0.0, 0.0), (0.0, 0.0)));
        assert!(near(equal_earth(180.0, 0.0), (RAW_180, 0.0)));
        assert!(near(equal_earth(137.9, 36.6), RAW_JAPAN));
        assert!(near(equal_earth(-98.8, -54.0), RAW_SOUTH));
    }

    const RAW_180: f64 = 2.706_629_983_696_075;
    const RAW_JAPAN: (f64, f64) = (1.875_422_271_673_628, 0.714_271_173_244_316);
    const RAW_SOUTH: (f64, f64) = (-1.184_428_319_006_296, -1.003_018_315_835_187);

    #[test]
    fn the_drawing_ends_where_its_edges_are() {
        let (x, y) = place(180.0, 0.0).unwrap();
        assert!((x - WIDTH).abs() < 1e-9 && y > 0.0 && y < HEIGHT);
        assert!(place(0.0, NORTH).unwrap().1.abs() < 1e-9);
        let bottom = place(0.0, SOUTH).unwrap().1;
        assert!(bottom <= HEIGHT && bottom > HEIGHT - 2.0, "{bottom}");
    }

    #[test]
    fn what_is_no_place_has_none() {
        assert_eq!(place(0.0, -84.7), None);
        assert_eq!(place(200.0, 0.0), None);
        assert_eq!(place(f64::NAN, 0.0), None);
    }
}
