//! What follows from new entries: the index takes them, the engine and waiting peers are told.

use record::{LogState, Origin, Record};
use store::{LogReader, Swap};
use tlog::checkpoint::SignedCheckpoint;

use crate::alarm::{self, Alarm};
use crate::clock;
use crate::index::{Batch, Finding, IndexError, LogFacts, Source};
use crate::node::{Node, OpenError};
use crate::own_log;

/// Entries judged and indexed at once when the index catches up.
const CATCH_UP: u64 = 4096;
/// The space of first-seen times in `state`: key `<origin> <size>`, value seconds since 1970.
const HERE: &str = "here";

/// The cell that says when entries of a log up to `size` were verified here, seconds since 1970.
pub(crate) fn here_cell(origin: &Origin, size: u64, time: i64) -> Swap {
    Swap::new(HERE, &format!("{origin} {size:020}"), None, Some(time.to_string().into_bytes()))
}

impl Node {
    /// Remembers that entries up to `size` were verified here now.
    pub async fn note_here(&self, origin: &Origin, size: u64) -> Result<(), crate::saved::SavedError> {
        self.cells.swap_all(&[here_cell(origin, size, clock::seconds())]).await?;
        Ok(())
    }

    /// When this node first verified entry `index` of a log, seconds since 1970.
    pub async fn here(&self, origin: &str, index: u64) -> Result<Option<i64>, store::CellsError> {
        let prefix = format!("{origin} ");
        let after = format!("{prefix}{index:020}");
        let found = self.cells.scan(HERE, &prefix, Some(&after), 1).await?;
        Ok(found.first().and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok()))
    }

    /// Brings what `state` says of every own log to what its entries say.
    pub async fn own_logs_follow(&self) -> Result<(), OpenError> {
        for (origin, _) in self.own_heads().await? {
            self.own_log_follows(&origin).await?;
        }
        Ok(())
    }

    /// The same for one: a crash between an append and the note of it, or a log that was fetched back.
    pub async fn own_log_follows(&self, origin: &Origin) -> Result<(), OpenError> {
        let Some(head) = self.writer.head(&origin.to_string()).await? else { return Ok(()) };
        let state = self.index.state(origin).await?;
        let Some(state) = state.filter(|state| state.size() == head.checkpoint.size) else { return Ok(()) };
        let noted = self.own_logs().await?;
        for log in own_log::noted_by(&noted, &state, &head.checkpoint) {
            own_log::save(&*self.cells, &log).await?;
        }
        Ok(())
    }

    /// Brings the index up to every log that is on this disk.
    pub async fn catch_up_index(&self) -> Result<(), OpenError> {
        for (origin, head) in self.own_heads().await? {
            if self.permits.is_damaged(&origin) {
                continue;
            }
            let reader = self.own_reader(&origin).await?;
            self.index_from(&origin, Source::Own, &reader, head.checkpoint.size, Some(&head)).await?;
        }
        let followed = self.engine().followed();
        for log in followed {
            let reader = self.mirror_reader(&log.origin, log.size);
            self.index_from(&log.origin, Source::Mirror, &reader, log.size, log.checkpoint.as_ref()).await?;
        }
        self.blob_arrived(None).await?;
        Ok(())
    }

    /// Judges and indexes what the index does not have of a log of `size` entries.
    pub(crate) async fn index_from(
        &self,
        origin: &Origin,
        source: Source,
        reader: &LogReader,
        size: u64,
        checkpoint: Option<&SignedCheckpoint>,
    ) -> Result<(), IndexError> {
        if self.index.size_of(&origin.to_string()).await? >= size {
            return Ok(());
        }
        let Some(chain) = self.chain_of(&origin.authority) else { return Ok(()) };
        let damaged = |index| IndexError::Damaged { origin: origin.to_string(), index };
        let mut state = self.index.state(origin).await?.unwrap_or_else(|| LogState::new(origin.clone()));
        while state.size() < size {
            let first = state.size();
            let end = size.min(first + CATCH_UP);
            let entries = reader.read_entries(first..end).await.map_err(|_| damaged(first))?;
            let entries: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
            let judged = state
                .take_many(first, &entries, &chain)
                .map_err(|needs| IndexError::NoRoot { origin: origin.to_string(), version: needs.n })?;
            let here = self.here(&origin.to_string(), first).await.ok().flatten();
            let log = LogFacts::of(&state);
            self.index_batch(&Batch { origin, source, judged: &judged, log: &log, checkpoint, here }).await?;
        }
        Ok(())
    }

    /// Gives judged entries to the index, and its findings to the operator.
    pub async fn index_batch(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let findings = self.index.apply(batch, self).await?;
        self.report(findings).await;
        Ok(())
    }

    /// A blob arrived (or, with `None`, perhaps several): records that waited for it are replayed.
    pub async fn blob_arrived(&self, hash: Option<&tlog::hash::Hash>) -> Result<(), IndexError> {
        let findings = self.index.blob_arrived(hash, self).await?;
        self.report(findings).await;
        Ok(())
    }

    /// The record at a place of a log, own or copied; `None` if it is not valid.
    pub async fn record_at(&self, origin: &str, index: u64) -> Result<Option<Record>, IndexError> {
        let damaged = || IndexError::Damaged { origin: origin.to_owned(), index };
        let bytes = self.entry_at(origin, index).await.map_err(|_| damaged())?;
        Ok(Record::parse(&bytes).ok())
    }

    /// The entry at a place of a log, own or copied.
    pub async fn entry_at(&self, origin: &str, index: u64) -> Result<bytes::Bytes, store::LogError> {
        let parsed: Origin =
            origin.parse().map_err(|_| store::LogError::Outside { start: index, end: index, size: 0 })?;
        if parsed.authority == self.config.authority {
            return self.own_reader(&parsed).await?.read_entry(index).await;
        }
        self.mirror_reader(&parsed, index + 1).read_entry(index).await
    }

    async fn report(&self, findings: Vec<Finding>) {
        self.tell_engine_of_quotes(&findings);
        for finding in findings {
            let alarm = match finding {
                Finding::Quotes { .. } => continue,
                Finding::Invalid { origin, index, why } => Alarm::new("invalid-entry")
                    .with("origin", &origin)
                    .with("index", &index.to_string())
                    .because(&why),
                Finding::SealRefused { name, why } => {
                    Alarm::new("seal-refused").with("name", &name).because(&why)
                }
                Finding::Conflict { author, id, edition } => Alarm::new("conflicting-edition")
                    .with("author", &author)
                    .with("id", &id)
                    .with("edition", &edition.to_string()),
            };
            alarm::raise(&*self.cells, alarm).await;
        }
    }

    /// Writes the known authorities into the index.
    pub async fn index_authorities(&self) -> Result<(), OpenError> {
        use store::{Conflict, Value};
        let own = self.own_chain();
        let root = own.latest();
        let row = |authority: &str,
                   fingerprint: String,
                   code: Option<String>,
                   name: &str,
                   role: &str,
                   standing: &str,
                   root: &record::TrustRoot| {
            vec![
                authority.into(),
                fingerprint.into(),
                code.into(),
                name.into(),
                role.into(),
                standing.into(),
                root.endpoint.clone().unwrap_or_default().into(),
                Value::Int(i64::try_from(root.version).unwrap_or(i64::MAX)),
                root.until.posix().into(),
            ]
        };
        let mut rows = vec![row(
            self.config.authority.as_str(),
            own.fingerprint().to_string(),
            Some(self.config.code.clone()),
            self.config.name("en"),
            "self",
            "self",
            root,
        )];
        for known in self.peers().values() {
            let standing = match known.peer.standing {
                crate::peers::Standing::Proposed => "proposed",
                crate::peers::Standing::Confirmed => "confirmed",
            };
            rows.push(row(
                known.peer.authority.as_str(),
                known.peer.fingerprint.to_string(),
                known.peer.code.clone(),
                known.shown_name(),
                &known.peer.role,
                standing,
                known.chain.latest(),
            ));
        }
        let mut names = Vec::new();
        let mut named = |authority: &str, by_language: &std::collections::BTreeMap<String, String>| {
            names.extend(
                by_language
                    .iter()
                    .map(|(lang, name)| vec![authority.into(), lang.as_str().into(), name.as_str().into()]),
            );
        };
        named(self.config.authority.as_str(), &self.config.names);
        for known in self.peers().values() {
            named(known.peer.authority.as_str(), &known.peer.names);
        }
        let mut tx = self.index.db().begin().await?;
        tx.run("delete from authority", &[]).await?;
        tx.run("delete from authority_name", &[]).await?;
        let columns = [
            "authority",
            "fingerprint",
            "code",
            "shown_name",
            "role",
            "standing",
            "endpoint",
            "root_version",
            "root_until",
        ];
        tx.insert_many("authority", &columns, &rows, Conflict::Fail).await?;
        tx.insert_many("authority_name", &["authority", "lang", "name"], &names, Conflict::Fail).await?;
        tx.commit().await?;
        Ok(())
    }
}
