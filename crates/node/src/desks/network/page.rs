//! The pages of the network desk, from what was read to markup.

use super::query::{Authority, Log, Party};
use crate::alarm::Alarm;
use crate::desks::record::page::kind_name;
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::{Csv, iso, moment};
use crate::i18n::{Locale, MESSAGES, Value};
use crate::layout::component::{Facts, Tone, hash, hash_link, tag};
use crate::layout::{Cell, Column, Markup, Page, Row, Table};
use ::record::charter::Mechanisms;
use askama::Template;
use std::collections::BTreeMap;

/// How the exchange with an authority is going. Inside only.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// When it answered last, seconds since 1970.
    pub last_answer: Option<i64>,
    /// Machine code of the last failure since.
    pub fault: Option<String>,
    /// Entries that it showed and that are not here yet.
    pub behind: u64,
}

/// Everything the overview shows.
#[derive(Debug, Default)]
pub struct View {
    /// Authorities.
    pub authorities: Vec<Authority>,
    /// Logs.
    pub logs: Vec<Log>,
    /// The largest size shown of each log that is followed.
    pub shown: BTreeMap<String, u64>,
    /// Health by authority; empty on the public face.
    pub health: BTreeMap<String, Health>,
    /// Alarms; `None` on the public face.
    pub alarms: Option<Vec<Alarm>>,
    /// Mechanisms; `None` on the public face.
    pub mechanisms: Option<Mechanisms>,
    /// Now, seconds since 1970: a root that has run out is marked.
    pub now: i64,
}

/// `/network`.
#[derive(Template)]
#[template(path = "desks/network/templates/overview.html")]
pub struct OverviewPage {
    page: Page,
    lead: String,
    alarms: Option<Table>,
    authorities: Table,
    logs: Table,
    mechanisms: Option<Table>,
}

/// Builds `/network`.
pub fn overview_page(page: Page, names: &Names<'_>, view: &View) -> OverviewPage {
    OverviewPage {
        lead: page.t.network_lead(view.authorities.len(), view.logs.len()),
        alarms: view.alarms.as_ref().map(|alarms| alarms_table(&page, alarms)),
        authorities: authorities_table(&page, view),
        logs: logs_table(&page, names, &view.logs, &view.shown).csv("/network/logs.csv"),
        mechanisms: view
            .mechanisms
            .as_ref()
            .map(|mechanisms| mechanisms_table(&page, names, mechanisms, None)),
        page,
    }
}

/// A fingerprint in groups of four, as it is read aloud.
pub fn grouped(fingerprint: &str) -> String {
    let characters: Vec<char> = fingerprint.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn standing(t: &Locale, standing: &str) -> Markup {
    match standing {
        "self" => tag(Tone::Plain, &t.network_self()),
        "confirmed" => tag(Tone::Sure, &t.network_confirmed()),
        _ => tag(Tone::Wait, &t.network_proposed()),
    }
}

fn soft(text: &str) -> Markup {
    Markup::element("span", &[("class", "soft")], text)
}

fn authorities_table(page: &Page, view: &View) -> Table {
    let t = &page.t;
    let inside = view.alarms.is_some();
    let mut columns = vec![
        Column::new("authority", t.network_authority()),
        Column::new("standing", t.network_standing()),
        Column::new("fingerprint", t.network_fingerprint()),
        Column::new("root", t.network_root()),
    ];
    if inside {
        columns
            .extend([Column::new("contact", t.network_contact()), Column::new("behind", t.network_behind())]);
    }
    let rows = view
        .authorities
        .iter()
        .map(|one| {
            let code = one.code.as_deref().unwrap_or_default();
            let href = page.href(format!("/network/{}", one.authority));
            let mut cells: Vec<Cell> = vec![
                Markup::of(&Who { href, name: &one.name, code, dns: &one.authority }).into(),
                standing(t, &one.standing).into(),
                Markup::element("code", &[("class", "fingerprint")], &grouped(&one.fingerprint)).into(),
                root(page, one, view.now).into(),
            ];
            if inside {
                let health = view.health.get(&one.authority);
                cells.extend([contact(page, one, health), behind(page, health)]);
            }
            Row::new(cells)
        })
        .collect();
    Table::new(&page.asked, "authorities", t.network_authorities(), columns)
        .rows(rows)
        .csv("/network/authorities.csv")
        .when_empty(t.network_empty_text())
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<a href="{{ href }}"><bdi>{{ name }}</bdi></a> <span class="soft small">{{ code }}</span><br><bdi class="soft small">{{ dns }}</bdi>"#
)]
struct Who<'a> {
    href: String,
    name: &'a str,
    code: &'a str,
    dns: &'a str,
}

fn root(page: &Page, one: &Authority, now: i64) -> Markup {
    let t = &page.t;
    let day = moment(one.root_until).to_zoned(jiff::tz::TimeZone::UTC).date();
    let text = Markup::text(t.network_root_until(one.root_version, t.date_short_text(day)));
    let expired = (one.root_until < now).then(|| tag(Tone::Wait, &t.network_root_expired()));
    Markup::joined([text].into_iter().chain(expired), " ")
}

fn contact(page: &Page, one: &Authority, health: Option<&Health>) -> Cell {
    let t = &page.t;
    if one.standing == "self" {
        return Cell::unknown();
    }
    let last = health.and_then(|health| health.last_answer);
    let time = last.map_or_else(|| soft(&t.network_never()), |at| t.moment(moment(at)));
    let fault = health.and_then(|health| health.fault.as_deref()).map(|code| tag(Tone::Wait, code));
    Markup::joined([time].into_iter().chain(fault), " ").into()
}

fn behind(page: &Page, health: Option<&Health>) -> Cell {
    let t = &page.t;
    match health {
        Some(Health { behind: 0, last_answer: Some(_), .. }) => tag(Tone::Sure, &t.network_in_step()).into(),
        Some(health) if health.behind > 0 => tag(Tone::Wait, &t.network_behind_entries(health.behind)).into(),
        _ => Cell::unknown(),
    }
}

/// Logs as a table.
fn logs_table(page: &Page, names: &Names<'_>, logs: &[Log], shown: &BTreeMap<String, u64>) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("log", t.network_log()),
        Column::new("authority", t.network_authority()),
        Column::new("readers", t.network_readers()),
        Column::new("entries", t.network_entries()).numeric(),
        Column::new("seen", t.network_proven_up_to()).numeric(),
        Column::new("newest", t.network_newest()),
        Column::new("state", t.network_standing()),
    ];
    let rows = logs
        .iter()
        .map(|log| {
            let href = page.href(format!("/network/logs/{}", log.origin));
            let link = Markup::of(&LogLink { href, origin: &log.origin });
            Row::new(vec![
                link.into(),
                Cell::text(names.author(&log.authority)),
                readers(page, names, &log.readers).into(),
                Cell::number(t, log.size),
                log.seen.map_or_else(Cell::unknown, |seen| Cell::number(t, seen)),
                log.newest.map_or_else(Cell::unknown, |at| t.moment(moment(at)).into()),
                state(page, log, shown).into(),
            ])
        })
        .collect();
    Table::new(&page.asked, "logs", t.network_logs(), columns).rows(rows).when_empty(t.network_no_logs())
}

#[derive(Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}"><code>{{ origin }}</code></a>"#)]
struct LogLink<'a> {
    href: String,
    origin: &'a str,
}

fn readers(page: &Page, names: &Names<'_>, readers: &str) -> Markup {
    if readers == "public" {
        return Markup::text(page.t.network_everyone());
    }
    let each = readers.split(' ').map(|one| Markup::element("bdi", &[], names.author(one)));
    Markup::joined(each, ", ")
}

fn state(page: &Page, log: &Log, shown: &BTreeMap<String, u64>) -> Markup {
    let t = &page.t;
    let kept = if log.own { t.network_own() } else { t.network_mirror() };
    let open = if log.closed { t.network_closed() } else { t.network_open() };
    let here = u64::try_from(log.size).unwrap_or(0);
    let behind = shown.get(&log.origin).map_or(0, |shown| shown.saturating_sub(here));
    let late = (behind > 0).then(|| tag(Tone::Wait, &t.network_behind_entries(behind)));
    Markup::joined([tag(Tone::Plain, &kept), tag(Tone::Plain, &open)].into_iter().chain(late), " ")
}

fn mechanisms_table(page: &Page, names: &Names<'_>, mechanisms: &Mechanisms, of: Option<&str>) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("mechanism", t.network_mechanism()),
        Column::new("state", t.network_standing()),
        Column::new("members", t.network_members()),
        Column::new("observers", t.network_observers()),
        Column::new("charter", t.network_charter()),
    ];
    let parties = |parties: &[::record::charter::Party]| {
        let each = parties
            .iter()
            .map(|(authority, _)| Markup::element("bdi", &[], names.author(authority.as_str())));
        Markup::joined(each, ", ")
    };
    let charter_link = |name: &tlog::hash::Hash| {
        let name = name.to_hex();
        hash_link(&page.href(format!("/record/{name}")), &name)
    };
    let mut rows = Vec::new();
    for (status, mechanism) in mechanisms.iter() {
        let id = Markup::element("code", &[], mechanism.id.as_str());
        let mark = crate::layout::component::status_tag(t, status.as_str());
        let id = Markup::joined([id].into_iter().chain(mark), " ");
        let concerns = |charter: &::record::charter::Charter| {
            of.is_none_or(|of| charter.readers().iter().any(|reader| reader.as_str() == of))
        };
        if let (Some(charter), Some(name)) = (mechanism.charter(), mechanism.in_force())
            && concerns(charter)
        {
            rows.push(Row::new(vec![
                id.clone().into(),
                tag(Tone::Sure, &t.network_in_force()).into(),
                parties(&charter.members).into(),
                parties(&charter.observers).into(),
                charter_link(&name).into(),
            ]));
        }
        for candidate in mechanism.candidates.iter().filter(|candidate| concerns(&candidate.charter)) {
            let accepted: Vec<_> = candidate.accepted.iter().cloned().collect();
            let by = Markup::joined([soft(&t.network_accepted_by()), parties(&accepted)], " ");
            rows.push(Row::new(vec![
                id.clone().into(),
                Markup::joined([tag(Tone::Wait, &t.network_not_in_force()), by], " ").into(),
                parties(&candidate.charter.members).into(),
                parties(&candidate.charter.observers).into(),
                charter_link(&candidate.name).into(),
            ]));
        }
    }
    Table::new(&page.asked, "mechanisms", t.network_mechanisms(), columns)
        .rows(rows)
        .when_empty(t.network_mechanisms_none())
}

fn alarms_table(page: &Page, alarms: &[Alarm]) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("alarm", t.network_alarm()),
        Column::new("first", t.network_alarm_first()),
        Column::new("last", t.network_alarm_last()),
        Column::new("count", t.network_alarm_count()).numeric(),
    ];
    let rows = alarms
        .iter()
        .map(|alarm| {
            let said =
                Markup::joined([tag(Tone::Alarm, &t.seal_alarm()), Markup::text(alarm_text(t, alarm))], " ");
            let cells = vec![
                said.into(),
                t.moment(moment(alarm.first)).into(),
                t.moment(moment(alarm.last)).into(),
                Cell::number(t, alarm.count),
            ];
            Row::new(cells).in_alarm()
        })
        .collect();
    Table::new(&page.asked, "alarms", t.network_alarms(), columns)
        .rows(rows)
        .when_empty(t.network_alarms_none())
}

/// An alarm in the reader's language. One without a text shows its code and arguments, so that nothing is hidden.
pub fn alarm_text(t: &Locale, alarm: &Alarm) -> String {
    let code = alarm.code.strip_prefix("alarm-").unwrap_or(&alarm.code);
    let key = format!("network-alarm-{code}");
    let wanted = MESSAGES.iter().find(|(known, _)| *known == key).map(|(_, arguments)| *arguments);
    if let Some(wanted) = wanted
        && wanted.iter().all(|name| alarm.arguments.contains_key(*name))
    {
        let given: Vec<(&str, Value)> =
            alarm.arguments.iter().map(|(name, text)| (name.as_str(), Value::Text(text.clone()))).collect();
        if let Some(text) = t.lookup(&key, &given) {
            return text;
        }
    }
    let arguments: Vec<String> =
        alarm.arguments.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    format!("{} ({})", alarm.code, arguments.join(", "))
}

/// `/network/{authority}`.
#[derive(Template)]
#[template(path = "desks/network/templates/authority.html")]
pub struct AuthorityPage {
    page: Page,
    facts: Option<Facts>,
    logs: Table,
    mechanisms: Option<Table>,
}

/// Builds the page of an authority; `view.logs` are its own. An authority that is not pinned may still be the
/// author of records that others carried here, or be named by them.
pub fn authority_page(page: Page, names: &Names<'_>, view: &View, authority: &str) -> AuthorityPage {
    let t = &page.t;
    let facts = view.authorities.iter().find(|one| one.authority == authority).map(|one| {
        let fingerprint = Markup::element("code", &[("class", "fingerprint")], &grouped(&one.fingerprint));
        let mut facts = Facts::default()
            .with(t.network_authority(), Markup::element("bdi", &[], &one.authority))
            .with(t.network_standing(), standing(t, &one.standing))
            .with(t.network_role(), Markup::text(&one.role))
            .with(
                t.network_fingerprint(),
                Markup::joined(
                    [fingerprint, Markup::element("span", &[("class", "soft small")], &t.network_compare())],
                    " ",
                ),
            )
            .with(t.network_root(), root(&page, one, view.now))
            .with(t.network_endpoint(), Markup::element("code", &[], &one.endpoint));
        if let Some(health) = view.health.get(authority) {
            let last = health.last_answer;
            let time = last.map_or_else(|| soft(&t.network_never()), |at| t.moment(moment(at)));
            facts = facts.with(t.network_contact(), time);
            facts = facts.with(t.network_behind(), Markup::text(t.network_behind_entries(health.behind)));
            if let Some(code) = &health.fault {
                facts = facts.with(t.network_fault(), tag(Tone::Wait, code));
            }
        }
        facts
    });
    AuthorityPage {
        facts,
        logs: logs_table(&page, names, &view.logs, &view.shown),
        mechanisms: view
            .mechanisms
            .as_ref()
            .map(|mechanisms| mechanisms_table(&page, names, mechanisms, Some(authority))),
        page,
    }
}

/// What the page of a log shows.
#[derive(Clone, Debug)]
pub struct LogView {
    /// The log.
    pub log: Log,
    /// The largest size that a peer showed.
    pub shown: Option<u64>,
    /// Kinds of records and how many.
    pub kinds: Vec<(String, i64)>,
    /// Who has seen it.
    pub witnesses: Vec<Party>,
    /// Who holds it.
    pub holders: Vec<Party>,
}

/// `/network/logs/{origin}`.
#[derive(Template)]
#[template(path = "desks/network/templates/log.html")]
pub struct LogPage {
    page: Page,
    facts: Facts,
    kinds: Table,
    witnesses: Table,
    holders: Table,
}

/// Builds the page of a log.
pub fn log_page(page: Page, names: &Names<'_>, view: &LogView) -> LogPage {
    let t = &page.t;
    let log = &view.log;
    let author =
        Markup::link(&page.href(format!("/network/{}", log.authority)), names.author(&log.authority));
    let shown = view.shown.map(|size| (log.origin.clone(), size)).into_iter().collect();
    let facts = Facts::default()
        .with(t.network_log(), Markup::element("code", &[], &log.origin))
        .with(t.network_authority(), author)
        .with(t.network_readers(), readers(&page, names, &log.readers))
        .with(t.network_checkpoint(), Markup::text(t.record_checkpoint(t.number(log.size))))
        .with(t.network_tree_root(), Markup::element("code", &[], &log.root))
        .with(t.network_policy(), hash(t, &log.policy))
        .with(t.network_standing(), state(&page, log, &shown));
    LogPage {
        facts,
        kinds: kinds_table(&page, &view.kinds),
        witnesses: witnesses_table(&page, names, view),
        holders: holders_table(&page, names, view),
        page,
    }
}

fn kinds_table(page: &Page, kinds: &[(String, i64)]) -> Table {
    let t = &page.t;
    let columns =
        vec![Column::new("kind", t.network_kind()), Column::new("records", t.network_records()).numeric()];
    let rows = kinds
        .iter()
        .map(|(kind, count)| {
            let href = page.asked.href_with("/records", &[("kind", kind)]);
            Row::new(vec![Cell::link(&href, &kind_name(t, kind)), Cell::number(t, *count)])
        })
        .collect();
    Table::new(&page.asked, "kinds", t.network_what_it_holds(), columns).rows(rows)
}

fn witnesses_table(page: &Page, names: &Names<'_>, view: &LogView) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("witness", t.network_witness()),
        Column::new("first", t.network_witness_since()),
        Column::new("latest", t.network_witness_latest()),
        Column::new("covers", t.network_covers()).numeric(),
    ];
    let rows = view.witnesses.iter().map(|one| party_row(page, names, one, view.log.size)).collect();
    Table::new(&page.asked, "witnesses", t.network_witnessed_by(), columns)
        .rows(rows)
        .when_empty(t.network_no_witness())
}

fn holders_table(page: &Page, names: &Names<'_>, view: &LogView) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("holder", t.network_holder()),
        Column::new("first", t.network_holds_since()),
        Column::new("latest", t.network_alarm_last()),
        Column::new("covers", t.network_covers()).numeric(),
    ];
    let rows = view.holders.iter().map(|one| party_row(page, names, one, view.log.size)).collect();
    Table::new(&page.asked, "holders", t.network_held_by(), columns)
        .rows(rows)
        .when_empty(t.network_no_holder())
}

fn party_row(page: &Page, names: &Names<'_>, one: &Party, total: i64) -> Row {
    let t = &page.t;
    Row::new(vec![
        Cell::link(&page.href(format!("/network/{}", one.authority)), names.author(&one.authority)),
        t.moment(moment(one.first)).into(),
        t.moment(moment(one.latest)).into(),
        Cell::text(t.network_of_entries(t.number(one.size), t.number(total))),
    ])
}

/// Authorities as a file.
pub fn authorities_csv(authorities: &[Authority]) -> Vec<u8> {
    let mut csv = Csv::new(&[
        "authority",
        "name",
        "code",
        "role",
        "standing",
        "fingerprint",
        "endpoint",
        "root_version",
        "root_until",
    ]);
    for one in authorities {
        csv.row([
            one.authority.clone(),
            one.name.clone(),
            one.code.clone().unwrap_or_default(),
            one.role.clone(),
            one.standing.clone(),
            one.fingerprint.clone(),
            one.endpoint.clone(),
            one.root_version.to_string(),
            iso(Some(one.root_until)),
        ]);
    }
    csv.finish()
}

/// Logs as a file.
pub fn logs_csv(logs: &[Log]) -> Vec<u8> {
    let mut csv =
        Csv::new(&["log", "authority", "readers", "entries", "root", "seen_entries", "newest", "closed"]);
    for log in logs {
        csv.row([
            log.origin.clone(),
            log.authority.clone(),
            log.readers.clone(),
            log.size.to_string(),
            log.root.clone(),
            log.seen.map(|seen| seen.to_string()).unwrap_or_default(),
            iso(log.newest),
            log.closed.to_string(),
        ]);
    }
    csv.finish()
}
