//! Under which names this node answers pages and the API.
//!
//! A name of somebody else's that points here makes a browser take our pages for that somebody's, whose scripts may then
//! read them and send our forms (DNS rebinding). Browsers always say which name they asked, so every other name is refused.
//! Numeric addresses of this machine are no names that somebody could point elsewhere.
//!
//! What changes something is asked by our own pages alone: browsers say with `Origin` whose page asked, and one of another
//! site's is refused before anything is read, whatever its form carries. Programs say nothing, and are known by what they carry.
//!
//! The exchange, the conference engine and `/healthz` are not asked: peers dial what their own operators wrote, and what they
//! are given is public or signed for; the engine takes tokens, which no browser sends by itself; who looks after a server asks
//! it by any address. None of them knows cookies.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
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
    let name = asked(request.uri(), request.headers()).map(str::to_owned);
    let endpoint = node.own_chain().latest().endpoint.clone();
    let is_ours = name.as_deref().is_some_and(|name| is_ours(&node.config, endpoint.as_deref(), name));
    let is_any = request.uri().path() == ANY;
    if is_ours && !is_any && !request.method().is_safe() {
        let is_our_page = |origin: &str| {
            name_in(origin).is_some_and(|name| self::is_ours(&node.config, endpoint.as_deref(), name))
        };
        let origins = request.headers().get_all(ORIGIN).iter();
        if !origins.map(|origin| origin.to_str().unwrap_or_default()).all(is_our_page) {
            return foreign_page(&node, &request);
        }
    }
    if is_ours || is_any {
        return next.run(request).await;
    }
    let shown: String = name.unwrap_or_default().chars().take(SHOWN).collect();
    let problem =
        Problem::new("host-unknown").with("host", shown).with("address", node.config.public_url.clone());
    let (uri, headers) = (request.uri(), request.headers());
    let status = StatusCode::MISDIRECTED_REQUEST;
    if reads_pages(headers) {
        return answer::without_database(&node, uri, headers, status, Refusal::Misdirected, &[problem]);
    }
    let said = problem.text(&answer::asked_without_database(&node, uri, headers).t);
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{said}\n")).into_response()
}

/// What a page of another site's asked for, or one that does not say whose it is (`Origin: null`).
fn foreign_page(node: &Node, request: &Request) -> Response {
    let (uri, headers, status) = (request.uri(), request.headers(), StatusCode::FORBIDDEN);
    if reads_pages(headers) {
        return answer::without_database(node, uri, headers, status, Refusal::Forbidden, &[]);
    }
    status.into_response()
}

/// The name that was asked, without a port: an address in the request's first line counts before `Host` (RFC 9112, 3.2.2).
fn asked<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (uri.host(), hosts.next(), hosts.next()) {
        (Some(host), ..) => Some(host),
        (None, Some(host), None) => host.to_str().ok().map(without_port),
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
    let rest = url.split_once("://")?.1;
    Some(without_port(rest.split(['/', '?', '#']).next()?))
}

fn is_ours(config: &Config, endpoint: Option<&str>, name: &str) -> bool {
    let name = name.trim_end_matches('.');
    if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>()
        && (address.is_loopback() || config.listen.ip().is_unspecified() || address == config.listen.ip())
    {
        return true;
    }
    let urls = [Some(config.public_url.as_str()), config.server_url.as_deref(), endpoint];
    let named = urls.into_iter().flatten().filter_map(name_in);
    named
        .chain(["localhost"])
        .chain(config.hosts.iter().map(String::as_str))
        .any(|ours| ours.trim_end_matches('.').eq_ignore_ascii_case(name))
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
