//! How many files of each author are known to be wanted and are not here. Beyond a share of memory nothing more of its
//! entries is taken, so that what else they name is found when there is a place for it. It fetches nothing.

use std::collections::BTreeMap;

use record::{Authority, Origin};

/// Counted by log and by author.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    of_log: BTreeMap<Origin, usize>,
    of_author: BTreeMap<Authority, Share>,
}

#[derive(Debug, Default)]
struct Share {
    wants: usize,
    is_full: bool,
}

impl Backlog {
    /// So many files of a log are wanted, of at most so many of its author. Answers whether the author's share was full and is
    /// not any more: half of it is free, so that logs do not stop and go on with every file.
    pub fn set(&mut self, origin: &Origin, wants: usize, most: usize) -> bool {
        let before = match wants {
            0 => self.of_log.remove(origin).unwrap_or(0),
            _ => self.of_log.insert(origin.clone(), wants).unwrap_or(0),
        };
        if before == wants {
            return false;
        }
        let share = self.of_author.entry(origin.authority.clone()).or_default();
        share.wants = share.wants - before + wants;
        let was_full = share.is_full;
        share.is_full = share.wants > if was_full { most / 2 } else { most };
        was_full && !share.is_full
    }

    /// Whether nothing more of an author's entries is taken.
    pub fn is_full(&self, author: &Authority) -> bool {
        self.of_author.get(author).is_some_and(|share| share.is_full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn a_share_that_was_full_is_free_again_when_half_of_it_came() {
        let (one, other) = (origin("a.example", 1), origin("a.example", 2));
        let mut backlog = Backlog::default();
        assert!(!backlog.set(&one, 6, 10) && !backlog.is_full(&one.authority));
        assert!(!backlog.set(&other, 5, 10) && backlog.is_full(&one.authority));
        assert!(!backlog.is_full(&"c.example".parse().unwrap()));
        assert!(!backlog.set(&one, 1, 10) && backlog.is_full(&one.authority));
        assert!(backlog.set(&one, 0, 10) && !backlog.is_full(&one.authority));
    }
}
