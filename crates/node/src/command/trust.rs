//! Commands about who is believed: this authority's roots and keys, peers, mechanisms.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use record::{Authority, Time};
use serde::{Deserialize, Serialize};

use super::teach;

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
