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
use crate::release::{Act, ActKey, Content, Draft, Planned, Released, Thing};

/// The longest text of a charter.
const MAX_TEXT: u64 = 1 << 20;

pub(super) async fn run(
    node: &Arc<Node>,
    command: MechanismCommand,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    let act = match command {
        MechanismCommand::Propose { name, texts, members, observers, threshold, replaces, released } => {
            let charter = charter(node, name, members, observers, threshold)?;
            propose(node, charter, &texts, replaces.as_deref(), released)?
        }
        MechanismCommand::Accept { mechanism, charter, released } => {
            accept(argument("MECHANISM", &mechanism)?, charter.as_deref(), released)?
        }
        MechanismCommand::Leave { mechanism } => leave(argument("MECHANISM", &mechanism)?),
        MechanismCommand::List => return list(node).await,
    };
    Ok(Outcome::of(&node.act(act.under(key)).await?))
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

fn propose(
    node: &Arc<Node>,
    charter: Charter,
    texts: &[String],
    replaces: Option<&str>,
    released: Option<Time>,
) -> Result<Act, OperateError> {
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
    let id = MechanismId::new(&node.config.authority, &charter.name)
        .map_err(|e| OperateError::Argument(e.into()))?;
    let replaces: Option<MechanismId> = replaces.map(|id| argument("--replaces", id)).transpose()?;
    // Which charter is in force, and so who hears of this one, is looked up when its turn comes.
    Ok(Act::decided(move |node| async move {
        let mut readers = charter.readers();
        if let Some(id) = replaces {
            let mechanisms = node.mechanisms().await.map_err(OperateError::from)?;
            let before = mechanisms.get(node.config.status, &id).ok_or_else(|| {
                let message = format!("{id} is not known here: `concord mechanism list`");
                Fault::new("mechanism-unknown", message).with("mechanism", &id)
            })?;
            draft.thing = Thing::Replaces(before.in_force());
            readers = charter.audience(before.charter());
            draft.mechanism = Some(id);
        }
        let audience = Audience::of(&node.config.authority, readers);
        Ok(Planned::new(audience, vec![draft]).answered(move |released| {
            let name = name_of(released);
            let text = format!(
                "charter {name} of {id} is released; it is in force when its members have accepted it"
            );
            Outcome::new(json!({ "mechanism": id, "charter": name }), text)
        }))
    }))
}

fn name_of(released: &[Released]) -> String {
    released.first().map(|released| released.name.clone()).unwrap_or_default()
}

fn accept(id: MechanismId, charter: Option<&str>, released: Option<Time>) -> Result<Act, OperateError> {
    let wanted = charter
        .map(|text| Hash::from_hex(text).map_err(|why| OperateError::argument("--charter", why)))
        .transpose()?;
    Ok(Act::decided(move |node| async move {
        let found = find_charter(&node, &id, wanted).await?;
        check_fingerprints(&node, &found.charter)?;
        let mut draft = Draft::new(kind::ACCEPT, node.config.status);
        draft.released = released;
        draft.mechanism = Some(id.clone());
        draft.refs = vec![Ref { relation: Relation::Accepts, author: found.author, name: found.name }];
        let me = node.config.authority.clone();
        let audience = Audience::of(&me, found.charter.readers());
        Ok(Planned::new(audience, vec![draft]).answered(move |released| {
            let text = format!("{id}: charter {} is accepted by {me}", found.name);
            let charter = found.name.to_hex();
            Outcome::new(json!({ "mechanism": id, "accept": name_of(released), "charter": charter }), text)
        }))
    }))
}

fn check_fingerprints(node: &Node, charter: &Charter) -> Result<(), Fault> {
    for (authority, fingerprint) in charter.members.iter().chain(&charter.observers) {
        let known = node.chain_of(authority).map(|chain| chain.fingerprint());
        if known.is_some_and(|known| known != *fingerprint) {
            let message = format!(
                "the charter names another fingerprint of {authority} than the one confirmed here: do not accept it, ask them"
            );
            return Err(Fault::new("charter-fingerprint-differs", message).with("authority", authority));
        }
    }
    Ok(())
}

struct Found {
    author: Authority,
    name: Hash,
    charter: Charter,
}

/// A charter of a mechanism that this node could open: the one asked for, or the newest.
async fn find_charter(node: &Node, id: &MechanismId, wanted: Option<Hash>) -> Result<Found, OperateError> {
    // Where they are, and then one at a time: an author may have released very many.
    let sql = "select origin, pos, name from sealed_mechanism_fact
               where kind = $1 and status = $2 and (mechanism = $3 or (mechanism is null and author = $4))
               order by released desc, pos desc";
    let founder = id.as_str().split('/').next().unwrap_or_default();
    let values =
        [kind::CHARTER.into(), node.config.status.as_str().into(), id.as_str().into(), founder.into()];
    let wanted_hex = wanted.map(|name| name.to_hex());
    for at in node.index.db().rows(sql, &values).await? {
        if wanted_hex.is_some() && wanted_hex != Some(at.text(2)?) {
            continue;
        }
        let sql = "select name, author, charter, mechanism from sealed_mechanism_fact
                   where origin = $1 and pos = $2";
        let place = [at.text(0)?.into(), at.int(1)?.into()];
        let Some(row) = node.index.db().rows(sql, &place).await?.into_iter().next() else { continue };
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
        if of == *id {
            return Ok(Found { author, name, charter });
        }
    }
    let message = format!("no charter of {id} has arrived here yet: `concord mechanism list`");
    Err(OperateError::NotFound(Fault::new("charter-not-here", message).with("mechanism", id)))
}

fn leave(id: MechanismId) -> Act {
    Act::decided(move |node| async move {
        let audience = audience(&node, &id).await?;
        let mut draft = Draft::new(kind::LEAVE, node.config.status);
        draft.mechanism = Some(id.clone());
        let me = node.config.authority.clone();
        Ok(Planned::new(audience, vec![draft])
            .answered(move |released| Outcome::new(released, format!("{me} has left {id}"))))
    })
}

async fn list(node: &Node) -> Result<Outcome, OperateError> {
    let mechanisms = node.mechanisms().await?;
    let mut text = String::new();
    let mut rows = Vec::new();
    for (status, mechanism) in mechanisms.iter() {
        let members: Vec<String> =
            mechanism.charter().map(|charter| names_of(&charter.members)).unwrap_or_default();
        let state = if mechanism.in_force().is_some() { "in force" } else { "not in force" };
        let mark = if status == Status::Actual { String::new() } else { format!(" [{status}]") };
        let who = if members.is_empty() { String::new() } else { format!(": {}", members.join(", ")) };
        text.push_str(&format!("{}{mark} {state}{who}\n", mechanism.id));
        let mut proposed = Vec::new();
        for one in &mechanism.candidates {
            let (accepted, awaited) = (names_of(&one.accepted), names_of(&one.awaited));
            text.push_str(&format!(
                "  proposed by {}: charter {}\n    accepted by {}; awaited: {}\n",
                one.by.0,
                one.name,
                accepted.join(", "),
                awaited.join(", ")
            ));
            proposed.push(json!({
                "charter": one.name.to_hex(), "by": one.by.0, "members": names_of(&one.charter.members),
                "accepted": accepted, "awaited": awaited,
            }));
        }
        rows.push(json!({
            "mechanism": mechanism.id, "status": status, "in_force": mechanism.in_force().map(|h| h.to_hex()),
            "members": members, "proposed": proposed,
        }));
    }
    if rows.is_empty() {
        text.push_str("no mechanism is known here\n");
    }
    Ok(Outcome::new(rows, text))
}

fn names_of<'a, T: 'a>(parties: impl IntoIterator<Item = &'a (Authority, T)>) -> Vec<String> {
    parties.into_iter().map(|(authority, _)| authority.to_string()).collect()
}
