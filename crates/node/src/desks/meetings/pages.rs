//! The addresses of this desk: `/meetings`, the room, its tickets, and the way in for guests.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State as Of};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::attendee::Visitor;
use super::guest;
use super::page::{self, Invitation, RoomPage};
use crate::clock;
use crate::face::Face;
use crate::fault::Coded as _;
use crate::http::{Viewer, answer, same_site, sign_out, way_in};
use crate::layout::{CONTENT_SECURITY_POLICY as STRICT, Desk, Problem, Refusal};
use crate::node::Node;
use crate::session::{self, Bearer, Door};

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/meetings", get(desk).post(invite))
        .route("/meetings/room", get(room))
        .route("/meetings/room/token", post(token))
        .route("/meetings/sign-out", post(leave))
        .route("/meetings/enter/{link}", way_in(Door::Meeting))
}

/// What the engine calls the plain room. One server may carry the meetings of several authorities.
pub(super) fn plain_room(node: &Node) -> String {
    format!("{}/room", node.config.authority)
}

async fn desk(Of(node): Of<Arc<Node>>, viewer: Viewer) -> Response {
    if viewer.face == Face::Public {
        return answer::not_found(&viewer);
    }
    shown(&node, &viewer, &Invitation::default(), None, None)
}

fn shown(
    node: &Node,
    viewer: &Viewer,
    filled: &Invitation,
    fault: Option<&str>,
    link: Option<(String, String)>,
) -> Response {
    let lang = viewer.asked.t.lang().code();
    let peers = node
        .confirmed_peers()
        .into_iter()
        .map(|known| {
            let name = known.peer.names.get(lang).map_or_else(|| known.shown_name(), String::as_str);
            (known.peer.authority.to_string(), name.to_owned())
        })
        .collect();
    let engine = node.carrier.get().map(super::Carrier::url);
    let page = viewer.page(viewer.asked.t.shell_meetings()).on_desk(Desk::Meetings);
    let mut response = answer::page(viewer, &page::desk_page(page, engine, peers, filled, fault, link));
    if fault.is_some() && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

#[derive(Deserialize)]
struct Invite {
    csrf: String,
    guest: String,
    #[serde(default)]
    duty: String,
}

/// Makes a link for a guest, and shows it once.
async fn invite(
    Of(node): Of<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(form): Form<Invite>,
) -> Response {
    if viewer.face == Face::Public {
        return answer::not_found(&viewer);
    }
    if !same_site(&headers) || !session::same_secret(&form.csrf, viewer.csrf()) {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    let t = &viewer.asked.t;
    let Ok(authority) = form.guest.parse::<record::Authority>() else {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[]);
    };
    let filled = Invitation { guest: form.guest, duty: form.duty.trim().to_owned() };
    let bearer = Bearer { guest: Some(authority.clone()), duty: filled.duty.clone(), of: None };
    match guest::new_link(&node, bearer).await {
        Ok(link) => {
            let known = node.confirmed_peer(&authority);
            let name = known.as_ref().map_or(authority.as_str(), |known| {
                known.peer.names.get(t.lang().code()).map_or_else(|| known.shown_name(), String::as_str)
            });
            shown(&node, &viewer, &Invitation::default(), None, Some((name.to_owned(), link)))
        }
        Err(error @ crate::operate::OperateError::Argument(_)) => {
            let arguments = error.arguments();
            let given: Vec<(&str, String)> =
                arguments.into_iter().filter(|(name, _)| *name != "at").collect();
            let fault = Problem::of(error.code(), given).text(t);
            shown(&node, &viewer, &filled, Some(&fault), None)
        }
        Err(error) => answer::internal(&error),
    }
}

/// The room. Nothing is asked of the engine, and no token is made, before somebody presses the button that enters.
async fn room(Of(node): Of<Arc<Node>>, visitor: Visitor) -> Response {
    let Visitor { viewer, attendee } = visitor;
    let (Some(attendee), Some(carrier)) = (attendee, node.carrier.get()) else {
        return answer::not_found(&viewer);
    };
    let page = viewer.page(viewer.asked.t.meetings_plain());
    let back = if viewer.face == Face::Inside { page.href("/meetings") } else { page.href("/situation") };
    let mut response = answer::page(&viewer, &RoomPage::new(page, &attendee, back, viewer.session.is_none()));
    let headers = response.headers_mut();
    // A guest's page is a guest's alone, though the guest stands on the public face.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let policy = STRICT.replace("connect-src 'self'", &format!("connect-src 'self' {}", carrier.origins()));
    match HeaderValue::from_str(&policy) {
        Ok(policy) => headers.insert(CONTENT_SECURITY_POLICY, policy),
        Err(error) => return answer::internal(&error),
    };
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self)",
        ),
    );
    response
}

#[derive(Deserialize)]
struct Ask {
    csrf: String,
}

/// A guest leaves for good: on a machine that others use too, the session would open the room until it is over.
async fn leave(
    Of(node): Of<Arc<Node>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(ask): Form<Ask>,
) -> Response {
    let Visitor { viewer, attendee } = visitor;
    let is_guest = viewer.session.is_none();
    let is_asked = attendee.is_some_and(|guest| session::same_secret(&ask.csrf, &guest.csrf));
    if !same_site(&headers) || !is_guest || !is_asked {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    match sign_out(&node, &viewer, &headers, Door::Meeting).await {
        Ok(response) => response,
        Err(error) => answer::internal(&error),
    }
}

/// A ticket for whoever asks: who that is stands in the session.
async fn token(
    Of(node): Of<Arc<Node>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(ask): Form<Ask>,
) -> Response {
    let (Some(attendee), Some(carrier)) = (visitor.attendee, node.carrier.get()) else {
        return answer::nothing();
    };
    if !same_site(&headers) || !session::same_secret(&ask.csrf, &attendee.csrf) {
        return (StatusCode::FORBIDDEN, [(CACHE_CONTROL, "no-store")], "").into_response();
    }
    let now = u64::try_from(clock::seconds()).unwrap_or_default();
    let room = plain_room(&node);
    if let Err(error) = carrier.open_room(&room, now).await {
        tracing::error!(%error, "the engine of meetings cannot be used");
        return (StatusCode::SERVICE_UNAVAILABLE, [(CACHE_CONTROL, "no-store")], "").into_response();
    }
    tracing::info!(room, identity = attendee.identity, "somebody enters a meeting");
    answer::json(Face::Inside, &carrier.ticket(&room, &attendee, now))
}
