//! A node in a folder that can be cut off at any write and opened again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use node::command::{Command, KeyCommand, PeerAdd, PeerCommand, RootCommand};
use node::config::{Config, Exchange};
use node::identity::Key;
use node::init::{Init, init};
use node::node::Node;
use node::release::{Content, Draft, Released};
use node::signing::Permit;
use node::{clock, operate};
use record::root::Role;
use record::{Authority, Status};
use store::files::Keep;
use store::{Cells, CellsError, Files, FilesError, Guard, LogWriter, Swap};
use tempfile::TempDir;
use tlog::{Note, Signer};

/// The data folder of an authority, and its database if it is not in the folder.
pub struct Home {
    folder: TempDir,
    name: String,
}

/// How many writes go through before nothing does any more.
#[derive(Clone)]
pub struct Fate {
    left: Arc<AtomicUsize>,
    /// Was a write cut off?
    over: Arc<AtomicBool>,
    /// Is the write that is cut off made all the same?
    answer_is_lost: bool,
}

impl Fate {
    /// Nothing fails.
    pub fn good() -> Self {
        Self::after(usize::MAX >> 1)
    }

    /// Cut off after so many writes.
    pub fn after(writes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(writes)), over: Arc::default(), answer_is_lost: false }
    }

    /// The write that is cut off is made all the same, and nobody hears of it.
    pub fn losing_answer(self, answer_is_lost: bool) -> Self {
        Self { answer_is_lost, ..self }
    }

    /// Whether a write is made, and whether it is the one that is cut off.
    fn next(&self) -> (bool, bool) {
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => (true, false),
            Err(_) => (false, !self.over.swap(true, Ordering::SeqCst)),
        }
    }

    /// Did it come to that?
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

struct CutCells(Arc<dyn Cells>, Fate);

#[async_trait]
impl Cells for CutCells {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, CellsError> {
        self.0.get(space, key).await
    }

    async fn swap_all(&self, swaps: &[Swap]) -> Result<bool, CellsError> {
        match self.1.next() {
            (true, _) => self.0.swap_all(swaps).await,
            (false, true) if self.1.answer_is_lost => {
                self.0.swap_all(swaps).await?;
                Err(CellsError::Fault)
            }
            _ => Err(CellsError::Fault),
        }
    }

    async fn scan(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, CellsError> {
        self.0.scan(space, prefix, after, limit).await
    }
}

struct CutFiles(Arc<dyn Files>, Fate);

impl CutFiles {
    fn write(&self, path: &str) -> Result<(), FilesError> {
        if self.1.next().0 { Ok(()) } else { Err(FilesError::Fault { path: path.to_owned() }) }
    }
}

#[async_trait]
impl Files for CutFiles {
    async fn get(&self, path: &str) -> Result<Option<Bytes>, FilesError> {
        self.0.get(path).await
    }

    async fn get_range(&self, path: &str, range: std::ops::Range<u64>) -> Result<Option<Bytes>, FilesError> {
        self.0.get_range(path, range).await
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FilesError> {
        self.0.size(path).await
    }

    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        self.write(path)?;
        self.0.put(path, bytes).await
    }

    async fn put_new(&self, path: &str, bytes: Bytes) -> Result<bool, FilesError> {
        self.write(path)?;
        self.0.put_new(path, bytes).await
    }

    async fn put_unless(&self, path: &str, bytes: Bytes, keep: Keep<'_>) -> Result<bool, FilesError> {
        self.write(path)?;
        self.0.put_unless(path, bytes, keep).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, FilesError> {
        self.0.list(prefix).await
    }

    async fn delete(&self, path: &str) -> Result<(), FilesError> {
        self.write(path)?;
        self.0.delete(path).await
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), FilesError> {
        self.write(prefix)?;
        self.0.delete_prefix(prefix).await
    }

    async fn stage(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        self.write(path)?;
        self.0.stage(path, bytes).await
    }

    async fn put_deferred(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        self.write(files.first().map_or("", |(path, _)| path.as_str()))?;
        self.0.put_deferred(files).await
    }

    async fn settle(&self, paths: &[String]) -> Result<(), FilesError> {
        self.0.settle(paths).await
    }

    fn defers(&self) -> bool {
        self.0.defers()
    }
}

/// The databases that a test runs on: `SQLite` in the folder, and `PostgreSQL` if `make test` started one.
pub fn databases(test: &str) -> Vec<Option<String>> {
    let mut all = vec![None];
    if let Ok(server) = std::env::var("CONCORD_TEST_POSTGRES") {
        let unique = format!("act_{test}_{}", std::process::id());
        let made = std::process::Command::new("psql")
            .args(["--quiet", "--no-psqlrc", &server, "--command", &format!("create database {unique}")])
            .status()
            .expect("psql runs");
        assert!(made.success(), "the database cannot be made");
        let (server, _) = server.rsplit_once('/').expect("a URL with a database");
        all.push(Some(format!("{server}/{unique}")));
    }
    all
}

impl Home {
    /// A new authority.
    pub async fn of(name: &str) -> Self {
        Self::on(name, None).await
    }

    /// The same, with both databases at a URL.
    pub async fn on(name: &str, database: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = Init {
            authority: name.parse().expect("a name"),
            code: "XTS".into(),
            names: BTreeMap::from([("en".into(), format!("Health of {name}"))]),
            data: folder.path().join("data"),
            root_keys: folder.path().join("root-keys"),
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: "http://127.0.0.1:1".into(),
            endpoint: format!("https://concord.{name}"),
            status: Status::Exercise,
            state: database.clone(),
            index: database,
            files: None,
            exchange: Exchange { replay: true, ..Exchange::default() },
            dial: BTreeMap::new(),
        };
        init(&made, clock::now()).await.expect("init");
        Self { folder, name: name.to_owned() }
    }

    fn config(&self) -> Config {
        Config::load(&self.folder.path().join("data")).expect("a configuration")
    }

    /// Its node, as a command without a server opens it.
    pub async fn open(&self) -> Arc<Node> {
        self.open_with(Fate::good()).await
    }

    /// The same, cut off as its fate says from then on.
    pub async fn open_with(&self, fate: Fate) -> Arc<Node> {
        let mut node = Node::open_unled(self.config()).await.expect("it opens");
        node.take_lead(None).await.expect("it leads");
        // Nobody is asked here whether the logs are whole.
        for log in node.own_logs().await.expect("notes") {
            node.permits.set(&log.origin, Permit::Granted);
        }
        let cells: Arc<dyn Cells> = Arc::new(CutCells(node.cells.clone(), fate.clone()));
        let files: Arc<dyn Files> = Arc::new(CutFiles(node.files.clone(), fate.clone()));
        let guard = Guard::open(&node.config.guard_path()).expect("a guard");
        let guard = guard.with_fault(move |_, _| fate.next().0);
        node.writer = LogWriter::new(cells.clone(), files.clone(), guard);
        node.cells = cells;
        node.files = files;
        Arc::new(node)
    }

    /// What `state` says of every own log, as a crash left it: nothing is repaired.
    pub async fn notes(&self) -> Vec<node::own_log::OwnLog> {
        let node = Node::open_unled(self.config()).await.expect("it opens");
        let notes = node.own_logs().await.expect("notes");
        node.index.db().close().await;
        node.state.close().await;
        notes
    }

    /// The root that revokes the log key, drafted and signed, to be published.
    pub async fn next_root_without_log_key(&self, node: &Arc<Node>) -> PathBuf {
        let stolen = node.own_chain().latest().keys_of(Role::Log).next().expect("a key").vkey.to_string();
        let file = self.folder.path().join("next.root");
        let key = |n: u32| {
            let path = self.folder.path().join(format!("root-keys/root-{n}.key"));
            Key::read(&path).expect("a root key").signer().expect("it signs")
        };
        let vkeys = |keys: [u32; 3]| keys.map(|n| key(n).key().to_string()).to_vec();
        let draft = RootCommand::Draft {
            file: file.clone(),
            root_keys: vkeys([4, 5, 6]),
            next_keys: vkeys([1, 2, 3]),
            next_threshold: None,
            days: 365,
        };
        let rotate = KeyCommand::Rotate { role: "log".into() };
        let revoke = KeyCommand::Revoke { vkey: stolen, since: None };
        for command in [Command::Key(rotate), Command::Key(revoke), Command::Root(draft)] {
            operate::run(node, command).await.expect("done");
        }
        let signers = [4, 5].map(key);
        let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
        let text = std::fs::read_to_string(&file).expect("a draft");
        std::fs::write(&file, Note::sign(&text, &signers).expect("signed").to_bytes()).expect("written");
        file
    }

    /// Confirms another authority, as two operators do.
    pub async fn confirm(&self, other: &Self) {
        let (one, two) = (self.open().await, other.open().await);
        let shown = operate::run(&two, Command::Root(RootCommand::Show)).await.expect("root show").json;
        let root = self.folder.path().join(format!("{}.root", other.name));
        std::fs::write(&root, shown["root"].as_str().expect("a root")).expect("written");
        let fingerprint = two.own_chain().fingerprint().to_string();
        let authority: Authority = other.name.parse().expect("a name");
        let add = PeerAdd {
            authority: authority.clone(),
            fingerprint: fingerprint.clone(),
            code: None,
            name: Vec::new(),
            role: "ministry".into(),
            endpoint: None,
            root: Some(root),
        };
        operate::run(&one, Command::Peer(PeerCommand::Add(add))).await.expect("peer add");
        operate::run(&one, Command::Peer(PeerCommand::Confirm { authority, fingerprint }))
            .await
            .expect("peer confirm");
        close(one).await;
        close(two).await;
    }
}

/// Leaves a node's folder as a crash does: what began has ended, and nothing is settled.
pub async fn crash(node: Arc<Node>) {
    node.releasing.ended().await;
    node.index.db().close().await;
    node.state.close().await;
}

/// Closes a node and lets go of its folder.
pub async fn close(node: Arc<Node>) {
    node.close().await;
}

/// A short notice.
pub fn notice(text: &str) -> Draft {
    let mut draft = Draft::new("notice", Status::Exercise);
    draft.contents.push(Content {
        media_type: "text/plain;charset=utf-8".parse().expect("a media type"),
        lang: Some("en".parse().expect("a language")),
        bytes: text.as_bytes().to_vec(),
    });
    draft
}

/// Every record of an own log that is not of the log itself: kind, id, edition and name, in order.
pub async fn editions(node: &Node, id: record::Ulid) -> Vec<(i64, String, Option<String>)> {
    let sql = "select edition, name, supersedes from entry where id = $1 order by released, pos";
    let rows = node.index.db().rows(sql, &[id.to_string().into()]).await.expect("rows");
    let read = |row: &store::db::Row| {
        (row.int(0).expect("an edition"), row.text(1).expect("a name"), row.opt_text(2).expect("a name"))
    };
    rows.iter().map(read).collect()
}

/// The only record that was released.
pub fn only(released: Vec<Released>) -> Released {
    assert_eq!(released.len(), 1);
    released.into_iter().next().expect("one")
}
