//! The addresses of this desk: `/records`, `/record/{name}`, its blobs and its evidence file.

use super::list;
use super::page::{FiguresTaken, Inclusion, View, kind_name, record_page, unknown_page};
use super::query::{self, Entry};
use crate::desks::situation::names::{Names, authorities};
use crate::desks::situation::schema::Shelf;
use crate::http::{Viewer, answer};
use crate::index;
use crate::index::EVERYBODY;
use crate::layout::{Desk, Refusal};
use crate::node::Node;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use store::LogReader;
use store::db::DbError;
use tlog::hash::Hash;

const EVIDENCE: &str = "application/octet-stream";

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/records", get(records_page))
        .route("/records.csv", get(records_csv))
        .route("/record/{name}", get(one_record))
        .route("/record/{name}/evidence", get(evidence))
        .route("/record/{name}/blob/{hash}", get(blob))
}

fn or_internal(answered: Result<Response, DbError>) -> Response {
    answered.unwrap_or_else(|error| answer::internal(&error))
}

async fn records_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let (table, wanted) = match list::wanted(&viewer.asked, false) {
        Ok(wanted) => wanted,
        Err(problem) => {
            return answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[problem]);
        }
    };
    let answered = async {
        let db = node.index.db();
        let known = authorities(db).await?;
        let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
        let (entries, counted) = query::list(db, viewer.face, viewer.as_of, &wanted).await?;
        let page = viewer.page(viewer.asked.t.shell_records()).on_desk(Desk::Records).as_of(viewer.as_of);
        Ok(answer::page(&viewer, &list::list_page(page, &names, &table, &entries, counted)))
    };
    or_internal(answered.await)
}

async fn records_csv(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let (_, wanted) = match list::wanted(&viewer.asked, true) {
        Ok(wanted) => wanted,
        Err(problem) => {
            return answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[problem]);
        }
    };
    let answered = async {
        let db = node.index.db();
        let known = authorities(db).await?;
        let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
        let (entries, _) = query::list(db, viewer.face, viewer.as_of, &wanted).await?;
        Ok(answer::file(&viewer, "text/csv; charset=utf-8", "records.csv", list::csv(&names, &entries)))
    };
    or_internal(answered.await)
}

/// A name as an address has it; anything else names no record.
fn hash_of(text: &str) -> Option<Hash> {
    Hash::from_hex(text).ok()
}

async fn one_record(State(node): State<Arc<Node>>, Path(name): Path<String>, viewer: Viewer) -> Response {
    let answered = async {
        let db = node.index.db();
        let entries = match hash_of(&name) {
            Some(_) => query::find(db, viewer.face, viewer.as_of, &name).await?,
            None => Vec::new(),
        };
        let Some(entry) = query::record_at(&entries) else { return Ok(answer::not_found(&viewer)) };
        let known = authorities(db).await?;
        let t = &viewer.asked.t;
        let names = Names { t, places: &node.places, authorities: &known };
        let title = t.record_of(kind_name(t, &entry.kind), names.author(&entry.author));
        let page = viewer
            .page(title)
            .on_desk(Desk::Records)
            .below("/records", t.shell_records())
            .as_of(viewer.as_of);
        if !is_known(&entries, &viewer) {
            return Ok(answer::page(&viewer, &unknown_page(page)));
        }
        let view = view(&node, &viewer, &entry, entries).await?;
        Ok(match record_page(page, &names, &view, &entry) {
            Ok(page) => answer::lists(&viewer, &page),
            Err(problem) => answer::bad_request(&viewer.shell, &viewer.asked, problem),
        })
    };
    or_internal(answered.await)
}

/// Whether some entry of the record was known as of the moment.
fn is_known(entries: &[Entry], viewer: &Viewer) -> bool {
    use crate::asof::Basis;
    let Some(at) = viewer.as_of.at else { return true };
    entries.iter().any(|entry| {
        let time = match viewer.as_of.basis {
            Basis::Claimed => Some(entry.released),
            Basis::Proven => entry.proven,
            Basis::Here => entry.here,
        };
        time.is_some_and(|time| time <= at)
    })
}

async fn view(node: &Node, viewer: &Viewer, entry: &Entry, entries: Vec<Entry>) -> Result<View, DbError> {
    let db = node.index.db();
    let raw = node.entry_at(&entry.origin, entry.pos.unsigned_abs()).await.ok();
    Ok(View {
        blobs: query::blobs(db, entry).await?,
        about: query::about(db, entry).await?,
        refers_to: query::refers_to(db, viewer.face, entry).await?,
        referred_by: query::referred_by(db, viewer.face, viewer.as_of, entry).await?,
        witnesses: query::witnesses(db, &entry.origin, entry.pos).await?,
        holders: query::holders(db, &entry.origin, entry.pos).await?,
        inclusion: inclusion(node, entry).await?,
        signed_after: match raw.as_deref().map(::record::Record::parse) {
            Some(Ok(record)) => {
                let root = entry.root_version.unwrap_or(1).unsigned_abs();
                node.signed_after(&record, root).await.map(::record::Time::posix)
            }
            _ => None,
        },
        raw: raw.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        inner: inner(node, entry).await,
        refusal: query::refusal(db, entry).await?,
        figures: figures(db, entry).await?,
        entries,
    })
}

/// The proof to the newest checkpoint here; `None` where tiles are missing.
async fn inclusion(node: &Node, entry: &Entry) -> Result<Option<Inclusion>, DbError> {
    let sql = "select size, root from log where origin = $1";
    let rows = node.index.db().rows(sql, &[entry.origin.as_str().into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (size, root) = (row.uint(0)?, row.text(1)?);
    let Ok(origin) = entry.origin.parse() else { return Ok(None) };
    let reader = LogReader::new(node.files.clone(), node.prefix_of(&origin), size);
    match reader.prove_inclusion(entry.pos.unsigned_abs()).await {
        Ok(path) => Ok(Some(Inclusion { size, root, path: path.iter().map(Hash::to_hex).collect() })),
        Err(error) => {
            tracing::warn!(%error, origin = entry.origin, "no inclusion proof from the tiles here");
            Ok(None)
        }
    }
}

/// What was sealed: the inner header, if this node's keys open the record. Who may ask was decided by the query.
async fn inner(node: &Node, entry: &Entry) -> Option<String> {
    if !entry.sealed {
        return None;
    }
    let record = node.record_at(&entry.origin, entry.pos.unsigned_abs()).await.ok()??;
    let root = entry.root_version.unwrap_or(1).unsigned_abs();
    match index::open(node, &record, root).await {
        Ok(opened) => opened.and_then(|opened| opened.content.inner_text().map(str::to_owned)),
        Err(error) => {
            tracing::warn!(%error, name = entry.name, "the inner header cannot be read");
            None
        }
    }
}

async fn figures(db: &store::db::Db, entry: &Entry) -> Result<Option<FiguresTaken>, DbError> {
    let shelf = if entry.readers == EVERYBODY { Shelf::Public } else { Shelf::Sealed };
    let sql = shelf.sql("select figures, refused, fault from {release} where author = $1 and name = $2");
    let rows = db.rows(sql, &[entry.author.as_str().into(), entry.name.as_str().into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(FiguresTaken { read: row.int(0)?, refused: row.int(1)?, fault: row.opt_text(2)? }))
}

async fn evidence(State(node): State<Arc<Node>>, Path(name): Path<String>, viewer: Viewer) -> Response {
    let Some(hash) = hash_of(&name) else { return answer::not_found(&viewer) };
    // What may be seen is decided as for the page: who may not see a record gets no proof of it.
    match query::find(node.index.db(), viewer.face, viewer.as_of, &name).await {
        Ok(entries) if entries.is_empty() => return answer::not_found(&viewer),
        Ok(_) => {}
        Err(error) => return answer::internal(&error),
    }
    match node.evidence(&hash, viewer.face).await {
        Ok(bytes) => answer::file(&viewer, EVIDENCE, &format!("{}.evidence", &name[..16]), bytes),
        Err(crate::operate::OperateError::NotFound(_)) => answer::not_found(&viewer),
        Err(error) => answer::internal(&error),
    }
}

async fn blob(
    State(node): State<Arc<Node>>,
    Path((name, hash)): Path<(String, String)>,
    viewer: Viewer,
) -> Response {
    let (Some(_), Some(wanted)) = (hash_of(&name), hash_of(&hash)) else { return answer::not_found(&viewer) };
    let answered = async {
        let db = node.index.db();
        let entries = query::find(db, viewer.face, viewer.as_of, &name).await?;
        let Some(entry) = query::record_at(&entries) else { return Ok(answer::not_found(&viewer)) };
        if entry.is_erased() {
            // Also where the file is kept because another record names it.
            return Ok(answer::not_found(&viewer));
        }
        let named = query::blobs(db, &entry).await?.into_iter().find(|blob| blob.sha256 == hash);
        let Some(named) = named else { return Ok(answer::not_found(&viewer)) };
        let record = match node.record_at(&entry.origin, entry.pos.unsigned_abs()).await {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(answer::not_found(&viewer)),
            Err(error) => return Ok(answer::internal(&error)),
        };
        let root = entry.root_version.unwrap_or(1).unsigned_abs();
        let opened = match index::open(&*node, &record, root).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(answer::not_found(&viewer)),
            Err(error) => return Ok(answer::internal(&error)),
        };
        if let Some(bytes) = opened.content.blob(&wanted) {
            // Always as a file: nothing that others wrote runs or renders under this address.
            return Ok(answer::file(&viewer, "application/octet-stream", &hash[..16], bytes.to_vec()));
        }
        node.look_for_lost(&record.header.log, entry.pos.unsigned_abs(), record.name()).await;
        let is_own = entry.author == node.config.authority.as_str();
        if is_own || named.size.unsigned_abs() > ::record::MAX_BLOB {
            return Ok(answer::not_found(&viewer)); // Nobody is asked for it here, or it never comes.
        }
        // Of what expires, nothing but the first blob comes unasked.
        node.tell(federate::Input::WantBlobs { origin: record.header.log.clone(), name: record.name() });
        Ok(answer::refused(&viewer.shell, &viewer.asked, Refusal::OnItsWay, &[]))
    };
    or_internal(answered.await)
}
