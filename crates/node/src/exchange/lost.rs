//! Files of records that were here and are gone, or changed, on this disk: found where something is read again, and
//! fetched again.
//!
//! What is merely on its way is none of its subject: the engine waits for that. It looks at the files of one record at a
//! time and never goes through the disk.

use federate::Input;
use record::{Origin, Record};
use tlog::hash::Hash;

use crate::index::{Finding, IndexError, Source as _};
use crate::node::Node;

impl Node {
    /// Records of which something is not here, and for which the engine does not wait. It is asked once for all of them:
    /// mostly it waits for every one.
    pub fn not_waited_for<'f>(&self, findings: &'f [Finding]) -> Vec<(&'f Origin, u64, Hash)> {
        let lacks = findings.iter().filter_map(|finding| match finding {
            Finding::Lacks { origin, index, name } => Some((origin, *index, *name)),
            _ => None,
        });
        let mut lacks: Vec<_> = lacks.collect();
        if !lacks.is_empty() {
            let engine = self.engine();
            lacks.retain(|(origin, _, name)| !engine.waits_for(origin, *name));
        }
        lacks
    }

    /// Tells the engine which files of the record at a place are lost, if it does not wait for them.
    pub async fn look_for_lost(&self, origin: &Origin, index: u64, name: Hash) {
        match self.lost_at(origin, index, name).await {
            Ok(Some(input)) => self.tell(input),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, %origin, index, "whether a file was lost cannot be seen"),
        }
    }

    /// The same, as what is to be told.
    pub(super) async fn lost_at(
        &self,
        origin: &Origin,
        index: u64,
        name: Hash,
    ) -> Result<Option<Input>, IndexError> {
        // Mostly it is on its way, and nothing is read to see that.
        if self.engine().waits_for(origin, name) {
            return Ok(None);
        }
        let entries = self.entries(origin, index..index + 1).await?;
        let Some(record) = entries.first().and_then(|bytes| Record::parse(bytes).ok()) else {
            return Ok(None);
        };
        let mut lost = Vec::new();
        for blob in &record.header.blobs {
            if self.blob(&blob.sha256).await?.is_none() {
                lost.push(blob.sha256);
            }
        }
        let record = Box::new(record);
        Ok((!lost.is_empty()).then(|| Input::Lost { origin: origin.clone(), index, record, lost }))
    }
}
