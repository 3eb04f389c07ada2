//! Alarms: what an operator must know, kept in `state` for good. It decides nothing, and nothing ends one.

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
}

impl Alarm {
    /// An alarm with a machine code.
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), arguments: BTreeMap::new(), first: 0, last: 0, count: 0 }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.arguments.insert(name.to_owned(), value.to_owned());
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
        let arguments = serde_json::to_string(&self.arguments).unwrap_or_default();
        let hash = sha256(format!("{} {arguments}", self.code).as_bytes()).to_hex();
        format!("{} {}", self.code, &hash[..16])
    }
}

/// Raises an alarm, or counts one that was raised before. A failure to keep it is itself logged.
pub async fn raise(cells: &dyn Cells, alarm: Alarm) {
    let now = clock::seconds();
    tracing::error!(code = alarm.code, arguments = ?alarm.arguments, "alarm");
    let kept = saved::update::<Alarm>(cells, SPACE, &alarm.key(), |before| {
        let mut next = before.unwrap_or_else(|| Alarm { first: now, ..alarm.clone() });
        next.last = now;
        next.count += 1;
        Some(next)
    })
    .await;
    if let Err(error) = kept {
        tracing::error!(%error, "the alarm could not be kept");
    }
}

/// Every alarm.
pub async fn list(cells: &dyn Cells) -> Result<Vec<Alarm>, saved::SavedError> {
    let mut all: Vec<Alarm> =
        saved::list::<Alarm>(cells, SPACE, "").await?.into_iter().map(|(_, a)| a).collect();
    all.sort_by_key(|a| std::cmp::Reverse(a.last));
    Ok(all)
}
