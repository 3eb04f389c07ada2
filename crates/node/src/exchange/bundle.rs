//! Bundles: made from what a reader may have, and read as a peer is read. Their form is [`federate::bundle`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use federate::bundle::Bundle;
use federate::{Heads, LogFile, MirrorFile, Route, origin_hash};
use record::{Authority, Origin};
use tlog::TileId;
use tlog::hash::Hash;
use tlog::tile::hashes_at;

use super::serving::find;
use crate::clock;
use crate::fault::Coded;
use crate::node::{Node, OpenError};

/// Entries and hashes of a full tile.
const FULL: u64 = 256;

/// Why a bundle is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file is no bundle, or not the one that was written.
    #[error(transparent)]
    Form(#[from] federate::bundle::BundleError),
    /// It is of somebody who is not a confirmed peer.
    #[error(
        "the bundle is of {0}, who is not a confirmed peer: `concord peer add --root` and `confirm` come first"
    )]
    Stranger(Authority),
    /// It was made for somebody else.
    #[error("the bundle was made for {0}")]
    NotForUs(Authority),
    /// What is in it did not verify, or was incomplete.
    #[error(
        "the bundle does not have everything, or something in it did not verify (then `concord status` names it): {0}; ask for a new one"
    )]
    Incomplete(String),
}

impl Coded for BundleError {
    fn code(&self) -> &str {
        match self {
            Self::Form(error) => error.code(),
            Self::Stranger(_) => "bundle-stranger",
            Self::NotForUs(_) => "bundle-not-for-us",
            Self::Incomplete(_) => "bundle-incomplete",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Form(error) => error.arguments(),
            Self::Stranger(authority) | Self::NotForUs(authority) => {
                vec![("authority", authority.to_string())]
            }
            Self::Incomplete(missing) => vec![("missing", missing.clone())],
        }
    }
}

impl Node {
    /// The file from which a peer is read at the moment.
    pub fn bundle_of(&self, peer: &Authority) -> Option<Arc<Bundle>> {
        self.bundles.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned()
    }

    /// Reads a peer from a file, or, with `None`, over the network again.
    pub fn set_bundle(&self, peer: &Authority, bundle: Option<Arc<Bundle>>) {
        let mut bundles = self.bundles.write().unwrap_or_else(PoisonError::into_inner);
        match bundle {
            Some(bundle) => bundles.insert(peer.clone(), bundle),
            None => bundles.remove(peer),
        };
    }

    /// What `reader` may have of this node, as one bundle.
    pub async fn make_bundle(&self, reader: Option<&Authority>) -> Result<Bundle, OpenError> {
        let mut routes: BTreeSet<Route> = BTreeSet::from([Route::Heads, Route::WellKnownRoot]);
        routes.extend((1..=self.own_chain().latest().version).map(Route::Root));
        for known in self.confirmed_peers() {
            let authority = known.peer.authority.clone();
            routes.extend(
                (1..=known.chain.latest().version)
                    .map(|n| Route::PeerRoot { authority: authority.clone(), n }),
            );
        }
        let body = self.engine().heads_to_carry(reader);
        let heads = Heads::parse(&body).unwrap_or_default();
        for (origin, head) in &heads.logs {
            let own = origin.authority == self.config.authority;
            for file in log_files(head.checkpoint.checkpoint.size, head.seen) {
                routes.insert(if own { Route::log(origin, file) } else { Route::mirror(origin, file) });
            }
            for hash in self.blobs_of(origin).await? {
                routes.insert(if own {
                    Route::Blob(hash)
                } else {
                    Route::Mirror { origin: origin_hash(origin), file: MirrorFile::Blob(hash) }
                });
            }
        }
        let mut files = BTreeMap::from([(Route::Heads.path(), body)]);
        for route in routes {
            if route != Route::Heads
                && let Some(found) = find(self, &route, reader).await?
            {
                files.insert(route.path(), found.bytes(self).await?);
            }
        }
        Ok(Bundle {
            from: self.config.authority.clone(),
            reader: reader.cloned(),
            created: clock::now(),
            files,
        })
    }

    /// The blobs that the records of a log name.
    async fn blobs_of(&self, origin: &Origin) -> Result<Vec<Hash>, OpenError> {
        let sql = "select distinct sha256 from blob where origin = $1";
        let mut hashes = Vec::new();
        for row in self.index.db().rows(sql, &[origin.to_string().into()]).await? {
            hashes.extend(Hash::from_hex(&row.text(0)?).ok());
        }
        Ok(hashes)
    }
}

/// Every file of a log of `size` entries.
fn log_files(size: u64, seen: u64) -> Vec<LogFile> {
    let mut files = vec![LogFile::Checkpoint];
    files.extend((0..seen).map(LogFile::Seen));
    let width = |count: u64, index: u64| u16::try_from((count - index * FULL).min(FULL)).unwrap_or(256);
    for index in 0..size.div_ceil(FULL) {
        files.push(LogFile::Entries { index, width: width(size, index) });
    }
    for level in 0..8 {
        let hashes = hashes_at(level, size);
        for index in 0..hashes.div_ceil(FULL) {
            files.push(LogFile::Tile(TileId { level, index, width: width(hashes, index) }));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_log_is_named_once() {
        let files = log_files(70_000, 2);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Entries { .. })).count(), 274);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Tile(t) if t.level == 1)).count(), 2);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Tile(t) if t.level == 2)).count(), 1);
        let unique: BTreeSet<String> = files.iter().map(LogFile::path).collect();
        assert_eq!(unique.len(), files.len());
    }
}
