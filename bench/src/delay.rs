//! A link with a delay: what goes in at one end comes out at the other as much later, in both directions.
//!
//! Nothing is lost, and there is no limit to its width. A connection that is opened waits the way there and back
//! before it carries anything, as a handshake does.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Parts that are under way at the same time in one direction.
const UNDER_WAY: usize = 4096;

/// Listens on a port of this machine and carries connections to another one, each way `delay` later.
pub async fn link(listen: u16, to: u16, delay: Duration) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let listener = TcpListener::bind(("127.0.0.1", listen)).await?;
    let to = SocketAddr::from(([127, 0, 0, 1], to));
    Ok(tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(async move {
                tokio::time::sleep(2 * delay).await;
                let Ok(far) = TcpStream::connect(to).await else { return };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::join!(carry(near_in, far_out, delay), carry(far_in, near_out, delay));
            });
        }
    }))
}

/// One direction, until either end is closed.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let part = buffer.get(..count).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, part)).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, part)) = under_way.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&part).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
