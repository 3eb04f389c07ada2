//! The lists of the network desk: authorities, logs, who holds them, mechanisms, alarms.

use super::page::{Health, View};
use super::query::{Authority, Holding, Log, Party};
use crate::alarm::Alarm;
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::{author_cell, moment};
use crate::i18n::{Locale, MESSAGES, Value};
use crate::index::EVERYBODY;
use crate::layout::component::{Tone, hash_link, linked, slashed, status_tag, tag};
use crate::layout::{Cell, Column, Key, Markup, Page, Problem, Row, Table};
use ::record::charter::{Charter, Mechanisms, Party as CharterParty};
use askama::Template;
use std::collections::BTreeMap;

/// A fingerprint in groups of four, as it is read aloud.
pub fn grouped(fingerprint: &str) -> String {
    let characters: Vec<char> = fingerprint.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// How far an authority is trusted.
pub fn standing(t: &Locale, standing: &str) -> Markup {
    match standing {
        "self" => tag(Tone::Plain, &t.network_self()),
        "confirmed" => tag(Tone::Sure, &t.network_confirmed()),
        "removed" => tag(Tone::Plain, &t.network_removed()),
        _ => tag(Tone::Wait, &t.network_proposed()),
    }
}

/// That what it says is on no page of this node, if an operator decided so.
pub fn left_out(t: &Locale, one: &Authority) -> Option<Markup> {
    one.left_out.then(|| tag(Tone::Wait, &t.network_left_out()))
}

pub(super) fn soft(text: &str) -> Markup {
    Markup::element("span", &[("class", "soft")], text)
}

/// What an authority is to us; a word that is not listed is shown as its operator wrote it.
pub fn role(t: &Locale, role: &str) -> String {
    t.lookup(&format!("network-role-{role}"), &[]).unwrap_or_else(|| role.to_owned())
}

/// Why a peer did not answer as it should. Faults of one family share a sentence that ends with the code.
pub fn fault(t: &Locale, code: &str) -> String {
    let family = code.split('-').next().unwrap_or(code);
    let given = [("code", Value::Text(code.to_owned()))];
    [code, family]
        .iter()
        .find_map(|name| t.lookup(&format!("network-fault-{name}"), &given))
        .unwrap_or_else(|| code.to_owned())
}

/// Authorities with their fingerprints; inside also how the exchange with them goes.
pub fn authorities_table(page: &Page, names: &Names<'_>, view: &View) -> Result<Table, Problem> {
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
    columns.extend(["name", "code", "role", "endpoint", "root_version"].map(Column::file_only));
    let mut rows: Vec<(&Authority, Row)> = view
        .authorities
        .iter()
        .map(|one| (one, Row::new(authority_cells(page, names, view, one, inside))))
        .collect();
    // This node first, the others by the names that the reader sees.
    rows.sort_by_key(|(one, _)| (one.standing != "self", names.author(&one.authority).to_lowercase()));
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    Table::list(&page.asked, "authorities", t.network_authorities(), columns, rows)
        .map(|table| table.when_empty(t.network_empty_text()))
}

fn authority_cells(page: &Page, names: &Names<'_>, view: &View, one: &Authority, inside: bool) -> Vec<Cell> {
    let t = &page.t;
    let code = one.code.as_deref().unwrap_or_default();
    let href = page.href(format!("/network/{}", one.authority));
    let name = names.author(&one.authority);
    let who = Markup::of(&Who { href, name, code, dns: &one.authority });
    let fingerprint = Markup::element("code", &[("class", "fingerprint")], &grouped(&one.fingerprint));
    let mut cells = vec![
        Cell::from(who).keyed(Key::text(name).written(&one.authority)),
        Cell::from(Markup::joined([standing(t, &one.standing)].into_iter().chain(left_out(t, one)), " "))
            .keyed(Key::text(&one.standing)),
        Cell::from(fingerprint).keyed(Key::text(&one.fingerprint)),
        Cell::from(root(page, one, view.now)).keyed(Key::moment(one.root_until)),
    ];
    if inside {
        let health = view.health.get(&one.authority);
        cells.extend([contact(page, one, health), behind(page, health)]);
    }
    cells.extend([
        Cell::text(name),
        Cell::text(code),
        Cell::text(one.role.as_deref().unwrap_or_default()),
        Cell::text(&one.endpoint),
        Cell::number(t, one.root_version),
    ]);
    cells
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

/// The version of an authority's newest root, and until when it is meant to hold.
pub fn root(page: &Page, one: &Authority, now: i64) -> Markup {
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
    let failed =
        health.and_then(|health| health.fault.as_deref()).map(|code| tag(Tone::Wait, &fault(t, code)));
    let key = last.map_or_else(Key::nothing, Key::moment);
    Cell::from(Markup::joined([time].into_iter().chain(failed), " ")).keyed(key)
}

fn behind(page: &Page, health: Option<&Health>) -> Cell {
    let Some(health) = health else { return Cell::unknown() };
    let key = Key::whole(i64::try_from(health.behind).unwrap_or(i64::MAX));
    behind_tag(&page.t, health).map_or_else(Cell::unknown, |tag| Cell::from(tag).keyed(key))
}

/// How much of what an authority showed is not here yet; nothing if it never answered.
pub fn behind_tag(t: &Locale, health: &Health) -> Option<Markup> {
    match health {
        Health { behind: 0, last_answer: Some(_), .. } => Some(tag(Tone::Sure, &t.network_in_step())),
        Health { behind: 0, .. } => None,
        Health { behind, .. } => Some(tag(Tone::Wait, &t.network_behind_entries(*behind))),
    }
}

/// Logs: what they are, how far they go, who has seen and who holds them. `of_one` leaves out the author.
pub fn logs_table(
    page: &Page,
    names: &Names<'_>,
    logs: &[Log],
    shown: &BTreeMap<String, u64>,
    of_one: bool,
) -> Result<Table, Problem> {
    let t = &page.t;
    let mut columns = vec![Column::new("log", t.network_log())];
    columns.extend((!of_one).then(|| Column::new("authority", t.network_authority())));
    columns.extend([
        Column::new("readers", t.network_readers()),
        Column::new("entries", t.network_entries()).numeric(),
        Column::new("seen", t.network_proven_up_to()).numeric(),
        Column::new("witnesses", t.network_witnesses()).numeric(),
        Column::new("holders", t.network_holders()).numeric(),
        Column::new("newest", t.network_newest()),
        Column::new("state", t.network_standing()),
        Column::file_only("root"),
        Column::file_only("closed"),
    ]);
    let rows = logs
        .iter()
        .map(|log| {
            let mut cells = vec![log_link(page, &log.origin)];
            cells.extend((!of_one).then(|| author_cell(page, names, &log.authority)));
            cells.extend([
                Cell::from(reader_codes(page, names, &log.readers)).keyed(Key::text(&log.readers)),
                Cell::number(t, log.size),
                log.seen.map_or_else(Cell::unknown, |seen| Cell::number(t, seen)),
                Cell::number(t, log.witnesses),
                // Receipts go to a log's author: of a copy this node knows none but those that were shown to it.
                if log.own || log.holders > 0 { Cell::number(t, log.holders) } else { Cell::unknown() },
                log.newest.map_or_else(Cell::unknown, |at| Cell::moment(t, at)),
                state(page, log, shown).into(),
                Cell::text(&log.root),
                Cell::text(log.closed.to_string()),
            ]);
            Row::new(cells)
        })
        .collect();
    Table::list(&page.asked, "logs", t.network_logs(), columns, rows)
        .map(|table| table.when_empty(t.network_no_logs()))
}

/// A log with a link to its page.
fn log_link(page: &Page, origin: &str) -> Cell {
    let href = page.href(format!("/network/logs/{origin}"));
    Cell::from(linked(&href, &slashed(origin))).keyed(Key::text(origin))
}

/// Who may read a log.
pub fn readers(page: &Page, names: &Names<'_>, readers: &str) -> Markup {
    if readers == EVERYBODY {
        return Markup::text(page.t.network_everyone());
    }
    let each = readers.split(' ').map(|one| Markup::element("bdi", &[], names.author(one)));
    Markup::joined(each, page.t.comma())
}

/// Who may read a log, by codes where there are some: in a table of logs full names fill the window.
fn reader_codes(page: &Page, names: &Names<'_>, readers: &str) -> Markup {
    if readers == EVERYBODY {
        return Markup::text(page.t.network_everyone());
    }
    let each = readers.split(' ').map(|one| match names.code(one) {
        Some(code) => Markup::element("abbr", &[("title", names.author(one))], code),
        None => Markup::element("bdi", &[], names.author(one)),
    });
    Markup::joined(each, page.t.comma())
}

/// Own or copied, open or closed, and how far behind.
pub fn state(page: &Page, log: &Log, shown: &BTreeMap<String, u64>) -> Markup {
    let t = &page.t;
    let kept = if log.own { t.network_own() } else { t.network_mirror() };
    let open = if log.closed { t.network_closed() } else { t.network_open() };
    let here = u64::try_from(log.size).unwrap_or(0);
    let behind = shown.get(&log.origin).map_or(0, |shown| shown.saturating_sub(here));
    let late = (behind > 0).then(|| tag(Tone::Wait, &t.network_behind_entries(behind)));
    Markup::joined([tag(Tone::Plain, &kept), tag(Tone::Plain, &open)].into_iter().chain(late), " ")
}

/// Who holds which log since when.
pub fn holdings_table(page: &Page, names: &Names<'_>, holdings: &[Holding]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("holder", t.network_holder()),
        Column::new("log", t.network_log()),
        Column::new("first", t.network_holds_since()),
        Column::new("latest", t.network_latest_receipt()),
        Column::new("covers", t.network_covers()).numeric(),
    ];
    let rows = holdings
        .iter()
        .map(|one| {
            let mut cells = party_cells(page, names, &one.party, one.total);
            cells.insert(1, log_link(page, &one.origin));
            Row::new(cells)
        })
        .collect();
    Table::list(&page.asked, "held", t.network_who_holds(), columns, rows)
        .map(|table| table.when_empty(t.network_no_holder()))
}

/// Who, the first time, the latest, and how many of all entries.
pub fn party_cells(page: &Page, names: &Names<'_>, one: &Party, total: i64) -> Vec<Cell> {
    let t = &page.t;
    let covers = t.network_of_entries(t.number(one.size), t.number(total));
    vec![
        author_cell(page, names, &one.authority),
        Cell::moment(t, one.first),
        Cell::moment(t, one.latest),
        Cell::text(covers).keyed(Key::whole(one.size)),
    ]
}

/// Mechanisms with their charters; `of` narrows them to those of one authority.
pub fn mechanisms_table(
    page: &Page,
    names: &Names<'_>,
    mechanisms: &Mechanisms,
    of: Option<&str>,
) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("mechanism", t.network_mechanism()),
        Column::new("state", t.network_standing()),
        Column::new("members", t.network_members()),
        Column::new("observers", t.network_observers()),
        Column::new("charter", t.network_charter()),
    ];
    let concerns = |charter: &Charter| {
        let mut parties = charter.members.iter().chain(&charter.observers);
        of.is_none_or(|of| parties.any(|(party, _)| party.as_str() == of))
    };
    let mut rows = Vec::new();
    for (status, mechanism) in mechanisms.iter() {
        let id = mechanism.id.as_str();
        let mut row = |state: Markup, charter: &Charter, name: &tlog::hash::Hash| {
            let href = page.href(format!("/network/mechanisms/{id}"));
            let link = linked(&href, &slashed(id));
            let mark = status_tag(t, status.as_str());
            let name = name.to_hex();
            rows.push(Row::new(vec![
                Cell::from(Markup::joined([link].into_iter().chain(mark), " ")).keyed(Key::text(id)),
                state.into(),
                parties(page, names, &charter.members),
                parties(page, names, &charter.observers),
                Cell::from(hash_link(&page.href(format!("/record/{name}")), &name)).keyed(Key::text(name)),
            ]));
        };
        if let (Some(charter), Some(name)) = (mechanism.charter(), mechanism.in_force())
            && concerns(charter)
        {
            row(tag(Tone::Sure, &t.network_in_force()), charter, &name);
        }
        for candidate in mechanism.candidates.iter().filter(|candidate| concerns(&candidate.charter)) {
            row(tag(Tone::Wait, &t.network_not_in_force()), &candidate.charter, &candidate.name);
        }
    }
    Table::list(&page.asked, "mechanisms", t.network_mechanisms(), columns, rows)
        .map(|table| table.when_empty(t.network_mechanisms_none()))
}

/// So many parties of a charter are named in a cell: more than any region has states. The file names them all.
const PARTIES_NAMED: usize = 60;

/// Parties of a charter by their names; a dash where there are none.
pub fn parties<'p>(
    page: &Page,
    names: &Names<'_>,
    parties: impl IntoIterator<Item = &'p CharterParty>,
) -> Cell {
    let authorities: Vec<&str> = parties.into_iter().map(|(authority, _)| authority.as_str()).collect();
    if authorities.is_empty() {
        return Cell::unknown();
    }
    let more = authorities.len().saturating_sub(PARTIES_NAMED);
    let more = (more > 0).then(|| Markup::text(page.t.network_parties_more(more)));
    let named = authorities.iter().take(PARTIES_NAMED);
    let each = named.map(|one| Markup::element("bdi", &[], names.author(one)));
    Cell::from(Markup::joined(each.chain(more), page.t.comma())).keyed(Key::text(authorities.join(" ")))
}

/// Every alarm that was raised, with what was said of those that were settled.
pub fn alarms_table(page: &Page, alarms: &[Alarm]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("alarm", t.network_alarm()),
        Column::new("first", t.network_alarm_first()),
        Column::new("last", t.network_alarm_last()),
        Column::new("count", t.network_alarm_count()).numeric(),
        Column::new("settled", t.network_alarm_settled()),
        Column::file_only("code"),
        Column::file_only("arguments"),
    ];
    let rows = alarms
        .iter()
        .map(|alarm| {
            let text = alarm_text(t, alarm);
            let is_open = alarm.settled.is_none();
            let mark = tag(if is_open { Tone::Alarm } else { Tone::Plain }, &t.seal_alarm());
            let said = Markup::joined([mark, Markup::text(&text)], " ");
            let note = alarm.settled.as_ref().map_or("", |settled| &settled.note);
            let arguments: Vec<String> =
                alarm.arguments.iter().map(|(name, text)| format!("{name}={text}")).collect();
            let cells = vec![
                Cell::from(said).keyed(Key::text(text)),
                Cell::moment(t, alarm.first),
                Cell::moment(t, alarm.last),
                Cell::number(t, alarm.count),
                Cell::text(note),
                Cell::text(&alarm.code),
                Cell::text(arguments.join(" ")),
            ];
            if is_open { Row::new(cells).in_alarm() } else { Row::new(cells) }
        })
        .collect();
    Table::list(&page.asked, "alarms", t.network_alarms(), columns, rows)
        .map(|table| table.when_empty(t.network_alarms_none()))
}

/// An alarm in the reader's language. One without a text shows its code and arguments, so that nothing is hidden.
pub fn alarm_text(t: &Locale, alarm: &Alarm) -> String {
    let code = alarm.code.strip_prefix("alarm-").unwrap_or(&alarm.code);
    let key = format!("network-alarm-{code}");
    let wanted = MESSAGES.iter().find(|(known, _)| *known == key).map(|(_, arguments)| *arguments);
    if let Some(wanted) = wanted
        && wanted.iter().all(|name| alarm.arguments.contains_key(*name))
    {
        let behind = alarm.fault();
        let worded = |name: &str, text: &str| {
            Value::Text(match (name, &behind) {
                ("fault", _) => fault(t, text),
                ("why", Some(behind)) => behind.said_in(t),
                _ => text.to_owned(),
            })
        };
        let given: Vec<(&str, Value)> =
            alarm.arguments.iter().map(|(name, text)| (name.as_str(), worded(name, text))).collect();
        if let Some(text) = t.lookup(&key, &given) {
            return text;
        }
    }
    let arguments: Vec<String> =
        alarm.arguments.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    format!("{} ({})", alarm.code, arguments.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::i18n::Lang;
    use jiff::tz::TimeZone;

    #[test]
    fn an_alarm_says_why_in_every_language() {
        let why = Fault::from(::record::seal::OpenError::Commitment);
        let alarm = Alarm::new("seal-refused").with("name", "abcd").because(&why);
        let mut said: Vec<String> = Vec::new();
        for lang in Lang::ALL {
            let t = Locale::new(lang, TimeZone::UTC);
            let text = alarm_text(&t, &alarm);
            assert!(text.contains(&why.said_in(&t)), "{text}");
            said.push(why.said_in(&t));
        }
        said.sort();
        said.dedup();
        assert_eq!(said.len(), Lang::ALL.len(), "no language borrows another's sentence: {said:?}");
    }

    #[test]
    fn an_alarm_names_who_states_more_of_mechanisms_than_is_looked_at_in_every_language() {
        let alarm = Alarm::new("mechanisms-crowded").with("author", "x.example");
        let said = Lang::ALL.map(|lang| alarm_text(&Locale::new(lang, TimeZone::UTC), &alarm));
        assert!(said.iter().all(|text| text.contains("x.example") && !text.contains("mechanisms-crowded")));
        assert_eq!(said.into_iter().collect::<std::collections::BTreeSet<_>>().len(), Lang::ALL.len());
    }

    #[test]
    fn an_alarm_names_the_witnesses_that_a_log_waits_for_in_every_language() {
        let about = [("origin", "x.example/log/public/2026"), ("witnesses", "b.example, c.example")];
        let alarm =
            about.iter().fold(Alarm::new("alarm-no-quorum"), |alarm, (name, text)| alarm.with(name, text));
        let said = Lang::ALL.map(|lang| alarm_text(&Locale::new(lang, TimeZone::UTC), &alarm));
        let says_all = |text: &String| about.iter().all(|(_, about)| text.contains(about));
        assert!(said.iter().all(|text| says_all(text) && !text.contains("alarm-no-quorum")));
        assert_eq!(said.into_iter().collect::<std::collections::BTreeSet<_>>().len(), Lang::ALL.len());
    }

    #[test]
    fn a_fault_of_a_peer_is_said_by_its_own_sentence_or_its_familys() {
        let t = Locale::new(Lang::Fr, TimeZone::UTC);
        assert_eq!(fault(&t, "peer-unreachable"), "injoignable");
        assert!(fault(&t, "heads-order").contains("heads-order"));
        assert_eq!(fault(&t, "unheard-of"), "unheard-of");
    }
}
