//! Session descriptions as a client might send them: a first offer, an offer after a good one, an answer to ours. At most the session
//! that sent it ends, and the shard goes on. The fuzz target `sdp` is this file.

use std::net::SocketAddr;
use std::time::Instant;

use meet::contract::{Event, Order, Peers, SessionId, ShardId};
use meet::media::{MediaConfig, Output, Place, Shard, Transport};

use super::client::Client;

fn shard() -> Shard {
    let local = SocketAddr::from(([10, 1, 0, 1], 7_882));
    let place = Place { transport: Transport::Udp, local, public: local };
    Shard::new(MediaConfig { shards: 1, ..MediaConfig::at(vec![place]) }, ShardId(0), [7; 32])
}

/// All that the shard tells of it.
fn settle(shard: &mut Shard, now: Instant) -> Vec<Event> {
    let mut events = Vec::new();
    shard.tick(now);
    while let Some(output) = shard.poll() {
        if let Output::Event(event) = output {
            events.push(event);
        }
    }
    events
}

/// A session that is open, and the number of the offer that we made it, if we made one.
fn opened(shard: &mut Shard, now: Instant, id: u64, peers: Peers) -> (Client, u32) {
    let mut client = Client::new(id, peers, now, Transport::Udp, &["vp8", "h264", "red"]);
    let (session, (offer, sdp)) = (client.id, client.first_offer());
    shard.order(now, Order::Open { session, peers, may_pause: true, silent: false });
    shard.order(now, Order::Offer { session, id: offer, sdp });
    let events = settle(shard, now);
    assert!(answered(&events, session), "a good offer is answered: {events:?}");
    let ours = events.iter().find_map(|event| match event {
        Event::Offer { id, .. } => Some(*id),
        _ => None,
    });
    (client, ours.unwrap_or(0))
}

fn answered(events: &[Event], session: SessionId) -> bool {
    events.iter().any(|event| matches!(event, Event::Answer { session: of, .. } if *of == session))
}

/// Plays one input: one byte that says where the description comes, and its text.
pub fn play(input: &[u8]) {
    let Some((place, text)) = input.split_first() else { return };
    let sdp = String::from_utf8_lossy(text).into_owned();
    let (mut shard, now) = (shard(), Instant::now());
    let session = SessionId(0);
    match place % 3 {
        0 => {
            shard.order(now, Order::Open { session, peers: Peers::Single, may_pause: true, silent: false });
            shard.order(now, Order::Offer { session, id: 7, sdp });
        }
        1 => {
            opened(&mut shard, now, 0, Peers::Single);
            shard.order(now, Order::Offer { session, id: 7, sdp });
        }
        _ => {
            let (_, id) = opened(&mut shard, now, 0, Peers::Dual);
            shard.order(now, Order::Answer { session, id, sdp });
        }
    }
    let told = settle(&mut shard, now);
    let over = told.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    assert!(over <= 1, "{told:?}");
    opened(&mut shard, now, 1, Peers::Single);
}

#[test]
fn damaged_descriptions_end_one_session_at_most() {
    let now = Instant::now();
    let mut client = Client::new(0, Peers::Single, now, Transport::Udp, &["vp8", "h264", "red"]);
    client.publish("camera", str0m::media::MediaKind::Video, true, now);
    client.pending = None;
    let (_, good) = client.first_offer();
    let lines: Vec<&str> = good.split_inclusive("\r\n").collect();
    for (at, line) in lines.iter().enumerate() {
        let without = [&lines[..at], &lines[at + 1..]].concat().concat();
        let twice = [&lines[..=at], &lines[at..]].concat().concat();
        let huge = good.replacen(line, &line.replace(|c: char| c.is_ascii_digit(), "99999999999"), 1);
        let place = u8::try_from(at % 3).unwrap();
        // Each line in one of four ways: all of them are for the fuzzer.
        let texts = [without, twice, huge, lines[..at].concat()];
        play(&[&[place], texts[at / 3 % 4].as_bytes()].concat());
    }
}
