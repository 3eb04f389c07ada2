//! Who is at a page of this desk: somebody of this authority, or a guest of another one. Read from the session, never typed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use record::Authority;

use crate::clock;
use crate::http::{Viewer, answer, cookie};
use crate::node::Node;
use crate::session::{self, Door, Session};

/// Somebody who may enter the room.
#[derive(Debug, Clone)]
pub struct Attendee {
    /// The authority that they are of.
    pub authority: Authority,
    /// Its code, such as `JPN`.
    pub code: String,
    /// Its names by language.
    pub names: BTreeMap<String, String>,
    /// The duty that the link's maker wrote; may be empty.
    pub duty: String,
    /// What the engine calls them: one for each session, so that whoever enters twice is in the room once.
    pub identity: String,
    /// The secret that their forms carry.
    pub csrf: String,
}

impl Attendee {
    /// The authority's name in a language, or in English, or its DNS name.
    pub fn name(&self, lang: &str) -> &str {
        self.names.get(lang).or_else(|| self.names.get("en")).map_or(self.authority.as_str(), String::as_str)
    }

    /// The one whose session this is. A guest whose authority is no confirmed peer any more is nobody, also if another one has its
    /// name now.
    pub(super) fn of(node: &Node, session: &Session) -> Option<Self> {
        let (authority, code, names) = match &session.bearer.guest {
            None => (node.config.authority.clone(), node.config.code.clone(), node.config.names.clone()),
            Some(guest) => {
                let known = node.confirmed_peer(guest)?;
                if session.bearer.of != Some(known.peering()) {
                    return None;
                }
                let peer = known.peer;
                let mut names = peer.names.clone();
                if let Some(name) = peer.name {
                    names.entry("en".to_owned()).or_insert(name);
                }
                (guest.clone(), peer.code.unwrap_or_default(), names)
            }
        };
        Some(Self {
            identity: format!("{authority}/{}", session.name),
            authority,
            code,
            names,
            duty: session.bearer.duty.clone(),
            csrf: session.csrf.clone(),
        })
    }
}

/// The reader of a page of this desk, with who they are in the room, if they may enter it.
pub struct Visitor {
    /// As every page knows its reader.
    pub viewer: Viewer,
    /// Who they are in the room.
    pub attendee: Option<Attendee>,
}

impl FromRequestParts<Arc<Node>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Response> {
        let viewer = Viewer::from_request_parts(parts, node).await?;
        let guest = match cookie(parts, Door::Meeting.cookie()) {
            Some(token) if viewer.session.is_none() => {
                session::find(&*node.cells, Door::Meeting, token, clock::seconds())
                    .await
                    .map_err(|error| answer::internal(&error))?
            }
            _ => None,
        };
        let attendee =
            viewer.session.as_ref().or(guest.as_ref()).and_then(|session| Attendee::of(node, session));
        Ok(Self { viewer, attendee })
    }
}
