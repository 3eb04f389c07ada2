//! What a verified access token allows: the claims of `LiveKit`'s tokens, field by field.
//!
//! Nothing here verifies a signature: whoever makes a [`Grants`] from foreign bytes has done that.

use std::collections::BTreeMap;

use livekit_protocol::{ParticipantPermission, RoomConfiguration, TrackSource, participant_info::Kind};
use serde::{Deserialize, Deserializer, Serialize};

/// The claims of a token, as its JSON names them. Unknown claims are ignored, as `LiveKit` does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Grants {
    /// The API key whose secret signed the token (`iss`).
    #[serde(rename = "iss", skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Who the holder is in a room (`sub`); empty in tokens that only administer.
    #[serde(rename = "sub", skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Issued at, seconds of Unix time (`iat`), if it says.
    #[serde(rename = "iat", skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    pub issued_at: Option<u64>,
    /// Not valid before, seconds of Unix time (`nbf`), if it says.
    #[serde(rename = "nbf", skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    pub not_before: Option<u64>,
    /// Not valid after, seconds of Unix time (`exp`).
    #[serde(rename = "exp", skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    pub expires_at: Option<u64>,
    /// The name that others see.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Text of the application, seen by others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// Named texts of the application, seen by others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// `standard`, `ingress`, `egress`, `sip`, `agent`; empty is standard.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What may be done in rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoGrant>,
    /// How the room is made, if this participant is the first to enter it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_config: Option<RoomConfiguration>,
    /// Base64 of the SHA-256 of a body that the token vouches for (webhooks).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// What may be done in rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(clippy::struct_excessive_bools, reason = "the token's own fields")]
pub struct VideoGrant {
    /// Create and delete rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_create: bool,
    /// List rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_list: bool,
    /// Moderate the room [`VideoGrant::room`].
    #[serde(skip_serializing_if = "is_false")]
    pub room_admin: bool,
    /// Enter the room [`VideoGrant::room`].
    #[serde(skip_serializing_if = "is_false")]
    pub room_join: bool,
    /// The name of the room.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Publish tracks; yes if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// Receive tracks; yes if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// Send data; as [`VideoGrant::can_publish`] if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// `camera`, `microphone`, `screen_share`, `screen_share_audio`. **Empty means all of them.**
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list")]
    pub can_publish_sources: Vec<String>,
    /// Change one's own name, metadata and attributes; no if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_update_own_metadata: Option<bool>,
    /// Seen by nobody.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Marked as a recorder.
    #[serde(skip_serializing_if = "is_false")]
    pub recorder: bool,
    /// Marked as an agent.
    #[serde(skip_serializing_if = "is_false")]
    pub agent: bool,
    /// Receives metrics of others; no if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe_metrics: Option<bool>,
    /// Manages an agent's session; no if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_manage_agent_session: Option<bool>,
}

impl Grants {
    /// The kind of participant that the token makes.
    pub fn participant_kind(&self) -> Kind {
        match self.kind.as_str() {
            "ingress" => Kind::Ingress,
            "egress" => Kind::Egress,
            "sip" => Kind::Sip,
            "agent" => Kind::Agent,
            _ => Kind::Standard,
        }
    }

    /// The permission that the token gives inside a room.
    #[allow(deprecated, reason = "old clients read recorder and agent")]
    pub fn permission(&self) -> ParticipantPermission {
        let video = self.video.clone().unwrap_or_default();
        let can_publish = video.can_publish.unwrap_or(true);
        ParticipantPermission {
            can_subscribe: video.can_subscribe.unwrap_or(true),
            can_publish,
            can_publish_data: video.can_publish_data.unwrap_or(can_publish),
            can_publish_sources: video
                .can_publish_sources
                .iter()
                .map(|source| source_of(source) as i32)
                .collect(),
            hidden: video.hidden,
            recorder: video.recorder,
            can_update_metadata: video.can_update_own_metadata.unwrap_or(false),
            agent: video.agent,
            can_subscribe_metrics: video.can_subscribe_metrics.unwrap_or(false),
            can_manage_agent_session: video.can_manage_agent_session.unwrap_or(false),
        }
    }

    /// Takes over a permission that was changed while its holder was in a room, so that a refreshed token says the same.
    #[allow(deprecated, reason = "old clients read recorder and agent")]
    pub fn set_permission(&mut self, permission: &ParticipantPermission) {
        let video = self.video.get_or_insert_default();
        video.can_publish = Some(permission.can_publish);
        video.can_subscribe = Some(permission.can_subscribe);
        video.can_publish_data = Some(permission.can_publish_data);
        video.can_publish_sources =
            permission.can_publish_sources().map(|source| name_of(source).to_owned()).collect();
        video.can_update_own_metadata = Some(permission.can_update_metadata);
        video.hidden = permission.hidden;
        video.recorder = permission.recorder;
        video.agent = permission.agent;
        video.can_subscribe_metrics = Some(permission.can_subscribe_metrics);
        video.can_manage_agent_session = Some(permission.can_manage_agent_session);
    }

    /// When the token was made, seconds of Unix time: `iat`, else `nbf` (which is all that `LiveKit`'s own server SDKs write).
    pub fn made_at(&self) -> Option<u64> {
        self.issued_at.or(self.not_before)
    }

    /// Whether the holder may enter `room`, if it said.
    pub fn may_enter(&self) -> Option<&str> {
        self.video.as_ref().filter(|video| video.room_join).map(|video| video.room.as_str())
    }

    /// Whether the holder may moderate `room`.
    pub fn may_moderate(&self, room: &str) -> bool {
        self.video.as_ref().is_some_and(|video| video.room_admin && video.room == room)
    }

    /// Whether the holder may make and end rooms.
    pub fn may_create(&self) -> bool {
        self.video.as_ref().is_some_and(|video| video.room_create)
    }

    /// Whether the holder may list rooms.
    pub fn may_list(&self) -> bool {
        self.video.as_ref().is_some_and(|video| video.room_list)
    }
}

/// A source as tokens name it. One that we do not know allows no source that exists.
fn source_of(name: &str) -> TrackSource {
    match name {
        "camera" => TrackSource::Camera,
        "microphone" => TrackSource::Microphone,
        "screen_share" => TrackSource::ScreenShare,
        "screen_share_audio" => TrackSource::ScreenShareAudio,
        _ => TrackSource::Unknown,
    }
}

/// The name that tokens have for a source.
fn name_of(source: TrackSource) -> &'static str {
    match source {
        TrackSource::Camera => "camera",
        TrackSource::Microphone => "microphone",
        TrackSource::ScreenShare => "screen_share",
        TrackSource::ScreenShareAudio => "screen_share_audio",
        TrackSource::Unknown => "unknown",
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// RFC 7519 allows fractions of a second; `null` is nothing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.map(|seconds| seconds as u64))
}

/// Go writes an empty list as `null`.
fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::<Vec<String>>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_permissions_are_as_in_livekit() {
        let grants: Grants = serde_json::from_str(
            r#"{"iss":"k","sub":"who/1","nbf":12.7,"video":{"roomJoin":true,"room":"r"}}"#,
        )
        .unwrap();
        let permission = grants.permission();
        assert!(permission.can_publish && permission.can_subscribe && permission.can_publish_data);
        assert!(!permission.can_update_metadata && !permission.hidden);
        assert_eq!(grants.made_at(), Some(12));
        assert_eq!(grants.may_enter(), Some("r"));
        assert!(!grants.may_moderate("r") && !grants.may_create() && !grants.may_list());
    }

    #[test]
    fn data_follows_publishing_unless_it_is_said() {
        let grants: Grants = serde_json::from_str(r#"{"video":{"canPublish":false}}"#).unwrap();
        assert!(!grants.permission().can_publish_data);
    }

    #[test]
    fn a_permission_goes_through_a_token_unchanged() {
        let mut grants: Grants = serde_json::from_str(
            r#"{"video":{"canPublishSources":["camera","screen_share"],"hidden":true},"roomConfig":{"maxParticipants":3},"unheard":1}"#,
        )
        .unwrap();
        let permission = grants.permission();
        assert_eq!(
            permission.can_publish_sources,
            [TrackSource::Camera as i32, TrackSource::ScreenShare as i32]
        );
        grants.set_permission(&permission);
        let text = serde_json::to_string(&grants).unwrap();
        assert_eq!(serde_json::from_str::<Grants>(&text).unwrap().permission(), permission);
        assert_eq!(grants.room_config.unwrap().max_participants, 3);
    }

    #[test]
    fn a_source_nobody_knows_does_not_open_all_sources() {
        let grants: Grants =
            serde_json::from_str(r#"{"video":{"canPublishSources":["telepathy"]}}"#).unwrap();
        assert_eq!(grants.permission().can_publish_sources, [TrackSource::Unknown as i32]);
    }
}
