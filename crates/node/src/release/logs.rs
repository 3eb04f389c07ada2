//! The life of an own log: opened with its audience's first record, moved to newer roots, closed, succeeded.
//!
//! It decides which log a record goes to and which `log.*` entries come before it. Other records are not its
//! subject.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use record::logstate::{LogOpen, Previous, log_close_header, log_open_header, log_root_header};
use record::root::Role;
use record::{Authority, BlobRef, Origin, Status, Time};
use store::{Appended, Swap};
use tlog::hash::Hash;
use tlog::{Policy, VerifierKey};

use super::ReleaseError;
use super::kept::{self, ActKey};
use super::prepare::{Blobs, Entry};
use crate::clock;
use crate::node::Node;
use crate::own_log::{self, Audience, OwnLog};
use crate::signing::Permit;

/// A log that was closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Its successor.
    pub next: Origin,
}

/// What became of the logs that go on from those whose keys are revoked.
#[derive(Debug, Default)]
pub struct Successors {
    /// Opened now.
    pub opened: Vec<Origin>,
    /// Not opened yet, and why; the next call, or their audience's next record, opens them.
    pub waiting: Vec<(Origin, ReleaseError)>,
}

impl Node {
    /// Closes an own log; the audience's next record opens its successor. What it began it finishes, whether or
    /// not its caller waits for it.
    ///
    /// # Errors
    /// It is not closed, and why.
    pub async fn close_log(
        self: &Arc<Self>,
        origin: &Origin,
        key: Option<ActKey>,
        answer: impl FnOnce(&Origin) -> Vec<u8> + Send + 'static,
    ) -> Result<Closed, ReleaseError> {
        let (node, origin, under_way) = (Arc::clone(self), origin.clone(), self.releasing.begin());
        let kept = move |next: &Origin| {
            let now = clock::now();
            key.map_or_else(Vec::new, |key| kept::swaps(&key, None, &[], Some(&answer(next)), now))
        };
        let closing = tokio::spawn(async move {
            let _under_way = under_way;
            node.close_here(&origin, kept).await
        });
        closing.await.unwrap_or(Err(ReleaseError::BrokenOff))
    }

    async fn close_here(
        &self,
        origin: &Origin,
        kept: impl FnOnce(&Origin) -> Vec<Swap> + Send,
    ) -> Result<Closed, ReleaseError> {
        let one_at_a_time = self.releasing.lock().await;
        let logs = own_log::list(&*self.cells).await?;
        let log = logs.iter().find(|log| log.origin == *origin && log.open && log.started);
        let log = log.ok_or_else(|| ReleaseError::Waits {
            origin: origin.clone(),
            why: "it is no open log of this node".into(),
        })?;
        let closed = self.close_and_succeed(log.clone(), &logs, kept).await?;
        drop(one_at_a_time);
        self.index_follows(Some(origin)).await;
        Ok(closed)
    }

    /// Appends `log.close`, after `log.root` if there is a newer root, and in the same commit notes that it is closed and
    /// what goes on from it. Called while releases are held up.
    async fn close_and_succeed(
        &self,
        mut log: OwnLog,
        logs: &[OwnLog],
        also: impl FnOnce(&Origin) -> Vec<Swap> + Send,
    ) -> Result<Closed, ReleaseError> {
        if self.is_key_revoked(&log) {
            return Err(ReleaseError::NotClosed { origin: log.origin });
        }
        self.may_sign(&log.origin).await?;
        let now = clock::now();
        let next = self.next_origin(&log, logs)?;
        let mut blobs = Blobs::default();
        // The keys that sign `log.close` may be of a root that the log does not know yet.
        let audience = log.audience();
        let opening = self.opening_entries(&mut log, &audience, &mut blobs)?;
        let header = log_close_header(&log.origin, &next, Self::new_id()?, now, Status::Actual);
        let closing = self.sign(&header)?.bytes;
        let entries = opening.into_iter().map(|entry| entry.bytes).chain([closing]).collect();
        self.put_blobs(blobs).await?;
        log.open = false;
        let note = own_log::note(&*self.cells, &log).await?;
        let successor = |appended: &Appended| {
            let head = &appended.checkpoint.checkpoint;
            let successor = own_log::first_note(&log.successor(next.clone(), (head.size, head.root)));
            note.into_iter().chain([successor]).chain(also(&next)).collect::<Vec<Swap>>()
        };
        self.append_to(&log, entries, successor).await?;
        Ok(Closed { next: next.clone() })
    }

    /// Goes on in a new log from the head of one to which nothing may be appended any more: its key was
    /// revoked, or its entries are lost. The successor is opened at once, and names the head.
    ///
    /// # Errors
    /// It can go on, there is nothing to go on from, or the successor may not be opened yet.
    pub async fn succeed_log(self: &Arc<Self>, origin: &Origin) -> Result<Closed, ReleaseError> {
        let (node, origin, under_way) = (Arc::clone(self), origin.clone(), self.releasing.begin());
        let ending = tokio::spawn(async move {
            let _under_way = under_way;
            node.succeed_here(&origin).await
        });
        ending.await.unwrap_or(Err(ReleaseError::BrokenOff))
    }

    async fn succeed_here(&self, origin: &Origin) -> Result<Closed, ReleaseError> {
        let one_at_a_time = self.releasing.lock().await;
        let logs = own_log::list(&*self.cells).await?;
        let log = logs.iter().find(|log| log.origin == *origin && log.open && log.started);
        let log = log.ok_or_else(|| ReleaseError::NoSuccessor {
            origin: origin.clone(),
            why: "it is no open log of this node",
        })?;
        let may_go_on = self.permits.of(origin) == Permit::Granted && !self.is_key_revoked(log);
        if may_go_on {
            return Err(ReleaseError::NoSuccessor {
                origin: origin.clone(),
                why: "it can go on; `concord log close` closes it",
            });
        }
        let successor = self.succeed(log, &logs).await?;
        let next = successor.origin.clone();
        self.open_now(successor).await?;
        drop(one_at_a_time);
        self.index_follows(Some(&next)).await;
        Ok(Closed { next })
    }

    /// Ends every log whose key a root revokes, and opens what goes on from it, without waiting for a record: who had
    /// not fetched the end of such a log takes it only from a successor that names it. What was broken off is done
    /// by the next call.
    ///
    /// # Errors
    /// `state` cannot be read or changed.
    pub async fn succeed_revoked(self: &Arc<Self>) -> Result<Successors, ReleaseError> {
        let (node, under_way) = (Arc::clone(self), self.releasing.begin());
        let ending = tokio::spawn(async move {
            let _under_way = under_way;
            node.succeed_revoked_here().await
        });
        ending.await.unwrap_or(Err(ReleaseError::BrokenOff))
    }

    async fn succeed_revoked_here(&self) -> Result<Successors, ReleaseError> {
        let one_at_a_time = self.releasing.lock().await;
        let logs = own_log::list(&*self.cells).await?;
        for log in logs.iter().filter(|log| log.open && self.is_key_revoked(log)) {
            self.succeed(log, &logs).await?;
        }
        let logs = own_log::list(&*self.cells).await?;
        let revoked: Vec<&Origin> =
            logs.iter().filter(|log| self.is_key_revoked(log)).map(|log| &log.origin).collect();
        let goes_on_from_one = |log: &&OwnLog| {
            let before = log.previous.as_ref().map(|(origin, _, _)| origin);
            log.open && !log.started && before.is_some_and(|before| revoked.contains(&before))
        };
        let mut successors = Successors::default();
        // One that must wait holds up no other.
        for log in logs.iter().filter(goes_on_from_one) {
            match self.open_now(log.clone()).await {
                Ok(()) => successors.opened.push(log.origin.clone()),
                Err(why) => successors.waiting.push((log.origin.clone(), why)),
            }
        }
        drop(one_at_a_time);
        for origin in &successors.opened {
            self.index_follows(Some(origin)).await;
        }
        Ok(successors)
    }

    /// Appends the first entry of a log that nothing is said in yet. Called while releases are held up.
    async fn open_now(&self, mut log: OwnLog) -> Result<(), ReleaseError> {
        self.may_append(&log).await?;
        let (audience, mut blobs) = (log.audience(), Blobs::default());
        let opening = self.opening_entries(&mut log, &audience, &mut blobs)?;
        self.put_blobs(blobs).await?;
        let note = own_log::note(&*self.cells, &log).await?;
        let entries = opening.into_iter().map(|entry| entry.bytes).collect();
        self.append_to(&log, entries, |_| note.into_iter().collect()).await?;
        Ok(())
    }

    /// Waits until a log may be appended to; if it has no entry yet, until nobody can hold another one of its name.
    pub(super) async fn may_append(&self, log: &OwnLog) -> Result<(), ReleaseError> {
        if !log.started {
            self.may_open(&log.origin).await?;
        }
        self.may_sign(&log.origin).await
    }

    /// Notes that a log ended at its head, and what goes on from it. Called while releases are held up.
    async fn succeed(&self, log: &OwnLog, logs: &[OwnLog]) -> Result<OwnLog, ReleaseError> {
        let head = self.writer.head(&log.origin.to_string()).await?;
        let head = head.ok_or_else(|| ReleaseError::NoSuccessor {
            origin: log.origin.clone(),
            why: "it has no entry",
        })?;
        let next = self.next_origin(log, logs)?;
        let successor = log.successor(next, (head.checkpoint.size, head.checkpoint.root));
        let ended = OwnLog { open: false, ..log.clone() };
        let noted = own_log::note(&*self.cells, &ended).await?;
        let swaps: Vec<Swap> = noted.into_iter().chain([own_log::first_note(&successor)]).collect();
        if !self.cells.swap_all(&swaps).await? {
            return Err(ReleaseError::Changed);
        }
        self.tell_engine_of_own_log(&ended, Some(head)).await;
        Ok(successor)
    }

    fn next_origin(&self, log: &OwnLog, logs: &[OwnLog]) -> Result<Origin, ReleaseError> {
        let (year, _, _) = clock::now().date().civil();
        Ok(own_log::new_origin(&self.config.authority, &log.audience(), year, logs)?)
    }

    /// Was the key revoked that signed the log's head? Then nothing is appended to it.
    fn is_key_revoked(&self, log: &OwnLog) -> bool {
        let chain = self.own_chain();
        let keys = chain.log_keys(log.root, &log.origin);
        log.started && keys.iter().all(|key| chain.revocation(key).is_some())
    }

    /// Has a witness said, within a day, that this is the year? Only then is a new year's log opened.
    async fn year_is_witnessed(&self, year: u16) -> Result<bool, ReleaseError> {
        const DAY: i64 = 86_400;
        let sql = "select max(c.time) from cosignature c join log l on l.origin = c.origin where l.own = 1";
        let rows = self.index.db().rows(sql, &[]).await.map_err(crate::index::IndexError::from)?;
        let newest =
            rows.first().map(|row| row.opt_int(0)).transpose().map_err(crate::index::IndexError::from)?;
        let Some(time) = newest.flatten() else { return Ok(false) };
        let witnessed = Time::from_posix(time).map(|t| t.date().civil().0);
        Ok(witnessed == Some(year) && (clock::seconds() - time).abs() < DAY)
    }

    /// The open log of an audience, or a new one that its first append will open: it is noted with that.
    pub(super) async fn log_for(&self, audience: &Audience) -> Result<OwnLog, ReleaseError> {
        let mut logs = own_log::list(&*self.cells).await?;
        let (year, _, _) = clock::now().date().civil();
        let open = |logs: &[OwnLog]| logs.iter().find(|log| log.open && log.serves(audience)).cloned();
        if let Some(log) = open(&logs).filter(|log| self.is_key_revoked(log)) {
            self.succeed(&log, &logs).await?;
            logs = own_log::list(&*self.cells).await?;
        }
        if let Some(log) = &open(&logs) {
            if log.origin.year >= year || !log.started || !self.year_is_witnessed(year).await? {
                return Ok(log.clone());
            }
            self.close_and_succeed(log.clone(), &logs, |_| Vec::new()).await?;
            self.index_follows(Some(&log.origin)).await;
            let logs = own_log::list(&*self.cells).await?;
            if let Some(next) = logs.into_iter().find(|log| log.open && log.serves(audience)) {
                return Ok(next);
            }
        }
        let origin = own_log::new_origin(&self.config.authority, audience, year, &logs)?;
        let readers = match audience {
            Audience::Public => None,
            Audience::Readers(set) => Some(set.clone()),
        };
        let policy = String::new();
        Ok(OwnLog { origin, readers, root: 0, policy, open: true, started: false, previous: None })
    }

    /// `log.open` for a new log, `log.root` if there is a newer root than the log's.
    pub(super) fn opening_entries(
        &self,
        log: &mut OwnLog,
        audience: &Audience,
        blobs: &mut Blobs,
    ) -> Result<Vec<Entry>, ReleaseError> {
        let chain = self.own_chain();
        let newest = chain.latest().version;
        if log.started && log.root == newest {
            return Ok(Vec::new());
        }
        let root_bytes = chain.bytes(newest).unwrap_or_default().to_vec();
        let root_text = chain.text_hash(newest).unwrap_or(tlog::hash::EMPTY_ROOT);
        let now = clock::now();
        let (id, status) = (Self::new_id()?, Status::Actual);
        let public = *audience == Audience::Public;
        let note = public.then_some(root_bytes.as_slice());
        let mut header = if log.started {
            log_root_header(&log.origin, (newest, root_text), note, id, now, status)
        } else {
            // Of the witnesses that are known now, also where it goes on from another log.
            let policy = self.policy_text().into_bytes();
            let size = policy.len() as u64;
            let hash = blobs.add(policy)?;
            log.policy = hash.to_hex();
            let open = LogOpen {
                readers: audience.readers(),
                root: (newest, root_text),
                policy: hash,
                previous: previous_of(log),
            };
            let mut header = log_open_header(&log.origin, &open, id, now, status);
            header.blobs.push(blob_ref("text/plain", size, hash));
            header
        };
        if public {
            let size = root_bytes.len() as u64;
            let hash = blobs.add(root_bytes)?;
            if !log.started {
                header.blobs.push(blob_ref("text/plain", size, hash));
            }
        }
        let record = self.sign(&header)?;
        log.root = newest;
        log.started = true;
        Ok(vec![Entry { name: record.name(), id: header.id, kind: header.kind, bytes: record.bytes }])
    }

    /// The open own logs that can have no quorum with the peers that are confirmed, and could if this one were.
    ///
    /// # Errors
    /// `state` or the policies cannot be read.
    pub async fn logs_that_need(&self, removed: &Authority) -> Result<Vec<Origin>, ReleaseError> {
        let mut logs = Vec::new();
        for log in own_log::list(&*self.cells).await?.into_iter().filter(|log| log.open && log.started) {
            let Some(hash) = log.policy_hash() else { continue };
            let bytes = self.files.get(&store::layout::blob(&hash)).await?;
            let Some(policy) = bytes.and_then(|bytes| Policy::parse(&bytes).ok()) else { continue };
            let reached = |with: Option<&Authority>| {
                policy.satisfied_by(|key| {
                    let Ok(witness) = Authority::of_key_name(key.name()) else { return false };
                    with == Some(&witness) || self.confirmed_peer(&witness).is_some()
                })
            };
            if !reached(None) && reached(Some(removed)) {
                logs.push(log.origin);
            }
        }
        Ok(logs)
    }

    /// The witness policy of new logs, from the confirmed peers' witness keys that count.
    fn policy_text(&self) -> String {
        let counted = self.witness_keys(&self.config.authority);
        let mut witnesses: BTreeMap<Authority, Vec<VerifierKey>> = BTreeMap::new();
        for known in self.confirmed_peers() {
            for listed in known.chain.latest().keys.iter().filter(|listed| listed.role == Role::Witness) {
                // A key that two authorities list counts for one of them.
                if counted.authority_of(&listed.vkey) == Some(&known.peer.authority) {
                    witnesses.entry(known.peer.authority.clone()).or_default().push(listed.vkey.clone());
                }
            }
        }
        witness_policy(witnesses.values().map(Vec::as_slice))
    }
}

/// A policy over authorities, each with its witness keys: two of them where two are known, so that one that lies
/// proves or disproves nothing alone; the one where one is known. Keys of one authority count once.
pub fn witness_policy<'k>(authorities: impl Iterator<Item = &'k [VerifierKey]>) -> String {
    let (mut text, mut members) = (String::new(), Vec::new());
    let mut next = 1;
    for keys in authorities {
        let mut names = Vec::new();
        for key in keys {
            let _ = writeln!(text, "witness w{next} {key}");
            names.push(format!("w{next}"));
            next += 1;
        }
        if let [one] = &names[..] {
            members.push(one.clone());
        } else {
            let group = format!("a{}", members.len() + 1);
            let _ = writeln!(text, "group {group} any {}", names.join(" "));
            members.push(group);
        }
    }
    match &members[..] {
        [] => text.push_str("quorum none\n"),
        [one] => {
            let _ = writeln!(text, "quorum {one}");
        }
        several => {
            let _ = writeln!(text, "group others 2 {}\nquorum others", several.join(" "));
        }
    }
    text
}

fn blob_ref(media_type: &str, size: u64, sha256: Hash) -> BlobRef {
    BlobRef { media_type: media_type.parse().expect("a media type of ours"), size, sha256, lang: None }
}

fn previous_of(log: &OwnLog) -> Option<Previous> {
    let (origin, size, root) = log.previous.clone()?;
    Some(Previous { origin, size, root: Hash::from_base64(&root).ok()? })
}
