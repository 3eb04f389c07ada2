//! The TCP connections of one media thread (ICE-TCP, RFC 6544, passive): frames in, frames out.
//!
//! A connection comes here only after its first frame named one of this thread's sessions, and stays only if ICE answered on it.
//! Nothing on it can make the thread wait: what a receiver does not take is dropped beyond a bounded queue.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use tokio::sync::oneshot;

use super::figures::Figures;
use super::framing::{Framer, Unframer};

/// A connection that says nothing for so long is closed: ICE asks for consent every few seconds (RFC 7675).
const SILENCE: Duration = Duration::from_secs(30);
/// A connection on which ICE answered nothing for so long is closed: its other side has a name, and not the password to it.
pub(super) const UNPROVEN: Duration = Duration::from_secs(5);
/// How often both are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// The most connections of one thread.
pub(super) const CONNECTIONS: usize = 4096;
/// Reads of one connection in one round, so that others have their turn.
const READS: usize = 8;
/// Tokens below belong to the thread itself.
const FIRST_TOKEN: usize = 16;

/// A connection whose owner is known, on its way to the owner.
pub(super) struct Arrival {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    /// The place at which it arrived.
    pub(super) local: SocketAddr,
    /// Its first packet.
    pub(super) first: Vec<u8>,
    /// Dropped with the connection: its place is free then.
    pub(super) place: oneshot::Sender<()>,
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
    unframer: Unframer,
    framer: Framer,
    opened: Instant,
    heard: Instant,
    /// Something was sent on it. ICE answers nobody who does not know the session's password, and everything else follows it.
    proven: bool,
    _place: oneshot::Sender<()>,
}

impl Connection {
    fn is_over(&self, now: Instant) -> bool {
        let silent = now.duration_since(self.heard) >= SILENCE;
        silent || (!self.proven && now.duration_since(self.opened) >= UNPROVEN)
    }
}

pub(super) struct Tcp {
    connections: HashMap<Token, Connection>,
    by_peer: HashMap<SocketAddr, Token>,
    next: usize,
    scratch: Vec<u8>,
    /// Those of which there may be more to read than one round allowed.
    unread: Vec<Token>,
    swept: Instant,
}

impl Tcp {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            connections: HashMap::new(),
            by_peer: HashMap::new(),
            next: FIRST_TOKEN,
            scratch: vec![0; 16 * 1024],
            unread: Vec::new(),
            swept: now,
        }
    }

    /// Takes a connection over.
    pub(super) fn adopt(&mut self, arrival: Arrival, registry: &Registry, now: Instant, figures: &Figures) {
        let mut stream = TcpStream::from_std(arrival.stream);
        let token = Token(self.next);
        let both = Interest::READABLE | Interest::WRITABLE;
        if self.connections.len() >= CONNECTIONS || registry.register(&mut stream, token, both).is_err() {
            figures.tcp_drops.add(1);
            return;
        }
        self.next += 1;
        figures.tcp_accepted.add(1);
        let Arrival { peer, local, place, .. } = arrival;
        let connection = Connection {
            stream,
            peer,
            local,
            unframer: Unframer::default(),
            framer: Framer::default(),
            opened: now,
            heard: now,
            proven: false,
            _place: place,
        };
        self.by_peer.insert(peer, token);
        self.connections.insert(token, connection);
        self.unread.push(token);
    }

    /// The system says that something can be read or written.
    pub(super) fn ready(&mut self, token: Token, readable: bool, figures: &Figures) {
        if readable && !self.unread.contains(&token) {
            self.unread.push(token);
        }
        self.write(token, figures);
    }

    /// Whether a round is worth while without waiting.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads where something may be read.
    pub(super) fn read(
        &mut self,
        now: Instant,
        figures: &Figures,
        mut each: impl FnMut(SocketAddr, SocketAddr, &[u8]),
    ) {
        for token in std::mem::take(&mut self.unread) {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            match read_some(connection, &mut self.scratch, now, figures, &mut each) {
                Ok(true) => self.unread.push(token),
                Ok(false) => {}
                Err(_) => self.close(token, figures),
            }
        }
        if now.duration_since(self.swept) >= SWEEP {
            self.swept = now;
            let over = self.connections.iter().filter(|(_, connection)| connection.is_over(now));
            let tokens: Vec<_> = over.map(|(token, _)| *token).collect();
            for token in tokens {
                self.close(token, figures);
            }
        }
    }

    /// Sends a packet on the connection that came from there.
    pub(super) fn send(&mut self, destination: SocketAddr, packet: &[u8], figures: &Figures) {
        let token = self.by_peer.get(&destination).copied();
        let Some((token, connection)) =
            token.and_then(|token| Some((token, self.connections.get_mut(&token)?)))
        else {
            figures.tcp_drops.add(1);
            return;
        };
        if !connection.framer.push(packet) {
            figures.tcp_drops.add(1);
            return;
        }
        connection.proven = true;
        figures.sent(1, packet.len());
        self.write(token, figures);
    }

    fn write(&mut self, token: Token, figures: &Figures) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        while !connection.framer.head().is_empty() {
            match connection.stream.write(connection.framer.head()) {
                Ok(0) => return self.close(token, figures),
                Ok(written) => connection.framer.written(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.close(token, figures),
            }
        }
    }

    fn close(&mut self, token: Token, figures: &Figures) {
        let Some(connection) = self.connections.remove(&token) else { return };
        // A client may have come back from the same port in the meantime.
        if self.by_peer.get(&connection.peer) == Some(&token) {
            self.by_peer.remove(&connection.peer);
        }
        figures.tcp_closed.add(1);
    }
}

/// True if there may be more.
fn read_some(
    connection: &mut Connection,
    scratch: &mut [u8],
    now: Instant,
    figures: &Figures,
    each: &mut impl FnMut(SocketAddr, SocketAddr, &[u8]),
) -> io::Result<bool> {
    for _ in 0..READS {
        let count = match connection.stream.read(scratch) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        connection.heard = now;
        connection.unframer.feed(scratch.get(..count).unwrap_or_default());
        while let Some(packet) = connection.unframer.next().map_err(io::Error::other)? {
            figures.received(packet.len());
            each(connection.peer, connection.local, packet);
        }
    }
    Ok(true)
}
