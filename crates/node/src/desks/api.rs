//! The JSON API: `/api/v1/...`, described at `/api/openapi.json`.
//!
//! It answers what the pages answer, from the same queries, for the same faces and moments. Parameters are the
//! pages' own: `as_of`, `basis`, `indicator`, `group`, `kind`, `q`, `page`.

use super::network::query as network;
use super::record::list;
use super::record::query as records;
use super::situation::corrections;
use super::situation::curve::Current;
use super::situation::names::Names;
use super::situation::pages::Desktop;
use super::situation::parts::{iso_day, moment};
use super::situation::query::{self, Source};
use super::situation::{overview, place};
use crate::http::{Viewer, answer};
use crate::layout::Problem;
use crate::node::Node;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use store::db::DbError;
use utoipa::{OpenApi, ToSchema};

const CORRECTIONS: i64 = 1_000;

/// The routes of the API.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/api/v1/situation/figures", get(figures))
        .route("/api/v1/situation/corrections", get(corrections))
        .route("/api/v1/situation/places/{place}", get(place_figures))
        .route("/api/v1/records", get(record_list))
        .route("/api/v1/records/{name}", get(one_record))
        .route("/api/v1/network/authorities", get(authorities))
        .route("/api/v1/network/logs", get(logs))
}

/// The description of the API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Concord", description = "What this node knows, with the record behind every figure."),
    paths(figures, corrections, place_figures, record_list, one_record, authorities, logs)
)]
struct Api;

/// The description of the API, as `OpenAPI` has it.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(super) async fn description(viewer: Viewer) -> Response {
    answer::json(viewer.face, &openapi())
}

/// The record behind something.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordRef {
    /// Its name: SHA-256, lower-case hex.
    name: String,
    /// Edition of the thing.
    edition: i64,
    /// When its author says it was released.
    claimed: String,
    /// When witnesses prove that it existed.
    proven: Option<String>,
    /// When this node first verified it.
    here: Option<String>,
    /// From a sealed record.
    sealed: bool,
}

impl From<&Source> for RecordRef {
    fn from(source: &Source) -> Self {
        Self {
            name: source.name.clone(),
            edition: source.edition,
            claimed: time(source.claimed),
            proven: source.proven.map(time),
            here: source.here.map(time),
            sealed: source.sealed,
        }
    }
}

fn time(second: i64) -> String {
    moment(second).to_string()
}

/// The newest figure of a place by one author.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewestFigure {
    /// ISO 3166-1 alpha-3, or `text:` and a name.
    place: String,
    /// The place's name in the language asked for.
    name: String,
    /// Who states it.
    author: String,
    /// Whether that is the place's own authority.
    own_authority: bool,
    /// What is counted.
    indicator: String,
    /// How its author defines it.
    definition: String,
    /// First day of the period.
    start: String,
    /// Last day of the period.
    end: String,
    /// The value, exactly as stated.
    value: String,
    /// New in the seven days before, computed here.
    last_7_days: Option<f64>,
    /// The record behind it.
    record: RecordRef,
}

/// One author's figures of a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesOfPlace {
    /// Who states them.
    author: String,
    /// Whether that is the place's own authority.
    own_authority: bool,
    /// What is counted.
    indicator: String,
    /// How its author defines it.
    definition: String,
    /// Of which group; empty for all.
    disaggregation: String,
    /// If they are more than are given: the day from which on they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown_from: Option<String>,
    /// The figures, in the order of days.
    figures: Vec<StatedFigure>,
}

/// A figure as of the moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatedFigure {
    /// First day of the period.
    start: String,
    /// Last day of the period.
    end: String,
    /// The value; none once it was withdrawn.
    value: Option<String>,
    /// How often its author changed it.
    corrections: usize,
    /// The record behind it.
    record: Option<RecordRef>,
}

/// A value that its own author later stated otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorrectionOf {
    /// Of which place.
    place: String,
    /// Who corrected.
    author: String,
    /// What is counted.
    indicator: String,
    /// Of which group; empty for all.
    disaggregation: String,
    /// First day of the period.
    start: String,
    /// Last day of the period.
    end: String,
    /// Before.
    old: String,
    /// Now.
    new: String,
    /// Why, in the author's words.
    reason: Option<String>,
    /// The record that stated the old value.
    before: RecordRef,
    /// The record that states the new one.
    record: RecordRef,
}

/// A record in a log.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordEntry {
    /// Its name.
    name: String,
    /// What is said.
    kind: String,
    /// Who says it.
    author: String,
    /// The log.
    log: String,
    /// Its place there.
    index: i64,
    /// Leaf hash.
    leaf: String,
    /// The thing.
    id: String,
    /// Its edition.
    edition: i64,
    /// `actual`, `exercise` or `test`.
    status: String,
    /// When its author says it was released.
    released: String,
    /// When witnesses prove that it existed.
    proven: Option<String>,
    /// When this node first verified it.
    here: Option<String>,
    /// Whether it was sealed.
    sealed: bool,
    /// The withdrawal, if it was withdrawn.
    withdrawn_by: Option<String>,
    /// The edition after it.
    superseded_by: Option<String>,
    /// Why it has no effect: `conflicting` (another record of the same edition stands), `disowned` (its author revoked the key
    /// that signed it), `crowded` (there are so many records of its thing that none of them counts) or `unknown-line` (a line
    /// that must be understood is unknown here).
    without_effect: Option<String>,
    /// Personal data: when both ends destroy it.
    expires: Option<String>,
    /// Its content is destroyed on this node; name, place and outer header stay.
    erased: bool,
}

impl From<&records::Entry> for RecordEntry {
    fn from(entry: &records::Entry) -> Self {
        Self {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            author: entry.author.clone(),
            log: entry.origin.clone(),
            index: entry.pos,
            leaf: entry.leaf.clone(),
            id: entry.id.clone(),
            edition: entry.edition,
            status: entry.status.clone(),
            released: time(entry.released),
            proven: entry.proven.map(time),
            here: entry.here.map(time),
            sealed: entry.sealed && entry.readers != crate::index::EVERYBODY,
            withdrawn_by: entry.stands.withdrawn_by().map(str::to_owned),
            superseded_by: entry.stands.superseded_by().map(str::to_owned),
            without_effect: entry.why_without_effect().map(str::to_owned),
            expires: entry.expires.map(time),
            erased: entry.is_erased(),
        }
    }
}

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordPage {
    /// How many there are, counted up to 10,001.
    count: i64,
    /// This page.
    records: Vec<RecordEntry>,
}

/// Who has seen or holds a record, and since when.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenBy {
    /// The authority.
    authority: String,
    /// Since when.
    time: String,
    /// By a checkpoint of how many entries.
    size: i64,
}

impl From<&records::Seen> for SeenBy {
    fn from(seen: &records::Seen) -> Self {
        Self { authority: seen.authority.clone(), time: time(seen.time), size: seen.size }
    }
}

/// A record with who has seen it and who holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRecord {
    /// Every entry that holds it.
    entries: Vec<RecordEntry>,
    /// Witnesses, each with its earliest cosignature.
    witnesses: Vec<SeenBy>,
    /// Readers, each with its earliest receipt.
    holders: Vec<SeenBy>,
}

/// An authority as this node knows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnownAuthority {
    /// Its DNS name.
    authority: String,
    /// The name shown.
    name: String,
    /// Country or organisation code.
    code: Option<String>,
    /// Fingerprint of its first root.
    fingerprint: String,
    /// `self`, `proposed` or `confirmed`.
    standing: String,
    /// Version of its newest root.
    root_version: i64,
    /// Until when that root is meant to hold.
    root_until: String,
}

/// A log as this node holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldLog {
    /// Its origin.
    log: String,
    /// Its author.
    authority: String,
    /// `public`, or its readers.
    readers: Vec<String>,
    /// Entries verified here.
    size: i64,
    /// Root of its tree, hex.
    root: String,
    /// Entries that the newest cosigned checkpoint covers.
    seen: Option<i64>,
    /// Whether it was closed.
    closed: bool,
}

fn refused(problem: &Problem, viewer: &Viewer) -> Response {
    let body =
        BTreeMap::from([("code", problem.code().to_owned()), ("message", problem.text(&viewer.asked.t))]);
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, axum::Json(BTreeMap::from([("code", "not-found")]))).into_response()
}

fn or_internal<E: Display>(answered: Result<Response, E>) -> Response {
    answered.unwrap_or_else(|error| answer::internal(&error))
}

/// The newest figure of every place, by every author.
#[utoipa::path(get, path = "/api/v1/situation/figures", responses((status = 200, body = [NewestFigure])), params(
    ("indicator" = Option<String>, Query, description = "cases-confirmed-cumulative if none is named"),
    ("as_of" = Option<String>, Query, description = "a day, UTC"),
    ("basis" = Option<String>, Query, description = "claimed, proven or here"),
))]
async fn figures(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let wanted = viewer.asked.query.get("indicator");
        let overview = overview::read(node.index.db(), desk.scope, &names, wanted).await?;
        let found: Vec<NewestFigure> = overview.lines.iter().map(|line| newest(&names, line)).collect();
        Ok::<_, DbError>(answer::json(viewer.face, &found))
    };
    or_internal(answered.await)
}

fn newest(names: &Names<'_>, line: &overview::Line) -> NewestFigure {
    let (series, point) = (&line.latest.series, &line.latest.point);
    NewestFigure {
        place: series.place.clone(),
        name: names.place(&series.place),
        author: series.author.clone(),
        own_authority: line.own,
        indicator: series.indicator.clone(),
        definition: series.definition.clone(),
        start: iso_day(point.start),
        end: iso_day(point.day),
        value: point.value.to_string(),
        last_7_days: line.seven,
        record: (&line.latest.source).into(),
    }
}

/// The newest thousand corrections.
#[utoipa::path(get, path = "/api/v1/situation/corrections", responses((status = 200, body = [CorrectionOf])), params(
    ("place" = Option<String>, Query, description = "of one place"),
    ("as_of" = Option<String>, Query, description = "a day, UTC"),
    ("basis" = Option<String>, Query, description = "claimed, proven or here"),
))]
async fn corrections(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let place = viewer.asked.query.get("place");
        let found = corrections::corrections(node.index.db(), desk.scope, place, CORRECTIONS).await?;
        let found: Vec<CorrectionOf> = found
            .iter()
            .map(|one| CorrectionOf {
                place: one.series.place.clone(),
                author: one.series.author.clone(),
                indicator: one.series.indicator.clone(),
                disaggregation: one.series.disaggregation.clone(),
                start: iso_day(one.period.0),
                end: iso_day(one.period.1),
                old: one.old.to_string(),
                new: one.new.to_string(),
                reason: one.reason.clone(),
                before: (&one.before).into(),
                record: (&one.source).into(),
            })
            .collect();
        Ok::<_, DbError>(answer::json(viewer.face, &found))
    };
    or_internal(answered.await)
}

/// Every author's figures of one place and indicator.
#[utoipa::path(get, path = "/api/v1/situation/places/{place}", responses(
    (status = 200, body = [SeriesOfPlace]), (status = 404, description = "nobody states anything about it"),
), params(
    ("place" = String, Path, description = "ISO 3166-1 alpha-3, or text: and a name"),
    ("indicator" = Option<String>, Query), ("group" = Option<String>, Query),
    ("as_of" = Option<String>, Query, description = "a day, UTC"),
    ("basis" = Option<String>, Query, description = "claimed, proven or here"),
))]
async fn place_figures(State(node): State<Arc<Node>>, Path(code): Path<String>, viewer: Viewer) -> Response {
    let answered = async {
        let desk = Desktop::open(&node, &viewer).await?;
        let names = desk.names(&viewer);
        let db = node.index.db();
        let wanted = (viewer.asked.query.get("indicator"), viewer.asked.query.get("group"));
        let Some(found) = place::read(db, desk.scope, &names, &code, wanted, desk.share()).await? else {
            return Ok(not_found());
        };
        let mut all = Vec::new();
        for one in &found.shown {
            let releases = one.figures.iter().map(|figure| figure.release);
            let sources = query::sources(db, one.series.shelf, releases).await?;
            all.push(SeriesOfPlace {
                author: one.series.author.clone(),
                own_authority: one.own,
                indicator: one.series.indicator.clone(),
                definition: one.series.definition.clone(),
                disaggregation: one.series.disaggregation.clone(),
                shown_from: one.from.map(iso_day),
                figures: one.figures.iter().map(|figure| stated(figure, &sources)).collect(),
            });
        }
        Ok::<_, DbError>(answer::json(viewer.face, &all))
    };
    or_internal(answered.await)
}

fn stated(figure: &Current, sources: &BTreeMap<i64, Source>) -> StatedFigure {
    StatedFigure {
        start: iso_day(figure.start),
        end: iso_day(figure.day),
        value: figure.value.map(|value| value.to_string()),
        corrections: figure.corrections,
        record: sources.get(&figure.release).map(Into::into),
    }
}

/// Records that the reader may see, newest first.
#[utoipa::path(get, path = "/api/v1/records", responses((status = 200, body = RecordPage), (status = 400)), params(
    ("kind" = Option<String>, Query), ("q" = Option<String>, Query, description = "part of a name, author, thing or kind"),
    ("sort" = Option<String>, Query, description = "released, author, kind or proven; a minus before it turns it round"),
    ("page" = Option<u32>, Query, description = "from 1; 50 records each"),
    ("as_of" = Option<String>, Query, description = "a day, UTC"),
    ("basis" = Option<String>, Query, description = "claimed, proven or here"),
))]
async fn record_list(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    let (_, wanted) = match list::wanted(&viewer.asked, false) {
        Ok(wanted) => wanted,
        Err(problem) => return refused(&problem, &viewer),
    };
    let found = records::list(node.index.db(), viewer.face, viewer.as_of, &wanted).await;
    or_internal(found.map(|(entries, count)| {
        let page = RecordPage { count, records: entries.iter().map(Into::into).collect() };
        answer::json(viewer.face, &page)
    }))
}

/// One record by its name.
#[utoipa::path(get, path = "/api/v1/records/{name}", responses(
    (status = 200, body = OneRecord), (status = 404, description = "no such record, or not for this reader"),
), params(("name" = String, Path, description = "SHA-256, lower-case hex")))]
async fn one_record(State(node): State<Arc<Node>>, Path(name): Path<String>, viewer: Viewer) -> Response {
    let answered = async {
        let db = node.index.db();
        let entries = records::find(db, viewer.face, viewer.as_of, &name).await?;
        let Some(record) = records::record_at(&entries) else { return Ok(not_found()) };
        let witnesses = records::witnesses(db, &record.origin, record.pos).await?;
        let holders = records::holders(db, &record.origin, record.pos).await?;
        let one = OneRecord {
            entries: entries.iter().map(Into::into).collect(),
            witnesses: witnesses.iter().map(Into::into).collect(),
            holders: holders.iter().map(Into::into).collect(),
        };
        Ok::<_, DbError>(answer::json(viewer.face, &one))
    };
    or_internal(answered.await)
}

/// Authorities that this node knows.
#[utoipa::path(get, path = "/api/v1/network/authorities", responses((status = 200, body = [KnownAuthority])))]
async fn authorities(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    or_internal(network::authorities(node.index.db(), viewer.face).await.map(|found| {
        let found: Vec<KnownAuthority> = found
            .into_iter()
            .map(|one| KnownAuthority {
                authority: one.authority,
                name: one.name,
                code: one.code,
                fingerprint: one.fingerprint,
                standing: one.standing,
                root_version: one.root_version,
                root_until: time(one.root_until),
            })
            .collect();
        answer::json(viewer.face, &found)
    }))
}

/// Logs that the reader may read.
#[utoipa::path(get, path = "/api/v1/network/logs", responses((status = 200, body = [HeldLog])))]
async fn logs(State(node): State<Arc<Node>>, viewer: Viewer) -> Response {
    or_internal(network::logs(node.index.db(), viewer.face, None).await.map(|found| {
        let found: Vec<HeldLog> = found
            .into_iter()
            .map(|log| HeldLog {
                log: log.origin,
                authority: log.authority,
                readers: log.readers.split(' ').map(str::to_owned).collect(),
                size: log.size,
                root: log.root,
                seen: log.seen,
                closed: log.closed,
            })
            .collect();
        answer::json(viewer.face, &found)
    }))
}
