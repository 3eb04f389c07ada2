//! Blobs that records of followed logs name: wanted from the moment that the record is stored, fetched a few
//! at a time in the order of [`super::wants`], checked by their hash. A receipt waits for them. The same of own
//! records that were fetched back: what of them is not on this disk any more comes from whoever follows the log.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Date, Judged, Origin, Record, Relation, Status, kind};
use tlog::{Hash, sha256};

use super::logs::{Log, first_of};
use super::own::Own;
use super::pending::Pending;
use super::wants::{self, Ended, Gone, Lane, Rank, Want, Wants, Why};
use super::{Answer, ERASED, Engine, Event, Limits, Output, UnfetchedRecord, Write};
use crate::alarm::Alarm;
use crate::paths::{MirrorFile, Route, origin_hash};
use crate::places;

/// How often everybody who shows an own log is asked for a blob of it before it is said that nobody has it.
const ROUNDS: usize = 4;

/// Records of which an author erased its copies; of another status they are others.
pub(super) type Erased = BTreeSet<(Hash, Status)>;

/// What entries that are about to be stored say of blobs, in order.
#[derive(Debug)]
pub(super) enum Note {
    /// A record wants a blob.
    Want { sha256: Hash, name: Hash, want: Want },
    /// A record names a blob that is too large.
    TooLarge { name: Hash, index: u64, expires: Option<Date> },
    /// The author erased its copies of a record.
    Erased { name: Hash, status: Status },
}

/// What new entries say of blobs. An author's `erases` speaks of its own copies, and nobody else's counts.
pub(super) fn notes(judged: &[Judged], now: u64) -> Vec<Note> {
    let records = judged.iter().filter_map(|judged| Some((judged.index, judged.record()?)));
    records.flat_map(|(index, record)| notes_of(record, index, now)).collect()
}

fn notes_of(record: &Record, index: u64, now: u64) -> Vec<Note> {
    let (header, name) = (&record.header, record.name());
    let asked = wants::of_record(record, index, now);
    let wanted = asked.wants.into_iter().map(|(sha256, want)| Note::Want { sha256, name, want });
    let too_large = asked.has_too_large.then_some(Note::TooLarge { name, index, expires: header.expires });
    // A reference in a record of another kind speaks for nobody's copies; and who does not know a critical line does not
    // act on the record.
    let acts = header.kind == kind::ERASURE && !header.critical_unknown(&[]);
    let erases = header.refs_of(Relation::Erases).filter(|_| acts);
    let erased = erases
        .filter(|reference| reference.author == header.author)
        .map(|reference| Note::Erased { name: reference.name, status: header.status });
    wanted.chain(too_large).chain(erased).collect()
}

impl Engine {
    /// Takes up what entries say of blobs whose store goes out now; the cells belong to the same store.
    pub(super) fn take_notes(&mut self, origin: &Origin, notes: Vec<Note>) -> (Vec<Write>, Vec<Event>) {
        let (mut writes, mut events, today) = (Vec::new(), Vec::new(), self.today());
        let mut erased = Erased::new();
        for note in notes {
            match note {
                Note::Want { sha256, name, want } => {
                    let is_over = want.expires.is_some_and(|day| Some(day) <= today);
                    if !is_over && !self.is_erased(&origin.authority, name, want.status) {
                        writes.extend(self.take_want(origin, sha256, name, want));
                    }
                }
                Note::TooLarge { name, index, expires } => {
                    if !self.tells_author(origin) {
                        continue;
                    }
                    let most = self.config.limits.too_large;
                    let Some(log) = self.logs.get_mut(origin) else { continue };
                    if log.blobs.unfetched().take(most).count() >= most {
                        continue;
                    }
                    // Of one place it is said again: then the store before failed.
                    let before = log.blobs.note_unfetched(name, Why::Large, index, expires);
                    if before.is_none_or(|before| before == index) {
                        let said = wants::write_unfetched(origin, index, expires);
                        writes.push(wants::unfetched_cell(origin, &name, Why::Large, Some(said)));
                        let origin = origin.clone();
                        events.push(Event::Unfetched(UnfetchedRecord {
                            origin,
                            index,
                            name,
                            why: Why::Large,
                        }));
                    }
                }
                Note::Erased { name, status } => {
                    writes.extend(self.note_erased(&origin.authority, name, status));
                    erased.insert((name, status));
                }
            }
        }
        // All together: however many there are, each log is looked at once.
        if !erased.is_empty() {
            writes.extend(self.take_erased(&origin.authority, &erased));
        }
        (writes, events)
    }

    fn take_want(&mut self, origin: &Origin, sha256: Hash, name: Hash, want: Want) -> Option<Write> {
        let blobs = self.wants_mut(origin)?;
        blobs.add(sha256, name, want);
        let ended = Ended { sha256, name, is_old: false };
        Some(wants::want_cell(origin, &ended, blobs.get(sha256, name)))
    }

    /// An author erased its copies of records, whichever of its logs named them: nothing of them is waited for.
    fn take_erased(&mut self, author: &Authority, erased: &Erased) -> Vec<Write> {
        let mut writes = Vec::new();
        for (origin, blobs) in wants_of(author, &mut self.logs, &mut self.own) {
            let gone = drop_erased(blobs, erased);
            if gone != Gone::default() {
                writes.extend(cells_of(origin, &gone));
                self.dirty.insert(origin.clone());
            }
        }
        writes
    }

    /// Notes that an author erased its copies of a record; also if it is known: the store of it may have failed.
    fn note_erased(&mut self, author: &Authority, name: Hash, status: Status) -> Option<Write> {
        let erased = self.erased.entry(author.clone()).or_default();
        let is_full = *author != self.config.me && erased.len() >= self.config.limits.erased;
        if is_full && !erased.contains(&(name, status)) {
            return None;
        }
        erased.insert((name, status));
        let key = format!("{author}/{name}/{status}");
        Some(Write::Cell { space: ERASED, key, value: Some(Vec::new()) })
    }

    /// After a start: an erasure may be durable, and the end of a want not.
    pub(super) fn forget_erased(&mut self) {
        for (author, erased) in &self.erased {
            for (_, blobs) in wants_of(author, &mut self.logs, &mut self.own) {
                drop_erased(blobs, erased);
            }
        }
    }

    /// Records that were opened here say that their author erased its copies of others.
    pub(super) fn take_opened_erasure(&mut self, by: &Authority, status: Status, names: &[Hash]) {
        let mut writes: Vec<Write> =
            names.iter().filter_map(|name| self.note_erased(by, *name, status)).collect();
        if !names.is_empty() {
            let erased: Erased = names.iter().map(|name| (*name, status)).collect();
            writes.extend(self.take_erased(by, &erased));
        }
        if !writes.is_empty() {
            self.store(writes, Vec::new(), Pending::Unwatched);
        }
    }

    /// Somebody asks for all of a record of which only the first blob was wanted.
    pub(super) fn take_want_blobs(&mut self, origin: &Origin, name: Hash) {
        let now = self.now;
        let Some(blobs) = self.wants_mut(origin) else { return };
        let asked = blobs.ask_for(name, now);
        let cell = |(sha256, want): &(Hash, Want)| {
            let ended = Ended { sha256: *sha256, name, is_old: false };
            wants::want_cell(origin, &ended, Some(want))
        };
        let writes: Vec<Write> = asked.iter().map(cell).collect();
        if !writes.is_empty() {
            self.store(writes, Vec::new(), Pending::Unwatched);
            self.dirty.insert(origin.clone());
        }
    }

    /// Whether something of a record is waited for, now or once somebody asks for it.
    pub fn waits_for(&self, origin: &Origin, name: Hash) -> bool {
        self.wants(origin).is_some_and(|blobs| blobs.is_named(name))
    }

    /// What was stored of a record is not on this disk any more: it is wanted again, like that of a new record.
    pub(super) fn take_lost(&mut self, origin: &Origin, index: u64, record: &Record, lost: &[Hash]) {
        let own = self.own.get(origin).map(Own::size);
        let size = own.or(self.logs.get(origin).map(Log::stored_size)).unwrap_or(0);
        if index >= size {
            return;
        }
        let is_lost =
            |sha256: &Hash| lost.contains(sha256) && !self.waits_for_file(origin, record.name(), *sha256);
        let mut notes = notes_of(record, index, self.now);
        notes.retain(|note| matches!(note, Note::Want { sha256, .. } if is_lost(sha256)));
        let (writes, events) = self.take_notes(origin, notes);
        if writes.is_empty() {
            return;
        }
        self.store(writes, events, Pending::Unwatched);
        if self.wants(origin).is_some_and(|blobs| lost.iter().any(|sha256| blobs.is_wanted(*sha256))) {
            self.ring(Alarm::FileLost { origin: origin.clone(), index });
        }
        self.dirty.insert(origin.clone());
    }

    fn today(&self) -> Option<Date> {
        let seconds = i64::try_from(self.now / 1000).unwrap_or(0);
        // Beyond the year 9999 nothing has expired yet that matters.
        record::Time::from_posix(seconds).map(record::Time::date)
    }

    /// What time alone does to the wants of a log: some expired, some waited long enough, some are late.
    pub(super) fn run_wants(&mut self, origin: &Origin) {
        let (now, today) = (self.now, self.today());
        let Some(blobs) = self.wants_mut(origin) else { return };
        blobs.wake(now);
        let gone = today.map(|today| blobs.expire(today)).unwrap_or_default();
        if gone != Gone::default() {
            let writes = cells_of(origin, &gone).collect();
            self.store(writes, Vec::new(), Pending::Unwatched);
        }
        self.name_missing(origin);
    }

    /// Whether the author of a log is told of each record of which something cannot be had: it is somebody else, and
    /// whoever publishes to everybody is not told by each of them.
    fn tells_author(&self, origin: &Origin) -> bool {
        origin.authority != self.config.me && !origin.audience.is_public()
    }

    /// Says once of each record of a restricted log that something of it does not come, and of an own log.
    fn name_missing(&mut self, origin: &Origin) {
        let (now, patience) = (self.now, self.config.limits.missing_after);
        let is_own = origin.authority == self.config.me;
        if !is_own && !self.tells_author(origin) {
            return;
        }
        loop {
            let Some(blobs) = self.wants_mut(origin) else { return };
            let Some((name, index, expires)) = blobs.next_missing(now, patience) else { return };
            if is_own {
                self.own_blob_lacks(origin, index);
                continue;
            }
            let said = wants::write_unfetched(origin, index, expires);
            let cell = wants::unfetched_cell(origin, &name, Why::Missing, Some(said));
            let record = UnfetchedRecord { origin: origin.clone(), index, name, why: Why::Missing };
            let pending = Pending::StoredUnfetched { origin: origin.clone(), name };
            self.store(vec![cell], vec![Event::Unfetched(record)], pending);
        }
    }

    pub(super) fn unfetched_stored(&mut self, origin: &Origin, name: Hash, done: bool) {
        let Limits { missing_after, retry_first, .. } = self.config.limits;
        let again = (self.now + retry_first).saturating_sub(missing_after);
        if let Some(log) = self.logs.get_mut(origin).filter(|_| !done) {
            log.blobs.forget_unfetched(name, Why::Missing, again);
            self.dirty.insert(origin.clone());
        }
    }

    /// Fetches what is ready, over all logs, each lane in its order.
    pub(super) fn run_blobs(&mut self) {
        for lane in Lane::ALL {
            while let Some((rank, origin)) = self.lanes.next(lane, self.config.limits.blob_bytes) {
                // Others of its author may have taken what was free when it was lined up.
                if rank.takes(rank.size) <= self.room_left(&origin.authority) {
                    self.fetch_blob(&origin, rank);
                }
                self.line_up(&origin);
            }
        }
    }

    /// Tells the lanes what a log could fetch next: nothing, if nobody shows it.
    pub(super) fn line_up(&mut self, origin: &Origin) {
        let (author, left) = (&origin.authority, self.room_left(&origin.authority));
        let (mut is_over, mut needs) = (false, None);
        for lane in Lane::ALL {
            let rank = self.wants(origin).and_then(|blobs| blobs.head(lane));
            let takes = rank.map_or(0, |rank| rank.takes(rank.size));
            // Of a disk that is nearly full the node says so; of a quota this does.
            is_over |= !self.fits_quota(author, takes);
            if takes > left {
                needs = Some(needs.map_or(takes, |least: u64| least.min(takes)));
            }
            let rank = rank.filter(|_| takes <= left);
            let head = rank.and_then(|rank| Some((rank, self.blob_source(origin, rank.sha256)?)));
            self.lanes.set(lane, origin, head);
        }
        self.wait_for_room(origin, needs);
        if is_over {
            self.over_quota(&origin.authority);
        }
    }

    /// The wants of a log, somebody's or an own one.
    pub(super) fn wants(&self, origin: &Origin) -> Option<&Wants> {
        if origin.authority == self.config.me {
            return self.own.get(origin).map(|own| &own.blobs);
        }
        self.logs.get(origin).map(|log| &log.blobs)
    }

    fn wants_mut(&mut self, origin: &Origin) -> Option<&mut Wants> {
        if origin.authority == self.config.me {
            return self.own.get_mut(origin).map(|own| &mut own.blobs);
        }
        self.logs.get_mut(origin).map(|log| &mut log.blobs)
    }

    /// Who shows a log: its author first.
    fn showing<'a>(&'a self, origin: &'a Origin) -> Vec<&'a Authority> {
        if let Some(own) = self.own.get(origin) {
            return own.shown_by.iter().collect();
        }
        let Some(log) = self.logs.get(origin) else { return Vec::new() };
        let author = Some(&origin.authority).filter(|author| log.sources.contains_key(*author));
        let others = log.sources.keys().filter(|name| **name != origin.authority);
        author.into_iter().chain(others).collect()
    }

    fn fetch_blob(&mut self, origin: &Origin, rank: Rank) {
        let Some(blobs) = self.wants_mut(origin) else { return };
        blobs.begin(&rank);
        self.lanes.begin(origin, &rank);
        self.room_coming(&origin.authority, rank.takes(rank.size));
        if origin.authority != self.config.me {
            return self.fetch_blob_of_peer(origin, rank);
        }
        // Entries are fetched back from the first on: most of what they name was never lost.
        let id = self.ask(Pending::OwnBlob { origin: origin.clone(), rank });
        self.out.push(Output::Read { id, paths: vec![places::blob(&rank.sha256)] });
    }

    pub(super) fn own_blob_read(&mut self, origin: &Origin, rank: Rank, here: Option<&[u8]>) {
        self.dirty.insert(origin.clone());
        if !self.wants(origin).is_some_and(|blobs| blobs.is_wanted(rank.sha256)) {
            return self.blob_released(origin, rank);
        }
        match here {
            Some(bytes) if sha256(bytes) == rank.sha256 => self.keep_blob(origin, rank, None, 0),
            _ => self.fetch_blob_of_peer(origin, rank),
        }
    }

    fn fetch_blob_of_peer(&mut self, origin: &Origin, rank: Rank) {
        let Some(peer) = self.blob_source(origin, rank.sha256) else {
            return self.blob_failed(origin, rank);
        };
        let route = if peer == origin.authority {
            Route::Blob(rank.sha256)
        } else {
            Route::Mirror { origin: origin_hash(origin), file: MirrorFile::Blob(rank.sha256) }
        };
        let limit = usize::try_from(rank.size).unwrap_or(usize::MAX);
        let pending = Pending::Blob { origin: origin.clone(), peer: peer.clone(), rank };
        self.ask_for(&peer, route, limit, rank.lane() != Lane::Quick, pending);
        self.file_asked(origin, rank, &peer);
    }

    /// The author first, then, with every failure, the next one who shows the log; nobody whose copies are slow, if others are
    /// there.
    fn blob_source(&self, origin: &Origin, sha256: Hash) -> Option<Authority> {
        let mut all = self.showing(origin);
        if let Some(log) = self.logs.get(origin) {
            let may = |name: &&Authority| log.copies.laggard(name).not_before <= self.now;
            if all.iter().any(may) {
                all.retain(may);
            }
        }
        let turn = usize::try_from(self.wants(origin)?.failures(sha256)).ok()?.checked_rem(all.len())?;
        all.get(turn).map(|name| (*name).clone())
    }

    pub(super) fn blob_answered(&mut self, origin: &Origin, peer: &Authority, rank: Rank, answer: Answer) {
        self.dirty.insert(origin.clone());
        if let Some(log) = self.logs.get_mut(origin) {
            log.copies.file_answered(rank.sha256);
        }
        let is_wanted = self.wants(origin).is_some_and(|blobs| blobs.is_wanted(rank.sha256));
        match answer {
            // Nobody wants it any more: it is let go.
            Answer::File { file, .. } if !is_wanted => {
                self.out.push(Output::Discard { file });
                return self.blob_released(origin, rank);
            }
            _ if !is_wanted => return self.blob_released(origin, rank),
            // The name of a blob is its hash; a size that its record gives wrong, within what was read, is not
            // its server's fault.
            Answer::Response { status: 200, body, .. } => {
                if body.len() as u64 <= rank.size && sha256(&body) == rank.sha256 {
                    let (path, came) = (places::blob(&rank.sha256), body.len() as u64);
                    return self.keep_blob(origin, rank, Some(Write::File { path, bytes: body }), came);
                }
                self.blob_spoiled(origin, peer, rank, "blob-hash");
            }
            Answer::File { status: 200, file, sha256, bytes } => {
                if bytes <= rank.size && sha256 == rank.sha256 {
                    let path = places::blob(&rank.sha256);
                    return self.keep_blob(origin, rank, Some(Write::Keep { path, file }), bytes);
                }
                self.out.push(Output::Discard { file });
                self.blob_spoiled(origin, peer, rank, "blob-hash");
            }
            Answer::TooLarge => self.blob_spoiled(origin, peer, rank, "blob-too-large"),
            Answer::File { file, .. } => self.out.push(Output::Discard { file }),
            Answer::Response { .. } => {}
            Answer::Failed => {
                self.file_copy_failed(origin, peer);
                return self.blob_failed(origin, rank);
            }
        }
        self.blob_failed(origin, rank);
        self.look_for_lack(origin, rank);
    }

    /// Whether everybody who shows an own log was asked for a blob of it, again and again: who follows it may still be
    /// fetching it.
    fn look_for_lack(&mut self, origin: &Origin, rank: Rank) {
        let Some(own) = self.own.get(origin) else { return };
        let asked = usize::try_from(own.blobs.failures(rank.sha256)).unwrap_or(usize::MAX);
        if asked >= ROUNDS * own.shown_by.len()
            && let Some(index) = own.blobs.place_of(rank.sha256)
        {
            self.own_blob_lacks(origin, index);
        }
    }

    /// What came is not the blob. Only this blob waits for that: what else its server has is as good as before, and
    /// a record whose author gave a size that is too small is no reason to stop reading anybody.
    fn blob_spoiled(&mut self, origin: &Origin, peer: &Authority, rank: Rank, fault: &'static str) {
        if let Some(blobs) = self.wants_mut(origin) {
            blobs.spoil(rank.sha256, peer.clone(), fault);
        }
        self.accuse(peer, Some(origin), fault);
    }

    /// The blob is here, of so many bytes; without a file it was on this disk all the time.
    fn keep_blob(&mut self, origin: &Origin, rank: Rank, file: Option<Write>, came: u64) {
        let Some(blobs) = self.wants(origin) else {
            if let Some(Write::Keep { file, .. }) = file {
                self.out.push(Output::Discard { file });
            }
            return self.blob_released(origin, rank);
        };
        let records = blobs.records_of(rank.sha256);
        // What own records name is served by them, with no mark.
        let mark = (origin.authority != self.config.me)
            .then(|| Write::File { path: places::blob_mark(origin, &rank.sha256), bytes: Vec::new() });
        let ended = records.iter().map(|ended| wants::want_cell(origin, ended, None));
        let writes = file.into_iter().chain(mark).chain(ended).collect();
        let events = vec![Event::Blob { origin: origin.clone(), sha256: rank.sha256 }];
        self.store(writes, events, Pending::StoredBlob { origin: origin.clone(), rank, came, records });
    }

    pub(super) fn blob_stored(
        &mut self,
        origin: &Origin,
        rank: Rank,
        came: u64,
        records: &[Ended],
        done: bool,
    ) {
        self.dirty.insert(origin.clone());
        if !done {
            return self.blob_failed(origin, rank);
        }
        self.room_taken(&origin.authority, 0, if came > 0 { rank.takes(came) } else { 0 });
        let Some(blobs) = self.wants_mut(origin) else { return self.blob_released(origin, rank) };
        // Records that named it while it was being stored: it is here for them too.
        let known: BTreeSet<Hash> = records.iter().map(|ended| ended.name).collect();
        let mut late = blobs.records_of(rank.sha256);
        late.retain(|ended| !known.contains(&ended.name));
        let mut gone = blobs.stored(records);
        gone.wants.clear();
        let for_late = blobs.stored(&late);
        gone.unfetched.extend(for_late.unfetched);
        gone.wants.extend(for_late.wants);
        if gone != Gone::default() {
            let events =
                (!late.is_empty()).then(|| Event::Blob { origin: origin.clone(), sha256: rank.sha256 });
            let writes = cells_of(origin, &gone).collect();
            self.store(writes, events.into_iter().collect(), Pending::Unwatched);
        }
        self.blob_released(origin, rank);
        self.own_blob_came(origin);
    }

    fn blob_released(&mut self, origin: &Origin, rank: Rank) {
        self.lanes.end(origin, &rank);
        self.room_came(&origin.authority, rank.takes(rank.size));
        if let Some(blobs) = self.wants_mut(origin) {
            blobs.release(rank.sha256);
        }
    }

    fn blob_failed(&mut self, origin: &Origin, rank: Rank) {
        self.lanes.end(origin, &rank);
        self.room_came(&origin.authority, rank.takes(rank.size));
        let Some(blobs) = self.wants(origin) else { return };
        let wait = self.back_off(blobs.failures(rank.sha256) + 1);
        let until = self.now + wait;
        if let Some(blobs) = self.wants_mut(origin) {
            blobs.wait(rank.sha256, until);
        }
    }

    /// Records of restricted logs of which something cannot be had, as far as it was said by
    /// [`Event::Unfetched`] and is still so: whoever tells the authors begins with these after a start.
    pub fn unfetched(&self) -> Vec<UnfetchedRecord> {
        let of_log = |(origin, log): (&Origin, &super::Log)| {
            let origin = origin.clone();
            let all = log.blobs.unfetched();
            all.map(|(name, why, index)| UnfetchedRecord { origin: origin.clone(), index, name, why })
                .collect::<Vec<_>>()
        };
        self.logs.iter().flat_map(of_log).collect()
    }
}

/// The wants of every log of an author, somebody's or our own.
fn wants_of<'a>(
    author: &Authority,
    logs: &'a mut BTreeMap<Origin, Log>,
    own: &'a mut BTreeMap<Origin, Own>,
) -> impl Iterator<Item = (&'a Origin, &'a mut Wants)> {
    let logs = logs.range_mut(first_of(author)..).map(|(origin, log)| (origin, &mut log.blobs));
    let own = own.range_mut(first_of(author)..).map(|(origin, own)| (origin, &mut own.blobs));
    let is_theirs = |(origin, _): &(&Origin, &mut Wants)| origin.authority == *author;
    logs.take_while(is_theirs).chain(own.take_while(is_theirs))
}

/// Ends what is wanted of records that are erased: by their names or by what is wanted, whichever is less.
fn drop_erased(blobs: &mut Wants, erased: &Erased) -> Gone {
    let of_name = |name: Hash| erased.range((name, Status::Actual)..=(name, Status::Test)).copied();
    let meant: Vec<(Hash, Status)> = if blobs.known() < erased.len() {
        blobs.records().flat_map(of_name).collect()
    } else {
        erased.iter().filter(|(name, _)| blobs.is_named(*name)).copied().collect()
    };
    let mut gone = Gone::default();
    for (name, status) in meant {
        let of_one = blobs.drop_record(name, |want| want.status.is_none_or(|of_record| of_record == status));
        gone.wants.extend(of_one.wants);
        gone.unfetched.extend(of_one.unfetched);
    }
    gone
}

/// What ended needs no cells any more.
pub(super) fn cells_of(origin: &Origin, gone: &Gone) -> impl Iterator<Item = Write> {
    let wants = gone.wants.iter().map(|ended| wants::want_cell(origin, ended, None));
    let said = gone.unfetched.iter().map(|(name, why)| wants::unfetched_cell(origin, name, *why, None));
    wants.chain(said).collect::<Vec<_>>().into_iter()
}
