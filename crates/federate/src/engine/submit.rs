//! Own checkpoints to the witnesses of the log's policy, in rounds: all witnesses get the same checkpoint, so
//! that their cosignatures meet. At quorum, or hourly without one, the round is archived as `seen/<n>`.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin, Role};
use tlog::note::parse_signature_lines;
use tlog::tree::{prove_consistency, tiles_for_consistency};
use tlog::{AddCheckpoint, NoteSignature, Policy, SignedCheckpoint, VerifierKey, verify_cosignature};

use super::kept::write_own_seen;
use super::pending::Pending;
use super::seen::on_disk;
use super::{Answer, Engine, Event, Output, Write};
use crate::paths::{LogFile, Route};
use crate::places;

/// How long a round waits for its quorum before a newer checkpoint takes its place, in milliseconds.
const PATIENCE: u64 = 5_000;

/// How often in a row a witness may say another size without a wait.
const CORRECTIONS: u32 = 2;

/// One checkpoint that witnesses are asked to cosign.
#[derive(Debug, Default)]
pub(super) struct Round {
    checkpoint: Option<SignedCheckpoint>,
    lines: BTreeMap<VerifierKey, NoteSignature>,
    /// Whether a quorum of lines is archived.
    is_archived: bool,
    /// Whose lines are in a `seen` file: one without quorum is followed by one with it, and a quorum of more lines than a file
    /// may have by the others.
    archived: BTreeSet<VerifierKey>,
    pub is_storing: bool,
    /// When a newer checkpoint may take its place.
    renew: u64,
    /// The last `seen` file was written.
    written: u64,
    witnesses: BTreeMap<VerifierKey, Submission>,
}

/// Where one witness stands.
#[derive(Debug, Default)]
struct Submission {
    /// The size that it saw last.
    size: u64,
    is_asked: bool,
    /// How often in a row it said that it saw another size.
    corrections: u32,
    failures: u32,
    not_before: u64,
}

impl Round {
    fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.checkpoint.size)
    }

    /// Whether the witnesses that cosigned it are enough, or nobody is asked yet.
    pub fn has_quorum(&self, policy: &Policy) -> bool {
        self.checkpoint.is_none() || policy.satisfied_by(|key| self.lines.contains_key(key))
    }

    /// When something is to be done for a head of this size.
    pub fn deadline(&self, head: u64) -> Option<u64> {
        if head == 0 || self.witnesses.is_empty() {
            return None;
        }
        let renew = (head > self.size() && !self.is_storing).then_some(self.renew);
        let missing = self.witnesses.iter().filter(|(key, s)| !s.is_asked && !self.lines.contains_key(*key));
        let retry = missing.map(|(_, submission)| submission.not_before).min();
        renew.into_iter().chain(retry).min()
    }
}

impl Engine {
    pub(super) fn run_round(&mut self, origin: &Origin) {
        self.begin_round(origin);
        self.submit_round(origin);
        self.archive_round(origin);
        self.watch_quorum(origin);
    }

    /// A newer checkpoint takes the place of one that is archived, or whose quorum does not come.
    fn begin_round(&mut self, origin: &Origin) {
        let now = self.now;
        let usable = self.usable_witnesses(origin);
        let Some(own) = self.own.get_mut(origin) else { return };
        let Some(head) = own.checkpoint.clone() else { return };
        let round = &mut own.round;
        round.witnesses.retain(|key, _| usable.contains(key));
        for key in usable {
            round.witnesses.entry(key).or_default();
        }
        if head.checkpoint.size > round.size() && !round.is_storing && now >= round.renew {
            (round.checkpoint, round.renew, round.is_archived) = (Some(head), now + PATIENCE, false);
            round.archived.clear();
            round.lines.clear();
        }
    }

    /// The policy's witnesses that a pinned root of somebody else lists and does not revoke.
    fn usable_witnesses(&self, origin: &Origin) -> Vec<VerifierKey> {
        let Some(own) = self.own.get(origin) else { return Vec::new() };
        let is_usable = |key: &VerifierKey| {
            let Ok(authority) = Authority::of_key_name(key.name()) else { return false };
            let Some(peer) = self.peers.get(&authority) else { return false };
            let chain = &peer.config.chain;
            let is_listed =
                chain.roots().any(|root| root.root.keys_of(Role::Witness).any(|k| k.vkey == *key));
            is_listed && chain.revocation(key).is_none() && peer.config.reachable
        };
        own.policy.witnesses().map(|(_, key, _)| key).filter(|key| is_usable(key)).cloned().collect()
    }

    fn submit_round(&mut self, origin: &Origin) {
        let now = self.now;
        let Some(own) = self.own.get_mut(origin) else { return };
        let Some(checkpoint) = own.round.checkpoint.clone() else { return };
        let size = checkpoint.checkpoint.size;
        let mut reads = Vec::new();
        for (key, submission) in &mut own.round.witnesses {
            let is_done = own.round.lines.contains_key(key) || submission.size > size;
            if is_done || submission.is_asked || now < submission.not_before {
                continue;
            }
            submission.is_asked = true;
            reads.push((key.clone(), submission.size));
        }
        for (witness, old) in reads {
            let tiles = tiles_for_consistency(old, size).unwrap_or_default();
            let prefix = places::own(origin);
            let paths = tiles.into_iter().map(|tile| places::file(&prefix, &LogFile::Tile(tile))).collect();
            let checkpoint = Box::new(checkpoint.clone());
            let id = self.ask(Pending::Proof { origin: origin.clone(), witness, old, checkpoint });
            self.out.push(Output::Read { id, paths });
        }
    }

    pub(super) fn proof_read(
        &mut self,
        origin: &Origin,
        witness: &VerifierKey,
        old: u64,
        checkpoint: SignedCheckpoint,
        files: &[Option<Vec<u8>>],
    ) {
        let size = checkpoint.checkpoint.size;
        let tiles: BTreeMap<(u8, u64), Vec<u8>> = tiles_for_consistency(old, size)
            .unwrap_or_default()
            .into_iter()
            .zip(files)
            .filter_map(|(tile, bytes)| Some(((tile.level, tile.index), bytes.clone()?)))
            .collect();
        let proof = prove_consistency(old, size, |tile| tiles.get(&(tile.level, tile.index)).cloned());
        let (Ok(proof), Ok(peer)) = (proof, Authority::of_key_name(witness.name())) else {
            return self.submission_failed(origin, witness);
        };
        let body = AddCheckpoint { old, proof, checkpoint }.to_bytes();
        let id = self.ask(Pending::Submitted { origin: origin.clone(), witness: witness.clone() });
        self.out.push(Output::Post { id, peer, route: Route::AddCheckpoint, body });
    }

    pub(super) fn submission_answered(&mut self, origin: &Origin, witness: &VerifierKey, answer: Answer) {
        match answer {
            Answer::Response { status: 200, body, .. } => self.cosignature_came(origin, witness, &body),
            Answer::Response { status: 409, body, .. } => self.witness_is_elsewhere(origin, witness, &body),
            _ => self.submission_failed(origin, witness),
        }
    }

    fn cosignature_came(&mut self, origin: &Origin, witness: &VerifierKey, body: &[u8]) {
        let lines = std::str::from_utf8(body).ok().and_then(|text| parse_signature_lines(text).ok());
        let line = lines.unwrap_or_default().into_iter().find(|line| line.is_by(witness));
        let Some(own) = self.own.get_mut(origin) else { return };
        let round = &mut own.round;
        let valid = line
            .zip(round.checkpoint.as_ref())
            .filter(|(line, checkpoint)| verify_cosignature(&checkpoint.note.text, line, witness).is_ok());
        let Some((line, size)) = valid.map(|(line, checkpoint)| (line, checkpoint.checkpoint.size)) else {
            // Of a round before, or wrong.
            return self.submission_failed(origin, witness);
        };
        if let Some(submission) = round.witnesses.get_mut(witness) {
            *submission = Submission { size, ..Submission::default() };
        }
        round.lines.insert(witness.clone(), line);
        own.lacking.cosigned(witness);
    }

    /// The witness saw another size last than we believed.
    fn witness_is_elsewhere(&mut self, origin: &Origin, witness: &VerifierKey, body: &[u8]) {
        let size = std::str::from_utf8(body).ok().and_then(|text| text.trim_end().parse::<u64>().ok());
        let Some(own) = self.own.get_mut(origin) else { return };
        let head = own.size();
        let Some(submission) = own.round.witnesses.get_mut(witness) else { return };
        match size {
            Some(size) if size <= head && size != submission.size => {
                submission.size = size;
                submission.corrections += 1;
                // The first may follow from a restart, the second from a race. Who goes on says anything.
                if submission.corrections > CORRECTIONS {
                    return self.submission_failed(origin, witness);
                }
                submission.is_asked = false;
            }
            // Larger than our head: it shows the checkpoint under /witness, and that is asked for now.
            Some(size) if size > head => {
                self.submission_failed(origin, witness);
                if let Ok(peer) = Authority::of_key_name(witness.name()) {
                    let pending = Pending::WitnessLatest { origin: origin.clone(), peer: peer.clone() };
                    self.fetch(&peer, Route::Witness(crate::paths::origin_hash(origin)), pending);
                }
            }
            _ => self.submission_failed(origin, witness),
        }
    }

    fn submission_failed(&mut self, origin: &Origin, witness: &VerifierKey) {
        let failures = self
            .own
            .get(origin)
            .and_then(|own| own.round.witnesses.get(witness))
            .map_or(1, |s| s.failures + 1);
        let at = self.now + self.back_off(failures);
        if let Some(submission) =
            self.own.get_mut(origin).and_then(|own| own.round.witnesses.get_mut(witness))
        {
            (submission.is_asked, submission.failures, submission.not_before) = (false, failures, at);
        }
    }

    fn archive_round(&mut self, origin: &Origin) {
        let (now, limits) = (self.now, self.config.limits);
        let Some(own) = self.own.get_mut(origin) else { return };
        let round = &mut own.round;
        let Some(checkpoint) = round.checkpoint.clone() else { return };
        if round.is_storing
            || round.is_archived
            || own.lost.is_asked
            || round.lines.keys().all(|key| round.archived.contains(key))
            || checkpoint.checkpoint.size < own.kept.seen_size
        {
            return;
        }
        let is_quorum = own.policy.satisfied_by(|key| round.lines.contains_key(key));
        let wait = if is_quorum { limits.at_most_every } else { limits.hourly };
        let is_due = now >= round.written + wait || (is_quorum && round.written == 0);
        if !is_due {
            return;
        }
        let mut cosigned = checkpoint;
        // A file has fifteen at most: what is in none goes first.
        let (before, new): (Vec<_>, Vec<_>) =
            round.lines.iter().partition(|(key, _)| round.archived.contains(*key));
        let mut written = Vec::new();
        for (key, line) in new.into_iter().chain(before) {
            if cosigned.add_cosignature(line.clone()).is_err() {
                break;
            }
            written.push(key.clone());
        }
        round.is_storing = true;
        round.archived.extend(written);
        round.is_archived = own.policy.satisfied_by(|key| round.archived.contains(key));
        // A state that was restored may have forgotten the last ones, which are never written anew.
        let paths = vec![places::file(&places::own(origin), &LogFile::Seen(own.kept.seen))];
        let id = self.ask(Pending::SeenSlot { origin: origin.clone(), cosigned: Box::new(cosigned) });
        self.out.push(Output::Read { id, paths });
    }

    /// Writes the next `seen` file, or takes up the one that is there.
    pub(super) fn seen_slot_read(
        &mut self,
        origin: &Origin,
        cosigned: SignedCheckpoint,
        files: &[Option<Vec<u8>>],
    ) {
        let Some(own) = self.own.get(origin) else { return };
        let n = own.kept.seen;
        let there = files.first().and_then(Option::as_ref);
        let there = there.and_then(|bytes| on_disk(origin, own.kept.seen_size, bytes));
        let is_new = there.is_none();
        let checkpoint = there.unwrap_or(cosigned);
        let size = checkpoint.checkpoint.size;
        let path = places::file(&places::own(origin), &LogFile::Seen(n));
        let file = is_new.then(|| Write::File { path, bytes: checkpoint.to_bytes() });
        let writes = file.into_iter().chain([write_own_seen(origin, (n + 1, size))]).collect();
        let checkpoint = Box::new(checkpoint);
        let events = vec![Event::Seen { origin: origin.clone(), n, checkpoint, replaces: false }];
        self.store(writes, events, Pending::StoredOwnSeen { origin: origin.clone(), size, is_new });
    }

    pub(super) fn own_seen_stored(&mut self, origin: &Origin, size: u64, is_new: bool, done: bool) {
        let (now, wait) = (self.now, self.config.limits.at_most_every);
        let Some(own) = self.own.get_mut(origin) else { return };
        own.round.is_storing = false;
        own.lost.is_asked = false;
        if done {
            (own.kept.seen, own.kept.seen_size) = (own.kept.seen + 1, size);
        } else {
            own.lost.failed(None, now + wait);
        }
        if done && is_new {
            own.round.written = now;
            // Without quorum it keeps its patience.
            if own.round.is_archived {
                own.round.renew = now + wait;
            }
        } else {
            own.round.is_archived = false;
            own.round.archived.clear();
        }
        if done {
            self.heads_changed(&self.config.me.clone());
        }
    }
}
