//! What the index is replayed from: this node's logs, blobs, witness files, pins and keys.
//!
//! Plaintexts are not its subject: it hands out sealed files and the keys that are here, and writes nothing but alarms.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use record::{Authority, Origin, Record, RootChain, Time};
use store::Swap;
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::{Hash, sha256};

use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::alarm::{self, Alarm, Fact};
use crate::clock;
use crate::index::{Finding, IndexError, KnownAuthority, LogHead, Receipt, Source};
use crate::node::Node;
use crate::saved;

/// The space of first-seen times in `state`: key `<origin> <size>`, value seconds since 1970.
pub const HERE: &str = "here";
/// Cells read at once.
const PAGE: usize = 256;
/// Receipts of each reader that are read again at a start.
const LAST_RECEIPTS: usize = 16;

/// The name of the cell that says when entries up to a size were verified here.
pub fn here_key(origin: &Origin, size: u64) -> String {
    format!("{origin} {size:020}")
}

/// That cell, for entries that are verified at a time, seconds since 1970.
pub(crate) fn here_cell(origin: &Origin, size: u64, time: i64) -> Swap {
    Swap::new(HERE, &here_key(origin, size), None, Some(time.to_string().into_bytes()))
}

impl Node {
    /// The age identities whose keys were not destroyed: those for personal data, or the lasting ones.
    async fn age_identities(&self, expiring: bool) -> Result<Vec<record::seal::Identity>, saved::SavedError> {
        let secrets = saved::readable::<AgeSecret>(&*self.cells, AGE_SPACE).await?.0;
        let wanted = secrets.iter().filter(|(_, secret)| secret.expiring == expiring);
        Ok(wanted.filter_map(|(_, secret)| secret.identity.parse().ok()).collect())
    }

    /// Are the private keys here to which this record should have been sealed? Of a lasting record those of all
    /// lasting recipients that our newest root lists; of personal data those of the recipients that were in
    /// force when it was released, of which some may be destroyed, or be lost with a machine.
    fn has_listed_keys(&self, record: &Record, identities: &[record::seal::Identity]) -> bool {
        let is_here = |recipient: &str| identities.iter().any(|identity| identity.recipient() == recipient);
        let at = record.header.released;
        if record.header.expires.is_none() {
            return self
                .own_root()
                .age
                .iter()
                .filter(|listed| !listed.expiring)
                .all(|l| is_here(&l.recipient));
        }
        let chain = self.own_chain();
        let mut in_force = chain
            .roots()
            .flat_map(|root| &root.root.age)
            .filter(|listed| listed.expiring && listed.from <= at && at < listed.until)
            .peekable();
        in_force.peek().is_some() && in_force.all(|listed| is_here(&listed.recipient))
    }
}

impl Node {
    /// An own log, as far as it is published: its head moves before its tiles are at their places.
    async fn own_published(&self, origin: &Origin) -> Result<Option<LogHead>, IndexError> {
        if self.permits.is_damaged(origin) {
            return Ok(None);
        }
        let path = format!("{}{}", self.prefix_of(origin), store::layout::CHECKPOINT);
        let published = self.files.get(&path).await?.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
        let published = published.filter(|published| published.checkpoint.origin == origin.to_string());
        Ok(published.map(|published| LogHead {
            origin: origin.clone(),
            size: published.checkpoint.size,
            checkpoint: Some(published),
        }))
    }

    /// What a reader says in an archived receipt, as far as its keys signed it.
    async fn receipts_in(
        &self,
        origin: &Origin,
        reader: &str,
        path: &str,
    ) -> Result<Vec<(Origin, Receipt)>, IndexError> {
        let chain = reader.parse().ok().and_then(|reader| self.chain_of(&reader));
        let (Some(chain), Some(bytes)) = (chain, self.files.get(path).await?) else { return Ok(Vec::new()) };
        let Ok(receipt) = SignedCheckpoint::parse(&bytes) else { return Ok(Vec::new()) };
        let listed = chain.roots().flat_map(|root| root.root.keys_of(record::root::Role::Holds));
        let keys: Vec<tlog::VerifierKey> = listed.map(|listed| listed.vkey.clone()).collect();
        let Ok(lines) = receipt.cosignatures(keys.iter()) else { return Ok(Vec::new()) };
        let size = receipt.checkpoint.size;
        let one = |(_, time)| (origin.clone(), Receipt { authority: reader.to_owned(), size, time });
        Ok(lines.into_iter().map(one).collect())
    }
}

#[async_trait]
impl Source for Node {
    async fn logs(&self) -> Result<Vec<LogHead>, IndexError> {
        let mut logs = Vec::new();
        let own = self.own_heads().await.map_err(|error| IndexError::Source(error.into()))?;
        for (origin, _) in own {
            logs.extend(self.own_published(&origin).await?);
        }
        let followed = self.engine().followed();
        let followed = followed.into_iter().filter(|log| !self.damaged.is_set_aside(&log.origin));
        logs.extend(followed.map(|log| LogHead {
            origin: log.origin,
            size: log.size,
            checkpoint: log.checkpoint,
        }));
        Ok(logs)
    }

    async fn log(&self, origin: &Origin) -> Result<Option<LogHead>, IndexError> {
        if origin.authority == self.config.authority {
            return self.own_published(origin).await;
        }
        if self.damaged.is_set_aside(origin) {
            return Ok(None);
        }
        let followed = self.engine().followed().into_iter().find(|log| log.origin == *origin);
        Ok(followed.map(|log| LogHead { origin: log.origin, size: log.size, checkpoint: log.checkpoint }))
    }

    async fn entries(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<Bytes>, IndexError> {
        self.vouched_entries(origin, range).await
    }

    async fn first_seen(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<(u64, i64)>, IndexError> {
        let prefix = format!("{origin} ");
        let mut after = here_key(origin, range.start);
        let mut seen = Vec::new();
        loop {
            let page = self.cells.scan(HERE, &prefix, Some(&after), PAGE).await?;
            for (key, value) in &page {
                let size = key.strip_prefix(&prefix).and_then(|size| size.parse::<u64>().ok());
                let time = std::str::from_utf8(value).ok().and_then(|time| time.parse().ok());
                seen.extend(size.zip(time));
                if size.is_some_and(|size| size >= range.end) {
                    return Ok(seen);
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after.clone_from(key),
                _ => return Ok(seen),
            }
        }
    }

    async fn blob(&self, hash: &Hash) -> Result<Option<Bytes>, IndexError> {
        let bytes = self.files.get(&store::layout::blob(hash)).await?;
        // What changed on our own disk is not what was signed: as good as missing.
        Ok(bytes.filter(|bytes| sha256(bytes) == *hash))
    }

    async fn has_blob(&self, hash: &Hash) -> Result<bool, IndexError> {
        Ok(self.files.size(&store::layout::blob(hash)).await?.is_some())
    }

    async fn seen(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, IndexError> {
        let seen = self.seen_file(origin, n).await?;
        if seen.is_none() && n < self.seen_count(origin) {
            self.archived_damaged(origin, federate::LogFile::Seen(n)).await;
        }
        Ok(seen)
    }

    fn seen_count(&self, origin: &Origin) -> u64 {
        self.engine().archived(origin).seen
    }

    async fn receipts(&self, all: bool) -> Result<Vec<(Origin, Receipt)>, IndexError> {
        let mut receipts = Vec::new();
        let own = self.own_logs().await.map_err(|error| IndexError::Source(error.into()))?;
        for log in own {
            let held = format!("{}held/", self.prefix_of(&log.origin));
            let mut by_reader: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for path in self.files.list(&held).await? {
                let reader = path.strip_prefix(&held).and_then(|path| path.split('/').next());
                if let Some(reader) = reader.map(str::to_owned) {
                    by_reader.entry(reader).or_default().push(path);
                }
            }
            for (reader, mut paths) in by_reader {
                paths.sort_unstable();
                let few = if all { 0 } else { paths.len().saturating_sub(LAST_RECEIPTS) };
                for path in paths.split_off(few) {
                    receipts.extend(self.receipts_in(&log.origin, &reader, &path).await?);
                }
            }
        }
        Ok(receipts)
    }

    fn chain(&self, authority: &Authority) -> Option<Arc<RootChain>> {
        self.chain_of(authority)
    }

    fn chains(&self) -> Vec<Arc<RootChain>> {
        let peers = self.peers();
        let of_peers = peers.values().map(|known| Arc::new(known.chain.clone()));
        of_peers.chain([self.own_chain()]).collect()
    }

    fn authorities(&self) -> Vec<KnownAuthority> {
        let own = self.own_chain();
        let us = KnownAuthority {
            authority: self.config.authority.to_string(),
            fingerprint: own.fingerprint().to_string(),
            code: Some(self.config.code.clone()),
            shown_name: self.config.name("en").to_owned(),
            names: self.config.names.clone(),
            role: "self".to_owned(),
            standing: "self",
            left_out: false,
            endpoint: own.latest().endpoint.clone().unwrap_or_default(),
            root_version: own.latest().version,
            root_until: own.latest().until.posix(),
        };
        let peers = self.peers();
        let others = peers.values().map(|known| {
            let root = known.chain.latest();
            KnownAuthority {
                authority: known.peer.authority.to_string(),
                fingerprint: known.peer.fingerprint.to_string(),
                code: known.peer.code.clone(),
                shown_name: known.shown_name().to_owned(),
                names: known.peer.names.clone(),
                role: known.peer.role.clone(),
                standing: known.peer.standing.word(),
                left_out: known.peer.left_out,
                endpoint: root.endpoint.clone().unwrap_or_default(),
                root_version: root.version,
                root_until: root.until.posix(),
            }
        });
        [us].into_iter().chain(others).collect()
    }

    async fn identities(&self, expiring: bool) -> Result<Vec<record::seal::Identity>, IndexError> {
        self.age_identities(expiring).await.map_err(|error| IndexError::Source(error.into()))
    }

    fn holds_listed_keys(&self, record: &Record, identities: &[record::seal::Identity]) -> bool {
        self.has_listed_keys(record, identities)
    }

    fn now(&self) -> Time {
        clock::now()
    }

    async fn report(&self, findings: Vec<Finding>) {
        self.tell_engine_of_quotes(&findings);
        for (origin, index, name) in self.not_waited_for(&findings) {
            self.look_for_lost(origin, index, name).await;
        }
        for finding in &findings {
            match finding {
                Finding::Erases { by, status, names } => {
                    let (by, names) = (by.clone(), names.clone());
                    self.tell(federate::Input::Erased { by, status: *status, names });
                }
                Finding::Awaits { origin, name } => {
                    self.tell(federate::Input::WantBlobs { origin: origin.clone(), name: *name });
                }
                _ => {}
            }
        }
        alarm::raise_all(&*self.cells, findings.iter().filter_map(alarm_of).collect()).await;
    }
}

/// An alarm about something in a log: there is one for all logs of its author.
fn of_log(code: &str, origin: &str) -> Alarm {
    let author = origin.split('/').next().unwrap_or(origin);
    Alarm::new(code).with("author", author).with("origin", origin)
}

fn alarm_of(finding: &Finding) -> Option<Alarm> {
    Some(match finding {
        Finding::Quotes { .. } | Finding::Erases { .. } | Finding::Awaits { .. } | Finding::Lacks { .. } => {
            return None;
        }
        Finding::Invalid { origin, index, why } => {
            let alarm = of_log("invalid-entry", origin).with("index", &index.to_string());
            alarm.because(why).of_facts(vec![Fact::entry(origin, *index)])
        }
        Finding::SealRefused { origin, index, name, why } => {
            let alarm = of_log("seal-refused", origin).with("name", name);
            alarm.because(why).of_facts(vec![Fact::entry(origin, *index)])
        }
        Finding::Conflict { author, id, edition, places } => Alarm::new("conflicting-edition")
            .with("author", author)
            .with("id", id)
            .with("edition", &edition.to_string())
            .of_facts(places.iter().map(|(origin, index)| Fact::entry(origin, *index)).collect()),
        Finding::Crowded { author, id } => {
            let alarm = Alarm::new("thing-crowded").with("author", author).with("id", id);
            alarm.of_facts(vec![Fact::thing(author, id)])
        }
    })
}
