//! What an author's logs and records take on this disk. Lengths alone say too little of what is small: a file of one byte takes a
//! block, and every line that the index finds records by is a row. The exchange counts with these figures as things come and the
//! index when it measures, so that both mean the same. They are round, and rather too high than too low.

use record::{Record, Relation};

/// A file takes whole blocks of a disk, in bytes.
pub const BLOCK: u64 = 4 << 10;
/// What is kept of a file beside its blocks: its name, the mark by which a log's readers get it, the cell that said that it is wanted.
pub const PER_FILE: u64 = 1 << 10;
/// What the tree and the index keep of an entry beside its bytes.
pub const PER_ENTRY: u64 = 1 << 10;
/// A row of the index with what it is found by: one for each `about`, `ref` and `blob` line of a record.
pub const PER_LINE: u64 = 256;
/// Entries of nothing but the shortest lines take so many times their length, before it is known what they say.
pub const MOST_OF_LINES: usize = 4;
/// A log that holds nothing, each file and folder a block: a tile, a bundle and a checkpoint; its own folder, those of tiles, of their
/// level, of bundles and of witness files; and the cells and rows that say how far it is here. A log of three entries takes 28 KiB of
/// files and folders on ext4, and 2 KiB of rows and cells beside those of its entries.
pub const PER_LOG: u64 = 9 * BLOCK;

/// What is stated in one line of a table: a row of a desk with what it is found by.
pub const PER_FIGURE: u64 = 256;
/// The most of them of one table.
const FIGURES: u64 = 1 << 20;
/// A line of a table that states one figure, in bytes, as short ones are.
const LINE: u64 = 32;

/// A file that a desk may read into rows of its own, before it is known what they take.
pub const fn read(bytes: u64) -> u64 {
    let figures = if bytes / LINE < FIGURES { bytes / LINE } else { FIGURES };
    file(bytes).saturating_add(figures * PER_FIGURE)
}

/// A file of so many bytes.
pub const fn file(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK).saturating_add(PER_FILE)
}

/// So many entries, beside what they say.
pub const fn entries(count: u64) -> u64 {
    count.saturating_mul(PER_ENTRY)
}

/// What entries say: their bytes, and so many lines of which the index makes rows.
pub const fn said(bytes: u64, lines: u64) -> u64 {
    bytes.saturating_add(lines.saturating_mul(PER_LINE))
}

/// The lines of a record of which the index makes rows. Of what is erased a cell says so for good, as large as a row.
pub fn lines(record: &Record) -> u64 {
    let header = &record.header;
    let erased = header.refs_of(Relation::Erases).count();
    (header.about.len() + header.refs.len() + header.blobs.len() + erased) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_byte_takes_a_block() {
        assert_eq!(file(1), BLOCK + PER_FILE);
        assert_eq!(file(BLOCK), file(1));
        assert_eq!(file(BLOCK + 1), file(1) + BLOCK);
        assert_eq!(file(0), PER_FILE);
        assert_eq!(file(u64::MAX), u64::MAX);
    }
}
