//! A table of figures brought in: by the crate alone while the table is made, and by the real program from a file.
//!
//! Beside it: the same file split into lines and fields, which is the least that reading can cost.

use std::io::{BufRead as _, BufReader, BufWriter};
use std::process::Stdio;
use std::time::{Duration, Instant};

use formats::figures::{FigureKey, FigureReader, ImportOptions, ReadOptions, Value, dry_run};
use tokio::process::Command as Process;

use crate::authority::Authority;
use crate::machine::{self, Memory};
use crate::table::{Table, megabytes, thousands};
use crate::{Failure, Setting};

mod made_up;

/// Rows of the table that is read, and checked by the program.
const ROWS: u64 = 1_000_000;
/// Rows that are released, and with `--full`.
const RELEASED: (u64, u64) = (100_000, 1_000_000);
/// How often the program's memory is read.
const LOOK: Duration = Duration::from_millis(20);

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let mut table =
        Table::new("Figures brought in", &["what", "rows", "rows/s", "aim", "peak memory, MB", "aim "]);
    let mut row = |what: &str, rows: u64, seconds: f64, memory: Option<Memory>, aims: [&str; 2]| {
        let memory = memory.map_or_else(|| "–".to_owned(), |memory| megabytes(memory.peak));
        let [rate, peak] = aims.map(str::to_owned);
        table.row([what.to_owned(), number(rows), per_second(rows, seconds), rate, memory, peak]);
    };
    let seconds = read_and_check(ROWS)?;
    row(
        "read and checked, by the crate",
        ROWS,
        seconds,
        machine::memory_of(std::process::id()),
        ["≥ 200,000", "< 100"],
    );

    let file = setting.folder.join("figures.csv");
    std::io::copy(&mut made_up::Table::new(ROWS), &mut BufWriter::new(std::fs::File::create(&file)?))?;
    row("the same file split into lines, nothing else", ROWS, lines(&file)?, None, ["", ""]);
    let author = Authority::make(setting, "a.example", setting.port, &[]).await?;
    let file_text = file.display().to_string();
    let (seconds, memory) = run(&author, &["import", "figures", "--dry-run", &file_text]).await?;
    row("concord import figures --dry-run", ROWS, seconds, Some(memory), ["≥ 200,000", "< 100"]);

    let rows = if setting.full { RELEASED.1 } else { RELEASED.0 };
    let file = setting.folder.join("released.csv");
    std::io::copy(&mut made_up::Table::new(rows), &mut BufWriter::new(std::fs::File::create(&file)?))?;
    let file_text = file.display().to_string();
    let (seconds, memory) = run(&author, &["import", "figures", "--replay", &file_text]).await?;
    row("concord import figures: signed, appended, indexed", rows, seconds, Some(memory), ["", ""]);
    table.note(
        "Three figures a row, of every country, called in six languages in turn; all are good and new.",
    );
    table.print();
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Counts of rows.
fn number(rows: u64) -> String {
    thousands(rows as f64)
}

#[allow(clippy::cast_precision_loss)] // Counts of rows.
fn per_second(rows: u64, seconds: f64) -> String {
    thousands(rows as f64 / seconds)
}

/// Seconds to read a table that is made meanwhile: the time to make it alone is taken off.
fn read_and_check(rows: u64) -> Result<f64, Failure> {
    let began = Instant::now();
    std::io::copy(&mut made_up::Table::new(rows), &mut std::io::sink())?;
    let to_make = began.elapsed();
    let began = Instant::now();
    let mut table = made_up::Table::new(rows);
    let reader = FigureReader::new(&mut table, ReadOptions::default())?;
    let nothing_stated = |_: &FigureKey| -> Option<Value> { None };
    let mut refused = 0_u64;
    let report = dry_run(reader, &nothing_stated, &ImportOptions::default(), |row| {
        refused += u64::from(row.is_refused());
    });
    let took = began.elapsed();
    if (report.rows, report.new, refused) != (rows, rows * 3, 0) {
        return Err(format!("{} rows, {} figures, {refused} refused", report.rows, report.new).into());
    }
    Ok(took.saturating_sub(to_make).as_secs_f64())
}

/// Seconds to split a file into lines.
fn lines(file: &std::path::Path) -> Result<f64, Failure> {
    let began = Instant::now();
    let mut reader = BufReader::with_capacity(1 << 18, std::fs::File::open(file)?);
    let (mut line, mut fields) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        fields += line.split(|byte| *byte == b',').count();
        line.clear();
    }
    std::hint::black_box(fields);
    Ok(began.elapsed().as_secs_f64())
}

/// Runs the program to its end: seconds, and its memory when it was last seen.
async fn run(author: &Authority, arguments: &[&str]) -> Result<(f64, Memory), Failure> {
    let began = Instant::now();
    let mut child = Process::new(machine::concord()?)
        .arg("--data")
        .arg(&author.data)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    let mut memory = Memory::default();
    loop {
        if let Some(seen) = child.id().and_then(machine::memory_of) {
            memory = seen;
        }
        if let Ok(status) = tokio::time::timeout(LOOK, child.wait()).await {
            if status?.success() {
                return Ok((began.elapsed().as_secs_f64(), memory));
            }
            return Err(format!("concord {arguments:?} refuses").into());
        }
    }
}
