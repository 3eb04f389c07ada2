//! Where the files of the exchange lie below the root of a node's files: the same names as in the `store`
//! crate, which this one does not know.

use record::Origin;
use tlog::Hash;

use crate::paths::{LogFile, origin_hash};

/// The verified copy of another authority's log.
pub fn mirror(origin: &Origin) -> String {
    format!("mirror/{}/", origin_hash(origin))
}

/// An own log.
pub fn own(origin: &Origin) -> String {
    format!("{}/", origin.prefix())
}

/// A stored file of a log below its prefix.
pub fn file(prefix: &str, file: &LogFile) -> String {
    format!("{prefix}{}", file.stored_path())
}

/// An empty file that says that a followed log names a blob and that the blob is here: a blob is served from
/// the mirror of a log only to that log's readers.
pub fn blob_mark(origin: &Origin, sha256: &Hash) -> String {
    format!("{}blob/{sha256}", mirror(origin))
}

/// A blob, wherever it comes from: what the index reads.
pub fn blob(sha256: &Hash) -> String {
    let name = sha256.to_hex();
    format!("blob/{}/{name}", &name[..2])
}

/// Evidence of a split view, named by its own hash.
pub fn evidence(sha256: &Hash) -> String {
    format!("evidence/{sha256}")
}
