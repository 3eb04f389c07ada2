//! Packets as anybody might send them: bytes from strangers and from a client's address, and, from a client that is connected, media
//! with payloads and numbers of any kind. Whoever else is in the room goes on. The fuzz target `rtp` is this file.

use std::net::SocketAddr;
use std::time::Duration;

use meet::contract::{Kind, Peers};
use meet::media::Transport;
use str0m::format::Codec;
use str0m::rtp::RtpWrite;

use super::network::Flight;
use super::world::World;

/// Pieces of one input that are played: more would only be slower.
const MOST: usize = 200;

/// The input, cut; a last piece that is too short is as long as it is.
fn pieces(input: &[u8]) -> Vec<([u8; 2], &[u8])> {
    let mut rest = input;
    let mut pieces = Vec::new();
    while let [kind, number, high, low, more @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]) % 1_400).min(more.len());
        let (piece, after) = more.split_at(length);
        pieces.push(([*kind, *number], piece));
        rest = after;
    }
    pieces.truncate(MOST);
    pieces
}

/// Plays one input: pieces of a byte that says what, a byte that says which number it has, two bytes of length, and so many bytes.
pub fn play(input: &[u8]) {
    let mut world = World::new(61);
    let ada = world.join(Peers::Single);
    let ben = world.join(Peers::Single);
    let voice = world.publish(ada, 1, Kind::Audio, false);
    let camera = world.publish(ada, 2, Kind::Video, false);
    let other = {
        let cay = world.join(Peers::Single);
        world.publish(cay, 3, Kind::Audio, false)
    };
    for track in [voice, camera, other] {
        world.subscribe(ben, track);
    }
    world.run_until("sound comes", |world| !world.clients[ben].packets("TR_1").is_empty());
    for source in &mut world.clients[ada].sources {
        source.running = false;
    }
    for (head, piece) in pieces(input) {
        send(&mut world, ada, head, piece);
    }
    let before = world.clients[ben].packets("TR_3").len();
    world.run(Duration::from_secs(1));
    let heard = world.clients[ben].packets("TR_3").len() - before;
    assert!(heard > 40, "the others are heard: {heard} of 50 packets");
}

fn send(world: &mut World, ada: usize, [kind, number]: [u8; 2], piece: &[u8]) {
    let own = world.clients[ada].address;
    let source = match kind & 7 {
        0 => own,
        1 => SocketAddr::from(([10, 9, 9, number], 4_000)),
        2 => {
            world.run(Duration::from_millis(20));
            return;
        }
        _ => {
            media(world, ada, [kind, number], piece);
            return;
        }
    };
    let transport = if kind & 8 == 0 { Transport::Udp } else { Transport::Tcp };
    let bytes = piece.to_vec();
    world.land(&Flight { transport, source, destination: world.server, bytes });
    world.settle();
}

/// Media that is encrypted as it should be, and otherwise as the bytes say.
fn media(world: &mut World, ada: usize, [kind, number]: [u8; 2], piece: &[u8]) {
    let now = world.now;
    let client = &mut world.clients[ada];
    let codec = match kind & 7 {
        3 => Codec::Opus,
        4 | 5 => Codec::Vp8,
        _ => Codec::H264,
    };
    let track = client.sources.iter_mut().find(|source| source.kind.is_audio() == codec.is_audio());
    let Some(track) = track else { return };
    let params = client.rtc.codec_config().params();
    let Some(params) = params.iter().find(|params| params.spec().codec == codec) else { return };
    // Redundant audio (RFC 2198) has a payload type of its own.
    let pt = if kind & 8 == 0 { params.pt() } else { params.red().unwrap_or(params.pt()) };
    // Mostly the next number; sometimes far away.
    let step = u64::from(number >> 4) * u64::from(number & 15).pow(3);
    let (seq, mid) = (track.skip(step + 1), track.mid);
    let mut api = client.rtc.direct_api();
    let Some(stream) = api.stream_tx_by_mid(mid, None) else { return };
    let time = u32::from(number).wrapping_mul(0x0101_0101);
    let write =
        RtpWrite::new(pt, seq.into(), time, now, piece.to_vec()).marker(kind & 16 != 0).nackable(true);
    stream.write_rtp(write);
    client.due = now;
    world.run(Duration::from_millis(2));
}

#[test]
fn any_packets_are_survived() {
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..12 {
        let mut input = Vec::new();
        for _ in 0..150 {
            let length = next() % 60;
            let [kind, number, ..] = next().to_le_bytes();
            let [.., high, low] = length.to_be_bytes();
            input.extend([kind, number, high, low]);
            input.extend((0..length).map(|_| next().to_le_bytes()[0]));
        }
        play(&input);
    }
}
