//! What is measured, each beside its peer.

use std::path::Path;

use epi::case_reproduction;
use epi::detect::{Ears, Farrington, Method, Reference, Variant};
use epi::instantaneous::{Cases, Prior, estimate};
use epi::nowcast::{self, Nowcast, Triangle};
use epi::scenario::{Band, Reproduction, Scenario};
use epi::series::Series;
use epi::uncertain_interval::{self, Intervals, Truncated};

use crate::Failure;
use crate::peer::{Answer, Folder, ask, memory, timed, write};
use crate::series::{LONGEST, PLACES, daily, interval, reports, weekly};

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
    let most = memory(|| case_reproduction::estimate(&large, &interval, 7))?;
    let means = case_reproduction::estimate(&small, &interval, 7);
    // The peer's windows begin with the second day.
    let found: Vec<Vec<f64>> =
        means.iter().skip(1).map(|window| vec![window.seen.unwrap_or(f64::NAN)]).collect();
    let files = [input.to_string_lossy(), si.to_string_lossy()];
    let answer = folder.file("answer.csv");
    let asked = ask("Rscript", &scripts.join("peers.R"), &["wt", &files[0], &files[1]], &answer)?;
    let difference = asked.as_ref().map_or_else(|| "–".to_owned(), |answer| differs(&found, answer));
    let peer = match &asked {
        Some(Answer { seconds, megabytes: Some(most), .. }) if *seconds >= 20.0 => {
            format!("EpiEstim (stopped after 20 s, at {most:.0} MB)")
        }
        _ => "EpiEstim".to_owned(),
    };
    let theirs = asked.map(|answer| answer.seconds);
    let what = format!("Case reproduction number, one series of 1,000,000 cases ({most:.0} MB in all)");
    Ok(vec![Row { what, peer, ours, theirs, difference }])
}

/// R where the serial interval is uncertain. The peer draws 100 serial intervals and 100 times from each, for a few of the series.
pub fn uncertain(folder: &Folder, scripts: &Path, full: bool) -> Result<Vec<Row>, Failure> {
    let all = daily();
    let input = folder.file("daily.csv");
    write(&input, &all)?;
    let prior = Prior::new(5.0, 5.0)?;
    let (ours, found) = timed(|| -> Result<Vec<Vec<Vec<f64>>>, Failure> {
        let intervals = Intervals::new(
            Truncated { mean: 4.7, sd: 0.7, min: 2.7, max: 6.7 },
            Truncated { mean: 2.9, sd: 0.5, min: 1.4, max: 4.4 },
        )?;
        let one = |series: &Series| -> Result<Vec<Vec<f64>>, Failure> {
            let cases = Cases::new(series.clone(), None)?;
            let windows = uncertain_interval::estimate(&cases, &intervals, 7, prior)?;
            let row = |of: Option<epi::instantaneous::Estimate>| match of {
                Some(of) => vec![of.mean, of.sd, of.q025, of.median, of.q975],
                None => vec![f64::NAN; 5],
            };
            Ok(windows.iter().map(|window| row(window.estimate)).collect())
        };
        all.iter().map(one).collect()
    });
    let places = if full { PLACES } else { 2 };
    let found = found?[..places as usize].concat();
    let arguments = ["uncertain", &input.to_string_lossy(), &places.to_string()];
    let asked = ask("Rscript", &scripts.join("peers.R"), &arguments, &folder.file("answer.csv"))?;
    let difference = asked
        .as_ref()
        .map_or_else(|| "–".to_owned(), |answer| format!("{} (its draws)", differs(&found, answer)));
    let theirs = asked.map(|answer| answer.seconds * f64::from(PLACES) / f64::from(places));
    let peer = if full { "EpiEstim".to_owned() } else { format!("EpiEstim ({places} places, scaled)") };
    let what = "R, 200 places × 200 days, uncertain serial interval".to_owned();
    Ok(vec![Row { what, peer, ours, theirs, difference }])
}

/// A method of nowcasting.
type NowcastMethod = fn(&Triangle) -> Option<Vec<Nowcast>>;

/// The last ten days of 200 places with 60 days of reports up to 15 days late: the chain ladder beside Lawless' method, which estimates the
/// same shares, and both Bayesian nowcasts.
pub fn nowcasts(folder: &Folder, scripts: &Path, full: bool) -> Result<Vec<Row>, Failure> {
    let all = reports();
    let input = folder.file("reports.csv");
    let line = |days: &Vec<Vec<f64>>| {
        let counts: Vec<String> = days.iter().flatten().map(f64::to_string).collect();
        counts.join(",") + "\n"
    };
    std::fs::write(&input, all.iter().map(line).collect::<String>())?;
    let triangle = |days: &Vec<Vec<f64>>| {
        let known = |(day, row): (usize, &Vec<f64>)| row[..(days.len() - day).min(LONGEST + 1)].to_vec();
        Triangle::new(jiff::civil::date(2020, 1, 1), LONGEST, days.iter().enumerate().map(known).collect())
    };
    let triangles = all.iter().map(triangle).collect::<Result<Vec<_>, _>>()?;
    let methods: [(&str, &str, NowcastMethod, u32); 2] = [
        ("chain ladder", "lawless", nowcast::chain_ladder, 10),
        ("Bayesian", "bayes.trunc", nowcast::bayesian, 2),
    ];
    let mut rows = Vec::new();
    for (name, method, answer, few) in methods {
        let one = |triangle: &Triangle| answer(triangle).ok_or("no nowcast");
        let (ours, found) = timed(|| triangles.iter().map(one).collect::<Result<Vec<_>, _>>());
        let places = if full { PLACES } else { few };
        let last = |days: &Vec<Nowcast>| -> Vec<Vec<f64>> {
            days[days.len() - 10..].iter().map(|day| vec![day.expected]).collect()
        };
        let found: Vec<Vec<f64>> = found?[..places as usize].iter().flat_map(last).collect();
        let arguments = ["nowcast", &input.to_string_lossy(), &places.to_string(), method];
        let asked = ask("Rscript", &scripts.join("peers.R"), &arguments, &folder.file("answer.csv"))?;
        let difference = asked
            .as_ref()
            .map_or_else(|| "–".to_owned(), |answer| format!("{} (its median)", differs(&found, answer)));
        let theirs = asked.map(|answer| answer.seconds * f64::from(PLACES) / f64::from(places));
        rows.push(Row {
            what: format!("Nowcast, {name}, 200 places × 60 days"),
            peer: format!("surveillance, {method} ({places} places, scaled)"),
            ours,
            theirs,
            difference,
        });
    }
    Ok(rows)
}
