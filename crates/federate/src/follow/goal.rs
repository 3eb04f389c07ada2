//! One checkpoint that is being followed: which files it needs, and the checks that make them trusted.

use std::collections::{BTreeMap, BTreeSet};

use record::LogState;
use tlog::tile::{FULL_WIDTH, tile_hashes};
use tlog::tree::{prove_consistency, tile_root, tiles_for_consistency};
use tlog::{Edge, Hash, SignedCheckpoint, TileId, verify_consistency};

use super::batch::{Batch, leaves_of};
use super::{Fault, Pace, Stop, Tiles, files};
use crate::paths::LogFile;
use crate::serve::Cut;
use crate::split::{Split, tiles_at};

/// How far ahead of the bundles their parent tiles are fetched, in bundles.
const PARENTS_AHEAD: u64 = 128;
/// What a bundle may have before one came: a full one of records of 4 KiB.
const FIRST_LIMIT: usize = 1 << 20;
/// What every bundle may have.
const LEAST_LIMIT: usize = 64 << 10;
/// Bundles that are judged together have so many bytes at most, or are one.
const BATCH_BYTES: usize = 8 << 20;

/// A file to be fetched, and how many bytes its answer may have: so many are kept free for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub file: LogFile,
    /// Bytes.
    pub limit: usize,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A small step: only bundles, checked all at once by the root that they give.
    Direct,
    /// Fetching the new right edge and what proves consistency.
    Tiles,
    /// Our tree is no prefix: fetching what proves it.
    Evidence,
    /// Bundle after bundle, each under a tile that is vouched for.
    Walk,
}

/// A checkpoint that is being followed.
#[derive(Debug, Clone)]
pub(super) struct Goal {
    pub target: SignedCheckpoint,
    pub phase: Phase,
    /// Partial files that the source does not have any more: the full ones are asked for, and cut.
    grown: BTreeSet<LogFile>,
    /// What was asked for, with the bytes that its answer may have.
    in_flight: BTreeMap<LogFile, usize>,
    /// Verified and not yet judged to its end.
    pub paused: Option<Batch>,
    /// Files of the phases of tiles that did not come yet.
    missing: BTreeSet<LogFile>,
    /// Tiles as they came, of the phases of tiles.
    raw: BTreeMap<(u8, u64), Vec<u8>>,
    /// Tiles that the signed root vouches for.
    trusted: Tiles,
    /// Bundles that came, not yet verified.
    bundles: BTreeMap<u64, Vec<u8>>,
    bundle_bytes: usize,
    largest: usize,
    /// What the next bundle may have: twice the largest that came; after one that had more, all that a bundle can have.
    next_limit: usize,
    /// Nothing of the log was taken when this goal was set.
    is_first: bool,
}

impl Goal {
    pub fn new(target: SignedCheckpoint, edge: &Edge, pace: Pace) -> Self {
        let mut goal = Self {
            target,
            phase: Phase::Direct,
            grown: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            paused: None,
            missing: BTreeSet::new(),
            raw: BTreeMap::new(),
            trusted: Tiles::new(),
            bundles: BTreeMap::new(),
            bundle_bytes: 0,
            largest: 0,
            next_limit: FIRST_LIMIT,
            is_first: edge.size() == 0,
        };
        let bundles = goal.bundle_count() - edge.size() / u64::from(FULL_WIDTH);
        // Of a new log the first bundle is judged before anything else is asked for: perhaps it does not open.
        let at_once = if goal.is_first { 1 } else { pace.batch_bundles as u64 };
        if bundles > at_once {
            goal.begin_tiles(edge);
        }
        goal
    }

    fn size(&self) -> u64 {
        self.target.checkpoint.size
    }

    /// How many bundles the log has at the target.
    fn bundle_count(&self) -> u64 {
        self.size().div_ceil(u64::from(FULL_WIDTH))
    }

    fn begin_tiles(&mut self, edge: &Edge) {
        self.phase = Phase::Tiles;
        let proof = tiles_for_consistency(edge.size(), self.size()).unwrap_or_default();
        self.missing = files(Edge::tiles(self.size()).into_iter().chain(proof));
    }

    /// The files to be fetched now; `next` is the first bundle that is not taken.
    pub fn wanted(&mut self, next: u64, pace: Pace) -> Vec<Wanted> {
        let mut wanted: Vec<LogFile> = match self.phase {
            Phase::Tiles | Phase::Evidence => self.missing.iter().cloned().collect(),
            Phase::Direct => self.wanted_bundles(next, pace),
            Phase::Walk => {
                let mut wanted = self.wanted_parents(next);
                wanted.extend(self.wanted_bundles(next, pace));
                wanted
            }
        };
        for file in &mut wanted {
            *file = self.asked_for(file);
        }
        wanted.retain(|file| !self.in_flight.contains_key(file));
        wanted.truncate(pace.in_flight.saturating_sub(self.in_flight.len()));
        let limited = wanted.into_iter().map(|file| {
            let limit = match file {
                LogFile::Entries { .. } => self.next_limit.min(file.limit()),
                _ => file.limit(),
            };
            Wanted { file, limit }
        });
        let wanted: Vec<Wanted> = limited.collect();
        self.in_flight.extend(wanted.iter().map(|wanted| (wanted.file.clone(), wanted.limit)));
        wanted
    }

    /// Bytes that are here or may come.
    pub fn held(&self) -> usize {
        let in_flight: usize = self.in_flight.values().sum();
        in_flight + self.bundle_bytes + self.paused.as_ref().map_or(0, Batch::bytes)
    }

    /// How many more bundles fit into the memory that is granted.
    fn fits(&self, pace: Pace) -> usize {
        pace.ahead_bytes.saturating_sub(self.held()) / self.next_limit
    }

    /// How many more bundles are asked for. When nothing is under way the next one is, or a log of large entries would stand
    /// still; one that may be very large when it is this log's turn.
    fn room(&self, pace: Pace) -> usize {
        let may_go_on = self.next_limit <= FIRST_LIMIT || pace.may_be_large;
        self.fits(pace).max(usize::from(self.in_flight.is_empty() && may_go_on))
    }

    fn wanted_bundles(&self, next: u64, pace: Pace) -> Vec<LogFile> {
        // Many small bundles must not pile up either.
        let last = self.bundle_count().min(next + 4 * (pace.in_flight + pace.batch_bundles) as u64);
        let last = if next == 0 && self.is_first { last.min(1) } else { last };
        (next..last)
            .filter(|index| !self.bundles.contains_key(index) && !self.is_paused_at(*index))
            .map(|index| LogFile::Entries { index, width: self.width(index) })
            .filter(|file| !self.in_flight.contains_key(&self.asked_for(file)))
            .take(self.room(pace))
            .collect()
    }

    fn is_paused_at(&self, index: u64) -> bool {
        self.paused.as_ref().is_some_and(|batch| batch.holds(index))
    }

    fn width(&self, index: u64) -> u16 {
        let left = self.size().saturating_sub(index * u64::from(FULL_WIDTH));
        u16::try_from(left.min(u64::from(FULL_WIDTH))).unwrap_or(FULL_WIDTH)
    }

    /// Tiles above the next bundles that are not vouched for yet, the uppermost missing ones.
    fn wanted_parents(&self, next: u64) -> Vec<LogFile> {
        let last = (next + PARENTS_AHEAD).min(self.bundle_count().saturating_sub(1));
        let parents = [next, last].map(|bundle| self.missing_parent(1, bundle / u64::from(FULL_WIDTH)));
        files(parents.into_iter().flatten()).into_iter().collect()
    }

    fn missing_parent(&self, level: u8, index: u64) -> Option<TileId> {
        if self.trusted.contains_key(&(level, index)) {
            return None;
        }
        let tile = TileId::in_tree(level, index, self.size())?;
        self.missing_parent(level + 1, index / u64::from(FULL_WIDTH)).or(Some(tile))
    }

    /// A file came. What it holds is checked when it is used.
    pub fn supply(&mut self, file: &LogFile, bytes: Vec<u8>) {
        if self.in_flight.remove(file).is_none() {
            return;
        }
        let partial = self.grown.iter().find(|partial| partial.full().as_ref() == Some(file)).cloned();
        let (file, bytes) = match &partial {
            // One that is too short is found where it is used.
            Some(partial) => (partial, Cut::of(partial).apply(&bytes).map(<[u8]>::to_vec).unwrap_or(bytes)),
            None => (file, bytes),
        };
        match file {
            LogFile::Tile(tile) => {
                self.missing.remove(file);
                self.raw.insert((tile.level, tile.index), bytes);
            }
            LogFile::Entries { index, .. } => {
                self.largest = self.largest.max(bytes.len());
                self.next_limit = (2 * self.largest).max(LEAST_LIMIT);
                self.bundle_bytes += bytes.len();
                self.bundles.insert(*index, bytes);
            }
            LogFile::Checkpoint | LogFile::Seen(_) | LogFile::Held { .. } => {}
        }
    }

    /// The file that is asked for in place of one: the full one, where the partial one is gone.
    fn asked_for(&self, file: &LogFile) -> LogFile {
        file.full().filter(|_| self.grown.contains(file)).unwrap_or_else(|| file.clone())
    }

    /// The source does not have a file. Whether it may have a full one in its place: partial ones may go once that is there
    /// (C2SP tlog-tiles).
    pub fn gone(&mut self, file: &LogFile) -> bool {
        self.in_flight.remove(file);
        file.full().is_some() && self.grown.insert(file.clone())
    }

    /// A file did not come, and is wanted again.
    pub fn failed(&mut self, file: &LogFile) {
        self.in_flight.remove(file);
    }

    /// An answer had more than was allowed. Whether the file itself may have more: then it is wanted again.
    pub fn too_large(&mut self, file: &LogFile) -> bool {
        let may_have_more = self.in_flight.remove(file).is_none_or(|limit| limit < file.limit());
        if may_have_more {
            self.next_limit = usize::MAX;
        }
        may_have_more
    }

    pub fn has_all_tiles(&self) -> bool {
        self.missing.is_empty()
    }

    fn raw_tile(&self) -> impl Fn(TileId) -> Option<Vec<u8>> {
        |tile| self.raw.get(&(tile.level, tile.index)).cloned()
    }

    /// The new right edge has the signed root, and our tree is a prefix of it.
    pub fn check_edge(&mut self, edge: &Edge, basis: Option<&SignedCheckpoint>) -> Result<(), Stop> {
        let target = self.target.checkpoint.clone();
        let right = Edge::from_tiles(target.size, self.raw_tile()).map_err(|_| Fault::Tile)?;
        if right.root() != target.root {
            return Err(Fault::Root.into());
        }
        let proof = prove_consistency(edge.size(), target.size, self.raw_tile()).map_err(|_| Fault::Tile)?;
        if verify_consistency(edge.size(), edge.root(), target.size, target.root, &proof).is_err() {
            let basis = basis.ok_or(Fault::Unproven)?;
            self.phase = Phase::Evidence;
            self.missing = files(tiles_at(basis.checkpoint.size, target.size));
            return Ok(());
        }
        for (tile, bytes) in right.partials() {
            self.trusted.insert((tile.level, tile.index), tile_hashes(&bytes).map_err(|_| Fault::Tile)?);
        }
        self.raw.clear();
        self.phase = Phase::Walk;
        Ok(())
    }

    /// What two views come to: evidence, or a source that cannot prove what it showed.
    pub fn evidence(&self, basis: Option<&SignedCheckpoint>) -> Stop {
        let split = basis.and_then(|basis| {
            let split = Split::from_tiles(basis.clone(), self.target.clone(), self.raw_tile()).ok()?;
            let (old, new) = (&basis.checkpoint, &self.target.checkpoint);
            verify_consistency(old.size, split.other_root, new.size, new.root, &split.proof).ok()?;
            (split.other_root != old.root).then_some(split)
        });
        split.map_or(Stop::Fault(Fault::Unproven), |split| Stop::Split(Box::new(split)))
    }

    /// Trusts the tiles that came in the walk and whose parents vouch for them.
    pub fn check_inner_tiles(&mut self) -> Result<(), Fault> {
        // From the highest level down, so that a parent is trusted before its children are looked at.
        for ((level, index), bytes) in std::mem::take(&mut self.raw).into_iter().rev() {
            let hashes = tile_hashes(&bytes).map_err(|_| Fault::Tile)?;
            let full: &[Hash; 256] = hashes.as_slice().try_into().map_err(|_| Fault::Tile)?;
            match self.vouched(level, index) {
                Some(hash) if hash == tile_root(full) => drop(self.trusted.insert((level, index), hashes)),
                Some(_) => return Err(Fault::Tile),
                // Asked for in another phase; it is asked for again when it is needed.
                None => {}
            }
        }
        Ok(())
    }

    /// The root of a full tile, as its trusted parent says.
    fn vouched(&self, level: u8, index: u64) -> Option<Hash> {
        let parent = self.trusted.get(&(level + 1, index / u64::from(FULL_WIDTH)))?;
        parent.get(usize::try_from(index % u64::from(FULL_WIDTH)).ok()?).copied()
    }

    /// The next bundles in order, verified; `None` until they came.
    pub fn next_batch(&mut self, edge: &Edge, state: &LogState, pace: Pace) -> Result<Option<Batch>, Stop> {
        let first = edge.size() / u64::from(FULL_WIDTH);
        let left = usize::try_from(self.bundle_count() - first).unwrap_or(usize::MAX);
        let at_hand = (first..).take(left).take_while(|n| self.bundles.contains_key(n)).count();
        let is_full = at_hand > 0 && self.in_flight.is_empty() && self.fits(pace) == 0;
        if self.phase == Phase::Direct && at_hand < left && is_full {
            // They do not fit into memory together: one after the other, each under its tile.
            self.begin_tiles(edge);
            return Ok(None);
        }
        let wanted = match self.phase {
            Phase::Direct => left,
            _ if edge.size() == 0 => left.min(1),
            _ if is_full => left.min(at_hand).min(pace.batch_bundles),
            _ => left.min(pace.batch_bundles),
        };
        if at_hand < wanted || wanted == 0 {
            return Ok(None);
        }
        let wanted = self.within(first, wanted);
        let last = first + wanted as u64 - 1;
        if self.phase == Phase::Walk && (first..=last).any(|n| !self.is_vouched(n)) {
            return Ok(None);
        }
        let bundles: Vec<(u64, u16, &[u8])> = (first..=last)
            .filter_map(|n| Some((n, self.width(n), self.bundles.get(&n)?.as_slice())))
            .collect();
        let leaves = leaves_of(&bundles);
        let leaves = if self.phase == Phase::Walk {
            self.check_leaves(first, leaves)?
        } else if let Some(leaves) = self.check_root(edge, leaves) {
            leaves
        } else {
            // Either the source is wrong or the log has two views: the tiles will tell.
            self.begin_tiles(edge);
            return Ok(None);
        };
        let bundles = (first..=last).filter_map(|n| Some((n, self.bundles.remove(&n)?))).collect::<Vec<_>>();
        self.bundle_bytes -= bundles.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        Ok(Some(Batch::new(edge, state, bundles, leaves)))
    }

    /// How many of these bundles are judged together: not too many bytes, unless they are checked all at once.
    fn within(&self, first: u64, count: usize) -> usize {
        if self.phase == Phase::Direct {
            return count;
        }
        let sizes = (first..).take(count).map(|n| self.bundles.get(&n).map_or(0, Vec::len));
        let sums = sizes.scan(0, |sum: &mut usize, size| {
            *sum += size;
            Some(*sum)
        });
        sums.take_while(|sum| *sum <= BATCH_BYTES).count().max(1)
    }

    /// Whether a bundle can be checked against a trusted tile.
    fn is_vouched(&self, bundle: u64) -> bool {
        self.vouched(0, bundle).is_some() || self.trusted.contains_key(&(0, bundle))
    }

    /// Every bundle's leaves are those of the tree.
    fn check_leaves(&self, first: u64, leaves: Option<Vec<Vec<Hash>>>) -> Result<Vec<Vec<Hash>>, Fault> {
        let leaves = leaves.ok_or(Fault::Bundle)?;
        for (bundle, hashes) in (first..).zip(&leaves) {
            let is_right = match <&[Hash; 256]>::try_from(hashes.as_slice()) {
                Ok(full) => self.vouched(0, bundle) == Some(tile_root(full)),
                Err(_) => self.trusted.get(&(0, bundle)) == Some(hashes),
            };
            if !is_right {
                return Err(Fault::Bundle);
            }
        }
        Ok(leaves)
    }

    /// The leaves, appended to our edge, give the signed root, and repeat what we have of their first bundle.
    fn check_root(&self, edge: &Edge, leaves: Option<Vec<Vec<Hash>>>) -> Option<Vec<Vec<Hash>>> {
        let leaves = leaves?;
        let mut new = edge.clone();
        let known = usize::try_from(edge.size() % u64::from(FULL_WIDTH)).ok()?;
        let partials = edge.partials();
        let level0 = partials.iter().find(|(tile, _)| tile.level == 0);
        let old = level0.map(|(_, bytes)| tile_hashes(bytes)).transpose().ok()?.unwrap_or_default();
        if leaves.first()?.get(..known)? != old.as_slice() {
            return None;
        }
        leaves.iter().flatten().skip(known).for_each(|leaf| new.append(*leaf, &mut |_, _| ()));
        (new.root() == self.target.checkpoint.root).then_some(leaves)
    }

    /// Everything before a bundle was taken: what only it needed is let go.
    pub fn taken(&mut self, next: u64) {
        let size = self.size();
        let keep = |(level, index): &(u8, u64)| {
            let shift = 8 * u32::from(*level);
            let is_edge = TileId::in_tree(*level, *index, size).is_some_and(|tile| !tile.is_full());
            is_edge || *index >= next.checked_shr(shift).unwrap_or(0)
        };
        self.trusted.retain(|place, _| keep(place));
    }
}
