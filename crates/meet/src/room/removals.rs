//! Who was removed from which room, and when: their older tokens open it no more.
//!
//! A token says when it was made by `iat`, else by `nbf`, in whole seconds. One that was made in the second of the removal is
//! refused too, and so is one that does not say when it was made: whoever lets a removed person in again makes a new token a
//! second later.

use std::collections::HashMap;
use std::time::Instant;

use super::config;
use crate::contract::Now;
use crate::grants::Grants;

#[derive(Debug, Default)]
pub(super) struct Removals {
    rooms: HashMap<String, Removed>,
}

#[derive(Debug, Default)]
struct Removed {
    /// By identity: tokens made at this second or before are refused.
    until: HashMap<String, u64>,
    /// When the last room of this name ended.
    ended: Option<Instant>,
}

impl Removals {
    /// Tokens of `identity` for `room` that were made at this second of Unix time or before are refused from now on.
    pub fn remember(&mut self, now: Now, room: &str, identity: &str, until: u64, exists: bool) {
        self.rooms.retain(|_, removed| {
            removed
                .ended
                .is_none_or(|ended| now.instant.saturating_duration_since(ended) < config::REMOVAL_MEMORY)
        });
        let removed = self.rooms.entry(room.to_owned()).or_default();
        if !exists && removed.ended.is_none() {
            removed.ended = Some(now.instant);
        }
        if removed.until.len() >= config::REMOVALS
            && !removed.until.contains_key(identity)
            && let Some(oldest) =
                removed.until.iter().min_by_key(|(_, until)| **until).map(|(identity, _)| identity.clone())
        {
            removed.until.remove(&oldest);
        }
        let kept = removed.until.entry(identity.to_owned()).or_default();
        *kept = until.max(*kept);
    }

    /// Whether this token was made before its holder was removed.
    pub fn refuses(&self, room: &str, grants: &Grants) -> bool {
        let until = self.rooms.get(room).and_then(|removed| removed.until.get(&grants.identity));
        until.is_some_and(|until| grants.made_at().is_none_or(|made| made <= *until))
    }

    pub fn room_opened(&mut self, room: &str) {
        if let Some(removed) = self.rooms.get_mut(room) {
            removed.ended = None;
        }
    }

    pub fn room_ended(&mut self, now: Now, room: &str) {
        if let Some(removed) = self.rooms.get_mut(room) {
            removed.ended = Some(now.instant);
        }
    }
}
