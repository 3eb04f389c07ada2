//! Alarms: what an operator must know, kept in `state` for good. A person settles one, with a note, and it rings again if its
//! cause comes again. It decides nothing else, and nothing but a person ends one.
//!
//! The index tells of the same facts whenever it is read anew, in any order. Which of them an alarm told of is therefore kept in
//! `state`, by their places ([`told`]): what is new depends on no time, number or order that an author chooses.

mod told;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::Cells;
use tlog::hash::sha256;

use crate::clock;
use crate::fault::Fault;
use crate::saved;
pub use told::Fact;
use told::Told;

const SPACE: &str = "alarm";
/// The argument that holds the fault behind an alarm, as JSON.
const FAULT: &str = "why-fault";

/// An alarm: a machine code with arguments, shown in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it is.
    pub code: String,
    /// About what.
    pub arguments: BTreeMap<String, String>,
    /// When it was first raised, seconds since 1970.
    pub first: i64,
    /// When it was last raised.
    pub last: i64,
    /// How often.
    pub count: u64,
    /// What an operator said who settled it, if it has not rung since.
    #[serde(default)]
    pub settled: Option<Settled>,
    /// The largest count that it told of, where only a larger one is new.
    #[serde(default)]
    pub fact: Option<u64>,
    /// Where the fact that it tells of is found; at any of these it is the same one.
    #[serde(skip)]
    places: Vec<Fact>,
    /// The name under which the exchange keeps it from ringing again.
    #[serde(default)]
    pub rung: Option<String>,
}

/// An operator's word on an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// When, seconds since 1970.
    pub at: i64,
    /// What was done, or why nothing is to be done.
    pub note: String,
}

/// The longest note, in characters.
pub const MAX_NOTE: usize = 500;

impl Alarm {
    /// An alarm with a machine code.
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            arguments: BTreeMap::new(),
            first: 0,
            last: 0,
            count: 0,
            settled: None,
            fact: None,
            places: Vec::new(),
            rung: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.arguments.insert(name.to_owned(), value.to_owned());
        self
    }

    /// It tells of a count that only grows: a larger one is new.
    #[must_use]
    pub fn of_count(mut self, n: u64) -> Self {
        self.fact = Some(n);
        self
    }

    /// It tells of something that is so for good, as the records at these places say it.
    #[must_use]
    pub fn of_facts(mut self, places: Vec<Fact>) -> Self {
        self.places = places;
        self
    }

    /// Whether one that was found is new beside what this one tells of.
    fn lacks(&self, found: &Self) -> bool {
        found.fact.is_none() || found.fact > self.fact
    }

    /// It tells of one that was found, too.
    fn take(&mut self, found: &Self, now: i64) {
        self.fact = found.fact.max(self.fact);
        (self.last, self.count, self.settled) = (now, self.count + 1, None);
        self.rung.clone_from(&found.rung);
    }

    /// Says why: in English for the operator's journal, and with code and arguments for everybody's language.
    #[must_use]
    pub fn because(self, why: &Fault) -> Self {
        let fault = serde_json::to_string(why).unwrap_or_default();
        self.with("why", &why.message).with(FAULT, &fault)
    }

    /// The fault behind it, if there is one.
    pub fn fault(&self) -> Option<Fault> {
        serde_json::from_str(self.arguments.get(FAULT)?).ok()
    }

    /// Equal alarms have equal keys.
    pub fn key(&self) -> String {
        format!("{} {}", self.code, self.id())
    }

    /// What makes two alarms the same one: all that they are about. Of what somebody's records can bring about without end there
    /// is one for each author: it names the first and counts them.
    fn identity(&self) -> BTreeMap<&str, &str> {
        let whose = match self.code.as_str() {
            "invalid-entry" | "seal-refused" | "conflicting-edition" | "thing-crowded" => Some("author"),
            _ => None,
        };
        let all = self.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| whose.is_none_or(|whose| *name == whose)).collect()
    }

    /// A short name for operators, made of what it is about.
    pub fn id(&self) -> String {
        // What the exchange takes for the same one is the same one here, whatever it says of amounts.
        let arguments =
            self.rung.clone().unwrap_or_else(|| serde_json::to_string(&self.identity()).unwrap_or_default());
        let mut hash = sha256(format!("{} {arguments}", self.code).as_bytes()).to_hex();
        hash.truncate(16);
        hash
    }
}

/// Raises an alarm, or counts one that was raised before. A failure to keep it is itself logged.
pub async fn raise(cells: &dyn Cells, alarm: Alarm) {
    raise_all(cells, vec![alarm]).await;
}

/// Raises alarms, or counts those that were raised before: of many that are the same one, one is written and logged.
pub async fn raise_all(cells: &dyn Cells, alarms: Vec<Alarm>) {
    let mut same: BTreeMap<String, Vec<Alarm>> = BTreeMap::new();
    for alarm in alarms {
        same.entry(alarm.key()).or_default().push(alarm);
    }
    for (key, alarms) in same {
        keep(cells, &key, &alarms).await;
    }
}

/// Keeps alarms that are the same one, in the order in which they were found.
async fn keep(cells: &dyn Cells, key: &str, alarms: &[Alarm]) {
    if let Err(error) = try_keep(cells, key, alarms).await {
        tracing::error!(%error, "the alarm could not be kept");
    }
}

async fn try_keep(cells: &dyn Cells, key: &str, alarms: &[Alarm]) -> Result<(), saved::SavedError> {
    let Some(first) = alarms.first() else { return Ok(()) };
    let now = clock::seconds();
    let mut told = Told::default();
    let mut untold = Vec::new();
    for alarm in alarms {
        if alarm.places.is_empty() || told.is_new(cells, &first.code, &alarm.places).await? {
            untold.push(alarm);
        }
    }
    saved::update::<Alarm>(cells, SPACE, key, |before| {
        let is_new = |alarm: &&&Alarm| before.as_ref().is_none_or(|before| before.lacks(alarm));
        let new: Vec<&&Alarm> = untold.iter().filter(is_new).collect();
        if new.is_empty() {
            return before;
        }
        tracing::error!(code = first.code, arguments = ?first.arguments, times = new.len(), "alarm");
        let begun = || Alarm { first: now, arguments: first.arguments.clone(), ..Alarm::new(&first.code) };
        let mut next = before.clone().unwrap_or_else(begun);
        for found in new {
            next.take(found, now);
        }
        Some(next)
    })
    .await?;
    // Last: what is cut off in between rings twice, and not never.
    told.save(cells).await
}

/// Settles the alarm with this id; `None` if there is none.
pub async fn settle(cells: &dyn Cells, id: &str, note: &str) -> Result<Option<Alarm>, saved::SavedError> {
    let all = saved::readable::<Alarm>(cells, SPACE).await?.0;
    let Some((key, _)) = all.into_iter().find(|(_, alarm)| alarm.id() == id) else { return Ok(None) };
    let settled = Settled { at: clock::seconds(), note: note.to_owned() };
    saved::update::<Alarm>(cells, SPACE, &key, |alarm| {
        alarm.map(|alarm| Alarm { settled: Some(settled.clone()), ..alarm })
    })
    .await
}

/// Every alarm.
pub async fn list(cells: &dyn Cells) -> Result<Vec<Alarm>, saved::SavedError> {
    let mut all: Vec<Alarm> =
        saved::readable::<Alarm>(cells, SPACE).await?.0.into_iter().map(|(_, a)| a).collect();
    all.sort_by_key(|a| std::cmp::Reverse(a.last));
    Ok(all)
}

#[cfg(test)]
mod tests;
