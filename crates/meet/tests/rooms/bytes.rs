//! Bytes as two clients might send them: signalling frames and data packets, in any order. Rooms go on, tell nobody anything
//! before the first frame or after the last, and order nothing about a session that is over. The fuzz target `rooms` is this file.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use livekit_protocol::signal_response::Message;
use livekit_protocol::{SignalRequest, SignalResponse};
use meet::contract::{Channel, Event, Now, Order, SessionId, Target};
use meet::grants::{Grants, VideoGrant};
use meet::room::{ConnectionId, Join, Output, Rooms, RoomsConfig};
use prost::Message as _;

#[derive(Default)]
struct Watch {
    greeted: BTreeSet<ConnectionId>,
    closed: BTreeSet<ConnectionId>,
    over: BTreeSet<SessionId>,
    opened: Vec<SessionId>,
    offers: Vec<(SessionId, u32)>,
}

impl Watch {
    fn drain(&mut self, rooms: &mut Rooms) {
        while let Some(output) = rooms.poll() {
            match output {
                Output::Send { connection, frame } => {
                    assert!(!self.closed.contains(&connection));
                    let message = SignalResponse::decode(frame).unwrap().message.unwrap();
                    let first = self.greeted.insert(connection);
                    assert!(!first || matches!(message, Message::Join(_) | Message::Leave(_)));
                }
                Output::Close { connection, .. } => assert!(self.closed.insert(connection)),
                Output::Media { order, .. } => match order {
                    Order::Open { session, .. } => self.opened.push(session),
                    Order::Close { session } => assert!(self.over.insert(session)),
                    Order::Offer { session, id, .. } => self.offers.push((session, id)),
                    Order::Data { session, .. } => assert!(!self.over.contains(&session)),
                    Order::Subscribe(subscribe) => assert!(!self.over.contains(&subscribe.session)),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

/// The input, cut; a last piece that is too short is as long as it is.
fn pieces(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while let [kind, high, low, more @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(more.len());
        let (piece, after) = more.split_at(length);
        pieces.push((*kind, piece));
        rest = after;
    }
    pieces
}

/// Plays one input: pieces of one byte that says who and what, two bytes of length, and so many bytes.
pub fn play(bytes: &[u8]) {
    let mut now = Now { instant: Instant::now(), unix_ms: 1_795_348_800_000 };
    let mut rooms = Rooms::new(RoomsConfig { simulate: true, ..RoomsConfig::default() }, 2, [1; 32]);
    let mut watch = Watch::default();
    for number in 0..2_u64 {
        let video = VideoGrant {
            room_join: true,
            room: "hall".to_owned(),
            can_update_own_metadata: Some(true),
            ..VideoGrant::default()
        };
        let grants = Grants { identity: format!("p{number}"), video: Some(video), ..Grants::default() };
        rooms.join(now, ConnectionId(number), Join::new(grants));
        watch.drain(&mut rooms);
        let session = watch.opened[usize::try_from(number).unwrap()];
        rooms.media(now, Event::Connected { session, target: Target::Subscriber });
    }
    for (kind, piece) in pieces(bytes) {
        let who = usize::from(kind & 1);
        let session = watch.opened[who];
        match kind >> 1 & 7 {
            0..=3 => {
                if let Ok(request) = SignalRequest::decode(piece) {
                    rooms.request(now, ConnectionId(u64::from(kind & 1)), request);
                }
            }
            4 => rooms.media(
                now,
                Event::Data { session, channel: Channel::Reliable, bytes: piece.to_vec().into() },
            ),
            5 => rooms.media(
                now,
                Event::Data { session, channel: Channel::DataTrack, bytes: piece.to_vec().into() },
            ),
            6 => {
                for (session, id) in std::mem::take(&mut watch.offers) {
                    if !watch.over.contains(&session) {
                        rooms.media(now, Event::Answer { session, id, sdp: String::new(), mids: Vec::new() });
                    }
                }
            }
            _ => {
                now.instant += Duration::from_secs(3);
                now.unix_ms += 3_000;
                rooms.tick(now);
            }
        }
        watch.drain(&mut rooms);
    }
    let _ = rooms.report(now);
}
