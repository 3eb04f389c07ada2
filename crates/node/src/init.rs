//! `concord init`: a new authority's keys, first root, configuration and empty state, in one act.
//!
//! Root keys go to a folder of their own, which the operator takes away to three safe places. It never
//! writes into a folder that is not empty.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use record::root::{AgeRecipient, ListedKey, Role, SignedRoot, TrustRoot};
use record::{Authority, Fingerprint, Status, Time};
use serde::{Deserialize, Serialize};
use store::{Cells, Db, DbOptions, Guard, SqlCells};
use tlog::hash::sha256;
use tlog::key::Signer;

use crate::age_keys::{self, AGE_SPACE};
use crate::config::{Config, Exchange, Storage};
use crate::fault::Coded;
use crate::identity::{self, Key};
use crate::saved;

/// Root keys made; two of them must sign.
pub const ROOT_KEYS: u32 = 3;
/// Root keys that must sign.
pub const ROOT_THRESHOLD: u32 = 2;
const DAY: i64 = 86_400;
/// A first root is in force this long.
const ROOT_DAYS: i64 = 365;
/// Ordinary recipients are in force until the root is renewed, and a while longer.
const AGE_DAYS: i64 = 400;

/// Roles for which a node has a key of its own.
pub const ROLES: [Role; 5] = [Role::Log, Role::Author, Role::Caller, Role::Witness, Role::Holds];

/// What `init` is told.
#[derive(Debug, Clone)]
pub struct Init {
    /// The DNS name.
    pub authority: Authority,
    /// The code shown.
    pub code: String,
    /// Names by language.
    pub names: BTreeMap<String, String>,
    /// The data folder to make.
    pub data: PathBuf,
    /// The folder for root keys to make.
    pub root_keys: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where browsers reach the pages.
    pub public_url: String,
    /// Where other nodes reach this one.
    pub endpoint: String,
    /// What the node is for.
    pub status: Status,
    /// State database, if not `SQLite` in the data folder.
    pub state: Option<String>,
    /// Index database, if not `SQLite` in the data folder.
    pub index: Option<String>,
    /// Files, if not a folder in the data folder.
    pub files: Option<String>,
    /// Exchange settings.
    pub exchange: Exchange,
    /// Addresses by configuration.
    pub dial: BTreeMap<Authority, String>,
}

/// What `init` made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// The authority.
    pub authority: Authority,
    /// The fingerprint to give to others.
    pub fingerprint: Fingerprint,
    /// The data folder.
    pub data: PathBuf,
    /// Where the root keys are.
    pub root_keys: PathBuf,
    /// What this machine took the time to be: the root is in force from then.
    pub at: Time,
}

/// The space of own roots in `state`, by version.
pub const ROOT_SPACE: &str = "own-root";

/// The key of version `n` in [`ROOT_SPACE`] and its like: ordered as numbers are.
pub fn version_key(n: u64) -> String {
    format!("{n:010}")
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder is in use.
    #[error("{0} is not empty: `init` makes a new authority and never writes over one")]
    NotEmpty(PathBuf),
    /// The database holds another authority, or this one.
    #[error("the state database holds the authority {0}: `init` makes a new one in a database of its own")]
    Taken(Authority),
    /// The root keys would lie in the data folder.
    #[error("the root keys must not lie in the data folder; name another folder with --root-keys")]
    RootKeysInside,
    /// The root.
    #[error("the first root is not valid: {0}")]
    Root(#[from] record::RootError),
    /// Files.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// What the layers below answer.
    #[error(transparent)]
    Underlying(crate::fault::Underlying),
}

crate::fault::stands_on_underlying!(InitError);

impl Coded for InitError {
    fn code(&self) -> &str {
        match self {
            Self::Underlying(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::NotEmpty(_) => "init-not-empty",
            Self::Taken(_) => "init-taken",
            Self::RootKeysInside => "init-root-keys-inside",
            Self::File { .. } => "init-file",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Underlying(error) => error.arguments(),
            Self::Root(error) => error.arguments(),
            Self::NotEmpty(path) => vec![("path", path.display().to_string())],
            Self::RootKeysInside => Vec::new(),
            Self::Taken(authority) => vec![("authority", authority.to_string())],
            Self::File { path, why } => vec![("path", path.display().to_string()), ("reason", why.clone())],
        }
    }
}

fn empty_or_absent(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// The state of a new authority: nobody's yet.
async fn empty_state(config: &Config) -> Result<SqlCells, InitError> {
    // In PostgreSQL, where a node looks for its state.
    let options = DbOptions { schema: Some("state"), ..DbOptions::default() };
    let state = Db::connect(&config.resolve(&config.storage.state), options).await?;
    let cells = SqlCells::open(state).await?;
    match cells.get(ROOT_SPACE, &version_key(1)).await? {
        None => Ok(cells),
        Some(root) => Err(InitError::Taken(SignedRoot::parse(&root)?.root.authority)),
    }
}

/// Makes a new authority. `now` is the clock's time. What is given is judged before anything is written, so that after a
/// refusal the same command can be given again.
pub async fn init(init: &Init, now: Time) -> Result<Made, InitError> {
    for folder in [&init.data, &init.root_keys] {
        if !empty_or_absent(folder) {
            return Err(InitError::NotEmpty(folder.clone()));
        }
    }
    if init.root_keys.starts_with(&init.data) && !init.exchange.root_keys_inside {
        return Err(InitError::RootKeysInside);
    }
    for folder in [&init.data, &init.root_keys] {
        identity::refuse_writable(folder)?;
    }
    let config = configuration(init);
    let root_keys = generate(&init.authority, Role::Root, 1, ROOT_KEYS)?;
    let next_keys = generate(&init.authority, Role::Root, ROOT_KEYS + 1, ROOT_KEYS)?;
    let mut keys = Vec::new();
    for role in ROLES {
        keys.extend(generate(&init.authority, role, 1, 1)?.into_iter().map(|k| (role, k)));
    }
    let until = now.saturating_add(ROOT_DAYS * DAY);
    let mut secrets = vec![age_keys::generate(now, now.saturating_add(AGE_DAYS * DAY), false)];
    let windows = age_keys::missing_windows(None, now, until);
    secrets.extend(windows.into_iter().map(|(from, until)| age_keys::generate(from, until, true)));
    let root = TrustRoot {
        authority: init.authority.clone(),
        version: 1,
        previous: None,
        from: now,
        until,
        threshold: ROOT_THRESHOLD,
        roots: root_keys.iter().map(|k| k.verifier.clone()).collect(),
        next: Some((
            ROOT_THRESHOLD,
            next_keys.iter().map(|k| sha256(k.verifier.to_string().as_bytes())).collect(),
        )),
        keys: keys
            .iter()
            .map(|(role, k)| ListedKey { role: *role, vkey: k.verifier.clone(), kinds: Vec::new() })
            .collect(),
        age: secrets
            .iter()
            .map(|(recipient, secret)| AgeRecipient {
                recipient: recipient.clone(),
                from: secret.from,
                until: secret.until,
                expiring: secret.expiring,
            })
            .collect(),
        revoked: Vec::new(),
        endpoint: Some(init.endpoint.trim_end_matches('/').to_owned()),
        mirrors: Vec::new(),
        succession: Vec::new(),
        unknown: Vec::new(),
    };
    let signers = root_keys.iter().map(Key::signer).collect::<Result<Vec<_>, _>>()?;
    let signers: Vec<&dyn Signer> = signers.iter().map(|s| s as &dyn Signer).collect();
    let signed = SignedRoot::sign(&root, &signers)?;

    identity::create_private_folder(&init.data)?;
    let cells = empty_state(&config).await?;
    for key in root_keys.iter().chain(&next_keys) {
        key.write(&init.root_keys)?;
    }
    for (_, key) in &keys {
        key.write(&config.keys_folder())?;
    }
    for (recipient, secret) in &secrets {
        saved::put(&cells, AGE_SPACE, recipient, secret).await?;
    }
    cells.swap(ROOT_SPACE, &version_key(1), None, Some(signed.bytes.clone())).await?;
    Guard::create(&config.guard_path())?;
    let path = config.folder.join(crate::config::FILE_NAME);
    std::fs::write(&path, config.to_commented_toml())
        .map_err(|e| InitError::File { path, why: e.to_string() })?;
    Ok(Made {
        authority: init.authority.clone(),
        fingerprint: signed.root.fingerprint(),
        data: init.data.clone(),
        root_keys: init.root_keys.clone(),
        at: now,
    })
}

fn generate(
    authority: &Authority,
    role: Role,
    first: u32,
    count: u32,
) -> Result<Vec<Key>, identity::IdentityError> {
    (first..first + count).map(|n| Key::generate(authority, role, n)).collect()
}

fn configuration(init: &Init) -> Config {
    let or = |given: &Option<String>, usual: &str| given.clone().unwrap_or_else(|| usual.to_owned());
    Config {
        authority: init.authority.clone(),
        code: init.code.clone(),
        names: init.names.clone(),
        listen: init.listen,
        public_url: init.public_url.clone(),
        hosts: Vec::new(),
        server_url: None,
        language: "en".into(),
        zone: "UTC".into(),
        status: init.status,
        storage: Storage {
            state: or(&init.state, "sqlite:state.db"),
            index: or(&init.index, "sqlite:index.db"),
            files: or(&init.files, "file:files"),
        },
        exchange: init.exchange.clone(),
        meet: crate::config::Meet::default(),
        dial: init.dial.clone(),
        places: BTreeMap::new(),
        borders: None,
        groups: None,
        folder: init.data.clone(),
    }
}
