//! TCP connections for media until their first packet tells whose they are. Silent ones end here, and never reach a media thread.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Handle;
use super::framing::MAX_FRAME;
use super::places::arrived;
use super::tcp::Arrival;
use crate::media::{Place, Transport, owner_of};

/// How long a connection may take for its first packet.
const FIRST_PACKET: Duration = Duration::from_secs(5);
/// Connections that have not said yet whose they are. More are closed at once.
const UNKNOWN: usize = 1024;

/// Accepts until the listener fails for good; runs on the caller's runtime.
pub(super) async fn accept(listener: TcpListener, places: Arc<[Place]>, threads: Arc<[Handle]>) {
    let unknown = Arc::new(Semaphore::new(UNKNOWN));
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
        let Ok(permit) = unknown.clone().try_acquire_owned() else { continue };
        let (places, threads) = (places.clone(), threads.clone());
        tokio::spawn(async move {
            let arrival = tokio::time::timeout(FIRST_PACKET, introduce(stream, peer, &places)).await;
            drop(permit);
            // Whatever went wrong, it is a stranger's affair.
            if let Ok(Ok((owner, arrival))) = arrival
                && let Some(thread) = threads.get(owner)
            {
                thread.adopt(arrival);
            }
        });
    }
}

/// Reads the first packet: a STUN request that names a session.
async fn introduce(
    mut stream: TcpStream,
    peer: SocketAddr,
    places: &[Place],
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
    Ok((usize::from(owner.0), Arrival { stream: stream.into_std()?, peer, local, first }))
}
