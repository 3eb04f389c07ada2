//! The addresses of this desk: `/scenario` to make one, `/scenario/{record}` to run a released one again.

use super::assumptions::Assumptions;
use super::outcome::{self, ScenarioOutcome};
use super::page::{self, Again, Form, Run};
use super::released::{self, Unreadable};
use crate::desks::import;
use crate::desks::shared::Rows;
use crate::desks::situation::analysis::{self, input, parameters::Parameters};
use crate::desks::situation::curve::Measure;
use crate::desks::situation::figure::day_number;
use crate::desks::situation::names::Names;
use crate::desks::situation::overview;
use crate::desks::situation::pages::Desktop;
use crate::desks::situation::place::{self, Shown};
use crate::desks::situation::places;
use crate::desks::situation::points::MOST_STATEMENTS;
use crate::desks::situation::query::{self, Scope};
use crate::face::Face;
use crate::http::{Viewer, answer, same_site};
use crate::layout::{Desk, Page, Problem, Refusal};
use crate::node::Node;
use crate::{operate, session};
use axum::Router;
use axum::extract::{Form as Posted, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use epi::finding::Flag;
use epi::instantaneous::Estimate;
use epi::series::Series;
use record::MechanismId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::db::{Db, DbError};

const CSV: &str = "text/csv; charset=utf-8";
/// The value of the audience that is everybody.
pub const PUBLIC: &str = "public";
const TEXT: &str = "text/plain; charset=utf-8";

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/scenario", get(new_scenario))
        .route("/scenario/release", post(release))
        .route("/scenario/{record}", get(run_again))
}

/// A scenario that an address asks for, with its history.
struct Asked {
    assumptions: Assumptions,
    history: Series,
    input: String,
}

/// What is reported of a place, whatever is assumed of it.
pub struct Reported {
    shown: Shown,
    history: Series,
    input: String,
}

impl Rows for Reported {
    fn rows(&self) -> usize {
        // A line of the input is about a row.
        self.shown.rows() + 2 * self.history.len()
    }
}

/// What an address comes to: nothing asked for, a problem, or a scenario to be run.
enum Wanted {
    Nothing,
    Refused(Problem),
    Scenario(Box<Asked>),
}

/// The figures and the places that can be chosen.
struct Basis {
    indicator: String,
    places: Vec<(String, String)>,
}

async fn basis(
    node: &Node,
    desk: &Desktop<'_>,
    names: &Names<'_>,
    viewer: &Viewer,
) -> Result<Basis, DbError> {
    let stated = query::indicators(node.index.db(), desk.scope).await?;
    let codes: Vec<String> = stated.into_iter().filter(|code| analysis::counts_cases(code)).collect();
    let indicator = overview::chosen(&codes, viewer.asked.query.get("indicator"));
    let read = places::known(node.index.db(), desk.scope, &indicator);
    let known = desk.share().read(|reads| &reads.places, desk.scope, &[&indicator], read).await?;
    let mut places: Vec<(String, String)> =
        known.iter().map(|place| (place.clone(), names.place(place))).collect();
    places.sort_by_key(|(_, name)| name.to_lowercase());
    Ok(Basis { indicator, places })
}

async fn wanted(
    node: &Node,
    desk: &Desktop<'_>,
    names: &Names<'_>,
    viewer: &Viewer,
    indicator: &str,
) -> Result<Wanted, DbError> {
    let Some(place) = viewer.asked.query.get("place") else { return Ok(Wanted::Nothing) };
    let read = reported(node.index.db(), desk.scope, names, (indicator, place));
    let what = [indicator, place];
    let reported = desk.share().read(|reads| &reads.scenarios, desk.scope, &what, read).await?;
    let Some(reported) = &*reported else {
        return Ok(Wanted::Refused(Problem::new("scenario-no-figures").with("value", place)));
    };
    let usual = usual(viewer, indicator, &reported.shown);
    let author = reported.shown.series.author.clone();
    let get = |key: &str| viewer.asked.query.get(key);
    let assumptions = match Assumptions::read([place, indicator, &author], get, &usual) {
        Ok(assumptions) => assumptions,
        Err(problem) => return Ok(Wanted::Refused(problem)),
    };
    let (history, input) = (reported.history.clone(), reported.input.clone());
    Ok(Wanted::Scenario(Box::new(Asked { assumptions, history, input })))
}

/// What is reported of the place that a scenario begins with; `None` if nothing can be counted.
async fn reported(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    (indicator, place): (&str, &str),
) -> Result<Option<Reported>, DbError> {
    let all = places::of_place(db, scope, place).await?.series;
    let shown = place::main(db, scope, names, &all, indicator, MOST_STATEMENTS).await?;
    let Some(shown) = shown else { return Ok(None) };
    let Some(history) = input::counts(Measure::of(indicator), &shown.figures) else { return Ok(None) };
    let sources = query::sources(db, shown.series.shelf, shown.days.iter().map(|day| day.release)).await?;
    let records: BTreeMap<i64, String> = shown
        .days
        .iter()
        .filter_map(|day| Some((day.day, sources.get(&day.release)?.name.clone())))
        .collect();
    let input = outcome::input_csv(&history, |date| records.get(&day_number(date)).cloned());
    Ok(Some(Reported { shown, history, input }))
}

/// R as the newest window that says something has it, where the address names none.
fn usual(viewer: &Viewer, indicator: &str, shown: &Shown) -> BTreeMap<&'static str, f64> {
    let parameters = Parameters::read(&viewer.asked).ok();
    let analysed = parameters
        .and_then(|one| analysis::analyse(indicator, shown, None, &BTreeMap::new(), one).ok().flatten());
    let windows = analysed.and_then(|analysed| analysed.windows.ok()).unwrap_or_default();
    let newest = windows.iter().rev().filter(|window| !window.flags.contains(&Flag::Prior));
    let estimate = newest.filter_map(|window| window.posterior.as_ref()).map(Estimate::of).next();
    let rounded = |number: f64| (number * 100.0).round() / 100.0;
    estimate
        .map(|estimate| {
            let (r, sd) = (rounded(estimate.median).clamp(0.05, 10.0), rounded(estimate.sd).clamp(0.0, 3.0));
            BTreeMap::from([("r", r), ("r_sd", sd)])
        })
        .unwrap_or_default()
}

/// Runs it where it stops nobody else. It goes on when its reader has gone, and so does the reader's turn.
async fn run(
    viewer: &Viewer,
    assumptions: &Assumptions,
    history: &Series,
) -> Result<Result<ScenarioOutcome, Problem>, Response> {
    let (assumptions, history, turn) = (assumptions.clone(), history.clone(), viewer.turn.keep());
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        outcome::run(&assumptions, &history)
    });
    let outcome = work.await.map_err(|error| answer::internal(&error))?;
    Ok(outcome.map_err(|error| error.problem()))
}

fn framed(viewer: &Viewer, title: String) -> Page {
    viewer.page(title).on_desk(Desk::Scenarios).as_of(viewer.as_of)
}

/// One of the three texts of a scenario as a file, if the address asks for it.
fn file(viewer: &Viewer, run: &Run<'_>) -> Option<Response> {
    let id = viewer.asked.query.get("csv")?;
    let (kind, name, text) = match id {
        "assumptions" => (TEXT, "assumptions.txt", run.assumptions.text()),
        "input" => (CSV, "input.csv", run.input.to_owned()),
        "outcome" => (CSV, "outcome.csv", run.outcome.csv()),
        _ => return None,
    };
    Some(answer::file(viewer, kind, name, text))
}

fn refused(viewer: &Viewer, problem: Problem) -> Response {
    answer::refused(&viewer.shell, &viewer.asked, Refusal::BadRequest, &[problem])
}

async fn new_scenario(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    match new_answer(&node, &viewer).await {
        Ok(response) | Err(response) => response,
    }
}

async fn new_answer(node: &Node, viewer: &Viewer) -> Result<Response, Response> {
    let internal = |error: DbError| answer::internal(&error);
    let desk = Desktop::open(node, viewer).await.map_err(internal)?;
    let names = desk.names(viewer);
    let basis = basis(node, &desk, &names, viewer).await.map_err(internal)?;
    let wanted = wanted(node, &desk, &names, viewer, &basis.indicator).await.map_err(internal)?;
    let listed = released::list(node, desk.scope).await.map_err(internal)?;
    let t = &viewer.asked.t;
    let place = viewer.asked.query.get("place").unwrap_or_default().to_owned();
    let audiences = match viewer.face {
        Face::Public => Vec::new(),
        Face::Inside => import::pages::in_force(node).await.map_err(internal)?,
    };
    let mut form = Form { places: basis.places, place, assumptions: None, audiences };
    let (asked, mut problem) = match wanted {
        Wanted::Nothing => (None, None),
        Wanted::Refused(problem) => (None, Some(problem)),
        Wanted::Scenario(asked) => (Some(asked), None),
    };
    let mut outcome = None;
    if let Some(asked) = &asked {
        form.assumptions = Some(asked.assumptions.clone());
        match run(viewer, &asked.assumptions, &asked.history).await? {
            Ok(found) => outcome = Some(found),
            Err(found) => problem = Some(found),
        }
    }
    let shown = asked.as_ref().zip(outcome.as_ref()).map(|(asked, outcome)| Run {
        assumptions: &asked.assumptions,
        input: &asked.input,
        last: page::last_day(&asked.history),
        outcome,
        released: None,
    });
    if let Some(file) = shown.as_ref().and_then(|run| file(viewer, run)) {
        return Ok(file);
    }
    let title = match &asked {
        Some(asked) => format!("{}: {}", t.scenario_title(), names.place(&asked.assumptions.place)),
        None => t.scenario_title(),
    };
    let framed = framed(viewer, title);
    let built = page::page(framed, &names, shown.as_ref(), problem.as_ref(), &form, Some(&listed));
    Ok(match built {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => refused(viewer, problem),
    })
}

#[derive(Deserialize)]
struct Act {
    csrf: String,
    /// A mechanism, or [`PUBLIC`].
    audience: String,
}

async fn release(
    State(node): State<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Posted(act): Posted<Act>,
) -> Response {
    match release_answer(&node, &viewer, &headers, &act).await {
        Ok(response) | Err(response) => response,
    }
}

async fn release_answer(
    node: &Arc<Node>,
    viewer: &Viewer,
    headers: &HeaderMap,
    act: &Act,
) -> Result<Response, Response> {
    if viewer.face == Face::Public {
        return Err(answer::not_found(viewer));
    }
    if !same_site(headers) || !session::same_secret(&act.csrf, viewer.csrf()) {
        return Err(answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]));
    }
    let internal = |error: DbError| answer::internal(&error);
    let mechanism = Some(act.audience.as_str()).filter(|audience| *audience != PUBLIC);
    let in_force = import::pages::in_force(node).await.map_err(internal)?;
    if let Some(unknown) = mechanism.filter(|id| !in_force.iter().any(|known| known == id)) {
        let problem = Problem::new("mechanism-not-in-force").with("mechanism", unknown);
        return Err(refused(viewer, problem));
    }
    let audience = operate::audience(node, mechanism).await.map_err(|error| answer::internal(&error))?;
    // Whoever may read it can compute it again: from what everybody may see.
    let public = Viewer { face: Face::Public, ..viewer.clone() };
    let desk = Desktop::open(node, &public).await.map_err(internal)?;
    let names = desk.names(&public);
    let basis = basis(node, &desk, &names, &public).await.map_err(internal)?;
    let asked = match wanted(node, &desk, &names, &public, &basis.indicator).await.map_err(internal)? {
        Wanted::Scenario(asked) => asked,
        Wanted::Nothing => {
            return Err(refused(viewer, Problem::new("scenario-no-figures").with("value", "")));
        }
        Wanted::Refused(problem) => return Err(refused(viewer, problem)),
    };
    let outcome =
        run(viewer, &asked.assumptions, &asked.history).await?.map_err(|problem| refused(viewer, problem))?;
    let mut draft = released::draft(viewer.status, &asked.assumptions, &asked.input, &outcome)
        .map_err(|error| answer::internal(&error))?;
    let id = mechanism.map(str::parse::<MechanismId>).transpose();
    draft.mechanism = id.map_err(|error| answer::internal(&error))?;
    // A task of its own: a browser that goes away does not stop a release halfway.
    let node = node.clone();
    let work = tokio::spawn(async move { node.release(&audience, vec![draft]).await });
    let released = work.await.map_err(|error| answer::internal(&error))?;
    let released = released.map_err(|error| answer::internal(&error))?;
    let name = released.first().map(|one| one.name.clone()).unwrap_or_default();
    // What is sealed is read on its record's own page.
    let desk = if mechanism.is_some() { "record" } else { "scenario" };
    Ok(Redirect::to(&viewer.asked.href(&format!("/{desk}/{name}"))).into_response())
}

async fn run_again(State(node): State<Arc<Node>>, Path(name): Path<String>, viewer: Viewer) -> Response {
    match again_answer(&node, &viewer, &name).await {
        Ok(response) | Err(response) => response,
    }
}

async fn again_answer(node: &Node, viewer: &Viewer, name: &str) -> Result<Response, Response> {
    let found = match released::load(node, name).await {
        Ok(found) => found,
        Err(Unreadable::Missing) => return Err(answer::not_found(viewer)),
        Err(Unreadable::Refused(problem)) => return Err(refused(viewer, problem)),
        Err(Unreadable::Storage(error)) => return Err(answer::internal(&error)),
    };
    let internal = |error: DbError| answer::internal(&error);
    let desk = Desktop::open(node, viewer).await.map_err(internal)?;
    let names = desk.names(viewer);
    let outcome =
        run(viewer, &found.assumptions, &found.history).await?.map_err(|problem| refused(viewer, problem))?;
    let again = if outcome.csv() == found.outcome { Again::Same } else { Again::Other };
    let run = Run {
        assumptions: &found.assumptions,
        input: &found.input,
        last: page::last_day(&found.history),
        outcome: &outcome,
        released: Some((name, &found.author, again)),
    };
    if let Some(file) = file(viewer, &run) {
        return Ok(file);
    }
    let t = &viewer.asked.t;
    let title = format!("{}: {}", t.scenario_title(), names.place(&found.assumptions.place));
    let page = framed(viewer, title).below("/scenario", t.shell_scenarios());
    let place = found.assumptions.place.clone();
    let form = Form {
        places: vec![(place.clone(), names.place(&place))],
        place,
        assumptions: Some(found.assumptions.clone()),
        audiences: Vec::new(),
    };
    Ok(match page::page(page, &names, Some(&run), None, &form, None) {
        Ok(page) => answer::lists(viewer, &page),
        Err(problem) => refused(viewer, problem),
    })
}
