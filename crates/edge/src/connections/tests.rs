//! Real sockets on this machine, with limits of parts of a second.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::*;

const LONG: Duration = Duration::from_secs(20);
const PACE: Pace = Pace {
    head: Duration::from_millis(300),
    idle: Duration::from_secs(1),
    stall: Duration::from_millis(300),
    slowest: 1 << 20,
};

struct Server {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

/// A server of one word, of an answer that never comes, and of more bytes than sockets hold.
async fn server(limits: Limits) -> Server {
    let router = Router::new()
        .route("/word", get(|| async { "word" }))
        .route("/never", get(std::future::pending::<()>))
        .route("/much", get(|| async { vec![b'x'; 64 << 20] }));
    serves(router, limits).await
}

async fn serves(router: Router, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move {
        serve(listener, router, &Proxies::here(), limits, async { drop(stopped.await) }).await;
    });
    Server { at, stop, ended }
}

fn limits() -> Limits {
    Limits { pace: PACE, ending: Duration::from_millis(300), ..Limits::for_files(256) }
}

impl Server {
    async fn says(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

/// Everything that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut all)).await.expect("the connection is closed");
    // A connection that is cut off may be reset.
    drop(read);
    all
}

#[tokio::test]
async fn who_says_nothing_or_half_a_request_is_let_go_and_others_are_answered() {
    let server = server(limits()).await;
    let mut silent = server.says(b"").await;
    let mut half = server.says(b"GET /word HTTP/1.1\r\nhost: h").await;
    let mut whole = server.says(b"GET /word HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(rest(&mut whole).await.ends_with(b"word"));
    assert!(rest(&mut silent).await.is_empty());
    assert!(rest(&mut half).await.is_empty());
}

/// One byte at a time is not faster.
#[tokio::test]
async fn a_head_that_drips_in_is_not_waited_for() {
    let server = server(limits()).await;
    let mut drip = server.says(b"GET /word HTTP/1.1\r\nx: ").await;
    let begun = Instant::now();
    while drip.write_all(b"y").await.is_ok() && begun.elapsed() < LONG {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < LONG);
}

#[tokio::test]
async fn a_connection_may_be_still_for_longer_between_requests() {
    let server = server(limits()).await;
    let mut stream = server.says(b"GET /word HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let mut first = [0; 256];
    assert!(stream.read(&mut first).await.unwrap() > 0);
    tokio::time::sleep(PACE.head * 2).await;
    stream.write_all(b"GET /word HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    let last = rest(&mut stream).await;
    assert!(last.ends_with(b"word"), "then it is closed");
}

#[tokio::test]
async fn who_does_not_read_its_answer_is_let_go() {
    let server = server(limits()).await;
    let mut stream = server.says(b"GET /much HTTP/1.1\r\nhost: h\r\n\r\n").await;
    tokio::time::sleep(PACE.stall * 4).await;
    assert!(rest(&mut stream).await.len() < 64 << 20);
}

#[tokio::test]
async fn who_reads_it_has_all_of_it() {
    let server = server(limits()).await;
    let mut stream = server.says(b"GET /much HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(rest(&mut stream).await.len() > 64 << 20);
}

/// Places for two, and heads that may take long.
fn narrow() -> Limits {
    let most = Most { all: 2, of_block: 1, around: 1 };
    let room = Room { most, ..limits().room };
    Limits { room, pace: Pace { head: LONG, idle: LONG, ..PACE }, proxy_idle: LONG, ..limits() }
}

const WORD: &[u8] = b"GET /word HTTP/1.1\r\nhost: h\r\n\r\n";

#[tokio::test]
async fn when_all_places_are_taken_the_stillest_that_waits_gives_way() {
    let server = server(narrow()).await;
    let (mut first, _second) = (server.says(b"G").await, server.says(b"G").await);
    let mut third = server.says(WORD).await;
    assert!(rest(&mut first).await.is_empty(), "half a head is not waited for");
    let mut answer = [0; 256];
    assert!(third.read(&mut answer).await.unwrap() > 0);
}

#[tokio::test]
async fn what_is_being_answered_to_a_proxy_gives_way_to_nobody() {
    let server = server(narrow()).await;
    let never = b"GET /never HTTP/1.1\r\nhost: h\r\n\r\n";
    let (_first, _second) = (server.says(never).await, server.says(never).await);
    // The server has both heads when it answers nobody else any more.
    let refused = async {
        loop {
            let mut other = TcpStream::connect(server.at).await.unwrap();
            let mut answer = [0; 256];
            let read = async { other.write_all(WORD).await.and(other.read(&mut answer).await) };
            if read.await.map_or(true, |bytes| bytes == 0) {
                break;
            }
        }
    };
    timeout(LONG, refused).await.expect("a third is closed at once");
}

/// A proxy that takes a connection for each answer and does not read them.
#[tokio::test]
async fn connections_of_a_proxy_are_idle_for_a_shorter_time() {
    let server = server(Limits { proxy_idle: Duration::from_millis(200), ..narrow() }).await;
    let mut stream = server.says(WORD).await;
    let begun = Instant::now();
    assert!(rest(&mut stream).await.ends_with(b"word"));
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn half_heads_hold_few_bytes_and_the_largest_holders_give_way() {
    let room = Room { bytes: 200_000, ..limits().room };
    let server = server(Limits { room, ..narrow() }).await;
    let half = [b"GET /word?".to_vec(), vec![b'a'; 60_000]].concat();
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(server.says(&half).await);
    }
    let mut small = server.says(WORD).await;
    let mut answer = [0; 256];
    assert!(small.read(&mut answer).await.unwrap() > 0);
    let mut first = held.remove(0);
    let begun = Instant::now();
    assert!(
        rest(&mut first).await.is_empty() && begun.elapsed() < LONG / 2,
        "the stillest of them is closed"
    );
}

#[tokio::test]
async fn whoever_answers_can_end_the_connection_whatever_is_read_of_it() {
    let router = Router::new().route(
        "/much",
        get(|over: axum::Extension<Connection>| async move {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                over.end();
            });
            vec![b'x'; 64 << 20]
        }),
    );
    let server = serves(router, Limits { pace: Pace { stall: LONG, ..PACE }, ..limits() }).await;
    let mut stream = server.says(b"GET /much HTTP/1.1\r\nhost: h\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(rest(&mut stream).await.len() < 64 << 20);
}

#[tokio::test]
async fn the_end_does_not_wait_for_those_who_do_not_end() {
    let server = server(limits()).await;
    let mut never = server.says(b"GET /never HTTP/1.1\r\nhost: h\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.send(()).unwrap();
    timeout(LONG, server.ended).await.expect("it ends").unwrap();
    assert!(rest(&mut never).await.is_empty());
}

/// Two reads of the most that is kept, and not as much as somebody sends.
#[tokio::test]
async fn a_head_may_have_the_longest_address_and_has_an_end() {
    let server = server(limits()).await;
    let head = |address: usize, header: usize| {
        let (address, header) = ("a".repeat(address), "h".repeat(header));
        format!("GET /word?{address} HTTP/1.1\r\nhost: h\r\nx: {header}\r\nconnection: close\r\n\r\n")
    };
    let mut longest = server.says(head(65_000, 4_000).as_bytes()).await;
    assert!(rest(&mut longest).await.ends_with(b"word"));
    let mut more = TcpStream::connect(server.at).await.unwrap();
    // It may be closed before all of it is sent.
    let _ = more.write_all(head(65_000, 2 * HEAD_BYTES).as_bytes()).await;
    assert!(!rest(&mut more).await.ends_with(b"word"));
}

/// Who asks is heard at once, whatever part of a request others hold back.
#[tokio::test]
async fn whoever_says_nothing_to_a_socket_of_this_machine_gives_way_to_who_asks() {
    use axum::routing::post;
    use tokio::net::UnixStream;
    let folder = std::env::temp_dir().join(format!("edge-here-{}", std::process::id()));
    let listener = UnixListener::bind(&folder).unwrap();
    let (began, mut begun) = tokio::sync::mpsc::channel(1);
    let (go, gone) = watch::channel(false);
    let slow = move |_: String| {
        let (began, mut gone) = (began.clone(), gone.clone());
        async move {
            began.send(()).await.unwrap();
            drop(gone.wait_for(|gone| *gone).await);
            "done"
        }
    };
    let router = Router::new().route("/say", post(|body: String| async { body })).route("/slow", post(slow));
    let pace = Pace { head: LONG, idle: LONG, ..PACE };
    let serving = tokio::spawn(serve_here(listener, router, 4, pace, Duration::ZERO, std::future::pending()));
    let says = async |bytes: &str| {
        let mut stream = UnixStream::connect(&folder).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    };
    let head =
        |path| format!("POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 4\r\n\r\n");
    let mut answered = says(&(head("/slow") + "word")).await;
    begun.recv().await.unwrap();
    let _held = [says("").await, says("POST /say HT").await, says(&(head("/say") + "wo")).await];
    let asked = Instant::now();
    let mut said = Vec::new();
    says(&(head("/say") + "word")).await.read_to_end(&mut said).await.unwrap();
    assert!(said.ends_with(b"word"), "{said:?}");
    assert!(asked.elapsed() < LONG / 4, "{:?}", asked.elapsed());
    go.send_replace(true);
    said.clear();
    answered.read_to_end(&mut said).await.unwrap();
    assert!(said.ends_with(b"done"), "what is being answered gives way to nobody");
    serving.abort();
    std::fs::remove_file(&folder).unwrap();
}

/// Lines behind a body in chunks are no way around the limits of a head: they are as few and as short.
#[tokio::test]
async fn lines_behind_a_body_are_bounded() {
    use axum::routing::post;
    let router = Router::new().route("/say", post(|body: axum::body::Bytes| async move { body }));
    let server = serves(router, Limits { pace: Pace { head: LONG, ..PACE }, ..limits() }).await;
    let body = b"POST /say HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n4\r\nword\r\n0\r\n";
    let mut few = server.says(&[body.as_slice(), b"a: b\r\n\r\n"].concat()).await;
    assert!(rest(&mut few).await.ends_with(b"word"));
    let long = [b"a: ".as_slice(), &b"x".repeat(17 << 10)].concat();
    let many = b"a: b\r\n".repeat(101);
    for lines in [long, many] {
        // None of them has an end: whoever answers does not wait for it.
        let mut stream = server.says(&[body.as_slice(), &lines].concat()).await;
        let said = rest(&mut stream).await;
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&said));
    }
}
