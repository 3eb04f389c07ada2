//! Under which names this node answers pages and the API.
//!
//! A name of somebody else's that points here makes a browser take our pages for that somebody's, whose scripts may then
//! read them and send our forms (DNS rebinding). Browsers always say which name they asked, so every other name is refused.
//! Numeric addresses of this machine are no names that somebody could point elsewhere.
//!
//! What changes something is asked by our own pages alone: browsers say with `Origin` whose page asked, and one of another
//! site's is refused before anything is read, whatever its form carries. Cookies know no ports: another program on this machine, or
//! a page without TLS under the same name, is another site. Programs say nothing, and are known by what they carry.
//!
//! The exchange, the conference engine and `/healthz` are not asked: peers dial what their own operators wrote, and what they
//! are given is public or signed for; the engine takes tokens, which no browser sends by itself; who looks after a server asks
//! it by any address. None of them knows cookies.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{answer, reads_pages};
use crate::config::Config;
use crate::layout::{Problem, Refusal};
use crate::node::Node;

/// The most characters of a foreign name that are shown.
const SHOWN: usize = 100;
/// What is answered under every name.
const ANY: &str = "/healthz";

/// Lets through what was asked under a name of this node; everything else is told its address.
pub async fn only_ours(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let host = asked(request.uri(), request.headers()).map(str::to_owned);
    let endpoint = node.own_chain().latest().endpoint.clone();
    let is_ours = |host: &String| is_ours(&node.config, endpoint.as_deref(), without_port(host));
    let is_ours = host.as_ref().is_some_and(is_ours);
    let is_any = request.uri().path() == ANY;
    if is_ours && !is_any && !request.method().is_safe() {
        let asked = host.as_deref().unwrap_or_default();
        let is_our_page = |origin: &str| is_our_page(&node.config, endpoint.as_deref(), asked, origin);
        let origins = request.headers().get_all(ORIGIN).iter();
        if !origins.map(|origin| origin.to_str().unwrap_or_default()).all(is_our_page) {
            return foreign_page(&node, &request);
        }
    }
    if is_ours || is_any {
        return next.run(request).await;
    }
    let shown: String = without_port(&host.unwrap_or_default()).chars().take(SHOWN).collect();
    let problem =
        Problem::new("host-unknown").with("host", shown).with("address", node.config.public_url.clone());
    let (uri, headers) = (request.uri(), request.headers());
    let status = StatusCode::MISDIRECTED_REQUEST;
    answer::page_or_text(&node, uri, headers, status, Refusal::Misdirected, problem)
}

/// What a page of another site's asked for, or one that does not say whose it is (`Origin: null`).
fn foreign_page(node: &Node, request: &Request) -> Response {
    let (uri, headers, status) = (request.uri(), request.headers(), StatusCode::FORBIDDEN);
    if reads_pages(headers) {
        return answer::without_database(node, uri, headers, status, Refusal::Forbidden, &[]);
    }
    status.into_response()
}

/// The name that was asked, with its port: an address in the request's first line counts before `Host` (RFC 9112, 3.2.2).
fn asked<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), ..) => Some(authority.as_str().rsplit('@').next().unwrap_or_default()),
        (None, Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The name in a URL.
fn name_in(url: &str) -> Option<&str> {
    Some(Origin::of(url)?.name)
}

/// Whose a page is: scheme, name and port (RFC 6454).
#[derive(Debug, Clone, Copy)]
struct Origin<'u> {
    scheme: &'u str,
    name: &'u str,
    port: Option<u16>,
}

impl<'u> Origin<'u> {
    /// That of whatever is at a URL.
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        Self::at(scheme, rest.split(['/', '?', '#']).next()?)
    }

    /// A name with its port, by a scheme.
    fn at(scheme: &'u str, host: &'u str) -> Option<Self> {
        let name = without_port(host);
        let port = match host[name.len()..].strip_prefix(':') {
            Some(port) if !port.is_empty() => Some(port.parse().ok()?),
            _ => match scheme {
                "http" => Some(80),
                "https" => Some(443),
                _ => None,
            },
        };
        Some(Self { scheme, name: name.trim_end_matches('.'), port })
    }

    fn is(self, other: Self) -> bool {
        let is_alike = self.scheme == other.scheme && self.port == other.port;
        is_alike && self.name.eq_ignore_ascii_case(other.name)
    }
}

/// Is this where our own pages come from? The URLs that are known are so as they are written. A further name has the scheme of
/// `public_url`, and its port or the one that was asked: a proxy may not pass the latter on. By a number of this machine, or
/// `localhost`, whoever asked has the page from where it asks, by way of a tunnel too.
fn is_our_page(config: &Config, endpoint: Option<&str>, asked: &str, origin: &str) -> bool {
    let Some(origin) = Origin::of(origin) else { return false };
    let urls = [Some(config.public_url.as_str()), config.server_url.as_deref(), endpoint];
    if urls.into_iter().flatten().filter_map(Origin::of).any(|ours| ours.is(origin)) {
        return true;
    }
    let is_named = |ours: &String| ours.trim_end_matches('.').eq_ignore_ascii_case(origin.name);
    let is_where_it_asks = || Origin::at(origin.scheme, asked).is_some_and(|asked| asked.is(origin));
    if is_this_machine(config, origin.name) {
        return is_where_it_asks();
    }
    let public = Origin::of(&config.public_url);
    let is_as_public = public.is_some_and(|public| public.scheme == origin.scheme);
    let has_its_port = || public.is_some_and(|public| public.port == origin.port);
    config.hosts.iter().any(is_named) && is_as_public && (has_its_port() || is_where_it_asks())
}

fn is_ours(config: &Config, endpoint: Option<&str>, name: &str) -> bool {
    let name = name.trim_end_matches('.');
    if is_this_machine(config, name) {
        return true;
    }
    let urls = [Some(config.public_url.as_str()), config.server_url.as_deref(), endpoint];
    let named = urls.into_iter().flatten().filter_map(name_in);
    named
        .chain(config.hosts.iter().map(String::as_str))
        .any(|ours| ours.trim_end_matches('.').eq_ignore_ascii_case(name))
}

/// Is this a number of this machine, or the name that machines have for themselves?
fn is_this_machine(config: &Config, name: &str) -> bool {
    match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => {
            address.is_loopback() || config.listen.ip().is_unspecified() || address == config.listen.ip()
        }
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listen: &str) -> Config {
        let text = format!(
            "authority = \"moh.chn.example\"\ncode = \"CHN\"\nlisten = \"{listen}\"\n\
             public_url = \"https://concord.moh.chn.example/\"\nserver_url = \"http://10.0.0.2:8080\"\n\
             hosts = [\"Other.moh.chn.example\"]\n[names]\nen = \"x\"\n\
             [storage]\nstate = \"\"\nindex = \"\"\nfiles = \"\"\n"
        );
        toml::from_str(&text).unwrap()
    }

    fn is_answered(listen: &str, host: &str) -> bool {
        is_ours(&config(listen), Some("https://exchange.moh.chn.example:8443"), without_port(host))
    }

    #[test]
    fn its_own_names_are_answered_with_and_without_a_port() {
        for host in [
            "concord.moh.chn.example",
            "CONCORD.moh.chn.example:443",
            "concord.moh.chn.example.",
            "exchange.moh.chn.example",
            "other.moh.chn.example:8443",
            "10.0.0.2:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost:8080",
            "192.0.2.1",
        ] {
            assert!(is_answered("192.0.2.1:8080", host), "{host}");
        }
    }

    #[test]
    fn names_of_others_are_not() {
        for host in [
            "evil.example",
            "concord.moh.chn.example.evil.example",
            "evil.concord.moh.chn.example",
            "moh.chn.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.2",
            "",
            ":8080",
        ] {
            assert!(!is_answered("192.0.2.1:8080", host), "{host}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_by_every_number_and_by_no_other_name() {
        assert!(is_answered("0.0.0.0:8080", "192.0.2.2") && is_answered("[::]:8080", "[2001:db8::1]:80"));
        assert!(!is_answered("0.0.0.0:8080", "evil.example"));
    }

    #[test]
    fn a_page_is_ours_by_scheme_name_and_port() {
        let endpoint = Some("https://exchange.moh.chn.example:8443");
        let is = |asked: &str, origin: &str| is_our_page(&config("192.0.2.1:8080"), endpoint, asked, origin);
        for (asked, origin) in [
            ("concord.moh.chn.example", "https://concord.moh.chn.example"),
            ("concord.moh.chn.example", "https://CONCORD.moh.chn.example:443"),
            // A proxy that does not pass the port on.
            ("exchange.moh.chn.example", "https://exchange.moh.chn.example:8443"),
            ("10.0.0.2:8080", "http://10.0.0.2:8080"),
            ("other.moh.chn.example", "https://other.moh.chn.example"),
            ("other.moh.chn.example:8443", "https://other.moh.chn.example:8443"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost:9000", "http://localhost:9000"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("192.0.2.1", "http://192.0.2.1"),
        ] {
            assert!(is(asked, origin), "{origin} asks {asked}");
        }
        for (asked, origin) in [
            ("concord.moh.chn.example", "http://concord.moh.chn.example"),
            ("concord.moh.chn.example", "https://concord.moh.chn.example:8443"),
            ("concord.moh.chn.example:8443", "https://concord.moh.chn.example:8443"),
            ("exchange.moh.chn.example:8443", "https://exchange.moh.chn.example"),
            ("other.moh.chn.example", "http://other.moh.chn.example"),
            ("other.moh.chn.example", "https://other.moh.chn.example:9000"),
            ("127.0.0.1:8080", "http://127.0.0.1:9999"),
            ("127.0.0.1:8080", "http://127.0.0.1"),
            ("localhost:8080", "http://localhost:9999"),
            ("localhost:8080", "http://127.0.0.1:8080"),
            ("concord.moh.chn.example", "https://evil.example"),
            ("concord.moh.chn.example", "null"),
            ("concord.moh.chn.example", "https://concord.moh.chn.example:99999"),
            ("concord.moh.chn.example", ""),
        ] {
            assert!(!is(asked, origin), "{origin} asks {asked}");
        }
    }

    #[test]
    fn two_names_are_none_and_the_first_line_counts_before_the_header() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, "evil.example".parse().unwrap());
        let whole: Uri = "http://concord.moh.chn.example/situation".parse().unwrap();
        let path = Uri::from_static("/situation");
        assert_eq!(asked(&whole, &headers), Some("concord.moh.chn.example"));
        assert_eq!(asked(&path, &headers), Some("evil.example"));
        headers.append(HOST, "concord.moh.chn.example".parse().unwrap());
        assert_eq!(asked(&path, &headers), None);
        assert_eq!(asked(&path, &HeaderMap::new()), None);
    }
}
