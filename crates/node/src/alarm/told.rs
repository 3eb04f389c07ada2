//! Which facts alarms told of: a bit for each place in a log, or one for a thing.
//!
//! One cell has the bits of [`WIDTH`] entries that follow each other, so that it takes far less than what a quota counts for the
//! entries themselves, and nothing of it is ever left out. It does not know what a fact means, or whether its alarm was settled.

use std::collections::{BTreeMap, BTreeSet};

use store::Cells;

use crate::saved::{self, SavedError};

/// Cells of bits, by the alarm's code and the place.
const SPACE: &str = "alarm.told";
/// So many places have their bits in one cell.
const WIDTH: u64 = 512;
const WORD: u64 = u64::BITS as u64;

/// Where something is so for good, as records say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    whose: String,
    index: u64,
}

impl Fact {
    /// An entry of a log.
    pub fn entry(origin: &str, index: u64) -> Self {
        Self { whose: origin.to_owned(), index }
    }

    /// A thing of an author.
    pub fn thing(author: &str, id: &str) -> Self {
        Self { whose: format!("{author} {id}"), index: 0 }
    }

    fn cell(&self, code: &str) -> String {
        format!("{code} {} {}", self.whose, self.index / WIDTH)
    }

    /// The word of its cell that has its bit, and the bit.
    fn bit(&self) -> (usize, u64) {
        let at = self.index % WIDTH;
        (usize::try_from(at / WORD).unwrap_or(0), 1 << (at % WORD))
    }
}

/// The bits of one cell.
type Bits = Vec<u64>;

/// What was told of, as far as it is asked for.
#[derive(Default)]
pub(super) struct Told {
    cells: BTreeMap<String, Bits>,
    changed: BTreeSet<String>,
}

impl Told {
    /// Whether a fact was told of at none of its places. From now on it was, at all of them.
    pub async fn is_new(
        &mut self,
        cells: &dyn Cells,
        code: &str,
        places: &[Fact],
    ) -> Result<bool, SavedError> {
        let mut is_new = true;
        for place in places {
            let key = place.cell(code);
            if !self.cells.contains_key(&key) {
                let bits = saved::read::<Bits>(cells, SPACE, &key).await?.unwrap_or_default();
                self.cells.insert(key.clone(), bits);
            }
            let bits = self.cells.entry(key.clone()).or_default();
            let (word, bit) = place.bit();
            bits.resize(bits.len().max(word + 1), 0);
            if bits[word] & bit == 0 {
                bits[word] |= bit;
                self.changed.insert(key);
            } else {
                is_new = false;
            }
        }
        Ok(is_new)
    }

    /// Keeps what was told of.
    pub async fn save(self, cells: &dyn Cells) -> Result<(), SavedError> {
        for (key, bits) in self.cells.iter().filter(|(key, _)| self.changed.contains(*key)) {
            saved::update::<Bits>(cells, SPACE, key, |before| Some(both(before.unwrap_or_default(), bits)))
                .await?;
        }
        Ok(())
    }
}

fn both(mut bits: Bits, others: &[u64]) -> Bits {
    bits.resize(bits.len().max(others.len()), 0);
    bits.iter_mut().zip(others).for_each(|(word, other)| *word |= other);
    bits
}
