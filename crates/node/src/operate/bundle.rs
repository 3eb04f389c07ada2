//! `concord bundle ...`: the exchange by file, for where there is no line.

use std::sync::Arc;
use std::time::Duration;

use federate::bundle::{Bundle, MAX_BUNDLE};
use federate::engine::Answer;
use federate::{Heads, Route};
use record::{Authority, Origin, Readers, SignedRoot};
use serde_json::json;

use super::{OperateError, Outcome, read_file};
use crate::command::BundleCommand;
use crate::exchange::{self, BundleError};
use crate::node::Node;

/// Taking in a bundle may pause this long before it counts as stuck.
const STUCK: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);
/// When nothing goes on and something is missing, the heads are shown again, as a peer's would be asked for again.
const SHOWN_AGAIN: Duration = Duration::from_millis(500);

pub(super) async fn run(node: &Arc<Node>, command: BundleCommand) -> Result<Outcome, OperateError> {
    match command {
        BundleCommand::Export { file, reader } => {
            start_exchange(node).await?;
            let bundle = node.make_bundle(reader.as_ref()).await?;
            let bytes = bundle.to_bytes();
            std::fs::write(&file, &bytes).map_err(|e| OperateError::file(&file, e))?;
            let logs = bundle.heads().logs.len();
            let text = format!("{logs} logs, {} bytes in {}", bytes.len(), file.display());
            Ok(Outcome::new(json!({ "file": file, "bytes": bytes.len(), "logs": logs }), text))
        }
        BundleCommand::Import { file } => import(node, &read_file(&file, MAX_BUNDLE)?).await,
    }
}

/// The engine must run to read or to write bundles.
async fn start_exchange(node: &Arc<Node>) -> Result<(), OperateError> {
    exchange::run_here(node).await?;
    // It has taken in its own logs once it knows the newest of them.
    for log in node.own_logs().await? {
        let Some(head) = node.own_head(&log.origin).await? else { continue };
        let deadline = tokio::time::Instant::now() + STUCK;
        loop {
            let (body, _) = node.engine().heads(Some(&node.config.authority));
            let heads = federate::Heads::parse(&body).unwrap_or_default();
            let known = heads.logs.get(&log.origin).map_or(0, |h| h.checkpoint.checkpoint.size);
            if known >= head.checkpoint.size || tokio::time::Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

async fn import(node: &Arc<Node>, bytes: &[u8]) -> Result<Outcome, OperateError> {
    let bundle = Arc::new(Bundle::parse(bytes).map_err(BundleError::from)?);
    let from = bundle.from.clone();
    if node.confirmed_peer(&from).is_none() {
        return Err(BundleError::Stranger(from).into());
    }
    if let Some(reader) = &bundle.reader
        && *reader != node.config.authority
    {
        return Err(BundleError::NotForUs(reader.clone()).into());
    }
    start_exchange(node).await?;
    node.set_bundle(&from, Some(bundle.clone()));
    node.tell_engine_of_peers();
    let result = taken_in(node, &bundle).await;
    node.set_bundle(&from, None);
    node.tell_engine_of_peers();
    let (logs, entries) = result?;
    let text = format!("{logs} logs of the bundle of {from} are here and verified, {entries} entries");
    Ok(Outcome::new(json!({ "from": from, "logs": logs, "entries": entries }), text))
}

/// The newest roots in a bundle: of whom, which version, and the bytes.
fn newest_roots(node: &Node, bundle: &Bundle) -> Vec<(Authority, u64, Vec<u8>)> {
    let file = |route: &Route| match bundle.answer(&route.path(), None) {
        Answer::Response { status: 200, body, .. } => Some(body),
        _ => None,
    };
    let own = file(&Route::WellKnownRoot);
    let others = node.confirmed_peers().into_iter().filter_map(|known| {
        let authority = known.peer.authority.clone();
        let versions = known.chain.latest().version..;
        let shown = versions.map_while(|n| file(&Route::PeerRoot { authority: authority.clone(), n }));
        shown.last()
    });
    let signed =
        own.into_iter().chain(others).filter_map(|bytes| Some((SignedRoot::parse(&bytes).ok()?.root, bytes)));
    signed.map(|(root, bytes)| (root.authority, root.version, bytes)).collect()
}

/// Shows the bundle's heads to the engine.
async fn show_heads(node: &Node, bundle: &Bundle) -> Result<(), OperateError> {
    let incomplete = || OperateError::from(BundleError::Incomplete("heads".into()));
    let Answer::Response { status: 200, body, .. } = bundle.answer(&Route::Heads.path(), None) else {
        return Err(incomplete());
    };
    let (request, reply) = node.inbox.get().ok_or_else(incomplete)?.expect_reply();
    node.tell(federate::Input::HeadsShown { request, peer: bundle.from.clone(), body });
    if reply.await.is_ok_and(|reply| reply.status == 202) { Ok(()) } else { Err(incomplete()) }
}

/// How far a bundle is taken in.
#[derive(Default)]
struct Progress {
    /// Logs of others that are for this node, and their entries that are here.
    logs: usize,
    entries: u64,
    missing: Vec<String>,
    /// What shows that it goes on: log, entries, blobs that are missing, `seen` files.
    state: Vec<(Origin, u64, u64, u64)>,
}

/// Waits until everything in the bundle that is for this node is verified and stored: entries, blobs, witness files, and what
/// it says of our own logs.
async fn taken_in(node: &Node, bundle: &Bundle) -> Result<(usize, u64), OperateError> {
    let (heads, roots) = (bundle.heads(), newest_roots(node, bundle));
    show_heads(node, bundle).await?;
    let (mut before, mut shown) = (Vec::new(), tokio::time::Instant::now());
    let mut deadline = shown + STUCK;
    loop {
        let mut progress = Progress::default();
        look_at_roots(node, bundle, &roots, &mut progress);
        look_at_logs(node, bundle, &heads, &mut progress)?;
        look_at_own(node, bundle, &heads, &mut progress);
        let now = tokio::time::Instant::now();
        let (is_late, is_quiet) = (now > deadline, node.engine().is_quiet_with(&bundle.from));
        let Progress { logs, entries, missing, state } = progress;
        // What was shown of trees that are here is compared with them, and an alarm raised, before this ends.
        if missing.is_empty() && (is_late || is_quiet) {
            return Ok((logs, entries));
        }
        if is_late {
            return Err(BundleError::Incomplete(missing.join(", ")).into());
        }
        if state != before {
            deadline = now + STUCK;
            before = state;
        }
        // Some of what heads say can be taken only after something else has come: a receipt, when the entries are back.
        if is_quiet && now > shown + SHOWN_AGAIN {
            show_heads(node, bundle).await?;
            shown = now;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What a root revokes must be known before what its logs say is believed; they need not speak of it.
fn look_at_roots(node: &Node, bundle: &Bundle, roots: &[(Authority, u64, Vec<u8>)], progress: &mut Progress) {
    for (authority, version, bytes) in roots {
        let known = node.confirmed_peer(authority).map(|known| known.chain.latest().version);
        if known.is_some_and(|known| known < *version) {
            node.tell(federate::Input::RootShown { peer: bundle.from.clone(), bytes: bytes.clone() });
            progress.missing.push(format!("root {version} of {authority}"));
        }
    }
}

fn look_at_logs(
    node: &Node,
    bundle: &Bundle,
    heads: &Heads,
    progress: &mut Progress,
) -> Result<(), OperateError> {
    let followed = node.engine().followed();
    for (origin, head) in heads.logs.iter().filter(|(o, _)| o.authority != node.config.authority) {
        let wanted = head.checkpoint.checkpoint.size;
        let log = followed.iter().find(|f| f.origin == *origin);
        if log.is_some_and(|log| log.is_split) {
            return Err(BundleError::Incomplete(format!("{origin} has two views")).into());
        }
        let reads =
            log.and_then(|l| l.readers.as_ref()).is_none_or(|r: &Readers| r.includes(&node.config.authority));
        if node.confirmed_peer(&origin.authority).is_none() || !reads {
            continue;
        }
        let (size, blobs, seen) = log.map_or((0, 0, 0), |l| (l.size, l.wanted_blobs, l.seen));
        // Only the author numbers its witness files: no more are taken than it has shown itself.
        let shown = if bundle.from == origin.authority {
            head.seen
        } else {
            head.seen.min(log.map_or(0, |l| l.seen_told))
        };
        progress.state.push((origin.clone(), size, blobs, seen));
        progress.logs += 1;
        progress.entries += size.min(wanted);
        if size < wanted || blobs > 0 || seen < shown {
            progress.missing.push(format!(
                "{origin} ({size} of {wanted} entries, {blobs} blobs missing, {seen} of {shown} witness files)"
            ));
        }
    }
    Ok(())
}

/// What the other side has of our own logs: entries that this state lost, witness files, and its receipt.
fn look_at_own(node: &Node, bundle: &Bundle, heads: &Heads, progress: &mut Progress) {
    let engine = node.engine();
    for (origin, head) in heads.logs.iter().filter(|(o, _)| o.authority == node.config.authority) {
        let (size, seen) = (engine.own_size(origin), engine.own_seen(origin));
        let wanted = head.checkpoint.checkpoint.size;
        progress.state.push((origin.clone(), size, 0, seen));
        if size < wanted || seen < head.seen {
            let what =
                format!("{origin} ({size} of {wanted} entries, {seen} of {} witness files)", head.seen);
            progress.missing.push(what);
        } else if engine.lacks_receipt(&bundle.from, origin, head) {
            progress.missing.push(format!("the receipt for {origin}"));
        }
    }
}
