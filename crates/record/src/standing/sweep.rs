//! The sweep: from moment to moment over what comes and goes, looking again only at the editions that it touches.

use super::{During, Ending, Entry, Log, Span, State};
use std::collections::{BTreeMap, BTreeSet};
use tlog::Hash;

/// What each record of a thing is, and when: spans in the order of names, then of times. `entries` are those of one
/// (author, id, status) that the reader may read; `endings` the withdrawals that name one of them. The order of
/// either does not matter, nor does an entry given twice.
///
/// - Of several records of one edition one stands: in each line of logs the first by place, of these the one with
///   the earliest outer `released`, then the smaller name.
/// - An edition that the reader does not hold is no error. Who was given it in logs that this reader does not read,
///   only its author knows: that an edition goes to who was given the one before, its author's node sees to.
/// - The newest edition that stands speaks, until the first withdrawal ends the thing for good: then every edition that
///   stands is withdrawn, so that whoever looks at an older one sees it there too.
///
/// # Panics
/// An entry names a log that is not among `logs`: a mistake of the caller.
pub fn stands(logs: &[Log], entries: &[Entry], endings: &[Ending]) -> Vec<Span> {
    let mut sweep = Sweep::new(logs);
    for (moment, happenings) in moments(entries, endings) {
        sweep.advance(moment, &happenings);
    }
    sweep.finish()
}

/// What happens at one moment.
#[derive(Default)]
struct Happenings<'a> {
    come: Vec<&'a Entry>,
    go: Vec<&'a Entry>,
    ends: Vec<&'a Ending>,
    goes_on: Vec<&'a Ending>,
}

fn moments<'a>(entries: &'a [Entry], endings: &'a [Ending]) -> BTreeMap<i64, Happenings<'a>> {
    let mut moments: BTreeMap<i64, Happenings<'a>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.during.is_empty()) {
        moments.entry(entry.during.from).or_default().come.push(entry);
        if let Some(until) = entry.during.until {
            moments.entry(until).or_default().go.push(entry);
        }
    }
    for ending in endings.iter().filter(|ending| !ending.during.is_empty()) {
        moments.entry(ending.during.from).or_default().ends.push(ending);
        if let Some(until) = ending.during.until {
            moments.entry(until).or_default().goes_on.push(ending);
        }
    }
    moments
}

/// The records of one edition that are there at the moment.
#[derive(Default)]
struct Edition {
    /// By log: the entries by place, each with its outer `released`.
    entries: BTreeMap<usize, BTreeSet<(u64, Hash, i64)>>,
    standing: Option<Hash>,
}

impl Edition {
    fn is_there(&self, name: Hash) -> bool {
        self.entries.values().flatten().any(|(_, there, _)| *there == name)
    }

    /// Which record stands: the first of each line, of these the earliest, then the smaller name.
    fn first(&self, logs: &[Log]) -> Option<Hash> {
        let mut of_line: BTreeMap<u32, (u32, i64, Hash)> = BTreeMap::new();
        for (log, there) in &self.entries {
            let Some((_, name, released)) = there.first() else { continue };
            let Log { line, part, .. } = logs[*log];
            let first = of_line.entry(line).or_insert((part, *released, *name));
            if part < first.0 {
                *first = (part, *released, *name);
            }
        }
        of_line.into_values().map(|(_, released, name)| (released, name)).min().map(|(_, name)| name)
    }
}

/// An edition of which a record stands, and that record.
fn standing((number, edition): (&u32, &Edition)) -> Option<(u32, Hash)> {
    edition.standing.map(|name| (*number, name))
}

struct Sweep<'a> {
    logs: &'a [Log],
    editions: BTreeMap<u32, Edition>,
    /// Withdrawals that count at the moment, the first one first; a record at several places counts so often.
    endings: BTreeMap<(i64, Hash), usize>,
    /// What each record is since when.
    now: BTreeMap<Hash, (i64, State)>,
    spans: Vec<Span>,
}

impl<'a> Sweep<'a> {
    fn new(logs: &'a [Log]) -> Self {
        Self {
            logs,
            editions: BTreeMap::new(),
            endings: BTreeMap::new(),
            now: BTreeMap::new(),
            spans: Vec::new(),
        }
    }

    fn advance(&mut self, moment: i64, happenings: &Happenings<'_>) {
        let mut names: BTreeSet<(u32, Hash)> = BTreeSet::new();
        let mut changed: BTreeSet<u32> = BTreeSet::new();
        // One that leaves and one that comes at the same moment may be the same record at two places.
        for entry in &happenings.go {
            let place = (entry.index, entry.name, entry.released);
            let edition = self.editions.entry(entry.edition).or_default();
            edition.entries.entry(entry.log).or_default().remove(&place);
            names.insert((entry.edition, entry.name));
            changed.insert(entry.edition);
        }
        for entry in &happenings.come {
            let place = (entry.index, entry.name, entry.released);
            let edition = self.editions.entry(entry.edition).or_default();
            edition.entries.entry(entry.log).or_default().insert(place);
            names.insert((entry.edition, entry.name));
            changed.insert(entry.edition);
        }
        let ended = self.ending();
        for ending in &happenings.goes_on {
            if let Some(count) = self.endings.get_mut(&(ending.during.from, ending.by)) {
                *count -= 1;
            }
        }
        for ending in &happenings.ends {
            *self.endings.entry((ending.during.from, ending.by)).or_default() += 1;
        }
        self.endings.retain(|_, count| *count > 0);
        for edition in &changed {
            self.decide(*edition, &mut names);
        }
        if self.ending() == ended {
            self.look_at_neighbours(&mut names);
        } else {
            names.extend(self.editions.iter().filter_map(standing));
        }
        for (edition, name) in names {
            let state = self.state(edition, name);
            self.note(moment, name, state);
        }
    }

    /// Which record of an edition stands; adds the names that it changes.
    fn decide(&mut self, number: u32, names: &mut BTreeSet<(u32, Hash)>) {
        let Some(edition) = self.editions.get_mut(&number) else { return };
        let before = edition.standing;
        edition.standing = edition.first(self.logs);
        if before != edition.standing {
            names.extend(before.into_iter().chain(edition.standing).map(|name| (number, name)));
        }
    }

    /// A record that changed changes what the one before it is, and whether the last one speaks.
    fn look_at_neighbours(&self, names: &mut BTreeSet<(u32, Hash)>) {
        let touched: BTreeSet<u32> = names.iter().map(|(number, _)| *number).collect();
        for number in touched {
            names.extend(self.editions.range(..number).rev().find_map(standing));
        }
        names.extend(self.editions.iter().rev().find_map(standing));
    }

    fn state(&self, number: u32, name: Hash) -> Option<State> {
        let edition = self.editions.get(&number)?;
        if edition.standing != Some(name) {
            return edition.is_there(name).then_some(State::Conflicting);
        }
        if let Some(by) = self.ending() {
            return Some(State::Withdrawn { by });
        }
        let mut later = self.editions.range(number.saturating_add(1)..);
        let next = later.find_map(|(later, edition)| edition.standing.filter(|_| *later > number));
        Some(next.map_or(State::Speaks, |by| State::Superseded { by }))
    }

    /// The first withdrawal that counts at the moment.
    fn ending(&self) -> Option<Hash> {
        self.endings.first_key_value().map(|((_, by), _)| *by)
    }

    /// Ends the span before, if something is different now.
    fn note(&mut self, moment: i64, name: Hash, state: Option<State>) {
        let before = self.now.get(&name).copied();
        if before.map(|(_, state)| state) == state {
            return;
        }
        if let Some((from, state)) = before {
            self.spans.push(Span { name, during: During { from, until: Some(moment) }, state });
        }
        match state {
            Some(state) => drop(self.now.insert(name, (moment, state))),
            None => drop(self.now.remove(&name)),
        }
    }

    fn finish(mut self) -> Vec<Span> {
        let open = self.now.iter();
        let open = open.map(|(name, (from, state))| Span {
            name: *name,
            during: During::since(*from),
            state: *state,
        });
        self.spans.extend(open);
        self.spans.sort_unstable();
        self.spans
    }
}
