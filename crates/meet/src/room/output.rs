//! What rooms want done by those who have sockets: frames to send, orders for media shards, events and answers.

use bytes::Bytes;
use livekit_protocol::WebhookEvent;

use super::call::{CallAnswer, CallError};
use crate::contract::{Order, ShardId};
use crate::grants::Grants;

/// One WebSocket. Never reused while the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// One call of the room service. Never reused while the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Something to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// One binary frame for a WebSocket.
    Send {
        /// To whom.
        connection: ConnectionId,
        /// An encoded `SignalResponse`; shared by all who get the same.
        frame: Bytes,
    },
    /// Close a WebSocket, after what was sent to it. Nothing is sent to it afterwards.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, for the log and the close frame.
        reason: Closing,
    },
    /// An order for a media shard.
    Media {
        /// Which.
        shard: ShardId,
        /// What.
        order: Order,
    },
    /// Sign these grants with the first key, and send the token to the connection as `SignalResponse.refresh_token`.
    Refresh {
        /// To whom.
        connection: ConnectionId,
        /// What the new token says; `iss` is left to the signer.
        grants: Box<Grants>,
    },
    /// An event for webhooks.
    Webhook(Box<WebhookEvent>),
    /// The answer to a call.
    Reply {
        /// Which call.
        call: CallId,
        /// The answer.
        answer: Box<Result<CallAnswer, CallError>>,
    },
}

/// Why a WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The client said that it leaves.
    Left,
    /// The join was refused after the upgrade; a `Leave` that says why was sent.
    Refused,
    /// The same participant resumed on another connection.
    Superseded,
    /// Another joined with the same identity.
    DuplicateIdentity,
    /// A moderator removed the participant.
    Removed,
    /// The room was deleted.
    RoomDeleted,
    /// The media transport is gone; the client was asked to begin anew.
    Media,
    /// The client must begin anew: nothing is known of the session that it wants to resume, or the engine drains.
    Reconnect,
    /// The client sent more than any client has reason to.
    Flood,
    /// The client asked for it (`SimulateScenario`).
    Simulated,
}

impl Closing {
    /// A word for logs, metrics and the close frame.
    pub fn as_str(self) -> &'static str {
        match self {
            Closing::Left => "left",
            Closing::Refused => "refused",
            Closing::Superseded => "superseded",
            Closing::DuplicateIdentity => "duplicate_identity",
            Closing::Removed => "removed",
            Closing::RoomDeleted => "room_deleted",
            Closing::Media => "media",
            Closing::Reconnect => "reconnect",
            Closing::Flood => "flood",
            Closing::Simulated => "simulated",
        }
    }
}
