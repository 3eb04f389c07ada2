//! Pages of the real program at a constant rate of requests, from an index of 200 countries and 500 days.
//!
//! The index is filled with made-up statements of 200 authorities and one more, as if their records had arrived;
//! it is rows of the index alone, since 200 authorities cannot be run here. The server, its queries and its pages
//! are the real ones. Requests are sent at their times whether or not earlier ones were answered.

use std::time::{Duration, Instant};

use node::index::Index;
use reqwest::header::ACCEPT_ENCODING;
use store::db::{Db, DbOptions};

use crate::authority::{Authority, client};
use crate::table::{Table, megabytes, milliseconds, quantile, thousands};
use crate::{Failure, Setting};

mod made_up;

/// Requests per second.
const RATE: u32 = 200;
/// For how long, in seconds, and with `--full`.
const SECONDS: (u32, u32) = (15, 60);
/// Requests of each page before it is measured.
const WARM: usize = 3;

/// What is asked for: the name in the table, the address, whether a map is on it.
const PAGES: [(&str, &str, bool); 8] = [
    ("situation, with the map", "/situation", true),
    ("situation, in Arabic", "/situation?lang=ar", true),
    ("situation as claimed on 31 May 2020", "/situation?as_of=2020-05-31", true),
    ("a country", "/situation/CHN", false),
    ("a country as claimed on 31 May 2020", "/situation/CHN?as_of=2020-05-31", false),
    ("one day of a country", "/situation/CHN/2020-05-31", false),
    ("records", "/records", false),
    ("network", "/network", false),
];

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let mut node = Authority::make(setting, "moh.jpn.example", setting.port, &[]).await?;
    // Once, so that the index has its tables; then as if the records had arrived.
    node.serve().await?;
    node.stop().await?;
    let url = format!("sqlite:{}", node.data.join("index.db").display());
    let db = Db::connect(&url, DbOptions::default()).await?;
    Index::open(db.clone(), &"moh.jpn.example".parse()?).await?;
    made_up::fill(&db).await?;
    db.close().await;
    node.serve().await?;

    let http = client()?;
    let mut weights = Vec::new();
    for (_, path, _) in PAGES {
        for _ in 1..WARM {
            get(&http, &node.url(path)).await?;
        }
        weights.push(weigh(&http, &node, path).await?);
    }
    let seconds = if setting.full { SECONDS.1 } else { SECONDS.0 };
    let before = node.cpu()?;
    let (times, took) = ask(&http, &node, RATE * seconds).await?;
    let cpu = node.cpu()?.saturating_sub(before);
    let memory = node.memory()?;
    node.stop().await?;
    print(&times, &weights, took);
    println!(
        "The server used {:.1} ms of CPU per request, and {} MB of memory at most.\n",
        cpu.as_secs_f64() * 1000.0 / f64::from(RATE * seconds),
        megabytes(memory.peak)
    );
    Ok(())
}

/// The bytes of a page and of what it loads, compressed as for a browser.
struct Weight {
    page: usize,
    assets: usize,
}

async fn get(http: &reqwest::Client, url: &str) -> Result<Vec<u8>, Failure> {
    let answer = http.get(url).header(ACCEPT_ENCODING, "gzip, br").send().await?.error_for_status()?;
    Ok(answer.bytes().await?.to_vec())
}

async fn weigh(http: &reqwest::Client, node: &Authority, path: &str) -> Result<Weight, Failure> {
    let page = get(http, &node.url(path)).await?.len();
    let plain = http.get(node.url(path)).header(ACCEPT_ENCODING, "identity").send().await?.text().await?;
    let named: std::collections::BTreeSet<&str> =
        plain.split('"').filter(|part| part.starts_with("/assets/")).collect();
    let mut assets = 0;
    for asset in named {
        assets += get(http, &node.url(asset)).await?.len();
    }
    Ok(Weight { page, assets })
}

/// Asks for all pages in turn, at [`RATE`]: the time of each answer with its last byte, by page; and of all.
async fn ask(
    http: &reqwest::Client,
    node: &Authority,
    requests: u32,
) -> Result<(Vec<Vec<Duration>>, Duration), Failure> {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for (n, page) in (0..requests).zip((0..PAGES.len()).cycle()) {
        let due = began + Duration::from_secs(1) * n / RATE;
        tokio::time::sleep_until(due.into()).await;
        let (http, url) = (http.clone(), node.url(PAGES[page].1));
        tasks.push(tokio::spawn(async move {
            // From the time at which it should have been sent: nothing hides in a sender that is late.
            let answered = get(&http, &url).await.map(|_| due.elapsed());
            (page, answered.map_err(|error| error.to_string()))
        }));
    }
    let mut times = vec![Vec::new(); PAGES.len()];
    for task in tasks {
        let (page, answered) = task.await?;
        times[page].push(answered?);
    }
    Ok((times, began.elapsed()))
}

#[allow(clippy::cast_precision_loss)] // Bytes of a page.
fn print(times: &[Vec<Duration>], weights: &[Weight], took: Duration) {
    let headings = ["page", "p50, ms", "p99, ms", "aim, p99", "kB", "kB with its assets", "aim, kB"];
    let mut table = Table::new(&format!("Pages at {RATE} requests a second"), &headings);
    let kilobytes = |bytes: usize| format!("{:.1}", bytes as f64 / 1000.0);
    let mut all = Vec::new();
    for (((name, _, with_map), times), weight) in PAGES.iter().zip(times).zip(weights) {
        let mut times = times.clone();
        times.sort_unstable();
        table.row([
            (*name).to_owned(),
            milliseconds(quantile(&times, 500)),
            milliseconds(quantile(&times, 990)),
            "≤ 20".to_owned(),
            kilobytes(weight.page),
            kilobytes(weight.page + weight.assets),
            if *with_map { "≤ 100" } else { "≤ 60" }.to_owned(),
        ]);
        all.extend(times);
    }
    all.sort_unstable();
    let [p50, p99] = [500, 990].map(|part| milliseconds(quantile(&all, part)));
    table.row([
        "all of them".to_owned(),
        p50,
        p99,
        "≤ 20".to_owned(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    table.note(format!(
        "{} requests in {:.1} s, the pages in turn, compressed; the client runs on the same cores. Times from when a request was due to its last byte.",
        thousands(all.len() as f64),
        took.as_secs_f64()
    ));
    table.print();
}
