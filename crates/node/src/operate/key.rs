//! `concord key ...`: operational keys. A change takes effect with the next trust root.

use std::sync::Arc;

use record::Time;
use record::root::{Role, TrustRoot};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::release::argument;
use super::{OperateError, Outcome};
use crate::age_keys::{self, AGE_SPACE, AgeSecret};
use crate::clock;
use crate::command::KeyCommand;
use crate::fault::Fault;
use crate::identity::Key;
use crate::node::Node;
use crate::saved;

/// The space of what the next root is to change.
pub const NEXT_SPACE: &str = "next-root";
/// Its one key.
pub const NEXT_KEY: &str = "changes";
/// An ordinary recipient is in force this long.
const AGE_DAYS: i64 = 400;
const DAY: i64 = 86_400;

/// What the next root will change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Changes {
    /// New keys: role and verifier key. They replace the older keys of the role.
    pub keys: Vec<(Role, String)>,
    /// New recipients: text, from, until, expiring.
    pub recipients: Vec<(String, Time, Time, bool)>,
    /// Revocations: verifier key and time.
    pub revoked: Vec<(String, Time)>,
}

impl Changes {
    /// What a root has not taken over: it was asked for after the root was drafted. Of several keys made for one role,
    /// those before the one that the root lists are over.
    pub fn beyond(mut self, root: &TrustRoot) -> Self {
        let lists = |vkey: &str| root.keys.iter().any(|listed| listed.vkey.to_string() == vkey);
        let keys = self.keys.clone();
        let is_over = |n: usize, role: Role| keys[n..].iter().any(|(of, vkey)| *of == role && lists(vkey));
        let mut place = 0..;
        self.keys.retain(|(role, _)| place.next().is_some_and(|n| !is_over(n, *role)));
        self.recipients
            .retain(|(recipient, ..)| !root.age.iter().any(|listed| listed.recipient == *recipient));
        self.revoked.retain(|(vkey, _)| !root.revoked.iter().any(|(key, _)| key.to_string() == *vkey));
        self
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len() + self.recipients.len() + self.revoked.len()
    }
}

pub(super) async fn run(node: &Arc<Node>, command: KeyCommand) -> Result<Outcome, OperateError> {
    match command {
        KeyCommand::List => list(node).await,
        KeyCommand::Rotate { role } => rotate(node, &role).await,
        KeyCommand::Revoke { vkey, since } => revoke(node, &vkey, since).await,
    }
}

async fn list(node: &Node) -> Result<Outcome, OperateError> {
    let root = node.own_root();
    let mut text = String::new();
    let mut rows = Vec::new();
    for listed in &root.keys {
        let revoked = root.revoked.iter().find(|(k, _)| k.public() == listed.vkey.public()).map(|(_, t)| *t);
        let note = revoked.map(|t| format!(" revoked {t}")).unwrap_or_default();
        text.push_str(&format!("{} {}{note}\n", listed.role, listed.vkey));
        rows.push(json!({ "role": listed.role, "vkey": listed.vkey.to_string(), "revoked": revoked }));
    }
    let here = saved::readable::<AgeSecret>(&*node.cells, AGE_SPACE).await?.0;
    for age in &root.age {
        let is_here = here.iter().any(|(recipient, _)| *recipient == age.recipient);
        let note = match (age.expiring, is_here) {
            (false, true) => "",
            (true, true) => " for personal data",
            (true, false) => " for personal data, its private key is destroyed or was lost with a machine",
            (false, false) => " its private key is not here: restore a backup of state",
        };
        text.push_str(&format!("age {} from {} until {}{note}\n", age.recipient, age.from, age.until));
        rows.push(json!({
            "role": "age", "recipient": age.recipient, "from": age.from, "until": age.until,
            "expiring": age.expiring, "here": is_here,
        }));
    }
    Ok(Outcome::new(rows, text))
}

async fn change(node: &Node, mut what: impl FnMut(&mut Changes)) -> Result<(), OperateError> {
    saved::update::<Changes>(&*node.cells, NEXT_SPACE, NEXT_KEY, |before| {
        let mut changes = before.unwrap_or_default();
        what(&mut changes);
        Some(changes)
    })
    .await?;
    Ok(())
}

async fn rotate(node: &Arc<Node>, role: &str) -> Result<Outcome, OperateError> {
    let made = if role == "age" {
        let now = clock::now();
        let (recipient, secret) = age_keys::generate(now, now.saturating_add(AGE_DAYS * DAY), false);
        saved::put(&*node.cells, AGE_SPACE, &recipient, &secret).await?;
        change(node, |c| c.recipients.push((recipient.clone(), secret.from, secret.until, false))).await?;
        recipient
    } else {
        let role: Role = argument("ROLE", role)?;
        if role == Role::Root {
            return Err(OperateError::Argument(Fault::new(
                "root-keys-elsewhere",
                "root keys are made where they are kept: concord root keys",
            )));
        }
        // Read again from the folder: an earlier rotation may not be in force yet.
        let keys = crate::identity::Identity::read(&node.config.keys_folder())?;
        let key = Key::generate(&node.config.authority, role, keys.next_number(role))?;
        key.write(&node.config.keys_folder())?;
        let vkey = key.verifier.to_string();
        change(node, |c| c.keys.push((role, vkey.clone()))).await?;
        vkey
    };
    let text = format!("{made}\nis made; it is in use when the next trust root lists it: concord root draft");
    Ok(Outcome::new(json!({ "made": made }), text))
}

async fn revoke(node: &Arc<Node>, vkey: &str, since: Option<Time>) -> Result<Outcome, OperateError> {
    let key: tlog::VerifierKey = argument("VKEY", vkey)?;
    let root = node.own_root();
    if !root.keys.iter().any(|listed| listed.vkey == key) {
        return Err(OperateError::NotFound(Fault::new(
            "key-not-listed",
            "the newest root does not list this key: concord key list",
        )));
    }
    let since = since.unwrap_or_else(clock::now);
    change(node, |c| c.revoked.push((key.to_string(), since))).await?;
    let text =
        format!("{} will be revoked from {since} by the next trust root: concord root draft", key.name());
    Ok(Outcome::new(json!({ "revoked": key.to_string(), "since": since }), text))
}
