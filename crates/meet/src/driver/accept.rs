//! TCP connections for media until their first packet tells whose they are. Silent ones end here, and never reach a media thread.
//!
//! It counts who has how many, here and with the threads, so that these need no lock. Whether there is such a session, and
//! whether it is the other side's, the threads find out.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge::{Block, Full, Most, Place as Taken, Places};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::Handle;
use super::framing::MAX_FRAME;
use super::places::arrived;
use super::tcp::{Arrival, CONNECTIONS};
use crate::media::{Place, Transport, owner_of};

/// How long a connection may take for its first packet.
const FIRST_PACKET: Duration = Duration::from_secs(5);
/// Connections that have not said yet whose they are.
const UNKNOWN: Most = Most { all: 1024, of_block: 128, around: 256 };
/// Connections of one address block, and of the block around it, that have: a delegation, and a conference, behind one address
/// whose firewall lets no UDP through.
const OF_BLOCK: usize = 512;
const AROUND: usize = 1024;

/// Who has how many connections for media, over all listeners.
#[derive(Clone)]
pub(super) struct Shares {
    unknown: Arc<Unknown>,
    known: Arc<Places>,
}

/// Connections that have not said yet whose they are. A crowd of thousands of addresses, none of which has more than its share,
/// could take all their places and shut everybody else out: when none is free, the one that has been still for longest goes.
struct Unknown {
    places: Arc<Places>,
    /// In the order in which they came; whoever drops out hears it by its channel.
    waiting: Mutex<BTreeMap<u64, (Taken, oneshot::Sender<()>)>>,
    next: AtomicU64,
}

/// A place among those that have not said whose they are.
struct Waiting {
    unknown: Arc<Unknown>,
    number: u64,
}

impl Unknown {
    fn new(most: Most) -> Arc<Self> {
        Arc::new(Self { places: Places::new(most), waiting: Mutex::default(), next: AtomicU64::new(0) })
    }

    /// A place, and what resolves when it is taken away; none beyond the share of a block.
    fn enter(self: &Arc<Self>, block: Block) -> Option<(Waiting, oneshot::Receiver<()>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = loop {
            match self.places.try_enter(Some(block)) {
                Ok(taken) => break taken,
                Err(Full::OfOne) => return None,
                // Its place is free when it is dropped here.
                Err(Full::OfAll) => drop(waiting.pop_first()?),
            }
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (end, ended) = oneshot::channel();
        waiting.insert(number, (taken, end));
        Some((Waiting { unknown: Arc::clone(self), number }, ended))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.unknown.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let left = waiting.remove(&self.number);
        drop(waiting);
        drop(left);
    }
}

impl Shares {
    /// For so many threads, in a process that may have so many files open: a quarter of them, whatever strangers do.
    pub(super) fn new(threads: usize, files: usize) -> Self {
        let most = files / 8;
        let all = CONNECTIONS.saturating_mul(threads).min(most);
        let unknown = Most { all: UNKNOWN.all.min(most), ..UNKNOWN };
        Self {
            unknown: Unknown::new(unknown),
            known: Places::new(Most { all, of_block: OF_BLOCK, around: AROUND }),
        }
    }
}

/// Accepts until the listener fails for good; runs on the caller's runtime.
pub(super) async fn accept(
    listener: TcpListener,
    places: Arc<[Place]>,
    threads: Arc<[Handle]>,
    shares: Shares,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, mostly: those that are open will end.
                tracing::warn!(%error, "a TCP connection for media could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let block = Block::of(peer.ip());
        let Some((waiting, ended)) = shares.unknown.enter(block) else { continue };
        let (places, threads, shares) = (places.clone(), threads.clone(), shares.clone());
        tokio::spawn(async move {
            let (place, gone) = oneshot::channel();
            let introduced = tokio::time::timeout(FIRST_PACKET, introduce(stream, peer, &places, place));
            let arrival = tokio::select! {
                arrival = introduced => arrival,
                _ = ended => return,
            };
            drop(waiting);
            // Whatever went wrong, it is a stranger's affair.
            let Ok(Ok((owner, arrival))) = arrival else { return };
            let (Some(thread), Some(_place)) = (threads.get(owner), shares.known.enter(Some(block))) else {
                return;
            };
            thread.adopt(arrival);
            // The place is kept here until the thread drops its end.
            let _ = gone.await;
        });
    }
}

/// Reads the first packet: a STUN request that names a session.
async fn introduce(
    mut stream: TcpStream,
    peer: SocketAddr,
    places: &[Place],
    place: oneshot::Sender<()>,
) -> io::Result<(usize, Arrival)> {
    stream.set_nodelay(true)?;
    let length = usize::from(stream.read_u16().await?);
    if length > MAX_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut first = vec![0; length];
    stream.read_exact(&mut first).await?;
    let owner = owner_of(&first).ok_or(io::ErrorKind::InvalidData)?;
    let local = stream.local_addr()?;
    let local = arrived(places, Transport::Tcp, Some(local.ip()), local.is_ipv4())
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((usize::from(owner.0), Arrival { stream: stream.into_std()?, peer, local, first, place }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u32) -> Block {
        Block::of(std::net::Ipv4Addr::from_bits(n << 8).into())
    }

    /// Thousands of addresses, each far below its share.
    #[test]
    fn a_crowd_that_says_nothing_shuts_nobody_out() {
        let unknown = Unknown::new(Most { all: 16, of_block: 4, around: 8 });
        let mut crowd: Vec<_> = (1..2000).map(|n| unknown.enter(block(n)).expect("a place")).collect();
        let (_mine, mut ended) = unknown.enter(block(5000)).expect("a place for whoever comes then");
        assert!(ended.try_recv().is_err_and(|why| why == oneshot::error::TryRecvError::Empty), "it stays");
        let is_gone = |ended: &mut oneshot::Receiver<()>| {
            ended.try_recv().is_err_and(|why| why == oneshot::error::TryRecvError::Closed)
        };
        let gone: Vec<bool> = crowd.iter_mut().map(|(_, ended)| is_gone(ended)).collect();
        let first_left = gone.iter().position(|is_gone| !is_gone);
        assert_eq!(first_left, Some(1999 - 13), "those that were still for longest went");
        assert_eq!(unknown.waiting.lock().unwrap().len(), 14, "an eighth is for nobody's block");
        drop(crowd);
        assert_eq!(unknown.waiting.lock().unwrap().len(), 1);
    }

    #[test]
    fn one_block_pushes_nobody_out() {
        let unknown = Unknown::new(Most { all: 16, of_block: 4, around: 8 });
        let (_mine, mut ended) = unknown.enter(block(7)).expect("a place");
        let held: Vec<_> = (0..100).filter_map(|_| unknown.enter(block(9))).collect();
        assert_eq!(held.len(), 4);
        assert!(ended.try_recv().is_err_and(|why| why == oneshot::error::TryRecvError::Empty));
    }
}
