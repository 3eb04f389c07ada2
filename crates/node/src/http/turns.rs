//! How many pages are made at the same time: some of everybody together, fewer of one source. Who asks for heavy pages again
//! and again waits for its own, and others only for the few that are being made. It makes none itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use edge::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pages being made at the same time.
const OF_ALL: usize = 8;
/// Of them, those of one source, and of the wider block around it.
const OF_ONE: usize = 2;
const AROUND: usize = 4;
/// Of them, those that read very many figures or compute long: whoever asks for others does not wait behind them.
const HEAVY: usize = 3;
/// Where such pages are.
const HEAVY_PAGES: [&str; 5] =
    ["/signals", "/scenario", "/situation/compare", "/situation/differences", "/situation/totals"];
/// How long a page waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request whose turn was awaited already.
#[derive(Debug, Clone, Copy)]
pub struct HasTurn;

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
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
    of_one: Shares,
    around: Shares,
}

/// Of each source the turns that it may have at the same time.
type Shares = Mutex<HashMap<Source, Weak<Semaphore>>>;

impl Default for Turns {
    fn default() -> Self {
        let (all, heavy) = (Arc::new(Semaphore::new(OF_ALL)), Arc::new(Semaphore::new(HEAVY)));
        Self { all, heavy, of_one: Mutex::default(), around: Mutex::default() }
    }
}

/// A turn that is taken until this is dropped.
#[derive(Debug)]
pub struct Turn {
    _of_all: OwnedSemaphorePermit,
    _of_one: Option<OwnedSemaphorePermit>,
    _around: Option<OwnedSemaphorePermit>,
    _heavy: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn; `None` if it does not come in time. This machine itself waits for the others alone.
    pub async fn take(&self, source: Source, is_heavy: bool) -> Option<Turn> {
        let turn = async {
            let of_one = match source {
                Source::Here => None,
                _ => Some(share(&self.of_one, source, OF_ONE).acquire_owned().await.ok()?),
            };
            let around = match source {
                Source::Block(block) => {
                    let around = Source::Block(block.around());
                    Some(share(&self.around, around, AROUND).acquire_owned().await.ok()?)
                }
                _ => None,
            };
            let heavy =
                if is_heavy { Some(Arc::clone(&self.heavy).acquire_owned().await.ok()?) } else { None };
            let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Turn { _of_all: of_all, _of_one: of_one, _around: around, _heavy: heavy })
        };
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten()
    }
}

fn share(shares: &Shares, source: Source, most: usize) -> Arc<Semaphore> {
    let mut shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = shares.get(&source).and_then(Weak::upgrade) {
        return known;
    }
    // Whoever waits for nothing any more is forgotten.
    shares.retain(|_, waiting| waiting.strong_count() > 0);
    let new = Arc::new(Semaphore::new(most));
    shares.insert(source, Arc::downgrade(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_source_with_any_number_of_pages_leaves_turns_to_the_others() {
        let turns = Arc::new(Turns::default());
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
        assert_eq!(turns.of_one.lock().unwrap().len(), 1, "who waits for nothing is forgotten");
    }

    #[tokio::test]
    async fn a_block_of_many_addresses_leaves_turns_to_the_others() {
        let turns = Arc::new(Turns::default());
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
        let turns = Arc::new(Turns::default());
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
}
