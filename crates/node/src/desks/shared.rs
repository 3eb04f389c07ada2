//! What was read of the index for one page, given to whoever asks the same of it with other parameters, until the index changes.
//!
//! So whoever varies a number of an analysis pays with computing, and not with reading all figures again. Of the public face
//! alone: nothing of the inside face is ever kept here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use store::db::DbError;

use super::situation::query::Scope;
use super::{scenario, signals, situation};
use crate::asof::AsOf;
use crate::face::Face;
use crate::index::Index;

/// The most that is kept of a kind: so many things read, of so many rows together (about 100 bytes each).
const MOST: usize = 16;
const MOST_ROWS: usize = if cfg!(test) { 1_000 } else { 200_000 };

/// What has a size.
pub trait Rows {
    /// Rows in memory, about.
    fn rows(&self) -> usize;
}

impl Rows for Vec<String> {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl<T: Rows> Rows for Option<T> {
    fn rows(&self) -> usize {
        self.as_ref().map_or(1, Rows::rows)
    }
}

/// What is read for pages, each kind apart.
#[derive(Default)]
pub struct Reads {
    /// The series that signals are looked for in.
    pub signals: Shared<signals::list::Stated>,
    /// What authorities state differently.
    pub differences: Shared<situation::differences::Differences>,
    /// One figure of each country.
    pub totals: Shared<situation::totals::Basis>,
    /// Places of which an indicator is stated.
    pub places: Shared<Vec<String>>,
    /// A place, by the indicator and the group that are shown.
    pub place: Shared<situation::place::Place>,
    /// Places that are compared, each apart.
    pub compared: Shared<situation::compare::Compared>,
    /// What scenarios begin with.
    pub scenarios: Shared<Option<scenario::pages::Reported>>,
}

/// What a thing read depends on besides the index: as of when, of which status, and what of it.
type Key = (AsOf, String, Vec<String>);
/// One at a time reads it; whoever waits for it takes it, unless it was begun before a change that they know.
type Place<V> = Arc<tokio::sync::Mutex<Option<(u64, Arc<V>)>>>;

struct Kept<V> {
    key: Key,
    place: Place<V>,
    rows: usize,
}

/// Things of one kind, those first that were read first.
pub struct Shared<V>(Mutex<VecDeque<Kept<V>>>);

impl<V> Default for Shared<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Rows> Shared<V> {
    async fn read(
        &self,
        key: Key,
        changes: impl Fn() -> u64,
        read: impl Future<Output = Result<V, DbError>>,
    ) -> Result<Arc<V>, DbError> {
        let came = changes();
        let place = self.place(key);
        let mut here = place.lock().await;
        if let Some((_, known)) = here.as_ref().filter(|(before, _)| *before >= came) {
            return Ok(Arc::clone(known));
        }
        // The old one goes before the new one comes.
        *here = None;
        let before = changes();
        let found = Arc::new(read.await?);
        *here = Some((before, Arc::clone(&found)));
        self.keep(&place, found.rows());
        Ok(found)
    }

    fn place(&self, key: Key) -> Place<V> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().find(|known| known.key == key) {
            return Arc::clone(&known.place);
        }
        if kept.len() >= MOST {
            kept.pop_front();
        }
        let place = Place::default();
        kept.push_back(Kept { key, place: Arc::clone(&place), rows: 0 });
        place
    }

    /// It has so many rows: what was read first goes, until all have no more than may be kept.
    fn keep(&self, place: &Place<V>, rows: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter_mut().find(|known| Arc::ptr_eq(&known.place, place)) {
            known.rows = rows;
        }
        while kept.iter().map(|known| known.rows).sum::<usize>() > MOST_ROWS {
            kept.pop_front();
        }
    }
}

/// How a page reads: sharing what others read, or for itself alone.
#[derive(Clone, Copy)]
pub struct Share<'a>(Option<(&'a Reads, &'a Index)>);

impl<'a> Share<'a> {
    /// What a face may share.
    pub fn of(face: Face, reads: &'a Reads, index: &'a Index) -> Self {
        Self((face == Face::Public).then_some((reads, index)))
    }

    /// Nothing is shared.
    #[cfg(test)]
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// Reads `what` of a kind, unless it is here.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn read<V: Rows>(
        self,
        kind: fn(&Reads) -> &Shared<V>,
        scope: Scope<'_>,
        what: &[&str],
        read: impl Future<Output = Result<V, DbError>>,
    ) -> Result<Arc<V>, DbError> {
        let Some((reads, index)) = self.0 else { return read.await.map(Arc::new) };
        let what = what.iter().map(|part| (*part).to_owned()).collect();
        let key = (scope.as_of, scope.status.to_owned(), what);
        kind(reads).read(key, || index.changes(), read).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    #[derive(Default)]
    struct Desk {
        shared: Shared<Vec<String>>,
        index: AtomicU64,
        reads: AtomicUsize,
    }

    impl Desk {
        async fn ask(&self, what: &str, rows: usize) -> Arc<Vec<String>> {
            let key = (AsOf::default(), "actual".to_owned(), vec![what.to_owned()]);
            let read = async {
                let index = self.index.load(Ordering::SeqCst);
                self.reads.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(vec![format!("{what} at {index}"); rows])
            };
            self.shared.read(key, || self.index.load(Ordering::SeqCst), read).await.unwrap()
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn the_same_is_read_once_until_the_index_changes() {
        let desk = Desk::default();
        let asked = futures::future::join_all((0..20).map(|_| desk.ask("cases", 3))).await;
        assert!(asked.iter().all(|one| one[0] == "cases at 0"));
        assert_eq!(desk.reads(), 1);
        desk.ask("deaths", 3).await;
        assert_eq!(desk.reads(), 2);
        desk.index.fetch_add(1, Ordering::SeqCst);
        assert_eq!(desk.ask("cases", 3).await[0], "cases at 1");
    }

    #[tokio::test]
    async fn nobody_gets_what_was_begun_before_a_change_that_they_know() {
        let desk = Desk::default();
        let late = async {
            desk.index.fetch_add(1, Ordering::SeqCst);
            desk.ask("cases", 1).await
        };
        let (early, late) = futures::join!(desk.ask("cases", 1), late);
        assert_eq!((&*early[0], &*late[0]), ("cases at 0", "cases at 1"));
    }

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for() {
        let desk = Desk::default();
        for n in 0..100 {
            desk.ask(&n.to_string(), 1).await;
        }
        assert_eq!(desk.shared.0.lock().unwrap().len(), MOST);
        desk.ask("large", MOST_ROWS - 1).await;
        desk.ask("large", MOST_ROWS - 1).await;
        assert_eq!(desk.reads(), 101, "it is kept, and the others gave way");
        desk.ask("too large", MOST_ROWS + 1).await;
        assert!(desk.shared.0.lock().unwrap().is_empty());
    }
}
