//! `concord record ...` and `concord records ...`: look at records, take evidence away.

use std::sync::Arc;

use ::record::Record;
use serde_json::{Value, json};
use tlog::hash::Hash;

use super::{OperateError, Outcome, again};
use crate::clock;
use crate::command::{RecordCommand, RecordsCommand};
use crate::fault::Fault;
use crate::index::Forgettable;
use crate::node::Node;
use crate::release::ActKey;

pub(super) async fn run(
    node: &Arc<Node>,
    command: RecordCommand,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    match command {
        RecordCommand::Again { name, to, mechanism } => {
            again::again(node, parse(&name)?, to, mechanism.as_deref(), key).await
        }
        RecordCommand::Publish { name } => again::publish(node, parse(&name)?, key).await,
        RecordCommand::Withdraw { name, texts } => again::withdraw(node, parse(&name)?, &texts, key).await,
        RecordCommand::Show { name } => show(node, &parse(&name)?).await,
        RecordCommand::Erase { name } => erase(node, &parse(&name)?).await,
        RecordCommand::Evidence { name, file } => {
            let evidence = node.evidence(&parse(&name)?, crate::face::Face::Inside).await?;
            std::fs::write(&file, &evidence).map_err(|e| OperateError::file(&file, e))?;
            let text =
                format!("{} bytes in {}; check it anywhere: concord verify", evidence.len(), file.display());
            Ok(Outcome::new(json!({ "file": file, "bytes": evidence.len() }), text))
        }
    }
}

fn parse(name: &str) -> Result<Hash, OperateError> {
    Hash::from_hex(name).map_err(|why| OperateError::argument("NAME", why))
}

async fn show(node: &Node, name: &Hash) -> Result<Outcome, OperateError> {
    let sql = "select origin, pos, valid, reason, proven, here, sealed, opened, author,
               expires, content, coalesce(root_version, 0) from entry where name = $1 order by pos";
    let rows = node.index.db().rows(sql, &[name.to_hex().into()]).await?;
    let row = rows.first().ok_or_else(|| OperateError::unknown_record(name))?;
    let (origin, pos) = (row.text(0)?, row.uint(1)?);
    let bytes = node.entry_at(&origin, pos).await?;
    let note = String::from_utf8_lossy(&bytes).into_owned();
    let proven = row.opt_int(4)?.and_then(record::Time::from_posix);
    let here = row.opt_int(5)?.and_then(record::Time::from_posix);
    let time = |t: Option<record::Time>| t.map_or_else(|| "not yet".to_owned(), |t| t.to_string());
    let expires = row.opt_int(9)?.and_then(record::Time::from_posix);
    let erased = row.int(10)? == crate::index::FORGOTTEN;
    let erased_by = erased_by(node, &row.text(8)?, name).await?;
    let signed_after = match Record::parse(&bytes) {
        Ok(record) => node.signed_after(&record, row.uint(11)?).await,
        Err(_) => None,
    };
    let mut text = format!(
        "{note}\nlog      {origin}\nplace    {pos}\nproven   {}\nhere     {}\n",
        time(proven),
        time(here)
    );
    let places: Vec<Value> = rows
        .iter()
        .map(|row| Ok(json!({ "origin": row.text(0)?, "index": row.uint(1)? })))
        .collect::<Result<_, store::DbError>>()?;
    for row in rows.get(1..).unwrap_or_default() {
        text.push_str(&format!("also     entry {} of {}\n", row.uint(1)?, row.text(0)?));
    }
    if let Some(after) = signed_after {
        text.push_str(&format!("signed after {after}, as its anchors prove\n"));
    }
    if let Some(expires) = expires {
        text.push_str(&format!("expires  {expires}\n"));
    }
    if erased {
        text.push_str("erased   its content and the rows made of it are destroyed on this node\n");
    }
    if !erased_by.is_empty() {
        text.push_str(&format!("erased by {}\n", erased_by.join(" ")));
    }
    Ok(Outcome::new(
        json!({
            "name": name.to_hex(), "origin": origin, "index": pos, "valid": row.int(2)? == 1,
            "reason": row.opt_text(3)?, "proven": proven, "here": here, "sealed": row.int(6)? == 1,
            "opened": row.int(7)? == 1, "expires": expires, "erased": erased, "erased_by": erased_by,
            "signed_after": signed_after, "places": places, "note": note,
        }),
        text,
    ))
}

/// Who says that its copies of a record are gone.
async fn erased_by(node: &Node, author: &str, name: &Hash) -> Result<Vec<String>, OperateError> {
    let sql = "select distinct x.author from ref r join entry x on x.origin = r.origin and x.pos = r.pos
               where r.relation = 'erases' and r.to_author = $1 and r.to_name = $2 and x.valid = 1
               order by x.author";
    let rows = node.index.db().rows(sql, &[author.into(), name.to_hex().into()]).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
}

/// Destroys this node's copies of a record, then tells the readers of its logs.
async fn erase(node: &Arc<Node>, name: &Hash) -> Result<Outcome, OperateError> {
    let sql = "select distinct author, kind from entry where name = $1 and valid = 1";
    let rows = node.index.db().rows(sql, &[name.to_hex().into()]).await?;
    let row = rows.first().ok_or_else(|| OperateError::unknown_record(name))?;
    let (author, kind) = (row.text(0)?, row.text(1)?);
    if record::kind::is_log_kind(&kind) {
        return Err(OperateError::Argument(
            Fault::new("erase-log-entry", format!("{name} is {kind}: the log cannot be read without it"))
                .with("name", name)
                .with("kind", kind),
        ));
    }
    let record = Forgettable { author, name: name.to_hex() };
    if node.index.files_of(&record).await?.is_empty() {
        let message = format!(
            "{name} has no content: all that it says stands in its header, which is part of the log for ever"
        );
        return Err(OperateError::Argument(Fault::new("erase-no-content", message).with("name", name)));
    }
    node.erase_copies(&record, clock::now()).await?;
    let released = node.announce_erasures().await?;
    let told = released.iter().map(|r| format!("{} {} at {} of {}", r.kind, r.name, r.index, r.origin));
    let text = std::iter::once(format!("this node's copies of {name} are destroyed; others keep theirs"))
        .chain(told)
        .collect::<Vec<_>>()
        .join("\n");
    Ok(Outcome::new(json!({ "erased": name.to_hex(), "released": released }), text))
}

pub(super) async fn list(node: &Node, command: RecordsCommand) -> Result<Outcome, OperateError> {
    let RecordsCommand::List { author, kind, limit } = command;
    let sql = "select name, author, kind, edition, status, released, origin, pos, proven from entry
               where valid = 1 and ($1 = '' or author = $1) and ($2 = '' or kind = $2)
               order by released desc, origin, pos desc limit $3";
    let values = [
        author.map(|a| a.to_string()).unwrap_or_default().into(),
        kind.unwrap_or_default().into(),
        i64::from(limit).into(),
    ];
    let mut rows = Vec::new();
    let mut text = String::new();
    for row in node.index.db().rows(sql, &values).await? {
        let released = record::Time::from_posix(row.int(5)?).map(|t| t.to_string()).unwrap_or_default();
        let (name, author, kind) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let proof = if row.opt_int(8)?.is_some() { "proven" } else { "claimed" };
        text.push_str(&format!("{released} {author} {kind} {} {proof} {name}\n", row.text(4)?));
        rows.push(json!({
            "name": name, "author": author, "kind": kind, "edition": row.int(3)?, "status": row.text(4)?,
            "released": released, "origin": row.text(6)?, "index": row.int(7)?,
            "proven": row.opt_int(8)?.and_then(record::Time::from_posix),
        }));
    }
    Ok(Outcome::new(rows, text))
}
