//! `/network/mechanisms/{id}`: one standing group with its charter in force, what may follow it, and what went before.
//!
//! Charters are sealed to their parties: this page belongs to the inside face alone.

use super::query::Log;
use super::tables::{grouped, logs_table, parties};
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::author_cell;
use crate::layout::component::{Facts, Tone, alarm_panel, hash_link, status_tag, tag};
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use ::record::Status;
use ::record::charter::{Candidate, Charter, Mechanism, MechanismAlarm, NotCounted};
use askama::Template;
use std::collections::BTreeMap;

/// The page.
#[derive(Template)]
#[template(path = "desks/network/templates/mechanism.html")]
pub struct MechanismPage {
    page: Page,
    alarms: Option<Markup>,
    facts: Facts,
    members: Table,
    candidates: Option<Table>,
    history: Table,
    logs: Table,
}

impl Lists for MechanismPage {
    fn lists(&self) -> Vec<&Table> {
        [&self.members, &self.history, &self.logs].into_iter().chain(&self.candidates).collect()
    }
}

/// Builds the page; `logs` are those whose readers are the mechanism's.
///
/// # Errors
/// A list is asked for in an order that it does not have.
pub fn mechanism_page(
    page: Page,
    names: &Names<'_>,
    status: Status,
    mechanism: &Mechanism,
    logs: &[Log],
    shown: &BTreeMap<String, u64>,
) -> Result<MechanismPage, Problem> {
    let candidates = if mechanism.candidates.is_empty() {
        None
    } else {
        Some(candidates_table(&page, names, &mechanism.candidates)?)
    };
    Ok(MechanismPage {
        alarms: alarms(&page, names, mechanism),
        facts: facts(&page, status, mechanism),
        members: members_table(&page, names, mechanism)?,
        candidates,
        history: history_table(&page, names, mechanism)?,
        logs: logs_table(&page, names, logs, shown, false)?,
        page,
    })
}

fn facts(page: &Page, status: Status, mechanism: &Mechanism) -> Facts {
    let t = &page.t;
    let id = Markup::element("code", &[], mechanism.id.as_str());
    let mark = status_tag(t, status.as_str());
    let facts =
        Facts::default().with(t.network_mechanism(), Markup::joined([id].into_iter().chain(mark), " "));
    match (mechanism.charter(), mechanism.in_force()) {
        (Some(charter), Some(name)) => {
            let name = name.to_hex();
            let threshold =
                t.network_threshold_of(t.number(charter.threshold), t.number(charter.members.len()));
            facts
                .with(t.network_standing(), tag(Tone::Sure, &t.network_in_force()))
                .with(t.network_charter(), hash_link(&page.href(format!("/record/{name}")), &name))
                .with(t.network_threshold(), Markup::text(threshold))
        }
        _ => facts.with(t.network_standing(), tag(Tone::Wait, &t.network_not_in_force())),
    }
}

/// Members and observers of the charter in force, or of the only one that is proposed.
fn members_table(page: &Page, names: &Names<'_>, mechanism: &Mechanism) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("authority", t.network_authority()),
        Column::new("role", t.network_role()),
        Column::new("fingerprint", t.network_fingerprint()),
    ];
    let proposed = mechanism.candidates.first().map(|candidate| candidate.charter.as_ref());
    let charter: Option<&Charter> = mechanism.charter().or(proposed);
    let mut rows = Vec::new();
    for (party, role, code) in charter.into_iter().flat_map(|charter| {
        let members = charter.members.iter().map(|party| (party, t.network_member(), "member"));
        members.chain(charter.observers.iter().map(|party| (party, t.network_observer(), "observer")))
    }) {
        let fingerprint = party.1.to_string();
        let left = mechanism.left.contains(party);
        let role = if left { tag(Tone::Wait, &t.network_has_left()) } else { tag(Tone::Plain, &role) };
        let code = if left { "left" } else { code };
        let shown = Markup::element("code", &[("class", "fingerprint")], &grouped(&fingerprint));
        rows.push(Row::new(vec![
            author_cell(page, names, party.0.as_str()),
            Cell::from(role).keyed(Key::text(code)),
            Cell::from(shown).keyed(Key::text(fingerprint)),
        ]));
    }
    Table::list(&page.asked, "members", t.network_parties(), columns, rows)
}

fn candidates_table(page: &Page, names: &Names<'_>, candidates: &[Candidate]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("charter", t.network_charter()),
        Column::new("by", t.network_released_by()),
        Column::new("members", t.network_members()),
        Column::new("accepted", t.network_accepted_by()),
        Column::new("awaited", t.network_awaited()),
    ];
    let rows = candidates
        .iter()
        .map(|one| {
            Row::new(vec![
                charter_cell(page, &one.name.to_hex()),
                author_cell(page, names, one.by.0.as_str()),
                parties(page, names, &one.charter.members),
                parties(page, names, &one.accepted),
                parties(page, names, &one.awaited),
            ])
        })
        .collect();
    Table::list(&page.asked, "candidates", t.network_candidates(), columns, rows)
}

fn charter_cell(page: &Page, name: &str) -> Cell {
    Cell::from(hash_link(&page.href(format!("/record/{name}")), name)).keyed(Key::text(name))
}

/// The charters that came into force, the newest first.
fn history_table(page: &Page, names: &Names<'_>, mechanism: &Mechanism) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("charter", t.network_charter()),
        Column::new("by", t.network_released_by()),
        Column::new("members", t.network_members()),
        Column::new("observers", t.network_observers()),
    ];
    let rows = mechanism
        .history
        .iter()
        .rev()
        .map(|(name, by, charter)| {
            Row::new(vec![
                charter_cell(page, &name.to_hex()),
                author_cell(page, names, by.0.as_str()),
                parties(page, names, &charter.members),
                parties(page, names, &charter.observers),
            ])
        })
        .collect();
    Table::list(&page.asked, "history", t.network_history(), columns, rows)
        .map(|table| table.when_empty(t.network_history_none()))
}

fn alarms(page: &Page, names: &Names<'_>, mechanism: &Mechanism) -> Option<Markup> {
    let t = &page.t;
    let said: Vec<Markup> = mechanism
        .alarms
        .iter()
        .map(|alarm| {
            Markup::text(match alarm {
                MechanismAlarm::TwoAccepted { member, .. } => {
                    t.network_two_accepted(names.author(member.0.as_str()))
                }
                MechanismAlarm::NotCounted { by, reason: NotCounted::NotAMember, .. } => {
                    t.network_not_counted_member(names.author(by.0.as_str()))
                }
                MechanismAlarm::NotCounted { by, reason: NotCounted::OtherMechanism, .. } => {
                    t.network_not_counted_other(names.author(by.0.as_str()))
                }
            })
        })
        .collect();
    (!said.is_empty()).then(|| alarm_panel(&t.network_alarms(), &said))
}
