//! `concord record again`, `publish` and `withdraw`: what was released before gets more places, or ends.

use std::sync::Arc;

use record::{Authority, MechanismId};
use serde_json::json;
use tlog::hash::Hash;

use super::release::{argument, contents};
use super::{OperateError, Outcome};
use crate::fault::Fault;
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Act, ActKey, Places, Planned, Released};

/// Releases a sealed record to further readers.
pub(super) async fn again(
    node: &Arc<Node>,
    name: Hash,
    to: Vec<Authority>,
    mechanism: Option<&str>,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    let mechanism: Option<MechanismId> = mechanism.map(|id| argument("--mechanism", id)).transpose()?;
    let act = Act::decided(move |node| async move {
        let audience = match mechanism {
            Some(id) => super::mechanism::audience(&node, &id).await?,
            None => Audience::of(&node.config.authority, to),
        };
        planned(&node, &name, audience).await
    });
    Ok(Outcome::of(&node.act(act.under(key)).await?))
}

/// Makes a sealed record public.
pub(super) async fn publish(
    node: &Arc<Node>,
    name: Hash,
    naming_sealed: bool,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    let act = Act::decided(move |node| async move {
        let planned = planned(&node, &name, Audience::Public).await?;
        for opened in planned.again.iter().filter(|_| !naming_sealed) {
            node.check_published_names(&opened.inner.header).await?;
        }
        Ok(planned)
    });
    Ok(Outcome::of(&node.act(act.under(key)).await?))
}

/// One more place of an own record; none if these readers have it already.
async fn planned(node: &Node, name: &Hash, audience: Audience) -> Result<Planned, Fault> {
    let places = own(node, name).await?;
    places.check_again()?;
    let mut planned = Planned::new(audience, Vec::new()).answered(super::release::outcome);
    if places.covers(&planned.audience) {
        let hex = name.to_hex();
        return Ok(planned.answered(move |released| {
            Outcome::new(released, format!("{hex}: everybody of these has it already; nothing was released"))
        }));
    }
    node.check_place_more(places.id, places.status).await?;
    planned.again.push(node.open_own(&places).await?);
    Ok(planned)
}

async fn own(node: &Node, name: &Hash) -> Result<Places, Fault> {
    let places = node.places_of(name).await?;
    places.ok_or_else(|| {
        let message = format!("{name} is no record of this authority: only its author can do this");
        Fault::new("record-not-ours", message).with("name", name)
    })
}

/// Withdraws a thing from everybody who was given it: a commit for each set of readers. Broken off and repeated, it
/// goes on with those who have not heard of it.
pub(super) async fn withdraw(
    node: &Arc<Node>,
    name: Hash,
    texts: &[String],
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    let reason = contents(&[], texts)?;
    let mut released: Vec<Released> = Vec::new();
    loop {
        let (reason, before) = (reason.clone(), released.clone());
        let is_keyed = key.is_some();
        let act = Act::decided(move |node| async move {
            let places = own(&node, &name).await?;
            if record::kind::is_log_kind(&places.kind) || places.kind == record::kind::WITHDRAWAL {
                let message = format!("{name} is {}, which is not withdrawn", places.kind);
                let fault = Fault::new("withdraw-kind", message);
                return Err(fault.with("name", name).with("kind", &places.kind));
            }
            let mut left = node.left_to_withdraw(&places).await?;
            let next = left.pop();
            let answer = move |now: &[Released]| {
                // Under a key, all its commits are known; without one, those of this command.
                let all = if is_keyed { now.to_vec() } else { [&before[..], now].concat() };
                withdrawn(&name, &all)
            };
            let Some((audience, edition)) = next else {
                return Ok(Planned::new(Audience::Public, Vec::new()).answered(answer));
            };
            let mut draft = node.withdrawal(&places, edition);
            draft.contents = reason;
            let planned = Planned::new(audience, vec![draft]).answered(answer);
            Ok(Planned { last: left.is_empty(), ..planned })
        });
        let done = node.act(act.under(key.clone())).await?;
        released.extend(done.released.iter().cloned());
        if done.last {
            return Ok(Outcome::of(&done));
        }
    }
}

fn withdrawn(name: &Hash, released: &[Released]) -> Outcome {
    let lines = released.iter().map(|r| format!("{} {} at {} of {}", r.kind, r.name, r.index, r.origin));
    let text = match released.len() {
        0 => format!("{name} was withdrawn before, from everybody who has it"),
        _ => std::iter::once(format!("{name} is withdrawn")).chain(lines).collect::<Vec<_>>().join("\n"),
    };
    Outcome::new(json!({ "withdrawn": name.to_hex(), "released": released }), text)
}
