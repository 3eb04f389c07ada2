//! `concord meet top`: what happens in an engine now, read over HTTP. It changes nothing there.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;
use meet::arguments::{KeyArguments, duration};
use meet::grants::{Grants, VideoGrant};
use meet::token::Keys;
use serde_json::Value;

use crate::clock;
use crate::fault::Fault;
use crate::operate::Outcome;

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long each token holds, in seconds.
const LIFE: u64 = 60;

/// `concord meet top`
#[derive(Debug, Args)]
pub struct TopArguments {
    /// Where the engine is
    #[arg(long, default_value = "http://127.0.0.1:7880")]
    url: String,
    #[command(flatten)]
    keys: KeyArguments,
    /// Show it once and end
    #[arg(long)]
    once: bool,
    /// How often it is shown
    #[arg(long, default_value = "2s", value_parser = duration, value_name = "TIME")]
    every: Duration,
}

pub(super) async fn run(arguments: &TopArguments, as_json: bool) -> Result<Option<Outcome>, Fault> {
    let keys = arguments.keys.keys()?;
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .map_err(|why| unreachable(&arguments.url, &why))?;
    let mut before = None;
    loop {
        let report = ask(&client, &arguments.url, &keys).await?;
        let text = page(&report, before.as_ref());
        if arguments.once {
            return Ok(Some(Outcome::new(report, text)));
        }
        let mut out = std::io::stdout().lock();
        let shown = match (as_json, out.is_terminal()) {
            (true, _) => writeln!(out, "{report}"),
            // The screen anew, from its top.
            (false, true) => writeln!(out, "\u{1b}[2J\u{1b}[H{text}"),
            (false, false) => writeln!(out, "{text}"),
        };
        drop(out);
        if shown.is_err() {
            // Whoever read has read enough.
            return Ok(None);
        }
        before = Some(report);
        tokio::select! {
            () = tokio::time::sleep(arguments.every.max(Duration::from_millis(200))) => {}
            _ = tokio::signal::ctrl_c() => return Ok(None),
        }
    }
}

async fn ask(client: &reqwest::Client, url: &str, keys: &Keys) -> Result<Value, Fault> {
    let video = VideoGrant { room_list: true, ..VideoGrant::default() };
    let grants = Grants { video: Some(video), ..Grants::default() };
    let token = keys.mint(&grants, clock::milliseconds() / 1000, LIFE);
    let address = format!("{}/meet/report", url.trim_end_matches('/'));
    let answer = client.get(address).bearer_auth(token).send().await.map_err(|why| unreachable(url, &why))?;
    if !answer.status().is_success() {
        let status = answer.status();
        let message = format!("the conference engine at {url} refuses: {status}. Are the keys its own?");
        return Err(Fault::new("meet-refused", message).with("url", url).with("status", status));
    }
    let bytes = answer.bytes().await.map_err(|why| unreachable(url, &why))?;
    serde_json::from_slice(&bytes).map_err(|why| {
        Fault::new("meet-unreachable", format!("no conference engine answers at {url}: {why}"))
            .with("url", url)
            .with("reason", why)
    })
}

fn unreachable(url: &str, why: &reqwest::Error) -> Fault {
    Fault::new("meet-unreachable", format!("no conference engine answers at {url}: {why}"))
        .with("url", url)
        .with("reason", why)
}

/// Totals in two lines, then a row for each participant.
fn page(report: &Value, before: Option<&Value>) -> String {
    let rooms = list(&report["rooms"]);
    let people: usize = rooms.iter().map(|room| list(&room["participants"]).len()).sum();
    let seconds = |report: &Value| report["uptime_seconds"].as_f64().unwrap_or(0.0);
    let past = before.map_or(0.0, seconds);
    let elapsed = (seconds(report) - past).max(1.0);
    let rate = |name: &str| {
        let sum = |report: &Value| {
            list(&report["threads"]).iter().filter_map(|one| one[name].as_f64()).sum::<f64>()
        };
        (sum(report) - before.map_or(0.0, sum)) / elapsed
    };
    let mut text = format!(
        "{} rooms, {people} participants, {} sockets; up {}\n",
        rooms.len(),
        report["sockets"],
        age(&report["uptime_seconds"])
    );
    text.push_str(&format!(
        "in {:.0} packets/s, {:.2} Mbit/s; out {:.0} packets/s, {:.2} Mbit/s; media threads busy {:.1} %\n\n",
        rate("packets_received_total"),
        rate("bytes_received_total") * 8.0 / 1e6,
        rate("packets_sent_total"),
        rate("bytes_sent_total") * 8.0 / 1e6,
        rate("thread_busy_microseconds_total") / 1e4,
    ));
    text.push_str(&format!(
        "{:<24} {:<28} {:>7} {:>4} {:>4} {:>8} {:>7} {:>7} {:>10}  STATE\n",
        "ROOM", "IDENTITY", "AGE", "PUB", "SUB", "RTT ms", "LOSS ^", "LOSS v", "kbit/s v"
    ));
    for room in rooms {
        for one in list(&room["participants"]) {
            text.push_str(&row(&room["name"], one));
        }
    }
    text
}

fn row(room: &Value, one: &Value) -> String {
    let health = &one["health"];
    let number = |value: &Value, factor: f64, places: usize| {
        value.as_f64().map_or_else(|| "-".to_owned(), |number| format!("{:.places$}", number * factor))
    };
    let is = |name: &str| one[name].as_bool().unwrap_or(false);
    let state = match (is("active"), is("connected")) {
        (true, true) => "active",
        (true, false) => "socket lost",
        (false, true) => "connecting",
        (false, false) => "lost",
    };
    format!(
        "{:<24} {:<28} {:>7} {:>4} {:>4} {:>8} {:>7} {:>7} {:>10}  {state}{}\n",
        cut(room, 24),
        cut(&one["identity"], 28),
        age(&one["age_seconds"]),
        one["published"],
        one["subscribed"],
        number(&health["round_trip_ms"], 1.0, 1),
        number(&health["loss_up"], 100.0, 1),
        number(&health["loss_down"], 100.0, 1),
        number(&health["estimate_bits_per_second"], 1e-3, 0),
        if is("hidden") { ", hidden" } else { "" },
    )
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Foreign text, without what could move the cursor.
fn cut(value: &Value, width: usize) -> String {
    value.as_str().unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(width).collect()
}

fn age(seconds: &Value) -> String {
    let seconds = seconds.as_u64().unwrap_or(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(uptime: u64, sent: u64) -> Value {
        let one = json!({
            "identity": "moh.example/3\u{1b}[2J", "active": true, "connected": true, "hidden": true, "age_seconds": 75,
            "published": 1, "subscribed": 2, "health": { "round_trip_ms": 12.34, "loss_up": 0.015, "loss_down": 0.0 },
        });
        json!({
            "uptime_seconds": uptime, "sockets": 1, "rooms": [{ "name": "r", "participants": [one] }],
            "threads": [{ "packets_sent_total": sent }, { "packets_sent_total": sent }],
        })
    }

    #[test]
    fn rates_are_those_between_two_looks() {
        assert!(page(&report(10, 100), None).contains("out 20 packets/s"));
        assert!(page(&report(12, 200), Some(&report(10, 100))).contains("out 100 packets/s"));
    }

    #[test]
    fn a_row_says_who_and_how_and_cannot_move_the_cursor() {
        let text = page(&report(10, 0), None);
        let row = text.lines().last().unwrap();
        assert!(row.contains("moh.example/3[2J") && row.contains("1m15s") && row.contains("12.3"));
        assert!(row.contains("1.5") && row.ends_with("active, hidden"));
        assert!(!text.contains('\u{1b}'));
    }
}
