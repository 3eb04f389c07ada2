//! Data packets: text, bytes, streams of them, RPC between clients. The server says who sent one, to whom it goes, and no more.

use bytes::Bytes;
use livekit_protocol::data_packet::{Kind, Value};
use livekit_protocol::{DataPacket, SendDataRequest, UserPacket};
use prost::Message as _;

use super::config;
use super::effects::Effects;
use super::state::{Participant, Room, Sent};
use crate::contract::{Channel, Now, Order, SessionId};

impl Room {
    /// A message that a client sent.
    pub fn data(&mut self, fx: &mut Effects, now: Now, session: SessionId, channel: Channel, bytes: &Bytes) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        fx.totals.data_in += 1;
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let allowed = participant.permission.can_publish_data
            && bytes.len() <= config::DATA_PACKET
            && participant.data_rate.take(now.instant, 1)
            && participant.data_bytes.take(now.instant, size);
        let delivered = allowed
            && match channel {
                Channel::DataTrack => self.data_track_packet(fx, session, bytes),
                Channel::Reliable | Channel::Lossy => DataPacket::decode(bytes.clone())
                    .is_ok_and(|packet| self.packet(fx, now, session, channel, packet)),
            };
        if !delivered {
            fx.totals.data_dropped += 1;
        }
    }

    /// Whether the packet was one that may be sent.
    fn packet(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        channel: Channel,
        mut packet: DataPacket,
    ) -> bool {
        let Some(participant) = self.participants.get_mut(&session) else { return false };
        if channel == Channel::Reliable && packet.sequence > 0 {
            if packet.sequence <= participant.sequence {
                return false;
            }
            participant.sequence = packet.sequence;
        }
        // Who it is from is ours to say, whatever the packet claims. Of a hidden participant nothing is said.
        let (identity, sid) = if participant.hidden() {
            (String::new(), String::new())
        } else {
            (participant.identity().to_owned(), participant.sid.clone())
        };
        let agent = participant.dependent() && !participant.records();
        let (sids, metrics) = match &mut packet.value {
            Some(Value::User(user)) => {
                if self.is_repeated(&user.nonce) {
                    return false;
                }
                (sign_user_packet(user, &mut packet.destination_identities, &identity, &sid), false)
            }
            // Old transcriptions name whose words they are: only an agent is believed that.
            Some(Value::Transcription(_)) if !agent => return false,
            Some(Value::RpcAck(ack)) if self.rpc_acknowledged(session, &ack.request_id) => return true,
            Some(Value::RpcResponse(response)) if self.rpc_answered(fx, session, response) => return true,
            Some(Value::Metrics(_)) => (Vec::new(), true),
            #[allow(deprecated, reason = "only servers say who speaks")]
            Some(Value::Speaker(_)) | None => return false,
            Some(_) => (Vec::new(), false),
        };
        if packet.destination_identities.len() > config::DESTINATIONS || sids.len() > config::DESTINATIONS {
            return false;
        }
        packet.participant_identity = identity;
        packet.participant_sid.clone_from(&sid);
        set_kind(&mut packet, channel);
        let bytes = Bytes::from(packet.encode_to_vec());
        if channel == Channel::Reliable
            && packet.sequence > 0
            && !sid.is_empty()
            && sids.is_empty()
            && !metrics
        {
            let to = packet.destination_identities.clone();
            self.keep(
                now,
                Sent { at: now.instant, from: sid, sequence: packet.sequence, to, bytes: bytes.clone() },
            );
        }
        self.deliver(fx, Some(session), channel, &bytes, (&packet.destination_identities, &sids), metrics);
        true
    }

    /// To everybody whose media stands, or to those who are named; never to the sender.
    fn deliver(
        &self,
        fx: &mut Effects,
        from: Option<SessionId>,
        channel: Channel,
        bytes: &Bytes,
        (identities, sids): (&[String], &[String]),
        metrics: bool,
    ) {
        let send = |fx: &mut Effects, participant: &Participant| {
            let wanted = !metrics || participant.permission.can_subscribe_metrics;
            if wanted && participant.active() && Some(participant.session) != from {
                fx.totals.data_out += 1;
                let (session, bytes) = (participant.session, bytes.clone());
                fx.order(session, Order::Data { session, channel, bytes });
            }
        };
        if identities.is_empty() && sids.is_empty() {
            for participant in self.participants.values() {
                send(fx, participant);
            }
            return;
        }
        // The named ones are looked up, so that a word to one costs the same in every room.
        let by_identity = identities.iter().filter_map(|identity| self.identities.get(identity));
        let by_sid = sids.iter().filter_map(|sid| self.sids.get(sid));
        let named: std::collections::BTreeSet<SessionId> = by_identity.chain(by_sid).copied().collect();
        for participant in named.iter().filter_map(|session| self.participants.get(session)) {
            send(fx, participant);
        }
    }

    /// Data that the room service sends: from nobody.
    pub fn send_data(&mut self, fx: &mut Effects, request: SendDataRequest) {
        #[allow(deprecated, reason = "old server SDKs name sids")]
        let (kind, sids) = (request.kind(), request.destination_sids.clone());
        let nonce: Option<[u8; 16]> = request.nonce.as_slice().try_into().ok();
        if nonce.is_some() && self.is_repeated(&request.nonce) {
            return;
        }
        #[allow(deprecated, reason = "old clients read the destinations there")]
        let user = UserPacket {
            payload: request.data,
            topic: request.topic,
            nonce: request.nonce,
            destination_sids: sids.clone(),
            destination_identities: request.destination_identities.clone(),
            ..UserPacket::default()
        };
        let channel = if kind == Kind::Lossy { Channel::Lossy } else { Channel::Reliable };
        let mut packet = DataPacket {
            destination_identities: request.destination_identities,
            value: Some(Value::User(user)),
            ..DataPacket::default()
        };
        set_kind(&mut packet, channel);
        let bytes = Bytes::from(packet.encode_to_vec());
        self.deliver(fx, None, channel, &bytes, (&packet.destination_identities, &sids), false);
    }

    /// Whether a packet with this nonce went through the room lately: a client sends one on both of its ways while it reconnects.
    fn is_repeated(&mut self, nonce: &[u8]) -> bool {
        let Ok(nonce) = <[u8; 16]>::try_from(nonce) else { return false };
        if self.nonces.contains(&nonce) {
            return true;
        }
        if self.nonces.len() >= config::NONCES {
            self.nonces.pop_front();
        }
        self.nonces.push_back(nonce);
        false
    }

    /// Remembers a reliable packet for those who are away for a moment.
    fn keep(&mut self, now: Now, sent: Sent) {
        self.sent_bytes += sent.bytes.len();
        self.sent.push_back(sent);
        while let Some(oldest) = self.sent.front() {
            let old = now.instant.saturating_duration_since(oldest.at) > config::SENT_MEMORY;
            if !old && self.sent_bytes <= config::SENT_BYTES {
                break;
            }
            self.sent_bytes -= oldest.bytes.len();
            self.sent.pop_front();
        }
    }
}

/// Whether a packet is for this participant: to all, or to it by identity or sid.
pub(super) fn is_addressed(identities: &[String], sids: &[String], participant: &Participant) -> bool {
    (identities.is_empty() && sids.is_empty())
        || identities.iter().any(|identity| identity == participant.identity())
        || sids.contains(&participant.sid)
}

/// Writes the sender into a user packet as well, for old clients, and brings both lists of receivers in line. The sids it names.
#[allow(deprecated, reason = "old clients read and write these fields")]
fn sign_user_packet(
    user: &mut UserPacket,
    destinations: &mut Vec<String>,
    identity: &str,
    sid: &str,
) -> Vec<String> {
    identity.clone_into(&mut user.participant_identity);
    sid.clone_into(&mut user.participant_sid);
    if destinations.is_empty() {
        destinations.clone_from(&user.destination_identities);
    } else {
        user.destination_identities.clone_from(destinations);
    }
    user.destination_sids.clone()
}

/// The channel on which it came is what counts, not what the packet says.
#[allow(deprecated, reason = "old clients read it")]
fn set_kind(packet: &mut DataPacket, channel: Channel) {
    packet.kind = if channel == Channel::Lossy { Kind::Lossy } else { Kind::Reliable } as i32;
}
