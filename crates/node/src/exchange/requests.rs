//! Requests to peers that are under way, so that the engine can give one up: its task ends, and with that its connection.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use federate::engine::Id;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Requests by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Arc<Mutex<BTreeMap<Id, AbortHandle>>>);

impl Requests {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Id, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a request out.
    pub fn begin(&self, runtime: &Handle, id: Id, request: impl Future<Output = ()> + Send + 'static) {
        let here = self.clone();
        // Held until it is noted: it may end before.
        let mut all = self.all();
        let task = runtime.spawn(async move {
            request.await;
            here.all().remove(&id);
        });
        all.insert(id, task.abort_handle());
    }

    /// Ends one, if it is under way.
    pub fn give_up(&self, id: Id) {
        if let Some(task) = self.all().remove(&id) {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_given_up_ends_at_once_and_what_ended_is_forgotten() {
        let (requests, runtime) = (Requests::default(), Handle::current());
        let (held, mut let_go) = tokio::sync::oneshot::channel::<()>();
        requests.begin(&runtime, Id(1), async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        requests.begin(&runtime, Id(2), async {});
        while requests.all().len() > 1 {
            tokio::task::yield_now().await;
        }
        assert!(let_go.try_recv().is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Empty));
        requests.give_up(Id(1));
        assert!(let_go.await.is_err(), "what it held is dropped");
        assert!(requests.all().is_empty());
    }
}
