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
        let (number, gone) = self.queue.come(source, is_heavy, self.now);
        assert_eq!(gone, None);
        self.begin();
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
fn who_read_a_light_page_stands_little_behind_newcomers_and_not_behind_all_who_come() {
    let mut queue = Queue::default();
    let start = Instant::now();
    queue.come(network(100), false, start);
    let (_, light) = queue.begin(start).unwrap();
    queue.end(light, start + SECOND / 5);
    let (reader, _) = queue.come(network(100), false, start + SECOND);
    let (soon, _) = queue.come(network(1), false, start + 2 * SECOND);
    let (later, _) = queue.come(network(2), false, start + 4 * SECOND);
    assert_eq!(queue.in_order(start + 4 * SECOND), [soon, reader, later]);
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
        let (number, gone) = queue.come(address(1, n % 4), false, now);
        while queue.begin(now).is_some() {}
        gone.map(|gone| (number, gone))
    });
    let gone: Vec<(u64, u64)> = gone.collect();
    assert_eq!(gone.len(), 1000 - AROUND - WAITING);
    assert!(gone.iter().all(|(number, gone)| number == gone), "they are all alike: the last one");
    let (newcomer, gone) = queue.come(network(2), false, now + SECOND);
    assert!(gone.is_some_and(|gone| gone != newcomer));
    assert_eq!(queue.begin(now + SECOND).map(|(number, _)| number), Some(newcomer));
    assert_eq!(queue.waiting.len(), WAITING - 1);
}
