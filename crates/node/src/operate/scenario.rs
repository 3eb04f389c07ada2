//! `concord scenario ...`: a released scenario is run again and compared.

use serde_json::json;
use tlog::hash::{Hash, sha256};

use super::{OperateError, Outcome};
use crate::command::ScenarioCommand;
use crate::desks::scenario::outcome;
use crate::desks::scenario::released::{self, Unreadable};
use crate::fault::Fault;
use crate::node::Node;

pub(super) async fn run(node: &Node, command: ScenarioCommand) -> Result<Outcome, OperateError> {
    let ScenarioCommand::Check { name } = command;
    let hash = Hash::from_hex(&name).map_err(|why| OperateError::argument("NAME", why))?;
    let found = match released::load(node, &name).await {
        Ok(found) => found,
        Err(Unreadable::Missing) => return Err(OperateError::unknown_record(&hash)),
        Err(Unreadable::Refused(problem)) => {
            let message = format!("{name} is no scenario that can be run again: {}", problem.code());
            return Err(OperateError::Argument(Fault::new("scenario-text", message)));
        }
        Err(Unreadable::Storage(error)) => {
            return Err(OperateError::File { path: "index and files".into(), why: error });
        }
    };
    let again = outcome::run(&found.assumptions, &found.history)
        .map_err(|error| OperateError::Argument(error.fault()))?
        .csv();
    let same = again == found.outcome;
    let hashes = [&found.outcome, &again].map(|text| sha256(text.as_bytes()).to_hex());
    let text = if same {
        format!("the outcome of {name} was computed again: the same {} bytes, {}", again.len(), hashes[0])
    } else {
        format!("the outcome of {name} is {}, but computed again it is {}", hashes[0], hashes[1])
    };
    let outcome = Outcome::new(json!({ "same": same, "released": hashes[0], "computed": hashes[1] }), text);
    Ok(if same { outcome } else { outcome.refusing() })
}
