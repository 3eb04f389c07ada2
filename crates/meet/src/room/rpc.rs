//! RPC from the room service to a client: a request packet, an acknowledgement, an answer or none.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol::data_packet::{Kind, Value};
use livekit_protocol::{
    DataPacket, PerformRpcRequest, PerformRpcResponse, RpcError, RpcRequest, RpcResponse, rpc_response,
};
use prost::Message as _;

use super::call::{CallAnswer, CallCode, CallError};
use super::config;
use super::effects::{Effects, Timer};
use super::output::CallId;
use super::state::{Room, Rpc};
use crate::contract::{Channel, Now, Order, SessionId};

/// How soon a client acknowledges, as in `LiveKit`.
const ACKNOWLEDGE: Duration = Duration::from_secs(2);
/// How long an answer may take if the caller does not say, as in `LiveKit`.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest that anybody waits: connections that carry a call are not kept for ever.
const LONGEST: Duration = Duration::from_mins(1);

/// `LiveKit`'s own codes of failed RPCs.
const CONNECTION_TIMEOUT: u32 = 1_501;
const RESPONSE_TIMEOUT: u32 = 1_502;
const RECIPIENT_DISCONNECTED: u32 = 1_503;

impl Room {
    pub fn perform_rpc(&mut self, fx: &mut Effects, now: Now, call: CallId, request: PerformRpcRequest) {
        let Some(callee) = self.by_identity(&request.destination_identity) else {
            fx.reply(call, Err(CallError::new(CallCode::NotFound, "participant does not exist")));
            return;
        };
        if request.payload.len() > config::RPC_PAYLOAD || request.method.len() > config::TRACK_TEXT {
            fx.reply(call, Err(CallError::new(CallCode::InvalidArgument, "Request payload too large")));
            return;
        }
        if self.rpcs.len() >= config::RPCS {
            fx.reply(
                call,
                Err(CallError::new(CallCode::ResourceExhausted, "too many RPCs wait in this room")),
            );
            return;
        }
        let callee = callee.session;
        let patience = match request.response_timeout_ms {
            0 => ANSWER,
            milliseconds => Duration::from_millis(milliseconds.into()).min(LONGEST),
        };
        let id = fx.uuid();
        let number = fx.number();
        let value = RpcRequest {
            id: id.clone(),
            method: request.method,
            payload: request.payload,
            response_timeout_ms: u32::try_from(patience.as_millis()).unwrap_or(u32::MAX),
            version: 1,
            compressed_payload: Vec::new(),
        };
        #[allow(deprecated, reason = "old clients read the kind")]
        let packet = DataPacket {
            kind: Kind::Reliable as i32,
            // A client answers to the identity that called. No participant has this one, so the answer comes to us alone.
            participant_identity: id.clone(),
            value: Some(Value::RpcRequest(value)),
            ..DataPacket::default()
        };
        let bytes = Bytes::from(packet.encode_to_vec());
        fx.order(callee, Order::Data { session: callee, channel: Channel::Reliable, bytes });
        let (acknowledge_by, answer_by) = (now.instant + ACKNOWLEDGE.min(patience), now.instant + patience);
        fx.wake(acknowledge_by, Timer::Rpc(self.key, number));
        fx.wake(answer_by, Timer::Rpc(self.key, number));
        self.rpcs.insert(number, Rpc { id, call, callee, acknowledged: false, acknowledge_by, answer_by });
    }

    /// Whether this acknowledges an RPC of ours: nobody acknowledges for another.
    pub fn rpc_acknowledged(&mut self, from: SessionId, id: &str) -> bool {
        let rpc = self.rpcs.values_mut().find(|rpc| rpc.id == id && rpc.callee == from);
        rpc.map(|rpc| rpc.acknowledged = true).is_some()
    }

    /// Whether this answers an RPC of ours: nobody answers for another.
    pub fn rpc_answered(&mut self, fx: &mut Effects, from: SessionId, response: &RpcResponse) -> bool {
        let found = self.rpcs.iter().find(|(_, rpc)| rpc.id == response.request_id && rpc.callee == from);
        let Some(number) = found.map(|(number, _)| *number) else { return false };
        let Some(rpc) = self.rpcs.remove(&number) else { return false };
        let answer = match &response.value {
            Some(rpc_response::Value::Payload(payload)) => {
                Ok(CallAnswer::Rpc(PerformRpcResponse { payload: payload.clone() }))
            }
            Some(rpc_response::Value::Error(error)) => Err(failure(error)),
            Some(rpc_response::Value::CompressedPayload(_)) | None => Err(CallError::new(
                CallCode::Unimplemented,
                "the client answered in a form that was not offered to it",
            )),
        };
        fx.reply(rpc.call, answer);
        true
    }

    pub fn rpc_is_due(&mut self, fx: &mut Effects, now: Now, number: u64) {
        let Some(rpc) = self.rpcs.get(&number) else { return };
        let error = if !rpc.acknowledged && rpc.acknowledge_by <= now.instant {
            timeout(CONNECTION_TIMEOUT, "Connection timeout")
        } else if rpc.answer_by <= now.instant {
            timeout(RESPONSE_TIMEOUT, "Response timeout")
        } else {
            return;
        };
        fx.reply(rpc.call, Err(error));
        self.rpcs.remove(&number);
    }

    pub fn fail_rpcs_to(&mut self, fx: &mut Effects, callee: SessionId) {
        self.rpcs.retain(|_, rpc| {
            let stays = rpc.callee != callee;
            if !stays {
                let message = "Recipient disconnected".to_owned();
                let gone = RpcError { code: RECIPIENT_DISCONNECTED, message, data: String::new() };
                fx.reply(rpc.call, Err(failure(&gone)));
            }
            stays
        });
    }
}

fn timeout(code: u32, message: &str) -> CallError {
    let error = RpcError { code, message: message.to_owned(), data: String::new() };
    CallError { code: CallCode::DeadlineExceeded, ..failure(&error) }
}

/// A client's error, with its own code and data beside.
fn failure(error: &RpcError) -> CallError {
    let cut = |text: &str| text.chars().take(config::RPC_PAYLOAD).collect::<String>();
    CallError {
        code: CallCode::Aborted,
        message: cut(&error.message),
        meta: vec![("code".to_owned(), error.code.to_string()), ("data".to_owned(), cut(&error.data))],
    }
}
