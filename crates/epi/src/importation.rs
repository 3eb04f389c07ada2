//! Importation: infected travellers from places where an epidemic grows, and what restricting travel buys.
//!
//! *Delay.* While infections at the source grow as e^(rt), leaving out a share f of the travellers postpones every number of arrivals by
//! −ln(1 − f)/r days, and no more: it lowers nothing for good. With the interval of r the delay has one too. The rule does not hold, and is refused, where the
//! interval of r includes 0 (nothing grows for sure) or where the destination has transmission of its own.
//! Source: the arrival law of Gautreau, Barrat, Barthélemy, J Theor Biol 2008;251:509–22.
//!
//! *Arrivals.* Expected infected arrivals of day t: Σⱼ (infected in j on day t)/Nⱼ × travellers j→i × (1 − restriction) × (1 − detected). Infected
//! are those who became cases within the last `carrying` days, divided by the share of infections that become cases. Arrivals are
//! Poisson: at least one has probability 1 − e^(−sum). Each starts a large outbreak with probability 1 − q
//! ([`crate::establishment`]), so that one has started with probability 1 − e^(−(1 − q) sum).
//!
//! Assumes: travellers are as often infected as those who stay, the infected travel as much as others, detection is independent of
//! anything. Units: people per day.

use jiff::civil::Date;

use crate::establishment::extinction;
use crate::series::{Series, Step};

/// Growth per day and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// r.
    pub rate: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Days bought, with the interval that growth's gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// Days.
    pub days: f64,
    /// At the upper end of growth.
    pub low: f64,
    /// At its lower end.
    pub high: f64,
}

/// Why a question about importation has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportationError {
    /// Growth is not sure.
    #[error(
        "growth per day lies between {low} and {high}: where it may be 0 or less nothing is known to be postponed"
    )]
    NotGrowing {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// The destination has its own epidemic.
    #[error("the destination has sustained transmission: arrivals no longer decide when its epidemic begins")]
    Sustained,
    /// A number out of range.
    #[error("{what} is {found}; it must be {wanted}")]
    Number {
        /// Which.
        what: &'static str,
        /// What was given.
        found: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// Sources that do not fit together.
    #[error("all sources must be daily and have the same dates; {found} has not")]
    Dates {
        /// The first that has not.
        found: String,
    },
}

impl ImportationError {
    /// Machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotGrowing { .. } => "epi-import-not-growing",
            Self::Sustained => "epi-import-sustained",
            Self::Number { .. } => "epi-import-number",
            Self::Dates { .. } => "epi-import-dates",
        }
    }

    /// Named arguments, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotGrowing { low, high } => vec![("low", low.to_string()), ("high", high.to_string())],
            Self::Sustained => Vec::new(),
            Self::Number { what, found, wanted } => vec![
                ("what", (*what).to_owned()),
                ("found", found.to_string()),
                ("wanted", (*wanted).to_owned()),
            ],
            Self::Dates { found } => vec![("found", found.clone())],
        }
    }
}

pub(crate) fn within(
    what: &'static str,
    found: f64,
    wanted: &'static str,
    fine: impl Fn(f64) -> bool,
) -> Result<(), ImportationError> {
    if found.is_finite() && fine(found) {
        Ok(())
    } else {
        Err(ImportationError::Number { what, found, wanted })
    }
}

/// Days by which arrivals are postponed when a share of the travellers is left out.
pub fn delay_bought(growth: Growth, reduction: f64, sustained: bool) -> Result<Delay, ImportationError> {
    within("the share of travellers left out", reduction, "above 0 and below 1", |f| f > 0.0 && f < 1.0)?;
    let Growth { rate, low, high } = growth;
    within("growth per day", rate, "within its interval", |r| low <= r && r <= high)?;
    if sustained {
        return Err(ImportationError::Sustained);
    }
    if low <= 0.0 {
        return Err(ImportationError::NotGrowing { low, high });
    }
    let days = |rate: f64| -libm::log1p(-reduction) / rate;
    Ok(Delay { days: days(rate), low: days(high), high: days(low) })
}

/// A place that travellers come from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// New cases, daily.
    pub cases: Series,
    /// People who live there.
    pub population: f64,
    /// Travellers to the destination per day, without restrictions.
    pub travellers: f64,
}

/// What is assumed about arrivals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// For how many days after becoming a case an infected person could have travelled and can infect.
    pub carrying: usize,
    /// Share of infections that become cases, above 0 and up to 1.
    pub ascertained: f64,
    /// Share of travellers kept away.
    pub restriction: f64,
    /// From when on.
    pub restricted_from: Option<Date>,
    /// Share of infected arrivals who are found and isolated before they infect.
    pub detected: f64,
    /// R at the destination.
    pub r: f64,
    /// How evenly people infect others there: size k.
    pub evenness: f64,
}

/// One day at the destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals {
    /// The day.
    pub date: Date,
    /// Infected arrivals expected; none where an origin's figures are missing.
    pub expected: Option<f64>,
    /// Expected since the first day.
    pub sum: Option<f64>,
    /// Probability of at least one since the first day.
    pub arrived: Option<f64>,
    /// Probability that a large outbreak has started.
    pub established: Option<f64>,
    /// Origins whose figures of the days needed are missing or negative.
    pub missing: Vec<String>,
}

impl Assumptions {
    fn check(&self) -> Result<f64, ImportationError> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        within("carrying days", self.carrying as f64, "1 to 365", |d| (1.0..=365.0).contains(&d))?;
        within("ascertained", self.ascertained, "above 0 and at most 1", |x| x > 0.0 && x <= 1.0)?;
        within("restriction", self.restriction, "0 to 1", share)?;
        within("detected", self.detected, "0 to 1", share)?;
        within("R", self.r, "0 to 100", |r| (0.0..=100.0).contains(&r))?;
        extinction(self.r, self.evenness).ok_or(ImportationError::Number {
            what: "evenness",
            found: self.evenness,
            wanted: "above 0",
        })
    }

    /// Infected arrivals day by day. A day that needs a figure which is missing has no answer, and what is summed up after it has none.
    pub fn arrivals(&self, origins: &[Origin]) -> Result<Vec<Arrivals>, ImportationError> {
        let dies_out = self.check()?;
        for origin in origins {
            within("population", origin.population, "above 0", |n| n > 0.0)?;
            within("travellers", origin.travellers, "at least 0", |n| n >= 0.0)?;
            let first = &origins[0].cases;
            let cases = &origin.cases;
            if cases.step() != Step::Day || (cases.start(), cases.len()) != (first.start(), first.len()) {
                return Err(ImportationError::Dates { found: origin.name.clone() });
            }
        }
        let days = origins.first().map_or(0, |origin| origin.cases.len());
        let mut sum = Some(0.0);
        let mut all = Vec::with_capacity(days);
        for day in 0..days {
            let date = origins[0].cases.date(day);
            let open = match self.restricted_from {
                Some(from) if date < from => 1.0,
                _ => 1.0 - self.restriction,
            };
            let (mut expected, mut missing) = (0.0, Vec::new());
            for origin in origins.iter().filter(|origin| origin.travellers > 0.0) {
                match self.infected(&origin.cases, day) {
                    Some(infected) => expected += infected / origin.population * origin.travellers,
                    None => missing.push(origin.name.clone()),
                }
            }
            let expected = missing.is_empty().then_some(expected * open * (1.0 - self.detected));
            sum = sum.zip(expected).map(|(sum, expected)| sum + expected);
            let at_least_one = |sum: f64| -libm::expm1(-sum);
            all.push(Arrivals {
                date,
                expected,
                sum,
                arrived: sum.map(at_least_one),
                established: sum.map(|sum| at_least_one(sum * (1.0 - dies_out))),
                missing,
            });
        }
        Ok(all)
    }

    /// Infected people who may travel on a day: at most as many as there are figures for.
    fn infected(&self, cases: &Series, day: usize) -> Option<f64> {
        let from = (day + 1).saturating_sub(self.carrying);
        let mut sum = 0.0;
        for day in from..=day {
            sum += cases.reported(day)?;
        }
        Some(sum / self.ascertained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::series::{Absence, Observation};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn sure(rate: f64) -> Growth {
        Growth { rate, low: rate, high: rate }
    }

    #[test]
    fn a_simple_rule_that_a_minister_understands() {
        for (doubling, row) in
            [(3.0, [3.0, 7.0, 10.0, 19.9]), (5.0, [5.0, 11.6, 16.6, 33.2]), (6.4, [6.4, 14.9, 21.3, 42.5])]
        {
            for (reduction, wanted) in [0.5, 0.8, 0.9, 0.99].into_iter().zip(row) {
                let found = delay_bought(sure(std::f64::consts::LN_2 / doubling), reduction, false).unwrap();
                assert!((found.days - wanted).abs() < 0.051, "{doubling} {reduction} {found:?}");
            }
        }
        let interval = delay_bought(Growth { rate: 0.2, low: 0.1, high: 0.4 }, 0.9, false).unwrap();
        assert!(
            (interval.high / interval.days - 2.0).abs() < 1e-12
                && (interval.days / interval.low - 2.0).abs() < 1e-12
        );
    }

    #[test]
    fn the_rule_is_refused_where_it_does_not_hold() {
        let code =
            |growth, reduction, sustained| delay_bought(growth, reduction, sustained).unwrap_err().code();
        assert_eq!(code(Growth { rate: 0.1, low: -0.02, high: 0.2 }, 0.5, false), "epi-import-not-growing");
        assert_eq!(code(Growth { rate: 0.1, low: 0.0, high: 0.2 }, 0.5, false), "epi-import-not-growing");
        assert_eq!(code(sure(0.1), 0.5, true), "epi-import-sustained");
        assert_eq!(code(sure(0.1), 1.0, false), "epi-import-number");
        assert_eq!(code(sure(0.1), 0.0, false), "epi-import-number");
        assert_eq!(code(Growth { rate: 0.5, low: 0.1, high: 0.2 }, 0.5, false), "epi-import-number");
        assert_eq!(code(sure(f64::NAN), 0.5, false), "epi-import-number");
    }

    /// The first arrival of a Poisson process with rate c(1 − f)e^(rt), in 10,000 runs: later by −ln(1 − f)/r.
    #[test]
    fn ten_thousand_runs_agree_with_the_rule() {
        let (r, c) = (0.15, 1e-6);
        let first_arrival = |open: f64, stream: &mut Stream| {
            // Inversion: c·open/r (e^(rt) − 1) reaches an exponential deviate.
            let deviate = -libm::log(stream.uniform());
            libm::log1p(deviate * r / (c * open)) / r
        };
        for reduction in [0.5, 0.9] {
            let mut sum = 0.0;
            for run in 0..10_000 {
                let with = first_arrival(1.0 - reduction, &mut Stream::new(5, 1, 0, run));
                let without = first_arrival(1.0, &mut Stream::new(5, 2, 0, run));
                sum += with - without;
            }
            let wanted = delay_bought(sure(r), reduction, false).unwrap().days;
            let found = sum / 10_000.0;
            // The difference of two first arrivals has standard deviation π/(r√3): 12.1 days, 0.12 in the mean.
            assert!((found - wanted).abs() < 0.36, "{found} {wanted}");
        }
    }

    fn origin(name: &str, figures: &[f64]) -> Origin {
        let cases = Series::of(date(2020, 1, 1), Step::Day, figures).unwrap();
        Origin { name: name.to_owned(), cases, population: 1e7, travellers: 1000.0 }
    }

    const USUAL: Assumptions = Assumptions {
        carrying: 10,
        ascertained: 0.5,
        restriction: 0.0,
        restricted_from: None,
        detected: 0.0,
        r: 2.35,
        evenness: 0.16,
    };

    #[test]
    fn arrivals_by_hand() {
        let found = USUAL.arrivals(&[origin("a", &[100.0; 20]), origin("b", &[0.0; 20])]).unwrap();
        // Day 20: 10 days × 100 cases / 0.5 infected, of 10⁷, 1000 travel.
        assert!((found[19].expected.unwrap() - 0.2).abs() < 1e-12);
        let sum: f64 = found.iter().map(|day| day.expected.unwrap()).sum();
        assert!((found[19].sum.unwrap() - sum).abs() < 1e-12);
        assert!((found[19].arrived.unwrap() - (1.0 - libm::exp(-sum))).abs() < 1e-12);
        assert!((found[19].established.unwrap() - (1.0 - libm::exp(-sum * 0.193_991))).abs() < 1e-6);
    }

    #[test]
    fn a_restriction_counts_from_its_day_and_a_gap_has_no_answer() {
        let halved = Assumptions { restriction: 0.9, restricted_from: Some(date(2020, 1, 11)), ..USUAL };
        let (open, closed) = (
            USUAL.arrivals(&[origin("a", &[50.0; 20])]).unwrap(),
            halved.arrivals(&[origin("a", &[50.0; 20])]).unwrap(),
        );
        assert_eq!(open[9], closed[9]);
        assert!((closed[10].expected.unwrap() / open[10].expected.unwrap() - 0.1).abs() < 1e-12);
        let mut gap = origin("a", &[50.0; 20]);
        let mut observations = vec![Observation::Reported(50.0); 20];
        observations[3] = Observation::Missing(Absence::Empty);
        gap.cases = Series::new(date(2020, 1, 1), Step::Day, observations).unwrap();
        let found = USUAL.arrivals(&[gap]).unwrap();
        assert!(found[2].expected.is_some() && found[3].expected.is_none());
        assert_eq!(found[3].missing, ["a"]);
        assert!(found[13].expected.is_some() && found[13].sum.is_none(), "a sum over a gap is no sum");
    }

    proptest! {
        #[test]
        fn arrivals_scale_and_restrictions_only_lower(figures in prop::collection::vec(0.0..1e4_f64, 5..40), factor in 1.0..10.0_f64, restriction in 0.0..1.0_f64) {
            let scaled: Vec<f64> = figures.iter().map(|n| n * factor).collect();
            let last = |figures: &[f64], restriction| {
                let of = Assumptions { restriction, ..USUAL };
                of.arrivals(&[origin("a", figures)]).unwrap().pop().unwrap().sum.unwrap()
            };
            prop_assert!((last(&scaled, 0.0) - factor * last(&figures, 0.0)).abs() <= 1e-9 * last(&scaled, 0.0));
            prop_assert!((last(&figures, restriction) - (1.0 - restriction) * last(&figures, 0.0)).abs() <= 1e-9 * last(&figures, 0.0).max(1.0));
        }
    }
}
