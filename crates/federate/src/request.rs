//! Signed requests: RFC 9421 over exactly `@method @path @query concord-to`, by an authority's `caller` key.
//!
//! Only the signature and its times are judged here. Whether the key is one that is recognised, and what its
//! authority may read, is the server's to ask; nonces are remembered in [`Nonces`].

use std::collections::BTreeMap;

use record::Authority;
use tlog::{KeyType, SignError, Signer, VerifierKey, base64, verify_strict};

/// The longest time from `created` to `expires`, in seconds.
pub const MAX_LIFETIME: u64 = 300;
/// How far a caller's clock may be ahead of ours, in seconds.
pub const MAX_AHEAD: u64 = 30;
/// The longest header value that is read, in bytes.
pub const MAX_HEADER: usize = 2048;
/// What is noted of a key that signs ahead of our clock reaches this much further, in seconds, so that it is noted seldom.
const NOTED_AHEAD: u64 = 10;
/// The most nonces remembered; more callers at once than that are refused.
pub const MAX_NONCES: usize = 262_144;
/// The header that names the authority that is asked.
pub const CONCORD_TO: &str = "concord-to";
/// The `tag` parameter.
pub const TAG: &str = "concord/v1";

const COMPONENTS: &str = "(\"@method\" \"@path\" \"@query\" \"concord-to\")";

/// What is asked of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path, from its first slash.
    pub path: &'a str,
    /// What follows the question mark, if there is one.
    pub query: Option<&'a str>,
    /// The server's authority: the value of `Concord-To`.
    pub to: &'a Authority,
}

/// The headers of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Concord-To`.
    pub concord_to: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// A rightly signed request: who claims to call, and how long the claim lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerClaim {
    /// The key that signed.
    pub vkey: VerifierKey,
    /// Unused before.
    pub nonce: String,
    /// When it was signed, POSIX seconds.
    pub created: u64,
    /// Until when it may be used, POSIX seconds.
    pub expires: u64,
}

/// Why a signed request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A header is too long.
    #[error("a header of {0} bytes: at most {MAX_HEADER}")]
    TooLong(usize),
    /// `Signature-Input` is not of the one form.
    #[error(
        "Signature-Input: one member with our tag, the components {COMPONENTS}, and created, expires, nonce, keyid and tag"
    )]
    Input,
    /// `Signature` is not of the one form.
    #[error("Signature: the label of that member and 64 bytes of base64 between colons")]
    Signature,
    /// `keyid` is no Ed25519 vkey.
    #[error("keyid: the vkey of a caller key")]
    KeyId,
    /// The nonce is too short, too long or of other characters.
    #[error("nonce: 16 to 64 characters of A-Z a-z 0-9 - _")]
    Nonce,
    /// `expires` is not 1 to 300 seconds after `created`.
    #[error("expires: 1 to {MAX_LIFETIME} seconds after created")]
    Lifetime,
    /// The signature does not verify.
    #[error("the signature of {key} does not verify")]
    BadSignature {
        /// The key's name.
        key: String,
    },
    /// Rightly signed, by a clock that differs from ours. To a recognised key the server tells its time.
    #[error("signed at {}, used until {}; it is {now} here", claim.created, claim.expires)]
    Skewed {
        /// The claim.
        claim: Box<CallerClaim>,
        /// Our time, POSIX seconds.
        now: u64,
    },
    /// The nonce was used before.
    #[error("the nonce was used before")]
    Replayed,
    /// More requests at once than are remembered.
    #[error("more than {MAX_NONCES} signed requests in {MAX_LIFETIME} seconds")]
    Crowded,
    /// The key may not sign, or does not.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl RequestError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "request-too-long",
            Self::Input => "request-input",
            Self::Signature => "request-signature",
            Self::KeyId => "request-keyid",
            Self::Nonce => "request-nonce",
            Self::Lifetime => "request-lifetime",
            Self::BadSignature { .. } => "request-bad-signature",
            Self::Skewed { .. } => "request-skewed",
            Self::Replayed => "request-replayed",
            Self::Crowded => "request-crowded",
            Self::Sign(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Input
            | Self::Signature
            | Self::KeyId
            | Self::Nonce
            | Self::Lifetime
            | Self::Replayed
            | Self::Crowded => Vec::new(),
            Self::TooLong(value) => vec![("value", value.to_string())],
            Self::BadSignature { key } => vec![("key", key.clone())],
            Self::Skewed { now, .. } => vec![("now", now.to_string())],
            Self::Sign(error) => error.arguments(),
        }
    }
}

/// Signs a request. Times are POSIX seconds; the nonce is random and never used again.
pub fn sign(
    target: Target<'_>,
    created: u64,
    expires: u64,
    nonce: &str,
    signer: &dyn Signer,
) -> Result<SignedHeaders, RequestError> {
    if signer.key().key_type() != KeyType::Ed25519 {
        return Err(RequestError::KeyId);
    }
    check_nonce(nonce)?;
    check_lifetime(created, expires)?;
    let key = signer.key();
    let parameters = format!(
        "{COMPONENTS};created={created};expires={expires};nonce=\"{nonce}\";keyid=\"{key}\";tag=\"{TAG}\""
    );
    let signature = signer.sign(base(target, &parameters).as_bytes())?;
    Ok(SignedHeaders {
        concord_to: target.to.to_string(),
        signature_input: format!("concord={parameters}"),
        signature: format!("concord=:{}:", base64::encode(&signature)),
    })
}

/// Verifies a request at a time in POSIX seconds. The order of the parameters is free.
pub fn verify(
    target: Target<'_>,
    signature_input: &str,
    signature: &str,
    now: u64,
) -> Result<CallerClaim, RequestError> {
    for header in [signature_input, signature] {
        if header.len() > MAX_HEADER {
            return Err(RequestError::TooLong(header.len()));
        }
    }
    let (label, parameters) = ours(signature_input)?;
    let claim = parse_parameters(parameters)?;
    let bytes = members(signature).find_map(|member| parse_signature(member, label));
    let bytes = bytes.ok_or(RequestError::Signature)?;
    if !verify_strict(claim.vkey.public(), base(target, parameters).as_bytes(), &bytes) {
        return Err(RequestError::BadSignature { key: claim.vkey.name().to_owned() });
    }
    if claim.created > now.saturating_add(MAX_AHEAD) || claim.expires <= now {
        return Err(RequestError::Skewed { claim: Box::new(claim), now });
    }
    Ok(claim)
}

/// The members of a dictionary of structured fields (RFC 8941), as they stand between its commas: one in quotes ends none.
fn members(header: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_end = move |c: char| {
        let stands_for_itself = std::mem::take(&mut is_escaped);
        match c {
            '\\' if is_quoted && !stands_for_itself => is_escaped = true,
            '"' if !stands_for_itself => is_quoted = !is_quoted,
            _ => {}
        }
        c == ',' && !is_quoted
    };
    header.split(is_end).map(|member| member.trim_matches([' ', '\t']))
}

/// Label and parameters of the one signature that has our tag. A proxy on the way may have signed too (RFC 9421 section
/// 4.3); what it says is not for us.
fn ours(signature_input: &str) -> Result<(&str, &str), RequestError> {
    let tag = format!(";tag=\"{TAG}\"");
    let is_ours = |parameters: &str| {
        let after = parameters.split_once(&*tag).map(|(_, after)| after);
        after.is_some_and(|after| after.is_empty() || after.starts_with(';'))
    };
    let labelled = members(signature_input).filter_map(|member| member.split_once('='));
    let mut found = labelled.filter(|(_, parameters)| is_ours(parameters));
    let (label, parameters) = found.next().ok_or(RequestError::Input)?;
    if found.next().is_some() || !is_label(label) {
        return Err(RequestError::Input);
    }
    Ok((label, parameters))
}

/// The signature base of RFC 9421 section 2.5. An absent query is `?`.
fn base(target: Target<'_>, parameters: &str) -> String {
    let Target { method, path, query, to } = target;
    let query = query.unwrap_or_default();
    format!(
        "\"@method\": {method}\n\"@path\": {path}\n\"@query\": ?{query}\n\"{CONCORD_TO}\": {to}\n\
         \"@signature-params\": {parameters}"
    )
}

fn parse_parameters(parameters: &str) -> Result<CallerClaim, RequestError> {
    let rest = parameters.strip_prefix(COMPONENTS).ok_or(RequestError::Input)?;
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for parameter in rest.strip_prefix(';').ok_or(RequestError::Input)?.split(';') {
        let (name, value) = parameter.split_once('=').ok_or(RequestError::Input)?;
        if found.insert(name, value).is_some() {
            return Err(RequestError::Input);
        }
    }
    if found.len() != 5 || quoted(&found, "tag") != Some(TAG) {
        return Err(RequestError::Input);
    }
    let number = |name| {
        found.get(name).and_then(|value| record::encoding::decimal(value).ok()).ok_or(RequestError::Input)
    };
    let (created, expires): (u64, u64) = (number("created")?, number("expires")?);
    check_lifetime(created, expires)?;
    let nonce = quoted(&found, "nonce").ok_or(RequestError::Input)?;
    check_nonce(nonce)?;
    let vkey: VerifierKey =
        quoted(&found, "keyid").ok_or(RequestError::Input)?.parse().map_err(|_| RequestError::KeyId)?;
    if vkey.key_type() != KeyType::Ed25519 {
        return Err(RequestError::KeyId);
    }
    Ok(CallerClaim { vkey, nonce: nonce.to_owned(), created, expires })
}

fn quoted<'a>(parameters: &BTreeMap<&str, &'a str>, name: &str) -> Option<&'a str> {
    let text = parameters.get(name)?.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains(['"', '\\'])).then_some(text)
}

fn parse_signature(header: &str, label: &str) -> Option<[u8; 64]> {
    let encoded = header.strip_prefix(label)?.strip_prefix("=:")?.strip_suffix(':')?;
    base64::decode(encoded).ok()?.try_into().ok()
}

fn is_label(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_nonce(nonce: &str) -> Result<(), RequestError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_nonce = (16..=64).contains(&nonce.len()) && nonce.bytes().all(plain);
    if is_nonce { Ok(()) } else { Err(RequestError::Nonce) }
}

fn check_lifetime(created: u64, expires: u64) -> Result<(), RequestError> {
    let lifetime = expires.checked_sub(created).ok_or(RequestError::Lifetime)?;
    if (1..=MAX_LIFETIME).contains(&lifetime) { Ok(()) } else { Err(RequestError::Lifetime) }
}

/// The nonces that may not be used again, each until its request expires.
#[derive(Debug, Clone, Default)]
pub struct Nonces {
    /// Expiry in POSIX seconds by public key and nonce.
    used: BTreeMap<([u8; 32], String), u64>,
    /// The same by expiry, so that forgetting costs nothing.
    expiring: BTreeMap<u64, Vec<([u8; 32], String)>>,
    /// What was signed at this second or before may have been used before there were these nonces.
    since: u64,
    /// The same for single keys, which signed ahead of our clock.
    barred: BTreeMap<[u8; 32], u64>,
    /// By key: up to which second somebody noted that it has signed ahead of our clock.
    noted: BTreeMap<[u8; 32], u64>,
}

impl Nonces {
    /// None was used since this second. What was used before it is not known.
    pub fn since(second: u64) -> Self {
        Self { since: second, ..Self::default() }
    }

    /// Requests of this key that were signed until this second may have been used before there were these nonces.
    pub fn bar(&mut self, key: [u8; 32], until: u64) {
        self.barred.insert(key, until);
        self.noted(key, until);
    }

    /// Whether a claim is ahead of our clock and of what is noted of its key: then up to which second it is to be noted, where it
    /// outlasts these nonces, before the claim is taken. Those that come after them must [`bar`](Self::bar) it.
    pub fn signs_ahead(&self, claim: &CallerClaim, now: u64) -> Option<u64> {
        let noted = self.noted.get(claim.vkey.public()).copied().unwrap_or(0);
        (claim.created > now && claim.created > noted).then(|| claim.created.saturating_add(NOTED_AHEAD))
    }

    /// It is noted.
    pub fn noted(&mut self, key: [u8; 32], until: u64) {
        let noted = self.noted.entry(key).or_default();
        *noted = until.max(*noted);
    }

    /// Remembers the nonce of a claim by a recognised key, or refuses one that was used before, or may have been before there
    /// were these nonces. Strangers' claims must not come here: they would fill the memory.
    pub fn take(&mut self, claim: &CallerClaim, now: u64) -> Result<(), RequestError> {
        self.forget(now);
        let barred = self.barred.get(claim.vkey.public()).copied().unwrap_or(0);
        if claim.created <= self.since.max(barred) {
            return Err(RequestError::Skewed { claim: Box::new(claim.clone()), now });
        }
        let name = (*claim.vkey.public(), claim.nonce.clone());
        if self.used.contains_key(&name) {
            return Err(RequestError::Replayed);
        }
        if self.used.len() >= MAX_NONCES {
            return Err(RequestError::Crowded);
        }
        self.used.insert(name.clone(), claim.expires);
        self.expiring.entry(claim.expires).or_default().push(name);
        Ok(())
    }

    fn forget(&mut self, now: u64) {
        while let Some(first) = self.expiring.first_entry().filter(|first| *first.key() <= now) {
            for name in first.remove() {
                self.used.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tlog::{LocalSigner, SecretKey};

    const NOW: u64 = 1_800_000_000;
    const NONCE: &str = "0123456789abcdef";

    fn signer() -> LocalSigner {
        LocalSigner::new("a.example/caller/1", KeyType::Ed25519, SecretKey::from_seed([3; 32])).unwrap()
    }

    fn to() -> Authority {
        "b.example".parse().unwrap()
    }

    fn get<'a>(path: &'a str, to: &'a Authority) -> Target<'a> {
        Target { method: "GET", path, query: None, to }
    }

    #[test]
    fn a_signed_request_names_its_caller() {
        let to = to();
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        assert_eq!(headers.concord_to, "b.example");
        let claim =
            verify(get("/heads", &to), &headers.signature_input, &headers.signature, NOW + 5).unwrap();
        assert_eq!((claim.vkey.name(), claim.nonce.as_str()), ("a.example/caller/1", NONCE));
        assert_eq!((claim.created, claim.expires), (NOW, NOW + 60));
    }

    #[test]
    fn the_signature_base_is_that_of_the_rfc() {
        let to = to();
        assert_eq!(
            base(Target { method: "GET", path: "/heads", query: None, to: &to }, "(...)"),
            "\"@method\": GET\n\"@path\": /heads\n\"@query\": ?\n\"concord-to\": b.example\n\"@signature-params\": (...)"
        );
    }

    #[test]
    fn a_request_is_good_for_one_resource_of_one_server() {
        let (to, other): (_, Authority) = (to(), "c.example".parse().unwrap());
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        let asked =
            |target| verify(target, &headers.signature_input, &headers.signature, NOW).map_err(|e| e.code());
        assert_eq!(asked(get("/log/public/2020/checkpoint", &to)).unwrap_err(), "request-bad-signature");
        assert_eq!(asked(get("/heads", &other)).unwrap_err(), "request-bad-signature");
        assert_eq!(
            asked(Target { query: Some("a"), ..get("/heads", &to) }).unwrap_err(),
            "request-bad-signature"
        );
        assert_eq!(
            asked(Target { method: "POST", ..get("/heads", &to) }).unwrap_err(),
            "request-bad-signature"
        );
    }

    #[test]
    fn a_clock_that_differs_is_told_apart_from_a_wrong_signature() {
        let to = to();
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        for now in [NOW + 60, NOW - MAX_AHEAD - 1] {
            let refused = verify(get("/heads", &to), &headers.signature_input, &headers.signature, now);
            assert!(matches!(refused, Err(RequestError::Skewed { now: here, .. }) if here == now));
        }
    }

    #[test]
    fn inputs_of_another_form_are_refused() {
        let to = to();
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        let input = &headers.signature_input;
        let cases = [
            (input.replace("\"@query\" ", ""), "request-input"),
            (input.replace("concord/v1", "concord/v2"), "request-input"),
            (input.replace(";tag=", ";alg=\"ed25519\";tag="), "request-input"),
            (
                input.replace(&format!("expires={}", NOW + 60), &format!("expires={}", NOW + 301)),
                "request-lifetime",
            ),
            (input.replace(NONCE, "short"), "request-nonce"),
            (input.replace("a.example/caller/1+", "a.example/caller/1 "), "request-keyid"),
            (input.replace("concord=(", "(("), "request-input"),
            (input.replace("created=1", "created=01"), "request-input"),
            ("x".repeat(MAX_HEADER + 1), "request-too-long"),
        ];
        for (input, code) in cases {
            let refused = verify(get("/heads", &to), &input, &headers.signature, NOW).map_err(|e| e.code());
            assert_eq!(refused.unwrap_err(), code, "{input}");
        }
        let refused = verify(get("/heads", &to), input, "other=:AA==:", NOW).map_err(|e| e.code());
        assert_eq!(refused.unwrap_err(), "request-signature");
    }

    /// RFC 9421 section 4.3: what a proxy adds stands beside ours, before or behind it.
    #[test]
    fn signatures_of_others_beside_ours_are_ignored() {
        let to = to();
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        let (input, signature) = (&headers.signature_input, &headers.signature);
        let theirs = "proxy=(\"@authority\" \"forwarded\");created=1800000000;keyid=\"p, \\\" q\";alg=\"rsa-pss-sha512\"";
        let asked = |input: &str, signature: &str| {
            verify(get("/heads", &to), input, signature, NOW).map_err(|e| e.code())
        };
        for (inputs, signatures) in [
            (format!("{input}, {theirs}"), format!("{signature}, proxy=:AAAA:")),
            (format!("{theirs},{input}"), format!("proxy=:AAAA:,{signature}")),
            (format!("{theirs}, {input}"), format!("{signature}, proxy=:AAAA:")),
        ] {
            assert_eq!(asked(&inputs, &signatures).unwrap().vkey.name(), "a.example/caller/1", "{inputs}");
        }
        assert_eq!(asked(theirs, "proxy=:AAAA:"), Err("request-input"));
        let twice = format!("{input}, {}", input.replace("concord=", "again="));
        assert_eq!(asked(&twice, signature), Err("request-input"), "one of them would be ours");
        assert_eq!(asked(&format!("{theirs}, {input}"), "proxy=:AAAA:"), Err("request-signature"));
    }

    #[test]
    fn a_nonce_is_used_once_until_it_expires() {
        let to = to();
        let headers = sign(get("/heads", &to), NOW, NOW + 60, NONCE, &signer()).unwrap();
        let claim = verify(get("/heads", &to), &headers.signature_input, &headers.signature, NOW).unwrap();
        let mut nonces = Nonces::default();
        assert_eq!(nonces.take(&claim, NOW), Ok(()));
        assert_eq!(nonces.take(&claim, NOW + 59), Err(RequestError::Replayed));
        assert_eq!(nonces.take(&claim, NOW + 60), Ok(()));
    }

    proptest! {
        #[test]
        fn foreign_headers_never_panic(input in ".{0,200}", signature in ".{0,100}") {
            let to = to();
            let _ = verify(get("/", &to), &input, &signature, NOW);
        }
    }
}
