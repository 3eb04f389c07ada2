//! Several servers on one set of cells and files.

use super::{ORIGIN, PREFIX, signer};
use std::sync::Arc;
use store::lease::{Lease, LeaseError};
use store::{Cells, CellsError, Files, Guard, LogError, LogWriter, MemoryFiles};

struct Server {
    lease: Lease,
    cells: Arc<dyn Cells>,
    writer: LogWriter,
}

fn server(name: &str, cells: &Arc<dyn Cells>, files: &Arc<dyn Files>, guard: &Guard) -> Server {
    let lease = Lease::new(Arc::clone(cells), name, 10);
    let cells = lease.fenced();
    let writer = LogWriter::new(Arc::clone(&cells), Arc::clone(files), guard.clone());
    Server { lease, cells, writer }
}

impl Server {
    async fn leads(&self, now: u64) -> bool {
        self.lease.is_ours(&self.lease.acquire(now, u128::from(now)).await.unwrap())
    }

    async fn append(&self, entry: &str) -> Result<u64, LogError> {
        let entries = vec![entry.as_bytes().to_vec()];
        Ok(self.writer.append(ORIGIN, PREFIX, entries, &signer()).await?.first)
    }
}

pub async fn all(cells: Arc<dyn Cells>) {
    let files: Arc<dyn Files> = Arc::new(MemoryFiles::durable());
    let guard = Guard::memory();
    let (one, two) = (server("one", &cells, &files, &guard), server("two", &cells, &files, &guard));

    // Who comes first leads; the other one changes nothing.
    assert!(one.leads(100).await && !two.leads(100).await);
    assert_eq!(one.append("first").await.unwrap(), 0);
    let refused = two.append("not this").await;
    assert!(matches!(refused, Err(LogError::LostHead { .. })), "{refused:?}");
    assert!(two.cells.swap("x", "y", None, Some(vec![1])).await.is_err());

    // It leads as long as it says so in time.
    assert!(one.leads(108).await && !two.leads(117).await);
    assert_eq!(one.append("second").await.unwrap(), 1);

    // One that slept through its lease is fenced off, also before it has noticed.
    assert!(two.leads(119).await);
    assert_eq!(two.append("third").await.unwrap(), 2);
    assert!(one.append("not this either").await.is_err());
    assert!(matches!(one.cells.swap("x", "y", None, Some(vec![1])).await, Err(CellsError::NotLeading)));
    assert!(matches!(one.lease.acquire(119, 1).await, Err(LeaseError::Lost)));

    // Started again, it stands by, and leads as soon as the other one gives up.
    let one = server("one", &cells, &files, &guard);
    assert!(!one.leads(120).await);
    two.lease.release().await.unwrap();
    assert!(one.leads(121).await);
    assert_eq!(one.append("fourth").await.unwrap(), 3);
    assert!(two.append("nor this").await.is_err());

    // A server that was killed takes its own lease up again at once.
    let one = server("one", &cells, &files, &guard);
    assert!(one.leads(122).await);
    assert_eq!(one.append("fifth").await.unwrap(), 4);
    let entries = one.writer.reader(ORIGIN, PREFIX).await.unwrap().read_entries(0..5).await.unwrap();
    assert_eq!(entries, [&b"first"[..], b"second", b"third", b"fourth", b"fifth"]);
}
