//! Giving a desk a large file: a piece at a time, each in a turn of its own, so that what others released gets into the
//! index between them.
//!
//! One large file at a time is in memory. It writes nothing of the core's tables.

use record::{Header, Record};
use tokio::sync::mpsc;

use super::Content;
use super::again::Place;
use super::follow::Follower;
use super::opening::working;
use super::{Index, IndexError, IndexedEntry};
use crate::desks::{Loaded, Loading};
use crate::index::take::Standing;

/// A file above this many bytes waits until no other such file is in memory.
pub(super) const LARGE: u64 = 1 << 20;

/// An index that was made anew took the place of the one that pieces were put into: those are gone with it.
#[derive(Debug)]
pub(super) struct Replaced;

impl Follower<'_> {
    /// Gives the desks a large file of a record, which stands at a place as `standing` says. `None` if no desk takes it in
    /// pieces.
    pub(super) async fn load(
        &self,
        place: Place<'_>,
        (record, header): (&Record, &Header),
        standing: Standing,
        content: &Content,
    ) -> Result<Result<Option<Loaded>, Replaced>, IndexError> {
        let Some(mut loading) = Loading::of(header, content) else { return Ok(Ok(None)) };
        let built = self.index.built();
        let table = loading.table();
        let checked = working(usize::MAX, move || table.check()).await;
        if checked.is_err() {
            return Ok(Ok(Some(loading.loaded(checked))));
        }
        let name = record.name().to_hex();
        let entry = standing.entry(place, record, &name, header);
        match self.put_in_pieces(&mut loading, &entry, built).await {
            Ok(Ok(())) => Ok(Ok(Some(loading.loaded(checked)))),
            // What was put is gone with the index that it was put into.
            Ok(Err(replaced)) => Ok(Err(replaced)),
            Err(error) => {
                let writer = self.writer().await;
                // Another index has other numbers: there it would be somebody else's.
                if self.index.built() == built {
                    let mut tx = writer.index.db().begin().await?;
                    loading.loaded(checked).discard(&mut tx).await?;
                    tx.commit().await?;
                }
                Err(error)
            }
        }
    }

    async fn put_in_pieces(
        &self,
        loading: &mut Loading,
        entry: &IndexedEntry<'_>,
        built: u64,
    ) -> Result<Result<(), Replaced>, IndexError> {
        let (sender, mut pieces) = mpsc::channel(1);
        let table = loading.table();
        let reading = tokio::task::spawn_blocking(move || {
            table.pieces(|piece| sender.blocking_send(piece).is_ok());
        });
        while let Some(piece) = pieces.recv().await {
            let writer = self.writer().await;
            if self.index.built() != built {
                return Ok(Err(Replaced));
            }
            let mut tx = writer.index.db().begin().await?;
            loading.put(&mut tx, entry, piece).await?;
            tx.commit().await?;
        }
        // It has given its last piece.
        let _ = reading.await;
        for part in loading.parts() {
            let writer = self.writer().await;
            if self.index.built() != built {
                return Ok(Err(Replaced));
            }
            let mut tx = writer.index.db().begin().await?;
            loading.mark(&mut tx, part).await?;
            tx.commit().await?;
        }
        Ok(Ok(()))
    }
}

impl Index {
    /// How often this index was replaced by one that was made anew.
    pub(super) fn built(&self) -> u64 {
        self.built.load(std::sync::atomic::Ordering::SeqCst)
    }
}
