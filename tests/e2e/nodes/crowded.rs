//! All places are taken, by strangers who keep within their shares: whoever asks beside them is answered, and memory has an end.
//!
//! The strangers come by way of a proxy on this machine, which says who they are: so one machine can be thousands.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::{Authority, PATIENCE, World, peak_memory};

/// Files that a process may have open whose places a small crowd can take: half of them are for connections.
const FEW_FILES: u64 = 1024;
/// Twice as many as there are connections then.
const CROWD: usize = 1024;
/// Whoever only wants a page.
const GUEST: &str = "192.0.2.7";
/// How often it asks.
const PAGES: usize = 200;

/// The `n`th stranger, in a network of its own.
fn stranger(n: usize) -> String {
    format!("198.{}.{}.1", 18 + n / 256, n % 256)
}

/// A head without its end, as a proxy passes it on.
fn head(method: &str, path: &str, from: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {from}\r\n")
}

/// A connection that has said this; none if it is closed before that.
fn says(port: u16, what: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(what.as_bytes()).ok()?;
    Some(stream)
}

/// Sends a byte more, so that it is not still. Was it answered or closed instead?
fn is_over(slow: &mut TcpStream) -> bool {
    slow.set_nonblocking(true).expect("a socket");
    let has_end =
        slow.read(&mut [0; 12]).map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |_| true);
    has_end || slow.write_all(b"a").is_err()
}

/// Is a page answered, over a connection of its own?
fn is_served(port: u16) -> bool {
    let ask = head("GET", "/situation", GUEST) + "Connection: close\r\n\r\n";
    let mut answer = Vec::new();
    let read = says(port, &ask).map(|mut stream| stream.read_to_end(&mut answer));
    let is_whole = answer.windows(7).any(|part| part == b"</html>");
    read.is_some_and(|read| read.is_ok()) && answer.starts_with(b"HTTP/1.1 200") && is_whole
}

fn served(port: u16) -> usize {
    (0..PAGES).filter(|_| is_served(port)).count()
}

fn assert_served(port: u16, beside: &str) {
    let served = served(port);
    assert!(served * 100 >= PAGES * 99, "{served} of {PAGES} pages {beside}");
}

fn node_with(files: Option<u64>) -> World {
    let mut world = World::new(&["a.example"]);
    world.nodes[0].open_files = files;
    world.serve();
    world
}

/// As many as this process may have open; whoever looks after the machine may have set it low.
fn raise_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("files");
}

#[test]
fn posts_that_are_sent_slowly_from_few_addresses_shut_nobody_out() {
    let world = node_with(Some(FEW_FILES));
    let port = world.nodes[0].port;
    // From eight addresses; and whoever is put out comes again.
    let slow =
        |n: usize| says(port, &(head("POST", "/nudge", &stranger(n % 8)) + "Content-Length: 60000\r\n\r\na"));
    let mut held: Vec<_> = (0..CROWD).map(slow).collect();
    let (over, again) = (AtomicBool::new(false), AtomicUsize::new(0));
    let crowd = || {
        for n in (0..held.len()).cycle().take_while(|_| !over.load(Ordering::Relaxed)) {
            if held[n].as_mut().is_none_or(is_over) {
                held[n] = slow(n);
                again.fetch_add(1, Ordering::Relaxed);
                // As fast as they may ask: what is beyond that, is the proxy's to hold off.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    };
    let served = std::thread::scope(|scope| {
        scope.spawn(crowd);
        let (mut served, begun) = (0, Instant::now());
        for _ in 0..PAGES {
            // Each page is asked for after somebody was put out and came again.
            let before = again.load(Ordering::Relaxed);
            while again.load(Ordering::Relaxed) == before && begun.elapsed() < PATIENCE {
                std::thread::yield_now();
            }
            served += usize::from(is_served(port));
        }
        over.store(true, Ordering::Relaxed);
        served
    });
    assert!(again.into_inner() >= PAGES, "the crowd does not fill the places");
    assert!(served * 100 >= PAGES * 99, "{served} of {PAGES} pages");
    world.nodes[0].ask(&["status"]).expect("the operator is answered");
}

#[test]
fn answers_that_a_proxy_does_not_read_shut_nobody_out() {
    let world = node_with(Some(FEW_FILES));
    let port = world.nodes[0].port;
    let small = head("GET", "/healthz", &stranger(0)) + "\r\n";
    // Each is answered, and lies with the system from then on: the connection waits for a next request.
    let held: Vec<_> = (0..CROWD).filter_map(|_| says(port, &small)).collect();
    assert_served(port, "beside connections of a proxy that are idle");
    drop(held);
}

fn memory_of(node: &Authority) -> u64 {
    peak_memory(node.pid().expect("it serves")) >> 20
}

#[test]
fn long_heads_are_not_kept_beyond_what_there_is_for_all_of_them() {
    raise_files();
    let world = node_with(None);
    let (a, port) = (&world.nodes[0], world.nodes[0].port);
    assert_served(port, "before");
    let before = memory_of(a);
    let long = "x".repeat(63_000);
    // 189 MB of heads, each of a request that waits for its body.
    let whole = |n: usize| {
        let path = format!("/nudge?{long}");
        says(port, &(head("POST", &path, &stranger(n % 60)) + "Content-Length: 60000\r\n\r\na"))
    };
    let held: Vec<_> = (0..3000).filter_map(whole).collect();
    assert_served(port, "beside long heads");
    let after = memory_of(a);
    drop(held);
    // And as many that have no end.
    let half = |n: usize| says(port, &head("GET", &format!("/?{long}"), &stranger(n % 60)));
    let held: Vec<_> = (0..3000).filter_map(half).collect();
    assert_served(port, "beside long halves of heads");
    let at_last = memory_of(a);
    println!("{before} MiB, {after} MiB with long heads, {at_last} MiB with halves");
    assert!(at_last < before + 180, "{before} MiB, {after} MiB with long heads, {at_last} MiB with halves");
    drop(held);
}

/// Links of a page repeat its address.
#[test]
fn a_long_address_is_not_answered_with_a_long_page() {
    let world = node_with(None);
    let client = world.nodes[0].client();
    for path in [format!("/{}", "&".repeat(60_000)), format!("/situation?x={}", "&".repeat(60_000))] {
        let answer = client.get_with(&path, &[("accept", "text/html"), ("accept-language", "fr")]);
        assert_eq!(answer.status, 414);
        assert!(answer.body.len() < 20_000, "{} bytes", answer.body.len());
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains("L’adresse est trop longue") && text.contains("lang=\"fr\""), "{text}");
        let foreign = client.get_with(&path, &[("accept", "text/html"), ("host", "elsewhere.example")]);
        assert!(foreign.body.len() < 20_000, "{} bytes under another name", foreign.body.len());
    }
    let text = client.get_with(&format!("/{}", "&".repeat(60_000)), &[("accept-language", "es")]).body;
    assert!(String::from_utf8_lossy(&text).starts_with("Una dirección tiene como máximo"));
    let longest = format!("/{}", "&".repeat(1_000));
    assert_eq!(client.get(&longest).status, 404);
}
