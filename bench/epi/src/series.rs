//! The series that are measured: made here, the same in every run.

use epi::random::Stream;
use epi::serial_interval::SerialInterval;
use epi::series::{Series, Step};
use jiff::civil::date;

/// How many series.
pub const PLACES: u32 = 200;
/// How many days of each.
pub const DAYS: usize = 200;
/// How many weeks of each.
pub const WEEKS: usize = 364;

/// The serial interval that the daily series were made with: mean 4.7, standard deviation 2.9 days.
pub fn interval() -> SerialInterval {
    let long = SerialInterval::cori(4.7, 2.9).expect("mean above 1");
    // What is further away than 40 days has 2e-7 of the probability, and costs the peers time.
    let cut = long.delay().probabilities()[..=40].to_vec();
    SerialInterval::given(cut).expect("a cut tail keeps the sum within 0.01 of 1")
}

/// The longest delay of a report, in days.
pub const LONGEST: usize = 15;

/// For each place and each of 60 days the counts that are reported 0, 1, 2... days later.
pub fn reports() -> Vec<Vec<Vec<f64>>> {
    let share = |delay: usize| {
        // Three of ten reports of what is left come each day.
        let left: f64 = (0..delay).map(|_| 0.7).product();
        if delay == LONGEST { left } else { 0.3 * left }
    };
    let place = |place: u32| {
        let mut stream = Stream::new(2014, 3, place, 0);
        let level = 40.0 + f64::from(place % 60);
        (0..60).map(|_| (0..=LONGEST).map(|delay| stream.poisson(level * share(delay))).collect()).collect()
    };
    (0..PLACES).map(place).collect()
}

/// Renewal Poisson counts: R 1.6, then 0.9, then 1.2.
pub fn daily() -> Vec<Series> {
    let interval = interval();
    let weights = &interval.delay().probabilities()[1..];
    let place = |place: u32| {
        let mut stream = Stream::new(2020, 1, place, 0);
        let mut cases: Vec<f64> = vec![f64::from(5 + place % 40)];
        for day in 1..DAYS {
            let r = [1.6, 0.9, 1.2][day * 3 / DAYS];
            let passed: f64 = weights.iter().zip(cases.iter().rev()).map(|(w, i)| w * i).sum();
            cases.push(stream.poisson(r * passed));
        }
        Series::of(date(2020, 1, 1), Step::Day, &cases).expect("counts")
    };
    (0..PLACES).map(place).collect()
}

/// Negative binomial weekly counts with a season, a trend and outbreaks, from Monday 6 January 2014.
pub fn weekly() -> Vec<Series> {
    let place = |place: u32| {
        let mut stream = Stream::new(2013, 2, place, 0);
        let level = 4.0 + f64::from(place % 50);
        let week = |week: usize| {
            // As a float: weeks are few.
            #[allow(clippy::cast_precision_loss)]
            let t = week as f64;
            let season = 1.0 + 0.5 * (std::f64::consts::TAU * t / 52.18).sin();
            let outbreak = if week % 97 == 90 { 3.0 } else { 1.0 };
            stream.negative_binomial(level * season * (1.0 + 0.001 * t) * outbreak, 2.0)
        };
        let counts: Vec<f64> = (0..WEEKS).map(week).collect();
        Series::of(date(2014, 1, 6), Step::Week, &counts).expect("counts")
    };
    (0..PLACES).map(place).collect()
}
