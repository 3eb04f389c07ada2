//! Rows of delimited text (RFC 4180, with the delimiters and line ends that spreadsheets really write), read one
//! at a time in bounded memory.
//!
//! `csv-core` does the parsing into buffers whose sizes are ours, so that a quote that is never closed ends in an
//! error at the limit, not in a file read whole into memory. It never looks at what the cells say.

use std::io::{ErrorKind, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

const INPUT_BYTES: usize = 64 * 1024;
const FIRST_ROW_BYTES: usize = 4 * 1024;
const FIRST_CELLS: usize = 64;

/// Why no further row can be read. The table ends here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowsError {
    TooLong,
    TooManyCells,
    QuoteNotClosed,
    Io(ErrorKind),
}

/// A reader of rows, which holds one row at a time.
pub(crate) struct Rows<R> {
    source: R,
    core: Reader,
    input: Box<[u8]>,
    from: usize,
    to: usize,
    cells: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    max_bytes: usize,
    max_cells: usize,
    /// Line ends consumed so far.
    lines: u64,
    /// The line, from 1, on which the row in hand begins.
    line: u64,
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(source: R, delimiter: u8, max_bytes: usize, max_cells: usize) -> Rows<R> {
        Rows {
            source,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            input: vec![0; INPUT_BYTES].into_boxed_slice(),
            from: 0,
            to: 0,
            cells: vec![0; FIRST_ROW_BYTES.min(max_bytes)],
            ends: vec![0; FIRST_CELLS.min(max_cells)],
            count: 0,
            max_bytes,
            max_cells,
            lines: 0,
            line: 0,
        }
    }

    /// Reads the next row that is not an empty line; false at the end of the table.
    pub(crate) fn advance(&mut self) -> Result<bool, RowsError> {
        self.count = 0;
        self.skip_line_ends()?;
        self.line = self.lines + 1;
        let (mut filled, mut ended, mut quotes) = (0, 0, 0_usize);
        loop {
            self.fill()?;
            let at_end = self.from == self.to;
            let (result, read, wrote, closed) = self.core.read_record(
                &self.input[self.from..self.to],
                &mut self.cells[filled..],
                &mut self.ends[ended..],
            );
            let consumed = &self.input[self.from..self.from + read];
            quotes += count(consumed, b'"');
            self.lines += count(consumed, b'\n') as u64;
            self.from += read;
            filled += wrote;
            ended += closed;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.cells, self.max_bytes, RowsError::TooLong)?,
                ReadRecordResult::OutputEndsFull => {
                    grow(&mut self.ends, self.max_cells, RowsError::TooManyCells)?;
                }
                ReadRecordResult::Record => {
                    // Only the end of the file can close a row inside an open quote.
                    if at_end && !quotes.is_multiple_of(2) {
                        return Err(RowsError::QuoteNotClosed);
                    }
                    self.count = ended;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// The number of cells of the row in hand.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The line on which the row in hand begins, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// One cell without its quotes; empty where the row has no such cell.
    pub(crate) fn cell(&self, column: usize) -> &[u8] {
        if column >= self.count {
            return &[];
        }
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        &self.cells[start..self.ends[column]]
    }

    /// Every cell of the row in hand.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|column| self.cell(column))
    }

    /// Whether every cell is empty or blank.
    pub(crate) fn is_blank(&self) -> bool {
        let bytes = if self.count == 0 { 0 } else { self.ends[self.count - 1] };
        self.cells[..bytes].iter().all(u8::is_ascii_whitespace)
    }

    fn fill(&mut self) -> Result<(), RowsError> {
        while self.from == self.to {
            match self.source.read(&mut self.input) {
                Ok(read) => {
                    (self.from, self.to) = (0, read);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(RowsError::Io(error.kind())),
            }
        }
        Ok(())
    }

    /// Line ends between rows are taken here and not by `csv-core`, so that the line of a row is exact.
    fn skip_line_ends(&mut self) -> Result<(), RowsError> {
        loop {
            self.fill()?;
            if self.from == self.to {
                return Ok(());
            }
            while self.from < self.to {
                match self.input[self.from] {
                    b'\n' => self.lines += 1,
                    b'\r' => {}
                    _ => return Ok(()),
                }
                self.from += 1;
            }
        }
    }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().map(|byte| usize::from(*byte == wanted)).sum()
}

fn grow<T: Default + Clone>(buffer: &mut Vec<T>, limit: usize, error: RowsError) -> Result<(), RowsError> {
    if buffer.len() >= limit {
        return Err(error);
    }
    buffer.resize((buffer.len() * 2).min(limit), T::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, max_bytes: usize, max_cells: usize) -> Result<Vec<(u64, Vec<String>)>, RowsError> {
        let mut rows = Rows::new(text.as_bytes(), b',', max_bytes, max_cells);
        let mut found = Vec::new();
        while rows.advance()? {
            let cells = rows.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            found.push((rows.line(), cells));
        }
        Ok(found)
    }

    #[test]
    fn a_row_knows_the_line_on_which_it_begins() {
        let rows = all("a,b\r\n\r\n\n\"1\n2\",\"say \"\"x\"\"\"\nlast,", 100, 10).expect("rows");
        assert_eq!(
            rows,
            [
                (1, vec!["a".to_owned(), "b".to_owned()]),
                (4, vec!["1\n2".to_owned(), "say \"x\"".to_owned()]),
                (6, vec!["last".to_owned(), String::new()])
            ]
        );
    }

    #[test]
    fn limits_end_the_table() {
        assert_eq!(all(&"x".repeat(101), 100, 10), Err(RowsError::TooLong));
        assert_eq!(all(&",".repeat(10), 100, 10), Err(RowsError::TooManyCells));
        assert_eq!(all(&"x".repeat(100), 100, 10).map(|rows| rows.len()), Ok(1));
    }

    #[test]
    fn an_open_quote_is_an_error_and_not_a_cell() {
        assert_eq!(all("a,\"b\nc,d\n", 100, 10), Err(RowsError::QuoteNotClosed));
        assert_eq!(all("a,5\" pipe\nb,c\n", 100, 10).map(|rows| rows.len()), Ok(2));
    }
}
