//! The reporting triangle.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::delay::MAX_LAG;
use crate::series::MAX_LENGTH;

/// Counts by day and by delay of their report, as known at the end of the last day.
#[derive(Debug, Clone, PartialEq)]
pub struct Triangle {
    start: Date,
    longest: usize,
    rows: Vec<Vec<f64>>,
}

/// Why counts are no triangle.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TriangleError {
    /// Fewer days than delays, or too many of either.
    #[error("{days} days do not show delays of up to {longest}: there must be more days than delays")]
    Days {
        /// How many days.
        days: usize,
        /// The longest delay.
        longest: usize,
    },
    /// A row has more or fewer delays than can be known.
    #[error("day {day} has {found} counts by delay; {known} can be known")]
    Shape {
        /// Counted from 1.
        day: usize,
        /// What is there.
        found: usize,
        /// What would be right.
        known: usize,
    },
    /// A count is none.
    #[error("day {day}, delay {delay}: {count} counts nothing")]
    Count {
        /// Counted from 1.
        day: usize,
        /// The delay.
        delay: usize,
        /// What is there.
        count: f64,
    },
}

impl TriangleError {
    /// Its machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Days { .. } => "epi-triangle-days",
            Self::Shape { .. } => "epi-triangle-shape",
            Self::Count { .. } => "epi-triangle-count",
        }
    }

    /// Named arguments of the message.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Days { days, longest } => {
                vec![("days", days.to_string()), ("longest", longest.to_string())]
            }
            Self::Shape { day, found, known } => {
                vec![("day", day.to_string()), ("found", found.to_string()), ("known", known.to_string())]
            }
            Self::Count { day, delay, count } => {
                vec![("day", day.to_string()), ("delay", delay.to_string()), ("count", count.to_string())]
            }
        }
    }
}

impl Triangle {
    /// Counts of each day from `start` on, by delay from 0 to at most `longest`: the last day has one, the day before two. A negative
    /// count takes back what was reported earlier of the same day; it is taken from the delays before it, nearest first.
    pub fn new(start: Date, longest: usize, mut rows: Vec<Vec<f64>>) -> Result<Self, TriangleError> {
        let days = rows.len();
        if days <= longest || days > MAX_LENGTH || longest > MAX_LAG {
            return Err(TriangleError::Days { days, longest });
        }
        for (day, row) in rows.iter_mut().enumerate() {
            let known = longest.min(days - 1 - day) + 1;
            if row.len() != known {
                return Err(TriangleError::Shape { day: day + 1, found: row.len(), known });
            }
            if let Some(delay) = row.iter().position(|count| !count.is_finite()) {
                return Err(TriangleError::Count { day: day + 1, delay, count: row[delay] });
            }
            take_back(row);
        }
        Ok(Self { start, longest, rows })
    }

    /// The longest delay.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// Counts by day and delay.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The date of a day.
    pub fn date(&self, day: usize) -> Date {
        self.start.saturating_add(i64::try_from(day).unwrap_or(0).days())
    }

    /// As it was known `days` before; none if there were too few days then.
    pub(super) fn before(&self, days: usize) -> Option<Self> {
        let length = self.rows.len().checked_sub(days).filter(|length| *length > self.longest)?;
        let row = |(day, row): (usize, &Vec<f64>)| row[..=self.longest.min(length - 1 - day)].to_vec();
        let rows = self.rows[..length].iter().enumerate().map(row).collect();
        Some(Self { start: self.start, longest: self.longest, rows })
    }
}

fn take_back(row: &mut [f64]) {
    for delay in (0..row.len()).rev() {
        if row[delay] < 0.0 {
            let owed = row[delay];
            row[delay] = 0.0;
            if let Some(before) = delay.checked_sub(1) {
                row[before] += owed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_triangle_has_the_shape_of_what_can_be_known() {
        let of = |rows: Vec<Vec<f64>>, longest| Triangle::new(date(2020, 3, 1), longest, rows);
        assert!(of(vec![vec![1.0, 2.0], vec![3.0]], 1).is_ok());
        assert_eq!(of(vec![vec![1.0], vec![3.0]], 1).unwrap_err().code(), "epi-triangle-shape");
        assert_eq!(of(vec![vec![1.0]], 1).unwrap_err().code(), "epi-triangle-days");
        assert_eq!(of(vec![vec![1.0, f64::NAN], vec![3.0]], 1).unwrap_err().code(), "epi-triangle-count");
    }

    #[test]
    fn what_is_taken_back_was_reported_before() {
        let triangle =
            Triangle::new(date(2020, 3, 1), 2, vec![vec![5.0, 2.0, -3.0], vec![4.0, -1.0], vec![2.0]])
                .unwrap();
        assert_eq!(triangle.rows(), [vec![4.0, 0.0, 0.0], vec![3.0, 0.0], vec![2.0]]);
    }
}
