//! What rooms and media shards say to each other, and nothing else: rooms give orders, shards report events.
//!
//! Rooms never see a packet; shards never see a name, a permission or a token. Both ends are state machines, so this is also the
//! seam at which tests take the two apart. All times are arguments; nothing here reads a clock.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// A moment as both clocks tell it: monotonic for durations, Unix for what others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For time-outs and pacing.
    pub instant: Instant,
    /// Milliseconds since 1970-01-01T00:00:00Z, for messages and tokens.
    pub unix_ms: u64,
}

/// One participant's connection to media: one peer connection, or two in the dual mode. Never reused while the engine lives.
/// A resumed participant keeps it; a full reconnect gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// One published track. Never reused while the engine lives. The `TR_` sid that clients see is the rooms' affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey(pub u64);

/// One room, as far as a shard needs to know it: whose audio levels are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub u64);

/// Which media thread owns a session: 0-based, fewer than 64. It is also the first letter of the session's ICE ufrag, so that a
/// packet that lands on another thread can be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u8);

/// How many peer connections a client keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// `/rtc/v1`: one; the client offers, we answer, always.
    Single,
    /// `/rtc`: one to publish, on which the client offers, and one to subscribe, on which we offer.
    Dual,
}

/// Which of the peer connections; [`Target::Publisher`] is the only one in the single mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The one on which the client offers.
    Publisher,
    /// The one on which we offer.
    Subscriber,
}

/// Sound or pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Opus, with or without RED.
    Audio,
    /// VP8, H.264, VP9 ...
    Video,
}

/// Spatial layers by size, as simulcast names them: rid `q`, `h`, `f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quality {
    /// The smallest layer, rid `q`.
    Low,
    /// The middle layer, rid `h`.
    Medium,
    /// The largest layer, rid `f`; also the only layer of a track without simulcast.
    High,
}

/// One layer as its publisher declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Which.
    pub quality: Quality,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bits per second; 0 where the publisher did not say.
    pub bitrate: u32,
}

/// The data channels that a `LiveKit` client opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `_reliable`: ordered, never lost.
    Reliable,
    /// `_lossy`: unordered, never sent twice.
    Lossy,
    /// `_data_track`: unordered, never sent twice, its own framing.
    DataTrack,
}

/// What must be known of a track to receive it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wish of the publisher, independent of the others"
)]
pub struct Publish {
    /// The publisher's session.
    pub session: SessionId,
    /// The room in which its level counts.
    pub room: RoomKey,
    /// The track.
    pub track: TrackKey,
    /// The client's name for it: the track id of the `msid` of its m-line (or of its `ssrc` lines). In Firefox the m-line's track
    /// id may differ; then a track of the same kind that waits for an m-line takes the next unclaimed one.
    pub cid: String,
    /// Sound or pictures.
    pub kind: Kind,
    /// `video/VP8` and so on, in lower case, where the publisher said; empty where not.
    pub mime: String,
    /// Declared layers, smallest first; empty for sound.
    pub layers: Vec<Layer>,
    /// Answer with `stereo=1`.
    pub stereo: bool,
    /// Answer without `usedtx=1`.
    pub no_dtx: bool,
    /// RED refused for this track.
    pub no_red: bool,
    /// Its packets are never withheld by last-N (the floor, a channel of interpretation).
    pub exempt: bool,
    /// Muted from the start.
    pub muted: bool,
}

/// What a subscriber wants of one track, from `UpdateTrackSettings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// False: forward nothing for now.
    pub enabled: bool,
    /// No layer larger than this.
    pub quality: Quality,
    /// The size at which it is shown, if the client told (adaptive stream); 0 × 0 if not.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Pictures per second at most; 0 for any.
    pub fps: u32,
    /// Larger is more important when bandwidth is short; 0 is the default.
    pub priority: u32,
    /// Kept before every track that is not protected (sign language, the floor).
    pub protected: bool,
}

/// Everything a shard needs in order to forward one track to one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// The subscriber's session.
    pub session: SessionId,
    /// The track.
    pub track: TrackKey,
    /// The shard that receives the track.
    pub home: ShardId,
    /// Sound or pictures.
    pub kind: Kind,
    /// `video/vp8` and so on, in lower case: what the publisher sends.
    pub mime: String,
    /// Declared layers, smallest first.
    pub layers: Vec<Layer>,
    /// The stream id of the `msid` that the subscriber sees: `PA_...|TR_...`.
    pub stream: String,
    /// The track id of the `msid` that the subscriber sees: `TR_...`.
    pub sid: String,
    /// What the subscriber wants of it.
    pub wish: Wish,
}

/// What the rooms order. Every order names a session that lives on the shard it is sent to; an order for a session that is gone
/// is dropped without a word, because the two ends learn of an end at different times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make a session ready for offers.
    Open {
        /// Its number.
        session: SessionId,
        /// Its mode.
        peers: Peers,
        /// Whether video may be paused for want of bandwidth (`subscriber_allow_pause`).
        may_pause: bool,
        /// Receives only and is seen by nobody: no speaker levels, no data channels beyond what the client opens.
        silent: bool,
    },
    /// The client's offer, on [`Target::Publisher`]. Answered by [`Event::Answer`] with the same id.
    Offer {
        /// Whose.
        session: SessionId,
        /// The client's number of the offer.
        id: u32,
        /// The text.
        sdp: String,
    },
    /// The client's answer to [`Event::Offer`], on [`Target::Subscriber`].
    Answer {
        /// Whose.
        session: SessionId,
        /// The number of our offer.
        id: u32,
        /// The text.
        sdp: String,
    },
    /// A remote ICE candidate.
    Candidate {
        /// Whose.
        session: SessionId,
        /// Of which peer connection.
        target: Target,
        /// An SDP attribute value, `candidate:...`.
        candidate: String,
    },
    /// A socket was resumed: in the dual mode offer again on the subscriber's peer connection with fresh ICE credentials.
    Restart {
        /// Whose.
        session: SessionId,
    },
    /// A track is allowed; its m-line may have come already, or comes later.
    Publish(Publish),
    /// A track is gone.
    Unpublish {
        /// Which.
        track: TrackKey,
    },
    /// Stop or resume forwarding.
    Mute {
        /// Which track.
        track: TrackKey,
        /// Stop.
        muted: bool,
    },
    /// Forward a track to a session.
    Subscribe(Subscribe),
    /// Stop doing so.
    Unsubscribe {
        /// Whose.
        session: SessionId,
        /// Which track.
        track: TrackKey,
    },
    /// The subscriber wants something else of it.
    Wish {
        /// Whose.
        session: SessionId,
        /// Which track.
        track: TrackKey,
        /// What.
        wish: Wish,
    },
    /// A message to one session on a data channel. Bounded: a reliable channel whose receiver does not drain closes the session
    /// with [`Ending::TooSlow`]; a lossy one drops.
    Data {
        /// Whose.
        session: SessionId,
        /// On which channel.
        channel: Channel,
        /// At most 64,000 bytes; shared by all receivers.
        bytes: Bytes,
    },
    /// The session is over.
    Close {
        /// Which.
        session: SessionId,
    },
}

/// Why a shard gave a session up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client closed it (DTLS `close_notify`): it leaves, or begins anew, and may be about to say so.
    Closed,
    /// ICE had no answer for as long as a session is kept without one.
    Unreachable,
    /// The engine of the session failed in itself; only this session is dropped.
    Broken,
    /// The receiver did not take what it must not lose.
    TooSlow,
    /// An offer or answer could not be understood.
    BadDescription,
}

/// How well one session is served, over the time since the last such event (about 5 s).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// Share of packets lost towards us, 0 to 1.
    pub loss_up: f32,
    /// Share of packets lost towards the client, as it reports, 0 to 1.
    pub loss_down: f32,
    /// Round trip, if known.
    pub round_trip: Option<Duration>,
    /// Bits per second that we believe the way to the client carries, if estimated.
    pub estimate: Option<u64>,
    /// Bits per second that its wishes would take.
    pub desired: u64,
    /// Whether any packet at all has come in.
    pub heard: bool,
    /// Media packets received from the client.
    pub packets_up: u64,
    /// Media packets sent to it.
    pub packets_down: u64,
}

/// What the shards report.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The answer to an offer, ready to be sent.
    Answer {
        /// Whose.
        session: SessionId,
        /// The client's number.
        id: u32,
        /// The text.
        sdp: String,
        /// From m-line to track sid, for every m-line that carries a track towards the client.
        mids: Vec<(String, String)>,
    },
    /// Our offer on the subscriber's peer connection.
    Offer {
        /// Whose.
        session: SessionId,
        /// Our number.
        id: u32,
        /// The text.
        sdp: String,
        /// From m-line to track sid.
        mids: Vec<(String, String)>,
    },
    /// In the single mode: m-lines that the client must add (`MediaSectionsRequirement`) before all it subscribed to has a place.
    Sections {
        /// Whose.
        session: SessionId,
        /// More `recvonly` m-lines for sound.
        audios: u32,
        /// More `recvonly` m-lines for pictures.
        videos: u32,
    },
    /// ICE and DTLS stand.
    Connected {
        /// Whose.
        session: SessionId,
        /// On which peer connection.
        target: Target,
    },
    /// The session is over; the shard has forgotten it.
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        why: Ending,
    },
    /// First packets of a track came: what it really is.
    Flowing {
        /// Which.
        track: TrackKey,
        /// `video/vp8` and so on, in lower case.
        mime: String,
        /// The m-line on which it comes.
        mid: String,
    },
    /// A track cannot be forwarded to this session: no codec that both know.
    Refused {
        /// The subscriber's session.
        session: SessionId,
        /// Which track.
        track: TrackKey,
    },
    /// A message on a data channel.
    Data {
        /// From whom.
        session: SessionId,
        /// On which channel.
        channel: Channel,
        /// At most 64,000 bytes.
        bytes: Bytes,
    },
    /// How loud the tracks of a room are, for those that changed: RFC 6464 levels, smoothed over about 400 ms and turned round, so
    /// that 0 is silence and 1 as loud as can be; 0 also where less than 40 % of the time was above 35 dB under overload.
    Levels {
        /// The room.
        room: RoomKey,
        /// Track and level.
        levels: Vec<(TrackKey, f32)>,
    },
    /// Video towards a session was paused for want of bandwidth, or runs again (`StreamStateUpdate`).
    Paused {
        /// The subscriber's session.
        session: SessionId,
        /// Which track.
        track: TrackKey,
        /// True: it is paused.
        paused: bool,
    },
    /// How well a session is served.
    Health {
        /// Which.
        session: SessionId,
        /// How.
        health: Health,
    },
}
