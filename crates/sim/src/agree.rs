//! What must hold of indexes and receipts: an index is that which its machine's files make, public rows are the same on
//! all machines, and a receipt is backed by every blob.

use std::sync::Arc;

use federate::Alarm;
use futures::executor::block_on;
use node::index::Index;
use record::{MAX_BLOB, MAX_INNER_BLOB, Origin, Record};
use store::LogReader;
use store::db::{Db, Value};
use tlog::{SignedCheckpoint, sha256};

use crate::check::is_about;
use crate::indexed::fresh;
use crate::node::Node;
use crate::world::World;

// The questions that the index's own tests ask.
#[path = "../../node/src/index/tests/rows.rs"]
mod every_row;

pub use every_row::{differences, rows};

/// What an author's public log says to everybody, whoever asks and whenever it came.
const PUBLIC: [&str; 3] = [
    "select 'entry', origin, pos, leaf, name, author, kind, id, edition, supersedes, status, released, first_released, rank,
       sealed, opened, valid, signer, root_version, content, critical, faces & 1, revoked
     from entry where author = $1 and faces & 1 <> 0",
    "select 'release', origin, pos, name, id, edition, status, claimed, rank, fault, figures, refused
     from situation_release where author = $1",
    "select 'statement', r.name, s.indicator, s.place, s.disaggregation, x.start, x.day, x.pos, x.value, x.reason, x.line
     from situation_statement x join situation_release r on r.no = x.release join situation_series s on s.no = x.series
     where r.author = $1",
];
/// And what follows from its proofs too.
const PROVEN: [&str; 2] = [
    "select 'entry', origin, pos, disowned, marked & 1 from entry where author = $1 and faces & 1 <> 0",
    "select distinct 'standing', name, id, status, start, stop, state, by_name from standing
     where author = $1 and face & 1 <> 0 and basis = $2",
];

async fn public_rows(db: &Db, author: &str, proven: bool) -> Vec<String> {
    let mut all = Vec::new();
    for sql in PUBLIC.into_iter().chain(PROVEN.into_iter().filter(|_| proven)) {
        let values: [Value; 2] = [author.into(), CLAIMED.into()];
        let values = if sql.contains("$2") { &values[..] } else { &values[..1] };
        for row in db.rows(sql, values).await.expect("a question") {
            let columns = (0..row.len()).map(|column| {
                let text = row.opt_text(column).ok().flatten();
                text.or_else(|| row.opt_int(column).ok().flatten().map(|n| n.to_string())).unwrap_or_default()
            });
            all.push(columns.collect::<Vec<_>>().join(" | "));
        }
    }
    all.sort();
    all
}

/// `standing.basis`: as the author claims.
const CLAIMED: i64 = 1;

/// How the indexes differ from what they should be, once the machines have the same.
pub fn index_differences(world: &mut World) -> Vec<String> {
    let mut found = Vec::new();
    for node in 0..world.nodes.len() {
        world.index_takes(node, u64::MAX);
        found.extend(against_files(world, node));
        found.extend(lacks_own(world, node));
        found.extend(receipts(&world.nodes[node], world));
    }
    for author in 0..world.nodes.len() {
        found.extend(of_author(world, author));
    }
    found
}

fn index_of(world: &World, node: usize) -> Option<Index> {
    world.indexes[node].as_ref()?.index.clone()
}

/// An index that is made from a machine's files alone has the same rows.
fn against_files(world: &World, node: usize) -> Vec<String> {
    let (Some(index), Some(view)) = (index_of(world, node), world.view(node)) else { return Vec::new() };
    let compared = world.runtime.block_on(async {
        let made = fresh(&view).await?;
        Ok::<_, node::index::IndexError>(differences(&rows(made.db()).await, &rows(index.db()).await))
    });
    let differ = compared.unwrap_or_else(|error| vec![format!("it cannot be made: {error}")]);
    differ.into_iter().map(|row| format!("the index of {node} and its files: {row}")).collect()
}

/// What an author was told is released is in its index.
fn lacks_own(world: &World, node: usize) -> Vec<String> {
    let machine = &world.nodes[node];
    let Some(index) = index_of(world, node).filter(|_| machine.is_honest) else { return Vec::new() };
    let own = machine.plans.keys().filter_map(|origin| {
        let size = world.runtime.block_on(index.size_of(origin)).expect("a size");
        let acknowledged = world.truth.acknowledged(origin);
        (size < acknowledged)
            .then(|| format!("the index of {node} has {size} of the {acknowledged} acknowledged of {origin}"))
    });
    own.collect()
}

/// Whoever has all public logs of an author and its roots has the same public rows as it.
fn of_author(world: &World, author: usize) -> Vec<String> {
    let machine = &world.nodes[author];
    let (Some(own), true) = (index_of(world, author), machine.is_honest) else { return Vec::new() };
    let expected = world.runtime.block_on(public_rows(own.db(), machine.name.as_str(), !world.spoils_proofs));
    let mut found = Vec::new();
    for reader in (0..world.nodes.len()).filter(|reader| *reader != author) {
        let Some(index) = index_of(world, reader).filter(|_| knows_all(world, reader, author)) else {
            continue;
        };
        let rows =
            world.runtime.block_on(public_rows(index.db(), machine.name.as_str(), !world.spoils_proofs));
        let differ = differences(&expected, &rows);
        found.extend(differ.into_iter().map(|row| format!("public rows of {author} at {reader}: {row}")));
    }
    found
}

fn knows_all(world: &World, reader: usize, author: usize) -> bool {
    let machine = &world.nodes[author];
    let Some(indexed) = &world.indexes[reader] else { return false };
    let version = indexed.chains.get(&machine.name).map(|chain| chain.latest().version);
    let is_told_of = |alarm: &Alarm| machine.plans.keys().any(|origin| is_about(alarm, origin));
    world.nodes[reader].is_honest
        && version == Some(machine.versions.newest)
        && !world.alarms[reader].iter().any(is_told_of)
}

/// What of the receipts that a machine signed is not backed.
fn receipts(node: &Node, world: &World) -> Vec<String> {
    let Some(engine) = &node.engine else { return Vec::new() };
    let logs = engine.followed().into_iter().filter(|log| world.is_honest_log(&log.origin));
    logs.filter_map(|log| unbacked(node, &log.origin, 0, log.held)).collect()
}

/// What lacks of the entries and blobs of a log, from one place to another.
fn unbacked(node: &Node, origin: &Origin, from: u64, size: u64) -> Option<String> {
    if from >= size {
        return None;
    }
    let reader = LogReader::new(Arc::new(node.files.clone()), federate::places::mirror(origin), size);
    let entries = match block_on(reader.read_entries(from..size)) {
        Ok(entries) => entries,
        Err(error) => {
            return Some(format!("{} signed for {size} of {origin} and cannot read it: {error}", node.name));
        }
    };
    for (index, entry) in (from..).zip(entries) {
        // What is no record names no blobs.
        let Ok(record) = Record::parse(&entry) else { continue };
        for (n, blob) in record.header.blobs.iter().enumerate() {
            let limit = if record.is_sealed() && n == 0 { MAX_INNER_BLOB } else { MAX_BLOB };
            let file = node.file(&store::layout::blob(&blob.sha256));
            if blob.size <= limit && file.is_none_or(|bytes| sha256(&bytes) != blob.sha256) {
                let name = &node.name;
                return Some(format!(
                    "{name} signed for {size} of {origin} without blob {n} of entry {index}"
                ));
            }
        }
    }
    None
}

impl World {
    fn is_honest_log(&self, origin: &Origin) -> bool {
        self.nodes.iter().any(|node| node.name == origin.authority && node.is_honest)
    }

    /// A machine is about to sign a receipt.
    pub(crate) fn check_receipt(&mut self, node: usize, checkpoint: &SignedCheckpoint) {
        let Ok(origin) = checkpoint.checkpoint.origin.parse::<Origin>() else { return };
        if !self.is_honest_log(&origin) {
            return;
        }
        let (size, key) = (checkpoint.checkpoint.size, (node, origin));
        let from = self.backed.get(&key).copied().unwrap_or(0);
        let found = unbacked(&self.nodes[node], &key.1, from, size);
        self.violations.extend(found);
        self.backed.insert(key, size.max(from));
    }
}
