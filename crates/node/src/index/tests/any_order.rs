//! Random worlds, in random orders, with rebuilds in the middle.

use super::reader::Reader;
use super::rows::{differences, rows};
use super::world::{ME, Placed, Say, World, authority};
use record::{Status, kind};
use tlog::sha256;

const AUTHORS: [&str; 3] = ["moh.chn.example", "mohw.kor.example", ME];

/// Chance from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        let hash = sha256(&self.0.to_be_bytes()).0;
        let number = u64::from_be_bytes(hash[..8].try_into().expect("eight"));
        usize::try_from(number % bound as u64).expect("small")
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }

    fn is(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Now and then it says the same figure again and again, and is so long that it is taken in pieces: the last line counts.
fn table(dice: &mut Dice) -> Vec<u8> {
    let (day, value) = (dice.below(3) + 1, dice.below(5));
    let mut table = "#date,#country+code,#affected+infected+confirmed+cumulative\n".to_owned();
    for other in 0..if dice.is(10) { 4_500 } else { 0 } {
        table.push_str(&format!("2020-01-0{day},CHN,{other}\n"));
    }
    table.push_str(&format!("2020-01-0{day},CHN,{value}\n"));
    table.into_bytes()
}

/// A few authorities say, correct, withdraw, seal, publish and revoke.
fn world(dice: &mut Dice) -> World {
    let mut world = World::new(&AUTHORS[..2]);
    let mut said: Vec<Placed> = Vec::new();
    let mut sealed: Vec<Placed> = Vec::new();
    let mut at = 10_000;
    for _ in 0..6 + dice.below(24) {
        // Clocks are set back now and then.
        at = if dice.is(8) { at - 500 } else { at + i64::try_from(dice.below(60)).expect("small") };
        let author = AUTHORS[dice.below(AUTHORS.len())];
        let audiences: [Option<&[&str]>; 3] = [None, Some(&[ME]), Some(&[ME, "who.example"])];
        let to = audiences[dice.below(3)];
        match dice.below(12) {
            0..=5 => {
                let id = u64::try_from(dice.below(3)).expect("small");
                let edition = u32::try_from(dice.below(3)).expect("small") + 1;
                let status = if dice.is(5) { Status::Exercise } else { Status::Actual };
                let kind = if dice.is(4) { kind::NOTICE } else { kind::FIGURES };
                let table = (kind == kind::FIGURES).then(|| table(dice));
                let placed = world.say(&Say { to, edition, status, table, ..Say::new(author, kind, id, at) });
                if to.is_some() {
                    sealed.push(placed.clone());
                }
                said.push(placed);
            }
            6 | 7 => {
                let Some(target) = dice.one(&said) else { continue };
                // Mostly by its author; sometimes by somebody else, who may not.
                let by = if dice.is(4) { author.to_owned() } else { target.author.to_string() };
                let id = 1_000 + u64::try_from(dice.below(1_000)).expect("small");
                let status = if dice.is(4) { Status::Exercise } else { Status::Actual };
                let refs = vec![target.withdraw()];
                world.say(&Say { to, status, refs, ..Say::new(&by, kind::WITHDRAWAL, id, at) });
            }
            8 => {
                let Some(target) = dice.one(&sealed) else { continue };
                said.push(world.again(&target, to, at));
            }
            9 => world.succeed(author, to, at),
            10 => world.revoke(author, at - i64::try_from(dice.below(300)).expect("small")),
            _ => {
                let logs: Vec<_> = world.logs.keys().cloned().collect();
                let Some(log) = dice.one(&logs) else { continue };
                let last = world.logs[&log].seen.last().map_or(0, |seen| seen.checkpoint.size);
                let size = world.logs[&log].entries.len() as u64;
                if size > last {
                    world.witness(&log, size, at);
                }
            }
        }
    }
    world
}

/// What can still come to a reader.
#[derive(Clone, Debug)]
enum Coming {
    Entries(record::Origin, u64),
    Blob(tlog::Hash),
    Seen(record::Origin, usize),
    Root(record::Authority, u64),
}

fn everything(world: &World, dice: &mut Dice) -> Vec<Coming> {
    let mut all = Vec::new();
    for origin in world.logs_for(ME) {
        let log = &world.logs[&origin];
        let mut size = 0;
        while size < log.entries.len() {
            size = (size + 1 + dice.below(4)).min(log.entries.len());
            all.push(Coming::Entries(origin.clone(), size as u64));
        }
        all.extend((1..=log.seen.len()).map(|count| Coming::Seen(origin.clone(), count)));
    }
    all.extend(world.blobs.keys().map(|hash| Coming::Blob(*hash)));
    for author in AUTHORS.map(authority) {
        let newest = world.chain(&author).latest().version;
        all.extend((2..=newest).map(|version| Coming::Root(author.clone(), version)));
    }
    for place in (1..all.len()).rev() {
        all.swap(place, dice.below(place + 1));
    }
    all
}

async fn comes(reader: &Reader, coming: &Coming) {
    match coming {
        Coming::Entries(origin, size) => {
            let size = {
                let mut come = reader.come();
                let before = come.sizes.entry(origin.clone()).or_default();
                *before = (*before).max(*size);
                *before
            };
            // A log whose author's root is not here waits for it.
            let _ = reader.index.follower(reader).reach(origin).await;
            let _ = size;
        }
        Coming::Blob(hash) => {
            reader.come().blobs.insert(*hash);
            reader.index.follower(reader).blob(hash).await.expect("a blob");
        }
        Coming::Seen(origin, count) => {
            {
                let mut come = reader.come();
                let before = come.seen.entry(origin.clone()).or_default();
                *before = (*before).max(*count);
            }
            reader.index.follower(reader).seen(origin).await.expect("a witness file");
        }
        Coming::Root(author, version) => {
            {
                let mut come = reader.come();
                let before = come.roots.entry(author.clone()).or_insert(1);
                *before = (*before).max(*version);
            }
            let follower = reader.index.follower(reader);
            follower.roots(author).await.expect("a root");
            // What waited for the root goes on.
            for origin in reader.world.logs_for(ME).iter().filter(|origin| origin.authority == *author) {
                let _ = follower.reach(origin).await;
            }
        }
    }
}

/// What is marked as corrected is what its author states with another value too.
const MARKED_WRONGLY: &str = "select x.no from situation_statement x where x.revised <> (case when exists (
    select 1 from situation_statement o where o.series = x.series and o.day = x.day and o.start = x.start
      and o.value <> x.value) then 1 else 0 end)";

async fn agree(seed: u64, fresh: impl AsyncFn() -> store::Db) {
    let mut dice = Dice(seed << 20);
    let world = world(&mut dice);
    let plain = Reader::with(&world, fresh().await).await;
    plain.all_comes().await;
    let expected = rows(plain.index.db()).await;
    for schedule in 0..3 {
        let reader = Reader::with(&world, fresh().await).await;
        for coming in everything(&world, &mut dice) {
            comes(&reader, &coming).await;
            if dice.is(40) {
                reader.index.rebuild(&reader).await.expect("a rebuild");
            }
        }
        for origin in world.logs_for(ME) {
            reader.index.follower(&reader).reach(&origin).await.expect("the rest");
        }
        let found = rows(reader.index.db()).await;
        let differ = differences(&expected, &found);
        assert!(differ.is_empty(), "seed {seed}, schedule {schedule}:\n{}", differ.join("\n"));
        let wrong = reader.index.db().rows(MARKED_WRONGLY, &[]).await.expect("rows");
        assert!(wrong.is_empty(), "seed {seed}, schedule {schedule}: {} marks of corrections", wrong.len());
        reader.index.rebuild(&reader).await.expect("a rebuild");
        let differ = differences(&expected, &rows(reader.index.db()).await);
        assert!(differ.is_empty(), "seed {seed}, schedule {schedule}, rebuilt:\n{}", differ.join("\n"));
    }
}

/// How many seeds; more by `CONCORD_TEST_SEEDS`, from `CONCORD_TEST_SEED` on.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("CONCORD_TEST_SEED").unwrap_or(1);
    first..first + number("CONCORD_TEST_SEEDS").unwrap_or(usual)
}

#[tokio::test]
async fn the_same_records_give_the_same_rows_in_any_order() {
    for seed in seeds(25) {
        agree(seed, async || {
            store::Db::connect("sqlite::memory:", store::DbOptions::default()).await.expect("a database")
        })
        .await;
    }
}

/// The same on `PostgreSQL`, if `make test` started one.
#[tokio::test]
async fn the_same_records_give_the_same_rows_in_any_order_on_postgresql() {
    static SCHEMA: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let Ok(url) = std::env::var("CONCORD_TEST_POSTGRES") else { return };
    for seed in seeds(3) {
        agree(seed, async || {
            let number = SCHEMA.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // A test leaks the few names of its schemas.
            let schema: &'static str =
                Box::leak(format!("order_{}_{number}", std::process::id()).into_boxed_str());
            let options =
                store::DbOptions { schema: Some(schema), connections: 2, ..store::DbOptions::default() };
            store::Db::connect(&url, options).await.expect("a database")
        })
        .await;
    }
}
