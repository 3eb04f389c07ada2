//! From a release to the peer that shows it: two processes of the real program, HTTP over links with a delay.
//!
//! The clock runs from before the command reaches the author's node until the peer's API shows the record as valid.

use std::time::{Duration, Instant};

use node::command::{Command, Release};

use crate::authority::{Authority, client};
use crate::delay;
use crate::table::{Table, milliseconds, quantile};
use crate::{Failure, Setting};

/// Releases of each link, and with `--full`.
const RELEASES: (usize, usize) = (60, 300);
/// Delays of the link, in each direction.
const DELAYS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(100)];
/// How often the peer is asked.
const LOOK: Duration = Duration::from_millis(2);
/// What has not arrived after this time does not.
const PATIENCE: Duration = Duration::from_mins(1);

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let headings = [
        "delay of the link, each way",
        "answered p50, ms",
        "visible p50, ms",
        "p90",
        "p99",
        "slowest",
        "aim, p99",
    ];
    let mut table = Table::new("From a release to the peer that shows it", &headings);
    let releases = if setting.full { RELEASES.1 } else { RELEASES.0 };
    for delay in DELAYS {
        let folder = setting.folder.join(format!("{}", delay.as_millis()));
        std::fs::create_dir_all(&folder)?;
        let times = times(&Setting { folder, ..*setting }, delay, releases).await?;
        let of = |part: fn(&(Duration, Duration)) -> Duration| {
            let mut sorted: Vec<Duration> = times.iter().map(part).collect();
            sorted.sort_unstable();
            sorted
        };
        let (answered, visible) = (of(|times| times.0), of(|times| times.1));
        table.row([
            format!("{} ms", delay.as_millis()),
            milliseconds(quantile(&answered, 500)),
            milliseconds(quantile(&visible, 500)),
            milliseconds(quantile(&visible, 900)),
            milliseconds(quantile(&visible, 990)),
            milliseconds(quantile(&visible, 1000)),
            if delay == Duration::from_millis(100) { "< 1000".to_owned() } else { String::new() },
        ]);
    }
    table.note(format!("{releases} public notices per link, released one after the other at uneven times; each with its own text as a blob."));
    table.note("answered: the author's node has it durable and published. visible: also verified, stored and indexed by the peer, and its API shows it.");
    table.print();
    Ok(())
}

/// Times until each release was answered, and visible on the peer.
async fn times(
    setting: &Setting,
    delay: Duration,
    releases: usize,
) -> Result<Vec<(Duration, Duration)>, Failure> {
    let [a, b, to_a, to_b] = [0, 1, 2, 3].map(|n| setting.port + n);
    let mut author = Authority::make(setting, "a.example", a, &[("b.example", to_b)]).await?;
    let mut peer = Authority::make(setting, "b.example", b, &[("a.example", to_a)]).await?;
    let links = [delay::link(to_a, a, delay).await?, delay::link(to_b, b, delay).await?];
    author.serve().await?;
    peer.serve().await?;
    author.confirm(&peer).await?;
    peer.confirm(&author).await?;
    let http = client()?;
    // The first opens the log; it is not counted.
    release(&http, &author, &peer, "the first").await?;
    let mut times = Vec::with_capacity(releases);
    for n in 0..releases {
        tokio::time::sleep(Duration::from_millis(u64::try_from(n)? * 137 % 400)).await;
        times.push(release(&http, &author, &peer, &format!("notice {n}")).await?);
    }
    author.stop().await?;
    peer.stop().await?;
    for link in links {
        link.abort();
    }
    Ok(times)
}

async fn release(
    http: &reqwest::Client,
    author: &Authority,
    peer: &Authority,
    text: &str,
) -> Result<(Duration, Duration), Failure> {
    let notice = Release {
        kind: "notice".to_owned(),
        public: true,
        to: Vec::new(),
        mechanism: None,
        blobs: Vec::new(),
        texts: vec![format!("en={text}")],
        lines: Vec::new(),
        id: None,
        refs: Vec::new(),
        about: Vec::new(),
        status: None,
        released: None,
        expires: None,
    };
    let began = Instant::now();
    let outcome = author.ask(&Command::Release(notice)).await?;
    let answered = began.elapsed();
    let name = outcome.json[0]["name"].as_str().ok_or("a release has a name")?;
    let url = peer.url(&format!("/api/v1/records/{name}"));
    while !http.get(&url).send().await?.status().is_success() {
        if began.elapsed() > PATIENCE {
            return Err(format!("the peer does not show {name}").into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok((answered, began.elapsed()))
}
