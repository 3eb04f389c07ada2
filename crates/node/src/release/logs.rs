//! The life of an own log: opened with its audience's first record, moved to newer roots, closed, succeeded.
//!
//! It decides which log a record goes to and which `log.*` entries come before it. Other records are not its
//! subject.

use std::collections::BTreeMap;

use record::logstate::{LogOpen, Previous, log_close_header, log_open_header, log_root_header};
use record::root::Role;
use record::{Origin, Status, Time};
use tlog::hash::{Hash, sha256};

use super::{Entry, ReleaseError, blob_ref};
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

impl Node {
    /// Closes an own log; the audience's next record opens its successor.
    pub async fn close_log(&self, origin: &Origin) -> Result<Closed, ReleaseError> {
        let one_at_a_time = self.releasing.lock().await;
        let logs = own_log::list(&*self.cells).await?;
        let log = logs.iter().find(|log| log.origin == *origin && log.open && log.started);
        let log = log.ok_or_else(|| ReleaseError::Waits {
            origin: origin.clone(),
            why: "it is no open log of this node".into(),
        })?;
        let (closed, appended) = self.close_and_succeed(log.clone(), &logs).await?;
        drop(one_at_a_time);
        self.own_log_grew(log, &appended).await?;
        Ok(closed)
    }

    /// Appends `log.close` and remembers the successor. Called while releases are held up.
    async fn close_and_succeed(
        &self,
        mut log: OwnLog,
        logs: &[OwnLog],
    ) -> Result<(Closed, store::Appended), ReleaseError> {
        self.may_sign(&log.origin).await?;
        let now = clock::now();
        let next = self.next_origin(&log, logs)?;
        let header = log_close_header(&log.origin, &next, Self::new_id()?, now, Status::Actual);
        let entry = Entry { bytes: self.sign(&header)?.bytes, released: None };
        let appended = self.append(&log, &[entry]).await?;
        let head = &appended.checkpoint.checkpoint;
        let successor = log.successor(next.clone(), (head.size, head.root));
        log.open = false;
        own_log::save(&*self.cells, &log).await?;
        own_log::save(&*self.cells, &successor).await?;
        Ok((Closed { next }, appended))
    }

    /// Goes on in a new log from the head of one to which nothing may be appended any more: its key was
    /// revoked, or its entries are lost. The audience's next record opens the successor, which names the head.
    pub async fn succeed_log(&self, origin: &Origin) -> Result<Closed, ReleaseError> {
        let _one_at_a_time = self.releasing.lock().await;
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
        self.succeed(log, &logs).await
    }

    /// Called while releases are held up.
    async fn succeed(&self, log: &OwnLog, logs: &[OwnLog]) -> Result<Closed, ReleaseError> {
        let head = self.writer.head(&log.origin.to_string()).await?;
        let head = head.ok_or_else(|| ReleaseError::NoSuccessor {
            origin: log.origin.clone(),
            why: "it has no entry",
        })?;
        let next = self.next_origin(log, logs)?;
        let successor = log.successor(next.clone(), (head.checkpoint.size, head.checkpoint.root));
        // The successor first: of the two notes, the one that is lost in between is made again from it.
        own_log::save(&*self.cells, &successor).await?;
        own_log::save(&*self.cells, &OwnLog { open: false, ..log.clone() }).await?;
        Ok(Closed { next })
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

    /// The open log of an audience, or a new one that its first append will open.
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
            let (_, appended) = self.close_and_succeed(log.clone(), &logs).await?;
            self.own_log_grew(log, &appended).await?;
            let logs = own_log::list(&*self.cells).await?;
            if let Some(next) = logs.into_iter().find(|log| log.open && log.serves(audience)) {
                return Ok(next);
            }
        }
        let origin = own_log::new_origin(&self.config.authority, audience, year, &logs)?;
        self.may_open(&origin).await?;
        let policy = self.policy_text();
        let hash = sha256(policy.as_bytes());
        self.put_blob(hash, policy.into_bytes()).await?;
        let readers = match audience {
            Audience::Public => None,
            Audience::Readers(set) => Some(set.clone()),
        };
        let log = OwnLog {
            origin,
            readers,
            root: 0,
            policy: hash.to_hex(),
            open: true,
            started: false,
            previous: None,
        };
        own_log::save(&*self.cells, &log).await?;
        Ok(log)
    }

    /// `log.open` for a new log, `log.root` if there is a newer root than the log's.
    pub(super) async fn opening_entries(
        &self,
        log: &mut OwnLog,
        audience: &Audience,
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
            let policy = log.policy_hash().unwrap_or(tlog::hash::EMPTY_ROOT);
            let open = LogOpen {
                readers: audience.readers(),
                root: (newest, root_text),
                policy,
                previous: previous_of(log),
            };
            let mut header = log_open_header(&log.origin, &open, id, now, status);
            let size = self.files.size(&store::layout::blob(&policy)).await?.unwrap_or(0);
            header.blobs.push(blob_ref("text/plain", size, policy));
            header
        };
        if public {
            let hash = self.put_blob_of(&root_bytes).await?;
            if !log.started {
                header.blobs.push(blob_ref("text/plain", root_bytes.len() as u64, hash));
            }
        }
        let record = self.sign(&header)?;
        log.root = newest;
        log.started = true;
        Ok(vec![Entry { bytes: record.bytes, released: None }])
    }

    /// The witness policy of new logs: any one of the confirmed peers' witness keys; none without peers.
    fn policy_text(&self) -> String {
        let mut witnesses: BTreeMap<String, String> = BTreeMap::new();
        for known in self.confirmed_peers() {
            for listed in known.chain.latest().keys.iter().filter(|k| k.role == Role::Witness) {
                witnesses.insert(format!("w{}", witnesses.len() + 1), listed.vkey.to_string());
            }
        }
        if witnesses.is_empty() {
            return "quorum none\n".to_owned();
        }
        let lines: Vec<String> =
            witnesses.iter().map(|(name, vkey)| format!("witness {name} {vkey}\n")).collect();
        let lines = lines.concat();
        let names = witnesses.keys().cloned().collect::<Vec<_>>().join(" ");
        format!("{lines}group others any {names}\nquorum others\n")
    }
}

fn previous_of(log: &OwnLog) -> Option<Previous> {
    let (origin, size, root) = log.previous.clone()?;
    Some(Previous { origin, size, root: Hash::from_base64(&root).ok()? })
}
