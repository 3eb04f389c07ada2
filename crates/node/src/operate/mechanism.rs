//! `concord mechanism ...`: standing groups by charter. Nobody hosts them.

use std::collections::BTreeSet;
use std::sync::Arc;

use record::charter::Charter;
use record::{Authority, MechanismId, Ref, Relation, Status, Time, kind};
use serde_json::json;
use tlog::hash::Hash;

use super::release::{argument, pair};
use super::{OperateError, Outcome, read_file};
use crate::command::MechanismCommand;
use crate::fault::Fault;
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Content, Draft};

/// The longest text of a charter.
const MAX_TEXT: u64 = 1 << 20;

pub(super) async fn run(node: &Arc<Node>, command: MechanismCommand) -> Result<Outcome, OperateError> {
    match command {
        MechanismCommand::Propose { name, texts, members, observers, threshold, replaces, released } => {
            let charter = charter(node, name, members, observers, threshold)?;
            propose(node, charter, &texts, replaces.as_deref(), released).await
        }
        MechanismCommand::Accept { mechanism, charter, released } => {
            accept(node, &argument("MECHANISM", &mechanism)?, charter.as_deref(), released).await
        }
        MechanismCommand::Leave { mechanism } => leave(node, &argument("MECHANISM", &mechanism)?).await,
        MechanismCommand::List => list(node).await,
    }
}

/// The readers of a mechanism: those that its charter in force names.
pub(super) async fn audience(node: &Node, id: &MechanismId) -> Result<Audience, OperateError> {
    let mechanisms = node.mechanisms().await?;
    let mechanism =
        mechanisms.get(node.config.status, id).filter(|m| m.charter().is_some()).ok_or_else(|| {
            let message = format!("no charter of {id} is in force here: `concord mechanism list`");
            OperateError::NotFound(Fault::new("mechanism-not-in-force", message).with("mechanism", id))
        })?;
    Ok(Audience::of(&node.config.authority, mechanism.readers()))
}

fn charter(
    node: &Node,
    name: String,
    members: Vec<Authority>,
    observers: Vec<Authority>,
    threshold: u32,
) -> Result<Charter, OperateError> {
    let party = |authority: Authority| {
        let chain = node.chain_of(&authority).ok_or(crate::peers::PeerError::Unknown(authority.clone()))?;
        Ok::<_, OperateError>((authority, chain.fingerprint()))
    };
    let members: BTreeSet<Authority> = members.into_iter().chain([node.config.authority.clone()]).collect();
    let charter = Charter {
        name,
        members: members.into_iter().map(party).collect::<Result<_, _>>()?,
        observers: observers.into_iter().map(party).collect::<Result<_, _>>()?,
        threshold: threshold as usize,
    };
    charter.check().map_err(|e| OperateError::Argument(e.into()))?;
    Ok(charter)
}

async fn propose(
    node: &Arc<Node>,
    charter: Charter,
    texts: &[String],
    replaces: Option<&str>,
    released: Option<Time>,
) -> Result<Outcome, OperateError> {
    let mut draft = Draft::new(kind::CHARTER, node.config.status);
    draft.released = released;
    draft.own = charter.to_lines().map_err(|e| OperateError::Argument(e.into()))?;
    for text in texts {
        let (lang, path) = pair("--text", text)?;
        draft.contents.push(Content {
            media_type: argument("--text", "text/plain;charset=utf-8")?,
            lang: Some(argument("--text", lang)?),
            bytes: read_file(std::path::Path::new(path), MAX_TEXT)?,
        });
    }
    let mut readers = charter.readers();
    if let Some(id) = replaces {
        let id: MechanismId = argument("--replaces", id)?;
        let mechanisms = node.mechanisms().await?;
        let before = mechanisms.get(node.config.status, &id).ok_or_else(|| {
            let message = format!("{id} is not known here: `concord mechanism list`");
            OperateError::NotFound(Fault::new("mechanism-unknown", message).with("mechanism", &id))
        })?;
        draft.supersedes = before.in_force();
        readers = charter.audience(before.charter());
        draft.mechanism = Some(id);
    }
    let id = MechanismId::new(&node.config.authority, &charter.name)
        .map_err(|e| OperateError::Argument(e.into()))?;
    let audience = Audience::of(&node.config.authority, readers);
    let released = node.release(&audience, vec![draft]).await?;
    let name = released.first().map(|r| r.name.clone()).unwrap_or_default();
    let text =
        format!("charter {name} of {id} is released; it is in force when its members have accepted it");
    Ok(Outcome::new(json!({ "mechanism": id, "charter": name }), text))
}

async fn accept(
    node: &Arc<Node>,
    id: &MechanismId,
    charter: Option<&str>,
    released: Option<Time>,
) -> Result<Outcome, OperateError> {
    let wanted = charter
        .map(|text| Hash::from_hex(text).map_err(|why| OperateError::argument("--charter", why)))
        .transpose()?;
    let found = find_charter(node, id, wanted).await?;
    for (authority, fingerprint) in found.charter.members.iter().chain(&found.charter.observers) {
        let known = node.chain_of(authority).map(|chain| chain.fingerprint());
        if known.is_some_and(|known| known != *fingerprint) {
            return Err(OperateError::Argument(
                Fault::new(
                    "charter-fingerprint-differs",
                    format!(
                        "the charter names another fingerprint of {authority} than the one confirmed here: do not accept it, ask them"
                    ),
                )
                .with("authority", authority),
            ));
        }
    }
    let mut draft = Draft::new(kind::ACCEPT, node.config.status);
    draft.released = released;
    draft.mechanism = Some(id.clone());
    draft.refs = vec![Ref { relation: Relation::Accepts, author: found.author, name: found.name }];
    let audience = Audience::of(&node.config.authority, found.charter.readers());
    let released = node.release(&audience, vec![draft]).await?;
    let name = released.first().map(|r| r.name.clone()).unwrap_or_default();
    let text = format!("{id}: charter {} is accepted by {}", found.name, node.config.authority);
    Ok(Outcome::new(json!({ "mechanism": id, "accept": name, "charter": found.name.to_hex() }), text))
}

struct Found {
    author: Authority,
    name: Hash,
    charter: Charter,
}

/// A charter of a mechanism that this node could open: the one asked for, or the newest.
async fn find_charter(node: &Node, id: &MechanismId, wanted: Option<Hash>) -> Result<Found, OperateError> {
    let sql = "select name, author, charter, mechanism from sealed_mechanism_fact
               where kind = $1 and status = $2 order by released desc, pos desc";
    let rows = node.index.db().rows(sql, &[kind::CHARTER.into(), node.config.status.as_str().into()]).await?;
    for row in rows {
        let name = Hash::from_hex(&row.text(0)?).map_err(|e| OperateError::NotFound(e.into()))?;
        let author: Authority = argument("author", &row.text(1)?)?;
        let lines: Vec<record::Line> = row
            .text(2)?
            .lines()
            .filter_map(|l| l.split_once(' ').and_then(|(k, v)| record::Line::new(k, v).ok()))
            .collect();
        let Ok(charter) = Charter::parse(&lines) else { continue };
        let of = match row.opt_text(3)? {
            Some(mechanism) => argument::<MechanismId>("mechanism", &mechanism)?,
            None => argument("mechanism", &format!("{author}/{}", charter.name))?,
        };
        if of == *id && wanted.is_none_or(|wanted| wanted == name) {
            return Ok(Found { author, name, charter });
        }
    }
    let message = format!("no charter of {id} has arrived here yet: `concord mechanism list`");
    Err(OperateError::NotFound(Fault::new("charter-not-here", message).with("mechanism", id)))
}

async fn leave(node: &Arc<Node>, id: &MechanismId) -> Result<Outcome, OperateError> {
    let audience = audience(node, id).await?;
    let mut draft = Draft::new(kind::LEAVE, node.config.status);
    draft.mechanism = Some(id.clone());
    let released = node.release(&audience, vec![draft]).await?;
    Ok(Outcome::new(released, format!("{} has left {id}", node.config.authority)))
}

async fn list(node: &Node) -> Result<Outcome, OperateError> {
    let mechanisms = node.mechanisms().await?;
    let mut text = String::new();
    let mut rows = Vec::new();
    for (status, mechanism) in mechanisms.iter() {
        let members: Vec<String> = mechanism
            .charter()
            .map(|c| c.members.iter().map(|(a, _)| a.to_string()).collect())
            .unwrap_or_default();
        let state = if mechanism.in_force().is_some() { "in force" } else { "not in force" };
        let mark = if status == Status::Actual { String::new() } else { format!(" [{status}]") };
        text.push_str(&format!("{}{mark} {state}: {}\n", mechanism.id, members.join(", ")));
        rows.push(json!({
            "mechanism": mechanism.id, "status": status, "in_force": mechanism.in_force().map(|h| h.to_hex()),
            "members": members,
        }));
    }
    if rows.is_empty() {
        text.push_str("no mechanism is known here\n");
    }
    Ok(Outcome::new(rows, text))
}
