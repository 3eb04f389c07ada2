//! `concord epi weekdays`

use clap::Args;
use epi::day_of_week::{self, Effects};
use epi::series::Series;

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Figures, Source};
use crate::fault::Fault;

/// How much less is reported on Sundays: the effect of each day of the week, and the figures without it
///
/// Each figure is compared with the mean of the seven days around it. The effect of a weekday is the sum of its figures by the sum of those
/// means, scaled so that the seven have mean 1: 0.6 on Sundays says that a Sunday reports 0.6 of a usual day. Only whole weeks
/// of figures count, at least four of each weekday; it assumes that the effect stays the same throughout the series.
///
/// --removed answers with the figures divided by the effect of their weekday and scaled to the same total, as a table that other questions
/// read. They are no counts any more, and nothing else removes the effect: windows of 7 days mean it away by themselves.
#[derive(Debug, Args)]
pub struct WeekdaysArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of counts
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// The figures without the effect, instead of the effect
    #[arg(long)]
    removed: bool,
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Answers.
pub fn run(args: &WeekdaysArgs) -> Result<Answered, Fault> {
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column)])?;
    let columns = if args.removed { ["date", "cases"] } else { ["weekday", "effect"] };
    let (answers, report) = table.answer(&columns, |group| {
        let series = group.series(0);
        let effects = day_of_week::effects(series).ok_or_else(|| {
            let least = day_of_week::LEAST_WEEKS;
            Fault::new(
                "epi-weekdays-none",
                format!(
                    "no effect of the day of the week can be seen: figures must be daily, with {least} of each weekday and a \
                     figure on all of the seven days around them"
                ),
            )
            .with("least", least)
        })?;
        if args.removed { without(series, &effects) } else { Ok(shown(&effects)) }
    })?;
    Ok(Answered { answers, report })
}

fn shown(effects: &Effects) -> Vec<Vec<Cell>> {
    WEEKDAYS
        .into_iter()
        .zip(effects.by_weekday)
        .map(|(name, effect)| vec![name.into(), effect.into()])
        .collect()
}

fn without(series: &Series, effects: &Effects) -> Result<Vec<Vec<Cell>>, Fault> {
    let removed = day_of_week::removed(series, effects)?;
    let row = |index: usize| vec![removed.date(index).into(), removed.reported(index).into()];
    Ok((0..removed.len()).map(row).collect())
}
