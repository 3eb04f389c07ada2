//! How the others are doing: who speaks, how well each is connected, which pictures are paused.

use std::collections::BTreeSet;

use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    ConnectionQuality, ConnectionQualityInfo, ConnectionQualityUpdate, SpeakerInfo, SpeakersChanged,
    StreamState, StreamStateInfo, StreamStateUpdate,
};

use super::effects::{Effects, frame};
use super::state::Room;
use crate::contract::{Health, SessionId, TrackKey};

/// Levels are told in so many steps, so that small changes are no news; as in `LiveKit`.
const STEPS: f32 = 8.0;

impl Room {
    /// Tracks became louder or quieter.
    pub fn levels(&mut self, fx: &mut Effects, levels: &[(TrackKey, f32)]) {
        let mut touched = BTreeSet::new();
        for (key, level) in levels {
            if let Some(track) = self.tracks.get_mut(key).filter(|track| !track.info.muted && !track.video())
            {
                track.level = if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.0 };
                touched.insert(track.publisher);
            }
        }
        self.speakers_changed(fx, touched.into_iter());
    }

    /// The loudest track of each of these is their level; what changed by a step is told to everybody.
    pub fn speakers_changed(&mut self, fx: &mut Effects, sessions: impl Iterator<Item = SessionId>) {
        let mut changes = Vec::new();
        for session in sessions {
            let Some(participant) = self.participants.get(&session) else { continue };
            let level = participant
                .published
                .iter()
                .filter_map(|key| self.tracks.get(key))
                .fold(0.0_f32, |loudest, track| loudest.max(track.level));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
            let step = (level * STEPS).ceil() as u8;
            let before = self.speakers.get(&session).copied().unwrap_or(0);
            if step == before {
                continue;
            }
            changes.push(speaker(&participant.sid, step));
            if step == 0 {
                self.speakers.remove(&session);
            } else {
                self.speakers.insert(session, step);
            }
        }
        if !changes.is_empty() {
            let message = frame(Message::SpeakersChanged(SpeakersChanged { speakers: changes }));
            self.broadcast(fx, &message, None);
        }
    }

    /// Who speaks now, for one who has just come.
    pub fn send_speakers(&self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        let speakers: Vec<SpeakerInfo> = self
            .speakers
            .iter()
            .filter_map(|(speaking, step)| Some(speaker(&self.participants.get(speaking)?.sid, *step)))
            .collect();
        if !speakers.is_empty() {
            fx.send(participant.connection, Message::SpeakersChanged(SpeakersChanged { speakers }));
        }
    }

    /// How well somebody is served. News for itself and for those who receive from it.
    pub fn health(&mut self, fx: &mut Effects, session: SessionId, health: Health) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        participant.health = Some(health);
        // Nothing came yet: there is nothing to say of the way.
        if !health.heard {
            return;
        }
        let score = score(&health);
        let quality = match score {
            score if score >= 4.0 => ConnectionQuality::Excellent,
            score if score >= 3.0 => ConnectionQuality::Good,
            _ => ConnectionQuality::Poor,
        };
        let news = participant.quality.is_none_or(|(before, _)| before != quality);
        participant.quality = Some((quality, score));
        if news {
            self.tell_quality(fx, session, quality, score, true);
        }
    }

    /// A socket is gone: others see that, until it is back. Never said to whom it concerns: a client that hears that it is lost
    /// while it publishes begins anew.
    pub fn lost(&mut self, fx: &mut Effects, session: SessionId) {
        self.tell_quality(fx, session, ConnectionQuality::Lost, 0.0, false);
    }

    /// A socket is back.
    pub fn found(&mut self, fx: &mut Effects, session: SessionId) {
        if let Some((quality, score)) =
            self.participants.get(&session).and_then(|participant| participant.quality)
        {
            self.tell_quality(fx, session, quality, score, false);
        }
    }

    fn tell_quality(
        &self,
        fx: &mut Effects,
        about: SessionId,
        quality: ConnectionQuality,
        score: f32,
        itself: bool,
    ) {
        let Some(participant) = self.participants.get(&about) else { return };
        let info = quality_info(&participant.sid, quality, score);
        let message = frame(Message::ConnectionQuality(ConnectionQualityUpdate { updates: vec![info] }));
        let mut to: BTreeSet<SessionId> = BTreeSet::new();
        for track in participant.published.iter().filter_map(|key| self.tracks.get(key)) {
            to.extend(track.wanted_by.iter().copied());
        }
        if itself {
            to.insert(about);
        }
        for connection in to.iter().filter_map(|session| self.participants.get(session)?.connection) {
            fx.send_frame(connection, message.clone());
        }
    }

    /// Somebody begins to receive a track: how its publisher is connected.
    pub fn send_quality_to(&self, fx: &mut Effects, session: SessionId, key: TrackKey) {
        let Some(publisher) = self.tracks.get(&key).and_then(|track| self.participants.get(&track.publisher))
        else {
            return;
        };
        let Some((quality, score)) = publisher.quality else { return };
        let updates = vec![quality_info(&publisher.sid, quality, score)];
        let connection = self.participants.get(&session).and_then(|participant| participant.connection);
        fx.send(connection, Message::ConnectionQuality(ConnectionQualityUpdate { updates }));
    }

    /// Pictures are paused for want of bandwidth, or run again.
    pub fn paused(&self, fx: &mut Effects, session: SessionId, key: TrackKey, paused: bool) {
        let Some(participant) = self.participants.get(&session) else { return };
        let Some(track) = self.tracks.get(&key) else { return };
        let Some(publisher) = self.participants.get(&track.publisher) else { return };
        let state = if paused { StreamState::Paused } else { StreamState::Active };
        let stream_states = vec![StreamStateInfo {
            participant_sid: publisher.sid.clone(),
            track_sid: track.sid().to_owned(),
            state: state as i32,
        }];
        fx.send(participant.connection, Message::StreamStateUpdate(StreamStateUpdate { stream_states }));
    }
}

fn speaker(sid: &str, step: u8) -> SpeakerInfo {
    SpeakerInfo { sid: sid.to_owned(), level: f32::from(step) / STEPS, active: step > 0 }
}

fn quality_info(sid: &str, quality: ConnectionQuality, score: f32) -> ConnectionQualityInfo {
    ConnectionQualityInfo { participant_sid: sid.to_owned(), quality: quality as i32, score }
}

/// How it feels, from 1 to 5. The worse direction counts. Loss weighs 4 points of 100 for each percent, because lost packets are
/// sent again or carried twice; delay weighs as in ITU-T G.107: little below 160 ms one way, much above; half of what was
/// wanted in bandwidth is as bad as 10 % loss.
fn score(health: &Health) -> f32 {
    let loss = health.loss_up.max(health.loss_down).clamp(0.0, 1.0) * 100.0;
    let delay = health.round_trip.map_or(0.0, |round_trip| round_trip.as_secs_f32() * 1_000.0 / 2.0);
    let delay_cost = if delay < 160.0 { delay / 40.0 } else { (delay - 120.0) / 10.0 };
    #[allow(clippy::cast_precision_loss, reason = "a ratio of bit rates")]
    let shortage = match health.estimate {
        Some(estimate) if estimate < health.desired => 1.0 - estimate as f32 / health.desired as f32,
        _ => 0.0,
    };
    let points = (100.0 - 4.0 * loss - delay_cost - 80.0 * shortage).clamp(0.0, 100.0);
    1.0 + points / 25.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn health() -> Health {
        Health {
            loss_up: 0.0,
            loss_down: 0.0,
            round_trip: Some(Duration::from_millis(40)),
            estimate: None,
            desired: 0,
            heard: true,
            packets_up: 1,
            packets_down: 1,
        }
    }

    #[test]
    fn a_score_falls_with_loss_delay_and_shortage() {
        assert!(score(&health()) > 4.9);
        assert!(score(&Health { loss_down: 0.05, ..health() }) > 4.0);
        assert!(score(&Health { loss_up: 0.10, ..health() }) < 4.0);
        assert!(score(&Health { loss_up: 0.20, ..health() }) < 3.0);
        assert!(score(&Health { round_trip: Some(Duration::from_millis(900)), ..health() }) < 4.0);
        assert!(score(&Health { estimate: Some(500_000), desired: 1_000_000, ..health() }) < 4.0);
        assert!(score(&Health { estimate: Some(100_000), desired: 1_000_000, ..health() }) < 3.0);
        assert!((score(&Health { loss_up: f32::INFINITY, ..health() }) - 1.0).abs() < f32::EPSILON);
    }
}
