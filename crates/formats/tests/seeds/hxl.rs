//! A table of figures is read or refused; what was read is written in the canonical form and read back as the same figures.
//! The fuzz target `hxl` is this file.

use formats::figures::{Figure, FigureReader, HeaderMap, ReadOptions, WriteError, write_hxl};
use formats::hxl::Tag;
use formats::places::PlaceNames;

/// What became of a table.
#[derive(Debug)]
pub struct Read {
    /// In the order of their keys.
    pub figures: Vec<Figure>,
    /// The code of every problem.
    pub problems: Vec<&'static str>,
    /// The table again, in the canonical form.
    pub written: Result<Vec<u8>, WriteError>,
}

/// Reads the bytes as everything that they may be; nothing if that is no table.
pub fn read(bytes: &[u8]) -> Option<Read> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(tag) = text.parse::<Tag>() {
            assert_eq!(tag.to_string().parse::<Tag>().as_ref(), Ok(&tag));
        }
        let _ = HeaderMap::read(text);
    }
    let reader = FigureReader::new(bytes, ReadOptions::default()).ok()?;
    let (mut figures, mut problems) = (Vec::new(), Vec::new());
    for row in reader {
        match row {
            Ok(row) => figures.extend(row.figures),
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.args().is_empty());
                problems.push(error.code());
            }
        }
    }
    figures.sort_by(|a, b| a.key.cmp(&b.key));
    let written = write_hxl(&figures);
    match &written {
        Ok(table) => assert_eq!(read_canonical(table), figures),
        Err(WriteError::Empty | WriteError::Twice { .. }) => {}
        Err(error) => panic!("what is read can be written: {error}"),
    }
    Some(Read { figures, problems, written })
}

fn read_canonical(table: &[u8]) -> Vec<Figure> {
    let options = ReadOptions::canonical(PlaceNames::bundled());
    let reader = FigureReader::new(table, options).expect("what is written has a layout");
    reader.flat_map(|row| row.expect("what is written is good").figures).collect()
}
