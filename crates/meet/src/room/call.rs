//! The methods of `LiveKit`'s `RoomService`, as values: what is asked, what is answered, what went wrong in Twirp's words.

use livekit_protocol as proto;

/// A call of the room service.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Needs `roomCreate`.
    CreateRoom(Box<proto::CreateRoomRequest>),
    /// Needs `roomList`.
    ListRooms(proto::ListRoomsRequest),
    /// Needs `roomCreate`.
    DeleteRoom(proto::DeleteRoomRequest),
    /// Needs `roomAdmin` of the room, like all that follow.
    ListParticipants(proto::ListParticipantsRequest),
    /// One participant.
    GetParticipant(proto::RoomParticipantIdentity),
    /// Sends a participant out; tokens made before are refused from then on.
    RemoveParticipant(proto::RoomParticipantIdentity),
    /// Mutes a track.
    MutePublishedTrack(proto::MuteRoomTrackRequest),
    /// Changes name, metadata, attributes, permission.
    UpdateParticipant(proto::UpdateParticipantRequest),
    /// Subscribes or unsubscribes somebody.
    UpdateSubscriptions(proto::UpdateSubscriptionsRequest),
    /// Sends data to all or some.
    SendData(proto::SendDataRequest),
    /// Changes the room's metadata.
    UpdateRoomMetadata(proto::UpdateRoomMetadataRequest),
    /// Calls a method in a client; answered when the client answers.
    PerformRpc(proto::PerformRpcRequest),
    /// Only in `LiveKit` Cloud; answered with `unimplemented`, as the open server does.
    ForwardParticipant(proto::ForwardParticipantRequest),
    /// Only in `LiveKit` Cloud; answered with `unimplemented`, as the open server does.
    MoveParticipant(proto::MoveParticipantRequest),
}

/// What a call is answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum CallAnswer {
    /// To `CreateRoom` and `UpdateRoomMetadata`.
    Room(proto::Room),
    /// To `ListRooms`.
    Rooms(proto::ListRoomsResponse),
    /// To `DeleteRoom`.
    RoomDeleted(proto::DeleteRoomResponse),
    /// To `ListParticipants`.
    Participants(proto::ListParticipantsResponse),
    /// To `GetParticipant` and `UpdateParticipant`.
    Participant(proto::ParticipantInfo),
    /// To `RemoveParticipant`.
    Removed(proto::RemoveParticipantResponse),
    /// To `MutePublishedTrack`.
    Muted(proto::MuteRoomTrackResponse),
    /// To `UpdateSubscriptions`.
    Subscriptions(proto::UpdateSubscriptionsResponse),
    /// To `SendData`.
    Sent(proto::SendDataResponse),
    /// To `PerformRpc`.
    Rpc(proto::PerformRpcResponse),
}

/// Twirp's error codes, those that rooms use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallCode {
    /// 400.
    InvalidArgument,
    /// 404.
    NotFound,
    /// 401: the token does not allow it. `LiveKit` says this and not `permission_denied`.
    Unauthenticated,
    /// 412.
    FailedPrecondition,
    /// 429.
    ResourceExhausted,
    /// 501.
    Unimplemented,
    /// 408.
    DeadlineExceeded,
    /// 503.
    Unavailable,
    /// 409.
    Aborted,
}

impl CallCode {
    /// As Twirp spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            CallCode::InvalidArgument => "invalid_argument",
            CallCode::NotFound => "not_found",
            CallCode::Unauthenticated => "unauthenticated",
            CallCode::FailedPrecondition => "failed_precondition",
            CallCode::ResourceExhausted => "resource_exhausted",
            CallCode::Unimplemented => "unimplemented",
            CallCode::DeadlineExceeded => "deadline_exceeded",
            CallCode::Unavailable => "unavailable",
            CallCode::Aborted => "aborted",
        }
    }

    /// The HTTP status that Twirp gives it.
    pub fn status(self) -> u16 {
        match self {
            CallCode::InvalidArgument => 400,
            CallCode::NotFound => 404,
            CallCode::Unauthenticated => 401,
            CallCode::FailedPrecondition => 412,
            CallCode::ResourceExhausted => 429,
            CallCode::Unimplemented => 501,
            CallCode::DeadlineExceeded => 408,
            CallCode::Unavailable => 503,
            CallCode::Aborted => 409,
        }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .code.as_str())]
pub struct CallError {
    /// Twirp's code.
    pub code: CallCode,
    /// For people, in English; where `LiveKit` has a sentence for it, that one.
    pub message: String,
    /// For an RPC that failed at the client: its error, as Twirp's `meta` (`code`, `data`).
    pub meta: Vec<(String, String)>,
}

impl CallError {
    /// Without `meta`.
    pub fn new(code: CallCode, message: impl Into<String>) -> Self {
        CallError { code, message: message.into(), meta: Vec::new() }
    }
}
