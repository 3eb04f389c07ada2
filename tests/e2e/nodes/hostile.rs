//! Bad input: too large, too much, too clever.

use std::io::Write as _;

use e2e::{World, raw, until};

/// What the server may have taken of a body that it refuses: what lay in buffers.
const BUFFERS: usize = 24 << 20;

/// A gzip file of many zeros: a stored head, one repeated block. Made by the system's own gzip.
fn gzip_bomb() -> Vec<u8> {
    let mut gzip = std::process::Command::new("gzip")
        .arg("-9")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip is on every machine");
    let mut input = gzip.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 20];
        for _ in 0..64 {
            input.write_all(&zeros).expect("gzip reads");
        }
    });
    let output = gzip.wait_with_output().expect("gzip ends");
    writer.join().expect("a writer");
    output.stdout
}

/// The length that an oversized body claims, in bytes.
const LENGTH: usize = 100 << 20;

#[test]
fn large_bodies_are_refused_before_they_are_read() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    for path in ["/nudge", "/add-checkpoint"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {LENGTH}\r\n\r\n");
        let (status, taken) = raw(node.port, &head, LENGTH);
        assert_eq!(status, 413, "{path}");
        assert!(taken < BUFFERS, "{path}: {taken} bytes were taken");
    }
    let bomb = gzip_bomb();
    assert!(bomb.len() < 128 << 10, "{} bytes", bomb.len());
    for path in ["/nudge", "/add-checkpoint"] {
        let answer = node.client().post(path, &[("content-encoding", "gzip")], bomb.clone());
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    node.say("it goes on");
}

#[test]
fn two_thousand_nudges_stall_nobody() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let client = b.client();
    let refused = (0..2000)
        .map(|n| match n % 4 {
            0 => client.post("/nudge", &[], Vec::new()),
            1 => client.post("/nudge", &[], b"a.example\n".to_vec()),
            2 => client.post("/nudge", &[], format!("n{n}.example\n\nno note\n").into_bytes()),
            _ => client.post("/nudge", &[], vec![0xff; 1000]),
        })
        .filter(|answer| (400..500).contains(&answer.status))
        .count();
    assert!(refused >= 1000, "only {refused} were refused");
    let name = a.say("after the storm");
    until("the exchange goes on", || b.knows(&name).then_some(()));
}

#[test]
fn no_path_leads_out_of_what_is_served() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    node.say("something to serve");
    let long = format!("/log/{}", "a".repeat(7000));
    for path in [
        "/log/../../concord.toml",
        "/log/public/2026/../../../../concord.toml",
        "/log/%2e%2e/%2e%2e/concord.toml",
        "/log/public/2026/%2e%2e/%2e%2e/state.db",
        "/log/public/2026/tile/0/..%2f..%2f..%2f..%2fkeys/log-1.key",
        "/log/public/2026//checkpoint",
        "/log/public/2026/checkpoint/",
        "/log/public/2026/checkpoint%00",
        "/log/public/2026/tile/0/000.p/0",
        "/log/public/2026/tile/0/99999999999999999999",
        "/mirror/../keys/log-1.key",
        "/blob/../../keys/log-1.key",
        "/blob/..%2f..%2fkeys%2flog-1.key",
        "/assets/../concord.toml",
        "/assets/..%2fconcord.toml",
        "/root/../1",
        "/roots/..%2f../1",
        "/record/..%2f..%2fconcord.toml",
        long.as_str(),
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        let (status, _) = raw(node.port, &head, 0);
        assert!(matches!(status, 400 | 404 | 414), "{path} is answered with {status}");
    }
    let head = format!("GET /{} HTTP/1.1\r\nHost: a.example\r\n\r\n", "a".repeat(1 << 20));
    let (status, _) = raw(node.port, &head, 0);
    assert!((400..500).contains(&status), "a path of 1 MiB is answered with {status}");
    assert_eq!(node.client().get("/healthz").status, 200);
}

#[test]
fn html_in_names_is_text_on_pages() {
    const NAME: &str = "<script>alert('x')</script>\"><b>Health";
    let mut world =
        World::with(&["a.example", "b.example"], |_| vec!["--name".to_owned(), format!("en={NAME}")]);
    world.serve();
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let fingerprint = b.fingerprint();
    let add = ["peer", "add", "b.example", "--fingerprint", &fingerprint, "--name", NAME];
    a.ask(&add).expect("peer add");
    a.ask(&["peer", "confirm", "b.example", "--fingerprint", &fingerprint]).expect("peer confirm");
    let released = a.say(NAME);
    let client = a.client();
    let record = format!("/record/{released}");
    let mut shown = 0;
    for path in ["/situation", "/network", "/network/a.example", "/network/b.example", "/records", &record] {
        let page = client.get(path);
        assert_eq!(page.status, 200, "{path}");
        let html = page.text();
        assert!(!html.contains("<script>alert"), "{path} runs what is in a name");
        assert!(!html.contains("\"><b>Health"), "{path} lets a name out of its attribute");
        shown += html.matches("alert(").count();
    }
    assert!(shown > 0, "the name is shown nowhere");
}

#[test]
fn a_peer_at_a_private_address_is_refused_unless_the_configuration_names_it() {
    let mut world = World::new(&["a.example"]);
    let mut other = World::new(&["b.example"]);
    world.serve();
    other.serve();
    let (a, b) = (&world.nodes[0], &other.nodes[0]);
    let fingerprint = b.fingerprint();
    for endpoint in [
        format!("http://127.0.0.1:{}", b.port),
        format!("https://127.0.0.1:{}", b.port),
        format!("https://localhost:{}", b.port),
        format!("https://[::1]:{}", b.port),
        format!("https://[::ffff:127.0.0.1]:{}", b.port),
        "https://10.0.0.1".to_owned(),
        "https://169.254.169.254".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let add = ["peer", "add", "b.example", "--fingerprint", &fingerprint, "--endpoint", &endpoint];
        a.ask(&add).expect_err(&format!("{endpoint} is private"));
    }
    let list = a.ask(&["peer", "list"]).expect("peer list");
    assert_eq!(list["peers"], serde_json::json!([]));
}
