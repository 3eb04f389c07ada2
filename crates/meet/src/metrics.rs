//! What the engine counts, for Prometheus (text format 0.0.4) and as JSON. It names rooms and participants, never tokens or keys.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::driver::Figures;
use crate::room::{ParticipantReport, Report, RoomReport};

/// Everything at one moment.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) report: Report,
    pub(crate) threads: Vec<Arc<Figures>>,
    pub(crate) sockets: usize,
    pub(crate) slow: u64,
    /// Delivered, given up, dropped.
    pub(crate) webhooks: [u64; 3],
    pub(crate) uptime: Duration,
}

/// One family of figures: name, kind, help.
struct Family<'a>(&'a str, &'a str, &'a str);

/// Text in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Rows are labels and value.
    fn family<V: Display>(&mut self, family: &Family<'_>, rows: impl IntoIterator<Item = (String, V)>) {
        let Family(name, kind, help) = family;
        let _ = writeln!(self.0, "# HELP meet_{name} {help}\n# TYPE meet_{name} {kind}");
        for (labels, value) in rows {
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "meet_{name}{labels} {value}");
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(&Family(name, kind, help), [(String::new(), value)]);
    }
}

/// A label's value, escaped.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '\\' => out.write_str("\\\\")?,
                '"' => out.write_str("\\\"")?,
                '\n' => out.write_str("\\n")?,
                letter => out.write_char(letter)?,
            }
        }
        out.write_char('"')
    }
}

/// The figures of threads: name, help, how to read it.
type OfThread = (&'static str, &'static str, fn(&Figures) -> u64);

const OF_THREADS: [OfThread; 15] = [
    ("packets_received_total", "Packets that came in.", |f| f.packets_in.get()),
    ("bytes_received_total", "Bytes that came in.", |f| f.bytes_in.get()),
    ("packets_sent_total", "Packets that went out.", |f| f.packets_out.get()),
    ("bytes_sent_total", "Bytes that went out.", |f| f.bytes_out.get()),
    ("send_drops_total", "Packets that the send buffer did not take.", |f| f.send_drops.get()),
    ("send_errors_total", "Sends that failed.", |f| f.send_errors.get()),
    ("receive_errors_total", "Receives that failed.", |f| f.receive_errors.get()),
    ("tcp_drops_total", "Packets for TCP that were dropped.", |f| f.tcp_drops.get()),
    ("tcp_accepted_total", "TCP media connections that were taken.", |f| f.tcp_accepted.get()),
    ("tcp_closed_total", "TCP media connections that ended.", |f| f.tcp_closed.get()),
    ("thread_forwarded_total", "Packets passed to other threads.", |f| f.forwarded.get()),
    ("thread_forward_drops_total", "Packets that another thread did not take.", |f| f.forward_drops.get()),
    ("event_drops_total", "Reports that rooms did not take.", |f| f.event_drops.get()),
    ("thread_rounds_total", "Rounds of a media thread.", |f| f.rounds.get()),
    ("thread_busy_microseconds_total", "Time that a media thread did not wait.", |f| f.busy_us.get()),
];

/// The figures of rooms: name, help, how to read it.
type OfRoom = (&'static str, &'static str, fn(&RoomReport) -> u64);

/// The figures of sessions: name, help, how to read it.
type OfSession = (&'static str, &'static str, fn(&ParticipantReport) -> Option<f64>);

#[allow(clippy::cast_precision_loss)] // Prometheus has no other numbers.
const OF_SESSIONS: [OfSession; 8] = [
    ("session_connected", "Whether media stands.", |p| Some(f64::from(u8::from(p.active)))),
    ("session_tracks_published", "Tracks that it publishes.", |p| Some(p.published as f64)),
    ("session_tracks_subscribed", "Tracks that it receives.", |p| Some(p.subscribed as f64)),
    ("session_loss_up", "Share of packets lost towards the server.", |p| Some(f64::from(p.health?.loss_up))),
    ("session_loss_down", "Share of packets lost towards the client.", |p| {
        Some(f64::from(p.health?.loss_down))
    }),
    ("session_round_trip_seconds", "Round trip.", |p| Some(p.health?.round_trip?.as_secs_f64())),
    ("session_estimate_bits_per_second", "What the way to the client carries.", |p| {
        Some(p.health?.estimate? as f64)
    }),
    ("session_desired_bits_per_second", "What its wishes would take.", |p| Some(p.health?.desired as f64)),
];

impl Sample {
    /// Prometheus' text. Sessions are labelled by room and sid; identities may be names of persons, and stay out.
    pub(crate) fn prometheus(&self) -> String {
        let mut page = Page::default();
        page.one("uptime_seconds", "gauge", "How long the engine has run.", self.uptime.as_secs());
        page.one("sockets", "gauge", "Open signalling sockets.", self.sockets);
        page.one(
            "slow_sockets_total",
            "counter",
            "Sockets that were given up because they did not keep up.",
            self.slow,
        );
        let totals = &self.report.totals;
        for (name, help, value) in [
            ("joins_total", "Participants that joined.", totals.joins),
            ("resumes_total", "Participants that resumed.", totals.resumes),
            ("refusals_total", "Joins that were refused.", totals.refusals),
            ("leaves_total", "Participants that left.", totals.leaves),
            ("requests_total", "Requests of clients.", totals.requests),
            ("calls_total", "Calls of the room service.", totals.calls),
            ("data_in_total", "Data packets that came in.", totals.data_in),
            ("data_out_total", "Data packets that went out.", totals.data_out),
            ("data_dropped_total", "Data packets that were dropped.", totals.data_dropped),
            ("webhooks_delivered_total", "Events that were delivered.", self.webhooks[0]),
            ("webhooks_failed_total", "Events that were given up.", self.webhooks[1]),
            ("webhooks_dropped_total", "Events that did not fit the queue.", self.webhooks[2]),
        ] {
            page.one(name, "counter", help, value);
        }
        for (name, help, read) in OF_THREADS {
            let rows = self.threads.iter().enumerate();
            let rows = rows.map(|(id, figures)| (format!("thread=\"{id}\""), read(figures)));
            page.family(&Family(name, "counter", help), rows);
        }
        self.rooms(&mut page);
        page.0
    }

    fn rooms(&self, page: &mut Page) {
        let of_rooms: [OfRoom; 3] = [
            ("room_participants", "Participants of a room.", |room| room.participants.len() as u64),
            ("room_tracks", "Tracks that are published in a room.", |room| {
                room.participants.iter().map(|one| one.published as u64).sum()
            }),
            ("room_age_seconds", "How long a room has been open.", |room| room.age.as_secs()),
        ];
        page.one("rooms", "gauge", "Rooms.", self.report.rooms.len());
        for (name, help, read) in of_rooms {
            let rows =
                self.report.rooms.iter().map(|room| (format!("room={}", Quoted(&room.name)), read(room)));
            page.family(&Family(name, "gauge", help), rows);
        }
        for (name, help, read) in OF_SESSIONS {
            let rows = self.report.rooms.iter().flat_map(|room| {
                let label = move |one: &ParticipantReport| {
                    format!(
                        "room={},session={},thread=\"{}\"",
                        Quoted(&room.name),
                        Quoted(&one.sid),
                        one.shard.0
                    )
                };
                room.participants.iter().filter_map(move |one| Some((label(one), read(one)?)))
            });
            page.family(&Family(name, "gauge", help), rows);
        }
    }

    /// The same for programs, with identities.
    pub(crate) fn json(&self) -> Value {
        let totals = &self.report.totals;
        let thread = |figures: &Arc<Figures>| {
            let of = OF_THREADS.iter().map(|(name, _, read)| ((*name).to_owned(), json!(read(figures))));
            Value::Object(of.collect())
        };
        json!({
            "uptime_seconds": self.uptime.as_secs(),
            "sockets": self.sockets,
            "totals": {
                "joins": totals.joins, "resumes": totals.resumes, "refusals": totals.refusals, "leaves": totals.leaves,
                "requests": totals.requests, "calls": totals.calls,
                "data_in": totals.data_in, "data_out": totals.data_out, "data_dropped": totals.data_dropped,
            },
            "threads": self.threads.iter().map(thread).collect::<Vec<_>>(),
            "rooms": self.report.rooms.iter().map(room_json).collect::<Vec<_>>(),
        })
    }
}

fn room_json(room: &RoomReport) -> Value {
    json!({
        "name": room.name,
        "sid": room.sid,
        "age_seconds": room.age.as_secs(),
        "participants": room.participants.iter().map(participant_json).collect::<Vec<_>>(),
    })
}

fn participant_json(one: &ParticipantReport) -> Value {
    let health = one.health.map(|health| {
        json!({
            "loss_up": health.loss_up,
            "loss_down": health.loss_down,
            "round_trip_ms": health.round_trip.map(|time| time.as_secs_f64() * 1000.0),
            "estimate_bits_per_second": health.estimate,
            "desired_bits_per_second": health.desired,
            "packets_up": health.packets_up,
            "packets_down": health.packets_down,
        })
    });
    json!({
        "identity": one.identity,
        "sid": one.sid,
        "thread": one.shard.0,
        "hidden": one.hidden,
        "connected": one.connected,
        "active": one.active,
        "age_seconds": one.age.as_secs(),
        "published": one.published,
        "subscribed": one.subscribed,
        "health": health,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ShardId;
    use crate::room::Totals;

    fn sample() -> Sample {
        let one = ParticipantReport {
            identity: "moh.example/1".into(),
            sid: "PA_1".into(),
            shard: ShardId(0),
            hidden: false,
            connected: true,
            active: true,
            age: Duration::from_secs(9),
            published: 2,
            subscribed: 3,
            health: None,
        };
        let room = RoomReport {
            name: "a \"b\"\\\n".into(),
            sid: "RM_1".into(),
            age: Duration::from_secs(10),
            participants: vec![one],
        };
        Sample {
            report: Report { rooms: vec![room], totals: Totals { joins: 4, ..Totals::default() } },
            threads: vec![Arc::default()],
            sockets: 1,
            slow: 0,
            webhooks: [0; 3],
            uptime: Duration::from_mins(1),
        }
    }

    #[test]
    fn rooms_and_sessions_have_rows_and_names_are_escaped() {
        let text = sample().prometheus();
        assert!(text.contains("\nmeet_joins_total 4\n"));
        assert!(text.contains("\nmeet_room_participants{room=\"a \\\"b\\\"\\\\\\n\"} 1\n"));
        assert!(text.contains("session=\"PA_1\",thread=\"0\"} 3\n"));
        assert!(!text.contains("moh.example"), "a metrics store is no place for identities");
        // Every line is a comment, or a name, labels and a number.
        let number =
            |line: &str| line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok());
        assert!(
            text.lines().all(|line| line.starts_with("# ") || (line.starts_with("meet_") && number(line)))
        );
    }

    #[test]
    fn the_report_names_who_is_there() {
        assert_eq!(sample().json()["rooms"][0]["participants"][0]["identity"], "moh.example/1");
    }
}
