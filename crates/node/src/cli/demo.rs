//! `concord demo`: four authorities as four processes on this machine, in an exercise that replays 2020.

use std::path::PathBuf;

use clap::Args;

use crate::demo;
use crate::fault::Fault;
use crate::operate::Outcome;

/// `concord demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder of the four nodes; one of an earlier run is used again
    #[arg(long, default_value = "demo-data")]
    folder: PathBuf,
    /// The first of four ports
    #[arg(long, default_value_t = 8101)]
    port: u16,
    /// Run the whole story without a browser, in a new folder that is removed, and check what it must show
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<Option<Outcome>, Fault> {
    if args.check {
        return demo::check(args.port).await.map(Some).map_err(|why| broken(&*why));
    }
    demo::show(&args.folder, args.port).await.map_err(|why| broken(&*why))?;
    Ok(None)
}

fn broken(why: &dyn std::error::Error) -> Fault {
    Fault::new("demo-broken", why.to_string()).with("reason", why)
}
