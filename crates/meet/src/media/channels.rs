//! The data channels of one session, by the labels that `LiveKit` clients give them. What is said on them is not its affair.
//!
//! Nothing waits without bound: a reliable channel that does not drain ends its session, a lossy one drops.

use std::collections::VecDeque;

use bytes::Bytes;
use str0m::channel::ChannelId;

use super::MediaConfig;
use super::peer::Peer;
use crate::contract::{Channel, Target};

/// All channels with their labels; the last says whether they are reliable and ordered.
pub(super) const LABELS: [(Channel, &str, bool); 3] = [
    (Channel::Reliable, "_reliable", true),
    (Channel::Lossy, "_lossy", false),
    (Channel::DataTrack, "_data_track", false),
];

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is on its way, or waits for its channel to open.
    Yes,
    /// There was no room, and its channel allows loss.
    Dropped,
    /// There was no room, and its channel allows none.
    TooSlow,
}

/// The data channels of one session.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: Vec<(Target, ChannelId, Channel)>,
    /// Reliable messages from before their channel opened.
    early: VecDeque<Bytes>,
    early_bytes: usize,
}

impl Channels {
    /// A channel opened. True if its label is one of ours.
    pub(super) fn opened(&mut self, target: Target, id: ChannelId, label: &str) -> bool {
        let Some((channel, ..)) = LABELS.iter().find(|(_, known, _)| *known == label) else {
            return false;
        };
        self.open.retain(|(at, _, of)| (*at, *of) != (target, *channel));
        self.open.push((target, id, *channel));
        true
    }

    /// A channel is gone.
    pub(super) fn closed(&mut self, target: Target, id: ChannelId) {
        self.open.retain(|(at, known, _)| (*at, *known) != (target, id));
    }

    /// Which channel it is.
    pub(super) fn channel(&self, target: Target, id: ChannelId) -> Option<Channel> {
        self.open.iter().find(|(at, known, _)| (*at, *known) == (target, id)).map(|(.., channel)| *channel)
    }

    fn id(&self, target: Target, channel: Channel) -> Option<ChannelId> {
        self.open.iter().find(|(at, _, of)| (*at, *of) == (target, channel)).map(|(_, id, _)| *id)
    }

    /// Sends a message towards the client, on the peer connection `target`.
    pub(super) fn send(
        &mut self,
        config: &MediaConfig,
        peer: &mut Peer,
        target: Target,
        channel: Channel,
        bytes: &Bytes,
    ) -> Sent {
        let reliable = channel == Channel::Reliable;
        let Some((id, waiting)) =
            self.id(target, channel).and_then(|id| peer.waiting(id).map(|bytes| (id, bytes)))
        else {
            if !reliable {
                return Sent::Dropped;
            }
            if self.early_bytes + bytes.len() > config.reliable_buffer {
                return Sent::TooSlow;
            }
            self.early_bytes += bytes.len();
            self.early.push_back(bytes.clone());
            return Sent::Yes;
        };
        let most = if reliable { config.reliable_buffer } else { config.lossy_buffer };
        if waiting + bytes.len() <= most && peer.send(id, bytes) {
            Sent::Yes
        } else if reliable {
            Sent::TooSlow
        } else {
            Sent::Dropped
        }
    }

    /// Sends what waited for the reliable channel to open. False if it does not take it.
    pub(super) fn flush(&mut self, peer: &mut Peer, target: Target) -> bool {
        let Some(id) = self.id(target, Channel::Reliable).filter(|id| peer.waiting(*id).is_some()) else {
            return true;
        };
        self.early_bytes = 0;
        self.early.drain(..).all(|bytes| peer.send(id, &bytes))
    }
}
