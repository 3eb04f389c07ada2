//! Every (origin, size, root) that is met anywhere is checked against one's own copy. Two that do not
//! reconcile are kept as evidence and raise an alarm.

use std::collections::BTreeMap;

use record::{Anchor, Authority, Origin};
use tlog::{Checkpoint, Note, NoteSignature, SignedCheckpoint};

use super::pending::Pending;
use super::{Engine, Output, log_keys};
use crate::alarm::Alarm;
use crate::paths::LogFile;
use crate::places;
use crate::split::{Split, root_at, tiles_at, verify_by_one};

/// What is done with a checkpoint that is of our tree.
#[derive(Debug, Clone)]
pub(super) enum Then {
    /// Nothing: a peer showed it.
    Shown { peer: Authority },
    /// It is kept as a `seen` file.
    Seen { n: u64, from: Option<Authority> },
    /// It is archived as a receipt.
    Receipt { authority: Authority },
}

/// The quoted checkpoint with the one line that is quoted: it is not signed by its log.
fn checkpoint_of(anchor: &Anchor) -> SignedCheckpoint {
    let [a, b, c, d, bytes @ ..] = &anchor.cosignature;
    let id = u32::from_be_bytes([*a, *b, *c, *d]);
    let line = NoteSignature { name: anchor.witness.clone(), id, bytes: bytes.to_vec() };
    let checkpoint = Checkpoint { origin: anchor.origin.to_string(), size: anchor.size, root: anchor.root };
    let note = Note { text: checkpoint.to_text(), signatures: vec![line] };
    SignedCheckpoint { checkpoint, note }
}

impl Engine {
    /// What a record quotes of logs that are here is checked like everything else that is shown.
    pub(super) fn take_quoted(&mut self, by: &Authority, anchors: Vec<Anchor>) {
        for anchor in anchors {
            self.reconcile(&anchor.origin, checkpoint_of(&anchor), Then::Shown { peer: by.clone() });
        }
    }

    /// Checks a checkpoint of at most our own size against our copy. One that needs no look at tiles is
    /// answered at once.
    pub(super) fn reconcile(&mut self, origin: &Origin, shown: SignedCheckpoint, then: Then) {
        let Some((ours, known)) = self.our_copy(origin, shown.checkpoint.size) else {
            return self.not_reconciled_yet(origin, &then);
        };
        let (size, root) = (shown.checkpoint.size, shown.checkpoint.root);
        if size == 0 || known == Some(root) {
            return self.reconciled(origin, shown, then);
        }
        if size == ours.checkpoint.size {
            return self.contradicted(origin, &Split::of_one_size(ours, shown), &then);
        }
        if size > ours.checkpoint.size {
            // It lies between our newest checkpoint and entries that came after it: it is met again.
            return self.not_reconciled_yet(origin, &then);
        }
        let is_own = origin.authority == self.config.me;
        let prefix = if is_own { places::own(origin) } else { places::mirror(origin) };
        let tiles = tiles_at(size, ours.checkpoint.size);
        let paths = tiles.into_iter().map(|tile| places::file(&prefix, &LogFile::Tile(tile))).collect();
        let (shown, ours) = (Box::new(shown), Box::new(ours));
        let id = self.ask(Pending::Reconcile { origin: origin.clone(), shown, ours, then });
        self.out.push(Output::Read { id, paths });
    }

    /// Our newest stored checkpoint of a log, and our root at a size if it is remembered.
    fn our_copy(&self, origin: &Origin, size: u64) -> Option<(SignedCheckpoint, Option<tlog::Hash>)> {
        if let Some(own) = self.own.get(origin) {
            return Some((own.checkpoint.clone()?, own.known.get(&size).copied()));
        }
        let log = self.logs.get(origin)?;
        let ours = log.stored_verified()?.clone();
        let is_newest = size == ours.checkpoint.size;
        let known = if is_newest { Some(ours.checkpoint.root) } else { log.known.get(&size).copied() };
        Some((ours, known))
    }

    pub(super) fn reconcile_read(
        &mut self,
        origin: &Origin,
        shown: SignedCheckpoint,
        ours: SignedCheckpoint,
        then: Then,
        files: &[Option<Vec<u8>>],
    ) {
        let (size, root) = (shown.checkpoint.size, shown.checkpoint.root);
        let tiles: BTreeMap<(u8, u64), Vec<u8>> = tiles_at(size, ours.checkpoint.size)
            .into_iter()
            .zip(files)
            .filter_map(|(tile, bytes)| Some(((tile.level, tile.index), bytes.clone()?)))
            .collect();
        let source = |tile: tlog::TileId| tiles.get(&(tile.level, tile.index)).cloned();
        match root_at(size, source) {
            Some(ours_then) if ours_then == root => {
                if let Some(log) = self.logs.get_mut(origin) {
                    log.remember(size, root);
                }
                if let Some(own) = self.own.get_mut(origin) {
                    own.remember(size, root);
                }
                self.reconciled(origin, shown, then);
            }
            // What lies on this disk contradicts nobody unless it leads to the head that the log signed.
            Some(_) => match Split::from_tiles(shown, ours, source) {
                Ok(split) if split.verify_proof().is_ok() => self.contradicted(origin, &split, &then),
                Ok(_) => self.damage_found(origin, &then),
                Err(_) => self.not_reconciled_yet(origin, &then),
            },
            // A tile that could not be read now is perhaps read the next time.
            None => self.not_reconciled_yet(origin, &then),
        }
    }

    /// Tiles on this disk are not those of the newest checkpoint: a fault of the disk, and of nobody else.
    fn damage_found(&mut self, origin: &Origin, then: &Then) {
        self.not_reconciled_yet(origin, then);
        let is_own = origin.authority == self.config.me;
        let place = if is_own { places::own(origin) } else { places::mirror(origin) };
        self.ring(Alarm::LogDamaged { origin: origin.clone(), place });
        self.take_damaged(origin);
    }

    fn reconciled(&mut self, origin: &Origin, shown: SignedCheckpoint, then: Then) {
        match then {
            Then::Shown { .. } => {}
            Then::Seen { n, from } => self.keep_seen(origin, n, from.as_ref(), shown),
            Then::Receipt { authority } => self.keep_receipt(origin, &authority, shown),
        }
    }

    fn not_reconciled_yet(&mut self, origin: &Origin, then: &Then) {
        if let Then::Seen { .. } = then {
            self.seen_failed(origin);
        }
    }

    /// Two views: evidence if the log signed both, an alarm in any case.
    fn contradicted(&mut self, origin: &Origin, split: &Split, then: &Then) {
        self.not_reconciled_yet(origin, then);
        let chain = self.peers.get(&origin.authority).map(|peer| &peer.config.chain);
        let chain = chain.or(self.own_chain.as_ref().filter(|chain| *chain.authority() == origin.authority));
        let keys = chain.map(|chain| log_keys(chain, origin, true)).unwrap_or_default();
        let is_signed = |checkpoint| verify_by_one(checkpoint, &keys).is_ok();
        if is_signed(&split.smaller) && is_signed(&split.larger) {
            return self.split_found(origin, split);
        }
        let from = match then {
            Then::Shown { peer } => peer.clone(),
            Then::Receipt { authority } => authority.clone(),
            Then::Seen { from, .. } => from.as_ref().unwrap_or(&origin.authority).clone(),
        };
        let (size, root) = (split.smaller.checkpoint.size, split.other_root);
        self.ring(Alarm::Unreconciled { origin: origin.clone(), size, root, from });
    }
}
