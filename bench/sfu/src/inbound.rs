//! One received stream: whether what a forwarding unit made of it is right.
//!
//! Sequence numbers and times must go on as if there were one sender, whatever was switched behind them; a new picture must
//! begin with its key frame. It knows what was sent from the marks, and never looks at what is between header and mark but for the
//! VP8 payload descriptor.

use std::collections::BTreeSet;

use str0m::rtp::Vp8Descriptor;

use crate::mark::Mark;
use crate::tally::{Fault, Tally};

/// Missing packets that are remembered, of each stream.
const REMEMBERED: usize = 2_000;

/// What is looked at of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Extended sequence number.
    pub sequence: u64,
    /// RTP time.
    pub time: u32,
    /// Everything behind the header.
    pub payload: &'a [u8],
}

/// What came last in the order of sequence numbers.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u64,
    time: u32,
    mark: Mark,
    picture_id: Option<u16>,
    tl0: Option<u8>,
}

/// One SSRC.
#[derive(Debug, Default)]
pub struct Inbound {
    /// For reports of faults: whose it is.
    pub label: String,
    /// Pictures, not sound.
    pub video: bool,
    /// It began without a key frame: a decoder would ask for one.
    pub blind: bool,
    /// Packets so far.
    pub packets: u64,
    /// The layer and source that came last.
    pub newest: Option<(u16, u8)>,
    highest: Option<u64>,
    last: Option<Last>,
    /// Packets without payload since `last`: what a probe for bandwidth fills the time with.
    padding: u64,
    missing: BTreeSet<u64>,
}

impl Inbound {
    /// A stream of which nothing has come yet.
    pub fn new(label: String, video: bool) -> Self {
        Self { label, video, ..Self::default() }
    }

    /// Takes a packet in the order of arrival; `arrived` is in microseconds since 1970.
    pub fn take(&mut self, packet: Packet<'_>, arrived: u64, tally: &mut Tally) {
        self.packets += 1;
        let sequence = packet.sequence;
        match self.highest {
            Some(highest) if sequence <= highest => {
                if self.missing.remove(&sequence) {
                    tally.recovered += 1;
                } else if sequence + 1_000 > highest {
                    tally.fault(Fault::Twice, || {
                        format!("{}: sequence {sequence} after {highest}", self.label)
                    });
                }
                self.count(packet, arrived, tally, false);
                return;
            }
            Some(highest) => {
                let gap = sequence - highest - 1;
                tally.missing += gap;
                self.missing.extend((highest + 1..sequence).take(REMEMBERED));
                while self.missing.len() > REMEMBERED {
                    self.missing.pop_first();
                }
            }
            None => {}
        }
        self.highest = Some(sequence);
        self.count(packet, arrived, tally, true);
    }

    fn count(&mut self, packet: Packet<'_>, arrived: u64, tally: &mut Tally, in_order: bool) {
        if packet.payload.is_empty() {
            self.padding += u64::from(in_order);
            return;
        }
        tally.packets += 1;
        tally.bytes += packet.payload.len() as u64;
        let Some(mark) = Mark::read(packet.payload) else {
            tally.fault(Fault::Mangled, || {
                format!("{}: {} bytes without a mark", self.label, packet.payload.len())
            });
            return;
        };
        if !in_order {
            return;
        }
        tally.delays.push(u32::try_from(arrived.saturating_sub(mark.sent)).unwrap_or(u32::MAX));
        let video = self.video;
        let descriptor = if video { Vp8Descriptor::parse(packet.payload).ok() } else { None };
        let now = Last {
            sequence: packet.sequence,
            time: packet.time,
            mark,
            picture_id: descriptor.as_ref().and_then(Vp8Descriptor::picture_id),
            tl0: descriptor.as_ref().and_then(Vp8Descriptor::tl0_pic_idx),
        };
        match self.last {
            None if video && !(mark.key && mark.begins) => {
                self.blind = true;
                tally.fault(Fault::BeganWithoutKey, || format!("{}: began with {mark:?}", self.label));
            }
            None => {}
            Some(last) => self.compare(last, now, video, tally),
        }
        self.newest = Some((mark.source, mark.layer));
        self.last = Some(now);
        self.padding = 0;
    }

    /// What follows in sequence must follow in everything else.
    fn compare(&self, last: Last, now: Last, video: bool, tally: &mut Tally) {
        let says =
            |what: &str| format!("{}: {what}: {last:?} then {now:?}, {} padding", self.label, self.padding);
        let steps = now.sequence - last.sequence - self.padding.min(now.sequence - last.sequence - 1);
        let elapsed = now.time.wrapping_sub(last.time).cast_signed();
        if elapsed < 0 {
            tally.fault(Fault::TimeBack, || says("time goes back"));
        }
        let same = (last.mark.source, last.mark.layer) == (now.mark.source, now.mark.layer);
        if !same {
            tally.switches += 1;
            if video && steps == 1 && !(now.mark.key && now.mark.begins) {
                tally.fault(Fault::SwitchedWithoutKey, || says("switched without a key frame"));
            }
            // Behind a pause of any length, as much time must have gone by as between the two at their sender.
            let waited = now.mark.sent.saturating_sub(last.mark.sent) * 90 / 1_000;
            if video && u64::from(elapsed.unsigned_abs()).abs_diff(waited) > 90_000 {
                tally.fault(Fault::TimeJumps, || says("time jumps"));
            }
            if video && elapsed == 0 {
                tally.fault(Fault::TimeBack, || says("two pictures with one time"));
            }
            return;
        }
        let sent = u64::from(now.mark.counter.wrapping_sub(last.mark.counter));
        if steps > sent {
            tally.fault(Fault::Hole, || says("numbers are skipped that nobody sent"));
        } else {
            tally.skipped += sent - steps;
        }
        let frames = now.mark.frame.wrapping_sub(last.mark.frame);
        let due = frames.wrapping_mul(if video { 90_000 / crate::recorded::RATE } else { 960 }).cast_signed();
        // Behind something withheld, the unit may have its own idea of the time that went by.
        if steps == sent && elapsed != due {
            tally.fault(Fault::TimeJumps, || says("time is not the sender's"));
        }
        if video && steps == 1 {
            compare_descriptors(last, now, tally, says);
        }
    }
}

fn compare_descriptors(last: Last, now: Last, tally: &mut Tally, says: impl Fn(&str) -> String) {
    let step = u16::from(now.mark.begins);
    if let (Some(before), Some(after)) = (last.picture_id, now.picture_id)
        && after & 0x7fff != (before + step) & 0x7fff
        && !(before < 128 && after == (before + step) & 0x7f)
    {
        tally.fault(Fault::PictureId, || says("picture id"));
    }
    if let (Some(before), Some(after)) = (last.tl0, now.tl0)
        && after != before.wrapping_add(u8::from(now.mark.begins))
    {
        tally.fault(Fault::PictureId, || says("TL0PICIDX"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{Outbound, Played, Ready};
    use crate::recorded::Recordings;
    use std::time::{Duration, Instant};

    /// What two seconds of a layer are, as sent.
    fn sent(layer: u8) -> Vec<Ready> {
        let start = Instant::now();
        let played = Played::Picture(Recordings::read().unwrap().load.layers[usize::from(layer)].clone());
        let mut outbound = Outbound::new("0".into(), None, 3, layer, played, true, start);
        let mut ready = Vec::new();
        for millisecond in 0..2_000 {
            outbound.ready(start + Duration::from_millis(millisecond), &mut ready);
        }
        ready
    }

    fn faults(packets: &[Ready]) -> Vec<Fault> {
        let (mut inbound, mut tally) = (Inbound::new("test".to_owned(), true), Tally::default());
        for packet in packets {
            let packet = Packet { sequence: packet.sequence, time: packet.time, payload: &packet.payload };
            inbound.take(packet, 0, &mut tally);
        }
        tally.faults.into_keys().collect()
    }

    #[test]
    fn what_is_forwarded_as_it_was_sent_has_no_fault_nor_has_a_loss() {
        assert_eq!(faults(&sent(1)), []);
        let mut lossy = sent(1);
        lossy.remove(20);
        assert_eq!(faults(&lossy), []);
    }

    #[test]
    fn numbers_that_nobody_sent_and_numbers_twice_are_faults() {
        let mut packets = sent(0);
        packets[30..].iter_mut().for_each(|packet| packet.sequence += 1);
        assert_eq!(faults(&packets), [Fault::Hole]);
        packets[30].sequence -= 2;
        assert!(faults(&packets).contains(&Fault::Twice));
    }

    #[test]
    fn time_must_go_on() {
        let mut packets = sent(0);
        packets[30..].iter_mut().for_each(|packet| packet.time = packet.time.wrapping_sub(90_000));
        assert_eq!(faults(&packets), [Fault::TimeBack, Fault::TimeJumps]);
    }

    #[test]
    fn another_layer_begins_with_its_key_frame_and_goes_on_in_number_and_time() {
        let small = sent(0);
        let splice = |from: usize| {
            let last = &small[19];
            let mut large = sent(2).split_off(from);
            let (number, time) = (large[0].sequence, large[0].time);
            for packet in &mut large {
                packet.sequence = packet.sequence - number + last.sequence + 1;
                packet.time = packet.time.wrapping_sub(time).wrapping_add(last.time).wrapping_add(3_000);
            }
            let before =
                small.iter().take(20).map(|packet| Ready { payload: packet.payload.clone(), ..*packet });
            before.chain(large).collect::<Vec<_>>()
        };
        assert_eq!(faults(&splice(0)), []);
        assert_eq!(faults(&splice(60)), [Fault::SwitchedWithoutKey]);
        assert_eq!(faults(&sent(0).split_off(5)), [Fault::BeganWithoutKey]);
    }

    #[test]
    fn a_picture_id_out_of_order_and_a_changed_payload_are_faults() {
        let mut packets = sent(0);
        packets[9].payload[3] ^= 1;
        assert_eq!(faults(&packets), [Fault::PictureId]);
        packets[9].payload.truncate(40);
        assert!(faults(&packets).contains(&Fault::Mangled));
    }
}
