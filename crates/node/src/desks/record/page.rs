//! `/record/{name}`: one record with everything that proves it.

use super::query::{Blob, Entry, Reference, Seen, Stands};
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::{author_cell, moment};
use crate::fault::Fault;
use crate::i18n::Locale;
use crate::index::EVERYBODY;
use crate::layout::component::{
    Facts, SLOT, Standing, Tone, alarm_panel, empty, hash, hash_link, linked, seal, sentence, slashed,
    status_tag, tag,
};
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;

/// That a record is in its log, as computed from the tiles on this disk.
#[derive(Clone, Debug)]
pub struct Inclusion {
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// Its tree's root, hex.
    pub root: String,
    /// The hashes from the leaf to the root, hex.
    pub path: Vec<String>,
}

/// What became of a record's figures at the situation desk.
#[derive(Clone, Debug, Default)]
pub struct FiguresTaken {
    /// Figures that were read.
    pub read: i64,
    /// Rows that could not be.
    pub refused: i64,
    /// Why none were.
    pub fault: Option<String>,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub struct View {
    /// The entry, and others that hold the same record.
    pub entries: Vec<Entry>,
    /// What it names.
    pub blobs: Vec<Blob>,
    /// Times its author claims.
    pub about: Vec<(String, String)>,
    /// What it says of others.
    pub refers_to: Vec<Reference>,
    /// What others say of it.
    pub referred_by: Vec<Reference>,
    /// Witnesses.
    pub witnesses: Vec<Seen>,
    /// Readers that hold it.
    pub holders: Vec<Seen>,
    /// Its place in the tree, if the tiles are here.
    pub inclusion: Option<Inclusion>,
    /// The signed bytes, if the entry is here.
    pub raw: Option<String>,
    /// The inner header of a sealed record that this node opened.
    pub inner: Option<String>,
    /// Why the entry counts for nothing.
    pub refusal: Option<Fault>,
    /// After when it was signed, as its anchors prove.
    pub signed_after: Option<i64>,
    /// What the situation desk read from it.
    pub figures: Option<FiguresTaken>,
}

/// The page.
#[derive(Template)]
#[template(path = "desks/record/templates/record.html")]
pub struct RecordPage {
    page: Page,
    tags: Vec<Markup>,
    standing: Markup,
    warnings: Option<Markup>,
    evidence: Option<String>,
    says: Facts,
    when: Facts,
    about: Option<Facts>,
    content: Option<Table>,
    erased: bool,
    figures: Vec<String>,
    inclusion: Option<(String, Markup, Facts, Vec<String>)>,
    witnesses: Table,
    holders: Table,
    references: Option<Table>,
    raw: Option<String>,
    inner: Option<String>,
    is_public: bool,
}

impl Lists for RecordPage {
    fn lists(&self) -> Vec<&Table> {
        let always = [&self.witnesses, &self.holders];
        always.into_iter().chain(&self.content).chain(&self.references).collect()
    }
}

/// The name of a kind in the reader's language; an unlisted kind shows its own.
pub fn kind_name(t: &Locale, kind: &str) -> String {
    t.lookup(&format!("kind-{}", kind.replace('.', "-")), &[]).unwrap_or_else(|| kind.to_owned())
}

/// What one record says of another.
pub fn relation_name(t: &Locale, relation: &str) -> String {
    t.lookup(&format!("relation-{relation}"), &[]).unwrap_or_else(|| relation.to_owned())
}

/// Status, seal, withdrawal: the tags beside a record; whether it is `sealed` is known of all its places, or of one.
pub fn tags(t: &Locale, entry: &Entry, sealed: bool) -> Vec<Markup> {
    let mut tags: Vec<Markup> = status_tag(t, &entry.status).into_iter().collect();
    if sealed {
        tags.push(tag(Tone::Plain, &t.seal_sealed()));
    }
    if entry.is_erased() {
        tags.push(tag(Tone::Wait, &if has_expired(entry) { t.seal_expired() } else { t.seal_erased() }));
    }
    match &entry.stands {
        Stands::Withdrawn(_) => tags.push(tag(Tone::Wait, &t.seal_withdrawn())),
        Stands::Conflicting => tags.push(tag(Tone::Alarm, &t.seal_conflicting())),
        Stands::Disowned(_) => tags.push(tag(Tone::Alarm, &t.seal_disowned())),
        Stands::Crowded => tags.push(tag(Tone::Alarm, &t.seal_crowded())),
        Stands::Speaks | Stands::Superseded(_) => {}
    }
    tags
}

/// Whether its day has come. What is erased before was erased by hand.
fn has_expired(entry: &Entry) -> bool {
    entry.expires.is_some_and(|at| at <= crate::clock::seconds())
}

/// Builds the page; `view.entries` has at least one entry.
///
/// # Errors
/// A list is asked for in an order that it does not have.
pub fn record_page(page: Page, names: &Names<'_>, view: &View, entry: &Entry) -> Result<RecordPage, Problem> {
    let t = &page.t;
    let standing = match entry.proven {
        Some(at) => Standing::Proven { at: moment(at), witnesses: view.witnesses.len() },
        None => Standing::Claimed { at: moment(entry.released) },
    };
    let evidence = view.inclusion.as_ref().map(|_| page.href(format!("/record/{}/evidence", entry.name)));
    let content =
        if view.blobs.is_empty() || entry.is_erased() { None } else { Some(content(&page, view, entry)?) };
    Ok(RecordPage {
        tags: tags(t, entry, entry.sealed && view.entries.iter().all(|place| place.readers != EVERYBODY)),
        standing: seal(t, standing),
        warnings: warnings(&page, view, entry),
        evidence,
        says: says(&page, names, view, entry),
        when: when(&page, view, entry),
        about: about(t, view),
        content,
        erased: entry.is_erased(),
        figures: figures(t, view),
        inclusion: view.inclusion.as_ref().map(|proof| inclusion(&page, proof, entry)),
        witnesses: witnesses(&page, names, &view.witnesses)?,
        holders: holders(&page, names, &view.holders)?,
        references: references(&page, names, view, entry)?,
        raw: view.raw.clone(),
        inner: view.inner.clone(),
        is_public: view.entries.iter().any(|place| place.readers == EVERYBODY),
        page,
    })
}

/// The times that the author claims, each under its label; a label that is not listed is shown as it is written.
fn about(t: &Locale, view: &View) -> Option<Facts> {
    if view.about.is_empty() {
        return None;
    }
    let facts = view.about.iter().fold(Facts::default(), |facts, (label, at)| {
        let name = t.lookup(&format!("record-about-{label}"), &[]).unwrap_or_else(|| label.clone());
        let time = match (at.parse::<jiff::civil::Date>(), at.parse::<jiff::Timestamp>()) {
            // A moment has a date in it, and so is tried first.
            (_, Ok(moment)) => t.moment(moment),
            (Ok(date), _) => t.date_short(date),
            _ => Markup::element("bdi", &[], at),
        };
        facts.with(name, time)
    });
    Some(facts)
}

/// Since when the author does not stand by it; of what never counted only that.
fn disowned(t: &Locale, since: i64) -> Markup {
    let known = jiff::Timestamp::from_second(since).ok().filter(|_| since > 0);
    let since = known.map_or_else(|| Markup::text("–"), |since| t.moment(since));
    Markup::joined([Markup::text(t.record_disowned()), since], " ")
}

fn warnings(page: &Page, view: &View, entry: &Entry) -> Option<Markup> {
    let t = &page.t;
    let link = |name: &str| hash_link(&page.href(format!("/record/{name}")), name);
    let behind = |text: String, name: &str| Markup::joined([Markup::text(text), link(name)], " ");
    let mut found = Vec::new();
    if !entry.valid {
        let why = view.refusal.as_ref().map(|fault| fault.said_in(t));
        found.push(Markup::text(t.record_invalid_text(why.as_deref().unwrap_or("–"))));
    }
    if entry.is_erased() {
        let expired = has_expired(entry);
        found.push(Markup::text(if expired { t.record_expired_text() } else { t.record_erased_text() }));
    }
    if entry.critical {
        found.push(Markup::text(t.record_unknown_line()));
    }
    let alarm = match &entry.stands {
        _ if !entry.valid => Some(t.record_invalid()),
        Stands::Conflicting => Some(t.seal_conflicting()),
        Stands::Disowned(_) => Some(t.seal_disowned()),
        Stands::Crowded => Some(t.seal_crowded()),
        Stands::Speaks | Stands::Superseded(_) | Stands::Withdrawn(_) => None,
    };
    found.extend(match &entry.stands {
        Stands::Speaks => None,
        Stands::Withdrawn(by) => Some(behind(t.record_withdrawn(), by)),
        Stands::Superseded(by) => Some(behind(t.record_superseded(), by)),
        Stands::Conflicting => Some(Markup::text(t.record_conflicting())),
        Stands::Disowned(since) => Some(disowned(t, *since)),
        Stands::Crowded => Some(Markup::text(t.record_crowded())),
    });
    if found.is_empty() {
        return None;
    }
    if let Some(alarm) = alarm {
        return Some(alarm_panel(&alarm, &found));
    }
    Some(Markup::of(&Notes { found }))
}

#[derive(Template)]
#[template(ext = "html", source = r#"{% for note in found %}<p class="notice">{{ note }}</p>{% endfor %}"#)]
struct Notes {
    found: Vec<Markup>,
}

fn says(page: &Page, names: &Names<'_>, view: &View, entry: &Entry) -> Facts {
    let t = &page.t;
    let author = Markup::link(&page.href(format!("/network/{}", entry.author)), names.author(&entry.author));
    let dns = Markup::element("bdi", &[("class", "soft")], &entry.author);
    let mut facts = Facts::default()
        .with(t.record_kind(), Markup::text(kind_name(t, &entry.kind)))
        .with(t.record_author(), Markup::joined([author, dns], " "))
        .with(t.record_name(), hash(t, &entry.name));
    for held in &view.entries {
        let log = slashed(&held.origin);
        let place = Markup::element("span", &[("class", "soft")], &t.record_place_in_log(held.pos));
        let readers = if held.readers == EVERYBODY { t.record_public() } else { t.record_restricted() };
        facts = facts.with(t.record_log(), Markup::joined([log, place, tag(Tone::Plain, &readers)], " "));
    }
    let edition = Markup::text(t.number(entry.edition));
    facts =
        facts.with(t.record_id(), Markup::element("code", &[], &entry.id)).with(t.record_edition(), edition);
    if let Some(mechanism) = &entry.mechanism {
        let name = slashed(mechanism);
        // Charters are sealed: who could open what was sealed to a mechanism knows its charter.
        let name = if page.inside() && entry.sealed {
            linked(&page.href(format!("/network/mechanisms/{mechanism}")), &name)
        } else {
            name
        };
        facts = facts.with(t.record_mechanism(), name);
    }
    if let Some(signer) = &entry.signer {
        let key = slashed(signer);
        let listed = entry.root_version.map(|version| Markup::text(t.record_root_version(version)));
        facts = facts.with(t.record_signed_by(), Markup::joined([key].into_iter().chain(listed), " "));
    }
    facts.with(t.record_size(), Markup::text(t.record_bytes(t.number(entry.bytes))))
}

fn when(page: &Page, view: &View, entry: &Entry) -> Facts {
    let t = &page.t;
    let soft = |text: String| Markup::element("span", &[("class", "soft")], &text);
    let time =
        |second: Option<i64>, none: String| second.map_or_else(|| soft(none), |at| t.moment(moment(at)));
    let mut facts = Facts::default();
    if let Some(after) = view.signed_after {
        facts = facts.with(t.record_signed_after(), t.moment(moment(after)));
    }
    facts = facts
        .with(t.record_released(), t.moment(moment(entry.released)))
        .with(t.record_proven(), time(entry.proven, t.record_not_proven()))
        .with(t.record_here(), time(entry.here, t.record_not_known()));
    match entry.expires {
        Some(at) => facts.with(t.record_expires(), t.moment(moment(at))),
        None => facts,
    }
}

fn content(page: &Page, view: &View, entry: &Entry) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("type", t.record_media_type()),
        Column::new("language", t.record_language()),
        Column::new("size", t.record_size()).numeric(),
        Column::new("hash", t.record_hash()),
        Column::new("download", ""),
    ];
    let rows = view
        .blobs
        .iter()
        .map(|blob| {
            let href = page.href(format!("/record/{}/blob/{}", entry.name, blob.sha256));
            Row::new(vec![
                Markup::element("code", &[], &blob.media_type).into(),
                blob.lang.as_deref().map_or_else(Cell::unknown, Cell::text),
                Cell::text(t.record_bytes(t.number(blob.size))).keyed(Key::whole(blob.size)),
                Cell::from(hash(t, &blob.sha256)).keyed(Key::text(&blob.sha256)),
                Cell::link(&href, &t.record_download()),
            ])
        })
        .collect();
    Table::list(&page.asked, "content", t.record_content(), columns, rows)
}

fn figures(t: &Locale, view: &View) -> Vec<String> {
    let Some(taken) = &view.figures else { return Vec::new() };
    let mut said = Vec::new();
    match &taken.fault {
        Some(code) => said.push(t.record_figures_fault(Problem::new(code.as_str()).text(t))),
        None => said.push(t.record_figures_in(t.number(taken.read))),
    }
    if taken.refused > 0 {
        said.push(t.record_figures_refused(t.number(taken.refused)));
    }
    said
}

fn inclusion(page: &Page, proof: &Inclusion, entry: &Entry) -> (String, Markup, Facts, Vec<String>) {
    let t = &page.t;
    let facts = Facts::default()
        .with(t.record_tree_root(), Markup::element("code", &[], &proof.root))
        .with(t.record_leaf(), hash(t, &entry.leaf));
    let checkpoint = t.record_checkpoint(t.number(proof.size));
    (checkpoint, Markup::text(t.record_path(proof.path.len())), facts, proof.path.clone())
}

fn witnesses(page: &Page, names: &Names<'_>, seen: &[Seen]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("witness", t.record_witness()),
        Column::new("time", t.record_seen_at()),
        Column::new("key", t.record_signed_by()),
    ];
    let rows = seen
        .iter()
        .map(|one| {
            Row::new(vec![
                author_cell(page, names, &one.authority),
                Cell::moment(t, one.time),
                slashed(&one.key).into(),
            ])
        })
        .collect();
    Table::list(&page.asked, "witnesses", t.record_witnesses(), columns, rows)
        .map(|table| table.when_empty(t.record_no_witness()))
}

fn holders(page: &Page, names: &Names<'_>, seen: &[Seen]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![Column::new("holder", t.record_holder()), Column::new("time", t.record_holds_since())];
    let rows = seen
        .iter()
        .map(|one| Row::new(vec![author_cell(page, names, &one.authority), Cell::moment(t, one.time)]))
        .collect();
    Table::list(&page.asked, "holders", t.record_holders(), columns, rows)
        .map(|table| table.when_empty(t.record_no_holder()))
}

fn references(page: &Page, names: &Names<'_>, view: &View, entry: &Entry) -> Result<Option<Table>, Problem> {
    if view.refers_to.is_empty() && view.referred_by.is_empty() {
        return Ok(None);
    }
    let t = &page.t;
    let columns = vec![
        Column::new("from", t.record_record_from()),
        Column::new("relation", t.record_relation()),
        Column::new("to", t.record_record_to()),
    ];
    let this = || {
        let text = Markup::element("span", &[("class", "soft")], &t.record_this_record());
        Cell::from(text).keyed(Key::text(&entry.name))
    };
    let relation = |one: &Reference| {
        let name = relation_name(t, &one.relation);
        Cell::text(&name).keyed(Key::text(&name).written(&one.relation))
    };
    let mut rows = Vec::new();
    for one in &view.refers_to {
        rows.push(Row::new(vec![this(), relation(one), other(page, names, one)]));
    }
    for one in &view.referred_by {
        debug_assert_ne!(one.name, entry.name, "no record can know its own name");
        rows.push(Row::new(vec![other(page, names, one), relation(one), this()]));
    }
    Table::list(&page.asked, "references", t.record_references(), columns, rows).map(Some)
}

fn other(page: &Page, names: &Names<'_>, one: &Reference) -> Cell {
    let t = &page.t;
    let Some((kind, released)) = &one.other else {
        let code = hash(t, &one.name);
        let unknown = Markup::element("span", &[("class", "soft")], &t.record_not_here());
        let said =
            Markup::joined([code, Markup::element("bdi", &[], names.author(&one.author)), unknown], " ");
        return Cell::from(said).keyed(Key::text(&one.name));
    };
    let link = Markup::link(
        &page.href(format!("/record/{}", one.name)),
        &t.record_of(kind_name(t, kind), names.author(&one.author)),
    );
    let time = sentence(SLOT, &t.moment(moment(*released)));
    Cell::from(Markup::joined([link, time], " · ")).keyed(Key::whole(*released).written(&one.name))
}

/// The page of a record that was not known as of the moment asked for.
#[derive(Template)]
#[template(path = "desks/record/templates/unknown.html")]
pub struct UnknownPage {
    page: Page,
    nothing: Markup,
}

/// Builds the page that says that the record was not known, and leads back.
pub fn unknown_page(page: Page) -> UnknownPage {
    let t = &page.t;
    let now = Markup::element("a", &[("class", "button"), ("href", &page.now_href())], &t.shell_note_now());
    let nothing = empty(&t.record_unknown_title(), &t.record_unknown_then(), Some(now));
    UnknownPage { page, nothing }
}
