//! The conference engine alone, without the node around it: the flags of `concord meet serve`.

use std::error::Error;

use clap::Parser;
use meet::arguments::ServeArguments;
use meet::service::serve;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    serve: ServeArguments,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let arguments = Arguments::parse().serve;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    serve(arguments.config()?, arguments.bind, stop).await?;
    Ok(())
}
