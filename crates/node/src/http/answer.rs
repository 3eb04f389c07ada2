//! Answers that every route shares: pages, files, refusals. No answer tells more than its status must.

use std::fmt::Display;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Viewer;
use crate::face::Face;
use crate::layout::{Asked, Problem, Refusal, Shell, error_page};

/// A page. Public pages may be cached for seconds, pages of a session nowhere.
pub fn page<T: askama::Template>(viewer: &Viewer, template: &T) -> Response {
    match template.render() {
        Ok(html) => html_answer(StatusCode::OK, viewer.face, html),
        Err(error) => internal(&error),
    }
}

/// HTML that is ready.
pub fn html_answer(status: StatusCode, face: Face, html: String) -> Response {
    let mut response = (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    let cache = match face {
        Face::Public => "public, max-age=5",
        Face::Inside => "private, no-store",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// A file for taking away, such as CSV.
pub fn file(viewer: &Viewer, content_type: &'static str, name: &str, bytes: impl Into<Body>) -> Response {
    let cache = match viewer.face {
        Face::Public => "public, max-age=5",
        Face::Inside => "private, no-store",
    };
    let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
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
        Face::Public => "public, max-age=5",
        Face::Inside => "private, no-store",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
