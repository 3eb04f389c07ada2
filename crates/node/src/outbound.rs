//! Requests that this node makes. Every address that a peer names passes the guard here.
//!
//! A published endpoint must be `https` and must resolve to public addresses only; an address set by the
//! operator in `[dial]` may be anything. Redirects are not followed, no proxy is taken from the environment,
//! and an answer is cut off at the limit of what was asked for, after decompression, when it comes too slowly, and when
//! more comes over the wire than it may take (`wire`). Whoever drops a request ends its connection.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, DATE, ETAG, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, Request, response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use sha2::{Digest, Sha256};
use tlog::hash::Hash;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::fault::Coded;
use packed::Unpacking;
use wire::{Meter, Number};

mod packed;
mod wire;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take until an answer begins: a long poll is 30 s.
const BEGINS: Duration = Duration::from_secs(45);
/// After it began, an answer must be whole within this time, and as long again as its bytes take at [`SLOWEST`]. Whoever
/// sends a byte now and then is cut off as soon as whoever sends none.
const ENDS: Duration = Duration::from_secs(20);
/// Bytes a second: 64 kbit/s.
const SLOWEST: u64 = 8 << 10;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The address is not one that a peer may name.
    #[error("{url} is refused: {why}")]
    Refused {
        /// What was named.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nobody answered, or not in time.
    #[error("no answer from {host}: {why}")]
    NoAnswer {
        /// The host.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The answer does not begin, or comes more slowly than any line is.
    #[error("{host} answers too slowly, or not at all")]
    TooSlow {
        /// The host.
        host: String,
    },
    /// The answer cannot be written to this disk.
    #[error("an answer could not be written: {why}")]
    NotWritten {
        /// What the system said.
        why: String,
    },
    /// The answer is longer than what was asked for can be.
    #[error("{host} answers with more than {limit} bytes")]
    TooLong {
        /// The host.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl Coded for OutboundError {
    fn code(&self) -> &str {
        match self {
            Self::Refused { .. } => "outbound-refused",
            Self::NoAnswer { .. } => "outbound-no-answer",
            Self::TooSlow { .. } => "outbound-too-slow",
            Self::NotWritten { .. } => "outbound-not-written",
            Self::TooLong { .. } => "outbound-too-long",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Refused { url, why } => vec![("url", url.clone()), ("reason", (*why).to_owned())],
            Self::NoAnswer { host, why } => vec![("host", host.clone()), ("reason", why.clone())],
            Self::TooSlow { host } => vec![("host", host.clone())],
            Self::NotWritten { why } => vec![("reason", why.clone())],
            Self::TooLong { host, limit } => vec![("host", host.clone()), ("limit", limit.to_string())],
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// The server's `Date`, POSIX seconds, as it was when the body was whole: on a slow line that is long after the head came.
    pub date: Option<u64>,
    /// The body, decompressed.
    pub body: Bytes,
}

/// An answer whose body was written to a file.
#[derive(Debug, Clone, Copy)]
pub struct Filed {
    /// HTTP status code; with another one than 200 nothing was written.
    pub status: u16,
    /// SHA-256 of the body.
    pub sha256: Hash,
    /// How long it is.
    pub bytes: u64,
}

/// Where a peer is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// By the endpoint its root names: guarded.
    Published(String),
    /// By what the operator wrote: trusted.
    Dialled(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())
    }
}

impl Address {
    fn base(&self) -> &str {
        match self {
            Self::Published(url) | Self::Dialled(url) => url.trim_end_matches('/'),
        }
    }
}

/// The client for all outbound requests.
#[derive(Clone, Debug)]
pub struct Outbound {
    guarded: Arc<wire::Client>,
    trusted: Arc<wire::Client>,
}

/// Is this an address of the public Internet? (IANA special-purpose registries, RFC 6890 and later.)
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(a == 0
        || a == 10
        || a == 127
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    // Only 2000::/3 is given out; within it documentation and protocol ranges are not reachable hosts.
    (s[0] & 0xe000) == 0x2000 && !(s[0] == 0x2001 && (s[1] < 0x0200 || s[1] == 0x0db8)) && s[0] != 0x3fff
}

/// The IPv4 address inside a mapped, 6to4 or NAT64 address.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |hi: u16, lo: u16| {
        let ([a, b], [c, d]) = (hi.to_be_bytes(), lo.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, hi, lo] | [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] | [0x2002, hi, lo, ..] => {
            Some(v4(hi, lo))
        }
        _ => None,
    }
}

/// A request, and by which client it goes to whom.
struct Prepared<'a> {
    client: &'a wire::Client,
    request: Request<Body>,
    host: String,
}

impl Outbound {
    /// A client; fails only if TLS cannot be set up.
    pub fn new() -> Result<Self, OutboundError> {
        let client = |only_public| {
            let fail =
                |e: tower::BoxError| OutboundError::NoAnswer { host: "TLS".into(), why: e.to_string() };
            wire::client(only_public).map(Arc::new).map_err(fail)
        };
        Ok(Self { guarded: client(true)?, trusted: client(false)? })
    }

    fn prepare(
        &self,
        method: Method,
        address: &Address,
        path_and_query: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Prepared<'_>, OutboundError> {
        let text = format!("{}{}", address.base(), path_and_query);
        let refused = |why| OutboundError::Refused { url: text.clone(), why };
        let url = reqwest::Url::parse(&text).map_err(|_| refused("it is not a URL"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let client = match address {
            Address::Dialled(_) => &self.trusted,
            Address::Published(_) => {
                check_published(&url).map_err(refused)?;
                &self.guarded
            }
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(body)
            .map_err(|_| refused("it is not a URL"))?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("concord"));
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(Prepared { client, request, host })
    }

    /// A GET of at most `limit` bytes.
    pub async fn get(
        &self,
        address: &Address,
        path_and_query: &str,
        headers: HeaderMap,
        limit: usize,
    ) -> Result<Answer, OutboundError> {
        read(self.prepare(Method::GET, address, path_and_query, headers, Body::empty())?, limit).await
    }

    /// A GET of at most `limit` bytes, which are written to a file as they come, if the answer is 200.
    pub async fn get_to_file(
        &self,
        address: &Address,
        path_and_query: &str,
        headers: HeaderMap,
        limit: usize,
        file: &std::path::Path,
    ) -> Result<Filed, OutboundError> {
        let prepared = self.prepare(Method::GET, address, path_and_query, headers, Body::empty())?;
        let mut arriving = Arriving::begin(prepared, limit).await?;
        let status = arriving.head.status.as_u16();
        if status != 200 {
            return Ok(Filed { status, sha256: tlog::hash::sha256(b""), bytes: 0 });
        }
        let disk = |error: std::io::Error| OutboundError::NotWritten { why: error.to_string() };
        let mut written = tokio::io::BufWriter::new(tokio::fs::File::create(file).await.map_err(disk)?);
        let mut hash = Sha256::new();
        while let Some(chunk) = arriving.chunk().await? {
            hash.update(&chunk);
            written.write_all(&chunk).await.map_err(disk)?;
        }
        written.flush().await.map_err(disk)?;
        Ok(Filed { status, sha256: Hash(hash.finalize().into()), bytes: arriving.received as u64 })
    }

    /// A POST; at most `limit` bytes come back.
    pub async fn post(
        &self,
        address: &Address,
        path: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Answer, OutboundError> {
        self.post_with(address, path, HeaderMap::new(), body, limit).await
    }

    /// A POST with headers of its own; at most `limit` bytes come back.
    pub async fn post_with(
        &self,
        address: &Address,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Answer, OutboundError> {
        read(self.prepare(Method::POST, address, path, headers, body.into())?, limit).await
    }
}

/// What a peer may name as its endpoint.
fn check_published(url: &reqwest::Url) -> Result<(), &'static str> {
    if url.scheme() != "https" {
        return Err("an endpoint must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an endpoint must not hold a user name");
    }
    let host = url.host_str().ok_or("it names no host")?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>()
        && !is_public(ip)
    {
        return Err("the address is not public; the operator may allow it in [dial]");
    }
    Ok(())
}

/// An answer that is coming: within its limit, and not too slowly.
struct Arriving {
    head: response::Parts,
    body: BodyDataStream,
    unpacking: Unpacking,
    meter: Option<(Meter, Number)>,
    host: String,
    limit: usize,
    began: Instant,
    came: bool,
    received: usize,
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let Some((meter, answer)) = &self.meter {
            meter.over(*answer);
        }
    }
}

impl Arriving {
    async fn begin(prepared: Prepared<'_>, limit: usize) -> Result<Self, OutboundError> {
        let Prepared { client, request, host } = prepared;
        let sent = timeout(BEGINS, client.request(request)).await;
        let before_body = usize::try_from(wire::BEFORE_BODY).unwrap_or(usize::MAX);
        let response = sent
            .map_err(|_| OutboundError::TooSlow { host: host.clone() })?
            .map_err(|error| no_answer(&host, &error, before_body))?;
        let (head, body) = response.into_parts();
        let meter = head.extensions.get::<Meter>().cloned();
        let meter = meter.map(|meter| {
            let answer = meter.body(limit);
            (meter, answer)
        });
        let encoding = head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let (unpacking, body) = (Unpacking::of(encoding), Body::new(body).into_data_stream());
        Ok(Self {
            head,
            body,
            unpacking,
            meter,
            host,
            limit,
            began: Instant::now(),
            came: false,
            received: 0,
        })
    }

    /// The next bytes; `None` at the end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, OutboundError> {
        loop {
            let until = self.began + ENDS + Duration::from_secs(self.received as u64 / SLOWEST);
            let packed = timeout_at(until, self.body.next())
                .await
                .map_err(|_| OutboundError::TooSlow { host: self.host.clone() })?
                .transpose()
                .map_err(|error| no_answer(&self.host, &error, self.limit))?;
            let is_end = packed.is_none();
            let chunk = match packed {
                Some(packed) => {
                    self.came |= !packed.is_empty();
                    self.unpacking.take(packed, self.limit)
                }
                // No body at all is no packed one.
                None if !self.came => return Ok(None),
                None => self.unpacking.end(),
            };
            let chunk = chunk.map_err(|error| no_answer(&self.host, &error, self.limit))?;
            self.received += chunk.len();
            if self.received > self.limit {
                return Err(OutboundError::TooLong { host: self.host.clone(), limit: self.limit });
            }
            if is_end {
                self.came = false;
            }
            if is_end || !chunk.is_empty() {
                return Ok(Some(chunk).filter(|chunk| !chunk.is_empty()));
            }
        }
    }
}

/// Why nothing came, or no more; `limit` is what may come at that point.
fn no_answer(host: &str, error: &(dyn std::error::Error + 'static), limit: usize) -> OutboundError {
    if wire::is_excess(error) {
        return OutboundError::TooLong { host: host.to_owned(), limit };
    }
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let why = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    OutboundError::NoAnswer { host: host.to_owned(), why }
}

async fn read(prepared: Prepared<'_>, limit: usize) -> Result<Answer, OutboundError> {
    let mut arriving = Arriving::begin(prepared, limit).await?;
    let header = |name| arriving.head.headers.get(name).and_then(|value| value.to_str().ok());
    let etag = header(ETAG).map(str::to_owned);
    let date = header(DATE)
        .and_then(|v| httpdate::parse_http_date(v).ok())
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
        .map(|d| d.as_secs());
    let status = arriving.head.status.as_u16();
    let mut body = BytesMut::new();
    while let Some(chunk) = arriving.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    let date = date.map(|date| date.saturating_add(arriving.began.elapsed().as_secs()));
    Ok(Answer { status, etag, date, body: body.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_loopback_and_special_addresses_are_not_public() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn a_peer_cannot_name_a_private_or_plain_endpoint() {
        let check = |url: &str| check_published(&reqwest::Url::parse(url).unwrap());
        assert!(check("https://concord.moh.example").is_ok());
        assert!(check("http://concord.moh.example").is_err());
        assert!(check("https://127.0.0.1/").is_err());
        assert!(check("https://[::1]/").is_err());
        assert!(check("https://user@concord.moh.example").is_err());
    }

    /// Otherwise the clock of whoever answers on a slow line would seem to be behind.
    #[tokio::test]
    async fn the_time_of_an_answer_is_that_of_its_end_however_long_its_body_takes() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Dialled(format!("http://{}", listener.local_addr().unwrap()));
        let answers = async {
            let (mut line, _) = listener.accept().await.unwrap();
            let mut question = [0; 1024];
            assert!(tokio::io::AsyncReadExt::read(&mut line, &mut question).await.unwrap() > 0);
            let head = "HTTP/1.1 200 OK\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\nContent-Length: 2\r\n\r\na";
            line.write_all(head.as_bytes()).await.unwrap();
            // What is slow here is the line.
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            line.write_all(b"b").await.unwrap();
            line
        };
        let outbound = Outbound::new().unwrap();
        let (_line, answer) = tokio::join!(answers, outbound.get(&address, "/heads", HeaderMap::new(), 10));
        let answer = answer.unwrap();
        assert!(answer.body == "ab" && answer.date > Some(1_000_000_000), "{answer:?}");
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused() {
        let outbound = Outbound::new().unwrap();
        let address = Address::Published("https://localhost:1".into());
        let error = outbound.get(&address, "/heads", HeaderMap::new(), 10).await.unwrap_err();
        assert!(error.to_string().contains("not public"), "{error}");
    }
}
