//! Answers that every route shares: pages, files, refusals. No answer tells more than its status must.

use std::fmt::Display;

use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::{Viewer, reads_pages};
use crate::face::Face;
use crate::i18n::Lang;
use crate::layout::{Asked, Lists, Problem, Refusal, RequestParts, Shell, error_page};
use crate::node::Node;

/// What is said of an answer of the public face: anybody may keep it for five seconds.
pub const FOR_ANYBODY: &str = "public, max-age=5";
/// How long a browser remembers the language and the zone that were chosen inside, in seconds.
const REMEMBERED: u32 = 365 * 24 * 3600;

/// A page. Public pages may be cached for seconds, pages of a session nowhere.
pub fn page<T: askama::Template>(viewer: &Viewer, template: &T) -> Response {
    match template.render() {
        Ok(html) => {
            let mut response = html_answer(StatusCode::OK, viewer.face, html);
            remember(viewer, &mut response);
            response
        }
        Err(error) => internal(&error),
    }
}

/// A page with lists in memory: with `?csv=<id>` the list of that id as a file, all pages of it.
pub fn lists<T: askama::Template + Lists>(viewer: &Viewer, template: &T) -> Response {
    let Some(id) = viewer.asked.query.get("csv") else { return page(viewer, template) };
    match template.lists().into_iter().find(|list| list.id() == id) {
        Some(list) => file(viewer, "text/csv; charset=utf-8", &format!("{id}.csv"), list.to_csv()),
        None => not_found(viewer),
    }
}

/// Inside, the language and the zone that an address chose stay chosen. The public face has no cookies.
fn remember(viewer: &Viewer, response: &mut Response) {
    if viewer.face == Face::Public {
        return;
    }
    let chosen = [
        ("lang", viewer.asked.query.get("lang").map(|_| viewer.asked.t.lang().code())),
        ("zone", viewer.asked.query.get("zone").and_then(|_| viewer.asked.t.zone().iana_name())),
    ];
    for (name, value) in chosen {
        let Some(value) = value else { continue };
        let cookie = format!("{name}={value}; Path=/; Max-Age={REMEMBERED}; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// HTML that is ready.
pub fn html_answer(status: StatusCode, face: Face, html: String) -> Response {
    let mut response = (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    let cache = match face {
        Face::Public => FOR_ANYBODY,
        Face::Inside => "private, no-store",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    // One address has an answer per language and per face.
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-language, cookie"));
    response
}

/// A file for taking away, such as CSV.
pub fn file(viewer: &Viewer, content_type: &'static str, name: &str, bytes: impl Into<Body>) -> Response {
    let cache = match viewer.face {
        Face::Public => FOR_ANYBODY,
        Face::Inside => "private, no-store",
    };
    // One address has a file per language and per face.
    let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{safe}\"")) {
        headers.insert(axum::http::header::CONTENT_DISPOSITION, value);
    }
    response
}

/// There is no such page.
pub fn not_found(viewer: &Viewer) -> Response {
    let html = error_page(&viewer.shell, &viewer.asked, Refusal::NotFound, &[], None);
    html_answer(StatusCode::NOT_FOUND, viewer.face, html)
}

/// The reader asked for something that cannot be, and is told what would be right.
pub fn bad_request(shell: &Shell, asked: &Asked, problem: Problem) -> Response {
    refused(shell, asked, Refusal::BadRequest, &[problem])
}

/// A refusal as a page.
pub fn refused(shell: &Shell, asked: &Asked, refusal: Refusal, problems: &[Problem]) -> Response {
    let html = error_page(shell, asked, refusal, problems, None);
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    html_answer(status, shell.face, html)
}

/// A refusal as a page of the public face, from nothing but the request and the configuration.
pub fn without_database(
    node: &Node,
    uri: &Uri,
    headers: &HeaderMap,
    status: StatusCode,
    refusal: Refusal,
    problems: &[Problem],
) -> Response {
    let asked = asked_without_database(node, uri, headers);
    let name = node.config.name(asked.t.lang().code());
    let mut shell = Shell::new(name, node.config.authority.as_str(), Face::Public);
    if node.config.status != record::Status::Actual {
        shell = shell.in_exercise();
    }
    let html = error_page(&shell, &asked, refusal, problems, None);
    let mut response = html_answer(status, Face::Public, html);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The same for whoever reads pages; for others, what is wrong as a line of text.
pub fn page_or_text(
    node: &Node,
    uri: &Uri,
    headers: &HeaderMap,
    status: StatusCode,
    refusal: Refusal,
    problem: Problem,
) -> Response {
    if reads_pages(headers) {
        return without_database(node, uri, headers, status, refusal, &[problem]);
    }
    let said = problem.text(&asked_without_database(node, uri, headers).t);
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{said}\n")).into_response()
}

/// What a request asks for, from nothing but itself and the configuration.
pub fn asked_without_database(node: &Node, uri: &Uri, headers: &HeaderMap) -> Asked {
    let accept_language = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let parts = RequestParts {
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        accept_language,
        ..RequestParts::default()
    };
    let lang = Lang::from_code(&node.config.language).unwrap_or(Lang::En);
    Asked::new(parts, lang, jiff::tz::TimeZone::UTC)
}

/// Something broke here. The log says what; the reader is only told that it is our fault.
pub fn internal(error: &dyn Display) -> Response {
    tracing::error!(%error, "a request could not be answered");
    (StatusCode::INTERNAL_SERVER_ERROR, [(CACHE_CONTROL, "no-store")], "500\n").into_response()
}

/// `404` of the exchange: the same for what is missing and for what is not for the caller.
pub fn nothing() -> Response {
    (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "private, no-store")], "").into_response()
}

/// JSON.
pub fn json<T: serde::Serialize>(face: Face, value: &T) -> Response {
    let mut response = axum::Json(value).into_response();
    let cache = match face {
        Face::Public => FOR_ANYBODY,
        Face::Inside => "private, no-store",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    // What a session may see, nobody without it is given.
    response.headers_mut().insert(VARY, HeaderValue::from_static("cookie"));
    response
}

/// Whether an entity tag is among those of an `If-None-Match`, compared weakly (RFC 9110, sections 8.8.3.2 and 13.1.2): a
/// proxy that packs answers weakens their tags.
pub fn is_among(etag: &str, known: &str) -> bool {
    let opaque = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    known.trim() == "*" || known.split(',').any(|one| opaque(one) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_a_proxy_weakened_is_the_same_one() {
        for known in ["\"a1\"", "W/\"a1\"", "\"b2\", W/\"a1\"", "*"] {
            assert!(is_among("\"a1\"", known), "{known}");
        }
        for known in ["\"b2\"", "a1", "", "W/\"a\""] {
            assert!(!is_among("\"a1\"", known), "{known}");
        }
    }
}
