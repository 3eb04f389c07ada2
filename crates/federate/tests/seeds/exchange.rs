//! What nodes send each other beside their logs: nudges, evidence of two views, requests of witnesses, addresses. Each has
//! one form, and nothing is believed for it. The fuzz target `exchange` is this file.

use federate::Route;
use federate::nudge::Nudge;
use federate::split::Split;
use federate::witness::Witness;
use record::Origin;
use tlog::AddCheckpoint;

/// What the bytes are; more than one thing only if the forms overlap.
#[derive(Debug, Default)]
pub struct Read {
    pub nudge: Option<Nudge>,
    pub split: Option<Split>,
    pub request: Option<(Origin, AddCheckpoint)>,
    pub route: Option<Route>,
}

/// Reads the bytes as everything that they may be.
pub fn read(bytes: &[u8]) -> Read {
    let read = Read {
        nudge: Nudge::parse(bytes),
        split: Split::parse(bytes).ok(),
        request: Witness::read(bytes).ok(),
        route: std::str::from_utf8(bytes).ok().and_then(Route::parse),
    };
    if let Some(nudge) = &read.nudge {
        assert_eq!(nudge.to_bytes(), bytes);
    }
    if let Some(split) = &read.split {
        assert_eq!(split.to_bytes(), bytes);
        assert!(split.verify(&[]).is_err(), "without a key nothing is proven");
        let _ = split.verify_proof();
    }
    if let Some((origin, request)) = &read.request {
        assert_eq!(request.to_bytes(), bytes);
        assert!(Witness::default().judge(origin, request, &[]).is_err(), "a stranger's log is not cosigned");
    }
    if let Some(route) = &read.route {
        assert_eq!(route.path().as_bytes(), bytes);
    }
    read
}
