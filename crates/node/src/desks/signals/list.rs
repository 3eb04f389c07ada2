//! The signals of the last days over all countries, and their page.

use super::dismissal::{self, Dismissal, MAX_REASON};
use crate::desks::shared::{Rows, Share};
use crate::desks::situation::analysis::{counts_cases, input, warning};
use crate::desks::situation::curve::{Current, Measure, current};
use crate::desks::situation::differences;
use crate::desks::situation::figure::day_number;
use crate::desks::situation::names::{Names, is_country, place_path};
use crate::desks::situation::overview;
use crate::desks::situation::parts::{author_cell, indicator_links, moment};
use crate::desks::situation::query::{self, Scope, Series};
use crate::desks::situation::recent::{self, Recent};
use crate::i18n::Locale;
use crate::layout::component::{Control, Field, Tone, tag};
use crate::layout::{Asked, Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;
use epi::detect::{Ears, Method, Reason, Variant, discoveries};
use epi::series::{Observation, Step};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use store::db::{Db, DbError};

/// Days of figures that are read: enough for the baselines of sixteen weekly points.
const HISTORY_DAYS: i64 = 118;
/// Points judged at the end of a daily and of a weekly series: a fortnight.
const JUDGED: (usize, usize) = (14, 2);
/// The share of false alarms among those that stand out.
const FALSE_DISCOVERIES: f64 = 0.05;
/// The probability of a false alarm at one point, where none is asked for.
const ALPHA: f64 = 0.001;
/// Methods that need no years of history.
const METHODS: [&str; 3] = ["ears-c2", "ears-c1", "ears-c3"];

/// What is asked of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The method.
    pub method: &'static str,
    /// The probability of a false alarm at one point.
    pub alpha: f64,
    /// Also alarms that do not stand out among those of their date.
    pub all: bool,
}

impl Wanted {
    /// Reads an address.
    pub fn read(asked: &Asked) -> Result<Self, Problem> {
        let unknown =
            |name: &str, value: &str| Problem::new("choice-unknown").with("name", name).with("value", value);
        let method = match asked.query.get("alarm") {
            None => METHODS[0],
            Some(code) => {
                METHODS.into_iter().find(|known| *known == code).ok_or_else(|| unknown("alarm", code))?
            }
        };
        let all = match asked.query.get("show") {
            None | Some("discoveries") => false,
            Some("all") => true,
            Some(text) => return Err(unknown("show", text)),
        };
        let alpha =
            crate::desks::situation::analysis::parameters::number(asked, "alpha", ALPHA, (1e-9, 0.5))?;
        Ok(Self { method, alpha, all })
    }

    fn judge(&self) -> Method {
        let variant = match self.method {
            "ears-c1" => Variant::C1,
            "ears-c3" => Variant::C3,
            _ => Variant::C2,
        };
        Method::Ears(Ears { alpha: self.alpha, ..Ears::new(variant) })
    }
}

/// One alarm.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its name, by which it is dismissed.
    pub name: String,
    /// Whose figures.
    pub series: Series,
    /// The point's date.
    pub date: Date,
    /// The count.
    pub observed: f64,
    /// What was expected.
    pub expected: Option<f64>,
    /// What it exceeds.
    pub upper: Option<f64>,
    /// The adjusted p-value among all series of the date.
    pub adjusted: Option<f64>,
    /// So many series were judged on the date.
    pub judged: usize,
    /// Why.
    pub reason: Option<Reason>,
}

impl Signal {
    /// Whether it stands out among all series of its date. A method without p-values cannot say: then it does.
    pub fn stands_out(&self) -> bool {
        self.adjusted.is_none_or(|adjusted| adjusted <= FALSE_DISCOVERIES)
    }
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Signals {
    /// What was asked for.
    pub wanted: Wanted,
    /// Indicators of which signals can be had.
    pub indicators: Vec<String>,
    /// The one shown.
    pub indicator: String,
    /// Alarms, newest first.
    pub found: Vec<Signal>,
    /// Series that were judged at least once.
    pub judged: usize,
    /// Series of which no point could be judged, with the newest reason.
    pub unjudged: Vec<(Series, Option<Reason>)>,
    /// Who states so many figures that they are left out.
    pub crowded: BTreeSet<String>,
}

/// The figures that signals are looked for in, whatever the method.
#[derive(Clone, Debug)]
pub struct Stated {
    /// One series of each country, with its figures of the last days.
    series: Vec<(Series, Vec<Current>)>,
    crowded: BTreeSet<String>,
}

impl Rows for Stated {
    fn rows(&self) -> usize {
        self.series.iter().map(|(_, figures)| figures.len() + 1).sum()
    }
}

/// Reads the figures, unless somebody else did, and judges them.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    indicator: Option<&str>,
    wanted: Wanted,
    share: Share<'_>,
) -> Result<Signals, DbError> {
    let indicators = query::indicators(db, scope).await?;
    let indicators: Vec<String> = indicators.into_iter().filter(|code| counts_cases(code)).collect();
    let indicator = overview::chosen(&indicators, indicator);
    let read = stated(db, scope, names, &indicator);
    let stated = share.read(|reads| &reads.signals, scope, &[&indicator], read).await?;
    Ok(judge(scope.status, wanted, indicators, indicator.clone(), &stated))
}

async fn stated(db: &Db, scope: Scope<'_>, names: &Names<'_>, indicator: &str) -> Result<Stated, DbError> {
    let latest = query::latest(db, scope, indicator, None).await?;
    let newest = latest.iter().map(|one| one.point.day).max().unwrap_or_default();
    let Recent { series: recent, crowded } =
        recent::recent(db, scope, indicator, newest - HISTORY_DAYS).await?;
    let mut chosen: BTreeMap<String, (Series, Vec<Current>)> = BTreeMap::new();
    for (series, points) in recent.into_iter().filter(|(series, _)| is_country(&series.place)) {
        let figures = current(&points);
        let own = |series: &Series| names.is_own(&series.author, &series.place);
        let better = |(known, before): &(Series, Vec<Current>)| {
            (own(&series), figures.len()) > (own(known), before.len())
        };
        if chosen.get(&series.place).is_none_or(better) {
            chosen.insert(series.place.clone(), (series, figures));
        }
    }
    Ok(Stated { series: chosen.into_values().collect(), crowded })
}

fn judge(
    status: &str,
    wanted: Wanted,
    indicators: Vec<String>,
    indicator: String,
    stated: &Stated,
) -> Signals {
    let method = wanted.judge();
    let measure = Measure::of(&indicator);
    let (mut candidates, mut unjudged, mut judged) = (Vec::new(), Vec::new(), 0);
    for (series, figures) in &stated.series {
        let Some(counts) = input::counts(measure, figures) else { continue };
        let last = if counts.step() == Step::Week { JUDGED.1 } else { JUDGED.0 };
        // The method's parameters were checked when the address was read.
        let verdicts = method.judge(&counts, last).unwrap_or_default();
        if verdicts.iter().all(|verdict| verdict.alarm.is_none()) {
            unjudged.push((series.clone(), verdicts.last().and_then(|verdict| verdict.reason.clone())));
            continue;
        }
        judged += 1;
        let first = counts.len() - verdicts.len();
        for (at, verdict) in verdicts.into_iter().enumerate() {
            candidates.push((
                series.clone(),
                counts.date(first + at),
                counts.observations()[first + at],
                verdict,
            ));
        }
    }
    let mut by_date: BTreeMap<Date, Vec<usize>> = BTreeMap::new();
    for (at, (_, date, _, verdict)) in candidates.iter().enumerate() {
        if verdict.alarm.is_some() {
            by_date.entry(*date).or_default().push(at);
        }
    }
    let mut adjusted = vec![(None, 0); candidates.len()];
    for places in by_date.values() {
        let p: Vec<Option<f64>> = places.iter().map(|at| candidates[*at].3.p).collect();
        for (at, value) in places.iter().zip(discoveries(&p)) {
            adjusted[*at] = (value, places.len());
        }
    }
    let mut found: Vec<Signal> = candidates
        .into_iter()
        .zip(adjusted)
        .filter(|((.., verdict), _)| verdict.alarm == Some(true))
        .map(|((series, date, observed, verdict), (adjusted, judged))| Signal {
            name: dismissal::name(&[
                status,
                &series.indicator,
                wanted.method,
                &series.place,
                &series.author,
                &date.to_string(),
            ]),
            series,
            date,
            observed: if let Observation::Reported(figure) = observed { figure } else { 0.0 },
            expected: verdict.expected,
            upper: verdict.upper,
            adjusted,
            judged,
            reason: verdict.reason,
        })
        .filter(|signal| wanted.all || signal.stands_out())
        .collect();
    found.sort_by(|one, other| {
        let p = |signal: &Signal| signal.adjusted.unwrap_or(0.0);
        other
            .date
            .cmp(&one.date)
            .then(p(one).total_cmp(&p(other)))
            .then(one.series.place.cmp(&other.series.place))
    });
    Signals { wanted, indicators, indicator, found, judged, unjudged, crowded: stated.crowded.clone() }
}

/// The page.
#[derive(Template)]
#[template(path = "desks/signals/templates/list.html")]
pub struct SignalsPage {
    page: Page,
    indicators: Vec<(String, String, bool)>,
    summary: String,
    crowded: Vec<String>,
    kept: Vec<(String, String)>,
    fields: Vec<Field>,
    signals: Table,
    unjudged: Table,
}

impl Lists for SignalsPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.signals, &self.unjudged]
    }
}

/// Builds the page; `dismissed` is empty on the public face.
pub fn page(
    page: Page,
    names: &Names<'_>,
    signals: &Signals,
    dismissed: &BTreeMap<String, Dismissal>,
) -> Result<SignalsPage, Problem> {
    let t = page.t.clone();
    let summary = t.signals_summary(
        crate::desks::situation::analysis::warning::method_name(&t, signals.wanted.method),
        signals.judged,
        signals.found.len(),
    );
    Ok(SignalsPage {
        indicators: indicator_links(&page, names, &signals.indicators, &signals.indicator),
        summary,
        crowded: differences::crowded(names, &signals.crowded).collect(),
        kept: page
            .asked
            .query
            .only(|key| !matches!(key, "alarm" | "alpha" | "show" | "csv" | "page") && !key.contains('.'))
            .pairs()
            .to_vec(),
        fields: fields(&page, &signals.wanted),
        signals: signals_table(&page, names, signals, dismissed)?,
        unjudged: unjudged_table(&page, names, signals)?,
        page,
    })
}

fn fields(page: &Page, wanted: &Wanted) -> Vec<Field> {
    let t = &page.t;
    let methods = METHODS.iter().map(|code| ((*code).to_owned(), warning::method_name(t, code))).collect();
    let show = vec![
        ("discoveries".to_owned(), t.signals_show_discoveries()),
        ("all".to_owned(), t.signals_show_all()),
    ];
    vec![
        Field::new(t, "alarm", t.analysis_alarm(), Control::Select(methods)).value(wanted.method),
        Field::new(t, "alpha", t.analysis_alpha(), Control::Input("text")).value(wanted.alpha.to_string()),
        Field::new(t, "show", t.signals_show(), Control::Select(show)).value(if wanted.all {
            "all"
        } else {
            "discoveries"
        }),
    ]
}

fn signals_table(
    page: &Page,
    names: &Names<'_>,
    signals: &Signals,
    dismissed: &BTreeMap<String, Dismissal>,
) -> Result<Table, Problem> {
    let t = &page.t;
    let mut columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("date", t.situation_day()),
        Column::new("observed", t.analysis_observed()).numeric(),
        Column::new("expected", t.analysis_expected()).numeric(),
        Column::new("upper", t.analysis_upper()).numeric(),
        Column::new("reason", t.analysis_reason()),
        Column::new("adjusted", t.signals_adjusted()).numeric(),
        Column::new("who", t.situation_who()),
    ];
    let inside = page.csrf.is_some();
    columns.extend(inside.then(|| Column::new("state", t.signals_state())));
    columns.extend(inside.then(|| Column::new("act", "")));
    let rows = signals
        .found
        .iter()
        .map(|signal| {
            let dismissal = dismissed.get(&signal.name);
            let mut cells = cells(page, names, signal);
            cells.extend(inside.then(|| state_cell(page, dismissal)));
            cells.extend(inside.then(|| act_cell(page, signal, dismissal)));
            let row = Row::new(cells);
            if signal.stands_out() && dismissal.is_none() { row.in_alarm() } else { row }
        })
        .collect();
    Ok(Table::list(&page.asked, "signals", t.signals_title(), columns, rows)?
        .with_hidden_caption()
        .when_empty(t.signals_none()))
}

fn cells(page: &Page, names: &Names<'_>, signal: &Signal) -> Vec<Cell> {
    let t = &page.t;
    let place = &signal.series.place;
    let name = names.place(place);
    let href = page.asked.href_with(&place_path(place), &[("indicator", &signal.series.indicator)]);
    let number = |value: Option<f64>, places| {
        value.map_or_else(Cell::unknown, |value| {
            Cell::text(t.decimal(value, places)).keyed(Key::number(value, value.to_string()))
        })
    };
    let reason = signal.reason.as_ref();
    let mut why = Vec::new();
    if signal.stands_out() && signal.adjusted.is_some() {
        why.push(tag(Tone::Alarm, &t.signals_stands_out(signal.judged)));
    }
    why.extend(reason.map(|reason| Markup::text(warning::reason_text(t, reason))));
    vec![
        Cell::link(&format!("{href}#warning"), &name).keyed(Key::text(&name).written(place)),
        Cell::from(t.date_short(signal.date))
            .keyed(Key::whole(day_number(signal.date)).written(signal.date.to_string())),
        number(Some(signal.observed), 0),
        number(signal.expected, 1),
        number(signal.upper, 1),
        Cell::from(Markup::joined(why, " ")).keyed(Key::text(reason.map_or("", Reason::code))),
        signal.adjusted.map_or_else(Cell::unknown, |q| {
            Cell::text(share_text(t, q)).keyed(Key::number(q, q.to_string()))
        }),
        author_cell(page, names, &signal.series.author),
    ]
}

/// A share with four decimals. What they cannot show is no zero, and neither is a tail too small for a number: it is below what they can.
fn share_text(t: &Locale, share: f64) -> String {
    const LEAST: f64 = 0.0001;
    if share >= LEAST {
        return t.decimal(share, 4);
    }
    // Isolated: in right-to-left text the sign would be mirrored.
    format!("\u{2066}<{}\u{2069}", t.decimal(LEAST, 4))
}

fn state_cell(page: &Page, dismissal: Option<&Dismissal>) -> Cell {
    let t = &page.t;
    match dismissal {
        None => Cell::from(tag(Tone::Wait, &t.signals_open())).keyed(Key::text("open")),
        Some(one) => {
            let words = Markup::element("span", &[("dir", "auto")], &one.reason);
            let parts = [tag(Tone::Plain, &t.signals_dismissed()), words, t.moment(moment(one.at))];
            Cell::from(Markup::joined(parts, " ")).keyed(Key::text(format!("dismissed: {}", one.reason)))
        }
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if taken_back -%}
<form method="post" action="{{ action }}"><input type="hidden" name="csrf" value="{{ csrf }}"><input type="hidden" name="signal" value="{{ signal }}"><button class="quiet" aria-label="{{ label }}">{{ button }}</button></form>
{%- else -%}
<details><summary aria-label="{{ label }}">{{ button }}</summary><form method="post" action="{{ action }}"><input type="hidden" name="csrf" value="{{ csrf }}"><input type="hidden" name="signal" value="{{ signal }}"><input type="text" name="reason" required maxlength="{{ longest }}" aria-label="{{ reason }}" placeholder="{{ reason }}"> <button>{{ button }}</button></form></details>
{%- endif %}"#
)]
struct Act<'a> {
    taken_back: bool,
    action: String,
    csrf: &'a str,
    signal: &'a str,
    label: String,
    reason: String,
    button: String,
    longest: usize,
}

fn act_cell(page: &Page, signal: &Signal, dismissal: Option<&Dismissal>) -> Cell {
    let t = &page.t;
    let taken_back = dismissal.is_some();
    let path = if taken_back { "/signals/restore" } else { "/signals/dismiss" };
    let button = if taken_back { t.signals_restore() } else { t.signals_dismiss() };
    let markup = Markup::of(&Act {
        taken_back,
        action: page.asked.query.only(|key| key != "csv").on(path),
        csrf: page.csrf.as_deref().unwrap_or_default(),
        signal: &signal.name,
        label: format!("{button}: {} {}", signal.series.place, signal.date),
        reason: t.signals_reason(),
        button,
        longest: MAX_REASON,
    });
    Cell::from(markup).keyed(Key::nothing())
}

fn unjudged_table(page: &Page, names: &Names<'_>, signals: &Signals) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("who", t.situation_who()),
        Column::new("reason", t.analysis_reason()),
    ];
    let rows = signals
        .unjudged
        .iter()
        .map(|(series, reason)| {
            Row::new(vec![
                crate::desks::situation::parts::place_cell(page, names, &series.place),
                author_cell(page, names, &series.author),
                reason.as_ref().map_or_else(Cell::unknown, |reason| {
                    Cell::text(warning::reason_text(t, reason)).keyed(Key::text(reason.code()))
                }),
            ])
        })
        .collect();
    Ok(Table::list(&page.asked, "unjudged", t.signals_unjudged(), columns, rows)?
        .when_empty(t.signals_all_judged()))
}
