//! After a commit: the index takes the entries in. Peers were told before; whatever happens here, they are released.

use record::Origin;

use super::ReleaseError;
use crate::alarm::{self, Alarm};
use crate::fault::Fault;
use crate::node::Node;

impl Node {
    /// Brings the index up to an own log, and tells it of blobs that were written: entries of others may wait for the
    /// same bytes. True if it is behind all the same: an alarm is raised, and it catches up by itself, with the next
    /// entry or at the next start.
    pub(super) async fn index_follows(&self, origin: Option<&Origin>) -> bool {
        let Err(error) = self.index_takes(origin).await else { return false };
        match origin {
            Some(origin) => {
                let fault = Fault::from(error);
                let alarm = Alarm::new("index-behind").with("origin", &origin.to_string()).because(&fault);
                alarm::raise(&*self.cells, alarm).await;
            }
            None => {
                tracing::error!(%error, "the index could not be told of a blob; it is told with the next release");
            }
        }
        true
    }

    async fn index_takes(&self, origin: Option<&Origin>) -> Result<(), ReleaseError> {
        if let Some(origin) = origin {
            self.index_own(origin).await?;
        }
        let written = self.releasing.written();
        if written.is_empty() {
            return Ok(());
        }
        let follower = self.index.follower(self);
        for (n, hash) in written.iter().enumerate() {
            if let Err(error) = follower.blob(hash).await {
                self.releasing.wrote(&written[n..]);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Brings the index up to every own log, or says why it cannot be.
    pub(crate) async fn index_all_own(&self) -> Result<(), ReleaseError> {
        for (origin, _) in self.own_heads().await? {
            if !self.permits.is_damaged(&origin) {
                self.index_own(&origin).await?;
            }
        }
        Ok(())
    }

    async fn index_own(&self, origin: &Origin) -> Result<(), ReleaseError> {
        Ok(self.index.follower(self).reach(origin).await?)
    }
}
