//! The movement everything rests on: released here, proven, held there.

use e2e::{World, until};

#[test]
fn a_public_notice_is_held_witnessed_and_receipted_by_the_peer() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let released = a.release(&["--public"], "a notice").expect("release");
    let (name, origin) =
        (released["name"].as_str().expect("a name"), released["origin"].as_str().expect("a log"));
    assert_eq!(released["kind"], "notice");

    until("the notice is listed at the peer", || b.knows(name).then_some(()));
    let shown = b.ask(&["record", "show", name]).expect("shown");
    assert_eq!((&shown["valid"], &shown["origin"]), (&true.into(), &origin.into()));

    let log = until("the log is witnessed and receipted to its end", || {
        let log = a.log(origin).expect("its own log");
        let size = log["size"].as_u64().expect("a size");
        let settled =
            log["witnessed"].as_u64() == Some(size) && log["held"]["b.example"].as_u64() == Some(size);
        settled.then_some(log)
    });
    assert_eq!((&log["own"], &log["waits"]), (&true.into(), &false.into()));
    let proven = until("the peer has the proof of time", || {
        let row = b.records().into_iter().find(|row| row["name"] == name)?;
        row["proven"].as_str().map(str::to_owned)
    });
    assert!(proven.ends_with('Z'), "{proven}");
}
