//! What clients find under HTTP: the two ways to join, their `/validate`, the room service, and answers for browsers of any origin.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use edge::Source;

use super::knock::{self, KnockError, Query};
use super::task::{Ask, Ended, frames};
use super::{Inner, MAX_BODY, now, socket, twirp};
use crate::grants::Grants;
use crate::room::{Join, Refusal};
use crate::token::TokenError;

/// Why a request is answered with an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Knock(#[from] KnockError),
    #[error(transparent)]
    Rooms(#[from] Refusal),
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error("too many requests from this address; try again in a second")]
    TooMany,
}

impl Refused {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Knock(_) => StatusCode::BAD_REQUEST,
            Self::Rooms(refusal) => StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN),
            Self::Ended(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// The ways to join and the room service. Paths are also answered with a second slash before them, which clients make of an
/// address that ends with one.
pub(super) fn router(inner: Arc<Inner>) -> Router {
    let mut router = Router::new();
    for slash in ["", "/"] {
        router = router
            .route(&format!("{slash}/rtc"), get(dual))
            .route(&format!("{slash}/rtc/v1"), get(single))
            .route(&format!("{slash}/rtc/validate"), get(validate_dual))
            .route(&format!("{slash}/rtc/v1/validate"), get(validate_single))
            .route(&format!("{slash}/twirp/{{service}}/{{method}}"), any(twirp::answer));
    }
    router.layer(DefaultBodyLimit::max(MAX_BODY)).layer(from_fn(any_origin)).with_state(inner)
}

/// CORS: any origin may ask, because what it may do is in its token and never in a cookie.
async fn any_origin(request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let preflight = request.method() == Method::OPTIONS;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    if preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, OPTIONS"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        // `*` would not cover `Authorization`.
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("*")));
    }
    response
}

async fn dual(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    join(&inner, parts, knock::dual).await
}

async fn single(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    join(&inner, parts, knock::single).await
}

async fn validate_dual(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    validate(&inner, &parts, knock::dual).await
}

async fn validate_single(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    validate(&inner, &parts, knock::single).await
}

type Read = fn(Grants, &Query, Option<Source>) -> Result<Join, KnockError>;

async fn validate(inner: &Inner, parts: &Parts, read: Read) -> Response {
    match knocked(inner, parts, read).await {
        Ok(_) => "success".into_response(),
        Err(refused) => said(&refused),
    }
}

/// A refusal is said before the upgrade, as a status; what rooms only find out at the join itself, they say as a `Leave`.
async fn join(inner: &Arc<Inner>, mut parts: Parts, read: Read) -> Response {
    if !parts.headers.contains_key(header::SEC_WEBSOCKET_KEY) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut join = match knocked(inner, &parts, read).await {
        Ok(join) => join,
        Err(refused) => return said(&refused),
    };
    join.ice_servers = inner.ice_servers();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, inner).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let inner = inner.clone();
    upgrade.max_message_size(socket::MAX_FRAME).max_frame_size(socket::MAX_FRAME).on_upgrade(
        async move |socket| {
            let connection = inner.rooms.connection();
            let (outgoing, incoming) = frames();
            let ask = Ask::Join { connection, join: Box::new(join), frames: outgoing };
            if inner.rooms.say(ask).await.is_ok() {
                let _open = inner.open.enter();
                socket::converse(socket, inner.rooms.clone(), connection, incoming).await;
            }
        },
    )
}

/// Reads and judges a knock.
async fn knocked(inner: &Inner, parts: &Parts, read: Read) -> Result<Join, Refused> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let from = inner.source(parts);
    let grants = inner.admit(&parts.headers, &query, from)?;
    let join = read(grants, &query, from)?;
    if let Some(admission) = &inner.admission
        && !admission.admits(&join.grants).await
    {
        return Err(Refusal::Removed.into());
    }
    let grants = Box::new(join.grants.clone());
    inner.rooms.ask(|reply| Ask::MayJoin { grants, reply }).await??;
    Ok(join)
}

/// Clients read these sentences.
fn said(refused: &Refused) -> Response {
    tracing::debug!(%refused, "a join was refused");
    (refused.status(), refused.to_string()).into_response()
}

impl Inner {
    /// Whose request it is, as limits count it, if the server knows it.
    pub(super) fn source(&self, parts: &Parts) -> Option<Source> {
        if let Some(source) = parts.extensions.get::<Source>() {
            return Some(*source);
        }
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
        Some(self.proxies.source(from, forwarded))
    }

    /// Checks the token, and how often its sender has asked. Whoever shows a good one is not refused for the bad ones of others
    /// at the same address.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        query: &Query,
        from: Option<Source>,
    ) -> Result<Grants, Refused> {
        let now = now();
        let verified =
            knock::token(headers, query).and_then(|token| self.keys.verify(token, now.unix_ms / 1000));
        // Whoever embeds the engine without telling sources has limits of its own.
        let limit = if verified.is_ok() { &self.joins } else { &self.refusals };
        if from.is_some_and(|from| !limit.take(from, now.instant)) {
            return Err(Refused::TooMany);
        }
        Ok(verified?)
    }
}

/// Not found, in a word; for the server that stands alone.
pub(super) async fn nothing_here(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, format!("nothing is at {}\n", uri.path().chars().take(100).collect::<String>()))
        .into_response()
}
