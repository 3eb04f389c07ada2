//! Continuity: what a receiver sees is one stream, whatever it is made of.
//!
//! One [`Rewriter`] per subscription. Layers are switched, packets withheld, publishers begin anew; the receiver's sequence numbers
//! have no holes but those of real loss (which retransmission then fills), its timestamps go forward as fast as time does, its VP8
//! picture ids count on. It decides nothing: who calls it decides what is forwarded.

use std::time::{Duration, Instant};

use str0m::rtp::Vp8Patch;

use super::packet::MediaPacket;

/// How far timestamps may jump by what sender reports say; beyond, arrival decides.
const LONGEST_GAP: Duration = Duration::from_secs(10);
/// Packets left out whose places are remembered, so that late packets around them keep theirs.
const HOLES: usize = 32;

/// The continuity of one subscription.
#[derive(Debug, Default)]
pub(super) struct Rewriter {
    source: Option<Source>,
    last: Option<Last>,
}

/// The stream that is forwarded now.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    /// Earlier packets belong to before the switch.
    first: u64,
    newest: u64,
    /// Out is in plus this, for packets from `since` on; the newest last.
    shifts: Vec<Shift>,
    time: u32,
    picture: u16,
    tl0: u8,
}

#[derive(Clone, Copy, Debug)]
struct Shift {
    since: u64,
    by: i64,
}

/// The newest packet that went out.
#[derive(Clone, Copy, Debug)]
struct Last {
    seq: u64,
    time: u32,
    arrival: Instant,
    captured: Option<Duration>,
    picture: Option<u16>,
    tl0: Option<u8>,
}

/// What a packet becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// Sequence number with roll-overs; the first is below 65,536.
    pub(super) seq: u64,
    /// Timestamp.
    pub(super) time: u32,
    /// Bytes of the VP8 descriptor to change.
    pub(super) patch: Option<Vp8Patch>,
}

impl Rewriter {
    /// The stream stops here: the next packet continues it, with no hole in sequence numbers and with time gone by.
    pub(super) fn interrupt(&mut self) {
        self.source = None;
    }

    /// Whether this packet belongs to the stream that is forwarded now.
    pub(super) fn follows(&self, packet: &MediaPacket) -> bool {
        self.source.as_ref().is_some_and(|source| source.ssrc == packet.ssrc)
    }

    /// Continues with the stream that begins at this packet.
    pub(super) fn switch(&mut self, packet: &MediaPacket) {
        let source = match self.last {
            None => Source {
                ssrc: packet.ssrc,
                first: packet.seq,
                newest: packet.seq,
                // Without roll-overs, which a new receiver could not know.
                shifts: vec![Shift {
                    since: packet.seq,
                    by: shift_between(packet.seq, (packet.seq & 0x3FFF) + 1),
                }],
                time: 0,
                picture: 0,
                tl0: 0,
            },
            Some(last) => {
                let time = last.time.wrapping_add(ticks_between(&last, packet));
                let picture = |vp8: &str0m::rtp::Vp8Descriptor| {
                    Some(last.picture?.wrapping_add(1).wrapping_sub(vp8.picture_id()?))
                };
                let tl0 = |vp8: &str0m::rtp::Vp8Descriptor| {
                    Some(last.tl0?.wrapping_add(1).wrapping_sub(vp8.tl0_pic_idx()?))
                };
                Source {
                    ssrc: packet.ssrc,
                    first: packet.seq,
                    newest: packet.seq,
                    shifts: vec![Shift { since: packet.seq, by: shift_between(packet.seq, last.seq + 1) }],
                    time: time.wrapping_sub(packet.time),
                    picture: packet.vp8.as_ref().and_then(picture).unwrap_or(0),
                    tl0: packet.vp8.as_ref().and_then(tl0).unwrap_or(0),
                }
            }
        };
        self.source = Some(source);
    }

    /// Leaves a packet out for good: those after it close up.
    pub(super) fn omit(&mut self, packet: &MediaPacket) {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == packet.ssrc) else {
            return;
        };
        // A late one leaves a hole: packets after it have gone out.
        if packet.seq > source.newest {
            source.newest = packet.seq;
            let by = source.shifts.last().map_or(0, |shift| shift.by) - 1;
            if source.shifts.len() >= HOLES {
                source.shifts.remove(0);
            }
            source.shifts.push(Shift { since: packet.seq + 1, by });
        }
    }

    /// What the packet becomes; `None` if its place is in the past of a switch.
    pub(super) fn rewrite(&mut self, packet: &MediaPacket) -> Option<Rewritten> {
        let source = self.source.as_mut().filter(|source| source.ssrc == packet.ssrc)?;
        if packet.seq < source.first {
            return None;
        }
        let by = source.shifts.iter().rev().find(|shift| packet.seq >= shift.since)?.by;
        let seq = packet.seq.checked_add_signed(by)?;
        let time = packet.time.wrapping_add(source.time);
        let (picture, tl0, patch) = pictures(packet, source);
        if packet.seq >= source.newest {
            source.newest = packet.seq;
            self.last = Some(Last {
                seq,
                time,
                arrival: packet.arrival,
                captured: packet.captured,
                picture: picture.or(self.last.and_then(|last| last.picture)),
                tl0: tl0.or(self.last.and_then(|last| last.tl0)),
            });
        }
        Some(Rewritten { seq, time, patch })
    }
}

fn pictures(packet: &MediaPacket, source: &Source) -> (Option<u16>, Option<u8>, Option<Vp8Patch>) {
    let Some(vp8) = &packet.vp8 else {
        return (None, None, None);
    };
    let picture = vp8.picture_id().map(|id| id.wrapping_add(source.picture) & 0x7FFF);
    let tl0 = vp8.tl0_pic_idx().map(|id| id.wrapping_add(source.tl0));
    if source.picture == 0 && source.tl0 == 0 {
        return (picture, tl0, None);
    }
    let build = |mask: u16| {
        let mut patch = vp8.patch();
        if let Some(picture) = picture {
            patch = patch.picture_id(picture & mask);
        }
        if let Some(tl0) = tl0 {
            patch = patch.tl0_pic_idx(tl0);
        }
        patch.build()
    };
    // A descriptor with room for 7 bits only.
    let patch = build(0x7FFF).or_else(|_| build(0x7F)).ok();
    (picture, tl0, patch)
}

fn shift_between(from: u64, to: u64) -> i64 {
    to.cast_signed().wrapping_sub(from.cast_signed())
}

/// How much later a packet was captured than the last that went out, at least one tick.
fn ticks_between(last: &Last, packet: &MediaPacket) -> u32 {
    let arrived = packet.arrival.saturating_duration_since(last.arrival);
    let apart = match (last.captured, packet.captured) {
        (Some(before), Some(after)) => {
            let captured = after.saturating_sub(before);
            let off = captured.abs_diff(arrived);
            if off < LONGEST_GAP { captured } else { arrived }
        }
        _ => arrived,
    };
    let ticks = apart.as_nanos() * u128::from(packet.format.clock()) / 1_000_000_000;
    u32::try_from(ticks).unwrap_or(u32::MAX >> 2).max(1)
}
