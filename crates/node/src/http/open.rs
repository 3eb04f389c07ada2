//! A request that is open: what it holds, whether it goes on, and its end when it has to give way.
//!
//! Who gives way is not decided here ([`edge::Crowd`]), nor what is answered to whoever did.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::TRANSFER_ENCODING;
use axum::middleware::Next;
use axum::response::Response;
use edge::{Connection, Gone, Seat};
use hyper::body::{Frame, SizeHint};

/// An answer is handed over in pieces of so many bytes: what the reader's line does not take yet stays here, and is counted.
const PIECE: usize = 16 << 10;
/// The most bytes of a body that are counted. A longer one is a table, which goes to the disk as it comes.
const IN_MEMORY: u64 = 128 << 10;

/// Lines may follow a body of unknown length (RFC 9112, section 7.1.2): so many bytes of them are kept before they are handed over.
const TRAILERS: u64 = 16 << 10;

/// Answers a request that has a place; `None` if it had to give that up before there was an answer.
pub async fn answer(seat: Seat, mut gone: Gone, request: Request, next: Next) -> Option<Response> {
    let seat = Arc::new(seat);
    let over = request.extensions().get::<Connection>().cloned();
    let head = head_bytes(&request);
    seat.holds(head);
    let request = request.map(|body| Body::new(Received { body, seat: Arc::clone(&seat), head, bytes: 0 }));
    let response = tokio::select! {
        response = next.run(request) => response,
        true = gone.is_told() => return None,
    };
    seat.holds(0);
    seat.moved(Instant::now());
    // Whoever does not read its answer is not asked for the rest of it: only its connection can be ended.
    if let Some(over) = over {
        tokio::spawn(async move {
            if gone.is_told().await {
                over.end();
            }
        });
    }
    Some(response.map(|body| Body::new(Sent { body, rest: Bytes::new(), seat })))
}

/// About what a head takes in memory, and what follows the body at most.
fn head_bytes(request: &Request) -> u64 {
    let uri = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let trailers = if request.headers().contains_key(TRANSFER_ENCODING) { TRAILERS } else { 0 };
    trailers + u64::try_from(uri + lines.sum::<usize>()).unwrap_or(u64::MAX / 2)
}

/// A request's body. What has come of it is counted.
struct Received {
    body: Body,
    seat: Arc<Seat>,
    head: u64,
    bytes: u64,
}

/// An answer's body: whoever does not read it has a request open, and holds what is left of it.
struct Sent {
    body: Body,
    rest: Bytes,
    seat: Arc<Seat>,
}

impl Sent {
    /// The next piece of what there is.
    fn piece(&mut self) -> Frame<Bytes> {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        // What is read from the disk as it is sent is not here yet, however much is announced.
        self.seat.holds(u64::try_from(self.rest.len()).unwrap_or(u64::MAX));
        self.seat.moved(Instant::now());
        Frame::data(piece)
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.seat.moved(Instant::now());
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let counted = this.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)).min(IN_MEMORY);
            if counted != this.bytes {
                this.bytes = counted;
                this.seat.holds(this.head + counted);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.piece())));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = polled else { return polled };
        match frame.into_data() {
            Ok(bytes) => {
                this.rest = bytes;
                Poll::Ready(Some(Ok(this.piece())))
            }
            Err(frame) => Poll::Ready(Some(Ok(frame))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (u64::try_from(self.rest.len()).unwrap_or(0), self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge::{Block, Crowd, Most, Room};
    use futures::FutureExt as _;

    #[tokio::test]
    async fn what_is_not_read_yet_of_an_answer_is_held_by_who_asked() {
        let room = Room { most: Most { all: 64, of_block: 64, around: 64 }, bytes: 1 << 20 };
        let crowd = Crowd::new(room, Instant::now());
        let block = |text: &str| Some(Block::of(text.parse().unwrap()));
        let (seat, mut gone) = crowd.enter(block("192.0.2.1"), Instant::now()).unwrap();
        let body = Body::from(vec![7; 900 << 10]);
        let mut sent = Sent { body, rest: Bytes::new(), seat: Arc::new(seat) };
        assert_eq!(sent.size_hint().exact(), Some(900 << 10));
        let piece = std::future::poll_fn(|cx| Pin::new(&mut sent).poll_frame(cx)).await;
        let piece = piece.unwrap().unwrap().into_data().unwrap();
        assert_eq!((piece.len(), sent.size_hint().exact()), (PIECE, Some((900 << 10) - PIECE as u64)));
        let (other, mut others_gone) = crowd.enter(block("198.51.100.1"), Instant::now()).unwrap();
        other.holds(300 << 10);
        assert_eq!(gone.is_told().now_or_never(), Some(true), "there is not so much for both");
        assert_eq!(others_gone.is_told().now_or_never(), None);
        let rest = axum::body::to_bytes(Body::new(sent), usize::MAX).await.unwrap();
        assert!(rest.len() == (900 << 10) - PIECE && rest.iter().all(|byte| *byte == 7));
    }

    /// They are not seen before they are whole.
    #[test]
    fn lines_that_may_follow_a_body_are_counted_before_they_come() {
        let of = |name, value| {
            let request = Request::post("/nudge").header(name, value).body(Body::empty()).unwrap();
            head_bytes(&request)
        };
        assert!(of("content-length", "60000") < 100);
        assert!(of("transfer-encoding", "chunked") >= TRAILERS);
    }
}
