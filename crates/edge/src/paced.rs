//! A connection whose other side must go on: begin a request, end its head, and read what it is answered.
//!
//! What a request's body may take is not decided here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::crowd::Seat;

/// How long the other side may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From the first byte of a request's head to its last, and until the first request begins.
    pub head: Duration,
    /// Between a request and the next one.
    pub idle: Duration,
    /// To read anything of an answer; then as long as what it read takes at the slowest rate.
    pub stall: Duration,
    /// Bytes a second.
    pub slowest: u64,
}

/// Where a connection is between requests, which its place is told.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    now: AtomicU8,
    is_whole: AtomicBool,
    seat: Option<Seat>,
}

impl Phase {
    const WAITS: u8 = 0;
    const HEAD: u8 = 1;
    const REQUEST: u8 = 2;

    /// No request has begun; whoever is behind the connection has this place.
    pub fn of(seat: Seat) -> Self {
        Self { seat: Some(seat), ..Self::default() }
    }

    /// A request's head is complete: what it holds is counted by who answers it.
    pub fn begins(&self) {
        self.now.store(Self::REQUEST, Ordering::Release);
        self.tell(|seat| {
            seat.is_answered(true);
            seat.holds(0);
        });
    }

    /// It is answered, and another one may follow.
    pub fn answered(&self) {
        self.now.store(Self::WAITS, Ordering::Release);
        self.is_whole.store(false, Ordering::Release);
        self.tell(|seat| seat.is_answered(false));
    }

    /// The body of a request is complete too.
    pub fn is_whole(&self) {
        self.is_whole.store(true, Ordering::Release);
    }

    /// Whether a whole request is being answered.
    pub fn has_whole_request(&self) -> bool {
        self.is_in_request() && self.is_whole.load(Ordering::Acquire)
    }

    /// It is no more HTTP.
    pub fn is_switched(&self) {
        self.tell(Seat::stays);
    }

    fn tell(&self, what: impl FnOnce(&Seat)) {
        if let Some(seat) = &self.seat {
            what(seat);
        }
    }

    /// Whether a request is being answered, or the connection is no more HTTP.
    pub fn is_in_request(&self) -> bool {
        self.is(Self::REQUEST)
    }

    fn is(&self, phase: u8) -> bool {
        self.now.load(Ordering::Acquire) == phase
    }
}

/// A stream of which reads and writes fail when the other side does not go on. `T` lives as long as the stream.
pub(crate) struct Paced<S, T> {
    stream: S,
    pace: Pace,
    phase: Arc<Phase>,
    reading: Timer,
    writing: Timer,
    /// When something was read or written last, and whether that is a request already.
    last: Instant,
    is_begun: bool,
    head_since: Instant,
    head_bytes: u64,
    /// Until when what waits to be written must be read, while anything waits.
    write_until: Option<Instant>,
    has_waited: bool,
    _held: T,
}

struct Timer(Pin<Box<Sleep>>);

impl Timer {
    fn is_over(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        if self.0.deadline() != at {
            self.0.as_mut().reset(at);
        }
        self.0.as_mut().poll(cx).is_ready()
    }
}

impl<S, T> Paced<S, T> {
    pub fn new(stream: S, pace: Pace, phase: Arc<Phase>, held: T) -> Self {
        let now = Instant::now();
        let timer = || Timer(Box::pin(sleep_until(now)));
        Self {
            stream,
            pace,
            phase,
            reading: timer(),
            writing: timer(),
            last: now,
            is_begun: false,
            head_since: now,
            head_bytes: 0,
            write_until: None,
            has_waited: false,
            _held: held,
        }
    }

    /// Until when the next bytes must come; `None` while a request is answered.
    fn read_until(&self) -> Option<Instant> {
        if self.phase.is(Phase::HEAD) {
            return Some(self.head_since + self.pace.head);
        }
        let wait = if self.is_begun { self.pace.idle } else { self.pace.head };
        self.phase.is(Phase::WAITS).then(|| self.last + wait)
    }

    fn moved(&mut self) {
        self.last = Instant::now();
        self.phase.tell(|seat| seat.moved(self.last.into_std()));
    }

    fn heard(&mut self, bytes: usize) {
        self.moved();
        if self.phase.is(Phase::WAITS) {
            self.phase.now.store(Phase::HEAD, Ordering::Release);
            (self.head_since, self.head_bytes, self.is_begun) = (self.last, 0, true);
        }
        if self.phase.is(Phase::HEAD) {
            self.head_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
            self.phase.tell(|seat| seat.holds(self.head_bytes));
        }
    }

    fn written(&mut self, bytes: usize) {
        self.moved();
        let Some(until) = self.write_until else { return };
        if std::mem::take(&mut self.has_waited) {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let earned = Duration::from_millis(bytes.saturating_mul(1000) / self.pace.slowest.max(1));
            self.write_until = Some(until + earned);
        } else {
            self.write_until = None;
        }
    }

    fn must_wait<R>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        self.has_waited = true;
        let until = *self.write_until.get_or_insert_with(|| Instant::now() + self.pace.stall);
        if self.writing.is_over(until, cx) { Poll::Ready(Err(too_slow())) } else { Poll::Pending }
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the other side does not go on")
}

impl<S: AsyncRead + Unpin, T: Unpin> AsyncRead for Paced<S, T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let bytes = buffer.filled().len() - before;
        if matches!(read, Poll::Ready(Ok(()))) && bytes > 0 {
            this.heard(bytes);
        }
        match this.read_until() {
            Some(until) if this.reading.is_over(until, cx) => Poll::Ready(Err(too_slow())),
            _ => read,
        }
    }
}

impl<S: AsyncWrite + Unpin, T: Unpin> AsyncWrite for Paced<S, T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Poll::Ready(written) = Pin::new(&mut this.stream).poll_write(cx, bytes) else {
            return this.must_wait(cx);
        };
        this.written(*written.as_ref().unwrap_or(&0));
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Poll::Ready(written) = Pin::new(&mut this.stream).poll_write_vectored(cx, slices) else {
            return this.must_wait(cx);
        };
        this.written(*written.as_ref().unwrap_or(&0));
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Who has written an answer waits for the next request without reading again: it is woken when that is too late.
        if let Some(until) = this.read_until() {
            let _ = this.reading.is_over(until, cx);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
