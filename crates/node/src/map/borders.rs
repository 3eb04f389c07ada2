//! Lines that an operator installs because their authority stands for them. Without such a file no border is drawn.

use super::ground::line_path;
use super::projection::place;
use serde_json::Value;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most points that are drawn; more would weigh down every page with a map.
pub const MAX_POINTS: usize = 50_000;

/// Lines ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Borders {
    path: String,
}

/// Why a file of borders was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BordersError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More than [`MAX_POINTS`].
    #[error("the file has more than {MAX_POINTS} points; simplify the lines")]
    TooManyPoints,
    /// No JSON.
    #[error("line {line}: the file is no JSON")]
    NotJson {
        /// Line, from 1.
        line: usize,
    },
    /// JSON, but not RFC 7946.
    #[error("{what} is no GeoJSON that can be drawn; write lines or polygons")]
    NotGeoJson {
        /// The member or type that was found.
        what: String,
    },
    /// A position that is no longitude and latitude in degrees.
    #[error("{position} is no longitude and latitude in degrees")]
    Position {
        /// The position as written.
        position: String,
    },
}

impl BordersError {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "borders-too-large",
            Self::TooManyPoints => "borders-too-many-points",
            Self::NotJson { .. } => "borders-not-json",
            Self::NotGeoJson { .. } => "borders-not-geojson",
            Self::Position { .. } => "borders-position",
        }
    }

    /// Named arguments of the sentence.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLarge { bytes } => vec![("bytes", bytes.to_string())],
            Self::TooManyPoints => Vec::new(),
            Self::NotJson { line } => vec![("line", line.to_string())],
            Self::NotGeoJson { what } => vec![("what", what.clone())],
            Self::Position { position } => vec![("position", position.clone())],
        }
    }
}

impl Borders {
    /// Reads `GeoJSON` (RFC 7946): lines and polygons, alone or in collections. Properties are not read.
    pub fn parse(bytes: &[u8]) -> Result<Self, BordersError> {
        if bytes.len() > MAX_BYTES {
            return Err(BordersError::TooLarge { bytes: bytes.len() });
        }
        let json: Value =
            serde_json::from_slice(bytes).map_err(|error| BordersError::NotJson { line: error.line() })?;
        let mut borders = Self::default();
        let mut points = 0;
        borders.read(&json, &mut points)?;
        Ok(borders)
    }

    /// The data of the SVG path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    // serde_json refuses JSON nested deeper than 128, so this recursion ends.
    fn read(&mut self, object: &Value, points: &mut usize) -> Result<(), BordersError> {
        let kind = object["type"].as_str().unwrap_or_default();
        let each = |member: &str| object[member].as_array().ok_or_else(|| not_geojson(member));
        match kind {
            "FeatureCollection" => {
                each("features")?.iter().try_for_each(|feature| self.read(feature, points))
            }
            "GeometryCollection" => {
                each("geometries")?.iter().try_for_each(|geometry| self.read(geometry, points))
            }
            "Feature" if object["geometry"].is_null() => Ok(()),
            "Feature" => self.read(&object["geometry"], points),
            "LineString" => self.line(&object["coordinates"], points),
            "MultiLineString" | "Polygon" => {
                each("coordinates")?.iter().try_for_each(|line| self.line(line, points))
            }
            "MultiPolygon" => each("coordinates")?.iter().try_for_each(|polygon| {
                let rings = polygon.as_array().ok_or_else(|| not_geojson("coordinates"))?;
                rings.iter().try_for_each(|ring| self.line(ring, points))
            }),
            other => Err(not_geojson(other)),
        }
    }

    fn line(&mut self, coordinates: &Value, points: &mut usize) -> Result<(), BordersError> {
        let positions = coordinates.as_array().ok_or_else(|| not_geojson("coordinates"))?;
        *points += positions.len();
        if *points > MAX_POINTS {
            return Err(BordersError::TooManyPoints);
        }
        let placed = positions.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        self.path.push_str(&line_path(placed.into_iter().flatten(), false));
        Ok(())
    }
}

/// A position on the drawing; `None` for one on Earth but beyond the map's edges.
fn position(json: &Value) -> Result<Option<(f64, f64)>, BordersError> {
    let wrong = || BordersError::Position { position: json.to_string().chars().take(60).collect() };
    let degrees = |index: usize| json.get(index).and_then(Value::as_f64);
    let (longitude, latitude) = degrees(0).zip(degrees(1)).ok_or_else(wrong)?;
    if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
        return Err(wrong());
    }
    Ok(place(longitude, latitude))
}

fn not_geojson(what: &str) -> BordersError {
    BordersError::NotGeoJson { what: format!("“{}”", what.chars().take(60).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_and_polygons_are_drawn() {
        let file = br#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"name":"x"},"geometry":{"type":"LineString","coordinates":[[0,0],[10,10],[20,0]]}},
            {"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[[[0,0],[0,9],[9,9],[0,0]]]}},
            {"type":"Feature","properties":null,"geometry":null}]}"#;
        assert_eq!(Borders::parse(file).unwrap().path().matches('M').count(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| Borders::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("{\n  x").code(), "borders-not-json");
        assert_eq!(error("{\n  x"), BordersError::NotJson { line: 2 });
        assert_eq!(error(r#"{"type":"Point","coordinates":[0,0]}"#).code(), "borders-not-geojson");
        let swapped = error(r#"{"type":"LineString","coordinates":[[35.6,139.7],[0,0]]}"#);
        assert_eq!(swapped, BordersError::Position { position: "[35.6,139.7]".to_owned() });
        let many =
            format!(r#"{{"type":"LineString","coordinates":[{}]}}"#, vec!["[0,0]"; MAX_POINTS + 1].join(","));
        assert_eq!(error(&many), BordersError::TooManyPoints);
        assert_eq!(error(&" ".repeat(MAX_BYTES + 1)).code(), "borders-too-large");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Borders::parse(&bytes);
        }
    }
}
