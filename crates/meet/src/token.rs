//! Access tokens as `LiveKit` has them: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 and a secret that the server and
//! whoever admits people share. The issuer is the name of the key, the subject the participant's identity, `video` what it may do.
//!
//! It never reads a clock, never logs a token, and never shows a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::grants::Grants;

/// How far two clocks may differ, in seconds.
pub const LEEWAY: u64 = 60;
/// The most bytes of a token.
pub const MAX_TOKEN: usize = 16 * 1024;
/// How long a minted token holds if nothing else is asked, in seconds: `LiveKit`'s six hours.
pub const DEFAULT_LIFE: u64 = 6 * 60 * 60;

/// Why a token is refused. No variant holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Neither `Authorization: Bearer` nor `access_token`.
    #[error("no access token: send `Authorization: Bearer TOKEN` or `access_token=TOKEN`")]
    Missing,
    /// An `Authorization` that is not `Bearer`.
    #[error("invalid authorization header. Must start with Bearer ")]
    NotBearer,
    /// More than [`MAX_TOKEN`] bytes.
    #[error("the access token is longer than {MAX_TOKEN} bytes")]
    TooLong,
    /// Not a JSON Web Token, or claims of the wrong types.
    #[error("invalid authorization token")]
    Malformed,
    /// Signed in another way than HS256.
    #[error("invalid authorization token: only HS256 is accepted")]
    Algorithm,
    /// The issuer is none of our keys.
    #[error("invalid API key: {0}")]
    UnknownKey(String),
    /// The signature is not of the key's secret.
    #[error("invalid token: the signature does not match")]
    Signature,
    /// Not valid any more.
    #[error("invalid token: expired at {0} (Unix time)")]
    Expired(u64),
    /// Not valid yet.
    #[error("invalid token: not valid before {0} (Unix time)")]
    NotYet(u64),
}

/// Why keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not `KEY:SECRET`.
    #[error("keys are written KEY:SECRET, several separated by commas")]
    Form,
    /// The same key twice.
    #[error("the key {0} is given twice")]
    Twice(String),
    /// None at all.
    #[error("no key is given")]
    None,
    /// Too easily guessed.
    #[error("the secret of the key {0} is shorter than {MIN_SECRET} characters")]
    Short(String),
}

impl KeysError {
    /// Lower-case words joined by hyphens; stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form => "meet-keys-form",
            Self::Twice(_) => "meet-keys-twice",
            Self::None => "meet-keys-none",
            Self::Short(_) => "meet-keys-short",
        }
    }

    /// Named arguments of the sentence.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Form | Self::None => Vec::new(),
            Self::Twice(key) => vec![("key", key.clone())],
            Self::Short(key) => vec![("key", key.clone()), ("least", MIN_SECRET.to_string())],
        }
    }
}

/// Fewer characters than this make a secret fit for trials only.
pub const MIN_SECRET: usize = 32;

/// The secret of a key; never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes it.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The bytes, for a MAC.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// Keys and their secrets; at least one.
#[derive(Clone, Debug)]
pub struct Keys {
    named: BTreeMap<String, Secret>,
    /// With which we sign ourselves.
    own: String,
}

impl FromStr for Keys {
    type Err = KeysError;

    /// `KEY:SECRET`, several separated by commas; the first is the one we sign with.
    fn from_str(text: &str) -> Result<Self, KeysError> {
        let mut named = BTreeMap::new();
        let mut own = None;
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, secret) = pair.split_once(':').ok_or(KeysError::Form)?;
            let (key, secret) = (key.trim(), secret.trim());
            if key.is_empty() || secret.is_empty() {
                return Err(KeysError::Form);
            }
            own.get_or_insert_with(|| key.to_owned());
            if named.insert(key.to_owned(), Secret::new(secret)).is_some() {
                return Err(KeysError::Twice(key.to_owned()));
            }
        }
        let own = own.ok_or(KeysError::None)?;
        Ok(Self { named, own })
    }
}

impl Keys {
    /// One key, which is also the one we sign with.
    pub fn one(key: impl Into<String>, secret: Secret) -> Self {
        let own = key.into();
        Self { named: BTreeMap::from([(own.clone(), secret)]), own }
    }

    /// The name of the key that we sign with.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// Refuses secrets that can be guessed.
    pub fn demand_long(&self) -> Result<(), KeysError> {
        let short = self.named.iter().find(|(_, secret)| secret.bytes().len() < MIN_SECRET);
        short.map_or(Ok(()), |(key, _)| Err(KeysError::Short(key.clone())))
    }

    /// Signs grants with our own key; valid from `now` (Unix seconds) for `life` seconds. Key and times that they hold already
    /// are replaced.
    pub fn mint(&self, grants: &Grants, now: u64, life: u64) -> String {
        let mut grants = grants.clone();
        grants.key.clone_from(&self.own);
        (grants.issued_at, grants.not_before) = (Some(now), Some(now));
        grants.expires_at = Some(now.saturating_add(life));
        let secret = self.named.get(&self.own).map(Secret::bytes).unwrap_or_default();
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &grants, &EncodingKey::from_secret(secret))
            .expect("strings and numbers can be written as JSON, and any secret is a key of a MAC")
    }

    /// Checks signature and times at `now` (Unix seconds).
    pub fn verify(&self, token: &str, now: u64) -> Result<Grants, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let unchecked: Unchecked =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| TokenError::Malformed)?;
        let secret = self
            .named
            .get(&unchecked.iss)
            .ok_or_else(|| TokenError::UnknownKey(shortened(&unchecked.iss)))?;
        // Times are checked below, against the time that was given.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        let key = DecodingKey::from_secret(secret.bytes());
        let mut grants =
            jsonwebtoken::decode::<Grants>(token, &key, &rules).map_err(|error| said(&error))?.claims;
        match (grants.expires_at, grants.not_before) {
            (Some(end), _) if now > end.saturating_add(LEEWAY) => return Err(TokenError::Expired(end)),
            (_, Some(begin)) if now.saturating_add(LEEWAY) < begin => return Err(TokenError::NotYet(begin)),
            _ => {}
        }
        if grants.identity.is_empty() {
            grants.identity = unchecked.jti;
        }
        Ok(grants)
    }
}

fn said(error: &jsonwebtoken::errors::Error) -> TokenError {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        _ => TokenError::Malformed,
    }
}

/// What a key name looks like in a message: foreign text, so not all of it.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// What must be read before the signature can be checked, and believed after: whose secret, and where old SDKs put the identity.
#[derive(Deserialize)]
struct Unchecked {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    jti: String,
}

/// The grant that vouches for a body, as webhooks carry it: its SHA-256 in base64.
pub fn for_body(body: &[u8]) -> Grants {
    Grants { sha256: STANDARD.encode(Sha256::digest(body)), ..Grants::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::VideoGrant;

    const NOW: u64 = 1_800_000_000;

    fn keys() -> Keys {
        "devkey:secret, other:another".parse().unwrap()
    }

    fn delegate() -> Grants {
        let video = VideoGrant { room_join: true, room: "room".into(), ..VideoGrant::default() };
        Grants {
            identity: "moh.example/3/laptop".into(),
            name: "Delegate of Utopia".into(),
            video: Some(video),
            ..Grants::default()
        }
    }

    fn signed(claims: &serde_json::Value, secret: &[u8]) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret))
            .unwrap()
    }

    #[test]
    fn what_is_minted_is_read_again() {
        let grants = keys().verify(&keys().mint(&delegate(), NOW, 60), NOW).unwrap();
        let times = (grants.issued_at, grants.not_before, grants.expires_at);
        assert_eq!(times, (Some(NOW), Some(NOW), Some(NOW + 60)));
        assert_eq!(
            (grants.key.as_str(), grants.identity, grants.video),
            ("devkey", delegate().identity, delegate().video)
        );
    }

    #[test]
    fn a_second_key_and_an_identity_in_the_old_place_are_understood() {
        let claims = serde_json::json!({ "iss": "other", "jti": "anna", "exp": 1_800_000_000.5, "video": { "room": "r" } });
        assert_eq!(keys().verify(&signed(&claims, b"another"), NOW).unwrap().identity, "anna");
    }

    #[test]
    fn times_hold_within_a_minute() {
        let token = keys().mint(&delegate(), NOW, 60);
        let at = |now| keys().verify(&token, now).map(|_| ());
        assert_eq!(at(NOW - LEEWAY), Ok(()));
        assert_eq!(at(NOW - LEEWAY - 1), Err(TokenError::NotYet(NOW)));
        assert_eq!(at(NOW + 60 + LEEWAY), Ok(()));
        assert_eq!(at(NOW + 60 + LEEWAY + 1), Err(TokenError::Expired(NOW + 60)));
    }

    #[test]
    fn forgeries_are_refused() {
        let refused = |token: &str| keys().verify(token, NOW).unwrap_err();
        let stranger: Keys = "stranger:secret".parse().unwrap();
        assert_eq!(refused(&stranger.mint(&delegate(), NOW, 60)), TokenError::UnknownKey("stranger".into()));
        let impostor: Keys = "devkey:guess".parse().unwrap();
        assert_eq!(refused(&impostor.mint(&delegate(), NOW, 60)), TokenError::Signature);
        let own = keys().mint(&delegate(), NOW, 60);
        let (head, signature) = own.rsplit_once('.').unwrap();
        let none =
            format!("{}.{}.", base64_of(r#"{"alg":"none","typ":"JWT"}"#), head.split_once('.').unwrap().1);
        assert!(matches!(refused(&none), TokenError::Malformed | TokenError::Algorithm));
        let longer = jsonwebtoken::encode(
            &Header::new(Algorithm::HS512),
            &serde_json::json!({ "iss": "devkey", "sub": "x" }),
            &EncodingKey::from_secret(b"secret"),
        );
        assert_eq!(refused(&longer.unwrap()), TokenError::Algorithm);
        assert_eq!(refused(&format!("{head}A.{signature}")), TokenError::Malformed);
        for nonsense in ["", ".", "..", "a.b.c", "\u{1F600}.\u{1F600}.\u{1F600}"] {
            assert_eq!(refused(nonsense), TokenError::Malformed);
        }
        assert_eq!(refused(&"a".repeat(MAX_TOKEN + 1)), TokenError::TooLong);
    }

    fn base64_of(text: &str) -> String {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", keys()).contains("another"));
    }

    #[test]
    fn keys_are_written_as_livekit_writes_them() {
        assert_eq!(keys().own(), "devkey");
        assert_eq!("nocolon".parse::<Keys>().unwrap_err(), KeysError::Form);
        assert_eq!("a:b,a:c".parse::<Keys>().unwrap_err(), KeysError::Twice("a".into()));
        assert_eq!(" ".parse::<Keys>().unwrap_err(), KeysError::None);
        assert_eq!(keys().demand_long(), Err(KeysError::Short("devkey".into())));
    }
}
