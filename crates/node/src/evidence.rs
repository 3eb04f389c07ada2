//! Gathers the one file that proves a record offline: [`record::evidence::Evidence`].
//!
//! It puts together what is on this disk; it verifies nothing (whoever reads the file does).

use std::collections::BTreeMap;

use record::evidence::Evidence;
use record::{Origin, kind};
use store::{LogReader, Sql};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::proof_file::ProofFile;

use crate::face::Face;
use crate::fault::Fault;
use crate::index;
use crate::node::Node;
use crate::operate::OperateError;

impl Node {
    /// The evidence file of a record, at the place that proves most of those that a face may see.
    pub async fn evidence(&self, name: &Hash, face: Face) -> Result<Vec<u8>, OperateError> {
        let mut sql = Sql::from("select e.origin, e.pos from entry e where e.name = $1 and e.valid = 1");
        sql.push(" and e.author = ").append(&index::author_of(1));
        // Who may open the socket may take away what is sealed for others too: it proves no more than its place.
        if face == Face::Public {
            sql.push(" and (e.faces & 1) <> 0");
        }
        sql.push(" order by coalesce(e.proven, 9223372036854775807), e.released, e.origin, e.pos limit 1");
        let rows = self.index.db().rows(sql, &[name.to_hex().into()]).await?;
        let row = rows.first().ok_or_else(|| OperateError::unknown_record(name))?;
        let (origin, index): (Origin, u64) = (parse_origin(&row.text(0)?)?, row.uint(1)?);
        let checkpoints = self.checkpoints_covering(&origin, index).await?;
        let record = self.entry_at(&origin.to_string(), index).await?.to_vec();
        let mut proofs = Vec::new();
        for checkpoint in &checkpoints {
            proofs.push(self.proof(&origin, index, checkpoint).await?);
        }
        let newest = checkpoints.last().ok_or_else(|| {
            let message = format!("no checkpoint that covers {name} is here yet");
            OperateError::NotFound(Fault::new("record-not-covered", message).with("name", name))
        })?;
        let mut entries = Vec::new();
        let sql = "select pos from entry where origin = $1 and valid = 1 and kind in ($2, $3, $4)
                   and pos < $5 order by pos";
        let values = [
            origin.to_string().into(),
            kind::LOG_OPEN.into(),
            kind::LOG_ROOT.into(),
            kind::LOG_CLOSE.into(),
            i64::try_from(newest.checkpoint.size).unwrap_or(i64::MAX).into(),
        ];
        for row in self.index.db().rows(sql, &values).await? {
            let pos = row.uint(0)?;
            let bytes = self.entry_at(&origin.to_string(), pos).await?.to_vec();
            entries.push((bytes, self.proof(&origin, pos, newest).await?));
        }
        let evidence = Evidence {
            record,
            proofs,
            entries,
            roots: self.roots_for(&origin),
            policy: self.policy_of(&origin).await?,
            inner: None,
            blobs: self.clear_blobs_of(&origin, index).await?,
        };
        Ok(evidence.to_bytes())
    }

    /// The checkpoints whose witnesses together prove the entry's time, or else the newest one.
    async fn checkpoints_covering(
        &self,
        origin: &Origin,
        index: u64,
    ) -> Result<Vec<SignedCheckpoint>, OperateError> {
        let mut seen = Vec::new();
        let files = self.index.writer(self).await.proving(origin, index);
        for n in files {
            seen.extend(self.seen_file(origin, n).await?);
        }
        let proving = together(seen);
        if !proving.is_empty() {
            return Ok(proving);
        }
        let rows = self
            .index
            .db()
            .rows("select checkpoint from log where origin = $1", &[origin.to_string().into()])
            .await?;
        let newest = rows.first().map(|row| row.bytes(0)).transpose()?;
        Ok(newest.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok()).into_iter().collect())
    }

    async fn proof(
        &self,
        origin: &Origin,
        index: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<ProofFile, OperateError> {
        let reader = LogReader::new(self.files.clone(), self.prefix_of(origin), checkpoint.checkpoint.size);
        let path = reader.prove_inclusion(index).await?;
        Ok(ProofFile { extra: None, index, path, checkpoint: checkpoint.clone() })
    }

    /// Roots of the author and of every other authority known here, whose witnesses may count.
    fn roots_for(&self, origin: &Origin) -> BTreeMap<(record::Authority, u64), Vec<u8>> {
        let own = self.own_chain();
        let peers = self.peers();
        let chains = peers.values().map(|known| &known.chain).chain([own.as_ref()]);
        let mut roots = BTreeMap::new();
        for chain in chains {
            let witnesses = chain.latest().keys.iter().any(|k| k.role == record::root::Role::Witness);
            if chain.authority() != &origin.authority && !witnesses {
                continue;
            }
            for root in chain.roots() {
                roots.insert((chain.authority().clone(), root.root.version), root.bytes.clone());
            }
        }
        roots
    }

    /// The bytes of a log's witness policy.
    pub async fn policy_of(&self, origin: &Origin) -> Result<Vec<u8>, OperateError> {
        let rows = self
            .index
            .db()
            .rows("select policy from log where origin = $1", &[origin.to_string().into()])
            .await?;
        let hash = rows.first().map(|row| row.text(0)).transpose()?.and_then(|h| Hash::from_hex(&h).ok());
        let Some(hash) = hash else { return Ok(Vec::new()) };
        Ok(self.files.get(&store::layout::blob(&hash)).await?.map(|b| b.to_vec()).unwrap_or_default())
    }

    /// The blobs of a record that is not sealed, if they are here.
    async fn clear_blobs_of(
        &self,
        origin: &Origin,
        index: u64,
    ) -> Result<BTreeMap<Hash, Vec<u8>>, OperateError> {
        /// Larger content is proven by its hash alone.
        const LARGEST: usize = 1 << 20;
        let mut blobs = BTreeMap::new();
        let Some(record) = self.record_at(&origin.to_string(), index).await? else { return Ok(blobs) };
        if record.is_sealed() {
            return Ok(blobs);
        }
        for blob in &record.header.blobs {
            if let Some(bytes) = self.files.get(&store::layout::blob(&blob.sha256)).await?
                && bytes.len() <= LARGEST
            {
                blobs.insert(blob.sha256, bytes.to_vec());
            }
        }
        Ok(blobs)
    }
}

/// Witnesses that saw the same tree one after the other stand on one checkpoint.
fn together(seen: Vec<SignedCheckpoint>) -> Vec<SignedCheckpoint> {
    let mut all: Vec<SignedCheckpoint> = Vec::new();
    for one in seen {
        match all.last_mut().filter(|last| last.checkpoint == one.checkpoint) {
            // More lines than fit are not needed for the proof: the log's own is there, and each witness once.
            Some(last) => one.note.signatures.into_iter().for_each(|line| drop(last.add_cosignature(line))),
            None => all.push(one),
        }
    }
    all
}

fn parse_origin(text: &str) -> Result<Origin, OperateError> {
    text.parse().map_err(|why: record::EncodingError| OperateError::NotFound(why.into()))
}
