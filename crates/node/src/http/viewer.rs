//! Who asks, for what, in which language: read from a request once, given to every page.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use axum::response::Response;

use super::answer;
use super::turns::HeldTurn;
use crate::asof::AsOf;
use crate::clock;
use crate::face::Face;
use crate::i18n::Lang;
use crate::layout::{Asked, Page, RequestParts, Shell};
use crate::node::Node;
use crate::session::{self, Door, Session};

/// The reader of a page.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Public or inside.
    pub face: Face,
    /// Address, language, zone.
    pub asked: Asked,
    /// The moment asked for.
    pub as_of: AsOf,
    /// What frames every page.
    pub shell: Shell,
    /// The session, on the inside face.
    pub session: Option<Session>,
    /// What is shown: actual events, an exercise or tests.
    pub status: record::Status,
    /// The turn in which the page is made.
    pub turn: HeldTurn,
}

impl Viewer {
    /// A page of this reader.
    pub fn page(&self, title: impl Into<String>) -> Page {
        let page = Page::new(&self.shell, &self.asked, title);
        match &self.session {
            Some(session) => page.with_csrf(&session.csrf),
            None => page,
        }
    }

    /// The secret that forms carry; empty on the public face, where there are no forms.
    pub fn csrf(&self) -> &str {
        self.session.as_ref().map_or("", |s| s.csrf.as_str())
    }
}

/// The value of a cookie.
pub fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

impl FromRequestParts<Arc<Node>> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Response> {
        let session = match cookie(parts, Door::Inside.cookie()) {
            Some(token) => session::find(&*node.cells, Door::Inside, token, clock::seconds())
                .await
                .map_err(|e| answer::internal(&e))?,
            None => None,
        };
        let face = if session.is_some() { Face::Inside } else { Face::Public };
        let lang = Lang::from_code(&node.config.language).unwrap_or(Lang::En);
        let request = RequestParts {
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            lang_cookie: cookie(parts, "lang").filter(|_| face == Face::Inside),
            zone_cookie: cookie(parts, "zone").filter(|_| face == Face::Inside),
            accept_language: parts.headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()),
        };
        // The configuration was read only if its zone is known.
        let zone = jiff::tz::TimeZone::get(&node.config.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let asked = Asked::new(request, lang, zone);
        let mut shell =
            Shell::new(node.config.name(asked.t.lang().code()), node.config.authority.as_str(), face);
        if node.config.status != record::Status::Actual {
            shell = shell.in_exercise();
        }
        let as_of = match asked.check_zone().and_then(|()| asked.as_of()) {
            Ok(as_of) => as_of,
            Err(problem) => return Err(answer::bad_request(&shell, &asked, problem)),
        };
        let turn = parts.extensions.get::<HeldTurn>().cloned().unwrap_or_default();
        Ok(Self { face, asked, as_of, shell, session, status: node.config.status, turn })
    }
}
