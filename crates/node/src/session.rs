//! Who may see the inside face: one-time links that `concord link` prints, and the sessions they open.
//!
//! Only hashes of secrets are kept. A link works once, by POST, so that a scanner of mail or a browser
//! that looks ahead cannot use it up. It never asks for a password, and never knows people (they come later).

use serde::{Deserialize, Serialize};
use store::Cells;
use tlog::hash::sha256;

use crate::fault::Coded;
use crate::identity::{IdentityError, random};
use crate::saved::{self, SavedError};

/// A link opens a session once, within this time.
pub const LINK_SECONDS: i64 = 24 * 3600;
/// A session lasts this long.
pub const SESSION_SECONDS: i64 = 12 * 3600;
/// The cookie's name.
pub const COOKIE: &str = "concord_session";
const LINKS: &str = "link";
const SESSIONS: &str = "session";

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// State.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// Randomness.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Coded for SessionError {
    fn code(&self) -> &str {
        match self {
            Self::Saved(error) => error.code(),
            Self::Identity(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Saved(error) => error.arguments(),
            Self::Identity(error) => error.arguments(),
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    until: i64,
    csrf: String,
}

/// An open session.
#[derive(Clone)]
pub struct Session {
    /// The secret that its forms carry.
    pub csrf: String,
    /// Until when, seconds since 1970.
    pub until: i64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("until", &self.until).finish_non_exhaustive()
    }
}

fn secret() -> Result<String, IdentityError> {
    Ok(hex::encode(random::<32>()?))
}

/// Is this shaped like a secret of ours? Anything else is not worth a look into the database.
fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Makes a one-time link's secret.
pub async fn new_link(cells: &dyn Cells, now: i64) -> Result<String, SessionError> {
    let token = secret()?;
    let kept = Kept { until: now + LINK_SECONDS, csrf: String::new() };
    saved::put(cells, LINKS, &sha256(token.as_bytes()).to_hex(), &kept).await?;
    Ok(token)
}

/// Uses a link up and opens a session: the cookie's value, or `None` if the link is used, old or never was.
pub async fn enter(cells: &dyn Cells, link: &str, now: i64) -> Result<Option<String>, SessionError> {
    if !is_secret(link) {
        return Ok(None);
    }
    let Some(kept) = saved::take::<Kept>(cells, LINKS, &sha256(link.as_bytes()).to_hex()).await? else {
        return Ok(None);
    };
    if kept.until < now {
        return Ok(None);
    }
    let token = secret()?;
    let session = Kept { until: now + SESSION_SECONDS, csrf: secret()? };
    saved::put(cells, SESSIONS, &sha256(token.as_bytes()).to_hex(), &session).await?;
    Ok(Some(token))
}

/// Whether a link can still be used. Looking changes nothing.
pub async fn is_open(cells: &dyn Cells, link: &str, now: i64) -> Result<bool, SessionError> {
    if !is_secret(link) {
        return Ok(false);
    }
    let kept: Option<Kept> = saved::read(cells, LINKS, &sha256(link.as_bytes()).to_hex()).await?;
    Ok(kept.is_some_and(|kept| kept.until >= now))
}

/// The session of a cookie's value.
pub async fn find(cells: &dyn Cells, token: &str, now: i64) -> Result<Option<Session>, SessionError> {
    if !is_secret(token) {
        return Ok(None);
    }
    let kept: Option<Kept> = saved::read(cells, SESSIONS, &sha256(token.as_bytes()).to_hex()).await?;
    Ok(kept.filter(|k| k.until >= now).map(|k| Session { csrf: k.csrf, until: k.until }))
}

/// Ends a session.
pub async fn leave(cells: &dyn Cells, token: &str) -> Result<(), SessionError> {
    saved::take::<Kept>(cells, SESSIONS, &sha256(token.as_bytes()).to_hex()).await?;
    Ok(())
}

/// Removes links and sessions that are over.
pub async fn sweep(cells: &dyn Cells, now: i64) -> Result<(), SessionError> {
    for space in [LINKS, SESSIONS] {
        for (key, kept) in saved::list::<Kept>(cells, space, "").await? {
            if kept.until < now {
                saved::take::<Kept>(cells, space, &key).await?;
            }
        }
    }
    Ok(())
}

/// Compares two secrets without telling by the time it takes where they differ.
pub fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0u8, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryCells;

    const NOW: i64 = 1_790_000_000;

    #[tokio::test]
    async fn a_link_opens_one_session_once() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, NOW).await.unwrap();
        let cookie = enter(&cells, &link, NOW + 5).await.unwrap().expect("the first use opens a session");
        assert_eq!(enter(&cells, &link, NOW + 6).await.unwrap(), None, "the second does not");
        assert!(find(&cells, &cookie, NOW + 7).await.unwrap().is_some());
        assert!(find(&cells, &cookie, NOW + SESSION_SECONDS + 6).await.unwrap().is_none());
        leave(&cells, &cookie).await.unwrap();
        assert!(find(&cells, &cookie, NOW + 8).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_old_link_and_a_made_up_one_open_nothing() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, NOW).await.unwrap();
        assert_eq!(enter(&cells, &link, NOW + LINK_SECONDS + 1).await.unwrap(), None);
        assert_eq!(enter(&cells, "../../etc/passwd", NOW).await.unwrap(), None);
        assert_eq!(enter(&cells, &"0".repeat(64), NOW).await.unwrap(), None);
    }

    #[tokio::test]
    async fn no_secret_is_kept_in_clear() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, NOW).await.unwrap();
        for (key, value) in cells.scan(LINKS, "", None, 10).await.unwrap() {
            assert!(!key.contains(&link) && !String::from_utf8_lossy(&value).contains(&link));
        }
    }
}
