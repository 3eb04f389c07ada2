//! How many connections each source has at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::source::Block;

/// The most connections at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Of everybody together.
    pub all: usize,
    /// Of one block of addresses.
    pub of_block: usize,
    /// Of the wider block around it.
    pub around: usize,
}

/// Who is connected now.
#[derive(Debug)]
pub struct Places {
    most: Most,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_block: HashMap<Block, usize>,
    around: HashMap<Block, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Whoever asks has its share.
    OfOne,
    /// All places are taken, by however many others.
    OfAll,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    block: Option<Block>,
}

impl Places {
    /// Nobody is connected.
    pub fn new(most: Most) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// Takes a place, if there is one. A proxy that is trusted has no block: it holds off its own crowds, and all of
    /// them come over few addresses. An eighth of all places is left to it and to this machine.
    pub fn enter(self: &Arc<Self>, block: Option<Block>) -> Option<Place> {
        self.try_enter(block).ok()
    }

    /// The same, with why there is none.
    ///
    /// # Errors
    /// Whether its own share is taken, or everything.
    pub fn try_enter(self: &Arc<Self>, block: Option<Block>) -> Result<Place, Full> {
        // Each change is whole: whoever panicked left it so.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |map: &HashMap<Block, usize>, block: Block| map.get(&block).copied().unwrap_or(0);
        let most = if block.is_some() { self.most.all - self.most.all / 8 } else { self.most.all };
        let has_its_share = block.is_some_and(|block| {
            of(&taken.of_block, block) >= self.most.of_block
                || of(&taken.around, block.around()) >= self.most.around
        });
        if has_its_share {
            return Err(Full::OfOne);
        }
        if taken.all >= most {
            return Err(Full::OfAll);
        }
        taken.all += 1;
        if let Some(block) = block {
            *taken.of_block.entry(block).or_default() += 1;
            *taken.around.entry(block.around()).or_default() += 1;
        }
        Ok(Place { places: Arc::clone(self), block })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(block) = self.block {
            leave(&mut taken.of_block, block);
            leave(&mut taken.around, block.around());
        }
    }
}

/// Who has none any more is forgotten.
fn leave(map: &mut HashMap<Block, usize>, block: Block) {
    if let Some(count) = map.get_mut(&block) {
        *count -= 1;
        if *count == 0 {
            map.remove(&block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> Block {
        Block::of(address.parse().unwrap())
    }

    #[test]
    fn one_block_takes_its_share_and_no_more() {
        let places = Places::new(Most { all: 16, of_block: 3, around: 5 });
        let mut held: Vec<Place> = (0..9).filter_map(|_| places.enter(Some(block("2001:db8::1")))).collect();
        assert_eq!(held.len(), 3);
        held.extend((0..9).filter_map(|_| places.enter(Some(block("2001:db8:0:1::1")))));
        assert_eq!(held.len(), 5, "the same /48");
        assert!(places.enter(Some(block("192.0.2.1"))).is_some());
        held.clear();
        assert!(places.enter(Some(block("2001:db8::2"))).is_some(), "places are free again");
        assert!(places.taken.lock().unwrap().of_block.is_empty());
    }

    #[test]
    fn strangers_leave_some_places_to_proxies() {
        let places = Places::new(Most { all: 16, of_block: 100, around: 100 });
        let strangers: Vec<Place> = (0..99).filter_map(|_| places.enter(Some(block("192.0.2.1")))).collect();
        let proxies: Vec<Place> = (0..99).filter_map(|_| places.enter(None)).collect();
        assert_eq!((strangers.len(), proxies.len()), (14, 2));
    }
}
