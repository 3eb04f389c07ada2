//! One client's WebSocket: frames in, frames out, bounded in size, number and patience. It understands no message.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures::stream::SplitSink;
use futures::{SinkExt as _, StreamExt as _};
use livekit_protocol::SignalRequest;
use prost::Message as _;
use tokio::time::{Instant, interval_at, timeout};

use super::task::{Ask, Frame, Incoming, RoomsHandle};
use crate::room::ConnectionId;

/// The most bytes of a client's frame: an offer of forty m-lines is a tenth of it.
pub(crate) const MAX_FRAME: usize = 1 << 20;
/// How long a client may take for its first message. Clients trickle candidates at once.
const FIRST_MESSAGE: Duration = Duration::from_secs(15);
/// How long a client may say nothing at all, not even answer a ping.
const SILENCE: Duration = Duration::from_secs(30);
/// How often we ping.
const PING: Duration = Duration::from_secs(10);
/// How long one frame may take to leave.
const WRITE: Duration = Duration::from_secs(10);

/// Why the conversation ended, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed.
    Client,
    /// Rooms closed, and said why.
    Rooms(&'static str),
    /// The client did not take what was sent to it.
    Slow,
    /// It never spoke, or fell silent.
    Silent,
    /// It sent what is no request.
    Malformed,
    /// The socket failed.
    Broken,
    /// The engine ended.
    Engine,
}

/// Talks until one of the two has enough, then tells the rooms.
pub(crate) async fn converse(
    socket: WebSocket,
    rooms: RoomsHandle,
    connection: ConnectionId,
    mut frames: Incoming,
) {
    let (mut out, mut incoming) = socket.split();
    let mut pings = interval_at(Instant::now() + PING, PING);
    let mut patience = Instant::now() + FIRST_MESSAGE;
    let mut spoke = false;
    let end = loop {
        tokio::select! {
            frame = frames.next() => match frame {
                Some(Frame::Bytes(bytes)) => if !write(&mut out, Message::Binary(bytes)).await { break End::Slow },
                Some(Frame::Close(reason)) => break End::Rooms(reason.as_str()),
                None => break End::Slow,
            },
            message = incoming.next() => {
                match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        spoke = true;
                        let Ok(request) = SignalRequest::decode(bytes) else { break End::Malformed };
                        let ask = Ask::Request { connection, request: Box::new(request) };
                        if rooms.say(ask).await.is_err() { break End::Engine }
                    }
                    Some(Ok(Message::Text(_))) => break End::Malformed,
                    Some(Ok(Message::Close(_))) | None => break End::Client,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Err(_)) => break End::Broken,
                }
                if spoke { patience = Instant::now() + SILENCE }
            }
            _ = pings.tick() => if !write(&mut out, Message::Ping(bytes::Bytes::new())).await { break End::Slow },
            () = tokio::time::sleep_until(patience) => break End::Silent,
        }
    };
    // What was queued before the end is said before it.
    if let End::Malformed | End::Silent | End::Rooms(_) = end {
        let (code, reason) = match end {
            End::Malformed => (close_code::UNSUPPORTED, "a binary frame with one SignalRequest is expected"),
            End::Silent => (close_code::POLICY, "nothing was said"),
            End::Rooms(reason) => (close_code::NORMAL, reason),
            _ => (close_code::NORMAL, ""),
        };
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        write(&mut out, Message::Close(Some(frame))).await;
    }
    tracing::debug!(connection = connection.0, ?end, "a client's socket ended");
    let _ = rooms.say(Ask::Disconnected { connection }).await;
}

/// False if the client does not take it in time.
async fn write(out: &mut SplitSink<WebSocket, Message>, message: Message) -> bool {
    matches!(timeout(WRITE, out.send(message)).await, Ok(Ok(())))
}
