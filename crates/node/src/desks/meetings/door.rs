//! The way in for guests: a one-time link, a button, a cookie that opens the meeting room and nothing else.
//!
//! Looking at the link changes nothing; only the button uses it up.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::clock;
use crate::face::Face;
use crate::http::{Viewer, answer, dead_link, same_site, set_cookie};
use crate::layout::{Page, Refusal};
use crate::node::Node;
use crate::session::{self, Door};

#[derive(Template)]
#[template(path = "desks/meetings/templates/door.html")]
struct DoorPage {
    page: Page,
    action: String,
}

/// What a guest sees first.
pub async fn look(State(node): State<Arc<Node>>, viewer: Viewer, Path(link): Path<String>) -> Response {
    match session::is_open(&*node.cells, Door::Meeting, &link, clock::seconds()).await {
        Ok(true) => {}
        Ok(false) => return dead_link(&viewer),
        Err(error) => return answer::internal(&error),
    }
    let page = viewer.page(viewer.asked.t.meetings_door_title());
    let action = page.href(format!("/meetings/enter/{link}"));
    match (DoorPage { page, action }).render() {
        Ok(html) => answer::html_answer(StatusCode::OK, Face::Inside, html),
        Err(error) => answer::internal(&error),
    }
}

/// The button: the link is used up, and the room's page follows.
pub async fn enter(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Response {
    if !same_site(&headers) {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    match session::enter(&*node.cells, Door::Meeting, &link, clock::seconds()).await {
        Ok(Some(token)) => {
            let mut response = Redirect::to(&viewer.asked.href("/meetings/room")).into_response();
            set_cookie(&mut response, &node, Door::Meeting, &token, session::SESSION_SECONDS);
            response
        }
        Ok(None) => dead_link(&viewer),
        Err(error) => answer::internal(&error),
    }
}
