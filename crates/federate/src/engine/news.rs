//! When whoever waits for news of this node's heads is woken. Each time everybody's heads are written anew, so that an author
//! whose logs change all the time is told of now and then only, and everybody else at once.

use std::collections::{BTreeMap, BTreeSet};

use record::Authority;

use super::{Engine, Output};

/// So many changes of one author are told without a wait between: entries, their proof and a receipt follow each other.
const AT_ONCE: u64 = 4;

/// What is told, and what is to be.
#[derive(Debug, Default)]
pub(super) struct News {
    /// When changes of an author would be told if they were told at an even pace.
    paced: BTreeMap<Authority, u64>,
    /// Authors of whom there is news that is not told yet, and when it is.
    untold: BTreeSet<Authority>,
    due: Option<u64>,
    /// Whether it was told of since the last input.
    is_told: bool,
}

impl News {
    pub fn deadline(&self) -> Option<u64> {
        self.due
    }

    /// An input is taken: what it changes is told once.
    pub fn begin(&mut self) {
        self.is_told = false;
    }
}

impl Engine {
    /// What is shown of an author's logs changed.
    pub(super) fn heads_changed(&mut self, author: &Authority) {
        let (now, every) = (self.now, self.config.limits.at_most_every);
        if *author == self.config.me {
            return self.tell_news();
        }
        if self.news.untold.contains(author) {
            return;
        }
        let paced = self.news.paced.entry(author.clone()).or_default();
        *paced = (*paced).max(now.saturating_sub(AT_ONCE * every)) + every;
        let at = *paced;
        if at <= now {
            return self.tell_news();
        }
        self.news.untold.insert(author.clone());
        self.news.due = Some(self.news.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn run_news(&mut self) {
        if self.news.due.is_some_and(|at| at <= self.now) {
            self.tell_news();
        }
    }

    /// Who is woken sees everything.
    fn tell_news(&mut self) {
        (self.news.due, self.news.untold) = (None, BTreeSet::new());
        if !std::mem::replace(&mut self.news.is_told, true) {
            self.out.push(Output::HeadsChanged);
        }
    }
}
