//! `concord epi detect`

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use epi::detect::{
    Cusum, Ears, Farrington, Method, RateThreshold, Reason, Reference, Variant, Verdict, discoveries,
};
use epi::series::{Observation, Series};
use epi::weeks::WeekSystem;

use super::answers::{Answered, Answers};
use super::cell::Cell;
use super::fault::EpiError;
use super::import_risk::read_pairs;
use super::input::{self, Figures, Group, Source};
use crate::fault::Fault;
use crate::i18n::Locale;

/// Is the last week, or day, more than was to be expected?
///
/// One answer for each of the last N points: what was expected, the bound, and whether the count exceeds it. A point without the
/// history that its method needs has no answer, and says so; a missing or negative figure is never read as zero. Later points are
/// never looked at.
///
/// `ears-c1`, `-c2`, `-c3` (Hutwagner et al. 2003, J Urban Health 80:i89) compare with mean and standard deviation of seven points: those
/// just before, those that end two points earlier, or the latter gathered over three points; z = Φ⁻¹(1 − α), α 0.001, for c3 0.025.
///
/// `cusum` (Rossi et al. 1999, Stat Med 18:2111) adds up what exceeds the usual count m by more than 1.04 standard deviations √m, and alarms
/// when the sum reaches 2.26; m is the mean of all points before the last N. The sum begins at 0 again after an alarm.
///
/// `farrington` (Farrington et al. 1996, J R Stat Soc A 159:547) compares with the same weeks of earlier years by a quasi-Poisson regression,
/// in which unusual points count less and a trend is kept if it is significant; α 0.05 is of both sides. It does not speak
/// where fewer than 5 cases came in the last 4 points; nor does the next.
///
/// `farrington-flexible` (Noufaily et al. 2013, Stat Med 32:1206) uses all weeks of earlier years but the last 26, with a season in ten levels;
/// the bound is the 1 − α quantile of a negative binomial distribution, α 0.05.
///
/// Reference weeks follow the calendar: the same date in earlier years, moved to the nearest same weekday, and the weeks around it.
///
/// `rate` alarms while the events of the last 7 or 14 days per 100,000 people exceed a threshold, and says when that is over.
#[derive(Debug, Args)]
pub struct DetectArgs {
    #[command(flatten)]
    pub source: Source,
    /// The method
    #[arg(long, value_enum)]
    method: MethodArg,
    /// How many points to judge: the last ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    last: usize,
    /// The column of new cases
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// The probability of a false alarm at one point, between 0 and 1 (EARS, Farrington)
    #[arg(long, value_name = "A")]
    alpha: Option<f64>,
    /// The least standard deviation of a baseline, in cases (EARS); 0 if not given
    #[arg(long, value_name = "CASES")]
    min_sigma: Option<f64>,
    /// How many years to look back (Farrington); 5 if not given
    #[arg(long, value_name = "B")]
    years: Option<usize>,
    /// How many weeks to both sides of the same week are taken too (Farrington); 3 if not given
    #[arg(long, value_name = "W")]
    half_window: Option<usize>,
    /// Let the sum stand after an alarm, as the R package surveillance does (CUSUM): one outbreak then alarms for weeks
    #[arg(long)]
    no_reset: bool,
    /// Do without points that are missing or negative, instead of not answering (CUSUM, Farrington)
    #[arg(long)]
    leave_out_missing: bool,
    /// People among whom the events are counted (rate)
    #[arg(long, value_name = "PEOPLE", conflicts_with = "populations")]
    population: Option<f64>,
    /// The same for many series: a file with columns series,population (rate)
    #[arg(long, value_name = "FILE")]
    populations: Option<PathBuf>,
    /// Days that are added up (rate); 7 if not given
    #[arg(long, value_name = "DAYS")]
    days: Option<usize>,
    /// Events per 100,000 people in the days; more is an alarm (rate)
    #[arg(long, value_name = "RATE")]
    threshold: Option<f64>,
    /// With many series: alarm so that, of each date's alarms, at most this share is expected to be false (Benjamini and Hochberg
    /// 1995), instead of by each bound. Adds the columns p and q
    #[arg(long, value_name = "SHARE")]
    fdr: Option<f64>,
    /// Adds the column week: by ISO 8601, or the epidemiological week of the Americas (MMWR)
    #[arg(long, value_enum)]
    weeks: Option<WeeksArg>,
}

/// The methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodArg {
    /// Against the seven points before
    EarsC1,
    /// Against seven points, with two left out between
    EarsC2,
    /// The same, gathered over three points
    EarsC3,
    /// Cumulative sum
    Cusum,
    /// Against the same weeks of earlier years
    Farrington,
    /// Against all weeks of earlier years, with a season
    FarringtonFlexible,
    /// Per 100,000 people, against a threshold
    Rate,
}

/// Weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WeeksArg {
    /// Monday to Sunday
    Iso,
    /// Sunday to Saturday
    Mmwr,
}

impl MethodArg {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn is_ears(self) -> bool {
        matches!(self, Self::EarsC1 | Self::EarsC2 | Self::EarsC3)
    }

    fn is_farringtons(self) -> bool {
        matches!(self, Self::Farrington | Self::FarringtonFlexible)
    }
}

impl DetectArgs {
    /// An option that the method does not have is a mistake, not a wish to be ignored.
    fn check(&self) -> Result<(), EpiError> {
        let method = self.method;
        let regression = method.is_farringtons();
        let options = [
            ("--alpha", self.alpha.is_some(), method.is_ears() || regression),
            ("--min-sigma", self.min_sigma.is_some(), method.is_ears()),
            ("--years", self.years.is_some(), regression),
            ("--half-window", self.half_window.is_some(), regression),
            ("--no-reset", self.no_reset, method == MethodArg::Cusum),
            ("--leave-out-missing", self.leave_out_missing, method == MethodArg::Cusum || regression),
            ("--population", self.population.is_some(), method == MethodArg::Rate),
            ("--populations", self.populations.is_some(), method == MethodArg::Rate),
            ("--days", self.days.is_some(), method == MethodArg::Rate),
            ("--threshold", self.threshold.is_some(), method == MethodArg::Rate),
            // CUSUM and rates have no p-value.
            ("--fdr", self.fdr.is_some(), method.is_ears() || regression),
        ];
        match options.into_iter().find(|(_, given, known)| *given && !known) {
            Some((option, _, _)) => {
                Err(EpiError::Option { method: method.name(), option: option.to_owned() })
            }
            None => Ok(()),
        }
    }

    fn ears(&self, variant: Variant) -> Method {
        let usual = Ears::new(variant);
        Method::Ears(Ears {
            alpha: self.alpha.unwrap_or(usual.alpha),
            min_sigma: self.min_sigma.unwrap_or(usual.min_sigma),
            ..usual
        })
    }

    fn farrington(&self) -> Farrington {
        let usual = Farrington::default();
        Farrington {
            alpha: self.alpha.unwrap_or(usual.alpha),
            years: self.years.unwrap_or(usual.years),
            half_window: self.half_window.unwrap_or(usual.half_window),
            reference: Reference::Calendar,
            leave_out_missing: self.leave_out_missing,
        }
    }

    fn method(&self, group: &Group, populations: &HashMap<String, f64>) -> Result<Method, EpiError> {
        Ok(match self.method {
            MethodArg::EarsC1 => self.ears(Variant::C1),
            MethodArg::EarsC2 => self.ears(Variant::C2),
            MethodArg::EarsC3 => self.ears(Variant::C3),
            MethodArg::Cusum => {
                let leave_out_missing = self.leave_out_missing;
                Method::Cusum(Cusum { reset: !self.no_reset, leave_out_missing, ..Cusum::default() })
            }
            MethodArg::Farrington => Method::Farrington(self.farrington()),
            MethodArg::FarringtonFlexible => Method::Flexible(self.farrington()),
            MethodArg::Rate => {
                let name = group.name.as_deref().unwrap_or_default();
                let population = self.population.or_else(|| populations.get(name).copied());
                Method::Rate(RateThreshold {
                    days: self.days.unwrap_or(7),
                    population: population.ok_or_else(|| EpiError::Population { series: name.to_owned() })?,
                    threshold: self.threshold.ok_or(EpiError::Threshold)?,
                })
            }
        })
    }

    fn columns(&self) -> Vec<&'static str> {
        let mut columns = vec!["date"];
        columns.extend(self.weeks.map(|_| "week"));
        columns.extend(["observed", "expected", "upper", "alarm", "reason"]);
        if self.fdr.is_some() {
            columns.extend(["p", "q"]);
        }
        columns
    }
}

/// Answers.
pub fn run(args: &DetectArgs, locale: &Locale) -> Result<Answered, Fault> {
    args.check()?;
    if let Some(share) = args.fdr.filter(|share| !(*share > 0.0 && *share < 1.0)) {
        return Err(epi::detect::ParameterError::Alpha { found: share }.into());
    }
    let (populations, _) = read_pairs(args.populations.as_deref(), "series", "population")?;
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column)])?;
    let columns = args.columns();
    let (mut answers, report) = table.answer(&columns, |group| {
        let series = group.series(0);
        let verdicts = args.method(group, &populations)?.judge(series, args.last)?;
        let first = series.len() - verdicts.len();
        let point = |(i, verdict): (usize, &Verdict)| row(args, series, first + i, verdict, locale);
        Ok(verdicts.iter().enumerate().map(point).collect())
    })?;
    if let Some(share) = args.fdr {
        control(&mut answers, share, locale);
    }
    Ok(Answered { answers, report })
}

fn row(args: &DetectArgs, series: &Series, index: usize, verdict: &Verdict, locale: &Locale) -> Vec<Cell> {
    let date = series.date(index);
    let mut cells = vec![date.into()];
    if let Some(weeks) = args.weeks {
        let system = if weeks == WeeksArg::Iso { WeekSystem::Iso } else { WeekSystem::Mmwr };
        cells.push(system.week_of(date).map(|week| format!("{}-W{:02}", week.year, week.week)).into());
    }
    let observed = match series.observations()[index] {
        Observation::Reported(figure) | Observation::Negative(figure) => Some(figure),
        Observation::Missing(_) => None,
    };
    cells.extend([
        observed.into(),
        verdict.expected.into(),
        verdict.upper.into(),
        verdict.alarm.into(),
        verdict.reason.as_ref().map(|reason| said(reason, locale)).into(),
    ]);
    if args.fdr.is_some() {
        cells.extend([verdict.p.into(), Cell::Nothing]);
    }
    cells
}

fn said(reason: &Reason, locale: &Locale) -> String {
    Fault::from(reason.clone()).said_in(locale)
}

/// Alarms by the false discovery rate among all series of a date.
fn control(answers: &mut Answers, share: f64, locale: &Locale) {
    let place = |column: &str| answers.columns.iter().position(|name| *name == column).unwrap_or_default();
    let (date, alarm, reason, p, q) =
        (place("date"), place("alarm"), place("reason"), place("p"), place("q"));
    let mut dates: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, row) in answers.rows.iter().enumerate() {
        dates.entry(row[date].csv()).or_default().push(i);
    }
    for rows in dates.values() {
        let number = |cell: &Cell| if let Cell::Number(number) = cell { Some(*number) } else { None };
        let p_values: Vec<Option<f64>> = rows.iter().map(|i| number(&answers.rows[*i][p])).collect();
        let series = p_values.iter().flatten().count();
        for ((i, p), adjusted) in rows.iter().zip(&p_values).zip(discoveries(&p_values)) {
            let (Some(p), Some(adjusted)) = (*p, adjusted) else { continue };
            let row = &mut answers.rows[*i];
            row[q] = adjusted.into();
            row[alarm] = (adjusted <= share).into();
            let why =
                (adjusted <= share).then(|| said(&Reason::Discovery { p, q: adjusted, series }, locale));
            row[reason] = why.into();
        }
    }
}
