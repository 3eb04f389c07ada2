//! What becomes of packets: a [`Shard`] owns sessions, terminates ICE, DTLS and SRTP, forwards media and data.
//!
//! It is a state machine of (packet or order, time) → (packet, event). It has no socket, no clock, no thread and no lock, never
//! decodes or stores media, and knows no names, permissions or tokens. A driver with sockets and a simulation execute it alike:
//!
//! 1. give it what came - [`Shard::receive`], [`Shard::order`], [`Shard::forwarded`] - as many at once as are there;
//! 2. call [`Shard::tick`] when [`Shard::deadline`] has passed, and always once after step 1;
//! 3. drain [`Shard::poll`] until `None`. Outputs appear in `tick`: between, writes to one session are gathered, because a
//!    session is cheap to write to and dear to drain.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::contract::{Event, Kind, Quality, RoomKey, ShardId, TrackKey};
use packet::MediaPacket;

mod allocate;
mod beat;
#[cfg(test)]
mod breaking;
mod channels;
mod claims;
mod elsewhere;
mod forward;
mod lastn;
mod layers;
mod orders;
mod owner;
mod packet;
mod peer;
mod rewrite;
mod sdp;
mod session;
mod shard;
mod slots;
mod speakers;
mod table;
mod track;

pub use owner::owner_of;
pub use shard::Shard;

/// Which transport carries a packet. TCP is framed by RFC 4571; the driver frames and unframes, a shard sees datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, on connections that clients opened (ICE-TCP, RFC 6544, `tcptype passive`).
    Tcp,
}

/// One place at which this server can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// By what.
    pub transport: Transport,
    /// The address on this machine: [`Received::destination`] and [`Transmit::source`] are one of these. Never unspecified
    /// (`0.0.0.0`, `::`): a driver that listens on all interfaces lists them and reads the destination of each packet.
    pub local: SocketAddr,
    /// What clients are told: `local`, or the address before a 1:1 NAT.
    pub public: SocketAddr,
}

/// What a shard must know before the first session.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Where clients reach it; IPv4 and IPv6, UDP before TCP. The same for all shards of one engine.
    pub places: Vec<Place>,
    /// How many shards there are, at least 1 and at most 64.
    pub shards: u8,
    /// Of how many loudest audio tracks of a room the packets are forwarded; 0 for all. Exempt tracks come on top.
    pub last_n: usize,
    /// Bits per second that the way to a client is believed to carry before anything was measured.
    pub initial_estimate: u64,
    /// A session that was silent for so long is given up: ICE's own 10 s and 5 s more.
    pub patience: Duration,
    /// A session that never completes ICE and DTLS is given up after so long.
    pub setup: Duration,
    /// How often [`Event::Health`] comes for each session.
    pub health_every: Duration,
    /// Most bytes that wait on a reliable data channel before its session is closed.
    pub reliable_buffer: usize,
    /// Most bytes that wait on a lossy data channel before messages are dropped.
    pub lossy_buffer: usize,
    /// H.264 is offered and accepted.
    pub h264: bool,
    /// VP9 is offered and accepted.
    pub vp9: bool,
}

impl MediaConfig {
    /// The defaults, at these places.
    pub fn at(places: Vec<Place>) -> Self {
        Self {
            places,
            shards: 1,
            last_n: 0,
            initial_estimate: 1_500_000,
            patience: Duration::from_secs(15),
            setup: Duration::from_secs(30),
            health_every: Duration::from_secs(5),
            reliable_buffer: 4 << 20,
            lossy_buffer: 256 << 10,
            h264: true,
            vp9: true,
        }
    }
}

/// A packet that came in.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// By what.
    pub transport: Transport,
    /// From where.
    pub source: SocketAddr,
    /// To which [`Place::local`].
    pub destination: SocketAddr,
    /// Its bytes; of TCP, one frame without its length.
    pub bytes: &'a [u8],
}

/// A packet to be sent.
#[derive(Debug)]
pub struct Transmit {
    /// By what. For TCP: on the connection that came from `destination` to `source`; if that is gone, drop it.
    pub transport: Transport,
    /// From which [`Place::local`].
    pub source: SocketAddr,
    /// To where.
    pub destination: SocketAddr,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What one shard tells another. Its inside is the shards' affair; a driver carries it, in order, and loses none.
#[derive(Clone, Debug)]
pub struct Forwarded {
    from: ShardId,
    body: Body,
}

/// What shards say to each other.
#[derive(Clone, Debug)]
enum Body {
    /// A packet that came to a thread that does not own its session.
    Datagram { transport: Transport, source: SocketAddr, destination: SocketAddr, bytes: Bytes },
    /// To all: ICE finds a session of the sender under this name.
    Named { name: String },
    /// To all: no more.
    Unnamed { name: String },
    /// To the shard that receives a track: somebody here subscribed to it.
    Attach { track: TrackKey, kind: Kind },
    /// To the same: nobody here does any more.
    Detach { track: TrackKey },
    /// To the same: a key frame of this layer is needed here.
    Key { track: TrackKey, layer: Quality },
    /// From it: what must be known of the track.
    State { track: TrackKey, room: RoomKey, exempt: bool, muted: bool, speaking: bool },
    /// From it: a packet of the track.
    Media { track: TrackKey, packet: MediaPacket },
    /// From it: the track is gone.
    Gone { track: TrackKey },
}

/// What a shard wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this.
    Transmit(Transmit),
    /// Tell the rooms.
    Event(Event),
    /// Give this to another shard: [`Shard::forwarded`].
    Forward {
        /// To which.
        to: ShardId,
        /// What.
        packet: Forwarded,
    },
}
