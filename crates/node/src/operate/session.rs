//! `concord session ...`: who is signed in, and who is to be no more. It never says the secret that opens a session.

use std::sync::Arc;

use serde_json::json;

use super::{OperateError, Outcome};
use crate::clock;
use crate::command::SessionCommand;
use crate::fault::Fault;
use crate::node::Node;
use crate::session::{self, Session};

pub(super) async fn run(node: &Arc<Node>, command: SessionCommand) -> Result<Outcome, OperateError> {
    match command {
        SessionCommand::List => list(node).await,
        SessionCommand::End { name, .. } => end(node, name.as_deref()).await,
    }
}

async fn list(node: &Node) -> Result<Outcome, OperateError> {
    let open = session::list(&*node.cells, clock::seconds()).await?;
    let rows: Vec<_> = open.iter().map(|session| row(node, session)).collect();
    let lines: Vec<String> = rows.iter().map(line).collect();
    let text = if open.is_empty() { "nobody is signed in".to_owned() } else { lines.join("\n") };
    Ok(Outcome::new(rows, text))
}

fn line(row: &serde_json::Value) -> String {
    let said = |name: &str| row[name].as_str().unwrap_or_default();
    let duty = if said("duty").is_empty() { String::new() } else { format!(", {}", said("duty")) };
    format!("{} until {} {} {}{duty}", said("name"), said("until"), said("opens"), said("authority"))
}

fn row(node: &Node, session: &Session) -> serde_json::Value {
    let guest = session.bearer.guest.as_ref();
    json!({
        "name": session.name,
        "authority": guest.unwrap_or(&node.config.authority),
        "opens": if guest.is_some() { "the meeting room" } else { "the inside face" },
        "duty": session.bearer.duty,
        "until": record::Time::from_posix(session.until).map(|until| until.to_string()).unwrap_or_default(),
    })
}

/// Ends one session, or all if none is named.
async fn end(node: &Node, named: Option<&str>) -> Result<Outcome, OperateError> {
    let is_named = |name: &str| named.is_none_or(|named| named == name);
    let ended = session::end(&*node.cells, is_named).await?;
    node.departures.notify_one();
    if let (Some(name), true) = (named, ended.is_empty()) {
        let message = format!("there is no session {name}: `concord session list` names them");
        return Err(OperateError::NotFound(Fault::new("session-unknown", message).with("name", name)));
    }
    let text = match ended.len() {
        0 => "nobody was signed in".to_owned(),
        _ => format!("ended: {}", ended.join(", ")),
    };
    Ok(Outcome::new(json!({ "ended": ended }), text))
}
