//! Attackers who keep within their shares, and one who only wants to be answered.

use std::time::Duration;

use super::*;

const WIDE: Room = Room { most: Most { all: 1024, of_block: 128, around: 512 }, bytes: 1 << 20 };

fn block(address: &str) -> Block {
    Block::of(address.parse().unwrap())
}

/// The `n`th network of IPv4.
fn network(n: u32) -> Block {
    Block::of(std::net::Ipv4Addr::from_bits(n << 8 | 1).into())
}

struct World {
    crowd: Arc<Crowd>,
    now: Instant,
}

impl World {
    fn new(room: Room) -> Self {
        let now = Instant::now();
        Self { crowd: Crowd::new(room, now), now }
    }

    fn enter(&self, block: impl Into<Option<Block>>) -> Option<(Seat, Gone)> {
        self.crowd.enter(block.into(), self.now)
    }

    fn wait(&mut self) {
        self.now += Duration::from_millis(10);
    }
}

fn is_told(gone: &mut Gone) -> bool {
    gone.0.try_recv().is_ok()
}

#[test]
fn one_block_takes_its_share_and_no_more() {
    let world = World::new(Room { most: Most { all: 16, of_block: 3, around: 5 }, ..WIDE });
    let mut held: Vec<_> = (0..9).filter_map(|_| world.enter(block("2001:db8::1"))).collect();
    assert_eq!(held.len(), 3);
    held.extend((0..9).filter_map(|_| world.enter(block("2001:db8:0:1::1"))));
    assert_eq!(held.len(), 5, "the same /48");
    assert!(held.iter_mut().all(|(_, gone)| !is_told(gone)), "it pushes out nobody");
    held.clear();
    assert!(world.enter(block("2001:db8::2")).is_some(), "places are free again");
    assert!(world.crowd.lock().of_block.is_empty());
}

/// Sixty addresses that keep as many open as they may, of each network some, and begin anew as often as they are told to go.
#[test]
fn whoever_holds_the_most_gives_way_to_whoever_holds_one() {
    let mut world = World::new(WIDE);
    let attacker = |n: u32| network(n % 60);
    let mut held: Vec<_> = (0..4000).filter_map(|n| world.enter(attacker(n))).collect();
    for n in 0..1000 {
        world.wait();
        let (mine, mut gone) = world.enter(block("203.0.113.9")).expect("a place");
        held.extend(world.enter(attacker(n)));
        held.extend(world.enter(attacker(n + 1)));
        // They drip, and whoever is being served is still.
        for (seat, _) in &held {
            seat.moved(world.now);
        }
        assert!(!is_told(&mut gone), "{n}");
        drop(mine);
        held.retain_mut(|(_, gone)| !is_told(gone));
    }
}

#[test]
fn many_blocks_of_one_network_are_one_holder() {
    let mut world = World::new(WIDE);
    let attacker = |n: u32| block(&format!("2001:db8:{}:{n:x}::1", n % 15));
    let mut friends: Vec<_> = (0..5).filter_map(|_| world.enter(block("203.0.113.9"))).collect();
    let mut held = Vec::new();
    for n in 0..4000 {
        world.wait();
        held.extend(world.enter(attacker(n)));
    }
    assert!(friends.iter_mut().all(|(_, gone)| !is_told(gone)), "they came first, and hold less");
}

#[test]
fn of_networks_that_hold_little_the_stillest_goes() {
    let mut world = World::new(WIDE);
    let mut crowd: Vec<_> = (0..896).map(|n| world.enter(network(n)).expect("a place")).collect();
    world.wait();
    for (seat, _) in &crowd[16..] {
        seat.moved(world.now);
    }
    let mut office: Vec<_> = (0..6).map(|_| world.enter(network(5000)).expect("a place")).collect();
    assert!(office.iter_mut().all(|(_, gone)| !is_told(gone)));
    let told: Vec<bool> = crowd.iter_mut().map(|(_, gone)| is_told(gone)).collect();
    assert!(told[..16].iter().all(|told| *told) && told[16..].iter().all(|told| !told), "{told:?}");
}

#[test]
fn what_waits_for_a_request_goes_before_what_is_answered() {
    let mut world = World::new(Room { most: Most { all: 8, of_block: 8, around: 8 }, ..WIDE });
    let mut all: Vec<_> = (0..7).map(|_| world.enter(network(1)).expect("a place")).collect();
    for (seat, _) in &all[..6] {
        seat.is_answered(true);
    }
    world.wait();
    all[6].0.moved(world.now);
    let _next = world.enter(network(2)).expect("a place");
    let told: Vec<usize> = (0..7).filter(|n| is_told(&mut all[*n].1)).collect();
    assert_eq!(told, [6], "though it moved last");
}

#[test]
fn strangers_and_those_who_are_trusted_leave_some_places_to_each_other_and_push_out_their_own() {
    let mut world = World::new(Room { most: Most { all: 16, of_block: 99, around: 99 }, ..WIDE });
    let mut strangers: Vec<_> = (0..14).map(|n| world.enter(network(n)).expect("a place")).collect();
    let mut trusted: Vec<_> = (0..2).map(|_| world.enter(None).expect("a place")).collect();
    world.wait();
    let third = world.enter(None).expect("a place");
    assert_eq!(trusted.iter_mut().filter_map(|(_, gone)| is_told(gone).then_some(())).count(), 1);
    assert!(strangers.iter_mut().all(|(_, gone)| !is_told(gone)));
    strangers.clear();
    let many: Vec<_> = (0..99).filter_map(|_| world.enter(None)).collect();
    assert_eq!(world.crowd.count(), 14, "an eighth is left to strangers");
    for (seat, _) in many.iter().chain([&third]).chain(&trusted) {
        seat.is_answered(true);
    }
    assert!(world.enter(None).is_none(), "nothing that a proxy asked is broken off for it");
    assert!(world.enter(network(1)).is_some());
}

#[test]
fn what_stays_is_never_pushed_out() {
    let mut world = World::new(Room { most: Most { all: 8, of_block: 8, around: 8 }, ..WIDE });
    let (meeting, mut gone) = world.enter(network(1)).expect("a place");
    meeting.stays();
    for n in 0..100 {
        world.wait();
        std::mem::forget(world.enter(network(n)).expect("a place"));
    }
    assert!(!is_told(&mut gone));
}

/// Heads of 63 KB from sixty addresses, a form from another.
#[test]
fn bytes_are_freed_by_whoever_holds_the_most_of_them() {
    let mut world = World::new(WIDE);
    let (form, mut gone) = world.enter(block("203.0.113.9")).expect("a place");
    form.holds(60_000);
    let mut held = Vec::new();
    for n in 0..600 {
        world.wait();
        form.moved(world.now);
        let (seat, gone) = world.enter(network(n % 60)).expect("a place");
        seat.holds(8_000);
        seat.holds(63_000);
        held.push((seat, gone));
        assert!(world.crowd.bytes.load(Ordering::Relaxed) <= WIDE.bytes);
    }
    assert!(!is_told(&mut gone), "it holds as little as others, and moved last");
    drop(held);
    assert_eq!(world.crowd.bytes.load(Ordering::Relaxed), 60_000);
    form.holds(0);
    assert_eq!(world.crowd.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn who_holds_no_bytes_does_not_go_for_those_of_others() {
    let world = World::new(Room { bytes: 100, ..WIDE });
    let (_still, mut gone) = world.enter(network(1)).expect("a place");
    let (large, mut its) = world.enter(network(2)).expect("a place");
    large.holds(101);
    assert!(is_told(&mut its) && !is_told(&mut gone));
}
