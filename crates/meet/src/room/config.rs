//! What an operator sets, and the limits that nobody sets: every number that rooms hold foreign input to.

use std::time::Duration;

use livekit_protocol::Codec;

/// What an operator sets. [`RoomsConfig::default`] is `LiveKit`'s own behaviour.
#[derive(Clone, Debug)]
pub struct RoomsConfig {
    /// Whether the first to enter makes the room. Off: rooms are made by `CreateRoom` only.
    pub auto_create: bool,
    /// How long a room waits for its first participant.
    pub empty_timeout: Duration,
    /// How long a room is kept after its last participant left.
    pub departure_timeout: Duration,
    /// Participants in one room at most, if the room does not say; 0 for any number. Hidden ones count.
    pub max_participants: u32,
    /// Participants in all rooms at most: the measured load of the machine. 0 for any number.
    pub max_sessions: usize,
    /// Whether a moderator may unmute a track of another. Off: unmuting is always the speaker's own act.
    pub remote_unmute: bool,
    /// Whether clients may ask for faults (`SimulateScenario`); for tests only.
    pub simulate: bool,
    /// Codecs that clients are told to publish, as `JoinResponse.enabled_publish_codecs`.
    pub codecs: Vec<Codec>,
    /// `server_info.region`.
    pub region: String,
    /// `server_info.node_id`.
    pub node_id: String,
    /// Tracks whose name begins with one of these are never withheld by last-N: channels that are always to be heard.
    pub exempt_tracks: Vec<String>,
    /// How long a refreshed token is valid; a token that holds longer keeps its own end.
    pub token_life: Duration,
}

impl Default for RoomsConfig {
    fn default() -> Self {
        let codec = |mime: &str| Codec { mime: mime.to_owned(), fmtp_line: String::new() };
        RoomsConfig {
            auto_create: true,
            empty_timeout: Duration::from_mins(5),
            departure_timeout: Duration::from_secs(20),
            max_participants: 0,
            max_sessions: 0,
            remote_unmute: false,
            simulate: false,
            codecs: ["audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/rtx"]
                .map(codec)
                .to_vec(),
            region: String::new(),
            node_id: String::new(),
            exempt_tracks: Vec::new(),
            token_life: Duration::from_mins(10),
        }
    }
}

/// The release of `LiveKit` whose behaviour this is; clients refuse to work without one, and allow RPC from 1.8.0.
pub const SERVER_VERSION: &str = "1.13.5";
/// Version of the signalling protocol.
pub const PROTOCOL: i32 = 17;

/// Bytes of a room's name, as in `LiveKit`.
pub const ROOM_NAME: usize = 256;
/// Bytes of an identity, as in `LiveKit`.
pub const IDENTITY: usize = 256;
/// Bytes of a participant's name, as in `LiveKit`.
pub const PARTICIPANT_NAME: usize = 256;
/// Bytes of a participant's or a room's metadata. `LiveKit` allows eight times as much, which each change would send to everybody.
pub const METADATA: usize = 64 * 1024;
/// Bytes of all attributes of a participant, names and values, as in `LiveKit`.
pub const ATTRIBUTES: usize = 64 * 1024;
/// Bytes of a track's name or stream, or of the client's id for it. Browsers use UUIDs.
pub const TRACK_TEXT: usize = 256;
/// Tracks that one participant publishes at a time: an interpreter has one for each language, a delegate at most four.
pub const TRACKS: usize = 32;
/// Data tracks that one participant publishes at a time.
pub const DATA_TRACKS: usize = 32;
/// Layers of one track: simulcast has three.
pub const LAYERS: usize = 3;
/// Codecs named for one track.
pub const TRACK_CODECS: usize = 4;
/// Tracks that one participant is subscribed to: above every room that one machine serves, so that only floods meet it.
pub const SUBSCRIPTIONS: usize = 1_000;
/// Track sids that one request names.
pub const SIDS: usize = 2_000;
/// Bytes of a session description: forty m-lines with all codecs of Chromium are about 100 kB.
pub const SDP: usize = 512 * 1024;
/// Bytes of an ICE candidate's JSON.
pub const CANDIDATE: usize = 4 * 1024;
/// Offers from one client per second, over a burst of [`OFFER_BURST`]: each costs the media thread a parse and a walk over all
/// m-lines. A client makes one for each change of what it sends or has room for.
pub const OFFERS_PER_SECOND: u32 = 10;
/// See [`OFFERS_PER_SECOND`].
pub const OFFER_BURST: u32 = 100;
/// Requests from one client per second, over a burst of [`REQUEST_BURST`]: a client that joins a room of 200 and sizes every
/// tile sends about 400 at once.
pub const REQUESTS_PER_SECOND: u32 = 200;
/// See [`REQUESTS_PER_SECOND`].
pub const REQUEST_BURST: u32 = 2_000;
/// Bytes of a data packet, as in `LiveKit` and its clients.
pub const DATA_PACKET: usize = 64_000;
/// Data packets from one client per second, over a burst of one second.
pub const DATA_PER_SECOND: u32 = 1_000;
/// Bytes of data from one client per second, over a burst of one second: a file of 100 MB takes 25 s.
pub const DATA_BYTES_PER_SECOND: u32 = 4_000_000;
/// Identities that one data packet is addressed to.
pub const DESTINATIONS: usize = 1_000;
/// Bytes of an RPC's payload, as in `LiveKit`.
pub const RPC_PAYLOAD: usize = 15 * 1024;
/// RPCs by the server that wait for an answer, in one room.
pub const RPCS: usize = 1_000;
/// Removals that one room remembers. Beyond it the oldest is dropped, after [`REMOVAL_MEMORY`] all are.
pub const REMOVALS: usize = 10_000;
/// How long a removal is remembered in a room that no longer exists.
pub const REMOVAL_MEMORY: Duration = Duration::from_hours(24);
/// Rooms of one engine.
pub const ROOMS: usize = 10_000;

/// How often a client pings, as in `LiveKit`.
pub const PING_INTERVAL: Duration = Duration::from_secs(5);
/// After how much silence a client gives up, as in `LiveKit`.
pub const PING_TIMEOUT: Duration = Duration::from_secs(15);
/// How often tokens are refreshed, as in `LiveKit`.
pub const TOKEN_REFRESH: Duration = Duration::from_mins(5);
/// How often those who publish nothing are announced in a large room, as in `LiveKit`.
pub const QUIET_UPDATES: Duration = Duration::from_secs(3);
/// How often the number of participants is announced, as in `LiveKit`.
pub const ROOM_UPDATES: Duration = Duration::from_secs(5);
/// How long a participant may take until its media connects, as in `LiveKit`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a participant whose media never connected is kept after its socket was lost.
pub const UNCONNECTED_GRACE: Duration = Duration::from_secs(10);
/// Participants whom others see, up to whom every change is told at once.
pub const SMALL_ROOM: usize = 20;
/// Participants in one update.
pub const UPDATE_BATCH: usize = 200;
/// How long a publisher goes on sending layers that nobody wants, as in `LiveKit`.
pub const DYNACAST_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of a stream's name that subscribers see in `msid`, which has 64 for it and the participant's sid.
pub const STREAM_SHOWN: usize = 40;
/// Features that one track names.
pub const FEATURES: usize = 16;
/// Offers of one client that wait for an answer.
pub const OFFERS_WAITING: usize = 16;
/// Nonces of user packets that a room remembers, as in `LiveKit`.
pub const NONCES: usize = 100;
/// How long a room remembers reliable packets for those who resume: longer than a client takes to come back.
pub const SENT_MEMORY: Duration = Duration::from_secs(30);
/// Bytes of reliable packets that a room remembers.
pub const SENT_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the name of a data track's own encoding, as in `LiveKit`.
pub const ENCODING_NAME: usize = 32;
