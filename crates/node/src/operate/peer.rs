//! `concord peer ...`: which authorities this node exchanges with.

use std::fmt::Write as _;
use std::sync::Arc;

use record::Authority;
use serde_json::{Value, json};

use super::{OperateError, Outcome, read_file};
use crate::clock;
use crate::command::{PeerAdd, PeerCommand};
use crate::fault::Fault;
use crate::node::Node;
use crate::outbound::Address;
use crate::peers::{self, Known, Peer, PeerError, Standing};
use crate::session;

/// Roots fetched of one authority at most.
const MAX_ROOTS: u64 = 1000;
/// Bytes of one root at most.
const MAX_ROOT: usize = 64 * 1024;

pub(super) async fn run(node: &Arc<Node>, command: PeerCommand) -> Result<Outcome, OperateError> {
    match command {
        PeerCommand::Add(add) => self::add(node, add).await,
        PeerCommand::Confirm { authority, fingerprint } => {
            let peer = peers::confirm(&*node.cells, &authority, &fingerprint).await?;
            node.reload_peers().await?;
            node.tell_engine_of_peers();
            let text = format!("{authority} is confirmed; the exchange begins");
            Ok(Outcome::new(peer, text))
        }
        PeerCommand::Name { authority, names } => {
            let peer = peers::rename(&*node.cells, &authority, &names).await?;
            node.reload_peers().await?;
            let text = format!("{authority} is shown under its new names");
            Ok(Outcome::new(peer, text))
        }
        PeerCommand::List => Ok(list(node)),
        PeerCommand::LeaveOut { authority } => {
            let peer = peers::leave_out(&*node.cells, &authority, true).await?;
            node.reload_peers().await?;
            let text = format!(
                "{authority} is left out of every desk's pages; its records are copied and proven as before"
            );
            Ok(Outcome::new(peer, text))
        }
        PeerCommand::TakeUp { authority } => {
            let peer = peers::leave_out(&*node.cells, &authority, false).await?;
            node.reload_peers().await?;
            Ok(Outcome::new(peer, format!("what {authority} says is on the pages again")))
        }
        PeerCommand::Remove { authority } => {
            peers::remove(&*node.cells, &authority).await?;
            node.reload_peers().await?;
            session::end_guests_of(&*node.cells, &authority).await?;
            node.departures.notify_one();
            node.tell_engine_of_peers();
            let unproven = node.logs_that_need(&authority).await?;
            let mut text = format!(
                "{authority} is removed: nothing is exchanged with it any more; what it shared is kept"
            );
            for origin in &unproven {
                let _ = write!(
                    text,
                    "\n{origin} needs its cosignature: nothing more in it is proven. End it with\n  concord log close {origin}\nand the next record opens a log that is witnessed by the peers that are left"
                );
            }
            Ok(Outcome::new(json!({ "removed": authority, "unproven": unproven }), text))
        }
    }
}

async fn add(node: &Arc<Node>, add: PeerAdd) -> Result<Outcome, OperateError> {
    if add.authority == node.config.authority {
        return Err(PeerError::Oneself(add.authority).into());
    }
    if node.confirmed_peer(&add.authority).is_some() {
        return Err(PeerError::Confirmed(add.authority).into());
    }
    let fingerprint = peers::typed_fingerprint(&add.fingerprint)?;
    let roots = match &add.root {
        Some(path) => vec![read_file(path, MAX_ROOT as u64)?],
        None => fetch_roots(node, &add.authority, add.endpoint.as_deref()).await?,
    };
    let chain = peers::check_chain(&add.authority, &fingerprint, &roots)?;
    let mut peer = Peer {
        authority: add.authority.clone(),
        fingerprint,
        standing: Standing::Proposed,
        code: add.code,
        name: None,
        names: std::collections::BTreeMap::new(),
        role: add.role,
        added: clock::now(),
        left_out: false,
    };
    peers::name(&mut peer, &add.name)?;
    peers::save(&*node.cells, &Known { peer: peer.clone(), chain }).await?;
    node.reload_peers().await?;
    let text = format!(
        "{} is proposed with fingerprint\n  {}\nA second operator types it again: concord peer confirm {}",
        add.authority,
        fingerprint.grouped(),
        add.authority
    );
    Ok(Outcome::new(peer, text))
}

/// Every root of an authority, from its first to its newest.
async fn fetch_roots(
    node: &Node,
    authority: &Authority,
    endpoint: Option<&str>,
) -> Result<Vec<Vec<u8>>, OperateError> {
    let address = match (node.config.dial.get(authority), endpoint) {
        (Some(url), _) => Address::Dialled(url.clone()),
        (None, Some(url)) => Address::Published(url.to_owned()),
        (None, None) => {
            return Err(OperateError::Argument(
                Fault::new(
                    "peer-where",
                    format!("where is {authority}? Give --endpoint https://..., or --root FILE, or name it under [dial]"),
                )
                .with("authority", authority),
            ));
        }
    };
    let mut roots = Vec::new();
    for version in 1..=MAX_ROOTS {
        let answer =
            node.outbound.get(&address, &format!("/root/{version}"), Default::default(), MAX_ROOT).await?;
        match answer.status {
            200 => roots.push(answer.body.to_vec()),
            _ if version > 1 => break,
            status => {
                return Err(OperateError::NotFound(
                    Fault::new(
                        "peer-no-first-root",
                        format!("{authority} answers {status} when asked for its first root"),
                    )
                    .with("authority", authority)
                    .with("status", status),
                ));
            }
        }
    }
    Ok(roots)
}

fn list(node: &Node) -> Outcome {
    let peers = node.peers();
    let mut text =
        format!("{} (this node)\n  {}\n", node.config.authority, node.own_chain().fingerprint().grouped());
    for known in peers.values() {
        let standing = known.peer.standing.word();
        let left_out = if known.peer.left_out { ", left out of pages" } else { "" };
        text.push_str(&format!(
            "{} {} {standing}{left_out}, root {}\n  {}\n",
            known.peer.authority,
            known.shown_name(),
            known.chain.latest().version,
            known.peer.fingerprint.grouped()
        ));
    }
    let damaged = node.damaged_peers();
    for (authority, why) in &damaged {
        text.push_str(&format!(
            "{authority} LEFT OUT: what state holds of its roots is damaged ({why}). Add and confirm it again: concord peer add {authority} --fingerprint ...\n"
        ));
    }
    let rows = peers.values().map(|known| {
        let mut row = json!(known.peer);
        row["address"] = json!(known.address(&node.config).map(|address| address.to_string()));
        row
    });
    let rows: Vec<Value> = rows.collect();
    Outcome::new(
        json!({
            "authority": node.config.authority,
            "fingerprint": node.own_chain().fingerprint(),
            "peers": rows,
            "damaged": damaged,
        }),
        text,
    )
}
