//! A participant's end of Janus' `VideoRoom` (<https://janus.conf.meetecho.com/docs/videoroom.html>), over its WebSocket.
//!
//! It does what the demonstration that comes with Janus does: one handle that joins as a publisher, and so hears who publishes; a second
//! one that subscribes to all wanted streams in one peer connection. A change of channel is Janus' own `switch`, which needs
//! no negotiation.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::Failure;
use crate::client::{Joining, Request, Seat};
use crate::leg::Happened;
use crate::wire::{LegId, Wire};

/// Where a room is.
#[derive(Debug, Clone)]
pub struct Access {
    /// `ws://...`
    pub url: String,
    /// The room's number.
    pub room: u64,
}

impl Access {
    /// Makes the room.
    pub async fn create(&self) -> Result<(), Failure> {
        let mut link = Link::open(&self.url).await?;
        let handle = link.attach().await?;
        let body = json!({
            "request": "create", "room": self.room, "publishers": 1_000, "bitrate": 0, "audiocodec": "opus", "videocodec": "vp8",
            "permanent": false, "notify_joining": false,
        });
        link.send(json!({ "janus": "message", "handle_id": handle, "body": body })).await?;
        let answer = link.answer(|message| message.get("plugindata").is_some()).await?;
        match answer.pointer("/plugindata/data/videoroom").and_then(Value::as_str) {
            Some("created") => Ok(()),
            _ => Err(format!("Janus makes no room: {answer}").into()),
        }
    }
}

/// A WebSocket with a session in it.
struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    transaction: u64,
}

impl Link {
    async fn open(url: &str) -> Result<Self, Failure> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("janus-protocol"));
        let connecting = tokio_tungstenite::connect_async(request);
        let (socket, _) = tokio::time::timeout(Duration::from_secs(10), connecting).await??;
        let mut link = Self { socket, session: 0, transaction: 0 };
        link.send(json!({ "janus": "create" })).await?;
        link.session = link.number("/data/id").await?;
        Ok(link)
    }

    async fn attach(&mut self) -> Result<u64, Failure> {
        self.send(json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" })).await?;
        self.number("/data/id").await
    }

    async fn number(&mut self, pointer: &str) -> Result<u64, Failure> {
        let answer =
            self.answer(|message| message.get("janus").is_some_and(|kind| kind == "success")).await?;
        Ok(answer.pointer(pointer).and_then(Value::as_u64).ok_or_else(|| format!("Janus said {answer}"))?)
    }

    async fn send(&mut self, mut message: Value) -> Result<(), Failure> {
        self.transaction += 1;
        if let Some(fields) = message.as_object_mut() {
            fields.insert("transaction".to_owned(), self.transaction.to_string().into());
            if self.session != 0 {
                fields.insert("session_id".to_owned(), self.session.into());
            }
        }
        Ok(self.socket.send(tungstenite::Message::text(message.to_string())).await?)
    }

    async fn next(&mut self) -> Result<Value, Failure> {
        loop {
            match self.socket.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                Some(Ok(tungstenite::Message::Close(_))) | None => {
                    return Err("Janus closed the socket".into());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    async fn answer(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        loop {
            let message = self.next().await?;
            if message.get("janus").is_some_and(|kind| kind == "error") {
                return Err(format!("Janus said {message}").into());
            }
            if fits(&message) {
                return Ok(message);
            }
        }
    }
}

/// A stream of somebody: the feed's number, and its m-line there.
type Stream = (u64, String);

struct Session {
    link: Link,
    wire: Wire,
    seat: Seat,
    joining: Joining,
    room: u64,
    publishing: u64,
    subscribing: u64,
    /// Our number among the feeds, and a number that a subscription must show.
    private_id: u64,
    publisher: Option<LegId>,
    subscriber: Option<LegId>,
    happened: [Option<UnboundedReceiver<Happened>>; 2],
    known: HashMap<String, Stream>,
    wanted: VecDeque<String>,
    /// What the subscriber's m-lines carry.
    carried: HashMap<Stream, String>,
    shown: HashMap<String, u8>,
    negotiating: bool,
}

/// Joins, and stays until it is asked to leave.
pub async fn attend(access: Access, wire: Wire, joining: Joining, seat: Seat) -> Result<(), Failure> {
    let mut link = Link::open(&access.url).await?;
    let publishing = link.attach().await?;
    let subscribing = link.attach().await?;
    let mut session = Session {
        link,
        wire,
        seat,
        joining,
        room: access.room,
        publishing,
        subscribing,
        private_id: 0,
        publisher: None,
        subscriber: None,
        happened: [None, None],
        known: HashMap::new(),
        wanted: VecDeque::new(),
        carried: HashMap::new(),
        shown: HashMap::new(),
        negotiating: false,
    };
    let ended = session.run().await;
    for leg in [session.publisher, session.subscriber].into_iter().flatten() {
        session.wire.close(leg).await?;
    }
    ended
}

impl Session {
    async fn run(&mut self) -> Result<(), Failure> {
        self.join().await?;
        let mut beat = tokio::time::interval(Duration::from_secs(20));
        loop {
            let [first, second] = &mut self.happened;
            tokio::select! {
                message = self.link.next() => self.told(&message?).await?,
                request = self.seat.requests.recv() => match request {
                    Some(Request::Leave) | None => {
                        self.link.send(json!({ "janus": "destroy" })).await?;
                        let _ = self.link.socket.close(None).await;
                        return Ok(());
                    }
                    Some(request) => self.requested(request).await?,
                },
                happened = heard(first) => match happened {
                    Happened::Connected => self.seat.is_in(),
                    Happened::Lost => return Err("the way to the server is lost".into()),
                },
                happened = heard(second) => if happened == Happened::Lost {
                    return Err("the way to the server is lost".into());
                },
                _ = beat.tick() => self.link.send(json!({ "janus": "keepalive" })).await?,
            }
        }
    }

    async fn join(&mut self) -> Result<(), Failure> {
        let mut body = json!({ "request": "join", "room": self.room, "ptype": "publisher", "display": self.joining.identity });
        let sending: Vec<_> =
            self.joining.published.iter().map(|published| published.sending.clone()).collect();
        if sending.is_empty() {
            return self
                .link
                .send(json!({ "janus": "message", "handle_id": self.publishing, "body": body }))
                .await;
        }
        body["request"] = "joinandconfigure".into();
        let (leg, told) = self.wire.open().await?;
        self.seat.has(leg);
        self.publisher = Some(leg);
        self.happened[0] = Some(told);
        let sdp = self
            .wire
            .with(leg, move |leg, tally| {
                let sending: Vec<_> = sending
                    .into_iter()
                    .map(|mut sending| {
                        sending.largest_first = true;
                        sending
                    })
                    .collect();
                leg.offer(&sending, (0, 0), false, tally)
            })
            .await?;
        let jsep = json!({ "type": "offer", "sdp": sdp });
        self.link
            .send(json!({ "janus": "message", "handle_id": self.publishing, "body": body, "jsep": jsep }))
            .await?;
        self.complete(self.publishing).await
    }

    /// All our candidates are in the description.
    async fn complete(&mut self, handle: u64) -> Result<(), Failure> {
        self.link
            .send(json!({ "janus": "trickle", "handle_id": handle, "candidate": { "completed": true } }))
            .await
    }

    async fn told(&mut self, message: &Value) -> Result<(), Failure> {
        match message.get("janus").and_then(Value::as_str) {
            Some("event") => {}
            Some("error" | "timeout") => return Err(format!("Janus said {message}").into()),
            Some("hangup") => return Err(format!("Janus hung up: {message}").into()),
            _ => return Ok(()),
        }
        let data = message.pointer("/plugindata/data").unwrap_or(&Value::Null);
        if data.get("error").is_some() {
            return Err(format!("Janus said {data}").into());
        }
        for feed in data.get("publishers").and_then(Value::as_array).into_iter().flatten() {
            self.learn(feed);
        }
        if data.get("videoroom").is_some_and(|kind| kind == "joined") {
            self.private_id = data.get("private_id").and_then(Value::as_u64).unwrap_or_default();
            if self.joining.published.is_empty() {
                self.seat.is_in();
            }
        }
        for stream in data.get("streams").and_then(Value::as_array).into_iter().flatten() {
            self.carries(stream);
        }
        let sdp = message.pointer("/jsep/sdp").and_then(Value::as_str).map(str::to_owned);
        match (message.pointer("/jsep/type").and_then(Value::as_str), sdp) {
            (Some("answer"), Some(sdp)) => {
                let leg = self.publisher.ok_or("an answer without an offer")?;
                self.wire.with(leg, move |leg, tally| leg.answered(&sdp, tally)).await?;
            }
            (Some("offer"), Some(sdp)) => self.offered(sdp).await?,
            _ => {
                // "started", "switched", "updated" without a new description: the next change may come.
                if message.get("sender").and_then(Value::as_u64) == Some(self.subscribing) {
                    self.negotiating = false;
                }
            }
        }
        self.subscribe_wanted().await?;
        self.show().await
    }

    fn learn(&mut self, feed: &Value) {
        let (Some(id), Some(identity)) =
            (feed.get("id").and_then(Value::as_u64), feed.get("display").and_then(Value::as_str))
        else {
            return;
        };
        for stream in feed.get("streams").and_then(Value::as_array).into_iter().flatten() {
            let kind = stream.get("type").and_then(Value::as_str);
            let what = if kind == Some("video") { "camera" } else { "microphone" };
            if let Some(mid) = stream.get("mid").and_then(Value::as_str) {
                let name = format!("{identity}-{what}");
                if self.joining.all && !self.known.contains_key(&name) {
                    self.wanted.push_back(name.clone());
                }
                self.known.insert(name, (id, mid.to_owned()));
            }
        }
    }

    fn carries(&mut self, stream: &Value) {
        let text = |name: &str| stream.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(mid), Some(feed), Some(theirs)) =
            (text("mid"), stream.get("feed_id").and_then(Value::as_u64), text("feed_mid"))
        {
            self.carried.retain(|_, carried| *carried != mid);
            self.carried.insert((feed, theirs), mid);
        }
    }

    async fn subscribing_leg(&mut self) -> Result<LegId, Failure> {
        if let Some(leg) = self.subscriber {
            return Ok(leg);
        }
        let (leg, told) = self.wire.open().await?;
        self.seat.has(leg);
        self.subscriber = Some(leg);
        self.happened[1] = Some(told);
        self.wire.lighten(leg, self.joining.light).await?;
        Ok(leg)
    }

    async fn offered(&mut self, sdp: String) -> Result<(), Failure> {
        let leg = self.subscribing_leg().await?;
        let sdp = self.wire.with(leg, move |leg, tally| leg.answer(&sdp, tally)).await?;
        let (body, jsep) = (json!({ "request": "start" }), json!({ "type": "answer", "sdp": sdp }));
        self.link
            .send(json!({ "janus": "message", "handle_id": self.subscribing, "body": body, "jsep": jsep }))
            .await?;
        self.complete(self.subscribing).await
    }

    async fn requested(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Listen(names) => {
                self.wanted.extend(names);
                self.subscribe_wanted().await
            }
            Request::Switch(from, to) => {
                let (Some(from), Some(to)) = (self.known.get(&from), self.known.get(&to)) else {
                    return Ok(());
                };
                let Some(mid) = self.carried.get(from) else { return Ok(()) };
                let stream = json!({ "feed": to.0, "mid": to.1, "sub_mid": mid });
                self.ask(json!({ "request": "switch", "streams": [stream] })).await
            }
            Request::Show(name, layer) => {
                self.shown.insert(name, layer);
                self.show().await
            }
            Request::Leave => Ok(()),
        }
    }

    async fn ask(&mut self, body: Value) -> Result<(), Failure> {
        self.link.send(json!({ "janus": "message", "handle_id": self.subscribing, "body": body })).await
    }

    /// Subscribes to what is wanted and there, in one negotiation at a time.
    async fn subscribe_wanted(&mut self) -> Result<(), Failure> {
        if self.negotiating || self.private_id == 0 {
            return Ok(());
        }
        let (there, not): (VecDeque<_>, VecDeque<_>) =
            self.wanted.drain(..).partition(|name| self.known.contains_key(name));
        self.wanted = not;
        let streams: Vec<_> = there.iter().filter_map(|name| self.known.get(name)).map(described).collect();
        if streams.is_empty() {
            return Ok(());
        }
        self.negotiating = true;
        if self.subscriber.is_some() {
            return self.ask(json!({ "request": "subscribe", "streams": streams })).await;
        }
        self.ask(json!({
            "request": "join", "ptype": "subscriber", "room": self.room, "streams": streams, "private_id": self.private_id,
        }))
        .await
    }

    /// Says which layers are wanted, of the streams that are carried.
    async fn show(&mut self) -> Result<(), Failure> {
        if self.negotiating {
            return Ok(());
        }
        let mut streams = Vec::new();
        let (known, carried) = (&self.known, &self.carried);
        self.shown.retain(|name, layer| {
            let mid = known.get(name).and_then(|stream| carried.get(stream));
            streams.extend(mid.map(|mid| json!({ "mid": mid, "substream": layer })));
            mid.is_none()
        });
        if streams.is_empty() {
            return Ok(());
        }
        self.ask(json!({ "request": "configure", "streams": streams })).await
    }
}

fn described((feed, mid): &Stream) -> Value {
    json!({ "feed": feed, "mid": mid })
}

/// What happened on a peer connection; never, if there is none.
async fn heard(told: &mut Option<UnboundedReceiver<Happened>>) -> Happened {
    match told {
        Some(receiver) => receiver.recv().await.unwrap_or(Happened::Lost),
        None => std::future::pending().await,
    }
}
