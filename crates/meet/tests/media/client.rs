//! A client as `livekit-client` is one, on `str0m`: offers, answers, publishes patterns that can be checked, notes what comes.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use meet::contract::{Peers, SessionId, Target};
use meet::media::Transport;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::format::PayloadParams;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{ExtensionValues, RedEncoder, RedundantBlock, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::network::Flight;

/// Bytes of one frame of each layer, 30 frames a second: about 150, 500 and 1,500 kbit/s.
pub const FRAMES: [(&str, usize); 3] = [("q", 600), ("h", 2_100), ("f", 6_200)];
const FRAME: Duration = Duration::from_micros(33_333);
const SOUND: Duration = Duration::from_millis(20);
const PACKET: usize = 1_100;

/// What came on one m-line.
#[derive(Debug, Default)]
pub struct Heard {
    pub packets: Vec<Packet>,
}

#[derive(Clone, Debug)]
pub struct Packet {
    pub at: Instant,
    pub ssrc: u32,
    pub seq: u64,
    pub time: u32,
    pub marker: bool,
    pub payload: Vec<u8>,
    pub level: Option<i8>,
}

impl Packet {
    /// The layer that a video packet says it is of.
    pub fn layer(&self) -> u8 {
        self.payload[7]
    }

    pub fn picture(&self) -> u16 {
        u16::from_be_bytes([self.payload[2], self.payload[3]]) & 0x7FFF
    }

    /// Whether it begins a key frame.
    pub fn key(&self) -> bool {
        self.payload[0] & 0x10 != 0 && self.payload[6] & 1 == 0
    }
}

/// One thing that is published.
#[derive(Debug)]
pub struct Source {
    pub mid: Mid,
    pub kind: MediaKind,
    pub simulcast: bool,
    pub next: Instant,
    /// RFC 6464 level of the sound.
    pub level: i8,
    pub running: bool,
    /// Sound is sent with the frame before it (RFC 2198).
    pub redundant: bool,
    /// Layers that are encoded now.
    pub layers: [bool; 3],
    frame: u32,
    seqs: [u64; 3],
    pictures: [u16; 3],
    keys: [bool; 3],
    /// Key frames that were asked for.
    pub asked: usize,
}

impl Source {
    fn new(mid: Mid, kind: MediaKind, simulcast: bool, now: Instant) -> Self {
        Self {
            mid,
            kind,
            simulcast,
            next: now,
            level: -20,
            running: true,
            redundant: false,
            layers: [true; 3],
            frame: 0,
            seqs: [100, 2_000, 60_000],
            pictures: [7, 3_000, 32_700],
            keys: [true; 3],
            asked: 0,
        }
    }

    /// The number of a packet so many after the last one.
    pub fn skip(&mut self, packets: u64) -> u64 {
        self.seqs[0] += packets;
        self.seqs[0]
    }
}

pub struct Client {
    pub id: SessionId,
    pub peers: Peers,
    pub address: SocketAddr,
    pub transport: Transport,
    pub rtc: Rtc,
    pub subscriber: Option<Rtc>,
    pub subscriber_address: SocketAddr,
    pub pending: Option<(u32, SdpPendingOffer)>,
    offers: u32,
    pub due: Instant,
    pub connected: bool,
    pub subscriber_connected: bool,
    pub sources: Vec<Source>,
    /// By m-line, on the connection that receives.
    pub heard: HashMap<Mid, Heard>,
    /// From m-line to track sid, as last told.
    pub tracks: BTreeMap<String, String>,
    pub channels: HashMap<(Target, String), ChannelId>,
    pub messages: Vec<(String, Vec<u8>)>,
    labels: HashMap<(Target, ChannelId), String>,
    /// Offers that wait for the answer to the one before.
    wanted: VecDeque<(u32, u32)>,
    pub again: bool,
    /// M-lines that began to send since they rested: what `ontrack` tells.
    pub announced: Vec<(String, String)>,
    receiving: HashSet<String>,
    receivers: Vec<Mid>,
}

fn rtc(now: Instant, address: SocketAddr, transport: Transport, codecs: &[&str]) -> Rtc {
    let mut rtc = Rtc::builder()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, codecs.contains(&"red"))
        .enable_vp8(codecs.contains(&"vp8"))
        .enable_h264(codecs.contains(&"h264"))
        .build(now);
    let candidate = match transport {
        Transport::Udp => Candidate::host(address, "udp").unwrap(),
        Transport::Tcp => Candidate::builder().tcp().host(address).tcptype(TcpType::Active).build().unwrap(),
    };
    rtc.add_local_candidate(candidate);
    rtc
}

impl Client {
    pub fn new(id: u64, peers: Peers, now: Instant, transport: Transport, codecs: &[&str]) -> Self {
        let host = u8::try_from(id % 200 + 1).unwrap();
        let port = 10_000 + u16::try_from(id / 200).unwrap() * 2;
        let address = SocketAddr::from(([10, 0, 0, host], port));
        let subscriber_address = SocketAddr::from(([10, 0, 0, host], port + 1));
        let subscriber = (peers == Peers::Dual).then(|| rtc(now, subscriber_address, transport, codecs));
        Self {
            id: SessionId(id),
            peers,
            address,
            transport,
            rtc: rtc(now, address, transport, codecs),
            subscriber,
            subscriber_address,
            pending: None,
            offers: 0,
            due: now,
            connected: false,
            subscriber_connected: false,
            sources: Vec::new(),
            heard: HashMap::new(),
            tracks: BTreeMap::new(),
            channels: HashMap::new(),
            messages: Vec::new(),
            labels: HashMap::new(),
            wanted: VecDeque::new(),
            again: false,
            announced: Vec::new(),
            receiving: HashSet::new(),
            receivers: Vec::new(),
        }
    }

    /// The offer with which a client joins: three data channels and, on a single connection, m-lines to receive on.
    pub fn first_offer(&mut self) -> (u32, String) {
        let mut api = self.rtc.sdp_api();
        for (label, ordered) in [("_lossy", false), ("_reliable", true), ("_data_track", false)] {
            api.add_channel_with_config(ChannelConfig {
                label: label.to_owned(),
                ordered,
                reliability: if ordered {
                    Reliability::Reliable
                } else {
                    Reliability::MaxRetransmits { retransmits: 0 }
                },
                ..ChannelConfig::default()
            });
        }
        if self.peers == Peers::Single {
            for kind in [MediaKind::Audio, MediaKind::Video] {
                for _ in 0..3 {
                    self.receivers.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
                }
            }
        }
        let (offer, pending) = api.apply().unwrap();
        self.offers += 1;
        self.pending = Some((self.offers, pending));
        (self.offers, offer.to_sdp_string())
    }

    /// More m-lines to receive on, or only an offer of what there is.
    pub fn want(&mut self, audios: u32, videos: u32) {
        self.wanted.push_back((audios, videos));
    }

    /// The next offer, if one is wanted and none waits for its answer.
    pub fn offer(&mut self) -> Option<(u32, String)> {
        if self.pending.is_some() {
            return None;
        }
        let mut api = self.rtc.sdp_api();
        let (audios, videos) = if let Some(wanted) = self.wanted.pop_front() {
            wanted
        } else if std::mem::take(&mut self.again) {
            (0, 0)
        } else {
            return None;
        };
        // A browser goes on wanting to receive on an m-line that was answered as inactive.
        for mid in &self.receivers {
            api.set_direction(*mid, Direction::Inactive);
            api.set_direction(*mid, Direction::RecvOnly);
        }
        for (kind, count) in [(MediaKind::Audio, audios), (MediaKind::Video, videos)] {
            for _ in 0..count {
                self.receivers.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
            }
        }
        let (offer, pending) = api.apply().unwrap();
        self.offers += 1;
        self.pending = Some((self.offers, pending));
        Some((self.offers, offer.to_sdp_string()))
    }

    /// An offer with one more track.
    pub fn publish(&mut self, cid: &str, kind: MediaKind, simulcast: bool, now: Instant) -> (u32, String) {
        let layers = simulcast.then(|| Simulcast {
            send: FRAMES.iter().map(|(rid, _)| SimulcastLayer::new(rid)).collect(),
            recv: Vec::new(),
        });
        let mut api = self.rtc.sdp_api();
        for mid in &self.receivers {
            api.set_direction(*mid, Direction::RecvOnly);
        }
        let mid = api.add_media(kind, Direction::SendOnly, Some("-".into()), Some(cid.to_owned()), layers);
        let (offer, pending) = api.apply().unwrap();
        self.offers += 1;
        self.pending = Some((self.offers, pending));
        self.sources.push(Source::new(mid, kind, simulcast, now));
        (self.offers, offer.to_sdp_string())
    }

    /// An offer with one more track, on the m-line on which a track comes in: so do clients that add a track and no m-line.
    pub fn publish_back(&mut self, mid: Mid, kind: MediaKind, now: Instant) -> (u32, String) {
        self.receivers.retain(|receiver| *receiver != mid);
        let mut api = self.rtc.sdp_api();
        for receiver in &self.receivers {
            api.set_direction(*receiver, Direction::RecvOnly);
        }
        api.set_direction(mid, Direction::SendRecv);
        let (offer, pending) = api.apply().unwrap();
        self.offers += 1;
        self.pending = Some((self.offers, pending));
        self.sources.push(Source::new(mid, kind, false, now));
        (self.offers, offer.to_sdp_string())
    }

    pub fn answered(&mut self, id: u32, sdp: &str, mids: Vec<(String, String)>) {
        let (offer, pending) = self.pending.take().unwrap();
        assert_eq!(offer, id);
        self.announce(sdp, mids);
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(sdp).unwrap()).unwrap();
    }

    /// The answer to the engine's offer.
    pub fn answer(&mut self, sdp: &str, mids: Vec<(String, String)>) -> String {
        self.announce(sdp, mids);
        let rtc = self.subscriber.as_mut().unwrap();
        rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp).unwrap()).unwrap().to_sdp_string()
    }

    /// Browsers tell of a track when its m-line begins to send, and then only.
    fn announce(&mut self, sdp: &str, mids: Vec<(String, String)>) {
        self.tracks = mids.into_iter().collect();
        for section in sdp.split("\r\nm=").skip(1) {
            let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:")).unwrap().to_owned();
            if section.contains("a=sendonly")
                || section.contains("a=sendrecv") && section.contains("a=msid:PA_")
            {
                if self.receiving.insert(mid.clone()) {
                    let track =
                        section.lines().find_map(|line| line.strip_prefix("a=msid:")).unwrap().to_owned();
                    self.announced.push((mid, track));
                }
            } else {
                self.receiving.remove(&mid);
            }
        }
    }

    pub fn receive(&mut self, now: Instant, flight: &Flight) {
        let proto = match flight.transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let rtc = if flight.destination == self.subscriber_address {
            self.subscriber.as_mut().unwrap()
        } else {
            &mut self.rtc
        };
        if let Ok(receive) = Receive::new(proto, flight.source, flight.destination, &flight.bytes) {
            rtc.handle_input(Input::Receive(now, receive)).unwrap();
        }
        self.due = now;
    }

    /// What goes out now.
    pub fn poll(&mut self, now: Instant) -> Vec<Flight> {
        let mut out = Vec::new();
        self.produce(now);
        let mut due = now + Duration::from_secs(1);
        for rtc in std::iter::once(&mut self.rtc).chain(&mut self.subscriber) {
            rtc.handle_input(Input::Timeout(now)).unwrap();
        }
        for target in [Target::Publisher, Target::Subscriber] {
            loop {
                let rtc = match target {
                    Target::Publisher => &mut self.rtc,
                    Target::Subscriber => match self.subscriber.as_mut() {
                        Some(rtc) => rtc,
                        None => break,
                    },
                };
                // One whose packets go nowhere gives up by itself.
                let Ok(output) = rtc.poll_output() else { break };
                match output {
                    Output::Timeout(at) if at <= now => rtc.handle_input(Input::Timeout(now)).unwrap(),
                    Output::Timeout(at) => {
                        due = due.min(at);
                        break;
                    }
                    Output::Transmit(transmit) => out.push(Flight {
                        transport: self.transport,
                        source: transmit.source,
                        destination: transmit.destination,
                        bytes: transmit.contents.to_vec(),
                    }),
                    Output::Event(event) => self.note(now, target, event),
                }
            }
        }
        for source in self.sources.iter().filter(|source| source.running && self.connected) {
            due = due.min(source.next);
        }
        self.due = due;
        out
    }

    fn note(&mut self, now: Instant, target: Target, event: Event) {
        match event {
            Event::Connected if target == Target::Publisher => self.connected = true,
            Event::Connected => self.subscriber_connected = true,
            Event::RtpPacket(packet) => self.hear(now, target, &packet),
            Event::KeyframeRequest(request) => {
                for source in self.sources.iter_mut().filter(|source| source.mid == request.mid) {
                    source.asked += 1;
                    let layer = request.rid.map_or(2, |rid| place(&rid));
                    source.keys[layer] = true;
                }
            }
            Event::ChannelOpen(id, label) => {
                self.labels.insert((target, id), label.clone());
                self.channels.insert((target, label), id);
            }
            Event::ChannelData(data) => {
                let label = self.labels[&(target, data.id)].clone();
                self.messages.push((label, data.data));
            }
            _ => {}
        }
    }

    fn hear(&mut self, now: Instant, target: Target, packet: &RtpPacket) {
        let rtc = match target {
            Target::Publisher => &mut self.rtc,
            Target::Subscriber => self.subscriber.as_mut().unwrap(),
        };
        let mut api = rtc.direct_api();
        let mid = api.stream_rx(&packet.header.ssrc).unwrap().mid();
        self.heard.entry(mid).or_default().packets.push(Packet {
            at: now,
            ssrc: *packet.header.ssrc,
            seq: *packet.seq_no,
            time: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload.to_vec(),
            level: packet.header.ext_vals.audio_level,
        });
    }

    /// Asks for a key frame on an m-line, as a decoder does that lost one.
    pub fn complain(&mut self, sid: &str) {
        let mid = self.tracks.iter().find(|(_, track)| *track == sid).map(|(mid, _)| Mid::from(&mid[..]));
        let rtc = self.subscriber.as_mut().unwrap_or(&mut self.rtc);
        let mut api = rtc.direct_api();
        api.stream_rx_by_mid(mid.unwrap(), None).unwrap().request_keyframe(KeyframeRequestKind::Pli);
    }

    /// Begins ICE anew, as a client does that comes back from another network.
    pub fn restart(&mut self) -> (u32, String) {
        let mut api = self.rtc.sdp_api();
        for mid in &self.receivers {
            api.set_direction(*mid, Direction::RecvOnly);
        }
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        self.offers += 1;
        self.pending = Some((self.offers, pending));
        (self.offers, offer.to_sdp_string())
    }

    pub fn say(&mut self, label: &str, bytes: &[u8]) -> bool {
        let id = self.channels[&(Target::Publisher, label.to_owned())];
        self.rtc.channel(id).unwrap().write(true, bytes).unwrap()
    }

    fn produce(&mut self, now: Instant) {
        if !self.connected {
            return;
        }
        for source in self.sources.iter_mut().filter(|source| source.running) {
            // Until its answer came, there is no stream to write to.
            let first = if source.simulcast { Some(Rid::from("q")) } else { None };
            if self.rtc.direct_api().stream_tx_by_mid(source.mid, first).is_none() {
                source.next = now + SOUND;
                continue;
            }
            if source.next + Duration::from_secs(1) < now {
                source.next = now;
            }
            while source.next <= now {
                let at = source.next;
                match source.kind {
                    MediaKind::Audio => sound(&mut self.rtc, source, at),
                    MediaKind::Video => picture(&mut self.rtc, source, at),
                }
                source.frame += 1;
                source.next += if source.kind.is_audio() { SOUND } else { FRAME };
            }
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
    }

    /// The m-line of a track.
    pub fn line(&self, sid: &str) -> Option<Mid> {
        self.tracks.iter().find(|(_, track)| *track == sid).map(|(mid, _)| Mid::from(mid.as_str()))
    }

    /// What came on the m-line of a track.
    pub fn packets(&self, sid: &str) -> &[Packet] {
        self.line(sid).and_then(|mid| self.heard.get(&mid)).map_or(&[], |heard| &heard.packets)
    }
}

fn place(rid: &str) -> usize {
    FRAMES.iter().position(|(of, _)| *of == rid).unwrap()
}

fn pt(rtc: &Rtc, kind: MediaKind) -> str0m::media::Pt {
    let audio = kind.is_audio();
    rtc.codec_config().params().iter().find(|params| params.spec().codec.is_audio() == audio).unwrap().pt()
}

/// One frame of sound, with its number.
fn frame(number: u32) -> Vec<u8> {
    let mut payload = vec![0xFC; 80];
    payload[8..12].copy_from_slice(&number.to_be_bytes());
    payload
}

fn sound(rtc: &mut Rtc, source: &mut Source, at: Instant) {
    let mut pt = pt(rtc, source.kind);
    let mut payload = frame(source.frame);
    if source.redundant {
        let before =
            RedundantBlock { pt: *pt, timestamp_offset: 960, payload: frame(source.frame.wrapping_sub(1)) };
        payload = RedEncoder::encode(*pt, &payload, &[before]);
        pt = rtc.codec_config().params().iter().find_map(PayloadParams::red).unwrap();
    }
    let mut api = rtc.direct_api();
    let stream = api.stream_tx_by_mid(source.mid, None).unwrap();
    let ext = ExtensionValues {
        audio_level: Some(source.level),
        voice_activity: Some(true),
        ..ExtensionValues::default()
    };
    let time = source.frame * 960;
    stream.write_rtp(RtpWrite::new(pt, source.seqs[0].into(), time, at, payload).ext_vals(ext));
    source.seqs[0] += 1;
}

fn picture(rtc: &mut Rtc, source: &mut Source, at: Instant) {
    let pt = pt(rtc, source.kind);
    for (layer, (rid, size)) in FRAMES.into_iter().enumerate() {
        let rid = source.simulcast.then(|| Rid::from(rid));
        if !source.layers[layer] || (rid.is_none() && layer != 2) {
            continue;
        }
        let key = std::mem::take(&mut source.keys[layer]);
        let size = if key { size * 3 } else { size };
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(source.mid, rid) else { continue };
        let packets = size.div_ceil(PACKET);
        let time = source.frame.wrapping_mul(3_000).wrapping_add(1_000_000 * u32::try_from(layer).unwrap());
        for n in 0..packets {
            let mut payload = vec![0u8; (size / packets).max(16)];
            let picture = source.pictures[layer] & 0x7FFF;
            payload[0] = 0x80 | if n == 0 { 0x10 } else { 0 };
            payload[1] = 0xE0;
            payload[2] = 0x80 | u8::try_from(picture >> 8).unwrap();
            payload[3] = u8::try_from(picture & 0xFF).unwrap();
            payload[4] = u8::try_from(picture & 0xFF).unwrap();
            payload[5] = 0x20;
            payload[6] = u8::from(!key);
            payload[7] = u8::try_from(layer).unwrap();
            payload[8..12].copy_from_slice(&source.frame.to_be_bytes());
            let write = RtpWrite::new(pt, source.seqs[layer].into(), time, at, payload)
                .marker(n + 1 == packets)
                .nackable(true);
            stream.write_rtp(write);
            source.seqs[layer] += 1;
        }
        source.pictures[layer] = source.pictures[layer].wrapping_add(1);
    }
}
