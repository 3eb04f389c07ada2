//! Following one log: from a signed checkpoint to its entries, every byte verified before it is handed over.
//!
//! A small step needs one answer: the last bundle, whose entries, appended to our own right edge, must give
//! the signed root; that proves consistency too. A large step first fetches the right edge of the new tree,
//! checks that it has the signed root and that our tree is a prefix of it, and then takes bundle after bundle,
//! each checked against a tile that its parents vouch for. Nothing is fetched, stored or believed here: files
//! that are wanted go out by name, bytes come in, batches of judged entries go out.

use std::collections::{BTreeMap, BTreeSet};

use record::{Judged, LogState, Origin, RootChain, Verdict};
use tlog::tile::FULL_WIDTH;
use tlog::{Edge, Hash, SignedCheckpoint, TileId};

use crate::paths::LogFile;
use crate::split::{Split, verify_by_one};

mod batch;
mod goal;
mod kept;

use batch::Batch;
use goal::{Goal, Phase};

pub use goal::Wanted;

/// What a source served that cannot be; the source is to blame, not the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// A bundle that does not hold its entries.
    #[error("a bundle does not hold what the tree says")]
    Bundle,
    /// A tile that its parent does not vouch for.
    #[error("a tile is not the one that the tree has")]
    Tile,
    /// The right edge does not have the signed root.
    #[error("the right edge does not have the signed root")]
    Root,
    /// Neither consistent with our copy nor able to prove the contrary.
    #[error("neither consistent with our copy nor able to prove the contrary")]
    Unproven,
    /// The checkpoint is not signed by the log key in force at its last entry.
    #[error("the checkpoint is not signed by the log key in force at its last entry")]
    Key,
    /// The tree has another root at a size that we know.
    #[error("the tree has another root at a size that is known here")]
    Contradicts,
    /// An entry of an own log that this authority never signed.
    #[error("an entry of an own log that this authority did not sign")]
    NotOurs,
    /// An answer longer than its file can be.
    #[error("an answer longer than its file can be")]
    TooLarge,
}

impl Fault {
    /// A stable name, for translation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Bundle => "follow-bundle",
            Self::Tile => "follow-tile",
            Self::Root => "follow-root",
            Self::Unproven => "follow-unproven",
            Self::Key => "follow-key",
            Self::Contradicts => "follow-contradicts",
            Self::NotOurs => "follow-not-ours",
            Self::TooLarge => "follow-too-large",
        }
    }
}

/// What became of a checkpoint that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// It is of the tree that we have.
    Known,
    /// It is smaller than what we have; whether it is of the same tree is to be seen.
    Older,
    /// It is being followed now.
    Begun,
    /// Another one is being followed.
    Busy,
    /// It contradicts what we have, at the same size.
    Split(Box<Split>),
}

/// What [`Follow::advance`] came to.
#[derive(Debug)]
pub enum Step {
    /// More bytes are needed.
    Idle,
    /// Entries, verified and judged.
    Entries(Box<Verified>),
    /// A trust root of the author is needed to go on.
    NeedsRoot(u64),
    /// The source is to blame.
    Fault(Fault),
    /// The log has two views.
    Split(Box<Split>),
}

/// Verified entries and the files that keep them.
#[derive(Debug)]
pub struct Verified {
    /// The place of the first entry.
    pub from: u64,
    /// One after the last.
    pub to: u64,
    /// The entries, judged.
    pub judged: Vec<Judged>,
    /// Paths below the log's prefix, as stored, with their bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// The checkpoint, if its size was reached.
    pub reached: Option<SignedCheckpoint>,
}

/// Limits of following one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Fetches in flight.
    pub in_flight: usize,
    /// Bundles judged together.
    pub batch_bundles: usize,
    /// Bytes in memory beyond which nothing more is fetched, but one file.
    pub ahead_bytes: usize,
    /// Whether that one file may be a bundle of any size: of the logs that share some memory one at a time may.
    pub may_be_large: bool,
}

/// One log, as far as it is followed.
#[derive(Debug, Clone)]
pub struct Follow {
    state: LogState,
    edge: Edge,
    /// The signed checkpoint that vouches for the edge; larger than it while a large step is under way.
    basis: Option<SignedCheckpoint>,
    /// The newest checkpoint whose size was reached.
    verified: Option<SignedCheckpoint>,
    goal: Option<Goal>,
    /// Roots that the tree must have at sizes not yet reached.
    expected: BTreeMap<u64, Hash>,
    /// Every entry must be valid: the log is our own.
    is_own: bool,
}

impl Follow {
    /// A log of which nothing is known.
    pub fn new(origin: Origin) -> Self {
        Self {
            state: LogState::new(origin),
            edge: Edge::new(),
            basis: None,
            verified: None,
            goal: None,
            expected: BTreeMap::new(),
            is_own: false,
        }
    }

    /// An own log whose entries are to be fetched back: each must be valid, and at the size of the own head
    /// the tree must have its root.
    pub fn own(origin: Origin, head: Option<(u64, Hash)>) -> Self {
        Self { is_own: true, expected: head.into_iter().collect(), ..Self::new(origin) }
    }

    /// What the entries taken so far say of the log.
    pub fn state(&self) -> &LogState {
        &self.state
    }

    /// How many entries were taken.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root of the entries taken.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// The newest checkpoint whose entries were all taken.
    pub fn verified(&self) -> Option<&SignedCheckpoint> {
        self.verified.as_ref()
    }

    /// The signed checkpoint that vouches for the entries taken.
    pub fn basis(&self) -> Option<&SignedCheckpoint> {
        self.basis.as_ref()
    }

    /// The checkpoint that is being followed.
    pub fn target(&self) -> Option<&SignedCheckpoint> {
        self.goal.as_ref().map(|goal| &goal.target)
    }

    /// Is shown a checkpoint that one of the author's log keys signed.
    pub fn aim(&mut self, checkpoint: &SignedCheckpoint, pace: Pace) -> Aim {
        let shown = &checkpoint.checkpoint;
        if let Some(basis) = &self.basis {
            if shown.size == basis.checkpoint.size && shown.root != basis.checkpoint.root {
                return Aim::Split(Box::new(Split::of_one_size(basis.clone(), checkpoint.clone())));
            }
            if shown.size < basis.checkpoint.size {
                return Aim::Older;
            }
        }
        if shown.size <= self.edge.size() {
            return Aim::Known;
        }
        if self.goal.is_some() {
            return Aim::Busy;
        }
        self.goal = Some(Goal::new(checkpoint.clone(), &self.edge, pace));
        Aim::Begun
    }

    /// Gives the checkpoint up that is being followed: its source failed. What was taken stays.
    pub fn give_up(&mut self) {
        self.goal = None;
    }

    /// Files to be fetched now, each named once. A file that failed is named again after [`Follow::failed`].
    pub fn wanted(&mut self, pace: Pace) -> Vec<Wanted> {
        let next = self.edge.size() / u64::from(FULL_WIDTH);
        self.goal.as_mut().map(|goal| goal.wanted(next, pace)).unwrap_or_default()
    }

    /// Bytes that are in memory, or will be when everything came that was asked for.
    pub fn held(&self) -> usize {
        self.goal.as_ref().map_or(0, Goal::held)
    }

    /// Whether it was read from its beginning and does not open: nothing of it counts, whatever follows.
    pub fn cannot_open(&self) -> bool {
        self.edge.size() > 0 && self.state.root_in_force() == 0
    }

    /// A file did not come and is wanted again.
    pub fn failed(&mut self, file: &LogFile) {
        if let Some(goal) = &mut self.goal {
            goal.failed(file);
        }
    }

    /// The source does not have a file. Whether another one is wanted in its place: a partial one may be gone where the full
    /// one is.
    pub fn gone(&mut self, file: &LogFile) -> bool {
        self.goal.as_mut().is_some_and(|goal| goal.gone(file))
    }

    /// An answer had more bytes than were allowed. Whether the file itself may have more: then it is wanted again, with all
    /// that it may have.
    pub fn too_large(&mut self, file: &LogFile) -> bool {
        self.goal.as_mut().is_none_or(|goal| goal.too_large(file))
    }

    /// A file came.
    pub fn supply(&mut self, file: &LogFile, bytes: Vec<u8>) {
        if let Some(goal) = &mut self.goal {
            goal.supply(file, bytes);
        }
    }

    /// Goes on with what came. To be called until it answers [`Step::Idle`] or [`Step::NeedsRoot`]; after a
    /// fault or a split the goal is given up.
    pub fn advance(&mut self, chain: &RootChain, pace: Pace) -> Step {
        match self.go_on(chain, pace) {
            Ok(step) => step,
            Err(stop) => {
                self.goal = None;
                match stop {
                    Stop::Fault(fault) => Step::Fault(fault),
                    Stop::Split(split) => Step::Split(split),
                }
            }
        }
    }

    fn go_on(&mut self, chain: &RootChain, pace: Pace) -> Result<Step, Stop> {
        let Some(goal) = &mut self.goal else { return Ok(Step::Idle) };
        loop {
            if let Some(batch) = goal.paused.take() {
                return self.judge(batch, chain);
            }
            match goal.phase {
                Phase::Tiles if goal.has_all_tiles() => goal.check_edge(&self.edge, self.basis.as_ref())?,
                Phase::Evidence if goal.has_all_tiles() => {
                    return Err(goal.evidence(self.basis.as_ref()));
                }
                Phase::Direct | Phase::Walk => {
                    goal.check_inner_tiles()?;
                    let Some(batch) = goal.next_batch(&self.edge, &self.state, pace)? else {
                        return Ok(Step::Idle);
                    };
                    goal.paused = Some(batch);
                }
                Phase::Tiles | Phase::Evidence => return Ok(Step::Idle),
            }
        }
    }

    /// Judges a batch whose bytes are verified; only then is it taken.
    fn judge(&mut self, mut batch: Batch, chain: &RootChain) -> Result<Step, Stop> {
        let Some(goal) = &mut self.goal else { return Ok(Step::Idle) };
        if let Err(needs) = batch.judge(chain) {
            goal.paused = Some(batch);
            return Ok(Step::NeedsRoot(needs));
        }
        self.check_expected(&batch)?;
        let Some(goal) = &mut self.goal else { return Ok(Step::Idle) };
        let target = goal.target.clone();
        let is_reached = batch.edge.size() == target.checkpoint.size;
        if is_reached {
            if batch.edge.root() != target.checkpoint.root {
                return Err(Stop::Fault(Fault::Root));
            }
            check_key(&target, &batch.state, chain)?;
        }
        goal.taken(batch.edge.size() / u64::from(FULL_WIDTH));
        let from = self.edge.size();
        let (verified, edge, state) = batch.finish(from, is_reached.then(|| target.clone()));
        (self.edge, self.state, self.basis) = (edge, state, Some(target.clone()));
        if is_reached {
            (self.verified, self.goal) = (Some(target), None);
        }
        Ok(Step::Entries(Box::new(verified)))
    }

    fn check_expected(&mut self, batch: &Batch) -> Result<(), Stop> {
        let is_valid = |judged: &Judged| matches!(judged.verdict, Verdict::Valid { .. });
        if self.is_own && !batch.judged.iter().all(is_valid) {
            return Err(Stop::Fault(Fault::NotOurs));
        }
        let passed = self.expected.range(self.edge.size() + 1..=batch.edge.size());
        let mut edge = self.edge.clone();
        let mut leaves = batch.leaves.iter();
        for (size, root) in passed {
            let missing = usize::try_from(size - edge.size()).unwrap_or(usize::MAX);
            leaves.by_ref().take(missing).for_each(|leaf| edge.append(*leaf, &mut |_, _| ()));
            if edge.root() != *root {
                return Err(Stop::Fault(Fault::Contradicts));
            }
        }
        self.expected = self.expected.split_off(&(batch.edge.size() + 1));
        Ok(())
    }
}

/// Why a goal is given up.
enum Stop {
    Fault(Fault),
    Split(Box<Split>),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The checkpoint is signed by the `log` key of the root in force at its last entry. A log that never opened
/// has no root in force: any log key of the author vouches for its bytes, which count for nothing.
fn check_key(checkpoint: &SignedCheckpoint, state: &LogState, chain: &RootChain) -> Result<(), Stop> {
    if state.root_in_force() == 0 {
        return Ok(());
    }
    verify_by_one(checkpoint, &state.log_key_at_head(chain)).map(drop).map_err(|_| Stop::Fault(Fault::Key))
}

/// Tiles at hand, by level and index.
type Tiles = BTreeMap<(u8, u64), Vec<Hash>>;

/// Names of tiles as files.
fn files(tiles: impl IntoIterator<Item = TileId>) -> BTreeSet<LogFile> {
    tiles.into_iter().map(LogFile::Tile).collect()
}

#[cfg(test)]
mod tests;
