//! TCP connections for media until their first packet tells whose they are. Silent ones end here, and never reach a media thread.
//!
//! It counts who has how many, here and with the threads, so that these need no lock. Whether there is such a session, and
//! whether it is the other side's, the threads find out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use edge::{Block, Most, Places};
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
/// Connections that have not said yet whose they are. More are closed at once.
const UNKNOWN: Most = Most { all: 1024, of_block: 128, around: 256 };
/// Connections of one address block, and of the block around it, that have: a delegation, and a conference, behind one address
/// whose firewall lets no UDP through.
const OF_BLOCK: usize = 512;
const AROUND: usize = 1024;

/// Who has how many connections for media, over all listeners.
#[derive(Clone)]
pub(super) struct Shares {
    unknown: Arc<Places>,
    known: Arc<Places>,
}

impl Shares {
    /// For so many threads, in a process that may have so many files open: a quarter of them, whatever strangers do.
    pub(super) fn new(threads: usize, files: usize) -> Self {
        let most = files / 8;
        let all = CONNECTIONS.saturating_mul(threads).min(most);
        let unknown = Most { all: UNKNOWN.all.min(most), ..UNKNOWN };
        Self {
            unknown: Places::new(unknown),
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
        let block = Some(Block::of(peer.ip()));
        let Some(waiting) = shares.unknown.enter(block) else { continue };
        let (places, threads, shares) = (places.clone(), threads.clone(), shares.clone());
        tokio::spawn(async move {
            let (place, gone) = oneshot::channel();
            let arrival = tokio::time::timeout(FIRST_PACKET, introduce(stream, peer, &places, place)).await;
            drop(waiting);
            // Whatever went wrong, it is a stranger's affair.
            let Ok(Ok((owner, arrival))) = arrival else { return };
            let (Some(thread), Some(_place)) = (threads.get(owner), shares.known.enter(block)) else {
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
