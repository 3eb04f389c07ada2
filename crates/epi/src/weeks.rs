//! Weeks by which surveillance counts: ISO 8601 (Monday to Sunday) and MMWR, the epidemiological week of the Americas (Sunday to
//! Saturday).
//!
//! Both number the weeks of a year from 1 to 52 or 53, and the first is the one with at least four days of the new year (ISO 8601:2019,
//! 3.1.1.23; CDC, *MMWR Week Fact Sheet*, NNDSS). It reads no clock and knows no other week.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// Which weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeekSystem {
    /// Monday to Sunday.
    Iso,
    /// Sunday to Saturday.
    Mmwr,
}

/// A week of a year. The year is the one that holds most of its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpiWeek {
    /// The year.
    pub year: i16,
    /// 1 to 52 or 53.
    pub week: u8,
}

impl WeekSystem {
    const fn first_weekday(self) -> Weekday {
        match self {
            Self::Iso => Weekday::Monday,
            Self::Mmwr => Weekday::Sunday,
        }
    }

    /// The first day of the first week of a year: the week that holds 4 January. `None` at the calendar's ends.
    fn start_of_year(self, year: i16) -> Option<Date> {
        let fourth = Date::new(year, 1, 4).ok()?;
        fourth.checked_sub(i64::from(fourth.weekday().since(self.first_weekday())).days()).ok()
    }

    /// The week of a date. `None` only at the calendar's ends.
    pub fn week_of(self, date: Date) -> Option<EpiWeek> {
        let start = date.checked_sub(i64::from(date.weekday().since(self.first_weekday())).days()).ok()?;
        // The week's fourth day lies in the year that the week belongs to.
        let year = start.checked_add(3.days()).ok()?.year();
        let days = (start - self.start_of_year(year)?).get_days();
        Some(EpiWeek { year, week: u8::try_from(days / 7 + 1).ok()? })
    }

    /// The first day of a week. `None` if the year has no such week.
    pub fn first_day(self, of: EpiWeek) -> Option<Date> {
        if of.week == 0 || of.week > self.weeks_in(of.year)? {
            return None;
        }
        self.start_of_year(of.year)?.checked_add((i64::from(of.week - 1) * 7).days()).ok()
    }

    /// How many weeks a year has: 52 or 53. `None` at the calendar's ends.
    pub fn weeks_in(self, year: i16) -> Option<u8> {
        let next = self.start_of_year(year.checked_add(1)?)?;
        u8::try_from((next - self.start_of_year(year)?).get_days() / 7).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// Given by the Python package `epiweeks` 2.4.
    #[test]
    fn weeks_around_new_year() {
        let of = |system: WeekSystem, date: Date| system.week_of(date).map(|w| (w.year, w.week)).unwrap();
        for (day, iso, mmwr) in [
            (date(2020, 12, 27), (2020, 52), (2020, 53)),
            (date(2020, 12, 31), (2020, 53), (2020, 53)),
            (date(2021, 1, 2), (2020, 53), (2020, 53)),
            (date(2021, 1, 3), (2020, 53), (2021, 1)),
            (date(2021, 1, 4), (2021, 1), (2021, 1)),
            (date(2018, 12, 30), (2018, 52), (2019, 1)),
            (date(2018, 12, 31), (2019, 1), (2019, 1)),
            (date(2015, 1, 1), (2015, 1), (2014, 53)),
            (date(2014, 12, 28), (2014, 52), (2014, 53)),
            (date(2020, 1, 22), (2020, 4), (2020, 4)),
        ] {
            assert_eq!(of(WeekSystem::Iso, day), iso, "{day}");
            assert_eq!(of(WeekSystem::Mmwr, day), mmwr, "{day}");
        }
    }

    #[test]
    fn years_of_53_weeks() {
        let long =
            |system: WeekSystem| (2000..2033).filter(|y| system.weeks_in(*y) == Some(53)).collect::<Vec<_>>();
        assert_eq!(long(WeekSystem::Iso), [2004, 2009, 2015, 2020, 2026, 2032]);
        assert_eq!(long(WeekSystem::Mmwr), [2003, 2008, 2014, 2020, 2025, 2031]);
    }

    #[test]
    fn a_week_that_a_year_does_not_have() {
        assert_eq!(WeekSystem::Iso.first_day(EpiWeek { year: 2021, week: 53 }), None);
        assert_eq!(WeekSystem::Iso.first_day(EpiWeek { year: 2021, week: 0 }), None);
        assert_eq!(WeekSystem::Mmwr.week_of(Date::MIN), None);
    }

    proptest! {
        #[test]
        fn iso_weeks_are_the_calendars(days in -300_000_i64..300_000) {
            let day = date(2020, 1, 1).checked_add(days.days()).unwrap();
            let week = WeekSystem::Iso.week_of(day).unwrap();
            let iso = day.iso_week_date();
            prop_assert_eq!((week.year, week.week), (iso.year(), u8::try_from(iso.week()).unwrap()));
        }

        #[test]
        fn a_day_lies_in_its_week_and_weeks_follow_each_other(days in -300_000_i64..300_000) {
            let day = date(2020, 1, 1).checked_add(days.days()).unwrap();
            for system in [WeekSystem::Iso, WeekSystem::Mmwr] {
                let week = system.week_of(day).unwrap();
                let first = system.first_day(week).unwrap();
                prop_assert!((0..7).contains(&(day - first).get_days()));
                prop_assert_eq!(first.weekday(), system.first_weekday());
                let next = system.week_of(first.checked_add(7.days()).unwrap()).unwrap();
                prop_assert!(next > week && (next.week == week.week + 1 || next.week == 1));
            }
        }
    }
}
