//! What shards report, as clients hear it.

use std::time::Duration;

use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    ConnectionQuality, MuteTrackRequest, SessionDescription, SignalTarget, SpeakerInfo, StreamState,
    TrickleRequest,
};
use meet::contract::{Event, Health, Order, RoomKey, SessionId, Target, TrackKey};
use meet::room::Join;

use crate::stage::{Client, Stage, camera, listener, microphone};

fn health() -> Health {
    Health {
        loss_up: 0.0,
        loss_down: 0.0,
        round_trip: Some(Duration::from_millis(30)),
        estimate: None,
        desired: 0,
        heard: true,
        packets_up: 10,
        packets_down: 10,
    }
}

/// The room's key, as a shard learned it.
fn room_of(stage: &mut Stage, client: &Client) -> RoomKey {
    let orders = stage.ordered(client).into_iter();
    orders
        .filter_map(|order| match order {
            Order::Publish(publish) => Some(publish.room),
            _ => None,
        })
        .last()
        .expect("a published track")
}

fn speakers(stage: &mut Stage, client: &Client) -> Vec<SpeakerInfo> {
    let heard = stage.heard(client).into_iter();
    heard
        .filter_map(|message| match message {
            Message::SpeakersChanged(changed) => Some(changed.speakers),
            _ => None,
        })
        .flatten()
        .collect()
}

#[test]
fn offers_answers_and_candidates_pass_through() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let description = |kind: &str, id| SessionDescription {
        r#type: kind.to_owned(),
        sdp: format!("v=0 {kind}"),
        id,
        ..SessionDescription::default()
    };
    stage.say(&ana, Said::Offer(description("offer", 3)));
    stage.say(&ana, Said::Answer(description("answer", 9)));
    let trickle = |json: &str, target: SignalTarget| {
        Said::Trickle(TrickleRequest {
            candidate_init: json.to_owned(),
            target: target as i32,
            r#final: false,
        })
    };
    stage.say(
        &ana,
        trickle(
            r#"{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMid":"0"}"#,
            SignalTarget::Subscriber,
        ),
    );
    for nonsense in ["", "{}", "[", r#"{"candidate":""}"#, r#"{"candidate":7}"#] {
        stage.say(&ana, trickle(nonsense, SignalTarget::Publisher));
    }
    let orders = stage.ordered(&ana);
    assert!(matches!(&orders[..], [
        Order::Offer { id: 3, .. },
        Order::Answer { id: 9, .. },
        Order::Candidate { target: Target::Subscriber, candidate, .. },
    ] if candidate.starts_with("candidate:1")));
    let (session, mids) = (ana.session, vec![("0".to_owned(), "TR_x".to_owned())]);
    stage.report(Event::Answer { session, id: 3, sdp: "v=0 ours".to_owned(), mids: mids.clone() });
    stage.report(Event::Offer { session, id: 1, sdp: "v=0 ours".to_owned(), mids });
    stage.report(Event::Sections { session, audios: 2, videos: 1 });
    let heard = stage.heard(&ana);
    let heard: Vec<&Message> =
        heard.iter().filter(|message| !matches!(message, Message::Update(_))).collect();
    assert!(
        matches!(&heard[..], [Message::Answer(answer), Message::Offer(offer), Message::MediaSectionsRequirement(needs)]
        if answer.id == 3 && answer.r#type == "answer" && answer.mid_to_track_id["0"] == "TR_x"
        && offer.id == 1 && offer.r#type == "offer" && (needs.num_audios, needs.num_videos) == (2, 1))
    );
}

#[test]
fn who_speaks_is_told_in_steps() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let ear = stage.enter_as(Join::new(listener("ear")));
    let info = stage.publish(&ana, microphone("mic"));
    let (room, track) = (room_of(&mut stage, &ana), stage.key_of(&ana));
    stage.forget();
    let level = |stage: &mut Stage, level| stage.report(Event::Levels { room, levels: vec![(track, level)] });
    level(&mut stage, 0.30);
    let told = speakers(&mut stage, &bo);
    assert_eq!((told[0].sid.as_str(), told[0].active, told[0].level), (ana.sid.as_str(), true, 0.375));
    assert_eq!(speakers(&mut stage, &ear).len(), 1, "listeners see who speaks");
    assert_eq!(speakers(&mut stage, &ana).len(), 1, "and so does the speaker");
    level(&mut stage, 0.31);
    assert!(speakers(&mut stage, &bo).is_empty(), "a small change is no news");
    let late = stage.enter("late");
    assert_eq!(speakers(&mut stage, &late).len(), 1, "whoever comes later is told too");
    stage.say(&ana, Said::Mute(MuteTrackRequest { sid: info.sid.clone(), muted: true }));
    let told = speakers(&mut stage, &bo);
    assert_eq!((told[0].active, told[0].level), (false, 0.0), "a muted speaker does not speak");
    level(&mut stage, 0.9);
    assert!(speakers(&mut stage, &bo).is_empty(), "whatever comes late from its shard");
    stage.say(&ana, Said::Mute(MuteTrackRequest { sid: info.sid, muted: false }));
    level(&mut stage, f32::NAN);
    assert!(speakers(&mut stage, &bo).is_empty());
}

#[test]
fn quality_is_told_when_it_changes_to_whom_it_concerns() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let cy = stage.enter_as(Join { auto_subscribe: false, ..Join::new(crate::stage::token("cy")) });
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    let quality = |stage: &mut Stage, client: &Client| {
        let heard = stage.heard(client).into_iter();
        heard
            .filter_map(|message| match message {
                Message::ConnectionQuality(update) => Some(update.updates[0].quality()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let session = ana.session;
    stage.report(Event::Health { session, health: Health { heard: false, ..health() } });
    assert!(quality(&mut stage, &ana).is_empty(), "nothing came yet, nothing is said");
    for _ in 0..3 {
        stage.report(Event::Health { session, health: health() });
    }
    for client in [&ana, &bo] {
        assert_eq!(quality(&mut stage, client), [ConnectionQuality::Excellent], "once");
    }
    stage.report(Event::Health { session, health: Health { loss_up: 1.0, ..health() } });
    assert_eq!(
        quality(&mut stage, &ana),
        [ConnectionQuality::Poor],
        "a client is never told that it is lost"
    );
    assert!(quality(&mut stage, &cy).is_empty(), "who receives nothing from it is not told");
}

#[test]
fn a_pause_for_want_of_bandwidth_is_said() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let info = stage.publish(&ana, camera("cam"));
    let track = stage.key_of(&ana);
    stage.forget();
    stage.report(Event::Paused { session: bo.session, track, paused: true });
    stage.report(Event::Paused { session: bo.session, track, paused: false });
    let heard = stage.heard(&bo);
    let states: Vec<(StreamState, &str, &str)> = heard
        .iter()
        .map(|message| match message {
            Message::StreamStateUpdate(update) => {
                let state = &update.stream_states[0];
                (state.state(), state.track_sid.as_str(), state.participant_sid.as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = |state| (state, info.sid.as_str(), ana.sid.as_str());
    assert_eq!(states, [expected(StreamState::Paused), expected(StreamState::Active)]);
}

#[test]
fn events_about_what_is_gone_are_nothing() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.forget();
    let (session, track) = (SessionId(9_999), TrackKey(9_999));
    for event in [
        Event::Answer { session, id: 1, sdp: String::new(), mids: Vec::new() },
        Event::Ended { session, why: meet::contract::Ending::Broken },
        Event::Flowing { track, mime: String::new(), mid: String::new() },
        Event::Refused { session: ana.session, track },
        Event::Paused { session: ana.session, track, paused: true },
        Event::Levels { room: RoomKey(9_999), levels: vec![(track, 1.0)] },
        Event::Health { session, health: health() },
    ] {
        stage.report(event);
    }
    assert!(stage.heard(&ana).is_empty() && stage.ordered(&ana).is_empty());
}
