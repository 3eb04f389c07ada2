//! A confirmed authority whose program is not ours: it has rightly signed logs of any size and number, and answers as slowly,
//! as often wrongly, and with as much as a test says.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use federate::{Head, Heads};
use record::logstate::{LogOpen, Previous, log_open_header};
use record::{AudienceId, BlobRef, Header, Origin, Readers, Record, SignedRoot, Status, Ulid};
use tlog::{
    Checkpoint, Edge, KeyType, LocalSigner, SecretKey, SignedCheckpoint, TileId, leaf_hash, sha256,
    write_bundle,
};

use crate::authority::Authority;
use crate::forgery::key;

/// The policy of every log here: nobody's cosignature is needed.
const POLICY: &[u8] = b"quorum none\n";
/// How long a question for news is held.
const HELD: Duration = Duration::from_secs(20);

/// The keys of an authority that was made by `init` and whose program does not run.
pub struct Forger {
    name: String,
    author: LocalSigner,
    log: [u8; 32],
    root: SignedRoot,
}

impl Forger {
    /// Takes over an authority.
    pub fn of(node: &Authority) -> Self {
        let (listed, secret) = key(&node.data, "author");
        let author = LocalSigner::new(listed.name(), listed.key_type(), secret).expect("a signer");
        let shown = node.ask(&["root", "show"]).expect("root show");
        let root = SignedRoot::parse(shown["root"].as_str().expect("a root").as_bytes()).expect("a root");
        Self { name: node.name.clone(), author, log: *key(&node.data, "log").1.seed(), root }
    }

    /// A public log that opens, under a number.
    pub fn log(&self, number: u32) -> ForgedLog {
        let number = if number == 0 { String::new() } else { format!(".{}", number + 1) };
        let origin = format!("{}/log/public/2026{number}", self.name);
        self.opened(origin.parse().expect("an origin"), Readers::Public, None)
    }

    /// The same, which goes on from another one.
    pub fn log_behind(&self, number: u32, before: &ForgedLog) -> ForgedLog {
        let origin = format!("{}/log/public/2026.{}", self.name, number + 1);
        let (size, root) = (before.edge.size(), before.edge.root());
        let previous = Previous { origin: before.origin.clone(), size, root };
        self.opened(origin.parse().expect("an origin"), Readers::Public, Some(previous))
    }

    /// A log for one reader.
    pub fn log_for(&self, reader: &str) -> ForgedLog {
        let audience = AudienceId::random([7; 16]);
        let year = 2026;
        let authority: record::Authority = self.name.parse().expect("an authority");
        let readers = Readers::Set([reader.parse().expect("an authority"), authority.clone()].into());
        self.opened(Origin { authority, audience, year, n: None }, readers, None)
    }

    fn opened(&self, origin: Origin, readers: Readers, previous: Option<Previous>) -> ForgedLog {
        let mut log = ForgedLog { origin, entries: Vec::new(), edge: Edge::new(), tiles: BTreeMap::new() };
        let open = LogOpen {
            readers,
            root: (1, sha256(self.root.note.text.as_bytes())),
            policy: sha256(POLICY),
            previous,
        };
        let released = "2026-11-22T09:00:00Z".parse().expect("a time");
        let header = log_open_header(&log.origin, &open, Ulid::new(1, [0; 10]), released, Status::Exercise);
        self.push(&mut log, &header);
        log
    }

    /// Appends a record, a notice but for what is changed.
    pub fn record(&self, log: &mut ForgedLog, change: impl FnOnce(&mut Header)) {
        let id = Ulid::new(log.entries.len() as u64, [7; 10]);
        let released = "2026-11-22T10:00:00Z".parse().expect("a time");
        let mut header = Header::bare(&log.origin, "notice", id, released, Status::Exercise);
        change(&mut header);
        self.push(log, &header);
    }

    fn push(&self, log: &mut ForgedLog, header: &Header) {
        log.push(Record::sign(header, &[&self.author]).expect("a record").bytes);
    }

    /// A record that names a blob of so many bytes.
    pub fn names_blob(&self, log: &mut ForgedLog, name: &[u8], size: u64) {
        let media_type = "application/pdf".parse().expect("a media type");
        let blob = BlobRef { sha256: sha256(name), size, media_type, lang: None };
        self.record(log, |header| header.blobs = vec![blob]);
    }

    fn checkpoint(&self, log: &ForgedLog) -> SignedCheckpoint {
        let origin = log.origin.to_string();
        let secret = SecretKey::from_seed(self.log);
        let signer = LocalSigner::new(&origin, KeyType::Ed25519, secret).expect("a signer");
        let checkpoint = Checkpoint { origin, size: log.edge.size(), root: log.edge.root() };
        SignedCheckpoint::sign(checkpoint, &signer).expect("signs")
    }

    /// What it serves of these logs, by path; `seen` is how many `seen` files it claims of each.
    pub fn files(&self, logs: &[ForgedLog], seen: u64) -> BTreeMap<String, Arc<[u8]>> {
        let mut files: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
        let mut heads = Heads::default();
        for log in logs {
            let checkpoint = self.checkpoint(log);
            heads.logs.insert(log.origin.clone(), Head { checkpoint, seen, held: None });
            let prefix = format!("/{}", log.origin.to_string().split_once('/').expect("an origin").1);
            for (tile, bytes) in &log.tiles {
                files.insert(format!("{prefix}/{}", tile.path()), bytes.as_slice().into());
            }
            for (n, entries) in log.entries.chunks(256).enumerate() {
                let width = u16::try_from(entries.len()).expect("a bundle");
                let bundle = write_bundle(entries).expect("fits");
                files.insert(format!("{prefix}/{}", tlog::bundle_path(n as u64, width)), bundle.into());
            }
        }
        files.insert("/heads".to_owned(), heads.to_bytes().into());
        files.insert(format!("/blob/{}", sha256(POLICY)), POLICY.into());
        for path in ["/root/1", "/.well-known/concord/root"] {
            files.insert(path.to_owned(), self.root.bytes.as_slice().into());
        }
        files
    }
}

/// A log of any length, with its tiles.
pub struct ForgedLog {
    /// Its origin.
    pub origin: Origin,
    entries: Vec<Vec<u8>>,
    edge: Edge,
    tiles: BTreeMap<TileId, Vec<u8>>,
}

impl ForgedLog {
    /// Appends bytes as they are.
    pub fn push(&mut self, entry: Vec<u8>) {
        let tiles = &mut self.tiles;
        self.edge.append(leaf_hash(&entry), &mut |tile: TileId, bytes| drop(tiles.insert(tile, bytes)));
        self.entries.push(entry);
    }

    /// The name of the record that was appended last but so many.
    pub fn name(&self, before_last: usize) -> tlog::Hash {
        let entry = &self.entries[self.entries.len() - 1 - before_last];
        Record::parse(entry).expect("a record").name()
    }

    /// Ends the log for now: what is served of it can be told.
    #[must_use]
    pub fn done(mut self) -> Self {
        self.tiles.extend(self.edge.partials());
        self
    }
}

/// How it answers for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As anybody does.
    Plainly,
    /// With news each time that it is asked, without waiting for any.
    Restless,
    /// A byte now and then.
    Drips,
    /// Never.
    Silent,
    /// With as many bytes as were announced, which are something else.
    Junk,
    /// With what may come before an answer (`103 Early Hints`), and no answer behind it.
    Hints,
    /// With a body of which nothing comes, however much of it is unpacked.
    Packed,
}

type Manners = Box<dyn Fn(&str) -> Manner + Send + Sync>;

/// Its server. Dropped, it is gone.
pub struct Hostile {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    files: BTreeMap<String, Arc<[u8]>>,
    manners: Manners,
    is_over: AtomicBool,
    asked: AtomicU64,
    answering: AtomicU64,
    sent: AtomicU64,
    held: Mutex<Vec<TcpStream>>,
}

impl Hostile {
    /// Serves these files at a port, as `manners` says for each path.
    pub fn serving(
        port: u16,
        files: BTreeMap<String, Arc<[u8]>>,
        manners: impl Fn(&str) -> Manner + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            files,
            manners: Box::new(manners),
            is_over: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            answering: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            held: Mutex::default(),
        });
        let inside = shared.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if inside.is_over.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(handle) = connection.try_clone() {
                    inside.held.lock().expect("no panic").push(handle);
                }
                let shared = inside.clone();
                std::thread::spawn(move || while shared.answer_one(&connection).is_ok() {});
            }
        });
        Self { address, shared }
    }

    /// How many requests came.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// How many requests it is answering.
    pub fn answering(&self) -> u64 {
        self.shared.answering.load(Ordering::Relaxed)
    }

    /// How many bytes of bodies, or before them, went out.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        for connection in self.shared.held.lock().expect("no panic").drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Shared {
    fn answer_one(&self, connection: &TcpStream) -> std::io::Result<()> {
        let head = read_head(connection)?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answering.fetch_add(1, Ordering::Relaxed);
        let answered = self.answer(connection, &head);
        self.answering.fetch_sub(1, Ordering::Relaxed);
        answered
    }

    fn answer(&self, mut connection: &TcpStream, head: &str) -> std::io::Result<()> {
        let path = head.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?']).next()).unwrap_or("");
        let manner = (self.manners)(path);
        let body = self.files.get(path);
        if path == "/heads"
            && head.to_ascii_lowercase().contains("if-none-match")
            && manner == Manner::Plainly
        {
            self.wait(HELD);
            return connection.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"h\"\r\n\r\n");
        }
        let Some(body) = body else {
            return connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        };
        let tag = match (path, manner) {
            ("/heads", Manner::Restless) => format!("etag: \"{}\"\r\n", self.asked.load(Ordering::Relaxed)),
            ("/heads", _) => "etag: \"h\"\r\n".to_owned(),
            _ => String::new(),
        };
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{tag}\r\n");
        match manner {
            Manner::Plainly | Manner::Restless | Manner::Junk => {
                connection.write_all(head.as_bytes())?;
                let junk = (manner == Manner::Junk).then(|| vec![b'x'; length]);
                for piece in junk.as_deref().unwrap_or(body).chunks(64 << 10) {
                    connection.write_all(piece)?;
                    self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
                Ok(())
            }
            Manner::Hints => {
                self.without_end(connection, b"", b"HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n")
            }
            Manner::Packed => {
                let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03";
                // Stored blocks of no length.
                self.without_end(connection, head, b"\0\0\0\xff\xff")
            }
            Manner::Silent => {
                // Until the other side gives up, or the end.
                let _ = connection.read(&mut [0]);
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }
            Manner::Drips => {
                connection.write_all(head.as_bytes())?;
                for byte in body.chunks(1) {
                    self.wait(Duration::from_secs(1));
                    connection.write_all(byte)?;
                }
                Ok(())
            }
        }
    }

    /// The same again and again.
    fn without_end(&self, mut connection: &TcpStream, first: &[u8], again: &[u8]) -> std::io::Result<()> {
        connection.write_all(first)?;
        let piece = again.repeat((32 << 10) / again.len());
        while !self.is_over.load(Ordering::Relaxed) {
            connection.write_all(&piece)?;
            self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Until the time has passed or the test ends.
    fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50).min(time));
        }
    }
}

fn read_head(mut connection: &TcpStream) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 << 10 {
        if connection.read(&mut byte)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
