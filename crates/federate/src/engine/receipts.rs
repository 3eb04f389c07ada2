//! Fetch receipts: this node's `holds` lines on others' logs, and others' on its own logs.

use record::{Authority, Origin, Role};
use tlog::{NoteSignature, SignedCheckpoint, VerifierKey, verify_cosignature};

use super::kept::{write_held, write_receipt};
use super::pending::Pending;
use super::reconcile::Then;
use super::seen::on_disk;
use super::{Engine, Event, Output, SignRequest, Write};
use crate::heads::Head;
use crate::nudge::{Nudge, NudgeNote};
use crate::paths::{LogFile, Route};
use crate::places;

/// So many nudges to one peer are under way at once.
const NUDGES_AT_ONCE: u32 = 4;

impl Engine {
    /// Signs a receipt if all entries and wanted blobs up to the newest checkpoint are stored.
    pub(super) fn run_hold(&mut self, origin: &Origin) {
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin).filter(|_| origin.authority != self.config.me) else {
            return;
        };
        if log.is_split || log.holds_due().is_none_or(|due| now < due) {
            return;
        }
        let Some(checkpoint) = log.stored_verified().cloned() else { return };
        log.is_holding = true;
        log.hold_due = now + self.config.limits.at_most_every;
        let boxed = Box::new(checkpoint.clone());
        let id = self.ask(Pending::Hold { origin: origin.clone(), checkpoint: boxed });
        self.out.push(Output::Sign { id, what: SignRequest::Holds(checkpoint) });
    }

    pub(super) fn hold_signed(
        &mut self,
        origin: &Origin,
        checkpoint: SignedCheckpoint,
        line: Option<NoteSignature>,
    ) {
        let later = self.now + self.config.limits.retry_first;
        let Some(log) = self.logs.get_mut(origin) else { return };
        let mut held = checkpoint;
        let is_added = line.is_some_and(|line| held.add_cosignature(line).is_ok());
        if !is_added {
            (log.is_holding, log.hold_due) = (false, later);
            self.dirty.insert(origin.clone());
            return;
        }
        let cell = write_held(origin, &held);
        let pending = Pending::StoredHeld { origin: origin.clone(), held: Box::new(held) };
        self.store(vec![cell], Vec::new(), pending);
    }

    pub(super) fn held_stored(&mut self, origin: &Origin, held: SignedCheckpoint, done: bool) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.is_holding = false;
        if !done {
            self.dirty.insert(origin.clone());
            return;
        }
        log.held = Some(held.clone());
        self.dirty.insert(origin.clone());
        self.heads_changed(&origin.authority);
        if self.peers.get(&origin.authority).is_some_and(super::Peer::is_well) {
            let nudge = Nudge { from: self.config.me.clone(), note: NudgeNote::Receipt(Box::new(held)) };
            self.post_nudge(&origin.authority.clone(), &nudge);
        }
    }

    /// Who has many logs and answers late is told of few receipts so: all of them stand in the heads.
    fn post_nudge(&mut self, peer: &Authority, nudge: &Nudge) {
        let Some(to) = self.peers.get_mut(peer).filter(|to| to.nudges < NUDGES_AT_ONCE) else { return };
        to.nudges += 1;
        let (peer, route, body) = (peer.clone(), Route::Nudge, nudge.to_bytes());
        let id = self.ask(Pending::Nudged { peer: peer.clone() });
        self.out.push(Output::Post { id, peer, route, body });
    }

    pub(super) fn nudge_answered(&mut self, peer: &Authority) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.nudges = peer.nudges.saturating_sub(1);
        }
    }

    /// Whether a peer shows with a head of an own log a receipt that is not archived here.
    pub fn lacks_receipt(&self, peer: &Authority, origin: &Origin, head: &Head) -> bool {
        let Some(own) = self.own.get(origin) else { return false };
        let kept = own.kept.receipts.get(peer).map_or(0, |(_, size)| *size);
        let shown = std::iter::once(&head.checkpoint).chain(&head.held);
        shown
            .filter(|shown| shown.checkpoint.size > kept && shown.checkpoint.size <= own.size())
            .any(|shown| self.hold_line(peer, shown).is_some())
    }

    /// A checkpoint of an own log that may carry a peer's `holds` line. Answers whether it does, and is new.
    pub(super) fn receipt_offered(&mut self, peer: &Authority, receipt: &SignedCheckpoint) -> bool {
        let Ok(origin) = receipt.checkpoint.origin.parse::<Origin>() else { return false };
        let Some(own) = self.own.get(&origin) else { return false };
        let kept = own.kept.receipts.get(peer).map_or(0, |(_, size)| *size);
        let head = own.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.checkpoint.size);
        let size = receipt.checkpoint.size;
        // Size 0 is nothing to hold; a size beyond our head is alarming, which is seen elsewhere.
        if size <= kept
            || size > head
            || own.is_archiving.contains(peer)
            || self.hold_line(peer, receipt).is_none()
        {
            return false;
        }
        self.reconcile(&origin, receipt.clone(), Then::Receipt { authority: peer.clone() });
        true
    }

    /// The valid `holds` line of a peer, with its time.
    fn hold_line(&self, peer: &Authority, receipt: &SignedCheckpoint) -> Option<(NoteSignature, u64)> {
        let chain = &self.peers.get(peer)?.config.chain;
        let keys: Vec<&VerifierKey> =
            chain.latest().keys_of(Role::Holds).map(|listed| &listed.vkey).collect();
        let usable = keys.into_iter().filter(|key| chain.revocation(key).is_none());
        usable.into_iter().find_map(|key| {
            let line = receipt.note.signatures.iter().find(|line| line.is_by(key))?;
            Some((line.clone(), verify_cosignature(&receipt.note.text, line, key).ok()?))
        })
    }

    /// A receipt that is of our tree: archived beside the own log, at a place that nothing lies at. A state that was
    /// restored may have forgotten the last ones, which are never written anew.
    pub(super) fn keep_receipt(&mut self, origin: &Origin, authority: &Authority, receipt: SignedCheckpoint) {
        let Some(own) = self.own.get_mut(origin) else { return };
        let (n, kept_size) = own.kept.receipts.get(authority).copied().unwrap_or((0, 0));
        if receipt.checkpoint.size <= kept_size || !own.is_archiving.insert(authority.clone()) {
            return;
        }
        let path = receipt_path(origin, authority, n);
        let (origin, authority, receipt) = (origin.clone(), authority.clone(), Box::new(receipt));
        let id = self.ask(Pending::ReceiptSlot { origin, authority, receipt });
        self.out.push(Output::Read { id, paths: vec![path] });
    }

    /// Archives a receipt, or first counts the one that is there.
    pub(super) fn receipt_slot_read(
        &mut self,
        origin: &Origin,
        authority: &Authority,
        receipt: SignedCheckpoint,
        there: Option<&[u8]>,
    ) {
        let Some(own) = self.own.get_mut(origin) else { return };
        let (n, kept_size) = own.kept.receipts.get(authority).copied().unwrap_or((0, 0));
        if let Some(there) = there.and_then(|bytes| on_disk(origin, kept_size, bytes)) {
            return self.count_receipt(origin, authority, n, &there, receipt);
        }
        let Some((line, time)) = self.hold_line(authority, &receipt) else {
            return self.receipt_stored(origin, authority, n, kept_size, false);
        };
        let size = receipt.checkpoint.size;
        let mut archived = receipt;
        let log = archived.checkpoint.origin.clone();
        archived.note.signatures.retain(|kept| *kept == line || kept.name == log);
        let writes = vec![
            Write::File { path: receipt_path(origin, authority, n), bytes: archived.to_bytes() },
            write_receipt(origin, authority, (n + 1, size)),
        ];
        let event = Event::Receipt { origin: origin.clone(), authority: authority.clone(), n, size, time };
        let (origin, authority) = (origin.clone(), authority.clone());
        self.store(writes, vec![event], Pending::StoredReceipt { origin, authority, n, size });
    }

    fn count_receipt(
        &mut self,
        origin: &Origin,
        authority: &Authority,
        n: u64,
        there: &SignedCheckpoint,
        next: SignedCheckpoint,
    ) {
        let size = there.checkpoint.size;
        let cell = write_receipt(origin, authority, (n + 1, size));
        let (origin, authority, receipt) = (origin.clone(), authority.clone(), Box::new(next));
        let time = self.hold_line(&authority, there).map(|(_, time)| time);
        let told = time.map(|time| Event::Receipt {
            origin: origin.clone(),
            authority: authority.clone(),
            n,
            size,
            time,
        });
        let pending = Pending::CountedReceipt { origin, authority, receipt, n, size };
        self.store(vec![cell], told.into_iter().collect(), pending);
    }

    pub(super) fn receipt_stored(
        &mut self,
        origin: &Origin,
        authority: &Authority,
        n: u64,
        size: u64,
        done: bool,
    ) {
        let Some(own) = self.own.get_mut(origin) else { return };
        own.is_archiving.remove(authority);
        if done {
            own.kept.receipts.insert(authority.clone(), (n + 1, size));
        }
    }
}

fn receipt_path(origin: &Origin, authority: &Authority, n: u64) -> String {
    places::file(&places::own(origin), &LogFile::Held { authority: authority.clone(), n })
}
