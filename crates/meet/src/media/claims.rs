//! Which m-line of a client carries which track that it publishes. Announcement and offer come in either order.
//!
//! They find each other by the track id of the m-line's `msid`, which clients announce as the track's `cid`. Firefox may name a
//! track otherwise in its SDP; then the first unclaimed m-line and the first waiting track of a kind belong together.

use str0m::media::Mid;

use super::sdp::{Face, Line};
use crate::contract::{Kind, TrackKey};

/// An m-line on which the client sends.
#[derive(Clone, Debug)]
struct Incoming {
    mid: Mid,
    kind: Kind,
    cid: Option<String>,
    track: Option<TrackKey>,
    face: Face,
}

/// A track without an m-line.
#[derive(Clone, Debug)]
struct Waiting {
    track: TrackKey,
    kind: Kind,
    cid: String,
    face: Face,
}

/// The m-lines and tracks from one client.
#[derive(Debug, Default)]
pub(super) struct Claims {
    lines: Vec<Incoming>,
    waiting: Vec<Waiting>,
}

impl Claims {
    /// The client offered these m-lines: which tracks found theirs.
    pub(super) fn offered(&mut self, lines: &[Line]) -> Vec<(TrackKey, Mid)> {
        for line in lines {
            let Some(kind) = line.kind else { continue };
            let known = self.lines.iter().position(|known| known.mid == line.mid);
            match known {
                Some(at) if line.sends => self.lines[at].cid.clone_from(&line.track),
                // A track that stopped may come back on another m-line; it waits for it under its name.
                Some(at) => {
                    self.lines.remove(at);
                }
                None if line.sends => {
                    self.lines.push(Incoming {
                        mid: line.mid,
                        kind,
                        cid: line.track.clone(),
                        track: None,
                        face: Face::Plain,
                    });
                }
                None => {}
            }
        }
        self.find()
    }

    /// The client may send this track, on an m-line with this face: which tracks found theirs.
    pub(super) fn publish(
        &mut self,
        track: TrackKey,
        kind: Kind,
        cid: String,
        face: Face,
    ) -> Vec<(TrackKey, Mid)> {
        self.waiting.push(Waiting { track, kind, cid, face });
        self.find()
    }

    fn find(&mut self) -> Vec<(TrackKey, Mid)> {
        let mut found = Vec::new();
        let lines = &mut self.lines;
        for by_name in [true, false] {
            self.waiting.retain(|waiting| {
                let line = lines.iter_mut().find(|line| {
                    line.track.is_none()
                        && line.kind == waiting.kind
                        && (!by_name || line.cid.as_ref() == Some(&waiting.cid))
                });
                let Some(line) = line else { return true };
                line.track = Some(waiting.track);
                line.face = waiting.face.clone();
                found.push((waiting.track, line.mid));
                false
            });
        }
        found
    }

    /// The client sends this track no more.
    pub(super) fn unpublish(&mut self, track: TrackKey) {
        self.waiting.retain(|waiting| waiting.track != track);
        // Its m-line is claimed by nobody until the client offers it anew, under another name.
        self.lines.retain(|line| line.track != Some(track));
    }

    /// What an m-line shows.
    pub(super) fn face(&self, mid: Mid) -> Face {
        self.lines.iter().find(|line| line.mid == mid).map_or(Face::Plain, |line| line.face.clone())
    }

    /// The track on an m-line.
    pub(super) fn track(&self, mid: Mid) -> Option<TrackKey> {
        self.lines.iter().find(|line| line.mid == mid)?.track
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(mid: &str, kind: Kind, cid: &str, sends: bool) -> Line {
        Line { mid: mid.into(), kind: Some(kind), sends, receives: false, track: Some(cid.into()) }
    }

    #[test]
    fn announcement_and_offer_meet_in_either_order() {
        let mut claims = Claims::default();
        assert_eq!(claims.publish(TrackKey(1), Kind::Audio, "mic".into(), Face::Plain), []);
        let both = [line("3", Kind::Audio, "mic", true), line("4", Kind::Video, "cam", true)];
        assert_eq!(claims.offered(&both), [(TrackKey(1), "3".into())]);
        assert_eq!(
            claims.publish(TrackKey(2), Kind::Video, "cam".into(), Face::Plain),
            [(TrackKey(2), "4".into())]
        );
        assert_eq!(claims.track("4".into()), Some(TrackKey(2)));
    }

    #[test]
    fn names_come_before_order() {
        let mut claims = Claims::default();
        claims.publish(TrackKey(1), Kind::Video, "cam".into(), Face::Plain);
        claims.publish(TrackKey(2), Kind::Video, "screen".into(), Face::Plain);
        let found = claims.offered(&[line("5", Kind::Video, "screen", true)]);
        assert_eq!(found, [(TrackKey(2), "5".into())]);
    }

    #[test]
    fn a_track_that_its_sdp_names_otherwise_takes_the_next_m_line_of_its_kind() {
        let mut claims = Claims::default();
        claims.publish(TrackKey(1), Kind::Video, "{cid}".into(), Face::Plain);
        assert_eq!(
            claims.offered(&[line("0", Kind::Audio, "a", true), line("1", Kind::Video, "{other}", true)]),
            [(TrackKey(1), "1".into())]
        );
    }

    #[test]
    fn a_track_that_ended_leaves_its_m_line_unclaimed() {
        let mut claims = Claims::default();
        claims.publish(TrackKey(1), Kind::Video, "cam".into(), Face::Plain);
        claims.offered(&[line("1", Kind::Video, "cam", true)]);
        claims.unpublish(TrackKey(1));
        assert_eq!(claims.publish(TrackKey(2), Kind::Video, "screen".into(), Face::Plain), []);
        claims.offered(&[line("1", Kind::Video, "cam", false)]);
        assert_eq!(claims.offered(&[line("1", Kind::Video, "screen", true)]), [(TrackKey(2), "1".into())]);
    }
}
