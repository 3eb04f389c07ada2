//! `livekit.RoomService` over Twirp (version 7): `POST /twirp/livekit.RoomService/<Method>` with protobuf or JSON, errors as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::http::Refused;
use super::knock::Query;
use super::task::{Ask, ended};
use super::{Inner, MAX_BODY};
use crate::room::{Call, CallAnswer, CallError};

const SERVICE: &str = "livekit.RoomService";
/// How long a call may take: an RPC waits for a client.
const PATIENCE: Duration = Duration::from_secs(90);

/// An error that Twirp has a word for and rooms do not use.
struct Bad {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Bad {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn route(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "bad_route", message)
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// Answers a call.
pub(super) async fn answer(
    State(inner): State<Arc<Inner>>,
    Path((service, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    match call(&inner, &service, &method, request).await {
        Ok(response) => response,
        Err(bad) => error(bad.status, bad.code, &bad.message, &[]),
    }
}

async fn call(inner: &Inner, service: &str, method: &str, request: Request) -> Result<Response, Bad> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Bad::route(format!("unsupported method {} (only POST is allowed)", parts.method)));
    }
    if service != SERVICE {
        return Err(Bad::route("no handler for this service: the rooms' is livekit.RoomService"));
    }
    let encoding = encoding(&parts.headers)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let grants =
        inner.admit(&parts.headers, &query, inner.source(&parts)).map_err(|refused| match refused {
            Refused::TooMany => {
                Bad::new(StatusCode::TOO_MANY_REQUESTS, "resource_exhausted", refused.to_string())
            }
            refused => Bad::new(StatusCode::UNAUTHORIZED, "unauthenticated", refused.to_string()),
        })?;
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        Bad::malformed(format!("the body cannot be read, or is longer than {MAX_BODY} bytes"))
    })?;
    let call = read(method, &body, encoding)?;
    tracing::debug!(method, key = grants.key, "a call of the room service");
    let asked = inner.rooms.ask(|reply| Ask::Call { grants: Box::new(grants), call, reply });
    let answered = tokio::time::timeout(PATIENCE, asked)
        .await
        .map_err(|_| Bad::new(StatusCode::REQUEST_TIMEOUT, "deadline_exceeded", "no answer in time"))?;
    Ok(match answered.unwrap_or_else(|_| Err(ended())) {
        Ok(answer) => write(&answer, encoding),
        Err(CallError { code, message, meta }) => {
            let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            error(status, code.as_str(), &message, &meta)
        }
    })
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Bad> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(Bad::route("unexpected Content-Type: application/protobuf or application/json is expected")),
    }
}

fn read(method: &str, body: &Bytes, encoding: Encoding) -> Result<Call, Bad> {
    Ok(match method {
        "CreateRoom" => Call::CreateRoom(message(body, encoding)?),
        "ListRooms" => Call::ListRooms(message(body, encoding)?),
        "DeleteRoom" => Call::DeleteRoom(message(body, encoding)?),
        "ListParticipants" => Call::ListParticipants(message(body, encoding)?),
        "GetParticipant" => Call::GetParticipant(message(body, encoding)?),
        "RemoveParticipant" => Call::RemoveParticipant(message(body, encoding)?),
        "MutePublishedTrack" => Call::MutePublishedTrack(message(body, encoding)?),
        "UpdateParticipant" => Call::UpdateParticipant(message(body, encoding)?),
        "UpdateSubscriptions" => Call::UpdateSubscriptions(message(body, encoding)?),
        "SendData" => Call::SendData(message(body, encoding)?),
        "UpdateRoomMetadata" => Call::UpdateRoomMetadata(message(body, encoding)?),
        "PerformRpc" => Call::PerformRpc(message(body, encoding)?),
        "ForwardParticipant" => Call::ForwardParticipant(message(body, encoding)?),
        "MoveParticipant" => Call::MoveParticipant(message(body, encoding)?),
        _ => return Err(Bad::route("no such method of livekit.RoomService")),
    })
}

fn message<T: Message + Default + DeserializeOwned>(body: &Bytes, encoding: Encoding) -> Result<T, Bad> {
    match encoding {
        Encoding::Protobuf => {
            T::decode(body.clone()).map_err(|_| Bad::malformed("the protobuf request could not be decoded"))
        }
        Encoding::Json => serde_json::from_slice(body)
            .map_err(|error| Bad::malformed(format!("the json request could not be decoded: {error}"))),
    }
}

fn write(answer: &CallAnswer, encoding: Encoding) -> Response {
    match answer {
        CallAnswer::Room(message) => encoded(message, encoding),
        CallAnswer::Rooms(message) => encoded(message, encoding),
        CallAnswer::RoomDeleted(message) => encoded(message, encoding),
        CallAnswer::Participants(message) => encoded(message, encoding),
        CallAnswer::Participant(message) => encoded(message, encoding),
        CallAnswer::Removed(message) => encoded(message, encoding),
        CallAnswer::Muted(message) => encoded(message, encoding),
        CallAnswer::Subscriptions(message) => encoded(message, encoding),
        CallAnswer::Sent(message) => encoded(message, encoding),
        CallAnswer::Rpc(message) => encoded(message, encoding),
    }
}

fn encoded<T: Message + Serialize>(message: &T, encoding: Encoding) -> Response {
    match encoding {
        Encoding::Protobuf => {
            ([(header::CONTENT_TYPE, "application/protobuf")], Body::from(message.encode_to_vec()))
                .into_response()
        }
        Encoding::Json => axum::Json(message).into_response(),
    }
}

fn error(status: StatusCode, code: &str, message: &str, meta: &[(String, String)]) -> Response {
    let mut body = json!({ "code": code, "msg": message });
    if !meta.is_empty() {
        body["meta"] = meta
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    (status, axum::Json(body)).into_response()
}
