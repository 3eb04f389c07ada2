//! A series: one observation for every day or every week, from a first date, without gaps in the dates. Where no figure can be
//! used, the observation says why; it is never a zero.
//!
//! It never repairs anything unasked: [`Series::spread_corrections`] is asked for, and remembers which days it changed.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// The most observations of a series: a hundred years of days. A longer span is a mistyped year.
pub const MAX_LENGTH: usize = 36_525;

/// The largest figure: all whole numbers up to it are exact in an `f64`.
pub const MAX_FIGURE: f64 = 9_007_199_254_740_992.0;

/// The distance between observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A figure for each day.
    Day,
    /// A figure for each seven days; its date is the one stated, whatever weekday that is.
    Week,
}

impl Step {
    /// In days.
    pub const fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// No row has this date.
    NotStated,
    /// A row has this date and says nothing.
    Empty,
    /// What is said is not a number, or not one that can count something.
    Unreadable,
    /// Two rows of this date say different things.
    Contradictory,
    /// A difference of cumulative figures, one of which is missing.
    Uncountable,
}

impl Absence {
    /// Its name in results; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStated => "not-stated",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
            Self::Contradictory => "contradictory",
            Self::Uncountable => "after-missing-total",
        }
    }
}

/// What was observed in one day or week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observation {
    /// So many: finite, zero or more. Whole, unless a method that says so made it.
    Reported(f64),
    /// Fewer than none: a correction of what was reported before. Finite, below zero.
    Negative(f64),
    /// No figure.
    Missing(Absence),
}

impl Observation {
    /// The observation that a number is: what is not finite or is beyond [`MAX_FIGURE`] is unreadable.
    pub fn of(number: f64) -> Self {
        match number {
            n if n.is_nan() || n.abs() > MAX_FIGURE => Self::Missing(Absence::Unreadable),
            n if n < 0.0 => Self::Negative(n),
            // A negative zero is a zero.
            n => Self::Reported(n.abs()),
        }
    }

    /// The figure, if it counts something.
    pub const fn reported(self) -> Option<f64> {
        match self {
            Self::Reported(figure) => Some(figure),
            Self::Negative(_) | Self::Missing(_) => None,
        }
    }
}

/// Observations for consecutive days or weeks.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    start: Date,
    step: Step,
    observations: Vec<Observation>,
    /// So many observations from the first on were changed by spreading corrections.
    spread: usize,
    /// Whether the figures are a method's, of weekly ones.
    reconstructed: bool,
}

/// Why observations are no series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// More than [`MAX_LENGTH`].
    #[error("the series has {length} dates, more than {MAX_LENGTH}: is a year mistyped?")]
    TooLong {
        /// How many.
        length: usize,
    },
    /// Beyond the year 9999.
    #[error("the series runs beyond the year 9999")]
    BeyondCalendar,
}

impl SeriesError {
    /// Its machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "epi-series-too-long",
            Self::BeyondCalendar => "epi-series-beyond-calendar",
        }
    }

    /// Named arguments of the message.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong { length } => {
                vec![("length", length.to_string()), ("limit", MAX_LENGTH.to_string())]
            }
            Self::BeyondCalendar => Vec::new(),
        }
    }
}

impl Series {
    /// Observations of `start` and the steps that follow it.
    pub fn new(start: Date, step: Step, observations: Vec<Observation>) -> Result<Self, SeriesError> {
        let length = observations.len();
        if length > MAX_LENGTH {
            return Err(SeriesError::TooLong { length });
        }
        let days = i64::from(step.days()) * i64::try_from(length).unwrap_or(i64::MAX);
        start.checked_add(days.days()).map_err(|_| SeriesError::BeyondCalendar)?;
        let checked = |observation| match observation {
            Observation::Reported(figure) | Observation::Negative(figure) => Observation::of(figure),
            Observation::Missing(_) => observation,
        };
        Ok(Self {
            start,
            step,
            observations: observations.into_iter().map(checked).collect(),
            spread: 0,
            reconstructed: false,
        })
    }

    /// The days of these weeks from `start` on, with figures that a method made of the weekly ones.
    pub(crate) fn in_days(&self, start: Date, observations: Vec<Observation>) -> Result<Self, SeriesError> {
        let days = Self::new(start, Step::Day, observations)?;
        let each = usize::try_from(self.step.days()).unwrap_or(1);
        Ok(Self { spread: (self.spread * each).min(days.len()), reconstructed: true, ..days })
    }

    /// A series of figures that are all there; negative ones are corrections.
    pub fn of(start: Date, step: Step, figures: &[f64]) -> Result<Self, SeriesError> {
        Self::new(start, step, figures.iter().map(|figure| Observation::of(*figure)).collect())
    }

    /// The first date.
    pub const fn start(&self) -> Date {
        self.start
    }

    /// Days or weeks.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// How many observations there are.
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// The observations in the order of their dates.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The date of an observation. Beyond the series it is where the series would go on.
    pub fn date(&self, index: usize) -> Date {
        let steps = i64::try_from(index.min(MAX_LENGTH)).unwrap_or(0);
        self.start.saturating_add((steps * i64::from(self.step.days())).days())
    }

    /// The place of a date in the series.
    pub fn index_of(&self, date: Date) -> Option<usize> {
        let days = (date - self.start).get_days();
        let index = usize::try_from(days / self.step.days()).ok()?;
        (days % self.step.days() == 0 && index < self.len()).then_some(index)
    }

    /// The figure at a place, if there is one that counts something.
    pub fn reported(&self, index: usize) -> Option<f64> {
        self.observations.get(index).and_then(|observation| observation.reported())
    }

    /// Dates and observations.
    pub fn iter(&self) -> impl Iterator<Item = (Date, Observation)> + '_ {
        self.observations.iter().enumerate().map(|(index, observation)| (self.date(index), *observation))
    }

    /// What counts towards later infectiousness: figures, and nothing where there is none.
    pub fn contributions(&self) -> Vec<f64> {
        self.observations.iter().map(|observation| observation.reported().unwrap_or(0.0)).collect()
    }

    /// Whether spreading corrections changed what stands here.
    pub const fn is_spread(&self, index: usize) -> bool {
        index < self.spread
    }

    /// Whether the figures are not what was reported of these days, but made of what was reported of weeks.
    pub const fn is_reconstructed(&self) -> bool {
        self.reconstructed
    }

    /// How many observations from the first on were changed by spreading corrections.
    pub const fn spread_length(&self) -> usize {
        self.spread
    }

    /// The observations from `from` to before `to`, both cut to what is there.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        Self {
            start: self.date(from),
            step: self.step,
            observations: self.observations[from..to].to_vec(),
            spread: self.spread.saturating_sub(from).min(to - from),
            reconstructed: self.reconstructed,
        }
    }

    /// New figures from cumulative ones. The first total is a stock, of unknown age: so the series starts at the second date.
    /// Where a total is missing, neither its day nor the next has a figure.
    #[must_use]
    pub fn differences(&self) -> Self {
        let difference = |pair: &[Observation]| match (pair[0].reported(), pair[1].reported()) {
            (Some(before), Some(now)) => Observation::of(now - before),
            (_, None) => match pair[1] {
                Observation::Missing(absence) => Observation::Missing(absence),
                Observation::Negative(_) | Observation::Reported(_) => {
                    Observation::Missing(Absence::Unreadable)
                }
            },
            (None, Some(_)) => Observation::Missing(Absence::Uncountable),
        };
        let observations = self.observations.windows(2).map(difference).collect();
        Self {
            start: self.date(1),
            step: self.step,
            observations,
            spread: 0,
            reconstructed: self.reconstructed,
        }
    }

    /// Takes each correction back from what was reported before it, in proportion to the figures, in whole cases, so that the total
    /// stays as stated; the day of the correction then has 0 cases, as far as anybody knows. A correction that is larger than
    /// everything before it stays. Every changed day answers [`Series::is_spread`].
    #[must_use]
    pub fn spread_corrections(&self) -> Self {
        let mut series = self.clone();
        for index in 0..series.len() {
            let Observation::Negative(correction) = series.observations[index] else { continue };
            let before: f64 = series.observations[..index].iter().filter_map(|o| o.reported()).sum();
            if before + correction >= 0.0 {
                take_back(&mut series.observations[..index], -correction, before);
                series.observations[index] = Observation::Reported(0.0);
                series.spread = index + 1;
            }
        }
        series
    }
}

/// Lowers figures with the sum `total` by `amount` in proportion: whole parts first, then one each where the remainder is largest
/// (the later day first among equals).
fn take_back(observations: &mut [Observation], amount: f64, total: f64) {
    let mut left = amount;
    let mut remainders = Vec::new();
    for (index, observation) in observations.iter_mut().enumerate() {
        let Observation::Reported(figure) = observation else { continue };
        if *figure == 0.0 {
            continue;
        }
        let share = amount * *figure / total;
        let whole = share.floor().min(*figure).min(left);
        *figure -= whole;
        left -= whole;
        remainders.push((share - whole, index));
    }
    remainders.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    // One round is enough but for rounding of the shares: then the later rounds take what is there.
    while left > 0.0 {
        let before = left;
        for (_, index) in &remainders {
            if let Observation::Reported(figure) = &mut observations[*index] {
                let taken = figure.min(left).min(1.0);
                *figure -= taken;
                left -= taken;
            }
        }
        if left >= before {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn daily(figures: &[f64]) -> Series {
        Series::of(date(2020, 3, 1), Step::Day, figures).unwrap()
    }

    #[test]
    fn cumulative_figures_begin_at_the_second_date_and_falls_are_corrections() {
        let totals = Series::new(
            date(2020, 3, 1),
            Step::Day,
            vec![
                Observation::Reported(100.0),
                Observation::Reported(130.0),
                Observation::Reported(120.0),
                Observation::Missing(Absence::Empty),
                Observation::Reported(150.0),
                Observation::Reported(151.0),
            ],
        )
        .unwrap();
        let new = totals.differences();
        assert_eq!(new.start(), date(2020, 3, 2));
        assert_eq!(
            new.observations(),
            [
                Observation::Reported(30.0),
                Observation::Negative(-10.0),
                Observation::Missing(Absence::Empty),
                Observation::Missing(Absence::Uncountable),
                Observation::Reported(1.0),
            ]
        );
        assert!(daily(&[7.0]).differences().is_empty());
    }

    #[test]
    fn a_correction_is_taken_back_in_whole_cases_and_the_total_stays() {
        let spread = daily(&[10.0, 30.0, 0.0, 20.0, -7.0, 5.0]).spread_corrections();
        assert_eq!(spread.contributions(), [9.0, 26.0, 0.0, 18.0, 0.0, 5.0]);
        assert!(spread.is_spread(4) && !spread.is_spread(5));
    }

    #[test]
    fn a_correction_beyond_everything_before_stays() {
        let series = daily(&[1.0, -7.0, 5.0]);
        assert_eq!(series.spread_corrections(), series);
    }

    #[test]
    fn a_date_has_its_place_only_on_the_grid() {
        let weekly = Series::of(date(2020, 3, 2), Step::Week, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(weekly.index_of(date(2020, 3, 16)), Some(2));
        assert_eq!(weekly.index_of(date(2020, 3, 17)), None);
        assert_eq!(weekly.index_of(date(2020, 3, 23)), None);
        assert_eq!(weekly.index_of(date(2020, 2, 24)), None);
        assert_eq!(weekly.date(2), date(2020, 3, 16));
    }

    #[test]
    fn what_cannot_count_is_unreadable_and_a_mistyped_year_is_refused() {
        assert_eq!(Observation::of(f64::NAN), Observation::Missing(Absence::Unreadable));
        assert_eq!(Observation::of(f64::INFINITY), Observation::Missing(Absence::Unreadable));
        assert_eq!(Observation::of(-0.0), Observation::Reported(0.0));
        let long = vec![Observation::Reported(0.0); MAX_LENGTH + 1];
        assert_eq!(Series::new(date(2020, 1, 1), Step::Day, long).unwrap_err().code(), "epi-series-too-long");
        assert_eq!(
            Series::of(date(9999, 12, 30), Step::Day, &[1.0, 2.0, 3.0]).unwrap_err().code(),
            "epi-series-beyond-calendar"
        );
    }

    proptest! {
        #[test]
        fn spreading_keeps_the_total_and_makes_nothing_negative(
            figures in prop::collection::vec(-40i32..200, 1..60),
        ) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let total: f64 = figures.iter().sum();
            let spread = daily(&figures).spread_corrections();
            let after: f64 = spread.observations().iter().map(|o| match o {
                Observation::Reported(n) | Observation::Negative(n) => *n,
                Observation::Missing(_) => 0.0,
            }).sum();
            prop_assert!((after - total).abs() < 1e-9, "{after} {total}");
            for observation in spread.observations() {
                if let Observation::Reported(n) = observation {
                    prop_assert!(*n >= 0.0 && n.fract() == 0.0);
                }
            }
        }

        #[test]
        fn differences_of_running_totals_are_the_figures(figures in prop::collection::vec(-40i32..200, 1..60)) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let mut total = 5000.0;
            let mut totals = vec![total];
            for figure in &figures {
                total += figure;
                totals.push(total);
            }
            let (new, figures) = (daily(&totals).differences(), daily(&figures));
            prop_assert_eq!(new.observations(), figures.observations());
        }
    }
}
