//! What a place's figures mean: the reproduction number in windows, growth, case fatality and early warning, beside their
//! parameters and their input.
//!
//! Everything is computed per request from the figures that the reader may see, as of the moment, by the pure functions
//! of `epi`. Nothing is stored, nothing is drawn where only the prior speaks, and no sentence says why a number changed.

mod completeness;
mod fatality;
pub mod input;
mod nowcast;
pub mod parameters;
mod spread;
pub mod warning;

use super::curve::Measure;
use super::names::Names;
use super::place::{Place, Shown};
use crate::layout::component::Field;
use crate::layout::{Markup, Page, Problem, Table};
use askama::Template;
use askama::filters::HtmlSafe;
use completeness::Completeness;
use epi::case_fatality::CaseFatality;
use epi::detect::Verdict;
use epi::instantaneous::{Cases, InstantaneousError, Prior, Window, estimate};
use epi::serial_interval::SerialInterval;
use epi::series::{Series, Step};
use parameters::{KEYS, Parameters};
use std::collections::BTreeMap;
use tlog::hash::sha256;

/// Points at the end that early warning judges.
const JUDGED: usize = 28;
/// The share of the serial interval that is used.
const KEPT: f64 = 0.999;

/// What was computed of one author's new cases.
#[derive(Debug)]
pub struct Analysis {
    /// What the methods were given besides the figures.
    pub parameters: Parameters,
    /// New cases by day or week.
    pub series: Series,
    /// The serial interval.
    pub serial_interval: SerialInterval,
    /// What is believed of R before the data.
    pub prior: Prior,
    /// R by window, or why there is none.
    pub windows: Result<Vec<Window>, InstantaneousError>,
    /// Growth in the newest window.
    pub growth: Option<epi::growth::Window>,
    /// Deaths among cases, where the same author states deaths.
    pub fatality: Option<CaseFatality>,
    /// How complete the end is.
    pub completeness: Completeness,
    /// The last points with what early warning says of each, oldest first.
    pub verdicts: Vec<(usize, Verdict)>,
}

/// Whether new cases can be counted by an indicator.
pub fn counts_cases(indicator: &str) -> bool {
    indicator.starts_with("cases-") && Measure::of(indicator) != Measure::Standing
}

/// Computes; `None` if the series has no counts to compute from. `released` has the days of the series' releases.
pub fn analyse(
    indicator: &str,
    shown: &Shown,
    deaths: Option<&Shown>,
    released: &BTreeMap<i64, i64>,
    parameters: Parameters,
) -> Result<Option<Analysis>, Problem> {
    let Some(series) =
        input::counts(Measure::of(indicator), &shown.figures).filter(|series| series.len() > 1)
    else {
        return Ok(None);
    };
    let serial_interval = serial_interval(&parameters)?;
    let prior = Prior::new(parameters.prior.0, parameters.prior.1)
        .map_err(|error| Problem::of(error.code(), error.arguments()))?;
    let windows = Cases::new(series.clone(), None)
        .and_then(|cases| estimate(&cases, &serial_interval, parameters.window, prior));
    let growth = epi::growth::estimate(&series, parameters.window.max(epi::growth::LEAST_POINTS)).pop();
    let deaths = deaths.and_then(|one| input::counts(Measure::of(&one.series.indicator), &one.figures));
    let fatality = match deaths.filter(|_| !is_weekly(&series)) {
        Some(deaths) => fatality::analyse(&series, &deaths, &parameters)?,
        None => None,
    };
    let method = warning::method(&parameters);
    let judged =
        method.judge(&series, JUDGED).map_err(|error| Problem::of(error.code(), error.arguments()))?;
    let first = series.len() - judged.len();
    let verdicts = judged.into_iter().enumerate().map(|(at, verdict)| (first + at, verdict)).collect();
    let completeness = completeness::judge(Measure::of(indicator), &series, &shown.points, released);
    Ok(Some(Analysis {
        parameters,
        series,
        serial_interval,
        prior,
        windows,
        growth,
        fatality,
        completeness,
        verdicts,
    }))
}

/// The serial interval, without the last thousandth: what comes months later adds nothing, and would keep a correction in doubt
/// for as long.
fn serial_interval(parameters: &Parameters) -> Result<SerialInterval, Problem> {
    let (mean, sd) = parameters.serial_interval;
    let problem = |error: epi::delay::DelayError| Problem::of(error.code(), error.arguments());
    let whole = SerialInterval::cori(mean, sd).map_err(problem)?;
    let mut sum = 0.0;
    let mut kept = Vec::new();
    for probability in whole.delay().probabilities() {
        kept.push(*probability);
        sum += probability;
        if sum >= KEPT {
            break;
        }
    }
    SerialInterval::given(kept).map_err(problem)
}

/// The part of a place's page.
#[derive(Template)]
#[template(path = "desks/situation/templates/analysis.html")]
pub struct AnalysisPart {
    t: crate::i18n::Locale,
    spread: spread::Spread,
    nowcast: Option<nowcast::StillToCome>,
    fatality: Option<fatality::Fatality>,
    warning: warning::Warning,
    kept: Vec<(String, String)>,
    fields: Vec<Field>,
    disease: &'static str,
    action: String,
    link: String,
    input_href: String,
    interval_href: String,
    input_hash: Markup,
    command: String,
    author: String,
    incomplete_days: usize,
}

impl HtmlSafe for AnalysisPart {}

impl AnalysisPart {
    /// How many days at the end are not complete; 0 where nothing is known of it.
    pub const fn incomplete_days(&self) -> usize {
        self.incomplete_days
    }

    /// The lists of this part, which can be taken away.
    pub fn lists(&self) -> impl Iterator<Item = &Table> {
        let fatality = self.fatality.iter().map(|fatality| &fatality.table);
        let nowcast = self.nowcast.iter().map(|nowcast| &nowcast.table);
        self.spread.table.iter().chain(nowcast).chain(fatality).chain([&self.warning.table])
    }
}

/// Builds the part. `today` is a date, for a link that gives the same answer later.
pub fn part(
    page: &Page,
    names: &Names<'_>,
    place: &Place,
    shown: &Shown,
    analysis: &Analysis,
    today: &str,
) -> Result<AnalysisPart, Problem> {
    let t = &page.t;
    let csv = input::csv(&analysis.series);
    let disease = analysis.parameters.disease;
    let here = page
        .asked
        .query
        .only(|key| !key.ends_with("page") && key != "csv" && parameters::counts(&page.asked, disease, key));
    let pinned = if here.get("as_of").is_none() { here.with("as_of", today) } else { here.clone() };
    let title = format!("{}: {}", names.place(&place.place), t.analysis_r());
    Ok(AnalysisPart {
        t: t.clone(),
        spread: spread::build(page, &title, analysis)?,
        nowcast: match &analysis.completeness {
            Completeness::Known(reports) => {
                let title = format!("{}: {}", names.place(&place.place), t.nowcast_title());
                Some(nowcast::build(page, &title, names.author(&shown.series.author), reports)?)
            }
            Completeness::Unknown { .. } => None,
        },
        fatality: analysis
            .fatality
            .as_ref()
            .map(|found| fatality::build(page, &analysis.parameters, found))
            .transpose()?,
        warning: warning::build(page, analysis)?,
        kept: page
            .asked
            .query
            .only(|key| !KEYS.contains(&key) && !key.contains('.') && key != "csv" && key != "page")
            .pairs()
            .to_vec(),
        fields: analysis.parameters.fields(t),
        disease: disease.code,
        action: page.asked.path.clone(),
        link: pinned.on(&page.asked.path),
        input_href: here.with("csv", "input").on(&page.asked.path),
        interval_href: here.with("csv", "si").on(&page.asked.path),
        input_hash: crate::layout::component::hash(t, &sha256(csv.as_bytes()).to_hex()),
        command: command(analysis),
        author: names.author(&shown.series.author).to_owned(),
        incomplete_days: match &analysis.completeness {
            Completeness::Known(reports) => reports.incomplete_days(),
            Completeness::Unknown { .. } => 0,
        },
    })
}

/// The files of a part that are no lists: its input, its serial interval and its reporting triangle, as `concord epi` reads them.
pub fn file(analysis: &Analysis, id: &str) -> Option<String> {
    match id {
        "input" => Some(input::csv(&analysis.series)),
        "si" => {
            let probabilities = analysis.serial_interval.delay().probabilities().iter().enumerate();
            let lines = probabilities.map(|(lag, probability)| format!("{lag},{probability}\n"));
            Some(std::iter::once("lag,probability\n".to_owned()).chain(lines).collect())
        }
        "reports" => match &analysis.completeness {
            Completeness::Known(reports) => Some(reports.csv()),
            Completeness::Unknown { .. } => None,
        },
        _ => None,
    }
}

/// The same computation at the command line.
fn command(analysis: &Analysis) -> String {
    let Parameters { window, prior, .. } = &analysis.parameters;
    format!(
        "concord epi rt --input input.csv --si si.csv --window {window} --prior-mean {} --prior-sd {} --format json",
        prior.0, prior.1
    )
}

/// Whether a series is weekly.
pub fn is_weekly(series: &Series) -> bool {
    series.step() == Step::Week
}
