//! `concord init`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use record::{Authority, Status};

use crate::clock;
use crate::config::Exchange;
use crate::fault::Fault;
use crate::init::{self, Init};
use crate::operate::Outcome;

/// `concord init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The authority's DNS name: its identity for ever
    #[arg(long)]
    authority: Authority,
    /// ISO 3166-1 alpha-3 code, or an organisation's code
    #[arg(long)]
    code: String,
    /// The authority's name, per language: en="Ministry of Health"
    #[arg(long = "name", required = true)]
    names: Vec<String>,
    /// A folder for the root keys, outside the data folder; take them away to safe places afterwards
    #[arg(long)]
    root_keys: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address under which browsers reach the pages
    #[arg(long, default_value = "http://localhost:8080")]
    public_url: String,
    /// The address under which other nodes reach this one: https://...
    #[arg(long)]
    endpoint: String,
    /// actual, exercise or test
    #[arg(long, default_value = "actual")]
    status: Status,
    /// State database: sqlite:state.db or postgres://...
    #[arg(long)]
    state: Option<String>,
    /// Index database: sqlite:index.db or postgres://...
    #[arg(long)]
    index: Option<String>,
    /// Tiles and blobs: `file:files` or `s3://bucket/prefix`
    #[arg(long)]
    files: Option<String>,
    /// Allow exercises that claim times of the past
    #[arg(long)]
    replay: bool,
    /// Reach a peer at this address instead of its endpoint: moh.jpn.example=http://127.0.0.1:8102
    #[arg(long = "dial")]
    dial: Vec<String>,
}

pub(super) async fn run(args: InitArgs, data: &Path) -> Result<Outcome, Fault> {
    let pairs = |texts: &[String], flag: &str| -> Result<Vec<(String, String)>, Fault> {
        texts
            .iter()
            .map(|text| {
                let (key, value) = crate::operate::pair(flag, text)?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect()
    };
    let mut dial = BTreeMap::new();
    for (authority, url) in pairs(&args.dial, "--dial")? {
        let authority =
            authority.parse().map_err(|why: record::EncodingError| Fault::from(why).at("--dial"))?;
        dial.insert(authority, url);
    }
    let made = init::init(
        &Init {
            authority: args.authority,
            code: args.code,
            names: pairs(&args.names, "--name")?.into_iter().collect(),
            data: data.to_path_buf(),
            root_keys: args.root_keys,
            listen: args.listen,
            public_url: args.public_url,
            endpoint: args.endpoint,
            status: args.status,
            state: args.state,
            index: args.index,
            files: args.files,
            exchange: Exchange { replay: args.replay, ..Exchange::default() },
            dial,
        },
        clock::now(),
    )
    .await?;
    let text = format!(
        "{} is made in {}\nFingerprint, to be compared by telephone with every peer:\n  {}\n\
         This machine says that it is {}, UTC: the first root is in force from then, and the first log gets the year {} in its\n\
         name, for ever. If that is wrong, remove both folders, set the clock, and begin again.\n\
         The root keys are in {}: take them to three safe places, none of them this machine.\nNext: concord --data {} serve",
        made.authority,
        made.data.display(),
        made.fingerprint.grouped(),
        made.at,
        made.at.date().civil().0,
        made.root_keys.display(),
        made.data.display()
    );
    Ok(Outcome::new(made, text))
}
