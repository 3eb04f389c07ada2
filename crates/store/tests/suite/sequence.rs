//! Several servers on one set of cells and files.

use super::{ORIGIN, PREFIX, signer};
use std::sync::Arc;
use store::sequence::{Lease, Queue, Request, SequenceError, Sequencer, Step};
use store::{Cells, Files, Guard, LogWriter, MemoryFiles};

struct Server {
    queue: Queue,
    sequencer: Sequencer,
}

fn server(name: &str, cells: &Arc<dyn Cells>, files: &Arc<dyn Files>, guard: &Guard) -> Server {
    let writer = Arc::new(LogWriter::new(Arc::clone(cells), Arc::clone(files), guard.clone()));
    let queue = Queue::new(Arc::clone(cells), Arc::clone(files));
    let lease = Lease::new(Arc::clone(cells), "sequencer", name, 10);
    Server { sequencer: Sequencer::new(writer, queue.clone(), lease), queue }
}

pub async fn all(cells: Arc<dyn Cells>) {
    let files: Arc<dyn Files> = Arc::new(MemoryFiles::durable());
    // One guard for both here: on two machines each log is resumed when its sequencer moves.
    let guard = Guard::memory();
    let (one, two) = (server("one", &cells, &files, &guard), server("two", &cells, &files, &guard));
    let key = signer();
    let step = |server: &Server, now| {
        let sequencer = server.sequencer.clone();
        let key = signer();
        async move { sequencer.step(ORIGIN, PREFIX, &key, now).await }
    };

    // Either server takes requests; the holder of the lease sequences them, in the order of their ids.
    one.queue.submit(ORIGIN, "02", b"second".to_vec()).await.unwrap();
    two.queue.submit(ORIGIN, "01", b"first".to_vec()).await.unwrap();
    assert_eq!(two.queue.look(ORIGIN, PREFIX, "01").await.unwrap(), Request::Waiting);
    let Step::Sequenced { count: 2, appended } = step(&one, 100).await.unwrap() else { panic!("two waited") };
    assert_eq!((appended.first, appended.checkpoint.checkpoint.size), (0, 2));
    assert!(matches!(step(&two, 105).await.unwrap(), Step::Other(holder) if holder.name == "one"));
    assert_eq!(one.queue.look(ORIGIN, PREFIX, "02").await.unwrap(), Request::Published(1));
    assert_eq!(step(&one, 105).await.unwrap(), Step::Idle);

    // A request whose answer was lost is submitted again and is in the log once.
    one.queue.submit(ORIGIN, "02", b"second".to_vec()).await.unwrap();
    assert_eq!(step(&one, 106).await.unwrap(), Step::Idle);
    one.queue.take(ORIGIN, "02").await.unwrap();
    assert_eq!(one.queue.look(ORIGIN, PREFIX, "02").await.unwrap(), Request::Unknown);

    // When the lease expires the other server goes on; the one that slept loses the head, and exits.
    two.queue.submit(ORIGIN, "03", b"third".to_vec()).await.unwrap();
    assert!(matches!(step(&two, 116).await.unwrap(), Step::Sequenced { count: 1, .. }));
    one.queue.submit(ORIGIN, "04", b"fourth".to_vec()).await.unwrap();
    let late = step(&one, 130).await;
    assert!(matches!(late, Err(SequenceError::Exit { .. })), "{late:?}");
    let restarted = server("one", &cells, &files, &guard);
    assert!(matches!(step(&restarted, 131).await.unwrap(), Step::Sequenced { count: 1, .. }));
    let writer = LogWriter::new(cells, files, guard);
    let entries = writer.reader(ORIGIN, PREFIX).await.unwrap().read_entries(0..4).await.unwrap();
    assert_eq!(entries, [&b"first"[..], b"second", b"third", b"fourth"]);
    drop(key);
}
