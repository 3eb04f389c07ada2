//! Links for those who are signed in nowhere on this node: whom they are for is decided when they are made.

use record::Authority;

use crate::clock;
use crate::fault::Fault;
use crate::node::Node;
use crate::operate::OperateError;
use crate::session::{self, Bearer, Door, MAX_DUTY, Peering};

/// Makes a one-time link: for a guest to the meeting room, else to the inside face. A guest is of a confirmed peer.
pub async fn new_link(node: &Node, mut bearer: Bearer) -> Result<String, OperateError> {
    bearer.of = bearer.guest.as_ref().map(|guest| demand_peer(node, guest)).transpose()?;
    demand_duty(&bearer.duty)?;
    let way = match bearer.door() {
        Door::Inside => "enter",
        Door::Meeting => "meetings/enter",
    };
    let secret = session::new_link(&*node.cells, bearer, clock::seconds()).await?;
    Ok(format!("{}/{way}/{secret}", node.config.public_url.trim_end_matches('/')))
}

fn demand_peer(node: &Node, guest: &Authority) -> Result<Peering, OperateError> {
    if let Some(known) = node.confirmed_peer(guest) {
        return Ok(known.peering());
    }
    let message =
        format!("{guest} is not a confirmed peer, so nobody of it can be a guest; add and confirm it first");
    Err(OperateError::argument("--guest", Fault::new("link-guest", message).with("authority", guest)))
}

fn demand_duty(duty: &str) -> Result<(), OperateError> {
    if duty.chars().count() <= MAX_DUTY && !duty.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("a duty has at most {MAX_DUTY} characters, and no control characters");
    Err(OperateError::argument("--duty", Fault::new("link-duty", message).with("limit", MAX_DUTY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duty_is_one_short_line() {
        assert!(demand_duty("").is_ok());
        assert!(demand_duty("Minister of Health, Labour and Welfare").is_ok());
        assert!(demand_duty("two\nlines").is_err());
        assert!(demand_duty(&"厚".repeat(MAX_DUTY)).is_ok());
        assert!(demand_duty(&"厚".repeat(MAX_DUTY + 1)).is_err());
    }
}
