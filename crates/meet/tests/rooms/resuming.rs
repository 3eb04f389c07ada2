//! A socket is lost and comes back, or the media goes and the client must begin anew.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol::data_packet::Value;
use livekit_protocol::participant_info::State;
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    ConnectionQuality, DataChannelReceiveState, DataPacket, DisconnectReason, SimulateScenario, SyncState,
    TrackInfo, TrackPublishedResponse, UpdateSubscription, UserPacket, leave_request, simulate_scenario,
};
use meet::contract::{Channel, Ending, Event, Order, Peers};
use meet::room::{Closing, ConnectionId, Join, RoomsConfig};
use prost::Message as _;

use crate::stage::{Client, Stage, camera, microphone, token};

fn again(client: &Client) -> Join {
    Join {
        reconnect: true,
        participant_sid: client.sid.clone(),
        peers: client.peers,
        ..Join::new(token(&client.identity))
    }
}

fn resume(stage: &mut Stage, client: &Client) -> Client {
    let connection = stage.try_join(again(client));
    Client { connection, ..client.clone() }
}

fn must_begin_anew(stage: &mut Stage, connection: ConnectionId) -> DisconnectReason {
    match &stage.heard_on(connection)[..] {
        [Message::Leave(leave)] => {
            assert_eq!(leave.action(), leave_request::Action::Reconnect);
            assert!(leave.can_reconnect, "what old clients read");
            leave.reason()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lost_socket_changes_nothing_while_the_media_stands() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.lose(&ana);
    stage.pass(Duration::from_mins(1));
    let heard = stage.heard(&bo);
    assert!(!heard.iter().any(|message| matches!(message, Message::Update(_))), "nobody left: {heard:?}");
    assert!(stage.ordered(&ana).is_empty());
    assert_eq!(stage.forwarded.len(), 1);

    let cy = stage.enter("cy");
    let ana = resume(&mut stage, &ana);
    let heard = stage.heard(&ana);
    assert!(matches!(heard[0], Message::Reconnect(_)));
    let Message::Update(update) = &heard[1] else { panic!() };
    let who: Vec<&str> = update.participants.iter().map(|info| info.identity.as_str()).collect();
    assert_eq!(who, ["bo", "cy", "ana"], "all that changed meanwhile, and itself");
    assert!(matches!(heard[2], Message::RoomUpdate(_)));
    assert!(matches!(&stage.ordered(&ana)[..], [Order::Restart { .. }, ..] | [.., Order::Restart { .. }]));
    assert!(stage.update_about(&cy, "ana").is_none(), "for others nothing happened");
}

#[test]
fn the_older_of_two_sockets_is_closed() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let newer = resume(&mut stage, &ana);
    assert_eq!(stage.closed[&ana.connection], Closing::Superseded);
    stage.rooms.disconnected(stage.now, ana.connection);
    stage.forget();
    stage.say(&newer, Said::Ping(1));
    assert_eq!(stage.heard(&newer).len(), 1, "the end of the older one is not the end of the newer");
}

#[test]
fn what_is_not_known_cannot_be_resumed() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.enter("bo");
    for join in [
        again(&Client { identity: "nobody".to_owned(), ..ana.clone() }),
        again(&Client { sid: "PA_other".to_owned(), ..ana.clone() }),
        // Nor can one resume another's session by its sid, which everybody knows.
        again(&Client { identity: "bo".to_owned(), ..ana.clone() }),
        again(&Client { peers: Peers::Single, ..ana.clone() }),
    ] {
        let connection = stage.try_join(join);
        assert_eq!(must_begin_anew(&mut stage, connection), DisconnectReason::StateMismatch);
        assert_eq!(stage.closed[&connection], Closing::Reconnect);
    }
    assert!(!stage.closed.contains_key(&ana.connection));
}

#[test]
fn when_the_media_is_gone_the_client_begins_anew() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.report(Event::Ended { session: ana.session, why: Ending::Unreachable });
    assert_eq!(must_begin_anew(&mut stage, ana.connection), DisconnectReason::ConnectionTimeout);
    let told = stage.update_about(&bo, "ana").unwrap();
    assert_eq!(
        (told.state(), told.disconnect_reason()),
        (State::Disconnected, DisconnectReason::ConnectionTimeout)
    );
    assert!(stage.ordered(&ana).is_empty(), "a session that is gone is ordered nothing");
    let connection = stage.try_join(again(&ana));
    assert_eq!(must_begin_anew(&mut stage, connection), DisconnectReason::StateMismatch);
}

#[test]
fn a_client_that_closes_its_media_before_it_says_goodbye_left_of_itself() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.report(Event::Ended { session: ana.session, why: Ending::Closed });
    stage.say(&ana, Said::Leave(Default::default()));
    assert_eq!(
        stage.update_about(&bo, "ana").unwrap().disconnect_reason(),
        DisconnectReason::ClientInitiated
    );
}

#[test]
fn a_socket_lost_before_the_media_stood_is_waited_for_but_not_long() {
    let mut stage = Stage::new();
    let ana = stage.knock(Join::new(token("ana")));
    stage.lose(&ana);
    stage.pass(Duration::from_secs(11));
    assert!(stage.events().contains(&"participant_connection_aborted"));
    assert!(stage.open.is_empty());
}

#[test]
fn others_see_that_a_socket_is_lost_and_nobody_is_told_that_of_itself() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.lose(&ana);
    let heard = stage.heard(&bo);
    assert!(
        matches!(&heard[..], [Message::ConnectionQuality(update)] if update.updates[0].quality() == ConnectionQuality::Lost)
    );
    let ana = resume(&mut stage, &ana);
    assert!(!stage.heard(&ana).iter().any(|message| matches!(message, Message::ConnectionQuality(_))));
}

#[test]
fn a_resumed_client_says_what_it_believes() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let mic = stage.publish(&ana, microphone("mic"));
    let bo = stage.enter_as(Join { auto_subscribe: false, ..Join::new(token("bo")) });
    let believes = |tracks: Vec<TrackInfo>| SyncState {
        subscription: Some(UpdateSubscription {
            track_sids: vec![mic.sid.clone(), "TR_long_gone".to_owned()],
            subscribe: true,
            ..UpdateSubscription::default()
        }),
        publish_tracks: tracks
            .into_iter()
            .map(|track| TrackPublishedResponse { cid: String::new(), track: Some(track) })
            .collect(),
        ..SyncState::default()
    };
    let bo = resume(&mut stage, &bo);
    stage.say(&bo, Said::SyncState(believes(Vec::new())));
    assert!(
        stage
            .ordered(&bo)
            .iter()
            .any(|order| matches!(order, Order::Subscribe(order) if order.sid == mic.sid))
    );
    assert!(
        !stage.heard(&bo).iter().any(|message| matches!(message, Message::SubscriptionResponse(_))),
        "what is gone is no error"
    );
    // It believes to publish what it does not, even if another does.
    stage.forget();
    stage.say(&bo, Said::SyncState(believes(vec![mic.clone()])));
    assert_eq!(must_begin_anew(&mut stage, bo.connection), DisconnectReason::StateMismatch);
}

#[test]
fn tracks_that_were_switched_off_stay_off() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let cam = stage.publish(&ana, camera("cam"));
    let bo = stage.enter("bo");
    let bo = resume(&mut stage, &bo);
    stage.forget();
    stage.say(&bo, Said::SyncState(SyncState { track_sids_disabled: vec![cam.sid], ..SyncState::default() }));
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Wish { wish, .. }] if !wish.enabled));
}

#[test]
fn reliable_packets_that_were_missed_come_again() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    for (sequence, to) in [(1, vec![]), (2, vec!["cy".to_owned()]), (3, vec!["bo".to_owned()])] {
        let user = UserPacket { payload: vec![0], ..UserPacket::default() };
        let packet = DataPacket {
            sequence,
            destination_identities: to,
            value: Some(Value::User(user)),
            ..DataPacket::default()
        };
        let bytes = Bytes::from(packet.encode_to_vec());
        stage.report(Event::Data { session: ana.session, channel: Channel::Reliable, bytes });
    }
    stage.lose(&bo);
    let bo = resume(&mut stage, &bo);
    stage.forget();
    let state = |last_seq| {
        let states = vec![DataChannelReceiveState { publisher_sid: ana.sid.clone(), last_seq }];
        Said::SyncState(SyncState { datachannel_receive_states: states, ..SyncState::default() })
    };
    stage.say(&bo, state(0));
    let orders = stage.ordered(&bo);
    let sequences: Vec<u32> = orders
        .iter()
        .map(|order| match order {
            Order::Data { bytes, channel: Channel::Reliable, .. } => {
                DataPacket::decode(bytes.clone()).unwrap().sequence
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sequences, [1, 3], "not what was for cy");
    stage.say(&bo, state(3));
    assert!(stage.ordered(&bo).is_empty());
    let ana = resume(&mut stage, &ana);
    let heard = stage.heard(&ana);
    assert!(matches!(&heard[0], Message::Reconnect(response) if response.last_message_seq == 3));
}

fn simulate(scenario: simulate_scenario::Scenario) -> Said {
    Said::Simulate(SimulateScenario { scenario: Some(scenario) })
}

#[test]
fn faults_happen_on_request_where_that_is_configured() {
    use simulate_scenario::Scenario;
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.say(&ana, simulate(Scenario::ServerLeave(true)));
    assert!(stage.closed.is_empty(), "not by default");

    let mut stage = Stage::with(RoomsConfig { simulate: true, ..RoomsConfig::default() });
    let ana = stage.enter("ana");
    stage.say(&ana, simulate(Scenario::DisconnectSignalOnResumeNoMessages(true)));
    for _ in 0..3 {
        let cut = resume(&mut stage, &ana);
        assert_eq!(stage.closed[&cut.connection], Closing::Simulated);
        assert!(stage.heard(&cut).is_empty());
    }
    let ana = resume(&mut stage, &ana);
    assert!(matches!(stage.heard(&ana)[0], Message::Reconnect(_)));
    stage.say(&ana, simulate(Scenario::NodeFailure(true)));
    assert!(stage.heard(&ana).is_empty(), "not a word");
    let connection = stage.try_join(again(&ana));
    assert_eq!(must_begin_anew(&mut stage, connection), DisconnectReason::StateMismatch);
}
