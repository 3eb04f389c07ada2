//! Values per day.

use jiff::ToSpan;
use jiff::civil::Date;

/// A value per day from a first day on; `None` where nobody stated one, which is not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daily {
    first: Date,
    values: Vec<Option<i64>>,
}

impl Daily {
    /// The values of `first` and the days after it.
    pub fn new(first: Date, values: Vec<Option<i64>>) -> Self {
        Self { first, values }
    }

    /// The values, in order.
    pub fn values(&self) -> &[Option<i64>] {
        &self.values
    }

    /// The day of a value; `None` beyond the last.
    pub fn day(&self, place: usize) -> Option<Date> {
        if place >= self.values.len() {
            return None;
        }
        self.first.checked_add(i64::try_from(place).ok()?.days()).ok()
    }

    /// The day of the last value.
    pub fn last_day(&self) -> Option<Date> {
        self.day(self.values.len().checked_sub(1)?)
    }

    /// The place of a day's value.
    pub fn place_of(&self, day: Date) -> Option<usize> {
        let place = usize::try_from(self.first.until(day).ok()?.get_days()).ok()?;
        (place < self.values.len()).then_some(place)
    }

    /// The value of a day.
    pub fn on(&self, day: Date) -> Option<i64> {
        self.values[self.place_of(day)?]
    }

    /// For each day the mean of it and the six days before, where all seven are known.
    pub fn weekly_average(&self) -> Vec<Option<f64>> {
        let mean = |place: usize| {
            let week = self.values.get(place.checked_sub(6)?..=place)?;
            let sum = week.iter().copied().try_fold(0_i64, |sum, value| sum.checked_add(value?))?;
            #[allow(clippy::cast_precision_loss)] // counts of people
            Some(sum as f64 / 7.0)
        };
        (0..self.values.len()).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn an_average_needs_all_seven_days() {
        let mut values: Vec<Option<i64>> = (1..=9).map(Some).collect();
        let average = Daily::new(date(2020, 1, 1), values.clone()).weekly_average();
        assert_eq!(average[5..], [None, Some(4.0), Some(5.0), Some(6.0)]);
        values[1] = None;
        let average = Daily::new(date(2020, 1, 1), values).weekly_average();
        assert_eq!(average[6..], [None, None, Some(6.0)]);
    }

    #[test]
    fn days_and_places_agree() {
        let daily = Daily::new(date(2020, 2, 27), vec![Some(1), None, Some(3), Some(4)]);
        assert_eq!(daily.day(3), Some(date(2020, 3, 1)));
        assert_eq!(daily.day(4), None);
        assert_eq!(daily.on(date(2020, 2, 29)), Some(3));
        assert_eq!(daily.on(date(2020, 2, 26)), None);
    }
}
