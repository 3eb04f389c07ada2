//! `POST /add-checkpoint`: the size is raised durably, then the key signs, then the caller is answered.

use record::{Authority, Origin};
use tlog::{NoteSignature, SignedCheckpoint, VerifierKey};

use super::pending::Pending;
use super::{Engine, Output, RequestId, SignRequest, WITNESS, Write};
use crate::witness::{Refused, Witness};

/// So many requests for logs of one author are stored and signed at once. Who has more is told to come again: each costs a
/// write, and those of others wait behind it.
const AT_ONCE: usize = 16;

impl Engine {
    pub(super) fn take_add_checkpoint(&mut self, request: RequestId, body: &[u8]) {
        match self.judge_add_checkpoint(body) {
            Ok((checkpoint, value)) => {
                if let Some(author) = author_of(&checkpoint) {
                    *self.cosigning.entry(author).or_default() += 1;
                }
                let key = checkpoint.checkpoint.origin.clone();
                let cell = Write::Cell { space: WITNESS, key, value: Some(value) };
                let pending = Pending::StoredWitness { request, checkpoint: Box::new(checkpoint) };
                self.store(vec![cell], Vec::new(), pending);
            }
            Err(refused) => {
                let (status, content_type, body) = refused.answer();
                self.out.push(Output::Reply { request, status, content_type, body });
            }
        }
    }

    fn judge_add_checkpoint(&mut self, body: &[u8]) -> Result<(SignedCheckpoint, Vec<u8>), Refused> {
        let (origin, request) = Witness::read(body)?;
        if self.cosigning.get(&origin.authority).is_some_and(|count| *count >= AT_ONCE) {
            return Err(Refused::Busy);
        }
        let keys = self.newest_log_keys(&origin);
        let value = self.witness.judge(&origin, &request, &keys)?;
        Ok((request.checkpoint, value))
    }

    /// The `log` keys of the newest root known; none if the authority is not recognised.
    fn newest_log_keys(&self, origin: &Origin) -> Vec<VerifierKey> {
        let Some(author) = self.peers.get(&origin.authority) else { return Vec::new() };
        let chain = &author.config.chain;
        let keys = chain.log_keys(chain.latest().version, origin);
        keys.into_iter().filter(|key| chain.revocation(key).is_none()).collect()
    }

    pub(super) fn witness_stored(&mut self, request: RequestId, checkpoint: SignedCheckpoint, done: bool) {
        if !done {
            return self.answer_witness(request, &checkpoint, 500, Vec::new());
        }
        let boxed = Box::new(checkpoint.clone());
        let id = self.ask(Pending::Cosign { request, checkpoint: boxed });
        self.out.push(Output::Sign { id, what: SignRequest::Cosign(checkpoint) });
    }

    pub(super) fn cosigned(
        &mut self,
        request: RequestId,
        checkpoint: &SignedCheckpoint,
        line: Option<NoteSignature>,
    ) {
        let Some(line) = line else { return self.answer_witness(request, checkpoint, 500, Vec::new()) };
        let body = line.to_line().into_bytes();
        if let Some(value) = self.witness.cosigned(checkpoint, line) {
            let key = checkpoint.checkpoint.origin.clone();
            let cell = Write::Cell { space: WITNESS, key, value: Some(value) };
            // The size is durable already; only the line served under /witness could be missing.
            self.store(vec![cell], Vec::new(), Pending::Unwatched);
        }
        self.answer_witness(request, checkpoint, 200, body);
    }

    fn answer_witness(
        &mut self,
        request: RequestId,
        checkpoint: &SignedCheckpoint,
        status: u16,
        body: Vec<u8>,
    ) {
        if let Some(author) = author_of(checkpoint)
            && let Some(count) = self.cosigning.get_mut(&author)
        {
            *count -= 1;
            if *count == 0 {
                self.cosigning.remove(&author);
            }
        }
        let content_type = "text/plain; charset=utf-8";
        self.out.push(Output::Reply { request, status, content_type, body });
    }
}

fn author_of(checkpoint: &SignedCheckpoint) -> Option<Authority> {
    checkpoint.checkpoint.origin.parse::<Origin>().ok().map(|origin| origin.authority)
}
