//! `concord record ...` and `concord records ...`: look at records, take evidence away.

use std::sync::Arc;

use ::record::{Record, Time, kind};
use serde_json::{Value, json};
use tlog::hash::Hash;

use super::{OperateError, Outcome, again};
use crate::asof::Basis;
use crate::clock;
use crate::command::{RecordCommand, RecordsCommand};
use crate::face::Face;
use crate::fault::Fault;
use crate::index::{self, CONFLICTING, CROWDED, DISOWNED, Forgettable, SUPERSEDED, WITHDRAWN, joined, state};
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
        RecordCommand::Publish { name, naming_sealed } => {
            again::publish(node, parse(&name)?, naming_sealed, key).await
        }
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

/// A record as `record show` says it, of all the places that it has here: those sealed for others too.
struct Shown {
    origin: String,
    pos: u64,
    author: String,
    kind: String,
    thing: String,
    edition: u64,
    readers: String,
    root: u64,
    valid: bool,
    reason: Option<String>,
    seal: Seal,
    expires: Option<Time>,
    erased: bool,
    /// The earliest of all places, as the rules of protocol section 4 say.
    released: Option<Time>,
    proven: Option<Time>,
    here: Option<Time>,
    stands: &'static str,
    by: Option<String>,
    /// Whether it has a line that must be understood, and is unknown here.
    critical: bool,
    /// Since when its author disowns it.
    disowned: Option<Time>,
    places: Vec<(String, u64)>,
}

/// Whether it was sealed, and then whether this node could open it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seal {
    Clear,
    Opened,
    Closed,
}

async fn places_of(node: &Node, name: &Hash) -> Result<Shown, OperateError> {
    let mut sql = store::Sql::from(
        "select e.origin, e.pos, e.valid, e.reason, e.proven, e.here, e.sealed, e.opened, e.author, e.expires, e.content,
         coalesce(e.root_version, 0), e.released, ",
    );
    sql.append(&state("e", Face::Inside)).push(
        ", st.by_name, st.start, e.kind, e.id, e.edition, l.readers, e.disowned, e.critical
         from entry e join log l on l.origin = e.origin",
    );
    sql.append(&joined("e", Face::Inside, Basis::Claimed));
    sql.push(" where e.name = $2 and e.author = ").append(&index::author_of(2));
    sql.push(" order by e.valid desc, e.released, e.origin, e.pos");
    let rows = node.index.db().rows(sql, &[i64::MAX.into(), name.to_hex().into()]).await?;
    let first = rows.first().ok_or_else(|| OperateError::unknown_record(name))?;
    let (valid, author) = (first.int(2)?, first.text(8)?);
    // What is sealed for others, or not opened yet, is on no face, and no table says what stands of it.
    let is_disowned =
        rows.iter().map(|row| row.int(20)).collect::<Result<Vec<_>, _>>()?.iter().all(|how| *how != 0);
    let state = first.opt_int(13)?.or(is_disowned.then_some(DISOWNED));
    let mut places = Vec::new();
    let mut times: [Option<i64>; 3] = [None; 3];
    for row in &rows {
        places.push((row.text(0)?, row.uint(1)?));
        if row.int(2)? == valid && row.text(8)? == author {
            let row_times = [row.opt_int(12)?, row.opt_int(4)?, row.opt_int(5)?];
            for (earliest, time) in times.iter_mut().zip(row_times) {
                *earliest = [*earliest, time].into_iter().flatten().min();
            }
        }
    }
    let [released, proven, here] = times.map(|time| time.and_then(Time::from_posix));
    Ok(Shown {
        origin: first.text(0)?,
        pos: first.uint(1)?,
        author,
        kind: first.text(16)?,
        thing: first.text(17)?,
        edition: first.uint(18)?,
        readers: first.text(19)?,
        root: first.uint(11)?,
        valid: valid == 1,
        reason: first.opt_text(3)?,
        seal: match (first.int(6)?, first.int(7)?) {
            (0, _) => Seal::Clear,
            (_, 1) => Seal::Opened,
            _ => Seal::Closed,
        },
        expires: first.opt_int(9)?.and_then(Time::from_posix),
        erased: first.int(10)? == crate::index::FORGOTTEN,
        released,
        proven,
        here,
        stands: stands(state),
        by: first.opt_text(14)?,
        critical: first.int(21)? != 0,
        disowned: first
            .opt_int(15)?
            .filter(|since| *since > 0)
            .and_then(Time::from_posix)
            .filter(|_| state == Some(DISOWNED)),
        places,
    })
}

/// What a record is now, in one word.
fn stands(state: Option<i64>) -> &'static str {
    match state {
        Some(SUPERSEDED) => "superseded",
        Some(WITHDRAWN) => "withdrawn",
        Some(CONFLICTING) => "conflicting",
        Some(DISOWNED) => "disowned",
        Some(CROWDED) => "crowded",
        _ => "speaks",
    }
}

async fn show(node: &Node, name: &Hash) -> Result<Outcome, OperateError> {
    let shown = places_of(node, name).await?;
    let bytes = node.entry_at(&shown.origin, shown.pos).await?;
    let note = String::from_utf8_lossy(&bytes).into_owned();
    let erased_by = erased_by(node, &shown.author, name).await?;
    let signed_after = match Record::parse(&bytes) {
        Ok(record) => node.signed_after(&record, shown.root).await,
        Err(_) => None,
    };
    let text = shown_text(&shown, &note, signed_after.map(|after| after.to_string()), &erased_by);
    let places: Vec<Value> =
        shown.places.iter().map(|(origin, index)| json!({ "origin": origin, "index": index })).collect();
    Ok(Outcome::new(
        json!({
            "name": name.to_hex(), "kind": shown.kind, "thing": shown.thing, "edition": shown.edition,
            "readers": shown.readers, "origin": shown.origin, "index": shown.pos, "valid": shown.valid,
            "reason": shown.reason, "stands": shown.stands, "by": shown.by, "unknown_line": shown.critical, "disowned": shown.disowned, "released": shown.released,
            "proven": shown.proven, "here": shown.here, "sealed": shown.seal != Seal::Clear, "opened": shown.seal == Seal::Opened,
            "expires": shown.expires, "erased": shown.erased, "erased_by": erased_by,
            "signed_after": signed_after, "places": places, "note": note,
        }),
        text,
    ))
}

fn shown_text(shown: &Shown, note: &str, signed_after: Option<String>, erased_by: &[String]) -> String {
    let time = |t: Option<Time>| t.map_or_else(|| "not yet".to_owned(), |t| t.to_string());
    let mut text =
        format!("{note}\nkind     {}\nthing    {}, edition {}\n", shown.kind, shown.thing, shown.edition);
    text.push_str(&format!(
        "log      {}\nplace    {}\nreaders  {}\n",
        shown.origin, shown.pos, shown.readers
    ));
    text.push_str(&format!("proven   {}\nhere     {}\n", time(shown.proven), time(shown.here)));
    if !shown.valid {
        text.push_str(&format!(
            "invalid  {}\n",
            shown.reason.as_deref().unwrap_or("it breaks a rule of records")
        ));
    } else if shown.stands != "speaks" {
        let by = shown.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let since = shown.disowned.map(|since| format!(" since {since}")).unwrap_or_default();
        text.push_str(&format!("state    {}{by}{since}\n", shown.stands));
    }
    if shown.critical {
        text.push_str("unknown  it has a line that must be understood and is unknown here: neither acted on nor counted\n");
    }
    for (origin, index) in shown.places.iter().skip(1) {
        text.push_str(&format!("also     entry {index} of {origin}\n"));
    }
    if let Some(after) = signed_after {
        text.push_str(&format!("signed after {after}, as its anchors prove\n"));
    }
    if let Some(expires) = shown.expires {
        text.push_str(&format!("expires  {expires}\n"));
    }
    if shown.erased {
        text.push_str("erased   its content and the rows made of it are destroyed on this node\n");
    }
    if !erased_by.is_empty() {
        text.push_str(&format!("erased by {}\n", erased_by.join(" ")));
    }
    text
}

/// Who says that its copies of a record are gone.
async fn erased_by(node: &Node, author: &str, name: &Hash) -> Result<Vec<String>, OperateError> {
    let sql = "select distinct x.author from ref r join entry x on x.origin = r.origin and x.pos = r.pos
               where r.relation = 'erases' and x.kind = 'erasure' and r.to_author = $1 and r.to_name = $2 and x.valid = 1
               order by x.author";
    let rows = node.index.db().rows(sql, &[author.into(), name.to_hex().into()]).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
}

/// Destroys this node's copies of a record, then tells the readers of its logs.
async fn erase(node: &Arc<Node>, name: &Hash) -> Result<Outcome, OperateError> {
    let (mut records, mut files) = (Vec::new(), Vec::new());
    let mut refusal = None;
    for (author, kinds) in index::claimed_by(node.index.db(), &name.to_hex()).await? {
        let record = Forgettable { author, name: name.to_hex() };
        // Somebody's claim that may not be erased keeps nobody else's record.
        match check_erasable(node, name, &record, &kinds).await {
            Ok(()) => {
                files.extend(node.index.files_of(&record).await?);
                records.push(record);
            }
            Err(refused) => refusal = Some(refused),
        }
    }
    if records.is_empty() {
        return Err(refusal.unwrap_or_else(|| OperateError::unknown_record(name)));
    }
    if files.is_empty() {
        let message = format!(
            "{name} has no content: all that it says stands in its header, which is part of the log for ever"
        );
        return Err(OperateError::Argument(Fault::new("erase-no-content", message).with("name", name)));
    }
    for record in &records {
        node.erase_copies(record, clock::now()).await?;
    }
    let released = node.announce_erasures().await?;
    let told = released.iter().map(|r| format!("{} {} at {} of {}", r.kind, r.name, r.index, r.origin));
    let mut kept = 0;
    for (_, file) in &files {
        kept += usize::from(!node.index.needed_in(file, clock::seconds()).await?.is_empty());
    }
    let said = match kept {
        0 => format!("this node's copies of {name} are destroyed; others keep theirs"),
        _ => format!(
            "{name} is erased here; others keep their copies, and {kept} of its files stay here because other records name them too"
        ),
    };
    let text = std::iter::once(said).chain(told).collect::<Vec<_>>().join("\n");
    Ok(Outcome::new(json!({ "erased": name.to_hex(), "files_kept": kept, "released": released }), text))
}

/// Whether a record may be erased at this node alone.
async fn check_erasable(
    node: &Node,
    name: &Hash,
    record: &Forgettable,
    kinds: &[String],
) -> Result<(), OperateError> {
    if let Some(kind_of) = kinds.iter().find(|kind| kind::is_log_kind(kind)) {
        return Err(OperateError::Argument(
            Fault::new("erase-log-entry", format!("{name} is {kind_of}: the log cannot be read without it"))
                .with("name", name)
                .with("kind", kind_of),
        ));
    }
    let decides = [kind::CHARTER, kind::ACCEPT, kind::LEAVE, kind::ERASURE];
    if let Some(kind_of) = kinds.iter().find(|kind| decides.contains(&kind.as_str())) {
        let message =
            format!("{name} is {kind_of}: what it decides would be undone at this node alone, so it is kept");
        let fault = Fault::new("erase-decides", message).with("name", name).with("kind", kind_of);
        return Err(OperateError::Argument(fault));
    }
    if let Some(target) = node.index.acts_on(record).await? {
        let message = format!(
            "{name} ends what {target} says, which is still here and would speak again: erase that one first"
        );
        let fault = Fault::new("erase-acts", message).with("name", name).with("target", target);
        return Err(OperateError::Argument(fault));
    }
    Ok(())
}

pub(super) async fn list(node: &Node, command: RecordsCommand) -> Result<Outcome, OperateError> {
    let RecordsCommand::List { author, kind, limit } = command;
    let mut sql = store::Sql::from(
        "select e.name, e.author, e.kind, e.edition, e.status, e.released, e.origin, e.pos, e.proven, ",
    );
    sql.append(&state("e", Face::Inside)).push(" from entry e");
    sql.append(&joined("e", Face::Inside, Basis::Claimed));
    sql.push(
        " where e.valid = 1 and ($2 = '' or e.author = $2) and ($3 = '' or e.kind = $3)
         order by e.released desc, e.origin, e.pos desc limit $4",
    );
    let values = [
        i64::MAX.into(),
        author.map(|a| a.to_string()).unwrap_or_default().into(),
        kind.unwrap_or_default().into(),
        i64::from(limit).into(),
    ];
    let mut rows = Vec::new();
    let mut text = String::new();
    for row in node.index.db().rows(sql, &values).await? {
        let released = Time::from_posix(row.int(5)?).map(|t| t.to_string()).unwrap_or_default();
        let (name, author, kind) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let (proven, stands) = (row.opt_int(8)?.and_then(Time::from_posix), stands(row.opt_int(9)?));
        let proof = if proven.is_some() { "proven" } else { "claimed" };
        let ended = if stands == "speaks" { String::new() } else { format!(" {stands}") };
        text.push_str(&format!("{released} {author} {kind} {} {proof} {name}{ended}\n", row.text(4)?));
        rows.push(json!({
            "name": name, "author": author, "kind": kind, "edition": row.int(3)?, "status": row.text(4)?,
            "released": released, "origin": row.text(6)?, "index": row.int(7)?, "proven": proven, "stands": stands,
        }));
    }
    Ok(Outcome::new(rows, text))
}
