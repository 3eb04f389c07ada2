//! Which m-line carries which subscribed track, towards one client. It knows no SDP and no packets.
//!
//! An m-line that carried a track may carry another one only after the client was told that it rests: browsers announce a track
//! when its m-line begins to send, not when its name changes.

use str0m::media::Mid;

use crate::contract::{Kind, TrackKey};

/// One m-line on which we may send.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    mid: Mid,
    kind: Kind,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client knows that it rests.
    Free,
    /// It carries a track, and the client knows or is about to.
    Bound(TrackKey),
    /// It carried one; the client was not told yet that it rests.
    Retiring,
    /// It is being told.
    Telling,
}

/// A track that is to be carried.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Want {
    track: TrackKey,
    kind: Kind,
    stream: String,
    sid: String,
    mid: Option<Mid>,
}

/// The m-lines and tracks towards one client.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    wants: Vec<Want>,
}

impl Slots {
    /// An m-line on which we may send. Known ones stay as they are.
    pub(super) fn add(&mut self, mid: Mid, kind: Kind) {
        if !self.slots.iter().any(|slot| slot.mid == mid) {
            self.slots.push(Slot { mid, kind, state: State::Free });
        }
    }

    /// A track is to be carried. Once more for the same track changes nothing.
    pub(super) fn want(&mut self, track: TrackKey, kind: Kind, stream: String, sid: String) {
        if !self.wants.iter().any(|want| want.track == track) {
            self.wants.push(Want { track, kind, stream, sid, mid: None });
        }
    }

    /// A track is not to be carried any more. True if the client must be told.
    pub(super) fn drop(&mut self, track: TrackKey) -> bool {
        let Some(at) = self.wants.iter().position(|want| want.track == track) else {
            return false;
        };
        let want = self.wants.remove(at);
        match self.slots.iter_mut().find(|slot| Some(slot.mid) == want.mid) {
            Some(slot) => {
                slot.state = State::Retiring;
                true
            }
            None => false,
        }
    }

    /// Gives free m-lines to tracks that wait, the oldest first: (track, m-line).
    pub(super) fn assign(&mut self) -> Vec<(TrackKey, Mid)> {
        let mut assigned = Vec::new();
        for want in self.wants.iter_mut().filter(|want| want.mid.is_none()) {
            let free = self.slots.iter_mut().find(|slot| slot.state == State::Free && slot.kind == want.kind);
            if let Some(slot) = free {
                slot.state = State::Bound(want.track);
                want.mid = Some(slot.mid);
                assigned.push((want.track, slot.mid));
            }
        }
        assigned
    }

    /// A description goes to the client.
    pub(super) fn tell(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.state == State::Retiring) {
            slot.state = State::Telling;
        }
    }

    /// The client took the description.
    pub(super) fn told(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.state == State::Telling) {
            slot.state = State::Free;
        }
    }

    /// An m-line that was proposed came to nothing.
    pub(super) fn forget(&mut self, mid: Mid) {
        self.slots.retain(|slot| slot.mid != mid);
        for want in self.wants.iter_mut().filter(|want| want.mid == Some(mid)) {
            want.mid = None;
        }
    }

    /// All tracks that have an m-line.
    pub(super) fn assigned(&self) -> Vec<(TrackKey, Mid)> {
        self.wants.iter().filter_map(|want| want.mid.map(|mid| (want.track, mid))).collect()
    }

    /// M-lines that carried a track until now.
    pub(super) fn retiring(&self) -> impl Iterator<Item = Mid> {
        self.slots.iter().filter(|slot| slot.state == State::Retiring).map(|slot| slot.mid)
    }

    /// M-lines that carry nothing.
    pub(super) fn resting(&self) -> impl Iterator<Item = Mid> {
        self.slots.iter().filter(|slot| !matches!(slot.state, State::Bound(_))).map(|slot| slot.mid)
    }

    /// How many tracks of a kind have no m-line.
    pub(super) fn waiting(&self, kind: Kind) -> usize {
        self.wants.iter().filter(|want| want.kind == kind && want.mid.is_none()).count()
    }

    /// How many tracks of a kind wait, beyond the m-lines that are or will be free.
    pub(super) fn missing(&self, kind: Kind) -> usize {
        let free = self
            .slots
            .iter()
            .filter(|slot| slot.kind == kind && !matches!(slot.state, State::Bound(_)))
            .count();
        self.waiting(kind).saturating_sub(free)
    }

    /// Whether a description would change anything for the client.
    pub(super) fn unsettled(&self) -> bool {
        self.wants.iter().any(|want| want.mid.is_none())
            || self.slots.iter().any(|slot| slot.state == State::Retiring)
    }

    /// The stream and track id of the track on an m-line; `None` if it rests.
    pub(super) fn face(&self, mid: Mid) -> Option<(&str, &str)> {
        let want = self.wants.iter().find(|want| want.mid == Some(mid))?;
        Some((&want.stream, &want.sid))
    }

    /// Whether it is an m-line on which we may send.
    pub(super) fn holds(&self, mid: Mid) -> bool {
        self.slots.iter().any(|slot| slot.mid == mid)
    }

    /// The track on an m-line.
    pub(super) fn track(&self, mid: Mid) -> Option<TrackKey> {
        self.wants.iter().find(|want| want.mid == Some(mid)).map(|want| want.track)
    }

    /// From m-line to track sid, for every track that has one.
    pub(super) fn mids(&self) -> Vec<(String, String)> {
        self.wants.iter().filter_map(|want| want.mid.map(|mid| (mid.to_string(), want.sid.clone()))).collect()
    }

    /// All tracks that are wanted.
    pub(super) fn tracks(&self) -> impl Iterator<Item = TrackKey> {
        self.wants.iter().map(|want| want.track)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAMERA: TrackKey = TrackKey(1);
    const SCREEN: TrackKey = TrackKey(2);

    fn want(slots: &mut Slots, track: TrackKey) {
        slots.want(track, Kind::Video, "PA_x".into(), format!("TR_{}", track.0));
    }

    #[test]
    fn a_track_waits_for_an_m_line_of_its_kind() {
        let mut slots = Slots::default();
        slots.add("1".into(), Kind::Audio);
        want(&mut slots, CAMERA);
        assert_eq!(slots.assign(), []);
        assert_eq!((slots.missing(Kind::Video), slots.missing(Kind::Audio)), (1, 0));
        slots.add("2".into(), Kind::Video);
        assert_eq!(slots.missing(Kind::Video), 0);
        assert_eq!(slots.assign(), [(CAMERA, "2".into())]);
        assert!(!slots.unsettled());
        assert_eq!(slots.mids(), [("2".to_owned(), "TR_1".to_owned())]);
    }

    #[test]
    fn an_m_line_is_given_again_only_after_the_client_heard_that_it_rests() {
        let mut slots = Slots::default();
        slots.add("2".into(), Kind::Video);
        want(&mut slots, CAMERA);
        slots.assign();
        assert!(slots.drop(CAMERA));
        want(&mut slots, SCREEN);
        assert_eq!(slots.assign(), []);
        assert_eq!(slots.face("2".into()), None);
        assert_eq!(slots.missing(Kind::Video), 0, "the m-line will be free: no other is needed");
        slots.tell();
        assert_eq!(slots.assign(), []);
        slots.told();
        assert_eq!(slots.assign(), [(SCREEN, "2".into())]);
    }

    #[test]
    fn what_ends_while_a_description_is_under_way_is_told_with_the_next() {
        let mut slots = Slots::default();
        slots.add("2".into(), Kind::Video);
        want(&mut slots, CAMERA);
        slots.assign();
        slots.tell();
        slots.drop(CAMERA);
        slots.told();
        assert!(slots.unsettled());
        assert_eq!(slots.retiring().count(), 1);
    }

    proptest! {
        #[test]
        fn no_m_line_carries_two_tracks(steps in proptest::collection::vec((0u8..6, 0u64..8), 0..80)) {
            let mut slots = Slots::default();
            for (step, n) in steps {
                match step {
                    0 => slots.add(Mid::from(n.to_string().as_str()), Kind::Video),
                    1 => want(&mut slots, TrackKey(n)),
                    2 => { slots.drop(TrackKey(n)); }
                    3 => { slots.assign(); }
                    4 => slots.tell(),
                    _ => slots.told(),
                }
                let mut mids: Vec<_> = slots.mids().into_iter().map(|(mid, _)| mid).collect();
                let all = mids.len();
                mids.sort();
                mids.dedup();
                prop_assert_eq!(mids.len(), all);
            }
        }
    }
}
