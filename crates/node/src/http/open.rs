//! A request that is open: what it holds, whether it goes on, and its end when it has to give way.
//!
//! Who gives way is not decided here ([`edge::Crowd`]), nor what is answered to whoever did.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use edge::{Connection, Gone, Seat};
use hyper::body::{Frame, SizeHint};

/// The most bytes of a body that are counted. A longer one is a table, which goes to the disk as it comes.
const IN_MEMORY: u64 = 128 << 10;

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
    Some(response.map(|body| Body::new(Sent { body, seat })))
}

/// About what a head takes in memory.
fn head_bytes(request: &Request) -> u64 {
    let uri = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    u64::try_from(uri + lines.sum::<usize>()).unwrap_or(u64::MAX)
}

/// A request's body. What has come of it is counted.
struct Received {
    body: Body,
    seat: Arc<Seat>,
    head: u64,
    bytes: u64,
}

/// An answer's body: whoever does not read it has a request open.
struct Sent {
    body: Body,
    seat: Arc<Seat>,
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
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_ready() {
            this.seat.moved(Instant::now());
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
