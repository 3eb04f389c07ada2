//! `concord record ...` and `concord records ...`: look at records, take evidence away.

use std::sync::Arc;

use serde_json::json;
use tlog::hash::Hash;

use super::{OperateError, Outcome};
use crate::command::{RecordCommand, RecordsCommand};
use crate::node::Node;

pub(super) async fn run(node: &Arc<Node>, command: RecordCommand) -> Result<Outcome, OperateError> {
    match command {
        RecordCommand::Show { name } => show(node, &parse(&name)?).await,
        RecordCommand::Evidence { name, file } => {
            let evidence = node.evidence(&parse(&name)?).await?;
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
    let sql = "select origin, pos, valid, reason, proven, here, sealed, opened from entry where name = $1 order by pos";
    let rows = node.index.db().rows(sql, &[name.to_hex().into()]).await?;
    let row = rows.first().ok_or_else(|| OperateError::unknown_record(name))?;
    let (origin, pos) = (row.text(0)?, row.uint(1)?);
    let bytes = node.entry_at(&origin, pos).await?;
    let note = String::from_utf8_lossy(&bytes).into_owned();
    let proven = row.opt_int(4)?.and_then(record::Time::from_posix);
    let here = row.opt_int(5)?.and_then(record::Time::from_posix);
    let time = |t: Option<record::Time>| t.map_or_else(|| "not yet".to_owned(), |t| t.to_string());
    let text = format!(
        "{note}\nlog      {origin}\nplace    {pos}\nproven   {}\nhere     {}\n",
        time(proven),
        time(here)
    );
    Ok(Outcome::new(
        json!({
            "name": name.to_hex(), "origin": origin, "index": pos, "valid": row.int(2)? == 1,
            "reason": row.opt_text(3)?, "proven": proven, "here": here, "sealed": row.int(6)? == 1,
            "opened": row.int(7)? == 1, "note": note,
        }),
        text,
    ))
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
