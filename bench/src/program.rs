//! The program itself: how large it is, how soon it answers, how much memory it takes when nothing happens.

use std::time::Duration;

use crate::authority::Authority;
use crate::table::{Table, megabytes, milliseconds};
use crate::{Failure, Setting, machine};

/// How often it is started.
const STARTS: usize = 10;
/// How long it idles before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let size = std::fs::metadata(machine::concord()?)?.len();
    let mut node = Authority::make(setting, "a.example", setting.port, &[]).await?;
    // The first start makes the index's tables; it is not counted.
    node.serve().await?;
    node.stop().await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(node.serve().await?);
        node.stop().await?;
    }
    starts.sort_unstable();
    node.serve().await?;
    tokio::time::sleep(IDLE).await;
    let memory = node.memory()?;
    node.stop().await?;

    let mut table = Table::new("The program", &["what", "seen", "aim"]);
    let mut row = |what: &str, seen: String, aim: &str| table.row([what.to_owned(), seen, aim.to_owned()]);
    row("its size, MB", megabytes(size), "");
    row("start to the first answer of /healthz, ms (median)", milliseconds(starts[STARTS / 2]), "");
    row("start to the first answer of /healthz, ms (slowest)", milliseconds(starts[STARTS - 1]), "");
    row("resident memory, idle, MB", megabytes(memory.now), "< 40");
    row("of these no file, MB", megabytes(memory.anonymous), "");
    table.note(format!(
        "An authority without records or peers; {STARTS} starts; memory after {} s.",
        IDLE.as_secs()
    ));
    table.print();
    Ok(())
}
