//! Rooms of several: who is heard, what layer is seen, over several shards.

use std::time::Duration;

use meet::contract::{Event, Kind, Order, Peers, Quality, TrackKey, Wish};
use meet::media::{MediaConfig, Transport};

use super::network::Link;
use super::world::{ALL, ROOM, World};
use super::{assert_pictures, assert_whole};

const SECOND: Duration = Duration::from_secs(1);

/// The layer of the last packet.
fn seen(world: &World, client: usize, sid: &str) -> Option<u8> {
    world.clients[client].packets(sid).last().map(super::Packet::layer)
}

#[test]
fn a_layer_follows_the_size_of_the_window() {
    let mut world = World::new(20);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let camera = world.publish(ada, 1, Kind::Video, true);
    world.subscribe(ben, camera);
    world.run(8 * SECOND);
    assert_eq!(seen(&world, ben, "TR_1"), Some(2), "the whole window shows the largest");
    for (width, height, layer) in [(320, 180, 0), (640, 360, 1), (1280, 720, 2)] {
        world.wish(ben, camera, Wish { width, height, ..ALL });
        world.run(5 * SECOND);
        assert_eq!(seen(&world, ben, "TR_1"), Some(layer), "{width}×{height}");
    }
    world.wish(ben, camera, Wish { quality: Quality::Low, ..ALL });
    world.run(2 * SECOND);
    assert_eq!(seen(&world, ben, "TR_1"), Some(0));
    world.wish(ben, camera, Wish { enabled: false, ..ALL });
    world.run(SECOND);
    let before = world.clients[ben].packets("TR_1").len();
    world.run(SECOND);
    assert_eq!(world.clients[ben].packets("TR_1").len(), before, "what is hidden is not sent");
    world.wish(ben, camera, ALL);
    world.run(2 * SECOND);
    let packets = world.clients[ben].packets("TR_1");
    assert!(packets.len() > before);
    assert_whole(packets);
    assert_pictures(packets);
}

#[test]
fn a_layer_that_is_not_sent_any_more_is_replaced() {
    let mut world = World::new(21);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let camera = world.publish(ada, 1, Kind::Video, true);
    world.subscribe(ben, camera);
    world.run(8 * SECOND);
    assert_eq!(seen(&world, ben, "TR_1"), Some(2));
    world.clients[ada].sources[0].layers[2] = false;
    world.run(4 * SECOND);
    let last = world.clients[ben].packets("TR_1").last().unwrap();
    assert!(world.now.duration_since(last.at) < SECOND / 5, "it goes on");
    assert_eq!(last.layer(), 1);
    assert_whole(world.clients[ben].packets("TR_1"));
    assert_pictures(world.clients[ben].packets("TR_1"));
}

#[test]
fn a_hundred_complaints_make_few_key_frames() {
    let mut world = World::new(22);
    let ada = world.join(Peers::Single);
    let camera = world.publish(ada, 1, Kind::Video, false);
    let viewers: Vec<_> = (0..10).map(|_| world.join(Peers::Single)).collect();
    for &viewer in &viewers {
        world.subscribe(viewer, camera);
    }
    world.run(5 * SECOND);
    let before = world.clients[ada].sources[0].asked;
    assert!(before <= 6, "ten viewers joined at once: {before} key frames");
    for _ in 0..10 {
        for &viewer in &viewers {
            world.clients[viewer].complain("TR_1");
            world.clients[viewer].due = world.now;
        }
        world.run(SECOND / 5);
    }
    let asked = world.clients[ada].sources[0].asked - before;
    assert!((1..=5).contains(&asked), "{asked} key frames in two seconds");
}

#[test]
fn what_is_muted_is_silent_and_goes_on_whole() {
    let mut world = World::new(23);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    let camera = world.publish(ada, 2, Kind::Video, true);
    world.subscribe(ben, voice);
    world.subscribe(ben, camera);
    world.run(3 * SECOND);
    world.mute(ada, voice, true);
    world.mute(ada, camera, true);
    world.run(SECOND / 10);
    let before = world.clients[ben].packets("TR_1").len();
    world.run(2 * SECOND);
    assert_eq!(world.clients[ben].packets("TR_1").len(), before);
    world.mute(ada, voice, false);
    world.mute(ada, camera, false);
    world.run(2 * SECOND);
    let heard = world.clients[ben].packets("TR_1");
    assert!(heard.len() > before + 90);
    assert_whole(heard);
    let gap = heard[before].time.wrapping_sub(heard[before - 1].time);
    assert!((85_000..115_000).contains(&gap), "two seconds at 48,000 a second: {gap}");
    assert_whole(world.clients[ben].packets("TR_2"));
    assert_pictures(world.clients[ben].packets("TR_2"));
}

#[test]
fn only_the_loudest_are_forwarded_and_the_exempt() {
    let mut world = World::with(24, 1, |config| MediaConfig { last_n: 2, ..config });
    let listener = world.join(Peers::Single);
    let speakers: Vec<_> = (1..=5)
        .map(|key| {
            let speaker = world.join(Peers::Single);
            let track = world.publish(speaker, key, Kind::Audio, false);
            world.clients[speaker].sources[0].level = -90;
            world.subscribe(listener, track);
            speaker
        })
        .collect();
    world.run(3 * SECOND);
    for (at, loud) in [(0, -20), (3, -15)] {
        world.clients[speakers[at]].sources[0].level = loud;
    }
    world.run(SECOND);
    let before: Vec<_> =
        (1..=5).map(|key| world.clients[listener].packets(&format!("TR_{key}")).len()).collect();
    world.run(SECOND);
    let came: Vec<_> = (1..=5)
        .map(|key| world.clients[listener].packets(&format!("TR_{key}")).len() - before[key - 1])
        .collect();
    assert!(came[0] > 40 && came[3] > 40, "{came:?}");
    assert_eq!([came[1], came[2], came[4]], [0; 3]);
    // Whoever begins to speak is heard at once, for him who falls silent.
    world.clients[speakers[0]].sources[0].level = -90;
    world.clients[speakers[1]].sources[0].level = -10;
    let before = world.clients[listener].packets("TR_2").len();
    world.run(SECOND / 2);
    assert!(world.clients[listener].packets("TR_2").len() - before > 18, "within some 100 ms");
    for key in 1..=5 {
        assert_whole(world.clients[listener].packets(&format!("TR_{key}")));
    }
    let told = world.count(|event| {
        matches!(event, Event::Levels { room: ROOM, levels } if levels.iter().any(|(track, level)| *track == TrackKey(4) && *level > 0.0))
    });
    assert!(told > 0, "speakers are told");
}

#[test]
fn shards_serve_one_room_together() {
    let mut world = World::with(25, 3, |config| config);
    let people: Vec<_> = (0..6).map(|_| world.join(Peers::Single)).collect();
    let tracks: Vec<_> = people
        .iter()
        .zip(1..)
        .map(|(&person, key)| {
            (
                world.publish(person, key, Kind::Audio, false),
                world.publish(person, key + 100, Kind::Video, true),
            )
        })
        .collect();
    for &listener in &people {
        for (at, (voice, camera)) in tracks.iter().enumerate() {
            if at != listener {
                world.subscribe(listener, *voice);
                world.subscribe(listener, *camera);
            }
        }
    }
    world.run(8 * SECOND);
    for &listener in &people {
        for key in (1..=6).filter(|key| *key != listener + 1) {
            let heard = world.clients[listener].packets(&format!("TR_{key}"));
            let watched = world.clients[listener].packets(&format!("TR_{}", key + 100));
            assert!(heard.len() > 250, "{listener} hears {key}: {}", heard.len());
            assert!(watched.len() > 300, "{listener} sees {key}: {}", watched.len());
            assert_whole(heard);
            assert_whole(watched);
            assert_pictures(watched);
        }
    }
    // Muting and ending reach every shard.
    world.mute(0, tracks[0].0, true);
    world.order(0, Order::Unpublish { track: tracks[0].1 });
    world.settle();
    world.run(SECOND / 5);
    let before: Vec<_> = people.iter().map(|&of| world.clients[of].packets("TR_1").len()).collect();
    world.run(SECOND);
    for &listener in &people {
        assert_eq!(world.clients[listener].packets("TR_1").len(), before[listener]);
        assert!(!world.clients[listener].tracks.values().any(|sid| sid == "TR_101"));
    }
}

#[test]
fn thirty_people_hear_one_another() {
    let mut world = World::with(26, 2, |config| MediaConfig { last_n: 3, ..config });
    let people: Vec<_> = (0..30).map(|_| world.join(Peers::Single)).collect();
    let tracks: Vec<_> =
        people.iter().zip(1..).map(|(&person, key)| world.publish(person, key, Kind::Audio, false)).collect();
    for &listener in &people {
        world.clients[listener].sources[0].level = if listener == 7 { -10 } else { -80 };
        for (at, track) in tracks.iter().enumerate() {
            if at != listener {
                world.subscribe(listener, *track);
            }
        }
    }
    world.run(4 * SECOND);
    for &listener in people.iter().filter(|of| **of != 7) {
        let heard = world.clients[listener].packets("TR_8");
        assert!(heard.len() > 120, "{listener}: {}", heard.len());
        assert_whole(heard);
    }
}

#[test]
fn redundant_sound_goes_out_plain_to_who_did_not_ask_for_it() {
    let mut world = World::new(29);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let cay = world.join_as(Peers::Single, Transport::Udp, &["vp8"], false);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    world.clients[ada].sources[0].redundant = true;
    world.subscribe(ben, voice);
    world.subscribe(cay, voice);
    world.run(3 * SECOND);
    let wrapped = world.clients[ben].packets("TR_1");
    assert!(wrapped.len() > 100, "{}", wrapped.len());
    assert!(
        wrapped.iter().all(|packet| packet.payload.len() == 4 + 80 + 1 + 80),
        "two frames and their headers"
    );
    let plain = world.clients[cay].packets("TR_1");
    assert!(plain.len() > 100, "{}", plain.len());
    assert_whole(plain);
    let numbers: Vec<_> =
        plain.iter().map(|packet| u32::from_be_bytes(*packet.payload[8..].first_chunk().unwrap())).collect();
    assert!(plain.iter().all(|packet| packet.payload.len() == 80), "the newest frame alone");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn who_cannot_decode_a_track_is_told_so() {
    let mut world = World::new(27);
    let ada = world.join(Peers::Single);
    let ben = world.join_as(Peers::Single, Transport::Udp, &["h264"], false);
    let camera = world.publish(ada, 1, Kind::Video, false);
    world.subscribe(ben, camera);
    world.run(3 * SECOND);
    assert_eq!(world.count(|event| matches!(event, Event::Refused { track: TrackKey(1), .. })), 1);
    assert!(world.clients[ben].packets("TR_1").is_empty());
}

#[test]
fn a_listener_gets_little_but_sound() {
    for (peers, silent) in [(Peers::Single, false), (Peers::Dual, false), (Peers::Single, true)] {
        let mut world = World::new(28);
        let ada = world.join(Peers::Single);
        let voice = world.publish(ada, 1, Kind::Audio, false);
        let listener = world.join_as(peers, Transport::Udp, &["vp8", "red"], silent);
        world.subscribe(listener, voice);
        world.run(5 * SECOND);
        let (before, heard) = (world.sent[listener], world.clients[listener].packets("TR_1").len());
        world.run(20 * SECOND);
        let heard = world.clients[listener].packets("TR_1").len() - heard;
        let sent = world.sent[listener] - before;
        assert!(heard > 980, "{heard}");
        assert!(sent * 100 < heard * 115, "{sent} packets for {heard} of sound, {peers:?}, silent {silent}");
    }
}

#[test]
fn who_speaks_comes_before_who_does_not_on_any_thread() {
    for shards in [1, 2] {
        let mut world = World::with(30, shards, |config| config);
        let ben = world.join(Peers::Single);
        // On two threads: one of them lives with the viewer, the other does not.
        let [ada, cay] = [2, 1].map(|lag| {
            while world.clients.len() % 2 != lag % 2 {
                world.join(Peers::Single);
            }
            world.join(Peers::Single)
        });
        let cameras = [(ada, 1), (cay, 3)].map(|(of, key)| {
            world.publish(of, key, Kind::Audio, false);
            world.publish(of, key + 1, Kind::Video, true)
        });
        for camera in cameras {
            world.subscribe(ben, camera);
        }
        for (speaker, quiet) in [(ada, cay), (cay, ada)] {
            world.clients[speaker].sources[0].level = -10;
            world.clients[quiet].sources[0].level = -100;
            world.down[ben] = Link { bandwidth: Some(1_000_000), ..Link::GOOD };
            world.run(40 * SECOND);
            let rate = |of: usize| {
                let sid = if of == ada { "TR_2" } else { "TR_4" };
                let recent = |packet: &&super::Packet| packet.at + 10 * SECOND > world.now;
                world.clients[ben].packets(sid).iter().filter(recent).count()
            };
            assert!(rate(speaker) > rate(quiet), "{shards} threads: {} to {}", rate(speaker), rate(quiet));
        }
    }
}
