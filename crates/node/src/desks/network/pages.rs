//! The addresses of this desk: `/network`, its authorities and its logs.

use super::mechanism::mechanism_page;
use super::page::{Health, LogView, View, authority_page, log_page, overview_page};
use super::query;
use crate::alarm;
use crate::asof::AsOf;
use crate::clock;
use crate::desks::situation::names::{Names, authorities};
use crate::face::Face;
use crate::http::{Viewer, answer};
use crate::layout::{Desk, Lists, Problem};
use crate::node::Node;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use store::db::DbError;

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/network", get(overview))
        .route("/network/logs/{*origin}", get(log))
        .route("/network/mechanisms/{author}/{name}", get(mechanism))
        .route("/network/{authority}", get(authority))
}

fn or_internal<E: Display>(answered: Result<Response, E>) -> Response {
    answered.unwrap_or_else(|error| answer::internal(&error))
}

/// A page with its lists, or what was wrong with the order asked for.
fn listed<T: Template + Lists>(viewer: &Viewer, page: Result<T, Problem>) -> Response {
    match page {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => answer::bad_request(&viewer.shell, &viewer.asked, problem),
    }
}

/// Why a page of this desk cannot be drawn.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Saved(#[from] crate::saved::SavedError),
}

async fn view(node: &Node, viewer: &Viewer, authority: Option<&str>) -> Result<View, PageError> {
    let db = node.index.db();
    let mut view = View {
        authorities: query::authorities(db, viewer.face).await?,
        logs: query::logs(db, viewer.face, authority).await?,
        holdings: query::holdings(db, viewer.face, AsOf::default(), authority).await?,
        now: clock::seconds(),
        ..View::default()
    };
    if viewer.face == Face::Inside {
        // They may ring an alarm.
        view.mechanisms = Some(node.mechanisms().await?);
        view.alarms = Some(alarm::list(&*node.cells).await?);
        view.shown = shown(node);
        view.health = health(node);
    }
    Ok(view)
}

fn shown(node: &Node) -> BTreeMap<String, u64> {
    node.engine().followed().into_iter().map(|log| (log.origin.to_string(), log.shown)).collect()
}

fn health(node: &Node) -> BTreeMap<String, Health> {
    let seconds = |milliseconds: u64| i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    node.engine()
        .peer_health()
        .into_iter()
        .map(|one| {
            let health = Health {
                last_answer: one.last_answer.map(seconds),
                fault: one.last_error.map(str::to_owned),
                behind: one.behind,
            };
            (one.authority.to_string(), health)
        })
        .collect()
}

async fn overview(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let answered = async {
        let view = view(&node, &viewer, None).await?;
        let known = authorities(node.index.db()).await?;
        let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
        let page = viewer.page(viewer.asked.t.shell_network()).on_desk(Desk::Network);
        Ok::<_, PageError>(listed(&viewer, overview_page(page, &names, &view)))
    };
    or_internal(answered.await)
}

async fn authority(State(node): State<Arc<Node>>, Path(authority): Path<String>, viewer: Viewer) -> Response {
    let answered = async {
        let view = view(&node, &viewer, Some(&authority)).await?;
        let known = authorities(node.index.db()).await?;
        if view.logs.is_empty() && !known.contains_key(&authority) {
            return Ok(answer::not_found(&viewer));
        }
        let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
        let page = viewer
            .page(names.author(&authority))
            .on_desk(Desk::Network)
            .below("/network", viewer.asked.t.shell_network());
        Ok::<_, PageError>(listed(&viewer, authority_page(page, &names, &view, &authority)))
    };
    or_internal(answered.await)
}

async fn log(State(node): State<Arc<Node>>, Path(origin): Path<String>, viewer: Viewer) -> Response {
    let answered = async {
        let db = node.index.db();
        let Some(log) = query::log_of(db, viewer.face, &origin).await? else {
            return Ok(answer::not_found(&viewer));
        };
        let known = authorities(db).await?;
        let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
        let view = LogView {
            shown: if viewer.face == Face::Inside { shown(&node).get(&origin).copied() } else { None },
            kinds: query::kinds(db, viewer.face, viewer.as_of, &origin).await?,
            witnesses: query::witnesses(db, viewer.as_of, &origin).await?,
            holders: query::holders(db, viewer.as_of, &origin).await?,
            log,
        };
        let t = &viewer.asked.t;
        let author = names.author(&view.log.authority).to_owned();
        let suffix = origin.split_once("/log/").map_or(origin.as_str(), |(_, suffix)| suffix);
        let page = viewer
            .page(format!("{} {suffix}", t.network_log()))
            .on_desk(Desk::Network)
            .below("/network", t.shell_network())
            .below(&format!("/network/{}", view.log.authority), author)
            .as_of(viewer.as_of);
        Ok::<_, DbError>(listed(&viewer, log_page(page, &names, &view)))
    };
    or_internal(answered.await)
}

/// A mechanism. Outside of its parties, and on the public face, there is no such page.
async fn mechanism(
    State(node): State<Arc<Node>>,
    Path((author, name)): Path<(String, String)>,
    viewer: Viewer,
) -> Response {
    let answered = async {
        let Ok(id) = format!("{author}/{name}").parse::<record::MechanismId>() else {
            return Ok(answer::not_found(&viewer));
        };
        let mechanisms = match viewer.face {
            Face::Inside => node.mechanisms().await?,
            Face::Public => return Ok(answer::not_found(&viewer)),
        };
        // Exercise and actual may use one name: what this node shows comes first.
        let same = || mechanisms.iter().find(|(_, mechanism)| mechanism.id == id);
        let shown_here = mechanisms.get(viewer.status, &id).map(|mechanism| (viewer.status, mechanism));
        let Some((status, found)) = shown_here.or_else(same) else { return Ok(answer::not_found(&viewer)) };
        let db = node.index.db();
        let readers: Vec<String> = found.readers().iter().map(ToString::to_string).collect();
        let mut logs = query::logs(db, viewer.face, None).await?;
        logs.retain(|log| log.readers == readers.join(" "));
        let known = authorities(db).await?;
        let t = &viewer.asked.t;
        let names = Names { t, places: &node.places, authorities: &known };
        let page = viewer.page(name).on_desk(Desk::Network).below("/network", t.shell_network());
        let page = mechanism_page(page, &names, status, found, &logs, &shown(&node));
        Ok::<_, DbError>(listed(&viewer, page))
    };
    or_internal(answered.await)
}
