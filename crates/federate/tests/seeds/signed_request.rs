//! The headers of a signed request: whatever they hold, nobody is recognised whose key did not sign, and no signature is
//! good for longer than the protocol says. The fuzz target `signed_request` is this file.

use federate::request::{MAX_LIFETIME, verify};
use federate::{CallerClaim, RequestError, Target};
use record::Authority;

/// When the request comes, POSIX seconds.
pub const NOW: u64 = 1_795_305_600;

/// Who is asked.
pub fn to() -> Authority {
    "who.example".parse().expect("an authority")
}

/// What is asked.
pub fn target(to: &Authority) -> Target<'_> {
    Target { method: "GET", path: "/log/public/2026/checkpoint", query: None, to }
}

/// Verifies `Signature-Input`, a line feed, and `Signature`; nothing without the line feed.
pub fn verified(text: &str) -> Option<Result<CallerClaim, RequestError>> {
    let (input, signature) = text.split_once('\n')?;
    let verified = verify(target(&to()), input, signature, NOW);
    match &verified {
        Ok(claim) => {
            assert!(claim.expires > NOW);
            check_lifetime(claim);
        }
        Err(RequestError::Skewed { claim, .. }) => check_lifetime(claim),
        Err(error) => assert!(!error.code().is_empty()),
    }
    Some(verified)
}

/// Whoever signs.
fn check_lifetime(claim: &CallerClaim) {
    assert!(claim.expires > claim.created && claim.expires - claim.created <= MAX_LIFETIME);
}
