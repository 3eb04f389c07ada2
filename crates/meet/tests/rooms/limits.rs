//! What is refused because it is too much.

use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    SessionDescription, StoreDataBlobRequest, TrickleRequest, UpdateTrackSettings, request_response::Reason,
};
use meet::grants::Grants;
use meet::room::{Closing, Join, Refusal, RoomsConfig};

use crate::stage::{START, Stage, microphone, token, token_with};

#[test]
fn tokens_that_open_nothing() {
    let stage = Stage::new();
    let refusal = |grants: &Grants| stage.rooms.may_join(grants).unwrap_err();
    assert_eq!(refusal(&Grants::default()), Refusal::NotAllowed);
    assert_eq!(refusal(&token_with("ana", |video| video.room_join = false)), Refusal::NotAllowed);
    assert_eq!(refusal(&token("")), Refusal::NoIdentity);
    assert_eq!(refusal(&token_with("ana", |video| video.room = String::new())), Refusal::NoRoom);
    assert!(matches!(
        refusal(&token(&"x".repeat(300))),
        Refusal::TooLong { what: "participant identity", limit: 256 }
    ));
    let named = Grants { name: "x".repeat(300), ..token("ana") };
    assert_eq!(refusal(&named).to_string(), "name exceeds limits: max length 256");
    assert_eq!(refusal(&named).status(), 400);
}

#[test]
fn a_full_server_says_so() {
    let mut stage = Stage::with(RoomsConfig { max_sessions: 2, ..RoomsConfig::default() });
    let ana = stage.enter("ana");
    stage.enter("bo");
    let refusal = stage.rooms.may_join(&token("cy")).unwrap_err();
    assert_eq!(
        (refusal.status(), refusal.to_string().as_str()),
        (503, "this server is full: it serves at most 2 participants")
    );
    let connection = stage.try_join(Join::new(token("cy")));
    assert_eq!(stage.closed[&connection], Closing::Refused);
    assert!(matches!(&stage.heard_on(connection)[..], [Message::Leave(_)]));
    stage.say(&ana, Said::Leave(Default::default()));
    stage.enter("cy");
    assert_eq!(stage.rooms.report(stage.now).totals.refusals, 1);
}

#[test]
fn a_flood_of_requests_ends_the_session() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    for _ in 0..2_100 {
        stage.say(&ana, Said::TrackSetting(UpdateTrackSettings::default()));
    }
    assert_eq!(stage.closed[&ana.connection], Closing::Flood);
    assert!(stage.open.is_empty());
}

#[test]
fn a_flood_of_offers_ends_the_session_and_so_does_a_huge_one() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    for id in 0..101 {
        stage.say(&ana, Said::Offer(SessionDescription { id, ..SessionDescription::default() }));
    }
    assert_eq!(stage.closed[&ana.connection], Closing::Flood);
    let bo = stage.enter("bo");
    let sdp = "x".repeat(600_000);
    stage.say(&bo, Said::Offer(SessionDescription { sdp: sdp.clone(), ..SessionDescription::default() }));
    assert_eq!(stage.closed[&bo.connection], Closing::Flood);
    let cy = stage.enter("cy");
    stage.forget();
    stage.say(
        &cy,
        Said::Trickle(TrickleRequest {
            candidate_init: format!(r#"{{"candidate":"{sdp}"}}"#),
            ..Default::default()
        }),
    );
    assert!(stage.ordered(&cy).is_empty());
}

#[test]
fn nobody_publishes_more_than_thirty_two_tracks() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    for number in 0..32 {
        stage.say(&ana, Said::AddTrack(microphone(&number.to_string())));
    }
    stage.forget();
    stage.say(&ana, Said::AddTrack(microphone("one more")));
    assert!(
        matches!(&stage.heard(&ana)[..], [Message::RequestResponse(response)] if response.reason() == Reason::LimitExceeded)
    );
}

#[test]
fn what_is_not_supported_is_answered_so() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    stage.say(&ana, Said::StoreDataBlobRequest(StoreDataBlobRequest { request_id: 8, blob: None }));
    assert!(matches!(&stage.heard(&ana)[..], [Message::RequestResponse(response)]
        if response.request_id == 8 && response.reason() == Reason::UnsupportedType));
}

#[test]
fn a_token_for_another_room_says_nothing_here() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let elsewhere = stage.enter_as(Join::new(token_with("ana", |video| video.room = "other".to_owned())));
    assert!(stage.heard(&ana).is_empty(), "one identity in two rooms is two participants");
    assert_eq!(stage.rooms.report(stage.now).rooms.len(), 2);
    assert!(!stage.closed.contains_key(&elsewhere.connection));
    assert_eq!(token("ana").made_at(), Some(START - 60));
}
