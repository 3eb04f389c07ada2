//! What was computed of mechanisms, kept for whoever asks next: it is computed once per change, by one at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::Authority;
use record::charter::Mechanisms;
use record::root::RootChain;
use store::db::DbError;

use super::{Known, load};
use crate::alarm::{self, Alarm};
use crate::node::Node;
use crate::peers;

/// What the mechanisms depend on. The roots are compared by identity: whoever changes them replaces them.
struct Basis {
    changes: u64,
    own: Arc<RootChain>,
    peers: Arc<BTreeMap<Authority, peers::Known>>,
}

impl Basis {
    fn of(node: &Node) -> Self {
        Self { changes: node.index.changes(), own: node.own_chain(), peers: node.peers() }
    }

    /// Whether what was computed of this is right for whoever came at `then`.
    fn is_for(&self, then: &Self) -> bool {
        self.changes >= then.changes
            && Arc::ptr_eq(&self.own, &then.own)
            && Arc::ptr_eq(&self.peers, &then.peers)
    }
}

/// The mechanisms as they were computed last.
#[derive(Default)]
pub struct Kept(tokio::sync::Mutex<Option<(Basis, Arc<Mechanisms>)>>);

impl Node {
    /// Mechanisms as this node knows them. Whose charters are too many to be looked at is named by an alarm.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn mechanisms(&self) -> Result<Arc<Mechanisms>, DbError> {
        let came = Basis::of(self);
        let mut kept = self.mechanisms_kept.0.lock().await;
        if let Some((_, mechanisms)) = kept.as_ref().filter(|(basis, _)| basis.is_for(&came)) {
            return Ok(Arc::clone(mechanisms));
        }
        // The old ones go before the new ones come.
        *kept = None;
        let basis = Basis::of(self);
        let fingerprint_of = |authority: &Authority| {
            let peer = basis.peers.get(authority).map(|known| known.chain.fingerprint());
            if *authority == self.config.authority { Some(basis.own.fingerprint()) } else { peer }
        };
        let Known { mechanisms, left_out } = load(self.index.db(), fingerprint_of).await?;
        let mechanisms = Arc::new(mechanisms);
        *kept = Some((basis, Arc::clone(&mechanisms)));
        drop(kept);
        // It rings again when there are twice as many.
        let alarms = left_out.iter().map(|(author, count)| {
            let alarm = Alarm::new("mechanisms-crowded").with("author", author);
            alarm.of_count(u64::from(count.max(&1).ilog2()))
        });
        alarm::raise_all(&*self.cells, alarms.collect()).await;
        Ok(mechanisms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanisms::MOST_CHARTERS;
    use crate::mechanisms::tests::flood;

    async fn node(folder: &std::path::Path) -> Node {
        let init = crate::init::Init {
            authority: "x.example".parse().unwrap(),
            code: "X".into(),
            names: BTreeMap::new(),
            data: folder.join("data"),
            root_keys: folder.join("root-keys"),
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "http://127.0.0.1:1".into(),
            endpoint: "https://concord.x.example".into(),
            status: record::Status::Exercise,
            state: None,
            index: None,
            files: None,
            exchange: crate::config::Exchange::default(),
            dial: BTreeMap::new(),
        };
        let made = crate::init::init(&init, crate::clock::now()).await.unwrap();
        Node::open(crate::config::Config::load(&made.data).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_computed_is_kept_until_the_index_changes_and_computed_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let node = node(folder.path()).await;
        let log = "x.example/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026";
        flood(node.index.db(), log, 1, 1).await;
        let first = node.mechanisms().await.unwrap();
        assert_eq!(first.iter().count(), 1);
        flood(node.index.db(), log, 2, MOST_CHARTERS).await;
        assert!(
            Arc::ptr_eq(&first, &node.mechanisms().await.unwrap()),
            "nobody said that the index has changed"
        );
        drop(node.index.writer(&node).await);
        let at_once = futures::future::join_all((0..12).map(|_| node.mechanisms())).await;
        let at_once: Vec<Arc<Mechanisms>> = at_once.into_iter().map(Result::unwrap).collect();
        assert!(at_once.iter().all(|one| Arc::ptr_eq(one, &at_once[0])));
        assert_eq!(at_once[0].iter().count(), MOST_CHARTERS);
        let alarms = alarm::list(&*node.cells).await.unwrap();
        let crowded: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.code == "mechanisms-crowded").collect();
        assert_eq!((crowded.len(), &*crowded[0].arguments["author"]), (1, "x.example"));
    }
}
