//! Who reads a log, as the table of logs has it: `public`, or the authorities with spaces between them.

use record::{Authority, Readers};

/// How the readers of a public log are written.
pub const EVERYBODY: &str = "public";

/// Readers as the table of logs has them.
pub fn readers_text(readers: &Readers) -> String {
    match readers {
        Readers::Set(set) => set.iter().map(Authority::as_str).collect::<Vec<_>>().join(" "),
        Readers::Public => EVERYBODY.to_owned(),
    }
}

/// Readers from their text.
pub fn readers_of(text: &str) -> Readers {
    match text {
        EVERYBODY => Readers::Public,
        set => Readers::Set(set.split(' ').filter_map(|reader| reader.parse().ok()).collect()),
    }
}
