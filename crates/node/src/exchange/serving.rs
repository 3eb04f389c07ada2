//! What other nodes may have: static files, heads, and the two POSTs. Decided by the engine, read from disk here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use federate::serve::Served;
use federate::{LogFile, MirrorFile, Route};
use record::Authority;
use tlog::hash::Hash;

use super::Message;
use super::caller::{self, Caller};
use crate::http::answer;
use crate::node::Node;

/// A long poll is answered after this long at the latest.
const LONG_POLL: Duration = Duration::from_secs(30);
/// The largest body of `add-checkpoint` and `nudge`.
const MAX_POST: usize = 128 << 10;

/// The exchange's routes.
pub fn routes() -> Router<Arc<Node>> {
    let posts = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/nudge", post(nudge))
        .layer(DefaultBodyLimit::max(MAX_POST));
    Router::new()
        .route("/.well-known/concord/root", get(resource))
        .route("/root/{n}", get(resource))
        .route("/roots/{authority}/{n}", get(resource))
        .route("/log/{*rest}", get(resource))
        .route("/blob/{hash}", get(resource))
        .route("/mirror/{*rest}", get(resource))
        .route("/witness/{*rest}", get(resource))
        .route("/holds/{*rest}", get(resource))
        .route("/heads", get(heads))
        .layer(middleware::map_response(tell_time))
        .merge(posts)
}

/// Every answer carries the server's time: a caller whose clock is wrong learns it here.
async fn tell_time(mut response: Response) -> Response {
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    if let Ok(value) = HeaderValue::from_str(&now) {
        response.headers_mut().insert(axum::http::header::DATE, value);
    }
    response
}

/// The recognised caller; `Err` is the answer to one whose clock is wrong.
fn caller_of(node: &Node, uri: &axum::http::Uri, headers: &HeaderMap) -> Result<Option<Authority>, Response> {
    match caller::of(node, uri.path(), uri.query(), headers) {
        Caller::Stranger => Ok(None),
        Caller::Known(authority) => Ok(Some(authority)),
        Caller::Skewed => Err((StatusCode::UNAUTHORIZED, [(CACHE_CONTROL, "private, no-store")], "").into_response()),
    }
}

async fn resource(
    State(node): State<Arc<Node>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let caller = match caller_of(&node, &uri, &headers) {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let Some(route) = Route::parse(uri.path()) else { return answer::nothing() };
    let served = node.engine().serve(&route, caller.as_ref());
    match served {
        Served::NotFound => answer::nothing(),
        Served::Bytes { body, public } => bytes(body, content_type(&route), public, false),
        Served::File { path, mark, cut, public, immutable } => {
            if let Some(mark) = mark
                && !matches!(node.files.size(&mark).await, Ok(Some(_)))
            {
                return answer::nothing();
            }
            match node.files.get(&path).await {
                Ok(Some(stored)) => match cut.apply(&stored) {
                    Some(part) => bytes(part.to_vec(), content_type(&route), public, immutable),
                    None => answer::nothing(),
                },
                Ok(None) => answer::nothing(),
                Err(error) => answer::internal(&error),
            }
        }
        Served::OwnBlob(hash) => own_blob(&node, &hash, caller.as_ref()).await,
        Served::OwnRoot(version) => own_root(&node, version),
    }
}

fn bytes(body: Vec<u8>, content_type: &'static str, public: bool, immutable: bool) -> Response {
    let cache = match (public, immutable) {
        (false, _) => "private, no-store",
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "public, max-age=1",
    };
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, cache)], body).into_response()
}

fn content_type(route: &Route) -> &'static str {
    let binary = |file: &LogFile| matches!(file, LogFile::Tile(_) | LogFile::Entries { .. });
    match route {
        Route::Log { file, .. } | Route::Mirror { file: MirrorFile::Log(file), .. } if binary(file) => {
            "application/octet-stream"
        }
        // What a blob is, its record says; no browser may take it for a page of ours.
        Route::Blob(_) | Route::Mirror { file: MirrorFile::Blob(_), .. } => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    }
}

/// A blob that own records name, to whoever may read one of their logs.
async fn own_blob(node: &Node, hash: &Hash, caller: Option<&Authority>) -> Response {
    let sql = "select distinct l.audience, l.readers from blob b join log l on l.origin = b.origin
               where b.sha256 = $1 and l.own = 1";
    let rows = match node.index.db().rows(sql, &[hash.to_hex().into()]).await {
        Ok(rows) => rows,
        Err(error) => return answer::internal(&error),
    };
    let mut public = false;
    let mut allowed = false;
    for row in rows {
        let (Ok(audience), Ok(readers)) = (row.text(0), row.text(1)) else { continue };
        public |= audience == "public";
        allowed |= caller.is_some_and(|caller| readers.split(' ').any(|r| r == caller.as_str()));
    }
    if !public && !allowed {
        return answer::nothing();
    }
    match node.files.get(&store::layout::blob(hash)).await {
        Ok(Some(body)) => {
            let mut response = bytes(body.to_vec(), "application/octet-stream", public, true);
            response.headers_mut().insert(
                axum::http::header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
            response
        }
        Ok(None) => answer::nothing(),
        Err(error) => answer::internal(&error),
    }
}

fn own_root(node: &Node, version: Option<u64>) -> Response {
    let chain = node.own_chain();
    let (version, immutable) = match version {
        Some(version) => (version, true),
        None => (chain.latest().version, false),
    };
    match chain.bytes(version) {
        Some(root) => bytes(root.to_vec(), "text/plain; charset=utf-8", true, immutable),
        None => answer::nothing(),
    }
}

/// `/heads`: at once, or with `Prefer: wait=30` when something changed for this caller.
async fn heads(State(node): State<Arc<Node>>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    let caller = match caller_of(&node, &uri, &headers) {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let waits = headers.get("prefer").and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("wait"));
    let deadline = tokio::time::Instant::now() + LONG_POLL;
    let mut news = node.news.subscribe();
    loop {
        let (body, etag) = node.engine().heads(caller.as_ref());
        if known.as_deref() != Some(etag.as_str()) {
            let headers = [
                (CONTENT_TYPE, "text/plain; charset=utf-8"),
                (CACHE_CONTROL, "private, no-store"),
                (ETAG, etag.as_str()),
            ];
            return (headers, body).into_response();
        }
        if !waits || tokio::time::timeout_at(deadline, news.changed()).await.is_err() {
            let headers = [(CACHE_CONTROL, "private, no-store"), (ETAG, etag.as_str())];
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
    }
}

async fn add_checkpoint(State(node): State<Arc<Node>>, body: Bytes) -> Response {
    ask(&node, |request| federate::Input::AddCheckpoint { request, body: body.to_vec() }).await
}

async fn nudge(State(node): State<Arc<Node>>, body: Bytes) -> Response {
    ask(&node, |request| federate::Input::Nudge { request, body: body.to_vec() }).await
}

async fn ask(
    node: &Node,
    input: impl FnOnce(federate::engine::RequestId) -> federate::Input,
) -> Response {
    let Some(inbox) = node.inbox.get() else { return answer::nothing() };
    let (request, reply) = inbox.expect_reply();
    inbox.send(Message::Input(input(request)));
    match tokio::time::timeout(LONG_POLL, reply).await {
        Ok(Ok(reply)) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(CONTENT_TYPE, reply.content_type)], reply.body).into_response()
        }
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
