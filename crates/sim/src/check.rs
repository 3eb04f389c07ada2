//! What must hold whatever happens: no honest author signs a fork, no acknowledged record is lost, no byte
//! that its author did not release is accepted, and in the end all who may read have the same.

use std::collections::BTreeMap;

use federate::engine::Commit;
use federate::{Alarm, Heads};
use record::{Origin, Verdict};
use tlog::{Checkpoint, Edge, Hash, leaf_hash};

use crate::node::Node;
use crate::world::World;

/// What honest authors did with their logs.
#[derive(Debug, Default)]
pub struct Truth {
    logs: BTreeMap<Origin, TrueLog>,
}

#[derive(Debug, Default)]
struct TrueLog {
    edge: Edge,
    leaves: Vec<Hash>,
    /// Roots at every size at which a head was committed.
    committed: BTreeMap<u64, Hash>,
    /// Leaves of the appends whose end is not known.
    attempts: Vec<(u64, Vec<Hash>)>,
    /// Entries that were acknowledged.
    acknowledged: u64,
    /// The root version of the last committed attempt.
    version: u64,
}

impl TrueLog {
    fn root_at(&self, size: u64) -> Hash {
        if let Some(root) = self.committed.get(&size) {
            return *root;
        }
        let mut edge = Edge::new();
        let leaves = self.leaves.iter().take(usize::try_from(size).unwrap_or(usize::MAX));
        leaves.for_each(|leaf| edge.append(*leaf, &mut |_, _| ()));
        edge.root()
    }
}

impl Truth {
    /// Entries are about to be appended to a log, under a root version.
    pub fn attempt(&mut self, origin: &Origin, version: u64, entries: &[Vec<u8>]) {
        let log = self.logs.entry(origin.clone()).or_default();
        log.attempts.push((version, entries.iter().map(|entry| leaf_hash(entry)).collect()));
    }

    /// The last attempt was acknowledged.
    pub fn acknowledge(&mut self, origin: &Origin) {
        if let Some(log) = self.logs.get_mut(origin) {
            log.acknowledged = log.leaves.len() as u64;
        }
    }

    /// The root version in force in a log.
    pub fn root_of(&self, origin: &Origin) -> u64 {
        self.logs.get(origin).map_or(0, |log| log.version)
    }

    /// Is this the last entry that was committed?
    pub fn ends_with(&self, origin: &Origin, leaf: Hash) -> bool {
        self.logs.get(origin).is_some_and(|log| log.leaves.last() == Some(&leaf))
    }

    /// How many entries were committed.
    pub fn size(&self, origin: &Origin) -> u64 {
        self.logs.get(origin).map_or(0, |log| log.leaves.len() as u64)
    }

    /// Entries acknowledged.
    pub fn acknowledged(&self, origin: &Origin) -> u64 {
        self.logs.get(origin).map_or(0, |log| log.acknowledged)
    }

    /// The logs that were ever begun.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.logs.iter().filter(|(_, log)| !log.leaves.is_empty()).map(|(origin, _)| origin)
    }

    /// The root of a log.
    pub fn root(&self, origin: &Origin) -> Option<Hash> {
        self.logs.get(origin).map(|log| log.edge.root())
    }

    /// A head that an honest author committed: an extension of what it committed before, or a part of it.
    pub fn observe(&mut self, origin: &Origin, head: &Checkpoint) -> Option<String> {
        let log = self.logs.entry(origin.clone()).or_default();
        let size = log.leaves.len() as u64;
        if head.size <= size {
            return (log.root_at(head.size) != head.root)
                .then(|| format!("{origin}: a fork was signed by its honest author at size {}", head.size));
        }
        for (version, leaves) in log.attempts.iter().rev() {
            let mut edge = log.edge.clone();
            for leaf in leaves {
                edge.append(*leaf, &mut |_, _| ());
            }
            if (edge.size(), edge.root()) == (head.size, head.root) {
                log.version = *version;
                log.leaves.extend(leaves.clone());
                log.edge = edge;
                log.committed.insert(head.size, head.root);
                log.attempts.clear();
                return None;
            }
        }
        Some(format!("{origin}: a head of size {} that no append explains; {size} were committed", head.size))
    }

    /// Entries that a node took as its copy: of an honest author only what it committed, and never a valid
    /// record that its author did not sign for this place.
    pub fn judge(&self, node: usize, commit: &Commit, nodes: &[Node]) -> Vec<String> {
        let is_honest =
            |author: &record::Authority| nodes.iter().any(|node| node.name == *author && node.is_honest);
        let mut found = Vec::new();
        if !is_honest(&commit.origin.authority) {
            return found;
        }
        let empty = TrueLog::default();
        let log = self.logs.get(&commit.origin).unwrap_or(&empty);
        for judged in &commit.judged {
            let is_true =
                usize::try_from(judged.index).ok().and_then(|n| log.leaves.get(n)) == Some(&judged.leaf);
            let is_attempted = log.attempts.iter().any(|(_, leaves)| leaves.contains(&judged.leaf));
            let is_valid = matches!(judged.verdict, Verdict::Valid { .. });
            if is_valid && !is_true && !is_attempted {
                found.push(format!(
                    "{node} accepted entry {} of {} that was never released",
                    judged.index, commit.origin
                ));
            }
        }
        found
    }
}

/// What is still different from what it should be in the end, for every log of an honest author and every
/// honest reader that rang no alarm about it.
pub fn differences(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let origins: Vec<Origin> = world.truth.origins().cloned().collect();
    for origin in origins {
        let author = world.nodes.iter().position(|node| node.name == origin.authority);
        let Some((n, author)) = author.map(|n| (n, &world.nodes[n])).filter(|(_, node)| node.is_honest)
        else {
            continue;
        };
        let head = author.head(&origin).map_or(0, |head| head.checkpoint.size);
        if head < world.truth.acknowledged(&origin) {
            found.push(format!("{n} has {head} entries of its {origin}, fewer than were acknowledged"));
        }
        let seen = seen_of(author, &origin);
        for (reader, node) in world.nodes.iter().enumerate().filter(|(reader, _)| *reader != n) {
            if node.is_honest && author.plans[&origin].readers.includes(&node.name) {
                found.extend(difference(world, &origin, reader, (head, seen)));
            }
        }
    }
    found.extend(false_alarms(world));
    found
}

/// Honest authors whose logs go on one from the other have one open log per audience, and nobody may say otherwise.
fn false_alarms(world: &World) -> impl Iterator<Item = String> {
    let is_honest =
        |origin: &Origin| world.nodes.iter().any(|node| node.name == origin.authority && node.is_honest);
    world.alarms.iter().enumerate().flat_map(move |(n, alarms)| {
        alarms.iter().filter_map(move |alarm| match alarm {
            Alarm::TwoOpenLogs { origin, other } if is_honest(origin) => {
                Some(format!("{n} believes that {origin} and {other} are open for one audience"))
            }
            _ => None,
        })
    })
}

/// How many `seen` files an author shows of its log.
fn seen_of(author: &Node, origin: &Origin) -> u64 {
    let body = author.engine.as_ref().map(|engine| engine.heads(Some(&author.name)).0);
    let heads = body.and_then(|body| Heads::parse(&body).ok()).unwrap_or_default();
    heads.logs.get(origin).map_or(0, |head| head.seen)
}

/// What a reader lacks of a log: of its entries, its blobs, and the proofs that its author shows.
fn difference(world: &World, origin: &Origin, reader: usize, (head, seen): (u64, u64)) -> Option<String> {
    if world.alarms[reader].iter().any(|alarm| is_about(alarm, origin)) {
        return None;
    }
    let engine = world.nodes[reader].engine.as_ref();
    let log = engine.and_then(|engine| engine.followed().into_iter().find(|log| log.origin == *origin));
    let Some(log) = log else { return Some(format!("{reader} does not follow {origin}")) };
    let checkpoint = log.checkpoint.as_ref().map(|checkpoint| &checkpoint.checkpoint);
    let is_same = checkpoint.is_some_and(|c| c.size == head && Some(c.root) == world.truth.root(origin));
    if !is_same || log.held != head || log.wanted_blobs != 0 || log.seen < seen {
        let (size, holds, blobs, proofs) = (log.size, log.held, log.wanted_blobs, log.seen);
        return Some(format!(
            "{reader} has {size} of {head} of {origin}, holds {holds}, wants {blobs} blobs, has {proofs} of {seen} seen files"
        ));
    }
    None
}

/// Whether an alarm explains why a log is not followed to its end.
pub fn is_about(alarm: &Alarm, origin: &Origin) -> bool {
    match alarm {
        // One is raised for all logs of an author.
        Alarm::SplitView { origin: about, .. }
        | Alarm::CheckpointKey { origin: about, .. }
        | Alarm::InvalidEntry { origin: about, .. }
        | Alarm::CutOff { origin: about, .. } => about.authority == origin.authority,
        _ => false,
    }
}
