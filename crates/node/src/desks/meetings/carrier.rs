//! Who carries the sound and pictures of this node's meetings: the engine in this program, or a `LiveKit` server. Either is
//! reached only by what every `LiveKit` server understands, signed tokens and its `RoomService`, so that configuration alone
//! exchanges them.
//!
//! It never sees media, and holds the secret of the key that signs tokens; no log and no page shows it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures::FutureExt as _;
use meet::config::{Admission, EngineConfig};
use meet::driver::Addresses;
use meet::grants::{Grants, VideoGrant};
use meet::service::Engine;
use meet::token::{Keys, MIN_SECRET, Secret};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::attendee::Attendee;
use super::departures;
use crate::config::Backend;
use crate::fault::Coded;
use crate::identity::{IdentityError, random};
use crate::node::Node;
use crate::outbound::{Address, Outbound, OutboundError};

/// A token lets somebody in within this time, in seconds. Whoever is in gets newer ones from the engine.
const TOKEN_LIFE: u64 = 10 * 60;
/// A token for the `RoomService` holds this long, in seconds.
const SERVICE_LIFE: u64 = 60;
/// An empty room is forgotten after this time, in seconds.
const EMPTY_TIMEOUT: u32 = 5 * 60;
/// A secret larger than this is none.
const MAX_SECRET: u64 = 4096;
/// The key of the engine in this program. Its secret is made at the first start.
const OWN_KEY: &str = "concord";
/// The file of that secret, in the data folder.
const OWN_SECRET: &str = "meet.secret";
/// Where the `RoomService` is.
const ROOM_SERVICE: &str = "/twirp/livekit.RoomService/";
/// The `RoomService` answers at most with everybody in a room: some kilobytes each.
const MAX_ANSWER: usize = 16 << 20;

/// Why the engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// The secret of the key.
    #[error("{path}: {why}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The engine in this program cannot receive media.
    #[error("the conference engine cannot receive media: {0}; are the ports of [meet] free?")]
    Media(std::io::Error),
    /// Randomness.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It does not answer.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// It answers, and refuses.
    #[error("the engine of meetings answers {status}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        text: String,
    },
}

impl Coded for CarrierError {
    fn code(&self) -> &str {
        match self {
            Self::Secret { .. } => "carrier-secret",
            Self::Media(_) => "carrier-media",
            Self::Identity(error) => error.code(),
            Self::Outbound(error) => error.code(),
            Self::Refused { .. } => "carrier-refused",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Secret { path, why } => vec![("path", path.display().to_string()), ("reason", why.clone())],
            Self::Media(why) => vec![("reason", why.to_string())],
            Self::Identity(error) => error.arguments(),
            Self::Outbound(error) => error.arguments(),
            Self::Refused { status, text } => vec![("status", status.to_string()), ("reason", text.clone())],
        }
    }
}

/// What a browser needs in order to enter.
#[derive(Debug, serde::Serialize)]
pub struct Ticket {
    /// Where the engine is reached.
    pub url: String,
    /// What lets in.
    pub token: String,
}

/// The engine of this node's meetings.
#[derive(Debug)]
pub struct Carrier {
    /// Where browsers reach it: `wss://...`.
    url: String,
    keys: Keys,
    service: Service,
}

/// How the `RoomService` is asked.
#[derive(Debug)]
enum Service {
    /// In this program, without a socket.
    Here(Router),
    /// On a server.
    There(Outbound),
}

/// What the configuration names, ready to be used.
pub struct Opened {
    /// How to use it.
    pub carrier: Carrier,
    /// The engine itself, if it is the one in this program.
    pub engine: Option<Engine>,
}

impl Carrier {
    /// The engine that the configuration names, started if it is the one in this program; `None` if it names none.
    pub fn open(node: &Arc<Node>) -> Result<Option<Opened>, CarrierError> {
        let meet = &node.config.meet;
        match (meet.backend, &meet.url, &meet.key, &meet.secret_file) {
            (Backend::Embedded, ..) => Self::here(node).map(Some),
            (Backend::Livekit, Some(url), Some(key), Some(file)) => {
                let keys = Keys::one(key, read_secret(&node.config.path(file))?);
                let service = Service::There(node.outbound.clone());
                Ok(Some(Opened { carrier: Self { url: url.clone(), keys, service }, engine: None }))
            }
            _ => Ok(None),
        }
    }

    /// Starts the engine in this program: signalling where the pages are, media on ports of its own.
    fn here(node: &Arc<Node>) -> Result<Opened, CarrierError> {
        let (config, meet) = (&node.config, &node.config.meet);
        let keys = Keys::one(OWN_KEY, own_secret(&config.path(Path::new(OWN_SECRET)))?);
        let mut engine = EngineConfig::beside(config.listen, keys.clone());
        engine.media.addresses = Addresses {
            udp: vec![SocketAddr::new(meet.address, meet.udp_port)],
            tcp: vec![SocketAddr::new(meet.address, meet.tcp_port)],
            external_ip: meet.external_ip.into_iter().collect(),
        };
        engine.rooms.auto_create = false;
        // The node's own limit of requests counts joins already; whose a refused token was, it says with each request.
        engine.limits.joins_per_second = 0;
        engine.admission = Some(admission(Arc::downgrade(node)));
        let engine = Engine::start(engine).map_err(CarrierError::Media)?;
        // http:// is ws://, and https:// is wss://.
        let url = config.public_url.trim_end_matches('/').replacen("http", "ws", 1);
        let carrier = Self { url, keys, service: Service::Here(engine.router()) };
        Ok(Opened { carrier, engine: Some(engine) })
    }

    /// Where browsers reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a page must be allowed to connect to: the address, and the same by HTTP, where clients ask what went wrong.
    pub fn origins(&self) -> String {
        format!("{} {}", self.url, self.by_http())
    }

    fn by_http(&self) -> String {
        // ws:// is http://, and wss:// is https://.
        self.url.replacen("ws", "http", 1)
    }

    /// Makes sure that the room is there. Engines that make no room unasked need it; others are asked whether they live.
    pub async fn open_room(&self, room: &str, now: u64) -> Result<(), CarrierError> {
        let may = VideoGrant { room_create: true, ..VideoGrant::default() };
        let asked = json!({ "name": room, "empty_timeout": EMPTY_TIMEOUT });
        self.call("CreateRoom", may, &asked, now).await.map(drop)
    }

    /// The identities of those who are in the room; nobody, if there is no such room.
    pub async fn inside(&self, room: &str, now: u64) -> Result<Vec<String>, CarrierError> {
        let said = match self.call("ListParticipants", admin(room), &json!({ "room": room }), now).await {
            Err(CarrierError::Refused { status: 404, .. }) => return Ok(Vec::new()),
            said => said?,
        };
        let said: Inside = serde_json::from_slice(&said)
            .map_err(|why| CarrierError::Refused { status: 200, text: why.to_string() })?;
        Ok(said.participants.into_iter().map(|participant| participant.identity).collect())
    }

    /// Puts somebody out of the room. The engine in this program refuses their older tokens from then on.
    pub async fn remove(&self, room: &str, identity: &str, now: u64) -> Result<(), CarrierError> {
        let asked = json!({ "room": room, "identity": identity });
        match self.call("RemoveParticipant", admin(room), &asked, now).await {
            // Already gone.
            Err(CarrierError::Refused { status: 404, .. }) => Ok(()),
            said => said.map(drop),
        }
    }

    /// Calls the `RoomService` with a token that allows this and nothing else.
    async fn call(
        &self,
        method: &str,
        may: VideoGrant,
        asked: &Value,
        now: u64,
    ) -> Result<bytes::Bytes, CarrierError> {
        let grants = Grants { video: Some(may), ..Grants::default() };
        let token = self.keys.mint(&grants, now, SERVICE_LIFE);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|why| CarrierError::Refused { status: 0, text: why.to_string() })?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, bearer),
        ]);
        let (path, body) = (format!("{ROOM_SERVICE}{method}"), asked.to_string().into_bytes());
        let (status, said) = match &self.service {
            Service::Here(router) => ask_here(router, &path, headers, body).await?,
            Service::There(outbound) => {
                let address = Address::Dialled(self.by_http());
                let answer = outbound.post_with(&address, &path, headers, body, MAX_ANSWER).await?;
                (answer.status, answer.body)
            }
        };
        if status == 200 {
            return Ok(said);
        }
        let text = String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).take(200).collect();
        Err(CarrierError::Refused { status, text })
    }

    /// A ticket to the room for somebody.
    pub fn ticket(&self, room: &str, attendee: &Attendee, now: u64) -> Ticket {
        let video = VideoGrant {
            room_join: true,
            room: room.to_owned(),
            can_publish: Some(true),
            can_subscribe: Some(true),
            can_publish_data: Some(true),
            can_update_own_metadata: Some(false),
            ..VideoGrant::default()
        };
        let grants = Grants {
            identity: attendee.identity.clone(),
            name: attendee.name("en").to_owned(),
            attributes: attributes(attendee),
            video: Some(video),
            ..Grants::default()
        };
        Ticket { url: self.url.clone(), token: self.keys.mint(&grants, now, TOKEN_LIFE) }
    }
}

/// The answer of `ListParticipants`, as far as it is read.
#[derive(serde::Deserialize)]
struct Inside {
    #[serde(default)]
    participants: Vec<Participant>,
}

#[derive(serde::Deserialize)]
struct Participant {
    #[serde(default)]
    identity: String,
}

fn admin(room: &str) -> VideoGrant {
    VideoGrant { room_admin: true, room: room.to_owned(), ..VideoGrant::default() }
}

/// The engine asks before each entry whether the session behind a token still stands.
fn admission(node: Weak<Node>) -> Admission {
    Admission::by(move |grants| {
        let node = node.upgrade();
        async move {
            let Some(node) = node else { return false };
            departures::stands(&node, &grants.identity).await
        }
        .boxed()
    })
}

/// Who somebody is, for the others in the room. They believe it because only a token can say it.
fn attributes(attendee: &Attendee) -> BTreeMap<String, String> {
    let mut said = BTreeMap::from([
        ("authority".to_owned(), attendee.authority.to_string()),
        ("code".to_owned(), attendee.code.clone()),
        ("duty".to_owned(), attendee.duty.clone()),
    ]);
    for (lang, name) in &attendee.names {
        said.insert(format!("name.{lang}"), name.clone());
    }
    said
}

/// The same request as over a socket, given to the engine in this program.
async fn ask_here(
    router: &Router,
    path: &str,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<(u16, bytes::Bytes), CarrierError> {
    let mut request = Request::post(path)
        .body(Body::from(body))
        .map_err(|why| CarrierError::Refused { status: 0, text: why.to_string() })?;
    *request.headers_mut() = headers;
    let Ok(answer) = router.clone().oneshot(request).await;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), MAX_ANSWER)
        .await
        .map_err(|why| CarrierError::Refused { status, text: why.to_string() })?;
    Ok((status, body))
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> CarrierError {
    CarrierError::Secret { path: path.to_path_buf(), why: why.to_string() }
}

fn read_secret(path: &Path) -> Result<Secret, CarrierError> {
    let size = std::fs::metadata(path).map_err(|error| wrong(path, error))?.len();
    if size > MAX_SECRET {
        return Err(wrong(path, format!("{size} bytes are no secret; at most {MAX_SECRET} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(path, error))?;
    let text = text.trim();
    if text.len() < MIN_SECRET {
        return Err(wrong(path, format!("the secret is shorter than {MIN_SECRET} characters")));
    }
    Ok(Secret::new(text))
}

/// The secret of the engine in this program, made if it is not there: whoever was inside when the node was started again is
/// let in again. It protects no more than rooms of this process: where what is there is no secret, a new one is made, and whoever
/// was inside asks for a new ticket. What was there is kept beside it.
fn own_secret(path: &Path) -> Result<Secret, CarrierError> {
    if path.exists() {
        // What cannot be read at all is not replaced.
        let size = std::fs::metadata(path).map_err(|error| wrong(path, error))?.len();
        std::fs::File::open(path).map_err(|error| wrong(path, error))?;
        let why = match read_secret(path) {
            Ok(secret) => return Ok(secret),
            Err(why) => why,
        };
        let aside = path.with_extension("damaged");
        std::fs::rename(path, &aside).map_err(|error| wrong(path, error))?;
        tracing::error!(
            %why, size, aside = %aside.display(),
            "the secret of the conference engine is damaged and a new one is made: whoever was in a meeting enters again"
        );
    }
    let secret = hex::encode(random::<32>()?);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| wrong(path, error))?;
    writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(|error| wrong(path, error))?;
    Ok(Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn carrier() -> Carrier {
        Carrier {
            url: "wss://meet.moh.example".into(),
            keys: Keys::one("concord", Secret::new("0123456789abcdef0123456789abcdef")),
            service: Service::There(Outbound::new().unwrap()),
        }
    }

    #[test]
    fn a_ticket_says_who_somebody_is_and_lets_nobody_say_otherwise() {
        let guest = Attendee {
            authority: "moh.jpn.example".parse().unwrap(),
            code: "JPN".into(),
            names: [("en".into(), "Ministry of Health".into()), ("zh".into(), "卫生部".into())].into(),
            duty: "Head of delegation".into(),
            identity: "moh.jpn.example/0123".into(),
            csrf: String::new(),
        };
        let carrier = carrier();
        let ticket = carrier.ticket("moh.chn.example/room", &guest, NOW);
        let grants = carrier.keys.verify(&ticket.token, NOW).unwrap();
        assert_eq!(grants.identity, "moh.jpn.example/0123");
        assert_eq!(grants.attributes["name.zh"], "卫生部");
        assert_eq!(grants.attributes["duty"], "Head of delegation");
        let video = grants.video.unwrap();
        assert_eq!((video.room.as_str(), video.room_join), ("moh.chn.example/room", true));
        assert!(!video.room_create && !video.room_admin && video.can_update_own_metadata == Some(false));
        assert_eq!(grants.expires_at, Some(NOW + TOKEN_LIFE));
    }

    #[test]
    fn a_page_may_reach_the_engine_by_both_schemes() {
        assert_eq!(carrier().origins(), "wss://meet.moh.example https://meet.moh.example");
    }

    #[test]
    fn the_own_secret_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let first = own_secret(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(own_secret(&path).unwrap().bytes(), first.bytes());
        assert!(first.bytes().len() >= MIN_SECRET);
    }

    /// The engine's own secret is no reason for the node not to start; one shared with another server is.
    #[test]
    fn an_own_secret_that_is_cut_or_empty_is_made_anew_and_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meet.secret");
        for damaged in [&b""[..], b"0123456789", &[0xff; 64]] {
            std::fs::write(&path, damaged).unwrap();
            assert!(read_secret(&path).is_err());
            let made = own_secret(&path).unwrap();
            assert!(made.bytes().len() >= MIN_SECRET);
            assert_eq!(own_secret(&path).unwrap().bytes(), made.bytes());
            assert_eq!(std::fs::read(folder.path().join("meet.damaged")).unwrap(), damaged);
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "short\n").unwrap();
        assert!(read_secret(&path).unwrap_err().to_string().contains("shorter than 32"));
        std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(read_secret(&path).unwrap().bytes().len(), 32);
    }
}
