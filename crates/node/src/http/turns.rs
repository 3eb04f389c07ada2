//! How many pages are made at the same time: some of everybody together, fewer of one source. Who asks for heavy pages again
//! and again waits for its own, and others only for the few that are being made. It makes none itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use edge::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pages being made at the same time.
const OF_ALL: usize = 8;
/// Of them, those of one source.
const OF_ONE: usize = 2;
/// How long a page waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whose turn it is.
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    of_one: Mutex<HashMap<Source, Weak<Semaphore>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(OF_ALL)), of_one: Mutex::default() }
    }
}

/// A turn that is taken until this is dropped.
#[derive(Debug)]
pub struct Turn {
    _of_all: OwnedSemaphorePermit,
    _of_one: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn; `None` if it does not come in time. This machine itself waits for the others alone.
    pub async fn take(&self, source: Source) -> Option<Turn> {
        let turn = async {
            let of_one = match source {
                Source::Here => None,
                _ => Some(self.of(source).acquire_owned().await.ok()?),
            };
            Some(Turn { _of_all: Arc::clone(&self.all).acquire_owned().await.ok()?, _of_one: of_one })
        };
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten()
    }

    fn of(&self, source: Source) -> Arc<Semaphore> {
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = of_one.get(&source).and_then(Weak::upgrade) {
            return known;
        }
        // Whoever waits for nothing any more is forgotten.
        of_one.retain(|_, waiting| waiting.strong_count() > 0);
        let new = Arc::new(Semaphore::new(OF_ONE));
        of_one.insert(source, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_source_with_any_number_of_pages_leaves_turns_to_the_others() {
        let turns = Arc::new(Turns::default());
        let of = |text: &str| Source::Block(edge::Block::of(text.parse().unwrap()));
        let held = [turns.take(of("192.0.2.1")).await, turns.take(of("192.0.2.1")).await];
        assert!(held.iter().all(Option::is_some));
        let waiting = tokio::spawn({
            let (turns, source) = (turns.clone(), of("192.0.2.1"));
            async move { turns.take(source).await.is_some() }
        });
        assert!(turns.take(of("192.0.2.2")).await.is_some(), "at once");
        assert!(turns.take(Source::Here).await.is_some());
        drop(held);
        assert!(waiting.await.unwrap(), "its own turn comes");
        assert!(turns.take(of("192.0.2.3")).await.is_some());
        assert_eq!(turns.of_one.lock().unwrap().len(), 1, "who waits for nothing is forgotten");
    }
}
