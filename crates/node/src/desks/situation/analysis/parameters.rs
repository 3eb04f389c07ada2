//! What the methods are given besides the figures: asked for in the address, so that a result is a link.
//!
//! No record says of which disease its figures are. So the delays of a disease are never taken silently: the page names
//! the disease, the delays and who published them, and offers the others.

use crate::i18n::Locale;
use crate::layout::component::{Control, Field};
use crate::layout::{Asked, Problem};
use epi::published::{self, Quantity};

/// A disease with published delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disease {
    /// Its name in addresses.
    pub code: &'static str,
    /// The serial interval, by its name in `epi::published`.
    serial_interval: &'static str,
    /// From onset to death, by its name in `epi::published`.
    onset_to_death: &'static str,
    /// Mean from infection to report, in days: for words alone. For COVID-19 Brauner et al. 2021, Science 371:eabd9338; for Ebola the
    /// incubation of WHO Ebola Response Team 2014, N Engl J Med 371:1481.
    report: f64,
}

/// The diseases that are offered. Which of the published delays are the usual ones is decided here, and nowhere else.
pub const DISEASES: [Disease; 2] = [
    Disease {
        code: "covid-19",
        serial_interval: "covid-19-flaxman-2020",
        onset_to_death: "covid-19-verity-2020",
        report: 10.0,
    },
    Disease {
        code: "ebola",
        serial_interval: "ebola-west-africa-2014",
        onset_to_death: "ebola-drc-2018",
        report: 11.4,
    },
];

/// A published delay as a form has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Mean and standard deviation in days, to the thousandth.
    pub mean_and_sd: (f64, f64),
    /// Who published it.
    pub citation: &'static str,
}

impl Usual {
    fn of(name: &str, quantity: Quantity) -> Self {
        let published = published::named(name, quantity).expect("a test finds every name in the library");
        let distribution = published.distribution();
        let rounded = |days: f64| (days * 1_000.0).round() / 1_000.0;
        Self {
            mean_and_sd: (rounded(distribution.mean()), rounded(distribution.sd())),
            citation: published.citation,
        }
    }
}

impl Disease {
    /// The serial interval.
    pub fn serial_interval(&self) -> Usual {
        Usual::of(self.serial_interval, Quantity::SerialInterval)
    }

    /// From onset to death.
    pub fn onset_to_death(&self) -> Usual {
        Usual::of(self.onset_to_death, Quantity::OnsetToDeath)
    }
}

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
pub const KEYS: [&str; 13] = [
    "disease",
    "values_of",
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
        // A form carries the delays that it showed: once another disease is chosen they are not meant any more.
        let stale = is_of_another(asked, disease);
        let delay = |name: &'static str, usual: f64, low: f64, high: f64| {
            if stale { Ok(usual) } else { number(name, usual, low, high) }
        };
        let (si_mean, si_sd) = disease.serial_interval().mean_and_sd;
        let (death_mean, death_sd) = disease.onset_to_death().mean_and_sd;
        let window = number("window", 7.0, 1.0, 28.0)?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 28
        let window = window.round() as usize;
        Ok(Self {
            disease,
            serial_interval: (delay("si_mean", si_mean, 1.1, 60.0)?, delay("si_sd", si_sd, 0.1, 60.0)?),
            window,
            prior: (number("prior_mean", 5.0, 0.1, 20.0)?, number("prior_sd", 5.0, 0.1, 20.0)?),
            report: delay("report", disease.report, 0.0, 60.0)?,
            onset_to_death: (
                delay("death_mean", death_mean, 0.5, 90.0)?,
                delay("death_sd", death_sd, 0.1, 90.0)?,
            ),
            alarm,
            alpha: number("alpha", ALPHA, 1e-9, 0.5)?,
        })
    }

    /// Whether the serial interval is the disease's own.
    pub fn has_own_serial_interval(&self) -> bool {
        self.serial_interval != self.disease.serial_interval().mean_and_sd
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

/// Parameters that have their usual values from the disease.
const DELAYS: [&str; 5] = ["si_mean", "si_sd", "report", "death_mean", "death_sd"];

/// Whether the delays of an address were shown for another disease than it asks for.
fn is_of_another(asked: &Asked, disease: Disease) -> bool {
    asked.query.get("values_of").is_some_and(|of| of != disease.code)
}

/// What of an address decides an answer, for links to it.
pub fn counts(asked: &Asked, disease: Disease, key: &str) -> bool {
    key != "values_of" && !(is_of_another(asked, disease) && DELAYS.contains(&key))
}

/// Where the delay from onset to death is from.
pub fn death_source(t: &Locale, parameters: &Parameters) -> String {
    let usual = parameters.disease.onset_to_death();
    if parameters.onset_to_death == usual.mean_and_sd {
        usual.citation.to_owned()
    } else {
        t.analysis_si_own()
    }
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
    fn delays_that_were_shown_for_another_disease_are_not_taken() {
        let chosen = read("values_of=covid-19&disease=ebola&si_mean=6.5&si_sd=4.03&window=14").unwrap();
        assert_eq!(
            (chosen.serial_interval, chosen.window),
            (read("disease=ebola").unwrap().serial_interval, 14)
        );
        let entered = read("values_of=ebola&disease=ebola&si_mean=6.5").unwrap();
        assert!((entered.serial_interval.0 - 6.5).abs() < f64::EPSILON);
    }

    #[test]
    fn every_disease_and_method_has_its_name_in_every_language() {
        for one in DISEASES {
            assert!(!one.serial_interval().citation.is_empty() && !one.onset_to_death().citation.is_empty());
        }
        for lang in Lang::ALL {
            let t = Locale::new(lang, TimeZone::UTC);
            let diseases = DISEASES.iter().map(|one| format!("analysis-disease-{}", one.code));
            for key in diseases.chain(ALARMS.iter().map(|code| format!("analysis-alarm-{code}"))) {
                assert!(t.lookup(&key, &[]).is_some(), "{} {key}", lang.code());
            }
        }
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
