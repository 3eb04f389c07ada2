//! One published track and those who receive it.

use str0m::media::{Mid, Pt};
use str0m::rtp::Ssrc;

use super::layers::{Selector, Streams, Verdict};
use super::packet::{Format, MediaPacket};
use super::rewrite::Rewriter;
use super::speakers::Voice;
use crate::contract::{Kind, Layer, Quality, RoomKey, ShardId, TrackKey, Wish};

/// Where a track is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// Here, by this session, on this m-line once it is known.
    Here { session: usize, mid: Option<Mid> },
    /// By another shard.
    There(ShardId),
    /// Somebody subscribed before its publication was ordered.
    Unknown,
}

/// One published track.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub(super) struct Track {
    pub(super) key: TrackKey,
    pub(super) kind: Kind,
    pub(super) home: Home,
    pub(super) room: Option<RoomKey>,
    pub(super) exempt: bool,
    pub(super) muted: bool,
    /// Its packets are not forwarded because others are louder.
    pub(super) withheld: bool,
    /// Of pictures: who sends them speaks.
    pub(super) speaking: bool,
    pub(super) layers: Vec<Layer>,
    /// What came last: told once.
    pub(super) format: Option<Format>,
    pub(super) streams: Streams,
    pub(super) voice: Voice,
    pub(super) subscribers: Vec<Subscription>,
    /// Other shards with subscribers.
    pub(super) shards: Vec<ShardId>,
}

impl Track {
    pub(super) fn new(key: TrackKey, kind: Kind, home: Home) -> Self {
        Self {
            key,
            kind,
            home,
            room: None,
            exempt: false,
            muted: false,
            withheld: false,
            speaking: false,
            layers: Vec::new(),
            format: None,
            streams: Streams::default(),
            voice: Voice::default(),
            subscribers: Vec::new(),
            shards: Vec::new(),
        }
    }

    /// One session's subscription.
    pub(super) fn subscription(&mut self, session: usize) -> Option<&mut Subscription> {
        self.subscribers.iter_mut().find(|subscription| subscription.session == session)
    }

    /// Whether packets are forwarded at all.
    pub(super) fn silent(&self) -> bool {
        self.muted || self.withheld
    }

    /// Every receiver's stream stops here for now.
    pub(super) fn interrupt(&mut self) {
        for subscription in &mut self.subscribers {
            subscription.interrupt();
        }
    }

    /// Every receiver that waits for a key frame waits for the one that is asked for now.
    pub(super) fn want_keys(&mut self) {
        for subscription in &self.subscribers {
            if let Some(layer) = subscription.selector.awaits() {
                self.streams.want_key(layer);
            }
        }
    }
}

/// What goes out to a subscriber, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outgoing {
    format: Format,
    /// `None` if the subscriber cannot take it.
    pt: Option<Pt>,
    /// The redundancy is taken off.
    plain: bool,
}

/// One subscriber of one track.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) session: usize,
    pub(super) wish: Wish,
    /// The m-line and stream, once it has one.
    pub(super) bound: Option<(Mid, Ssrc)>,
    outgoing: Option<Outgoing>,
    pub(super) selector: Selector,
    pub(super) rewriter: Rewriter,
    /// Paused for want of bandwidth, and said so.
    pub(super) paused: bool,
}

/// How a packet goes out to one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As it is or without its redundancy, with this payload type, on this stream.
    Send { ssrc: Ssrc, pt: Pt, plain: bool },
    /// Not at all.
    Drop,
    /// Not at all before a key frame of this layer.
    Wait(Quality),
    /// The subscriber cannot take its format.
    Refuse,
}

impl Subscription {
    pub(super) fn new(session: usize, wish: Wish) -> Self {
        Self {
            session,
            wish,
            bound: None,
            outgoing: None,
            selector: Selector::default(),
            rewriter: Rewriter::default(),
            paused: false,
        }
    }

    /// The stream stops here for now.
    pub(super) fn interrupt(&mut self) {
        self.rewriter.interrupt();
        self.selector.lose();
    }

    /// It has an m-line, and a stream of its own on it.
    pub(super) fn bind(&mut self, mid: Mid, ssrc: Ssrc) {
        self.bound = Some((mid, ssrc));
        self.rewriter = Rewriter::default();
        self.outgoing = None;
    }

    /// What becomes of a packet. `negotiated` is asked when the format changes: the payload type for it, and for it in RED.
    pub(super) fn way(
        &mut self,
        kind: Kind,
        packet: &MediaPacket,
        negotiated: impl FnOnce(Mid, Format) -> Option<(Pt, Option<Pt>)>,
    ) -> Way {
        let Some((mid, ssrc)) = self.bound else {
            return Way::Drop;
        };
        if !self.wish.enabled {
            return Way::Drop;
        }
        if kind == Kind::Audio {
            if !self.rewriter.follows(packet) {
                self.rewriter.switch(packet);
            }
        } else {
            match self.selector.admit(packet.layer, packet.key) {
                Verdict::Forward if self.rewriter.follows(packet) => {}
                // The publisher began anew under another number: only a key frame follows on what was.
                Verdict::Forward if !packet.key => {
                    self.selector.lose();
                    return Way::Wait(packet.layer);
                }
                Verdict::Forward | Verdict::Switch => self.rewriter.switch(packet),
                Verdict::Drop if self.selector.awaits() == Some(packet.layer) => {
                    return Way::Wait(packet.layer);
                }
                Verdict::Drop => return Way::Drop,
            }
        }
        if packet.payload.is_empty() {
            self.rewriter.omit(packet);
            return Way::Drop;
        }
        let outgoing = self
            .outgoing
            .filter(|outgoing| outgoing.format == packet.format)
            .unwrap_or_else(|| choose(packet.format, negotiated(mid, packet.format), &packet.payload));
        self.outgoing = Some(outgoing);
        match outgoing.pt {
            Some(pt) => Way::Send { ssrc, pt, plain: outgoing.plain },
            None => Way::Refuse,
        }
    }
}

fn choose(format: Format, negotiated: Option<(Pt, Option<Pt>)>, payload: &[u8]) -> Outgoing {
    let Some((pt, red)) = negotiated else {
        return Outgoing { format, pt: None, plain: false };
    };
    if !format.red {
        return Outgoing { format, pt: Some(pt), plain: false };
    }
    // The blocks of a RED payload name the publisher's payload type; a subscriber with another one could not read them.
    let same = payload.first().is_some_and(|first| first & 0x7F == *pt);
    match red.filter(|_| same) {
        Some(red) => Outgoing { format, pt: Some(red), plain: false },
        None => Outgoing { format, pt: Some(pt), plain: true },
    }
}
