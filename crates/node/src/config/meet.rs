//! `[meet]`: what carries the sound and pictures of meetings.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What carries the sound and pictures of meetings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meet {
    /// Which engine.
    pub backend: Backend,
    /// With [`Backend::Embedded`]: the address on which media is received.
    pub address: IpAddr,
    /// With [`Backend::Embedded`]: the port of media by UDP.
    pub udp_port: u16,
    /// With [`Backend::Embedded`]: the port of media by TCP, for networks that let no UDP through.
    pub tcp_port: u16,
    /// With [`Backend::Embedded`]: the address that browsers are told, where it is translated one to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ip: Option<IpAddr>,
    /// With [`Backend::Livekit`]: where browsers reach the server, `wss://meet.moh.example` (`ws://` on one machine).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// With [`Backend::Livekit`]: the name of the key with which tokens are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// With [`Backend::Livekit`]: the file that holds the key's secret; relative to the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
}

impl Default for Meet {
    fn default() -> Self {
        Self {
            backend: Backend::Off,
            address: Ipv4Addr::UNSPECIFIED.into(),
            udp_port: 7882,
            tcp_port: 7881,
            external_ip: None,
            url: None,
            key: None,
            secret_file: None,
        }
    }
}

/// An engine for meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// None: this node holds no meetings.
    #[default]
    Off,
    /// The one in this program.
    Embedded,
    /// A `LiveKit` server.
    Livekit,
}

impl Meet {
    /// What is wrong with it, in words.
    pub(super) fn fault(&self) -> Option<String> {
        if self.backend != Backend::Livekit {
            return None;
        }
        let Some(url) = &self.url else {
            return Some("[meet] url is missing: where do browsers reach the LiveKit server?".into());
        };
        let host = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://")).unwrap_or_default();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/;,'\"@?#".contains(c)) {
            return Some(format!("[meet] url is {url:?}; it should be such as wss://meet.moh.example"));
        }
        if self.key.as_deref().is_none_or(str::is_empty) {
            return Some("[meet] key is missing: the name of a key of the LiveKit server".into());
        }
        self.secret_file
            .is_none()
            .then(|| "[meet] secret_file is missing: the file with the key's secret".into())
    }

    /// The commented section of the file that `concord init` writes.
    pub(super) fn write(&self, out: &mut String) {
        let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let _ = writeln!(
            out,
            "\n[meet]\n# What carries the sound and pictures of meetings: off | embedded (this program) | livekit (a LiveKit server)."
        );
        let backend = match self.backend {
            Backend::Off => "off",
            Backend::Embedded => "embedded",
            Backend::Livekit => "livekit",
        };
        let _ = writeln!(out, "backend = {}", quoted(backend));
        let _ = writeln!(
            out,
            "# Where the embedded engine receives media; browsers must reach both ports, best of all the first."
        );
        let _ = writeln!(out, "address = {}", quoted(&self.address.to_string()));
        let _ = writeln!(out, "udp_port = {}", self.udp_port);
        let _ = writeln!(out, "tcp_port = {}", self.tcp_port);
        let _ =
            writeln!(out, "# The address that browsers are told, where a firewall translates it one to one.");
        let _ = match &self.external_ip {
            Some(ip) => writeln!(out, "external_ip = {}", quoted(&ip.to_string())),
            None => writeln!(out, "# external_ip = \"203.0.113.7\""),
        };
        let _ = writeln!(
            out,
            "# Where browsers reach the LiveKit server, and the key with which tokens are signed."
        );
        let file = self.secret_file.as_ref().map(|path| path.display().to_string());
        for (name, value, example) in [
            ("url", self.url.as_deref(), "wss://meet.moh.example"),
            ("key", self.key.as_deref(), "concord"),
            ("secret_file", file.as_deref(), "meet.secret"),
        ] {
            let _ = match value {
                Some(value) => writeln!(out, "{name} = {}", quoted(value)),
                None => writeln!(out, "# {name} = {}", quoted(example)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn livekit(url: &str) -> Meet {
        Meet {
            backend: Backend::Livekit,
            url: Some(url.into()),
            key: Some("concord".into()),
            secret_file: Some("meet.secret".into()),
            ..Meet::default()
        }
    }

    #[test]
    fn a_livekit_server_needs_address_key_and_secret() {
        assert_eq!(Meet::default().fault(), None);
        assert_eq!(livekit("wss://meet.moh.example").fault(), None);
        assert_eq!(livekit("ws://127.0.0.1:7880").fault(), None);
        let without = |change: fn(&mut Meet)| {
            let mut meet = livekit("wss://meet.moh.example");
            change(&mut meet);
            meet.fault().unwrap()
        };
        assert!(without(|meet| meet.url = None).contains("url"));
        assert!(without(|meet| meet.key = None).contains("key"));
        assert!(without(|meet| meet.secret_file = None).contains("secret_file"));
    }

    #[test]
    fn an_address_that_could_not_stand_in_a_header_is_refused() {
        for url in [
            "https://meet.moh.example",
            "wss://",
            "wss://a b",
            "wss://a;script-src *",
            "wss://u@a",
            "wss://a/path",
        ] {
            assert!(livekit(url).fault().unwrap().contains("wss://meet.moh.example"), "{url}");
        }
    }
}
