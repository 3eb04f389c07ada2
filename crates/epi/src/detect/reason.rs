//! Why a method raised an alarm, or could not judge: as data, for whoever says it in a language.

use jiff::civil::Date;

/// Why.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The method needs points from `from` on, and the series starts later.
    HistoryShort {
        /// From when on it needs them.
        from: Date,
        /// The first point there is.
        starts: Date,
    },
    /// Points that the method needs are missing or negative.
    Missing {
        /// How many.
        points: usize,
        /// The first of them.
        first: Date,
    },
    /// The point itself is missing or negative.
    NotReported,
    /// No point before those to be judged tells what is usual.
    NothingBefore,
    /// There was no case before the points to be judged: no deviation can be measured in units of nothing.
    NoCaseBefore,
    /// Too few cases lately for the method to speak.
    FewCases {
        /// So many in the last points.
        cases: f64,
        /// So many points.
        points: usize,
        /// It needs so many.
        least: f64,
    },
    /// The regression on the reference points has no answer.
    NotFitted {
        /// So many reference points.
        points: usize,
    },
    /// More than mean and deviation of a short baseline allow (EARS C1, C2).
    AboveBaseline {
        /// Mean of the baseline.
        mean: f64,
        /// Its standard deviation, or the least one asked for.
        sd: f64,
        /// First day of the baseline.
        from: Date,
        /// Its last.
        to: Date,
    },
    /// The two points before stood so far above their baselines that this one belongs to the same rise (EARS C3).
    AboveBaselineBefore {
        /// By how many standard deviations beyond the first, together; `None` if their baselines did not vary at all.
        sum: Option<f64>,
        /// What is allowed.
        limit: f64,
        /// First day of the first baseline.
        from: Date,
        /// Last day of the last.
        to: Date,
    },
    /// Small excesses added up (CUSUM).
    SumReached {
        /// The sum.
        sum: f64,
        /// The limit that it reached.
        limit: f64,
        /// Since when it was above zero.
        since: Date,
        /// The usual count.
        mean: f64,
    },
    /// More than the same weeks of earlier years let expect (Farrington).
    AboveReference {
        /// So many years back.
        years: usize,
        /// So many reference points.
        points: usize,
        /// The first of them.
        from: Date,
        /// The last of them.
        to: Date,
        /// Change of the expectation per point of the series as a factor, if there is a trend in it.
        trend: Option<f64>,
        /// So many reference points count less because they were unusual themselves.
        weighted_down: usize,
    },
    /// The rate per 100,000 people passed its threshold.
    AboveRate {
        /// Events per 100,000 people in the days.
        rate: f64,
        /// The threshold.
        threshold: f64,
        /// So many days up to and with this one.
        days: usize,
        /// Since when without interruption.
        since: Date,
    },
    /// The rate fell back to its threshold or below it with this point.
    BelowRateAgain {
        /// Events per 100,000 people in the days.
        rate: f64,
        /// The threshold.
        threshold: f64,
        /// Since when it had been above.
        since: Date,
    },
    /// Among all series of this date, the p-value stands out with the false discovery rate asked for (Benjamini and Hochberg).
    Discovery {
        /// The p-value of this series.
        p: f64,
        /// The share of false alarms among those raised at least as surely.
        q: f64,
        /// So many series were judged on this date.
        series: usize,
    },
}

impl Reason {
    /// Its name in results; stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HistoryShort { .. } => "history-short",
            Self::Missing { .. } => "missing",
            Self::NotReported => "not-reported",
            Self::NothingBefore => "nothing-before",
            Self::NoCaseBefore => "no-case-before",
            Self::FewCases { .. } => "few-cases",
            Self::NotFitted { .. } => "not-fitted",
            Self::AboveBaseline { .. } => "above-baseline",
            Self::AboveBaselineBefore { .. } => "above-baseline-before",
            Self::SumReached { .. } => "sum-reached",
            Self::AboveReference { .. } => "above-reference",
            Self::AboveRate { .. } => "above-rate",
            Self::BelowRateAgain { .. } => "below-rate-again",
            Self::Discovery { .. } => "discovery",
        }
    }
}
