//! Coming, going, being seen and being described.

use std::time::Duration;

use livekit_protocol::participant_info::State;
use livekit_protocol::request_response::Reason;
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{DisconnectReason, LeaveRequest, Ping, UpdateParticipantMetadata, leave_request};
use meet::contract::{Order, Peers};
use meet::room::{Closing, Join, Refusal, RoomsConfig};

use crate::stage::{START, Stage, listener, token, token_with};

#[test]
fn the_first_frame_says_who_is_there() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let bo = stage.enter("bo");
    let Message::Join(join) = &stage.heard(&bo)[0] else { panic!() };
    assert_eq!(join.room.as_ref().unwrap().name, "hall");
    assert!(join.room.as_ref().unwrap().sid.starts_with("RM_"));
    assert!(join.participant.as_ref().unwrap().sid.starts_with("PA_"));
    assert_eq!(
        join.other_participants.iter().map(|other| other.identity.as_str()).collect::<Vec<_>>(),
        ["ana"]
    );
    assert_eq!(join.server_info.as_ref().unwrap().version, "1.13.5");
    assert_eq!((join.ping_interval, join.ping_timeout), (5, 15));
    assert!(join.subscriber_primary, "dual: media comes on the second peer connection");
    let told = stage.update_about(&ana, "bo").unwrap();
    assert_eq!((told.state(), told.name.as_str()), (State::Active, "BO"));
}

#[test]
fn one_peer_connection_is_its_own_primary() {
    let mut stage = Stage::new();
    let join = Join { peers: Peers::Single, may_pause: false, ..Join::new(token("ana")) };
    let ana = stage.knock(join);
    let Message::Join(join) = &stage.heard(&ana)[0] else { panic!() };
    assert!(!join.subscriber_primary);
    let Order::Open { peers, may_pause, silent, .. } = stage.ordered(&ana)[0] else { panic!() };
    assert_eq!((peers, may_pause, silent), (Peers::Single, false, false));
}

#[test]
fn leaving_is_told_with_its_reason() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.say(&bo, Said::Leave(LeaveRequest::default()));
    assert_eq!(stage.closed[&bo.connection], Closing::Left);
    let told = stage.update_about(&ana, "bo").unwrap();
    assert_eq!(
        (told.state(), told.disconnect_reason()),
        (State::Disconnected, DisconnectReason::ClientInitiated)
    );
    assert!(matches!(stage.ordered(&bo).last(), Some(Order::Close { .. })));
}

#[test]
fn the_same_identity_again_evicts_the_first() {
    let mut stage = Stage::new();
    let first = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.forget();
    let second = stage.enter("ana");
    assert_ne!(first.sid, second.sid);
    let heard = stage.heard(&first);
    let Some(Message::Leave(leave)) = heard.last() else { panic!() };
    assert_eq!(
        (leave.reason(), leave.action()),
        (DisconnectReason::DuplicateIdentity, leave_request::Action::Disconnect)
    );
    assert_eq!(stage.closed[&first.connection], Closing::DuplicateIdentity);
    assert_eq!(stage.update_about(&bo, "ana").unwrap().sid, second.sid);
}

#[test]
fn hidden_participants_are_seen_by_nobody_and_hear_of_everybody() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let ear = stage.enter_as(Join::new(listener("ear")));
    assert!(stage.heard(&ana).is_empty(), "nobody is told");
    let Message::Join(join) = &stage.heard(&ear)[0] else { panic!() };
    assert_eq!(join.other_participants.len(), 1);
    let Order::Open { silent, .. } = stage.ordered(&ear)[0] else { panic!() };
    assert!(silent);
    let bo = stage.enter("bo");
    assert!(stage.update_about(&ear, "bo").is_some());
    let Message::Join(join) = &stage.heard(&bo)[0] else { panic!() };
    assert_eq!(
        join.other_participants.iter().map(|other| other.identity.as_str()).collect::<Vec<_>>(),
        ["ana"]
    );
    assert_eq!(join.room.as_ref().unwrap().num_participants, 2, "the hidden one is not counted");
    stage.forget();
    stage.say(&ear, Said::Leave(LeaveRequest::default()));
    assert!(stage.heard(&ana).is_empty());
}

#[test]
fn two_thousand_hidden_listeners_cost_others_nothing() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    for number in 0..2_000 {
        stage.enter_as(Join::new(listener(&format!("ear{number}"))));
    }
    assert!(stage.heard(&ana).is_empty());
    let shards = stage.open.values().filter(|shard| shard.0 == 0).count();
    assert_eq!(shards, 1_001, "sessions are spread evenly: ana and half of the others");
}

#[test]
fn who_publishes_nothing_is_announced_in_batches_in_a_large_room() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    for number in 0..25 {
        stage.enter(&format!("delegate{number}"));
    }
    stage.pass(Duration::from_secs(4));
    stage.forget();
    for number in 0..10 {
        stage.enter(&format!("late{number}"));
    }
    assert!(stage.heard(&ana).is_empty());
    stage.pass(Duration::from_secs(3));
    let updates: Vec<usize> = stage
        .heard(&ana)
        .into_iter()
        .filter_map(|message| match message {
            Message::Update(update) => Some(update.participants.len()),
            _ => None,
        })
        .collect();
    assert_eq!(updates, [10]);
}

#[test]
fn pings_are_answered() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    stage.say(&ana, Said::Ping(1));
    stage.say(&ana, Said::PingReq(Ping { timestamp: 77, rtt: 3 }));
    let heard = stage.heard(&ana);
    assert!(matches!(heard[0], Message::Pong(at) if at.unsigned_abs() == START * 1_000));
    assert!(matches!(heard[1], Message::PongResp(pong) if pong.last_ping_timestamp == 77));
}

#[test]
fn metadata_is_changed_by_whoever_may_and_answered_in_any_case() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter_as(Join::new(token_with("bo", |video| video.can_update_own_metadata = Some(true))));
    stage.forget();
    let update = |metadata: String| {
        Said::UpdateMetadata(UpdateParticipantMetadata {
            metadata,
            attributes: [("hand".to_owned(), "up".to_owned())].into(),
            request_id: 5,
            ..UpdateParticipantMetadata::default()
        })
    };
    stage.say(&ana, update("mine".to_owned()));
    let heard = stage.heard(&ana);
    assert!(
        matches!(&heard[..], [Message::RequestResponse(response)] if response.reason() == Reason::NotAllowed)
    );
    assert!(stage.heard(&bo).is_empty());

    stage.say(&bo, update("mine".to_owned()));
    let told = stage.update_about(&ana, "bo").unwrap();
    assert_eq!((told.metadata.as_str(), told.attributes["hand"].as_str()), ("mine", "up"));
    let heard = stage.heard(&bo);
    assert!(heard.iter().any(|message| matches!(message, Message::RequestResponse(response)
        if response.request_id == 5 && response.reason() == Reason::Ok)));
    assert_eq!(stage.refreshed.last().unwrap().1.metadata, "mine", "a new token says the same");

    stage.say(&bo, update("x".repeat(70_000)));
    let heard = stage.heard(&bo);
    assert!(
        matches!(&heard[..], [Message::RequestResponse(response)] if response.reason() == Reason::LimitExceeded)
    );
}

#[test]
fn what_a_join_says_of_itself_needs_permission() {
    let mut stage = Stage::new();
    let says = |grants| Join { attributes: [("a".to_owned(), "b".to_owned())].into(), ..Join::new(grants) };
    assert_eq!(stage.rooms.admits(&says(token("ana"))), Err(Refusal::NotAllowed));
    let connection = stage.try_join(says(token("ana")));
    assert_eq!(stage.closed[&connection], Closing::Refused);
    let ana = stage.knock(says(token_with("ana", |video| video.can_update_own_metadata = Some(true))));
    let Message::Join(join) = &stage.heard(&ana)[0] else { panic!() };
    assert_eq!(join.participant.as_ref().unwrap().attributes["a"], "b");
}

#[test]
fn a_room_lives_from_the_first_to_a_while_after_the_last() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.say(&ana, Said::Leave(LeaveRequest::default()));
    assert_eq!(stage.events(), ["room_started", "participant_joined", "participant_left"]);
    stage.pass(Duration::from_secs(19));
    assert_eq!(stage.rooms.report(stage.now).rooms.len(), 1);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.events().last(), Some(&"room_finished"));
    assert!(stage.rooms.report(stage.now).rooms.is_empty());
}

#[test]
fn who_never_connects_is_told_to_begin_anew() {
    let mut stage = Stage::new();
    let ana = stage.knock(Join::new(token("ana")));
    stage.pass(Duration::from_secs(61));
    let heard = stage.heard(&ana);
    assert!(
        matches!(heard.last(), Some(Message::Leave(leave)) if leave.action() == leave_request::Action::Reconnect)
    );
    assert!(stage.events().contains(&"participant_connection_aborted"));
}

#[test]
fn tokens_are_refreshed_at_once_and_every_five_minutes() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    assert_eq!(stage.refreshed.len(), 1);
    stage.pass(Duration::from_hours(1));
    assert_eq!(stage.refreshed.len(), 13);
    let (connection, grants) = stage.refreshed.last().unwrap();
    assert_eq!(*connection, ana.connection);
    assert_eq!(grants.issued_at, Some(START + 3_600));
    assert_eq!(grants.expires_at, Some(START + 3_600 + 600));
    assert_eq!(grants.may_enter(), Some("hall"));
}

#[test]
fn the_number_of_participants_is_told_but_not_often() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.pass(Duration::from_secs(6));
    stage.forget();
    for number in 0..5 {
        stage.enter(&format!("delegate{number}"));
    }
    stage.pass(Duration::from_secs(6));
    let counts: Vec<u32> = stage
        .heard(&ana)
        .into_iter()
        .filter_map(|message| match message {
            Message::RoomUpdate(update) => Some(update.room.unwrap().num_participants),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [6]);
}

#[test]
fn draining_sends_everybody_elsewhere_and_lets_nobody_in() {
    let mut stage = Stage::with(RoomsConfig::default());
    let ana = stage.enter("ana");
    stage.rooms.drain(stage.now);
    stage.pass(Duration::ZERO);
    let connection = stage.try_join(Join::new(token("bo")));
    let heard = stage.heard(&ana);
    assert!(
        matches!(heard.last(), Some(Message::Leave(leave)) if leave.action() == leave_request::Action::Reconnect)
    );
    assert_eq!(stage.closed[&ana.connection], Closing::Reconnect);
    let heard = stage.heard_on(connection);
    assert!(
        matches!(&heard[..], [Message::Leave(leave)] if leave.action() == leave_request::Action::Reconnect)
    );
    assert_eq!(stage.rooms.may_join(&token("bo")), Err(Refusal::Draining));
    assert!(stage.open.is_empty());
}
