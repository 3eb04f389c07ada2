//! Two clients: `reqwest`, as programs use it, and bare bytes on a socket, as nobody should.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request takes this long at most.
const TIMEOUT: Duration = Duration::from_secs(45);

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers by lower-case name. One that comes twice is joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer without what says when it was given.
    #[must_use]
    pub fn without_time(mut self) -> Self {
        self.headers.remove("date");
        self
    }
}

/// A client of one server.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// A client of the server that listens on a port of this machine.
    pub fn new(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { runtime, http: client, base: format!("http://127.0.0.1:{port}") }
    }

    /// A GET; fails the test if nobody answers.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// A GET with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// A POST.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = self.http.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).unwrap_or_else(|e| panic!("POST {path}: {e}"))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let mut headers = BTreeMap::<String, String>::new();
            for (name, value) in response.headers() {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                headers
                    .entry(name.as_str().to_owned())
                    .and_modify(|before| *before = format!("{before}, {value}"))
                    .or_insert(value);
            }
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        })
    }
}

/// Sends a request head as it is written, then a body of `length` bytes for as long as the server takes them,
/// and gives the status it answers with and how many bytes of the body it took.
pub fn raw(port: u16, head: &str, length: usize) -> (u16, usize) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut socket = TcpStream::connect_timeout(&address, TIMEOUT).expect("the server accepts");
    socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    socket.set_write_timeout(Some(TIMEOUT)).expect("a timeout");
    socket.write_all(head.as_bytes()).expect("the server reads the head");
    let mut answers = socket.try_clone().expect("a second handle");
    // The answer may come while the body is still being sent, and be lost when the server closes on it.
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while !answer.windows(2).any(|w| w == b"\r\n") {
            match answers.read(&mut part) {
                Ok(0) | Err(_) => break,
                Ok(n) => answer.extend_from_slice(&part[..n]),
            }
        }
        answer
    });
    let chunk = vec![b'x'; 64 << 10];
    let mut sent = 0;
    while sent < length && !reader.is_finished() {
        match socket.write(&chunk[..chunk.len().min(length - sent)]) {
            Ok(0) | Err(_) => break,
            Ok(n) => sent += n,
        }
    }
    let answer = String::from_utf8_lossy(&reader.join().expect("a reader")).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or_else(|| panic!("no HTTP answer: {answer:?}")), sent)
}
