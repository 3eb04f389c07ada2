//! The addresses of this desk: `/situation`, its places, days and corrections, each as a page and as CSV.

use super::corrections;
use super::figure::day_number;
use super::names::{KnownAuthority, Names, authorities, place_path};
use super::query::Scope;
use super::{analysis, compare, day, differences, overview, place, places, stated, totals};
use crate::asof::AsOf;
use crate::desks::shared::Share;
use crate::face::Face;
use crate::http::{Viewer, answer};
use crate::layout::{Desk, Page, Problem, Refusal, Sort, TableQuery};
use crate::map::Borders;
use crate::node::Node;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::db::DbError;

const CSV: &str = "text/csv; charset=utf-8";

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/situation", get(overview_page))
        .route("/situation.csv", get(overview_csv))
        .route("/situation/corrections", get(corrections_page))
        .route("/situation/compare", get(compare_page))
        .route("/situation/differences", get(differences_page))
        .route("/situation/totals", get(totals_page))
        .route("/situation/{place}", get(place_page))
        .route("/situation/{place}/{day}", get(day_page))
}

/// What every page of this desk begins with.
pub(in crate::desks) struct Desktop<'a> {
    pub node: &'a Node,
    pub scope: Scope<'a>,
    pub authorities: BTreeMap<String, KnownAuthority>,
}

impl<'a> Desktop<'a> {
    pub async fn open(node: &'a Node, viewer: &Viewer) -> Result<Self, DbError> {
        let scope = Scope { face: viewer.face, as_of: viewer.as_of, status: viewer.status.as_str() };
        Ok(Self { node, scope, authorities: authorities(node.index.db()).await? })
    }

    /// How this page reads what others may have read already.
    pub fn share(&self) -> Share<'a> {
        Share::of(self.scope.face, &self.node.reads, &self.node.index)
    }

    pub fn names<'n>(&'n self, viewer: &'n Viewer) -> Names<'n> {
        Names { t: &viewer.asked.t, places: &self.node.places, authorities: &self.authorities }
    }
}

fn framed(viewer: &Viewer, title: String) -> Page {
    viewer.page(title).on_desk(Desk::Situation).as_of(viewer.as_of)
}

fn refused(viewer: &Viewer, problem: Problem) -> Response {
    answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[problem])
}

fn or_internal(answered: Result<Response, DbError>) -> Response {
    answered.unwrap_or_else(|error| answer::internal(&error))
}

async fn overview_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    or_internal(overview_answer(&node, &viewer).await)
}

async fn overview_answer(node: &Node, viewer: &Viewer) -> Result<Response, DbError> {
    let desk = Desktop::open(node, viewer).await?;
    let names = desk.names(viewer);
    let db = node.index.db();
    let wanted = viewer.asked.query.get("indicator");
    let overview = overview::read(db, desk.scope, &names, wanted).await?;
    let page = framed(viewer, viewer.asked.t.shell_situation());
    Ok(match overview::page(db, desk.scope, &names, page, &overview, &borders(node)).await? {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => refused(viewer, problem),
    })
}

/// The operator's borders, read once per file. Without a file, or if it cannot be read, none are drawn.
fn borders(node: &Node) -> Borders {
    static READ: Mutex<BTreeMap<PathBuf, Borders>> = Mutex::new(BTreeMap::new());
    let Some(path) = node.config.borders.as_ref().map(|path| node.config.folder.join(path)) else {
        return Borders::default();
    };
    let mut read = READ.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(borders) = read.get(&path) {
        return borders.clone();
    }
    let parsed = std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| Borders::parse(&bytes).map_err(|error| error.to_string()));
    let found = parsed.unwrap_or_else(|error| {
        tracing::warn!(%error, path = %path.display(), "the file of borders cannot be drawn");
        Borders::default()
    });
    read.insert(path, found.clone());
    found
}

async fn overview_csv(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let wanted = viewer.asked.query.get("indicator");
        let overview = overview::read(node.index.db(), desk.scope, &names, wanted).await?;
        let sortable = ["place", "value", "seven", "who", "day"];
        Ok(match TableQuery::read(&viewer.asked, "", &sortable, Sort::ascending("place")) {
            Ok(asked) => {
                let name = format!("situation-{}.csv", overview.indicator);
                answer::file(&viewer, CSV, &name, overview::csv(&names, &overview, &asked))
            }
            Err(problem) => refused(&viewer, problem),
        })
    };
    or_internal(answered.await)
}

async fn corrections_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let t = &viewer.asked.t;
        let corrections = corrections::corrections(node.index.db(), desk.scope, None, day::LISTED).await?;
        let page = framed(&viewer, t.situation_corrections()).below("/situation", t.shell_situation());
        Ok(match day::corrections_page(page, &names, &corrections) {
            Ok(page) => answer::lists(&viewer, &page),
            Err(problem) => refused(&viewer, problem),
        })
    };
    or_internal(answered.await)
}

async fn compare_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let wanted = match compare::Wanted::read(&viewer.asked) {
        Ok(wanted) => wanted,
        Err(problem) => return refused(&viewer, problem),
    };
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let t = &viewer.asked.t;
        let indicator = viewer.asked.query.get("indicator");
        let found =
            compare::read(node.index.db(), desk.scope, &names, indicator, wanted, desk.share()).await?;
        let page = framed(&viewer, t.compare_view()).below("/situation", t.shell_situation());
        Ok(match compare::page(page, &names, &found) {
            Ok(page) => answer::lists(&viewer, &page),
            Err(problem) => refused(&viewer, problem),
        })
    };
    or_internal(answered.await)
}

async fn differences_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let days = match differences::days(&viewer.asked) {
        Ok(days) => days,
        Err(problem) => return refused(&viewer, problem),
    };
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let t = &viewer.asked.t;
        let indicator = viewer.asked.query.get("indicator");
        let found =
            differences::read(node.index.db(), desk.scope, &names, indicator, days, desk.share()).await?;
        let page = framed(&viewer, t.situation_differs()).below("/situation", t.shell_situation());
        Ok(match differences::page(page, &names, &found) {
            Ok(page) => answer::lists(&viewer, &page),
            Err(problem) => refused(&viewer, problem),
        })
    };
    or_internal(answered.await)
}

async fn totals_page(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    or_internal(totals_answer(&node, &viewer).await)
}

async fn totals_answer(node: &Node, viewer: &Viewer) -> Result<Response, DbError> {
    let desk = Desktop::open(node, viewer).await?;
    let names = desk.names(viewer);
    let (db, t) = (node.index.db(), &viewer.asked.t);
    let mechanisms = mechanisms(node, viewer).await?;
    let day = totals::day_of(desk.scope, crate::clock::seconds());
    let wanted = match totals::wanted(&viewer.asked, &names, &node.groups, &mechanisms, day) {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(refused(viewer, problem)),
    };
    let indicator = viewer.asked.query.get("indicator");
    let basis = totals::read(db, desk.scope, &names, indicator, desk.share()).await?;
    let page = |title: String| framed(viewer, title).below("/situation", t.shell_situation());
    let built = match wanted {
        None => {
            let all = totals::all(&names, &node.groups, &mechanisms, day);
            totals::list_page(page(t.totals_view()), &names, &basis, &all)
        }
        Some(group) => {
            let page = page(group.name.clone()).below("/situation/totals", t.totals_view());
            totals::group_page(db, desk.scope, page, &names, &basis, &group).await?
        }
    };
    Ok(match built {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => refused(viewer, problem),
    })
}

/// The mechanisms in force with their parties. Charters are sealed: the public face has none.
async fn mechanisms(node: &Node, viewer: &Viewer) -> Result<Vec<totals::Mechanism>, DbError> {
    if viewer.face == Face::Public {
        return Ok(Vec::new());
    }
    let mechanisms = node.mechanisms().await?;
    let in_force = mechanisms.iter().filter(|(status, _)| *status == viewer.status).filter_map(|(_, one)| {
        let charter = one.charter()?;
        let members = charter.members.iter().filter(|party| !one.left.contains(*party));
        Some((one.id.as_str().to_owned(), members.map(|(party, _)| party.to_string()).collect()))
    });
    Ok(in_force.collect())
}

/// A place, or its CSV if the address ends in `.csv`.
async fn place_page(State(node): State<Arc<Node>>, Path(code): Path<String>, viewer: Viewer) -> Response {
    let (code, as_csv) = code.strip_suffix(".csv").map_or((code.as_str(), false), |code| (code, true));
    or_internal(place_answer(&node, &viewer, code, as_csv).await)
}

async fn place_answer(node: &Node, viewer: &Viewer, code: &str, as_csv: bool) -> Result<Response, DbError> {
    let desk = Desktop::open(node, viewer).await?;
    let names = desk.names(viewer);
    let db = node.index.db();
    let wanted = (viewer.asked.query.get("indicator"), viewer.asked.query.get("group"));
    let Some(found) = place::read(db, desk.scope, &names, code, wanted, desk.share()).await? else {
        return unknown_place(&desk, viewer, code, as_csv).await;
    };
    if as_csv {
        let name = format!("{code}-{}.csv", found.indicator);
        return Ok(answer::file(viewer, CSV, &name, place::csv(db, &names, &found).await?));
    }
    // The input of what was computed is a file of its own form: that of `concord epi`.
    if let Some(id) = viewer.asked.query.get("csv").filter(|id| matches!(*id, "input" | "si" | "reports")) {
        let analysed = match place::analyse(&found, &viewer.asked) {
            Ok(analysed) => analysed,
            Err(problem) => return Ok(refused(viewer, problem)),
        };
        let file = analysed.and_then(|analysed| analysis::file(&analysed, id));
        return Ok(match file {
            Some(text) => answer::file(viewer, CSV, &format!("{id}.csv"), text),
            None => answer::not_found(viewer),
        });
    }
    let page = framed(viewer, names.place(code)).below("/situation", viewer.asked.t.shell_situation());
    Ok(match place::page(db, &names, page, &found).await? {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => refused(viewer, problem),
    })
}

/// Whether somebody states something of a place by now, whatever the moment asked for.
async fn is_stated_now(desk: &Desktop<'_>, code: &str) -> Result<bool, DbError> {
    let now = Scope { as_of: AsOf::default(), ..desk.scope };
    Ok(!places::of_place(desk.node.index.db(), now, code).await?.is_empty())
}

/// A place of which nothing is known as of the moment: a page that says so and leads back, if something is known of it
/// by now.
async fn unknown_place(
    desk: &Desktop<'_>,
    viewer: &Viewer,
    code: &str,
    as_csv: bool,
) -> Result<Response, DbError> {
    if !is_stated_now(desk, code).await? {
        return Ok(answer::not_found(viewer));
    }
    let (t, names) = (&viewer.asked.t, desk.names(viewer));
    if as_csv {
        let bytes = place::csv(desk.node.index.db(), &names, &place::Place::unknown(code)).await?;
        return Ok(answer::file(viewer, CSV, &format!("{code}.csv"), bytes));
    }
    let page = framed(viewer, names.place(code)).below("/situation", t.shell_situation());
    Ok(answer::page(viewer, &place::unknown_page(page)))
}

async fn day_page(
    State(node): State<Arc<Node>>,
    Path((code, date)): Path<(String, String)>,
    viewer: Viewer,
) -> Response {
    let Ok(date) = date.parse::<jiff::civil::Date>() else {
        return refused(&viewer, Problem::new("as-of-date").with("value", date.as_str()));
    };
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let t = &viewer.asked.t;
        if !is_stated_now(&desk, &code).await? {
            return Ok(answer::not_found(&viewer));
        }
        let number = day_number(date);
        let stated = stated::of_day(node.index.db(), desk.scope, &code, number).await?;
        let title = t.situation_one_day(names.place(&code), t.date_text(date));
        let page = framed(&viewer, title)
            .below("/situation", t.shell_situation())
            .below(&place_path(&code), names.place(&code));
        Ok(match day::day_page(page, &names, &code, number, &stated) {
            Ok(page) => answer::lists(&viewer, &page),
            Err(problem) => refused(&viewer, problem),
        })
    };
    or_internal(answered.await)
}
