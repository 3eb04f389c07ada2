//! A stage for rooms: it plays the service and the shards, keeps what each client and shard was told, and checks at every output
//! what must always hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    AddTrackRequest, ParticipantInfo, SessionDescription, SignalRequest, SignalResponse, TrackInfo,
    TrackSource, TrackType, VideoLayer, VideoQuality, WebhookEvent,
};
use meet::contract::{Event, Now, Order, Peers, SessionId, ShardId, Target, TrackKey};
use meet::grants::{Grants, VideoGrant};
use meet::room::{
    Call, CallAnswer, CallError, CallId, Closing, ConnectionId, Join, Output, Rooms, RoomsConfig,
};
use prost::Message as _;

/// 2026-11-22T12:00:00Z.
pub const START: u64 = 1_795_348_800;

/// A client on the stage.
#[derive(Clone, Debug)]
pub struct Client {
    pub connection: ConnectionId,
    pub session: SessionId,
    pub sid: String,
    pub identity: String,
    pub peers: Peers,
}

pub struct Stage {
    pub rooms: Rooms,
    pub now: Now,
    pub webhooks: Vec<WebhookEvent>,
    pub refreshed: Vec<(ConnectionId, Grants)>,
    replies: HashMap<CallId, Result<CallAnswer, CallError>>,
    inbox: BTreeMap<ConnectionId, Vec<Message>>,
    orders: BTreeMap<SessionId, Vec<Order>>,
    pub closed: BTreeMap<ConnectionId, Closing>,
    counter: u64,
    offers: u32,
    // What must hold.
    greeted: BTreeSet<ConnectionId>,
    pub open: BTreeMap<SessionId, ShardId>,
    gone: BTreeSet<SessionId>,
    pub tracks: BTreeMap<TrackKey, SessionId>,
    pub forwarded: BTreeSet<(SessionId, TrackKey)>,
    versions: HashMap<(ConnectionId, String), u32>,
}

/// A token for the room `hall`, made a minute before the start.
pub fn token(identity: &str) -> Grants {
    Grants {
        key: "key".to_owned(),
        identity: identity.to_owned(),
        name: identity.to_uppercase(),
        issued_at: Some(START - 60),
        expires_at: Some(START + 3_600),
        video: Some(VideoGrant { room_join: true, room: "hall".to_owned(), ..VideoGrant::default() }),
        ..Grants::default()
    }
}

/// A token with something else in its grant.
pub fn token_with(identity: &str, change: impl FnOnce(&mut VideoGrant)) -> Grants {
    let mut grants = token(identity);
    change(grants.video.as_mut().unwrap());
    grants
}

/// Somebody who only listens, and is seen by nobody.
pub fn listener(identity: &str) -> Grants {
    token_with(identity, |video| {
        video.hidden = true;
        video.can_publish = Some(false);
        video.can_publish_data = Some(false);
    })
}

/// A token that moderates `hall`, makes rooms and lists them.
pub fn moderator() -> Grants {
    Grants {
        video: Some(VideoGrant {
            room_admin: true,
            room_create: true,
            room_list: true,
            room: "hall".to_owned(),
            ..VideoGrant::default()
        }),
        ..Grants::default()
    }
}

pub fn microphone(cid: &str) -> AddTrackRequest {
    AddTrackRequest {
        cid: cid.to_owned(),
        r#type: TrackType::Audio as i32,
        source: TrackSource::Microphone as i32,
        ..AddTrackRequest::default()
    }
}

pub fn camera(cid: &str) -> AddTrackRequest {
    let layer = |quality: VideoQuality, width, height| VideoLayer {
        quality: quality as i32,
        width,
        height,
        bitrate: width * 1_000,
        ..VideoLayer::default()
    };
    AddTrackRequest {
        cid: cid.to_owned(),
        r#type: TrackType::Video as i32,
        source: TrackSource::Camera as i32,
        width: 1_280,
        height: 720,
        layers: vec![
            layer(VideoQuality::Low, 320, 180),
            layer(VideoQuality::Medium, 640, 360),
            layer(VideoQuality::High, 1_280, 720),
        ],
        simulcast_codecs: vec![livekit_protocol::SimulcastCodec {
            codec: "vp8".to_owned(),
            cid: cid.to_owned(),
            ..livekit_protocol::SimulcastCodec::default()
        }],
        ..AddTrackRequest::default()
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(RoomsConfig::default())
    }

    pub fn with(config: RoomsConfig) -> Self {
        Stage {
            rooms: Rooms::new(config, 2, [7; 32]),
            now: Now { instant: Instant::now(), unix_ms: START * 1_000 },
            webhooks: Vec::new(),
            refreshed: Vec::new(),
            replies: HashMap::new(),
            inbox: BTreeMap::new(),
            orders: BTreeMap::new(),
            closed: BTreeMap::new(),
            counter: 0,
            offers: 0,
            greeted: BTreeSet::new(),
            open: BTreeMap::new(),
            gone: BTreeSet::new(),
            tracks: BTreeMap::new(),
            forwarded: BTreeSet::new(),
            versions: HashMap::new(),
        }
    }

    /// Somebody with an ordinary token, whose media stands.
    pub fn enter(&mut self, identity: &str) -> Client {
        self.enter_as(Join::new(token(identity)))
    }

    pub fn enter_as(&mut self, join: Join) -> Client {
        let client = self.knock(join);
        self.connect(&client);
        client
    }

    /// Somebody whose media does not stand yet.
    pub fn knock(&mut self, join: Join) -> Client {
        let (identity, peers) = (join.grants.identity.clone(), join.peers);
        let connection = self.try_join(join);
        let Some(Message::Join(response)) = self.inbox[&connection].first() else {
            panic!("{identity} was not let in: {:?}", self.inbox[&connection])
        };
        let sid = response.participant.as_ref().unwrap().sid.clone();
        let session = *self.open.keys().last().unwrap();
        Client { connection, session, sid, identity, peers }
    }

    /// A client on a new socket, let in or not.
    pub fn try_join(&mut self, join: Join) -> ConnectionId {
        self.counter += 1;
        let connection = ConnectionId(self.counter);
        self.inbox.insert(connection, Vec::new());
        self.rooms.join(self.now, connection, join);
        self.drain();
        connection
    }

    pub fn connect(&mut self, client: &Client) {
        for target in [Target::Publisher, Target::Subscriber] {
            self.report(Event::Connected { session: client.session, target });
        }
    }

    pub fn say(&mut self, client: &Client, said: Said) {
        self.rooms.request(self.now, client.connection, SignalRequest { message: Some(said) });
        self.drain();
    }

    pub fn report(&mut self, event: Event) {
        if let Event::Ended { session, .. } = event {
            self.open.remove(&session);
            self.gone.insert(session);
            self.forwarded.retain(|(subscriber, _)| *subscriber != session);
            self.tracks.retain(|_, publisher| *publisher != session);
        }
        self.rooms.media(self.now, event);
        self.drain();
    }

    pub fn lose(&mut self, client: &Client) {
        self.closed.insert(client.connection, Closing::Left);
        self.rooms.disconnected(self.now, client.connection);
        self.drain();
    }

    pub fn pass(&mut self, time: Duration) {
        let until = self.now.instant + time;
        while let Some(at) = self.rooms.deadline().filter(|at| *at <= until) {
            self.advance_to(at);
            self.rooms.tick(self.now);
            self.drain();
        }
        self.advance_to(until);
        self.drain();
    }

    fn advance_to(&mut self, at: Instant) {
        let passed = at.saturating_duration_since(self.now.instant);
        self.now.instant += passed;
        self.now.unix_ms += u64::try_from(passed.as_millis()).unwrap();
    }

    /// A call that is answered at once.
    pub fn call(&mut self, grants: &Grants, method: Call) -> Result<CallAnswer, CallError> {
        let id = self.begin_call(grants, method);
        self.answer(id).expect("no answer")
    }

    pub fn begin_call(&mut self, grants: &Grants, method: Call) -> CallId {
        self.counter += 1;
        let id = CallId(self.counter);
        self.rooms.call(self.now, id, grants, method);
        self.drain();
        id
    }

    pub fn answer(&mut self, id: CallId) -> Option<Result<CallAnswer, CallError>> {
        self.replies.remove(&id)
    }

    /// Publishes a track the whole way: request, answer, offer, answer. What others are told of it.
    pub fn publish(&mut self, client: &Client, request: AddTrackRequest) -> TrackInfo {
        let cid = request.cid.clone();
        self.say(client, Said::AddTrack(request));
        let info = self.published(client, &cid).expect("TrackPublished");
        self.negotiate(client, &[(&cid, info.r#type == TrackType::Audio as i32)]);
        info
    }

    pub fn published(&mut self, client: &Client, cid: &str) -> Option<TrackInfo> {
        self.inbox[&client.connection].iter().rev().find_map(|message| match message {
            Message::TrackPublished(published) if published.cid == cid => published.track.clone(),
            _ => None,
        })
    }

    /// The client offers to send these tracks (client's id, whether it is sound), each on the m-line of its place, and is answered.
    pub fn negotiate(&mut self, client: &Client, tracks: &[(&str, bool)]) {
        let sections = tracks.iter().enumerate().map(|(mid, (cid, audio))| {
            let kind = if *audio { "audio" } else { "video" };
            let sends = if cid.is_empty() {
                "a=inactive\r\n".to_owned()
            } else {
                format!("a=sendonly\r\na=msid:- {cid}\r\n")
            };
            format!("m={kind} 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\n{sends}")
        });
        let sdp = format!("v=0\r\n{}", sections.collect::<String>());
        self.offers += 1;
        let id = self.offers;
        let offer =
            SessionDescription { r#type: "offer".to_owned(), sdp, id, ..SessionDescription::default() };
        self.say(client, Said::Offer(offer));
        self.report(Event::Answer { session: client.session, id, sdp: "v=0".to_owned(), mids: Vec::new() });
    }

    /// Everything that this client was told since it was last asked.
    pub fn heard(&mut self, client: &Client) -> Vec<Message> {
        self.heard_on(client.connection)
    }

    pub fn heard_on(&mut self, connection: ConnectionId) -> Vec<Message> {
        self.inbox.get_mut(&connection).map(std::mem::take).unwrap_or_default()
    }

    /// The newest that this client was told of a participant since it was last asked.
    pub fn update_about(&mut self, client: &Client, identity: &str) -> Option<ParticipantInfo> {
        let updates = self.heard(client).into_iter().filter_map(|message| match message {
            Message::Update(update) => Some(update.participants),
            _ => None,
        });
        updates.flatten().rfind(|info| info.identity == identity)
    }

    /// What the shard was told about this client's session since it was last asked.
    pub fn ordered(&mut self, client: &Client) -> Vec<Order> {
        self.orders.get_mut(&client.session).map(std::mem::take).unwrap_or_default()
    }

    /// The sids of all tracks that clients were told of, in an order that depends on nothing but them.
    pub fn sids(&self) -> impl Iterator<Item = String> {
        let published = self.inbox.values().flatten().filter_map(|message| match message {
            Message::TrackPublished(published) => published.track.as_ref().map(|track| track.sid.clone()),
            _ => None,
        });
        published.collect::<BTreeSet<String>>().into_iter()
    }

    /// The key under which shards know a track.
    pub fn key_of(&self, client: &Client) -> TrackKey {
        let mut published = self.tracks.iter().filter(|(_, publisher)| **publisher == client.session);
        *published.next_back().expect("a track").0
    }

    pub fn forget(&mut self) {
        self.inbox.values_mut().for_each(Vec::clear);
        self.orders.clear();
        self.webhooks.clear();
        self.refreshed.clear();
    }

    pub fn events(&self) -> Vec<&str> {
        self.webhooks.iter().map(|webhook| webhook.event.as_str()).collect()
    }

    fn drain(&mut self) {
        while let Some(output) = self.rooms.poll() {
            match output {
                Output::Send { connection, frame } => {
                    assert!(!self.closed.contains_key(&connection), "a frame for a closed connection");
                    let message = SignalResponse::decode(frame).unwrap().message.unwrap();
                    self.check_frame(connection, &message);
                    self.inbox.entry(connection).or_default().push(message);
                }
                Output::Close { connection, reason } => {
                    assert!(self.closed.insert(connection, reason).is_none(), "closed twice");
                }
                Output::Media { shard, order } => self.obey(shard, order),
                Output::Refresh { connection, grants } => {
                    assert!(!self.closed.contains_key(&connection), "a token for a closed connection");
                    self.refreshed.push((connection, *grants));
                }
                Output::Webhook(webhook) => self.webhooks.push(*webhook),
                Output::Reply { call, answer } => {
                    assert!(self.replies.insert(call, *answer).is_none(), "answered twice");
                }
            }
        }
    }

    fn check_frame(&mut self, connection: ConnectionId, message: &Message) {
        if self.greeted.insert(connection) {
            let greeting = matches!(message, Message::Join(_) | Message::Reconnect(_) | Message::Leave(_));
            assert!(greeting, "the first frame is {message:?}");
        }
        if let Message::Update(update) = message {
            assert!(!update.participants.is_empty(), "an update about nobody");
            for info in &update.participants {
                let seen = self.versions.entry((connection, info.sid.clone())).or_default();
                assert!(info.version >= *seen, "a participant grew younger");
                *seen = info.version;
            }
        }
    }

    /// Plays the shards' part, and checks that every order makes sense to them.
    fn obey(&mut self, shard: ShardId, order: Order) {
        let session = match &order {
            Order::Open { session, .. } => {
                assert!(
                    !self.gone.contains(session) && !self.open.contains_key(session),
                    "a session was used again"
                );
                self.open.insert(*session, shard);
                *session
            }
            Order::Offer { session, .. }
            | Order::Answer { session, .. }
            | Order::Candidate { session, .. }
            | Order::Restart { session }
            | Order::Data { session, .. } => *session,
            Order::Publish(publish) => {
                assert!(
                    self.tracks.insert(publish.track, publish.session).is_none(),
                    "a track was used again"
                );
                publish.session
            }
            Order::Unpublish { track } => {
                assert!(
                    !self.forwarded.iter().any(|(_, forwarded)| forwarded == track),
                    "a track ended while it was forwarded"
                );
                self.tracks.remove(track).expect("a track that nobody published")
            }
            Order::Mute { track, .. } => self.tracks[track],
            Order::Subscribe(subscribe) => {
                let publisher = self.tracks[&subscribe.track];
                assert_eq!(
                    subscribe.home, self.open[&publisher],
                    "the wrong shard is named as a track's home"
                );
                assert_ne!(publisher, subscribe.session, "somebody receives itself");
                assert!(!subscribe.mime.is_empty(), "nobody knows the codec");
                assert!(self.forwarded.insert((subscribe.session, subscribe.track)), "subscribed twice");
                subscribe.session
            }
            Order::Unsubscribe { session, track } => {
                assert!(self.forwarded.remove(&(*session, *track)), "unsubscribed what was not subscribed");
                *session
            }
            Order::Wish { session, track, .. } => {
                assert!(self.forwarded.contains(&(*session, *track)), "a wish about what is not forwarded");
                *session
            }
            Order::Close { session } => {
                self.forwarded.retain(|(subscriber, _)| subscriber != session);
                let shard = self.open.remove(session);
                self.gone.insert(*session);
                assert!(shard.is_some(), "a session was closed twice");
                self.orders.entry(*session).or_default().push(order);
                return;
            }
        };
        assert_eq!(
            self.open.get(&session),
            Some(&shard),
            "an order about a session that is not open there: {order:?}"
        );
        self.orders.entry(session).or_default().push(order);
    }
}
