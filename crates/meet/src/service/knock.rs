//! What a client's HTTP request says when it wants to join: token and parameters, read and bounded. It decides nothing: rooms do.

use std::collections::HashMap;
use std::io::Read as _;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use edge::Source;
use flate2::read::GzDecoder;
use livekit_protocol::wrapped_join_request::Compression;
use livekit_protocol::{ClientInfo, JoinRequest, ReconnectReason, WrappedJoinRequest, client_info};
use prost::Message as _;

use crate::grants::Grants;
use crate::room::Join;
use crate::token::TokenError;

/// The most bytes of a join request, packed and unpacked, as in `LiveKit`.
pub(crate) const MAX_JOIN_REQUEST: usize = 1 << 20;
/// Padding is written by some and not by others.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a join request cannot be read. The words are `LiveKit`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KnockError {
    #[error("join_request is required")]
    Missing,
    #[error("cannot base64 decode wrapped join request")]
    Base64,
    #[error("cannot unmarshal wrapped join request")]
    Wrapped,
    #[error("join request too large")]
    TooLarge,
    #[error("cannot read decompressed join request")]
    Gzip,
    #[error("cannot unmarshal join request")]
    Request,
    #[error("cannot decode attributes")]
    Attributes,
}

/// The query of a request; the first of several values of one name counts.
#[derive(Debug, Default)]
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut values = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            values.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(values)
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        let value = self.get(name);
        (!value.is_empty()).then_some(value == "1" || value == "true")
    }

    fn number(&self, name: &str) -> i32 {
        self.get(name).parse().unwrap_or(0)
    }
}

/// The token of a request: browsers cannot set headers on a WebSocket, and put it into the query.
pub(crate) fn token<'a>(headers: &'a HeaderMap, query: &'a Query) -> Result<&'a str, TokenError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let value = value.to_str().map_err(|_| TokenError::NotBearer)?;
        return value.strip_prefix("Bearer ").map(str::trim).ok_or(TokenError::NotBearer);
    }
    Some(query.get("access_token")).filter(|token| !token.is_empty()).ok_or(TokenError::Missing)
}

/// `/rtc/v1`: everything in one protobuf message.
pub(crate) fn single(grants: Grants, query: &Query, from: Option<Source>) -> Result<Join, KnockError> {
    let mut join = Join::from_request(named(grants, query), unwrap(query.get("join_request"))?);
    join.client.address = from.map(|from| from.to_string()).unwrap_or_default();
    Ok(join)
}

/// `/rtc`: parameters one by one.
pub(crate) fn dual(grants: Grants, query: &Query, from: Option<Source>) -> Result<Join, KnockError> {
    let mut join = Join::new(named(grants, query));
    join.client = client(query, from);
    join.auto_subscribe = query.truth("auto_subscribe").unwrap_or(true);
    join.auto_subscribe_data_track = query.truth("auto_subscribe_data_track").unwrap_or(false);
    join.adaptive_stream = query.truth("adaptive_stream").unwrap_or(false);
    join.may_pause = query.truth("subscriber_allow_pause").unwrap_or(true);
    join.attributes = attributes(query.get("attributes"))?;
    join.reconnect = query.truth("reconnect").unwrap_or(false);
    if join.reconnect {
        query.get("sid").clone_into(&mut join.participant_sid);
    }
    let reason = query.number("reconnect_reason");
    join.reconnect_reason = ReconnectReason::try_from(reason).unwrap_or(ReconnectReason::RrUnknown);
    Ok(join)
}

/// A token without a room is for any; then the query names it.
fn named(mut grants: Grants, query: &Query) -> Grants {
    if let Some(video) = &mut grants.video
        && video.room.is_empty()
    {
        query.get("room").clone_into(&mut video.room);
    }
    grants
}

fn unwrap(text: &str) -> Result<JoinRequest, KnockError> {
    if text.is_empty() {
        return Err(KnockError::Missing);
    }
    if text.len() > MAX_JOIN_REQUEST / 3 * 4 + 4 {
        return Err(KnockError::TooLarge);
    }
    let bytes = BASE64.decode(text).map_err(|_| KnockError::Base64)?;
    let wrapped = WrappedJoinRequest::decode(&*bytes).map_err(|_| KnockError::Wrapped)?;
    let bytes = match wrapped.compression() {
        Compression::None => wrapped.join_request,
        Compression::Gzip => gunzip(&wrapped.join_request)?,
    };
    if bytes.len() > MAX_JOIN_REQUEST {
        return Err(KnockError::TooLarge);
    }
    JoinRequest::decode(&*bytes).map_err(|_| KnockError::Request)
}

/// Never makes more than the limit and one byte, however much was packed.
fn gunzip(packed: &[u8]) -> Result<Vec<u8>, KnockError> {
    let mut bytes = Vec::new();
    let limit = MAX_JOIN_REQUEST as u64 + 1;
    GzDecoder::new(packed).take(limit).read_to_end(&mut bytes).map_err(|_| KnockError::Gzip)?;
    if bytes.len() > MAX_JOIN_REQUEST { Err(KnockError::TooLarge) } else { Ok(bytes) }
}

/// JSON in base64.
fn attributes(text: &str) -> Result<HashMap<String, String>, KnockError> {
    if text.is_empty() {
        return Ok(HashMap::new());
    }
    let bytes = BASE64.decode(text).map_err(|_| KnockError::Attributes)?;
    serde_json::from_slice(&bytes).map_err(|_| KnockError::Attributes)
}

fn client(query: &Query, from: Option<Source>) -> ClientInfo {
    let text = |name| query.get(name).to_owned();
    let sdk = match query.get("sdk") {
        "ios" => "SWIFT".to_owned(),
        "reactnative" => "REACT_NATIVE".to_owned(),
        "unityweb" => "UNITY_WEB".to_owned(),
        other => other.to_ascii_uppercase(),
    };
    let capability = |name: &str| client_info::Capability::from_str_name(name.trim());
    ClientInfo {
        sdk: client_info::Sdk::from_str_name(&sdk).unwrap_or(client_info::Sdk::Unknown) as i32,
        version: text("version"),
        protocol: query.number("protocol"),
        client_protocol: query.number("client_protocol"),
        os: text("os"),
        os_version: text("os_version"),
        device_model: text("device_model"),
        browser: text("browser"),
        browser_version: text("browser_version"),
        address: from.map(|from| from.to_string()).unwrap_or_default(),
        network: text("network"),
        capabilities: query
            .get("capabilities")
            .split(',')
            .filter_map(capability)
            .map(|known| known as i32)
            .collect(),
        ..ClientInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression as Level;
    use flate2::write::GzEncoder;
    use livekit_protocol::ConnectionSettings;

    use super::*;
    use crate::contract::Peers;

    fn wrapped(compression: Compression, join_request: Vec<u8>) -> Query {
        let bytes = WrappedJoinRequest { compression: compression as i32, join_request }.encode_to_vec();
        Query::parse(&format!("join_request={}", BASE64.encode(bytes)))
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn refused(query: &Query) -> KnockError {
        single(Grants::default(), query, None).unwrap_err()
    }

    #[test]
    fn a_join_request_is_read_packed_and_unpacked() {
        let settings =
            ConnectionSettings { auto_subscribe: true, adaptive_stream: true, ..Default::default() };
        let request = JoinRequest {
            connection_settings: Some(settings),
            participant_sid: "PA_x".into(),
            ..Default::default()
        };
        for query in [
            wrapped(Compression::None, request.encode_to_vec()),
            wrapped(Compression::Gzip, packed(&request.encode_to_vec())),
        ] {
            let join = single(Grants::default(), &query, None).unwrap();
            assert_eq!((join.peers, join.participant_sid.as_str()), (Peers::Single, "PA_x"));
            assert!(join.auto_subscribe && join.adaptive_stream);
        }
    }

    #[test]
    fn a_gzip_bomb_is_refused_before_it_unfolds() {
        let bomb = packed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 80_000);
        assert_eq!(refused(&wrapped(Compression::Gzip, bomb)), KnockError::TooLarge);
    }

    #[test]
    fn what_is_no_join_request_is_refused_in_the_words_that_clients_know() {
        assert_eq!(refused(&Query::default()), KnockError::Missing);
        assert_eq!(refused(&Query::parse("join_request=***")), KnockError::Base64);
        assert_eq!(refused(&Query::parse("join_request=____")), KnockError::Wrapped);
        assert_eq!(refused(&wrapped(Compression::None, vec![0xFF; 9])), KnockError::Request);
        assert_eq!(refused(&wrapped(Compression::Gzip, vec![1, 2, 3])), KnockError::Gzip);
        assert_eq!(refused(&wrapped(Compression::None, vec![0; MAX_JOIN_REQUEST + 1])), KnockError::TooLarge);
        let cut = packed(&vec![7; 1000]);
        assert_eq!(refused(&wrapped(Compression::Gzip, cut[..cut.len() / 2].to_vec())), KnockError::Gzip);
    }

    #[test]
    fn the_old_path_says_it_in_parameters() {
        let query = Query::parse(
            "auto_subscribe=0&sdk=js&version=2.23.0&protocol=16&adaptive_stream=1&reconnect=1&sid=PA_1&reconnect_reason=2&attributes=eyJhIjoiYiJ9",
        );
        let join =
            dual(Grants::default(), &query, Some(Source::Block(edge::Block::of([192, 0, 2, 1].into()))))
                .unwrap();
        assert!(!join.auto_subscribe && join.adaptive_stream && join.reconnect);
        assert_eq!((join.peers, join.participant_sid.as_str()), (Peers::Dual, "PA_1"));
        assert_eq!(join.client.sdk(), client_info::Sdk::Js);
        assert_eq!((join.client.protocol, join.client.address.as_str()), (16, "192.0.2.1"));
        assert_eq!(join.attributes.get("a").map(String::as_str), Some("b"));
    }

    #[test]
    fn a_token_is_found_in_both_places_and_the_header_wins() {
        let query = Query::parse("access_token=q&access_token=second");
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers, &query), Ok("q"));
        headers.insert(header::AUTHORIZATION, "Bearer h".parse().unwrap());
        assert_eq!(token(&headers, &query), Ok("h"));
        headers.insert(header::AUTHORIZATION, "Basic h".parse().unwrap());
        assert_eq!(token(&headers, &query), Err(TokenError::NotBearer));
        assert_eq!(token(&HeaderMap::new(), &Query::default()), Err(TokenError::Missing));
    }
}
