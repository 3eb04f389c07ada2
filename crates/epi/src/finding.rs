//! What is wrong with a series, day by day, and the flags that results carry because of it.
//!
//! It changes nothing: it only says what is there.

use jiff::civil::Date;

use crate::series::{Observation, Series, Step};

/// A day is a spike above this many times the median of its neighbours.
pub const SPIKE_FACTOR: f64 = 5.0;
/// So many neighbours on each side.
pub const SPIKE_NEIGHBOURS: usize = 7;

/// What was found at a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Where.
    pub date: Date,
    /// What.
    pub kind: FindingKind,
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FindingKind {
    /// No figure, or none that can be used.
    Missing(crate::series::Absence),
    /// Fewer than none: a correction.
    Negative(f64),
    /// Far above its neighbours.
    Spike {
        /// The figure.
        figure: f64,
        /// The median of its neighbours.
        median: f64,
    },
    /// This figure was lowered because a later correction was spread.
    Spread {
        /// As it was.
        before: f64,
        /// As it is.
        after: f64,
    },
}

impl FindingKind {
    /// Its name in reports; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing(absence) => absence.name(),
            Self::Negative(_) => "negative",
            Self::Spike { .. } => "spike",
            Self::Spread { .. } => "spread",
        }
    }
}

/// Everything that is wrong with a series, by date.
pub fn findings(series: &Series) -> Vec<Finding> {
    let spikes = spikes(series);
    let mut found = Vec::new();
    for (index, (date, observation)) in series.iter().enumerate() {
        let kind = match observation {
            Observation::Missing(absence) => Some(FindingKind::Missing(absence)),
            Observation::Negative(figure) => Some(FindingKind::Negative(figure)),
            Observation::Reported(figure) => {
                spikes[index].map(|median| FindingKind::Spike { figure, median })
            }
        };
        found.extend(kind.map(|kind| Finding { date, kind }));
    }
    found
}

/// Where spreading corrections changed a figure, by date. `spread` was made of `series`.
pub fn spread_findings(series: &Series, spread: &Series) -> Vec<Finding> {
    let changed = |(date, (was, is)): (Date, (&Observation, &Observation))| match (was, is) {
        (Observation::Reported(before) | Observation::Negative(before), Observation::Reported(after))
            if before != after =>
        {
            Some(Finding { date, kind: FindingKind::Spread { before: *before, after: *after } })
        }
        _ => None,
    };
    let pairs = series.observations().iter().zip(spread.observations());
    series.iter().map(|(date, _)| date).zip(pairs).filter_map(changed).collect()
}

/// For each day that is a spike, the median of its neighbours: the seven days before and the seven after, as far as there are figures.
/// A day is a spike above five times that median. A median below one counts as one: else the first case after a quiet fortnight
/// would be a spike. Fewer than seven neighbours with figures say nothing. Weeks have no spikes, nor have days that were made of them.
pub fn spikes(series: &Series) -> Vec<Option<f64>> {
    let observations = series.observations();
    let judge = |index: usize| {
        let figure = observations[index].reported()?;
        if series.step() == Step::Week || series.is_reconstructed() || figure <= SPIKE_FACTOR {
            return None;
        }
        let from = index.saturating_sub(SPIKE_NEIGHBOURS);
        let to = (index + SPIKE_NEIGHBOURS + 1).min(observations.len());
        let mut neighbours: Vec<f64> =
            (from..to).filter(|other| *other != index).filter_map(|n| observations[n].reported()).collect();
        if neighbours.len() < SPIKE_NEIGHBOURS {
            return None;
        }
        neighbours.sort_by(f64::total_cmp);
        let half = neighbours.len() / 2;
        let median = if neighbours.len() % 2 == 1 {
            neighbours[half]
        } else {
            f64::midpoint(neighbours[half - 1], neighbours[half])
        };
        (figure > SPIKE_FACTOR * median.max(1.0)).then_some(median)
    };
    (0..observations.len()).map(judge).collect()
}

/// What a reader must know of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// What is shown is hardly more than was believed before the data: too few cases.
    Prior,
    /// Within one serial interval after a correction or a gap: infectiousness is counted too low.
    AfterCorrection,
    /// A day far above its neighbours lies in the window.
    Spike,
    /// A day with fewer than none lies in the window: no value.
    Negative,
    /// A day without a figure lies in the window: no value.
    Missing,
    /// The window ends within the mean serial interval: no value.
    BeforeSerialInterval,
    /// Figures of the window were lowered by spreading a later correction.
    Spread,
    /// Too few cases for any value.
    TooFewCases,
    /// Part of the offspring is still to come or fell on days without a figure: corrected by its share.
    OffspringUnseen,
    /// The days were made of weekly figures.
    Reconstructed,
}

impl Flag {
    /// Its name in results; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::AfterCorrection => "after-correction",
            Self::Spike => "spike",
            Self::Negative => "negative",
            Self::Missing => "missing",
            Self::BeforeSerialInterval => "before-serial-interval",
            Self::Spread => "spread",
            Self::TooFewCases => "too-few-cases",
            Self::OffspringUnseen => "offspring-unseen",
            Self::Reconstructed => "reconstructed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Absence;
    use jiff::civil::date;

    #[test]
    fn every_finding_is_named_with_its_date() {
        let mut observations = vec![Observation::Reported(10.0); 20];
        observations[3] = Observation::Missing(Absence::Empty);
        observations[5] = Observation::Negative(-2.0);
        observations[10] = Observation::Reported(51.0);
        observations[12] = Observation::Reported(50.0);
        let series = Series::new(date(2020, 3, 1), Step::Day, observations).unwrap();
        let found: Vec<_> = findings(&series).iter().map(|f| (f.date.day(), f.kind.name())).collect();
        assert_eq!(found, [(4, "empty"), (6, "negative"), (11, "spike")]);
    }

    #[test]
    fn the_first_case_after_a_quiet_fortnight_is_no_spike_but_a_redefinition_is() {
        let mut figures = vec![0.0; 30];
        figures[15] = 1.0;
        assert_eq!(spikes(&Series::of(date(2020, 3, 1), Step::Day, &figures).unwrap()), vec![None; 30]);
        figures[15] = 1500.0;
        let spikes = spikes(&Series::of(date(2020, 3, 1), Step::Day, &figures).unwrap());
        assert_eq!(spikes[15], Some(0.0));
        assert_eq!(spikes.iter().flatten().count(), 1);
    }

    #[test]
    fn what_was_spread_is_said_figure_by_figure() {
        let series = Series::of(date(2020, 3, 1), Step::Day, &[8.0, 2.0, -5.0, 1.0]).unwrap();
        let found = spread_findings(&series, &series.spread_corrections());
        let said: Vec<_> = found.iter().map(|f| (f.date.day(), f.kind)).collect();
        assert_eq!(
            said,
            [
                (1, FindingKind::Spread { before: 8.0, after: 4.0 }),
                (2, FindingKind::Spread { before: 2.0, after: 1.0 }),
                (3, FindingKind::Spread { before: -5.0, after: 0.0 }),
            ]
        );
    }
}
