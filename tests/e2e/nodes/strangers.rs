//! Whoever has no key: what costs them nothing costs nobody else anything.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::{World, until};

/// Of each kind. All of them are more than a process may have open as Debian starts it.
const CROWD: usize = 500;

/// Connections that say this and read nothing.
fn crowd(port: u16, says: &[u8]) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream.write_all(says).expect("sent");
        stream
    };
    (0..CROWD).map(one).collect()
}

#[test]
fn half_heads_idle_sockets_and_long_polls_shut_nobody_out() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let poll = b"GET /heads HTTP/1.1\r\nHost: a.example\r\nPrefer: wait=30\r\nIf-None-Match: *\r\n\r\n";
    let kinds: [&[u8]; 3] = [b"", b"GET /situation HTTP/1.1\r\nHost: a", poll];
    let held: Vec<TcpStream> = kinds.iter().flat_map(|says| crowd(a.port, says)).collect();
    let client = a.client();
    let served = (0..100).filter(|_| client.get("/situation").status == 200).count();
    assert!(served >= 99, "{served} of 100 pages");
    a.ask(&["status"]).expect("the operator is answered");
    let name = a.say("meanwhile");
    until("a peer reads it", || b.knows(&name).then_some(()));
    drop(held);
}

#[test]
fn a_server_that_is_told_to_end_does_not_wait_for_strangers() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let port = world.nodes[0].port;
    let held = (crowd(port, b"GET /situation HTTP/1.1\r\nHost: a"), crowd(port, b""));
    let begun = Instant::now();
    world.nodes[0].stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(held);
}
