//! `concord alarm ...`: what is wrong, and what was done about it.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::json;

use super::{OperateError, Outcome};
use crate::alarm::{self, Alarm, MAX_NOTE};
use crate::command::AlarmCommand;
use crate::desks::network::tables::alarm_text;
use crate::fault::Fault;
use crate::i18n::{Lang, Locale};
use crate::node::Node;

pub(super) async fn run(node: &Arc<Node>, command: AlarmCommand) -> Result<Outcome, OperateError> {
    match command {
        AlarmCommand::List { all } => list(node, all).await,
        AlarmCommand::Settle { id, note } => settle(node, &id, note.trim()).await,
    }
}

async fn list(node: &Node, all: bool) -> Result<Outcome, OperateError> {
    let mut alarms = alarm::list(&*node.cells).await?;
    alarms.retain(|alarm| all || alarm.settled.is_none());
    let mut text: String = alarms.iter().map(line).collect();
    if alarms.is_empty() {
        text.push_str(if all { "no alarm was ever raised\n" } else { "no alarm is open\n" });
    }
    let rows = alarms.iter().map(|alarm| {
        let mut row = json!(alarm);
        row["id"] = json!(alarm.id());
        row
    });
    Ok(Outcome::new(rows.collect::<Vec<_>>(), text))
}

async fn settle(node: &Arc<Node>, id: &str, note: &str) -> Result<Outcome, OperateError> {
    if note.is_empty() || note.chars().count() > MAX_NOTE || note.chars().any(char::is_control) {
        let message = format!("a note has 1 to {MAX_NOTE} characters, in one line");
        return Err(OperateError::Argument(
            Fault::new("settle-note", message).with("limit", MAX_NOTE).at("--note"),
        ));
    }
    let settled = alarm::settle(&*node.cells, id, note).await?;
    let settled = settled.ok_or_else(|| {
        let message = format!("there is no alarm {id}: `concord alarm list` names them");
        OperateError::NotFound(Fault::new("settle-unknown", message).with("id", id))
    })?;
    if let Some(key) = &settled.rung {
        node.tell(federate::Input::Settled { key: key.clone() });
    }
    let text = format!("settled: {}", line(&settled));
    Ok(Outcome::new(settled, text.trim_end().to_owned()))
}

/// An alarm as the pages say it, without the marks that isolate names in a line of mixed directions.
pub(super) fn line(alarm: &Alarm) -> String {
    let said = alarm_text(&Locale::new(Lang::En, TimeZone::UTC), alarm).replace(['\u{2068}', '\u{2069}'], "");
    let time = |at| record::Time::from_posix(at).map(|at| at.to_string()).unwrap_or_default();
    let times = if alarm.count > 1 { format!(", {} times", alarm.count) } else { String::new() };
    let end = alarm.settled.as_ref();
    let end = end.map(|end| format!("; settled {}: {}", time(end.at), end.note)).unwrap_or_default();
    let mark = if alarm.settled.is_some() { "settled" } else { "ALARM" };
    format!("{mark} {} {}{times}: {said} ({}){end}\n", alarm.id(), time(alarm.last), alarm.code)
}
