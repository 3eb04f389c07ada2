//! `concord meet`: the conference engine by itself. It needs no data folder and no node; rooms of the engine know nothing of
//! authorities.

mod top;

use clap::Subcommand;
use meet::arguments::{ArgumentsError, ServeArguments, TokenArguments, TurnArguments};
use meet::service::ServeError;
use serde_json::json;

use crate::command::teach;
use crate::fault::{Coded, Fault};
use crate::operate::Outcome;
use crate::{clock, serve};

/// `concord meet`
// What stands here is also what `--help` says, where backticks would be noise.
#[allow(clippy::doc_markdown)]
#[derive(Debug, Subcommand)]
pub enum MeetCommand {
    /// Run the conference engine: stock LiveKit clients join it
    #[command(after_help = teach!("meet serve --dev --keys KEY:SECRET"))]
    Serve(Box<ServeArguments>),
    /// Print an access token
    #[command(after_help = teach!("meet token --keys KEY:SECRET --room R --identity I", "meet token --keys KEY:SECRET --room R --admin"))]
    Token(Box<TokenArguments>),
    /// Show rooms and participants as they are
    #[command(after_help = teach!("meet top --keys KEY:SECRET", "meet top --keys KEY:SECRET --once --json"))]
    Top(top::TopArguments),
    /// Print a coturn configuration, for clients whose network lets nothing else through
    #[command(after_help = teach!("meet turn-config --realm turn.moh.example --peer 198.51.100.7"))]
    TurnConfig(TurnArguments),
}

pub(super) async fn run(command: MeetCommand, as_json: bool) -> Result<Option<Outcome>, Fault> {
    match command {
        MeetCommand::Serve(arguments) => {
            let mut stop = serve::stop_on_signal();
            let stopped = async move {
                // A sender that is gone is a stop too.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            meet::service::serve(arguments.config()?, arguments.bind, stopped).await?;
            Ok(None)
        }
        MeetCommand::Token(arguments) => {
            let now = clock::milliseconds() / 1000;
            let token = arguments.token(now)?;
            let ends = now.saturating_add(arguments.valid_for.as_secs());
            let said = json!({ "token": token, "identity": arguments.identity, "room": arguments.room, "expires_at": ends });
            Ok(Some(Outcome::new(said, token)))
        }
        MeetCommand::Top(arguments) => top::run(&arguments, as_json).await,
        MeetCommand::TurnConfig(arguments) => {
            let (config, urls) = arguments.config()?;
            let secret = String::from_utf8_lossy(config.secret.bytes()).into_owned();
            let told = urls.iter().fold(String::new(), |told, url| told + " --turn-url '" + url + "'");
            let text = format!(
                "{}# The engine is told: CONCORD_MEET_TURN_SECRET=(the secret above) concord meet serve{told}",
                config.text()
            );
            let said = json!({ "config": config.text(), "urls": urls, "secret": secret });
            Ok(Some(Outcome::new(said, text)))
        }
    }
}

impl Coded for ArgumentsError {
    fn code(&self) -> &str {
        Self::code(self)
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        Self::arguments(self)
    }
}

impl Coded for ServeError {
    fn code(&self) -> &str {
        Self::code(self)
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        Self::arguments(self)
    }
}
