//! What a room knows: its participants, their tracks, who wants which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use livekit_protocol::{
    AddTrackRequest, ClientInfo, ConnectionQuality, DataTrackInfo, ParticipantInfo, ParticipantPermission,
    TrackInfo, participant_info,
};

use super::allowance::Allowance;
use super::config;
use super::offer::Section;
use super::output::{CallId, ConnectionId};
use crate::contract::{Health, Layer, Now, Peers, Quality, RoomKey, SessionId, ShardId, TrackKey, Wish};
use crate::grants::Grants;

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub key: RoomKey,
    /// Name, sid, metadata, time-outs. The numbers of participants in it are not kept up; [`Room::info`] counts.
    pub info: livekit_protocol::Room,
    pub opened: Instant,
    /// Since when nobody is in it; `None` while somebody is.
    pub empty_since: Option<Instant>,
    /// Whether anybody has been in it.
    pub entered: bool,
    pub participants: BTreeMap<SessionId, Participant>,
    pub identities: HashMap<String, SessionId>,
    pub sids: HashMap<String, SessionId>,
    /// Participants that others see.
    pub visible: BTreeSet<SessionId>,
    pub tracks: BTreeMap<TrackKey, Track>,
    pub track_sids: HashMap<String, TrackKey>,
    pub data_tracks: BTreeMap<String, DataTrack>,
    /// Updates about those who publish nothing, held back in a large room. Sessions are numbered as they came.
    pub quiet: BTreeMap<SessionId, ParticipantInfo>,
    pub quiet_due: bool,
    pub census_due: bool,
    /// Speakers as everybody was last told: quantised level by participant.
    pub speakers: BTreeMap<SessionId, u8>,
    pub rpcs: BTreeMap<u64, Rpc>,
    /// Nonces of the newest user packets, to drop what a client sent twice.
    pub nonces: VecDeque<[u8; 16]>,
    /// The newest reliable packets, for those who resume.
    pub sent: VecDeque<Sent>,
    pub sent_bytes: usize,
}

/// A reliable packet that was delivered.
#[derive(Debug)]
pub(super) struct Sent {
    pub at: Instant,
    pub from: String,
    pub sequence: u32,
    /// Empty: to all.
    pub to: Vec<String>,
    pub bytes: Bytes,
}

/// One participant's session.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of the client, independent of the others")]
pub(super) struct Participant {
    pub session: SessionId,
    pub shard: ShardId,
    pub sid: String,
    /// What its newest token says, with what was changed since: identity, name, metadata, attributes, permission.
    pub grants: Grants,
    pub permission: ParticipantPermission,
    pub client: ClientInfo,
    pub joined_ms: u64,
    pub joined: Instant,
    pub state: participant_info::State,
    pub version: u32,
    pub peers: Peers,
    /// Media towards the client comes on the second peer connection, which counts as the one that stands or not.
    pub subscriber_primary: bool,
    pub auto_subscribe: bool,
    pub auto_subscribe_data: bool,
    pub adaptive_stream: bool,
    pub connection: Option<ConnectionId>,
    pub published: BTreeSet<TrackKey>,
    /// Tracks that wait until one with the same client's id is gone.
    pub queued: VecDeque<AddTrackRequest>,
    pub offers: VecDeque<(u32, Vec<Section>)>,
    pub offer_rate: Allowance,
    pub subscriptions: BTreeMap<TrackKey, Subscription>,
    /// Who may receive its tracks; `None` is everybody.
    pub audience: Option<HashMap<String, TrackSet>>,
    pub data_rate: Allowance,
    pub data_bytes: Allowance,
    /// Of the newest reliable packet that it sent.
    pub sequence: u32,
    /// By its own handle.
    pub data_published: BTreeMap<u16, String>,
    /// By the handle that it receives: the data track's sid.
    pub data_subscribed: BTreeMap<String, u16>,
    pub data_handle: u16,
    pub health: Option<Health>,
    pub quality: Option<(ConnectionQuality, f32)>,
    /// When its token is to be refreshed.
    pub refresh_at: Instant,
    /// Clients that are told to lose their socket when they resume, for tests: how many times, and whether before the first word.
    pub cut_on_resume: Option<(u8, bool)>,
}

/// Tracks that somebody may receive.
#[derive(Clone, Debug)]
pub(super) enum TrackSet {
    /// All of the publisher's.
    All,
    /// These sids.
    Some(HashSet<String>),
}

/// What a participant has asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    pub wish: Wish,
    /// The shard was told to forward.
    pub active: bool,
    /// The shard said that it cannot.
    pub refused: bool,
    /// The subscriber was told that the publisher does not allow it.
    pub told_forbidden: bool,
}

/// One published track.
#[derive(Debug)]
pub(super) struct Track {
    pub key: TrackKey,
    pub publisher: SessionId,
    pub info: TrackInfo,
    pub cid: String,
    /// The stream that subscribers see.
    pub stream: String,
    pub layers: Vec<Layer>,
    /// An m-line for it was answered: others know of it.
    pub announced: bool,
    /// What the publisher sends, in lower case, if known.
    pub mime: String,
    /// Everybody who asked for it, whether it is forwarded to them or not.
    pub wanted_by: BTreeSet<SessionId>,
    /// How many want which quality of it now.
    pub demand: [u32; 3],
    /// The largest quality that its publisher was told to send; `None` for nothing at all.
    pub told: Option<Quality>,
    /// When a smaller one is to be told.
    pub lower_at: Option<Instant>,
    /// How loud it is, as its shard said.
    pub level: f32,
    /// Its publisher knows that it is received.
    pub received: bool,
}

/// One published data track.
#[derive(Debug)]
pub(super) struct DataTrack {
    pub publisher: SessionId,
    pub info: DataTrackInfo,
    /// With the handle that each knows it by.
    pub subscribers: BTreeMap<SessionId, u16>,
}

/// A call of the room service that waits for a client.
#[derive(Debug)]
pub(super) struct Rpc {
    pub id: String,
    pub call: CallId,
    pub callee: SessionId,
    pub acknowledged: bool,
    pub acknowledge_by: Instant,
    pub answer_by: Instant,
}

impl Room {
    /// The room as others are told.
    pub fn info(&self) -> livekit_protocol::Room {
        let seen = self.visible.iter().filter_map(|session| self.participants.get(session));
        let (mut people, mut publishers) = (0, 0);
        for participant in seen {
            people += u32::from(!participant.dependent());
            publishers += u32::from(participant.is_publisher());
        }
        livekit_protocol::Room { num_participants: people, num_publishers: publishers, ..self.info.clone() }
    }

    /// A participant as others are told.
    pub fn participant_info(&self, participant: &Participant) -> ParticipantInfo {
        let tracks = participant
            .published
            .iter()
            .filter_map(|key| self.tracks.get(key))
            .filter(|track| track.announced);
        ParticipantInfo {
            sid: participant.sid.clone(),
            identity: participant.identity().to_owned(),
            state: participant.state as i32,
            tracks: tracks.map(|track| track.info.clone()).collect(),
            metadata: participant.grants.metadata.clone(),
            joined_at: i64::try_from(participant.joined_ms / 1_000).unwrap_or(i64::MAX),
            joined_at_ms: i64::try_from(participant.joined_ms).unwrap_or(i64::MAX),
            name: participant.grants.name.clone(),
            version: participant.version,
            permission: Some(participant.permission.clone()),
            is_publisher: participant.is_publisher(),
            kind: participant.grants.participant_kind() as i32,
            attributes: participant
                .grants
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            data_tracks: participant
                .data_published
                .values()
                .filter_map(|sid| self.data_tracks.get(sid))
                .map(|track| track.info.clone())
                .collect(),
            client_protocol: participant.client.client_protocol,
            capabilities: participant.client.capabilities.clone(),
            ..ParticipantInfo::default()
        }
    }

    /// Everybody whom `but` sees.
    pub fn others(&self, but: SessionId) -> Vec<ParticipantInfo> {
        let others = self.visible.iter().filter(|session| **session != but);
        others
            .filter_map(|session| self.participants.get(session))
            .map(|other| self.participant_info(other))
            .collect()
    }

    /// The participant with this identity.
    pub fn by_identity(&self, identity: &str) -> Option<&Participant> {
        self.participants.get(self.identities.get(identity)?)
    }
}

impl Participant {
    /// Somebody who has just come in. What is said of the client is kept short: it is told to others.
    pub fn new(
        now: Now,
        session: SessionId,
        shard: ShardId,
        sid: String,
        grants: Grants,
        peers: Peers,
    ) -> Self {
        let permission = grants.permission();
        Participant {
            session,
            shard,
            sid,
            subscriber_primary: peers == Peers::Dual && permission.can_subscribe,
            permission,
            grants,
            client: ClientInfo::default(),
            joined_ms: now.unix_ms,
            joined: now.instant,
            state: participant_info::State::Joining,
            version: 1,
            peers,
            auto_subscribe: true,
            auto_subscribe_data: true,
            adaptive_stream: false,
            connection: None,
            published: BTreeSet::new(),
            queued: VecDeque::new(),
            offers: VecDeque::new(),
            offer_rate: Allowance::new(now.instant, config::OFFERS_PER_SECOND, config::OFFER_BURST),
            subscriptions: BTreeMap::new(),
            audience: None,
            data_rate: Allowance::new(now.instant, config::DATA_PER_SECOND, config::DATA_PER_SECOND),
            data_bytes: Allowance::new(
                now.instant,
                config::DATA_BYTES_PER_SECOND,
                config::DATA_BYTES_PER_SECOND,
            ),
            sequence: 0,
            data_published: BTreeMap::new(),
            data_subscribed: BTreeMap::new(),
            data_handle: 0,
            health: None,
            quality: None,
            refresh_at: now.instant,
            cut_on_resume: None,
        }
    }

    pub fn identity(&self) -> &str {
        &self.grants.identity
    }

    /// Seen by nobody.
    pub fn hidden(&self) -> bool {
        self.permission.hidden
    }

    /// Publishes something that others know of, or are about to.
    pub fn is_publisher(&self) -> bool {
        !self.published.is_empty() || !self.data_published.is_empty()
    }

    /// There because of others: an agent, a recorder. It keeps no room open and takes nobody's place.
    #[allow(deprecated, reason = "old tokens mark recorders and agents so")]
    pub fn dependent(&self) -> bool {
        use participant_info::Kind;
        self.permission.recorder
            || self.permission.agent
            || matches!(self.grants.participant_kind(), Kind::Agent | Kind::Egress)
    }

    /// Records: others are told that the room is recorded, and no publisher's audience keeps it out.
    #[allow(deprecated, reason = "old tokens mark recorders so")]
    pub fn records(&self) -> bool {
        self.permission.recorder || self.grants.participant_kind() == participant_info::Kind::Egress
    }

    /// Its media stands.
    pub fn active(&self) -> bool {
        self.state == participant_info::State::Active
    }

    /// Whether it may publish from `source`. No sources at all means all of them.
    pub fn may_publish(&self, source: i32) -> bool {
        let sources = &self.permission.can_publish_sources;
        self.permission.can_publish && !self.hidden() && (sources.is_empty() || sources.contains(&source))
    }

    /// Whether somebody may receive one of its tracks.
    pub fn admits(&self, track_sid: &str, subscriber: &Participant) -> bool {
        let Some(audience) = &self.audience else { return true };
        subscriber.records()
            || audience.get(subscriber.identity()).is_some_and(|tracks| match tracks {
                TrackSet::All => true,
                TrackSet::Some(sids) => sids.contains(track_sid),
            })
    }
}

impl Track {
    pub fn sid(&self) -> &str {
        &self.info.sid
    }

    pub fn video(&self) -> bool {
        self.info.r#type == livekit_protocol::TrackType::Video as i32
    }
}
