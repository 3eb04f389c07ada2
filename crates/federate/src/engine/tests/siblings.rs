//! The logs of one author beside each other.

use super::machine::Machine;
use super::*;

const FIRST: &str = "a.example/log/public/2026";
const SECOND: &str = "a.example/log/public/2026.2";
const THIRD: &str = "a.example/log/public/2026.3";

fn says_that_two_are_open(machine: &Machine) -> bool {
    machine.alarms.iter().any(|alarm| matches!(alarm, Alarm::TwoOpenLogs { .. }))
}

/// The one between them says that the first has ended.
#[test]
fn logs_that_go_on_one_from_the_other_are_one_in_whatever_order_they_come() {
    let first = TestLog::opened(FIRST, &[]);
    let second = TestLog::opened_after(SECOND, &first);
    let third = TestLog::opened_after(THIRD, &second);
    let mut machine = Machine::new(vec![first, second.clone(), third]);
    machine.withheld.insert(second.origin);
    machine.pass(60_000);
    assert_eq!([0, 1, 2].map(|n| machine.followed(n).size), [1, 0, 1]);
    assert!(!says_that_two_are_open(&machine), "{:?}", machine.alarms);
    machine.withheld.clear();
    machine.pass(600_000);
    assert_eq!([0, 1, 2].map(|n| machine.followed(n).size), [1, 1, 1]);
    assert!(!says_that_two_are_open(&machine), "{:?}", machine.alarms);
}

/// Whoever names a log that it shows nobody hides nothing by that.
#[test]
fn a_log_that_goes_on_from_none_stands_beside_the_one_that_is_open() {
    let first = TestLog::opened(FIRST, &[]);
    let invented = TestLog::opened(SECOND, &[]);
    let third = TestLog::opened_after(THIRD, &invented);
    let mut machine = Machine::new(vec![first, third]);
    machine.pass(60_000);
    assert!(says_that_two_are_open(&machine), "{:?}", machine.alarms);
}
