//! Archived checkpoints that are damaged or missing on this disk: fetched back, each under its number, from who has them.
//!
//! Only the author of a log numbers its `seen` files (protocol section 4): what came from somebody else is kept until the author
//! gives its own. A receipt is with its reader alone, and there only the last one.

use federate::engine::Answer;
use federate::{LogFile, Route, origin_hash};
use record::{Authority, Origin};
use tlog::checkpoint::SignedCheckpoint;

use crate::exchange::fetch;
use crate::node::Node;

impl Node {
    /// Says that an archived checkpoint is damaged or missing, and has it fetched back.
    pub(crate) async fn archived_damaged(&self, origin: &Origin, file: LogFile) {
        if self.damaged.archive_found(origin, file) {
            self.alarm_damaged(origin).await;
        }
    }

    /// Fetches archived checkpoints back; answers whether some of them may still come.
    pub(crate) async fn mend_archived(&self) -> bool {
        for (origin, file) in self.damaged.archive() {
            match self.mend_one(&origin, &file).await {
                Ok(true) => self.damaged.archive_mended(&origin, &file),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "an archived checkpoint could not be put back"),
            }
        }
        !self.damaged.archive().is_empty()
    }

    /// Whether one is as it should be, or can never be again.
    async fn mend_one(
        &self,
        origin: &Origin,
        file: &LogFile,
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let path = format!("{}{}", self.prefix_of(origin), file.stored_path());
        let here = self.files.get(&path).await?;
        let is_here = here.is_some_and(|here| self.fault_of_archived(origin, file, &here).is_none());
        if let LogFile::Held { authority, n } = file {
            if is_here || !self.is_last_receipt(origin, authority, *n) {
                // What its reader does not have any more is with nobody.
                return Ok(true);
            }
            let Some(bytes) = self.last_receipt(origin, authority, *n).await else { return Ok(false) };
            self.files.put(&path, bytes.into()).await?;
            return Ok(true);
        }
        let is_own = origin.authority == self.config.authority;
        if is_here && is_own {
            return Ok(true);
        }
        let Some((from, bytes)) = self.fetch_file_from(origin, file, is_here).await else {
            return Ok(false);
        };
        if !self.may_be_archived(origin, file, &bytes).await {
            return Ok(false);
        }
        self.files.put(&path, bytes).await?;
        self.index.follower(self).measure_again(origin).await?;
        Ok(is_own || from == origin.authority)
    }

    /// Whether a checkpoint may be the `seen` file of a number: signed, of the tree that is here, and between its neighbours.
    async fn may_be_archived(&self, origin: &Origin, file: &LogFile, bytes: &[u8]) -> bool {
        let (LogFile::Seen(n), Ok(signed)) = (file, SignedCheckpoint::parse(bytes)) else { return false };
        let is_own = origin.authority == self.config.authority;
        if self.fault_of_archived(origin, file, bytes).is_some()
            || (is_own && !self.engine().is_own_seen(origin, &signed))
        {
            return false;
        }
        let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
        let tree = self.reader_of(origin, size).edge().await;
        if !tree.is_ok_and(|edge| edge.root() == root) {
            return false;
        }
        let size_of = async |n: u64| match self.seen_file(origin, n).await {
            Ok(Some(there)) => Some(there.checkpoint.size),
            _ => None,
        };
        let before = match n.checked_sub(1) {
            Some(n) => size_of(n).await,
            None => None,
        };
        let after = size_of(n + 1).await;
        before.is_none_or(|before| before <= size) && after.is_none_or(|after| size <= after)
    }

    fn is_last_receipt(&self, origin: &Origin, reader: &Authority, n: u64) -> bool {
        self.engine().archived(origin).held.get(reader).is_some_and(|(count, _)| *count == n + 1)
    }

    /// The last receipt of a reader, as that one shows it; where it shows a later one, that is archived as ever.
    async fn last_receipt(&self, origin: &Origin, reader: &Authority, n: u64) -> Option<Vec<u8>> {
        let (_, size) = self.engine().archived(origin).held.get(reader).copied()?;
        let skew = self.engine().peer_health().iter().find(|peer| peer.authority == *reader)?.skew;
        let route = Route::Holds(origin_hash(origin));
        let answer = fetch(self, reader, &route, None, false, skew, route.limit()).await;
        let Answer::Response { status: 200, body, .. } = answer else { return None };
        let mut receipt = SignedCheckpoint::parse(&body).ok().filter(|held| held.checkpoint.size == size)?;
        let log = receipt.checkpoint.origin.clone();
        let is_readers = |name: &str| name.starts_with(&format!("{reader}/holds/"));
        receipt.note.signatures.retain(|line| line.name == log || is_readers(&line.name));
        let bytes = receipt.to_bytes();
        let file = LogFile::Held { authority: reader.clone(), n };
        let tree = self.reader_of(origin, size).edge().await;
        let is_ours = tree.is_ok_and(|edge| edge.root() == receipt.checkpoint.root);
        (is_ours && self.fault_of_archived(origin, &file, &bytes).is_none()).then_some(bytes)
    }
}
