//! Proven times: the `seen` checkpoints of every log here, against its policy and the witnesses that count.

use std::collections::BTreeSet;
use std::sync::Arc;

use record::Origin;
use record::provenance::{ProvenTimes, WitnessKeys};
use tlog::checkpoint::SignedCheckpoint;
use tlog::policy::Policy;

use crate::index::Seen;
use crate::node::{Node, OpenError};

/// The proven times of one log, and what of them the index has.
pub struct Proofs {
    times: ProvenTimes,
    applied: BTreeSet<(u64, u64, i64)>,
}

impl Node {
    /// `seen` files of a log, or the policy that they are measured by, have arrived: the index learns what they
    /// prove. They are numbered without gaps, so that what is missing comes first.
    pub async fn catch_up_proofs(&self, origin: &Origin) -> Result<(), OpenError> {
        let mut all = self.proofs.lock().await;
        if !all.contains_key(origin) {
            let Some(proofs) = self.new_proofs(origin).await? else { return Ok(()) };
            all.insert(origin.clone(), proofs);
        }
        let Some(proofs) = all.get_mut(origin) else { return Ok(()) };
        let mut fresh = Vec::new();
        while let Some(checkpoint) = self.seen_file(origin, proofs.times.next()).await? {
            fresh.extend(take(&mut proofs.times, origin, &checkpoint));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.apply_proofs(origin, proofs, &fresh).await
    }

    /// The index has entries of a log from `first` on that it did not have: it learns what was proven of them before.
    pub async fn proofs_follow(&self, origin: &Origin, first: u64) -> Result<(), OpenError> {
        {
            let mut all = self.proofs.lock().await;
            if let Some(proofs) = all.get_mut(origin) {
                proofs.applied.retain(|(_, end, _)| *end <= first);
                return self.apply_proofs(origin, proofs, &[]).await;
            }
        }
        self.catch_up_proofs(origin).await
    }

    /// Whether the witness policy of a log has not been read yet.
    pub async fn lacks_proofs(&self, origin: &Origin) -> bool {
        !self.proofs.lock().await.contains_key(origin)
    }

    /// Every `seen` file of every log here, at the start and after a rebuild.
    pub async fn load_proofs(&self) -> Result<(), OpenError> {
        let mut all = self.proofs.lock().await;
        all.clear();
        for origin in self.indexed_origins().await? {
            let Some(mut proofs) = self.new_proofs(&origin).await? else { continue };
            let mut fresh = Vec::new();
            while let Some(checkpoint) = self.seen_file(&origin, proofs.times.next()).await? {
                fresh.extend(take(&mut proofs.times, &origin, &checkpoint));
            }
            self.apply_proofs(&origin, &mut proofs, &fresh).await?;
            all.insert(origin, proofs);
        }
        Ok(())
    }

    async fn apply_proofs(
        &self,
        origin: &Origin,
        proofs: &mut Proofs,
        fresh: &[Seen],
    ) -> Result<(), OpenError> {
        let mut first = 0;
        let mut ranges = Vec::new();
        for span in proofs.times.spans() {
            if let Some(time) = span.time {
                let range = (first, span.end, time.posix());
                if proofs.applied.insert(range) {
                    ranges.push(range);
                }
            }
            first = span.end;
        }
        if !fresh.is_empty() || !ranges.is_empty() {
            self.index.proven(origin, fresh, &ranges).await?;
        }
        Ok(())
    }

    /// Logs that the index knows.
    pub async fn indexed_origins(&self) -> Result<Vec<Origin>, OpenError> {
        let rows = self.index.db().rows("select origin from log order by origin", &[]).await?;
        let mut origins = Vec::new();
        for row in rows {
            origins.extend(row.text(0)?.parse().ok());
        }
        Ok(origins)
    }

    /// Numbers of the `seen` files that prove an entry's time; empty if it is claimed only.
    pub async fn proving_seen_files(&self, origin: &Origin, index: u64) -> Vec<u64> {
        let all = self.proofs.lock().await;
        all.get(origin).map(|proofs| proofs.times.seen_files(index)).unwrap_or_default()
    }

    async fn new_proofs(&self, origin: &Origin) -> Result<Option<Proofs>, OpenError> {
        let sql = "select policy from log where origin = $1";
        let rows = self.index.db().rows(sql, &[origin.to_string().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let Ok(hash) = tlog::hash::Hash::from_hex(&row.text(0)?) else { return Ok(None) };
        let Some(bytes) = self.files.get(&store::layout::blob(&hash)).await? else { return Ok(None) };
        let Ok(policy) = Policy::parse(&bytes) else { return Ok(None) };
        let own: Arc<record::RootChain> = self.own_chain();
        let peers = self.peers();
        let pinned = peers.values().map(|known| &known.chain).chain([own.as_ref()]);
        let keys = WitnessKeys::new(&origin.authority, pinned);
        let times = ProvenTimes::new(&origin.to_string(), policy, &keys);
        Ok(Some(Proofs { times, applied: BTreeSet::new() }))
    }

    /// A `seen` file of a log, own or copied.
    pub async fn seen_file(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, OpenError> {
        let prefix = self.prefix_of(origin);
        let path = format!("{prefix}{}", store::layout::seen(n));
        let Some(bytes) = self.files.get(&path).await? else { return Ok(None) };
        Ok(SignedCheckpoint::parse(&bytes).ok())
    }

    /// Every archived receipt of own logs, after a rebuild.
    pub async fn load_receipts(&self) -> Result<(), OpenError> {
        for log in self.own_logs().await? {
            let prefix = self.prefix_of(&log.origin);
            for path in self.files.list(&format!("{prefix}held")).await? {
                let Some(authority) =
                    path.strip_prefix(&format!("{prefix}held/")).and_then(|p| p.split('/').next())
                else {
                    continue;
                };
                let Ok(reader) = authority.parse() else { continue };
                let (Some(chain), Some(bytes)) = (self.chain_of(&reader), self.files.get(&path).await?)
                else {
                    continue;
                };
                let Ok(receipt) = SignedCheckpoint::parse(&bytes) else { continue };
                let keys: Vec<tlog::VerifierKey> = chain
                    .roots()
                    .flat_map(|root| root.root.keys_of(record::root::Role::Holds))
                    .map(|listed| listed.vkey.clone())
                    .collect();
                let Ok(lines) = receipt.cosignatures(keys.iter()) else { continue };
                for (_, time) in lines {
                    let size = receipt.checkpoint.size;
                    let receipt = crate::index::Receipt { authority: reader.to_string(), size, time };
                    self.index.received(&log.origin, &receipt).await?;
                }
            }
        }
        Ok(())
    }

    /// Where the files of a log lie.
    pub fn prefix_of(&self, origin: &Origin) -> String {
        if origin.authority == self.config.authority {
            federate::places::own(origin)
        } else {
            federate::places::mirror(origin)
        }
    }
}

/// Takes a `seen` file; what it shows of witnesses that count.
fn take(times: &mut ProvenTimes, origin: &Origin, checkpoint: &SignedCheckpoint) -> Vec<Seen> {
    let n = times.next();
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
