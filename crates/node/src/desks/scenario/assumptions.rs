//! What a scenario assumes: read from an address or from a record's canonical text, and written as that text.
//!
//! The text has one line per assumption, `<key> <value>`, in the order of [`NUMBERS`] behind `method`, `place`, `indicator` and
//! `author`. A number is written as the shortest decimal that reads back the same. What is not canonical is refused.

use crate::layout::Problem;
use epi::delay::{Continuous, Delay, DelayError};
use epi::distribution::gamma::Gamma;
use epi::scenario::{Outcome, Reproduction, Scenario};
use epi::serial_interval::SerialInterval;
use std::collections::BTreeMap;

/// The computation that the numbers are for; another one would have another name.
pub const METHOD: &str = "renewal-1";
/// The longest text that is read.
const MAX_TEXT: usize = 8_192;
/// The longest name of a place, an indicator or an author.
const MAX_NAME: usize = 300;

/// A number: its key, its usual value, the least and the most.
type Number = (&'static str, f64, f64, f64);

/// The numbers, in the order in which they are written and asked for.
pub const NUMBERS: [Number; 20] = [
    ("days", 60.0, 7.0, 180.0),
    ("runs", 200.0, 20.0, 500.0),
    ("seed", 2020.0, 0.0, 4_294_967_295.0),
    ("si_mean", 6.5, 1.1, 60.0),
    ("si_sd", 4.03, 0.1, 60.0),
    ("r", 1.0, 0.05, 10.0),
    ("r_sd", 0.1, 0.0, 3.0),
    ("step_day", 14.0, 2.0, 179.0),
    ("step_r", 1.3, 0.05, 10.0),
    ("delay", 1.0, 1.0, 60.0),
    // 0: the susceptible are not counted.
    ("people", 0.0, 0.0, 2_000_000_000.0),
    ("death_share", 0.014, 0.0, 1.0),
    ("death_mean", 17.8, 0.5, 90.0),
    ("death_sd", 8.01, 0.1, 90.0),
    ("bed_share", 0.05, 0.0, 1.0),
    ("bed_mean", 7.0, 0.5, 90.0),
    ("bed_sd", 4.0, 0.1, 90.0),
    ("stay_mean", 10.0, 0.5, 90.0),
    ("stay_sd", 6.0, 0.1, 90.0),
    ("spread", 0.0, 0.0, 100.0),
];
/// Numbers that count something.
const WHOLE: [&str; 6] = ["days", "runs", "seed", "step_day", "delay", "people"];

/// What a scenario assumes.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumptions {
    /// Of which place.
    pub place: String,
    /// Which indicator's figures are the history.
    pub indicator: String,
    /// Whose figures.
    pub author: String,
    numbers: BTreeMap<&'static str, f64>,
}

/// Which of the three courses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// R stays as it is.
    AsNow,
    /// R changes on the day of the step.
    Step,
    /// R changes some days later.
    StepLater,
}

impl Course {
    /// All, in the order in which they are computed and written.
    pub const ALL: [Self; 3] = [Self::AsNow, Self::Step, Self::StepLater];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsNow => "as-now",
            Self::Step => "step",
            Self::StepLater => "step-later",
        }
    }
}

impl Assumptions {
    /// Reads numbers from wherever they stand; `usual` goes before the usual values.
    pub fn read<'a>(
        names: [&str; 3],
        get: impl Fn(&str) -> Option<&'a str>,
        usual: &BTreeMap<&'static str, f64>,
    ) -> Result<Self, Problem> {
        let mut numbers = BTreeMap::new();
        for (key, value, low, high) in NUMBERS {
            let read = match get(key) {
                None => Some(usual.get(key).copied().unwrap_or(value)),
                Some(text) => text.trim().parse::<f64>().ok(),
            };
            let whole = |number: &f64| !WHOLE.contains(&key) || number.fract() == 0.0;
            let number =
                read.filter(|number| (low..=high).contains(number)).filter(whole).ok_or_else(|| {
                    Problem::new("number-range")
                        .with("name", key)
                        .with("value", get(key).unwrap_or_default())
                        .with("low", low.to_string())
                        .with("high", high.to_string())
                })?;
            numbers.insert(key, number);
        }
        let [place, indicator, author] = names.map(str::to_owned);
        let assumptions = Self { place, indicator, author, numbers };
        // A step that comes after the end, or whose delay does, would change nothing and seem to cost nothing.
        if assumptions.whole("step_day") + assumptions.whole("delay") > assumptions.whole("days") {
            return Err(Problem::new("scenario-step-late"));
        }
        Ok(assumptions)
    }

    /// A number.
    pub fn number(&self, key: &str) -> f64 {
        self.numbers.get(key).copied().unwrap_or_default()
    }

    /// A number that counts something.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // read within limits, whole
    pub fn whole(&self, key: &str) -> usize {
        self.number(key) as usize
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        let Self { place, indicator, author, .. } = self;
        let mut text = format!("method {METHOD}\nplace {place}\nindicator {indicator}\nauthor {author}\n");
        for (key, ..) in NUMBERS {
            text.push_str(&format!("{key} {}\n", self.number(key)));
        }
        text
    }

    /// Reads a canonical text; anything else is refused.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let refused = || Problem::new("scenario-text");
        if text.len() > MAX_TEXT {
            return Err(refused());
        }
        let lines: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let name =
            |key: &str| lines.get(key).copied().filter(|name| name.len() <= MAX_NAME).ok_or_else(refused);
        if name("method")? != METHOD {
            return Err(Problem::new("scenario-method").with("value", name("method")?));
        }
        let names = [name("place")?, name("indicator")?, name("author")?];
        let read = Self::read(names, |key| lines.get(key).copied(), &BTreeMap::new())?;
        if read.text() == text { Ok(read) } else { Err(refused()) }
    }

    /// The serial interval.
    pub fn serial_interval(&self) -> Result<SerialInterval, DelayError> {
        SerialInterval::cori(self.number("si_mean"), self.number("si_sd"))
    }

    fn delay(&self, mean: &str, sd: &str) -> Result<Delay, DelayError> {
        let gamma = Gamma::of_mean_and_sd(self.number(mean), self.number(sd));
        Delay::discretised(&Continuous::Gamma(gamma))
    }

    /// The scenario of a course.
    pub fn scenario(&self, course: Course) -> Result<Scenario, DelayError> {
        let sd = self.number("r_sd");
        let mut steps = vec![Reproduction { day: 1, mean: self.number("r"), sd }];
        let later = if course == Course::StepLater { self.whole("delay") } else { 0 };
        if course != Course::AsNow {
            steps.push(Reproduction { day: self.whole("step_day") + later, mean: self.number("step_r"), sd });
        }
        let deaths = Outcome {
            name: "deaths",
            share: self.number("death_share"),
            delay: self.delay("death_mean", "death_sd")?,
            stay: None,
        };
        let beds = Outcome {
            name: "beds",
            share: self.number("bed_share"),
            delay: self.delay("bed_mean", "bed_sd")?,
            stay: Some(self.delay("stay_mean", "stay_sd")?),
        };
        let people = self.number("people");
        let spread = self.number("spread");
        Ok(Scenario {
            steps,
            days: self.whole("days"),
            runs: u32::try_from(self.whole("runs")).unwrap_or(u32::MAX),
            seed: self.whole("seed") as u64,
            susceptible: (people >= 1.0).then_some(people),
            evenness: if spread > 0.0 { spread } else { f64::INFINITY },
            outcomes: vec![deaths, beds],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &'static str)]) -> Result<Assumptions, Problem> {
        let get = |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        Assumptions::read(["JPN", "cases-confirmed-cumulative", "mhlw.jpn.example"], get, &BTreeMap::new())
    }

    #[test]
    fn a_text_reads_back_and_only_the_canonical_one() {
        let assumptions = read(&[("r", "0.75"), ("step_r", "1.05"), ("spread", "0.16")]).unwrap();
        let text = assumptions.text();
        assert!(text.starts_with("method renewal-1\nplace JPN\n") && text.contains("\nr 0.75\n"), "{text}");
        assert_eq!(Assumptions::parse(&text), Ok(assumptions));
        for other in [
            text.replace("r 0.75\n", "r 0.750\n"),
            text.replace("r 0.75\n", ""),
            format!("{text}more 1\n"),
            text.trim_end().to_owned(),
            "x".repeat(9_000),
        ] {
            assert_eq!(Assumptions::parse(&other).unwrap_err().code(), "scenario-text");
        }
        let code = Assumptions::parse(&text.replace("renewal-1", "oracle")).unwrap_err();
        assert_eq!(code.code(), "scenario-method");
    }

    #[test]
    fn every_number_course_and_measure_has_its_name_in_every_language() {
        use crate::desks::scenario::outcome::{DIFFERENCES, MEASURES};
        let numbers = NUMBERS.iter().map(|(key, ..)| key.replace('_', "-"));
        let courses = Course::ALL.iter().map(|course| format!("course-{}", course.name()));
        let differences = DIFFERENCES.iter().map(|(name, ..)| format!("course-{}", name.replace(' ', "-")));
        let measures = MEASURES.iter().map(|measure| format!("measure-{measure}"));
        let keys: Vec<String> = numbers.chain(courses).chain(differences).chain(measures).collect();
        for lang in crate::i18n::Lang::ALL {
            let t = crate::i18n::Locale::new(lang, jiff::tz::TimeZone::UTC);
            for key in &keys {
                assert!(t.lookup(&format!("scenario-{key}"), &[]).is_some(), "{} {key}", lang.code());
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (key, value) in
            [("days", "60.5"), ("r", "0"), ("people", "-1"), ("runs", "100000"), ("si_mean", "NaN")]
        {
            assert_eq!(read(&[(key, value)]).unwrap_err().code(), "number-range", "{key}");
        }
        let late = read(&[("days", "20"), ("step_day", "18"), ("delay", "3")]);
        assert_eq!(late.unwrap_err().code(), "scenario-step-late");
    }

    #[test]
    fn the_courses_differ_by_their_steps_alone() {
        let assumptions = read(&[("step_day", "10"), ("delay", "7")]).unwrap();
        let days =
            |course| assumptions.scenario(course).unwrap().steps.iter().map(|s| s.day).collect::<Vec<_>>();
        assert_eq!(Course::ALL.map(days), [vec![1], vec![1, 10], vec![1, 17]]);
        let scenario = assumptions.scenario(Course::Step).unwrap();
        assert_eq!((scenario.susceptible, scenario.evenness), (None, f64::INFINITY));
    }
}
