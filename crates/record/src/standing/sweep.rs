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
    for at_once in happenings(entries, endings).chunk_by(|(one, _), (other, _)| one == other) {
        sweep.advance(at_once[0].0, at_once);
    }
    sweep.finish()
}

/// What comes or goes at a moment.
#[derive(Clone, Copy)]
enum Happening<'a> {
    Comes(&'a Entry),
    Goes(&'a Entry),
    Ends(&'a Ending),
    GoesOn(&'a Ending),
}

/// Everything that happens, by moments. A thing may have tens of thousands of records, each at a moment of its own.
fn happenings<'a>(entries: &'a [Entry], endings: &'a [Ending]) -> Vec<(i64, Happening<'a>)> {
    let mut all: Vec<(i64, Happening<'a>)> = Vec::with_capacity(entries.len() + endings.len());
    for entry in entries.iter().filter(|entry| !entry.during.is_empty()) {
        all.push((entry.during.from, Happening::Comes(entry)));
        all.extend(entry.during.until.map(|until| (until, Happening::Goes(entry))));
    }
    for ending in endings.iter().filter(|ending| !ending.during.is_empty()) {
        all.push((ending.during.from, Happening::Ends(ending)));
        all.extend(ending.during.until.map(|until| (until, Happening::GoesOn(ending))));
    }
    all.sort_by_key(|(moment, _)| *moment);
    all
}

fn place(entry: &Entry) -> Place {
    (entry.edition, entry.log, entry.index, entry.name, entry.released)
}

/// The number of an edition of which a record stands, and that record.
fn standing((number, name): (&u32, &Hash)) -> (u32, Hash) {
    (*number, *name)
}

/// A place that counts at the moment, in the order in which the first of an edition is looked for: edition, log, place there;
/// with the record and its outer `released`.
type Place = (u32, usize, u64, Hash, i64);

/// Before all places of an edition from a log on.
fn before(edition: u32, log: usize) -> Place {
    (edition, log, 0, Hash([0; 32]), i64::MIN)
}

struct Sweep<'a> {
    logs: &'a [Log],
    /// Of all editions together: one alone has few, and there may be very many.
    places: BTreeSet<Place>,
    /// The record that stands of each edition of which one does.
    standing: BTreeMap<u32, Hash>,
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
            places: BTreeSet::new(),
            standing: BTreeMap::new(),
            endings: BTreeMap::new(),
            now: BTreeMap::new(),
            spans: Vec::new(),
        }
    }

    /// The places of an edition from a log on.
    fn places_from(&self, edition: u32, log: usize) -> impl Iterator<Item = &Place> {
        self.places.range(before(edition, log)..).take_while(move |place| place.0 == edition)
    }

    fn is_there(&self, edition: u32, name: Hash) -> bool {
        self.places_from(edition, 0).any(|(_, _, _, there, _)| *there == name)
    }

    /// Which record of an edition stands: the first of each line, of these the earliest, then the smaller name.
    fn first(&self, edition: u32) -> Option<Hash> {
        let mut of_line: BTreeMap<u32, (u32, i64, Hash)> = BTreeMap::new();
        let mut next = self.places_from(edition, 0).next();
        while let Some((_, log, _, name, released)) = next {
            let Log { line, part, .. } = self.logs[*log];
            let first = of_line.entry(line).or_insert((part, *released, *name));
            if part < first.0 {
                *first = (part, *released, *name);
            }
            next = log.checked_add(1).and_then(|log| self.places_from(edition, log).next());
        }
        of_line.into_values().map(|(_, released, name)| (released, name)).min().map(|(_, name)| name)
    }

    fn advance(&mut self, moment: i64, happenings: &[(i64, Happening<'_>)]) {
        let mut names: BTreeSet<(u32, Hash)> = BTreeSet::new();
        let ended = self.ending();
        // One that leaves and one that comes at the same moment may be the same record at two places.
        for (_, happening) in happenings {
            match happening {
                Happening::Goes(entry) => {
                    self.places.remove(&place(entry));
                    names.insert((entry.edition, entry.name));
                }
                Happening::GoesOn(ending) => {
                    if let Some(count) = self.endings.get_mut(&(ending.during.from, ending.by)) {
                        *count -= 1;
                    }
                }
                Happening::Comes(_) | Happening::Ends(_) => {}
            }
        }
        for (_, happening) in happenings {
            match happening {
                Happening::Comes(entry) => {
                    self.places.insert(place(entry));
                    names.insert((entry.edition, entry.name));
                }
                Happening::Ends(ending) => {
                    *self.endings.entry((ending.during.from, ending.by)).or_default() += 1;
                }
                Happening::Goes(_) | Happening::GoesOn(_) => {}
            }
        }
        self.endings.retain(|_, count| *count > 0);
        let changed: BTreeSet<u32> = names.iter().map(|(edition, _)| *edition).collect();
        for edition in changed {
            self.decide(edition, &mut names);
        }
        if self.ending() == ended {
            self.look_at_neighbours(&mut names);
        } else {
            names.extend(self.standing.iter().map(standing));
        }
        for (edition, name) in names {
            let state = self.state(edition, name);
            self.note(moment, name, state);
        }
    }

    /// Which record of an edition stands; adds the names that it changes.
    fn decide(&mut self, number: u32, names: &mut BTreeSet<(u32, Hash)>) {
        let (before, now) = (self.standing.get(&number).copied(), self.first(number));
        match now {
            Some(name) => drop(self.standing.insert(number, name)),
            None => drop(self.standing.remove(&number)),
        }
        if before != now {
            names.extend(before.into_iter().chain(now).map(|name| (number, name)));
        }
    }

    /// A record that changed changes what the one before it is, and whether the last one speaks.
    fn look_at_neighbours(&self, names: &mut BTreeSet<(u32, Hash)>) {
        let touched: BTreeSet<u32> = names.iter().map(|(number, _)| *number).collect();
        for number in touched {
            names.extend(self.standing.range(..number).next_back().map(standing));
        }
        names.extend(self.standing.last_key_value().map(standing));
    }

    fn state(&self, number: u32, name: Hash) -> Option<State> {
        if self.standing.get(&number) != Some(&name) {
            return self.is_there(number, name).then_some(State::Conflicting);
        }
        if let Some(by) = self.ending() {
            return Some(State::Withdrawn { by });
        }
        let later = number.checked_add(1).and_then(|later| self.standing.range(later..).next());
        Some(later.map_or(State::Speaks, |(_, by)| State::Superseded { by: *by }))
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
