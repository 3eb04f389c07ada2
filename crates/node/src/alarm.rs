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
    /// The same of facts that have an order in each log alone, by log.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, u64>,
    /// The log in which it was found, if that has an order of its own.
    #[serde(skip)]
    found_in: Option<String>,
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

/// Of so many logs it is remembered how far they told of what an alarm is about. What more of them tell is counted again when it
/// is read again.
const MOST_LOGS: usize = 256;

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
            facts: BTreeMap::new(),
            found_in: None,
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

    /// The same of an entry of a log: others of its author have an order of their own.
    #[must_use]
    pub fn of_entry(mut self, origin: &str, index: u64) -> Self {
        (self.fact, self.found_in) = (Some(index), Some(origin.to_owned()));
        self
    }

    /// Whether one that was found is new beside what this one tells of.
    fn lacks(&self, found: &Self) -> bool {
        let known = found.found_in.as_ref().map_or(self.fact, |log| self.facts.get(log).copied());
        found.fact.is_none() || found.fact > known
    }

    /// It tells of one that was found, too.
    fn take(&mut self, found: &Self, now: i64) {
        match (&found.found_in, found.fact) {
            (Some(log), Some(fact)) => {
                if self.facts.len() < MOST_LOGS || self.facts.contains_key(log) {
                    let known = self.facts.entry(log.clone()).or_default();
                    *known = fact.max(*known);
                }
            }
            _ => self.fact = found.fact.max(self.fact),
        }
        (self.last, self.count, self.settled) = (now, self.count + 1, None);
        self.rung.clone_from(&found.rung);
    }

    /// What programs are told of it.
    pub fn shown(&self) -> serde_json::Value {
        serde_json::json!(Self { facts: BTreeMap::new(), ..self.clone() })
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
    let Some(first) = alarms.first() else { return };
    let now = clock::seconds();
    let kept = saved::update::<Alarm>(cells, SPACE, key, |before| {
        let is_new = |alarm: &&Alarm| before.as_ref().is_none_or(|before| before.lacks(alarm));
        let new: Vec<&Alarm> = alarms.iter().filter(is_new).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(log: usize, index: u64) -> Alarm {
        let origin = format!("a.example/log/public/2026.{log}");
        let alarm = Alarm::new("seal-refused").with("author", "a.example").with("origin", &origin);
        alarm.with("name", &index.to_string()).of_entry(&origin, index)
    }

    async fn kept(cells: &dyn Cells) -> Alarm {
        let [alarm] = &list(cells).await.unwrap()[..] else { panic!("one") };
        alarm.clone()
    }

    #[tokio::test]
    async fn however_many_logs_of_an_author_tell_of_something_it_is_one_alarm() {
        let cells = store::MemoryCells::default();
        for log in 0..601 {
            raise(&cells, refused(log, 1)).await;
        }
        let alarm = kept(&cells).await;
        assert_eq!((alarm.count, alarm.arguments["origin"].as_str()), (601, "a.example/log/public/2026.0"));
        assert!(alarm.shown().to_string().len() < 1_000, "{}", alarm.shown());
    }

    #[tokio::test]
    async fn what_is_read_again_is_nothing_new_in_whatever_order_logs_come() {
        let cells = store::MemoryCells::default();
        raise_all(&cells, vec![refused(2, 9), refused(1, 3), refused(1, 4)]).await;
        settle(&cells, &kept(&cells).await.id(), "told them").await.unwrap();
        raise_all(&cells, vec![refused(1, 3), refused(1, 4), refused(2, 9)]).await;
        assert!(kept(&cells).await.settled.is_some());
        raise(&cells, refused(1, 5)).await;
        let alarm = kept(&cells).await;
        assert_eq!((alarm.count, alarm.settled), (4, None));
    }
}
