//! Files that pages load, compiled into the program. Their addresses carry a hash of their content, so that
//! they may be cached for ever.

/// A file that is served as it is.
#[derive(Debug)]
pub struct Asset {
    /// Where it is served: `/assets/app.<first 16 hex digits of its hash>.css`.
    pub path: &'static str,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// SHA-256 of the bytes, for `ETag`.
    pub sha256: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

/// Value of `Cache-Control` for every asset.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The asset served at `path`; an address with another hash is not found.
pub fn at(path: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_the_content() {
        let asset = at(APP_CSS.path).unwrap();
        assert_eq!(asset.media_type, "text/css; charset=utf-8");
        assert!(asset.path.contains(&asset.sha256[..16]));
        assert!(at("/assets/app.css").is_none());
    }
}
