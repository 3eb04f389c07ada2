//! The room service: who may call it, and what it does.

use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    CreateRoomRequest, DeleteRoomRequest, DisconnectReason, ListParticipantsRequest, ListRoomsRequest,
    MoveParticipantRequest, MuteRoomTrackRequest, MuteTrackRequest, ParticipantPermission,
    RoomParticipantIdentity, TrackSource, UpdateParticipantRequest, UpdateRoomMetadataRequest,
    UpdateSubscriptionsRequest, leave_request,
};
use meet::contract::Order;
use meet::grants::{Grants, VideoGrant};
use meet::room::{Call, CallAnswer, CallCode, Closing, Join, Refusal, RoomsConfig};

use crate::stage::{START, Stage, camera, microphone, moderator, token, token_with};

fn who(identity: &str) -> RoomParticipantIdentity {
    RoomParticipantIdentity { room: "hall".to_owned(), identity: identity.to_owned(), revoke_token_ts: 0 }
}

fn permission() -> ParticipantPermission {
    ParticipantPermission {
        can_subscribe: true,
        can_publish: true,
        can_publish_data: true,
        ..ParticipantPermission::default()
    }
}

fn permit(stage: &mut Stage, identity: &str, permission: ParticipantPermission) {
    let request = UpdateParticipantRequest {
        room: "hall".to_owned(),
        identity: identity.to_owned(),
        permission: Some(permission),
        ..UpdateParticipantRequest::default()
    };
    stage.call(&moderator(), Call::UpdateParticipant(request)).unwrap();
}

#[test]
fn every_method_asks_for_its_grant() {
    let mut stage = Stage::new();
    stage.enter("ana");
    let elsewhere = Grants {
        video: Some(VideoGrant { room_admin: true, room: "other".to_owned(), ..VideoGrant::default() }),
        ..Grants::default()
    };
    let room = || "hall".to_owned();
    let methods = || {
        [
            Call::CreateRoom(Box::new(CreateRoomRequest { name: room(), ..CreateRoomRequest::default() })),
            Call::ListRooms(ListRoomsRequest::default()),
            Call::DeleteRoom(DeleteRoomRequest { room: room() }),
            Call::ListParticipants(ListParticipantsRequest { room: room() }),
            Call::GetParticipant(who("ana")),
            Call::RemoveParticipant(who("ana")),
            Call::MutePublishedTrack(MuteRoomTrackRequest {
                room: room(),
                ..MuteRoomTrackRequest::default()
            }),
            Call::UpdateParticipant(UpdateParticipantRequest {
                room: room(),
                ..UpdateParticipantRequest::default()
            }),
            Call::UpdateSubscriptions(UpdateSubscriptionsRequest {
                room: room(),
                ..UpdateSubscriptionsRequest::default()
            }),
            Call::SendData(livekit_protocol::SendDataRequest { room: room(), ..Default::default() }),
            Call::UpdateRoomMetadata(UpdateRoomMetadataRequest { room: room(), metadata: String::new() }),
            Call::PerformRpc(livekit_protocol::PerformRpcRequest { room: room(), ..Default::default() }),
        ]
    };
    for grants in [token("ana"), elsewhere, Grants::default()] {
        for method in methods() {
            let error = stage.call(&grants, method.clone()).unwrap_err();
            assert_eq!(error.code, CallCode::Unauthenticated, "{method:?}");
        }
    }
    assert_eq!(stage.rooms.report(stage.now).rooms[0].participants.len(), 1, "ana is still there");
    let cloud = Call::MoveParticipant(MoveParticipantRequest::default());
    assert_eq!(stage.call(&moderator(), cloud).unwrap_err().code, CallCode::Unimplemented);
}

#[test]
fn rooms_are_made_by_calls_alone_where_it_is_so_configured() {
    let mut stage = Stage::with(RoomsConfig { auto_create: false, ..RoomsConfig::default() });
    assert_eq!(stage.rooms.may_join(&token("ana")), Err(Refusal::RoomNotFound));
    let connection = stage.try_join(Join::new(token("ana")));
    assert_eq!(stage.closed[&connection], Closing::Refused);
    let request = CreateRoomRequest {
        name: "hall".to_owned(),
        max_participants: 1,
        metadata: "floor: en".to_owned(),
        ..CreateRoomRequest::default()
    };
    let Ok(CallAnswer::Room(room)) = stage.call(&moderator(), Call::CreateRoom(Box::new(request))) else {
        panic!()
    };
    assert_eq!((room.max_participants, room.metadata.as_str()), (1, "floor: en"));
    let ana = stage.enter("ana");
    assert_eq!(stage.rooms.may_join(&token("bo")), Err(Refusal::RoomFull { limit: 1 }));
    assert_eq!(stage.rooms.may_join(&token("ana")), Ok(()), "whoever is in may come again");
    let Ok(CallAnswer::Rooms(rooms)) = stage.call(&moderator(), Call::ListRooms(ListRoomsRequest::default()))
    else {
        panic!()
    };
    assert_eq!((rooms.rooms.len(), rooms.rooms[0].num_participants), (1, 1));
    stage.call(&moderator(), Call::DeleteRoom(DeleteRoomRequest { room: "hall".to_owned() })).unwrap();
    let heard = stage.heard(&ana);
    assert!(
        matches!(heard.last(), Some(Message::Leave(leave)) if leave.reason() == DisconnectReason::RoomDeleted)
    );
    assert_eq!(stage.events().last(), Some(&"room_finished"));
    let again = stage.call(&moderator(), Call::DeleteRoom(DeleteRoomRequest { room: "hall".to_owned() }));
    assert_eq!(again.unwrap_err().code, CallCode::NotFound);
}

#[test]
fn a_removal_lasts() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.enter("bo");
    stage.call(&moderator(), Call::RemoveParticipant(who("ana"))).unwrap();
    let heard = stage.heard(&ana);
    let Some(Message::Leave(leave)) = heard.last() else { panic!() };
    assert_eq!(
        (leave.reason(), leave.action()),
        (DisconnectReason::ParticipantRemoved, leave_request::Action::Disconnect)
    );

    let (_, refreshed) =
        stage.refreshed.iter().find(|(connection, _)| *connection == ana.connection).unwrap().clone();
    let at = |seconds| Grants { issued_at: Some(seconds), ..token("ana") };
    let mut may = |grants: &Grants| {
        let said = stage.rooms.may_join(grants);
        let connection = stage.try_join(Join {
            reconnect: true,
            participant_sid: ana.sid.clone(),
            ..Join::new(grants.clone())
        });
        assert_eq!(stage.closed.get(&connection) == Some(&Closing::Refused), said.is_err());
        said
    };
    assert_eq!(may(&token("ana")), Err(Refusal::Removed), "the token that it had");
    assert_eq!(may(&refreshed), Err(Refusal::Removed), "the token that we gave it");
    assert_eq!(may(&at(START)), Err(Refusal::Removed), "one of the same second");
    assert_eq!(
        may(&Grants { issued_at: None, ..token("ana") }),
        Err(Refusal::Removed),
        "one that does not say when"
    );
    assert_eq!(
        may(&Grants { issued_at: None, not_before: Some(START - 1), ..token("ana") }),
        Err(Refusal::Removed)
    );
    assert_eq!(may(&at(START + 1)), Ok(()), "one that was made after");
    assert_eq!(may(&token("bo")), Ok(()), "another's");
}

#[test]
fn a_removal_outlasts_the_room() {
    let mut stage = Stage::new();
    stage.enter("ana");
    stage.call(&moderator(), Call::RemoveParticipant(who("ana"))).unwrap();
    stage.call(&moderator(), Call::DeleteRoom(DeleteRoomRequest { room: "hall".to_owned() })).unwrap();
    stage.enter("bo");
    assert_eq!(stage.rooms.may_join(&token("ana")), Err(Refusal::Removed));
}

#[test]
fn whoever_is_removed_on_the_way_in_stays_out() {
    let mut stage = Stage::new();
    stage.enter("bo");
    let error = stage.call(&moderator(), Call::RemoveParticipant(who("ana"))).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (CallCode::NotFound, "participant does not exist"));
    assert_eq!(stage.rooms.may_join(&token("ana")), Err(Refusal::Removed));
}

#[test]
fn a_moderator_mutes_and_only_the_speaker_unmutes() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let info = stage.publish(&ana, microphone("mic"));
    stage.forget();
    let request = |muted| {
        Call::MutePublishedTrack(MuteRoomTrackRequest {
            room: "hall".to_owned(),
            identity: "ana".to_owned(),
            track_sid: info.sid.clone(),
            muted,
        })
    };
    let Ok(CallAnswer::Muted(muted)) = stage.call(&moderator(), request(true)) else { panic!() };
    assert!(muted.track.unwrap().muted);
    assert!(
        stage
            .heard(&ana)
            .iter()
            .any(|message| matches!(message, Message::Mute(mute) if mute.muted && mute.sid == info.sid))
    );
    assert!(stage.update_about(&bo, "ana").unwrap().tracks[0].muted);
    assert!(stage.ordered(&ana).iter().any(|order| matches!(order, Order::Mute { muted: true, .. })));
    assert_eq!(stage.call(&moderator(), request(false)).unwrap_err().code, CallCode::FailedPrecondition);
    stage.say(&ana, Said::Mute(MuteTrackRequest { sid: info.sid.clone(), muted: false }));
    assert!(!stage.update_about(&bo, "ana").unwrap().tracks[0].muted);
    let of_another = Call::MutePublishedTrack(MuteRoomTrackRequest {
        room: "hall".to_owned(),
        identity: "bo".to_owned(),
        track_sid: info.sid.clone(),
        muted: true,
    });
    assert_eq!(stage.call(&moderator(), of_another).unwrap_err().message, "track is not found");
}

#[test]
fn taking_a_source_unpublishes_its_tracks_and_giving_it_allows_them() {
    let mut stage = Stage::new();
    let ana = stage.enter_as(Join::new(token_with("ana", |video| {
        video.can_publish_sources = vec!["camera".to_owned(), "microphone".to_owned()];
    })));
    let bo = stage.enter("bo");
    let mic = stage.publish(&ana, microphone("mic"));
    stage.say(&ana, Said::AddTrack(camera("cam")));
    stage.negotiate(&ana, &[("mic", true), ("cam", false)]);
    stage.forget();
    permit(
        &mut stage,
        "ana",
        ParticipantPermission { can_publish_sources: vec![TrackSource::Camera as i32], ..permission() },
    );
    let heard = stage.heard(&ana);
    assert!(
        heard
            .iter()
            .any(|message| matches!(message, Message::TrackUnpublished(track) if track.track_sid == mic.sid))
    );
    let own = heard.iter().find_map(|message| match message {
        Message::Update(update) => update.participants.iter().find(|info| info.identity == "ana").cloned(),
        _ => None,
    });
    assert_eq!(own.unwrap().permission.unwrap().can_publish_sources, [TrackSource::Camera as i32]);
    assert_eq!(stage.update_about(&bo, "ana").unwrap().tracks.len(), 1, "the camera stays");
    assert_eq!(
        stage.refreshed.last().unwrap().1.permission().can_publish_sources,
        [TrackSource::Camera as i32]
    );
    stage.say(&ana, Said::AddTrack(microphone("again")));
    assert!(stage.published(&ana, "again").is_none());
    permit(&mut stage, "ana", ParticipantPermission { can_publish_sources: Vec::new(), ..permission() });
    stage.say(&ana, Said::AddTrack(microphone("again")));
    assert!(stage.published(&ana, "again").is_some(), "no source named is all of them");
}

#[test]
fn taking_permission_to_receive_ends_what_is_received_and_giving_it_brings_it_back() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    permit(&mut stage, "bo", ParticipantPermission { can_subscribe: false, ..permission() });
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Unsubscribe { .. }]));
    stage.say(&ana, Said::AddTrack(camera("cam")));
    stage.negotiate(&ana, &[("mic", true), ("cam", false)]);
    assert!(stage.ordered(&bo).is_empty());
    permit(&mut stage, "bo", permission());
    assert_eq!(stage.ordered(&bo).iter().filter(|order| matches!(order, Order::Subscribe(_))).count(), 2);
}

#[test]
fn hiding_somebody_takes_it_out_of_sight_with_its_tracks() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    permit(&mut stage, "ana", ParticipantPermission { hidden: true, ..permission() });
    assert_eq!(
        stage.update_about(&bo, "ana").unwrap().state(),
        livekit_protocol::participant_info::State::Disconnected
    );
    assert!(stage.forwarded.is_empty());
    permit(&mut stage, "ana", permission());
    assert_eq!(
        stage.update_about(&bo, "ana").unwrap().state(),
        livekit_protocol::participant_info::State::Active
    );
}

#[test]
fn a_recorder_is_seen_even_if_it_is_hidden() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let recorder =
        stage.enter_as(Join::new(token_with("tape", |video| (video.recorder, video.hidden) = (true, true))));
    let recording = |stage: &mut Stage| {
        stage.heard(&ana).into_iter().find_map(|message| match message {
            Message::RoomUpdate(update) => Some(update.room.unwrap().active_recording),
            _ => None,
        })
    };
    assert_eq!(recording(&mut stage), Some(true));
    stage.say(&recorder, Said::Leave(Default::default()));
    assert_eq!(recording(&mut stage), Some(false));
}

#[test]
fn room_metadata_reaches_everybody_at_once() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let request = UpdateRoomMetadataRequest { room: "hall".to_owned(), metadata: "fr".to_owned() };
    stage.call(&moderator(), Call::UpdateRoomMetadata(request)).unwrap();
    assert!(
        matches!(&stage.heard(&ana)[..], [Message::RoomUpdate(update)] if update.room.as_ref().unwrap().metadata == "fr")
    );
    let request = UpdateRoomMetadataRequest { room: "hall".to_owned(), metadata: "x".repeat(70_000) };
    assert_eq!(
        stage.call(&moderator(), Call::UpdateRoomMetadata(request)).unwrap_err().code,
        CallCode::InvalidArgument
    );
}

#[test]
fn a_moderator_routes_what_somebody_receives() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let info = stage.publish(&ana, microphone("mic"));
    let bo = stage.enter_as(Join { auto_subscribe: false, ..Join::new(token("bo")) });
    let request = |subscribe| {
        Call::UpdateSubscriptions(UpdateSubscriptionsRequest {
            room: "hall".to_owned(),
            identity: "bo".to_owned(),
            track_sids: vec![info.sid.clone()],
            subscribe,
            ..UpdateSubscriptionsRequest::default()
        })
    };
    stage.call(&moderator(), request(true)).unwrap();
    assert!(stage.ordered(&bo).iter().any(|order| matches!(order, Order::Subscribe(_))));
    stage.call(&moderator(), request(false)).unwrap();
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Unsubscribe { .. }]));
}
