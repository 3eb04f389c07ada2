//! Gets what a record holds: blobs from the files, and the plaintexts of what is sealed for this authority.
//!
//! Plaintexts are returned, never written anywhere.

use async_trait::async_trait;
use record::{Readers, Record};
use tlog::hash::{Hash, sha256};

use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::clock;
use crate::index::{Content, ContentSource, Opening};
use crate::node::Node;
use crate::saved;

impl Node {
    /// The age identities whose keys were not destroyed.
    pub async fn age_identities(&self) -> Result<Vec<record::seal::Identity>, crate::saved::SavedError> {
        let secrets = saved::list::<AgeSecret>(&*self.cells, AGE_SPACE, "").await?;
        Ok(secrets.iter().filter_map(|(_, secret)| secret.identity.parse().ok()).collect())
    }

    /// Are the private keys here to which this record should have been sealed? Of a lasting record those of all
    /// lasting recipients that our newest root lists; of personal data those of the recipients that were in
    /// force when it was released, of which some may be destroyed, or be lost with a machine.
    fn holds_listed_keys(&self, record: &Record, identities: &[record::seal::Identity]) -> bool {
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

    async fn clear_blobs(&self, record: &Record) -> Result<Option<Content>, store::FilesError> {
        let mut blobs = Vec::new();
        for blob in &record.header.blobs {
            match self.files.get(&store::layout::blob(&blob.sha256)).await? {
                // What changed on our own disk is not what was signed: as good as missing.
                Some(bytes) if sha256(&bytes) == blob.sha256 => blobs.push((blob.sha256, bytes.to_vec())),
                _ => return Ok(None),
            }
        }
        Ok(Some(Content::new(blobs)))
    }

    /// The readers of a log that this node has, own or copied.
    pub async fn readers_of(&self, origin: &str) -> Result<Option<Readers>, store::DbError> {
        let rows =
            self.index.db().rows("select readers from log where origin = $1", &[origin.into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let text = row.text(0)?;
        Ok(match text.as_str() {
            "public" => Some(Readers::Public),
            "" => None,
            set => Some(Readers::Set(set.split(' ').filter_map(|a| a.parse().ok()).collect())),
        })
    }
}

#[async_trait]
impl ContentSource for Node {
    async fn record(&self, origin: &str, index: u64) -> Option<Record> {
        match self.record_at(origin, index).await {
            Ok(record) => record,
            Err(error) => {
                tracing::error!(%error, "an indexed record cannot be read");
                None
            }
        }
    }

    async fn open(&self, record: &Record, root: u64) -> Result<Opening, store::FilesError> {
        if !record.is_sealed() {
            return Ok(match self.clear_blobs(record).await? {
                Some(content) => Opening::Whole { inner: None, content },
                None => Opening::Waiting,
            });
        }
        if record.header.expires.is_some_and(|day| day.start() <= clock::now()) {
            return Ok(Opening::Expired);
        }
        let mut files: std::collections::BTreeMap<Hash, Vec<u8>> = std::collections::BTreeMap::new();
        for blob in &record.header.blobs {
            if let Some(bytes) = self.files.get(&store::layout::blob(&blob.sha256)).await? {
                files.insert(blob.sha256, bytes.to_vec());
            }
        }
        let Some(chain) = self.chain_of(&record.header.author) else { return Ok(Opening::NotForUs) };
        let identities = match self.age_identities().await {
            Ok(identities) => identities,
            Err(error) => {
                tracing::error!(%error, "age keys cannot be read");
                return Ok(Opening::Waiting);
            }
        };
        let fetch = |hash: &Hash| files.get(hash).cloned();
        Ok(match record::seal::open(record, &chain, root, fetch, &identities) {
            Ok(opened) => {
                let hashes = opened.inner.header.blobs.iter().map(|b| b.sha256);
                let content = Content::new(hashes.zip(opened.plaintexts).collect::<Vec<_>>())
                    .with_inner_text(opened.inner_text);
                Opening::Whole { inner: Some(opened.inner.header), content }
            }
            Err(record::seal::OpenError::Missing { .. }) => Opening::Waiting,
            Err(error) if error.is_refusal(self.holds_listed_keys(record, &identities)) => {
                Opening::Refused(error.into())
            }
            Err(_) => Opening::NotForUs,
        })
    }
}
