//! What the methods are given besides the figures: asked for in the address, so that a result is a link.
//!
//! No record says of which disease its figures are. So the delays of a disease are never taken silently: the page names
//! the disease, the delays and who published them, and offers the others.

use crate::i18n::Locale;
use crate::layout::component::{Control, Field};
use crate::layout::{Asked, Problem};

/// A disease with published delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disease {
    /// Its name in addresses.
    pub code: &'static str,
    /// Mean and standard deviation of the serial interval, in days, and who published them.
    pub serial_interval: (f64, f64, &'static str),
    /// Mean and standard deviation from onset to death, in days, and who published them.
    pub onset_to_death: (f64, f64, &'static str),
    /// Mean from infection to report, in days, and where it is from.
    pub report: (f64, &'static str),
}

/// The diseases whose delays are at hand. Facts, entered with their sources.
pub const DISEASES: [Disease; 2] = [
    Disease {
        code: "covid-19",
        serial_interval: (6.5, 4.03, "Flaxman et al. 2020, Nature 584:257"),
        onset_to_death: (17.8, 8.01, "Verity et al. 2020, Lancet Infect Dis 20:669"),
        report: (10.0, "Brauner et al. 2021, Science 371:eabd9338"),
    },
    Disease {
        code: "ebola",
        serial_interval: (15.3, 9.3, "WHO Ebola Response Team 2014, N Engl J Med 371:1481"),
        // Gamma of shape 2.40 and scale 3.33 days.
        onset_to_death: (7.992, 5.158_8, "Barry et al. 2018, Lancet 392:213"),
        report: (11.4, "WHO Ebola Response Team 2014, N Engl J Med 371:1481"),
    },
];

/// What the methods are given.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Whose delays are the usual ones.
    pub disease: Disease,
    /// Mean and standard deviation of the serial interval, in days.
    pub serial_interval: (f64, f64),
    /// Days of a window.
    pub window: usize,
    /// Mean and standard deviation of what is believed of R before the data.
    pub prior: (f64, f64),
    /// Days from infection to report: for the words beside the plot alone.
    pub report: f64,
    /// Mean and standard deviation from onset to death, in days.
    pub onset_to_death: (f64, f64),
    /// Which method of early warning.
    pub alarm: &'static str,
    /// The probability of a false alarm at one point.
    pub alpha: f64,
}

/// Methods of early warning that a page can run on what it has.
pub const ALARMS: [&str; 5] = ["ears-c1", "ears-c2", "ears-c3", "cusum", "farrington-flexible"];
/// The probability of a false alarm at one point, where none is asked for.
const ALPHA: f64 = 0.001;

/// Parameters of an address that belong to the analysis.
pub const KEYS: [&str; 12] = [
    "disease",
    "si_mean",
    "si_sd",
    "window",
    "prior_mean",
    "prior_sd",
    "report",
    "death_mean",
    "death_sd",
    "alarm",
    "alpha",
    "completeness",
];

impl Parameters {
    /// Reads an address.
    pub fn read(asked: &Asked) -> Result<Self, Problem> {
        let unknown =
            |name: &str, value: &str| Problem::new("choice-unknown").with("name", name).with("value", value);
        let disease = match asked.query.get("disease") {
            None => DISEASES[0],
            Some(code) => {
                *DISEASES.iter().find(|one| one.code == code).ok_or_else(|| unknown("disease", code))?
            }
        };
        let alarm = match asked.query.get("alarm") {
            None => ALARMS[1],
            Some(code) => {
                ALARMS.into_iter().find(|known| *known == code).ok_or_else(|| unknown("alarm", code))?
            }
        };
        let number =
            |name: &'static str, usual: f64, low: f64, high: f64| number(asked, name, usual, (low, high));
        let window = number("window", 7.0, 1.0, 28.0)?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 28
        let window = window.round() as usize;
        Ok(Self {
            disease,
            serial_interval: (
                number("si_mean", disease.serial_interval.0, 1.1, 60.0)?,
                number("si_sd", disease.serial_interval.1, 0.1, 60.0)?,
            ),
            window,
            prior: (number("prior_mean", 5.0, 0.1, 20.0)?, number("prior_sd", 5.0, 0.1, 20.0)?),
            report: number("report", disease.report.0, 0.0, 60.0)?,
            onset_to_death: (
                number("death_mean", disease.onset_to_death.0, 0.5, 90.0)?,
                number("death_sd", disease.onset_to_death.1, 0.1, 90.0)?,
            ),
            alarm,
            alpha: number("alpha", ALPHA, 1e-9, 0.5)?,
        })
    }

    /// Whether the serial interval is the disease's own.
    pub fn has_own_serial_interval(&self) -> bool {
        let (mean, sd, _) = self.disease.serial_interval;
        self.serial_interval != (mean, sd)
    }

    /// The fields of the form.
    pub fn fields(&self, t: &Locale) -> Vec<Field> {
        let select = |name, label, codes: Vec<&str>, chosen: &str| {
            let named = |code: &str| {
                t.lookup(&format!("analysis-{name}-{code}"), &[]).unwrap_or_else(|| code.to_owned())
            };
            let choices = codes.into_iter().map(|code| (code.to_owned(), named(code))).collect();
            Field::new(t, name, label, Control::Select(choices)).value(chosen)
        };
        let number = |name, label: String, value: f64| {
            Field::new(t, name, label, Control::Input("text")).value(value.to_string())
        };
        let diseases = DISEASES.iter().map(|one| one.code).collect();
        vec![
            select("disease", t.analysis_disease(), diseases, self.disease.code),
            number("si_mean", t.analysis_si_mean(), self.serial_interval.0),
            number("si_sd", t.analysis_si_sd(), self.serial_interval.1),
            #[allow(clippy::cast_precision_loss)] // 1 to 28
            number("window", t.analysis_window(), self.window as f64),
            number("prior_mean", t.analysis_prior_mean(), self.prior.0),
            number("prior_sd", t.analysis_prior_sd(), self.prior.1),
            number("report", t.analysis_report(), self.report),
            number("death_mean", t.analysis_death_mean(), self.onset_to_death.0),
            number("death_sd", t.analysis_death_sd(), self.onset_to_death.1),
            select("alarm", t.analysis_alarm(), ALARMS.to_vec(), self.alarm),
            number("alpha", t.analysis_alpha(), self.alpha),
        ]
    }
}

/// Where the delay from onset to death is from.
pub fn death_source(t: &Locale, parameters: &Parameters) -> String {
    let (mean, sd, source) = parameters.disease.onset_to_death;
    if parameters.onset_to_death == (mean, sd) { source.to_owned() } else { t.analysis_si_own() }
}

/// A number within limits, as programs write it: with a point.
pub fn number(
    asked: &Asked,
    name: &'static str,
    usual: f64,
    (low, high): (f64, f64),
) -> Result<f64, Problem> {
    let Some(text) = asked.query.get(name) else { return Ok(usual) };
    let read = text.trim().parse::<f64>().ok().filter(|number| (low..=high).contains(number));
    read.ok_or_else(|| {
        Problem::new("number-range")
            .with("name", name)
            .with("value", text)
            .with("low", low.to_string())
            .with("high", high.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::layout::RequestParts;
    use jiff::tz::TimeZone;

    fn read(query: &str) -> Result<Parameters, Problem> {
        let parts = RequestParts { path: "/situation/JPN", query, ..RequestParts::default() };
        Parameters::read(&Asked::new(parts, Lang::En, TimeZone::UTC))
    }

    #[test]
    fn an_address_changes_what_it_names_and_the_disease_the_rest() {
        let usual = read("").unwrap();
        assert_eq!((usual.disease.code, usual.serial_interval, usual.window), ("covid-19", (6.5, 4.03), 7));
        let ebola = read("disease=ebola&si_sd=8").unwrap();
        assert_eq!(ebola.serial_interval, (15.3, 8.0));
        assert!(ebola.has_own_serial_interval() && !usual.has_own_serial_interval());
        let gamma = (ebola.onset_to_death.0 / ebola.onset_to_death.1).powi(2);
        assert!((gamma - 2.4).abs() < 1e-3, "shape {gamma}");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_limits() {
        for query in ["si_mean=1", "window=0", "prior_sd=x", "alpha=0", "si_sd=NaN", "window=inf"] {
            assert_eq!(read(query).unwrap_err().code(), "number-range", "{query}");
        }
        assert_eq!(read("disease=plague").unwrap_err().code(), "choice-unknown");
        assert_eq!(read("alarm=ears").unwrap_err().code(), "choice-unknown");
    }
}
