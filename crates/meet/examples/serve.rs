//! The conference engine alone, for trials: `cargo run -p meet --example serve -- 127.0.0.1:7880 KEY:SECRET`.

use std::error::Error;
use std::net::SocketAddr;

use meet::config::EngineConfig;
use meet::service::serve;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let mut arguments = std::env::args().skip(1);
    let bind: SocketAddr = arguments.next().ok_or("ADDRESS:PORT KEY:SECRET")?.parse()?;
    let keys = arguments.next().ok_or("ADDRESS:PORT KEY:SECRET")?.parse()?;
    let mut config = EngineConfig::beside(bind, keys);
    config.rooms.simulate = true;
    if let Some(threads) = arguments.next() {
        config.media.threads = threads.parse()?;
    }
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "signals cannot be received");
        }
    };
    serve(config, bind, stop).await?;
    Ok(())
}
