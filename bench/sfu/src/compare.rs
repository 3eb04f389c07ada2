//! One scenario on one server, measured; and the table of all of them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::client::{Access, Joining, Participant, Request};
use crate::recorded::{MOST_FRAMES, Recordings};
use crate::scene::{Kind, Scene, scenes};
use crate::server::{Peer, Server};
use crate::table::{Table, percent, quantile, thousands, times};
use crate::tally::{Fault, Tally};
use crate::wire::Wire;
use crate::{Failure, machine};

/// The server's core, and the generator's.
const CORES: (usize, usize) = (0, 1);
/// Until everybody has heard something.
const PATIENCE: Duration = Duration::from_secs(15);

/// Measures scenarios on the servers that are there.
#[derive(Debug, Args)]
pub struct Compare {
    /// All sizes, for longer: minutes instead of seconds
    #[arg(long)]
    full: bool,
    /// Only these scenarios
    #[arg(long)]
    scenario: Vec<Kind>,
    /// Only these servers
    #[arg(long)]
    peer: Vec<Peer>,
    /// As many listeners instead
    #[arg(long)]
    size: Option<usize>,
    /// Seconds that are measured of each
    #[arg(long)]
    seconds: Option<u64>,
    /// Frames of 20 ms in a packet of sound: with 3, thousands of listeners need a third of the packets
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_FRAMES)))]
    frames: u8,
    /// One peer connection per participant (not Janus)
    #[arg(long)]
    single: bool,
    /// Faults are an error
    #[arg(long)]
    check: bool,
    /// Where servers' settings and logs are written
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// The first port of 127.0.0.1, of three
    #[arg(long, default_value_t = 8560)]
    port: u16,
}

/// What was seen of one server in one scenario.
struct Seen {
    peer: Peer,
    window: Duration,
    cpu: Duration,
    joins_cpu: Duration,
    joins: Vec<Duration>,
    memory: f64,
    expected: Option<f64>,
    tally: Tally,
}

impl Compare {
    fn core(number: usize) -> Option<usize> {
        (std::thread::available_parallelism().map_or(1, usize::from) > 1).then_some(number)
    }
}

/// Measures and prints. Whether there were faults is said at the end.
pub async fn compare(options: Compare) -> Result<(), Failure> {
    println!("{}\n", machine::described());
    let mut recordings = Recordings::read()?;
    recordings.tone = recordings.tone.gathered(options.frames)?;
    let wanted: Vec<Peer> = if options.peer.is_empty() { Peer::ALL.to_vec() } else { options.peer.clone() };
    let mut peers = Vec::new();
    let mut missing = Vec::new();
    for peer in wanted {
        match peer.program() {
            Ok(_) => peers.push(peer),
            Err(why) => missing.push(why.to_string()),
        }
    }
    let headings = [
        "scenario",
        "server",
        "packets/s",
        "core",
        "CPU µs/packet",
        "ours is",
        "delay p50, ms",
        "p99",
        "lost",
        "CPU ms/join",
        "join p50, ms",
        "p99",
        "kB each",
        "faults",
    ];
    let mut table = Table::new("Conference engines: the same packets, forwarded", &headings);
    let mut worse = Vec::new();
    let mut faults = Vec::new();
    for mut scene in scenes(options.full, &options.scenario) {
        scene.size = options.size.unwrap_or(scene.size);
        let mut seen = Vec::new();
        for peer in &peers {
            eprintln!("{} on {} …", scene.title(), peer.named());
            match perform(scene, *peer, &options, &recordings).await {
                Ok(done) => {
                    let Tally { switches, key_requests, skipped, recovered, .. } = &done.tally;
                    eprintln!(
                        "    {switches} switches, {key_requests} requests for key frames, {skipped} withheld, {recovered} sent again"
                    );
                    seen.push(done);
                }
                Err(error) => {
                    faults.push(format!("{}, {}: {error}", scene.title(), peer.named()));
                    worse.push(format!("{}: {} did not end it: {error}", scene.title(), peer.named()));
                }
            }
        }
        let ours = seen.iter().find(|seen| seen.peer == Peer::Concord).map(Seen::cost);
        for one in &seen {
            table.row(one.row(scene, ours));
            if one.peer != Peer::Concord && ours.is_some_and(|ours| ours > one.cost()) {
                worse.push(format!("{}: {} needs less processor time", scene.title(), one.peer.named()));
            }
            faults.extend(one.faults(scene));
        }
    }
    for text in missing {
        table.note(text);
    }
    table.note(if worse.is_empty() {
        "Lost to nobody.".to_owned()
    } else {
        format!("Lost: {}.", worse.join("; "))
    });
    table.print();
    for fault in &faults {
        println!("FAULT {fault}");
    }
    if options.check && !faults.is_empty() {
        return Err(format!("{} kinds of faults", faults.len()).into());
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Bytes and counts of a bench.
async fn perform(
    scene: Scene,
    peer: Peer,
    options: &Compare,
    recordings: &Recordings,
) -> Result<Seen, Failure> {
    let folder = tempfile::Builder::new().prefix("sfu-bench-").tempdir_in(&options.folder)?;
    let server = Server::start(peer, folder.path(), options.port, Compare::core(CORES.0)).await?;
    let wire = Wire::start(Compare::core(CORES.1), server.address)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = server.memory()?;

    let mut failed = Tally::default();
    let mut publishers = Vec::new();
    for (index, mut joining) in scene.publishers(recordings).into_iter().enumerate() {
        joining.single = options.single;
        let publisher = server.access.join(&wire, joining).await?;
        if scene.kind == Kind::Meeting {
            for wish in scene.wishes(index) {
                publisher.ask(wish);
            }
        }
        publishers.push(publisher);
    }
    let before = server.cpu()?;
    let listeners = gather(scene, &server.access, &wire, options.single, &mut failed).await;
    let joins =
        first_packets(&wire, if listeners.is_empty() { &publishers } else { &listeners }, &mut failed)
            .await?;
    let joins_cpu = server.cpu()?.saturating_sub(before);

    // What was counted while people joined holds faults, but no figures of steady work.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let early = wire.ask(|legs| std::mem::take(&mut legs.tally)).await?;
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let seconds = options.seconds.unwrap_or(if options.full { 15 } else { 5 });
    for second in 0..usize::try_from(seconds)? {
        for (who, request) in scene.changes(second) {
            let asked = if listeners.is_empty() { publishers.get(who) } else { listeners.get(who) };
            if let Some(asked) = asked {
                asked.ask(request);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let cpu = server.cpu()?.saturating_sub(cpu);
    let mut tally = wire.ask(|legs| std::mem::take(&mut legs.tally)).await?;
    let window = began.elapsed();
    let people = publishers.len() + listeners.len();
    let memory = per(server.memory()?.saturating_sub(idle) as f64 / 1_000.0, people);
    for gone in publishers.into_iter().chain(listeners).filter(Participant::is_gone) {
        let who = gone.identity.clone();
        let why = gone.leave().await.err().map_or_else(|| "left".to_owned(), |why| why.to_string());
        failed.fault(Fault::Dropped, || format!("{who}: {why}"));
    }
    tally.absorb_faults(&early);
    tally.absorb_faults(&failed);
    let expected = scene.copies().map(|copies| copies * tally.sent as f64);
    Ok(Seen { peer, window, cpu, joins_cpu, joins, memory, expected, tally })
}

/// The listeners join at the scene's pace, whether or not the one before is in.
async fn gather(
    scene: Scene,
    access: &Access,
    wire: &Wire,
    single: bool,
    failed: &mut Tally,
) -> Vec<Participant> {
    let mut joining = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / scene.pace());
    for (mut listener, wishes) in scene.listeners() {
        pace.tick().await;
        listener.single = single;
        joining.push(tokio::spawn(join(access.clone(), wire.clone(), listener, wishes)));
    }
    let mut there = Vec::new();
    for joined in joining {
        match joined.await {
            Ok(Ok(participant)) => there.push(participant),
            Ok(Err(error)) => failed.fault(Fault::Dropped, || format!("cannot join: {error}")),
            Err(error) => failed.fault(Fault::Dropped, || format!("cannot join: {error}")),
        }
    }
    there
}

async fn join(
    access: Access,
    wire: Wire,
    joining: Joining,
    wishes: Vec<Request>,
) -> Result<Participant, Failure> {
    let participant = access.join(&wire, joining).await?;
    for wish in wishes {
        participant.ask(wish);
    }
    Ok(participant)
}

/// How long each waited, from its first byte to the server to its first packet of media.
async fn first_packets(
    wire: &Wire,
    people: &[Participant],
    failed: &mut Tally,
) -> Result<Vec<Duration>, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut waited = Vec::new();
        let mut waiting = Vec::new();
        for person in people {
            let legs = person.legs();
            let first =
                wire.ask(move |all| legs.iter().filter_map(|leg| all.get(*leg)?.first_media).min()).await?;
            match first {
                Some(first) => waited.push(first.saturating_duration_since(person.began)),
                None => waiting.push(&person.identity),
            }
        }
        if waiting.is_empty() || Instant::now() > until {
            for identity in waiting {
                failed.fault(Fault::Silent, || identity.clone());
            }
            waited.sort();
            return Ok(waited);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[allow(clippy::cast_precision_loss)] // Counts of people and packets of a bench.
fn per(whole: f64, parts: usize) -> f64 {
    whole / parts.max(1) as f64
}

#[allow(clippy::cast_precision_loss)] // As above.
impl Seen {
    /// Microseconds of the processor per forwarded packet.
    fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.packets.max(1) as f64
    }

    fn lost(&self) -> f64 {
        let gone = self.tally.missing.saturating_sub(self.tally.recovered) as f64;
        let packets = self.tally.packets as f64;
        match self.expected {
            Some(expected) => (1.0 - packets / expected.max(1.0)).max(0.0),
            None => gone / (packets + gone).max(1.0),
        }
    }

    fn row(&self, scene: Scene, ours: Option<f64>) -> Vec<String> {
        let mut delays = self.tally.delays.clone();
        delays.sort_unstable();
        let delay = |part: usize| {
            let at = (delays.len() * part / 1_000).min(delays.len().saturating_sub(1));
            delays.get(at).map_or("–".to_owned(), |micros| format!("{:.2}", f64::from(*micros) / 1_000.0))
        };
        let join = |part: usize| match self.joins.as_slice() {
            [] => "–".to_owned(),
            joins => format!("{:.0}", quantile(joins, part).as_secs_f64() * 1_000.0),
        };
        let faults: u64 = self.tally.faults.values().map(|(times, _)| times).sum();
        let joined = per(self.joins_cpu.as_secs_f64() * 1_000.0, self.joins.len());
        let compared = if self.peer == Peer::Concord { None } else { ours };
        vec![
            scene.title(),
            self.peer.named().to_owned(),
            thousands(self.tally.packets as f64 / self.window.as_secs_f64()),
            percent(self.cpu.as_secs_f64(), self.window.as_secs_f64()),
            format!("{:.2}", self.cost()),
            compared.map_or_else(String::new, |ours| times(ours, self.cost())),
            delay(500),
            delay(990),
            format!("{:.2} %", self.lost() * 100.0),
            if scene.kind == Kind::Meeting { "–".to_owned() } else { format!("{joined:.1}") },
            join(500),
            join(990),
            format!("{:.0}", self.memory),
            if faults == 0 { "none".to_owned() } else { thousands(faults as f64) },
        ]
    }

    fn faults(&self, scene: Scene) -> impl Iterator<Item = String> {
        self.tally.faults.iter().map(move |(fault, (times, examples))| {
            let (scene, peer) = (scene.title(), self.peer.named());
            format!("{scene}, {peer}: {} ({times} times)\n    {}", fault.described(), examples.join("\n    "))
        })
    }
}
