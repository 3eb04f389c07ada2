//! A participant's end of `LiveKit`'s signalling, over `/rtc` (two peer connections) or `/rtc/v1` (one).
//!
//! It does what `livekit-client` does, as far as it shows on the wire; it obeys no dynacast and never reconnects: whoever is disconnected
//! is counted.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime};

use base64::Engine;
use futures::{SinkExt, StreamExt};
use jsonwebtoken::{EncodingKey, Header};
use livekit_protocol as proto;
use prost::Message;
use proto::signal_request::Message as Ask;
use proto::signal_response::Message as Told;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::Failure;
use crate::client::{Joining, Published, Request, Seat};
use crate::leg::Happened;
use crate::recorded::{BITRATES, RIDS, SIZES};
use crate::wire::{LegId, Wire};

/// Where a room is, and the right to enter it.
#[derive(Debug, Clone)]
pub struct Access {
    /// `ws://...`, without a path.
    pub url: String,
    /// The name of the secret.
    pub key: String,
    /// Signs tokens.
    pub secret: String,
    /// The room.
    pub room: String,
}

impl Access {
    /// A token for an hour.
    pub fn token(&self, joining: &Joining) -> Result<String, Failure> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let claims = serde_json::json!({
            "iss": self.key, "sub": joining.identity, "name": joining.name, "nbf": now - 10, "exp": now + 3_600,
            "video": {
                "roomJoin": true, "room": self.room, "hidden": joining.hidden,
                "canSubscribe": true, "canPublish": !joining.published.is_empty(), "canPublishData": !joining.hidden,
            },
        });
        Ok(jsonwebtoken::encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(self.secret.as_bytes()),
        )?)
    }

    fn address(&self, joining: &Joining, offer: Option<String>) -> Result<String, Failure> {
        let token = self.token(joining)?;
        let base = self.url.trim_end_matches('/');
        let Some(offer) = offer else {
            let all = u8::from(joining.all);
            return Ok(format!(
                "{base}/rtc?access_token={token}&auto_subscribe={all}&sdk=rust&version=0.1&protocol=16"
            ));
        };
        let request = proto::JoinRequest {
            client_info: Some(proto::ClientInfo {
                sdk: proto::client_info::Sdk::Rust.into(),
                version: "0.1".to_owned(),
                protocol: 17,
                ..Default::default()
            }),
            connection_settings: Some(proto::ConnectionSettings {
                auto_subscribe: joining.all,
                ..Default::default()
            }),
            add_track_requests: joining.published.iter().map(add_track).collect(),
            publisher_offer: Some(proto::SessionDescription {
                r#type: "offer".to_owned(),
                sdp: offer,
                id: 1,
                ..Default::default()
            }),
            ..Default::default()
        };
        let wrapped = proto::WrappedJoinRequest {
            compression: proto::wrapped_join_request::Compression::None.into(),
            join_request: request.encode_to_vec(),
        };
        let wrapped =
            base64::engine::general_purpose::URL_SAFE.encode(wrapped.encode_to_vec()).replace('=', "%3D");
        Ok(format!("{base}/rtc/v1?access_token={token}&join_request={wrapped}"))
    }
}

fn add_track(published: &Published) -> proto::AddTrackRequest {
    let (kind, source) = if published.video {
        (proto::TrackType::Video, proto::TrackSource::Camera)
    } else {
        (proto::TrackType::Audio, proto::TrackSource::Microphone)
    };
    let several = published.sending.layers.len() > 1;
    let layers: Vec<proto::VideoLayer> = (0i32..)
        .zip(SIZES.iter().zip(BITRATES.iter().zip(RIDS)))
        .filter(|_| published.video)
        .map(|(quality, ((width, height), (bitrate, rid)))| proto::VideoLayer {
            quality: if several { quality } else { proto::VideoQuality::High.into() },
            width: *width,
            height: *height,
            bitrate: *bitrate,
            spatial_layer: quality,
            rid: if several { rid.to_owned() } else { String::new() },
            ..Default::default()
        })
        .collect();
    let layers = if several { layers } else { layers.into_iter().next_back().into_iter().collect() };
    let codecs = published.video.then(|| proto::SimulcastCodec {
        codec: "vp8".to_owned(),
        cid: published.sending.cid.clone(),
        layers: layers.clone(),
        ..Default::default()
    });
    proto::AddTrackRequest {
        cid: published.sending.cid.clone(),
        name: published.name.clone(),
        r#type: kind.into(),
        source: source.into(),
        width: if published.video { 1280 } else { 0 },
        height: if published.video { 720 } else { 0 },
        layers,
        simulcast_codecs: codecs.into_iter().collect(),
        disable_red: true,
        ..Default::default()
    }
}

struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    wire: Wire,
    seat: Seat,
    joining: Joining,
    /// On which the client offers.
    publisher: Option<LegId>,
    /// On which the server offers.
    subscriber: Option<LegId>,
    happened: [Option<UnboundedReceiver<Happened>>; 2],
    /// Candidates that came before their peer connection: for the publisher, for the subscriber.
    early: [Vec<String>; 2],
    /// Tracks of others, by name: participant and track.
    known: HashMap<String, (String, String)>,
    wanted: HashSet<String>,
    shown: HashMap<String, u8>,
    unannounced: usize,
    offers: u32,
    offering: bool,
    offered_channels: bool,
    /// Places to receive that were asked for while an offer was out: sound, pictures.
    places: VecDeque<(u32, u32)>,
    /// Tracks that no offer has named yet.
    unoffered: Vec<Published>,
}

/// Joins, and stays until it is asked to leave.
pub async fn attend(access: Access, wire: Wire, joining: Joining, seat: Seat) -> Result<(), Failure> {
    if !access.url.starts_with("ws://") {
        return Err(
            format!("{}: only ws:// is spoken; put the generator beside the server", access.url).into()
        );
    }
    let mut opened = None;
    let mut offer = None;
    if joining.single {
        let (leg, told) = wire.open().await?;
        seat.has(leg);
        offer = Some(wire.with(leg, |leg, tally| leg.offer(&[], (3, 3), true, tally)).await?);
        opened = Some((leg, told));
    }
    let address = access.address(&joining, offer)?;
    let connecting = tokio_tungstenite::connect_async(address);
    let (socket, _) = tokio::time::timeout(Duration::from_secs(10), connecting).await??;
    let unannounced = joining.published.len();
    let unoffered = joining.published.clone();
    let single = joining.single;
    let (publisher, told) = opened.unzip();
    let mut session = Session {
        socket,
        wire,
        seat,
        joining,
        publisher,
        subscriber: None,
        happened: [told, None],
        early: Default::default(),
        known: HashMap::new(),
        wanted: HashSet::new(),
        shown: HashMap::new(),
        unannounced,
        offers: u32::from(single),
        offering: single,
        offered_channels: single,
        places: VecDeque::new(),
        unoffered,
    };
    let ended = session.run().await;
    for leg in [session.publisher, session.subscriber].into_iter().flatten() {
        session.wire.close(leg).await?;
    }
    ended
}

impl Session {
    async fn run(&mut self) -> Result<(), Failure> {
        let mut beat = tokio::time::interval(Duration::from_secs(5));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let [first, second] = &mut self.happened;
            tokio::select! {
                frame = self.socket.next() => match frame {
                    Some(Ok(tungstenite::Message::Binary(bytes))) => {
                        if let Some(told) = proto::SignalResponse::decode(bytes)?.message {
                            self.told(told).await?;
                        }
                    }
                    Some(Ok(tungstenite::Message::Close(_))) | None => return Err("the server closed the socket".into()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                },
                request = self.seat.requests.recv() => match request {
                    Some(Request::Leave) | None => {
                        self.say(Ask::Leave(proto::LeaveRequest {
                            reason: proto::DisconnectReason::ClientInitiated.into(),
                            ..Default::default()
                        })).await?;
                        let _ = self.socket.close(None).await;
                        return Ok(());
                    }
                    Some(request) => self.requested(request).await?,
                },
                happened = heard(first) => self.leg_happened(happened, true)?,
                happened = heard(second) => self.leg_happened(happened, false)?,
                _ = beat.tick() => {
                    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
                    self.say(Ask::PingReq(proto::Ping { timestamp: i64::try_from(now)?, rtt: 0 })).await?;
                }
            }
        }
    }

    fn leg_happened(&mut self, happened: Happened, publisher: bool) -> Result<(), Failure> {
        match happened {
            Happened::Connected if publisher => self.seat.is_in(),
            Happened::Connected => {}
            Happened::Lost => return Err("the way to the server is lost".into()),
        }
        Ok(())
    }

    async fn say(&mut self, ask: Ask) -> Result<(), Failure> {
        let bytes = proto::SignalRequest { message: Some(ask) }.encode_to_vec();
        Ok(self.socket.send(tungstenite::Message::Binary(bytes.into())).await?)
    }

    async fn told(&mut self, told: Told) -> Result<(), Failure> {
        match told {
            Told::Join(join) => {
                for other in &join.other_participants {
                    self.learn(other);
                }
                if !self.joining.single {
                    for published in self.joining.published.clone() {
                        self.say(Ask::AddTrack(add_track(&published))).await?;
                    }
                    if self.unannounced == 0 {
                        self.seat.is_in();
                    }
                }
                self.subscribe_wanted().await
            }
            Told::TrackPublished(_) => {
                self.unannounced = self.unannounced.saturating_sub(1);
                self.offer_if_due().await
            }
            Told::Answer(answer) => {
                let leg = self.publisher.ok_or("an answer without a peer connection")?;
                self.wire.with(leg, move |leg, tally| leg.answered(&answer.sdp, tally)).await?;
                self.offering = false;
                self.take_early(0, leg).await?;
                self.offer_if_due().await
            }
            Told::Offer(offer) => self.offered(offer).await,
            Told::Trickle(trickle) => self.trickled(&trickle).await,
            Told::Update(update) => {
                for other in &update.participants {
                    self.learn(other);
                }
                self.subscribe_wanted().await
            }
            Told::MediaSectionsRequirement(wanted) => {
                self.places.push_back((wanted.num_audios, wanted.num_videos));
                self.offer_if_due().await
            }
            Told::Leave(leave) => Err(format!("the server said leave: {:?}", leave.reason()).into()),
            _ => Ok(()),
        }
    }

    fn learn(&mut self, other: &proto::ParticipantInfo) {
        if other.state() == proto::participant_info::State::Disconnected {
            self.known.retain(|_, (participant, _)| *participant != other.sid);
            return;
        }
        for track in &other.tracks {
            self.known.insert(track.name.clone(), (other.sid.clone(), track.sid.clone()));
        }
    }

    /// The peer connection to publish (0) or to receive (1), made when it is first needed.
    async fn leg(&mut self, which: usize) -> Result<LegId, Failure> {
        let place = if which == 0 { &mut self.publisher } else { &mut self.subscriber };
        if let Some(leg) = *place {
            return Ok(leg);
        }
        let (leg, told) = self.wire.open().await?;
        *place = Some(leg);
        self.seat.has(leg);
        self.happened[which] = Some(told);
        self.wire.lighten(leg, which == 1 && self.joining.light).await?;
        Ok(leg)
    }

    /// Offers what is new, if no offer is out and all tracks are announced.
    async fn offer_if_due(&mut self) -> Result<(), Failure> {
        let news = !self.places.is_empty() || !self.unoffered.is_empty();
        if self.offering || self.unannounced > 0 || !news {
            return Ok(());
        }
        let leg = self.leg(0).await?;
        let places = self.places.drain(..).fold((0, 0), |all, more| (all.0 + more.0, all.1 + more.1));
        let sending: Vec<_> = self.unoffered.drain(..).map(|published| published.sending).collect();
        let channels = !std::mem::replace(&mut self.offered_channels, true);
        let sdp = self.wire.with(leg, move |leg, tally| leg.offer(&sending, places, channels, tally)).await?;
        self.offering = true;
        self.offers += 1;
        let id = self.offers;
        self.say(Ask::Offer(proto::SessionDescription {
            r#type: "offer".to_owned(),
            sdp,
            id,
            ..Default::default()
        }))
        .await
    }

    async fn offered(&mut self, offer: proto::SessionDescription) -> Result<(), Failure> {
        let leg = self.leg(1).await?;
        let sdp = self.wire.with(leg, move |leg, tally| leg.answer(&offer.sdp, tally)).await?;
        self.take_early(1, leg).await?;
        let answer = proto::SessionDescription {
            r#type: "answer".to_owned(),
            sdp,
            id: offer.id,
            ..Default::default()
        };
        self.say(Ask::Answer(answer)).await
    }

    async fn trickled(&mut self, trickle: &proto::TrickleRequest) -> Result<(), Failure> {
        let init: serde_json::Value = serde_json::from_str(&trickle.candidate_init)?;
        let Some(candidate) =
            init.get("candidate").and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
        else {
            return Ok(());
        };
        let (index, leg) = match trickle.target() {
            proto::SignalTarget::Publisher => (0, self.publisher.filter(|_| !self.offering)),
            proto::SignalTarget::Subscriber => (1, self.subscriber),
        };
        self.early[index].push(candidate.to_owned());
        match leg {
            Some(leg) => self.take_early(index, leg).await,
            None => Ok(()),
        }
    }

    async fn take_early(&mut self, index: usize, leg: LegId) -> Result<(), Failure> {
        for candidate in std::mem::take(&mut self.early[index]) {
            self.wire.with(leg, move |leg, tally| leg.candidate(&candidate, tally)).await?;
        }
        Ok(())
    }

    async fn requested(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Listen(names) => {
                self.wanted.extend(names);
                self.subscribe_wanted().await
            }
            Request::Switch(from, to) => {
                self.subscribe(vec![from], false).await?;
                self.wanted.insert(to);
                self.subscribe_wanted().await
            }
            Request::Show(name, layer) => {
                self.shown.insert(name, layer);
                self.show().await
            }
            Request::Leave => Ok(()),
        }
    }

    async fn subscribe_wanted(&mut self) -> Result<(), Failure> {
        let names: Vec<String> =
            self.wanted.iter().filter(|name| self.known.contains_key(*name)).cloned().collect();
        for name in &names {
            self.wanted.remove(name);
        }
        self.subscribe(names, true).await?;
        self.show().await
    }

    async fn subscribe(&mut self, names: Vec<String>, subscribe: bool) -> Result<(), Failure> {
        let tracks: Vec<_> = names.iter().filter_map(|name| self.known.get(name)).cloned().collect();
        if tracks.is_empty() {
            return Ok(());
        }
        let participant_tracks = tracks.iter().map(|(participant, track)| proto::ParticipantTracks {
            participant_sid: participant.clone(),
            track_sids: vec![track.clone()],
        });
        self.say(Ask::Subscription(proto::UpdateSubscription {
            track_sids: tracks.iter().map(|(_, track)| track.clone()).collect(),
            subscribe,
            participant_tracks: participant_tracks.collect(),
        }))
        .await
    }

    /// Says which layers are wanted, of the tracks that are there.
    async fn show(&mut self) -> Result<(), Failure> {
        let there: Vec<_> =
            self.shown.keys().filter(|name| self.known.contains_key(*name)).cloned().collect();
        for name in there {
            let (Some(layer), Some((_, track))) = (self.shown.remove(&name), self.known.get(&name)) else {
                continue;
            };
            let (width, height) = SIZES.get(usize::from(layer)).copied().unwrap_or_default();
            let setting = proto::UpdateTrackSettings {
                track_sids: vec![track.clone()],
                quality: layer.into(),
                width,
                height,
                ..Default::default()
            };
            self.say(Ask::TrackSetting(setting)).await?;
        }
        Ok(())
    }
}

/// What happened on a peer connection; never, if there is none.
async fn heard(told: &mut Option<UnboundedReceiver<Happened>>) -> Happened {
    match told {
        Some(receiver) => match receiver.recv().await {
            Some(happened) => happened,
            None => Happened::Lost,
        },
        None => std::future::pending().await,
    }
}
