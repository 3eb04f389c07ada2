//! `concord log ...`: own logs and copies of others'.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use record::Origin;
use serde_json::json;

use super::release::argument;
use super::{OperateError, Outcome};
use crate::command::LogCommand;
use crate::fault::Fault;
use crate::index::Source as _;
use crate::node::Node;
use crate::own_log::OwnLog;
use crate::release::ActKey;
use crate::saved;
use crate::signing::Permit;

pub(super) async fn run(
    node: &Arc<Node>,
    command: LogCommand,
    key: Option<&ActKey>,
) -> Result<Outcome, OperateError> {
    match command {
        LogCommand::List => list(node).await,
        LogCommand::Check => super::check::check(node).await,
        LogCommand::Resume { origin } => resume(node, argument("ORIGIN", &origin)?).await,
        LogCommand::Close { origin } => {
            let origin: Origin = argument("ORIGIN", &origin)?;
            let closed = origin.clone();
            let done = move |next: &Origin| {
                let text = format!("{closed} is closed; its audience's next record opens {next}");
                Outcome::new(json!({ "closed": closed, "next": next }), text)
            };
            let answer = done.clone();
            let next =
                node.close_log(&origin, key.cloned(), move |next| saved::encode(&answer(next))).await?;
            Ok(done(&next.next))
        }
        LogCommand::Succeed { origin } => {
            let origin: Origin = argument("ORIGIN", &origin)?;
            let ended = node.succeed_log(&origin).await?;
            let text = format!("{origin} has ended at its head; {} goes on from there", ended.next);
            Ok(Outcome::new(json!({ "ended": origin, "next": ended.next }), text))
        }
    }
}

async fn list(node: &Node) -> Result<Outcome, OperateError> {
    let sql = "select origin, own, size, readers, closed from log order by own desc, origin";
    let (mut rows, mut text) = (Vec::new(), String::new());
    let mut unopened = node.own_logs().await?;
    let ended: BTreeSet<String> =
        unopened.iter().filter(|log| !log.open).map(|log| log.origin.to_string()).collect();
    let policies = policies(node, &unopened).await?;
    unopened.retain(|log| !log.started);
    let mut listed = Vec::new();
    for row in node.index.db().rows(sql, &[]).await? {
        unopened.retain(|log| row.text(0).map_or(true, |origin| origin != log.origin.to_string()));
        let size = u64::try_from(row.int(2)?).unwrap_or(0);
        listed.push((row.text(0)?, row.int(1)? == 1, size, row.text(3)?, row.int(4)? == 1));
    }
    // A successor that was named and not opened: it has no entry, so no index knows it.
    let own = unopened.into_iter().map(|log| {
        let readers = crate::index::readers_text(&log.audience().readers());
        (log.origin.to_string(), true, 0, readers, false)
    });
    for (origin, own, size, readers, closed) in own.chain(listed) {
        let permit = origin.parse::<Origin>().map(|o| node.permits.of(&o)).ok().filter(|_| own);
        let is_unproven =
            own && !closed && policies.get(&origin).is_some_and(|needs_witnesses| !needs_witnesses);
        let note = match (&permit, closed) {
            (_, true) => " closed".to_owned(),
            (_, false) if ended.contains(&origin) => " has ended".to_owned(),
            (Some(Permit::Granted), _) if is_unproven => {
                " opened before any peer was confirmed, so nothing in it is ever proven: `concord log close`"
                    .to_owned()
            }
            (Some(Permit::Starting), _) => " is starting".to_owned(),
            (Some(Permit::Waits(why)), _) => format!(" waits: {why}"),
            _ => String::new(),
        };
        let whose = if own { "own" } else { "copy" };
        text.push_str(&format!("{origin} {whose} {size} entries, readers: {readers}{note}\n"));
        let (witnessed, held) = standing(node, &origin).await?;
        let waits = matches!(permit, Some(Permit::Waits(_) | Permit::Starting));
        rows.push(json!({
            "origin": origin, "own": own, "size": size, "readers": readers.split(' ').collect::<Vec<_>>(),
            "closed": closed, "waits": waits, "witnessed": witnessed, "held": held,
        }));
    }
    Ok(Outcome::new(rows, text))
}

/// Whether the witness policy of each own log wants a witness.
async fn policies(node: &Node, logs: &[OwnLog]) -> Result<BTreeMap<String, bool>, OperateError> {
    let mut found = BTreeMap::new();
    for log in logs {
        let Some(hash) = log.policy_hash() else { continue };
        let Some(bytes) = node.blob(&hash).await? else { continue };
        if let Ok(policy) = tlog::Policy::parse(&bytes) {
            found.insert(log.origin.to_string(), policy.needs_witnesses());
        }
    }
    Ok(found)
}

/// Up to which size a log is proven by witnesses, and the largest size that each reader holds.
async fn standing(node: &Node, origin: &str) -> Result<(u64, BTreeMap<String, u64>), OperateError> {
    let db = node.index.db();
    let rows = db
        .rows("select max(pos) + 1 from entry where origin = $1 and proven is not null", &[origin.into()])
        .await?;
    let witnessed = rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0);
    let sql = "select authority, max(size) from receipt where origin = $1 group by authority";
    let mut held = BTreeMap::new();
    for row in db.rows(sql, &[origin.into()]).await? {
        held.insert(row.text(0)?, row.uint(1)?);
    }
    Ok((u64::try_from(witnessed).unwrap_or(0), held))
}

/// The operator takes the responsibility that nothing is missing. A successor that was named and not opened yet
/// is a log of this node too: after a restore it waits like the others.
async fn resume(node: &Arc<Node>, origin: Origin) -> Result<Outcome, OperateError> {
    let key = origin.to_string();
    let head = node.writer.head(&key).await?;
    let is_ours = head.is_some() || node.own_logs().await?.iter().any(|log| log.origin == origin);
    if !is_ours {
        let message = format!("{origin} is not a log of this node");
        return Err(OperateError::NotFound(Fault::new("log-not-ours", message).with("origin", &origin)));
    }
    if node.own_logs().await?.iter().any(|log| log.origin == origin && !log.open) {
        let message = format!("{origin} has ended: nothing is signed in it any more");
        return Err(OperateError::Argument(Fault::new("log-ended", message).with("origin", &origin)));
    }
    let size = head.as_ref().map_or(0, |head| head.checkpoint.size);
    if node.permits.of(&origin) == Permit::Granted {
        let text = format!("{origin} does not wait: it signs from size {size}");
        return Ok(Outcome::new(json!({ "origin": origin, "size": size }), text));
    }
    node.writer.guard().resume(&key, size).await?;
    if head.is_some() {
        node.writer.open(&key, &federate::places::own(&origin)).await?;
    }
    node.tell(federate::Input::Resume { origin: origin.clone() });
    node.permits.set(&origin, Permit::Granted);
    let text = format!("{origin} signs again from size {size}");
    Ok(Outcome::new(json!({ "origin": origin, "size": size }), text))
}
