//! Data packets, data tracks, RPC.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol::data_packet::{Kind, Value};
use livekit_protocol::request_response::Reason;
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    ChatMessage, DataPacket, PerformRpcRequest, PublishDataTrackRequest, RpcAck, RpcError, RpcResponse,
    SendDataRequest, Transcription, UnpublishDataTrackRequest, UpdateDataSubscription, UserPacket,
    rpc_response, update_data_subscription,
};
use meet::contract::{Channel, Event, Order};
use meet::room::{Call, CallAnswer, CallCode, Join};
use prost::Message as _;

use crate::stage::{Client, Stage, listener, moderator, token_with};

fn chat(text: &str) -> DataPacket {
    let message = ChatMessage { message: text.to_owned(), ..ChatMessage::default() };
    DataPacket { value: Some(Value::ChatMessage(message)), ..DataPacket::default() }
}

fn send(stage: &mut Stage, client: &Client, channel: Channel, packet: &DataPacket) {
    let bytes = Bytes::from(packet.encode_to_vec());
    stage.report(Event::Data { session: client.session, channel, bytes });
}

/// The packets that were sent to a client since it was last asked.
fn received(stage: &mut Stage, client: &Client) -> Vec<DataPacket> {
    let orders = stage.ordered(client).into_iter();
    orders
        .filter_map(|order| match order {
            Order::Data { bytes, .. } => Some(DataPacket::decode(bytes).unwrap()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_server_says_who_sent_a_packet() {
    let mut stage = Stage::new();
    let (ana, bo, cy) = (stage.enter("ana"), stage.enter("bo"), stage.enter("cy"));
    let forged = DataPacket {
        participant_identity: "chair".to_owned(),
        participant_sid: bo.sid.clone(),
        ..chat("the session is closed")
    };
    send(&mut stage, &ana, Channel::Reliable, &forged);
    for client in [&bo, &cy] {
        let packets = received(&mut stage, client);
        assert_eq!(
            (packets[0].participant_identity.as_str(), &packets[0].participant_sid),
            ("ana", &ana.sid)
        );
    }
    assert!(received(&mut stage, &ana).is_empty(), "not to itself");
}

#[test]
#[allow(deprecated, reason = "old clients read and write these fields")]
fn old_user_packets_are_signed_inside_too() {
    let mut stage = Stage::new();
    let (ana, bo, cy) = (stage.enter("ana"), stage.enter("bo"), stage.enter("cy"));
    let user = UserPacket {
        participant_identity: "chair".to_owned(),
        participant_sid: cy.sid.clone(),
        destination_sids: vec![bo.sid.clone()],
        payload: b"psst".to_vec(),
        ..UserPacket::default()
    };
    let packet =
        DataPacket { value: Some(Value::User(user)), kind: Kind::Reliable as i32, ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Lossy, &packet);
    let packets = received(&mut stage, &bo);
    let Some(Value::User(user)) = &packets[0].value else { panic!() };
    assert_eq!((user.participant_identity.as_str(), &user.participant_sid), ("ana", &ana.sid));
    assert_eq!(packets[0].kind, Kind::Lossy as i32, "the channel on which it came counts");
    assert!(received(&mut stage, &cy).is_empty(), "it was for bo");
}

#[test]
fn a_word_to_one_is_heard_by_one() {
    let mut stage = Stage::new();
    let (ana, bo, cy) = (stage.enter("ana"), stage.enter("bo"), stage.enter("cy"));
    let packet =
        DataPacket { destination_identities: vec!["cy".to_owned(), "nobody".to_owned()], ..chat("psst") };
    send(&mut stage, &ana, Channel::Reliable, &packet);
    assert!(received(&mut stage, &bo).is_empty());
    assert_eq!(received(&mut stage, &cy).len(), 1);
}

#[test]
fn who_may_not_send_data_is_not_heard() {
    let mut stage = Stage::new();
    let bo = stage.enter("bo");
    let mute = stage.enter_as(Join::new(token_with("mute", |video| video.can_publish_data = Some(false))));
    let ear = stage.enter_as(Join::new(listener("ear")));
    for client in [&mute, &ear] {
        send(&mut stage, client, Channel::Reliable, &chat("hello"));
    }
    assert!(received(&mut stage, &bo).is_empty());
    assert_eq!(stage.rooms.report(stage.now).totals.data_dropped, 2);
}

#[test]
fn of_a_hidden_sender_nothing_is_said() {
    let mut stage = Stage::new();
    let bo = stage.enter("bo");
    let ghost = stage.enter_as(Join::new(token_with("ghost", |video| video.hidden = true)));
    send(&mut stage, &ghost, Channel::Reliable, &DataPacket { sequence: 1, ..chat("boo") });
    let packets = received(&mut stage, &bo);
    assert_eq!((packets[0].participant_identity.as_str(), packets[0].participant_sid.as_str()), ("", ""));
}

#[test]
fn what_came_twice_goes_once() {
    let mut stage = Stage::new();
    let (ana, bo) = (stage.enter("ana"), stage.enter("bo"));
    for sequence in [1, 2, 2, 1, 3] {
        send(&mut stage, &ana, Channel::Reliable, &DataPacket { sequence, ..chat("once") });
    }
    let sequences: Vec<u32> = received(&mut stage, &bo).iter().map(|packet| packet.sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
    let user = UserPacket { nonce: vec![9; 16], ..UserPacket::default() };
    let packet = DataPacket { value: Some(Value::User(user)), ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Reliable, &packet);
    send(&mut stage, &ana, Channel::Lossy, &packet);
    assert_eq!(received(&mut stage, &bo).len(), 1, "the same nonce on both channels");
}

#[test]
fn only_servers_say_who_speaks_and_only_agents_what_was_said() {
    let mut stage = Stage::new();
    let (ana, bo) = (stage.enter("ana"), stage.enter("bo"));
    let agent = stage.enter_as(Join::new(token_with("scribe", |video| video.agent = true)));
    stage.forget();
    let words =
        DataPacket { value: Some(Value::Transcription(Transcription::default())), ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Reliable, &words);
    #[allow(deprecated, reason = "that is what is forged")]
    let speaker = DataPacket { value: Some(Value::Speaker(Default::default())), ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Lossy, &speaker);
    send(&mut stage, &ana, Channel::Lossy, &DataPacket::default());
    stage.report(Event::Data {
        session: ana.session,
        channel: Channel::Reliable,
        bytes: Bytes::from_static(&[0xff; 40]),
    });
    assert!(received(&mut stage, &bo).is_empty());
    send(&mut stage, &agent, Channel::Reliable, &words);
    assert_eq!(received(&mut stage, &bo).len(), 1);
}

#[test]
fn a_flood_is_dropped_and_passes() {
    let mut stage = Stage::new();
    let (ana, bo) = (stage.enter("ana"), stage.enter("bo"));
    for _ in 0..5_000 {
        send(&mut stage, &ana, Channel::Lossy, &chat("x"));
    }
    assert_eq!(received(&mut stage, &bo).len(), 1_000);
    stage.pass(Duration::from_secs(1));
    send(&mut stage, &ana, Channel::Lossy, &chat("x"));
    assert_eq!(received(&mut stage, &bo).len(), 1);
    let too_large = Bytes::from(vec![0; 64_001]);
    stage.report(Event::Data { session: ana.session, channel: Channel::Reliable, bytes: too_large });
    assert!(received(&mut stage, &bo).is_empty());
}

#[test]
fn the_room_service_sends_from_nobody() {
    let mut stage = Stage::new();
    let (ana, bo) = (stage.enter("ana"), stage.enter("bo"));
    let request = SendDataRequest {
        room: "hall".to_owned(),
        data: b"agenda".to_vec(),
        destination_identities: vec!["bo".to_owned()],
        topic: Some("desk".to_owned()),
        ..SendDataRequest::default()
    };
    assert!(stage.call(&moderator(), Call::SendData(request)).is_ok());
    assert!(received(&mut stage, &ana).is_empty());
    let packets = received(&mut stage, &bo);
    assert_eq!(packets[0].participant_identity, "");
    assert!(
        matches!(&packets[0].value, Some(Value::User(user)) if user.payload == b"agenda" && user.topic.as_deref() == Some("desk"))
    );
}

fn rpc(stage: &mut Stage, to: &Client) -> (meet::room::CallId, String) {
    let request = PerformRpcRequest {
        room: "hall".to_owned(),
        destination_identity: to.identity.clone(),
        method: "floor".to_owned(),
        payload: "yours".to_owned(),
        response_timeout_ms: 5_000,
    };
    let call = stage.begin_call(&moderator(), Call::PerformRpc(request));
    let packets = received(stage, to);
    let Some(Value::RpcRequest(request)) = &packets[0].value else { panic!() };
    assert_eq!((request.method.as_str(), request.payload.as_str(), request.version), ("floor", "yours", 1));
    (call, request.id.clone())
}

fn response(id: &str, value: rpc_response::Value) -> DataPacket {
    let response = RpcResponse { request_id: id.to_owned(), value: Some(value) };
    DataPacket { value: Some(Value::RpcResponse(response)), ..DataPacket::default() }
}

#[test]
fn a_client_answers_an_rpc_and_nobody_answers_for_it() {
    let mut stage = Stage::new();
    let (ana, thief) = (stage.enter("ana"), stage.enter("thief"));
    let (call, id) = rpc(&mut stage, &ana);
    send(
        &mut stage,
        &thief,
        Channel::Reliable,
        &response(&id, rpc_response::Value::Payload("no".to_owned())),
    );
    assert!(stage.answer(call).is_none());
    let ack =
        DataPacket { value: Some(Value::RpcAck(RpcAck { request_id: id.clone() })), ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Reliable, &ack);
    stage.pass(Duration::from_secs(4));
    assert!(stage.answer(call).is_none());
    send(
        &mut stage,
        &ana,
        Channel::Reliable,
        &response(&id, rpc_response::Value::Payload("thanks".to_owned())),
    );
    let Some(Ok(CallAnswer::Rpc(answer))) = stage.answer(call) else { panic!() };
    assert_eq!(answer.payload, "thanks");
    stage.pass(Duration::from_secs(10));
}

#[test]
fn an_rpc_fails_as_the_client_says_or_by_silence() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let (call, id) = rpc(&mut stage, &ana);
    let error = RpcError { code: 1_500, message: "busy".to_owned(), data: "later".to_owned() };
    send(&mut stage, &ana, Channel::Reliable, &response(&id, rpc_response::Value::Error(error)));
    let failed = stage.answer(call).unwrap().unwrap_err();
    assert_eq!(
        (failed.message.as_str(), failed.meta[0].1.as_str(), failed.meta[1].1.as_str()),
        ("busy", "1500", "later")
    );

    let (unheard, _) = rpc(&mut stage, &ana);
    stage.pass(Duration::from_secs(2));
    let failed = stage.answer(unheard).unwrap().unwrap_err();
    assert_eq!((failed.code, failed.meta[0].1.as_str()), (CallCode::DeadlineExceeded, "1501"));

    let (slow, id) = rpc(&mut stage, &ana);
    let ack = DataPacket { value: Some(Value::RpcAck(RpcAck { request_id: id })), ..DataPacket::default() };
    send(&mut stage, &ana, Channel::Reliable, &ack);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.answer(slow).unwrap().unwrap_err().meta[0].1, "1502");

    let (cut, _) = rpc(&mut stage, &ana);
    stage.say(&ana, Said::Leave(Default::default()));
    assert_eq!(stage.answer(cut).unwrap().unwrap_err().meta[0].1, "1503");
}

fn data_track(handle: u32, name: &str) -> Said {
    Said::PublishDataTrackRequest(PublishDataTrackRequest {
        pub_handle: handle,
        name: name.to_owned(),
        ..PublishDataTrackRequest::default()
    })
}

#[test]
fn a_data_track_reaches_each_receiver_under_its_own_handle() {
    let mut stage = Stage::new();
    let (ana, bo) = (stage.enter("ana"), stage.enter("bo"));
    stage.forget();
    stage.say(&ana, data_track(7, "position"));
    assert_eq!(stage.update_about(&bo, "ana").unwrap().data_tracks[0].name, "position");
    let heard = stage.heard(&ana);
    let Some(Message::PublishDataTrackResponse(published)) = heard.first() else { panic!("{heard:?}") };
    let sid = published.info.as_ref().unwrap().sid.clone();
    assert!(sid.starts_with("DTR_"));
    assert!(
        stage.ordered(&bo).is_empty() && stage.heard(&bo).is_empty(),
        "nobody receives it who did not ask"
    );
    let update = update_data_subscription::Update { track_sid: sid.clone(), subscribe: true, options: None };
    stage.say(&bo, Said::UpdateDataSubscription(UpdateDataSubscription { updates: vec![update] }));
    let heard = stage.heard(&bo);
    let handles = heard.iter().find_map(|message| match message {
        Message::DataTrackSubscriberHandles(handles) => Some(handles.sub_handles.clone()),
        _ => None,
    });
    let handles = handles.expect("handles");
    let (handle, track) = handles.iter().next().unwrap();
    assert_eq!((track.track_sid.as_str(), track.publisher_identity.as_str()), (sid.as_str(), "ana"));

    let packet = [0x18, 0, 0, 7, 0, 1, 0, 1, 0, 0, 0, 9, b'x'];
    stage.forget();
    stage.report(Event::Data {
        session: ana.session,
        channel: Channel::DataTrack,
        bytes: Bytes::copy_from_slice(&packet),
    });
    let orders = stage.ordered(&bo);
    let [Order::Data { channel: Channel::DataTrack, bytes, .. }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(u32::from(u16::from_be_bytes([bytes[2], bytes[3]])), *handle);
    assert_eq!((&bytes[..2], &bytes[4..]), (&packet[..2], &packet[4..]));

    // A handle that nobody published, and half a header.
    for stray in [&[0x18, 0, 0, 8, 0, 1, 0, 1, 0, 0, 0, 9][..], &packet[..5]] {
        stage.report(Event::Data {
            session: ana.session,
            channel: Channel::DataTrack,
            bytes: Bytes::copy_from_slice(stray),
        });
    }
    assert!(stage.ordered(&bo).is_empty());
    stage.say(&ana, Said::UnpublishDataTrackRequest(UnpublishDataTrackRequest { pub_handle: 7 }));
    assert!(
        stage.heard(&ana).iter().any(|message| matches!(message, Message::UnpublishDataTrackResponse(_)))
    );
    assert!(stage.heard(&bo).iter().any(|message| {
        matches!(message, Message::DataTrackSubscriberHandles(handles) if handles.sub_handles.is_empty())
    }));
}

#[test]
fn data_tracks_have_their_own_reasons_to_be_refused() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let mute = stage.enter_as(Join::new(token_with("mute", |video| video.can_publish_data = Some(false))));
    stage.say(&ana, data_track(1, "one"));
    let mut refused = |client: &Client, said| {
        stage.forget();
        stage.say(client, said);
        match &stage.heard(client)[..] {
            [Message::RequestResponse(response)] => response.reason(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&mute, data_track(1, "one")), Reason::NotAllowed);
    assert_eq!(refused(&ana, data_track(0, "zero")), Reason::InvalidHandle);
    assert_eq!(refused(&ana, data_track(65_536, "large")), Reason::InvalidHandle);
    assert_eq!(refused(&ana, data_track(2, "")), Reason::InvalidName);
    assert_eq!(refused(&ana, data_track(1, "other")), Reason::DuplicateHandle);
    assert_eq!(refused(&ana, data_track(2, "one")), Reason::DuplicateName);
    let gone = Said::UnpublishDataTrackRequest(UnpublishDataTrackRequest { pub_handle: 9 });
    assert_eq!(refused(&ana, gone), Reason::NotFound);
}
