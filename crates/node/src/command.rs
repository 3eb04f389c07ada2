//! What an operator can ask of a node: one enum, which is at once the command line and the message on the
//! control socket, so that a command means the same whether the server runs or not.
//!
//! It holds no secret and does nothing; [`crate::operate`] carries it out.

mod records;
mod trust;

pub use records::{ImportCommand, ImportFigures, RecordCommand, RecordsCommand, Release, ScenarioCommand};
pub use trust::{KeyCommand, MechanismCommand, PeerAdd, PeerCommand, RootCommand};

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use record::Authority;
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
