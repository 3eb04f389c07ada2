//! Cells in memory, for tests and simulation; they outlive the node that uses them, so that a crash can
//! be played: drop the node, keep the cells.

use super::{Cells, CellsError, Swap, in_order};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

/// What a fault hook says before a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellFault {
    /// Make the change.
    Go,
    /// Fail; the change is not made.
    Refuse,
    /// Make the change and fail all the same: the answer is lost.
    LoseAnswer,
}

/// Values by space and key.
type Values = BTreeMap<(String, String), Vec<u8>>;
type Hook = Arc<dyn Fn(&[Swap]) -> CellFault + Send + Sync>;

/// Cells in memory. Clones share the same cells.
#[derive(Clone, Default)]
pub struct MemoryCells {
    cells: Arc<Mutex<Values>>,
    hook: Option<Hook>,
}

impl MemoryCells {
    /// No cells.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same cells, through a hook that is asked before every change.
    #[must_use]
    pub fn with_fault(&self, hook: impl Fn(&[Swap]) -> CellFault + Send + Sync + 'static) -> Self {
        Self { cells: Arc::clone(&self.cells), hook: Some(Arc::new(hook)) }
    }

    /// A copy of all cells as they are now, sharing nothing: what a backup would hold.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { cells: Arc::new(Mutex::new(cells)), hook: None }
    }
}

#[async_trait]
impl Cells for MemoryCells {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, CellsError> {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(cells.get(&(space.to_owned(), key.to_owned())).cloned())
    }

    async fn swap_all(&self, swaps: &[Swap]) -> Result<bool, CellsError> {
        let ordered = in_order(swaps)?;
        let fault = self.hook.as_ref().map_or(CellFault::Go, |hook| hook(swaps));
        if fault == CellFault::Refuse {
            return Err(CellsError::Fault);
        }
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |swap: &Swap| (swap.space.clone(), swap.key.clone());
        let holds = ordered.iter().all(|swap| cells.get(&name(swap)) == swap.old.as_ref());
        if holds {
            for swap in ordered {
                match &swap.new {
                    Some(value) => cells.insert(name(swap), value.clone()),
                    None => cells.remove(&name(swap)),
                };
            }
        }
        if fault == CellFault::LoseAnswer { Err(CellsError::Fault) } else { Ok(holds) }
    }

    async fn scan(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, CellsError> {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |key: &str| (space.to_owned(), key.to_owned());
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(named(after)),
            _ => Bound::Included(named(prefix)),
        };
        let found = cells.range((start, Bound::Unbounded));
        let inside = found.take_while(|((s, key), _)| s == space && key.starts_with(prefix));
        Ok(inside.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }
}
