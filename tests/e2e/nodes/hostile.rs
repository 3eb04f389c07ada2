//! Bad input: too large, too much, too clever.

use std::io::Write as _;

use e2e::{Authority, Impostor, World, path_in, peak_memory, raw, until};

/// What the server may have taken of a body that it refuses: what lay in buffers.
const BUFFERS: usize = 24 << 20;
/// The largest table that may be uploaded, and a little.
const UPLOAD: usize = 66 << 20;

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

/// The length that an oversized body claims, in bytes: 5 GiB.
const LENGTH: usize = 5 << 30;
/// What a refused body may cost in memory.
const MEMORY: u64 = 48 << 20;

/// A cookie of the inside face, by the operator's one-time link.
fn session(node: &Authority) -> String {
    let link = node.ask(&["link"]).expect("a link");
    let url = link["url"].as_str().expect("an address");
    let path = &url[url.find("/enter/").expect("the entrance")..];
    let answer = node.client().post(path, &[("sec-fetch-site", "same-origin")], Vec::new());
    let cookie = answer.headers.get("set-cookie").expect("a cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[test]
fn five_gigabytes_are_refused_early_and_memory_stays_flat() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let (pid, cookie) = (node.pid().expect("it serves"), session(node));
    node.say("before");
    let before = peak_memory(pid);
    let lengths = [
        format!("Content-Length: {LENGTH}\r\n\r\n"),
        // One chunk of that length, as whoever knows no length in advance sends it.
        format!("Transfer-Encoding: chunked\r\n\r\n{LENGTH:x}\r\n"),
    ];
    for path in ["/nudge", "/add-checkpoint", "/sign-out", "/import/release", "/enter/nobody"] {
        for length in &lengths {
            let form = "Content-Type: application/x-www-form-urlencoded\r\n";
            let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{form}{length}");
            let (status, taken) = raw(node.port, &head, LENGTH);
            assert!((400..500).contains(&status), "{path}: {status}");
            assert!(taken < BUFFERS, "{path}: {taken} bytes were taken");
        }
    }
    // Whoever may upload tables may not upload such ones either.
    let table = "Content-Type: multipart/form-data; boundary=x\r\n";
    for length in &lengths {
        let head = format!(
            "POST /import HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n{table}{length}\
             --x\r\nContent-Disposition: form-data; name=\"table\"; filename=\"t.csv\"\r\n\r\n"
        );
        let (status, taken) = raw(node.port, &head, LENGTH);
        assert!((400..500).contains(&status), "{status}");
        assert!(taken < BUFFERS + UPLOAD, "{taken} bytes were taken");
    }
    let grown = peak_memory(pid).saturating_sub(before);
    assert!(grown < MEMORY, "{} MiB more were taken", grown >> 20);
    node.say("it goes on");
}

#[test]
fn gzip_bombs_are_not_unpacked() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let pid = node.pid().expect("it serves");
    let (bomb, before) = (gzip_bomb(), peak_memory(pid));
    assert!(bomb.len() < 128 << 10, "{} bytes", bomb.len());
    for path in ["/nudge", "/add-checkpoint"] {
        let answer = node.client().post(path, &[("content-encoding", "gzip")], bomb.clone());
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let grown = peak_memory(pid).saturating_sub(before);
    assert!(grown < MEMORY, "{} MiB more were taken", grown >> 20);
    node.say("it goes on");
}

#[test]
fn ten_thousand_nudges_stall_nobody() {
    const NUDGES: usize = 10_000;
    const AT_ONCE: usize = 4;
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let storm = |from: usize| {
        let client = b.client();
        (from..NUDGES)
            .step_by(AT_ONCE)
            .map(|n| match n % 4 {
                0 => client.post("/nudge", &[], Vec::new()),
                1 => client.post("/nudge", &[], b"a.example\n".to_vec()),
                2 => client.post("/nudge", &[], format!("n{n}.example\n\nno note\n").into_bytes()),
                _ => client.post("/nudge", &[], vec![0xff; 1000]),
            })
            .filter(|answer| (400..500).contains(&answer.status))
            .count()
    };
    let refused: usize = std::thread::scope(|scope| {
        let storms: Vec<_> = (0..AT_ONCE).map(|from| scope.spawn(move || storm(from))).collect();
        // In the middle of it.
        let name = a.say("in the storm");
        until("the exchange goes on in the storm", || b.knows(&name).then_some(()));
        storms.into_iter().map(|storm| storm.join().expect("a storm")).sum()
    });
    assert!(refused >= NUDGES * 7 / 10, "only {refused} were refused");
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
        let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let (status, _) = raw(node.port, &head, 0);
        assert!(matches!(status, 400 | 404 | 414), "{path} is answered with {status}");
    }
    let head = format!("GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "a".repeat(1 << 20));
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
fn a_peer_whose_name_resolves_to_a_private_address_is_never_asked() {
    // Its trust root is rightly signed and rightly pinned; only where it says that it is, is here.
    let trap = Impostor::silent(0);
    let endpoint = format!("https://localhost:{}", trap.port());
    let mut world = World::new(&["a.example"]);
    let other = World::with(&["b.example"], |_| vec!["--endpoint".to_owned(), endpoint.clone()]);
    world.serve();
    let (a, b) = (&world.nodes[0], &other.nodes[0]);
    let (root, fingerprint) = (path_in(&b.root_file(&world.path(""))), b.fingerprint());
    a.ask(&["peer", "add", "b.example", "--root", &root, "--fingerprint", &fingerprint]).expect("peer add");
    a.ask(&["peer", "confirm", "b.example", "--fingerprint", &fingerprint]).expect("peer confirm");
    a.say("for whom it may concern");
    until("the peer is tried more than once", || {
        let status = a.ask(&["status"]).expect("status");
        status["peers"][0]["failures"].as_u64().filter(|failures| *failures > 1)
    });
    assert_eq!(trap.asked(), 0, "a connection was made to a private address that a peer named");
}

#[test]
fn a_name_that_begins_like_another_is_another() {
    let world = World::of_friends(&["a.example", "who.example", "who.example.evil.net"]);
    let [a, who, evil] = &world.nodes[..] else { unreachable!("three") };
    let sealed = a.release(&["--to", "who.example"], "for who.example alone").expect("release");
    let (name, origin) =
        (sealed["name"].as_str().expect("a name"), sealed["origin"].as_str().expect("a log"));
    until("its reader has it", || who.knows(name).then_some(()));
    let public = a.say("for all");
    until("the other has what is public", || evil.knows(&public).then_some(()));
    assert!(!evil.knows(name) && evil.log(origin).is_none());
    // Its own key; its own key under the other's name.
    let path = format!("/{}/checkpoint", origin.split_once('/').expect("a path").1);
    assert_eq!(crate::outsider::signed_get(evil, a, &path, "evil-nonce-000000001", 0).status, 404);
    assert_eq!(crate::outsider::signed_as(evil, "who.example", a, &path, "evil-nonce-000000002").status, 404);
    assert_eq!(crate::outsider::signed_get(who, a, &path, "right-nonce-00000001", 0).status, 200);
    // Two authorities, each with its own page and its own fingerprint.
    let client = a.client();
    for other in [who, evil] {
        let page = client.get(&format!("/network/{}", other.name));
        assert_eq!(page.status, 200, "{}", other.name);
        let first = other.fingerprint()[..4].to_owned();
        assert!(page.text().contains(&first), "the fingerprint of {} is not on its page", other.name);
    }
    let list = a.ask(&["peer", "list"]).expect("peer list");
    assert_eq!(list["peers"].as_array().expect("a list").len(), 2);
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
