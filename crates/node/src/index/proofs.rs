//! Proven times: the `seen` checkpoints of every log here, against its policy and the witnesses that count.
//!
//! What is taken is remembered only in memory, and what the index has of it in rows: both follow from files.

use std::collections::BTreeSet;

use record::provenance::{ProvenTimes, WitnessKeys};
use record::{Origin, Time};
use store::db::{Conflict, Value};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::policy::Policy;

use super::opening::working;
use super::rows::int;
use super::times::Seen;
use super::touched::{All, Touched};
use super::{Follower, IndexError, Source, Writer};
use crate::desks;

/// The proven times of one log, which know what of them the index has.
pub(super) struct Proofs {
    keys: WitnessKeys,
    times: ProvenTimes,
}

/// Entries from the first up to but not including the second index, and when they were proven, if they are.
pub(super) type Proven = (u64, u64, Option<i64>);

/// `seen` files that are taken in one turn.
const FILES: usize = 64;
/// Entries whose proven time is written in one turn.
const WRITTEN: u64 = 1_000;

/// The proven times of a log by its files, measured outside of the writer's turn, and what the files show.
pub(super) struct Measured {
    proofs: Proofs,
    shown: Vec<Seen>,
}

impl Follower<'_> {
    /// `seen` files of a log, or the policy that they are measured by, have arrived: the index learns what they
    /// prove. They are numbered without gaps: what this disk lost proves nothing until it is back.
    pub async fn seen(&self, origin: &Origin) -> Result<(), IndexError> {
        let is_known = self.writer().await.replayed.proofs.contains_key(origin);
        if !is_known {
            let Some(measured) = self.measure(origin).await? else { return Ok(()) };
            self.writer().await.measured(origin, measured, false).await?;
        }
        while self.writer().await.seen(origin).await? {}
        while self.writer().await.prove_some(origin).await? {}
        self.settled(&origin.authority).await
    }

    /// Measures a log by all its `seen` files, as if none had been taken before: one gave way to another, or other witnesses
    /// count.
    pub async fn measure_again(&self, origin: &Origin) -> Result<(), IndexError> {
        if let Some(measured) = self.measure(origin).await? {
            self.writer().await.measured(origin, measured, true).await?;
        } else {
            let mut writer = self.writer().await;
            writer.replayed.proofs.remove(origin);
            writer.unmeasure(origin).await?;
        }
        while self.writer().await.seen(origin).await? {}
        while self.writer().await.prove_some(origin).await? {}
        self.settled(&origin.authority).await
    }

    /// Measures every log again of which other witnesses count now than before.
    pub async fn witnesses_changed(&self) -> Result<(), IndexError> {
        let chains = self.source.chains();
        let changed = |(origin, proofs): (&Origin, &Proofs)| {
            let keys = WitnessKeys::new(&origin.authority, chains.iter().map(AsRef::as_ref));
            (keys != proofs.keys).then(|| origin.clone())
        };
        let changed: Vec<Origin> = self.writer().await.replayed.proofs.iter().filter_map(changed).collect();
        for origin in changed {
            self.measure_again(&origin).await?;
        }
        Ok(())
    }

    /// Reads the witness files of every log whose policy this blob is: several logs share one, and it came with any.
    pub async fn policy_came(&self, hash: &Hash) -> Result<(), IndexError> {
        let sql = "select origin from log where policy = $1 order by origin";
        for row in self.index.db().rows(sql, &[hash.to_hex().into()]).await? {
            let Ok(origin) = row.text(0)?.parse::<Origin>() else { continue };
            let is_known = self.writer().await.replayed.proofs.contains_key(&origin);
            if !is_known {
                self.seen(&origin).await?;
            }
        }
        Ok(())
    }

    async fn measure(&self, origin: &Origin) -> Result<Option<Measured>, IndexError> {
        let Some(mut proofs) = self.new_proofs(origin).await? else { return Ok(None) };
        let mut shown = Vec::new();
        loop {
            let mut files = Vec::new();
            while files.len() < FILES
                && let Some(file) =
                    seen_or_gap(self.source, origin, proofs.times.next() + files.len() as u64).await?
            {
                files.push(file);
            }
            let is_all = files.len() < FILES;
            let log = origin.clone();
            let (taken, found) = working(usize::MAX, move || {
                let found: Vec<Seen> =
                    files.iter().flat_map(|file| take(&mut proofs.times, &log, file.as_ref())).collect();
                (proofs, found)
            })
            .await;
            proofs = taken;
            shown.extend(found);
            if is_all {
                return Ok(Some(Measured { proofs, shown }));
            }
        }
    }

    async fn new_proofs(&self, origin: &Origin) -> Result<Option<Proofs>, IndexError> {
        let sql = "select policy from log where origin = $1";
        let rows = self.index.db().rows(sql, &[origin.to_string().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let Ok(hash) = Hash::from_hex(&row.text(0)?) else { return Ok(None) };
        let Some(bytes) = self.source.blob(&hash).await? else { return Ok(None) };
        let Ok(policy) = Policy::parse(&bytes) else { return Ok(None) };
        let pinned = self.source.chains();
        let keys = WitnessKeys::new(&origin.authority, pinned.iter().map(AsRef::as_ref));
        let times = ProvenTimes::new(&origin.to_string(), policy, &keys);
        Ok(Some(Proofs { keys, times }))
    }
}

impl Writer<'_> {
    /// Takes a log that was measured by all its files. It takes the place of what was known only if it is to.
    async fn measured(
        &mut self,
        origin: &Origin,
        measured: Measured,
        replaces: bool,
    ) -> Result<(), IndexError> {
        if !replaces && self.replayed.proofs.contains_key(origin) {
            return Ok(());
        }
        let Measured { proofs, shown } = measured;
        // A file may have given way to another one a moment before a crash.
        if replaces || self.has_more_than(origin, &shown).await? {
            self.unmeasure(origin).await?;
        }
        self.replayed.proofs.insert(origin.clone(), proofs);
        self.apply_proofs(origin, &shown).await
    }

    /// Takes the next few files of a log that was measured. Answers whether there may be more.
    async fn seen(&mut self, origin: &Origin) -> Result<bool, IndexError> {
        let mut fresh = Vec::new();
        let mut files = 0;
        while files < FILES
            && let Some(proofs) = self.replayed.proofs.get_mut(origin)
            && let Some(file) = seen_or_gap(self.source, origin, proofs.times.next()).await?
        {
            fresh.extend(take(&mut proofs.times, origin, file.as_ref()));
            files += 1;
        }
        self.apply_proofs(origin, &fresh).await?;
        Ok(files == FILES)
    }

    /// Whether the index has a cosignature of a log that is not among these.
    async fn has_more_than(&self, origin: &Origin, all: &[Seen]) -> Result<bool, IndexError> {
        let sql = "select seen, size, time, key_name from cosignature where origin = $1";
        let all: BTreeSet<(u64, u64, u64, &str)> =
            all.iter().map(|seen| (seen.n, seen.size, seen.time, seen.key_name.as_str())).collect();
        for row in self.index.db().rows(sql, &[origin.to_string().into()]).await? {
            let key_name = row.text(3)?;
            if !all.contains(&(row.uint(0)?, row.uint(1)?, row.uint(2)?, key_name.as_str())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn unmeasure(&mut self, origin: &Origin) -> Result<(), IndexError> {
        let log = [origin.to_string().into()];
        self.index.db().run("delete from cosignature where origin = $1", &log).await?;
        self.leave_to_write(origin, [(0, u64::MAX, None)]).await
    }

    /// Notes what is to be written of entries' proven times: a log may be long, so that each turn writes some of it.
    async fn leave_to_write(
        &mut self,
        origin: &Origin,
        ranges: impl IntoIterator<Item = Proven>,
    ) -> Result<(), IndexError> {
        let size = self.index.size_of(origin).await?;
        let waiting = self.replayed.unwritten.entry(origin.clone()).or_default();
        for (first, end, time) in ranges {
            let mut next = first;
            while next < end.min(size) {
                let until = end.min(size).min(next + WRITTEN);
                waiting.push_back((next, until, time));
                next = until;
            }
        }
        Ok(())
    }

    /// Writes some of what is to be written of a log. Answers whether there is more.
    async fn prove_some(&mut self, origin: &Origin) -> Result<bool, IndexError> {
        let Some(waiting) = self.replayed.unwritten.get_mut(origin) else { return Ok(false) };
        let Some(next) = waiting.front().copied() else {
            self.replayed.unwritten.remove(origin);
            return Ok(false);
        };
        self.write_proofs(origin, &[next]).await?;
        if let Some(waiting) = self.replayed.unwritten.get_mut(origin) {
            waiting.pop_front();
        }
        Ok(true)
    }

    /// Numbers of the `seen` files that prove an entry's time; empty if it is claimed only.
    pub fn proving(&self, origin: &Origin, index: u64) -> Vec<u64> {
        self.replayed.proofs.get(origin).map(|proofs| proofs.times.seen_files(index)).unwrap_or_default()
    }

    /// Entries that came behind the `seen` files that cover them are proven by them too. Answers whether the log was
    /// measured.
    pub(super) async fn prove_entries(
        &mut self,
        origin: &Origin,
        first: u64,
        end: u64,
    ) -> Result<bool, IndexError> {
        let Some(proofs) = self.replayed.proofs.get(origin) else { return Ok(false) };
        if proofs.times.covered() <= first {
            return Ok(true);
        }
        let behind = proofs.times.spans_back().take_while(|(_, span)| span.end > first);
        let proven = behind.filter_map(|(from, span)| {
            let time = span.time?.posix();
            Some((from.max(first), span.end.min(end), Some(time))).filter(|(from, end, _)| from < end)
        });
        let proven: Vec<Proven> = proven.collect();
        self.write_proofs(origin, &proven).await?;
        Ok(true)
    }

    async fn apply_proofs(&mut self, origin: &Origin, fresh: &[Seen]) -> Result<(), IndexError> {
        let Some(proofs) = self.replayed.proofs.get(origin) else { return Ok(()) };
        let changes = proofs.times.changes();
        let ranges: Vec<Proven> =
            changes.map(|(first, span)| (first, span.end, span.time.map(Time::posix))).collect();
        if fresh.is_empty() && ranges.is_empty() {
            return Ok(());
        }
        self.write_seen(origin, fresh).await?;
        self.leave_to_write(origin, ranges).await?;
        if let Some(proofs) = self.replayed.proofs.get_mut(origin) {
            proofs.times.changes_are_known();
        }
        Ok(())
    }

    async fn write_seen(&self, origin: &Origin, seen: &[Seen]) -> Result<(), IndexError> {
        let log = origin.to_string();
        let columns = ["origin", "size", "seen", "authority", "key_name", "time"];
        let row = |s: &Seen| -> Vec<Value> {
            let (authority, key) = (s.authority.as_str(), s.key_name.as_str());
            vec![log.as_str().into(), int(s.size), int(s.n), authority.into(), key.into(), int(s.time)]
        };
        let rows: Vec<Vec<Value>> = seen.iter().map(row).collect();
        let mut tx = self.index.db().begin().await?;
        tx.insert_many("cosignature", &columns, &rows, Conflict::Ignore).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn write_proofs(&mut self, origin: &Origin, ranges: &[Proven]) -> Result<(), IndexError> {
        if ranges.is_empty() {
            return Ok(());
        }
        let log = origin.to_string();
        self.moves(origin.authority.as_str());
        let mut touched = Touched::default();
        let mut tx = self.index.db().begin().await?;
        let mut roots_changed = false;
        for (first, end, time) in ranges {
            let values = [log.as_str().into(), int(*first), int(*end), (*time).into()];
            let sql = match time {
                Some(_) => {
                    "update entry set proven = $4 where origin = $1 and pos >= $2 and pos < $3
                            and (proven is null or proven <> $4)"
                }
                None => {
                    "update entry set proven = $4 where origin = $1 and pos >= $2 and pos < $3 and proven is not null"
                }
            };
            if tx.run(sql, &values).await? == 0 {
                continue;
            }
            desks::proven(&mut tx, &log, *first, *end, *time).await?;
            touched.resting_on(&mut tx, origin, *first, *end).await?;
            self.disown_range(&mut tx, origin, *first, *end, &mut touched).await?;
            let sql = "select 1 from entry where origin = $1 and pos >= $2 and pos < $3
                       and kind in ('log.open', 'log.root') limit 1";
            roots_changed |= !tx.rows(sql, &values[..3]).await?.is_empty();
        }
        if roots_changed && !self.revoked_keys(&origin.authority).is_empty() {
            touched.add_all(&origin.authority, All::Revoked);
        }
        let findings = self.settle(&mut tx, touched).await?;
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(())
    }
}

/// The `seen` file of a number, which may be a gap: lost here, it proves nothing until it is back, and those behind it do.
/// `None` where there are no more.
async fn seen_or_gap(
    source: &dyn Source,
    origin: &Origin,
    n: u64,
) -> Result<Option<Option<SignedCheckpoint>>, IndexError> {
    let file = source.seen(origin, n).await?;
    Ok((file.is_some() || n < source.seen_count(origin)).then_some(file))
}

/// Takes a `seen` file, or a gap; what it shows of witnesses that count.
fn take(times: &mut ProvenTimes, origin: &Origin, file: Option<&SignedCheckpoint>) -> Vec<Seen> {
    let n = times.next();
    let Some(checkpoint) = file else {
        times.skip();
        return Vec::new();
    };
    if let Err(error) = times.take(checkpoint) {
        tracing::warn!(%error, %origin, n, "a witnessed checkpoint proves nothing");
        times.skip();
        return Vec::new();
    }
    let size = checkpoint.checkpoint.size;
    let last = size.saturating_sub(1);
    times
        .witnesses(last)
        .into_iter()
        .map(|w| Seen {
            n,
            size,
            authority: w.authority.to_string(),
            key_name: w.key.name().to_owned(),
            time: u64::try_from(w.time.posix()).unwrap_or(0),
        })
        .collect()
}
