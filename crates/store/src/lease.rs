//! Several servers on one database: one of them leads. A lease in a cell says which, and a term fences off
//! whoever has lost it.
//!
//! The lease only keeps servers out of each other's way, by their clocks. What is safe rests on the term: it
//! changes with every new leader, and every change that a leader makes demands the term that it began with.
//! A server that slept through its lease therefore changes nothing any more. Times are arguments, in POSIX
//! seconds.

use crate::cells::{Cells, CellsError, Swap};
use async_trait::async_trait;
use std::sync::{Arc, PoisonError, RwLock};

const LEASE: &str = "lease";
const HOLDER: &str = "holder";
const TERM: &str = "term";

/// Why a lease could not be taken or extended.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another server leads since; this one must exit.
    #[error("another server has taken the lead: this one must end, and stand by when it is started again")]
    Lost,
    /// A cell of the lease that is none.
    #[error("cell {LEASE}/{key} has another form")]
    Form {
        /// The key.
        key: &'static str,
    },
    /// The cells failed.
    #[error(transparent)]
    Cells(#[from] CellsError),
}

impl LeaseError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lost => "lease-lost",
            Self::Form { .. } => "lease-form",
            Self::Cells(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Lost => Vec::new(),
            Self::Form { key } => vec![("key", (*key).to_owned())],
            Self::Cells(error) => error.arguments(),
        }
    }
}

/// Who leads, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The server's name.
    pub server: String,
    /// POSIX seconds; from then on anybody may take the lead.
    pub until: u64,
}

/// The term that this server leads in; none while it stands by.
type Term = Arc<RwLock<Option<Vec<u8>>>>;

/// One server's view of the lease.
#[derive(Clone)]
pub struct Lease {
    cells: Arc<dyn Cells>,
    server: String,
    seconds: u64,
    term: Term,
}

impl Lease {
    /// The lease of these cells, to be taken by `server` (a name without spaces, of this server alone) for so
    /// many seconds at a time.
    pub fn new(cells: Arc<dyn Cells>, server: &str, seconds: u64) -> Self {
        Self { cells, server: server.to_owned(), seconds, term: Term::default() }
    }

    /// The cells as this server may change them: only while it leads.
    pub fn fenced(&self) -> Arc<dyn Cells> {
        Arc::new(Fenced { cells: Arc::clone(&self.cells), term: Arc::clone(&self.term) })
    }

    /// Whether a holder is this server.
    pub fn is_ours(&self, holder: &Holder) -> bool {
        holder.server == self.server
    }

    /// The term in force: what one server may show another to prove that it reads the same cells.
    pub async fn term(&self) -> Result<Option<Vec<u8>>, CellsError> {
        self.cells.get(LEASE, TERM).await
    }

    /// Takes or extends the lease if it is free, expired or ours; answers who holds it then. `random` makes
    /// the term that begins if this server takes the lead unguessable.
    pub async fn acquire(&self, now: u64, random: u128) -> Result<Holder, LeaseError> {
        let ours = Holder { server: self.server.clone(), until: now.saturating_add(self.seconds) };
        loop {
            let held = self.cells.get(LEASE, HOLDER).await?;
            let holder = held.as_deref().map(parse_holder).transpose()?;
            let term = self.cells.get(LEASE, TERM).await?;
            let led = self.term.read().unwrap_or_else(PoisonError::into_inner).clone();
            if led.is_some() && led != term {
                return Err(LeaseError::Lost);
            }
            if led.is_none()
                && let Some(holder) = holder.filter(|holder| !self.is_ours(holder) && holder.until > now)
            {
                return Ok(holder);
            }
            let next = match &led {
                Some(_) => term.clone(),
                None => Some(next_term(term.as_deref(), random)?),
            };
            let text = format!("{} {}", ours.server, ours.until).into_bytes();
            let swaps =
                [Swap::new(LEASE, HOLDER, held, Some(text)), Swap::new(LEASE, TERM, term, next.clone())];
            if self.cells.swap_all(&swaps).await? {
                *self.term.write().unwrap_or_else(PoisonError::into_inner) = next;
                return Ok(ours);
            }
        }
    }

    /// Gives the lead up, if it is ours: the next server need not wait for the lease to expire.
    pub async fn release(&self) -> Result<(), LeaseError> {
        let led = self.term.write().unwrap_or_else(PoisonError::into_inner).take();
        let held = self.cells.get(LEASE, HOLDER).await?;
        if let (Some(term), Some(bytes)) = (led, &held)
            && self.is_ours(&parse_holder(bytes)?)
        {
            let swaps = [
                Swap::new(LEASE, HOLDER, held, None),
                Swap::new(LEASE, TERM, Some(term.clone()), Some(term)),
            ];
            self.cells.swap_all(&swaps).await?;
        }
        Ok(())
    }
}

fn parse_holder(bytes: &[u8]) -> Result<Holder, LeaseError> {
    let holder = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.split_once(' '))
        .and_then(|(server, until)| Some(Holder { server: server.to_owned(), until: until.parse().ok()? }));
    holder.ok_or(LeaseError::Form { key: HOLDER })
}

/// `<number> <random>`, the number one more than before.
fn next_term(before: Option<&[u8]>, random: u128) -> Result<Vec<u8>, LeaseError> {
    let number = match before {
        None => 0,
        Some(bytes) => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.split_once(' '))
            .and_then(|(number, _)| number.parse::<u64>().ok())
            .ok_or(LeaseError::Form { key: TERM })?,
    };
    Ok(format!("{} {random:032x}", number + 1).into_bytes())
}

/// Cells that a server may change while it leads, and only in its own term.
struct Fenced {
    cells: Arc<dyn Cells>,
    term: Term,
}

#[async_trait]
impl Cells for Fenced {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, CellsError> {
        self.cells.get(space, key).await
    }

    async fn swap_all(&self, swaps: &[Swap]) -> Result<bool, CellsError> {
        let term = self.term.read().unwrap_or_else(PoisonError::into_inner).clone();
        let term = term.ok_or(CellsError::NotLeading)?;
        let fence = Swap::new(LEASE, TERM, Some(term.clone()), Some(term.clone()));
        let fenced: Vec<Swap> = swaps.iter().cloned().chain([fence]).collect();
        if self.cells.swap_all(&fenced).await? {
            return Ok(true);
        }
        // Which of them was in the way?
        if self.cells.get(LEASE, TERM).await?.as_deref() == Some(term.as_slice()) {
            Ok(false)
        } else {
            Err(CellsError::NotLeading)
        }
    }

    async fn scan(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, CellsError> {
        self.cells.scan(space, prefix, after, limit).await
    }
}
