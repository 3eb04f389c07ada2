//! Turns for making pages: some of everybody together, fewer of one source, and who used the least of late goes first ([`queue`]).
//! Who asks for slow pages again and again waits for its own, and others only for those that are being made. It makes none itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use edge::Source;
use tokio::sync::oneshot;

use queue::{Asked, Queue};

mod queue;
mod used;

/// Where pages are that read very many figures or compute long.
const HEAVY_PAGES: [&str; 5] =
    ["/signals", "/scenario", "/situation/compare", "/situation/differences", "/situation/totals"];
/// How long a page waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

/// The turn of a request, for whatever goes on when its asker has gone: a computation that nothing stops keeps it to its end.
#[derive(Debug, Clone, Default)]
pub struct HeldTurn(Arc<Mutex<Weak<Turn>>>);

impl HeldTurn {
    /// It has this turn, as long as the answer lives.
    pub fn by(&self, turn: Turn) -> Arc<Turn> {
        let turn = Arc::new(turn);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&turn);
        turn
    }

    /// The turn, to be kept; `None` if this request has none.
    pub fn keep(&self) -> Option<Arc<Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}

/// Whose turn a request takes.
pub fn source(request: &Request) -> Source {
    request.extensions().get::<Source>().copied().unwrap_or(Source::Unreadable)
}

/// Whether a request is for a page that takes long.
pub fn is_heavy(request: &Request) -> bool {
    let path = request.uri().path();
    HEAVY_PAGES.iter().any(|page| path.starts_with(page))
}

/// What is said to whoever waited in vain.
pub fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response()
}

/// Whose turn it is.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// How those who wait are told, by their numbers.
    tell: HashMap<u64, oneshot::Sender<Turn>>,
}

/// A turn that is taken until this is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    asked: Asked,
}

/// Somebody who waits until this is dropped.
struct Waiting<'t> {
    turns: &'t Turns,
    number: u64,
}

impl Turns {
    /// Waits for a turn; `None` if it does not come in time, or if too many wait before it.
    pub async fn take(&self, source: Source, is_heavy: bool) -> Option<Turn> {
        let (tell, told) = oneshot::channel();
        let _waiting = self.come(source, is_heavy, tell);
        self.hand_out();
        self.shed();
        tokio::time::timeout(PATIENCE, told).await.ok()?.ok()
    }

    fn come(&self, source: Source, is_heavy: bool, tell: oneshot::Sender<Turn>) -> Waiting<'_> {
        self.change(|state| {
            let number = state.queue.come(source, is_heavy, Instant::now());
            state.tell.insert(number, tell);
            Waiting { turns: self, number }
        })
    }

    /// Whoever is one too many is told nothing any more, and so has waited in vain.
    fn shed(&self) {
        self.change(|state| {
            while let Some(last) = state.queue.shed(Instant::now()) {
                state.tell.remove(&last);
            }
        });
    }

    /// Gives turns to all whose turn it is.
    fn hand_out(&self) {
        let begun = self.change(|state| {
            let mut begun = Vec::new();
            while let Some((number, asked)) = state.queue.begin(Instant::now()) {
                begun.push((state.tell.remove(&number), Turn { turns: self.clone(), asked }));
            }
            begun
        });
        for (tell, turn) in begun {
            // Whoever has gone meanwhile gives its turn to the next one.
            drop(tell.map(|tell| tell.send(turn)));
        }
    }

    fn change<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        // Each change is whole: whoever panicked left it so.
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.change(|state| state.queue.end(self.asked, Instant::now()));
        self.turns.hand_out();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turns.change(|state| {
            state.queue.leave(self.number);
            state.tell.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::queue::{AROUND, HEAVY, OF_ALL, WAITING};
    use super::*;

    #[tokio::test]
    async fn one_source_with_any_number_of_pages_leaves_turns_to_the_others() {
        let turns = Turns::default();
        let of = |text: &str| Source::Block(edge::Block::of(text.parse().unwrap()));
        let held = [turns.take(of("192.0.2.1"), false).await, turns.take(of("192.0.2.1"), false).await];
        assert!(held.iter().all(Option::is_some));
        let waiting = tokio::spawn({
            let (turns, source) = (turns.clone(), of("192.0.2.1"));
            async move { turns.take(source, false).await.is_some() }
        });
        assert!(turns.take(of("192.0.2.2"), false).await.is_some(), "at once");
        assert!(turns.take(Source::Here, false).await.is_some());
        drop(held);
        assert!(waiting.await.unwrap(), "its own turn comes");
        assert!(turns.take(of("192.0.2.3"), false).await.is_some());
        assert!(turns.0.lock().unwrap().tell.is_empty(), "who waits for nothing is forgotten");
    }

    #[tokio::test]
    async fn a_block_of_many_addresses_leaves_turns_to_the_others() {
        let turns = Turns::default();
        let of = |text: String| Source::Block(edge::Block::of(text.parse().unwrap()));
        let mut held = Vec::new();
        for n in 0..AROUND {
            held.push(turns.take(of(format!("192.0.2.{n}")), false).await.expect("a turn"));
        }
        let crowd: Vec<_> = (0..40)
            .map(|n| {
                let (turns, source) = (turns.clone(), of(format!("192.0.2.{}", 100 + n)));
                tokio::spawn(async move { turns.take(source, false).await.is_some() })
            })
            .collect();
        tokio::task::yield_now().await;
        for n in 0..OF_ALL - AROUND {
            held.push(turns.take(of(format!("198.51.{n}.1")), false).await.expect("at once"));
        }
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// From any number of networks, so that none has its share yet.
    #[tokio::test]
    async fn a_crowd_that_asks_for_heavy_pages_leaves_turns_to_who_asks_for_others() {
        let turns = Turns::default();
        let of = |text: String| Source::Block(edge::Block::of(text.parse().unwrap()));
        let mut held = Vec::new();
        for n in 0..HEAVY {
            held.push(turns.take(of(format!("198.{n}.0.1")), true).await.expect("a turn"));
        }
        let crowd: Vec<_> = (0..40)
            .map(|n| {
                let (turns, source) = (turns.clone(), of(format!("203.{n}.0.1")));
                tokio::spawn(async move { turns.take(source, true).await.is_some() })
            })
            .collect();
        tokio::task::yield_now().await;
        for n in 0..OF_ALL - HEAVY {
            held.push(turns.take(of(format!("192.{n}.0.1")), false).await.expect("at once"));
        }
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn who_is_one_too_many_hears_so_at_once() {
        let turns = Turns::default();
        let of = |n: usize| Source::Block(edge::Block::of(format!("192.0.2.{n}").parse().unwrap()));
        let _held = [turns.take(of(1), false).await, turns.take(of(1), false).await];
        let crowd: Vec<_> = (0..WAITING)
            .map(|_| {
                let (turns, source) = (turns.clone(), of(1));
                tokio::spawn(async move { turns.take(source, false).await.is_some() })
            })
            .collect();
        while turns.0.lock().unwrap().tell.len() < WAITING {
            tokio::task::yield_now().await;
        }
        assert!(turns.take(of(1), false).await.is_none(), "without waiting");
        assert!(turns.take(of(2), false).await.is_some(), "somebody else is no part of it");
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
