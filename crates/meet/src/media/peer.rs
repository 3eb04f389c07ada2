//! One peer connection: the file that knows `str0m`. Nothing else touches an `Rtc`, so that another engine could take its place.
//!
//! It speaks RTP, never frames: packets come out of [`Peer::drain`] and go in by [`Peer::write`]. It is ICE-lite: clients check,
//! we answer. `str0m`'s contract is that mutations are followed by a drain; writes alone may be gathered before one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use str0m::bwe::{Bitrate, BweKind};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::config::DtlsCert;
use str0m::format::PayloadParams;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{Extension, RtpPacket, RtpWrite, Ssrc, Vp8Descriptor, Vp8Patch};
use str0m::{Candidate, IceCreds, Input, PacerReason, Reason, Rtc};

use super::packet::{Format, MediaPacket};
use super::{MediaConfig, Output, Place, Transmit, Transport, sdp};
use crate::contract::{Kind, Quality};

/// Largest message on a data channel, as the SDP says; a `LiveKit` packet of 64,000 bytes of content has some frame around it.
pub(super) const MAX_MESSAGE: u32 = 65_536;

/// What is due this soon is due now.
const AT_ONCE: Duration = Duration::from_micros(10);
/// Packets that one peer connection sends before others have their turn.
const MOST_AT_ONCE: usize = 512;

/// What happened on a peer connection.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "packets are most of all events, and moved, not kept")]
pub(super) enum PeerEvent {
    /// ICE and DTLS stand.
    Connected,
    /// The client closed it.
    Closed,
    /// Media.
    Packet(Mid, MediaPacket),
    /// The client cannot decode what it gets on this m-line.
    Keyframe(Mid),
    /// What the way to the client carries, bits per second.
    Estimate(u64),
    /// A data channel stands.
    ChannelOpen(ChannelId, String),
    /// A message.
    ChannelData(ChannelId, Vec<u8>),
    /// A data channel is gone.
    ChannelClosed(ChannelId),
    /// Round trip, share lost towards the client, share lost towards us: since the last of these.
    Link { round_trip: Option<Duration>, loss_down: Option<f32>, loss_up: Option<f32> },
}

/// One packet to a client.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) pt: Pt,
    pub(super) seq: u64,
    pub(super) time: u32,
    /// When `time` was, for sender reports.
    pub(super) wallclock: Instant,
    pub(super) patch: Option<Vp8Patch>,
    /// Kept for retransmission.
    pub(super) resend: bool,
    /// In place of the packet's own.
    pub(super) payload: Arc<[u8]>,
}

/// A failure after which the connection is of no use.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct PeerError(String);

impl PeerError {
    pub(super) fn other(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl From<str0m::RtcError> for PeerError {
    fn from(error: str0m::RtcError) -> Self {
        Self(error.to_string())
    }
}

impl From<str0m::error::SdpError> for PeerError {
    fn from(error: str0m::error::SdpError) -> Self {
        Self(error.to_string())
    }
}

/// Whether the way to the client is measured (TWCC, GCC) and video paced to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Yes,
    /// For receivers of sound alone, and where nothing is sent: measuring costs more than all they receive.
    No,
}

/// One peer connection.
pub(super) struct Peer {
    rtc: Rtc,
    pending: Option<Pending>,
    /// The credentials of which clients know.
    credentials: IceCreds,
    /// What the negotiated payload types mean.
    formats: Vec<(Pt, Format)>,
    /// Which m-line and layer each incoming stream belongs to.
    streams: Vec<(u32, Mid, Quality)>,
    measured: bool,
    /// Packets since the last drain.
    written: usize,
    /// The next drain panics.
    #[cfg(test)]
    pub(super) panics: bool,
}

struct Pending {
    offer: SdpPendingOffer,
    restart: Option<IceCreds>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("ufrag", &self.credentials.ufrag).finish_non_exhaustive()
    }
}

/// A change of our side of an offer of ours.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// A new m-line on which we send; the answer is its mid.
    Add { kind: Kind },
    /// Send again on an m-line.
    Send(Mid),
    /// Send no more on it.
    Rest(Mid),
}

impl Peer {
    pub(super) fn new(
        config: &MediaConfig,
        certificate: Option<&DtlsCert>,
        credentials: IceCreds,
        measure: Measure,
        now: Instant,
    ) -> Self {
        let mut builder = Rtc::builder()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_local_ice_credentials(credentials.clone())
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(config.h264)
            .enable_vp9(config.vp9)
            .set_sctp_max_message_size(MAX_MESSAGE)
            .set_sctp_max_buffered_amount(config.reliable_buffer + config.lossy_buffer)
            .set_stats_interval(Some(config.health_every))
            .clear_extension_map()
            .set_extension(1, Extension::AudioLevel)
            .set_extension(4, Extension::RtpMid)
            .set_extension(10, Extension::RtpStreamId)
            .set_extension(11, Extension::RepairedRtpStreamId)
            .set_extension(13, Extension::VideoOrientation)
            .set_extension(3, Extension::TransportSequenceNumber);
        if let Some(certificate) = certificate {
            builder = builder.set_dtls_cert(certificate.clone());
        }
        if measure == Measure::Yes {
            builder = builder.enable_bwe(Some(Bitrate::bps(config.initial_estimate)));
        }
        let mut rtc = builder.build(now);
        for place in &config.places {
            if let Some(candidate) = candidate(*place) {
                rtc.add_local_candidate(candidate);
            }
        }
        Self {
            rtc,
            pending: None,
            credentials,
            formats: Vec::new(),
            streams: Vec::new(),
            measured: measure == Measure::Yes,
            written: 0,
            #[cfg(test)]
            panics: false,
        }
    }

    /// The name under which ICE finds it.
    pub(super) fn ufrag(&self) -> &str {
        &self.credentials.ufrag
    }

    /// Answers an offer. `fresh` are our credentials if the offer restarts ICE.
    pub(super) fn accept_offer(&mut self, offer: &str, fresh: IceCreds) -> Result<String, PeerError> {
        let offer = SdpOffer::from_sdp_string(&sdp::unmeasured_sound(offer))?;
        self.pending = None;
        let answer = self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string();
        self.streams.clear();
        self.read_formats();
        let current = self.rtc.direct_api().local_ice_credentials();
        if current.ufrag == self.credentials.ufrag {
            return Ok(answer);
        }
        // str0m made credentials of its own; ours name the shard.
        self.rtc.direct_api().set_local_ice_credentials(fresh.clone());
        let answer = with_credentials(&answer, &current, &fresh);
        self.credentials = fresh;
        Ok(answer)
    }

    /// Makes an offer of changes; the mids of added m-lines come in their order. `None` if nothing is to be negotiated.
    pub(super) fn offer(
        &mut self,
        changes: &[Change],
        channels: &[(&str, bool)],
        restart: Option<IceCreds>,
    ) -> Option<(String, Vec<Mid>)> {
        let mut api = self.rtc.sdp_api();
        let mut added = Vec::new();
        for change in changes {
            match change {
                Change::Add { kind } => {
                    let kind = match kind {
                        Kind::Audio => MediaKind::Audio,
                        Kind::Video => MediaKind::Video,
                    };
                    added.push(api.add_media(kind, Direction::SendOnly, None, None, None));
                }
                Change::Send(mid) => api.set_direction(*mid, Direction::SendOnly),
                Change::Rest(mid) => api.set_direction(*mid, Direction::Inactive),
            }
        }
        for (label, reliable) in channels {
            api.add_channel_with_config(ChannelConfig {
                label: (*label).to_owned(),
                ordered: *reliable,
                reliability: if *reliable {
                    Reliability::Reliable
                } else {
                    Reliability::MaxRetransmits { retransmits: 0 }
                },
                ..ChannelConfig::default()
            });
        }
        let theirs = restart.as_ref().map(|_| api.ice_restart(true));
        let (offer, pending) = api.apply()?;
        let mut text = sdp::unmeasured_sound(&offer.to_sdp_string());
        if let (Some(theirs), Some(ours)) = (&theirs, &restart) {
            text = with_credentials(&text, theirs, ours);
        }
        self.pending = Some(Pending { offer: pending, restart });
        Some((text, added))
    }

    /// Completes our last offer.
    pub(super) fn accept_answer(&mut self, answer: &str) -> Result<(), PeerError> {
        let Some(Pending { offer, restart }) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(answer)?;
        self.rtc.sdp_api().accept_answer(offer, answer)?;
        if let Some(credentials) = restart {
            self.rtc.direct_api().set_local_ice_credentials(credentials.clone());
            self.credentials = credentials;
        }
        self.read_formats();
        Ok(())
    }

    /// Whether an offer of ours waits for its answer.
    pub(super) fn awaits_answer(&self) -> bool {
        self.pending.is_some()
    }

    fn read_formats(&mut self) {
        self.formats.clear();
        for params in self.rtc.codec_config().params() {
            self.formats.push((params.pt(), Format { spec: params.spec(), red: false }));
            if let Some(red) = params.red() {
                self.formats.push((red, Format { spec: params.spec(), red: true }));
            }
        }
    }

    /// A candidate of the client; a malformed one, or one that needs name resolution (mDNS), is of no use to us and is dropped:
    /// we learn its address when it checks.
    pub(super) fn add_candidate(&mut self, candidate: &str) {
        if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Takes a packet. An error ends the connection; a foreign or malformed packet is none.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        transport: Transport,
        source: SocketAddr,
        public: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), PeerError> {
        let Ok(receive) = Receive::new(protocol(transport), source, public, bytes) else {
            return Ok(());
        };
        match self.rtc.handle_input(Input::Receive(now, receive)) {
            Err(error) if !self.rtc.is_alive() => Err(error.into()),
            // A packet that DTLS or SCTP refuses may be anybody's.
            Err(_) | Ok(()) => Ok(()),
        }
    }

    pub(super) fn timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// Takes out all that is to be sent or was learned; says when to come again: where only the estimator wants to hear of the time,
    /// no sooner than after `rest`.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        rest: Duration,
        places: &[Place],
        outputs: &mut VecDeque<Output>,
        events: &mut Vec<PeerEvent>,
    ) -> Result<Instant, PeerError> {
        #[cfg(test)]
        assert!(!self.panics, "an engine that is broken");
        let mut left = MOST_AT_ONCE;
        loop {
            let (sent, due) = self.take_out(now, places, outputs, events)?;
            left = left.saturating_sub(sent);
            // See `take_out`: of packets that are sent again nobody knows how many there are.
            if sent == 0 || left == 0 || due > now + AT_ONCE {
                let idle = matches!(
                    self.rtc.last_timeout_reason(),
                    Reason::BweDelayControl | Reason::Pacer(PacerReason::Handle)
                );
                return Ok(if idle { due.max(now + rest) } else { due });
            }
            self.timeout(now)?;
        }
    }

    fn take_out(
        &mut self,
        now: Instant,
        places: &[Place],
        outputs: &mut VecDeque<Output>,
        events: &mut Vec<PeerEvent>,
    ) -> Result<(usize, Instant), PeerError> {
        let mut sent = 0;
        loop {
            match self.rtc.poll_output()? {
                str0m::Output::Timeout(at) => {
                    self.written = 0;
                    return Ok((sent, at));
                }
                str0m::Output::Transmit(transmit) => {
                    sent += 1;
                    let transport = match transmit.proto {
                        Protocol::Udp => Transport::Udp,
                        _ => Transport::Tcp,
                    };
                    let source = local_of(places, transport, transmit.source);
                    outputs.push_back(Output::Transmit(Transmit {
                        transport,
                        source,
                        destination: transmit.destination,
                        bytes: transmit.contents.into(),
                    }));
                    // Where the way is measured, the pacer hands out one packet each time that it is told the time, even of those that
                    // need not wait. Media comes out last, when nothing else is left to be taken out: it can be told at once.
                    self.written = self.written.saturating_sub(1);
                    if self.written > 0 && self.measured {
                        self.timeout(now)?;
                    }
                }
                str0m::Output::Event(event) => {
                    if let Some(event) = self.read(event) {
                        events.push(event);
                    }
                }
            }
        }
    }

    fn read(&mut self, event: str0m::Event) -> Option<PeerEvent> {
        use str0m::Event as E;
        match event {
            E::Connected => Some(PeerEvent::Connected),
            E::Closed => Some(PeerEvent::Closed),
            E::RtpPacket(packet) => self.read_packet(packet),
            E::KeyframeRequest(request) => Some(PeerEvent::Keyframe(request.mid)),
            E::EgressBitrateEstimate(BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. }) => {
                Some(PeerEvent::Estimate(estimate.as_u64()))
            }
            E::ChannelOpen(id, label) => Some(PeerEvent::ChannelOpen(id, label)),
            E::ChannelData(data) => Some(PeerEvent::ChannelData(data.id, data.data)),
            E::ChannelClose(id) => Some(PeerEvent::ChannelClosed(id)),
            E::PeerStats(stats) => Some(PeerEvent::Link {
                round_trip: stats.rtt,
                loss_down: stats.egress_loss_fraction,
                loss_up: stats.ingress_loss_fraction,
            }),
            E::MediaEgressStats(stats) if stats.loss.is_some() => {
                Some(PeerEvent::Link { round_trip: stats.rtt, loss_down: stats.loss, loss_up: None })
            }
            E::MediaIngressStats(stats) if stats.loss.is_some() => {
                Some(PeerEvent::Link { round_trip: stats.rtt, loss_down: None, loss_up: stats.loss })
            }
            _ => None,
        }
    }

    fn read_packet(&mut self, packet: RtpPacket) -> Option<PeerEvent> {
        let header = &packet.header;
        let (mid, layer) = self.stream(*header.ssrc)?;
        let format = self.formats.iter().find(|(pt, _)| *pt == header.payload_type)?.1;
        let captured = packet.last_sender_info.as_ref().and_then(|report| {
            let reported = report.ntp_time.duration_since(UNIX_EPOCH).ok()?;
            let base = u32::try_from(report.rtp_time.numer() & u64::from(u32::MAX)).ok()?;
            // The report may be older or younger than the packet.
            let ticks = header.timestamp.wrapping_sub(base).cast_signed();
            let apart = Duration::from_secs_f64(f64::from(ticks.unsigned_abs()) / f64::from(format.clock()));
            if ticks < 0 { reported.checked_sub(apart) } else { reported.checked_add(apart) }
        });
        let vp8 = match format.spec.codec {
            str0m::format::Codec::Vp8 => Vp8Descriptor::parse(&packet.payload).ok(),
            _ => None,
        };
        let level = header.ext_vals.audio_level.map(|level| level.unsigned_abs().min(127));
        Some(PeerEvent::Packet(
            mid,
            MediaPacket {
                format,
                layer,
                ssrc: *header.ssrc,
                seq: *packet.seq_no,
                time: header.timestamp,
                marker: header.marker,
                key: format.begins(&packet.payload),
                level,
                voice: header.ext_vals.voice_activity.unwrap_or(false),
                vp8,
                orientation: header.ext_vals.video_orientation,
                arrival: packet.timestamp,
                captured,
                wallclock: packet.timestamp,
                payload: packet.payload,
            },
        ))
    }

    fn stream(&mut self, ssrc: u32) -> Option<(Mid, Quality)> {
        if let Some((_, mid, layer)) = self.streams.iter().find(|(known, ..)| *known == ssrc) {
            return Some((*mid, *layer));
        }
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx(&Ssrc::from(ssrc))?;
        let found = (stream.mid(), layer_of(stream.rid()));
        if self.streams.len() >= 64 {
            self.streams.clear();
        }
        self.streams.push((ssrc, found.0, found.1));
        Some(found)
    }

    /// Asks the client for a key frame.
    pub(super) fn request_key(&mut self, mid: Mid, layer: Quality) {
        let Some((ssrc, ..)) = self.streams.iter().find(|(_, at, of)| *at == mid && *of == layer) else {
            return;
        };
        let ssrc = Ssrc::from(*ssrc);
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// The stream on which we send on this m-line.
    pub(super) fn sender(&mut self, mid: Mid) -> Option<Ssrc> {
        Some(self.rtc.direct_api().stream_tx_by_mid(mid, None)?.ssrc())
    }

    /// Gives the stream on which we send on this m-line new SSRCs: if an m-line that rested came back with the same one, libwebrtc
    /// would decode it and let nobody hear it.
    pub(super) fn renew(&mut self, mid: Mid) {
        let mut api = self.rtc.direct_api();
        let Some((old, resent)) = api.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()))
        else {
            return;
        };
        let (ssrc, other) = (api.new_ssrc(), api.new_ssrc());
        // Not `reset_stream_tx`: it leaves the stream under its old SSRC, where nobody finds it by the new one.
        api.remove_stream_tx(old);
        api.declare_stream_tx(ssrc, resent.map(|_| other), mid, None);
    }

    /// The payload type for a format on an m-line, if the client takes it; the second says whether it takes RED.
    pub(super) fn payload_type(&self, mid: Mid, format: Format) -> Option<(Pt, Option<Pt>)> {
        let media = self.rtc.media(mid)?;
        let probe = PayloadParams::new(Pt::new_with_value(0), None, format.spec);
        let params = self.rtc.codec_config().match_params(probe)?;
        media.remote_pts().contains(&params.pt()).then(|| (params.pt(), params.red()))
    }

    /// Whether the client can take this media type on any m-line of its; `None` before its first description.
    pub(super) fn takes(&self, mime: &str) -> Option<bool> {
        if self.formats.is_empty() {
            return None;
        }
        Some(self.formats.iter().any(|(_, format)| format.mime() == mime))
    }

    /// Sends a packet, with the next drain.
    pub(super) fn write(&mut self, ssrc: Ssrc, packet: &MediaPacket, write: Write) {
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx(&ssrc) else {
            return;
        };
        let mut rtp = RtpWrite::new(write.pt, write.seq.into(), write.time, write.wallclock, write.payload)
            .marker(packet.marker)
            .nackable(write.resend)
            .ext_vals(packet.extensions());
        if let Some(patch) = write.patch {
            rtp = rtp.vp8_patch(patch);
        }
        stream.write_rtp(rtp);
        self.written += 1;
    }

    /// Nothing is sent on an m-line until the client's next offer, which gives it a stream anew: one that rests would be padded, and
    /// a listener without pictures would get as much padding as sound.
    pub(super) fn rest(&mut self, mid: Mid) {
        self.rtc.sdp_api().set_direction(mid, Direction::Inactive);
        let mut api = self.rtc.direct_api();
        if let Some(ssrc) = api.stream_tx_by_mid(mid, None).map(|stream| stream.ssrc()) {
            api.remove_stream_tx(ssrc);
        }
    }

    /// Whether packets of a stream are spread to what the way carries, or go out at once.
    pub(super) fn pace(&mut self, ssrc: Ssrc, paced: bool) {
        if let Some(stream) = self.rtc.direct_api().stream_tx(&ssrc) {
            stream.set_unpaced(!paced);
        }
    }

    /// What we would like to send, bits per second; the estimator looks for so much.
    pub(super) fn desire(&mut self, bits: u64) {
        self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(bits));
    }

    /// Bytes that wait on a data channel; `None` if it is not open.
    pub(super) fn waiting(&mut self, channel: ChannelId) -> Option<usize> {
        Some(self.rtc.channel(channel)?.buffered_amount())
    }

    /// Sends a message; false if there is no room for it or no channel.
    pub(super) fn send(&mut self, channel: ChannelId, bytes: &[u8]) -> bool {
        self.rtc
            .channel(channel)
            .is_some_and(|mut channel| channel.write(true, bytes).is_ok_and(|taken| taken))
    }

    /// Says goodbye, with the next drain.
    pub(super) fn close(&mut self) {
        // A connection that never stood has nobody to say it to.
        let _ = self.rtc.close();
    }
}

/// A certificate for all sessions of a shard: making one costs more than a handshake. Without, each session makes its own.
pub(super) fn certificate() -> Option<DtlsCert> {
    str0m::crypto::from_feature_flags().dtls_provider.generate_certificate()
}

fn layer_of(rid: Option<Rid>) -> Quality {
    match rid.as_deref() {
        Some("q") => Quality::Low,
        Some("h") => Quality::Medium,
        _ => Quality::High,
    }
}

fn protocol(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}

fn candidate(place: Place) -> Option<Candidate> {
    let builder = Candidate::builder();
    match place.transport {
        Transport::Udp => builder.udp().host(place.public).build().ok(),
        Transport::Tcp => builder.tcp().host(place.public).tcptype(TcpType::Passive).build().ok(),
    }
}

/// The address on this machine behind an address that clients know.
fn local_of(places: &[Place], transport: Transport, public: SocketAddr) -> SocketAddr {
    places
        .iter()
        .find(|place| place.transport == transport && place.public == public)
        .map_or(public, |place| place.local)
}

/// The address that clients know for an address on this machine.
pub(super) fn public_of(places: &[Place], transport: Transport, local: SocketAddr) -> SocketAddr {
    places
        .iter()
        .find(|place| place.transport == transport && place.local == local)
        .map_or(local, |place| place.public)
}

fn with_credentials(sdp: &str, old: &IceCreds, new: &IceCreds) -> String {
    sdp.replace(&format!("a=ice-ufrag:{}\r\n", old.ufrag), &format!("a=ice-ufrag:{}\r\n", new.ufrag))
        .replace(&format!("a=ice-pwd:{}\r\n", old.pass), &format!("a=ice-pwd:{}\r\n", new.pass))
        .replace(&format!(" ufrag {}", old.ufrag), &format!(" ufrag {}", new.ufrag))
}
