//! The engine's command line: what `concord meet serve`, `token` and `turn-config` take, and what becomes of it.
//!
//! It starts nothing and prints nothing. Secrets may come from the environment, where other users of the machine do not see them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use edge::{Network, Proxies};

use crate::config::{EngineConfig, Limits};
use crate::grants::{Grants, VideoGrant};
use crate::room::RoomsConfig;
use crate::service::{CoturnConfig, Relay};
use crate::token::{DEFAULT_LIFE, Keys, KeysError, Secret};

/// Where rooms and clients find the engine if nothing else is said.
pub const DEFAULT_BIND: &str = "127.0.0.1:7880";

/// Arguments that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentsError {
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A relay without its secret, or a secret without a relay.
    #[error("--turn-url and --turn-secret belong together")]
    Relay,
    /// Media by neither.
    #[error("media need --udp or --tcp: both are none")]
    NoMedia,
    /// The two ports after the first do not exist.
    #[error("port {0} leaves no room for media on the two ports after it: name them with --tcp and --udp")]
    Port(u16),
    /// A certificate without a key or a port, or the like.
    #[error("--tls-port, --certificate and --key belong together")]
    Tls,
}

impl ArgumentsError {
    /// Lower-case words joined by hyphens; stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(error) => error.code(),
            Self::Relay => "meet-relay-secret",
            Self::NoMedia => "meet-no-media",
            Self::Port(_) => "meet-port-range",
            Self::Tls => "meet-tls-incomplete",
        }
    }

    /// Named arguments of the sentence.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Keys(error) => error.arguments(),
            Self::Port(port) => vec![("port", port.to_string())],
            Self::Relay | Self::NoMedia | Self::Tls => Vec::new(),
        }
    }
}

/// An address of a socket, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// There.
    At(SocketAddr),
    /// Nowhere.
    Nowhere,
}

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::Nowhere);
        }
        text.parse().map(Self::At).map_err(|_| "ADDRESS:PORT, or none".to_owned())
    }
}

/// Seconds, or a number with `s`, `m`, `h` or `d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.find(|c: char| !c.is_ascii_digit()).map_or((text, "s"), |at| text.split_at(at));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a number with s, m, h or d, such as 90s or 6h".to_owned()),
    };
    let whole = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    whole.map(Duration::from_secs).ok_or_else(|| "a number with s, m, h or d, such as 90s or 6h".to_owned())
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The keys that access tokens are signed with.
#[derive(Args, Clone)]
pub struct KeyArguments {
    /// Keys of access tokens, KEY:SECRET, several separated by commas; the first one signs
    #[arg(long, env = "CONCORD_MEET_KEYS", hide_env_values = true, value_name = "KEY:SECRET")]
    pub keys: String,
}

impl KeyArguments {
    /// Reads them.
    pub fn keys(&self) -> Result<Keys, ArgumentsError> {
        Ok(self.keys.parse::<Keys>()?)
    }
}

impl std::fmt::Debug for KeyArguments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("KeyArguments")
    }
}

/// What `concord meet serve` takes.
#[derive(Args, Clone)]
#[allow(clippy::struct_excessive_bools)] // Flags are.
pub struct ServeArguments {
    /// For trials: short secrets are accepted, nobody is limited in how often it asks, clients may simulate faults
    #[arg(long)]
    pub dev: bool,
    /// The address for HTTP and WebSocket
    #[arg(long, default_value = DEFAULT_BIND, value_name = "ADDRESS:PORT")]
    pub bind: SocketAddr,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keys: KeyArguments,
    /// The address for media by TCP; the next port if not given; `none` for no TCP
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub tcp: Option<Listen>,
    /// The address for media by UDP; the port after the next if not given; `none` for no UDP
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub udp: Option<Listen>,
    /// What clients are told instead of this machine's own address (1:1 NAT); once for IPv4, once for IPv6
    #[arg(long, value_name = "IP")]
    pub external_ip: Vec<IpAddr>,
    /// Media threads; 0 for one less than there are cores, and at least one
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub threads: usize,
    /// Keep each media thread to one core
    #[arg(long)]
    pub pinned: bool,
    /// Rooms are made only by the room service, not by the first who enters
    #[arg(long)]
    pub no_auto_create: bool,
    /// How long a room waits for its first participant
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "TIME")]
    pub empty_timeout: Duration,
    /// How long a room is kept after its last participant left
    #[arg(long, default_value = "20s", value_parser = duration, value_name = "TIME")]
    pub departure_timeout: Duration,
    /// Participants of one room at most; 0 for any number
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub max_participants: u32,
    /// Participants of all rooms at most; 0 for any number
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub max_sessions: usize,
    /// Of how many loudest sound tracks of a room the packets are forwarded; 0 for all
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub last_n: usize,
    /// A TURN server that clients are told: turns:HOST:443?transport=tcp; several times for several
    #[arg(long, value_name = "URL")]
    pub turn_url: Vec<String>,
    /// The secret that the TURN servers share with the engine (static-auth-secret)
    #[arg(long, env = "CONCORD_MEET_TURN_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub turn_secret: Option<String>,
    /// A STUN server that clients are told: stun:HOST:PORT
    #[arg(long, value_name = "URL")]
    pub stun: Vec<String>,
    /// Where events are posted, signed with the first key; several times for several
    #[arg(long, value_name = "URL")]
    pub webhook: Vec<String>,
    /// Joins and calls of one address per second, over a burst of ten seconds; 0 for any number
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    pub joins_per_second: u32,
    /// A proxy that is believed in X-Forwarded-For, beside those on this machine; several times for several
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    pub proxy: Vec<Network>,
}

impl std::fmt::Debug for ServeArguments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not derived: it holds secrets.
        out.debug_struct("ServeArguments").field("bind", &self.bind).finish_non_exhaustive()
    }
}

impl ServeArguments {
    /// The engine's configuration.
    pub fn config(&self) -> Result<EngineConfig, ArgumentsError> {
        let keys = self.keys.keys()?;
        if !self.dev {
            keys.demand_long()?;
        }
        let mut config = EngineConfig::beside(self.bind, keys);
        self.addresses(&mut config)?;
        config.media.threads = self.threads;
        config.media.pinned = self.pinned;
        config.rooms = RoomsConfig {
            auto_create: !self.no_auto_create,
            empty_timeout: self.empty_timeout,
            departure_timeout: self.departure_timeout,
            max_participants: self.max_participants,
            max_sessions: self.max_sessions,
            simulate: self.dev,
            ..config.rooms
        };
        config.last_n = self.last_n;
        config.relay = match (&self.turn_secret, self.turn_url.is_empty()) {
            (Some(secret), false) => Some(Relay { urls: self.turn_url.clone(), secret: Secret::new(secret) }),
            // The environment may hold a secret that this engine has no use for.
            (_, true) => None,
            (None, false) => return Err(ArgumentsError::Relay),
        };
        config.stun.clone_from(&self.stun);
        config.webhooks.clone_from(&self.webhook);
        let often = |number| if self.dev { 0 } else { number };
        config.limits = Limits {
            joins_per_second: often(self.joins_per_second),
            refusals_per_second: often(Limits::default().refusals_per_second),
            proxies: Proxies::here().and(self.proxy.iter().copied()),
        };
        Ok(config)
    }

    fn addresses(&self, config: &mut EngineConfig) -> Result<(), ArgumentsError> {
        let addresses = &mut config.media.addresses;
        for (said, at) in [(self.tcp, &mut addresses.tcp), (self.udp, &mut addresses.udp)] {
            match said {
                Some(Listen::At(address)) => *at = vec![address],
                Some(Listen::Nowhere) => at.clear(),
                None if at.is_empty() => return Err(ArgumentsError::Port(self.bind.port())),
                None => {}
            }
        }
        if addresses.tcp.is_empty() && addresses.udp.is_empty() {
            return Err(ArgumentsError::NoMedia);
        }
        addresses.external_ip.clone_from(&self.external_ip);
        Ok(())
    }
}

/// What `concord meet token` takes: every grant.
#[derive(Args, Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // The grants are.
pub struct TokenArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keys: KeyArguments,
    /// The room
    #[arg(long, default_value = "")]
    pub room: String,
    /// Who: unique in the room. With it, and without --admin, the token is for entering the room
    #[arg(long, default_value = "")]
    pub identity: String,
    /// The name that others see
    #[arg(long, default_value = "")]
    pub name: String,
    /// Text of the application about the participant
    #[arg(long, default_value = "")]
    pub metadata: String,
    /// NAME=VALUE about the participant; several times for several
    #[arg(long, value_parser = attribute, value_name = "NAME=VALUE")]
    pub attribute: Vec<(String, String)>,
    /// standard, ingress, egress, sip or agent
    #[arg(long, default_value = "")]
    pub kind: String,
    /// How long the token holds: 90s, 10m, 6h, 2d
    #[arg(long, default_value = "6h", value_parser = duration, value_name = "TIME")]
    pub valid_for: Duration,
    /// May make and end rooms
    #[arg(long)]
    pub create: bool,
    /// May list rooms, and read figures
    #[arg(long)]
    pub list: bool,
    /// May moderate the room
    #[arg(long)]
    pub admin: bool,
    /// May enter the room; said by --identity already, unless with --admin
    #[arg(long)]
    pub join: bool,
    /// May not publish
    #[arg(long)]
    pub no_publish: bool,
    /// May not receive
    #[arg(long)]
    pub no_subscribe: bool,
    /// May not send data
    #[arg(long)]
    pub no_publish_data: bool,
    /// May send data, even if it may not publish
    #[arg(long, conflicts_with = "no_publish_data")]
    pub publish_data: bool,
    /// May publish only this; several times for several
    #[arg(long, value_name = "SOURCE", value_parser = ["camera", "microphone", "screen_share", "screen_share_audio"])]
    pub source: Vec<String>,
    /// May change its own name, metadata and attributes
    #[arg(long)]
    pub update_own_metadata: bool,
    /// Is seen by nobody
    #[arg(long)]
    pub hidden: bool,
    /// Is shown to others as a recorder
    #[arg(long)]
    pub recorder: bool,
    /// Is an agent
    #[arg(long)]
    pub agent: bool,
    /// Receives others' metrics
    #[arg(long)]
    pub subscribe_metrics: bool,
}

impl TokenArguments {
    /// What the token says.
    pub fn grants(&self) -> Grants {
        let said = |yes: bool| yes.then_some(true);
        let denied = |no: bool| no.then_some(false);
        let video = VideoGrant {
            room_create: self.create,
            room_list: self.list,
            room_admin: self.admin,
            room_join: self.join || !self.identity.is_empty() && !self.admin,
            room: self.room.clone(),
            can_publish: denied(self.no_publish),
            can_subscribe: denied(self.no_subscribe),
            can_publish_data: denied(self.no_publish_data).or(said(self.publish_data)),
            can_publish_sources: self.source.clone(),
            can_update_own_metadata: said(self.update_own_metadata),
            hidden: self.hidden,
            recorder: self.recorder,
            agent: self.agent,
            can_subscribe_metrics: said(self.subscribe_metrics),
            can_manage_agent_session: None,
        };
        Grants {
            identity: self.identity.clone(),
            name: self.name.clone(),
            metadata: self.metadata.clone(),
            attributes: self.attribute.iter().cloned().collect::<BTreeMap<_, _>>(),
            kind: self.kind.clone(),
            video: Some(video),
            ..Grants::default()
        }
    }

    /// The token, made at `now` (Unix seconds).
    pub fn token(&self, now: u64) -> Result<String, ArgumentsError> {
        let life = if self.valid_for.is_zero() { DEFAULT_LIFE } else { self.valid_for.as_secs() };
        Ok(self.keys.keys()?.mint(&self.grants(), now, life))
    }
}

/// What `concord meet turn-config` takes.
#[derive(Args, Clone)]
pub struct TurnArguments {
    /// The relay's DNS name
    #[arg(long, value_name = "NAME")]
    pub realm: String,
    /// Its port for UDP and TCP
    #[arg(long, default_value_t = 3478, value_name = "PORT")]
    pub port: u16,
    /// Its port for TLS; 443 gets through most networks
    #[arg(long, value_name = "PORT")]
    pub tls_port: Option<u16>,
    /// The file with its certificate
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<String>,
    /// The file with the certificate's key
    #[arg(long, value_name = "FILE")]
    pub key: Option<String>,
    /// The relay's address as clients reach it, if it is not the machine's own
    #[arg(long, value_name = "IP")]
    pub external_ip: Option<IpAddr>,
    /// An address at which the engine receives media: the relay reaches no other; several times for several
    #[arg(long, required = true, value_name = "IP")]
    pub peer: Vec<IpAddr>,
    /// The secret that relay and engine share; a new one is made if none is given
    #[arg(long, env = "CONCORD_MEET_TURN_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub secret: Option<String>,
}

impl std::fmt::Debug for TurnArguments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TurnArguments").field("realm", &self.realm).finish_non_exhaustive()
    }
}

impl TurnArguments {
    /// The relay's configuration, and what `serve` is told of it.
    pub fn config(&self) -> Result<(CoturnConfig, Vec<String>), ArgumentsError> {
        let tls = match (self.tls_port, &self.certificate, &self.key) {
            (Some(port), Some(certificate), Some(key)) => Some((port, certificate.clone(), key.clone())),
            (None, None, None) => None,
            _ => return Err(ArgumentsError::Tls),
        };
        let own = || hex::encode(rand::random::<[u8; 32]>());
        let mut urls: Vec<_> =
            ["udp", "tcp"].map(|by| format!("turn:{}:{}?transport={by}", self.realm, self.port)).to_vec();
        urls.extend(tls.as_ref().map(|(port, ..)| format!("turns:{}:{port}?transport=tcp", self.realm)));
        let config = CoturnConfig {
            realm: self.realm.clone(),
            port: self.port,
            tls,
            external_ip: self.external_ip.map(|ip| ip.to_string()),
            peers: self.peer.clone(),
            secret: Secret::new(self.secret.clone().unwrap_or_else(own)),
        };
        Ok((config, urls))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        arguments: ServeArguments,
    }

    #[derive(Parser)]
    struct Token {
        #[command(flatten)]
        arguments: TokenArguments,
    }

    fn serve(words: &str) -> Result<EngineConfig, ArgumentsError> {
        Serve::parse_from(std::iter::once("serve").chain(words.split_whitespace())).arguments.config()
    }

    #[test]
    fn serving_is_as_livekit_users_know_it() {
        let config = serve("--dev --bind 127.0.0.1:7880 --keys KEY:SECRET").unwrap();
        assert_eq!(config.media.addresses.tcp, ["127.0.0.1:7881".parse().unwrap()]);
        assert_eq!(config.media.addresses.udp, ["127.0.0.1:7882".parse().unwrap()]);
        assert!(config.rooms.auto_create && config.rooms.simulate);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let long = "--keys KEY:SECRET-SECRET-SECRET-SECRET-SECRET";
        let refused = |words: &str| serve(words).unwrap_err();
        assert_eq!(refused("--keys KEY:SECRET"), ArgumentsError::Keys(KeysError::Short("KEY".into())));
        assert_eq!(refused(&format!("{long} --udp none --tcp none")), ArgumentsError::NoMedia);
        assert_eq!(refused(&format!("{long} --bind 127.0.0.1:65535")), ArgumentsError::Port(65535));
        assert_eq!(refused(&format!("{long} --turn-url turn:x:1")), ArgumentsError::Relay);
    }

    #[test]
    fn every_grant_is_a_flag() {
        let words = "token --keys K:S --room r --identity i --source camera --source microphone --hidden --attribute role=chair \
                     --no-publish-data --valid-for 10m";
        let arguments = Token::parse_from(words.split_whitespace()).arguments;
        let grants = arguments.keys.keys().unwrap().verify(&arguments.token(1_000).unwrap(), 1_000).unwrap();
        assert_eq!((grants.identity.as_str(), grants.expires_at), ("i", Some(1_600)));
        assert_eq!(grants.attributes.get("role").map(String::as_str), Some("chair"));
        let video = grants.video.unwrap();
        assert!(video.room_join && video.hidden && video.can_publish_data == Some(false));
        assert_eq!(video.can_publish_sources, ["camera", "microphone"]);
    }

    #[test]
    fn who_moderates_does_not_enter_by_it() {
        let arguments =
            Token::parse_from("token --keys K:S --room r --admin --identity desk".split_whitespace())
                .arguments;
        assert_eq!(arguments.grants().may_enter(), None);
        assert!(arguments.grants().may_moderate("r"));
    }
}
