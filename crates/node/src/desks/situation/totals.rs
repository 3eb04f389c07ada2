//! `/situation/totals`: what a group of countries adds up to, and who is missing in the sum.
//!
//! Groups are WHO regions, those of UN M49 and the node's own (tables, not code), the members of a mechanism that this
//! node may see, or a list of codes in the address. A country counts with one author's figure: its own authority's,
//! else the newest. A member without a figure is not zero: it is named as missing.

use super::figure::{date_of, day_number};
use super::names::Names;
use super::overview::{self, Line};
use super::parts::{
    author_cell, count_text, indicator_links, iso_day, place_cell, proof_cell, value_cell, views,
};
use super::query::{self, Scope};
use crate::chart;
use crate::desks::shared::{Rows, Share};
use crate::layout::component::{Control, Field, Figures, Tone, tag};
use crate::layout::{Asked, Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;
use formats::places::{Groups, Iso3};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::db::{Db, DbError};

/// A figure is behind if it ends this many days before the group's newest.
const BEHIND_DAYS: i64 = 8;
/// Codes that an address may name.
const MAX_PLACES: usize = 300;

/// A group with its members as of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How an address asks for it: parameter and value.
    pub asked: (&'static str, String),
    /// Its name.
    pub name: String,
    /// Alpha-3 codes.
    pub members: BTreeSet<String>,
    /// Parties of a mechanism that are no country: an organisation has no figures of its own.
    pub others: Vec<String>,
}

/// The figures of an indicator that sums are made of.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Indicators that somebody states.
    pub indicators: Vec<String>,
    /// The one shown.
    pub indicator: String,
    /// One figure per country.
    pub lines: BTreeMap<String, Line>,
}

impl Rows for Basis {
    fn rows(&self) -> usize {
        self.indicators.len() + 4 * self.lines.len()
    }
}

/// Reads the figures, unless somebody else did.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    wanted: Option<&str>,
    share: Share<'_>,
) -> Result<Arc<Basis>, DbError> {
    let indicators: Vec<String> = query::indicators(db, scope).await?.into_iter().collect();
    let indicator = overview::chosen(&indicators, wanted);
    let what = indicator.clone();
    let read = async {
        let lines = overview::newest(db, scope, names, &indicator).await?;
        let chosen = overview::one_per_country(&lines);
        let lines = chosen.into_iter().map(|line| (line.latest.series.place.clone(), line.clone())).collect();
        Ok(Basis { indicators, indicator, lines })
    };
    share.read(|reads| &reads.totals, scope, &[&what], read).await
}

/// What a group adds up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Sum of the stated figures; `None` if no member has one.
    pub sum: Option<f64>,
    /// What was new in seven days, of those for which it is known.
    pub seven: Option<f64>,
    /// Members with a figure.
    pub known: Vec<String>,
    /// Members without one.
    pub missing: Vec<String>,
    /// Members whose figure is more than a week older than the newest.
    pub behind: Vec<String>,
    /// Oldest and newest day of the figures in the sum.
    pub days: Option<(i64, i64)>,
}

/// Adds up.
pub fn total(basis: &Basis, members: &BTreeSet<String>) -> Total {
    let (known, missing): (Vec<String>, Vec<String>) =
        members.iter().cloned().partition(|member| basis.lines.contains_key(member));
    let lines = || known.iter().filter_map(|member| basis.lines.get(member));
    let days = || lines().map(|line| line.latest.point.day);
    let days = days().min().zip(days().max());
    let is_behind = |member: &&String| {
        basis
            .lines
            .get(*member)
            .zip(days)
            .is_some_and(|(line, (_, newest))| newest - line.latest.point.day >= BEHIND_DAYS)
    };
    let behind = known.iter().filter(is_behind).cloned().collect();
    let sum = lines().map(|line| line.latest.point.value.to_f64()).reduce(|sum, value| sum + value);
    let seven = lines().filter_map(|line| line.seven).reduce(|sum, value| sum + value);
    Total { sum, seven, known, missing, behind, days }
}

/// A mechanism whose members this reader may see: its id and its parties.
pub type Mechanism = (String, Vec<String>);

/// Reads which group an address asks for; `None` for the list of all.
pub fn wanted(
    asked: &Asked,
    names: &Names<'_>,
    groups: &Groups,
    mechanisms: &[Mechanism],
    day: i64,
) -> Result<Option<Wanted>, Problem> {
    if let Some(text) = asked.query.get("places") {
        let codes: Vec<&str> = text.split([',', ' ', ';']).filter(|code| !code.is_empty()).collect();
        if codes.len() > MAX_PLACES {
            return Err(Problem::new("places-many").with("limit", MAX_PLACES));
        }
        let code = |code: &&str| {
            let known = Iso3::new(code).filter(|iso3| names.places.contains(*iso3));
            known.map(|iso3| iso3.to_string()).ok_or_else(|| Problem::new("place-code").with("value", *code))
        };
        let members: BTreeSet<String> = codes.iter().map(code).collect::<Result<_, _>>()?;
        let written = members.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let name = asked.t.totals_own_list(members.len());
        return Ok(Some(Wanted { asked: ("places", written), name, members, others: Vec::new() }));
    }
    if let Some(id) = asked.query.get("mechanism") {
        let found = mechanisms.iter().find(|(known, _)| known == id);
        let (id, parties) = found.ok_or_else(|| Problem::new("group-unknown").with("value", id))?;
        return Ok(Some(of_mechanism(names, id, parties)));
    }
    let Some(key) = asked.query.get("group") else { return Ok(None) };
    let group = groups.get(key).ok_or_else(|| Problem::new("group-unknown").with("value", key))?;
    Ok(Some(of_group(names, group, day)))
}

fn of_group(names: &Names<'_>, group: &formats::places::Group, day: i64) -> Wanted {
    let date = date_of(day);
    let part = |part: i8| u8::try_from(part).unwrap_or(1);
    let year = u16::try_from(date.year()).unwrap_or(1970);
    let day = formats::figures::Date::new(year, part(date.month()), part(date.day()));
    let members = day.map(|day| group.members_on(day)).unwrap_or_default();
    Wanted {
        asked: ("group", group.key.clone()),
        name: group.name(names.t.lang().code()).to_owned(),
        members: members.iter().map(ToString::to_string).collect(),
        others: Vec::new(),
    }
}

/// The countries of a mechanism's parties, by the code under which this node knows each.
fn of_mechanism(names: &Names<'_>, id: &str, parties: &[String]) -> Wanted {
    let is_country = |code: &&str| Iso3::new(code).is_some_and(|iso3| names.places.contains(iso3));
    let code = |party: &String| names.code(party).filter(is_country).map(str::to_owned);
    let (members, others): (Vec<&String>, Vec<&String>) =
        parties.iter().partition(|party| code(party).is_some());
    Wanted {
        asked: ("mechanism", id.to_owned()),
        name: id.rsplit('/').next().unwrap_or(id).to_owned(),
        members: members.into_iter().filter_map(code).collect(),
        others: others.into_iter().map(|party| names.author(party).to_owned()).collect(),
    }
}

/// Every group there is, for the list.
pub fn all(names: &Names<'_>, groups: &Groups, mechanisms: &[Mechanism], day: i64) -> Vec<Wanted> {
    let of_mechanisms = mechanisms.iter().map(|(id, parties)| of_mechanism(names, id, parties));
    of_mechanisms.chain(groups.iter().map(|group| of_group(names, group, day))).collect()
}

/// The day of a moment, or today's number if none is asked for; membership is looked up on it.
pub fn day_of(scope: Scope<'_>, now: i64) -> i64 {
    scope.as_of.at.unwrap_or(now).div_euclid(86_400).clamp(0, day_number(jiff::civil::Date::MAX))
}

/// The page of all groups.
#[derive(Template)]
#[template(path = "desks/situation/templates/totals.html")]
pub struct TotalsPage {
    page: Page,
    views: Vec<(String, String, bool)>,
    indicators: Vec<(String, String, bool)>,
    kept: Vec<(String, String)>,
    field: Field,
    group: Option<OneGroup>,
    table: Table,
}

/// What stands above the members of one group.
struct OneGroup {
    figures: Figures,
    missing: Option<String>,
    behind: Option<String>,
    others: Option<String>,
}

impl Lists for TotalsPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.table]
    }
}

fn form(page: &Page, names: &Names<'_>, value: &str) -> (Vec<(String, String)>, Field) {
    let t = &page.t;
    let kept = page.asked.query.only(|key| {
        !matches!(key, "places" | "group" | "mechanism" | "csv") && !key.contains('.') && key != "page"
    });
    let field = Field::new(names.t, "places", t.totals_places(), Control::Input("text"))
        .hint(t.totals_places_hint())
        .value(value);
    (kept.pairs().to_vec(), field)
}

/// Builds the page of all groups.
pub fn list_page(
    page: Page,
    names: &Names<'_>,
    basis: &Basis,
    all: &[Wanted],
) -> Result<TotalsPage, Problem> {
    let t = page.t.clone();
    let columns = vec![
        Column::new("group", t.totals_group()),
        Column::new("sum", names.indicator(&basis.indicator)).numeric(),
        Column::new("seven", t.situation_seven()).numeric(),
        Column::new("known", t.totals_known()).numeric(),
        Column::new("members", t.totals_members()).numeric(),
        Column::new("missing", t.totals_missing()).numeric(),
        Column::new("oldest", t.totals_oldest()),
        Column::file_only("missing_members"),
    ];
    let row = |group: &Wanted| {
        let total = total(basis, &group.members);
        let (parameter, value) = (group.asked.0, group.asked.1.as_str());
        let mut link = page.asked.query.only(|key| !key.contains('.') && key != "csv");
        link = link.with(parameter, value);
        let key = Key::text(&group.name).written(value);
        Row::new(vec![
            Cell::link(&link.on("/situation/totals"), &group.name).keyed(key),
            number_cell(&page, total.sum),
            number_cell(&page, total.seven),
            Cell::number(&t, total.known.len()),
            Cell::number(&t, group.members.len()),
            Cell::number(&t, total.missing.len()),
            day_cell(&page, total.days.map(|(oldest, _)| oldest)),
            Cell::text(total.missing.join(" ")),
        ])
    };
    let rows = all.iter().map(row).collect();
    let table = Table::list(&page.asked, "totals", t.totals_view(), columns, rows)?.with_hidden_caption();
    let (kept, field) = form(&page, names, "");
    Ok(TotalsPage {
        views: views(&page, "/situation/totals"),
        indicators: indicator_links(&page, names, &basis.indicators, &basis.indicator),
        kept,
        field,
        group: None,
        table,
        page,
    })
}

fn number_cell(page: &Page, number: Option<f64>) -> Cell {
    number.map_or_else(Cell::unknown, |number| {
        Cell::text(count_text(&page.t, number)).keyed(Key::number(number, number.to_string()))
    })
}

fn day_cell(page: &Page, day: Option<i64>) -> Cell {
    day.map_or_else(Cell::unknown, |day| {
        Cell::from(page.t.date_short(date_of(day))).keyed(Key::whole(day).written(iso_day(day)))
    })
}

/// Builds the page of one group.
pub async fn group_page(
    db: &Db,
    scope: Scope<'_>,
    page: Page,
    names: &Names<'_>,
    basis: &Basis,
    wanted: &Wanted,
) -> Result<Result<TotalsPage, Problem>, DbError> {
    let total = total(basis, &wanted.members);
    let lines: Vec<&Line> = total.known.iter().filter_map(|member| basis.lines.get(member)).collect();
    let mut weeks = BTreeMap::new();
    for chunk in lines.chunks(query::PAIRS) {
        for (line, weekly) in chunk.iter().zip(overview::weeks(db, scope, &basis.indicator, chunk).await?) {
            weeks.insert(line.latest.series.place.clone(), weekly);
        }
    }
    Ok(members_page(page, names, basis, wanted, &total, &weeks))
}

fn members_page(
    page: Page,
    names: &Names<'_>,
    basis: &Basis,
    wanted: &Wanted,
    total: &Total,
    weeks: &BTreeMap<String, Vec<Option<f64>>>,
) -> Result<TotalsPage, Problem> {
    let t = page.t.clone();
    let columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("standing", t.totals_in_sum()),
        Column::new("value", names.indicator(&basis.indicator)).numeric(),
        Column::new("seven", t.situation_seven()).numeric(),
        Column::new("weeks", t.situation_weeks()),
        Column::new("day", t.situation_day()),
        Column::new("who", t.situation_who()),
        Column::new("proof", t.situation_proof()),
    ];
    // Who is missing stands first: it is what a reader of a sum must know.
    let members = total.missing.iter().chain(&total.known);
    let rows = members.map(|member| member_row(&page, names, basis, member, total, weeks)).collect();
    let table = Table::list(&page.asked, "members", t.totals_members(), columns, rows)?;
    let (kept, field) = form(&page, names, if wanted.asked.0 == "places" { &wanted.asked.1 } else { "" });
    let named = |codes: &[String]| {
        (!codes.is_empty()).then(|| t.list(&codes.iter().map(|code| names.place(code)).collect::<Vec<_>>()))
    };
    let group = OneGroup {
        figures: tiles(&page, names, basis, wanted, total),
        missing: named(&total.missing).map(|list| t.totals_missing_list(list)),
        behind: named(&total.behind).map(|list| t.totals_behind_list(BEHIND_DAYS - 1, list)),
        others: (!wanted.others.is_empty()).then(|| t.totals_others(t.list(&wanted.others))),
    };
    Ok(TotalsPage {
        views: views(&page, ""),
        indicators: indicator_links(&page, names, &basis.indicators, &basis.indicator),
        kept,
        field,
        group: Some(group),
        table,
        page,
    })
}

fn tiles(page: &Page, names: &Names<'_>, basis: &Basis, wanted: &Wanted, total: &Total) -> Figures {
    let t = &page.t;
    let soft = |text: String| Markup::element("span", &[("class", "soft")], &text);
    let text = |number: Option<f64>| {
        Markup::text(number.map_or_else(|| "–".to_owned(), |number| count_text(t, number)))
    };
    let counted = |member: &&String| basis.lines.get(*member).is_some_and(|line| line.seven.is_some());
    let weeks = total.known.iter().filter(counted).count();
    let days = total.days.map_or_else(String::new, |(oldest, newest)| {
        t.totals_days(t.date_text(date_of(oldest)), t.date_text(date_of(newest)))
    });
    Figures::default()
        .with(
            names.indicator(&basis.indicator),
            text(total.sum),
            soft(t.totals_known_of(total.known.len(), wanted.members.len())),
        )
        .with(t.situation_last_week(), text(total.seven), soft(t.situation_week_known(weeks)))
        .with(t.totals_missing(), Markup::text(t.number(total.missing.len())), soft(t.totals_missing_note()))
        .with(t.totals_behind(), Markup::text(t.number(total.behind.len())), soft(days))
}

fn member_row(
    page: &Page,
    names: &Names<'_>,
    basis: &Basis,
    member: &str,
    total: &Total,
    weeks: &BTreeMap<String, Vec<Option<f64>>>,
) -> Row {
    let t = &page.t;
    let Some(line) = basis.lines.get(member) else {
        let missing = Cell::from(tag(Tone::Wait, &t.totals_is_missing())).keyed(Key::text("missing"));
        let name = names.place(member);
        // Nobody states this indicator of it, and maybe nothing at all: there may be no page to lead to.
        let mut cells = vec![Cell::text(&name).keyed(Key::text(&name).written(member)), missing];
        cells.resize(8, Cell::unknown());
        return Row::new(cells);
    };
    let behind = total.behind.iter().any(|code| code == member);
    let standing = if behind {
        Cell::from(tag(Tone::Wait, &t.totals_is_behind())).keyed(Key::text("behind"))
    } else {
        Cell::from(tag(Tone::Sure, &t.totals_is_known())).keyed(Key::text("known"))
    };
    let newest_last = weeks.get(member).cloned().unwrap_or_default();
    let drawn = newest_last.iter().any(Option::is_some);
    Row::new(vec![
        place_cell(page, names, member),
        standing,
        value_cell(t, line.latest.point.value),
        number_cell(page, line.seven),
        if drawn { chart::sparkline(&newest_last).into() } else { Cell::unknown() },
        day_cell(page, Some(line.latest.point.day)),
        author_cell(page, names, &line.latest.series.author),
        proof_cell(page, &line.latest.source),
    ])
}
