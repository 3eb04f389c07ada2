//! Case fatality as it is shown: deaths by cases so far beside the risk adjusted for those whose outcome is not known yet.

use super::parameters::Parameters;
use crate::i18n::Locale;
use crate::layout::{Cell, Column, Key, Page, Problem, Row, Table};
use epi::case_fatality::{CaseFatality, Likelihood, Risk, Unanswerable, estimate};
use epi::delay::{Continuous, Delay};
use epi::distribution::gamma::Gamma;
use epi::finding::Flag;
use epi::series::Series;
use jiff::civil::Date;

/// What stands on the page.
pub struct Fatality {
    /// Naive and adjusted, side by side.
    pub table: Table,
    /// What they are and what they were given.
    pub notes: Vec<String>,
}

/// Case fatality as of the newest day that both series reach. Corrections are spread back, and flagged.
pub fn analyse(
    cases: &Series,
    deaths: &Series,
    parameters: &Parameters,
) -> Result<Option<CaseFatality>, Problem> {
    let (cases, deaths) = (cases.spread_corrections(), deaths.spread_corrections());
    let Some((cases, deaths)) = of_same_dates(&cases, &deaths) else { return Ok(None) };
    let (mean, sd) = parameters.onset_to_death;
    let gamma = Continuous::Gamma(Gamma::of_mean_and_sd(mean, sd));
    let delay = Delay::discretised(&gamma).map_err(|error| Problem::of(error.code(), error.arguments()))?;
    let answers =
        estimate(&cases, &deaths, &delay).map_err(|error| Problem::of(error.code(), error.arguments()))?;
    Ok(answers.into_iter().next_back())
}

/// The part of two series that has the same dates; `None` if there is none.
fn of_same_dates(cases: &Series, deaths: &Series) -> Option<(Series, Series)> {
    if cases.step() != deaths.step() || cases.is_empty() || deaths.is_empty() {
        return None;
    }
    let end = |series: &Series| series.date(series.len() - 1);
    let first: Date = cases.start().max(deaths.start());
    let last: Date = end(cases).min(end(deaths));
    let part = |series: &Series| {
        let (from, to) = (series.index_of(first)?, series.index_of(last)?);
        (from <= to).then(|| series.part(from, to + 1))
    };
    Some((part(cases)?, part(deaths)?))
}

/// Builds it.
pub fn build(page: &Page, parameters: &Parameters, fatality: &CaseFatality) -> Result<Fatality, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("measure", t.analysis_cfr()),
        Column::new("estimate", t.analysis_cfr_estimate()).numeric(),
        Column::new("low", t.analysis_low()).numeric(),
        Column::new("high", t.analysis_high()).numeric(),
        Column::new("deaths", t.analysis_cfr_deaths()).numeric(),
        Column::new("of", t.analysis_cfr_of()).numeric(),
        Column::new("reason", t.analysis_flags()),
        Column::file_only("date"),
    ];
    let flags: Vec<String> =
        fatality.flags.iter().map(|flag: &Flag| super::spread::flag_text(page, *flag)).collect();
    let row = |code: &'static str,
               name: String,
               risk: Option<Result<Risk, Unanswerable>>,
               of: Option<f64>,
               more: Option<String>| {
        let number = |value: Option<f64>, places| {
            value.map_or_else(Cell::unknown, |value| {
                Cell::text(t.decimal(value, places)).keyed(Key::number(value, value.to_string()))
            })
        };
        let percent = |value: Option<f64>| {
            value.map_or_else(Cell::unknown, |value| {
                Cell::text(t.percent(value, 1)).keyed(Key::number(value, value.to_string()))
            })
        };
        let known = risk.as_ref().and_then(|risk| risk.as_ref().ok());
        let mut words = match &risk {
            Some(Ok(_)) => more.into_iter().collect(),
            Some(Err(why)) => vec![why_text(t, *why)],
            None => Vec::new(),
        };
        words.extend(flags.iter().cloned());
        Row::new(vec![
            Cell::text(&name).keyed(Key::text(&name).written(code)),
            percent(known.map(|risk| risk.estimate)),
            percent(known.map(|risk| risk.low)),
            percent(known.map(|risk| risk.high)),
            number(fatality.deaths, 0),
            number(of, usize::from(code == "adjusted")),
            Cell::text(t.list(&words)),
            Cell::text(fatality.date.to_string()),
        ])
    };
    let adjusted = fatality.adjusted;
    let likelihood = adjusted.and_then(Result::ok).map(|(_, likelihood)| match likelihood {
        Likelihood::Binomial => t.analysis_cfr_binomial(),
        Likelihood::Poisson => t.analysis_cfr_poisson(),
    });
    let rows = vec![
        row("naive", t.analysis_cfr_naive(), fatality.naive, fatality.cases, None),
        row(
            "adjusted",
            t.analysis_cfr_adjusted(),
            adjusted.map(|risk| risk.map(|(risk, _)| risk)),
            fatality.outcomes,
            likelihood,
        ),
    ];
    let (mean, sd) = parameters.onset_to_death;
    let table = Table::list(&page.asked, "fatality", t.analysis_cfr(), columns, rows)?;
    let notes = vec![
        t.analysis_cfr_until(t.date_text(fatality.date)),
        t.analysis_cfr_note_naive(),
        t.analysis_cfr_note_adjusted(
            t.decimal(mean, 1),
            t.decimal(sd, 1),
            super::parameters::death_source(t, parameters),
        ),
    ];
    Ok(Fatality { table: table.with_hidden_caption(), notes })
}

fn why_text(t: &Locale, why: Unanswerable) -> String {
    match why {
        Unanswerable::NoCases => t.analysis_cfr_no_cases(),
        Unanswerable::MoreDeathsThanCases => t.analysis_cfr_more_deaths_than_cases(),
        Unanswerable::NoOutcomeExpected => t.analysis_cfr_no_outcome(),
        Unanswerable::MoreDeathsThanOutcomes => t.analysis_cfr_more_deaths_than_outcomes(),
    }
}
