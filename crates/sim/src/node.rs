//! One authority's machine: what is durable on it, and the engine and log writer that run on top while it is
//! up. It carries out the engine's stores as a node does, in order, and dies in the middle of one if told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use federate::engine::{GuardStanding, OwnLog, PeerConfig, SPACES, Write};
use federate::request::Nonces;
use federate::{Engine, EngineConfig, Input, Limits, Snapshot};
use futures::executor::block_on;
use record::{Authority, Origin, Readers, RootChain};
use store::cells::CellFault;
use store::files::{Crash, FileWrite};
use store::guard::Standing;
use store::log::HEAD;
use store::{Cells, Files, Guard, LogError, LogWriter, MemoryCells, MemoryFiles, Swap, layout};
use tlog::{Checkpoint, Hash, SignedCheckpoint};

use crate::cast::{self, Versions};
use crate::dice::Dice;
use crate::liar::Lie;

const ROOTS: &str = "sim.root";

/// What this authority means to do with a log: its configuration, which no crash takes away.
#[derive(Debug, Clone)]
pub struct OwnPlan {
    /// Who may read.
    pub readers: Readers,
    /// Its witness policy.
    pub policy: Vec<u8>,
    /// The head of the log that it goes on from.
    pub previous: Option<Checkpoint>,
    /// Nothing is appended to it any more: another one goes on.
    pub is_ended: bool,
}

/// One machine.
pub struct Node {
    /// Whose.
    pub name: Authority,
    /// How far its clock is ahead of the true time, in milliseconds.
    pub skew: i64,
    /// The exchange, while the machine is up.
    pub engine: Option<Engine>,
    /// The own logs, while the machine is up.
    pub writer: Option<LogWriter>,
    /// Counts the starts, so that answers to a dead machine are told apart.
    pub epoch: u64,
    /// State: survives crashes, and may be replaced by a backup.
    pub cells: MemoryCells,
    /// Files: survive crashes as far as they were durable.
    pub files: MemoryFiles,
    /// Outside of state.
    pub guard: Guard,
    /// An older copy of `cells`.
    pub backup: Option<MemoryCells>,
    /// Its roots.
    pub versions: Versions,
    /// The logs it keeps.
    pub plans: BTreeMap<Origin, OwnPlan>,
    /// Which own logs name a blob.
    pub blobs: BTreeMap<Hash, BTreeSet<Origin>>,
    /// Nonces of signed requests.
    pub nonces: Nonces,
    /// How it lies to others, if it does.
    pub lie: Lie,
    /// Does it behave? Only then are promises about its own logs checked.
    pub is_honest: bool,
    /// Own logs whose files do not lead to their heads.
    damaged: BTreeSet<Origin>,
    /// How many more writes until it dies; negative: none is planned.
    fuse: Arc<AtomicI64>,
}

impl Node {
    /// A machine that was never started.
    pub fn new(name: Authority, plans: BTreeMap<Origin, OwnPlan>) -> Self {
        Self {
            name,
            skew: 0,
            engine: None,
            writer: None,
            epoch: 0,
            cells: MemoryCells::new(),
            files: MemoryFiles::new(),
            guard: Guard::memory(),
            backup: None,
            versions: Versions::FIRST,
            plans,
            blobs: BTreeMap::new(),
            nonces: Nonces::default(),
            lie: Lie::None,
            is_honest: true,
            damaged: BTreeSet::new(),
            fuse: Arc::new(AtomicI64::new(-1)),
        }
    }

    /// Its clock.
    pub fn clock(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.skew)
    }

    /// Dies at the write that comes after so many others.
    pub fn die_after(&self, writes: i64) {
        self.fuse.store(writes, Ordering::Relaxed);
    }

    /// Did the fuse burn down?
    pub fn is_dying(&self) -> bool {
        self.fuse.load(Ordering::Relaxed) == 0
    }

    fn burns() -> impl Fn(&AtomicI64) -> bool {
        |fuse| match fuse.load(Ordering::Relaxed) {
            0 => true,
            left if left > 0 => fuse.fetch_sub(1, Ordering::Relaxed) == 1,
            _ => false,
        }
    }

    /// Durable cells and files as the running programs see them: until the fuse burns down.
    fn faulty(&self) -> (MemoryCells, MemoryFiles) {
        let (fuse, burns) = (Arc::clone(&self.fuse), Self::burns());
        let cells =
            self.cells.with_fault(move |_| if burns(&fuse) { CellFault::Refuse } else { CellFault::Go });
        let (fuse, burns) = (Arc::clone(&self.fuse), Self::burns());
        let files = self.files.with_fault(move |write| !burns(&fuse) || matches!(write, FileWrite::Settle));
        (cells, files)
    }

    /// The machine stops where it is.
    pub fn crash(&mut self, dice: &mut Dice) {
        (self.engine, self.writer) = (None, None);
        self.epoch += 1;
        self.die_after(-1);
        self.files.crash(|_| match dice.below(3) {
            0 => Crash::Lost,
            1 => Crash::Kept,
            _ => Crash::Torn,
        });
    }

    /// Starts from what is stored. Answers what the engine is to be told first.
    pub fn start(&mut self, peers: &[Authority], seed: u64, limits: Limits) -> Result<Vec<Input>, String> {
        self.epoch += 1;
        let (cells, files) = self.faulty();
        let writer = LogWriter::new(Arc::new(cells), Arc::new(files), self.guard.clone());
        self.damaged.clear();
        for origin in self.plans.keys() {
            let name = origin.to_string();
            let prefix = layout::own_log_of(&name).expect("an origin");
            match block_on(writer.open(&name, &prefix)) {
                // A guard that does not vouch for a log refuses publication; the head stands all the same.
                Ok(_)
                | Err(LogError::Guard(_) | LogError::GuardAhead { .. } | LogError::GuardMissing { .. }) => {}
                // Its files do not lead to its head, as after an old state was put beside newer files.
                Err(error) if error.is_damage() => drop(self.damaged.insert(origin.clone())),
                Err(error) => return Err(format!("{}: recovery failed: {error}", self.name)),
            }
        }
        let mut snapshot = Snapshot::default();
        for space in SPACES {
            let cells = block_on(self.cells.scan(space, "", None, usize::MAX)).map_err(|e| e.to_string())?;
            snapshot.cells.extend(cells.into_iter().map(|(key, value)| (space.to_owned(), key, value)));
        }
        let config = EngineConfig { me: self.name.clone(), seed, limits };
        self.engine = Some(Engine::new(config, snapshot).map_err(|error| format!("{}: {error}", self.name))?);
        self.writer = Some(writer);
        let mut inputs = vec![Input::OwnRoots(cast::chain(&self.name, self.versions))];
        inputs.push(Input::Peers(peers.iter().map(|peer| self.peer_config(peer)).collect()));
        let origins: Vec<Origin> = self.plans.keys().cloned().collect();
        inputs.extend(origins.iter().map(|origin| Input::OwnLog(Box::new(self.own_log(origin)))));
        Ok(inputs)
    }

    /// A peer with its roots, as far as they are stored here.
    pub fn peer_config(&self, peer: &Authority) -> PeerConfig {
        let mut chain: RootChain = cast::chain(peer, Versions::FIRST);
        let prefix = format!("{peer} ");
        for (_, bytes) in block_on(self.cells.scan(ROOTS, &prefix, None, 1000)).unwrap_or_default() {
            let _ = chain.extend(&bytes);
        }
        PeerConfig { authority: peer.clone(), fingerprint: chain.fingerprint(), chain, reachable: true }
    }

    /// An own log as it stands, for the engine.
    pub fn own_log(&self, origin: &Origin) -> OwnLog {
        let plan = &self.plans[origin];
        let checkpoint = self.head(origin);
        let size = checkpoint.as_ref().map(|head| head.checkpoint.size);
        let standing = match self.guard.standing(&origin.to_string(), size).expect("a guard in memory") {
            Standing::Fresh => GuardStanding::New,
            Standing::InStep => GuardStanding::InStep,
            Standing::Missing => GuardStanding::Missing,
            Standing::Ahead { signed } => GuardStanding::Ahead { signed },
        };
        let standing = if self.damaged.contains(origin) { GuardStanding::Damaged } else { standing };
        let (policy, readers) = (plan.policy.clone(), plan.readers.clone());
        OwnLog { origin: origin.clone(), checkpoint, policy, readers, is_open: true, standing }
    }

    /// The committed head of an own log.
    pub fn head(&self, origin: &Origin) -> Option<SignedCheckpoint> {
        let bytes = block_on(self.cells.get(HEAD, &origin.to_string())).ok()??;
        SignedCheckpoint::parse(&bytes).ok()
    }

    /// A file of this machine.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        block_on(self.files.get(path)).ok()?.map(|bytes| bytes.to_vec())
    }

    /// Carries a store out, write by write; false if it broke off. With the last cell it is known when entries were
    /// first verified here.
    pub fn store(&mut self, mut writes: Vec<Write>, here: Vec<Swap>) -> bool {
        let (cells, files) = self.faulty();
        let last = writes.pop_if(|last| matches!(last, Write::Cell { .. }));
        if !writes.into_iter().all(|write| self.write(&cells, &files, write)) {
            return false;
        }
        let mut swaps = here;
        if let Some(Write::Cell { space, key, value }) = last {
            swaps.push(Swap::new(space, &key, None, value));
        }
        for swap in &mut swaps {
            swap.old = block_on(cells.get(&swap.space, &swap.key)).expect("memory");
        }
        swaps.is_empty() || matches!(block_on(cells.swap_all(&swaps)), Ok(true))
    }

    /// Whether the files of an own log do not lead to its head.
    pub fn is_damaged(&self, origin: &Origin) -> bool {
        self.damaged.contains(origin)
    }

    /// The roots that are pinned here.
    pub fn pinned(&self, peers: &[Authority]) -> BTreeMap<Authority, Arc<RootChain>> {
        let of_peers = peers.iter().map(|peer| (peer.clone(), Arc::new(self.peer_config(peer).chain)));
        let own = Arc::new(cast::chain(&self.name, self.versions));
        of_peers.chain([(self.name.clone(), own)]).collect()
    }

    fn write(&mut self, cells: &MemoryCells, files: &MemoryFiles, write: Write) -> bool {
        let set = |space: &str, key: &str, value: Option<Vec<u8>>| {
            let old = block_on(cells.get(space, key)).expect("memory");
            matches!(block_on(cells.swap(space, key, old, value)), Ok(true))
        };
        match write {
            Write::File { path, bytes } => block_on(files.put(&path, bytes.into())).is_ok(),
            Write::Cell { space, key, value } => set(space, &key, value),
            Write::Keep { .. } => true,
            Write::Root { authority, version, bytes } => {
                set(ROOTS, &format!("{authority} {version:08}"), Some(bytes))
            }
            Write::Head { origin, checkpoint } => {
                let (name, size) = (origin.to_string(), checkpoint.checkpoint.size);
                // What was staged belongs to an older head.
                let opened = self.writer.take();
                let is_set = set(HEAD, &name, Some(checkpoint.to_bytes()))
                    && block_on(self.guard.resume(&name, size)).is_ok()
                    && block_on(files.delete_prefix(&layout::staging(&name))).is_ok();
                if is_set {
                    self.damaged.remove(&origin);
                }
                if opened.is_some() {
                    let (cells, files) = self.faulty();
                    self.writer = Some(LogWriter::new(Arc::new(cells), Arc::new(files), self.guard.clone()));
                }
                is_set
            }
        }
    }
}
