//! One peer connection of one client, on a socket of its own: `str0m` without decoders.
//!
//! Its owner is the [`crate::wire`], which tells it of time and datagrams. It knows nothing of signalling.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use quinn_udp::{UdpSockRef, UdpSocketState};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelConfig;
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use tokio::sync::mpsc::UnboundedSender;

use crate::Failure;
use crate::inbound::{Inbound, Packet};
use crate::outbound::{Outbound, Played, Ready, stamp};
use crate::recorded::RIDS;
use crate::tally::Tally;

/// What its signalling must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// ICE and DTLS stand.
    Connected,
    /// There is no way any more.
    Lost,
}

/// A track to be sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The track id in the description.
    pub cid: String,
    /// Numbers published tracks of a run.
    pub source: u16,
    /// One for sound or a single picture; three for simulcast, smallest first.
    pub layers: Vec<Played>,
    /// Largest layer first in the description, as Janus wants it.
    pub largest_first: bool,
    /// With marks.
    pub marked: bool,
}

/// A peer connection.
pub struct Leg {
    /// When it wants to hear of time again.
    pub next: Instant,
    /// The earliest entry that its owner's timers have for it.
    pub scheduled: Option<Instant>,
    /// When the first packet of media came.
    pub first_media: Option<Instant>,
    /// When ICE and DTLS stood.
    pub connected: Option<Instant>,
    /// Only the headers of received packets are read.
    pub light: bool,
    /// Its socket.
    pub socket: UdpSocket,
    /// What the kernel can do for the socket.
    pub state: UdpSocketState,
    local: SocketAddr,
    rtc: Rtc,
    deadline: Instant,
    tell: UnboundedSender<Happened>,
    pending: Option<SdpPendingOffer>,
    planned: Vec<(Mid, Sending)>,
    spare: Option<(Mid, bool)>,
    outbound: Vec<(Pt, Outbound)>,
    inbound: HashMap<Ssrc, Inbound>,
    counted: HashMap<u32, u16>,
    ready: Vec<Ready>,
}

impl std::fmt::Debug for Leg {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Leg").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Leg {
    /// A peer connection on a new socket.
    pub fn open(address: IpAddr, tell: UnboundedSender<Happened>, now: Instant) -> Result<Self, Failure> {
        let socket = UdpSocket::bind((address, 0))?;
        socket.set_nonblocking(true)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // A burst of key frames must not be lost in our own socket; it would look as if the server lost it.
        state.set_recv_buffer_size(UdpSockRef::from(&socket), 2 << 20)?;
        let local = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_stats_interval(None)
            .build(now);
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        Ok(Self {
            next: now,
            scheduled: None,
            first_media: None,
            connected: None,
            light: false,
            socket,
            state,
            local,
            rtc,
            deadline: now,
            tell,
            pending: None,
            planned: Vec::new(),
            spare: None,
            outbound: Vec::new(),
            inbound: HashMap::new(),
            counted: HashMap::new(),
            ready: Vec::new(),
        })
    }

    /// A new offer: tracks to be sent, places to receive (sound, pictures), and `LiveKit`'s data channels, the first time.
    pub fn offer(
        &mut self,
        sending: &[Sending],
        places: (u32, u32),
        channels: bool,
        tally: &mut Tally,
    ) -> Result<String, Failure> {
        let mut change = self.rtc.sdp_api();
        if channels {
            for label in ["_reliable", "_lossy"] {
                change
                    .add_channel_with_config(ChannelConfig { label: label.to_owned(), ..Default::default() });
            }
        }
        for (many, kind) in [(places.0, MediaKind::Audio), (places.1, MediaKind::Video)] {
            for _ in 0..many {
                change.add_media(kind, Direction::RecvOnly, None, None, None);
            }
        }
        for sending in sending {
            let kind = if matches!(sending.layers.first(), Some(Played::Sound(_))) {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            let mut rids: Vec<SimulcastLayer> = RIDS.map(SimulcastLayer::new).into();
            if sending.largest_first {
                rids.reverse();
            }
            let simulcast = (sending.layers.len() > 1).then(|| Simulcast { send: rids, recv: Vec::new() });
            let cid = Some(sending.cid.clone());
            let mid = change.add_media(kind, Direction::SendOnly, cid.clone(), cid, simulcast);
            self.planned.push((mid, sending.clone()));
        }
        if sending.is_empty() && places == (0, 0) {
            // A server that has a place free asks for an offer that changes nothing, which `str0m` does not make: an m-line that carries
            // nothing changes its direction instead.
            if let Some((mid, sends)) = self.spare {
                change.set_direction(mid, if sends { Direction::Inactive } else { Direction::SendOnly });
                self.spare = Some((mid, !sends));
            } else {
                let mid = change.add_media(MediaKind::Audio, Direction::Inactive, None, None, None);
                self.spare = Some((mid, false));
            }
        }
        let (offer, pending) = change.apply().ok_or("there is nothing to offer")?;
        self.pending = Some(pending);
        self.drain(Instant::now(), 0, tally)?;
        Ok(offer.to_sdp_string())
    }

    /// The answer to our offer: tracks are sent from now on.
    pub fn answered(&mut self, sdp: &str, tally: &mut Tally) -> Result<(), Failure> {
        let pending = self.pending.take().ok_or("an answer to no offer")?;
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(sdp)?)?;
        let now = Instant::now();
        self.drain(now, 0, tally)?;
        for (mid, sending) in std::mem::take(&mut self.planned) {
            self.begin(mid, &sending, now)?;
        }
        self.wake();
        Ok(())
    }

    /// Their offer: our answer to it.
    pub fn answer(&mut self, sdp: &str, tally: &mut Tally) -> Result<String, Failure> {
        let answer = self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp)?)?;
        self.drain(Instant::now(), 0, tally)?;
        Ok(answer.to_sdp_string())
    }

    /// A candidate of theirs: `candidate:...`.
    pub fn candidate(&mut self, candidate: &str, tally: &mut Tally) -> Result<(), Failure> {
        let candidate = Candidate::from_sdp_string(candidate)?;
        if candidate.proto() == Protocol::Udp && candidate.addr().is_ipv4() {
            self.rtc.add_remote_candidate(candidate);
            self.drain(Instant::now(), 0, tally)?;
        }
        Ok(())
    }

    fn begin(&mut self, mid: Mid, sending: &Sending, now: Instant) -> Result<(), Failure> {
        let media = self.rtc.media(mid).ok_or("an m-line is gone")?;
        let codec = if media.kind() == MediaKind::Audio { Codec::Opus } else { Codec::Vp8 };
        let remote = media.remote_pts().to_vec();
        let known = self
            .rtc
            .codec_config()
            .find(|params| params.spec().codec == codec && remote.contains(&params.pt()));
        let pt = known.ok_or_else(|| format!("the server takes no {codec:?}"))?.pt();
        let simulcast = sending.layers.len() > 1;
        for (layer, (played, rid)) in (0u8..).zip(sending.layers.iter().zip(RIDS)) {
            let rid = simulcast.then(|| rid.into());
            // Clients do not speak at the same moment: each begins at its own part of 20 ms.
            let apart = Duration::from_micros(u64::from(sending.source) * 7_919 % 20_000);
            let source = sending.source;
            let outbound =
                Outbound::new(mid, rid, source, layer, played.clone(), sending.marked, now + apart);
            self.outbound.push((pt, outbound));
        }
        Ok(())
    }

    /// The tracks that are sent.
    pub fn outbound(&mut self) -> impl Iterator<Item = &mut Outbound> {
        self.outbound.iter_mut().map(|(_, outbound)| outbound)
    }

    /// Something was done with it: it is to be told the time now. What `str0m` said of its next deadline was said before.
    pub fn changed(&mut self, now: Instant) {
        self.deadline = now;
        self.next = now;
    }

    /// Time goes by.
    pub fn tick(&mut self, now: Instant, tally: &mut Tally) -> Result<(), Failure> {
        if self.connected.is_some() && self.outbound.iter().any(|(_, outbound)| outbound.due <= now) {
            self.send(now, tally)?;
        }
        if self.deadline <= now {
            self.rtc.handle_input(Input::Timeout(now))?;
            self.drain(now, 0, tally)?;
        }
        self.wake();
        Ok(())
    }

    fn send(&mut self, now: Instant, tally: &mut Tally) -> Result<(), Failure> {
        let mut ready = std::mem::take(&mut self.ready);
        for (pt, outbound) in &mut self.outbound {
            if outbound.due > now {
                continue;
            }
            outbound.ready(now, &mut ready);
            let mut direct = self.rtc.direct_api();
            let Some(stream) = direct.stream_tx_by_mid(outbound.mid, outbound.rid) else {
                ready.clear();
                continue;
            };
            tally.sent += ready.len() as u64;
            for mut packet in ready.drain(..) {
                stamp(&mut packet.payload);
                let video = !outbound.is_sound();
                let mut values = ExtensionValues::default();
                if !video {
                    values.audio_level = Some(outbound.level);
                    values.voice_activity = Some(outbound.level > -50);
                }
                let write = RtpWrite::new(*pt, packet.sequence.into(), packet.time, now, packet.payload)
                    .marker(packet.marker)
                    .ext_vals(values)
                    .nackable(video);
                stream.write_rtp(write);
            }
        }
        self.ready = ready;
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain(now, 0, tally)
    }

    /// A datagram came; `arrived` is when the kernel had it, in microseconds since 1970.
    pub fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
        arrived: u64,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        if self.light && self.connected.is_some() && self.count_header(datagram, now, tally) {
            return Ok(());
        }
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, datagram) else {
            return Err(format!("{} bytes that are no WebRTC", datagram.len()).into());
        };
        self.rtc.handle_input(Input::Receive(now, receive))?;
        self.drain(now, arrived, tally)?;
        self.wake();
        Ok(())
    }

    /// Counts a packet of media by its header alone; false if it is something else.
    fn count_header(&mut self, datagram: &[u8], now: Instant, tally: &mut Tally) -> bool {
        let Some(&[first, second, high, low, _, _, _, _, a, b, c, d]) = datagram.first_chunk() else {
            return false;
        };
        // RFC 7983 and RFC 5761: RTP and RTCP are told apart by these bytes.
        if !(128..192).contains(&first) || (192..224).contains(&second) {
            return false;
        }
        self.first_media.get_or_insert(now);
        let sequence = u16::from_be_bytes([high, low]);
        tally.packets += 1;
        tally.bytes += datagram.len() as u64;
        if let Some(before) = self.counted.insert(u32::from_be_bytes([a, b, c, d]), sequence) {
            match sequence.wrapping_sub(before) {
                1 => {}
                gap @ 2..32_768 => tally.missing += u64::from(gap - 1),
                _ => tally.recovered += 1,
            }
        }
        true
    }

    /// Everything that the last change brought about.
    fn drain(&mut self, now: Instant, arrived: u64, tally: &mut Tally) -> Result<(), Failure> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    // A full socket is a lost packet, as everywhere.
                    if let Err(error) = self.socket.send_to(&transmit.contents, transmit.destination)
                        && error.kind() != std::io::ErrorKind::WouldBlock
                    {
                        return Err(error.into());
                    }
                }
                Output::Event(event) => self.happened(event, now, arrived, tally),
            }
        }
    }

    fn happened(&mut self, event: Event, now: Instant, arrived: u64, tally: &mut Tally) {
        match event {
            Event::Connected => {
                self.connected = Some(now);
                // Whoever asked may be gone.
                let _ = self.tell.send(Happened::Connected);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                let _ = self.tell.send(Happened::Lost);
            }
            Event::KeyframeRequest(request) => {
                tally.key_requests += 1;
                let wanted = |outbound: &&mut Outbound| {
                    outbound.mid == request.mid && (request.rid.is_none() || outbound.rid == request.rid)
                };
                self.outbound().filter(wanted).for_each(Outbound::restart);
            }
            Event::RtpPacket(packet) => {
                self.first_media.get_or_insert(now);
                let inbound = match self.inbound.entry(packet.header.ssrc) {
                    std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::hash_map::Entry::Vacant(new) => {
                        let params =
                            self.rtc.codec_config().find(|params| params.pt() == packet.header.payload_type);
                        let video = params.is_some_and(|params| params.spec().codec == Codec::Vp8);
                        let label = format!("{} ssrc {}", self.local.port(), *packet.header.ssrc);
                        new.insert(Inbound::new(label, video))
                    }
                };
                let (sequence, time) = (*packet.seq_no, packet.header.timestamp);
                inbound.take(Packet { sequence, time, payload: &packet.payload }, arrived, tally);
                if std::mem::take(&mut inbound.blind)
                    && let Some(stream) = self.rtc.direct_api().stream_rx(&packet.header.ssrc)
                {
                    stream.request_keyframe(KeyframeRequestKind::Pli);
                }
            }
            _ => {}
        }
    }

    fn wake(&mut self) {
        let sends =
            self.outbound.iter().map(|(_, outbound)| outbound.due).min().filter(|_| self.connected.is_some());
        self.next = sends.map_or(self.deadline, |due| due.min(self.deadline));
    }
}
