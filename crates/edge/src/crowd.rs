//! Who gives way when all places are taken, or when what is half received takes too much memory.
//!
//! One rule for both. Whoever has the most goes first: the network (an IPv4 /24, an IPv6 /48) that holds the most, of it the block
//! that does, and of that what has been still for longest. Networks that hold little are alike: among them the stillest goes.
//! What waits for a request goes before what is being answered. So whoever holds thousands of places half open pays with those,
//! and somebody who asks and is answered beside it does not.
//!
//! It closes nothing: whoever has to go is told by its [`Gone`], and its place is free at once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::places::Most;
use crate::source::Block;

/// Networks that hold at most so many places are alike: a household, or an office with some browsers.
const FEW: u64 = 8;
/// And those that hold at most so many bytes: some forms.
const LITTLE: u64 = 256 << 10;
/// Of all places, or bytes, this part is freed at a time: who goes is found by looking at everybody.
const PART: usize = 64;

/// How much there is for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Places.
    pub most: Most,
    /// Bytes of what is being received, over all places.
    pub bytes: u64,
}

/// Everybody who has a place.
#[derive(Debug)]
pub struct Crowd {
    room: Room,
    opened: Instant,
    taken: Mutex<Taken>,
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Taken {
    seats: HashMap<u64, Held>,
    next: u64,
    strangers: usize,
    of_block: HashMap<Block, usize>,
    around: HashMap<Block, usize>,
}

#[derive(Debug)]
struct Held {
    block: Option<Block>,
    state: Arc<State>,
    tell: oneshot::Sender<()>,
}

/// What whoever has a place does with it.
#[derive(Debug, Default)]
struct State {
    /// When anything moved last, in milliseconds since the crowd's beginning.
    moved: AtomicU64,
    bytes: AtomicU64,
    is_answered: AtomicBool,
    stays: AtomicBool,
}

/// A place that is taken until this is dropped, or until its [`Gone`] is told.
#[derive(Debug)]
pub struct Seat {
    crowd: Arc<Crowd>,
    number: u64,
    state: Arc<State>,
}

/// Hears whether a place has to be given up.
#[derive(Debug)]
pub struct Gone(oneshot::Receiver<()>);

impl Gone {
    /// Waits until the place has to be given up; false if it was left before.
    pub async fn is_told(&mut self) -> bool {
        (&mut self.0).await.is_ok()
    }
}

impl Crowd {
    /// Nobody is there.
    pub fn new(room: Room, now: Instant) -> Arc<Self> {
        Arc::new(Self { room, opened: now, taken: Mutex::default(), bytes: AtomicU64::new(0) })
    }

    /// Takes a place; none beyond the share of a block and of the one around it. Whoever is trusted has no block and no share.
    /// Strangers leave an eighth of all places to them, and they an eighth to strangers; neither pushes out the other, and
    /// nothing of those who are trusted goes while it is being answered.
    pub fn enter(self: &Arc<Self>, block: Option<Block>, now: Instant) -> Option<(Seat, Gone)> {
        let mut taken = self.lock();
        if taken.has_its_share(block, self.room.most) {
            return None;
        }
        if taken.is_full(block.is_some(), self.room.most.all) {
            let alike = |held: &Held| held.block.is_some() == block.is_some();
            let going = in_order(taken.candidates(alike, |_| 1), FEW);
            if going.is_empty() {
                return None;
            }
            // Few of those there are, so that whoever has just come is not among them.
            let at_a_time = (self.room.most.all / PART).min(going.len() / 8).max(1);
            for one in going.iter().take(at_a_time) {
                self.put_out(&mut taken, one.number);
            }
        }
        let state = Arc::new(State { moved: AtomicU64::new(self.at(now)), ..State::default() });
        let (tell, told) = oneshot::channel();
        let number = taken.take(Held { block, state: Arc::clone(&state), tell });
        Some((Seat { crowd: Arc::clone(self), number, state }, Gone(told)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().seats.len()
    }

    /// Frees bytes until there is some room again.
    fn free_bytes(&self) {
        let mut taken = self.lock();
        let most = self.room.bytes - self.room.bytes / PART as u64;
        // Somebody may have done it meanwhile.
        if self.bytes.load(Ordering::Acquire) <= self.room.bytes {
            return;
        }
        let bytes = |state: &State| state.bytes.load(Ordering::Relaxed);
        for one in in_order(taken.candidates(|_| true, bytes), LITTLE) {
            if self.bytes.load(Ordering::Acquire) <= most {
                break;
            }
            self.put_out(&mut taken, one.number);
        }
    }

    fn put_out(&self, taken: &mut Taken, number: u64) {
        if let Some(held) = taken.leave(number) {
            self.forget_bytes(&held.state);
            // Whoever is gone already does not hear it.
            let _ = held.tell.send(());
        }
    }

    fn forget_bytes(&self, state: &State) {
        self.bytes.fetch_sub(state.bytes.swap(0, Ordering::AcqRel), Ordering::AcqRel);
    }

    fn at(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.opened).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Each change is whole: whoever panicked left it so.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Something came or went.
    pub fn moved(&self, now: Instant) {
        self.state.moved.store(self.crowd.at(now), Ordering::Relaxed);
    }

    /// So many bytes that were received are held now. If that is too much of all together, somebody has to go.
    pub fn holds(&self, bytes: u64) {
        // Added first: what all hold is never less than what each of them does.
        let before = self.crowd.bytes.fetch_add(bytes, Ordering::AcqRel);
        let own = self.state.bytes.swap(bytes, Ordering::AcqRel);
        self.crowd.bytes.fetch_sub(own, Ordering::AcqRel);
        if (before + bytes).saturating_sub(own) > self.crowd.room.bytes {
            self.crowd.free_bytes();
        }
    }

    /// Whether a request is being answered.
    pub fn is_answered(&self, is_answered: bool) {
        self.state.is_answered.store(is_answered, Ordering::Relaxed);
    }

    /// From now on it is never asked to go.
    pub fn stays(&self) {
        self.state.stays.store(true, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let left = self.crowd.lock().leave(self.number);
        self.crowd.forget_bytes(&self.state);
        drop(left);
    }
}

impl Taken {
    fn has_its_share(&self, block: Option<Block>, most: Most) -> bool {
        let of = |map: &HashMap<Block, usize>, block: Block| map.get(&block).copied().unwrap_or(0);
        block.is_some_and(|block| {
            of(&self.of_block, block) >= most.of_block || of(&self.around, block.around()) >= most.around
        })
    }

    fn is_full(&self, is_stranger: bool, all: usize) -> bool {
        let alike = if is_stranger { self.strangers } else { self.seats.len() - self.strangers };
        self.seats.len() >= all || alike >= all - all / 8
    }

    fn take(&mut self, held: Held) -> u64 {
        if let Some(block) = held.block {
            self.strangers += 1;
            *self.of_block.entry(block).or_default() += 1;
            *self.around.entry(block.around()).or_default() += 1;
        }
        self.next += 1;
        self.seats.insert(self.next, held);
        self.next
    }

    fn leave(&mut self, number: u64) -> Option<Held> {
        let held = self.seats.remove(&number)?;
        if let Some(block) = held.block {
            self.strangers -= 1;
            one_less(&mut self.of_block, block);
            one_less(&mut self.around, block.around());
        }
        Some(held)
    }

    fn candidates(&self, is_asked: impl Fn(&Held) -> bool, weight: impl Fn(&State) -> u64) -> Vec<Candidate> {
        let asked = self.seats.iter().filter(|(_, held)| is_asked(held));
        let all = asked.filter_map(|(number, held)| {
            let state = &held.state;
            let is_answered = state.is_answered.load(Ordering::Relaxed);
            let must_stay = state.stays.load(Ordering::Relaxed) || (is_answered && held.block.is_none());
            let weight = weight(state);
            let moved = state.moved.load(Ordering::Relaxed);
            let number = *number;
            let candidate = Candidate { number, block: held.block, is_answered, moved, weight, held: 0 };
            (!must_stay && weight > 0).then_some(candidate)
        });
        all.collect()
    }
}

/// Who has none any more is forgotten.
fn one_less(map: &mut HashMap<Block, usize>, block: Block) {
    if let Some(count) = map.get_mut(&block) {
        *count -= 1;
        if *count == 0 {
            map.remove(&block);
        }
    }
}

#[derive(Debug)]
struct Candidate {
    number: u64,
    block: Option<Block>,
    is_answered: bool,
    moved: u64,
    weight: u64,
    /// What its block, then its network holds without those of it that go before.
    held: u64,
}

/// Those who go first first. Each is put down with what its network would still hold when it goes, so that taking them in this
/// order makes the largest holding smaller, until all are alike.
fn in_order(mut all: Vec<Candidate>, little: u64) -> Vec<Candidate> {
    all.sort_unstable_by_key(|one| (Reverse(one.is_answered), Reverse((one.moved, one.number))));
    add_up(&mut all, |block| block);
    all.sort_unstable_by_key(|one| (one.held, Reverse(one.is_answered), Reverse((one.moved, one.number))));
    add_up(&mut all, Block::around);
    all.sort_unstable_by_key(|one| (Reverse(one.held.max(little)), one.is_answered, one.moved, one.number));
    all
}

fn add_up(all: &mut [Candidate], whose: impl Fn(Block) -> Block) {
    let mut sums: HashMap<Block, u64> = HashMap::new();
    for one in all {
        one.held = one.weight;
        if let Some(block) = one.block {
            let sum = sums.entry(whose(block)).or_default();
            *sum += one.weight;
            one.held = *sum;
        }
    }
}

#[cfg(test)]
mod tests;
