//! Bad networks and bad luck: loss, reordering, thin ways, addresses that change, clients that vanish.

use std::time::Duration;

use meet::contract::{Channel, Ending, Event, Kind, Order, Peers};
use meet::media::{Received, Transport};

use super::network::Link;
use super::world::{ALL, World};
use super::{assert_pictures, assert_whole};

static LARGE: [u8; 60_000] = [7; 60_000];
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_lost_on_the_way_in_is_asked_for_again() {
    for seed in 40..43 {
        let mut world = World::new(seed);
        let ada = world.join(Peers::Single);
        let ben = world.join(Peers::Single);
        let camera = world.publish(ada, 1, Kind::Video, true);
        world.subscribe(ben, camera);
        world.run(2 * SECOND);
        world.up[ada] = Link { loss: 20, jitter: Duration::from_millis(15), ..Link::GOOD };
        world.down[ben] = Link { loss: 20, jitter: Duration::from_millis(15), ..Link::GOOD };
        world.run(10 * SECOND);
        let mut packets = world.clients[ben].packets("TR_1").to_vec();
        assert!(packets.len() > 500, "{}", packets.len());
        packets.sort_by_key(|packet| packet.seq);
        let (first, last) = (packets[0].seq, packets[packets.len() - 1].seq);
        let all = usize::try_from(last - first + 1).unwrap();
        packets.dedup_by_key(|packet| packet.seq);
        let lost = all - packets.len();
        assert!(lost * 100 < all, "{lost} of {all} lost for good, of 4 in 100 that were lost at first");
    }
}

#[test]
fn a_thin_way_gets_a_small_layer_and_a_wide_one_a_large_one_again() {
    let mut world = World::new(44);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let cay = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    let camera = world.publish(ada, 2, Kind::Video, true);
    for viewer in [ben, cay] {
        world.subscribe(viewer, voice);
        world.subscribe(viewer, camera);
    }
    let layer = |world: &World, viewer: usize| world.clients[viewer].packets("TR_2").last().unwrap().layer();
    world.run(10 * SECOND);
    assert_eq!(layer(&world, ben), 2);
    world.down[ben] = Link { bandwidth: Some(400_000), ..Link::GOOD };
    world.run(15 * SECOND);
    assert_eq!(layer(&world, ben), 0, "400 kbit/s carry the smallest layer");
    assert_eq!(layer(&world, cay), 2, "another's thin way is not ours");
    let heard = world.clients[ben].packets("TR_1");
    let recent = heard.iter().filter(|packet| packet.at + 5 * SECOND > world.now).count();
    assert!(recent > 225, "sound goes first: {recent} of 250 packets");
    world.down[ben] = Link::GOOD;
    world.run(40 * SECOND);
    assert_eq!(layer(&world, ben), 2, "and back");
    assert!(
        world.clients[ada].sources[1].asked < 40,
        "{} key frames in 65 s",
        world.clients[ada].sources[1].asked
    );
}

#[test]
fn what_does_not_fit_is_paused_and_said_so() {
    let mut world = World::new(45);
    let ben = world.join(Peers::Single);
    let voice = {
        let ada = world.join(Peers::Single);
        world.publish(ada, 1, Kind::Audio, false)
    };
    let sign = {
        let ada = world.join(Peers::Single);
        world.publish(ada, 2, Kind::Video, true)
    };
    let others: Vec<_> = (3..7)
        .map(|key| {
            let ada = world.join(Peers::Single);
            world.publish(ada, key, Kind::Video, true)
        })
        .collect();
    world.down[ben] = Link { bandwidth: Some(450_000), ..Link::GOOD };
    world.subscribe(ben, voice);
    for other in others {
        world.subscribe(ben, other);
    }
    world.subscribe_with(ben, sign, meet::contract::Wish { protected: true, ..ALL });
    world.run(25 * SECOND);
    let paused = world.count(|event| matches!(event, Event::Paused { paused: true, .. }));
    assert!(paused > 0, "something is paused, and said so");
    let recent = |sid: &str| {
        world.clients[ben].packets(sid).iter().filter(|packet| packet.at + 5 * SECOND > world.now).count()
    };
    assert!(recent("TR_2") > 100, "the protected track runs: {}", recent("TR_2"));
    assert!(recent("TR_1") > 220, "sound goes first: {}", recent("TR_1"));
}

#[test]
fn a_client_that_comes_from_another_address_goes_on() {
    let mut world = World::with(46, 2, |config| config);
    // Everything lands on the wrong thread.
    world.landing = Some(1);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    world.subscribe(ben, voice);
    world.run(3 * SECOND);
    for client in [ada, ben] {
        let (id, sdp) = world.clients[client].restart();
        let session = world.clients[client].id;
        world.order(client, Order::Offer { session, id, sdp });
        world.settle();
    }
    let before = world.clients[ben].packets("TR_1").len();
    world.run(5 * SECOND);
    let heard = world.clients[ben].packets("TR_1");
    assert!(heard.len() > before + 230, "{} after {before}", heard.len());
    assert_whole(heard);
}

#[test]
fn who_says_and_hears_nothing_for_long_stays() {
    for (peers, silent) in
        [(Peers::Single, false), (Peers::Dual, false), (Peers::Single, true), (Peers::Dual, true)]
    {
        let mut world = World::new(52);
        let ada = world.join(Peers::Dual);
        let voice = world.publish(ada, 1, Kind::Audio, false);
        let ben = world.join_as(peers, Transport::Udp, &["vp8"], silent);
        world.run(100 * SECOND);
        world.subscribe(ben, voice);
        world.run(100 * SECOND);
        let ended = world.count(|event| matches!(event, Event::Ended { .. }));
        assert_eq!(ended, 0, "{peers:?}, silent {silent}: {:?}", world.events.last());
        assert!(world.clients[ben].packets("TR_1").len() > 4_800);
    }
}

#[test]
fn tcp_carries_what_udp_does() {
    let mut world = World::new(47);
    let ada = world.join_as(Peers::Single, Transport::Tcp, &["vp8", "red"], false);
    let ben = world.join_as(Peers::Dual, Transport::Tcp, &["vp8", "red"], false);
    let camera = world.publish(ada, 1, Kind::Video, true);
    world.subscribe(ben, camera);
    world.run(5 * SECOND);
    let seen = world.clients[ben].packets("TR_1");
    assert!(seen.len() > 200);
    assert_whole(seen);
    assert_pictures(seen);
}

#[test]
fn who_vanishes_is_given_up_and_forgotten() {
    let mut world = World::new(48);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    world.subscribe(ben, voice);
    world.run(3 * SECOND);
    world.cut[ada] = true;
    world.run(10 * SECOND);
    let ended = |event: &Event| matches!(event, Event::Ended { why: Ending::Unreachable, .. });
    assert_eq!(world.count(ended), 0, "ten seconds may be a lift");
    world.run(15 * SECOND);
    assert_eq!(world.count(ended), 1);
    assert!(world.clients[ben].tracks.is_empty(), "the track went with its publisher");
    // Nobody who came to an agreement but never came.
    let cay = world.join(Peers::Single);
    world.cut[cay] = true;
    world.run(40 * SECOND);
    assert_eq!(world.count(ended), 2);
}

#[test]
fn who_does_not_read_what_may_not_be_lost_is_closed() {
    let mut world = World::new(49);
    let ada = world.join(Peers::Single);
    world.run(2 * SECOND);
    world.cut[ada] = true;
    for _ in 0..40 {
        world.data(ada, Channel::Lossy, &LARGE);
    }
    world.settle();
    let slow = |event: &Event| matches!(event, Event::Ended { why: Ending::TooSlow, .. });
    assert_eq!(world.count(slow), 0, "a lossy channel drops");
    for _ in 0..100 {
        world.data(ada, Channel::Reliable, &LARGE);
    }
    world.settle();
    assert_eq!(world.count(slow), 1);
}

#[test]
fn nonsense_ends_one_session_at_most() {
    let mut world = World::new(50);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    world.subscribe(ben, voice);
    world.run(3 * SECOND);
    let (source, destination) = (world.clients[ada].address, "10.1.0.1:7882".parse().unwrap());
    let kinds = [0u8, 1, 20, 22, 23, 63, 128, 144, 191];
    for n in 0..2_000usize {
        let mut bytes: Vec<u8> =
            (0..n % 200).map(|at| u8::try_from((at * 31 + n * 7) % 256).unwrap()).collect();
        if let Some(first) = bytes.first_mut() {
            *first = kinds[n % kinds.len()];
        }
        let packet = Received { transport: Transport::Udp, source, destination, bytes: &bytes };
        world.shards[0].receive(world.now, packet);
    }
    let cay = world.join(Peers::Single);
    let session = world.clients[cay].id;
    world.order(cay, Order::Offer { session, id: 9, sdp: "v=0\r\nm=audio nonsense".into() });
    world.settle();
    assert_eq!(world.count(|event| matches!(event, Event::Ended { why: Ending::BadDescription, .. })), 1);
    let before = world.clients[ben].packets("TR_1").len();
    world.run(2 * SECOND);
    assert!(world.clients[ben].packets("TR_1").len() > before + 80, "the others go on");
}

#[test]
fn how_well_each_is_served_is_told() {
    let mut world = World::new(51);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let camera = world.publish(ada, 1, Kind::Video, true);
    world.subscribe(ben, camera);
    world.down[ben] = Link { loss: 100, delay: Duration::from_millis(50), ..Link::GOOD };
    world.run(21 * SECOND);
    let of = |client: usize| {
        let session = world.clients[client].id;
        world.events.iter().rev().find_map(|(_, event)| match event {
            Event::Health { session: of, health } if *of == session => Some(*health),
            _ => None,
        })
    };
    let (sender, receiver) = (of(ada).unwrap(), of(ben).unwrap());
    assert!(sender.packets_up > 100 && sender.heard && sender.loss_up < 0.01, "{sender:?}");
    assert!(receiver.packets_down > 100 && (0.03..0.25).contains(&receiver.loss_down), "{receiver:?}");
    assert!(receiver.round_trip.is_some_and(|trip| trip >= Duration::from_millis(50)), "{receiver:?}");
    assert!(receiver.estimate.is_some() && receiver.desired > 500_000, "{receiver:?}");
}
