//! The connections below outgoing requests. What comes over one is counted as it is read, below TLS and HTTP: whatever a
//! server finds to send that is no part of an answer (heads before the head, empty frames, packed nothing) has an end too.
//!
//! HTTP/1.1 alone is spoken: one request at a time is what makes the count that of an answer.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use super::{CONNECT, is_public};

/// The longest head of an answer, and how much of a body is read ahead.
const HEAD: usize = 64 << 10;
/// What may come before the head of an answer is complete, in bytes: certificates, the head itself, and what is read ahead.
pub const BEFORE_BODY: u64 = 256 << 10;
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(90);
/// How many of them, for each server.
const MOST_IDLE: usize = 8;

/// Sends requests.
pub type Client = hyper_util::client::legacy::Client<Opening<HttpsConnector<Metering>>, Body>;

type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A client for `https` to public addresses only, or for whatever it is asked.
pub fn client(only_public: bool) -> Result<Client, BoxError> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver { only_public });
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(15)));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls()?);
    let builder = if only_public { builder.https_only() } else { builder.https_or_http() };
    let connector = Opening(builder.enable_http1().wrap_connector(Metering(tcp)));
    Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MOST_IDLE)
        .http1_max_buf_size(HEAD)
        .build(connector))
}

/// Whom the operating system trusts.
fn tls() -> Result<rustls::ClientConfig, BoxError> {
    let set_before = CryptoProvider::get_default().cloned();
    let provider = set_before.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone())?;
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verified = versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(verified.with_no_client_auth())
}

/// What a connection may still bring.
#[derive(Debug, Clone)]
pub struct Meter(Arc<Mutex<Allowed>>);

#[derive(Debug)]
struct Allowed {
    bytes: u64,
    /// Answers whose heads came.
    answers: u64,
}

/// An answer whose body may be coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(u64);

impl Meter {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Allowed { bytes: BEFORE_BODY, answers: 0 })))
    }

    /// A head came, and a body of at most so many bytes may follow: packing and framing add something.
    pub fn body(&self, limit: usize) -> Number {
        let mut allowed = self.allowed();
        allowed.bytes = BEFORE_BODY + limit as u64 + limit as u64 / 4;
        allowed.answers += 1;
        Number(allowed.answers)
    }

    /// An answer was read: what comes next is a head. If that came already, nothing is taken from its body.
    pub fn over(&self, answer: Number) {
        let mut allowed = self.allowed();
        if allowed.answers == answer.0 {
            allowed.bytes = BEFORE_BODY;
        }
    }

    /// Counts bytes that came; refused when there are more than may be.
    fn count(&self, bytes: usize) -> io::Result<()> {
        let mut allowed = self.allowed();
        allowed.bytes = allowed.bytes.checked_sub(bytes as u64).ok_or_else(|| io::Error::other(Excess))?;
        Ok(())
    }

    fn allowed(&self) -> MutexGuard<'_, Allowed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More came than an answer may take.
#[derive(Debug, thiserror::Error)]
#[error("more comes than an answer may take")]
pub struct Excess;

/// Whether an error is that more came than may.
pub fn is_excess(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        io.is_some_and(|inner| inner.is::<Excess>() || is_excess(inner))
    };
    std::iter::successors(Some(error), |cause| cause.source()).any(inner)
}

/// Addresses of a name. One that is not public among public ones is enough to refuse: which one is used is not ours to choose.
#[derive(Debug, Clone)]
pub struct Resolver {
    only_public: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Boxed<Self::Response, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let only_public = self.only_public;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if only_public && (found.is_empty() || found.iter().any(|a| !is_public(a.ip()))) {
                return Err(io::Error::other("the name resolves to an address that is not public"));
            }
            Ok(found.into_iter())
        })
    }
}

/// Opens connections that are counted.
#[derive(Debug, Clone)]
pub struct Metering(HttpConnector<Resolver>);

impl Service<Uri> for Metering {
    type Response = TokioIo<Metered>;
    type Error = BoxError;
    type Future = Boxed<Self::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opening = self.0.call(uri);
        Box::pin(async move {
            let stream = opening.await?.into_inner();
            Ok(TokioIo::new(Metered { stream, meter: Meter::new() }))
        })
    }
}

/// Opens connections in time, their TLS included.
#[derive(Debug, Clone)]
pub struct Opening<C>(C);

impl<C> Service<Uri> for Opening<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Boxed<Self::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opening = tokio::time::timeout(CONNECT, self.0.call(uri));
        Box::pin(async move {
            opening.await.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?
        })
    }
}

/// A connection of which all that is read is counted.
#[derive(Debug)]
pub struct Metered {
    stream: TcpStream,
    meter: Meter,
}

impl Connection for Metered {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.meter.clone())
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        Poll::Ready(self.meter.count(buf.filled().len() - before))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_an_answer_to_its_end_late_takes_nothing_from_the_next_one_of_the_connection() {
        let meter = Meter::new();
        let first = meter.body(1000);
        let second = meter.body(1 << 20);
        meter.over(first);
        meter.count(1 << 20).expect("as much as was asked for");
        meter.over(second);
        meter.count(usize::try_from(BEFORE_BODY).unwrap()).expect("a head");
        assert!(is_excess(&meter.count(1).expect_err("more than a head")));
    }
}
