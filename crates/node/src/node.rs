//! A running node: its configuration, databases, keys and peers, and how they are opened and closed.
//!
//! Every command and every page works on this. It opens no socket.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use record::root::{RootChain, TrustRoot};
use record::{Authority, Origin};
use store::{Cells, Db, DbOptions, Files, FolderLock, Guard, LogReader, LogWriter, SqlCells};
use tlog::SignedCheckpoint;

use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::alarm::{self, Alarm};
use crate::config::Config;
use crate::fault::Coded;
use crate::heads;
use crate::identity::Identity;
use crate::index::Index;
use crate::init::{ROOT_SPACE, version_key};
use crate::leading::{self, Lead};
use crate::outbound::{Address, Outbound};
use crate::own_log::{self, OwnLog};
use crate::peers::{self, Known, Standing};
use crate::saved;
use crate::signing::{Permit, Permits};

/// A node that is open.
pub struct Node {
    /// What the operator decided.
    pub config: Config,
    /// The state database.
    pub cells: Arc<dyn Cells>,
    /// The same, for backups.
    pub state: Db,
    /// The index.
    pub index: Index,
    /// Tiles and blobs.
    pub files: Arc<dyn Files>,
    /// Appends to own logs.
    pub writer: LogWriter,
    /// The order of releases.
    pub releasing: crate::release::Releases,
    /// Pages for anybody that are ready.
    pub ready: crate::http::Ready,
    /// What was read of the index for such pages.
    pub reads: crate::desks::shared::Reads,
    /// Held while the index is made anew.
    pub rebuilding: tokio::sync::Mutex<()>,
    /// Requests to other nodes.
    pub outbound: Outbound,
    /// Names of places.
    pub places: formats::places::PlaceNames,
    /// Groups of countries.
    pub groups: formats::places::Groups,
    /// Rises whenever something that `/heads` tells has changed.
    pub news: tokio::sync::watch::Sender<u64>,
    /// The answers of `/heads`.
    pub shown: crate::exchange::ShownHeads,
    /// Becomes true when the server stops: long polls end.
    pub stopping: tokio::sync::watch::Sender<bool>,
    /// The engine's inbox, while the server runs.
    pub inbox: std::sync::OnceLock<crate::exchange::Inbox>,
    /// The exchange with other nodes, as a state machine.
    pub engine: RwLock<federate::Engine>,
    /// The engine's thread, where a command started it for itself.
    pub engine_task: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// What waits for the index.
    pub following: crate::exchange::Following,
    /// Peers that are read from a file at the moment.
    pub bundles: RwLock<BTreeMap<Authority, Arc<federate::bundle::Bundle>>>,
    /// Whether the engine knows what it works for: before that it would say of own logs that they are not there.
    pub exchanging: tokio::sync::watch::Sender<bool>,
    /// Copies of others' logs that are damaged on this disk.
    pub damaged: crate::damaged::Damaged,
    /// When logs were looked at for what is missing of them.
    pub missing: crate::missing::Missing,
    /// Large files that are sent, as far as they were looked at.
    pub whole: crate::exchange::Whole,
    /// Large files of others while they arrive.
    pub arriving: crate::exchange::Arriving,
    /// Mechanisms, as they were computed last.
    pub mechanisms_kept: crate::mechanisms::Kept,
    /// What of the erasure is left to do.
    pub erasing: crate::erasure::Pending,
    /// Who carries the sound and pictures of meetings, while the server runs and if the configuration names one.
    pub carrier: std::sync::OnceLock<crate::desks::meetings::Carrier>,
    /// Tables between their upload and their release.
    pub uploads: crate::desks::import::Uploads,
    /// Who called, while the server leads.
    pub callers: std::sync::OnceLock<crate::exchange::Callers>,
    /// Rung when somebody's right to be in a meeting may have ended.
    pub departures: tokio::sync::Notify,
    /// Counters for `/metrics`.
    pub metrics: crate::metrics::Metrics,
    /// Who leads, where several servers share a database.
    pub lease: Option<store::lease::Lease>,
    /// What this server does.
    pub standing: tokio::sync::watch::Sender<leading::Standing>,
    identity: RwLock<Arc<Identity>>,
    chain: RwLock<Arc<RootChain>>,
    peers: RwLock<Arc<BTreeMap<Authority, Known>>>,
    /// Peers whose roots in `state` are damaged, and why.
    damaged_peers: RwLock<BTreeMap<Authority, String>>,
    /// Whether own logs may sign.
    pub permits: Permits,
    _lock: FolderLock,
}

/// Why a node cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// Another process has the folder.
    #[error(transparent)]
    Lock(#[from] store::LockError),
    /// The index.
    #[error(transparent)]
    Index(#[from] crate::index::IndexError),
    /// Peers.
    #[error(transparent)]
    Peer(#[from] peers::PeerError),
    /// TLS.
    #[error(transparent)]
    Outbound(#[from] crate::outbound::OutboundError),
    /// Names of places.
    #[error("[places] in the configuration: {0}")]
    Places(#[from] formats::places::OverrideError),
    /// Groups of countries.
    #[error("{path}: {why}")]
    Groups {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Erasure.
    #[error(transparent)]
    Erasure(#[from] crate::erasure::ErasureError),
    /// The lease.
    #[error(transparent)]
    Lease(#[from] store::lease::LeaseError),
    /// Another server has the lead.
    #[error("the server at {by} leads: give the command there, or stop it first")]
    Led {
        /// Where it is reached.
        by: String,
    },
    /// The name of this server among those that share its database.
    #[error("{path}: {why}")]
    ServerName {
        /// The file that holds it.
        path: std::path::PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// There is no root of our own.
    #[error(
        "state holds no trust root of {0}: restore a backup, or `concord init` a new authority elsewhere"
    )]
    NoRoot(Authority),
    /// The root is not ours or not valid.
    #[error("the trust root in state is refused: {0}")]
    Root(#[from] record::RootError),
    /// What the layers below answer.
    #[error(transparent)]
    Underlying(crate::fault::Underlying),
}

crate::fault::stands_on_underlying!(OpenError);

impl Coded for OpenError {
    fn code(&self) -> &str {
        match self {
            Self::Config(error) => error.code(),
            Self::Erasure(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Peer(error) => error.code(),
            Self::Outbound(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::Underlying(error) => error.code(),
            Self::Lease(error) => error.code(),
            Self::Led { .. } => "open-led",
            Self::ServerName { .. } => "open-server-name",
            Self::Places(_) => "open-places",
            Self::Groups { .. } => "open-groups",
            Self::NoRoot(_) => "open-no-root",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Config(error) => error.arguments(),
            Self::Erasure(error) => error.arguments(),
            Self::Lock(error) => error.arguments(),
            Self::Index(error) => error.arguments(),
            Self::Peer(error) => error.arguments(),
            Self::Outbound(error) => error.arguments(),
            Self::Root(error) => error.arguments(),
            Self::Underlying(error) => error.arguments(),
            Self::Lease(error) => error.arguments(),
            Self::Led { by } => vec![("leader", by.clone())],
            Self::ServerName { path, why } => {
                vec![("path", path.display().to_string()), ("reason", why.to_string())]
            }
            Self::Places(why) => vec![("reason", why.to_string())],
            Self::Groups { path, why } => vec![("path", path.display().to_string()), ("reason", why.clone())],
            Self::NoRoot(authority) => vec![("authority", authority.to_string())],
        }
    }
}

impl Node {
    /// Opens the node of a data folder, alone: a second process is refused. Where several servers share a
    /// database, this one leads from now on, or is refused.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let node = Self::open_unled(config).await?;
        match node.take_lead(None).await? {
            Lead::Ours => Ok(node),
            Lead::Other(holder) => Err(OpenError::Led { by: leading::address_of(&holder).to_owned() }),
        }
    }

    /// Opens the node and changes nothing: what a server that stands by needs.
    pub async fn open_unled(config: Config) -> Result<Self, OpenError> {
        let lock = FolderLock::acquire(&config.folder)?;
        let state = Db::connect(&config.resolve(&config.storage.state), state_options()).await?;
        let cells: Arc<dyn Cells> = Arc::new(SqlCells::open(state.clone()).await?);
        let lease = leading::lease(&config, &cells)?;
        let cells = lease.as_ref().map_or(cells, store::lease::Lease::fenced);
        let index = Db::connect(&config.resolve(&config.storage.index), index_options()).await?;
        let index = Index::open(index, &config.authority).await?;
        let files: Arc<dyn Files> = Arc::new(store::open_files(&config.resolve(&config.storage.files))?);
        // A server that joins others has none yet. An empty guard vouches for no log that is there already.
        let guard = &config.guard_path();
        let guard = if lease.is_some() { Guard::create(guard)? } else { Guard::open(guard)? };
        let writer = LogWriter::new(cells.clone(), files.clone(), guard);
        let chain = load_own_chain(&*cells, &config.authority).await?;
        let identity = Identity::read(&config.keys_folder())?;
        let peers = peers::load(&*cells).await?;
        let places = place_names(&config)?;
        let groups = groups(&config)?;
        let mut chains = heads::chains_of(&peers.known);
        chains.insert(config.authority.clone(), chain.clone());
        let (engine, ..) = heads::open_engine(&*cells, &*files, &config, &chains).await?;
        let uploads = crate::desks::import::Uploads::new(&config.folder)?;
        Ok(Self {
            outbound: Outbound::new()?,
            cells,
            state,
            index,
            files,
            writer,
            releasing: crate::release::Releases::default(),
            ready: crate::http::Ready::default(),
            reads: crate::desks::shared::Reads::default(),
            rebuilding: tokio::sync::Mutex::new(()),
            places,
            groups,
            news: tokio::sync::watch::Sender::new(0),
            shown: crate::exchange::ShownHeads::default(),
            stopping: tokio::sync::watch::Sender::new(false),
            inbox: std::sync::OnceLock::new(),
            carrier: std::sync::OnceLock::new(),
            uploads,
            callers: std::sync::OnceLock::new(),
            departures: tokio::sync::Notify::new(),
            engine: RwLock::new(engine),
            engine_task: tokio::sync::Mutex::default(),
            following: crate::exchange::Following::default(),
            bundles: RwLock::default(),
            exchanging: tokio::sync::watch::Sender::new(false),
            damaged: crate::damaged::Damaged::default(),
            missing: crate::missing::Missing::default(),
            whole: crate::exchange::Whole::default(),
            arriving: crate::exchange::Arriving::within(&config.folder),
            mechanisms_kept: crate::mechanisms::Kept::default(),
            erasing: crate::erasure::Pending::default(),
            metrics: crate::metrics::Metrics::default(),
            identity: RwLock::new(Arc::new(identity)),
            chain: RwLock::new(Arc::new(chain)),
            peers: RwLock::new(Arc::new(peers.known)),
            damaged_peers: RwLock::new(peers.damaged),
            permits: Permits::default(),
            lease,
            standing: tokio::sync::watch::Sender::new(leading::Standing::Starting),
            config,
            _lock: lock,
        })
    }

    /// Takes the lead if nobody else has it: reads again what another leader may have changed, and finishes
    /// what it, or a crash, left undone. What of others' records is not in the index after `patience` gets there while the
    /// server runs.
    pub async fn take_lead(&self, patience: Option<Duration>) -> Result<Lead, OpenError> {
        if let Some(lease) = &self.lease {
            let holder = lease.acquire(leading::now(), leading::random()?).await?;
            if !lease.is_ours(&holder) {
                return Ok(Lead::Other(holder));
            }
        }
        self.take_root(load_own_chain(&*self.cells, &self.config.authority).await?)?;
        self.take_peers(peers::load(&*self.cells).await?);
        self.tell_of_damaged_peers().await;
        self.tell_of_missing_keys().await;
        self.tell_of_damaged_age_keys().await?;
        self.look_at_heads().await?;
        let (engine, righted, unread) =
            heads::open_engine(&*self.cells, &*self.files, &self.config, &self.chains_here()).await?;
        self.keep_righted(righted).await?;
        self.leave_out(unread).await?;
        *self.engine.write().unwrap_or_else(std::sync::PoisonError::into_inner) = engine;
        self.recover(patience).await?;
        // What was overdue while nobody led; and what a crash may have left in the databases' own logs.
        self.erase_overdue(crate::clock::now()).await?;
        for db in [self.index.db(), &self.state] {
            match db.checkpoint_truncate().await {
                Err(error) if error.code() == "disk-full" => {
                    tracing::error!(%error, "done at the next start");
                }
                done => drop(done?),
            }
        }
        self.standing.send_replace(leading::Standing::Leads);
        Ok(Lead::Ours)
    }

    /// Finishes what a crash interrupted: published own logs, index, names of peers.
    async fn recover(&self, patience: Option<Duration>) -> Result<(), OpenError> {
        for (origin, _) in self.own_heads().await? {
            match self.writer.open(&origin.to_string(), &federate::places::own(&origin)).await {
                // What may not sign is still shown; the permit says why it waits.
                Ok(_) | Err(store::LogError::GuardAhead { .. } | store::LogError::GuardMissing { .. }) => {}
                Err(error) if error.is_damage() => {
                    tracing::error!(%error, %origin, "an own log waits: its files must be fetched back");
                    self.permits.set_damaged(&origin, true);
                }
                // Whoever appends next opens it then, or is told that the disk is full.
                Err(error) if error.code() == "disk-full" => {
                    tracing::error!(%error, %origin, "what was released last is published once there is room");
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.look_at_damaged().await?;
        // What a rebuild that was cut off left behind.
        self.index.db().discard_beside().await?;
        match self.catch_up(patience).await {
            Err(error) if error.code() == "disk-full" => {
                tracing::error!(%error, "the index is behind until there is room and the node is started again");
            }
            done => done?,
        }
        self.own_logs_follow().await?;
        for log in self.own_logs().await? {
            self.look_at_guard(&log.origin).await;
            let head = self.own_head(&log.origin).await?;
            let standing = self.engine_log(&log, head).await?.standing;
            self.permits.set(&log.origin, Permit::at_start(standing));
        }
        Ok(())
    }

    /// Says that the guard of a log cannot be read: the log waits for its witnesses, and the file is written anew then.
    async fn look_at_guard(&self, origin: &Origin) {
        if let Err(store::GuardError::Damaged { path }) = self.writer.guard().read(&origin.to_string()) {
            let alarm = Alarm::new("alarm-guard-damaged").with("origin", &origin.to_string());
            // However the folder was named when this process was started, it is one and the same alarm.
            let path = std::fs::canonicalize(&path).unwrap_or(path);
            alarm::raise(&*self.cells, alarm.with("path", &path.display().to_string())).await;
        }
    }

    /// The keys in use.
    pub fn identity(&self) -> Arc<Identity> {
        self.identity.read().expect("never poisoned: no code panics while it holds it").clone()
    }

    /// Own roots.
    pub fn own_chain(&self) -> Arc<RootChain> {
        self.chain.read().expect("never poisoned").clone()
    }

    /// The newest own root.
    pub fn own_root(&self) -> TrustRoot {
        self.own_chain().latest().clone()
    }

    /// Takes a new own root and the keys it lists into use.
    pub fn take_root(&self, chain: RootChain) -> Result<(), OpenError> {
        let identity = Identity::read(&self.config.keys_folder())?;
        *self.identity.write().expect("never poisoned") = Arc::new(identity);
        *self.chain.write().expect("never poisoned") = Arc::new(chain);
        Ok(())
    }

    /// Every known authority.
    pub fn peers(&self) -> Arc<BTreeMap<Authority, Known>> {
        self.peers.read().expect("never poisoned").clone()
    }

    fn take_peers(&self, peers: peers::Loaded) {
        *self.peers.write().expect("never poisoned") = Arc::new(peers.known);
        *self.damaged_peers.write().expect("never poisoned") = peers.damaged;
    }

    /// Peers that are left out because their roots in `state` are damaged, and why.
    pub fn damaged_peers(&self) -> BTreeMap<Authority, String> {
        self.damaged_peers.read().expect("never poisoned").clone()
    }

    async fn tell_of_damaged_peers(&self) {
        for (peer, why) in self.damaged_peers() {
            let alarm = Alarm::new("alarm-peer-damaged").with("peer", peer.as_str()).with("reason", &why);
            alarm::raise(&*self.cells, alarm).await;
        }
    }

    async fn tell_of_missing_keys(&self) {
        let identity = Identity::read(&self.config.keys_folder()).unwrap_or_default();
        let place_of = |role| {
            identity.damaged_of(role).map_or_else(|| self.config.keys_folder(), |(path, _)| path.clone())
        };
        for missing in self.missing_keys() {
            let alarm = Alarm::new("alarm-key-missing").with("role", &missing.to_string());
            let alarm = alarm.with("path", &place_of(missing).display().to_string());
            alarm::raise(&*self.cells, alarm).await;
        }
    }

    /// Says which age keys in `state` are none any more: what is sealed to them would be missing here without a word.
    async fn tell_of_damaged_age_keys(&self) -> Result<(), OpenError> {
        let (secrets, unreadable) = saved::readable::<AgeSecret>(&*self.cells, AGE_SPACE).await?;
        for recipient in unreadable {
            let alarm = Alarm::new("alarm-age-key-damaged").with("recipient", &recipient);
            alarm::raise(&*self.cells, alarm).await;
        }
        for (recipient, secret) in &secrets {
            let key = secret.identity.parse::<record::seal::Identity>();
            if key.is_ok_and(|key| key.recipient() == recipient) {
                continue;
            }
            let alarm = Alarm::new("alarm-age-key-damaged").with("recipient", recipient);
            alarm::raise(&*self.cells, alarm).await;
        }
        Ok(())
    }

    /// The roles of operational keys that the newest own root lists and whose files are not in the folder of keys.
    pub fn missing_keys(&self) -> Vec<record::root::Role> {
        use record::root::Role;
        let root = self.own_root();
        let identity = Identity::read(&self.config.keys_folder()).unwrap_or_default();
        let roles = [Role::Author, Role::Log, Role::Caller, Role::Witness, Role::Holds];
        roles.into_iter().filter(|role| identity.key(*role, &root).is_err()).collect()
    }

    /// Those with whom the exchange is on.
    pub fn confirmed_peers(&self) -> Vec<Known> {
        self.peers().values().filter(|k| k.peer.standing == Standing::Confirmed).cloned().collect()
    }

    /// One of them.
    pub fn confirmed_peer(&self, authority: &Authority) -> Option<Known> {
        self.peers().get(authority).filter(|k| k.peer.standing == Standing::Confirmed).cloned()
    }

    /// Reads the peers again.
    pub async fn read_peers(&self) -> Result<(), OpenError> {
        self.take_peers(peers::load(&*self.cells).await?);
        self.departures.notify_one();
        Ok(())
    }

    /// Reads the peers again after a change, and tells the index.
    pub async fn reload_peers(&self) -> Result<(), OpenError> {
        self.read_peers().await?;
        self.index.writer(self).await.authorities().await?;
        self.index.follower(self).witnesses_changed().await?;
        Ok(())
    }

    /// The roots of any authority known here, this one included.
    pub fn chain_of(&self, authority: &Authority) -> Option<Arc<RootChain>> {
        if *authority == self.config.authority {
            return Some(self.own_chain());
        }
        self.peers().get(authority).map(|known| Arc::new(known.chain.clone()))
    }

    fn chains_here(&self) -> heads::Chains {
        let mut chains = heads::chains_of(&self.peers());
        chains.insert(self.config.authority.clone(), self.own_chain().as_ref().clone());
        chains
    }

    /// Where a peer is reached.
    pub fn address_of(&self, authority: &Authority) -> Option<Address> {
        self.peers().get(authority)?.address(&self.config)
    }

    /// Every own log.
    pub async fn own_logs(&self) -> Result<Vec<OwnLog>, crate::saved::SavedError> {
        own_log::list(&*self.cells).await
    }

    /// The heads of own logs that have entries.
    pub async fn own_heads(&self) -> Result<Vec<(Origin, SignedCheckpoint)>, store::LogError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.cells.scan(store::log::HEAD, "", after.as_deref(), heads::PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            after = Some(last.clone());
            for origin in page.iter().filter_map(|(origin, _)| origin.parse::<Origin>().ok()) {
                let head = self.own_head(&origin).await?;
                found.extend(head.map(|head| (origin, head)));
            }
        }
    }

    /// Reads an own log up to its head.
    pub async fn own_reader(&self, origin: &Origin) -> Result<LogReader, store::LogError> {
        self.writer.reader(&origin.to_string(), &federate::places::own(origin)).await
    }

    /// Reads the verified copy of a log up to `size`.
    pub fn mirror_reader(&self, origin: &Origin, size: u64) -> LogReader {
        LogReader::new(self.files.clone(), store::layout::mirror(&origin.to_string()), size)
    }

    /// Says that something `/heads` tells has changed.
    pub fn tell_news(&self) {
        self.news.send_modify(|n| *n += 1);
    }

    /// Waits for what is under way, ends the engine, if a command started it, and closes the databases.
    pub async fn close(&self) {
        self.releasing.ended().await;
        if let Some(engine) = self.engine_task.lock().await.take() {
            if let Some(inbox) = self.inbox.get() {
                inbox.send(crate::exchange::Message::Stop);
            }
            if let Err(error) = engine.await {
                tracing::error!(%error, "the engine broke off");
            }
        }
        self.following.end().await;
        if let Err(error) = self.writer.settle().await {
            tracing::warn!(%error, "own logs could not be settled; the next start does it");
        }
        if let Some(lease) = &self.lease
            && let Err(error) = lease.release().await
        {
            tracing::warn!(%error, "the lead could not be given up; it expires by itself");
        }
        self.index.db().close().await;
        self.state.close().await;
    }
}

/// What every database that may hold personal data needs.
fn state_options() -> DbOptions {
    DbOptions { secure_delete: true, schema: Some("state"), ..DbOptions::default() }
}

/// What the index lost in a power cut is replayed at the start.
fn index_options() -> DbOptions {
    DbOptions { secure_delete: true, schema: Some("index"), durable: false, ..DbOptions::default() }
}

fn place_names(config: &Config) -> Result<formats::places::PlaceNames, OpenError> {
    let mut table = String::new();
    for (iso3, names) in &config.places {
        for (lang, name) in names {
            table.push_str(&format!("{iso3}\t{lang}\t{name}\n"));
        }
    }
    Ok(formats::places::PlaceNames::bundled().with_overrides(&table)?)
}

/// WHO's regions, those of UN M49, and the operator's own.
fn groups(config: &Config) -> Result<formats::places::Groups, OpenError> {
    let bundled = formats::places::Groups::bundled();
    let Some(path) = config.groups.as_ref().map(|path| config.folder.join(path)) else { return Ok(bundled) };
    let refused = |why: String| OpenError::Groups { path: path.clone(), why };
    let table = std::fs::read_to_string(&path).map_err(|why| refused(why.to_string()))?;
    bundled.with_table(&table).map_err(|why| refused(why.to_string()))
}

async fn load_own_chain(cells: &dyn Cells, authority: &Authority) -> Result<RootChain, OpenError> {
    let first = cells.get(ROOT_SPACE, &version_key(1)).await?;
    let mut chain = RootChain::accept_first(&first.ok_or_else(|| OpenError::NoRoot(authority.clone()))?)?;
    if chain.authority() != authority {
        return Err(OpenError::NoRoot(authority.clone()));
    }
    let mut version = 2;
    while let Some(bytes) = cells.get(ROOT_SPACE, &version_key(version)).await? {
        chain.extend(&bytes)?;
        version += 1;
    }
    Ok(chain)
}
