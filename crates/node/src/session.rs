//! Who may see the inside face, or take part in meetings as a guest: one-time links that `concord link` prints, and the
//! sessions they open.
//!
//! A guest's session opens the meeting room and nothing else: its links, sessions and cookie are kept apart from those of
//! the inside face, so that neither can be taken for the other. Only hashes of secrets are kept. A link works once, by POST, so that a scanner of mail or a browser
//! that looks ahead cannot use it up. It never asks for a password, and never knows people (they come later).
//! Whoever ends a session rings [`Node::departures`](crate::node::Node::departures): its bearer may be in a meeting.

use record::{Authority, Fingerprint, Time};
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
/// The most characters of a duty.
pub const MAX_DUTY: usize = 120;
/// Characters of a session's name.
const NAME: usize = 16;

/// What a link or a session opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The inside face.
    Inside,
    /// The meeting room, and nothing else.
    Meeting,
}

impl Door {
    /// Both.
    const ALL: [Self; 2] = [Self::Inside, Self::Meeting];

    /// The name of the cookie.
    pub fn cookie(self) -> &'static str {
        match self {
            Self::Inside => "concord_session",
            Self::Meeting => "concord_meeting",
        }
    }

    /// The addresses to which browsers send the cookie.
    pub fn path(self) -> &'static str {
        match self {
            Self::Inside => "/",
            Self::Meeting => "/meetings",
        }
    }

    fn links(self) -> &'static str {
        match self {
            Self::Inside => "link",
            Self::Meeting => "meeting-link",
        }
    }

    fn sessions(self) -> &'static str {
        match self {
            Self::Inside => "session",
            Self::Meeting => "meeting-session",
        }
    }
}

/// Whom a link is for. Nobody types it when the link is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    /// The authority of a guest; a link to the inside face has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Authority>,
    /// As which peer that authority was known when the link was made. Only somebody of the same one is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Peering>,
    /// The duty that is shown beside the authority's name in meetings; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub duty: String,
}

/// A peer from when it was added until it is removed: one that is added later under the same name is another one, and its root may be
/// somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peering {
    /// Of its first root.
    pub root: Fingerprint,
    /// When it was added.
    pub added: Time,
}

impl Bearer {
    /// What the link opens.
    pub fn door(&self) -> Door {
        if self.guest.is_some() { Door::Meeting } else { Door::Inside }
    }
}

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
    #[serde(default)]
    bearer: Bearer,
}

/// An open session.
#[derive(Clone)]
pub struct Session {
    /// The secret that its forms carry.
    pub csrf: String,
    /// Until when, seconds since 1970.
    pub until: i64,
    /// Whom its link was for.
    pub bearer: Bearer,
    /// Its name among the sessions of this node: it is no secret, and does not lead to one.
    pub name: String,
}

impl Session {
    fn of(key: &str, kept: Kept) -> Self {
        Self { csrf: kept.csrf, until: kept.until, bearer: kept.bearer, name: name_of(key) }
    }
}

/// The name of the session that lies at a key.
fn name_of(key: &str) -> String {
    sha256(format!("concord session name {key}").as_bytes()).to_hex()[..NAME].to_owned()
}

/// Is this shaped like the name of a session?
pub fn is_name(text: &str) -> bool {
    text.len() == NAME && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
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

/// Makes a one-time link's secret, to the door that its bearer may use.
pub async fn new_link(cells: &dyn Cells, bearer: Bearer, now: i64) -> Result<String, SessionError> {
    let token = secret()?;
    let door = bearer.door();
    let kept = Kept { until: now + LINK_SECONDS, csrf: String::new(), bearer };
    saved::put(cells, door.links(), &sha256(token.as_bytes()).to_hex(), &kept).await?;
    Ok(token)
}

/// Uses a link up and opens a session: the cookie's value, or `None` if the link is used, old or never was.
pub async fn enter(
    cells: &dyn Cells,
    door: Door,
    link: &str,
    now: i64,
) -> Result<Option<String>, SessionError> {
    if !is_secret(link) {
        return Ok(None);
    }
    let Some(kept) = saved::take::<Kept>(cells, door.links(), &sha256(link.as_bytes()).to_hex()).await?
    else {
        return Ok(None);
    };
    if kept.until < now {
        return Ok(None);
    }
    let token = secret()?;
    let session = Kept { until: now + SESSION_SECONDS, csrf: secret()?, bearer: kept.bearer };
    saved::put(cells, door.sessions(), &sha256(token.as_bytes()).to_hex(), &session).await?;
    Ok(Some(token))
}

/// Whether a link can still be used. Looking changes nothing.
pub async fn is_open(cells: &dyn Cells, door: Door, link: &str, now: i64) -> Result<bool, SessionError> {
    if !is_secret(link) {
        return Ok(false);
    }
    let kept: Option<Kept> = saved::read(cells, door.links(), &sha256(link.as_bytes()).to_hex()).await?;
    Ok(kept.is_some_and(|kept| kept.until >= now))
}

/// The session of a cookie's value.
pub async fn find(
    cells: &dyn Cells,
    door: Door,
    token: &str,
    now: i64,
) -> Result<Option<Session>, SessionError> {
    if !is_secret(token) {
        return Ok(None);
    }
    let key = sha256(token.as_bytes()).to_hex();
    let kept: Option<Kept> = saved::read(cells, door.sessions(), &key).await?;
    Ok(kept.filter(|kept| kept.until >= now).map(|kept| Session::of(&key, kept)))
}

/// The sessions that are open, those that end first first.
pub async fn list(cells: &dyn Cells, now: i64) -> Result<Vec<Session>, SessionError> {
    let mut open = Vec::new();
    for door in Door::ALL {
        let kept = saved::readable::<Kept>(cells, door.sessions()).await?.0;
        let still = kept.into_iter().filter(|(_, kept)| kept.until >= now);
        open.extend(still.map(|(key, kept)| Session::of(&key, kept)));
    }
    open.sort_by(|a, b| (a.until, &a.name).cmp(&(b.until, &b.name)));
    Ok(open)
}

/// Ends the sessions whose names are named, and gives the names of those that there were.
pub async fn end(cells: &dyn Cells, is_named: impl Fn(&str) -> bool) -> Result<Vec<String>, SessionError> {
    let mut ended = Vec::new();
    for door in Door::ALL {
        for (key, _) in saved::readable::<Kept>(cells, door.sessions()).await?.0 {
            let name = name_of(&key);
            if is_named(&name) && saved::take::<Kept>(cells, door.sessions(), &key).await?.is_some() {
                ended.push(name);
            }
        }
    }
    Ok(ended)
}

/// Ends the sessions and links of an authority's guests.
pub async fn end_guests_of(cells: &dyn Cells, authority: &Authority) -> Result<(), SessionError> {
    // Links first: none of them becomes a session after those have been looked at.
    for space in [Door::Meeting.links(), Door::Meeting.sessions()] {
        for (key, kept) in saved::list::<Kept>(cells, space, "").await? {
            if kept.bearer.guest.as_ref() == Some(authority) {
                saved::take::<Kept>(cells, space, &key).await?;
            }
        }
    }
    Ok(())
}

/// Ends a session.
pub async fn leave(cells: &dyn Cells, door: Door, token: &str) -> Result<(), SessionError> {
    saved::take::<Kept>(cells, door.sessions(), &sha256(token.as_bytes()).to_hex()).await?;
    Ok(())
}

/// Removes links and sessions that are over.
pub async fn sweep(cells: &dyn Cells, now: i64) -> Result<(), SessionError> {
    for space in Door::ALL.into_iter().flat_map(|door| [door.links(), door.sessions()]) {
        for (key, kept) in saved::readable::<Kept>(cells, space).await?.0 {
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

    fn guest_of(authority: &str) -> Bearer {
        Bearer { guest: Some(authority.parse().unwrap()), ..Bearer::default() }
    }

    #[tokio::test]
    async fn a_link_opens_one_session_once() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, Bearer::default(), NOW).await.unwrap();
        let cookie = enter(&cells, Door::Inside, &link, NOW + 5)
            .await
            .unwrap()
            .expect("the first use opens a session");
        assert_eq!(enter(&cells, Door::Inside, &link, NOW + 6).await.unwrap(), None, "the second does not");
        let found = |at| find(&cells, Door::Inside, &cookie, at);
        assert!(found(NOW + 7).await.unwrap().is_some());
        assert!(found(NOW + SESSION_SECONDS + 6).await.unwrap().is_none());
        leave(&cells, Door::Inside, &cookie).await.unwrap();
        assert!(found(NOW + 8).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_guest_enters_by_the_door_of_meetings_and_by_no_other() {
        let cells = MemoryCells::new();
        let bearer = Bearer { duty: "Head of delegation".into(), ..guest_of("moh.jpn.example") };
        let link = new_link(&cells, bearer.clone(), NOW).await.unwrap();
        assert!(!is_open(&cells, Door::Inside, &link, NOW).await.unwrap());
        assert_eq!(enter(&cells, Door::Inside, &link, NOW).await.unwrap(), None);
        let cookie = enter(&cells, Door::Meeting, &link, NOW).await.unwrap().expect("nobody has used it up");
        assert!(
            find(&cells, Door::Inside, &cookie, NOW).await.unwrap().is_none(),
            "it is no session of the inside face"
        );
        let session = find(&cells, Door::Meeting, &cookie, NOW).await.unwrap().unwrap();
        assert_eq!(session.bearer, bearer);
        assert!(!cookie.contains(&session.name) && session.name.len() == 16);
    }

    #[tokio::test]
    async fn the_guests_of_one_authority_lose_links_and_sessions_and_nobody_else_does() {
        let cells = MemoryCells::new();
        let (theirs, others) = (guest_of("moh.jpn.example"), guest_of("moh.bra.example"));
        let mut ways = Vec::new();
        for bearer in [&theirs, &others, &Bearer::default()] {
            let used = new_link(&cells, bearer.clone(), NOW).await.unwrap();
            let cookie = enter(&cells, bearer.door(), &used, NOW).await.unwrap().unwrap();
            ways.push((bearer.door(), new_link(&cells, bearer.clone(), NOW).await.unwrap(), cookie));
        }
        end_guests_of(&cells, theirs.guest.as_ref().unwrap()).await.unwrap();
        let mut left = Vec::new();
        for (door, link, cookie) in ways {
            let session = find(&cells, door, &cookie, NOW).await.unwrap().is_some();
            left.push((is_open(&cells, door, &link, NOW).await.unwrap(), session));
        }
        assert_eq!(left, [(false, false), (true, true), (true, true)]);
    }

    #[tokio::test]
    async fn a_session_is_listed_and_ended_by_a_name_that_leads_to_no_secret() {
        let cells = MemoryCells::new();
        let mut cookies = Vec::new();
        for at in [NOW, NOW + 60] {
            let link = new_link(&cells, Bearer::default(), at).await.unwrap();
            cookies.push(enter(&cells, Door::Inside, &link, at).await.unwrap().unwrap());
        }
        let names: Vec<String> =
            list(&cells, NOW + 60).await.unwrap().into_iter().map(|session| session.name).collect();
        let [first, second] = &names[..] else { panic!("{names:?}") };
        assert!(is_name(first) && !is_name(&cookies[0]));
        assert_eq!(end(&cells, |name| name == first).await.unwrap(), std::slice::from_ref(first));
        assert!(find(&cells, Door::Inside, &cookies[0], NOW + 60).await.unwrap().is_none());
        let left = find(&cells, Door::Inside, &cookies[1], NOW + 60).await.unwrap().unwrap();
        assert_eq!(&left.name, second);
        assert!(end(&cells, |name| name == first).await.unwrap().is_empty(), "there is none of this name");
        assert!(list(&cells, NOW + 60 + SESSION_SECONDS + 1).await.unwrap().is_empty(), "it is over");
    }

    #[tokio::test]
    async fn an_old_link_and_a_made_up_one_open_nothing() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, Bearer::default(), NOW).await.unwrap();
        assert_eq!(enter(&cells, Door::Inside, &link, NOW + LINK_SECONDS + 1).await.unwrap(), None);
        assert_eq!(enter(&cells, Door::Inside, "../../etc/passwd", NOW).await.unwrap(), None);
        assert_eq!(enter(&cells, Door::Inside, &"0".repeat(64), NOW).await.unwrap(), None);
    }

    #[tokio::test]
    async fn no_secret_is_kept_in_clear() {
        let cells = MemoryCells::new();
        let link = new_link(&cells, Bearer::default(), NOW).await.unwrap();
        for (key, value) in cells.scan(Door::Inside.links(), "", None, 10).await.unwrap() {
            assert!(!key.contains(&link) && !String::from_utf8_lossy(&value).contains(&link));
        }
    }
}
