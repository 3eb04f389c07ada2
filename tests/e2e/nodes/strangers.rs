//! Whoever has no key: what costs them nothing costs nobody else anything.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use e2e::{World, path_in, until};

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
    let poll = b"GET /heads HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=30\r\nIf-None-Match: *\r\n\r\n";
    let kinds: [&[u8]; 3] = [b"", b"GET /situation HTTP/1.1\r\nHost: 1", poll];
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
fn whoever_sends_slowly_by_way_of_the_proxy_has_few_requests_open_and_others_have_theirs() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let a = &world.nodes[0];
    let slow = b"POST /nudge HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.99\r\nContent-Length: 60000\r\n\r\na";
    let mut held = crowd(a.port, slow);
    let mut refused = 0;
    for stream in held.iter_mut().rev().take(CROWD / 2) {
        let mut head = [0; 12];
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        refused += usize::from(stream.read_exact(&mut head).is_ok() && head == *b"HTTP/1.1 429");
    }
    assert!(refused >= CROWD / 2 - 1, "{refused} of those beyond its share");
    let client = a.client();
    let other = [("x-forwarded-for", "203.0.113.7")];
    let served = (0..100).filter(|_| client.get_with("/situation", &other).status == 200).count();
    assert!(served >= 99, "{served} of 100 pages");
    drop(held);
}

#[test]
fn a_server_that_is_told_to_end_does_not_wait_for_strangers() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let port = world.nodes[0].port;
    let held = (crowd(port, b"GET /situation HTTP/1.1\r\nHost: 1"), crowd(port, b""));
    let begun = Instant::now();
    world.nodes[0].stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(held);
}

#[test]
fn an_operator_is_answered_while_a_thousand_idle_sockets_take_all_that_strangers_can() {
    let mut world = World::new(&["a.example"]);
    world.nodes[0].carry_meetings();
    // As few as a careless unit file allows: not half of the crowd gets in.
    world.nodes[0].open_files = Some(256);
    world.serve();
    let a = &world.nodes[0];
    let text = std::fs::read_to_string(a.data.join("concord.toml")).expect("a configuration");
    let media = text.lines().find_map(|line| line.strip_prefix("tcp_port = ")).expect("a port");
    let half_a_packet = b"\x00\x80half";
    let held = [
        crowd(a.port, b""),
        crowd(a.port, b"GET /situation HTTP/1.1\r\nHost: 1"),
        crowd(media.parse().expect("a port"), half_a_packet),
    ];
    let files = format!("/proc/{}/fd", a.pid().expect("it serves"));
    let open = || std::fs::read_dir(&files).expect("its files").count();
    for _ in 0..20 {
        let begun = Instant::now();
        assert!(open() < 224, "{} files of 256 are open: none is left to the process", open());
        a.ask(&["status"]).expect("the operator is answered");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    let copy = path_in(&world.path("copy"));
    a.ask(&["backup", &copy]).expect("so are commands that open files");
    a.say("and those that write");
    drop(held);
}

#[test]
fn whoever_says_nothing_on_the_control_socket_is_cut_off_and_holds_up_nobody() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let a = &world.nodes[0];
    let half = b"POST /command HTTP/1.1\r\nHost: concord\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let sayings: [&[u8]; 3] = [b"", b"POST /comm", half];
    // More than there are places.
    let mut held: Vec<UnixStream> = (0..60)
        .map(|n| {
            let mut stream = UnixStream::connect(a.data.join("control.sock")).expect("it listens");
            stream.write_all(sayings[n % 3]).expect("sent");
            stream
        })
        .collect();
    // Who asks behind two rounds of them waits for none of them to be cut off.
    let begun = Instant::now();
    a.ask(&["status"]).expect("the operator is answered");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    for stream in &mut held {
        stream.set_read_timeout(Some(e2e::PATIENCE)).expect("a timeout");
        let mut said = Vec::new();
        // Its end, or a reset; not that nothing came for a minute.
        if let Err(error) = stream.read_to_end(&mut said) {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "nobody cuts it off");
        }
        assert!(!said.starts_with(b"HTTP/1.1 200"), "it said no command");
    }
}

/// A byte a second is not faster: whoever answers waits for a body's next part so long, and for the lines behind it too.
#[test]
fn lines_behind_a_body_that_drip_in_are_not_waited_for() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let head =
        "POST /nudge HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ";
    let mut stream = TcpStream::connect(("127.0.0.1", world.nodes[0].port)).expect("it listens");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    let begun = Instant::now();
    let mut said = [0; 12];
    // Until it answers, or ends the connection.
    while let Err(error) = stream.read(&mut said) {
        let waits = error.kind() == std::io::ErrorKind::WouldBlock;
        if !waits || stream.write_all(b"x").is_err() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(50), "it still waits");
    }
    assert!(!said.starts_with(b"HTTP/1.1 2"), "it was asked for nothing");
}

#[test]
fn pages_are_answered_under_the_nodes_own_names_alone() {
    let mut world = World::new(&["a.example"]);
    world.nodes[0].carry_meetings();
    world.serve();
    let (a, client) = (&world.nodes[0], world.nodes[0].client());
    let colleague = a.colleague();
    let under = |path: &str, host: &str| {
        let headers = [("host", host), ("cookie", &colleague.cookie), ("accept", "text/html")];
        client.get_with(&format!("{path}?lang=fr"), &headers)
    };
    // A name of somebody else's that points here now: the browser sends what it has, and shows what it gets.
    for path in ["/situation", "/import", "/meetings", "/api/v1/records", "/metrics", "/"] {
        let refused = under(path, &format!("evil.example:{}", a.port));
        assert_eq!(refused.status, 421, "{path}");
        assert!(refused.text().contains("evil.example") && refused.text().contains("Ce nœud"), "{path}");
        let own = format!("http://127.0.0.1:{}", a.port);
        assert!(refused.text().contains(&own), "{path}: its address is not said");
        assert_ne!(under(path, &format!("localhost:{}", a.port)).status, 421, "{path}");
    }
    let form = [("host", "evil.example"), ("cookie", &colleague.cookie)];
    assert_eq!(client.post("/sign-out", &form, Vec::new()).status, 421);
    let plain = client.get_with("/situation?lang=ru", &[("host", "evil.example")]);
    assert!(plain.text().contains("не является именем этого узла"), "{}", plain.text());
    // Peers dial what their operators wrote, and whoever looks after the server asks by any address.
    for path in ["/heads", "/healthz"] {
        assert_eq!(under(path, "10.0.0.7").status, 200, "{path}");
    }
}
