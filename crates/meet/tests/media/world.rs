//! Shards, clients and the network between them, on a clock of their own; and a room that orders what rooms order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use meet::contract::{
    Channel, Event, Kind, Layer, Order, Peers, Publish, Quality, RoomKey, SessionId, ShardId, Subscribe,
    TrackKey, Wish,
};
use meet::media::{MediaConfig, Output, Place, Received, Shard, Transport};
use str0m::media::MediaKind;

use super::client::Client;
use super::network::{Flight, Link, Network};

pub const ROOM: RoomKey = RoomKey(1);

/// Everything wanted.
pub const ALL: Wish = Wish {
    enabled: true,
    quality: Quality::High,
    width: 0,
    height: 0,
    fps: 0,
    priority: 0,
    protected: false,
};

pub struct World {
    pub now: Instant,
    pub shards: Vec<Shard>,
    pub clients: Vec<Client>,
    pub network: Network,
    /// To and from each client.
    pub down: Vec<Link>,
    pub up: Vec<Link>,
    pub events: Vec<(Instant, Event)>,
    /// Which shard each client's session lives on.
    homes: Vec<usize>,
    tracks: HashMap<TrackKey, (usize, Kind)>,
    pub server: SocketAddr,
    /// Clients whose packets go nowhere.
    pub cut: Vec<bool>,
    /// Packets from clients land on this shard, if on one.
    pub landing: Option<usize>,
    stuck: usize,
    /// Packets to each client.
    pub sent: Vec<usize>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, 1, |config| config)
    }

    pub fn with(seed: u64, shards: u8, config: impl Fn(MediaConfig) -> MediaConfig) -> Self {
        println!("seed {seed}");
        let now = Instant::now();
        let server: SocketAddr = "10.1.0.1:7882".parse().unwrap();
        let udp = Place { transport: Transport::Udp, local: server, public: server };
        let tcp = Place { transport: Transport::Tcp, ..udp };
        let config = config(MediaConfig { shards, ..MediaConfig::at(vec![udp, tcp]) });
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            now,
            shards: (0..shards).map(|id| Shard::new(config.clone(), ShardId(id), bytes)).collect(),
            clients: Vec::new(),
            network: Network::new(seed),
            down: Vec::new(),
            up: Vec::new(),
            events: Vec::new(),
            homes: Vec::new(),
            tracks: HashMap::new(),
            server: config.places[0].public,
            cut: Vec::new(),
            landing: None,
            stuck: 0,
            sent: Vec::new(),
        }
    }

    pub fn order(&mut self, client: usize, order: Order) {
        self.shards[self.homes[client]].order(self.now, order);
    }

    pub fn join(&mut self, peers: Peers) -> usize {
        self.join_as(peers, Transport::Udp, &["vp8", "h264", "red"], false)
    }

    pub fn join_as(&mut self, peers: Peers, transport: Transport, codecs: &[&str], silent: bool) -> usize {
        let at = self.clients.len();
        let home = at % self.shards.len();
        let mut client = Client::new(at as u64, peers, self.now, transport, codecs);
        let offer = (peers == Peers::Single).then(|| client.first_offer());
        let session = client.id;
        self.clients.push(client);
        self.homes.push(home);
        self.down.push(Link::GOOD);
        self.up.push(Link::GOOD);
        self.cut.push(false);
        self.sent.push(0);
        self.order(at, Order::Open { session, peers, may_pause: true, silent });
        if let Some((id, sdp)) = offer {
            self.order(at, Order::Offer { session, id, sdp });
        } else {
            let (id, sdp) = self.clients[at].first_offer();
            self.order(at, Order::Offer { session, id, sdp });
        }
        at
    }

    /// Publishes and announces in the order in which clients do.
    pub fn publish(&mut self, client: usize, key: u64, kind: Kind, simulcast: bool) -> TrackKey {
        self.publish_on(client, key, kind, simulcast, None)
    }

    /// The same on an m-line of its own, or on the one that carries a track to the client.
    pub fn publish_on(
        &mut self,
        client: usize,
        key: u64,
        kind: Kind,
        simulcast: bool,
        back: Option<&str>,
    ) -> TrackKey {
        let track = TrackKey(key);
        let cid = format!("cid-{key}");
        let session = self.clients[client].id;
        let layers = if simulcast { declared(kind) } else { Vec::new() };
        self.tracks.insert(track, (client, kind));
        self.order(
            client,
            Order::Publish(Publish {
                session,
                room: ROOM,
                track,
                cid: cid.clone(),
                kind,
                mime: String::new(),
                layers,
                stereo: false,
                no_dtx: false,
                no_red: false,
                exempt: false,
                muted: false,
            }),
        );
        self.run_until("an earlier offer is answered", |world| world.clients[client].pending.is_none());
        let media = if kind == Kind::Audio { MediaKind::Audio } else { MediaKind::Video };
        let now = self.now;
        let known = &mut self.clients[client];
        let (id, sdp) = match back.map(|sid| known.line(sid).unwrap()) {
            None => known.publish(&cid, media, simulcast, now),
            Some(mid) => known.publish_back(mid, media, now),
        };
        self.order(client, Order::Offer { session, id, sdp });
        self.settle();
        track
    }

    pub fn subscribe(&mut self, client: usize, track: TrackKey) {
        self.subscribe_with(client, track, ALL);
    }

    pub fn subscribe_with(&mut self, client: usize, track: TrackKey, wish: Wish) {
        let (publisher, kind) = self.tracks[&track];
        let home = ShardId(u8::try_from(self.homes[publisher]).unwrap());
        let session = self.clients[client].id;
        let layers = declared(kind);
        self.order(
            client,
            Order::Subscribe(Subscribe {
                session,
                track,
                home,
                kind,
                mime: String::new(),
                layers,
                stream: format!("PA_{publisher}|TR_{}", track.0),
                sid: format!("TR_{}", track.0),
                wish,
            }),
        );
        self.settle();
    }

    pub fn unsubscribe(&mut self, client: usize, track: TrackKey) {
        let session = self.clients[client].id;
        self.order(client, Order::Unsubscribe { session, track });
        self.settle();
    }

    pub fn data(&mut self, client: usize, channel: Channel, bytes: &'static [u8]) {
        let session = self.clients[client].id;
        self.order(client, Order::Data { session, channel, bytes: bytes.into() });
    }

    /// Ticks all shards and carries out what they want, until nothing is left to do at this moment.
    pub fn settle(&mut self) {
        for _ in 0..64 {
            let mut outputs = Vec::new();
            for shard in &mut self.shards {
                shard.tick(self.now);
                while let Some(output) = shard.poll() {
                    outputs.push(output);
                }
            }
            if outputs.is_empty() && !self.negotiate() {
                return;
            }
            for output in outputs {
                self.carry_out(output);
            }
        }
        panic!("the shards never come to rest");
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transmit(transmit) => {
                let Some(at) = self.clients.iter().position(|client| {
                    client.address == transmit.destination
                        || client.subscriber_address == transmit.destination
                }) else {
                    return;
                };
                if self.cut[at] {
                    return;
                }
                self.sent[at] += 1;
                let flight = Flight {
                    transport: transmit.transport,
                    source: transmit.source,
                    destination: transmit.destination,
                    bytes: transmit.bytes,
                };
                self.network.send(self.now, &mut self.down[at], flight);
            }
            Output::Forward { to, packet } => self.shards[usize::from(to.0)].forwarded(self.now, packet),
            Output::Event(event) => {
                match &event {
                    Event::Answer { session, id, sdp, mids } => {
                        let client = of(*session);
                        self.clients[client].answered(*id, sdp, mids.clone());
                        self.clients[client].due = self.now;
                    }
                    Event::Offer { session, id, sdp, mids } => {
                        let client = of(*session);
                        let sdp = self.clients[client].answer(sdp, mids.clone());
                        self.clients[client].due = self.now;
                        self.order(client, Order::Answer { session: *session, id: *id, sdp });
                    }
                    Event::Sections { session, audios, videos } => {
                        let client = of(*session);
                        self.clients[client].want(*audios, *videos);
                    }
                    _ => {}
                }
                self.events.push((self.now, event));
            }
        }
    }

    fn negotiate(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.clients.len() {
            if let Some((id, sdp)) = self.clients[at].offer() {
                let session = self.clients[at].id;
                self.order(at, Order::Offer { session, id, sdp });
                any = true;
            }
        }
        any
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until something is so; at most 30 s.
    pub fn run_until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let end = self.now + Duration::from_secs(30);
        while !so(self) {
            assert!(self.step(end), "never: {what}");
        }
    }

    fn step(&mut self, end: Instant) -> bool {
        let shards = self.shards.iter().filter_map(Shard::deadline);
        let clients = self.clients.iter().map(|client| client.due);
        let next = shards.chain(clients).chain(self.network.next()).min().unwrap_or(end);
        if next > end {
            return false;
        }
        self.stuck = if next <= self.now { self.stuck + 1 } else { 0 };
        assert!(self.stuck < 10_000, "time stands still");
        self.now = self.now.max(next);
        while let Some(flight) = self.network.arrived(self.now) {
            if flight.destination == self.server {
                self.land(&flight);
            } else if let Some(at) = self.at(flight.destination) {
                self.clients[at].receive(self.now, &flight);
                self.drain(at);
            }
        }
        for at in 0..self.clients.len() {
            if self.clients[at].due <= self.now {
                self.drain(at);
            }
        }
        self.settle();
        true
    }

    fn at(&self, address: SocketAddr) -> Option<usize> {
        self.clients
            .iter()
            .position(|client| client.address == address || client.subscriber_address == address)
    }

    fn drain(&mut self, at: usize) {
        for flight in self.clients[at].poll(self.now) {
            if !self.cut[at] {
                self.network.send(self.now, &mut self.up[at], flight);
            }
        }
    }

    /// What came to the engine's address, from wherever it says.
    pub fn land(&mut self, flight: &Flight) {
        // Kernels spread flows by address, not by what is in them.
        let spread = usize::from(flight.source.port()) + usize::from(flight.source.is_ipv4());
        let shard = self.landing.unwrap_or(spread % self.shards.len());
        let Flight { transport, source, destination, bytes } = flight;
        self.shards[shard].receive(
            self.now,
            Received { transport: *transport, source: *source, destination: *destination, bytes },
        );
    }

    /// A participant's wish for one track.
    pub fn wish(&mut self, client: usize, track: TrackKey, wish: Wish) {
        let session = self.clients[client].id;
        self.order(client, Order::Wish { session, track, wish });
        self.settle();
    }

    pub fn mute(&mut self, client: usize, track: TrackKey, muted: bool) {
        self.order(client, Order::Mute { track, muted });
        self.settle();
    }

    pub fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| of(event)).count()
    }
}

/// The layers that a publisher of this kind says it has.
fn declared(kind: Kind) -> Vec<Layer> {
    if kind == Kind::Audio {
        return Vec::new();
    }
    [
        (Quality::Low, 320, 180, 150_000),
        (Quality::Medium, 640, 360, 500_000),
        (Quality::High, 1280, 720, 1_500_000),
    ]
    .map(|(quality, width, height, bitrate)| Layer { quality, width, height, bitrate })
    .to_vec()
}

fn of(session: SessionId) -> usize {
    usize::try_from(session.0).unwrap()
}
