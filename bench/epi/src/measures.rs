//! What is measured, each beside its peer.

use std::path::Path;

use epi::case_reproduction;
use epi::detect::{Ears, Farrington, Method, Reference, Variant};
use epi::instantaneous::{Cases, Prior, estimate};
use epi::scenario::{Band, Reproduction, Scenario};
use epi::series::Series;

use crate::Failure;
use crate::peer::{Answer, Folder, ask, timed, write};
use crate::series::{PLACES, daily, interval, weekly};

/// One line of the table.
pub struct Row {
    what: String,
    peer: String,
    ours: f64,
    theirs: Option<f64>,
    difference: String,
}

impl Row {
    /// Prints it.
    pub fn print(&self) {
        let seconds = |s: f64| if s < 0.1 { format!("{s:.4}") } else { format!("{s:.2}") };
        let theirs = self.theirs.map_or_else(|| "not here".to_owned(), seconds);
        let times = self.theirs.map_or_else(|| "–".to_owned(), |theirs| format!("{:.0}", theirs / self.ours));
        println!(
            "| {} | {} | {} | {theirs} | {times} | {} |",
            self.what,
            self.peer,
            seconds(self.ours),
            self.difference
        );
    }
}

/// The largest relative difference; numbers that one of both does not have are counted.
fn differs(ours: &[Vec<f64>], answer: &Answer) -> String {
    let (mut most, mut alone): (f64, usize) = (0.0, ours.len().abs_diff(answer.rows.len()));
    for (a, b) in ours.iter().zip(&answer.rows) {
        for (a, b) in a.iter().zip(b) {
            if a.is_nan() != b.is_nan() {
                alone += 1;
            } else if !a.is_nan() {
                most = most.max((a - b).abs() / b.abs().max(1e-3));
            }
        }
    }
    if alone > 0 { format!("{most:.1e}; {alone} in one only") } else { format!("{most:.1e}") }
}

const SEVEN: [f64; 7] = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];

/// R of 200 series of 200 days in windows of 7 days, fixed serial interval: mean, standard deviation, seven quantiles.
pub fn reproduction(folder: &Folder, scripts: &Path) -> Result<Vec<Row>, Failure> {
    let all = daily();
    let interval = interval();
    let (input, si) = (folder.file("daily.csv"), folder.file("si.csv"));
    write(&input, &all)?;
    let probabilities: Vec<String> = interval.delay().probabilities().iter().map(f64::to_string).collect();
    std::fs::write(&si, probabilities.join("\n"))?;
    let prior = Prior::new(5.0, 5.0)?;
    let one = |series: &Series| -> Result<Vec<Vec<f64>>, Failure> {
        let windows = estimate(&Cases::new(series.clone(), None)?, &interval, 7, prior)?;
        let row = |posterior: Option<epi::distribution::gamma::Gamma>| match posterior {
            Some(of) => [vec![of.mean(), of.sd()], SEVEN.map(|p| of.quantile(p)).to_vec()].concat(),
            None => vec![f64::NAN; 9],
        };
        Ok(windows.iter().map(|window| row(window.posterior)).collect())
    };
    let (ours, found) = timed(|| all.iter().map(one).collect::<Result<Vec<_>, _>>());
    let found: Vec<Vec<f64>> = found?.concat();
    let what = "R, 200 places × 200 days, fixed serial interval";
    let mut rows = Vec::new();
    let files = [input.to_string_lossy(), si.to_string_lossy()];
    for (program, script, peer) in [("Rscript", "peers.R", "EpiEstim"), ("python3", "peers.py", "epyestim")] {
        let answer = folder.file("answer.csv");
        let asked = ask(program, &scripts.join(script), &["reproduction", &files[0], &files[1]], &answer)?;
        let difference = asked.as_ref().map_or_else(|| "–".to_owned(), |answer| differs(&found, answer));
        let theirs = asked.map(|answer| answer.seconds);
        rows.push(Row { what: what.to_owned(), peer: peer.to_owned(), ours, theirs, difference });
    }
    Ok(rows)
}

/// EARS C2 on the same series.
pub fn ears(folder: &Folder, scripts: &Path) -> Result<Vec<Row>, Failure> {
    let all = daily();
    let input = folder.file("daily.csv");
    write(&input, &all)?;
    let method = Method::Ears(Ears::new(Variant::C2));
    let one = |series: &Series| -> Result<Vec<Vec<f64>>, Failure> {
        let verdicts = method.judge(series, series.len() - 9)?;
        Ok(verdicts.iter().map(|v| vec![v.upper.unwrap_or(f64::NAN)]).collect())
    };
    let (ours, found) = timed(|| all.iter().map(one).collect::<Result<Vec<_>, _>>());
    let found = found?.concat();
    let answer = folder.file("answer.csv");
    let asked = ask("Rscript", &scripts.join("peers.R"), &["ears", &input.to_string_lossy()], &answer)?;
    let difference = asked.as_ref().map_or_else(|| "–".to_owned(), |answer| differs(&found, answer));
    let what = "EARS C2, 200 places × 191 days".to_owned();
    let theirs = asked.map(|answer| answer.seconds);
    Ok(vec![Row { what, peer: "surveillance".to_owned(), ours, theirs, difference }])
}

/// Farrington flexible of the last 52 weeks of 200 series. The peer is asked for a few of them, unless everything is wanted.
pub fn farrington(folder: &Folder, scripts: &Path, full: bool) -> Result<Vec<Row>, Failure> {
    let all = weekly();
    let input = folder.file("weekly.csv");
    write(&input, &all)?;
    let method =
        Method::Flexible(Farrington { alpha: 0.01, reference: Reference::Calendar, ..Farrington::default() });
    let one = |series: &Series| -> Result<Vec<Vec<f64>>, Failure> {
        let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
        let verdicts = method.judge(series, 52)?;
        Ok(verdicts.iter().map(|v| vec![number(v.expected), number(v.upper)]).collect())
    };
    let (ours, found) = timed(|| all.iter().map(one).collect::<Result<Vec<_>, _>>());
    let places = if full { PLACES } else { 5 };
    let found = found?[..places as usize].concat();
    let arguments = ["farrington", &input.to_string_lossy(), &places.to_string()];
    let asked = ask("Rscript", &scripts.join("peers.R"), &arguments, &folder.file("answer.csv"))?;
    let difference = asked.as_ref().map_or_else(|| "–".to_owned(), |answer| differs(&found, answer));
    let scaled = f64::from(PLACES) / f64::from(places);
    let theirs = asked.map(|answer| answer.seconds * scaled);
    let peer =
        if full { "surveillance".to_owned() } else { format!("surveillance ({places} places, scaled)") };
    Ok(vec![Row {
        what: "Farrington flexible, 200 places × 52 weeks".to_owned(),
        peer,
        ours,
        theirs,
        difference,
    }])
}

/// A scenario of 365 days, 200 runs, for 200 places, beside the same process written in R with vectors.
pub fn scenario(folder: &Folder, scripts: &Path) -> Result<Vec<Row>, Failure> {
    let all = daily();
    let interval = interval();
    let (input, si) = (folder.file("daily.csv"), folder.file("si.csv"));
    write(&input, &all)?;
    let probabilities: Vec<String> = interval.delay().probabilities().iter().map(f64::to_string).collect();
    std::fs::write(&si, probabilities.join("\n"))?;
    let of = Scenario {
        steps: vec![
            Reproduction { day: 1, mean: 0.9, sd: 0.0 },
            Reproduction { day: 100, mean: 1.05, sd: 0.0 },
            Reproduction { day: 200, mean: 0.95, sd: 0.0 },
        ],
        days: 365,
        runs: 200,
        seed: 1,
        susceptible: None,
        evenness: f64::INFINITY,
        outcomes: Vec::new(),
    };
    let run = |(place, series): (u32, &Series)| -> Result<Vec<f64>, Failure> {
        let cases = of.run(series, &interval, place)?.remove(0);
        // The bands of every day belong to the answer.
        let bands: f64 = (0..of.days).map(|day| cases.day(day).quantiles[2]).sum();
        Ok(vec![Band::of(cases.of_runs()).mean, bands])
    };
    let (ours, found) = timed(|| (0..PLACES).zip(&all).map(run).collect::<Result<Vec<_>, _>>());
    let found = found?;
    let files = [input.to_string_lossy(), si.to_string_lossy()];
    let answer = folder.file("answer.csv");
    let asked = ask("Rscript", &scripts.join("peers.R"), &["scenario", &files[0], &files[1]], &answer)?;
    let difference = asked
        .as_ref()
        .map_or_else(|| "–".to_owned(), |answer| format!("{} (chance)", differs(&found, answer)));
    let what = "Scenario, 200 places × 365 days × 200 runs, with bands".to_owned();
    let theirs = asked.map(|answer| answer.seconds);
    Ok(vec![Row { what, peer: "the same in R, vectors".to_owned(), ours, theirs, difference }])
}

/// Wallinga and Teunis of a million cases, in windows of 7 days. The peer samples who infected whom, case by case: it is given 20 seconds, and
/// asked for the means of a small series.
pub fn case_reproduction(folder: &Folder, scripts: &Path) -> Result<Vec<Row>, Failure> {
    let interval = interval();
    let small = daily().remove(0).part(0, 60);
    let total: f64 = small.contributions().iter().sum();
    let factor = (1_000_000.0 / total).ceil();
    let many: Vec<f64> = small.contributions().iter().map(|n| n * factor).collect();
    let large = Series::of(small.start(), small.step(), &many)?;
    let (input, si) = (folder.file("wt.csv"), folder.file("si.csv"));
    write(&input, &[small.clone(), large.clone()])?;
    let probabilities: Vec<String> = interval.delay().probabilities().iter().map(f64::to_string).collect();
    std::fs::write(&si, probabilities.join("\n"))?;
    let (ours, _) = timed(|| case_reproduction::estimate(&large, &interval, 7));
    let means = case_reproduction::estimate(&small, &interval, 7);
    // The peer's windows begin with the second day.
    let found: Vec<Vec<f64>> =
        means.iter().skip(1).map(|window| vec![window.seen.unwrap_or(f64::NAN)]).collect();
    let files = [input.to_string_lossy(), si.to_string_lossy()];
    let answer = folder.file("answer.csv");
    let asked = ask("Rscript", &scripts.join("peers.R"), &["wt", &files[0], &files[1]], &answer)?;
    let difference = asked.as_ref().map_or_else(|| "–".to_owned(), |answer| differs(&found, answer));
    let peer = match &asked {
        Some(answer) if answer.seconds >= 20.0 => "EpiEstim (stopped after 20 s)",
        _ => "EpiEstim",
    };
    let theirs = asked.map(|answer| answer.seconds);
    let what = "Case reproduction number, one series of 1,000,000 cases".to_owned();
    Ok(vec![Row { what, peer: peer.to_owned(), ours, theirs, difference }])
}
