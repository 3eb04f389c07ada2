//! The control socket: how `concord` commands reach the server that has the data folder.
//!
//! A Unix socket in the data folder, for its owner alone. It takes [`Command`]s and nothing else. A command may take long; to say
//! it, and to read its answer, may not. What strangers hold open costs it nothing: they have no more than their share of this
//! process's files.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::fault::Fault;
use crate::leading::Standing;
use crate::node::Node;
use crate::operate::{self, Outcome};

/// The longest command, in bytes: what a shell passes on is no longer.
const MAX_COMMAND: usize = 2 << 20;
/// The longest answer read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// The most connections at a time; the next one waits.
const CONNECTIONS: usize = 32;
/// To say a command, from its first byte to its last.
const TO_ASK: Duration = Duration::from_secs(10);
/// How whoever is connected must go on: they are programs on this machine.
const PACE: edge::Pace =
    edge::Pace { head: TO_ASK, idle: TO_ASK, stall: Duration::from_secs(30), slowest: 64 << 10 };
/// How often it is seen whether the socket is still there.
const LOOK: Duration = Duration::from_secs(1);
/// When the server is told to stop: what is asked already may take this long.
const ENDING: Duration = Duration::from_hours(1);

/// What the server is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked<C = Command> {
    /// The caller's key of the act: repeated with it, a command answers what was done the first time.
    pub key: Option<String>,
    /// The command.
    pub command: C,
}

/// What the server answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// What was done.
    pub outcome: Option<Outcome>,
    /// Why nothing was done.
    pub error: Option<Fault>,
}

/// Listens on the control socket until `stop` resolves.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve(node: Arc<Node>, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    let path = node.config.socket_path();
    let router = Router::new().route("/command", post(command)).with_state(node);
    let stop = stop.boxed().shared();
    loop {
        let (listener, file) = listen(&path)?;
        let gone = gone(path.clone(), file).boxed().shared();
        let ends = futures::future::select(stop.clone(), gone.clone()).map(drop);
        let serving =
            tokio::spawn(edge::serve_here(listener, router.clone(), CONNECTIONS, PACE, ENDING, ends));
        tokio::select! {
            () = stop.clone() => {
                let _ = serving.await;
                let _ = std::fs::remove_file(&path);
                return Ok(());
            }
            // What is being answered goes on.
            () = gone => tracing::warn!(path = %path.display(), "the control socket was removed: it is made again"),
        }
    }
}

/// The socket, and which file it is.
fn listen(path: &Path) -> std::io::Result<(tokio::net::UnixListener, Option<u64>)> {
    // We hold the folder's lock, so a socket that lies there is of a process that is gone.
    let _ = std::fs::remove_file(path);
    let listener = tokio::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok((listener, file_at(path)))
}

fn file_at(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|file| file.ino())
}

/// Resolves when another file, or none, lies in the place of a socket.
async fn gone(path: PathBuf, file: Option<u64>) {
    while file_at(&path) == file {
        tokio::time::sleep(LOOK).await;
    }
}

async fn command(State(node): State<Arc<Node>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = tokio::time::timeout(TO_ASK, axum::body::to_bytes(body, MAX_COMMAND)).await else {
        return StatusCode::REQUEST_TIMEOUT.into_response();
    };
    let Ok(body) = body else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    match Json::<Asked>::from_request(Request::from_parts(parts, Body::from(body)), &()).await {
        Ok(Json(asked)) => answer(&node, asked).await.into_response(),
        Err(rejection) => rejection.into_response(),
    }
}

async fn answer(node: &Arc<Node>, asked: Asked) -> Json<Answer> {
    let Asked { key, command } = asked;
    let mut standing = node.standing.subscribe();
    // Whoever tells lives as long as the node.
    let _ = standing.wait_for(|standing| *standing != Standing::Starting).await;
    if let Standing::StandsBy { leader } = &*standing.borrow()
        && !matches!(command, Command::Status)
    {
        let message = format!("this server stands by: the one at {leader} leads; give the command there");
        let fault = Fault::new("control-stands-by", message).with("leader", leader);
        return Json(Answer { outcome: None, error: Some(fault) });
    }
    Json(match operate::run_as(node, command, key.as_deref()).await {
        Ok(outcome) => Answer { outcome: Some(outcome), error: None },
        Err(error) => Answer { outcome: None, error: Some(error.into()) },
    })
}

/// Sends a command to the server of a data folder; `None` if no server answers there.
///
/// # Errors
/// The server breaks off before it has answered.
pub async fn send(socket: &Path, command: &Command) -> Result<Option<Answer>, Fault> {
    send_as(socket, None, command).await
}

/// The same, under a key of the caller's.
///
/// # Errors
/// The server breaks off before it has answered.
pub async fn send_as(socket: &Path, key: Option<&str>, command: &Command) -> Result<Option<Answer>, Fault> {
    let broke_off = |why: reqwest::Error| {
        let Some(key) = key else {
            let message = format!(
                "the server broke off before it answered ({why}): look whether it did what was asked"
            );
            return Fault::new("control-broke-off", message).with("reason", why);
        };
        let message = format!(
            "the server broke off before it answered ({why}): repeat the command with --act {key}, and it says what was done"
        );
        Fault::new("control-broke-off-act", message).with("reason", why).with("key", key)
    };
    let asked = Asked { key: key.map(str::to_owned), command };
    if tokio::net::UnixStream::connect(socket).await.is_err() {
        return Ok(None);
    }
    let client = reqwest::Client::builder().unix_socket(socket).build().map_err(broke_off)?;
    let response = client
        .post("http://concord/command")
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&asked).unwrap_or_default())
        .send()
        .await
        .map_err(broke_off)?;
    let bytes = response.bytes().await.map_err(broke_off)?;
    let unreadable = || Answer {
        outcome: None,
        error: Some(Fault::new(
            "control-answer",
            "the server's answer cannot be read: is it another version?",
        )),
    };
    if bytes.len() > MAX_ANSWER {
        return Ok(Some(unreadable()));
    }
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| unreadable())))
}
