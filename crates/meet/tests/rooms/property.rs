//! Whatever clients, shards and moderators do, in whatever order: what must hold, holds. The stage checks it at every output.

use bytes::Bytes;
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::{
    DataPacket, LeaveRequest, MuteTrackRequest, ParticipantPermission, RoomParticipantIdentity,
    SubscriptionPermission, TrackPermission, UpdateParticipantRequest, UpdateSubscription,
    UpdateTrackSettings,
};
use meet::contract::{Channel, Ending, Event, RoomKey};
use meet::room::{Call, Join};
use proptest::prelude::*;
use prost::Message as _;

use crate::stage::{Client, Stage, camera, listener, microphone, moderator, token};

#[derive(Clone, Debug)]
enum Act {
    Enter { who: usize, hidden: bool, selective: bool },
    Resume { who: usize },
    Lose { who: usize },
    Leave { who: usize },
    Publish { who: usize, video: bool, name: u8 },
    Negotiate { who: usize, names: Vec<(u8, bool)> },
    Mute { who: usize, track: usize, muted: bool },
    Subscribe { who: usize, track: usize, wanted: bool },
    Settings { who: usize, track: usize, width: u32, disabled: bool },
    Audience { who: usize, all: bool, other: usize },
    Data { who: usize, bytes: Vec<u8>, reliable: bool },
    DataTrack { who: usize, handle: u32 },
    Permit { who: usize, bits: u8 },
    Remove { who: usize },
    End { who: usize },
    Flow { track: usize, video: bool },
    Level { track: usize, level: f32 },
    Wait { seconds: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..5_usize;
    let track = 0..12_usize;
    prop_oneof![
        4 => (who.clone(), any::<bool>(), any::<bool>()).prop_map(|(who, hidden, selective)| Act::Enter { who, hidden, selective }),
        2 => who.clone().prop_map(|who| Act::Resume { who }),
        2 => who.clone().prop_map(|who| Act::Lose { who }),
        1 => who.clone().prop_map(|who| Act::Leave { who }),
        6 => (who.clone(), any::<bool>(), 0..4_u8).prop_map(|(who, video, name)| Act::Publish { who, video, name }),
        6 => (who.clone(), prop::collection::vec((0..6_u8, any::<bool>()), 0..5)).prop_map(|(who, names)| Act::Negotiate { who, names }),
        3 => (who.clone(), track.clone(), any::<bool>()).prop_map(|(who, track, muted)| Act::Mute { who, track, muted }),
        4 => (who.clone(), track.clone(), any::<bool>()).prop_map(|(who, track, wanted)| Act::Subscribe { who, track, wanted }),
        3 => (who.clone(), track.clone(), 0..2_000_u32, any::<bool>())
            .prop_map(|(who, track, width, disabled)| Act::Settings { who, track, width, disabled }),
        2 => (who.clone(), any::<bool>(), who.clone()).prop_map(|(who, all, other)| Act::Audience { who, all, other }),
        2 => (who.clone(), prop::collection::vec(any::<u8>(), 0..40), any::<bool>())
            .prop_map(|(who, bytes, reliable)| Act::Data { who, bytes, reliable }),
        2 => (who.clone(), 0..4_u32).prop_map(|(who, handle)| Act::DataTrack { who, handle }),
        3 => (who.clone(), any::<u8>()).prop_map(|(who, bits)| Act::Permit { who, bits }),
        1 => who.clone().prop_map(|who| Act::Remove { who }),
        1 => who.prop_map(|who| Act::End { who }),
        3 => (track.clone(), any::<bool>()).prop_map(|(track, video)| Act::Flow { track, video }),
        2 => (track, 0.0..1.0_f32).prop_map(|(track, level)| Act::Level { track, level }),
        2 => (0..30_u8).prop_map(|seconds| Act::Wait { seconds }),
    ]
}

/// The stage with the clients that entered, by their number.
struct Play {
    stage: Stage,
    clients: Vec<Option<Client>>,
}

impl Play {
    fn perform(&mut self, act: Act) {
        let Play { stage, clients } = self;
        let track = |stage: &Stage, number: usize| {
            let keys: Vec<_> = stage.tracks.keys().copied().collect();
            (!keys.is_empty()).then(|| keys[number % keys.len()])
        };
        match act {
            Act::Enter { who, hidden, selective } => {
                let name = format!("p{who}");
                let grants = if hidden { listener(&name) } else { token(&name) };
                let join = Join { auto_subscribe: !selective, ..Join::new(grants) };
                if stage.rooms.admits(&join).is_ok() {
                    clients[who] = Some(stage.enter_as(join));
                }
            }
            Act::Wait { seconds } => stage.pass(std::time::Duration::from_secs(seconds.into())),
            Act::Flow { track: number, video } => {
                if let Some(track) = track(stage, number) {
                    let mime = if video { "video/vp8" } else { "audio/opus" }.to_owned();
                    stage.report(Event::Flowing { track, mime, mid: number.to_string() });
                }
            }
            Act::Level { track: number, level } => {
                if let Some(track) = track(stage, number) {
                    for room in 1..4 {
                        stage.report(Event::Levels { room: RoomKey(room), levels: vec![(track, level)] });
                    }
                }
            }
            Act::Permit { who, bits } => {
                let permission = ParticipantPermission {
                    can_publish: bits & 1 > 0,
                    can_subscribe: bits & 2 > 0,
                    can_publish_data: bits & 4 > 0,
                    hidden: bits & 0x18 == 0x18,
                    can_publish_sources: if bits & 32 > 0 { vec![1] } else { Vec::new() },
                    ..ParticipantPermission::default()
                };
                let request = UpdateParticipantRequest {
                    room: "hall".to_owned(),
                    identity: format!("p{who}"),
                    permission: Some(permission),
                    ..UpdateParticipantRequest::default()
                };
                let _ = stage.call(&moderator(), Call::UpdateParticipant(request));
            }
            Act::Remove { who } => {
                let request = RoomParticipantIdentity {
                    room: "hall".to_owned(),
                    identity: format!("p{who}"),
                    revoke_token_ts: 1,
                };
                let _ = stage.call(&moderator(), Call::RemoveParticipant(request));
            }
            Act::Resume { who }
            | Act::Lose { who }
            | Act::Leave { who }
            | Act::Publish { who, .. }
            | Act::Negotiate { who, .. }
            | Act::Mute { who, .. }
            | Act::Subscribe { who, .. }
            | Act::Settings { who, .. }
            | Act::Audience { who, .. }
            | Act::Data { who, .. }
            | Act::DataTrack { who, .. }
            | Act::End { who } => {
                if let Some(client) = clients[who].clone() {
                    clients[who] = one(stage, client, act);
                }
            }
        }
    }
}

/// What one client does; the client, if it is still one.
fn one(stage: &mut Stage, mut client: Client, act: Act) -> Option<Client> {
    // Any sid that anybody was ever told, and some that nobody was.
    let sid = |stage: &Stage, number: usize| {
        let sids: Vec<String> = stage.sids().collect();
        if sids.is_empty() { "TR_none".to_owned() } else { sids[number % sids.len()].clone() }
    };
    match act {
        Act::Resume { .. } => {
            let join = Join {
                reconnect: true,
                participant_sid: client.sid.clone(),
                ..Join::new(token(&client.identity))
            };
            client.connection = stage.try_join(join);
        }
        Act::Lose { .. } if !stage.closed.contains_key(&client.connection) => stage.lose(&client),
        Act::Leave { .. } => {
            stage.say(&client, Said::Leave(LeaveRequest::default()));
            return None;
        }
        Act::Publish { video, name, .. } => {
            let cid = name.to_string();
            stage.say(&client, Said::AddTrack(if video { camera(&cid) } else { microphone(&cid) }));
        }
        Act::Negotiate { names, .. } if stage.open.contains_key(&client.session) => {
            let names: Vec<(String, bool)> = names
                .into_iter()
                .map(|(name, audio)| (if name > 4 { String::new() } else { name.to_string() }, audio))
                .collect();
            let names: Vec<(&str, bool)> =
                names.iter().map(|(name, audio)| (name.as_str(), *audio)).collect();
            stage.negotiate(&client, &names);
        }
        Act::Mute { track, muted, .. } => {
            let sid = sid(stage, track);
            stage.say(&client, Said::Mute(MuteTrackRequest { sid, muted }));
        }
        Act::Subscribe { track, wanted, .. } => {
            let track_sids = vec![sid(stage, track)];
            stage.say(
                &client,
                Said::Subscription(UpdateSubscription {
                    track_sids,
                    subscribe: wanted,
                    participant_tracks: Vec::new(),
                }),
            );
        }
        Act::Settings { track, width, disabled, .. } => {
            let track_sids = vec![sid(stage, track)];
            let settings = UpdateTrackSettings {
                track_sids,
                width,
                height: width / 2,
                disabled,
                ..UpdateTrackSettings::default()
            };
            stage.say(&client, Said::TrackSetting(settings));
        }
        Act::Audience { all, other, .. } => {
            let permission = TrackPermission {
                participant_identity: format!("p{other}"),
                all_tracks: true,
                ..TrackPermission::default()
            };
            let request =
                SubscriptionPermission { all_participants: all, track_permissions: vec![permission] };
            stage.say(&client, Said::SubscriptionPermission(request));
        }
        Act::Data { bytes, reliable, .. } => {
            let channel = if reliable { Channel::Reliable } else { Channel::DataTrack };
            let session = client.session;
            stage.report(Event::Data { session, channel, bytes: Bytes::from(bytes) });
            let packet = DataPacket {
                sequence: 1,
                destination_identities: vec!["p1".to_owned()],
                ..DataPacket::default()
            };
            stage.report(Event::Data { session, channel, bytes: packet.encode_to_vec().into() });
        }
        Act::DataTrack { handle, .. } => {
            let request = livekit_protocol::PublishDataTrackRequest {
                pub_handle: handle,
                name: handle.to_string(),
                ..Default::default()
            };
            stage.say(&client, Said::PublishDataTrackRequest(request));
        }
        Act::End { .. } if stage.open.contains_key(&client.session) => {
            stage.report(Event::Ended { session: client.session, why: Ending::Broken });
            return None;
        }
        _ => {}
    }
    Some(client)
}

/// Frames and packets such as clients send, and damaged ones.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let said = prop_oneof![
        any::<u8>().prop_map(|name| Said::AddTrack(camera(&name.to_string()))),
        any::<u8>().prop_map(|name| Said::AddTrack(microphone(&name.to_string()))),
        Just(Said::Leave(LeaveRequest::default())),
        ".{0,40}".prop_map(|sdp| Said::Offer(livekit_protocol::SessionDescription {
            sdp: format!("m=audio 9 x 0\r\na=mid:0\r\na=msid:- 1\r\n{sdp}"),
            ..Default::default()
        })),
        ".{0,20}".prop_map(|metadata| Said::UpdateMetadata(livekit_protocol::UpdateParticipantMetadata {
            metadata,
            ..Default::default()
        })),
        (0..12_u8).prop_map(|scenario| Said::Simulate(livekit_protocol::SimulateScenario {
            scenario: Some(match scenario {
                0 => livekit_protocol::simulate_scenario::Scenario::NodeFailure(true),
                1 => livekit_protocol::simulate_scenario::Scenario::ServerLeave(true),
                _ => livekit_protocol::simulate_scenario::Scenario::SpeakerUpdate(scenario.into()),
            })
        })),
    ];
    let request =
        said.prop_map(|said| livekit_protocol::SignalRequest { message: Some(said) }.encode_to_vec());
    let bytes = prop_oneof![3 => request, 1 => prop::collection::vec(any::<u8>(), 0..60)];
    (any::<u8>(), bytes, any::<prop::sample::Index>(), any::<u8>(), 0..4_u8).prop_map(
        |(kind, mut bytes, at, flip, damaged)| {
            if damaged == 0 && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= flip;
            }
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            [&[kind], &length[..], &bytes].concat()
        },
    )
}

proptest! {
    #[test]
    fn whatever_bytes_come(pieces in prop::collection::vec(piece(), 0..30)) {
        crate::bytes::play(&pieces.concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(acts in prop::collection::vec(act(), 1..120)) {
        let mut play = Play { stage: Stage::new(), clients: vec![None; 5] };
        for act in acts {
            play.perform(act);
        }
        // In the end everybody goes, and nothing is left.
        play.stage.rooms.drain(play.stage.now);
        play.stage.pass(std::time::Duration::from_secs(400));
        prop_assert!(play.stage.open.is_empty() && play.stage.tracks.is_empty() && play.stage.forwarded.is_empty());
        prop_assert!(play.stage.rooms.deadline().is_none(), "no timer outlives its room for long");
        let report = play.stage.rooms.report(play.stage.now);
        prop_assert_eq!(report.totals.joins, report.totals.leaves);
    }
}
