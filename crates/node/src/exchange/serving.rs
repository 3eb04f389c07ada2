//! What other nodes may have: static files, heads, and the two POSTs. Decided by the engine, read from disk here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, OriginalUri, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use federate::serve::{Cut, Served};
use federate::{LogFile, MirrorFile, Route};
use futures::Stream;
use record::Authority;
use tlog::hash::Hash;

use super::Message;
use super::caller::{self, Caller};
use super::shown::{Answer, Asks};
use crate::http::answer;
use crate::node::{Node, OpenError};

/// A long poll is answered after this long at the latest.
const LONG_POLL: Duration = Duration::from_secs(30);
/// Up to here a file is sent from memory.
pub(super) const SMALL: u64 = 256 << 10;
/// What is read at once of a larger one.
pub(super) const PIECE: u64 = 128 << 10;
/// Entries of a full bundle.
const FULL: usize = 256;
/// How many bundles are looked at side by side to find where their entries end.
static BEING_CUT: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);
/// The largest body of `add-checkpoint` and `nudge`.
const MAX_POST: usize = 128 << 10;

/// The exchange's routes.
pub fn routes(node: &Arc<Node>) -> Router<Arc<Node>> {
    let posts = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/nudge", post(nudge))
        .layer(DefaultBodyLimit::max(MAX_POST))
        .layer(middleware::from_fn(in_time));
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
        .layer(middleware::from_fn_with_state(node.clone(), once_ready))
}

/// What is posted here is small: who needs longer for it is not waited for.
const POSTED: Duration = Duration::from_secs(20);

async fn in_time(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(POSTED, axum::body::to_bytes(body, MAX_POST)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// How long who asks waits for a node that has just been started.
const READY: Duration = Duration::from_secs(10);

/// A node that listens already and does not know its own logs yet would say that there are none.
async fn once_ready(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let mut exchanging = node.exchanging.subscribe();
    match tokio::time::timeout(READY, exchanging.wait_for(|ready| *ready)).await {
        Ok(Ok(_)) => {}
        _ => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
    next.run(request).await
}

/// Every answer carries the server's time: a caller whose clock is wrong learns it here.
async fn tell_time(mut response: Response) -> Response {
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    if let Ok(value) = HeaderValue::from_str(&now) {
        response.headers_mut().insert(axum::http::header::DATE, value);
    }
    response
}

#[allow(clippy::result_large_err)] // The answer itself, given once.
/// The recognised caller; `Err` is the answer to one whose clock is wrong.
async fn caller_of(
    node: &Node,
    method: &Method,
    uri: &axum::http::Uri,
    headers: &HeaderMap,
) -> Result<Option<Authority>, Response> {
    match caller::of(node, method, uri, headers).await {
        Caller::Stranger => Ok(None),
        Caller::Known(authority) => Ok(Some(authority)),
        Caller::Skewed => {
            Err((StatusCode::UNAUTHORIZED, [(CACHE_CONTROL, "private, no-store")], "").into_response())
        }
    }
}

async fn resource(
    State(node): State<Arc<Node>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let caller = match caller_of(&node, &method, &uri, &headers).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let Some(route) = Route::parse(uri.path()) else { return answer::nothing() };
    match find(&node, &route, caller.as_ref()).await {
        Ok(Some(found)) => send(&node, found, content_type(&route)),
        Ok(None) => answer::nothing(),
        Err(error) => answer::internal(&error),
    }
}

/// What a caller gets for a path.
pub(super) struct Found {
    content: Content,
    public: bool,
    immutable: bool,
}

/// What is small is in memory, and what is large is read as it is sent: whoever asks for it many times and reads slowly costs
/// little.
enum Content {
    Bytes(Vec<u8>),
    /// So many of the first bytes of a file, which do not change.
    File {
        path: String,
        length: u64,
    },
}

impl Found {
    /// All of it, in memory.
    pub(super) async fn bytes(self, node: &Node) -> Result<Vec<u8>, OpenError> {
        match self.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File { path, length } => {
                Ok(node.files.get_range(&path, 0..length).await?.unwrap_or_default().to_vec())
            }
        }
    }
}

/// Looks up a resource for a caller; `None` is both "not there" and "not for you".
pub(super) async fn find(
    node: &Node,
    route: &Route,
    caller: Option<&Authority>,
) -> Result<Option<Found>, OpenError> {
    let served = node.engine().serve(route, caller);
    match served {
        Served::NotFound => Ok(None),
        Served::Bytes { body, public } => {
            Ok(Some(Found { content: Content::Bytes(body), public, immutable: false }))
        }
        Served::File { path, mark, cut, public, immutable } => {
            if let Some(mark) = mark
                && node.files.size(&mark).await?.is_none()
            {
                return Ok(None);
            }
            if let Route::Mirror { file: MirrorFile::Blob(hash), .. } = route
                && !node.may_be_sent(hash).await?
            {
                return Ok(None);
            }
            let content = cut_of(node, path, cut).await?;
            if let Some(Content::Bytes(bytes)) = &content
                && !is_archived_whole(node, route, bytes).await
            {
                return Ok(None);
            }
            Ok(content.map(|content| Found { content, public, immutable }))
        }
        Served::OwnBlob(hash) => own_blob(node, &hash, caller).await,
        Served::OwnRoot(version) => Ok(own_root(node, version)),
    }
}

/// Whether an archived checkpoint is what was signed; what is not is not given away as what never changes.
async fn is_archived_whole(node: &Node, route: &Route, bytes: &[u8]) -> bool {
    let (origin, file) = match route {
        Route::Log { log, file } => (Some(log.origin(&node.config.authority)), file),
        Route::Mirror { origin, file: MirrorFile::Log(file) } => (node.engine().origin_of(origin), file),
        _ => return true,
    };
    let is_archived = matches!(file, LogFile::Seen(_) | LogFile::Held { .. });
    let Some(origin) = origin.filter(|_| is_archived) else { return true };
    let Some(fault) = node.fault_of_archived(&origin, file, bytes) else { return true };
    tracing::error!(%origin, fault, "an archived checkpoint is damaged on this disk");
    node.archived_damaged(&origin, file.clone()).await;
    false
}

/// A stored file, cut as said; `None` if it is not there, or too short.
async fn cut_of(node: &Node, path: String, cut: Cut) -> Result<Option<Content>, OpenError> {
    let Some(size) = node.files.size(&path).await? else { return Ok(None) };
    if size <= SMALL {
        let stored = node.files.get(&path).await?;
        return Ok(stored.and_then(|stored| cut.apply(&stored).map(|part| Content::Bytes(part.to_vec()))));
    }
    let length = match cut {
        Cut::Whole | Cut::Entries(FULL) => size,
        Cut::Bytes(count) => count as u64,
        Cut::Entries(_) => {
            // Where the entries end is in the file; a few are looked at side by side.
            let _one_of_a_few = BEING_CUT.acquire().await;
            let stored = node.files.get(&path).await?;
            let Some(length) = stored.and_then(|stored| cut.apply(&stored).map(<[u8]>::len)) else {
                return Ok(None);
            };
            length as u64
        }
    };
    Ok((length <= size).then_some(Content::File { path, length }))
}

fn send(node: &Arc<Node>, found: Found, content_type: &'static str) -> Response {
    let (length, body) = match found.content {
        Content::Bytes(bytes) => (bytes.len() as u64, Body::from(bytes)),
        Content::File { path, length } => {
            (length, Body::from_stream(piece_by_piece(node.clone(), path, length)))
        }
    };
    let mut response = headers_of(content_type, found.public, found.immutable).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    *response.body_mut() = body;
    response
}

/// A file as it is sent. One that goes while it is sent breaks the answer off.
fn piece_by_piece(
    node: Arc<Node>,
    path: String,
    length: u64,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    futures::stream::try_unfold((node, path, 0), move |(node, path, at)| async move {
        if at >= length {
            return Ok(None);
        }
        let piece = node.files.get_range(&path, at..length.min(at + PIECE)).await;
        let piece = piece.map_err(std::io::Error::other)?.filter(|piece| !piece.is_empty());
        let piece = piece.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let next = at + piece.len() as u64;
        Ok(Some((piece, (node, path, next))))
    })
}

fn headers_of(content_type: &'static str, public: bool, immutable: bool) -> [(HeaderName, &'static str); 3] {
    let cache = match (public, immutable) {
        (false, _) => "private, no-store",
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "public, max-age=1",
    };
    [(CONTENT_TYPE, content_type), (CACHE_CONTROL, cache), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
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

/// Whose eyes a blob is for.
enum Right {
    Everybody,
    /// Readers of a log, of whom the caller is one.
    Caller,
    /// Others; the caller is told what it would be told if nothing was here.
    Others,
    /// No record that the index has names it.
    Unknown,
}

/// A blob that own records name, to whoever may read one of their logs. Peers are told of a release before the index
/// has it: who asks for a blob that is here and that no row names yet waits for the index.
async fn own_blob(node: &Node, hash: &Hash, caller: Option<&Authority>) -> Result<Option<Found>, OpenError> {
    let path = store::layout::blob(hash);
    let mut right = right_to(node, hash, caller).await?;
    if matches!(right, Right::Unknown)
        && node.releasing.is_under_way()
        && node.files.size(&path).await?.is_some()
    {
        if let Err(error) = node.index_all_own().await {
            tracing::warn!(%error, "whether a blob may be read is asked of an index that is behind");
        }
        right = right_to(node, hash, caller).await?;
    }
    let public = match right {
        Right::Everybody => true,
        Right::Caller => false,
        Right::Others | Right::Unknown => return Ok(None),
    };
    if !node.may_be_sent(hash).await? {
        return Ok(None);
    }
    let content = cut_of(node, path, Cut::Whole).await?;
    Ok(content.map(|content| Found { content, public, immutable: true }))
}

async fn right_to(node: &Node, hash: &Hash, caller: Option<&Authority>) -> Result<Right, OpenError> {
    let sql = "select distinct l.own, l.audience, l.readers from blob b join log l on l.origin = b.origin
               where b.sha256 = $1";
    let mut right = Right::Unknown;
    for row in node.index.db().rows(sql, &[hash.to_hex().into()]).await? {
        let (own, audience, readers) = (row.int(0)? == 1, row.text(1)?, row.text(2)?);
        if own && audience == "public" {
            return Ok(Right::Everybody);
        }
        let is_reader = |caller: &Authority| readers.split(' ').any(|reader| reader == caller.as_str());
        if own && caller.is_some_and(is_reader) {
            right = Right::Caller;
        } else if matches!(right, Right::Unknown) {
            right = Right::Others;
        }
    }
    Ok(right)
}

fn own_root(node: &Node, version: Option<u64>) -> Option<Found> {
    let chain = node.own_chain();
    let (version, immutable) = match version {
        Some(version) => (version, true),
        None => (chain.latest().version, false),
    };
    let content = Content::Bytes(chain.bytes(version)?.to_vec());
    Some(Found { content, public: true, immutable })
}

/// `/heads`: at once, or with `Prefer: wait=30` when something changed for this caller.
async fn heads(
    State(node): State<Arc<Node>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let caller = match caller_of(&node, &method, &uri, &headers).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let prefers = headers.get("prefer").and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("wait"));
    // A stranger's question is never held: anybody could have any number of them.
    let held = caller.as_ref().filter(|_| prefers).and_then(|caller| node.shown.hold(caller));
    let deadline = tokio::time::Instant::now() + LONG_POLL;
    let mut news = node.news.subscribe();
    let mut asks = Asks::Anew;
    loop {
        let write = || node.engine().heads(caller.as_ref());
        let Answer { body, etag, .. } =
            node.shown.answer(caller.as_ref(), asks, || *node.news.borrow(), write).await;
        asks = Asks::Woken;
        if !known.as_deref().is_some_and(|known| answer::is_among(&etag, known)) {
            let headers = [
                (CONTENT_TYPE, "text/plain; charset=utf-8"),
                (CACHE_CONTROL, "private, no-store"),
                (ETAG, etag.as_str()),
            ];
            return (headers, body).into_response();
        }
        let mut stopping = node.stopping.subscribe();
        let changed = async {
            tokio::select! {
                changed = news.changed() => changed.is_ok(),
                _ = stopping.wait_for(|stopping| *stopping) => false,
            }
        };
        if held.is_none() || !matches!(tokio::time::timeout_at(deadline, changed).await, Ok(true)) {
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

async fn ask(node: &Node, input: impl FnOnce(federate::engine::RequestId) -> federate::Input) -> Response {
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
