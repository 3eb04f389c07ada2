//! Anchors: what a record quotes of others' witnesses, so that it was signed after that time (protocol section 2),
//! and what the anchors of a record prove.
//!
//! Only public logs are quoted, since every reader may read them, and only what was verified here. A release
//! never waits for something to quote.

use std::collections::{BTreeMap, BTreeSet};

use record::provenance::{WitnessKeys, check_anchor, signed_after};
use record::{Anchor, Authority, Origin, Record, Time};

use crate::clock;
use crate::index::Finding;
use crate::node::{Node, OpenError};

/// Witnesses of so many authorities are quoted at most, each with its newest cosignature that is here.
const MAX_QUOTED: usize = 3;
/// The newest cosignatures among which they are looked for.
const MAX_LOOKED_AT: i64 = 64;

impl Node {
    /// What a record that is signed now quotes: nothing, if nothing is here or it cannot be read.
    pub async fn anchors(&self) -> Vec<Anchor> {
        self.newest_cosignatures().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the record is released without anchors");
            Vec::new()
        })
    }

    async fn newest_cosignatures(&self) -> Result<Vec<Anchor>, OpenError> {
        // A time that has not come here yet would say that the record was signed in the future.
        let sql = "select c.origin, c.seen, c.authority, c.key_name from cosignature c
                   join log l on l.origin = c.origin
                   where l.audience = 'public' and c.authority <> $1 and c.time <= $2
                   order by c.time desc, c.origin, c.key_name limit $3";
        let me = self.config.authority.as_str();
        let rows =
            self.index.db().rows(sql, &[me.into(), clock::seconds().into(), MAX_LOOKED_AT.into()]).await?;
        let keys = self.witness_keys(&self.config.authority);
        let (mut quoted, mut anchors) = (BTreeSet::new(), Vec::new());
        for row in rows {
            let (origin, seen) = (row.text(0)?, row.uint(1)?);
            let (witness, key_name) = (row.text(2)?, row.text(3)?);
            let Ok(origin) = origin.parse::<Origin>() else { continue };
            if quoted.len() == MAX_QUOTED || quoted.contains(&witness) {
                continue;
            }
            let anchor = self.quote(&origin, seen, &key_name).await?;
            if let Some(anchor) = anchor.filter(|anchor| check_anchor(anchor, &keys).is_ok()) {
                anchors.push(anchor);
                quoted.insert(witness);
            }
        }
        Ok(anchors)
    }

    /// One line of a `seen` file.
    async fn quote(&self, origin: &Origin, seen: u64, key_name: &str) -> Result<Option<Anchor>, OpenError> {
        let Some(signed) = self.seen_file(origin, seen).await? else { return Ok(None) };
        let line = signed.note.signatures.iter().find(|line| line.name == key_name);
        let bytes = line.map(|line| [&line.id.to_be_bytes()[..], &line.bytes].concat());
        let cosignature = bytes.and_then(|bytes| bytes.try_into().ok());
        let checkpoint = &signed.checkpoint;
        Ok(cosignature.map(|cosignature| Anchor {
            origin: origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
            witness: key_name.to_owned(),
            cosignature,
        }))
    }

    /// The exchange checks what records of others quote of logs that are here, if it runs; a quote that is not a
    /// witness's proves nothing and is left out.
    pub(crate) fn tell_engine_of_quotes(&self, findings: &[Finding]) {
        let mut quoted: BTreeMap<&Authority, BTreeSet<&Anchor>> = BTreeMap::new();
        for finding in findings.iter().filter(|_| self.inbox.get().is_some()) {
            if let Finding::Quotes { author, anchors } = finding {
                quoted.entry(author).or_default().extend(anchors);
            }
        }
        quoted.remove(&self.config.authority);
        for (author, anchors) in quoted {
            let keys = self.witness_keys(author);
            let anchors = anchors.into_iter().filter(|anchor| check_anchor(anchor, &keys).is_ok());
            self.tell(federate::Input::Quoted { by: author.clone(), anchors: anchors.cloned().collect() });
        }
    }

    /// The witness keys that count for records of an author.
    pub(crate) fn witness_keys(&self, author: &Authority) -> WitnessKeys {
        let (own, peers) = (self.own_chain(), self.peers());
        WitnessKeys::new(author, peers.values().map(|known| &known.chain).chain([own.as_ref()]))
    }

    /// The time after which a record was signed, by the valid anchors of its header; of a sealed record by those
    /// of its inner header, if this node can open it. `root` is the version of its author's root at its place.
    pub async fn signed_after(&self, record: &Record, root: u64) -> Option<Time> {
        let keys = self.witness_keys(&record.header.author);
        if !record.is_sealed() {
            return signed_after(&record.header.anchors, &keys);
        }
        let opened = crate::index::open_header(self, record, root).await.ok()??;
        signed_after(&opened.inner.header.anchors, &keys)
    }
}
