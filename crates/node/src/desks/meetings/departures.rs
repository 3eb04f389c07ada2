//! Whoever may be in the room no more leaves it: whose session ended, was ended or is over, and guests whose authority is no
//! confirmed peer any more.
//!
//! A token, once made, says nothing of that, and whoever is inside gets newer ones from the engine. So the engine in this
//! program asks before each entry ([`stands`]), and what is in the room is compared with the sessions whenever
//! [`Node::departures`] rings, and every few seconds ([`watch`]): sessions end by the clock too. It never looks at a token.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use record::Authority;

use super::attendee::Attendee;
use super::carrier::{Carrier, CarrierError};
use super::pages::plain_room;
use crate::clock;
use crate::node::Node;
use crate::session::{self, SessionError};

/// So long somebody may be inside after the end of a session that nobody ended.
const ROUND: Duration = Duration::from_secs(10);

/// Why nobody was put out.
#[derive(Debug, thiserror::Error)]
enum DepartureError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Carrier(#[from] CarrierError),
}

/// What the engine calls those who may be inside now.
async fn those_who_may(node: &Node) -> Result<HashSet<String>, SessionError> {
    let sessions = session::list(&*node.cells, clock::seconds()).await?;
    Ok(sessions.iter().filter_map(|session| Some(Attendee::of(node, session)?.identity)).collect())
}

/// May this one still enter? Who cannot be found out about may not; of whom another program sent, its token says enough.
pub async fn stands(node: &Node, identity: &str) -> bool {
    if !is_of_this_desk(identity) {
        return true;
    }
    match those_who_may(node).await {
        Ok(those) => those.contains(identity),
        Err(error) => {
            tracing::error!(%error, "whose sessions are open cannot be read: nobody enters a meeting");
            false
        }
    }
}

/// Is this one of the names that tickets of this desk have? A server may carry others, such as recorders.
fn is_of_this_desk(identity: &str) -> bool {
    let parts = identity.rsplit_once('/');
    parts.is_some_and(|(authority, name)| authority.parse::<Authority>().is_ok() && session::is_name(name))
}

/// Puts out who may be inside no more, for as long as the server leads.
pub async fn watch(node: Arc<Node>) {
    let mut round = tokio::time::interval(ROUND);
    round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = round.tick() => {}
            () = node.departures.notified() => {}
        }
        let Some(carrier) = node.carrier.get() else { continue };
        if let Err(error) = put_out(&node, carrier).await {
            tracing::warn!(%error, "whether somebody has to leave the meeting could not be found out; it is tried again");
        }
    }
}

async fn put_out(node: &Node, carrier: &Carrier) -> Result<(), DepartureError> {
    let (room, now) = (plain_room(node), u64::try_from(clock::seconds()).unwrap_or_default());
    let inside = carrier.inside(&room, now).await?;
    if inside.is_empty() {
        return Ok(());
    }
    let those = those_who_may(node).await?;
    for identity in inside.iter().filter(|identity| is_of_this_desk(identity) && !those.contains(*identity)) {
        carrier.remove(&room, identity, now).await?;
        tracing::info!(room, identity, "somebody whose session is over leaves the meeting");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_that_another_program_sent_is_none_of_ours() {
        assert!(is_of_this_desk("moh.jpn.example/0123456789abcdef"));
        for other in ["EG_recorder", "moh.jpn.example", "moh.jpn.example/0123", "x y/0123456789abcdef"] {
            assert!(!is_of_this_desk(other), "{other}");
        }
    }
}
