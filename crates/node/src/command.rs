//! What an operator can ask of a node: one enum, which is at once the command line and the message on the
//! control socket, so that a command means the same whether the server runs or not.
//!
//! It holds no secret and does nothing; [`crate::operate`] carries it out.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use record::{Authority, Date, Status, Time};
use serde::{Deserialize, Serialize};

use crate::operate::blob_parts;
use crate::session::Bearer;

/// How a command's help ends: an example, and how the command ends.
macro_rules! teach {
    ($($example:literal),+) => {
        concat!(
            "Example:\n",
            $("  concord ", $example, "\n",)+
            "\nExit codes: 0 done; 1 refused or failed, the reason is on standard error (with --json also on standard \
             output, as code and arguments); 2 wrong usage"
        )
    };
}
pub(crate) use teach;

/// A command that needs the node's state.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum Command {
    /// Print a one-time link: to the inside face, or for a guest to the meeting room
    #[command(after_help = teach!("--data /srv/concord link", "--data /srv/concord link --guest moh.jpn.example --duty \"Head of delegation\""))]
    Link(LinkCommand),
    /// Sessions that links opened: list them, end one or all
    #[command(subcommand)]
    Session(SessionCommand),
    /// Trust roots: draft the next one, sign it, publish it
    #[command(subcommand)]
    Root(RootCommand),
    /// Operational keys: replace one, or declare one stolen
    #[command(subcommand)]
    Key(KeyCommand),
    /// Other authorities: add, confirm, list, remove
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Standing groups: propose a charter, accept one, leave, list
    #[command(subcommand)]
    Mechanism(MechanismCommand),
    /// Release a record: a notice, or any kind, with files as its content
    #[command(after_help = teach!("release --public --text en=\"Two cases in one household\"", "release --to moh.jpn.example --blob \"application/pdf;en=report.pdf\"", "release --public --blob \"text/csv;schema=hxl=figures.csv\" --kind situation.figures"))]
    Release(Release),
    /// Bring files in
    #[command(subcommand)]
    Import(ImportCommand),
    /// One record
    #[command(subcommand)]
    Record(RecordCommand),
    /// Records
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Released scenarios: run one again and compare
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Logs: list them, resume one that waits, close one
    #[command(subcommand)]
    Log(LogCommand),
    /// Exchange by file: the same bytes as over the network
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Recreate the index from logs, blobs and witness files alone
    #[command(after_help = teach!("rebuild"))]
    Rebuild,
    /// Copy what a new machine needs: state, keys, logs and blobs
    #[command(after_help = teach!("backup /mnt/usb/concord-2026-11-22"))]
    Backup {
        /// A new folder for the copy
        folder: PathBuf,
    },
    /// Alarms: list them, settle one
    #[command(subcommand)]
    Alarm(AlarmCommand),
    /// What this node holds, who is reachable, what is wrong
    #[command(after_help = teach!("status", "status --json | jq .alarms"))]
    Status,
}

/// `concord alarm ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum AlarmCommand {
    /// List the alarms that nobody has settled
    #[command(after_help = teach!("alarm list", "alarm list --all --json"))]
    List {
        /// Those that were settled, too
        #[arg(long)]
        all: bool,
    },
    /// Say what was done about an alarm; it rings again if its cause comes again
    #[command(after_help = teach!("alarm settle 3f9c2a7be01d4c58 --note \"The disk was replaced\""))]
    Settle {
        /// The alarm, as `alarm list` names it
        id: String,
        /// What was done, or why nothing is to be done
        #[arg(long)]
        note: String,
    },
}

/// `concord link`
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
pub struct LinkCommand {
    /// For a delegate of this authority, a confirmed peer: the link opens the meeting room and nothing else
    #[arg(long, value_name = "AUTHORITY")]
    guest: Option<Authority>,
    /// The duty that is shown beside the authority's name in meetings
    #[arg(long, default_value_t)]
    duty: String,
}

impl LinkCommand {
    /// A link for somebody.
    pub fn to(bearer: Bearer) -> Self {
        Self { guest: bearer.guest, duty: bearer.duty }
    }

    /// Whom the link is for.
    pub fn bearer(self) -> Bearer {
        Bearer { guest: self.guest, duty: self.duty.trim().to_owned(), of: None }
    }
}

/// `concord session ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum SessionCommand {
    /// List the open sessions, those of guests too
    #[command(after_help = teach!("session list", "session list --json"))]
    List,
    /// End sessions: their cookies open nothing any more, and whoever is in a meeting by one of them leaves it
    #[command(after_help = teach!("session end 3f9c2a7be01d4c58", "session end --all"))]
    End {
        /// The session, as `session list` names it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}

impl Command {
    /// May it append to an own log?
    pub fn signs(&self) -> bool {
        match self {
            Self::Release(_)
            | Self::Log(LogCommand::Close { .. })
            | Self::Record(
                RecordCommand::Erase { .. }
                | RecordCommand::Again { .. }
                | RecordCommand::Publish { .. }
                | RecordCommand::Withdraw { .. },
            ) => true,
            Self::Import(ImportCommand::Figures(import)) => !import.dry_run,
            Self::Mechanism(command) => !matches!(command, MechanismCommand::List),
            _ => false,
        }
    }

    /// Is its answer kept under the caller's key? An erasure can be repeated: what is destroyed stays so.
    pub fn keeps_answer(&self) -> bool {
        self.signs() && !matches!(self, Self::Record(RecordCommand::Erase { .. }))
    }

    /// The files whose bytes it releases.
    pub fn released_files(&self) -> Vec<&Path> {
        match self {
            Self::Release(Release { blobs, .. }) => {
                blobs.iter().filter_map(|blob| blob_parts(blob)).map(|(_, _, file)| Path::new(file)).collect()
            }
            Self::Import(ImportCommand::Figures(ImportFigures { file, .. })) => vec![file],
            Self::Mechanism(MechanismCommand::Propose { texts, .. }) => texts
                .iter()
                .filter_map(|text| text.split_once('='))
                .map(|(_, file)| Path::new(file))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The same command, with its files named from `folder`: the server that carries it out stands elsewhere.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        match &mut self {
            Self::Backup { folder: file }
            | Self::Root(RootCommand::Draft { file, .. } | RootCommand::Publish { file })
            | Self::Peer(PeerCommand::Add(PeerAdd { root: Some(file), .. }))
            | Self::Import(ImportCommand::Figures(ImportFigures { file, .. }))
            | Self::Record(RecordCommand::Evidence { file, .. })
            | Self::Bundle(BundleCommand::Export { file, .. } | BundleCommand::Import { file }) => {
                *file = folder.join(&*file);
            }
            Self::Mechanism(MechanismCommand::Propose { texts, .. }) => {
                for text in texts {
                    if let Some((lang, file)) = text.split_once('=') {
                        *text = format!("{lang}={}", folder.join(file).display());
                    }
                }
            }
            Self::Release(Release { blobs, .. }) => {
                for blob in blobs {
                    if let Some((media_type, lang, file)) = blob_parts(blob) {
                        let lang = lang.map(|lang| format!(";{lang}")).unwrap_or_default();
                        *blob = format!("{media_type}{lang}={}", folder.join(file).display());
                    }
                }
            }
            _ => {}
        }
        self
    }
}

/// `concord root ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum RootCommand {
    /// Print this authority's fingerprint and newest root
    #[command(after_help = teach!("root show"))]
    Show,
    /// Write the text of the next root, to be signed where the root keys are
    #[command(after_help = teach!("root draft next.root --root-key \"$(concord root vkey root-4.key)\" --root-key \"$(concord root vkey root-5.key)\" --next-key \"$(concord root vkey root-7.key)\""))]
    Draft {
        /// Where to write it
        file: PathBuf,
        /// Verifier keys of the root's own keys (those whose hashes the present root names); at least its threshold
        #[arg(long = "root-key", required = true)]
        root_keys: Vec<String>,
        /// Verifier keys whose hashes the new root names for the one after it
        #[arg(long = "next-key", required = true)]
        next_keys: Vec<String>,
        /// How many of the next keys must sign the root after this one
        #[arg(long)]
        next_threshold: Option<u32>,
        /// Days that the new root is in force
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// Sign a drafted root with a root key, where the root keys are kept; again for each key, on the same file
    #[command(after_help = teach!("root sign next.root --key /media/safe-1/root-4.key"))]
    Sign {
        /// The draft, or what others have signed already; it is replaced by the signed root
        file: PathBuf,
        /// A root key file
        #[arg(long = "key", required = true)]
        keys: Vec<PathBuf>,
    },
    /// Make root keys for the root after next, where the root keys are kept
    #[command(after_help = teach!("root keys --authority moh.chn.example --first 4 --folder /media/safe-1"))]
    Keys {
        /// The authority's DNS name
        #[arg(long)]
        authority: Authority,
        /// The number of the first key: one more than the last that exists
        #[arg(long)]
        first: u32,
        /// How many
        #[arg(long, default_value_t = 3)]
        count: u32,
        /// The folder
        #[arg(long)]
        folder: PathBuf,
    },
    /// Print the verifier keys of root key files, as `draft` wants them; nothing secret is printed
    #[command(after_help = teach!("root vkey /media/safe-1/root-4.key"))]
    Vkey {
        /// The root key files
        #[arg(required = true)]
        keys: Vec<PathBuf>,
    },
    /// Check a signed root and take it into use: publish it, then enter it in the logs
    #[command(after_help = teach!("root publish next.root"))]
    Publish {
        /// The signed root
        file: PathBuf,
    },
}

/// `concord key ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum KeyCommand {
    /// Make a new key of a role; the next root will list it
    #[command(after_help = teach!("key rotate author"))]
    Rotate {
        /// author, log, caller, witness, holds or age
        role: String,
    },
    /// Declare a key stolen: the next root will revoke it
    #[command(after_help = teach!("key revoke \"moh.chn.example/author/1+a1b2c3d4+AU...\" --since 2026-11-20T00:00:00Z"))]
    Revoke {
        /// The verifier key
        vkey: String,
        /// Since when (now if not given), YYYY-MM-DDThh:mm:ssZ
        #[arg(long)]
        since: Option<Time>,
    },
    /// List this authority's keys
    #[command(after_help = teach!("key list"))]
    List,
}

/// `concord peer ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum PeerCommand {
    /// First operator: name an authority and the fingerprint that it gave you
    #[command(after_help = teach!("peer add moh.jpn.example --endpoint https://concord.moh.jpn.example --code JPN --fingerprint \"abcd efgh ...\"", "peer add moh.jpn.example --root moh.jpn.example.root --fingerprint \"abcd efgh ...\""))]
    Add(PeerAdd),
    /// Second operator: type the fingerprint again; the exchange begins
    #[command(after_help = teach!("peer confirm moh.jpn.example --fingerprint \"abcd efgh ...\""))]
    Confirm {
        /// The authority's DNS name
        authority: Authority,
        /// 52 characters; spaces and capitals do not matter
        #[arg(long)]
        fingerprint: String,
    },
    /// Change the names under which an authority is shown
    Name {
        /// The authority's DNS name
        authority: Authority,
        /// NAME, or LANG=NAME for readers of one language
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// List the authorities this node knows
    #[command(after_help = teach!("peer list"))]
    List,
    /// Leave out of every desk's pages what an authority says; it is copied and proven as before
    #[command(after_help = teach!("peer leave-out moh.jpn.example"))]
    LeaveOut {
        /// The authority's DNS name
        authority: Authority,
    },
    /// Show again what an authority says that was left out
    #[command(after_help = teach!("peer take-up moh.jpn.example"))]
    TakeUp {
        /// The authority's DNS name
        authority: Authority,
    },
    /// Stop exchanging with an authority; what it shared is kept
    #[command(after_help = teach!("peer remove moh.jpn.example"))]
    Remove {
        /// The authority's DNS name
        authority: Authority,
    },
}

/// `concord peer add`
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct PeerAdd {
    /// The authority's DNS name
    pub authority: Authority,
    /// 52 characters; spaces and capitals do not matter
    #[arg(long)]
    pub fingerprint: String,
    /// ISO 3166-1 alpha-3 code, or an organisation's code, to show
    #[arg(long)]
    pub code: Option<String>,
    /// The name to show: NAME, or LANG=NAME for readers of one language; may be given several times
    #[arg(long)]
    pub name: Vec<String>,
    /// What it is to us, in a word: ministry, agency, organisation
    #[arg(long, default_value = "authority")]
    pub role: String,
    /// Where its first root can be fetched; not needed if `[dial]` names it
    #[arg(long, conflicts_with = "root")]
    pub endpoint: Option<String>,
    /// Its roots as a file, where there is no network
    #[arg(long)]
    pub root: Option<PathBuf>,
}

/// `concord mechanism ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum MechanismCommand {
    /// Release a charter; it is in force when every member accepted it
    #[command(after_help = teach!("mechanism propose trilateral --text en=charter.txt --member moh.jpn.example --member moh.kor.example --threshold 2"))]
    Propose {
        /// A short name of letters, digits and hyphens
        name: String,
        /// The charter's text, one file per language: en=charter.txt
        #[arg(long = "text", required = true)]
        texts: Vec<String>,
        /// A member (this authority is always one)
        #[arg(long = "member")]
        members: Vec<Authority>,
        /// An observer: reads, does not decide
        #[arg(long = "observer")]
        observers: Vec<Authority>,
        /// Members who must accept the next charter; more than half
        #[arg(long)]
        threshold: u32,
        /// Replace the charter in force of this mechanism
        #[arg(long)]
        replaces: Option<String>,
        /// Time to claim, in exercises that replay the past
        #[arg(long)]
        released: Option<Time>,
    },
    /// Accept a charter, after reading the fingerprints in it
    #[command(after_help = teach!("mechanism accept moh.chn.example/trilateral"))]
    Accept {
        /// The mechanism's id, <authority>/<name>
        mechanism: String,
        /// The charter's record name; the newest if not given
        #[arg(long)]
        charter: Option<String>,
        /// Time to claim, in exercises that replay the past
        #[arg(long)]
        released: Option<Time>,
    },
    /// Leave a mechanism
    #[command(after_help = teach!("mechanism leave moh.chn.example/trilateral"))]
    Leave {
        /// The mechanism's id
        mechanism: String,
    },
    /// List mechanisms, their charters and who accepted them
    #[command(after_help = teach!("mechanism list"))]
    List,
}

/// `concord release`
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Release {
    /// The record's kind
    #[arg(long, default_value = "notice")]
    pub kind: String,
    /// For everybody
    #[arg(long, conflicts_with_all = ["to", "mechanism"])]
    pub public: bool,
    /// For this authority (again for each)
    #[arg(long)]
    pub to: Vec<Authority>,
    /// For the readers of this mechanism
    #[arg(long, conflicts_with = "to")]
    pub mechanism: Option<String>,
    /// Content: <media type>=<file>, or <media type>;<language>=<file>; what is behind the last = before a path is the file
    #[arg(long = "blob")]
    pub blobs: Vec<String>,
    /// A short text as content: <language>=<text>
    #[arg(long = "text")]
    pub texts: Vec<String>,
    /// A line of the kind's own: <key>=<value>
    #[arg(long = "line")]
    pub lines: Vec<String>,
    /// The id of the thing of which this is a new edition
    #[arg(long)]
    pub id: Option<String>,
    /// A reference: <relation>=<authority>/<name>
    #[arg(long = "ref")]
    pub refs: Vec<String>,
    /// A time the record is about: <what>=<date or time>
    #[arg(long = "about")]
    pub about: Vec<String>,
    /// actual, exercise or test; the configuration's if not given
    #[arg(long)]
    pub status: Option<Status>,
    /// Time to claim, in exercises that replay the past
    #[arg(long)]
    pub released: Option<Time>,
    /// Personal data: this node and all readers destroy it at 00:00 UTC of this day, at most 400 days from now
    #[arg(long)]
    pub expires: Option<Date>,
}

/// `concord import ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum ImportCommand {
    /// Import figures from a CSV file with an HXL tag row or mapped headers, and release them
    #[command(after_help = teach!("import figures today.csv --dry-run", "import figures today.csv --reason \"late reports from two provinces\""))]
    Figures(ImportFigures),
}

/// `concord import figures`
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct ImportFigures {
    /// The CSV file
    pub file: PathBuf,
    /// Read, check and report each row; release nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Why figures that were stated before are now different
    #[arg(long)]
    pub reason: Option<String>,
    /// Headers and what they mean: "Date=#date,Country=#country+name"
    #[arg(long)]
    pub map: Option<String>,
    /// For the readers of this mechanism instead of everybody
    #[arg(long)]
    pub mechanism: Option<String>,
    /// actual, exercise or test; the configuration's if not given
    #[arg(long)]
    pub status: Option<Status>,
    /// In exercises: claim each record's release at the end of the day it reports on
    #[arg(long)]
    pub replay: bool,
    /// In exercises: the time to claim for all
    #[arg(long, conflicts_with = "replay")]
    pub released: Option<Time>,
}

/// `concord record ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum RecordCommand {
    /// Show a record: header, signatures, place, proofs
    #[command(after_help = teach!("record show 3f1c..."))]
    Show {
        /// Its name (64 hex digits)
        name: String,
    },
    /// Release one of this authority's sealed records to further readers: the same record, under the same name.
    ///
    /// They get it sealed to them, with a place of its own in the log of these readers; nothing that it says changes,
    /// and its time there is now. A further edition goes only to readers who were all given the one before: this is
    /// how they get it. What holds personal data, and what was withdrawn, is not released again.
    #[command(after_help = teach!("record again 3f1c... --to who.example", "record again 3f1c... --mechanism moh.chn.example/trilateral"))]
    Again {
        /// Its name (64 hex digits)
        name: String,
        /// For this authority (again for each)
        #[arg(long, required_unless_present = "mechanism")]
        to: Vec<Authority>,
        /// For the readers of this mechanism
        #[arg(long, conflicts_with = "to")]
        mechanism: Option<String>,
    },
    /// Make one of this authority's sealed records public: the same record, under the same name.
    ///
    /// Header and content stand in the clear in the public log from then on, and cannot be taken back. Its readers had it
    /// before; everybody can check that they were told the same. What holds personal data is never published.
    /// One that names what stays sealed is refused: the edition before it or a record that it refers to, which could be
    /// published first, or its mechanism.
    #[command(after_help = teach!("record show 3f1c...", "record publish 3f1c..."))]
    Publish {
        /// Its name (64 hex digits)
        name: String,
        /// Although it names what stays sealed: everybody then knows that there is such a record or mechanism
        #[arg(long)]
        naming_sealed: bool,
    },
    /// Withdraw what a record says, in all its editions, and tell everybody who was given it.
    ///
    /// One withdrawal for each set of readers that has it: sealed to those who have it sealed, public where it is public.
    /// It ends the thing for good; what was counted before stays as it was. What goes on takes a new id. A corrected text is
    /// a further edition instead: `concord release --id ID`.
    #[command(after_help = teach!("record withdraw 3f1c... --text en=\"sent by mistake\""))]
    Withdraw {
        /// Its name (64 hex digits); any edition will do
        name: String,
        /// Why, as a short text: <language>=<text>
        #[arg(long = "text")]
        texts: Vec<String>,
    },
    /// Destroy this node's copies of a record's content, and tell its readers; theirs stay, and so do name and header
    Erase {
        /// Its name (64 hex digits)
        name: String,
    },
    /// Write one file with all that is needed to check a record offline
    #[command(after_help = teach!("record evidence 3f1c... notice.evidence", "verify notice.evidence --pin \"abcd efgh ...\""))]
    Evidence {
        /// Its name (64 hex digits)
        name: String,
        /// Where to write it
        file: PathBuf,
    },
}

/// `concord records ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum RecordsCommand {
    /// List records, newest first
    #[command(after_help = teach!("records list --author moh.jpn.example --limit 10"))]
    List {
        /// Only of this author
        #[arg(long)]
        author: Option<Authority>,
        /// Only of this kind
        #[arg(long)]
        kind: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

/// `concord scenario ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum ScenarioCommand {
    /// Run a released scenario again from its own input and assumptions, and compare the outcome byte for byte
    #[command(after_help = teach!("scenario check 3f1c..."))]
    Check {
        /// The record's name (64 hex digits)
        name: String,
    },
}

/// `concord log ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum LogCommand {
    /// List own logs and copies of others'
    #[command(after_help = teach!("log list"))]
    List,
    /// Read every file of logs and records, and name those that the disk has damaged
    #[command(after_help = teach!("log check"))]
    Check,
    /// Sign again in a log that waits because nobody could say that it is whole
    ///
    /// You take the responsibility that nothing was signed in it that this node does not have. If something was, the log
    /// forks: its followers hold two versions and the proof of it, for ever. Ask them first; a node that reaches them asks
    /// by itself. Where the fork is there already, `concord log succeed` goes on in a new log.
    #[command(after_help = teach!("log resume moh.chn.example/log/public/2026"))]
    Resume {
        /// The log's origin
        origin: String,
    },
    /// Close an own log
    #[command(after_help = teach!("log close moh.chn.example/log/public/2026"))]
    Close {
        /// The log's origin
        origin: String,
    },
    /// Go on in a new log where an own one must not grow any more: its entries are lost, or its key was revoked
    #[command(after_help = teach!("log succeed moh.chn.example/log/public/2026"))]
    Succeed {
        /// The log's origin
        origin: String,
    },
}

/// `concord bundle ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum BundleCommand {
    /// Write what a reader may have into one file
    #[command(after_help = teach!("bundle export /mnt/usb/for-jpn.bundle --for moh.jpn.example", "bundle export /mnt/usb/public.bundle"))]
    Export {
        /// The file
        file: PathBuf,
        /// For whom: its restricted logs too; without it, public logs only
        #[arg(long = "for")]
        reader: Option<Authority>,
    },
    /// Verify and take in a bundle; twice changes nothing
    #[command(after_help = teach!("bundle import /mnt/usb/for-jpn.bundle"))]
    Import {
        /// The file
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_from_where_the_operator_stands() {
        let backup = Command::Backup { folder: "copy".into() }.seen_from(Path::new("/home/op"));
        assert!(matches!(backup, Command::Backup { folder } if folder == Path::new("/home/op/copy")));
        let absolute = Command::Bundle(BundleCommand::Import { file: "/media/usb/bundle".into() });
        let Command::Bundle(BundleCommand::Import { file }) = absolute.seen_from(Path::new("/home/op"))
        else {
            panic!("another command")
        };
        assert_eq!(file, Path::new("/media/usb/bundle"));
    }

    #[test]
    fn the_file_of_a_blob_is_behind_its_media_types_parameters() {
        let release = <Release as clap::FromArgMatches>::from_arg_matches(
            &<Release as Args>::augment_args(clap::Command::new("release")).get_matches_from([
                "release",
                "--public",
                "--blob",
                "text/csv;schema=hxl;en=f.csv",
            ]),
        )
        .unwrap();
        let Command::Release(release) = Command::Release(release).seen_from(Path::new("/home/op")) else {
            panic!("another command")
        };
        assert_eq!(release.blobs, ["text/csv;schema=hxl;en=/home/op/f.csv"]);
    }
}
