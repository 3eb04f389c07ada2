//! The authorities this node knows: pinned by fingerprint, proposed by one operator, confirmed by another.
//!
//! Trust is not downloaded: what comes over the network is checked against a fingerprint that was typed in.

use std::collections::BTreeMap;

use record::root::RootChain;
use record::{Authority, Fingerprint, RootError, Time};
use serde::{Deserialize, Serialize};
use store::Cells;

use crate::config::Config;
use crate::fault::Coded;
use crate::init::version_key;
use crate::outbound::Address;
use crate::saved::{self, SavedError};
use crate::session::Peering;

const PEERS: &str = "peer";
const ROOTS: &str = "peer-root";

/// How far a peer is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// One operator typed its fingerprint.
    Proposed,
    /// A second one did: the exchange is on.
    Confirmed,
    /// An operator ended the exchange. What was shared before is judged by its roots as it was.
    Removed,
}

impl Standing {
    /// One word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Confirmed => "confirmed",
            Self::Removed => "removed",
        }
    }
}

/// What operators decided about an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its DNS name.
    pub authority: Authority,
    /// Of its first root.
    pub fingerprint: Fingerprint,
    /// How far it is trusted.
    pub standing: Standing,
    /// Shown code.
    pub code: Option<String>,
    /// Shown name, for readers of a language that `names` has not.
    pub name: Option<String>,
    /// Shown names by language.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// What it is to us.
    pub role: String,
    /// When it was added.
    pub added: Time,
    /// Whether what it says is left out of the pages of all desks. It is copied, proven and witnessed as before.
    #[serde(default)]
    pub left_out: bool,
}

/// A peer with its verified roots.
#[derive(Debug, Clone)]
pub struct Known {
    /// What operators decided.
    pub peer: Peer,
    /// Its roots, verified from the pinned first one.
    pub chain: RootChain,
}

impl Known {
    /// Where it is reached: by configuration, or by the endpoint of its newest root.
    pub fn address(&self, config: &Config) -> Option<Address> {
        if let Some(url) = config.dial.get(&self.peer.authority) {
            return Some(Address::Dialled(url.clone()));
        }
        self.chain.latest().endpoint.clone().map(Address::Published)
    }

    /// Which one it is of those that had this name here.
    pub fn peering(&self) -> Peering {
        Peering { root: self.chain.fingerprint(), added: self.peer.added }
    }

    /// The name to show where there is no reader's language to choose by.
    pub fn shown_name(&self) -> &str {
        let english = || self.peer.names.get("en").map(String::as_str);
        self.peer.name.as_deref().or_else(english).unwrap_or_else(|| self.peer.authority.as_str())
    }
}

/// Why a peer is not taken or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The root does not stand up to the fingerprint or to its predecessor.
    #[error("the root of {authority} is refused: {why}")]
    Root {
        /// Whose.
        authority: Authority,
        /// Why.
        why: RootError,
    },
    /// What was typed is no fingerprint.
    #[error("{0:?} is not a fingerprint: it has 52 characters of a-z and 2-7, in groups of four")]
    NotAFingerprint(String),
    /// The second operator typed something else than the first.
    #[error(
        "the fingerprint of {0} that was typed now differs from the one typed before: compare both with the authority by telephone"
    )]
    FingerprintDiffers(Authority),
    /// The root names somebody else.
    #[error("the root is of {found}, not of {wanted}")]
    WrongAuthority {
        /// Asked for.
        wanted: Authority,
        /// Found.
        found: Authority,
    },
    /// It is a peer already.
    #[error("{0} is a confirmed peer: `concord peer remove` comes before it is added anew")]
    Confirmed(Authority),
    /// Not known.
    #[error("{0} is not known here; `concord peer add` comes first")]
    Unknown(Authority),
    /// A name for no language that pages have.
    #[error("{0:?} is no name: write the name itself, or one of ar, zh, en, fr, ru, es, then = and the name")]
    NotAName(String),
    /// A node is not its own peer.
    #[error("{0} is this node")]
    Oneself(Authority),
    /// What the layers below answer.
    #[error(transparent)]
    Underlying(crate::fault::Underlying),
}

crate::fault::stands_on_underlying!(PeerError: SavedError, store::CellsError);

impl Coded for PeerError {
    fn code(&self) -> &str {
        match self {
            Self::Underlying(error) => error.code(),
            Self::Root { .. } => "peer-root",
            Self::NotAFingerprint(_) => "peer-not-a-fingerprint",
            Self::FingerprintDiffers(_) => "peer-fingerprint-differs",
            Self::WrongAuthority { .. } => "peer-wrong-authority",
            Self::Confirmed(_) => "peer-is-confirmed",
            Self::Unknown(_) => "peer-unknown",
            Self::NotAName(_) => "peer-not-a-name",
            Self::Oneself(_) => "peer-oneself",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Underlying(error) => error.arguments(),
            Self::Root { authority, why } => {
                vec![("authority", authority.to_string()), ("reason", why.to_string())]
            }
            Self::NotAFingerprint(text) | Self::NotAName(text) => vec![("text", text.clone())],
            Self::FingerprintDiffers(authority)
            | Self::Confirmed(authority)
            | Self::Unknown(authority)
            | Self::Oneself(authority) => vec![("authority", authority.to_string())],
            Self::WrongAuthority { wanted, found } => {
                vec![("wanted", wanted.to_string()), ("found", found.to_string())]
            }
        }
    }
}

/// Reads a fingerprint as people type it.
pub fn typed_fingerprint(text: &str) -> Result<Fingerprint, PeerError> {
    Fingerprint::from_typed(text).map_err(|_| PeerError::NotAFingerprint(text.chars().take(80).collect()))
}

/// Longest name of an authority, in characters.
const MAX_NAME: usize = 200;

/// Sets the names that an operator typed: `LANG=NAME` for readers of one language, `NAME` for all others.
pub fn name(peer: &mut Peer, typed: &[String]) -> Result<(), PeerError> {
    for text in typed {
        let language = text.split_once('=').filter(|(code, _)| crate::i18n::Lang::from_code(code).is_some());
        let name = language.map_or(text.as_str(), |(_, name)| name);
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(PeerError::NotAName(text.chars().take(MAX_NAME).collect()));
        }
        match language {
            Some((code, name)) => drop(peer.names.insert(code.to_owned(), name.to_owned())),
            None => peer.name = Some(name.to_owned()),
        }
    }
    Ok(())
}

/// Changes the names of a known authority.
pub async fn rename(cells: &dyn Cells, authority: &Authority, typed: &[String]) -> Result<Peer, PeerError> {
    let mut fault = None;
    let after = saved::update::<Peer>(cells, PEERS, authority.as_str(), |peer| {
        peer.map(|peer| {
            let mut renamed = peer.clone();
            fault = name(&mut renamed, typed).err();
            if fault.is_none() { renamed } else { peer }
        })
    })
    .await?
    .ok_or_else(|| PeerError::Unknown(authority.clone()))?;
    fault.map_or(Ok(after), Err)
}

/// Checks a chain of roots, first to newest, against what was typed.
pub fn check_chain(
    authority: &Authority,
    fingerprint: &Fingerprint,
    roots: &[Vec<u8>],
) -> Result<RootChain, PeerError> {
    let refused = |why| PeerError::Root { authority: authority.clone(), why };
    let mut chain =
        RootChain::pin(roots.first().map_or(&[][..], Vec::as_slice), fingerprint).map_err(refused)?;
    if chain.authority() != authority {
        return Err(PeerError::WrongAuthority {
            wanted: authority.clone(),
            found: chain.authority().clone(),
        });
    }
    for next in roots.iter().skip(1) {
        chain.extend(next).map_err(refused)?;
    }
    Ok(chain)
}

fn root_key(fingerprint: &Fingerprint, version: u64) -> String {
    format!("{fingerprint}/{}", version_key(version))
}

/// Keeps a peer and its roots.
pub async fn save(cells: &dyn Cells, known: &Known) -> Result<(), PeerError> {
    replace_damaged(cells, known).await?;
    save_roots(cells, &known.chain).await?;
    saved::put(cells, PEERS, known.peer.authority.as_str(), &known.peer).await?;
    Ok(())
}

/// Where what is kept of the roots does not lead from the pinned one to the newest, puts those of a chain in their place that
/// was verified from the same fingerprint. What is kept beyond it must go on from it: nobody goes back to an older root.
async fn replace_damaged(cells: &dyn Cells, known: &Known) -> Result<(), PeerError> {
    let (authority, fingerprint) = (&known.peer.authority, known.chain.fingerprint());
    let kept = kept_roots(cells, &fingerprint).await?;
    let bytes: Vec<Vec<u8>> = kept.iter().map(|(_, bytes)| bytes.clone()).collect();
    if kept.is_empty() || check_chain(authority, &fingerprint, &bytes).is_ok() {
        return Ok(());
    }
    let mut given: BTreeMap<String, Vec<u8>> = kept.iter().cloned().collect();
    for root in known.chain.roots() {
        given.insert(root_key(&fingerprint, root.root.version), root.bytes.clone());
    }
    let mended: Vec<Vec<u8>> = given.values().cloned().collect();
    check_chain(authority, &fingerprint, &mended)?;
    for (key, old) in kept {
        let new = given.get(&key).cloned();
        if new.as_ref() != Some(&old) {
            cells.swap(ROOTS, &key, Some(old), new).await?;
        }
    }
    Ok(())
}

/// What is kept of the roots under a fingerprint, in their order.
async fn kept_roots(
    cells: &dyn Cells,
    fingerprint: &Fingerprint,
) -> Result<Vec<(String, Vec<u8>)>, PeerError> {
    let prefix = format!("{fingerprint}/");
    let (mut roots, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = cells.scan(ROOTS, &prefix, after.as_deref(), 256).await?;
        let Some((last, _)) = page.last() else { return Ok(roots) };
        after = Some(last.clone());
        roots.extend(page);
    }
}

/// Keeps the roots of a chain that are not kept yet.
pub async fn save_roots(cells: &dyn Cells, chain: &RootChain) -> Result<(), PeerError> {
    for root in chain.roots() {
        let key = root_key(&chain.fingerprint(), root.root.version);
        // The first one seen of a version stays.
        cells.swap(ROOTS, &key, None, Some(root.bytes.clone())).await?;
    }
    Ok(())
}

/// Who is known, as `state` says.
#[derive(Debug, Default)]
pub struct Loaded {
    /// With verified roots.
    pub known: BTreeMap<Authority, Known>,
    /// Those whose roots do not verify from the fingerprint that was typed, and why: nothing is exchanged with them, and no other
    /// root is taken for theirs, until an operator adds them again.
    pub damaged: BTreeMap<Authority, String>,
}

/// Every known authority.
pub async fn load(cells: &dyn Cells) -> Result<Loaded, PeerError> {
    let mut all = Loaded::default();
    let (peers, unreadable) = saved::readable::<Peer>(cells, PEERS).await?;
    let names = unreadable.iter().filter_map(|key| key.parse::<Authority>().ok());
    all.damaged.extend(names.map(|peer| (peer, "what is kept of it cannot be read".to_owned())));
    for (_, peer) in peers {
        let roots = kept_roots(cells, &peer.fingerprint).await?;
        let roots: Vec<Vec<u8>> = roots.into_iter().map(|(_, bytes)| bytes).collect();
        match check_chain(&peer.authority, &peer.fingerprint, &roots) {
            Ok(chain) => drop(all.known.insert(peer.authority.clone(), Known { peer, chain })),
            Err(why) => {
                tracing::error!(peer = %peer.authority, %why, "a peer is left out until it is added again");
                all.damaged.insert(peer.authority, why.to_string());
            }
        }
    }
    Ok(all)
}

/// The second operator's act.
pub async fn confirm(cells: &dyn Cells, authority: &Authority, typed: &str) -> Result<Peer, PeerError> {
    let fingerprint = typed_fingerprint(typed)?;
    let (mut differs, mut is_removed) = (false, false);
    let after = saved::update::<Peer>(cells, PEERS, authority.as_str(), |peer| {
        peer.map(|mut peer| {
            differs = peer.fingerprint != fingerprint;
            // Two operators decide, each time anew.
            is_removed = peer.standing == Standing::Removed;
            if !differs && !is_removed {
                peer.standing = Standing::Confirmed;
            }
            peer
        })
    })
    .await?
    .filter(|_| !is_removed)
    .ok_or_else(|| PeerError::Unknown(authority.clone()))?;
    if differs { Err(PeerError::FingerprintDiffers(authority.clone())) } else { Ok(after) }
}

/// Leaves an authority out of what desks show, or takes it up again.
pub async fn leave_out(cells: &dyn Cells, authority: &Authority, left_out: bool) -> Result<Peer, PeerError> {
    let changed = saved::update::<Peer>(cells, PEERS, authority.as_str(), |peer| {
        peer.map(|peer| Peer { left_out, ..peer })
    });
    changed.await?.ok_or_else(|| PeerError::Unknown(authority.clone()))
}

/// Ends the exchange with an authority. Its roots stay, and with them everything that it shared and witnessed.
pub async fn remove(cells: &dyn Cells, authority: &Authority) -> Result<(), PeerError> {
    let mut was_here = false;
    saved::update::<Peer>(cells, PEERS, authority.as_str(), |peer| {
        peer.map(|mut peer| {
            was_here = peer.standing != Standing::Removed;
            peer.standing = Standing::Removed;
            peer
        })
    })
    .await?;
    if was_here { Ok(()) } else { Err(PeerError::Unknown(authority.clone())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        Peer {
            authority: "moh.jpn.example".parse().unwrap(),
            fingerprint: Fingerprint::from_typed(&"a".repeat(52)).unwrap(),
            standing: Standing::Proposed,
            code: None,
            name: None,
            names: BTreeMap::new(),
            role: "ministry".into(),
            added: Time::from_posix(0).unwrap(),
            left_out: false,
        }
    }

    #[test]
    fn a_name_is_for_one_language_or_for_all_others() {
        let mut peer = peer();
        name(&mut peer, &["zh=日本厚生劳动省".into(), "Health = wealth".into()]).unwrap();
        assert_eq!(peer.names["zh"], "日本厚生劳动省");
        assert_eq!(peer.name.as_deref(), Some("Health = wealth"));
    }

    /// A peer with the first root of an authority that is made for it.
    async fn known() -> Known {
        let folder = tempfile::tempdir().unwrap();
        let init = crate::init::Init {
            authority: "moh.jpn.example".parse().unwrap(),
            code: "JPN".into(),
            names: BTreeMap::new(),
            data: folder.path().join("data"),
            root_keys: folder.path().join("root-keys"),
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "http://127.0.0.1:1".into(),
            endpoint: "https://concord.moh.jpn.example".into(),
            status: record::Status::Exercise,
            state: None,
            index: None,
            files: None,
            exchange: crate::config::Exchange::default(),
            dial: BTreeMap::new(),
        };
        let made = crate::init::init(&init, Time::from_posix(1_800_000_000).unwrap()).await.unwrap();
        let url = format!("sqlite:{}", made.data.join("state.db").display());
        let state = store::Db::connect(&url, store::DbOptions::default()).await.unwrap();
        let own = store::SqlCells::open(state).await.unwrap();
        let root = own.get(crate::init::ROOT_SPACE, &version_key(1)).await.unwrap().unwrap();
        let chain = RootChain::accept_first(&root).unwrap();
        Known { peer: Peer { fingerprint: chain.fingerprint(), ..peer() }, chain }
    }

    #[tokio::test]
    async fn a_peer_whose_kept_root_is_damaged_is_left_out_and_added_again() {
        let cells = store::MemoryCells::new();
        let known = known().await;
        save(&cells, &known).await.unwrap();
        let key = root_key(&known.chain.fingerprint(), 1);
        let right = cells.get(ROOTS, &key).await.unwrap().unwrap();
        let mut wrong = right.clone();
        wrong[right.len() / 2] ^= 4;
        assert!(cells.swap(ROOTS, &key, Some(right.clone()), Some(wrong)).await.unwrap());
        let loaded = load(&cells).await.unwrap();
        assert!(loaded.known.is_empty(), "no other root is taken for its own");
        assert!(loaded.damaged.contains_key(&known.peer.authority));

        save(&cells, &known).await.unwrap();
        assert_eq!(cells.get(ROOTS, &key).await.unwrap(), Some(right));
        let loaded = load(&cells).await.unwrap();
        assert!(loaded.damaged.is_empty() && loaded.known.contains_key(&known.peer.authority));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "zh=", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(matches!(name(&mut peer(), &[text.to_owned()]), Err(PeerError::NotAName(_))), "{text:?}");
        }
    }
}
