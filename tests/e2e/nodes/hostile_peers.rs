//! Confirmed peers whose program is not ours, one by one and all at once, beside two honest ones: what is released honestly arrives as
//! it does without them, pages are served, and they take no more memory and disk than is theirs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::costly::{costly, editions};
use e2e::{Authority, ForgedLog, Forger, Hostile, Manner, PATIENCE, World, peak_memory, until};

/// What one peer may take at the node under attack, in MiB.
const QUOTA: u64 = 64;
/// What is under way when the quota is reached comes on top, in MiB: 24 MiB of entries, which may be four times as much in the
/// index.
const UNDER_WAY: u64 = 96;
/// What its index and databases may take beside that, in bytes.
const BESIDE: u64 = 96 << 20;
/// The most memory that the node may ever hold.
const MEMORY: u64 = 300 << 20;
/// The quickest that is expected of a node on a busy machine.
const FLOOR: Duration = Duration::from_secs(2);
/// The longest entry of a log.
const ENTRY: usize = 65_535;

/// How long the attack lasts: a minute, or as many seconds as the environment says.
fn lasting() -> Duration {
    let said = std::env::var("CONCORD_ATTACK_SECONDS").ok();
    Duration::from_secs(said.map_or(60, |text| text.parse().expect("seconds")))
}

fn limited(node: &Authority) {
    let path = node.data.join("concord.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let is_quota = |line: &str| line.starts_with("peer_mib = ");
    assert!(text.lines().any(is_quota), "init writes one");
    let lines =
        text.lines().map(|line| if is_quota(line) { format!("peer_mib = {QUOTA}") } else { line.to_owned() });
    let text = lines.collect::<Vec<_>>().join("\n");
    std::fs::write(&path, text).expect("written");
}

/// Shows sixteen logs, and gives a byte of them a second.
fn dripping(node: &Authority, _: &Authority) -> Hostile {
    let forger = Forger::of(node);
    let logs: Vec<ForgedLog> = (0..16)
        .map(|n| {
            let mut log = forger.log(n);
            (0..300).for_each(|_| forger.record(&mut log, |_| ()));
            log.done()
        })
        .collect();
    let files = forger.files(&logs, 1_000_000);
    Hostile::serving(
        node.port,
        files,
        |path| {
            if path.contains("/tile/") { Manner::Drips } else { Manner::Plainly }
        },
    )
}

/// Gives as many bytes as it can: bundles of the largest entries.
fn filling(node: &Authority, _: &Authority) -> Hostile {
    let forger = Forger::of(node);
    let logs: Vec<ForgedLog> = (0..8)
        .map(|n| {
            let mut log = forger.log(n);
            for k in 0..300_u32 {
                let mut entry = vec![b'x'; ENTRY];
                entry[..4].copy_from_slice(&k.to_be_bytes());
                log.push(entry);
            }
            log.done()
        })
        .collect();
    Hostile::serving(node.port, forger.files(&logs, 0), |_| Manner::Plainly)
}

/// Names large and small files, and gives a byte of them a second, or others.
fn withholding(node: &Authority, _: &Authority) -> Hostile {
    let forger = Forger::of(node);
    let mut log = forger.log(0);
    let mut blobs: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
    for (size, count) in [(40_000_000, 20_u64), (500_000, 200)] {
        let body: Arc<[u8]> = vec![0; size].into();
        for n in 0..count {
            let name = [size.to_be_bytes(), usize::try_from(n).expect("small").to_be_bytes()].concat();
            forger.names_blob(&mut log, &name, size as u64);
            blobs.insert(format!("/blob/{}", tlog::sha256(&name)), body.clone());
        }
    }
    let mut files = forger.files(&[log.done()], 0);
    files.extend(blobs);
    Hostile::serving(node.port, files, |path| match path.strip_prefix("/blob/") {
        Some(hash) if hash.starts_with(['0', '1', '2', '3']) => Manner::Junk,
        Some(_) => Manner::Drips,
        None => Manner::Plainly,
    })
}

/// Shows very many logs, others each time, and thousands of entries that are no records.
fn flooding(node: &Authority, _: &Authority) -> Hostile {
    let forger = Forger::of(node);
    let mut logs: Vec<ForgedLog> = (0..1_500).map(|n| forger.log(n).done()).collect();
    let mut invalid = forger.log(1_500);
    (0..5_000_u32).for_each(|n| invalid.push(format!("no record {n}").into_bytes()));
    logs.push(invalid.done());
    Hostile::serving(node.port, forger.files(&logs, 1_000_000), |path| match path {
        "/heads" => Manner::Restless,
        _ => Manner::Plainly,
    })
}

/// How long it takes until what one has released is on the pages of the other.
fn arrival(from: &Authority, to: &Authority, text: &str) -> Duration {
    let name = from.say(text);
    let (begun, client, path) = (Instant::now(), to.client(), format!("/record/{name}"));
    while client.get(&path).status != 200 {
        assert!(begun.elapsed() < PATIENCE, "{text} does not arrive");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

/// The hundredth part that is longest is left out, and one at least: the disk of a busy machine stands still now and then.
fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() - 1 - (times.len() / 100).max(1)]
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

fn trust(node: &Authority, other: &Authority) {
    let fingerprint = other.fingerprint();
    node.ask(&["peer", "add", &other.name, "--fingerprint", &fingerprint]).expect("peer add");
    node.ask(&["peer", "confirm", &other.name, "--fingerprint", &fingerprint]).expect("peer confirm");
}

/// Of an authority, on another one.
type Attack = fn(&Authority, &Authority) -> Hostile;

/// What honest people see while these peers are at work beside them.
fn honest_beside(attacks: &[(&str, Attack)], lasting: Duration) {
    let names: Vec<&str> =
        ["a.example", "b.example"].into_iter().chain(attacks.iter().map(|one| one.0)).collect();
    let mut world = World::new(&names);
    limited(&world.nodes[1]);
    for honest in &mut world.nodes[..2] {
        honest.serve();
    }
    let [a, b, others @ ..] = &world.nodes[..] else { unreachable!("two at least") };
    trust(a, b);
    trust(b, a);
    arrival(a, b, "the first takes longer");
    let mut usual: Vec<Duration> = (0..20).map(|n| arrival(a, b, &format!("before {n}"))).collect();
    let hostile: Vec<Hostile> =
        attacks.iter().zip(others).map(|((_, attack), node)| attack(node, b)).collect();
    for other in others {
        trust(b, other);
    }
    until("all of them are asked", || hostile.iter().all(|one| one.asked() > 4).then_some(()));

    let (begun, mut times, mut pages, mut served) = (Instant::now(), Vec::new(), 0, 0);
    let (mut longest_page, client) = (Duration::ZERO, b.client());
    while begun.elapsed() < lasting {
        times.push(arrival(a, b, &format!("beside them {}", times.len())));
        let asked = Instant::now();
        pages += 1;
        served += usize::from(client.get("/situation").status == 200);
        longest_page = longest_page.max(asked.elapsed());
    }
    let (usual, beside) = (p99(&mut usual), p99(&mut times));
    let longest: Vec<u128> = times.iter().rev().take(5).map(Duration::as_millis).collect();
    let memory = peak_memory(b.pid().expect("it serves"));
    let status = b.ask(&["status"]).expect("the operator is answered");
    let (disk, said) = (bytes_in(&b.data), status.to_string().len());
    let asked: Vec<(u64, u64)> = hostile.iter().map(|one| (one.asked(), one.sent() >> 20)).collect();
    let names = &names[2..];
    eprintln!(
        "{names:?}: {} arrivals, p99 {beside:?} (longest, ms: {longest:?}), usually {usual:?}; {served} of {pages} pages, \
         the longest {longest_page:?}; memory {} MiB, disk {} MiB, {said} bytes of status; asked and sent (MiB): {asked:?}",
        times.len(),
        memory >> 20,
        disk >> 20,
    );
    assert!(beside <= (usual * 2).max(FLOOR), "{beside:?} instead of {usual:?}");
    assert!(served * 100 >= pages * 99, "{served} of {pages} pages");
    assert!(memory < MEMORY, "{} MiB of memory", memory >> 20);
    for peer in status["peers"].as_array().expect("a list") {
        let used = peer["disk_bytes"].as_u64().expect("bytes");
        assert!(used <= (QUOTA + UNDER_WAY) << 20, "{peer}");
    }
    assert!(disk < ((4 * QUOTA) << 20) + BESIDE, "{} MiB of disk", disk >> 20);
    assert!(said < 256 << 10, "{said} bytes of status");
    if names.contains(&"fills.example") {
        let codes = b.alarms();
        assert!(codes.iter().any(|code| code == "alarm-over-quota"), "{codes:?}");
    }
}

const DRIPS: (&str, Attack) = ("drips.example", dripping);
const FILLS: (&str, Attack) = ("fills.example", filling);
const WITHHOLDS: (&str, Attack) = ("withholds.example", withholding);
const FLOODS: (&str, Attack) = ("floods.example", flooding);
const COSTS: (&str, Attack) = ("costs.example", costly);
/// Of one attack.
const SHORT: Duration = Duration::from_secs(15);

#[test]
fn a_peer_that_drips_its_logs_holds_up_nobody_else() {
    honest_beside(&[DRIPS], SHORT);
}

#[test]
fn a_peer_that_gives_as_much_as_it_can_is_held_to_its_quota() {
    honest_beside(&[FILLS], SHORT);
}

#[test]
fn a_peer_that_withholds_its_files_holds_up_nobody_else() {
    honest_beside(&[WITHHOLDS], SHORT);
}

#[test]
fn a_peer_that_floods_logs_and_entries_that_are_no_records_holds_up_nobody_else() {
    honest_beside(&[FLOODS], SHORT);
}

#[test]
fn a_peer_whose_records_cost_much_to_read_holds_up_nobody_else() {
    honest_beside(&[COSTS], SHORT);
}

/// Editions of one thing: nearly as many as are compared.
const EDITIONS: u32 = 24_000;
/// The most memory that a node may ever hold that compares them.
const COMPARING: u64 = 230 << 20;

/// A node has read of each thing what is superseded by the last of so many editions.
fn read_editions(b: &Authority, other: &Authority, things: u64, each: u32) {
    let (_hostile, superseded) = editions(other, things, each);
    if b.ask(&["peer", "list"]).expect("peers")["peers"].as_array().is_none_or(Vec::is_empty) {
        trust(b, other);
    }
    let (begun, client) = (Instant::now(), b.client());
    for name in superseded {
        let is_settled = || {
            let page = client.get(&format!("/record/{name}"));
            page.status == 200 && String::from_utf8_lossy(&page.body).contains("There is a later edition:")
        };
        until("it is said to be superseded", || is_settled().then_some(()));
    }
    eprintln!("{each}: {:?} {} MiB", begun.elapsed(), peak_memory(b.pid().expect("it serves")) >> 20);
}

/// How much memory a node ever held that has so many things of a peer, each of so many editions, and then another one.
fn memory_beside(things: u64, each: u32) -> u64 {
    let mut world = World::new(&["b.example", "edits.example"]);
    world.nodes[0].serve();
    let [b, other] = &world.nodes[..] else { unreachable!("two") };
    for each in [each - 1, each] {
        read_editions(b, other, things, each);
    }
    peak_memory(b.pid().expect("it serves"))
}

#[test]
fn a_thing_of_nearly_as_many_editions_as_are_compared_takes_little_memory() {
    let memory = memory_beside(1, EDITIONS);
    eprintln!("{} MiB", memory >> 20);
    assert!(memory < COMPARING, "{} MiB of memory", memory >> 20);
}

/// What a peer may send for one question about news that is answered by nothing: what is on its way on the socket comes on top.
const FOR_NOTHING: u64 = 8 << 20;

/// A node that has a peer whose heads are answered in some manner.
fn beside_one(manner: Manner) -> (World, Hostile) {
    let mut world = World::new(&["b.example", "endless.example"]);
    world.nodes[0].serve();
    let [b, other] = &world.nodes[..] else { unreachable!("two") };
    let forger = Forger::of(other);
    let files = forger.files(&[forger.log(0).done()], 0);
    let manners = move |path: &str| if path == "/heads" { manner } else { Manner::Plainly };
    let hostile = Hostile::serving(other.port, files, manners);
    trust(b, other);
    (world, hostile)
}

fn is_cut_off_each_time(manner: Manner) {
    let (world, hostile) = beside_one(manner);
    let before = hostile.asked();
    until("it is asked again and again", || (hostile.asked() >= before + 3).then_some(()));
    let (sent, asked) = (hostile.sent(), hostile.asked());
    assert!(sent < asked * FOR_NOTHING, "{} MiB for {asked} questions", sent >> 20);
    let codes = world.nodes[0].alarms();
    assert!(codes.iter().any(|code| code == "alarm-misbehaves"), "{codes:?}");
}

#[test]
fn a_peer_that_sends_hints_without_end_and_no_answer_is_cut_off() {
    is_cut_off_each_time(Manner::Hints);
}

#[test]
fn a_peer_that_packs_nothing_without_end_is_cut_off() {
    is_cut_off_each_time(Manner::Packed);
}

#[test]
fn what_a_peer_was_asked_for_is_broken_off_when_it_is_removed() {
    let (world, hostile) = beside_one(Manner::Silent);
    until("it is asked", || (hostile.answering() == 1).then_some(()));
    world.nodes[0].ask(&["peer", "remove", "endless.example"]).expect("peer remove");
    let removed = Instant::now();
    until("it is broken off", || (hostile.answering() == 0).then_some(()));
    assert!(removed.elapsed() < Duration::from_secs(5), "after {:?}", removed.elapsed());
}

#[test]
fn four_hostile_peers_at_once_cost_the_honest_ones_nothing_that_matters() {
    honest_beside(&[DRIPS, FILLS, WITHHOLDS, FLOODS], lasting());
}
