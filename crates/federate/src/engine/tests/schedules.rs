//! Anything in any order: records of every kind, withdrawals, erasures, expiries, answers that come or do not,
//! stores that break, restarts. [`super::machine`] checks every receipt on the way.

use proptest::prelude::*;
use record::{Ref, Relation};
use tlog::Hash;

use super::machine::{Machine, Part};
use super::*;

#[derive(Debug, Clone)]
enum Act {
    Release { log: usize, blobs: Vec<(u8, u8)>, expires: bool },
    Withdraw { nth: usize },
    Erase { nth: usize },
    Ask { nth: usize },
    Blobs(bool),
    Steps(Vec<u8>),
    Pass(u64),
    Break(usize),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let blobs = proptest::collection::vec((0_u8..12, 0_u8..10), 0..4);
    prop_oneof![
        6 => (0_usize..2, blobs, any::<bool>())
            .prop_map(|(log, blobs, expires)| Act::Release { log, blobs, expires }),
        1 => any::<usize>().prop_map(|nth| Act::Withdraw { nth }),
        1 => any::<usize>().prop_map(|nth| Act::Erase { nth }),
        2 => any::<usize>().prop_map(|nth| Act::Ask { nth }),
        2 => any::<bool>().prop_map(Act::Blobs),
        8 => proptest::collection::vec(any::<u8>(), 1..30).prop_map(Act::Steps),
        2 => prop_oneof![0_u64..3_000, Just(950_000), Just(90_000_000)].prop_map(Act::Pass),
        1 => (0_usize..8).prop_map(Act::Break),
        2 => Just(Act::Restart),
    ]
}

/// Bytes by number, small and large; some records say that they are more than ever fetched.
fn part((n, kind): (u8, u8)) -> Part {
    let part = Part::new(&vec![n; if n < 10 { usize::from(n) + 1 } else { 600 << 10 }]);
    match kind {
        0 => part.saying(50 << 20),
        1 => Part::json(&part.bytes),
        _ => part,
    }
}

fn apply(machine: &mut Machine, records: &mut Vec<(usize, Hash)>, act: Act) {
    let chosen = |nth: usize| nth.checked_rem(records.len()).map(|nth| records[nth]);
    match act {
        Act::Release { log, mut blobs, expires } => {
            // A sealed record has its inner header; one that expires is sealed.
            if log == 1 {
                blobs.insert(0, (u8::try_from(machine.logs[1].entries.len() % 10).unwrap(), 5));
            }
            let expires = (expires && log == 1).then(|| "2026-11-24".parse().unwrap());
            let parts: Vec<Part> = blobs.into_iter().map(part).collect();
            records.push((log, machine.release(log, &parts, |header| header.expires = expires)));
        }
        Act::Withdraw { nth } => {
            let Some((_, name)) = chosen(nth) else { return };
            let author = authority("a.example");
            let withdraws = Ref { relation: Relation::Withdraws, author, name };
            machine.release(0, &[], |header| header.refs = vec![withdraws]);
        }
        Act::Erase { nth } => {
            let Some((_, name)) = chosen(nth) else { return };
            machine.erase(0, name);
        }
        Act::Ask { nth } => {
            let Some((log, name)) = chosen(nth) else { return };
            machine.tell(Input::WantBlobs { origin: machine.logs[log].origin.clone(), name });
        }
        Act::Blobs(gives) => machine.gives_blobs = gives,
        Act::Steps(steps) => {
            for nth in steps {
                machine.step(usize::from(nth));
            }
        }
        Act::Pass(milliseconds) => machine.pass(milliseconds),
        Act::Break(after) => machine.breaks_after = Some(after),
        Act::Restart => machine.restart(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_receipt_is_backed_and_no_want_is_lost(acts in proptest::collection::vec(act(), 1..60)) {
        let opened = |origin, readers: &[&str]| TestLog::opened(origin, readers);
        let logs = vec![opened(PUBLIC, &[]), opened(RESTRICTED, &["a.example", "b.example"])];
        let (mut machine, mut records) = (Machine::new(logs), Vec::new());
        for act in acts {
            apply(&mut machine, &mut records, act);
        }
        (machine.gives_blobs, machine.breaks_after) = (true, None);
        machine.restart();
        // Longer than the longest wait after failures, for a blob and for its log one after the other.
        machine.pass(1_900_000);
        for log in 0..2 {
            let size = machine.logs[log].entries.len() as u64;
            prop_assert_eq!(machine.state(log), (size, size, 0), "all that is wanted is here, and said");
        }
        let mut said: Vec<_> = machine.unfetched().into_iter().map(|one| (one.name, one.why)).collect();
        let count = said.len();
        said.sort();
        said.dedup();
        prop_assert_eq!(said.len(), count, "nothing is said twice");
        for one in machine.unfetched() {
            let is_restricted = !one.origin.audience.is_public();
            prop_assert!(is_restricted);
        }
    }
}
