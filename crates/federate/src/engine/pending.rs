//! What the engine waits for, and where each answer goes.

use std::collections::BTreeSet;

use record::{Authority, Origin};
use tlog::{Hash, NoteSignature, SignedCheckpoint, VerifierKey};

use super::logs::StoredState;
use super::reconcile::Then;
use super::wants::{Ended, Rank};
use super::{Answer, Engine, Id, Input, Output, RequestId};
use crate::paths::LogFile;

/// A request of the engine that is not answered yet.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    /// `/heads`, asked at this time.
    Heads { peer: Authority, sent: u64 },
    /// A file of a log that is being followed; `attempt` tells goals apart.
    File { origin: Origin, peer: Authority, attempt: u64, file: LogFile },
    /// A `seen` file.
    Seen { origin: Origin, peer: Authority, n: u64 },
    /// A `seen` file of an own log, as a peer has it.
    LostSeen { origin: Origin, peer: Authority, n: u64 },
    /// A blob that is asked for elsewhere; whether that counts against the peer already.
    LateFile { origin: Origin, peer: Authority, is_counted: bool },
    /// A blob.
    Blob { origin: Origin, peer: Authority, rank: Rank },
    /// The next root of an authority.
    NextRoot { authority: Authority, version: u64, peer: Authority },
    /// What another peer knows as that root.
    CompareRoot { authority: Authority, version: u64, peer: Authority },
    /// A root of our own, as a peer knows it.
    OwnRoot { version: u64, peer: Authority },
    /// That we have a newer root.
    RootTold { version: u64, peer: Authority },
    /// What a witness cosigned last of an own log.
    WitnessLatest { origin: Origin, peer: Authority },
    /// A checkpoint sent to a witness.
    Submitted { origin: Origin, witness: VerifierKey },
    /// A nudge.
    Nudged { peer: Authority },
    /// Tiles of an own log, for a consistency proof.
    Proof { origin: Origin, witness: VerifierKey, old: u64, checkpoint: Box<SignedCheckpoint> },
    /// Tiles, to see whether a checkpoint is of our tree.
    Reconcile { origin: Origin, shown: Box<SignedCheckpoint>, ours: Box<SignedCheckpoint>, then: Then },
    /// Whether the next `seen` file of a log lies here already, uncounted.
    SeenHere { origin: Origin },
    /// The same, of an own log, before one is written.
    SeenSlot { origin: Origin, cosigned: Box<SignedCheckpoint> },
    /// Whether the next place for an authority's receipts is taken already.
    ReceiptSlot { origin: Origin, authority: Authority, receipt: Box<SignedCheckpoint> },
    /// A batch of a followed log.
    StoredBatch { origin: Origin, state: Box<StoredState> },
    /// What lies here in the place of a `seen` file that its author gave.
    SeenCompared { origin: Origin, n: u64, checkpoint: Box<SignedCheckpoint> },
    /// A `seen` file of a followed log; whether it is as the author gave it.
    StoredSeen { origin: Origin, n: u64, size: u64, bytes: u64, is_authors: bool },
    /// A blob, its bytes if it was fetched, and the records that wanted it then.
    StoredBlob { origin: Origin, rank: Rank, came: u64, records: Vec<Ended> },
    /// A blob of an own record, as it may be on this disk.
    OwnBlob { origin: Origin, rank: Rank },
    /// That something of a record does not come.
    StoredUnfetched { origin: Origin, name: Hash },
    /// A receipt of ours.
    StoredHeld { origin: Origin, held: Box<SignedCheckpoint> },
    /// A root of a peer.
    StoredRoot { authority: Authority, version: u64, bytes: Vec<u8> },
    /// A `seen` file of an own log.
    StoredOwnSeen { origin: Origin, size: u64, is_new: bool },
    /// A receipt of a peer.
    StoredReceipt { origin: Origin, authority: Authority, n: u64, size: u64 },
    /// That one lay here uncounted, before the one that came.
    CountedReceipt { origin: Origin, authority: Authority, receipt: Box<SignedCheckpoint>, n: u64, size: u64 },
    /// A raised size, to be cosigned now.
    StoredWitness { request: RequestId, checkpoint: Box<SignedCheckpoint> },
    /// Something whose loss does no harm: it is written again when it is needed.
    Unwatched,
    /// A cosignature for somebody's request.
    Cosign { request: RequestId, checkpoint: Box<SignedCheckpoint> },
    /// A receipt of ours.
    Hold { origin: Origin, checkpoint: Box<SignedCheckpoint> },
}

impl Pending {
    /// Whether it follows from what this peer showed, as far as that can be told: what has no peer may.
    pub fn is_of(&self, of: &Authority) -> bool {
        match self {
            Self::Heads { .. }
            | Self::Nudged { .. }
            | Self::RootTold { .. }
            | Self::Submitted { .. }
            | Self::Proof { .. } => false,
            Self::File { peer, .. }
            | Self::Seen { peer, .. }
            | Self::LostSeen { peer, .. }
            | Self::Blob { peer, .. }
            | Self::LateFile { peer, .. }
            | Self::NextRoot { peer, .. }
            | Self::CompareRoot { peer, .. }
            | Self::OwnRoot { peer, .. }
            | Self::WitnessLatest { peer, .. } => peer == of,
            _ => true,
        }
    }
}

impl Pending {
    /// The peer that was asked, of a request.
    fn asked(&self) -> Option<Authority> {
        match self {
            Self::Heads { peer, .. }
            | Self::File { peer, .. }
            | Self::Seen { peer, .. }
            | Self::LostSeen { peer, .. }
            | Self::LateFile { peer, .. }
            | Self::Blob { peer, .. }
            | Self::NextRoot { peer, .. }
            | Self::CompareRoot { peer, .. }
            | Self::OwnRoot { peer, .. }
            | Self::RootTold { peer, .. }
            | Self::WitnessLatest { peer, .. }
            | Self::Nudged { peer } => Some(peer.clone()),
            Self::Submitted { witness, .. } => Authority::of_key_name(witness.name()).ok(),
            _ => None,
        }
    }

    /// The followed log of which alone it speaks, or the own one.
    fn log(&self) -> Option<&Origin> {
        match self {
            Self::File { origin, .. }
            | Self::Seen { origin, .. }
            | Self::Blob { origin, .. }
            | Self::LateFile { origin, .. }
            | Self::Reconcile { origin, .. }
            | Self::SeenHere { origin }
            | Self::StoredBatch { origin, .. }
            | Self::SeenCompared { origin, .. }
            | Self::StoredSeen { origin, .. }
            | Self::StoredBlob { origin, .. }
            | Self::StoredUnfetched { origin, .. }
            | Self::StoredHeld { origin, .. }
            | Self::Hold { origin, .. } => Some(origin),
            _ => None,
        }
    }
}

impl Engine {
    /// Whether an input may say something of an own log: not if it only brings what was asked for of a followed one, as nearly
    /// all do when there is much to fetch.
    pub(super) fn touches_own(&self, input: &Input) -> bool {
        let (Input::Answer { id, .. }
        | Input::Read { id, .. }
        | Input::Stored { id }
        | Input::StoreFailed { id }
        | Input::Signed { id, .. }) = input
        else {
            return true;
        };
        let log = self.pending.get(id).and_then(Pending::log);
        log.is_none_or(|origin| origin.authority == self.config.me)
    }

    /// Requests to peers that are gone are broken off: whoever waits for them is told that they failed.
    pub(super) fn give_up_asking(&mut self, gone: &BTreeSet<Authority>) {
        let is_of_gone =
            |(_, pending): &(&Id, &Pending)| pending.asked().is_some_and(|of| gone.contains(&of));
        let ids: Vec<Id> = self.pending.iter().filter(is_of_gone).map(|(id, _)| *id).collect();
        for id in ids {
            self.give_up(id);
        }
    }

    /// A request is broken off, and counts as failed.
    pub(super) fn give_up(&mut self, id: Id) {
        if self.pending.contains_key(&id) {
            self.out.push(Output::GiveUp(id));
            self.take_answer(id, Answer::Failed);
        }
    }

    pub(super) fn take_answer(&mut self, id: Id, answer: Answer) {
        let Some(pending) = self.pending.remove(&id) else {
            // It was given up while its answer was on its way.
            if let Answer::File { file, .. } = answer {
                self.out.push(Output::Discard { file });
            }
            return;
        };
        match pending {
            Pending::Heads { peer, sent } => self.heads_answered(&peer, sent, answer),
            Pending::File { origin, peer, attempt, file } => {
                self.file_answered(&origin, &peer, attempt, &file, answer);
            }
            Pending::Seen { origin, peer, n } => self.seen_answered(&origin, &peer, n, answer),
            Pending::LostSeen { origin, peer, n } => self.lost_seen_answered(&origin, &peer, n, answer),
            Pending::LateFile { origin, peer, is_counted } => {
                self.late_file(&origin, &peer, is_counted, &answer);
            }
            Pending::Blob { origin, peer, rank } => self.blob_answered(&origin, &peer, rank, answer),
            Pending::NextRoot { authority, version, peer } => {
                self.next_root_answered(&authority, version, &peer, answer);
            }
            Pending::CompareRoot { authority, version, peer } => {
                self.compared_root_answered(&authority, version, &peer, answer);
            }
            Pending::OwnRoot { version, peer } => self.own_root_answered(version, &peer, answer),
            Pending::RootTold { version, peer } => self.root_told(version, &peer, &answer),
            Pending::WitnessLatest { origin, peer } => self.witness_latest_answered(&origin, &peer, answer),
            Pending::Submitted { origin, witness } => self.submission_answered(&origin, &witness, answer),
            // One that is lost costs nothing: the peer asks by itself.
            Pending::Nudged { peer } => self.nudge_answered(&peer),
            _ => {}
        }
    }

    pub(super) fn take_read(&mut self, id: Id, files: &[Option<Vec<u8>>]) {
        match self.pending.remove(&id) {
            Some(Pending::Proof { origin, witness, old, checkpoint }) => {
                self.proof_read(&origin, &witness, old, *checkpoint, files);
            }
            Some(Pending::Reconcile { origin, shown, ours, then }) => {
                self.reconcile_read(&origin, *shown, *ours, then, files);
            }
            Some(Pending::SeenHere { origin }) => {
                self.seen_here_read(&origin, files.first().and_then(Option::as_deref));
            }
            Some(Pending::SeenCompared { origin, n, checkpoint }) => {
                let here = files.first().and_then(Option::as_deref);
                self.seen_compared(&origin, n, *checkpoint, here);
            }
            Some(Pending::SeenSlot { origin, cosigned }) => self.seen_slot_read(&origin, *cosigned, files),
            Some(Pending::ReceiptSlot { origin, authority, receipt }) => {
                let there = files.first().and_then(Option::as_deref);
                self.receipt_slot_read(&origin, &authority, *receipt, there);
            }
            Some(Pending::OwnBlob { origin, rank }) => {
                self.own_blob_read(&origin, rank, files.first().and_then(Option::as_deref));
            }
            _ => {}
        }
    }

    pub(super) fn take_stored(&mut self, id: Id, done: bool) {
        match self.pending.remove(&id) {
            Some(Pending::StoredBatch { origin, state }) => self.batch_stored(&origin, *state, done),
            Some(Pending::StoredSeen { origin, n, size, bytes, is_authors }) => {
                self.seen_stored(&origin, (n, size, bytes), is_authors, done);
            }
            Some(Pending::StoredBlob { origin, rank, came, records }) => {
                self.blob_stored(&origin, rank, came, &records, done);
            }
            Some(Pending::StoredUnfetched { origin, name }) => self.unfetched_stored(&origin, name, done),
            Some(Pending::StoredHeld { origin, held }) => self.held_stored(&origin, *held, done),
            Some(Pending::StoredRoot { authority, version, bytes }) => {
                self.root_stored(&authority, version, &bytes, done);
            }
            Some(Pending::StoredOwnSeen { origin, size, is_new }) => {
                self.own_seen_stored(&origin, size, is_new, done);
            }
            Some(Pending::StoredReceipt { origin, authority, n, size }) => {
                self.receipt_stored(&origin, &authority, n, size, done);
            }
            Some(Pending::CountedReceipt { origin, authority, receipt, n, size }) => {
                self.receipt_stored(&origin, &authority, n, size, done);
                if done {
                    self.keep_receipt(&origin, &authority, *receipt);
                }
            }
            Some(Pending::StoredWitness { request, checkpoint }) => {
                self.witness_stored(request, *checkpoint, done);
            }
            _ => {}
        }
    }

    pub(super) fn take_signed(&mut self, id: Id, line: Option<NoteSignature>) {
        match self.pending.remove(&id) {
            Some(Pending::Cosign { request, checkpoint }) => self.cosigned(request, &checkpoint, line),
            Some(Pending::Hold { origin, checkpoint }) => self.hold_signed(&origin, *checkpoint, line),
            _ => {}
        }
    }
}
