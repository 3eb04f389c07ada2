//! How far a log is followed, as it is kept by one node for itself. It never travels.

use record::LogState;
use tlog::{CheckpointError, SignedCheckpoint};

use super::Follow;
use super::batch::{edge_bytes, read_edge};

const TAG: &str = "concord.follow/v1\n";

impl Follow {
    /// What is kept: the log's state, the right edge, and the checkpoints that vouch for them. A goal is not
    /// kept: after a start it is aimed at anew.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = TAG.as_bytes().to_vec();
        let checkpoint =
            |kept: &Option<SignedCheckpoint>| kept.as_ref().map_or_else(Vec::new, SignedCheckpoint::to_bytes);
        for part in [
            self.state.to_bytes(),
            edge_bytes(&self.edge),
            checkpoint(&self.basis),
            checkpoint(&self.verified),
        ] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(&part);
        }
        out
    }

    /// Reads what [`Follow::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(TAG.as_bytes())?;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let (part, after) = after.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            rest = after;
            Some(part)
        };
        let state = LogState::from_bytes(part()?).ok()?;
        let edge = read_edge(state.size(), part()?)?;
        let (basis, verified) = (checkpoint(part()?).ok()?, checkpoint(part()?).ok()?);
        let follow = Self { state, edge, basis, verified, ..Self::new(origin_of(bytes)?) };
        rest.is_empty().then_some(follow)
    }
}

fn origin_of(bytes: &[u8]) -> Option<record::Origin> {
    let rest = bytes.strip_prefix(TAG.as_bytes())?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let state = rest.get(..usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    Some(LogState::from_bytes(state).ok()?.origin().clone())
}

/// An empty part is no checkpoint; anything else must be one.
fn checkpoint(part: &[u8]) -> Result<Option<SignedCheckpoint>, CheckpointError> {
    if part.is_empty() { Ok(None) } else { SignedCheckpoint::parse(part).map(Some) }
}
