//! The ways in, to the inside face and to the meeting room: a one-time link, a button, a cookie. And the way out.
//!
//! Looking at the link changes nothing; only the button uses it up.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;

use super::{Viewer, answer};
use crate::clock;
use crate::face::Face;
use crate::layout::{Page, Problem, Refusal};
use crate::node::Node;
use crate::session::{self, Door};

/// Routes of the entrance to the inside face.
pub fn routes() -> Router<Arc<Node>> {
    Router::new().route("/enter/{link}", way_in(Door::Inside)).route("/sign-out", post(leave))
}

/// What answers at the address of a door's links, which ends in the link's secret.
pub fn way_in(door: Door) -> MethodRouter<Arc<Node>> {
    get(move |node: State<Arc<Node>>, viewer: Viewer, link: Path<String>| look(node, viewer, door, link))
        .post(move |node: State<Arc<Node>>, viewer: Viewer, headers: HeaderMap, link: Path<String>| {
            enter(node, viewer, headers, door, link)
        })
}

#[derive(Template)]
#[template(path = "http/templates/enter.html")]
struct DoorPage {
    page: Page,
    action: String,
    text: String,
    button: String,
}

impl DoorPage {
    fn new(viewer: &Viewer, door: Door, link: &str) -> Self {
        let t = &viewer.asked.t;
        let (title, text, button, address) = match door {
            Door::Inside => (t.entrance_title(), t.entrance_text(), t.entrance_button(), "/enter"),
            Door::Meeting => {
                (t.meetings_door_title(), t.meetings_door_text(), t.meetings_door_button(), "/meetings/enter")
            }
        };
        let page = viewer.page(title);
        Self { action: page.href(format!("{address}/{link}")), page, text, button }
    }
}

async fn look(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    door: Door,
    Path(link): Path<String>,
) -> Response {
    match session::is_open(&*node.cells, door, &link, clock::seconds()).await {
        Ok(true) => {}
        Ok(false) => return dead_link(&viewer),
        Err(error) => return answer::internal(&error),
    }
    match DoorPage::new(&viewer, door, &link).render() {
        Ok(html) => answer::html_answer(StatusCode::OK, Face::Inside, html),
        Err(error) => answer::internal(&error),
    }
}

async fn enter(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    door: Door,
    Path(link): Path<String>,
) -> Response {
    if !same_site(&headers) {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    let first = match door {
        Door::Inside => "/situation",
        Door::Meeting => "/meetings/room",
    };
    match session::enter(&*node.cells, door, &link, clock::seconds()).await {
        Ok(Some(token)) => {
            let mut response = Redirect::to(&viewer.asked.href(first)).into_response();
            set_cookie(&mut response, &node, door, &token, session::SESSION_SECONDS);
            response
        }
        Ok(None) => dead_link(&viewer),
        Err(error) => answer::internal(&error),
    }
}

/// The link was used, is too old or never was: which of these is not told.
fn dead_link(viewer: &Viewer) -> Response {
    let problem = Problem::new("link-used-or-expired");
    let mut response = answer::refused(&viewer.shell, &viewer.asked, Refusal::Unauthorized, &[problem]);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

#[derive(Deserialize)]
struct Leave {
    csrf: String,
}

async fn leave(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(form): Form<Leave>,
) -> Response {
    if !session::same_secret(&form.csrf, viewer.csrf()) || viewer.session.is_none() {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    let left = sign_out(&node, &viewer, &headers, Door::Inside).await;
    let mut response = match left {
        Ok(response) => response,
        Err(error) => return answer::internal(&error),
    };
    for chosen in ["lang", "zone"] {
        if let Ok(value) =
            HeaderValue::from_str(&format!("{chosen}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
        {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// Ends the session of whoever asks, at a door, and its cookie; whoever is in a meeting under it leaves.
pub async fn sign_out(
    node: &Node,
    viewer: &Viewer,
    headers: &HeaderMap,
    door: Door,
) -> Result<Response, session::SessionError> {
    if let Some(token) = cookie_value(headers, door) {
        session::leave(&*node.cells, door, &token).await?;
    }
    node.departures.notify_one();
    let mut response = Redirect::to(&viewer.asked.href("/situation")).into_response();
    set_cookie(&mut response, node, door, "", 0);
    Ok(response)
}

fn cookie_value(headers: &HeaderMap, door: Door) -> Option<String> {
    let text = headers.get(axum::http::header::COOKIE)?.to_str().ok()?;
    let pair = text.split(';').find_map(|pair| pair.trim().strip_prefix(door.cookie())?.strip_prefix('='));
    pair.map(str::to_owned)
}

/// A form of ours, not one of another site's: browsers say so themselves.
pub fn same_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .and_then(|v| v.to_str().ok())
        .is_none_or(|site| matches!(site, "same-origin" | "none"))
}

/// Sets the cookie of a door; for no seconds, takes it away.
fn set_cookie(response: &mut Response, node: &Node, door: Door, token: &str, seconds: i64) {
    let secure = if node.config.public_url.starts_with("https://") { "; Secure" } else { "" };
    let (name, path) = (door.cookie(), door.path());
    let value = format!("{name}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
