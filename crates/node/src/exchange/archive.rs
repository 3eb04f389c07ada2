//! Where what was archived of a log lies: its files, and the checkpoints that witnesses cosigned.

use record::Origin;
use tlog::checkpoint::SignedCheckpoint;

use crate::index::IndexError;
use crate::node::Node;

impl Node {
    /// A `seen` file of a log, own or copied.
    pub async fn seen_file(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, IndexError> {
        let prefix = self.prefix_of(origin);
        let path = format!("{prefix}{}", store::layout::seen(n));
        let Some(bytes) = self.files.get(&path).await? else { return Ok(None) };
        Ok(SignedCheckpoint::parse(&bytes).ok())
    }

    /// Where the files of a log lie.
    pub fn prefix_of(&self, origin: &Origin) -> String {
        if origin.authority == self.config.authority {
            federate::places::own(origin)
        } else {
            federate::places::mirror(origin)
        }
    }
}
