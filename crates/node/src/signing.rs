//! Whether own logs may sign (protocol section 3, *Start*): what the engine said of each, and waiting for it.
//!
//! A log that has entries waits from the moment the node opens until the engine, who asks witnesses and
//! followers, says that it may go on. Nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use federate::engine::{GuardStanding, Permission};
use record::Origin;
use tokio::sync::watch;

use crate::clock;
use crate::node::Node;
use crate::release::ReleaseError;

/// A start is decided within 10 s; a release does not wait much longer for it.
const LONGEST_START: Duration = Duration::from_secs(15);
const DAY: i64 = 86_400;
/// How often the end of the start is looked for where nobody tells of it.
const LOOK: Duration = Duration::from_millis(20);

/// May an own log sign?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// Yes.
    Granted,
    /// Its guard is in step: it may within seconds, whoever answers.
    Starting,
    /// Not yet; what it waits for and what the operator can do.
    Waits(String),
}

/// The permits of all own logs.
#[derive(Default)]
pub struct Permits {
    told: watch::Sender<BTreeMap<Origin, Permit>>,
    /// Logs whose files on this disk do not lead to their heads.
    damaged: RwLock<BTreeSet<Origin>>,
}

impl Permits {
    /// What is known of a log; a log that nothing was said of is new, and asks nobody.
    pub fn of(&self, origin: &Origin) -> Permit {
        self.told.borrow().get(origin).cloned().unwrap_or(Permit::Granted)
    }

    /// Sets what is known of a log.
    pub fn set(&self, origin: &Origin, permit: Permit) {
        self.told.send_modify(|told| drop(told.insert(origin.clone(), permit)));
    }

    /// What is known of a log once its start is over, or after the longest time that a start may take.
    async fn decided(&self, origin: &Origin) -> Permit {
        let mut told = self.told.subscribe();
        let over = told.wait_for(|told| told.get(origin) != Some(&Permit::Starting));
        // Whoever tells lives as long as the node.
        let _ = tokio::time::timeout(LONGEST_START, over).await;
        self.of(origin)
    }

    /// Notes whether a log's files lead to its head.
    pub fn set_damaged(&self, origin: &Origin, is_damaged: bool) {
        let mut damaged = self.damaged.write().unwrap_or_else(PoisonError::into_inner);
        if is_damaged {
            damaged.insert(origin.clone())
        } else {
            damaged.remove(origin)
        };
    }

    /// Do the files of a log on this disk not lead to its head?
    pub fn is_damaged(&self, origin: &Origin) -> bool {
        self.damaged.read().unwrap_or_else(PoisonError::into_inner).contains(origin)
    }
}

impl Permit {
    /// What is known at the start, before anybody was asked.
    pub fn at_start(standing: GuardStanding) -> Self {
        match standing {
            GuardStanding::New => Self::Granted,
            GuardStanding::InStep => Self::Starting,
            GuardStanding::Missing | GuardStanding::Ahead { .. } => Permission::Wait.into(),
            GuardStanding::Damaged => Self::Waits(
                "its files on this disk do not lead to its head: they are fetched back from whoever holds them; if nobody does, \
                 `concord log succeed` goes on in a new log"
                    .into(),
            ),
        }
    }
}

impl From<Permission> for Permit {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::May => Self::Granted,
            Permission::Wait => Self::Waits(
                "its witnesses and followers are being asked how far it is; if none can answer, and you are certain that nothing else was signed in it: `concord log resume`"
                    .into(),
            ),
            Permission::CatchUp { size } => {
                Self::Waits(format!(
                    "its own entries up to {size} are being fetched back; if nobody holds them, put its files back from a backup \
                     and restart, or `concord log succeed` goes on in a new log"
                ))
            }
            Permission::Stopped => Self::Waits(
                "somebody shows a head of it that this node did not make, so it has forked: see the alarms; `concord log succeed` goes on in a new log".into(),
            ),
        }
    }
}

impl Node {
    /// Waits until it is decided whether a log may sign now.
    ///
    /// # Errors
    /// It may not, and why.
    pub async fn may_sign(&self, origin: &Origin) -> Result<(), ReleaseError> {
        let waits = |why: String| Err(ReleaseError::Waits { origin: origin.clone(), why });
        match self.permits.decided(origin).await {
            Permit::Granted => Ok(()),
            Permit::Starting => waits("the exchange did not say in time that it may; try again".into()),
            Permit::Waits(why) => waits(why),
        }
    }

    /// Waits until a log may be opened under a name that a state of before could have used already.
    ///
    /// # Errors
    /// Somebody holds a log of this name, which is being fetched back.
    pub async fn may_open(&self, origin: &Origin) -> Result<(), ReleaseError> {
        let deadline = tokio::time::Instant::now() + LONGEST_START;
        while self.inbox.get().is_some() && !self.engine().may_open(clock::milliseconds()) {
            if tokio::time::Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        if self.engine().fetches_back(origin) {
            let why = "others hold a log of this name that this node does not know: it is being fetched back";
            return Err(ReleaseError::Waits { origin: origin.clone(), why: why.into() });
        }
        self.year_is_theirs(origin)
    }

    /// The year in a log's name is for ever, and comes from this machine's clock. Where every peer that told its time is more
    /// than a day away from it and in another year, this clock is wrong. Of one peer alone it cannot be said whose clock is
    /// wrong, and a right node must not be kept from speaking by it.
    fn year_is_theirs(&self, origin: &Origin) -> Result<(), ReleaseError> {
        let now = clock::now();
        let skews: Vec<i64> = self.engine().peer_health().iter().filter_map(|peer| peer.skew).collect();
        let contradicts =
            |skew: &i64| skew.abs() > DAY && now.saturating_add(*skew).date().civil().0 != origin.year;
        match skews.first() {
            Some(first) if skews.len() > 1 && skews.iter().all(contradicts) => {
                Err(ReleaseError::Year { ours: now, theirs: now.saturating_add(*first) })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_is_awaited_and_a_refusal_is_not() {
        let permits = Permits::default();
        let origin: Origin = "moh.chn.example/log/public/2026".parse().unwrap();
        assert_eq!(permits.decided(&origin).await, Permit::Granted, "a new log asks nobody");
        permits.set(&origin, Permit::at_start(GuardStanding::InStep));
        let (decided, ()) = tokio::join!(permits.decided(&origin), async {
            permits.set(&origin, Permission::May.into());
        });
        assert_eq!(decided, Permit::Granted);
        permits.set(&origin, Permit::at_start(GuardStanding::Missing));
        let Permit::Waits(why) = permits.decided(&origin).await else { panic!("nobody was asked") };
        assert!(why.contains("log resume"), "{why}");
    }
}
