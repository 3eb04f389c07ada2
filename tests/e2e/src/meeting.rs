//! Somebody in a meeting: the way in by a link, a ticket, and the engine's WebSocket as bytes on a socket.
//!
//! It has no sound and no pictures: who may be in a room is settled before either.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use livekit_protocol::signal_response::Message;
use livekit_protocol::{SignalRequest, SignalResponse, signal_request};
use prost::Message as _;

use crate::authority::{Authority, free_ports};
use crate::client::{Answer, Client};
use crate::wait::PATIENCE;

/// A form of a page.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The most bytes of an answer's head that are read.
const HEAD: usize = 64 << 10;

impl Authority {
    /// Lets the engine in the program carry its meetings; before it serves.
    pub fn carry_meetings(&self) {
        let path = self.data.join("concord.toml");
        let ports = free_ports(2);
        let text = std::fs::read_to_string(&path).expect("a configuration");
        let text: String = text
            .lines()
            .map(|line| match line.split(" = ").next() {
                Some("backend") => "backend = \"embedded\"\n".to_owned(),
                Some("address") => "address = \"127.0.0.1\"\n".to_owned(),
                Some("udp_port") => format!("udp_port = {}\n", ports[0]),
                Some("tcp_port") => format!("tcp_port = {}\n", ports[1]),
                _ => format!("{line}\n"),
            })
            .collect();
        std::fs::write(path, text).expect("written");
    }

    /// Somebody of a peer who uses the link that was made for them.
    pub fn guest_of(&self, peer: &str) -> Delegate {
        self.by_link(&["link", "--guest", peer])
    }

    /// Somebody of this authority, signed in.
    pub fn colleague(&self) -> Delegate {
        self.by_link(&["link"])
    }

    fn by_link(&self, command: &[&str]) -> Delegate {
        let link = self.ask(command).expect("link");
        let link = link["url"].as_str().expect("a URL").to_owned();
        let path = &link[link.find("/meetings/").or_else(|| link.find("/enter/")).expect("a way in")..];
        let client = self.client();
        let entered = client.post(path, &[FORM], Vec::new());
        let cookie = entered.headers.get("set-cookie").unwrap_or_else(|| panic!("{}", entered.text()));
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let room = client.get_with("/meetings/room", &[("cookie", &cookie)]);
        assert_eq!(room.status, 200, "{}", room.text());
        let csrf = room
            .text()
            .split("\"csrf\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next()?.into())
            .map(str::to_owned);
        Delegate { cookie, csrf: csrf.expect("the room's own secret") }
    }
}

/// Somebody who is signed in, or a guest, with a browser.
pub struct Delegate {
    /// The cookie that the browser keeps.
    pub cookie: String,
    csrf: String,
}

impl Delegate {
    /// Presses the button that enters: a ticket, or what is answered instead.
    ///
    /// # Errors
    /// The answer that is no ticket.
    pub fn ticket(&self, client: &Client) -> Result<String, Answer> {
        let answer = self.post(client, "/meetings/room/token");
        if answer.status != 200 {
            return Err(answer);
        }
        let ticket: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        Ok(ticket["token"].as_str().expect("a token").to_owned())
    }

    /// Leaves this authority's pages for good.
    pub fn sign_out(&self, client: &Client) -> Answer {
        self.post(client, "/sign-out")
    }

    /// Leaves the room of another authority for good, as its guest.
    pub fn sign_out_as_guest(&self, client: &Client) -> Answer {
        self.post(client, "/meetings/sign-out")
    }

    fn post(&self, client: &Client, path: &str) -> Answer {
        self.post_from(client, path, None)
    }

    /// Sends the form with its secret, from a page of this origin.
    pub fn post_from(&self, client: &Client, path: &str, origin: Option<&str>) -> Answer {
        let form = format!("csrf={}", self.csrf).into_bytes();
        let mut headers = vec![("cookie", self.cookie.as_str()), FORM];
        headers.extend(origin.map(|origin| ("origin", origin)));
        client.post(path, &headers, form)
    }
}

/// A WebSocket to the engine.
pub struct Line {
    stream: TcpStream,
    read: Vec<u8>,
}

/// Knocks with a token, and with these lines in the request's head: a line that stands, or the status of the refusal.
///
/// # Errors
/// The status.
pub fn join(port: u16, token: &str, headers: &[(&str, &str)]) -> Result<Line, u16> {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let more: String = headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
    let head = format!(
        "GET /rtc?protocol=17&access_token={token} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut line = Line { stream, read: Vec::new() };
    let end = loop {
        if let Some(at) = line.read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        assert!(line.read.len() < HEAD, "a head without an end");
        assert!(line.more(), "no answer: {:?}", String::from_utf8_lossy(&line.read));
    };
    let head = String::from_utf8_lossy(&line.read[..end]).into_owned();
    line.read.drain(..end);
    let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an HTTP answer");
    if status != 101 {
        return Err(status);
    }
    // Who says nothing at all is put out after seconds.
    let ping = SignalRequest { message: Some(signal_request::Message::Ping(0)) };
    line.say(2, &ping.encode_to_vec());
    Ok(line)
}

impl Line {
    /// The next thing that the engine says; `None` when the line has ended.
    pub fn hear(&mut self) -> Option<Message> {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "the engine says nothing");
            let (kind, payload) = self.frame()?;
            match kind {
                2 => {
                    let response = SignalResponse::decode(payload.as_slice()).expect("a SignalResponse");
                    if let Some(message) = response.message {
                        return Some(message);
                    }
                }
                8 => return None,
                9 => self.say(10, &payload),
                _ => {}
            }
        }
    }

    /// Is this somebody who is in, told so by the first thing that the engine says?
    pub fn is_in(&mut self) -> bool {
        matches!(self.hear(), Some(Message::Join(_)))
    }

    /// The newest token that came with what was said until now and within a moment.
    pub fn refreshed(&mut self) -> String {
        loop {
            match self.hear() {
                Some(Message::RefreshToken(token)) => return token,
                Some(_) => {}
                None => panic!("put out instead of being given a token"),
            }
        }
    }

    /// Waits until the line ends: what the engine said of why, if it did.
    pub fn until_put_out(&mut self) -> Option<livekit_protocol::LeaveRequest> {
        let mut why = None;
        let begun = Instant::now();
        while let Some(message) = self.hear() {
            assert!(begun.elapsed() < PATIENCE, "nobody puts this one out");
            if let Message::Leave(leave) = message {
                why = Some(leave);
            }
        }
        why
    }

    /// One frame of a server (RFC 6455): no mask.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        self.fill(2)?;
        let (kind, short) = (self.read[0] & 0x0F, usize::from(self.read[1] & 0x7F));
        let (header, length) = match short {
            126 => {
                self.fill(4)?;
                (4, usize::from(u16::from_be_bytes([self.read[2], self.read[3]])))
            }
            127 => {
                self.fill(10)?;
                let bytes: [u8; 8] = self.read[2..10].try_into().expect("eight bytes");
                (10, usize::try_from(u64::from_be_bytes(bytes)).expect("a length"))
            }
            short => (2, short),
        };
        self.fill(header + length)?;
        let payload = self.read[header..header + length].to_vec();
        self.read.drain(..header + length);
        Some((kind, payload))
    }

    fn fill(&mut self, bytes: usize) -> Option<()> {
        while self.read.len() < bytes {
            if !self.more() {
                return None;
            }
        }
        Some(())
    }

    fn more(&mut self) -> bool {
        let mut part = [0; 4096];
        match self.stream.read(&mut part) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.read.extend_from_slice(&part[..count]);
                true
            }
        }
    }

    /// One short frame of a client: masked, with a mask of zeros.
    fn say(&mut self, kind: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("short");
        let mut frame = vec![0x80 | kind, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        // Whoever is put out learns it by reading.
        let _ = self.stream.write_all(&frame);
    }
}
