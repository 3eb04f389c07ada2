//! People who come and go under load, for as long as is asked: the server's memory must come to rest, and no packet be wrong.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use rand::{RngExt, SeedableRng};

use crate::client::{Joining, Participant};
use crate::recorded::Recordings;
use crate::scene::{Kind, Scene};
use crate::server::{Peer, Server};
use crate::tally::{Fault, Tally};
use crate::wire::Wire;
use crate::{Failure, machine};

/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_secs(10);
/// From one arrival to the next.
const ARRIVALS: Duration = Duration::from_millis(250);
/// Growth of memory from the second quarter of the time to the last one that is still rest.
const GROWTH: f64 = 0.10;

/// Lets people come and go.
#[derive(Debug, Args)]
pub struct Soak {
    /// For so many minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// On which server
    #[arg(long, default_value = "concord")]
    peer: Peer,
    /// Faults and growing memory are an error
    #[arg(long)]
    check: bool,
    /// Where the server's settings and log are written
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// The first port of 127.0.0.1, of three
    #[arg(long, default_value_t = 8570)]
    port: u16,
}

/// A meeting of four that lasts, and guests who listen for one to eight seconds, half of them by leaving and half by vanishing.
pub async fn soak(options: Soak) -> Result<(), Failure> {
    println!("{}\n", machine::described());
    let recordings = Recordings::read()?;
    let folder = tempfile::Builder::new().prefix("sfu-bench-").tempdir_in(&options.folder)?;
    let server = Server::start(options.peer, folder.path(), options.port, Some(0)).await?;
    let wire = Wire::start(Some(1), server.address)?;
    let scene = Scene { kind: Kind::Meeting, size: 4 };
    let mut members = Vec::new();
    for (index, joining) in scene.publishers(&recordings).into_iter().enumerate() {
        let member = server.access.join(&wire, joining).await?;
        for wish in scene.wishes(index) {
            member.ask(wish);
        }
        members.push(member);
    }
    let mut memory = Vec::new();
    let mut seen = Tally::default();
    let mut guests: VecDeque<(Instant, Participant)> = VecDeque::new();
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    let end = Instant::now() + Duration::from_secs(60 * options.minutes);
    let mut arrivals = tokio::time::interval(ARRIVALS);
    let mut sample = Instant::now() + SAMPLE;
    let mut count = 0u64;
    println!("minutes  resident MB  guests so far  packets/s  lost  faults");
    while Instant::now() < end {
        arrivals.tick().await;
        count += 1;
        match server.access.join(&wire, guest(count)).await {
            Ok(guest) => guests.push_back((
                Instant::now() + Duration::from_millis(random.random_range(1_000..8_000)),
                guest,
            )),
            Err(error) => seen.fault(Fault::Dropped, || format!("guest {count}: {error}")),
        }
        let (leaving, staying): (VecDeque<_>, VecDeque<_>) =
            guests.drain(..).partition(|(until, _)| *until < Instant::now());
        guests = staying;
        for (_, guest) in leaving {
            if guest.is_gone() || random.random_bool(0.5) {
                let identity = guest.identity.clone();
                if let Err(error) = guest.leave().await {
                    seen.fault(Fault::Dropped, || format!("{identity}: {error}"));
                }
            } else {
                vanish(&wire, guest).await?;
            }
        }
        if Instant::now() >= sample {
            let tally = wire.ask(|legs| std::mem::take(&mut legs.tally)).await?;
            memory.push(server.memory()?);
            seen.absorb_faults(&tally);
            report(&memory, count, &tally, &seen);
            sample += SAMPLE;
        }
    }
    for member in members.iter().filter(|member| member.is_gone()) {
        seen.fault(Fault::Dropped, || member.identity.clone());
    }
    let growth = growth(&memory);
    println!("\nmemory from the second quarter of the time to the last: {:+.1} %", growth * 100.0);
    for (fault, (times, examples)) in &seen.faults {
        println!("FAULT {} ({times} times)\n    {}", fault.described(), examples.join("\n    "));
    }
    if options.check && (growth > GROWTH || !seen.faults.is_empty()) {
        return Err("the server did not come to rest".into());
    }
    Ok(())
}

fn guest(count: u64) -> Joining {
    Joining {
        identity: format!("guest{count}"),
        all: true,
        hidden: count.is_multiple_of(2),
        ..Joining::default()
    }
}

/// The network of a guest is cut: no word to the server.
async fn vanish(wire: &Wire, guest: Participant) -> Result<(), Failure> {
    for leg in guest.legs() {
        wire.close(leg).await?;
    }
    drop(guest);
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Bytes and counts of a bench.
fn report(memory: &[u64], count: u64, tally: &Tally, seen: &Tally) {
    let minutes = memory.len() as f64 * SAMPLE.as_secs_f64() / 60.0;
    let resident = memory.last().copied().unwrap_or_default() as f64 / 1e6;
    let rate = tally.packets as f64 / SAMPLE.as_secs_f64();
    let lost = tally.missing.saturating_sub(tally.recovered);
    let faults: u64 = seen.faults.values().map(|(times, _)| times).sum();
    println!("{minutes:7.1}  {resident:11.1}  {count:13}  {rate:9.0}  {lost:4}  {faults:6}");
}

/// By which part the median of the last quarter is above that of the second.
#[allow(clippy::cast_precision_loss)] // Bytes of a bench.
fn growth(memory: &[u64]) -> f64 {
    let quarter = memory.len() / 4;
    let median = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part.get(part.len() / 2).copied().unwrap_or(1) as f64
    };
    let second = median(memory.get(quarter..2 * quarter).unwrap_or_default());
    let last = median(memory.get(memory.len() - quarter..).unwrap_or_default());
    last / second - 1.0
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn what_grows_at_first_and_rests_then_has_come_to_rest() {
        let rests: Vec<u64> = (0..40).map(|at| 1_000 + 50 * at.min(8)).collect();
        assert!(growth(&rests) < 0.001);
        let leaks: Vec<u64> = (0..40).map(|at| 1_000 + 50 * at).collect();
        assert!(growth(&leaks) > 0.3);
    }
}
