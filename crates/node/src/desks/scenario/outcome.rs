//! From input and assumptions to bands and differences: pure, and written as one text.

use super::assumptions::{Assumptions, Course};
use crate::fault::Fault;
use crate::layout::Problem;
use epi::scenario::{Band, Measure, QUANTILES};
use epi::series::{Absence, Observation, Series, Step};

/// The largest input that is read.
pub const MAX_INPUT: usize = 1 << 20;
/// The measures of an outcome, in the order of `epi`.
pub const MEASURES: [&str; 3] = ["cases", "deaths", "beds"];

/// One row of the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct BandRow {
    /// `as-now`, `step`, `step-later`, or a difference of two of them.
    pub course: &'static str,
    /// `cases`, `deaths`, `beds`.
    pub measure: &'static str,
    /// Days after the history's last, from 1; 0 for the whole time.
    pub day: usize,
    /// How it is distributed over the runs.
    pub band: Band,
}

/// What a scenario comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioOutcome {
    /// Every day of every measure and course.
    pub days: Vec<BandRow>,
    /// Sums of cases and deaths, highest days of beds, and their differences.
    pub totals: Vec<BandRow>,
}

/// What the step changes, and what a later step changes.
pub const DIFFERENCES: [(&str, Course, Course); 2] = [
    ("step minus as-now", Course::Step, Course::AsNow),
    ("step-later minus step", Course::StepLater, Course::Step),
];

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// A delay that does not exist.
    #[error(transparent)]
    Delay(#[from] epi::delay::DelayError),
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] epi::scenario::ScenarioError),
}

impl OutcomeError {
    /// As it is said to a reader.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Delay(error) => Problem::of(error.code(), error.arguments()),
            Self::Scenario(error) => Problem::of(error.code(), error.arguments()),
        }
    }

    /// As it is said to an operator.
    pub fn fault(&self) -> Fault {
        let (code, arguments) = match self {
            Self::Delay(error) => (error.code(), error.arguments()),
            Self::Scenario(error) => (error.code(), error.arguments()),
        };
        arguments
            .into_iter()
            .fold(Fault::new(code, self.to_string()), |fault, (name, value)| fault.with(name, value))
    }
}

/// Runs the three courses with the same chance.
pub fn run(assumptions: &Assumptions, history: &Series) -> Result<ScenarioOutcome, OutcomeError> {
    let interval = assumptions.serial_interval()?;
    let mut courses: Vec<(Course, Vec<Measure>)> = Vec::new();
    for course in Course::ALL {
        courses.push((course, assumptions.scenario(course)?.run(history, &interval, 0)?));
    }
    let mut days = Vec::new();
    let mut totals = Vec::new();
    for (course, measures) in &courses {
        for measure in measures {
            let row = |day, band| BandRow { course: course.name(), measure: measure.name, day, band };
            days.extend((0..assumptions.whole("days")).map(|day| row(day + 1, measure.day(day))));
            totals.push(row(0, Band::of(measure.of_runs())));
        }
    }
    let of =
        |wanted: Course| courses.iter().find(|(course, _)| *course == wanted).map(|(_, measures)| measures);
    for (name, one, other) in DIFFERENCES {
        for (a, b) in of(one).into_iter().flatten().zip(of(other).into_iter().flatten()) {
            let band = Band::of_difference(&a.of_runs(), &b.of_runs());
            totals.push(BandRow { course: name, measure: a.name, day: 0, band });
        }
    }
    Ok(ScenarioOutcome { days, totals })
}

impl ScenarioOutcome {
    /// The outcome as one text, the same for the same input and assumptions on every machine.
    pub fn csv(&self) -> String {
        let mut text = String::from("course,measure,day,mean");
        for quantile in QUANTILES {
            text.push_str(&format!(",q{quantile}"));
        }
        text.push('\n');
        for row in self.totals.iter().chain(&self.days) {
            text.push_str(&format!("{},{},{},{}", row.course, row.measure, row.day, row.band.mean));
            for quantile in row.band.quantiles {
                text.push_str(&format!(",{quantile}"));
            }
            text.push('\n');
        }
        text
    }

    /// The days of a measure in a course.
    pub fn of<'a>(&'a self, course: &'a str, measure: &'a str) -> impl Iterator<Item = &'a BandRow> {
        self.days.iter().filter(move |row| row.course == course && row.measure == measure)
    }
}

/// The input as it is released: `date,cases,record`, a day per line; `records` are those of the days, where known.
pub fn input_csv(history: &Series, record_of: impl Fn(jiff::civil::Date) -> Option<String>) -> String {
    let mut text = String::from("date,cases,record\n");
    for (date, observation) in history.iter() {
        let figure = match observation {
            Observation::Reported(figure) | Observation::Negative(figure) => figure.to_string(),
            Observation::Missing(_) => String::new(),
        };
        text.push_str(&format!("{date},{figure},{}\n", record_of(date).unwrap_or_default()));
    }
    text
}

/// Reads an input again; anything but what [`input_csv`] writes is refused.
pub fn read_input(text: &str) -> Result<Series, Problem> {
    let refused = |line: usize| Problem::new("scenario-input").with("line", line);
    if text.len() > MAX_INPUT {
        return Err(refused(0));
    }
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, head)| head) != Some("date,cases,record") {
        return Err(refused(1));
    }
    let (mut start, mut observations) = (None, Vec::new());
    for (at, line) in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let [date, cases, _] = fields.as_slice() else { return Err(refused(at + 1)) };
        let date: jiff::civil::Date = date.parse().map_err(|_| refused(at + 1))?;
        let first = *start.get_or_insert(date);
        let behind = i64::try_from(observations.len()).ok();
        let span = behind.and_then(|days| jiff::Span::new().try_days(days).ok());
        if span.and_then(|span| first.checked_add(span).ok()) != Some(date) {
            return Err(refused(at + 1));
        }
        observations.push(match *cases {
            "" => Observation::Missing(Absence::NotStated),
            text => Observation::of(text.parse().map_err(|_| refused(at + 1))?),
        });
    }
    let start = start.ok_or_else(|| refused(2))?;
    Series::new(start, Step::Day, observations).map_err(|error| Problem::of(error.code(), error.arguments()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use std::collections::BTreeMap;

    fn history() -> Series {
        let days: Vec<f64> = (0..60).map(|day| f64::from(100 + day)).collect();
        Series::of(date(2020, 3, 1), Step::Day, &days).unwrap()
    }

    fn assumptions() -> Assumptions {
        let get = |key: &str| match key {
            "runs" => Some("40"),
            "days" => Some("30"),
            "step_day" => Some("5"),
            "delay" => Some("7"),
            "r" => Some("1.4"),
            "step_r" => Some("0.7"),
            _ => None,
        };
        Assumptions::read(["JPN", "cases-confirmed-cumulative", "mhlw.jpn.example"], get, &BTreeMap::new())
            .unwrap()
    }

    #[test]
    fn the_same_input_and_assumptions_give_the_same_bytes_after_a_journey_as_text() {
        let (history, assumptions) = (history(), assumptions());
        let one = run(&assumptions, &history).unwrap().csv();
        let input = input_csv(&history, |day| (day == date(2020, 3, 1)).then(|| "ab12".to_owned()));
        assert!(input.starts_with("date,cases,record\n2020-03-01,100,ab12\n2020-03-02,101,\n"), "{input}");
        let again =
            run(&Assumptions::parse(&assumptions.text()).unwrap(), &read_input(&input).unwrap()).unwrap();
        assert_eq!(again.csv(), one);
        assert_eq!(one.lines().count(), 1 + 15 + 3 * 3 * 30);
    }

    #[test]
    fn a_day_of_delay_of_what_lowers_r_costs_cases() {
        let outcome = run(&assumptions(), &history()).unwrap();
        let total = |course: &str| {
            outcome.totals.iter().find(|row| row.course == course && row.measure == "cases").unwrap().band
        };
        assert!(total("step minus as-now").quantiles[4] < 0.0, "the step lowers R");
        assert!(total("step-later minus step").quantiles[0] > 0.0, "seven days later there are more cases");
        assert!(
            total("as-now").mean > total("step-later").mean && total("step-later").mean > total("step").mean
        );
    }

    #[test]
    fn an_input_that_nobody_here_wrote_is_refused_with_its_line() {
        for (text, line) in [
            ("", "1"),
            ("date,cases\n", "1"),
            ("date,cases,record\n", "2"),
            ("date,cases,record\n2020-03-01,5,\n2020-03-03,5,\n", "3"),
            ("date,cases,record\n2020-03-01,many,\n", "2"),
            ("date,cases,record\n2020-03-01,5\n", "2"),
        ] {
            let problem = read_input(text).unwrap_err();
            assert!(
                problem.code() == "scenario-input" && format!("{problem:?}").contains(line),
                "{text}: {problem:?}"
            );
        }
    }
}
