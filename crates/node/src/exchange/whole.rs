//! Whether what is about to be sent, or looked through, is what it was when it came: files of records by their hashes, archived
//! checkpoints by their signatures.
//!
//! A small file is hashed each time that it is sent, for it is in memory then. A large one is hashed when it is first sent after
//! a start, before its first byte goes out, and again when its length has changed: to hash it while it is sent would be too late.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use federate::LogFile;
use record::root::Role;
use record::{Origin, RootChain};
use sha2::{Digest as _, Sha256};
use store::FilesError;
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::{Hash, sha256};
use tlog::{NoteSignature, VerifierKey, verify_cosignature};

use super::serving::{PIECE, SMALL};
use crate::node::Node;

/// Large files that are remembered as whole; beyond that they are looked at again.
const REMEMBERED: usize = 65_536;

/// How many large files are hashed side by side.
static BEING_HASHED: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Large files that were whole when they were first sent, with their lengths.
#[derive(Debug, Default)]
pub struct Whole(Mutex<BTreeMap<Hash, u64>>);

impl Whole {
    fn is_known(&self, hash: &Hash, size: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash) == Some(&size)
    }

    fn forget(&self, hash: &Hash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    fn remember(&self, hash: &Hash, size: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(*hash, size);
    }
}

impl Node {
    /// Whether a file of a record may be sent: it is here, and is what its name says. What is not is fetched again.
    pub(super) async fn may_be_sent(&self, hash: &Hash) -> Result<bool, FilesError> {
        let Some(size) = self.files.size(&store::layout::blob(hash)).await? else { return Ok(false) };
        if size > SMALL && self.whole.is_known(hash, size) {
            return Ok(true);
        }
        let is_whole = self.is_whole(hash, size).await?;
        if is_whole && size > SMALL {
            self.whole.remember(hash, size);
        }
        if !is_whole {
            self.fetch_damaged(hash).await;
        }
        Ok(is_whole)
    }

    /// Whether a file of a record, of this length, has the hash that its name says.
    pub(crate) async fn is_whole(&self, hash: &Hash, size: u64) -> Result<bool, FilesError> {
        let path = store::layout::blob(hash);
        if size <= SMALL {
            return Ok(self.files.get(&path).await?.is_some_and(|bytes| sha256(&bytes) == *hash));
        }
        let _one_of_a_few = BEING_HASHED.acquire().await;
        let (mut digest, mut at) = (Sha256::new(), 0);
        while at < size {
            let piece = self.files.get_range(&path, at..size.min(at + PIECE)).await?;
            let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return Ok(false) };
            digest.update(&piece);
            at += piece.len() as u64;
        }
        Ok(digest.finalize().as_slice() == hash.0.as_slice())
    }

    /// Has a damaged file fetched again, for each record that names it; answers of which logs these are.
    pub(crate) async fn fetch_damaged(&self, hash: &Hash) -> Vec<String> {
        tracing::error!(%hash, "a file of a record is damaged on this disk");
        self.whole.forget(hash);
        let sql =
            "select b.origin, b.pos, e.name from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where b.sha256 = $1 order by b.origin, b.pos";
        let rows = match self.index.db().rows(sql, &[hash.to_hex().into()]).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "of which records a damaged file is cannot be seen");
                return Vec::new();
            }
        };
        let mut origins = Vec::new();
        for row in rows {
            let (Ok(origin), Ok(index), Ok(name)) = (row.text(0), row.uint(1), row.text(2)) else { continue };
            let (Ok(origin), Ok(name)) = (origin.parse::<Origin>(), Hash::from_hex(&name)) else { continue };
            self.look_for_lost(&origin, index, name).await;
            if origins.last() != Some(&origin.to_string()) {
                origins.push(origin.to_string());
            }
        }
        origins
    }

    /// What is wrong with an archived checkpoint of a log as it lies here; nothing is, where the keys to judge it by are not
    /// known here.
    pub(crate) fn fault_of_archived(
        &self,
        origin: &Origin,
        file: &LogFile,
        bytes: &[u8],
    ) -> Option<&'static str> {
        let Ok(checkpoint) = SignedCheckpoint::parse(bytes) else { return Some("is no checkpoint") };
        if checkpoint.checkpoint.origin != origin.to_string() {
            return Some("is of another log");
        }
        let chain = self.chain_of(&origin.authority)?;
        let of_log: Vec<VerifierKey> = keys_of(&chain, Role::Log)
            .iter()
            .filter_map(|key| key.with_name(&origin.to_string()).ok())
            .collect();
        let is_by_log = |line: &NoteSignature| {
            let by = of_log.iter().filter(|key| line.is_by(key));
            by.into_iter().any(|key| checkpoint.verify(key).is_ok())
        };
        let LogFile::Held { authority, .. } = file else {
            if !checkpoint.note.signatures.iter().any(is_by_log) {
                return Some("is not signed by its log");
            }
            return self.has_broken_line(&checkpoint).then_some("has a witness's line that does not verify");
        };
        // Nobody's lines but these two were kept.
        let holds = keys_of(&*self.chain_of(authority)?, Role::Holds);
        let is_held = |line: &NoteSignature| {
            holds
                .iter()
                .any(|key| line.is_by(key) && verify_cosignature(&checkpoint.note.text, line, key).is_ok())
        };
        let lines = &checkpoint.note.signatures;
        let is_whole = lines.iter().any(is_held) && lines.iter().all(|line| is_held(line) || is_by_log(line));
        (!is_whole).then_some("has a line that does not verify")
    }

    /// Whether a line under the name of a witness's key that is known here is not by that key.
    fn has_broken_line(&self, checkpoint: &SignedCheckpoint) -> bool {
        let mut keys = keys_of(&self.own_chain(), Role::Witness);
        keys.extend(self.peers().values().flat_map(|known| keys_of(&known.chain, Role::Witness)));
        checkpoint.note.signatures.iter().any(|line| {
            let mut of_name = keys.iter().filter(|key| key.name() == line.name).peekable();
            let text = &checkpoint.note.text;
            of_name.peek().is_some()
                && !of_name.any(|key| line.is_by(key) && verify_cosignature(text, line, key).is_ok())
        })
    }
}

/// Every key of a role that a chain ever listed.
pub(crate) fn keys_of(chain: &RootChain, role: Role) -> Vec<VerifierKey> {
    let listed = chain.roots().flat_map(|root| root.root.keys_of(role));
    listed.map(|listed| listed.vkey.clone()).collect()
}
