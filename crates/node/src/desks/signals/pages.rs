//! The addresses of this desk: `/signals`, and what an officer does about one.

use super::dismissal::{self, Dismissal};
use super::list::{self, Wanted};
use crate::clock;
use crate::desks::situation::pages::Desktop;
use crate::face::Face;
use crate::http::{Viewer, answer, same_site};
use crate::layout::{Desk, Problem, Refusal};
use crate::node::Node;
use crate::session;
use axum::Router;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/signals", get(signals))
        .route("/signals/dismiss", post(dismiss))
        .route("/signals/restore", post(restore))
}

/// The signals that an address asks for.
async fn found(node: &Node, viewer: &Viewer) -> Result<list::Signals, Response> {
    let wanted = Wanted::read(&viewer.asked).map_err(|problem| refused(viewer, problem))?;
    let read = async {
        let desk = Desktop::open(node, viewer).await?;
        let names = desk.names(viewer);
        let indicator = viewer.asked.query.get("indicator");
        list::read(node.index.db(), desk.scope, &names, indicator, wanted, desk.share()).await
    };
    read.await.map_err(|error| answer::internal(&error))
}

fn refused(viewer: &Viewer, problem: Problem) -> Response {
    answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[problem])
}

async fn signals(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let found = match found(&node, &viewer).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    // A dismissal is a note of this authority for itself.
    let dismissed = match viewer.face {
        Face::Public => BTreeMap::new(),
        Face::Inside => match dismissal::all(&*node.cells).await {
            Ok(dismissed) => dismissed,
            Err(error) => return answer::internal(&error),
        },
    };
    let desk = match Desktop::open(&node, &viewer).await {
        Ok(desk) => desk,
        Err(error) => return answer::internal(&error),
    };
    let page = viewer.page(viewer.asked.t.signals_title()).on_desk(Desk::Signals).as_of(viewer.as_of);
    match list::page(page, &desk.names(&viewer), &found, &dismissed) {
        Ok(page) => answer::lists(&viewer, &page),
        Err(problem) => refused(&viewer, problem),
    }
}

#[derive(Deserialize)]
struct Act {
    csrf: String,
    signal: String,
    #[serde(default)]
    reason: String,
}

/// Whether the form is this session's and about a signal that the page shows.
async fn checked(node: &Node, viewer: &Viewer, headers: &HeaderMap, act: &Act) -> Result<(), Response> {
    if viewer.face == Face::Public {
        return Err(answer::not_found(viewer));
    }
    if !same_site(headers) || !session::same_secret(&act.csrf, viewer.csrf()) {
        return Err(answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]));
    }
    let known = found(node, viewer).await?;
    if known.found.iter().any(|signal| signal.name == act.signal) {
        Ok(())
    } else {
        Err(refused(viewer, Problem::new("signal-unknown")))
    }
}

/// Back to the list as it was asked for.
fn back(viewer: &Viewer) -> Response {
    Redirect::to(&viewer.asked.query.on("/signals")).into_response()
}

async fn dismiss(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(act): Form<Act>,
) -> Response {
    if let Err(response) = checked(&node, &viewer, &headers, &act).await {
        return response;
    }
    let Some(reason) = dismissal::reason(&act.reason) else {
        return refused(&viewer, Problem::new("signal-reason").with("limit", dismissal::MAX_REASON));
    };
    match dismissal::keep(&*node.cells, &act.signal, &Dismissal { reason, at: clock::seconds() }).await {
        Ok(()) => back(&viewer),
        Err(error) => answer::internal(&error),
    }
}

async fn restore(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(act): Form<Act>,
) -> Response {
    if let Err(response) = checked(&node, &viewer, &headers, &act).await {
        return response;
    }
    match dismissal::take_back(&*node.cells, &act.signal).await {
        Ok(()) => back(&viewer),
        Err(error) => answer::internal(&error),
    }
}
