//! A table of figures is read or refused; what was read is written in the canonical form and read back as the same figures.
#![no_main]

use formats::figures::{FigureReader, HeaderMap, ReadOptions, WriteError, write_hxl};
use formats::hxl::Tag;
use formats::places::PlaceNames;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(tag) = text.parse::<Tag>() {
            assert_eq!(tag.to_string().parse::<Tag>().as_ref(), Ok(&tag));
        }
        let _ = HeaderMap::read(text);
    }
    let Ok(reader) = FigureReader::new(bytes, ReadOptions::default()) else { return };
    let mut figures = Vec::new();
    for row in reader {
        match row {
            Ok(row) => figures.extend(row.figures),
            Err(error) => assert!(!error.to_string().is_empty() && !error.args().is_empty()),
        }
    }
    figures.sort_by(|a, b| a.key.cmp(&b.key));
    match write_hxl(&figures) {
        Ok(table) => {
            let options = ReadOptions::canonical(PlaceNames::bundled());
            let reader = FigureReader::new(&table[..], options).expect("what is written has a layout");
            let again: Vec<_> =
                reader.flat_map(|row| row.expect("what is written is good").figures).collect();
            assert_eq!(again, figures);
        }
        Err(WriteError::Empty | WriteError::Twice { .. }) => {}
        Err(error) => panic!("what is read can be written: {error}"),
    }
});
