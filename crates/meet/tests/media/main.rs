//! Shards against clients, over a network under one seed, on a simulated clock: what a room full of people would see and hear.
//!
//! Each test prints its seed.

mod client;
mod datagrams;
mod descriptions;
mod network;
mod rooms;
mod trouble;
mod world;

use std::time::Duration;

use client::Packet;
use meet::contract::{Channel, Event, Kind, Peers};
use world::World;

/// Each frame by its numbers: pictures count on, frames are whole.
#[track_caller]
fn assert_pictures(packets: &[Packet]) {
    for pair in packets.windows(2) {
        let [before, after] = pair else { unreachable!() };
        // A key frame may cut the frame before it short: nothing refers to that one any more.
        let begins = before.marker || after.key();
        let next = if begins { before.picture().wrapping_add(1) & 0x7FFF } else { before.picture() };
        assert_eq!(after.picture(), next, "pictures count on");
        if before.layer() != after.layer() {
            assert!(after.key(), "a layer begins with a key frame");
        }
    }
}

/// Sequence numbers without holes and timestamps that never go back, as far as nothing was lost.
#[track_caller]
fn assert_whole(packets: &[Packet]) {
    for pair in packets.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert_eq!(before.ssrc, after.ssrc, "one stream");
        assert_eq!(before.seq + 1, after.seq, "no hole in sequence numbers");
        let forward = after.time.wrapping_sub(before.time).cast_signed();
        assert!(forward >= 0, "time goes forward: {} to {}", before.time, after.time);
    }
}

/// One speaks before a camera, another hears and sees it whole.
fn conversation(seed: u64, peers: Peers) -> (World, usize) {
    let mut world = World::new(seed);
    let ada = world.join(peers);
    let ben = world.join(peers);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    let camera = world.publish(ada, 2, Kind::Video, false);
    world.subscribe(ben, voice);
    world.subscribe(ben, camera);
    world.run(Duration::from_secs(5));
    let heard = world.clients[ben].packets("TR_1");
    let seen = world.clients[ben].packets("TR_2");
    assert!(heard.len() > 200, "{} packets of sound", heard.len());
    assert!(seen.len() > 500, "{} packets of pictures", seen.len());
    assert_whole(heard);
    assert_whole(seen);
    assert!(seen[0].key(), "the first picture can be decoded");
    (world, ben)
}

#[test]
fn two_people_hear_and_see_each_other() {
    let (world, ben) = conversation(1, Peers::Single);
    assert_eq!(world.clients[ben].packets("TR_1")[5].level, Some(-20));
    assert_eq!(world.clients[ben].announced.len(), 2);
    assert!(world.clients[ben].announced[0].1.starts_with("PA_0|TR_1 TR_1"));
    assert_eq!(world.count(|event| matches!(event, Event::Connected { .. })), 2);
    assert_eq!(world.count(|event| matches!(event, Event::Flowing { .. })), 2);
}

#[test]
fn two_connections_carry_what_one_does() {
    conversation(2, Peers::Dual);
}

#[test]
fn messages_go_both_ways_on_one_connection_and_on_two() {
    for peers in [Peers::Single, Peers::Dual] {
        let mut world = World::new(3);
        let ada = world.join(peers);
        // Before its channel stands: it waits.
        world.data(ada, Channel::Reliable, b"welcome");
        world.run(Duration::from_secs(3));
        assert!(world.clients[ada].say("_reliable", b"hello"));
        assert!(world.clients[ada].say("_lossy", b"here I am"));
        world.data(ada, Channel::Lossy, b"there you are");
        world.run(Duration::from_secs(1));
        let mut told: Vec<_> = world
            .events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Data { channel, bytes, .. } => Some((*channel, &bytes[..])),
                _ => None,
            })
            .collect();
        told.sort_by_key(|(channel, _)| *channel == Channel::Lossy);
        assert_eq!(told, [(Channel::Reliable, &b"hello"[..]), (Channel::Lossy, b"here I am")]);
        let got: Vec<_> =
            world.clients[ada].messages.iter().map(|(label, bytes)| (&label[..], &bytes[..])).collect();
        assert_eq!(got, [("_reliable", &b"welcome"[..]), ("_lossy", b"there you are")], "{peers:?}");
    }
}

#[test]
fn an_m_line_serves_one_track_after_the_other() {
    for peers in [Peers::Single, Peers::Dual] {
        let mut world = World::new(4);
        let ada = world.join(peers);
        let ben = world.join(peers);
        let camera = world.publish(ada, 1, Kind::Video, false);
        let screen = world.publish(ada, 2, Kind::Video, false);
        world.subscribe(ben, camera);
        world.run(Duration::from_secs(2));
        world.unsubscribe(ben, camera);
        world.run(Duration::from_secs(1));
        assert!(world.clients[ben].tracks.is_empty());
        world.subscribe(ben, screen);
        world.run(Duration::from_secs(2));
        let announced: Vec<_> = world.clients[ben].announced.iter().map(|(_, track)| &track[..]).collect();
        assert_eq!(announced, ["PA_0|TR_1 TR_1", "PA_0|TR_2 TR_2"], "{peers:?}");
        assert_eq!(world.clients[ben].announced[0].0, world.clients[ben].announced[1].0, "one m-line");
        // With a new SSRC, without which browsers go on playing the old stream.
        let heard = world.clients[ben].packets("TR_2");
        let second = heard.iter().position(|packet| packet.ssrc != heard[0].ssrc).expect("a new SSRC");
        assert_whole(&heard[..second]);
        assert_whole(&heard[second..]);
    }
}

#[test]
fn an_m_line_on_which_the_client_begins_to_send_costs_it_no_picture() {
    let mut world = World::new(6);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let hers: Vec<_> = (1..=3).map(|key| world.publish(ada, key, Kind::Video, false)).collect();
    for track in hers {
        world.subscribe(ben, track);
    }
    world.run(Duration::from_secs(2));
    let his = world.publish_on(ben, 4, Kind::Video, false, Some("TR_1"));
    world.subscribe(ada, his);
    world.run(Duration::from_secs(2));
    let before: Vec<_> = (1..=3).map(|key| world.clients[ben].packets(&format!("TR_{key}")).len()).collect();
    let sent = world.clients[ada].packets("TR_4").len();
    world.run(Duration::from_secs(2));
    for (key, before) in (1..=3).zip(before) {
        let more = world.clients[ben].packets(&format!("TR_{key}")).len() - before;
        assert!(more > 200, "{more} packets of track {key}");
    }
    let more = world.clients[ada].packets("TR_4").len() - sent;
    assert!(more > 200, "{more} packets of what he sends");
}

#[test]
fn more_tracks_than_m_lines_ask_for_more() {
    let mut world = World::new(5);
    let ben = world.join(Peers::Single);
    let tracks: Vec<_> = (1..=5)
        .map(|key| {
            let ada = world.join(Peers::Single);
            world.publish(ada, key, Kind::Audio, false)
        })
        .collect();
    for track in tracks {
        world.subscribe(ben, track);
    }
    world.run(Duration::from_secs(4));
    assert!(world.count(|event| matches!(event, Event::Sections { audios: 1.., .. })) > 0);
    for key in 1..=5 {
        assert!(world.clients[ben].packets(&format!("TR_{key}")).len() > 100, "track {key}");
    }
}
