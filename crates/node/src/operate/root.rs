//! `concord root ...`: the next trust root, from draft to use. Root keys are never here: signing is
//! done where they are kept.

use std::sync::Arc;

use record::root::{AgeRecipient, ListedKey, SignedRoot, TrustRoot};
use serde_json::json;
use tlog::VerifierKey;
use tlog::hash::{Hash, sha256};

use super::key::{Changes, NEXT_KEY, NEXT_SPACE};
use super::release::argument;
use super::{OperateError, Outcome, read_file};
use crate::age_keys::{self, AGE_SPACE, AgeSecret};
use crate::clock;
use crate::command::RootCommand;
use crate::fault::Fault;
use crate::init::{ROOT_SPACE, version_key};
use crate::node::Node;
use crate::saved;

const DAY: i64 = 86_400;
/// Bytes of a root at most.
const MAX_ROOT: u64 = 64 * 1024;

pub(super) async fn run(node: &Arc<Node>, command: RootCommand) -> Result<Outcome, OperateError> {
    match command {
        RootCommand::Show => Ok(show(node)),
        RootCommand::Draft { file, root_keys, next_keys, next_threshold, days } => {
            let draft = draft(node, &root_keys, &next_keys, next_threshold, days).await?;
            let text = draft.to_text();
            std::fs::write(&file, &text).map_err(|e| OperateError::file(&file, e))?;
            let shown = format!(
                "root {} is drafted in {}\nRead it, carry it to the root keys and sign it there: concord root sign --key KEY {}",
                draft.version,
                file.display(),
                file.display()
            );
            Ok(Outcome::new(json!({ "version": draft.version, "file": file, "text": text }), shown))
        }
        RootCommand::Sign { .. } | RootCommand::Keys { .. } | RootCommand::Vkey { .. } => {
            Err(OperateError::Argument(Fault::new(
                "root-keys-elsewhere",
                "root keys never come to a node: this command is run where they are kept",
            )))
        }
        RootCommand::Publish { file } => publish(node, &read_file(&file, MAX_ROOT)?).await,
    }
}

fn show(node: &Node) -> Outcome {
    let chain = node.own_chain();
    let bytes = chain.bytes(chain.latest().version).unwrap_or_default();
    let note = String::from_utf8_lossy(bytes).into_owned();
    let text = format!("fingerprint {}\n\n{note}", chain.fingerprint().grouped());
    Outcome::new(
        json!({ "fingerprint": chain.fingerprint(), "version": chain.latest().version, "root": note }),
        text,
    )
}

fn vkeys(flag: &str, texts: &[String]) -> Result<Vec<VerifierKey>, OperateError> {
    texts.iter().map(|text| argument(flag, text)).collect()
}

async fn draft(
    node: &Node,
    root_keys: &[String],
    next_keys: &[String],
    next_threshold: Option<u32>,
    days: u32,
) -> Result<TrustRoot, OperateError> {
    let chain = node.own_chain();
    let now = chain.latest();
    let changes: Changes = saved::read(&*node.cells, NEXT_SPACE, NEXT_KEY).await?.unwrap_or_default();
    let (threshold, _) = now.next.clone().ok_or_else(|| {
        OperateError::Argument(Fault::new(
            "root-last",
            "the newest root names no next keys: it is the last one",
        ))
    })?;
    let mut draft = now.clone();
    draft.version += 1;
    draft.previous = chain.text_hash(now.version);
    draft.from = clock::now();
    draft.until = draft.from.saturating_add(i64::from(days) * DAY);
    draft.threshold = threshold;
    draft.roots = vkeys("--root-key", root_keys)?;
    let hashes: Vec<Hash> =
        vkeys("--next-key", next_keys)?.iter().map(|k| sha256(k.to_string().as_bytes())).collect();
    draft.next = Some((next_threshold.unwrap_or(threshold), hashes));
    apply(&mut draft, &changes)?;
    list_expiring(node, &mut draft).await?;
    Ok(draft)
}

/// Lists the recipients for personal data whose private keys are here, and makes those that the new root needs
/// besides. A second draft finds those of the first.
async fn list_expiring(node: &Node, draft: &mut TrustRoot) -> Result<(), OperateError> {
    let here = saved::readable::<AgeSecret>(&*node.cells, AGE_SPACE).await?.0;
    let mut expiring: Vec<(String, AgeSecret)> = here.into_iter().filter(|(_, key)| key.expiring).collect();
    let newest = expiring.iter().map(|(_, key)| key.from).max();
    for (from, until) in age_keys::missing_windows(newest, draft.from, draft.until) {
        let (recipient, secret) = age_keys::generate(from, until, true);
        saved::put(&*node.cells, AGE_SPACE, &recipient, &secret).await?;
        expiring.push((recipient, secret));
    }
    draft.age.retain(|listed| !listed.expiring);
    expiring.retain(|(_, key)| key.until > draft.from);
    expiring.sort_by_key(|(_, key)| key.from);
    draft.age.extend(expiring.into_iter().map(|(recipient, key)| AgeRecipient {
        recipient,
        from: key.from,
        until: key.until,
        expiring: true,
    }));
    Ok(())
}

fn apply(draft: &mut TrustRoot, changes: &Changes) -> Result<(), OperateError> {
    for (role, vkey) in &changes.keys {
        draft.keys.retain(|listed| listed.role != *role);
        draft.keys.push(ListedKey { role: *role, vkey: argument("key", vkey)?, kinds: Vec::new() });
    }
    for (recipient, from, until, expiring) in &changes.recipients {
        draft.age.push(AgeRecipient {
            recipient: recipient.clone(),
            from: *from,
            until: *until,
            expiring: *expiring,
        });
    }
    for (vkey, since) in &changes.revoked {
        let key: VerifierKey = argument("revoked", vkey)?;
        draft.revoked.push((key, *since));
    }
    Ok(())
}

/// Checks the root as every peer will, sends it to them, keeps it, and only then uses its keys.
async fn publish(node: &Arc<Node>, bytes: &[u8]) -> Result<Outcome, OperateError> {
    let mut chain = node.own_chain().as_ref().clone();
    let signed = SignedRoot::parse(bytes)?;
    chain.extend(bytes)?;
    let version = signed.root.version;
    let one_at_a_time = node.releasing.lock().await;
    node.cells.swap(ROOT_SPACE, &version_key(version), None, Some(bytes.to_vec())).await?;
    let left = saved::take::<Changes>(&*node.cells, NEXT_SPACE, NEXT_KEY).await?.unwrap_or_default();
    let left = left.beyond(&signed.root);
    if left.count() > 0 {
        saved::put(&*node.cells, NEXT_SPACE, NEXT_KEY, &left).await?;
    }
    // Peers hear of it before a log is moved to it.
    node.tell(federate::Input::OwnRoots(chain.clone()));
    node.take_root(chain)?;
    drop(one_at_a_time);
    node.roots_changed(&node.config.authority).await?;
    node.tell_news();
    let successors = node.succeed_revoked().await?;
    let mut text = format!("root {version} is in use; each log moves to it with its next record");
    for next in &successors.opened {
        text.push_str(&format!("\n{next} goes on from a log whose key is revoked"));
    }
    for (next, why) in &successors.waiting {
        text.push_str(&format!(
            "\n{next} is opened with its next record, or at the next start, not yet: {why}"
        ));
    }
    if left.count() > 0 {
        text.push_str(&format!(
            "\n{} changes were asked for after it was drafted: they wait for the next root",
            left.count()
        ));
    }
    let not_opened: Vec<_> = successors.waiting.iter().map(|(next, _)| next).collect();
    let json = json!({
        "version": version, "waiting": left.count(), "opened": successors.opened, "not_opened": not_opened,
    });
    Ok(Outcome::new(json, text))
}
