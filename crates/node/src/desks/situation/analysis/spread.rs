//! The reproduction number as it is shown: at the end of each window, not where only the prior speaks, hatched where a
//! correction, a spike or a reconstruction makes it doubtful.

use super::Analysis;
use super::completeness::{COMPLETE, Completeness, LEAST_CHANGED};
use super::nowcast::shaded_text;
use crate::chart::{Across, Line, LineChart};
use crate::desks::situation::figure::day_number;
use crate::layout::component::{Figures, Tone, tag};
use crate::layout::{Cell, Column, Key, Markup, Page, Problem, Row, Table};
use epi::finding::Flag;
use epi::instantaneous::{Estimate, Window};

/// Nothing above this is drawn: early windows reach far higher and would flatten the rest.
const CEILING: f64 = 6.0;
/// Below this nothing is cut off.
const LEAST_CEILING: f64 = 2.0;

/// What stands on the page.
pub struct Spread {
    /// The newest values.
    pub figures: Figures,
    /// The curve.
    pub chart: Option<LineChart>,
    /// What the plot shows and what it was given.
    pub labels: Vec<String>,
    /// Why nothing is drawn.
    pub nothing: Option<String>,
    /// Every window.
    pub table: Option<Table>,
}

/// Whether a window says more than the prior did.
fn says_something(window: &Window) -> bool {
    window.posterior.is_some() && !window.flags.contains(&Flag::Prior)
}

/// Whether a window is drawn with doubt.
fn is_doubtful(window: &Window) -> bool {
    let doubts = [
        Flag::AfterCorrection,
        Flag::Spike,
        Flag::Spread,
        Flag::Negative,
        Flag::Missing,
        Flag::Reconstructed,
    ];
    window.flags.iter().any(|flag| doubts.contains(flag))
}

/// Builds it.
pub fn build(page: &Page, title: &str, analysis: &Analysis) -> Result<Spread, Problem> {
    let t = &page.t;
    let (mean, sd) = analysis.parameters.serial_interval;
    let mut labels = vec![
        t.analysis_by_report(t.decimal(analysis.parameters.report, 0)),
        t.analysis_given_si(t.decimal(mean, 1), t.decimal(sd, 2), si_source(page, analysis)),
    ];
    let windows = match &analysis.windows {
        Ok(windows) => windows,
        Err(error) => {
            let nothing = Some(Problem::of(error.code(), error.arguments()).text(t));
            return Ok(Spread {
                figures: Figures::default(),
                chart: None,
                labels: Vec::new(),
                nothing,
                table: None,
            });
        }
    };
    let prior_alone = windows.iter().filter(|one| one.posterior.is_some() && !says_something(one)).count();
    if prior_alone > 0 {
        labels.push(t.analysis_prior_left_out(prior_alone, t.decimal(analysis.prior.least_cases(), 0)));
    }
    if let Some(ceiling) = ceiling(windows) {
        labels.push(t.analysis_cut_off(t.decimal(ceiling, 0)));
    }
    labels.push(completeness(page, analysis));
    let nothing = (!windows.iter().any(says_something)).then(|| t.analysis_too_few_cases());
    Ok(Spread {
        figures: newest(page, analysis, windows),
        chart: chart(page, title, analysis, windows),
        labels,
        nothing,
        table: Some(table(page, windows)?),
    })
}

/// What is known of the end: from which day on windows hold days that are not complete, or that nothing is known.
fn completeness(page: &Page, analysis: &Analysis) -> String {
    let t = &page.t;
    match &analysis.completeness {
        Completeness::Unknown { changed, days } => {
            t.analysis_completeness_unknown(*changed, *days, LEAST_CHANGED)
        }
        Completeness::Known(reports) => match reports.incomplete() {
            Some(first) => t.analysis_incomplete(t.date_text(first.date), t.percent(COMPLETE, 0)),
            None => t.analysis_complete(t.percent(COMPLETE, 0)),
        },
    }
}

/// Where the plot ends, if values lie above.
fn ceiling(windows: &[Window]) -> Option<f64> {
    let drawn = windows.iter().filter(|window| says_something(window));
    let medians = drawn.filter_map(|window| window.posterior.as_ref()).map(|one| Estimate::of(one).median);
    medians.reduce(f64::max).filter(|highest| *highest > CEILING).map(|_| CEILING)
}

/// Where the serial interval is from.
fn si_source(page: &Page, analysis: &Analysis) -> String {
    let parameters = &analysis.parameters;
    if parameters.has_own_serial_interval() {
        return page.t.analysis_si_own();
    }
    let name = page.t.lookup(&format!("analysis-disease-{}", parameters.disease.code), &[]);
    // Isolated: a citation in Latin letters must not turn a right-to-left sentence around.
    format!(
        "\u{2068}{}\u{2069}; \u{2068}{}\u{2069}",
        name.unwrap_or_else(|| parameters.disease.code.to_owned()),
        parameters.disease.serial_interval().citation
    )
}

fn interval(page: &Page, estimate: &Estimate) -> String {
    let t = &page.t;
    t.analysis_interval(t.decimal(estimate.q025, 2), t.decimal(estimate.q975, 2))
}

/// The newest window.
fn newest(page: &Page, analysis: &Analysis, windows: &[Window]) -> Figures {
    let t = &page.t;
    let soft = |text: String| Markup::element("span", &[("class", "soft")], &text);
    let Some(last) = windows.last() else { return Figures::default() };
    let (value, note) = match last.posterior.as_ref().filter(|_| says_something(last)) {
        Some(posterior) => {
            let estimate = Estimate::of(posterior);
            let value = Markup::text(t.decimal(estimate.median, 2));
            (value, soft(format!("{} · {}", interval(page, &estimate), side(page, &estimate))))
        }
        None => (Markup::text("–"), tag(Tone::Wait, &why_not(page, last))),
    };
    let days = t.analysis_window_days(t.date_text(last.start), t.date_text(last.end));
    let (growth, growth_note) = growth(page, analysis);
    let corrected = windows.iter().filter(|window| is_doubtful(window)).count();
    Figures::default()
        .with(t.analysis_r(), value, note)
        .with(t.analysis_growth(), growth, soft(growth_note))
        .with(t.analysis_window(), Markup::text(t.number(analysis.parameters.window)), soft(days))
        .with(
            t.analysis_doubtful(),
            Markup::text(t.number(corrected)),
            soft(t.analysis_of_windows(windows.len())),
        )
}

/// Growth per day in the newest window, and in how many days it doubles or halves: never in "infinitely" many.
fn growth(page: &Page, analysis: &Analysis) -> (Markup, String) {
    let t = &page.t;
    let Some(found) = analysis.growth.as_ref().and_then(|window| window.growth) else {
        let why = analysis.growth.as_ref().and_then(|window| window.flags.first().copied());
        let text = why.map_or_else(|| t.analysis_too_few_cases(), |flag| flag_text(page, flag));
        return (Markup::text("–"), text);
    };
    let value = Markup::text(t.percent(found.rate, 1));
    let interval = t.analysis_interval(t.percent(found.low, 1), t.percent(found.high, 1));
    let days = |days: epi::growth::Days| {
        let high = days.high.map_or_else(|| "–".to_owned(), |high| t.decimal(high, 1));
        (t.decimal(days.estimate, 1), t.decimal(days.low, 1), high)
    };
    let times = if found.is_unclear() {
        t.analysis_growth_unclear()
    } else if let Some((estimate, low, high)) = found.doubling().map(days) {
        t.analysis_doubling(estimate, low, high)
    } else {
        let (estimate, low, high) = found.halving().map_or_else(Default::default, days);
        t.analysis_halving(estimate, low, high)
    };
    (value, format!("{interval} · {times}"))
}

/// Whether the interval lies above 1, below it, or around it.
fn side(page: &Page, estimate: &Estimate) -> String {
    if estimate.q025 > 1.0 {
        page.t.analysis_above_one()
    } else if estimate.q975 < 1.0 {
        page.t.analysis_below_one()
    } else {
        page.t.analysis_around_one()
    }
}

fn why_not(page: &Page, window: &Window) -> String {
    let t = &page.t;
    match window.flags.first() {
        Some(Flag::Prior) | None => t.analysis_too_few_cases(),
        Some(flag) => flag_text(page, *flag),
    }
}

/// A flag in the reader's language: every flag has its text, or this does not compile.
pub fn flag_text(page: &Page, flag: Flag) -> String {
    let t = &page.t;
    match flag {
        Flag::Prior => t.analysis_flag_prior(),
        Flag::AfterCorrection => t.analysis_flag_after_correction(),
        Flag::Spike => t.analysis_flag_spike(),
        Flag::Negative => t.analysis_flag_negative(),
        Flag::Missing => t.analysis_flag_missing(),
        Flag::BeforeSerialInterval => t.analysis_flag_before_serial_interval(),
        Flag::Spread => t.analysis_flag_spread(),
        Flag::TooFewCases => t.analysis_flag_too_few_cases(),
        Flag::OffspringUnseen => t.analysis_flag_offspring_unseen(),
        Flag::Reconstructed => t.analysis_flag_reconstructed(),
    }
}

fn chart(page: &Page, title: &str, analysis: &Analysis, windows: &[Window]) -> Option<LineChart> {
    let t = &page.t;
    let series = &analysis.series;
    let mut values = vec![None; series.len()];
    let mut band = vec![None; series.len()];
    let mut newest = None;
    for window in windows.iter().filter(|window| says_something(window)) {
        let estimate = Estimate::of(window.posterior.as_ref()?);
        if let (Some(value), Some(ends)) = (values.get_mut(window.last), band.get_mut(window.last)) {
            *value = Some(estimate.median);
            *ends = Some((estimate.q025, estimate.q975));
        }
        newest = Some((window, estimate));
    }
    let (window, estimate) = newest?;
    let summary = t.analysis_summary(
        t.date_text(window.start),
        t.date_text(window.end),
        t.decimal(estimate.median, 2),
        t.decimal(estimate.q025, 2),
        t.decimal(estimate.q975, 2),
    );
    // Begins where there is something to see.
    let first = values.iter().position(Option::is_some)?;
    let doubtful: Vec<(usize, usize)> = windows
        .iter()
        .filter(|window| is_doubtful(window) && window.last >= first)
        .map(|window| (window.last - first, window.last - first))
        .collect();
    let highest = values.iter().flatten().fold(0.0_f64, |high, value| high.max(*value));
    let line = Line::new(t.analysis_r_median(), values.split_off(first)).with_band(band.split_off(first));
    let chart = LineChart::new(t, "rt", title, summary, Across::From(series.date(first)), vec![line])?;
    let chart = chart
        .with_places(1)
        .at_most((highest * 1.3).clamp(LEAST_CEILING, CEILING))
        .with_reference(1.0)
        .with_band_of(t.analysis_interval_95())
        .with_hatched(&runs(&doubtful), t.analysis_hatched());
    let incomplete = match &analysis.completeness {
        Completeness::Known(reports) => reports.incomplete().and_then(|day| series.index_of(day.date)),
        Completeness::Unknown { .. } => None,
    };
    Some(match incomplete {
        Some(day) => chart.with_shaded_from(day.saturating_sub(first), shaded_text(page)),
        None => chart,
    })
}

/// Neighbouring ranges as one.
fn runs(ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if *first <= before.1 + 1 => before.1 = (*last).max(before.1),
            _ => joined.push((*first, *last)),
        }
    }
    joined
}

fn table(page: &Page, windows: &[Window]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("end", t.analysis_window_end()),
        Column::new("start", t.analysis_window_start()),
        Column::new("median", t.analysis_median()).numeric(),
        Column::new("q025", t.analysis_low()).numeric(),
        Column::new("q975", t.analysis_high()).numeric(),
        Column::new("flags", t.analysis_flags()),
        Column::file_only("mean"),
        Column::file_only("sd"),
    ];
    let rows = windows
        .iter()
        .rev()
        .map(|window| {
            let estimate = window.posterior.as_ref().map(Estimate::of);
            let number = |value: fn(&Estimate) -> f64| {
                estimate.as_ref().map_or_else(Cell::unknown, |estimate| {
                    let value = value(estimate);
                    Cell::text(t.decimal(value, 2)).keyed(Key::number(value, value.to_string()))
                })
            };
            let day = |date: jiff::civil::Date| {
                Cell::from(t.date_short(date)).keyed(Key::whole(day_number(date)).written(date.to_string()))
            };
            let flags: Vec<String> = window.flags.iter().map(|flag| flag_text(page, *flag)).collect();
            let codes: Vec<&str> = window.flags.iter().map(|flag| flag.name()).collect();
            Row::new(vec![
                day(window.end),
                day(window.start),
                number(|estimate| estimate.median),
                number(|estimate| estimate.q025),
                number(|estimate| estimate.q975),
                Cell::text(t.list(&flags)).keyed(Key::text(codes.join(" "))),
                number(|estimate| estimate.mean),
                number(|estimate| estimate.sd),
            ])
        })
        .collect();
    Ok(Table::list(&page.asked, "windows", t.analysis_windows(), columns, rows)?.in_columns())
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn neighbouring_days_are_hatched_together() {
        assert_eq!(runs(&[(1, 1), (2, 2), (5, 5), (6, 6), (9, 9)]), [(1, 2), (5, 6), (9, 9)]);
        assert!(runs(&[]).is_empty());
    }
}
