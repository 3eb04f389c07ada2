//! Tracks: allowed or not, announced, muted, ended.

use livekit_protocol::request_response::Reason;
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{AddTrackRequest, MuteTrackRequest, TrackSource, TrackType, UpdateLocalAudioTrack};
use meet::contract::{Event, Kind, Order, Quality};
use meet::room::{Join, RoomsConfig};

use crate::stage::{Stage, camera, listener, microphone, token, token_with};

#[test]
fn a_track_is_named_at_once_and_told_when_it_has_an_m_line() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.forget();
    stage.say(&ana, Said::AddTrack(camera("cam")));
    let info = stage.published(&ana, "cam").unwrap();
    assert!(info.sid.starts_with("TR_"));
    assert_eq!((info.mime_type.as_str(), info.stream.as_str()), ("video/vp8", "camera"));
    let orders = stage.ordered(&ana);
    let [Order::Publish(publish)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((publish.cid.as_str(), publish.kind, publish.layers.len()), ("cam", Kind::Video, 3));
    assert_eq!(publish.layers[0].quality, Quality::Low);
    assert!(stage.heard(&bo).is_empty(), "nobody is told of a track without an m-line");

    stage.negotiate(&ana, &[("cam", false)]);
    let told = stage.update_about(&bo, "ana").unwrap();
    assert_eq!((told.tracks[0].sid.as_str(), told.tracks[0].mid.as_str()), (info.sid.as_str(), "0"));
    assert!(told.is_publisher);
    assert!(stage.events().contains(&"track_published"));
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Subscribe(order)]
        if order.sid == info.sid && order.stream == format!("{}|camera", ana.sid) && order.mime == "video/vp8"));
}

#[test]
fn a_browser_that_names_its_track_otherwise_is_understood() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.enter("bo");
    stage.say(&ana, Said::AddTrack(microphone("mic")));
    stage.negotiate(&ana, &[("{5a1-other-name}", true)]);
    let key = stage.key_of(&ana);
    assert_eq!(stage.forwarded.iter().filter(|(_, track)| *track == key).count(), 1);
}

#[test]
fn packets_announce_a_track_too_and_say_what_it_is() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.say(&ana, Said::AddTrack(AddTrackRequest { simulcast_codecs: Vec::new(), ..camera("cam") }));
    stage.forget();
    let track = stage.key_of(&ana);
    stage.report(Event::Flowing { track, mime: "video/h264".to_owned(), mid: "3".to_owned() });
    assert_eq!(stage.update_about(&bo, "ana").unwrap().tracks[0].mime_type, "video/h264");
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Subscribe(order)] if order.mime == "video/h264"));
}

#[test]
fn two_microphones_do_not_share_a_stream() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let first = stage.publish(&ana, microphone("one"));
    stage.say(&ana, Said::AddTrack(microphone("two")));
    let second = stage.published(&ana, "two").unwrap();
    stage.negotiate(&ana, &[("one", true), ("two", true)]);
    let streams: Vec<String> = stage
        .ordered(&bo)
        .into_iter()
        .filter_map(|order| match order {
            Order::Subscribe(subscribe) => Some(subscribe.stream),
            _ => None,
        })
        .collect();
    assert_eq!(streams, [format!("{}|camera", ana.sid), format!("{}|{}", ana.sid, second.sid)]);
    assert_ne!(first.sid, second.sid);
}

#[test]
fn no_permission_no_track() {
    let mut stage = Stage::new();
    let mut refused = |grants, request: AddTrackRequest| {
        let client = stage.enter_as(Join::new(grants));
        stage.forget();
        stage.say(&client, Said::AddTrack(request));
        let reason = match &stage.heard(&client)[..] {
            [Message::RequestResponse(response)] => Some(response.reason()),
            _ => None,
        };
        assert_eq!(
            reason.is_some(),
            stage.ordered(&client).is_empty(),
            "refused is not ordered, and allowed is"
        );
        reason
    };
    let only_camera =
        |video: &mut meet::grants::VideoGrant| video.can_publish_sources = vec!["camera".to_owned()];
    assert_eq!(
        refused(token_with("mute", |video| video.can_publish = Some(false)), microphone("m")),
        Some(Reason::NotAllowed)
    );
    assert_eq!(refused(token_with("seen", only_camera), microphone("m")), Some(Reason::NotAllowed));
    assert_eq!(refused(token_with("seen2", only_camera), camera("c")), None);
    // A microphone that calls itself a camera is one, as far as permission goes; its source is what all see.
    let nameless = AddTrackRequest { source: TrackSource::Unknown as i32, ..microphone("m") };
    assert_eq!(refused(token_with("seen3", only_camera), nameless), Some(Reason::NotAllowed));
    assert_eq!(
        refused(token_with("all", |video| video.can_publish_sources = Vec::new()), microphone("m")),
        None
    );
    assert_eq!(refused(listener("ear"), microphone("m")), Some(Reason::NotAllowed));
    assert_eq!(
        refused(token_with("ghost", |video| video.hidden = true), microphone("m")),
        Some(Reason::NotAllowed)
    );
    let data = AddTrackRequest { r#type: TrackType::Data as i32, ..microphone("m") };
    assert_eq!(refused(token("d"), data), Some(Reason::UnsupportedType));
    let strange = AddTrackRequest { r#type: 77, ..microphone("m") };
    assert_eq!(refused(token("s"), strange), Some(Reason::UnsupportedType));
    let long = AddTrackRequest { name: "n".repeat(300), ..microphone("m") };
    assert_eq!(refused(token("l"), long), Some(Reason::LimitExceeded));
    assert_eq!(refused(token("n"), microphone("")), Some(Reason::InvalidRequest));
}

#[test]
fn a_second_codec_is_refused_in_words() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let info = stage.publish(&ana, camera("cam"));
    stage.forget();
    stage.say(&ana, Said::AddTrack(AddTrackRequest { sid: info.sid, ..camera("backup") }));
    assert!(
        matches!(&stage.heard(&ana)[..], [Message::RequestResponse(response)] if response.reason() == Reason::UnsupportedType)
    );
    assert!(stage.ordered(&ana).is_empty());
}

#[test]
fn muting_is_told_and_stops_forwarding() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let info = stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.say(&ana, Said::Mute(MuteTrackRequest { sid: info.sid.clone(), muted: true }));
    assert!(stage.update_about(&bo, "ana").unwrap().tracks[0].muted);
    assert!(matches!(&stage.ordered(&ana)[..], [Order::Mute { muted: true, .. }]));
    // Saying it again is no news.
    stage.say(&ana, Said::Mute(MuteTrackRequest { sid: info.sid, muted: true }));
    assert!(stage.heard(&bo).is_empty());
}

#[test]
fn nobody_mutes_or_changes_the_track_of_another() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let thief = stage.enter("thief");
    let info = stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.say(&thief, Said::Mute(MuteTrackRequest { sid: info.sid.clone(), muted: true }));
    let update = UpdateLocalAudioTrack { track_sid: info.sid.clone(), features: vec![0] };
    stage.say(&thief, Said::UpdateAudioTrack(update));
    assert!(stage.heard(&ana).is_empty() && stage.ordered(&ana).is_empty());
    assert!(
        matches!(&stage.heard(&thief)[..], [Message::RequestResponse(response)] if response.reason() == Reason::NotFound)
    );
    // Nor does a client's id that is already somebody's give anything away.
    stage.say(&thief, Said::AddTrack(microphone("mic")));
    assert_ne!(stage.published(&thief, "mic").unwrap().sid, info.sid);
}

#[test]
fn a_track_ends_when_its_m_line_sends_no_more() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.negotiate(&ana, &[("", true)]);
    assert!(stage.update_about(&bo, "ana").unwrap().tracks.is_empty());
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Unsubscribe { .. }]));
    assert!(stage.ordered(&ana).iter().any(|order| matches!(order, Order::Unpublish { .. })));
    assert!(stage.events().contains(&"track_unpublished"));
}

#[test]
fn a_track_ends_when_another_takes_its_m_line() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    stage.publish(&ana, microphone("one"));
    stage.say(&ana, Said::AddTrack(microphone("two")));
    let second = stage.published(&ana, "two").unwrap();
    stage.forget();
    stage.negotiate(&ana, &[("two", true)]);
    let told = stage.update_about(&bo, "ana").unwrap();
    assert_eq!(told.tracks.iter().map(|track| &track.sid).collect::<Vec<_>>(), [&second.sid]);
}

#[test]
fn the_same_device_is_published_again_once_its_first_track_ended() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let first = stage.publish(&ana, microphone("mic"));
    stage.forget();
    stage.say(&ana, Said::AddTrack(microphone("mic")));
    assert!(stage.heard(&ana).is_empty(), "it waits");
    stage.negotiate(&ana, &[("", true)]);
    assert_ne!(stage.published(&ana, "mic").unwrap().sid, first.sid);
}

#[test]
fn bundled_tracks_are_answered_after_the_first_frame() {
    let mut stage = Stage::new();
    let ana = stage.knock(Join {
        add_track_requests: vec![microphone("mic"), camera("cam")],
        ..Join::new(token("ana"))
    });
    let heard = stage.heard(&ana);
    assert!(matches!(heard[0], Message::Join(_)));
    assert_eq!(heard.iter().filter(|message| matches!(message, Message::TrackPublished(_))).count(), 2);
}

#[test]
fn channels_that_are_always_to_be_heard_are_exempt_from_last_n() {
    let mut stage =
        Stage::with(RoomsConfig { exempt_tracks: vec!["booth:".to_owned()], ..RoomsConfig::default() });
    let ana = stage.enter("ana");
    stage.publish(&ana, AddTrackRequest { name: "booth:fr".to_owned(), ..microphone("fr") });
    stage.say(&ana, Said::AddTrack(AddTrackRequest { name: "hall".to_owned(), ..microphone("hall") }));
    let exempt: Vec<bool> = stage
        .ordered(&ana)
        .into_iter()
        .filter_map(|order| match order {
            Order::Publish(publish) => Some(publish.exempt),
            _ => None,
        })
        .collect();
    assert_eq!(exempt, [true, false]);
}
