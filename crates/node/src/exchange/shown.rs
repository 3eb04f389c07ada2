//! The answers of `/heads`, kept: each caller's is written once per change, whoever and however many wait for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use record::Authority;

/// Long polls of one caller that are held; an honest one has one.
const HELD: usize = 8;
/// Callers whose answers are kept, and bytes of all of them.
const CALLERS: usize = 64;
const BYTES: usize = 16 << 20;
/// What changes of others' logs is told at an even pace. Who asks anew sees it after this long, told or not.
const FRESH: Duration = Duration::from_secs(1);

/// An answer of `/heads`.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its bytes, shared by all who get it.
    pub body: Bytes,
    /// Its entity tag.
    pub etag: String,
    /// What had been told when it was written, and when that was.
    news: u64,
    at: Instant,
}

/// Who asks: one that was woken wants what woke it, one that asks anew what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A question that has just come.
    Anew,
    /// A long poll that was woken.
    Woken,
}

/// Answers by caller; all strangers are one.
#[derive(Debug, Default)]
pub struct ShownHeads {
    kept: Mutex<BTreeMap<Option<Authority>, (Answer, Instant)>>,
    /// One is written at a time; the others wait for it here, and not on threads.
    writing: tokio::sync::Mutex<()>,
    held: Mutex<BTreeMap<Authority, usize>>,
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole: whoever panicked left it so.
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ShownHeads {
    /// The answer to a caller, as of all that `news` counts.
    pub async fn answer(
        &self,
        caller: Option<&Authority>,
        asks: Asks,
        news: impl Fn() -> u64,
        write: impl FnOnce() -> (Vec<u8>, String),
    ) -> Answer {
        if let Some(answer) = self.kept(caller, asks, news()) {
            return answer;
        }
        let _one_at_a_time = self.writing.lock().await;
        // Read before it is written: what is told meanwhile is a change that this may lack.
        let news = news();
        if let Some(answer) = self.kept(caller, asks, news) {
            return answer;
        }
        let (body, etag) = write();
        let answer = Answer { body: body.into(), etag, news, at: Instant::now() };
        self.keep(caller, answer.clone());
        answer
    }

    fn kept(&self, caller: Option<&Authority>, asks: Asks, news: u64) -> Option<Answer> {
        let mut kept = locked(&self.kept);
        let (answer, used) = kept.get_mut(&caller.cloned())?;
        let is_fresh = asks == Asks::Woken || answer.at.elapsed() < FRESH;
        if answer.news != news || !is_fresh {
            return None;
        }
        *used = Instant::now();
        Some(answer.clone())
    }

    /// Keeps an answer; those that were asked for longest ago make room for it.
    fn keep(&self, caller: Option<&Authority>, answer: Answer) {
        let mut kept = locked(&self.kept);
        kept.remove(&caller.cloned());
        let mut bytes = answer.body.len() + kept.values().map(|(answer, _)| answer.body.len()).sum::<usize>();
        while kept.len() >= CALLERS || bytes > BYTES {
            let oldest = kept.iter().min_by_key(|(_, (_, used))| *used).map(|(caller, _)| caller.clone());
            let Some((gone, _)) = oldest.and_then(|oldest| kept.remove(&oldest)) else { break };
            bytes -= gone.body.len();
        }
        kept.insert(caller.cloned(), (answer, Instant::now()));
    }

    /// A place for a long poll, as long as it is kept; `None` if this caller has enough of them.
    pub fn hold(&self, caller: &Authority) -> Option<LongPoll<'_>> {
        let mut held = locked(&self.held);
        let count = held.entry(caller.clone()).or_default();
        if *count >= HELD {
            return None;
        }
        *count += 1;
        Some(LongPoll { shown: self, caller: caller.clone() })
    }
}

/// A long poll that is held.
#[derive(Debug)]
pub struct LongPoll<'a> {
    shown: &'a ShownHeads,
    caller: Authority,
}

impl Drop for LongPoll<'_> {
    fn drop(&mut self) {
        let mut held = locked(&self.shown.held);
        if let Some(count) = held.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn authority(name: &str) -> Authority {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn however_many_wait_an_answer_is_written_once_for_each_caller_and_change() {
        let (shown, written) = (ShownHeads::default(), Cell::new(0));
        let write = || {
            written.set(written.get() + 1);
            (vec![b'x'; 1 << 20], format!("\"{}\"", written.get()))
        };
        let callers = [None, Some(authority("h.example"))];
        for news in 1..=3 {
            for caller in &callers {
                let polls = (0..400).map(|_| shown.answer(caller.as_ref(), Asks::Woken, || news, write));
                let answers = futures::future::join_all(polls).await;
                let is_shared =
                    |answer: &Answer| std::ptr::eq(&raw const answer.body[0], &raw const answers[0].body[0]);
                assert!(answers.iter().all(is_shared), "one body in memory");
            }
            assert_eq!(written.get(), news * 2);
        }
    }

    #[tokio::test]
    async fn what_is_told_while_an_answer_is_written_is_in_the_next_one() {
        let (shown, news) = (ShownHeads::default(), Cell::new(1));
        let write = |body: &'static str| {
            news.set(news.get() + 1);
            move || (body.as_bytes().to_vec(), body.to_owned())
        };
        let told_late = || {
            let _ = write("");
            (b"old".to_vec(), "old".to_owned())
        };
        assert_eq!(shown.answer(None, Asks::Woken, || news.get(), told_late).await.etag, "old");
        let written = write("new");
        assert_eq!(shown.answer(None, Asks::Woken, || news.get(), written).await.etag, "new");
    }

    #[tokio::test]
    async fn answers_of_a_bounded_number_of_callers_and_bytes_are_kept() {
        let shown = ShownHeads::default();
        let bytes = |shown: &ShownHeads| {
            locked(&shown.kept).values().map(|(answer, _)| answer.body.len()).sum::<usize>()
        };
        for (length, most) in [(1 << 10, CALLERS), (4 << 20, 4)] {
            for n in 0..2 * CALLERS {
                let caller = authority(&format!("c{n}.example"));
                shown
                    .answer(Some(&caller), Asks::Anew, || length as u64, || (vec![0; length], String::new()))
                    .await;
            }
            assert_eq!(locked(&shown.kept).len(), most);
            assert!(bytes(&shown) <= BYTES);
        }
    }

    #[test]
    fn so_many_long_polls_of_a_caller_are_held_and_those_of_others_beside_them() {
        let (shown, hostile, honest) =
            (ShownHeads::default(), authority("h.example"), authority("a.example"));
        let mut held: Vec<_> = (0..HELD).map(|_| shown.hold(&hostile).unwrap()).collect();
        assert!(shown.hold(&hostile).is_none());
        assert!(shown.hold(&honest).is_some());
        held.pop();
        held.push(shown.hold(&hostile).unwrap());
        drop(held);
        assert!(locked(&shown.held).is_empty(), "nobody is remembered");
    }
}
