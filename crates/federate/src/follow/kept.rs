//! How far a log is followed, as it is kept by one node for itself. It never travels.

use record::LogState;
use tlog::{CheckpointError, SignedCheckpoint};

use super::Follow;
use super::batch::{edge_bytes, read_edge};

const TAG: &str = "concord.follow/v2\n";
/// Without the hash of what follows.
const OLD_TAG: &str = "concord.follow/v1\n";

impl Follow {
    /// What is kept: the log's state, the right edge, and the checkpoints that vouch for them. A goal is not
    /// kept: after a start it is aimed at anew.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let checkpoint =
            |kept: &Option<SignedCheckpoint>| kept.as_ref().map_or_else(Vec::new, SignedCheckpoint::to_bytes);
        for part in [
            self.state.to_bytes(),
            edge_bytes(&self.edge),
            checkpoint(&self.basis),
            checkpoint(&self.verified),
        ] {
            body.extend_from_slice(&(part.len() as u64).to_be_bytes());
            body.extend_from_slice(&part);
        }
        [TAG.as_bytes(), &tlog::sha256(&body).0, &body].concat()
    }

    /// Reads what [`Follow::to_bytes`] wrote; `None` for anything else, such as what a disk made of it: what is wrong here must
    /// not be taken for a second view of its author's.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let body = body_of(bytes)?;
        let mut rest = body;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let (part, after) = after.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            rest = after;
            Some(part)
        };
        let state = LogState::from_bytes(part()?).ok()?;
        let edge = read_edge(state.size(), part()?)?;
        let (basis, verified) = (checkpoint(part()?).ok()?, checkpoint(part()?).ok()?);
        let follow = Self { state, edge, basis, verified, ..Self::new(origin_of(body)?) };
        (rest.is_empty() && follow.is_of_its_root()).then_some(follow)
    }

    /// Whether the edge is that of the checkpoint that was reached, where it did not grow since.
    fn is_of_its_root(&self) -> bool {
        let reached = self.verified.as_ref().map(|verified| &verified.checkpoint);
        reached.is_none_or(|reached| reached.size != self.size() || reached.root == self.root())
    }
}

fn body_of(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(body) = bytes.strip_prefix(OLD_TAG.as_bytes()) {
        return Some(body);
    }
    let (hash, body) = bytes.strip_prefix(TAG.as_bytes())?.split_first_chunk::<32>()?;
    (tlog::sha256(body).0 == *hash).then_some(body)
}

fn origin_of(body: &[u8]) -> Option<record::Origin> {
    let (length, rest) = body.split_first_chunk::<8>()?;
    let state = rest.get(..usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    Some(LogState::from_bytes(state).ok()?.origin().clone())
}

/// An empty part is no checkpoint; anything else must be one.
fn checkpoint(part: &[u8]) -> Result<Option<SignedCheckpoint>, CheckpointError> {
    if part.is_empty() { Ok(None) } else { SignedCheckpoint::parse(part).map(Some) }
}
