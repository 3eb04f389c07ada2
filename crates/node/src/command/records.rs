//! Commands about what is said: releasing, importing, what becomes of a record, scenarios.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use record::{Authority, Date, Status, Time};
use serde::{Deserialize, Serialize};

use super::teach;

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
