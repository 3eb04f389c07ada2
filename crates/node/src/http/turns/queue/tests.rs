use std::time::Duration;

use edge::Block;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The only address of a network of its own.
fn network(n: u8) -> Source {
    address(n, 1)
}

fn address(network: u8, n: u8) -> Source {
    Source::Block(Block::of(std::net::Ipv4Addr::new(198, network, 0, n).into()))
}

/// Pages that each take as long to be made, second by second.
struct Pages {
    queue: Queue,
    now: Instant,
    takes: Duration,
    made: Vec<(Instant, u64, Asked)>,
}

impl Pages {
    fn that_take(takes: Duration) -> Self {
        Self { queue: Queue::default(), now: Instant::now(), takes, made: Vec::new() }
    }

    fn ask(&mut self, source: Source) -> u64 {
        self.asks(source, false)
    }

    fn asks(&mut self, source: Source, is_heavy: bool) -> u64 {
        let number = self.queue.come(source, is_heavy, self.now);
        self.begin();
        assert_eq!(self.queue.shed(self.now), None);
        number
    }

    fn begin(&mut self) {
        while let Some((number, asked)) = self.queue.begin(self.now) {
            self.made.push((self.now + self.takes, number, asked));
        }
    }

    fn is_begun(&self, number: u64) -> bool {
        !self.queue.waiting.contains_key(&number)
    }

    /// A second passes; each source whose page is made meanwhile asks for the next one.
    fn pass(&mut self) {
        self.now += SECOND;
        let (made, rest) = self.made.drain(..).partition(|(until, ..)| *until <= self.now);
        self.made = rest;
        for (_, _, asked) in made {
            let asked: Asked = asked;
            self.queue.end(asked, self.now);
            self.queue.come(asked.source, asked.is_heavy, self.now);
        }
        self.begin();
    }
}

#[test]
fn a_newcomer_waits_for_what_is_being_made_and_not_for_forty_networks_that_ask_for_slow_pages() {
    let mut pages = Pages::that_take(3 * SECOND);
    for n in 0..40 {
        pages.ask(network(n));
    }
    for _ in 0..30 {
        pages.pass();
    }
    assert_eq!(pages.queue.waiting.len(), 40 - OF_ALL);
    for n in 0..10 {
        let newcomer = pages.ask(network(100 + n));
        for _ in 0..3 {
            pages.pass();
        }
        assert!(pages.is_begun(newcomer), "newcomer {n}");
    }
}

#[test]
fn who_comes_new_with_many_pages_stands_behind_who_comes_new_with_one() {
    let mut pages = Pages::that_take(3 * SECOND);
    for _ in 0..3 {
        (0..40).for_each(|n| _ = pages.ask(network(n)));
    }
    pages.pass();
    let newcomer = pages.ask(network(100));
    let order = pages.queue.in_order(pages.now);
    let before = order.iter().position(|number| *number == newcomer);
    assert_eq!(before, Some(40 - OF_ALL), "one page of each other newcomer goes first: {order:?}");
}

#[test]
fn who_read_a_light_page_stands_before_newcomers_and_who_read_a_slow_one_little_behind_them() {
    let order = |took: Duration| {
        let mut queue = Queue::default();
        let start = Instant::now();
        queue.come(network(100), false, start);
        let (_, page) = queue.begin(start).unwrap();
        queue.end(page, start + took);
        let soon = queue.come(network(1), false, start + SECOND);
        let reader = queue.come(network(100), false, start + 2 * SECOND);
        let later = queue.come(network(2), false, start + 8 * SECOND);
        let order = queue.in_order(start + 8 * SECOND);
        (order, [soon, reader, later])
    };
    let (light, [soon, reader, later]) = order(SECOND / 10);
    assert_eq!(light, [reader, soon, later]);
    let (slow, [soon, reader, later]) = order(SECOND * 9 / 10);
    assert_eq!(slow, [soon, reader, later]);
}

#[test]
fn the_use_of_many_addresses_of_one_network_is_one_use() {
    let mut pages = Pages::that_take(2 * SECOND);
    for n in 0..60 {
        pages.ask(address(1, n));
    }
    for _ in 0..20 {
        pages.pass();
    }
    let fresh = pages.ask(address(1, 200));
    let newcomer = pages.ask(network(2));
    assert!(pages.is_begun(newcomer) && !pages.is_begun(fresh));
    let order = |pages: &Pages| pages.queue.in_order(pages.now);
    (3..20).for_each(|n| _ = pages.ask(network(n)));
    assert_eq!(
        order(&pages).last().map(|last| pages.queue.waiting[last].source.to_string()[..5].to_owned()),
        Some("198.1".into())
    );
}

#[test]
fn this_machine_itself_goes_first() {
    let mut pages = Pages::that_take(SECOND);
    (0..20).for_each(|n| _ = pages.ask(network(n)));
    let here = pages.ask(Source::Here);
    assert_eq!(pages.queue.in_order(pages.now).first(), Some(&here));
    pages.pass();
    assert!(pages.is_begun(here));
}

#[test]
fn heavy_pages_take_no_more_than_their_share_however_many_wait() {
    let mut pages = Pages::that_take(10 * SECOND);
    (0..40).for_each(|n| _ = pages.asks(network(n), true));
    assert_eq!((pages.queue.made, pages.queue.heavy), (HEAVY, HEAVY));
    let light: Vec<u64> = (0..4).map(|n| pages.ask(network(100 + n))).collect();
    assert!(light.iter().all(|number| pages.is_begun(*number)), "at once");
}

/// A newcomer finds a place among them: whoever would be last has none.
#[test]
fn so_many_wait_and_who_is_beyond_them_gives_way_at_once() {
    let mut queue = Queue::default();
    let now = Instant::now();
    let gone = (0..=255).cycle().take(1000).filter_map(|n: u8| {
        let number = queue.come(address(1, n % 4), false, now);
        while queue.begin(now).is_some() {}
        queue.shed(now).map(|gone| (number, gone))
    });
    let gone: Vec<(u64, u64)> = gone.collect();
    assert_eq!(gone.len(), 1000 - AROUND - WAITING);
    assert!(gone.iter().all(|(number, gone)| number == gone), "they are all alike: the last one");
    let newcomer = queue.come(network(2), false, now + SECOND);
    assert_eq!(queue.begin(now + SECOND).map(|(number, _)| number), Some(newcomer));
    assert_eq!(queue.shed(now + SECOND), None, "it waits for nothing");
    assert_eq!(queue.waiting.len(), WAITING);
}

#[test]
fn nobody_is_refused_a_free_turn_because_very_many_wait_for_heavy_pages() {
    let mut pages = Pages::that_take(10 * SECOND);
    let mut refused = 0;
    for n in 0..200 {
        pages.queue.come(network(n), true, pages.now);
        pages.begin();
        refused += usize::from(pages.queue.shed(pages.now).is_some());
    }
    assert_eq!(refused, 200 - HEAVY - HEAVY_WAITING);
    let light: Vec<u64> = (0..5).map(|n| pages.ask(network(210 + n))).collect();
    assert!(light.iter().all(|number| pages.is_begun(*number)), "five turns are free");
    let more: Vec<u64> = (0..40).map(|n| pages.ask(network(215 + n))).collect();
    assert!(more.iter().all(|number| pages.queue.waiting.contains_key(number)), "none of these is refused");
}

/// Whoever has a block of a provider comes from another network each time, and is no newcomer for long.
#[test]
fn who_has_read_something_is_before_the_ever_new_networks_of_one_provider() {
    let mut pages = Pages::that_take(SECOND);
    let reader = network(200);
    let read = |queue: &mut Queue, from: Instant| {
        queue.come(reader, false, from);
        let (_, asked) = queue.begin(from).expect("nobody else is here");
        queue.end(asked, from + SECOND);
    };
    read(&mut pages.queue, pages.now);
    pages.now += SECOND;
    let fresh = |n: u16| {
        let [high, low] = n.to_be_bytes();
        Source::Block(Block::of(
            std::net::Ipv6Addr::new(0x2a00, 1, n, 0, 0, 0, high.into(), low.into()).into(),
        ))
    };
    for n in 0..40 {
        for k in 0..20 {
            pages.queue.come(fresh(n * 20 + k), false, pages.now);
            pages.begin();
            pages.queue.shed(pages.now);
        }
        pages.pass();
    }
    let number = pages.queue.come(reader, false, pages.now);
    while let Some(gone) = pages.queue.shed(pages.now) {
        assert_ne!(gone, number);
    }
    assert_eq!(pages.queue.in_order(pages.now).first(), Some(&number));
}
