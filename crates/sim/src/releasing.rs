//! What authorities do with their own logs: release, say, close, go on, make roots and revoke keys.

use federate::Input;
use federate::engine::Permission;
use futures::executor::block_on;
use record::{MediaType, Origin, Readers, Status, kind};
use store::LogError;

use crate::cast;
use crate::node::OwnPlan;
use crate::said::{self, Made, Place, Say};
use crate::source::here_cell;
use crate::world::World;

/// Sealing costs more than signing.
const SEALED_AT_ONCE: u64 = 6;

/// What an append begins with.
struct Ready {
    version: u64,
    entries: Vec<Vec<u8>>,
    blobs: Vec<Vec<u8>>,
    readers: Readers,
}

impl World {
    /// An authority releases many plain records to an audience, in the log that now serves it, if it may sign. True if
    /// they were acknowledged.
    pub fn release(&mut self, node: usize, origin: &Origin, count: u64, blob: Option<Vec<u8>>) -> bool {
        let origin = &self.serving_now(node, origin);
        let Some(Ready { version, mut entries, mut blobs, readers }) = self.ready(node, origin) else {
            return false;
        };
        let clock = self.nodes[node].clock(self.now);
        let is_public = origin.audience.is_public();
        for _ in 0..if is_public { count } else { count.min(SEALED_AT_ONCE) } {
            self.salt += 1;
            if is_public {
                entries.push(cast::record(origin, version, self.salt, blob.as_deref(), clock));
                continue;
            }
            let place = Place { origin, readers: &readers, version, clock, salt: self.salt };
            let contents = blob.iter().map(|bytes| (MediaType::plain(), bytes.clone())).collect();
            let (thing, status) = (1_000_000 + self.salt, Status::Test);
            let refs = Vec::new();
            let kind = kind::NOTICE;
            let say = Say { kind, thing, edition: 1, status, refs, contents, names_too_large: false };
            let made = said::make(say, place);
            entries.push(made.entry);
            blobs.extend(made.blobs);
        }
        if is_public {
            blobs.extend(blob);
        }
        self.append(node, origin, version, entries, blobs)
    }

    /// An authority says something: what, to whom, and about what, is drawn.
    pub fn say(&mut self, node: usize) {
        let open = |(origin, plan): (&Origin, &OwnPlan)| (!plan.is_ended).then(|| origin.clone());
        let origins: Vec<Origin> = self.nodes[node].plans.iter().filter_map(open).collect();
        let origin = &origins[self.dice.index(origins.len())];
        let Some(Ready { version, mut entries, mut blobs, readers }) = self.ready(node, origin) else {
            return;
        };
        self.salt += 1;
        let clock = self.nodes[node].clock(self.now);
        // What an author claims of the time is not always so.
        let clock = if self.dice.percent(12) { clock - self.dice.below(500_000) } else { clock };
        let place = Place { origin, readers: &readers, version, clock, salt: self.salt };
        let Some(made) = self.made(node, place) else { return };
        entries.push(made.entry);
        blobs.extend(made.blobs);
        let what = made.said.name;
        self.note(|| format!("{node} says {what} in {origin}"));
        self.said.push(made.said);
        self.append(node, origin, version, entries, blobs);
    }

    fn made(&mut self, node: usize, place: Place<'_>) -> Option<Made> {
        let me = self.nodes[node].name.clone();
        let own: Vec<usize> = (0..self.said.len()).filter(|n| self.said[*n].author == me).collect();
        match self.dice.below(12) {
            0..=6 => Some(said::make(self.edition(), place)),
            7..=9 => {
                // Mostly by its author; sometimes by somebody else, who may not.
                let is_own = !own.is_empty() && self.dice.percent(85);
                let among = if is_own { own.len() } else { self.said.len() };
                let target = (among > 0).then(|| self.dice.index(among))?;
                let target = &self.said[if is_own { own[target] } else { target }];
                let (refs, same) = (vec![target.withdraw()], target.status);
                let status = if self.dice.percent(80) { same } else { Status::Exercise };
                let thing = 1_000_000 + place.salt;
                let say = Say {
                    kind: kind::WITHDRAWAL,
                    thing,
                    edition: 1,
                    status,
                    refs,
                    contents: Vec::new(),
                    names_too_large: false,
                };
                Some(said::make(say, place))
            }
            _ => {
                let sealed: Vec<usize> = own.into_iter().filter(|n| self.said[*n].sealed.is_some()).collect();
                let target = (!sealed.is_empty()).then(|| sealed[self.dice.index(sealed.len())])?;
                said::again(&self.said[target], place)
            }
        }
    }

    /// An edition of one of a few things: often one that follows, sometimes a twin or one that comes too early.
    fn edition(&mut self) -> Say {
        let dice = &mut self.dice;
        let thing = dice.below(4);
        let kind = said::kind_of(thing);
        let status = if dice.percent(80) { Status::Actual } else { Status::Exercise };
        let mut contents = Vec::new();
        if kind == kind::FIGURES {
            contents.push(said::table(dice.below(3), dice.below(5)));
        }
        for _ in 0..dice.below(3) {
            let text = vec![b'x'; 1 + dice.index(3_000)];
            contents.push((MediaType::plain(), text));
        }
        let edition = u32::try_from(dice.below(3)).unwrap_or(0) + 1;
        let names_too_large = dice.percent(5);
        Say { kind, thing, edition, status, refs: Vec::new(), contents, names_too_large }
    }

    /// What comes before a record in a log: its first entry, or the one that moves it to the newest root. `None` if
    /// nothing may be appended now.
    fn ready(&mut self, node: usize, origin: &Origin) -> Option<Ready> {
        let machine = &self.nodes[node];
        if machine.engine.as_ref()?.permission(origin) != Permission::May {
            self.note(|| format!("{node} may not sign {origin}"));
            return None;
        }
        let (versions, clock) = (machine.versions, machine.clock(self.now));
        let plan = &machine.plans[origin];
        let head = machine.head(origin).map_or(0, |head| head.checkpoint.size);
        let (mut entries, mut blobs) = (Vec::new(), Vec::new());
        if head == 0 {
            let previous = plan.previous.as_ref();
            entries.push(cast::open(origin, &plan.readers, &plan.policy, versions, previous, clock));
            blobs.push(plan.policy.clone());
        } else if self.truth.root_of(origin) < versions.newest {
            entries.push(cast::move_root(origin, versions, clock));
        }
        if !entries.is_empty() {
            let chain = cast::chain(&origin.authority, versions);
            blobs.extend(chain.bytes(versions.newest).map(<[u8]>::to_vec));
        }
        Some(Ready { version: versions.newest, entries, blobs, readers: plan.readers.clone() })
    }

    /// The log that serves the audience of this one now.
    fn serving_now(&self, node: usize, origin: &Origin) -> Origin {
        let mut now = origin.clone();
        while self.nodes[node].plans.get(&now).is_some_and(|plan| plan.is_ended) {
            now = cast::next_log(&now);
        }
        now
    }

    /// An authority closes a log; the audience's next record opens another one.
    pub fn close(&mut self, node: usize, origin: &Origin) {
        let origin = &self.serving_now(node, origin);
        let machine = &self.nodes[node];
        let may_sign =
            machine.engine.as_ref().is_some_and(|engine| engine.permission(origin) == Permission::May);
        let is_moved = self.truth.root_of(origin) == machine.versions.newest;
        if !may_sign || !is_moved || machine.head(origin).is_none() {
            return;
        }
        let (version, clock) = (machine.versions.newest, machine.clock(self.now));
        let entry = cast::close(origin, version, clock);
        let leaf = tlog::leaf_hash(&entry);
        self.append(node, origin, version, vec![entry], Vec::new());
        // Also if nobody said so because the machine died: what is closed is closed, as its log says.
        if self.truth.ends_with(origin, leaf) {
            self.go_on(node, origin);
        }
    }

    /// The next log goes on from the head of this one.
    fn go_on(&mut self, node: usize, origin: &Origin) {
        let head = self.nodes[node].head(origin).map(|head| head.checkpoint);
        let machine = &mut self.nodes[node];
        let Some(plan) = machine.plans.get_mut(origin) else { return };
        plan.is_ended = true;
        let next = cast::next_log(origin);
        let successor = OwnPlan { previous: head, is_ended: false, ..plan.clone() };
        machine.plans.insert(next.clone(), successor);
        self.note(|| format!("{node} goes on in {next}"));
        if self.nodes[node].engine.is_some() {
            let log = Box::new(self.nodes[node].own_log(&next));
            self.tell(node, self.nodes[node].epoch, Input::OwnLog(log));
        }
    }

    /// An authority notices that its log key was stolen: its next root revokes the key, and its logs end where
    /// they are.
    pub fn revoke(&mut self, node: usize) {
        if self.nodes[node].engine.is_none() || self.nodes[node].versions.revoking.is_some() {
            return;
        }
        // Who is still fetching its own entries back does not know where its logs are.
        let machine = &self.nodes[node];
        let is_whole = |origin: &Origin| {
            let permission = machine.engine.as_ref().map(|engine| engine.permission(origin));
            matches!(permission, Some(Permission::May | Permission::Stopped))
        };
        if !machine.plans.keys().filter(|origin| machine.head(origin).is_some()).all(is_whole) {
            return self.note(|| format!("{node} does not revoke: it is not whole"));
        }
        let now = self.now;
        let versions = &mut self.nodes[node].versions;
        versions.newest += 1;
        versions.revoking = Some((versions.newest, now));
        self.tell_roots(node);
        let machine = &self.nodes[node];
        let revoked: Vec<Origin> =
            machine.plans.keys().filter(|origin| machine.head(origin).is_some()).cloned().collect();
        for origin in revoked {
            if !self.nodes[node].plans[&origin].is_ended {
                self.go_on(node, &origin);
            }
            // Who had not fetched the end of the log takes it only from a successor that names it, also where it was
            // closed before and nothing was said in the next one yet.
            let next = cast::next_log(&origin);
            if self.nodes[node].head(&next).is_some() {
                continue;
            }
            if let Some(Ready { version, entries, blobs, .. }) = self.ready(node, &next) {
                self.append(node, &next, version, entries, blobs);
            }
        }
    }

    fn append(
        &mut self,
        node: usize,
        origin: &Origin,
        version: u64,
        entries: Vec<Vec<u8>>,
        blobs: Vec<Vec<u8>>,
    ) -> bool {
        let name = origin.to_string();
        let machine = &mut self.nodes[node];
        let mut written = Vec::new();
        for blob in blobs {
            let hash = tlog::sha256(&blob);
            written.push(hash);
            let write = federate::engine::Write::File { path: store::layout::blob(&hash), bytes: blob };
            machine.blobs.entry(hash).or_default().insert(origin.clone());
            if !machine.store(vec![write], Vec::new()) {
                self.die_if_dying(node);
                return false;
            }
        }
        // Whoever lost the guard and was permitted all the same writes it anew.
        let head = machine.head(origin).map(|head| head.checkpoint.size);
        if machine
            .guard
            .standing(&name, head)
            .is_ok_and(|standing| standing == store::guard::Standing::Missing)
        {
            let _ = block_on(machine.guard.resume(&name, head.unwrap_or(0)));
        }
        let prefix = store::layout::own_log_of(&name).expect("an origin");
        let here = machine.clock(self.now) / 1000;
        let with_here =
            |appended: &store::Appended| vec![here_cell(origin, appended.checkpoint.checkpoint.size, here)];
        let signer = cast::log_signer(origin, version);
        let Some(writer) = &machine.writer else { return false };
        self.truth.attempt(origin, version, &entries);
        let appended = block_on(writer.append_with(&name, &prefix, entries, with_here, &*signer));
        let is_acknowledged = match &appended {
            Ok(_) => true,
            Err(LogError::GuardMissing { .. } | LogError::GuardAhead { .. }) => {
                self.note(|| format!("{node} refused by its guard: {origin}"));
                false
            }
            Err(error) => {
                let error = error.to_string();
                self.note(|| format!("{node} append {origin}: {error}"));
                false
            }
        };
        self.observe_heads(node);
        if is_acknowledged {
            self.truth.acknowledge(origin);
            let size = self.truth.size(origin);
            self.note(|| format!("{node} released {origin} up to {size}"));
        }
        if self.nodes[node].is_dying() {
            self.die_if_dying(node);
        } else {
            let log = Box::new(self.nodes[node].own_log(origin));
            self.tell(node, self.nodes[node].epoch, Input::OwnLog(log));
            self.index_own(node, origin, &written);
        }
        is_acknowledged
    }

    /// Compares the heads of a machine with what it published before.
    pub(crate) fn observe_heads(&mut self, node: usize) {
        let machine = &self.nodes[node];
        let is_honest = machine.is_honest;
        let heads: Vec<_> =
            machine.plans.keys().filter_map(|origin| Some((origin.clone(), machine.head(origin)?))).collect();
        for (origin, head) in heads {
            let found = self.truth.observe(&origin, &head.checkpoint);
            self.violations.extend(found.filter(|_| is_honest));
        }
    }

    /// An authority makes its next root and uses it from its next record on.
    pub fn rotate(&mut self, node: usize) {
        self.make_roots(node, 1);
    }

    /// An authority makes so many roots, one from the other.
    pub fn make_roots(&mut self, node: usize, count: u64) {
        self.nodes[node].versions.newest += count;
        self.tell_roots(node);
    }

    /// An authority notices that its author key was stolen some time ago: its next root revokes it.
    pub fn disown(&mut self, node: usize) {
        let since = self.now - self.dice.below(60_000);
        let versions = &mut self.nodes[node].versions;
        if versions.disowning.is_none() {
            versions.newest += 1;
            versions.disowning = Some((versions.newest, since));
            self.tell_roots(node);
        }
    }

    fn tell_roots(&mut self, node: usize) {
        let (versions, name) = (self.nodes[node].versions, self.nodes[node].name.clone());
        self.note(|| format!("{node} makes root {versions:?}"));
        let epoch = self.nodes[node].epoch;
        self.tell(node, epoch, Input::OwnRoots(cast::chain(&name, versions)));
        self.index_own_roots(node);
    }
}
