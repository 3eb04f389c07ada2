//! The table of a record of figures, read as its author wrote it: whole, or in pieces by whoever must not hold it all.
//!
//! It only reads. What a record says may not depend on the node that reads it, so it knows no names of places but the
//! bundled ones.

use super::load::MAX_FIGURES;
use super::replay::Stated;
use bytes::Bytes;
use formats::figures::{Figure, FigureReader, ReadOptions};
use formats::places::PlaceNames;

/// The most figures of one piece.
const PIECE: usize = 4096;

/// The bytes of a table.
#[derive(Clone, Debug)]
pub struct Table(pub Bytes);

impl Table {
    /// All figures, or the code of what is wrong with the file.
    pub fn whole(&self) -> Result<Stated, String> {
        let mut figures = Vec::new();
        let refused = self.read(|figure| figures.push(figure))?;
        Ok(Stated { figures, refused })
    }

    /// Reads all of it and keeps nothing: how many rows cannot be read, or the code of what is wrong with the file.
    pub fn check(&self) -> Result<usize, String> {
        self.read(drop)
    }

    /// Gives every figure, in pieces, until `take` wants no more of them. Of a file with a fault it gives those before.
    pub fn pieces(&self, mut take: impl FnMut(Vec<(u64, Figure)>) -> bool) {
        let mut piece = Vec::new();
        let mut is_wanted = true;
        let _ = self.read(|figure| {
            piece.push(figure);
            if piece.len() >= PIECE && is_wanted {
                is_wanted = take(std::mem::take(&mut piece));
            }
        });
        if is_wanted && !piece.is_empty() {
            take(piece);
        }
    }

    fn read(&self, mut give: impl FnMut((u64, Figure))) -> Result<usize, String> {
        let options = ReadOptions::canonical(PlaceNames::bundled());
        let reader = FigureReader::new(self.0.as_ref(), options).map_err(|error| error.code().to_owned())?;
        let (mut figures, mut refused) = (0, 0);
        for row in reader {
            match row {
                Ok(row) => {
                    figures += row.figures.len();
                    if figures > MAX_FIGURES {
                        return Err("too-many-figures".to_owned());
                    }
                    row.figures.into_iter().for_each(|figure| give((row.number, figure)));
                }
                Err(error) if error.is_fatal() => return Err(error.code().to_owned()),
                Err(_) => refused += 1,
            }
        }
        Ok(refused)
    }
}
