//! What one media thread counts. Written by that thread only, read by whoever asks: no lock, no order between figures.

use std::sync::atomic::{AtomicU64, Ordering};

/// One figure.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The figures of one media thread since it started.
#[derive(Debug, Default)]
pub struct Figures {
    /// Packets that came in, by UDP and TCP.
    pub packets_in: Count,
    /// Their bytes.
    pub bytes_in: Count,
    /// Packets that went out.
    pub packets_out: Count,
    /// Their bytes.
    pub bytes_out: Count,
    /// Packets that the system's send buffer did not take.
    pub send_drops: Count,
    /// Sends that failed otherwise: no route, and so on.
    pub send_errors: Count,
    /// Receives that failed.
    pub receive_errors: Count,
    /// Packets for a TCP connection that was gone, or whose queue was full.
    pub tcp_drops: Count,
    /// TCP connections that were taken over.
    pub tcp_accepted: Count,
    /// TCP connections that ended.
    pub tcp_closed: Count,
    /// What was passed to other threads.
    pub forwarded: Count,
    /// What could not be passed to other threads.
    pub forward_drops: Count,
    /// Reports for rooms that were dropped because rooms did not keep up.
    pub event_drops: Count,
    /// Rounds of the loop.
    pub rounds: Count,
    /// Time not spent waiting, in microseconds.
    pub busy_us: Count,
}

impl Figures {
    pub(super) fn received(&self, bytes: usize) {
        self.packets_in.add(1);
        self.bytes_in.add(bytes as u64);
    }

    pub(super) fn sent(&self, packets: usize, bytes: usize) {
        self.packets_out.add(packets as u64);
        self.bytes_out.add(bytes as u64);
    }
}
