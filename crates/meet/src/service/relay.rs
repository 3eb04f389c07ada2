//! TURN for clients whose network lets nothing else through: credentials that end by themselves, and the relay's configuration.
//!
//! The mechanism is coturn's `use-auth-secret` (draft-uberti-behave-turn-rest-00): the user name is the time of its end, the
//! password an HMAC of it under a secret that relay and engine share. The engine never talks to the relay.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use livekit_protocol::IceServer;

use crate::token::Secret;

/// How long credentials hold, in seconds: a meeting day. Clients ask anew when they reconnect.
pub const LIFE: u64 = 12 * 60 * 60;

/// A relay that shares a secret with the engine.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `turns:turn.example.org:443?transport=tcp`, `turn:turn.example.org:3478?transport=udp` ...
    pub urls: Vec<String>,
    /// `static-auth-secret` of coturn.
    pub secret: Secret,
}

/// What a client authenticates to a relay with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `<Unix time of the end>:<name>`.
    pub username: String,
    /// HMAC-SHA-1 of it, base64.
    pub password: String,
}

impl Relay {
    /// Credentials for one client from `now` (Unix seconds) on. The name only tells sessions apart in the relay's log.
    pub fn credentials(&self, name: &str, now: u64) -> Credentials {
        let username = format!("{}:{name}", now.saturating_add(LIFE));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.bytes());
        let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Credentials { username, password }
    }

    /// What a client is told.
    pub fn server(&self, name: &str, now: u64) -> IceServer {
        let Credentials { username, password } = self.credentials(name, now);
        IceServer { urls: self.urls.clone(), username, credential: password }
    }
}

/// What a coturn needs to know.
#[derive(Clone, Debug)]
pub struct CoturnConfig {
    /// Its DNS name.
    pub realm: String,
    /// The port for UDP and TCP.
    pub port: u16,
    /// The port for TLS, with certificate and key, if it has them.
    pub tls: Option<(u16, String, String)>,
    /// The address that clients reach, if it differs from the machine's own.
    pub external_ip: Option<String>,
    /// The only addresses that it relays to: those at which the engine receives media.
    pub peers: Vec<std::net::IpAddr>,
    /// Shared with the engine.
    pub secret: Secret,
}

impl CoturnConfig {
    /// The text of a `turnserver.conf`. It holds the secret: mode 0600.
    pub fn text(&self) -> String {
        let mut lines = vec![
            "# TURN for the conference engine: clients reach the engine through this relay, and nothing else.".to_owned(),
            "# It holds a secret: chmod 0600, and the same secret in the engine's configuration.".to_owned(),
            format!("realm={}", self.realm),
            format!("server-name={}", self.realm),
            format!("listening-port={}", self.port),
            "fingerprint".to_owned(),
            "use-auth-secret".to_owned(),
            format!("static-auth-secret={}", String::from_utf8_lossy(self.secret.bytes())),
        ];
        if let Some((port, certificate, key)) = &self.tls {
            lines.extend([
                format!("tls-listening-port={port}"),
                format!("cert={certificate}"),
                format!("pkey={key}"),
            ]);
            lines.extend(["no-tlsv1", "no-tlsv1_1"].map(str::to_owned));
        } else {
            lines.extend(["no-tls", "no-dtls"].map(str::to_owned));
        }
        if let Some(external) = &self.external_ip {
            lines.push(format!("external-ip={external}"));
        }
        lines.push(
            "# Everything is denied but the engine's own addresses, which come first by being allowed."
                .to_owned(),
        );
        lines.extend(self.peers.iter().map(|ip| format!("allowed-peer-ip={ip}")));
        lines.extend(
            [
                "denied-peer-ip=0.0.0.0-255.255.255.255",
                "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ]
            .map(str::to_owned),
        );
        if self.peers.iter().any(std::net::IpAddr::is_loopback) {
            lines.push("allow-loopback-peers".to_owned());
        }
        let rest = [
            "no-multicast-peers",
            "no-cli",
            "no-rfc5780",
            "no-stun-backward-compatibility",
            "stale-nonce=600",
        ];
        lines.extend(rest.map(str::to_owned));
        // One session needs one allocation; a second while it moves between networks.
        lines
            .extend(["user-quota=8", "total-quota=4000", "log-file=stdout", "simple-log"].map(str::to_owned));
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_what_coturn_computes() {
        // By openssl: printf 1800043200:PA_x | openssl dgst -sha1 -hmac north -binary | base64
        let relay = Relay {
            urls: vec!["turn:turn.example.org:3478?transport=udp".into()],
            secret: Secret::new("north"),
        };
        let server = relay.server("PA_x", 1_800_000_000);
        assert_eq!(server.username, "1800043200:PA_x");
        assert_eq!(server.credential, "0+87v5WhBlkVoV55senh9O6PGM8=");
    }

    #[test]
    fn a_relay_reaches_the_engine_and_nothing_else() {
        let config = CoturnConfig {
            realm: "turn.example.org".into(),
            port: 3478,
            tls: None,
            external_ip: None,
            peers: vec!["198.51.100.3".parse().unwrap()],
            secret: Secret::new("north"),
        };
        let text = config.text();
        assert!(
            text.contains("\nallowed-peer-ip=198.51.100.3\n")
                && text.contains("\ndenied-peer-ip=0.0.0.0-255.255.255.255\n")
        );
        assert!(text.contains("\nstatic-auth-secret=north\n") && !text.contains("allow-loopback-peers"));
    }
}
