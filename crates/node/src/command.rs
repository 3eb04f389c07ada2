//! What an operator can ask of a node: one enum, which is at once the command line and the message on the
//! control socket, so that a command means the same whether the server runs or not.
//!
//! It holds no secret and does nothing; [`crate::operate`] carries it out.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use record::{Authority, Date, Status, Time};
use serde::{Deserialize, Serialize};

/// A command that needs the node's state.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum Command {
    /// Print a one-time link to the inside face
    Link,
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
    /// Logs: list them, resume one that waits, close one
    #[command(subcommand)]
    Log(LogCommand),
    /// Exchange by file: the same bytes as over the network
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Recreate the index from logs, blobs and witness files alone
    Rebuild,
    /// Copy what a new machine needs: state, keys, logs and blobs
    Backup {
        /// A new folder for the copy
        folder: PathBuf,
    },
    /// What this node holds, who is reachable, what is wrong
    Status,
}

impl Command {
    /// May it append to an own log?
    pub fn signs(&self) -> bool {
        match self {
            Self::Release(_) | Self::Log(LogCommand::Close { .. }) => true,
            Self::Import(ImportCommand::Figures(import)) => !import.dry_run,
            Self::Mechanism(command) => !matches!(command, MechanismCommand::List),
            _ => false,
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
            Self::Mechanism(MechanismCommand::Propose { texts: pairs, .. })
            | Self::Release(Release { blobs: pairs, .. }) => {
                for pair in pairs {
                    if let Some((what, file)) = pair.split_once('=') {
                        *pair = format!("{what}={}", folder.join(file).display());
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
    Show,
    /// Write the text of the next root, to be signed where the root keys are
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
    Sign {
        /// The draft, or what others have signed already; it is replaced by the signed root
        file: PathBuf,
        /// A root key file
        #[arg(long = "key", required = true)]
        keys: Vec<PathBuf>,
    },
    /// Make root keys for the root after next, where the root keys are kept
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
    Vkey {
        /// The root key files
        #[arg(required = true)]
        keys: Vec<PathBuf>,
    },
    /// Check a signed root and take it into use: publish it, then enter it in the logs
    Publish {
        /// The signed root
        file: PathBuf,
    },
}

/// `concord key ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum KeyCommand {
    /// Make a new key of a role; the next root will list it
    Rotate {
        /// author, log, caller, witness, holds or age
        role: String,
    },
    /// Declare a key stolen: the next root will revoke it
    Revoke {
        /// The verifier key
        vkey: String,
        /// Since when (now if not given), YYYY-MM-DDThh:mm:ssZ
        #[arg(long)]
        since: Option<Time>,
    },
    /// List this authority's keys
    List,
}

/// `concord peer ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum PeerCommand {
    /// First operator: name an authority and the fingerprint that it gave you
    Add(PeerAdd),
    /// Second operator: type the fingerprint again; the exchange begins
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
    List,
    /// Stop exchanging with an authority; what it shared is kept
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
    Leave {
        /// The mechanism's id
        mechanism: String,
    },
    /// List mechanisms, their charters and who accepted them
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
    /// Content: <media type>=<file>, or <media type>;<language>=<file>
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
    /// Personal data: destroy on this day
    #[arg(long)]
    pub expires: Option<Date>,
}

/// `concord import ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum ImportCommand {
    /// Import figures from a CSV file with an HXL tag row or mapped headers, and release them
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
    Show {
        /// Its name (64 hex digits)
        name: String,
    },
    /// Write one file with all that is needed to check a record offline
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

/// `concord log ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum LogCommand {
    /// List own logs and copies of others'
    List,
    /// Sign again in a log that waits because nobody could say that it is whole
    Resume {
        /// The log's origin
        origin: String,
    },
    /// Close an own log
    Close {
        /// The log's origin
        origin: String,
    },
    /// Go on in a new log where an own one must not grow any more: its entries are lost, or its key was revoked
    Succeed {
        /// The log's origin
        origin: String,
    },
}

/// `concord bundle ...`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum BundleCommand {
    /// Write what a reader may have into one file
    Export {
        /// The file
        file: PathBuf,
        /// For whom: its restricted logs too; without it, public logs only
        #[arg(long = "for")]
        reader: Option<Authority>,
    },
    /// Verify and take in a bundle; twice changes nothing
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
}
