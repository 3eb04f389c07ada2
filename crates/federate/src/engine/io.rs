//! What goes into the engine and what comes out: the whole contract with whoever has sockets, clocks, disks
//! and keys. Nothing happens here.

use std::collections::BTreeSet;

use record::{Anchor, Authority, Fingerprint, Judged, LogState, Origin, Readers, Record, RootChain, Status};
use tlog::{NoteSignature, SignedCheckpoint};

use crate::alarm::Alarm;
use crate::paths::Route;

/// The spaces of the engine's cells: what [`Snapshot`] is made of.
pub const SPACES: [&str; 9] = [LOG, HELD, FOLLOW, WANT, UNFETCHED, ERASED, OWN, WITNESS, ALARM];
/// Per followed log: the count of its `seen` files here, and whether it has two views. Key: origin.
pub const LOG: &str = "federate.log";
/// Per followed log: the newest receipt signed here. Key: origin.
pub const HELD: &str = "federate.held";
/// Per followed log: how far it is verified. Key: origin.
pub const FOLLOW: &str = "federate.follow";
/// Blobs to fetch, per record that wants them. Key: `<sha256(origin)>/<sha256>/<name>`; earlier, without the name.
pub const WANT: &str = "federate.want";
/// Records of restricted logs of which something cannot be had. Key: `<sha256(origin)>/<name>/<why>`.
pub const UNFETCHED: &str = "federate.unfetched";
/// Records of which their author erased its own copies. Key: `<author>/<name>/<status>`.
pub const ERASED: &str = "federate.erased";
/// Per own log: counts of `seen` files (key: origin) and of archived receipts (key: origin and authority).
pub const OWN: &str = "federate.own";
/// Per origin: the checkpoint cosigned last. Key: origin.
pub const WITNESS: &str = "federate.witness";
/// Alarms raised. Key: SHA-256 of what makes an alarm the same one. Value: code and arguments, one per line.
pub const ALARM: &str = "federate.alarm";

/// Names a request of the engine until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

/// Names a request of somebody else until it is replied to; chosen by the caller of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Everything that was persisted: all cells of [`SPACES`].
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Space, key and value.
    pub cells: Vec<(String, String, Vec<u8>)>,
}

/// A confirmed authority with which logs are exchanged.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name.
    pub authority: Authority,
    /// By which it is pinned.
    pub fingerprint: Fingerprint,
    /// Its verified roots, as far as stored.
    pub chain: RootChain,
    /// Whether an address is known.
    pub reachable: bool,
}

/// How the guard stands to the head of an own log; the same as in the `store` crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardStanding {
    /// The log is new: it asks nobody.
    New,
    /// The guard is not ahead of the head.
    InStep,
    /// There is no guard.
    Missing,
    /// A larger size was signed here.
    Ahead {
        /// The largest size signed.
        signed: u64,
    },
    /// The files on this disk do not lead to the head: they are fetched back before anything else.
    Damaged,
}

/// An own log, given at the start, and again whenever its head moved.
#[derive(Debug, Clone)]
pub struct OwnLog {
    /// Its origin.
    pub origin: Origin,
    /// Its newest committed checkpoint; `None` if nothing was appended yet.
    pub checkpoint: Option<SignedCheckpoint>,
    /// The bytes of its witness policy.
    pub policy: Vec<u8>,
    /// Its readers.
    pub readers: Readers,
    /// Whether it goes on: nothing mends the policy of one that ended.
    pub is_open: bool,
    /// Of the guard; counts only when the log is given for the first time.
    pub standing: GuardStanding,
}

/// What came back for a fetch or a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An answer within the limit.
    Response {
        /// The HTTP status.
        status: u16,
        /// The entity tag.
        etag: Option<String>,
        /// The server's time (its `Date` header), POSIX seconds.
        date: Option<u64>,
        /// The body.
        body: Vec<u8>,
    },
    /// The same, of a fetch that asked for it, in a file of the driver's: kept by [`Write::Keep`] or let go by
    /// [`Output::Discard`].
    File {
        /// The HTTP status.
        status: u16,
        /// The fetch, by which the file is named.
        file: Id,
        /// SHA-256 of what is in it.
        sha256: tlog::Hash,
        /// How many bytes.
        bytes: u64,
    },
    /// The answer was longer than the limit; reading stopped there.
    TooLarge,
    /// No answer: refused, broken off, timed out, a wrong certificate.
    Failed,
}

/// What the engine is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// The deadline passed.
    Tick,
    /// The confirmed peers, all of them, replacing those given before.
    Peers(Vec<PeerConfig>),
    /// The authorities with which an operator ended the exchange, all of them, replacing those given before.
    Removed(BTreeSet<Authority>),
    /// The own roots. A version that was not given before is sent to every peer.
    OwnRoots(RootChain),
    /// An own log, new or grown. To be given before its checkpoint is answered to the person who released.
    OwnLog(Box<OwnLog>),
    /// What is signed of an own log and about to be published: whoever shows it shows nothing foreign. To be given before that.
    Appending(Origin, Box<SignedCheckpoint>),
    /// An answer to a fetch or post.
    Answer {
        /// Which.
        id: Id,
        /// The answer.
        answer: Answer,
    },
    /// The files asked for by [`Output::Read`], in the order of the paths.
    Read {
        /// Which.
        id: Id,
        /// Their bytes; `None` for one that is not there.
        files: Vec<Option<Vec<u8>>>,
    },
    /// All writes are durable.
    Stored {
        /// Which.
        id: Id,
    },
    /// Some of the writes may not have happened.
    StoreFailed {
        /// Which.
        id: Id,
    },
    /// A `POST /nudge`. Answered by [`Output::Reply`].
    Nudge {
        /// Names it.
        request: RequestId,
        /// The body.
        body: Vec<u8>,
    },
    /// The heads that lie in a file of this peer's, which is read in its place: the logs that they show are fetched from it.
    /// Answered by [`Output::Reply`] as soon as they are taken in; 422 if they are none.
    HeadsShown {
        /// Names it.
        request: RequestId,
        /// Whose file.
        peer: Authority,
        /// As `/heads` answers.
        body: Vec<u8>,
    },
    /// A root that lies in a file of this peer's, its own or another's: nothing in its logs need speak of it yet.
    RootShown {
        /// Whose file.
        peer: Authority,
        /// The signed root.
        bytes: Vec<u8>,
    },
    /// A `POST /add-checkpoint`. Answered by [`Output::Reply`].
    AddCheckpoint {
        /// Names it.
        request: RequestId,
        /// The body.
        body: Vec<u8>,
    },
    /// The cosignature line asked for; `None` if the key did not sign.
    Signed {
        /// Which.
        id: Id,
        /// The line.
        line: Option<NoteSignature>,
    },
    /// A valid record quotes cosigned checkpoints of other logs, each verified as that of a witness.
    Quoted {
        /// Its author.
        by: Authority,
        /// What it quotes.
        anchors: Vec<Anchor>,
    },
    /// An operator takes the responsibility that an own log may sign.
    Resume {
        /// The log.
        origin: Origin,
    },
    /// Files of an own log on this disk are not those of its head: it does not sign until they were fetched back.
    Damaged {
        /// The log.
        origin: Origin,
    },
    /// A desk wants all of a record of which only the first blob is wanted by itself: one that expires. Nothing
    /// happens if nothing of it waits for that. Receipts wait for what was asked for.
    WantBlobs {
        /// A log that holds the record.
        origin: Origin,
        /// The record's name.
        name: tlog::Hash,
    },
    /// What an author's entries and the files that they name take on this disk, answered to [`Event::Measure`]:
    /// [`crate::footprint::said`] of the entries and [`crate::footprint::file`] of each file. What
    /// is kept of entries and logs beside that is added here.
    Used {
        /// The author.
        author: Authority,
        /// Bytes.
        bytes: u64,
    },
    /// Whether so little is free on this disk that nothing of others is taken: what is left is for what this authority
    /// itself releases.
    Space {
        /// Whether.
        is_low: bool,
    },
    /// An operator settled an alarm, named by [`Alarm::name`].
    ///
    /// [`Alarm::name`]: crate::alarm::Alarm::name
    Settled {
        /// Which.
        key: String,
    },
    /// Files of a record that were stored and are gone, or changed, on this disk. They are fetched again, as far as they
    /// would be of a new record; receipts wait for them. To be given only if [`Engine::waits_for`] says no.
    ///
    /// [`Engine::waits_for`]: super::Engine::waits_for
    Lost {
        /// A log that holds the record.
        origin: Origin,
        /// Its place there.
        index: u64,
        /// The record.
        record: Box<Record>,
        /// Hashes of the blobs that it names and that are lost.
        lost: Vec<tlog::Hash>,
    },
    /// A sealed record that was opened here `erases` others of its author, which the engine cannot see: nothing
    /// of them is waited for any more. To be given when it is opened; giving it again does no harm.
    Erased {
        /// Its author.
        by: Authority,
        /// Its status: records of another one are not meant.
        status: Status,
        /// The names of the records.
        names: Vec<tlog::Hash>,
    },
}

/// One durable change. A list is executed in order; a later one must not survive a crash that an earlier one
/// did not, except that files which follow each other may become durable in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes or replaces a file below the root of the files.
    File {
        /// Where.
        path: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Moves a file of [`Answer::File`] below the root of the files.
    Keep {
        /// Where.
        path: String,
        /// Which.
        file: Id,
    },
    /// Sets or removes a cell of one of [`SPACES`].
    Cell {
        /// The space.
        space: &'static str,
        /// The key.
        key: String,
        /// The value; `None` removes.
        value: Option<Vec<u8>>,
    },
    /// Keeps a peer's next trust root beside the earlier ones; given back by [`Input::Peers`].
    Root {
        /// Whose.
        authority: Authority,
        /// The version.
        version: u64,
        /// As served.
        bytes: Vec<u8>,
    },
    /// Sets the head of an own log to a checkpoint whose entries were fetched back and written before: the
    /// head cell and then the guard.
    Head {
        /// The log.
        origin: Origin,
        /// Its checkpoint.
        checkpoint: SignedCheckpoint,
    },
}

/// Entries that a store makes part of this node's copy.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The log.
    pub origin: Origin,
    /// The place of the first entry.
    pub from: u64,
    /// One after the last.
    pub to: u64,
    /// The entries, judged, in order.
    pub judged: Vec<Judged>,
    /// What the log is after the last of them.
    pub state: LogState,
    /// The verified checkpoint of exactly this size, if it was reached.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// What becomes true once a store's writes are durable; the index is fed with it.
#[derive(Debug, Clone)]
pub enum Event {
    /// Entries of a followed log, or of an own one that were fetched back.
    Entries(Box<Commit>),
    /// A `seen` file of a followed or own log.
    Seen {
        /// The log.
        origin: Origin,
        /// Its number.
        n: u64,
        /// The checkpoint with its cosignatures.
        checkpoint: Box<SignedCheckpoint>,
        /// Whether another one stood under this number, which gave way to the author's.
        replaces: bool,
    },
    /// A blob that a record names.
    Blob {
        /// The log.
        origin: Origin,
        /// The blob.
        sha256: tlog::Hash,
    },
    /// A fetch receipt of a peer for an own log.
    Receipt {
        /// The log.
        origin: Origin,
        /// Whose receipt.
        authority: Authority,
        /// Its number among those archived.
        n: u64,
        /// How many entries are held.
        size: u64,
        /// When, POSIX seconds, by the reader's clock.
        time: u64,
    },
    /// At a start, and when an author may have reached its quota: what is stored of it by now is to be measured, and told
    /// by [`Input::Used`].
    Measure {
        /// The author.
        author: Authority,
        /// What the files take that its records name by now and that are not here, each [`crate::footprint::file`].
        awaited: u64,
    },
    /// Something of a record of a restricted log cannot be had: its author is to be told. Said once per record and
    /// reason, also over restarts; [`super::Engine::unfetched`] tells all of which it is still so.
    Unfetched(UnfetchedRecord),
    /// A next trust root of a peer was taken.
    Root {
        /// Whose.
        authority: Authority,
        /// The version.
        version: u64,
    },
}

/// Why something of a record cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhyUnfetched {
    /// A blob is larger than is ever fetched ([`record::MAX_BLOB`], [`record::MAX_INNER_BLOB`]).
    Large,
    /// A wanted blob did not come in time ([`super::Limits::missing_after`]). It is tried further.
    Missing,
}

impl WhyUnfetched {
    /// The word of an `unread` record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Large => "large",
            Self::Missing => "missing",
        }
    }
}

/// A record of a restricted log of which something cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfetchedRecord {
    /// The log.
    pub origin: Origin,
    /// The record's place in it.
    pub index: u64,
    /// The record's name.
    pub name: tlog::Hash,
    /// Why.
    pub why: WhyUnfetched,
}

/// What a key is asked to sign; time is the signer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignRequest {
    /// A witness cosignature, by the `witness` key, on the text of a checkpoint.
    Cosign(SignedCheckpoint),
    /// A fetch receipt, by the `holds` key, on the text of a checkpoint.
    Holds(SignedCheckpoint),
}

/// Whether an own log may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    May,
    /// Not yet: witnesses and followers are being asked.
    Wait,
    /// Somebody showed a larger head: its entries are being fetched back.
    CatchUp {
        /// The size shown.
        size: u64,
    },
    /// Never again without a person: a head that this node did not make, or that does not reconcile.
    Stopped,
}

/// What the engine asks for.
#[derive(Debug, Clone)]
pub enum Output {
    /// `GET`, answered by [`Input::Answer`] always, unless it is given up.
    Fetch {
        /// Names it.
        id: Id,
        /// Of whom.
        peer: Authority,
        /// What.
        route: Route,
        /// For `If-None-Match`.
        etag: Option<String>,
        /// May the server wait up to 30 s (`Prefer: wait=30`)?
        long_poll: bool,
        /// Signed with the caller key: the resource may be restricted.
        signed: bool,
        /// The longest answer to read, in bytes.
        limit: usize,
        /// It is large: the body is better written to a file as it comes, and answered by [`Answer::File`].
        to_disk: bool,
        /// How far the server's clock is ahead of ours, in seconds: a signed request says the server's time.
        ahead: i64,
    },
    /// `POST`, answered by [`Input::Answer`] always, unless it is given up.
    Post {
        /// Names it.
        id: Id,
        /// To whom.
        peer: Authority,
        /// Where.
        route: Route,
        /// The body.
        body: Vec<u8>,
    },
    /// A fetch or post that nobody waits for any more: it is broken off, what came of it is let go, and it needs no answer.
    GiveUp(Id),
    /// A file of [`Answer::File`] that is not kept.
    Discard {
        /// Which.
        file: Id,
    },
    /// Files of this node to be read, answered by [`Input::Read`] always.
    Read {
        /// Names it.
        id: Id,
        /// Below the root of the files.
        paths: Vec<String>,
    },
    /// Writes in order, answered by [`Input::Stored`] or [`Input::StoreFailed`] always. Stores are executed in
    /// the order in which they come out.
    Store {
        /// Names it.
        id: Id,
        /// The writes.
        writes: Vec<Write>,
        /// What is true once they are durable.
        events: Vec<Event>,
    },
    /// A signature, answered by [`Input::Signed`] always.
    Sign {
        /// Names it.
        id: Id,
        /// What.
        what: SignRequest,
    },
    /// The answer to somebody's request.
    Reply {
        /// Which.
        request: RequestId,
        /// The HTTP status.
        status: u16,
        /// The body's media type.
        content_type: &'static str,
        /// The body.
        body: Vec<u8>,
    },
    /// An alarm that was not raised before; it is also stored.
    Alarm(Alarm),
    /// One that was raised before has rung again; said at most once an hour of each.
    AlarmAgain(Alarm),
    /// Whether an own log may sign changed.
    Signing {
        /// The log.
        origin: Origin,
        /// Whether.
        permission: Permission,
    },
    /// What [`Engine::heads`] answers changed for somebody: wake the long polls. After the first few changes of one author's
    /// logs it is said of them together, once in [`super::Limits::at_most_every`].
    HeadsChanged,
}

/// A persisted cell that must be readable and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cell {space}/{key} cannot be read; restore `state` from a backup")]
pub struct SnapshotError {
    /// The space.
    pub space: String,
    /// The key.
    pub key: String,
}

/// How a peer is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerHealth {
    /// The peer.
    pub authority: Authority,
    /// When it answered last, milliseconds since 1970.
    pub last_answer: Option<u64>,
    /// Failures since.
    pub failures: u32,
    /// Machine code of the last failure, or of what it served for a blob that is still wanted.
    pub last_error: Option<&'static str>,
    /// How many entries it showed that are not here yet.
    pub behind: u64,
    /// How many blobs are wanted for which it served something else.
    pub spoiled: u64,
    /// How far its clock is ahead, in seconds, if it told.
    pub skew: Option<i64>,
    /// What its logs and files take on this disk, in bytes.
    pub used: u64,
}

/// How far a followed log is.
#[derive(Debug, Clone)]
pub struct FollowedLog {
    /// The log.
    pub origin: Origin,
    /// Verified and stored.
    pub size: u64,
    /// The largest size that a peer showed.
    pub shown: u64,
    /// Its readers, once known.
    pub readers: Option<Readers>,
    /// Blobs that are wanted now and not here; a receipt waits for them.
    pub wanted_blobs: u64,
    /// The size of the newest receipt signed here.
    pub held: u64,
    /// `seen` files here.
    pub seen: u64,
    /// How many of them the author itself has shown: no more are taken.
    pub seen_told: u64,
    /// The newest verified checkpoint.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Whether two views are known: it is not followed any further.
    pub is_split: bool,
}
