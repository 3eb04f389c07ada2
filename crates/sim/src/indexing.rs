//! The indexes in the world: when they follow what was stored, are made anew, are cut off, and what they tell of.

use std::sync::{Arc, Mutex};

use federate::Input;
use federate::engine::Event;
use node::index::{Finding, Index, IndexError, LogHead, Source as _};
use record::{Origin, Record};
use store::Swap;
use tlog::Hash;

use crate::agree::rows;
use crate::cast;
use crate::indexed::{self, cut, happened};
use crate::source::{View, here_cell};
use crate::world::{Happening, World};

impl World {
    /// What a machine has, as its index sees it; `None` while it is down.
    pub(crate) fn view(&self, node: usize) -> Option<View> {
        let machine = &self.nodes[node];
        let own = machine.plans.keys().filter(|origin| !machine.is_damaged(origin)).filter_map(|origin| {
            let head = machine.head(origin)?;
            Some(LogHead { origin: origin.clone(), size: head.checkpoint.size, checkpoint: Some(head) })
        });
        let followed = machine.engine.as_ref()?.followed().into_iter();
        let followed =
            followed.map(|log| LogHead { origin: log.origin, size: log.size, checkpoint: log.checkpoint });
        Some(View {
            me: machine.name.clone(),
            files: machine.files.clone(),
            cells: machine.cells.clone(),
            logs: own.chain(followed).collect(),
            chains: Arc::clone(&self.indexes[node].as_ref()?.chains),
            now: cast::time(machine.clock(self.now)),
            findings: Mutex::default(),
        })
    }

    /// A machine that is up, and its index.
    fn indexed(&self, node: usize) -> Option<(Index, View)> {
        let index = self.indexes[node].as_ref()?.index.clone()?;
        Some((index, self.view(node)?))
    }

    /// The roots that a machine has are those that its index goes by.
    pub(crate) fn pin(&mut self, node: usize) {
        let peers = self.others(node);
        let chains = self.nodes[node].pinned(&peers);
        if let Some(indexed) = &mut self.indexes[node] {
            indexed.chains = Arc::new(chains);
        }
    }

    /// The cells that say since when entries are here.
    pub(crate) fn first_seen(&self, node: usize, events: &[Event]) -> Vec<Swap> {
        let now = self.nodes[node].clock(self.now) / 1000;
        let cell = |event: &Event| match event {
            Event::Entries(commit) => Some(here_cell(&commit.origin, commit.to, now)),
            _ => None,
        };
        events.iter().filter_map(cell).collect()
    }

    /// A machine comes up.
    pub(crate) fn index_starts(&mut self, node: usize) {
        self.pin(node);
        let Some(view) = self.view(node) else { return };
        let Some(indexed) = &mut self.indexes[node] else { return };
        let done = self.runtime.block_on(indexed.start(&view));
        self.indexed_so(node, &view, "starts", done);
    }

    /// A machine goes down, perhaps while its index was being written.
    pub(crate) fn index_crashes(&mut self, node: usize) {
        if self.dice.percent(30)
            && let Some((index, view)) = self.indexed(node)
            && let Some(event) = self.indexes[node].as_mut().and_then(|indexed| indexed.waiting.pop_front())
        {
            let turns = self.dice.below(30);
            self.runtime.block_on(cut(turns, happened(&index, &view, &event)));
        }
        let is_lost = self.dice.percent(15);
        self.index_stops(node, is_lost);
    }

    /// The index of a machine is closed, and perhaps lost.
    pub(crate) fn index_stops(&mut self, node: usize, is_lost: bool) {
        self.backed.retain(|(whose, _), _| *whose != node);
        if let Some(indexed) = &mut self.indexes[node] {
            self.runtime.block_on(indexed.stop(is_lost));
        }
    }

    /// What was stored comes to the index a little later, in its order.
    pub(crate) fn index_later(&mut self, node: usize, events: Vec<Event>) {
        let Some(indexed) = &mut self.indexes[node] else { return };
        let is_planned = !indexed.waiting.is_empty();
        indexed.waiting.extend(events);
        if !is_planned && !indexed.waiting.is_empty() {
            let (wait, epoch) = (self.dice.below(40), self.nodes[node].epoch);
            self.after(wait, Happening::Index { node, epoch });
        }
    }

    /// The index takes some of what waits for it.
    pub(crate) fn index_follows(&mut self, node: usize, epoch: u64) {
        if self.nodes[node].epoch != epoch {
            return;
        }
        let most = 1 + self.dice.below(12);
        self.index_takes(node, most);
        if self.indexes[node].as_ref().is_some_and(|indexed| !indexed.waiting.is_empty()) {
            let wait = self.dice.below(40);
            self.after(wait, Happening::Index { node, epoch });
        }
    }

    /// The index takes so many events.
    pub(crate) fn index_takes(&mut self, node: usize, most: u64) {
        let Some((index, view)) = self.indexed(node) else { return };
        for _ in 0..most {
            let Some(event) = self.indexes[node].as_mut().and_then(|indexed| indexed.waiting.pop_front())
            else {
                return;
            };
            let done = self.runtime.block_on(happened(&index, &view, &event));
            self.indexed_so(node, &view, "follows", done);
        }
    }

    /// The index follows an own log after an append, and hears of the blobs that were written for it.
    pub(crate) fn index_own(&mut self, node: usize, origin: &Origin, written: &[tlog::Hash]) {
        let Some((index, view)) = self.indexed(node) else { return };
        let reach = async {
            let follower = index.follower(&view);
            follower.reach(origin).await?;
            for hash in written {
                follower.blob(hash).await?;
            }
            Ok(())
        };
        let done = self.runtime.block_on(reach);
        self.indexed_so(node, &view, "reaches", done);
    }

    /// The index of an authority learns of its own next root.
    pub(crate) fn index_own_roots(&mut self, node: usize) {
        self.pin(node);
        let Some((index, view)) = self.indexed(node) else { return };
        let learn = async { indexed::roots(&index, &view, &view.me).await };
        let done = self.runtime.block_on(learn);
        self.indexed_so(node, &view, "learns own roots", done);
    }

    /// Makes the index of a machine anew. If it is cut off after some turns, the machine goes down with it.
    pub(crate) fn rebuild(&mut self, node: usize, turns: Option<u64>) {
        let Some((index, view)) = self.indexed(node) else { return };
        if turns.is_none() {
            // What waits would come with the rebuild.
            self.index_takes(node, u64::MAX);
        }
        let before = self.runtime.block_on(rows(index.db()));
        let done = self.runtime.block_on(cut(turns.unwrap_or(u64::MAX), index.rebuild(&view)));
        self.note(|| format!("{node} rebuilds, cut off: {}", done.is_none()));
        let is_cut_off = done.is_none();
        self.indexed_so(node, &view, "rebuilds", done.unwrap_or(Ok(())));
        if is_cut_off {
            let down = self.dice.between(500, 5_000);
            self.crash(node, down);
            return;
        }
        if turns.is_none() {
            let after = self.runtime.block_on(rows(index.db()));
            let differ = crate::agree::differences(&before, &after);
            self.violations.extend(differ.into_iter().map(|row| format!("{node} rebuilt: {row}")));
        }
    }

    /// What came of something that an index did.
    fn indexed_so(&mut self, node: usize, view: &View, what: &str, done: Result<(), IndexError>) {
        if let Err(error) = done {
            self.violations.push(format!("the index of {node} {what}: {error}"));
        }
        for finding in view.take_findings() {
            match finding {
                Finding::Erases { by, status, names } => {
                    let (epoch, input) = (self.nodes[node].epoch, Input::Erased { by, status, names });
                    self.after(1, Happening::Tell { node, epoch, input });
                }
                Finding::Awaits { origin, name } => {
                    let (epoch, input) = (self.nodes[node].epoch, Input::WantBlobs { origin, name });
                    self.after(1, Happening::Tell { node, epoch, input });
                }
                Finding::Lacks { origin, index, name } => {
                    if let Some(input) = self.lost_at(node, view, origin, index, name) {
                        let epoch = self.nodes[node].epoch;
                        self.after(1, Happening::Tell { node, epoch, input });
                    }
                }
                Finding::SealRefused { origin, index, why, .. } if self.is_honest(&origin) => {
                    self.violations.push(format!("{node} refuses the seal of {index} of {origin}: {why}"));
                }
                Finding::Quotes { .. }
                | Finding::Invalid { .. }
                | Finding::SealRefused { .. }
                | Finding::Conflict { .. }
                | Finding::Crowded { .. } => {}
            }
        }
    }

    /// What a machine's disk lost of a record for which its engine does not wait, as a node tells its engine.
    fn lost_at(&self, node: usize, view: &View, origin: Origin, index: u64, name: Hash) -> Option<Input> {
        if self.nodes[node].engine.as_ref()?.waits_for(&origin, name) {
            return None;
        }
        let entries = self.runtime.block_on(view.entries(&origin, index..index + 1)).ok()?;
        let record = Record::parse(entries.first()?).ok()?;
        let is_here = |blob: &Hash| matches!(self.runtime.block_on(view.blob(blob)), Ok(Some(_)));
        let blobs = record.header.blobs.iter().map(|blob| blob.sha256);
        let lost: Vec<Hash> = blobs.filter(|blob| !is_here(blob)).collect();
        (!lost.is_empty()).then(|| Input::Lost { origin, index, record: Box::new(record), lost })
    }

    fn is_honest(&self, origin: &str) -> bool {
        let author = origin.split('/').next();
        self.nodes.iter().any(|node| Some(node.name.as_str()) == author && node.is_honest)
    }
}
