//! What `/heads` shows to whom.

use std::collections::BTreeMap;

use record::{Authority, Origin};

use super::{Engine, Log};
use crate::heads::{Head, Heads, MAX_OF_ANOTHER, SHORTER_THAN_A_HEAD, newest_first};
use crate::paths::MAX_HEADS;
use crate::serve::may_read;

impl Engine {
    /// The answer of `/heads` to a caller, or to a stranger, and its entity tag.
    pub fn heads(&self, caller: Option<&Authority>) -> (Vec<u8>, String) {
        let body = self.heads_with(caller, MAX_OF_ANOTHER);
        let etag = Heads::etag(&body);
        (body, etag)
    }

    /// The same for a file that is carried to somebody: it is read once, and its reader may have nobody else to ask.
    pub fn heads_to_carry(&self, reader: Option<&Authority>) -> Vec<u8> {
        self.heads_with(reader, MAX_HEADS)
    }

    /// Heads for a caller, with so many bytes of every other author at most.
    fn heads_with(&self, caller: Option<&Authority>, of_another: usize) -> Vec<u8> {
        let mut heads = Heads::default();
        for (origin, own) in &self.own {
            if may_read(caller, Some(&own.readers))
                && let Some(checkpoint) = own.checkpoint.clone()
            {
                heads.logs.insert(origin.clone(), Head { checkpoint, seen: own.kept.seen, held: None });
            }
        }
        let mut others: BTreeMap<&Authority, Vec<(&Origin, &Log)>> = BTreeMap::new();
        for (origin, log) in self.logs.iter().filter(|(origin, _)| origin.authority != self.config.me) {
            if may_read(caller, log.readers()) && log.stored_verified().is_some() {
                others.entry(&origin.authority).or_default().push((origin, log));
            }
        }
        for (author, mut logs) in others {
            // What is not shown in the end is not even copied.
            if Some(author) != caller && logs.len() > of_another / SHORTER_THAN_A_HEAD {
                logs.sort_by_key(|(origin, _)| newest_first(origin));
                logs.truncate(of_another / SHORTER_THAN_A_HEAD);
            }
            let heads_of = logs.into_iter().filter_map(|(origin, log)| Some((origin.clone(), log.head()?)));
            heads.logs.extend(heads_of);
        }
        heads.within_limit(&self.config.me, caller, of_another).to_bytes()
    }
}
