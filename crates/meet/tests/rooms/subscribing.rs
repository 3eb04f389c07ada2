//! Who receives what, and how much of it.

use std::time::Duration;

use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    SubscriptionError, SubscriptionPermission, TrackPermission, UpdateSubscription, UpdateTrackSettings,
    VideoQuality,
};
use meet::contract::{Event, Order, Quality};
use meet::room::Join;

use crate::stage::{Client, Stage, camera, listener, microphone, token, token_with};

fn selective(identity: &str) -> Join {
    Join { auto_subscribe: false, ..Join::new(token(identity)) }
}

fn subscription(sid: &str, subscribe: bool) -> Said {
    Said::Subscription(UpdateSubscription {
        track_sids: vec![sid.to_owned()],
        subscribe,
        ..UpdateSubscription::default()
    })
}

#[test]
fn who_wants_everything_gets_what_is_there_and_what_comes() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let before = stage.publish(&ana, microphone("mic"));
    let bo = stage.enter("bo");
    let sids = |orders: Vec<Order>| -> Vec<String> {
        orders
            .into_iter()
            .filter_map(|order| match order {
                Order::Subscribe(subscribe) => Some(subscribe.sid),
                _ => None,
            })
            .collect()
    };
    assert_eq!(sids(stage.ordered(&bo)), [before.sid]);
    stage.say(&ana, Said::AddTrack(camera("cam")));
    stage.negotiate(&ana, &[("mic", true), ("cam", false)]);
    let after = stage.published(&ana, "cam").unwrap();
    assert_eq!(sids(stage.ordered(&bo)), std::slice::from_ref(&after.sid));
    let received = stage.heard(&ana).into_iter().filter(|message| {
        matches!(message, Message::TrackSubscribed(subscribed) if subscribed.track_sid == after.sid)
    });
    assert_eq!(received.count(), 1, "the publisher learns that somebody receives it");
}

#[test]
fn who_selects_gets_what_it_selects() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let info = stage.publish(&ana, microphone("mic"));
    let bo = stage.enter_as(selective("bo"));
    assert!(!stage.ordered(&bo).iter().any(|order| matches!(order, Order::Subscribe(_))));
    stage.say(&bo, subscription(&info.sid, true));
    stage.say(&bo, subscription(&info.sid, true));
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Subscribe(_)]), "once");
    stage.say(&bo, subscription(&info.sid, false));
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Unsubscribe { .. }]));
}

#[test]
fn what_is_not_there_cannot_be_subscribed() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.say(&ana, Said::AddTrack(microphone("mic")));
    let unannounced = stage.published(&ana, "mic").unwrap();
    let bo = stage.enter_as(selective("bo"));
    for sid in ["TR_nothing", unannounced.sid.as_str()] {
        stage.forget();
        stage.say(&bo, subscription(sid, true));
        assert!(matches!(&stage.heard(&bo)[..], [Message::SubscriptionResponse(response)]
            if response.track_sid == sid && response.err() == SubscriptionError::SeTrackNotfound));
        assert!(stage.ordered(&bo).is_empty());
    }
    // Nor is one's own track.
    stage.negotiate(&ana, &[("mic", true)]);
    stage.forget();
    stage.say(&ana, subscription(&unannounced.sid, true));
    assert!(stage.ordered(&ana).is_empty());
}

#[test]
fn without_permission_nothing_is_received() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let info = stage.publish(&ana, microphone("mic"));
    let deaf = stage.enter_as(Join::new(token_with("deaf", |video| video.can_subscribe = Some(false))));
    stage.say(&deaf, subscription(&info.sid, true));
    assert!(!stage.ordered(&deaf).iter().any(|order| matches!(order, Order::Subscribe(_))));
}

#[test]
fn a_publisher_says_who_may_receive_it() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let cy = stage.enter("cy");
    let info = stage.publish(&ana, microphone("mic"));
    stage.forget();
    let only = |identity: &str| {
        Said::SubscriptionPermission(SubscriptionPermission {
            all_participants: false,
            track_permissions: vec![TrackPermission {
                participant_identity: identity.to_owned(),
                all_tracks: true,
                ..TrackPermission::default()
            }],
        })
    };
    stage.say(&ana, only("bo"));
    assert!(stage.ordered(&bo).is_empty());
    assert!(matches!(&stage.ordered(&cy)[..], [Order::Unsubscribe { .. }]));
    assert!(matches!(&stage.heard(&cy)[..], [Message::SubscriptionPermissionUpdate(update)]
        if !update.allowed && update.track_sid == info.sid && update.participant_sid == ana.sid));
    stage.say(&ana, only("cy"));
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Unsubscribe { .. }]));
    assert!(matches!(&stage.ordered(&cy)[..], [Order::Subscribe(_)]));
    assert!(
        stage.heard(&cy).iter().any(
            |message| matches!(message, Message::SubscriptionPermissionUpdate(update) if update.allowed)
        )
    );
    // Asking again does not get round it.
    stage.say(&bo, subscription(&info.sid, true));
    assert!(stage.ordered(&bo).is_empty());
    stage.say(
        &ana,
        Said::SubscriptionPermission(SubscriptionPermission { all_participants: true, ..Default::default() }),
    );
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Subscribe(_)]));
}

fn settings(stage: &mut Stage, client: &Client, sid: &str, change: impl FnOnce(&mut UpdateTrackSettings)) {
    let mut settings =
        UpdateTrackSettings { track_sids: vec![sid.to_owned()], ..UpdateTrackSettings::default() };
    change(&mut settings);
    stage.say(client, Said::TrackSetting(settings));
}

#[test]
fn how_a_track_is_shown_becomes_a_wish() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let info = stage.publish(&ana, camera("cam"));
    stage.forget();
    let mut wish = |change: fn(&mut UpdateTrackSettings)| {
        settings(&mut stage, &bo, &info.sid, change);
        match stage.ordered(&bo)[..] {
            [Order::Wish { wish, .. }] => wish,
            ref other => panic!("{other:?}"),
        }
    };
    let small = wish(|settings| (settings.width, settings.height) = (300, 170));
    assert_eq!((small.quality, small.width, small.enabled), (Quality::Low, 300, true));
    assert_eq!(wish(|settings| (settings.width, settings.height) = (600, 340)).quality, Quality::Medium);
    assert_eq!(wish(|settings| (settings.width, settings.height) = (4_000, 2_000)).quality, Quality::High);
    assert_eq!(wish(|settings| settings.quality = VideoQuality::Medium as i32).quality, Quality::Medium);
    assert!(!wish(|settings| settings.disabled = true).enabled);
    assert!(wish(|settings| settings.quality = VideoQuality::High as i32).enabled);
    assert!(!wish(|settings| settings.quality = VideoQuality::Off as i32).enabled);
    let first = wish(|settings| settings.priority = 1);
    let second = wish(|settings| settings.priority = 2);
    assert!(first.priority > second.priority && first.protected && !second.protected);
    assert_eq!(wish(|settings| settings.fps = 5).fps, 5);
}

#[test]
fn a_client_that_tells_sizes_begins_small() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter_as(Join { adaptive_stream: true, ..Join::new(token("bo")) });
    stage.publish(&ana, camera("cam"));
    let orders = stage.ordered(&bo);
    assert!(
        orders
            .iter()
            .any(|order| matches!(order, Order::Subscribe(order) if order.wish.quality == Quality::Low))
    );
}

/// Which of low, medium and high the publisher was told to send, each time that it was told.
fn told(stage: &mut Stage, client: &Client) -> Vec<[bool; 3]> {
    let heard = stage.heard(client).into_iter();
    heard
        .filter_map(|message| match message {
            Message::SubscribedQualityUpdate(update) => {
                assert_eq!(update.subscribed_codecs[0].codec, "vp8");
                let enabled = update.subscribed_codecs[0].qualities.iter().map(|quality| quality.enabled);
                Some(enabled.collect::<Vec<_>>().try_into().unwrap())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn nobody_is_asked_to_send_what_nobody_wants() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let info = stage.publish(&ana, camera("cam"));
    assert!(told(&mut stage, &ana).is_empty(), "less is told after a while");
    stage.pass(Duration::from_secs(5));
    assert_eq!(told(&mut stage, &ana), [[false, false, false]]);
    let bo = stage.enter("bo");
    assert_eq!(told(&mut stage, &ana), [[true, true, true]], "more is told at once");
    let cy = stage.enter_as(Join { adaptive_stream: true, ..Join::new(token("cy")) });
    settings(&mut stage, &bo, &info.sid, |settings| settings.quality = VideoQuality::Medium as i32);
    settings(&mut stage, &bo, &info.sid, |settings| settings.quality = VideoQuality::High as i32);
    stage.pass(Duration::from_secs(6));
    assert!(told(&mut stage, &ana).is_empty(), "a change of mind is no news");
    settings(&mut stage, &bo, &info.sid, |settings| settings.disabled = true);
    stage.pass(Duration::from_secs(6));
    assert_eq!(told(&mut stage, &ana), [[true, false, false]], "cy still wants the small one");
    stage.lose(&cy);
    stage.report(Event::Ended { session: cy.session, why: meet::contract::Ending::Unreachable });
    stage.pass(Duration::from_secs(6));
    assert_eq!(told(&mut stage, &ana), [[false, false, false]]);
}

#[test]
fn a_codec_that_a_subscriber_cannot_is_said_and_tried_again_when_it_changes() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    let bo = stage.enter("bo");
    let info = stage.publish(&ana, camera("cam"));
    let track = stage.key_of(&ana);
    stage.forget();
    stage.forwarded.remove(&(bo.session, track));
    stage.report(Event::Refused { session: bo.session, track });
    assert!(matches!(&stage.heard(&bo)[..], [Message::SubscriptionResponse(response)]
        if response.track_sid == info.sid && response.err() == SubscriptionError::SeCodecUnsupported));
    stage.report(Event::Flowing { track, mime: "video/h264".to_owned(), mid: "0".to_owned() });
    assert!(matches!(&stage.ordered(&bo)[..], [Order::Subscribe(order)] if order.mime == "video/h264"));
}

#[test]
fn listeners_who_leave_are_counted_out() {
    let mut stage = Stage::new();
    let ana = stage.enter("ana");
    stage.publish(&ana, camera("cam"));
    let ears: Vec<Client> =
        (0..50).map(|number| stage.enter_as(Join::new(listener(&format!("ear{number}"))))).collect();
    assert_eq!(stage.forwarded.len(), 50);
    stage.pass(Duration::from_secs(6));
    stage.forget();
    for ear in &ears {
        stage.say(ear, Said::Leave(Default::default()));
    }
    assert!(stage.forwarded.is_empty());
    stage.pass(Duration::from_secs(6));
    assert_eq!(told(&mut stage, &ana), [[false, false, false]]);
}
