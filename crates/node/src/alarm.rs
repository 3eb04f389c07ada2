//! Alarms: what an operator must know, kept in `state` for good. A person settles one, with a note, and it rings again if its
//! cause comes again. It decides nothing else, and nothing but a person ends one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::Cells;
use tlog::hash::sha256;

use crate::clock;
use crate::fault::Fault;
use crate::saved;

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
    /// The last of the facts that it tells of, in their order: the same ones, read again, are nothing new.
    #[serde(default)]
    pub fact: Option<u64>,
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
            rung: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.arguments.insert(name.to_owned(), value.to_owned());
        self
    }

    /// It tells of something that is so for good, as the records say it, and of its like in this order.
    #[must_use]
    pub fn of_fact(mut self, n: u64) -> Self {
        self.fact = Some(n);
        self
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
    /// is one for each log, or each author: it names the first and counts them.
    fn identity(&self) -> BTreeMap<&str, &str> {
        let whose = match self.code.as_str() {
            "invalid-entry" | "seal-refused" => Some("origin"),
            "conflicting-edition" | "thing-crowded" => Some("author"),
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
    let Some(first) = alarms.first() else { return };
    let now = clock::seconds();
    let kept = saved::update::<Alarm>(cells, SPACE, key, |before| {
        let known = before.as_ref().and_then(|before| before.fact);
        let is_new = |alarm: &&Alarm| alarm.fact.is_none() || alarm.fact > known;
        let new: Vec<&Alarm> = alarms.iter().filter(is_new).collect();
        let Some(last) = new.iter().max_by_key(|alarm| alarm.fact) else { return before };
        tracing::error!(code = first.code, arguments = ?first.arguments, times = new.len(), "alarm");
        let mut next = before.unwrap_or_else(|| Alarm { first: now, ..first.clone() });
        next.fact = last.fact;
        next.last = now;
        next.count += new.len() as u64;
        (next.settled, next.rung) = (None, first.rung.clone());
        Some(next)
    })
    .await;
    if let Err(error) = kept {
        tracing::error!(%error, "the alarm could not be kept");
    }
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
