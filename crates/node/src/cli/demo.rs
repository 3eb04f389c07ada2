//! `concord demo`: four authorities as four processes on this machine, in an exercise that replays 2020.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Backend, Meet};
use crate::demo;
use crate::fault::Fault;
use crate::operate::Outcome;

/// `concord demo`
#[derive(Debug, Args)]
#[allow(clippy::doc_markdown)] // Help is shown as it is written.
pub struct DemoArgs {
    /// The folder of the four nodes; one of an earlier run is used again
    #[arg(long, default_value = "demo-data")]
    folder: PathBuf,
    /// The first of four ports for pages; the four after them are for the media of meetings
    #[arg(long, default_value_t = 8101)]
    port: u16,
    /// A LiveKit server that carries the meetings of all four instead of the nodes themselves, `ws://127.0.0.1:7880`
    #[arg(long, value_name = "URL", requires = "livekit_key")]
    livekit: Option<String>,
    /// The name of a key of that server
    #[arg(long, value_name = "KEY", requires = "livekit_secret_file")]
    livekit_key: Option<String>,
    /// The file with the key's secret
    #[arg(long, value_name = "FILE", requires = "livekit")]
    livekit_secret_file: Option<PathBuf>,
    /// Run the whole story without a browser, in a new folder that is removed, and check what it must show
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<Option<Outcome>, Fault> {
    if args.check {
        return demo::check(args.port).await.map(Some).map_err(|why| broken(&*why));
    }
    let meet = match args.livekit {
        None => Meet { backend: Backend::Embedded, ..Meet::default() },
        Some(url) => Meet {
            backend: Backend::Livekit,
            url: Some(url),
            key: args.livekit_key,
            // The nodes stand in folders of their own.
            secret_file: args
                .livekit_secret_file
                .map(std::path::absolute)
                .transpose()
                .map_err(|why| broken(&why))?,
            ..Meet::default()
        },
    };
    demo::show(&args.folder, args.port, &meet).await.map_err(|why| broken(&*why))?;
    Ok(None)
}

fn broken(why: &dyn std::error::Error) -> Fault {
    Fault::new("demo-broken", why.to_string()).with("reason", why)
}
