//! One commit: what acts decided becomes entries, and goes into a log together with what `state` says of it.
//!
//! Called while nothing else is released. Either all of a commit is there afterwards (entries, the note of the log,
//! the acts' keys and their callers' cells) or none of it.

use std::sync::Arc;

use federate::Input;
use record::Origin;
use record::root::Role;
use store::{Appended, LogError, Swap};
use tlog::SignedCheckpoint;
use tokio::sync::oneshot;

use super::act::{Act, Answer, Done, Plan, Planned};
use super::kept::{self, ActKey, Before, Begun};
use super::prepare::{Blobs, Entry};
use super::turn::Waiting;
use super::{ReleaseError, Released};
use crate::clock;
use crate::node::Node;
use crate::own_log::{self, Audience, OwnLog};

type Caller = oneshot::Sender<Result<Done, ReleaseError>>;

/// Acts that are committed, and whom to tell.
pub(super) struct Committed {
    pub(super) origin: Origin,
    pub(super) callers: Vec<(Done, Caller)>,
}

/// An act whose turn has come.
struct Decided {
    planned: Planned,
    ending: Ending,
}

/// What an act changes besides the log.
struct Ending {
    key: Option<(ActKey, Option<Begun>)>,
    also: Vec<Swap>,
    answer: Answer,
    last: bool,
}

/// An act that is signed.
struct Prepared {
    entries: Vec<Entry>,
    ending: Ending,
    caller: Caller,
}

impl Node {
    /// Does acts that share a commit. Whoever gets nothing is told here; the others once the index was asked.
    pub(super) async fn carry_out(self: &Arc<Self>, batch: Vec<Waiting>) -> Option<Committed> {
        let mut decided = Vec::new();
        for Waiting { act, caller } in batch {
            match self.decide(act).await {
                Ok(Ok(one)) => decided.push((one, caller)),
                Ok(Err(done)) => drop(caller.send(Ok(done))),
                Err(error) => drop(caller.send(Err(error))),
            }
        }
        let audience = decided.first()?.0.planned.audience.clone();
        match self.prepare_all(&audience, decided).await {
            Ok((log, opening, prepared)) => self.commit(log, opening, prepared).await,
            Err((error, callers)) => {
                tell_all(error, callers);
                None
            }
        }
    }

    /// What an act answered that was done under this key before.
    ///
    /// # Errors
    /// The key was used for something else.
    pub async fn done_before(&self, key: Option<&ActKey>) -> Result<Option<Done>, ReleaseError> {
        let Some(key) = key else { return Ok(None) };
        Ok(match kept::find(&*self.cells, key).await? {
            Before::Done(answer) => Some(Done::before(answer)),
            Before::Begun(_) | Before::Nothing => None,
        })
    }

    /// What an act is, now that its turn has come; or what it was, if it had been done before.
    async fn decide(self: &Arc<Self>, act: Act) -> Result<Result<Decided, Done>, ReleaseError> {
        let looks_back = act.looks_back();
        let key = match act.key {
            None => None,
            Some(key) => match kept::find(&*self.cells, &key).await? {
                Before::Done(answer) => {
                    return Ok(Err(Done::before(answer)));
                }
                Before::Begun(begun) => Some((key, Some(begun))),
                Before::Nothing => Some((key, None)),
            },
        };
        if looks_back {
            self.index_all_own().await?;
        }
        let planned = match act.plan {
            Plan::Ready(planned) => planned,
            Plan::Decided(plan) => plan(Arc::clone(self)).await.map_err(ReleaseError::Plan)?,
        };
        for draft in &planned.drafts {
            self.check_draft(&planned.audience, draft)?;
            self.check_names(&planned.audience, draft).await?;
        }
        if planned.drafts.is_empty() && planned.again.is_empty() {
            return Ok(Err(self.end_without_entry(key, act.also, &planned).await?));
        }
        let ending = Ending { key, also: act.also, answer: Arc::clone(&planned.answer), last: planned.last };
        Ok(Ok(Decided { planned, ending }))
    }

    /// Ends an act that has nothing more to release: its cells change, and its key answers with what it released before.
    async fn end_without_entry(
        &self,
        key: Option<(ActKey, Option<Begun>)>,
        also: Vec<Swap>,
        planned: &Planned,
    ) -> Result<Done, ReleaseError> {
        let before = key.as_ref().and_then(|(_, before)| before.as_ref());
        let answer = (planned.answer)(&all(before, &[]));
        let mut swaps = also;
        if let Some((key, before)) = key.as_ref().filter(|_| planned.last) {
            swaps.extend(kept::swaps(key, before.as_ref(), &[], Some(&answer), clock::now()));
        }
        if !swaps.is_empty() && !self.cells.swap_all(&swaps).await? {
            return Err(ReleaseError::Changed);
        }
        Ok(Done { released: Vec::new(), answer, last: planned.last, index_behind: false })
    }

    /// The log, what opens it or moves it on, and the signed entries of every act that can be signed.
    async fn prepare_all(
        &self,
        audience: &Audience,
        decided: Vec<(Decided, Caller)>,
    ) -> Result<(OwnLog, Vec<Entry>, Vec<Prepared>), (ReleaseError, Vec<Caller>)> {
        let mut blobs = Blobs::default();
        let opened = async {
            let mut log = self.log_for(audience).await?;
            self.may_append(&log).await?;
            let opening = self.opening_entries(&mut log, audience, &mut blobs)?;
            Ok::<_, ReleaseError>((log, opening))
        };
        let (log, opening) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Err((error, decided.into_iter().map(|(_, caller)| caller).collect())),
        };
        let anchors = self.anchors().await;
        let mut prepared = Vec::new();
        for (Decided { planned, ending }, caller) in decided {
            match self.prepare(&log, planned, &anchors, &mut blobs).await {
                Ok(entries) => prepared.push(Prepared { entries, ending, caller }),
                Err(error) => drop(caller.send(Err(error))),
            }
        }
        // Before anything names them.
        match self.put_blobs(blobs).await {
            Ok(()) => Ok((log, opening, prepared)),
            Err(error) => Err((error.into(), prepared.into_iter().map(|one| one.caller).collect())),
        }
    }

    /// Appends what is prepared, all of it at once; if a caller's own cells are not as it said, each alone.
    async fn commit(
        &self,
        log: OwnLog,
        opening: Vec<Entry>,
        mut prepared: Vec<Prepared>,
    ) -> Option<Committed> {
        if prepared.is_empty() {
            return None;
        }
        let mut committed = Committed { origin: log.origin.clone(), callers: Vec::new() };
        let together = self.append(&log, &opening, &prepared).await;
        match together {
            Ok(first) => committed.take(first + opening.len() as u64, prepared),
            Err(ReleaseError::Changed) if prepared.len() > 1 => {
                let mut opening = opening;
                for one in prepared.drain(..) {
                    let alone = [one];
                    let appended = self.append(&log, &opening, &alone).await;
                    match appended {
                        Ok(first) => {
                            let first = first + opening.len() as u64;
                            opening.clear();
                            committed.take(first, alone.into());
                        }
                        Err(error) => tell_all(error, alone.into_iter().map(|one| one.caller).collect()),
                    }
                }
            }
            Err(error) => tell_all(error, prepared.into_iter().map(|one| one.caller).collect()),
        }
        (!committed.callers.is_empty()).then_some(committed)
    }

    /// Appends entries with everything that changes with them, and tells peers; the place of the first.
    async fn append(
        &self,
        log: &OwnLog,
        opening: &[Entry],
        prepared: &[Prepared],
    ) -> Result<u64, ReleaseError> {
        let mut notes: Vec<Swap> = own_log::note(&*self.cells, log).await?.into_iter().collect();
        notes.extend(prepared.iter().flat_map(|one| one.ending.also.iter().cloned()));
        let entries = opening.iter().chain(prepared.iter().flat_map(|one| &one.entries));
        let entries: Vec<Vec<u8>> = entries.map(|entry| entry.bytes.clone()).collect();
        let now = clock::now();
        let also = |appended: &Appended| {
            let mut first = appended.first + opening.len() as u64;
            for one in prepared {
                if let Some((key, before)) = &one.ending.key {
                    let released = released(&log.origin, first, &one.entries);
                    let answer =
                        one.ending.last.then(|| (one.ending.answer)(&all(before.as_ref(), &released)));
                    notes.extend(kept::swaps(key, before.as_ref(), &released, answer.as_deref(), now));
                }
                first += one.entries.len() as u64;
            }
            notes
        };
        let appended = self.append_to(log, entries, also).await?;
        Ok(appended.first)
    }

    /// Appends entries to an own log, with cells that change in the same commit and the time at which they were
    /// first seen here, and tells the engine and waiting peers.
    pub(super) async fn append_to(
        &self,
        log: &OwnLog,
        entries: Vec<Vec<u8>>,
        also: impl FnOnce(&Appended) -> Vec<Swap> + Send,
    ) -> Result<Appended, ReleaseError> {
        let chain = self.own_chain();
        if log.root != chain.latest().version {
            // A root was published since: what it lists signs only after the log has moved to it.
            return Err(ReleaseError::Changed);
        }
        let origin = log.origin.to_string();
        let signer = self.identity().key(Role::Log, chain.latest())?.signer_named(&origin)?;
        let prefix = federate::places::own(&log.origin);
        let count = entries.len() as u64;
        let here = clock::seconds();
        let with_here = |appended: &Appended| {
            let mut swaps = also(appended);
            let size = appended.checkpoint.checkpoint.size;
            swaps.push(crate::index_source::here_cell(&log.origin, size, here));
            // It can be shown to us as soon as it is published, which is before this is done.
            self.tell(Input::Appending(log.origin.clone(), Box::new(appended.checkpoint.clone())));
            swaps
        };
        let appended = self.writer.append_with(&origin, &prefix, entries, with_here, &signer).await;
        let appended = match appended {
            Ok(appended) => appended,
            Err(error) => self.known(&origin, &prefix, count, error).await?,
        };
        self.metrics.released.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
        self.tell_engine_of_own_log(log, Some(appended.checkpoint.clone())).await;
        self.tell_news();
        Ok(appended)
    }

    /// What an append did whose answer is an error: the entries may be in the log all the same.
    async fn known(
        &self,
        origin: &str,
        prefix: &str,
        count: u64,
        error: LogError,
    ) -> Result<Appended, ReleaseError> {
        match error {
            LogError::Conflict { .. } => Err(ReleaseError::Changed),
            // What is left to be written is written by opening the log, now or at the next append.
            LogError::NotPublished { appended, source, .. } => {
                tracing::error!(%source, origin, "released, and not yet published");
                if let Err(error) = self.writer.open(origin, prefix).await {
                    tracing::error!(%error, origin, "it is published at the next release or start");
                }
                Ok(*appended)
            }
            LogError::CommitUnknown { size, .. } => match self.writer.open(origin, prefix).await {
                // Nobody else appends to it.
                Ok(Some(head)) if head.checkpoint.size == size => Ok(placed(head, count)),
                _ => Err(error.into()),
            },
            error => Err(error.into()),
        }
    }
}

fn placed(head: SignedCheckpoint, count: u64) -> Appended {
    Appended { first: head.checkpoint.size - count, checkpoint: head }
}

impl Committed {
    fn take(&mut self, mut first: u64, prepared: Vec<Prepared>) {
        for Prepared { entries, ending, caller } in prepared {
            let released = released(&self.origin, first, &entries);
            first += entries.len() as u64;
            let before = ending.key.as_ref().and_then(|(_, before)| before.as_ref());
            let answer = if ending.last { (ending.answer)(&all(before, &released)) } else { Vec::new() };
            let done = Done { released, answer, last: ending.last, index_behind: false };
            self.callers.push((done, caller));
        }
    }
}

/// What an act released in all its commits.
fn all(before: Option<&Begun>, now: &[Released]) -> Vec<Released> {
    before.into_iter().flat_map(|begun| &begun.released).chain(now).cloned().collect()
}

fn released(origin: &Origin, first: u64, entries: &[Entry]) -> Vec<Released> {
    let place = |(entry, index): (&Entry, u64)| Released {
        name: entry.name.to_hex(),
        origin: origin.clone(),
        index,
        id: entry.id,
        kind: entry.kind.clone(),
        index_behind: false,
    };
    entries.iter().zip(first..).map(place).collect()
}

fn tell_all(error: ReleaseError, mut callers: Vec<Caller>) {
    if callers.len() == 1 {
        if let Some(caller) = callers.pop() {
            let _ = caller.send(Err(error));
        }
        return;
    }
    let error = Arc::new(error);
    for caller in callers {
        let _ = caller.send(Err(ReleaseError::Together(Arc::clone(&error))));
    }
}
