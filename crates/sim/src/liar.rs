//! Peers that lie: what they change in the answers they give. A liar holds its own keys, and perhaps one that
//! it stole; it holds nobody else's.

use std::collections::BTreeMap;

use federate::paths::{LogFile, MirrorFile};
use federate::{Head, Heads, Route};
use record::{Authority, Origin};
use tlog::tile::FULL_WIDTH;
use tlog::{Checkpoint, Edge, SignedCheckpoint, TileId, leaf_hash, write_bundle};

use crate::cast;
use crate::dice::Dice;

/// How a node lies.
#[derive(Debug, Clone)]
pub enum Lie {
    /// Not at all.
    None,
    /// Some answers have a wrong byte.
    WrongBytes {
        /// Out of a hundred.
        percent: u64,
    },
    /// Some answers never end.
    Endless {
        /// Out of a hundred.
        percent: u64,
    },
    /// Its own blobs are not there, for anybody.
    NoBlobs,
    /// Its own blobs have a wrong byte each, for everybody.
    SpoiledBlobs,
    /// Heads are shown, and of what they show nothing ever comes to its end.
    Drips,
    /// Heads are shown, and everything else is something else.
    Junk,
    /// Heads are full of logs of its own, which open and hold entries that are no records, and of `seen` files that nobody has.
    Floods(Vec<Fork>),
    /// It has made very many roots, and of those of others that it is asked about nothing ever comes to its end.
    Roots,
    /// To some callers, a log is another one: with other entries from some place on.
    Fork {
        /// The other view.
        fork: Box<Fork>,
        /// Who is shown it; empty: everybody.
        to: Vec<Authority>,
    },
}

/// Another view of a log, signed by its key: rewritten by its author, or made by a thief of its log key.
#[derive(Debug, Clone)]
pub struct Fork {
    /// The log.
    pub origin: Origin,
    /// Its checkpoint.
    pub checkpoint: SignedCheckpoint,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    bundles: Vec<Vec<u8>>,
}

impl Fork {
    /// A view of these entries, signed by the log key of a root version.
    pub fn new(origin: &Origin, entries: &[Vec<u8>], version: u64) -> Self {
        let (mut edge, mut tiles) = (Edge::new(), BTreeMap::new());
        for entry in entries {
            let full = &mut |tile: TileId, bytes| drop(tiles.insert((tile.level, tile.index), bytes));
            edge.append(leaf_hash(entry), full);
        }
        tiles.extend(edge.partials().into_iter().map(|(tile, bytes)| ((tile.level, tile.index), bytes)));
        let checkpoint = Checkpoint { origin: origin.to_string(), size: edge.size(), root: edge.root() };
        let checkpoint =
            SignedCheckpoint::sign(checkpoint, &*cast::log_signer(origin, version)).expect("signs");
        let bundles =
            entries.chunks(usize::from(FULL_WIDTH)).map(|c| write_bundle(c).expect("fits")).collect();
        Self { origin: origin.clone(), checkpoint, tiles, bundles }
    }

    fn file(&self, file: &LogFile) -> Option<Vec<u8>> {
        let stored = match file {
            LogFile::Checkpoint => self.checkpoint.to_bytes(),
            LogFile::Tile(tile) => self.tiles.get(&(tile.level, tile.index))?.clone(),
            LogFile::Entries { index, .. } => self.bundles.get(usize::try_from(*index).ok()?)?.clone(),
            LogFile::Seen(_) | LogFile::Held { .. } => return None,
        };
        federate::serve::Cut::of(file).apply(&stored).map(<[u8]>::to_vec)
    }
}

/// What a liar makes of an answer.
pub enum Lied {
    /// What an honest node would say.
    Honest,
    /// This body instead.
    Instead(Vec<u8>),
    /// A stream without an end.
    Endless,
    /// Less and less, until the other side gives up.
    Never,
    /// Nothing.
    Nothing,
}

impl Lie {
    /// What is said to a caller instead of the honest body (`None`: 404).
    pub fn tell(
        &self,
        route: &Route,
        liar: &Authority,
        caller: Option<&Authority>,
        honest: Option<&[u8]>,
        dice: &mut Dice,
    ) -> Lied {
        match self {
            Self::WrongBytes { percent } => match honest {
                Some(body) if !body.is_empty() && dice.percent(*percent) => Lied::Instead(flip(body, dice)),
                _ => Lied::Honest,
            },
            Self::Endless { percent } if dice.percent(*percent) => Lied::Endless,
            Self::Drips if !matches!(route, Route::Heads) => Lied::Never,
            Self::Junk if !matches!(route, Route::Heads) => Lied::Instead(junk(honest, dice)),
            Self::Floods(logs) => flood(logs, liar, route, honest),
            Self::Roots if matches!(route, Route::PeerRoot { .. }) => Lied::Never,
            Self::NoBlobs if matches!(route, Route::Blob(_)) => Lied::Nothing,
            Self::SpoiledBlobs if matches!(route, Route::Blob(_)) => match honest {
                Some(body) if !body.is_empty() => Lied::Instead(flip(body, dice)),
                _ => Lied::Honest,
            },
            Self::None
            | Self::Endless { .. }
            | Self::NoBlobs
            | Self::SpoiledBlobs
            | Self::Drips
            | Self::Junk
            | Self::Roots => Lied::Honest,
            Self::Fork { fork, to } => {
                let is_shown = to.is_empty() || caller.is_some_and(|caller| to.contains(caller));
                if is_shown { tell_fork(fork, liar, route, honest) } else { Lied::Honest }
            }
        }
    }
}

/// As long as what was asked for, if that is there.
fn junk(honest: Option<&[u8]>, dice: &mut Dice) -> Vec<u8> {
    let length = honest.map_or(64, <[u8]>::len);
    (0..length).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)).collect()
}

/// The `seen` files that are claimed of every log.
const CLAIMED: u64 = 1_000_000;

fn flood(logs: &[Fork], liar: &Authority, route: &Route, honest: Option<&[u8]>) -> Lied {
    match route {
        Route::Heads => {
            let mut heads = honest.and_then(|body| Heads::parse(body).ok()).unwrap_or_default();
            heads.logs.values_mut().for_each(|head| head.seen = CLAIMED);
            for log in logs {
                let head = Head { checkpoint: log.checkpoint.clone(), seen: CLAIMED, held: None };
                heads.logs.insert(log.origin.clone(), head);
            }
            Lied::Instead(heads.to_bytes())
        }
        Route::Log { log: name, file } => {
            let origin = name.origin(liar);
            let log = logs.iter().find(|log| log.origin == origin);
            log.and_then(|log| log.file(file)).map_or(Lied::Honest, Lied::Instead)
        }
        _ => Lied::Honest,
    }
}

fn flip(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut wrong = body.to_vec();
    let at = dice.index(wrong.len());
    wrong[at] ^= 1 << dice.below(8);
    wrong
}

fn tell_fork(fork: &Fork, liar: &Authority, route: &Route, honest: Option<&[u8]>) -> Lied {
    let file = match route {
        Route::Heads => {
            let mut heads = honest.and_then(|body| Heads::parse(body).ok()).unwrap_or_default();
            let head = Head { checkpoint: fork.checkpoint.clone(), seen: 0, held: None };
            heads.logs.insert(fork.origin.clone(), head);
            return Lied::Instead(heads.to_bytes());
        }
        Route::Log { log, file } if log.origin(liar) == fork.origin => file,
        Route::Mirror { origin, file: MirrorFile::Log(file) }
            if *origin == federate::origin_hash(&fork.origin) =>
        {
            file
        }
        _ => return Lied::Honest,
    };
    fork.file(file).map_or(Lied::Honest, Lied::Instead)
}
