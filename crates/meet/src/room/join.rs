//! What a client says when it knocks, and the reasons to leave it outside.

use std::collections::HashMap;

use livekit_protocol::{
    AddTrackRequest, ClientInfo, IceServer, JoinRequest, ReconnectReason, SessionDescription, SyncState,
};

use super::config;
use crate::contract::Peers;
use crate::grants::Grants;

/// A client at the door: a verified token, and what its query or its `JoinRequest` asks for.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol's own fields")]
pub struct Join {
    /// What the verified token allows. Its room must be named: where the token names none, put the query's `room` there first.
    pub grants: Grants,
    /// `/rtc/v1` is single, `/rtc` is dual.
    pub peers: Peers,
    /// Who made the client, and what it can.
    pub client: ClientInfo,
    /// Subscribe to every track of everybody.
    pub auto_subscribe: bool,
    /// Subscribe to every data track of everybody; not unless it is said, as in `LiveKit`.
    pub auto_subscribe_data_track: bool,
    /// The client tells sizes; until it does, a video track is not sent in full.
    pub adaptive_stream: bool,
    /// Whether video may be paused for want of bandwidth.
    pub may_pause: bool,
    /// Overwrites the token's, if not empty and the token allows it.
    pub metadata: String,
    /// Overwrite the token's one by one, if the token allows it.
    pub attributes: HashMap<String, String>,
    /// Resume the session [`Join::participant_sid`].
    pub reconnect: bool,
    /// Which session, when resuming. Empty: whichever has the token's identity.
    pub participant_sid: String,
    /// Why it resumes.
    pub reconnect_reason: ReconnectReason,
    /// The first offer, bundled.
    pub publisher_offer: Option<SessionDescription>,
    /// Tracks to publish at once.
    pub add_track_requests: Vec<AddTrackRequest>,
    /// What the client believes to be so, when resuming.
    pub sync_state: Option<SyncState>,
    /// ICE servers to tell the client, with credentials of its own.
    pub ice_servers: Vec<IceServer>,
}

impl Join {
    /// A client that says nothing of itself on `/rtc`: subscribes to everything, in the dual mode.
    pub fn new(grants: Grants) -> Self {
        Join {
            grants,
            peers: Peers::Dual,
            client: ClientInfo::default(),
            auto_subscribe: true,
            auto_subscribe_data_track: false,
            adaptive_stream: false,
            may_pause: true,
            metadata: String::new(),
            attributes: HashMap::new(),
            reconnect: false,
            participant_sid: String::new(),
            reconnect_reason: ReconnectReason::RrUnknown,
            publisher_offer: None,
            add_track_requests: Vec::new(),
            sync_state: None,
            ice_servers: Vec::new(),
        }
    }

    /// From the `join_request` of `/rtc/v1`.
    pub fn from_request(grants: Grants, request: JoinRequest) -> Self {
        let settings = request.connection_settings.unwrap_or_default();
        let reconnect_reason = request.reconnect_reason();
        Join {
            peers: Peers::Single,
            client: request.client_info.unwrap_or_default(),
            auto_subscribe: settings.auto_subscribe,
            auto_subscribe_data_track: settings.auto_subscribe_data_track.unwrap_or(false),
            adaptive_stream: settings.adaptive_stream,
            may_pause: settings.subscriber_allow_pause.unwrap_or(false),
            metadata: request.metadata,
            attributes: request.participant_attributes,
            reconnect: request.reconnect,
            participant_sid: request.participant_sid,
            reconnect_reason,
            publisher_offer: request.publisher_offer,
            add_track_requests: request.add_track_requests,
            sync_state: request.sync_state,
            ..Join::new(grants)
        }
    }
}

/// Why a client is left outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token does not allow to join a room, or not what the join asks for.
    #[error("permissions denied")]
    NotAllowed,
    /// The token was made before its holder was removed from the room, or does not say when it was made.
    #[error(
        "permissions denied: this participant was removed from the room; a token made after that is needed"
    )]
    Removed,
    /// The token names nobody.
    #[error("identity cannot be empty")]
    NoIdentity,
    /// Neither token nor query names a room.
    #[error("no room name")]
    NoRoom,
    /// Nobody made the room, and joining does not make it. Clients look for these very words.
    #[error("requested room does not exist")]
    RoomNotFound,
    /// A text is too long.
    #[error("{what} exceeds limits: max length {limit}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// The room is full.
    #[error("the room is full: it admits {limit} participants")]
    RoomFull {
        /// How many it admits.
        limit: u32,
    },
    /// This machine serves as many participants as it can serve well.
    #[error("this server is full: it serves at most {limit} participants")]
    Full {
        /// How many.
        limit: usize,
    },
    /// This machine has as many rooms as it may.
    #[error("this server is full: it serves at most {limit} rooms")]
    TooManyRooms {
        /// How many.
        limit: usize,
    },
    /// The engine is about to stop.
    #[error("this server is about to stop; try again in a moment")]
    Draining,
}

impl Refusal {
    /// The HTTP status: 401 and 403 tell clients not to try again.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::NotAllowed | Refusal::Removed => 401,
            Refusal::NoIdentity | Refusal::NoRoom | Refusal::TooLong { .. } => 400,
            Refusal::RoomNotFound => 404,
            Refusal::RoomFull { .. } => 403,
            Refusal::Full { .. } | Refusal::TooManyRooms { .. } | Refusal::Draining => 503,
        }
    }
}

/// Whether a text fits.
pub(super) fn fits(what: &'static str, length: usize, limit: usize) -> Result<(), Refusal> {
    if length > limit { Err(Refusal::TooLong { what, limit }) } else { Ok(()) }
}

/// What can be said of a token by itself: the room that it opens.
pub(super) fn judge(grants: &Grants) -> Result<&str, Refusal> {
    let room = grants.may_enter().ok_or(Refusal::NotAllowed)?;
    if grants.identity.is_empty() {
        return Err(Refusal::NoIdentity);
    }
    if room.is_empty() {
        return Err(Refusal::NoRoom);
    }
    fits("participant identity", grants.identity.len(), config::IDENTITY)?;
    fits("room name", room.len(), config::ROOM_NAME)?;
    fits("name", grants.name.len(), config::PARTICIPANT_NAME)?;
    fits("metadata", grants.metadata.len(), config::METADATA)?;
    let attributes = grants.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    fits("attributes", attributes, config::ATTRIBUTES)?;
    Ok(room)
}
