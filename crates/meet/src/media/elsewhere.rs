//! Sessions of other shards, as far as their packets come to this one: the names that their shards told, and the sources that
//! used one of them.
//!
//! Nothing is kept of a source that names nobody. A name remembers few sources and forgets its own oldest one first, so that
//! nobody's packets cost another their way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Transport;
use super::shard::ADDRESSES;
use crate::contract::ShardId;

type From = (Transport, SocketAddr);

#[derive(Debug)]
struct Named {
    owner: ShardId,
    /// Oldest first.
    sources: Vec<From>,
}

/// Who is elsewhere.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    names: HashMap<Arc<str>, Named>,
    sources: HashMap<From, Arc<str>>,
}

impl Elsewhere {
    /// A session of this shard has this name.
    pub(super) fn named(&mut self, name: &str, owner: ShardId) {
        self.names.insert(name.into(), Named { owner, sources: Vec::new() });
    }

    /// No session has it any more.
    pub(super) fn unnamed(&mut self, name: &str) {
        let Some(named) = self.names.remove(name) else { return };
        for source in named.sources {
            self.sources.remove(&source);
        }
    }

    /// Somebody there asks for a name: whose session it is, if it is one. What follows from there goes to the same shard.
    pub(super) fn asked(&mut self, name: &str, from: From) -> Option<ShardId> {
        let (name, named) = self.names.get_key_value(name)?;
        let (name, owner) = (name.clone(), named.owner);
        if self.sources.get(&from) != Some(&name) {
            self.forget(from);
            self.sources.insert(from, name.clone());
            let named = self.names.get_mut(&name)?;
            named.sources.push(from);
            if named.sources.len() > ADDRESSES {
                let oldest = named.sources.remove(0);
                self.sources.remove(&oldest);
            }
        }
        Some(owner)
    }

    /// Whose session is behind a source.
    pub(super) fn owner(&self, from: From) -> Option<ShardId> {
        self.names.get(self.sources.get(&from)?).map(|named| named.owner)
    }

    /// What comes from there is for this shard.
    pub(super) fn forget(&mut self, from: From) {
        if let Some(name) = self.sources.remove(&from)
            && let Some(named) = self.names.get_mut(&name)
        {
            named.sources.retain(|source| *source != from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(port: u16) -> From {
        (Transport::Udp, SocketAddr::from(([192, 0, 2, 1], port)))
    }

    #[test]
    fn ten_thousand_ports_that_name_nobody_leave_nothing_behind() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.named("Bada", ShardId(1));
        assert_eq!(elsewhere.asked("Bada", from(1)), Some(ShardId(1)));
        for port in 2..=10_001 {
            assert_eq!(elsewhere.asked("Binvented", from(port)), None);
        }
        assert_eq!((elsewhere.sources.len(), elsewhere.owner(from(1))), (1, Some(ShardId(1))));
    }

    #[test]
    fn who_has_a_name_takes_nobodys_way_but_his_own() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.named("Bada", ShardId(1));
        elsewhere.named("Cben", ShardId(2));
        assert_eq!(elsewhere.asked("Bada", from(1)), Some(ShardId(1)));
        for port in 2..=10_001 {
            assert_eq!(elsewhere.asked("Cben", from(port)), Some(ShardId(2)));
        }
        assert_eq!(elsewhere.owner(from(1)), Some(ShardId(1)));
        assert_eq!((elsewhere.owner(from(2)), elsewhere.owner(from(10_001))), (None, Some(ShardId(2))));
        assert_eq!(elsewhere.sources.len(), 1 + ADDRESSES);
        elsewhere.unnamed("Cben");
        assert_eq!((elsewhere.sources.len(), elsewhere.names.len()), (1, 1));
    }

    #[test]
    fn a_source_is_of_whom_it_named_last() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.named("Bada", ShardId(1));
        elsewhere.named("Cben", ShardId(2));
        elsewhere.asked("Bada", from(1));
        elsewhere.asked("Cben", from(1));
        assert_eq!(elsewhere.owner(from(1)), Some(ShardId(2)));
        elsewhere.unnamed("Bada");
        assert_eq!(elsewhere.owner(from(1)), Some(ShardId(2)));
        elsewhere.forget(from(1));
        assert_eq!(elsewhere.owner(from(1)), None);
    }
}
