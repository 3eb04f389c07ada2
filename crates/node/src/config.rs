//! The node's configuration: one commented TOML file in the data folder, written by `concord init`.
//!
//! It says where things are and who may be reached. It never holds a secret: keys are files of their
//! own, readable by their owner alone. Every value may be overridden by the environment
//! (`CONCORD_LISTEN`, `CONCORD_STATE`, `CONCORD_INDEX`, `CONCORD_FILES`, `CONCORD_LOG`).

mod meet;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use edge::{Network, Proxies};
use record::Authority;
use serde::{Deserialize, Serialize};

pub use meet::{Backend, Meet};

use crate::fault::Coded;

/// The file's name inside the data folder.
pub const FILE_NAME: &str = "concord.toml";
/// Lies in a folder that is being copied, by `backup` or `restore`, until all of it is there.
pub const UNFINISHED: &str = "unfinished";
/// A configuration larger than this is a mistake.
const MAX_CONFIG: u64 = 256 * 1024;

/// Everything an operator decides about a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The DNS name that is this authority's identity.
    pub authority: Authority,
    /// ISO 3166-1 alpha-3 code or an organisation's code, as shown beside the name.
    pub code: String,
    /// The authority's name by language (`en`, `zh`, ...).
    pub names: BTreeMap<String, String>,
    /// Where this node listens for the exchange, the pages and the API.
    pub listen: SocketAddr,
    /// The address under which browsers reach the pages.
    pub public_url: String,
    /// Further host names under which pages and the API are answered, beside those of `public_url`, of the trust root's endpoint
    /// and of this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Where the other servers of this authority reach this one, if several share a database; `listen` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_url: Option<String>,
    /// Language of pages for readers who ask for none we have.
    #[serde(default = "default_language")]
    pub language: String,
    /// The IANA time zone in which pages show times to readers who choose none.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// `actual`, `exercise` or `test`: what the pages of this node show, and what it releases by default.
    #[serde(default = "default_status")]
    pub status: record::Status,
    /// Where state, index and files are.
    pub storage: Storage,
    /// How the exchange behaves.
    #[serde(default)]
    pub exchange: Exchange,
    /// What carries the sound and pictures of meetings.
    #[serde(default)]
    pub meet: Meet,
    /// Addresses to use instead of a peer's published endpoint. Only these may be private ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dial: BTreeMap<Authority, String>,
    /// Names of places where they differ from CLDR's: `iso3.lang = "name"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, BTreeMap<String, String>>,
    /// A table of groups of countries, laid over WHO's regions and those of UN M49; its form stands in `data/places/README.md`.
    #[serde(default)]
    pub groups: Option<PathBuf>,
    /// A `GeoJSON` file of borders to draw on the map. None are drawn without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borders: Option<PathBuf>,
    /// The folder this file lies in.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Where a node keeps things. Relative paths are relative to the data folder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Backed up, never rebuilt: `sqlite:state.db` or `postgres://...`.
    pub state: String,
    /// Rebuilt at will: `sqlite:index.db` or `postgres://...`.
    pub index: String,
    /// Tiles and blobs: `file:files` or `s3://bucket/prefix`.
    pub files: String,
}

// A database URL may carry a password.
impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").finish_non_exhaustive()
    }
}

/// How the exchange behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exchange {
    /// Requests a minute that one outside address may make.
    pub requests_per_minute: u32,
    /// Proxies that are believed in `X-Forwarded-For`, beside those on this machine: addresses, or networks as 10.0.0.0/8.
    pub proxies: Vec<String>,
    /// What the logs and files of one peer may take on this disk, in MiB. More is not fetched, and an alarm says so.
    pub peer_mib: u64,
    /// What stays free on this disk for what this authority itself releases, in MiB; unset, a twentieth of the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_mib: Option<u64>,
    /// May this node release records whose `released` is not the clock's (exercises only)?
    pub replay: bool,
    /// May root keys lie in the data folder? Only a demonstration says yes.
    pub root_keys_inside: bool,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            requests_per_minute: 6_000,
            proxies: Vec::new(),
            peer_mib: 20 << 10,
            reserve_mib: None,
            replay: false,
            root_keys_inside: false,
        }
    }
}

impl Exchange {
    /// Its section of the file that `init` writes, with what each line means.
    fn write(&self, out: &mut String) {
        let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let _ = writeln!(out, "\n[exchange]\n# Requests a minute that one outside address may make.");
        let _ = writeln!(out, "requests_per_minute = {}", self.requests_per_minute);
        let proxies: Vec<String> = self.proxies.iter().map(|network| quoted(network)).collect();
        let _ = writeln!(
            out,
            "# Proxies on other machines that are believed in X-Forwarded-For: addresses, or networks as 10.0.0.0/8."
        );
        let _ = writeln!(out, "proxies = [{}]", proxies.join(", "));
        let _ = writeln!(out, "# What the logs and files of one authority may take on this disk, in MiB.");
        let _ = writeln!(out, "peer_mib = {}", self.peer_mib);
        let _ = writeln!(
            out,
            "# What stays free on it for what this authority releases, in MiB; unset, a twentieth of the disk."
        );
        match self.reserve_mib {
            Some(mib) => drop(writeln!(out, "reserve_mib = {mib}")),
            None => drop(writeln!(out, "# reserve_mib = 10240")),
        }
        let _ =
            writeln!(out, "# May records be released under times that are not the clock's? Exercises only.");
        let _ = writeln!(out, "replay = {}", self.replay);
        let _ = writeln!(out, "# May root keys lie in the data folder? Only a demonstration says yes.");
        let _ = writeln!(out, "root_keys_inside = {}", self.root_keys_inside);
    }

    /// Who is believed in `X-Forwarded-For`. What is no network was refused when the configuration was read.
    pub fn proxies(&self) -> Proxies {
        Proxies::here().and(self.proxies.iter().filter_map(|network| network.parse().ok()))
    }
}

/// Is this a host's name, without anything around it?
fn is_host(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !text.is_empty() && (text.chars().all(is_letter) || text.parse::<std::net::IpAddr>().is_ok())
}

fn default_language() -> String {
    "en".into()
}

fn default_zone() -> String {
    "UTC".into()
}

fn default_status() -> record::Status {
    record::Status::Actual
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("no configuration at {0}: run `concord init` first, or name the data folder with --data")]
    Missing(PathBuf),
    /// The folder is a copy that was broken off.
    #[error(
        "{0} is half a copy: the backup or restore that made it was broken off; remove it, and begin again"
    )]
    Unfinished(PathBuf),
    /// It cannot be read or is too large.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A line is not what it should be.
    #[error("{path}: {why}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line and what would be right.
        why: String,
    },
}

impl Coded for ConfigError {
    fn code(&self) -> &str {
        match self {
            Self::Missing(_) => "config-missing",
            Self::Unfinished(_) => "config-unfinished",
            Self::Unreadable { .. } => "config-unreadable",
            Self::Invalid { .. } => "config-invalid",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Missing(path) | Self::Unfinished(path) => vec![("path", path.display().to_string())],
            Self::Unreadable { path, why } | Self::Invalid { path, why } => {
                vec![("path", path.display().to_string()), ("reason", why.clone())]
            }
        }
    }
}

impl Config {
    /// Reads the configuration of the data folder `folder`, then the environment.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        if folder.join(UNFINISHED).exists() {
            return Err(ConfigError::Unfinished(folder.to_path_buf()));
        }
        let path = folder.join(FILE_NAME);
        let size = std::fs::metadata(&path).map_err(|_| ConfigError::Missing(path.clone()))?.len();
        if size > MAX_CONFIG {
            return Err(ConfigError::Unreadable { path, why: format!("larger than {MAX_CONFIG} bytes") });
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|e| ConfigError::Unreadable { path: path.clone(), why: e.to_string() })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|e| ConfigError::Invalid { path: path.clone(), why: e.to_string() })?;
        if jiff::tz::TimeZone::get(&config.zone).is_err() {
            let why =
                format!("zone is {:?}; it should be an IANA name such as Asia/Tokyo, or UTC", config.zone);
            return Err(ConfigError::Invalid { path, why });
        }
        if let Some(host) = config.hosts.iter().find(|host| !is_host(host)) {
            let why = format!(
                "hosts has {host:?}; it should be a name such as concord.moh.example, without https:// and port"
            );
            return Err(ConfigError::Invalid { path, why });
        }
        for network in &config.exchange.proxies {
            if let Err(why) = network.parse::<Network>() {
                let why = format!("[exchange] proxies has {network:?}: {why}");
                return Err(ConfigError::Invalid { path, why });
            }
        }
        if let Some(why) = config.meet.fault() {
            return Err(ConfigError::Invalid { path, why });
        }
        config.folder = folder.to_path_buf();
        config.apply_environment(|name| std::env::var(name).ok(), &path)?;
        Ok(config)
    }

    fn apply_environment(
        &mut self,
        get: impl Fn(&str) -> Option<String>,
        path: &Path,
    ) -> Result<(), ConfigError> {
        if let Some(listen) = get("CONCORD_LISTEN") {
            self.listen = listen.parse().map_err(|_| ConfigError::Invalid {
                path: path.to_path_buf(),
                why: format!("CONCORD_LISTEN is {listen:?}; it should be an address such as 127.0.0.1:8080"),
            })?;
        }
        for (name, slot) in [
            ("CONCORD_STATE", &mut self.storage.state),
            ("CONCORD_INDEX", &mut self.storage.index),
            ("CONCORD_FILES", &mut self.storage.files),
        ] {
            if let Some(value) = get(name) {
                *slot = value;
            }
        }
        Ok(())
    }

    /// The authority's own name in `lang`, or in English, or its DNS name.
    pub fn name(&self, lang: &str) -> &str {
        self.names.get(lang).or_else(|| self.names.get("en")).map_or(self.authority.as_str(), String::as_str)
    }

    /// A path of the configuration, relative to the data folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The folder of this node's signing keys.
    pub fn keys_folder(&self) -> PathBuf {
        self.folder.join("keys")
    }

    /// The file that remembers what this server signed; outside `state`, in no backup.
    pub fn guard_path(&self) -> PathBuf {
        self.folder.join("guard")
    }

    /// The socket by which `concord` commands reach the running server.
    pub fn socket_path(&self) -> PathBuf {
        self.folder.join("control.sock")
    }

    /// Where the other servers of this authority reach this one.
    pub fn address_for_servers(&self) -> String {
        self.server_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// A URL of [`Storage`] with relative paths resolved against the data folder.
    pub fn resolve(&self, url: &str) -> String {
        for scheme in ["sqlite:", "file:"] {
            if let Some(path) = url.strip_prefix(scheme)
                && !path.starts_with('/')
                && !path.starts_with(':')
            {
                return format!("{scheme}{}", self.folder.join(path).display());
            }
        }
        url.to_owned()
    }

    /// Under which names this server is reached, beside its address.
    fn write_names(&self, out: &mut String) {
        let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let _ = writeln!(
            out,
            "# Further names under which pages are answered; whoever asks under a name that is none of this node's is refused."
        );
        let hosts: Vec<String> = self.hosts.iter().map(|host| quoted(host)).collect();
        let _ = writeln!(out, "hosts = [{}]", hosts.join(", "));
        let _ = writeln!(
            out,
            "# Where the other servers of this authority reach this one, if several share a PostgreSQL."
        );
        match &self.server_url {
            Some(url) => drop(writeln!(out, "server_url = {}", quoted(url))),
            None => drop(writeln!(out, "# server_url = \"http://10.0.0.2:8080\"")),
        }
    }

    /// The commented file that `concord init` writes.
    pub fn to_commented_toml(&self) -> String {
        let mut out = String::new();
        let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let _ = writeln!(out, "# Concord: the configuration of one node. Nothing here is secret.\n");
        let _ = writeln!(out, "# The DNS name that is this authority's identity. It never changes.");
        let _ = writeln!(out, "authority = {}", quoted(self.authority.as_str()));
        let _ = writeln!(out, "# ISO 3166-1 alpha-3 code, or an organisation's code, shown beside the name.");
        let _ = writeln!(out, "code = {}", quoted(&self.code));
        let _ = writeln!(
            out,
            "# Where this node listens. Put a TLS terminator in front of it, or listen on loopback."
        );
        let _ = writeln!(out, "listen = {}", quoted(&self.listen.to_string()));
        let _ = writeln!(out, "# The address under which browsers reach the pages.");
        let _ = writeln!(out, "public_url = {}", quoted(&self.public_url));
        self.write_names(&mut out);
        let _ = writeln!(out, "# The language for readers who ask for none of ar, zh, en, fr, ru, es.");
        let _ = writeln!(out, "language = {}", quoted(&self.language));
        let _ = writeln!(out, "# The IANA time zone in which pages show times to readers who choose none.");
        let _ = writeln!(out, "zone = {}", quoted(&self.zone));
        let _ =
            writeln!(out, "# actual | exercise | test: what the pages show and what is released by default.");
        let _ = writeln!(out, "status = {}", quoted(&self.status.to_string()));
        if let Some(borders) = &self.borders {
            let _ = writeln!(out, "borders = {}", quoted(&borders.display().to_string()));
        } else {
            let _ = writeln!(
                out,
                "# A GeoJSON file of borders to draw on the map; without it no border is drawn."
            );
            let _ = writeln!(out, "# borders = \"borders.geojson\"");
        }
        if let Some(groups) = &self.groups {
            let _ = writeln!(out, "groups = {}", quoted(&groups.display().to_string()));
        } else {
            let _ = writeln!(
                out,
                "# Groups of countries whose figures are added up, beside WHO's regions and those of UN M49: a line for each,\n\
                 # parted by tabs: key, name in ar zh en fr ru es, alpha-3 codes of the members."
            );
            let _ = writeln!(out, "# groups = \"groups.tsv\"");
        }
        let _ = writeln!(out, "\n# The authority's name by language.\n[names]");
        for (lang, name) in &self.names {
            let _ = writeln!(out, "{lang} = {}", quoted(name));
        }
        let _ = writeln!(
            out,
            "\n[storage]\n# state is backed up and never rebuilt; index is rebuilt at will; files hold tiles and blobs.\n\
             # sqlite:<path> or postgres://user@host/db ; file:<folder> or s3://bucket/prefix"
        );
        let _ = writeln!(out, "state = {}", quoted(&self.storage.state));
        let _ = writeln!(out, "index = {}", quoted(&self.storage.index));
        let _ = writeln!(out, "files = {}", quoted(&self.storage.files));
        self.exchange.write(&mut out);
        self.meet.write(&mut out);
        let _ = writeln!(
            out,
            "\n# Addresses to use instead of a peer's published endpoint. Only these may be private ones.\n[dial]"
        );
        if self.dial.is_empty() {
            let _ = writeln!(out, "# \"moh.jpn.example\" = \"http://127.0.0.1:8102\"");
        }
        for (authority, url) in &self.dial {
            let _ = writeln!(out, "{} = {}", quoted(authority.as_str()), quoted(url));
        }
        let _ = writeln!(
            out,
            "\n# Names of places where this authority writes others than the Unicode CLDR: ISO 3166-1 alpha-3 code,\n\
             # then name by language.\n[places]"
        );
        if self.places.is_empty() {
            let _ = writeln!(out, "# KOR = {{ en = \"Republic of Korea\", fr = \"République de Corée\" }}");
        }
        for (code, names) in &self.places {
            let names: Vec<String> =
                names.iter().map(|(lang, name)| format!("{lang} = {}", quoted(name))).collect();
            let _ = writeln!(out, "{code} = {{ {} }}", names.join(", "));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Config {
        Config {
            authority: "moh.chn.example".parse().unwrap(),
            code: "CHN".into(),
            names: [("en".into(), "Ministry \"of\" Health".into()), ("zh".into(), "卫生部".into())].into(),
            listen: "127.0.0.1:8101".parse().unwrap(),
            public_url: "http://chn.localhost:8101".into(),
            hosts: vec!["concord.chn.example".into()],
            server_url: Some("http://10.0.0.2:8101".into()),
            language: "zh".into(),
            zone: "Asia/Shanghai".into(),
            status: record::Status::Exercise,
            storage: Storage {
                state: "sqlite:state.db".into(),
                index: "postgres://u:hunter@h/db".into(),
                files: "file:files".into(),
            },
            exchange: Exchange::default(),
            meet: Meet {
                backend: Backend::Livekit,
                url: Some("wss://meet.chn.example".into()),
                key: Some("concord".into()),
                secret_file: Some("meet.secret".into()),
                external_ip: Some("203.0.113.7".parse().unwrap()),
                ..Meet::default()
            },
            dial: [("moh.jpn.example".parse().unwrap(), "http://127.0.0.1:8102".into())].into(),
            places: [("KOR".into(), [("en".into(), "Republic of Korea".into())].into())].into(),
            borders: None,
            groups: Some("groups.tsv".into()),
            folder: "/tmp/x".into(),
        }
    }

    #[test]
    fn the_file_that_init_writes_is_the_configuration_that_serve_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut wanted = sample();
        wanted.folder = folder.path().to_path_buf();
        std::fs::write(folder.path().join(FILE_NAME), wanted.to_commented_toml()).unwrap();
        let read = Config::load(folder.path()).unwrap();
        assert_eq!(read.to_commented_toml(), wanted.to_commented_toml());
        assert_eq!(read.dial, wanted.dial);
        assert_eq!(read.places, wanted.places);
        assert_eq!(read.groups, wanted.groups);
    }

    #[test]
    fn an_unknown_line_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = sample().to_commented_toml().replace("language =", "lenguage =");
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let error = Config::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("lenguage"), "{error}");
    }

    #[test]
    fn a_host_with_something_around_it_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        for host in ["https://concord.chn.example", "concord.chn.example:443", "a b", "*.chn.example"] {
            let text = sample().to_commented_toml().replace("concord.chn.example", host);
            std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
            let error = Config::load(folder.path()).unwrap_err().to_string();
            assert!(error.contains(host) && error.contains("concord.moh.example"), "{error}");
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = sample().to_commented_toml().replace("Asia/Shanghai", "Asia/Shang-Hai");
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let error = Config::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("Asia/Shang-Hai") && error.contains("Asia/Tokyo"), "{error}");
    }

    #[test]
    fn relative_storage_lies_in_the_data_folder_and_passwords_stay_out_of_debug() {
        let config = sample();
        assert_eq!(config.resolve("sqlite:state.db"), "sqlite:/tmp/x/state.db");
        assert_eq!(config.resolve("s3://bucket/x"), "s3://bucket/x");
        assert!(!format!("{config:?}").contains("hunter"));
    }
}
