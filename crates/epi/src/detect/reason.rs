//! Why a method raised an alarm, or could not judge: as data, for whoever says it in a language.

use jiff::civil::Date;

/// Why. Written out it is a sentence in English.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// The method needs points from `from` on, and the series starts later.
    #[error("needs points from {from} on; the series starts on {starts}")]
    HistoryShort {
        /// From when on it needs them.
        from: Date,
        /// The first point there is.
        starts: Date,
    },
    /// Points that the method needs are missing or negative.
    #[error("of the points it needs, {points} are missing or negative, the first on {first}")]
    Missing {
        /// How many.
        points: usize,
        /// The first of them.
        first: Date,
    },
    /// The point itself is missing or negative.
    #[error("the point itself is missing or negative")]
    NotReported,
    /// No point before those to be judged tells what is usual.
    #[error("no point before these tells what is usual")]
    NothingBefore,
    /// There was no case before the points to be judged: no deviation can be measured in units of nothing.
    #[error("no case before these points: there is no unit to measure a deviation in")]
    NoCaseBefore,
    /// Too few cases lately for the method to speak.
    #[error("{cases} cases in the last {points} points; fewer than {least} raise no alarm")]
    FewCases {
        /// So many in the last points.
        cases: f64,
        /// So many points.
        points: usize,
        /// It needs so many.
        least: f64,
    },
    /// The regression on the reference points has no answer.
    #[error("the regression on {points} reference points has no answer")]
    NotFitted {
        /// So many reference points.
        points: usize,
    },
    /// More than mean and deviation of a short baseline allow (EARS C1, C2).
    #[error("above what mean {mean:.2} and standard deviation {sd:.2} of {from} to {to} allow")]
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
    #[error(
        "the two points before stood above their baselines ({from} to {to}) by {} standard deviations beyond the first; {limit:.2} are allowed",
        Self::rounded(*sum)
    )]
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
    #[error(
        "excesses since {since} add up to {sum:.2} standard deviations, the limit is {limit}; usual are {mean:.2}"
    )]
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
    #[error(
        "above what {points} reference points of {years} years ({from} to {to}) let expect; trend per point: × {}; counting less because unusual themselves: {weighted_down}",
        Self::factor(*trend)
    )]
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
    #[error("{rate:.2} per 100,000 people in {days} days, above {threshold} since {since}")]
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
    #[error("{rate:.2} per 100,000 people, no longer above {threshold} as it was since {since}")]
    BelowRateAgain {
        /// Events per 100,000 people in the days.
        rate: f64,
        /// The threshold.
        threshold: f64,
        /// Since when it had been above.
        since: Date,
    },
    /// Among all series of this date, the p-value stands out with the false discovery rate asked for (Benjamini and Hochberg).
    #[error(
        "stands out among {series} series of this date: p = {p:.2e}, expected share of false alarms {q:.2e}"
    )]
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
    /// Machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HistoryShort { .. } => "epi-history-short",
            Self::Missing { .. } => "epi-points-missing",
            Self::NotReported => "epi-not-reported",
            Self::NothingBefore => "epi-nothing-before",
            Self::NoCaseBefore => "epi-no-case-before",
            Self::FewCases { .. } => "epi-few-cases",
            Self::NotFitted { .. } => "epi-not-fitted",
            Self::AboveBaseline { .. } => "epi-above-baseline",
            Self::AboveBaselineBefore { .. } => "epi-above-baseline-before",
            Self::SumReached { .. } => "epi-sum-reached",
            Self::AboveReference { .. } => "epi-above-reference",
            Self::AboveRate { .. } => "epi-above-rate",
            Self::BelowRateAgain { .. } => "epi-below-rate-again",
            Self::Discovery { .. } => "epi-discovery",
        }
    }

    /// Named arguments, as the sentence has them.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        let two = |x: &f64| format!("{x:.2}");
        match self {
            Self::HistoryShort { from, starts } => {
                vec![("from", from.to_string()), ("starts", starts.to_string())]
            }
            Self::Missing { points, first } => {
                vec![("points", points.to_string()), ("first", first.to_string())]
            }
            Self::NotReported | Self::NothingBefore | Self::NoCaseBefore => Vec::new(),
            Self::FewCases { cases, points, least } => {
                vec![
                    ("cases", cases.to_string()),
                    ("points", points.to_string()),
                    ("least", least.to_string()),
                ]
            }
            Self::NotFitted { points } => vec![("points", points.to_string())],
            Self::AboveBaseline { mean, sd, from, to } => {
                vec![("mean", two(mean)), ("sd", two(sd)), ("from", from.to_string()), ("to", to.to_string())]
            }
            Self::AboveBaselineBefore { sum, limit, from, to } => vec![
                ("sum", Self::rounded(*sum)),
                ("limit", two(limit)),
                ("from", from.to_string()),
                ("to", to.to_string()),
            ],
            Self::SumReached { sum, limit, since, mean } => vec![
                ("sum", two(sum)),
                ("limit", limit.to_string()),
                ("since", since.to_string()),
                ("mean", two(mean)),
            ],
            Self::AboveReference { years, points, from, to, trend, weighted_down } => vec![
                ("years", years.to_string()),
                ("points", points.to_string()),
                ("from", from.to_string()),
                ("to", to.to_string()),
                ("trend", Self::factor(*trend)),
                ("weighted-down", weighted_down.to_string()),
            ],
            Self::AboveRate { rate, threshold, days, since } => vec![
                ("rate", two(rate)),
                ("threshold", threshold.to_string()),
                ("days", days.to_string()),
                ("since", since.to_string()),
            ],
            Self::BelowRateAgain { rate, threshold, since } => {
                vec![("rate", two(rate)), ("threshold", threshold.to_string()), ("since", since.to_string())]
            }
            Self::Discovery { p, q, series } => {
                vec![("p", format!("{p:.2e}")), ("q", format!("{q:.2e}")), ("series", series.to_string())]
            }
        }
    }

    fn rounded(sum: Option<f64>) -> String {
        sum.map_or_else(|| "∞".to_owned(), |sum| format!("{sum:.2}"))
    }

    fn factor(trend: Option<f64>) -> String {
        trend.map_or_else(|| "1".to_owned(), |factor| format!("{factor:.4}"))
    }
}
