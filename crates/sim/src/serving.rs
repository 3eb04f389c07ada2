//! How a machine answers requests, as a node's HTTP side does: who calls, may it read, cut to what was asked.

use federate::engine::Answer;
use federate::paths::Route;
use federate::request::{SignedHeaders, Target, verify};
use federate::serve::Served;
use federate::{Heads, RequestError};
use record::Authority;
use tlog::VerifierKey;

use crate::cast;
use crate::dice::Dice;
use crate::liar::Lied;
use crate::node::Node;

/// A `GET` as it arrives.
#[derive(Debug, Clone)]
pub struct Get {
    /// What is asked for.
    pub route: Route,
    /// `If-None-Match`.
    pub etag: Option<String>,
    /// May the answer wait?
    pub long_poll: bool,
    /// The longest answer that is read.
    pub limit: usize,
    /// The signature, if the request is signed.
    pub headers: Option<SignedHeaders>,
}

/// Whether an answer is the one that the caller has.
fn is_known(said: &Answer, get: &Get) -> bool {
    matches!(said, Answer::Response { etag: Some(etag), .. } if get.etag.as_ref() == Some(etag))
}

/// What becomes of a request.
pub enum Outcome {
    /// It is answered now.
    Now(Answer),
    /// It waits for news.
    Parked {
        /// Who calls.
        caller: Option<Authority>,
    },
}

impl Node {
    /// Answers a `GET` at the true time.
    pub fn answer(&mut self, get: &Get, now: u64, dice: &mut Dice) -> Outcome {
        let seconds = self.clock(now) / 1000;
        let caller = match self.caller(get, seconds) {
            Ok(caller) => caller,
            Err(status) => return Outcome::Now(Self::respond(status, None, Vec::new(), seconds)),
        };
        let Some(engine) = &self.engine else { return Outcome::Now(Answer::Failed) };
        if get.route == Route::Heads {
            let (body, etag) = engine.heads(caller.as_ref());
            let said = self.said(get, caller.as_ref(), Some(body), Some(etag), seconds, dice);
            return match is_known(&said, get) {
                false => Outcome::Now(said),
                true if get.long_poll => Outcome::Parked { caller },
                true => Outcome::Now(Self::respond(304, get.etag.clone(), Vec::new(), seconds)),
            };
        }
        let body = match engine.serve(&get.route, caller.as_ref()) {
            Served::File { path, mark, cut, .. } => {
                let is_marked = mark.is_none_or(|mark| self.file(&mark).is_some());
                let stored = self.file(&path).filter(|_| is_marked);
                stored.and_then(|stored| cut.apply(&stored).map(<[u8]>::to_vec))
            }
            Served::Bytes { body, .. } => Some(body),
            Served::OwnBlob(hash) => {
                let readable = |origin: &record::Origin| {
                    federate::serve::may_read(caller.as_ref(), Some(&self.plans[origin].readers))
                };
                let is_readable = self.blobs.get(&hash).is_some_and(|logs| logs.iter().any(readable));
                is_readable.then(|| self.file(&store::layout::blob(&hash))).flatten()
            }
            Served::OwnRoot(n) => {
                let chain = cast::chain(&self.name, self.versions);
                chain.bytes(n.unwrap_or(self.versions.newest)).map(<[u8]>::to_vec)
            }
            Served::NotFound => None,
        };
        Outcome::Now(self.said(get, caller.as_ref(), body, None, seconds, dice))
    }

    /// What a parked long poll is told now; `None` if there is no news.
    pub fn unpark(
        &self,
        get: &Get,
        caller: Option<&Authority>,
        now: u64,
        dice: &mut Dice,
        is_over: bool,
    ) -> Option<Answer> {
        let seconds = self.clock(now) / 1000;
        let (body, etag) = self.engine.as_ref()?.heads(caller);
        let said = self.said(get, caller, Some(body), Some(etag), seconds, dice);
        if !is_known(&said, get) {
            return Some(said);
        }
        is_over.then(|| Self::respond(304, get.etag.clone(), Vec::new(), seconds))
    }

    /// The caller of a signed request; a status if it is refused.
    fn caller(&mut self, get: &Get, seconds: u64) -> Result<Option<Authority>, u16> {
        let Some(headers) = &get.headers else { return Ok(None) };
        let path = get.route.path();
        let target = Target { method: "GET", path: &path, query: None, to: &self.name };
        let engine = self.engine.as_ref().ok_or(404_u16)?;
        let known = |key: &VerifierKey| engine.recognise(key);
        match verify(target, &headers.signature_input, &headers.signature, seconds) {
            Ok(claim) => {
                let caller = known(&claim.vkey).ok_or(404_u16)?;
                self.nonces.take(&claim, seconds).map_err(|_| 404_u16)?;
                Ok(Some(caller))
            }
            Err(RequestError::Skewed { claim, .. }) if known(&claim.vkey).is_some() => Err(401),
            Err(_) => Err(404),
        }
    }

    fn said(
        &self,
        get: &Get,
        caller: Option<&Authority>,
        honest: Option<Vec<u8>>,
        etag: Option<String>,
        seconds: u64,
        dice: &mut Dice,
    ) -> Answer {
        let body = match self.lie.tell(&get.route, &self.name, caller, honest.as_deref(), dice) {
            Lied::Honest => honest,
            Lied::Instead(body) => Some(body),
            Lied::Nothing => None,
            Lied::Endless => return Answer::TooLarge,
            Lied::Never => return Answer::Failed,
        };
        match body {
            Some(body) if body.len() > get.limit => Answer::TooLarge,
            Some(body) => {
                // A liar's heads change without notice, so that it is asked again.
                let etag = etag.map(|_| Heads::etag(&body));
                Self::respond(200, etag, body, seconds)
            }
            None => Self::respond(404, None, Vec::new(), seconds),
        }
    }

    fn respond(status: u16, etag: Option<String>, body: Vec<u8>, seconds: u64) -> Answer {
        Answer::Response { status, etag, date: Some(seconds), body }
    }
}
