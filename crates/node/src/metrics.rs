//! Counters for `/metrics` (Prometheus text format 0.0.4). It never names a person or a secret.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What this process counted since it started.
#[derive(Debug, Default)]
pub struct Metrics {
    /// HTTP requests answered, by class of status.
    pub answers: [AtomicU64; 6],
    /// Requests refused for their rate.
    pub throttled: AtomicU64,
    /// Requests that gave way to others before there was an answer.
    pub given_way: AtomicU64,
    /// Entries of other authorities' logs verified.
    pub verified_entries: AtomicU64,
    /// Records released.
    pub released: AtomicU64,
    /// Requests to other nodes.
    pub fetched: AtomicU64,
    /// Of these, failed.
    pub fetch_failed: AtomicU64,
    /// Cosignatures made as a witness.
    pub cosigned: AtomicU64,
    /// Receipts made.
    pub held: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).min(5);
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }

    /// The counters as text; `gauges` are (name, help, labels, value).
    pub fn to_text(&self, gauges: &[(&str, &str, String, f64)]) -> String {
        let mut out = String::new();
        out.push_str("# HELP concord_http_answers_total HTTP requests answered.\n# TYPE concord_http_answers_total counter\n");
        for (class, count) in self.answers.iter().enumerate().skip(1) {
            let _ = writeln!(
                out,
                "concord_http_answers_total{{class=\"{class}xx\"}} {}",
                count.load(Ordering::Relaxed)
            );
        }
        for (name, help, counter) in [
            ("concord_http_throttled_total", "Requests refused for their rate.", &self.throttled),
            (
                "concord_http_given_way_total",
                "Requests that gave way to others: all places or too much memory were taken.",
                &self.given_way,
            ),
            ("concord_verified_entries_total", "Entries of others' logs verified.", &self.verified_entries),
            ("concord_released_records_total", "Records released.", &self.released),
            ("concord_fetches_total", "Requests to other nodes.", &self.fetched),
            ("concord_fetches_failed_total", "Requests to other nodes that failed.", &self.fetch_failed),
            ("concord_cosignatures_total", "Cosignatures made as a witness.", &self.cosigned),
            ("concord_receipts_total", "Receipts made.", &self.held),
        ] {
            let _ = writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}",
                counter.load(Ordering::Relaxed)
            );
        }
        let mut last = "";
        for (name, help, labels, value) in gauges {
            if *name != last {
                let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
                last = name;
            }
            let _ = writeln!(out, "{name}{labels} {value}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_prometheus_text() {
        let metrics = Metrics::default();
        metrics.answered(200);
        metrics.answered(404);
        let text = metrics.to_text(&[("concord_log_size", "Entries.", "{origin=\"a\"}".into(), 3.0)]);
        assert!(text.contains("concord_http_answers_total{class=\"2xx\"} 1\n"));
        assert!(text.contains("concord_log_size{origin=\"a\"} 3\n"));
    }
}
