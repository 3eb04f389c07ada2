//! Media sockets and strangers: real ones, of this machine. A participant is known by name and password, as ICE knows them.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use str0m::Rtc;
use str0m::media::{Direction, MediaKind};

use super::*;
use crate::contract::{Peers, SessionId};

/// Nobody here needs longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Source ports of a stranger.
const PORTS: usize = 10_000;
/// Connections of a stranger: as many as a thread has places.
const CONNECTIONS: usize = 4_096;

/// A driver with one session on each of its threads.
struct Media {
    driver: Driver,
    udp: SocketAddr,
    tcp: SocketAddr,
    participants: Vec<Participant>,
}

/// What a participant learns by the answer to its offer.
#[derive(Clone)]
struct Participant {
    name: String,
    password: String,
}

impl Media {
    async fn start(threads: usize) -> Self {
        edge::raise_files();
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let addresses = Addresses { udp: vec![free], tcp: vec![free], external_ip: Vec::new() };
        let (reporter, mut reports) = mpsc::channel(1024);
        let config = DriverConfig { addresses, threads, pinned: false };
        let driver = Driver::start(&config, &reporter, |media| media).unwrap();
        let mut participants = Vec::new();
        for (number, thread) in (0..).zip(driver.threads.iter()) {
            let (session, offer) = (SessionId(number), offer());
            let peers = Peers::Single;
            thread.order(Order::Open { session, peers, may_pause: true, silent: false }).await;
            thread.order(Order::Offer { session, id: 1, sdp: offer.clone() }).await;
            let answer = loop {
                if let (_, Event::Answer { sdp, .. }) = reports.recv().await.unwrap() {
                    break sdp;
                }
            };
            let name = format!("{}:{}", line(&answer, "a=ice-ufrag:"), line(&offer, "a=ice-ufrag:"));
            participants.push(Participant { name, password: line(&answer, "a=ice-pwd:") });
        }
        tokio::spawn(async move { while reports.recv().await.is_some() {} });
        Self { driver, udp: free, tcp: free, participants }
    }

    fn sum(&self, count: impl Fn(&Figures) -> u64) -> u64 {
        self.driver.threads.iter().map(|thread| count(&thread.figures)).sum()
    }
}

fn offer() -> String {
    let mut rtc = Rtc::builder().set_rtp_mode(true).build(Instant::now());
    let mut api = rtc.sdp_api();
    api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    api.apply().unwrap().0.to_sdp_string()
}

fn line(sdp: &str, begins: &str) -> String {
    sdp.lines().find_map(|line| line.strip_prefix(begins)).unwrap().trim().to_owned()
}

/// A binding request (RFC 8489 and 8445): who is called, and that the caller knows the password.
fn request(Participant { name, password }: &Participant) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    bytes.extend(rand::random::<[u8; 12]>());
    let mut attribute = |kind: u16, value: &[u8]| {
        bytes.extend(kind.to_be_bytes());
        bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    };
    attribute(0x0006, name.as_bytes());
    attribute(0x0024, &1_845_501_695_u32.to_be_bytes());
    attribute(0x802A, &7_u64.to_be_bytes());
    // The length counts the integrity, 24 bytes, and the integrity covers the length.
    let length = u16::try_from(bytes.len() - 20 + 24).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let integrity = hmac::sign(&key, &bytes);
    bytes.extend([0x00, 0x08, 0x00, 0x14]);
    bytes.extend(integrity.as_ref());
    bytes
}

fn frame(packet: &[u8]) -> Vec<u8> {
    [&u16::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat()
}

/// From another block of this machine's addresses than strangers come from.
fn from_elsewhere(to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 9, 9, 9], 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What ICE answers on a connection: a binding success, or the end.
fn answered(stream: &mut TcpStream) -> bool {
    let mut head = [0; 4];
    stream.read_exact(&mut head).is_ok_and(|()| head[2..] == [1, 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_names_take_no_places_of_media_by_tcp() {
    let media = Media::start(1).await;
    let invented = Participant { name: "Ainvented000:nobody".into(), password: "none".into() };
    let packet = frame(&request(&invented));
    let held: Vec<TcpStream> = (0..CONNECTIONS)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(media.tcp).ok()?;
            // It may have been closed already.
            let _ = stream.write_all(&packet);
            Some(stream)
        })
        .collect();
    assert_eq!(held.len(), CONNECTIONS);
    assert_eq!(media.sum(|figures| figures.tcp_accepted.get()), 0, "nothing was kept");
    let mut stream = from_elsewhere(media.tcp);
    stream.write_all(&frame(&request(&media.participants[0]))).unwrap();
    assert!(answered(&mut stream), "a participant comes in");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_block_that_knows_a_name_has_its_share_of_places() {
    let media = Media::start(1).await;
    let thief = Participant { password: "guessed".into(), ..media.participants[0].clone() };
    let packet = frame(&request(&thief));
    let mut held = Vec::new();
    for _ in 0..1_500 {
        let Ok(mut stream) = TcpStream::connect(media.tcp) else { continue };
        let _ = stream.write_all(&packet);
        held.push(stream);
    }
    let accepted = media.sum(|figures| figures.tcp_accepted.get());
    assert!(accepted <= 512, "{accepted} connections of one block");
    let mut stream = from_elsewhere(media.tcp);
    stream.write_all(&frame(&request(&media.participants[0]))).unwrap();
    assert!(answered(&mut stream), "a participant comes in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_passes_ice_is_closed_within_seconds_however_much_it_says() {
    let media = Media::start(1).await;
    let thief = Participant { password: "guessed".into(), ..media.participants[0].clone() };
    let mut stream = TcpStream::connect(media.tcp).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let begun = Instant::now();
    // It goes on asking, as no silent one would.
    loop {
        assert!(begun.elapsed() < Duration::from_secs(12), "still there");
        let asked = stream.write_all(&frame(&request(&thief)));
        let answer = stream.read(&mut [0; 64]);
        let waits =
            |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        match (asked, answer) {
            (Ok(()), Err(error)) if waits(&error) => {}
            (_, Ok(count)) if count > 0 => panic!("ICE answered a wrong password"),
            _ => break,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_passed_ice_stays() {
    let media = Media::start(1).await;
    let mut stream = from_elsewhere(media.tcp);
    let begun = Instant::now();
    while begun.elapsed() < tcp::UNPROVEN + Duration::from_secs(3) {
        stream.write_all(&frame(&request(&media.participants[0]))).unwrap();
        assert!(stream.read(&mut [0; 512]).is_ok_and(|count| count > 0));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_names_from_ten_thousand_ports_are_neither_kept_nor_passed_on() {
    let media = Media::start(2).await;
    let call = |participant: &Participant| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let (packet, begun) = (request(participant), Instant::now());
        // UDP may lose it; ICE asks again too.
        let mut bytes = [0; 512];
        loop {
            assert!(begun.elapsed() < PATIENCE, "a participant is not answered");
            socket.send_to(&packet, media.udp).unwrap();
            if socket.recv(&mut bytes).is_ok_and(|count| count > 2 && bytes[..2] == [1, 1]) {
                return;
            }
        }
    };
    media.participants.iter().for_each(call);
    let passed_on = || media.sum(|figures| figures.forwarded.get() + figures.forward_drops.get());
    let before = passed_on();
    let received = || media.sum(|figures| figures.packets_in.get());
    let (heard, mut sent) = (received(), 0);
    for port in 0..PORTS {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let name = format!("{}invented000:nobody", ["A", "B"][port % 2]);
        let packet = request(&Participant { name, password: "none".into() });
        socket.send_to(&packet, media.udp).unwrap();
        sent += 1;
    }
    let begun = Instant::now();
    while received() < heard + sent * 9 / 10 {
        assert!(begun.elapsed() < PATIENCE, "they were to be read");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(passed_on(), before, "no thread had work with what another one received");
    media.participants.iter().for_each(call);
}
