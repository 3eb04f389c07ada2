//! Which serial interval is asked for: from a file, by mean and standard deviation, or a published one by name. Never one that was
//! not named.

use std::path::{Path, PathBuf};

use clap::Args;
use csv::ByteRecord;
use epi::published::{Published, Quantity};
use epi::serial_interval::SerialInterval;

use super::fault::EpiError;
use super::input::{self, Rows};
use crate::fault::Fault;

/// The serial interval: one way of saying it.
#[derive(Debug, Args)]
pub struct IntervalArgs {
    /// The serial interval: a file with columns lag,probability; lags 0, 1, 2... without a gap, lag 0 has probability 0. Used as
    /// given, never rescaled
    #[arg(long, value_name = "FILE", conflicts_with_all = ["si_mean", "disease"])]
    pub si: Option<PathBuf>,
    /// The mean of the serial interval in days, above 1: a gamma distribution shifted by a day (Cori et al. 2013)
    #[arg(long, value_name = "DAYS", requires = "si_sd", conflicts_with = "disease")]
    pub si_mean: Option<f64>,
    /// The standard deviation of the serial interval, in days
    #[arg(long, value_name = "DAYS", requires = "si_mean")]
    pub si_sd: Option<f64>,
    /// A published serial interval, by its name in the library, or by its disease where there is only one; it is named on standard
    /// error. Where there are several, they are listed
    #[arg(long, value_name = "NAME")]
    pub disease: Option<String>,
}

impl IntervalArgs {
    /// The serial interval asked for.
    pub fn chosen(&self) -> Result<SerialInterval, Fault> {
        self.chosen_if_any()?.ok_or_else(|| {
            Fault::new(
                "epi-interval-unsaid",
                "say the serial interval: --si FILE, --si-mean and --si-sd, or --disease NAME",
            )
        })
    }

    /// The serial interval, if one was asked for.
    pub fn chosen_if_any(&self) -> Result<Option<SerialInterval>, Fault> {
        if let Some(path) = &self.si {
            return Ok(Some(SerialInterval::given(read(path)?)?));
        }
        if let Some((mean, sd)) = self.si_mean.zip(self.si_sd) {
            return Ok(Some(SerialInterval::cori(mean, sd)?));
        }
        let Some(name) = &self.disease else { return Ok(None) };
        let (mean, sd) = published(name, Quantity::SerialInterval)?.mean_and_sd();
        Ok(Some(SerialInterval::cori(mean, sd)?))
    }
}

/// What must be said of a published serial interval that was taken.
pub fn remark(args: &IntervalArgs) -> Option<Fault> {
    let name = args.disease.as_deref()?;
    published(name, Quantity::SerialInterval).ok().map(said)
}

/// The one published delay that a name means.
pub fn published(name: &str, quantity: Quantity) -> Result<&'static Published, Fault> {
    match epi::published::find(name, quantity)[..] {
        [published] => Ok(published),
        [] => {
            let there: Vec<&str> = epi::published::all(quantity).map(|published| published.name).collect();
            let there = there.join(", ");
            Err(Fault::new(
                "epi-published-none",
                format!("{name:?} is not in the library; there are {there}"),
            )
            .with("name", name)
            .with("there", there))
        }
        ref several => {
            let there: Vec<String> = several.iter().map(|published| described(published)).collect();
            let there = there.join("; ");
            Err(Fault::new(
                "epi-published-several",
                format!("{name:?} has several in the library: say which of {there}"),
            )
            .with("name", name)
            .with("there", there))
        }
    }
}

/// One of several, with what tells it from the others.
fn described(published: &Published) -> String {
    let (mean, sd) = published.mean_and_sd();
    format!("{} (mean {mean:.2}, sd {sd:.2}: {})", published.name, published.setting)
}

/// Which published delay was taken: never silently.
pub fn said(published: &Published) -> Fault {
    let (name, citation) = (published.name, format!("{}; {}", published.citation, published.setting));
    let (mean, sd) = published.mean_and_sd();
    Fault::new(
        "epi-published-taken",
        format!("taken: {name}, mean {mean:.2} days, sd {sd:.2} days ({citation})"),
    )
    .with("name", name)
    .with("mean", format!("{mean:.2}"))
    .with("sd", format!("{sd:.2}"))
    .with("citation", citation)
}

/// Probabilities of lags 0, 1, 2...
pub fn read(path: &Path) -> Result<Vec<f64>, EpiError> {
    let bytes = input::bytes(path)?;
    let mut rows = Rows::new(path, &bytes)?;
    let (lags, probabilities) = (rows.find("lag")?, rows.find("probability")?);
    let mut read = Vec::new();
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        let file = path.display().to_string();
        let lag = input::cell(row, lags);
        let expected = read.len();
        if lag != expected.to_string().as_bytes() {
            let found = String::from_utf8_lossy(lag).into_owned();
            return Err(EpiError::Lag { path: file, line, found, expected });
        }
        let text = input::cell(row, probabilities);
        let Some(probability) = probability(text) else {
            return Err(EpiError::Number {
                path: file,
                line,
                text: String::from_utf8_lossy(text).into_owned(),
            });
        };
        read.push(probability);
    }
    Ok(read)
}

/// A probability may be small enough to be written with an exponent.
fn probability(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
    if plain { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}
