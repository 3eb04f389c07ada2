//! The pages of the network desk, from what was read to markup.

use super::query::{Authority, Holding, Log, Party};
use super::tables::{
    alarms_table, authorities_table, behind_tag, fault, grouped, holdings_table, logs_table,
    mechanisms_table, party_cells, readers, role, root, soft, standing, state,
};
use crate::alarm::Alarm;
use crate::desks::record::page::kind_name;
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::moment;
use crate::layout::component::{Facts, Tone, hash, tag};
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use ::record::charter::Mechanisms;
use askama::Template;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Who holds what.
    pub holdings: Vec<Holding>,
    /// The largest size shown of each log that is followed.
    pub shown: BTreeMap<String, u64>,
    /// Health by authority; empty on the public face.
    pub health: BTreeMap<String, Health>,
    /// Alarms; `None` on the public face.
    pub alarms: Option<Vec<Alarm>>,
    /// Mechanisms; `None` on the public face.
    pub mechanisms: Option<Arc<Mechanisms>>,
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
    holdings: Table,
    mechanisms: Option<Table>,
}

impl Lists for OverviewPage {
    fn lists(&self) -> Vec<&Table> {
        let always = [&self.authorities, &self.logs, &self.holdings];
        always.into_iter().chain(&self.alarms).chain(&self.mechanisms).collect()
    }
}

/// Builds `/network`.
///
/// # Errors
/// A list is asked for in an order that it does not have.
pub fn overview_page(page: Page, names: &Names<'_>, view: &View) -> Result<OverviewPage, Problem> {
    Ok(OverviewPage {
        lead: page.t.network_lead(view.authorities.len(), view.logs.len()),
        alarms: view.alarms.as_ref().map(|alarms| alarms_table(&page, alarms)).transpose()?,
        authorities: authorities_table(&page, names, view)?,
        logs: logs_table(&page, names, &view.logs, &view.shown, false)?,
        holdings: holdings_table(&page, names, &view.holdings)?,
        mechanisms: mechanisms(&page, names, view, None)?,
        page,
    })
}

fn mechanisms(
    page: &Page,
    names: &Names<'_>,
    view: &View,
    of: Option<&str>,
) -> Result<Option<Table>, Problem> {
    let known = view.mechanisms.as_ref();
    known.map(|mechanisms| mechanisms_table(page, names, mechanisms, of)).transpose()
}

/// `/network/{authority}`.
#[derive(Template)]
#[template(path = "desks/network/templates/authority.html")]
pub struct AuthorityPage {
    page: Page,
    facts: Option<Facts>,
    logs: Table,
    holdings: Option<Table>,
    mechanisms: Option<Table>,
}

impl Lists for AuthorityPage {
    fn lists(&self) -> Vec<&Table> {
        [&self.logs].into_iter().chain(&self.holdings).chain(&self.mechanisms).collect()
    }
}

/// Builds the page of an authority; `view.logs` are its own, `view.holdings` what it holds. An authority that is not
/// pinned may still be the author of records that others carried here, or be named by them.
///
/// # Errors
/// A list is asked for in an order that it does not have.
pub fn authority_page(
    page: Page,
    names: &Names<'_>,
    view: &View,
    authority: &str,
) -> Result<AuthorityPage, Problem> {
    // Receipts go to a log's author: of most authorities this node sees none.
    let holdings =
        if view.holdings.is_empty() { None } else { Some(holdings_table(&page, names, &view.holdings)?) };
    let known = view.authorities.iter().find(|one| one.authority == authority);
    Ok(AuthorityPage {
        facts: known.map(|one| authority_facts(&page, view, one)),
        logs: logs_table(&page, names, &view.logs, &view.shown, true)?,
        holdings,
        mechanisms: mechanisms(&page, names, view, Some(authority))?,
        page,
    })
}

fn authority_facts(page: &Page, view: &View, one: &Authority) -> Facts {
    let t = &page.t;
    let fingerprint = Markup::element("code", &[("class", "fingerprint")], &grouped(&one.fingerprint));
    let compare = Markup::element("span", &[("class", "soft small")], &t.network_compare());
    let code = one.code.as_deref().map(soft);
    let dns = Markup::element("bdi", &[], &one.authority);
    let mut facts = Facts::default()
        .with(t.network_authority(), Markup::joined([dns].into_iter().chain(code), " "))
        .with(t.network_standing(), standing(t, &one.standing));
    if let Some(word) = &one.role {
        facts = facts.with(t.network_role(), Markup::text(role(t, word)));
    }
    facts = facts
        .with(t.network_fingerprint(), Markup::joined([fingerprint, compare], " "))
        .with(t.network_root(), root(page, one, view.now));
    if !one.endpoint.is_empty() {
        let address = Markup::element("code", &[], &one.endpoint);
        let what = Markup::element("span", &[("class", "soft small")], &t.network_endpoint_text());
        facts = facts.with(t.network_endpoint(), Markup::joined([address, what], " "));
    }
    let Some(health) = view.health.get(&one.authority) else { return facts };
    let time = health.last_answer.map_or_else(|| soft(&t.network_never()), |at| t.moment(moment(at)));
    facts = facts.with(t.network_contact(), time);
    if let Some(behind) = behind_tag(t, health) {
        facts = facts.with(t.network_behind(), behind);
    }
    match &health.fault {
        Some(code) => facts.with(t.network_fault(), tag(Tone::Wait, &fault(t, code))),
        None => facts,
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

impl Lists for LogPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.kinds, &self.witnesses, &self.holders]
    }
}

/// Builds the page of a log.
///
/// # Errors
/// A list is asked for in an order that it does not have.
pub fn log_page(page: Page, names: &Names<'_>, view: &LogView) -> Result<LogPage, Problem> {
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
    Ok(LogPage {
        facts,
        kinds: kinds_table(&page, &view.kinds)?,
        witnesses: witnesses_table(&page, names, view)?,
        holders: holders_table(&page, names, view)?,
        page,
    })
}

fn kinds_table(page: &Page, kinds: &[(String, i64)]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns =
        vec![Column::new("kind", t.network_kind()), Column::new("records", t.network_records()).numeric()];
    let rows = kinds
        .iter()
        .map(|(kind, count)| {
            let href = page.asked.href_with("/records", &[("kind", kind)]);
            let name = kind_name(t, kind);
            let key = Key::text(&name).written(kind);
            Row::new(vec![Cell::link(&href, &name).keyed(key), Cell::number(t, *count)])
        })
        .collect();
    Table::list(&page.asked, "kinds", t.network_what_it_holds(), columns, rows)
        .map(|table| table.when_empty(t.network_kinds_none()))
}

fn witnesses_table(page: &Page, names: &Names<'_>, view: &LogView) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("witness", t.network_witness()),
        Column::new("first", t.network_witness_since()),
        Column::new("latest", t.network_witness_latest()),
        Column::new("covers", t.network_covers()).numeric(),
        Column::file_only("key"),
    ];
    let rows = view
        .witnesses
        .iter()
        .map(|one| {
            let mut cells = party_cells(page, names, one, view.log.size);
            cells.push(Cell::text(&one.key));
            Row::new(cells)
        })
        .collect();
    Table::list(&page.asked, "witnesses", t.network_witnessed_by(), columns, rows)
        .map(|table| table.when_empty(t.network_no_witness()))
}

fn holders_table(page: &Page, names: &Names<'_>, view: &LogView) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("holder", t.network_holder()),
        Column::new("first", t.network_holds_since()),
        Column::new("latest", t.network_latest_receipt()),
        Column::new("covers", t.network_covers()).numeric(),
    ];
    let row = |one: &Party| Row::new(party_cells(page, names, one, view.log.size));
    let rows = view.holders.iter().map(row).collect();
    Table::list(&page.asked, "holders", t.network_held_by(), columns, rows)
        .map(|table| table.when_empty(t.network_no_holder()))
}
