//! What is counted between two moments, over all clients of the generator.

use std::collections::BTreeMap;

/// What no forwarding unit may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The same sequence number again.
    Twice,
    /// Sequence numbers are skipped that no sender skipped: a receiver asks for them in vain.
    Hole,
    /// A later packet has an earlier time, or two pictures have the same.
    TimeBack,
    /// More or less time went by than at the sender.
    TimeJumps,
    /// A video began with something else than a key frame.
    BeganWithoutKey,
    /// Another layer or sender, and not from its key frame on.
    SwitchedWithoutKey,
    /// VP8's picture id or TL0PICIDX does not go on.
    PictureId,
    /// The payload is not what was sent.
    Mangled,
    /// A client was disconnected, or could not join.
    Dropped,
    /// Nothing came on a track that was asked for.
    Silent,
}

impl Fault {
    /// In words.
    pub fn described(self) -> &'static str {
        match self {
            Self::Twice => "a sequence number twice",
            Self::Hole => "sequence numbers that nobody sent",
            Self::TimeBack => "time that goes back",
            Self::TimeJumps => "time that is not the sender's",
            Self::BeganWithoutKey => "video that begins without a key frame",
            Self::SwitchedWithoutKey => "a switch without a key frame",
            Self::PictureId => "a picture id out of order",
            Self::Mangled => "a payload that was not sent",
            Self::Dropped => "a client dropped",
            Self::Silent => "a track without packets",
        }
    }
}

/// Examples that are kept of each kind.
const EXAMPLES: usize = 3;

/// Counters.
#[derive(Debug, Default)]
pub struct Tally {
    /// Received by clients, with payload.
    pub packets: u64,
    /// Their payloads.
    pub bytes: u64,
    /// Sent by clients.
    pub sent: u64,
    /// Numbers that were jumped over when a later one came.
    pub missing: u64,
    /// Of them, those that came later.
    pub recovered: u64,
    /// Sent and not forwarded, with numbers that go on all the same.
    pub skipped: u64,
    /// Changes of layer or sender within a stream.
    pub switches: u64,
    /// Requests for key frames that publishers got.
    pub key_requests: u64,
    /// From hand-over to arrival at the socket, in microseconds.
    pub delays: Vec<u32>,
    /// What was wrong: how often, and examples.
    pub faults: BTreeMap<Fault, (u64, Vec<String>)>,
}

impl Tally {
    /// Notes a fault.
    pub fn fault(&mut self, fault: Fault, example: impl FnOnce() -> String) {
        let (times, examples) = self.faults.entry(fault).or_default();
        *times += 1;
        if examples.len() < EXAMPLES {
            examples.push(example());
        }
    }

    /// Adds what another counted.
    pub fn absorb_faults(&mut self, other: &Self) {
        for (fault, (times, examples)) in &other.faults {
            let (all, kept) = self.faults.entry(*fault).or_default();
            *all += times;
            kept.extend(examples.iter().take(EXAMPLES.saturating_sub(kept.len())).cloned());
        }
    }
}
