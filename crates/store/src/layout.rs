//! Where each kind of file lies, below the root of the files. Prefixes end with a slash.
//!
//! Only names are made here; nothing is read or written.

use tlog::{Hash, TileId, bundle_path, index_path, sha256};

/// The newest published checkpoint, below a log's prefix.
pub const CHECKPOINT: &str = "checkpoint";

/// An own log: `log/<audience>/<year>/`.
pub fn own_log(audience: &str, year: &str) -> String {
    format!("log/{audience}/{year}/")
}

/// The prefix of an own log from its origin `<authority>/log/<audience>/<year>`.
pub fn own_log_of(origin: &str) -> Option<String> {
    let (_, name) = origin.split_once('/')?;
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["log", audience, year] if !audience.is_empty() && !year.is_empty() => Some(own_log(audience, year)),
        _ => None,
    }
}

/// The verified copy of another authority's log: `mirror/<sha256(origin)>/`.
pub fn mirror(origin: &str) -> String {
    format!("mirror/{}/", sha256(origin.as_bytes()))
}

/// A blob: `blob/<first two digits>/<sha256>`.
pub fn blob(sha256: &Hash) -> String {
    let name = sha256.to_hex();
    format!("blob/{}/{name}", &name[..2])
}

/// The batches of a log that are not yet at their places for good: `staging/<sha256(origin)>/`.
pub fn staging(origin: &str) -> String {
    format!("staging/{}/", sha256(origin.as_bytes()))
}

/// One staged batch: `staging/<sha256(origin)>/<new size>-<new root>`. The root is in the name because two
/// servers may stage different batches of one size, of which one will be committed.
pub fn staged(origin: &str, size: u64, root: &Hash) -> String {
    format!("{}{size}-{root}", staging(origin))
}

/// Size and root of a staged batch, from its path.
pub fn parse_staged(path: &str) -> Option<(u64, Hash)> {
    let (size, root) = path.rsplit('/').next()?.split_once('-')?;
    Some((size.parse().ok()?, Hash::from_hex(root).ok()?))
}

/// The file of a tile, which holds it while it grows and when it is full.
pub fn tile(tile: TileId) -> String {
    TileId { width: tlog::tile::FULL_WIDTH, ..tile }.path()
}

/// The file of a bundle, which holds it while it grows and when it is full.
pub fn bundle(index: u64) -> String {
    bundle_path(index, tlog::tile::FULL_WIDTH)
}

/// An archived checkpoint with its cosignatures, below a log's prefix.
pub fn seen(number: u64) -> String {
    format!("seen/{}", index_path(number))
}

/// An archived fetch receipt, below a log's prefix.
pub fn held(authority: &str, number: u64) -> String {
    format!("held/{authority}/{}", index_path(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_lies_where_its_origin_says() {
        assert_eq!(own_log_of("moh.chn.example/log/public/2020").as_deref(), Some("log/public/2020/"));
        assert_eq!(own_log_of("moh.chn.example/log/public/2020.1").as_deref(), Some("log/public/2020.1/"));
        assert_eq!(own_log_of("moh.chn.example/witness/1"), None);
        assert_eq!(own_log_of("moh.chn.example/log/public/2020/x"), None);
    }

    #[test]
    fn a_staged_batch_is_found_again_by_its_name() {
        let root = sha256(b"root");
        let path = staged("a.example/log/public/2020", 300, &root);
        assert_eq!(parse_staged(&path), Some((300, root)));
        assert_eq!(parse_staged("staging/x/300"), None);
    }

    #[test]
    fn growing_and_full_tiles_share_a_file() {
        let growing = TileId { level: 1, index: 1234, width: 5 };
        assert_eq!(tile(growing), "tile/1/x001/234");
        assert_eq!(bundle(67), "tile/entries/067");
    }
}
