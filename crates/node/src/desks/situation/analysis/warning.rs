//! Early warning as it is shown: the last points, what was expected, from which count on there is an alarm, and why.

use super::{Analysis, Parameters};
use crate::desks::situation::figure::day_number;
use crate::i18n::Locale;
use crate::layout::component::{Tone, tag};
use crate::layout::{Cell, Column, Key, Page, Problem, Row, Table};
use epi::detect::{Cusum, Ears, Farrington, Method, Reason, Variant};
use epi::series::Observation;

/// What stands on the page.
pub struct Warning {
    /// In one sentence: how many alarms.
    pub summary: String,
    /// The points judged, newest first.
    pub table: Table,
}

/// The method asked for.
pub fn method(parameters: &Parameters) -> Method {
    let ears = |variant| Method::Ears(Ears { alpha: parameters.alpha, ..Ears::new(variant) });
    match parameters.alarm {
        "ears-c1" => ears(Variant::C1),
        "ears-c3" => ears(Variant::C3),
        "cusum" => Method::Cusum(Cusum::default()),
        "farrington-flexible" => {
            Method::Flexible(Farrington { alpha: parameters.alpha, ..Farrington::default() })
        }
        _ => ears(Variant::C2),
    }
}

/// Builds it.
pub fn build(page: &Page, analysis: &Analysis) -> Result<Warning, Problem> {
    let t = &page.t;
    let alarms = analysis.verdicts.iter().filter(|(_, verdict)| verdict.alarm == Some(true)).count();
    let judged = analysis.verdicts.iter().filter(|(_, verdict)| verdict.alarm.is_some()).count();
    let name = method_name(t, analysis.parameters.alarm);
    let columns = vec![
        Column::new("date", t.situation_day()),
        Column::new("alarm", t.analysis_verdict()),
        Column::new("observed", t.analysis_observed()).numeric(),
        Column::new("expected", t.analysis_expected()).numeric(),
        Column::new("upper", t.analysis_upper()).numeric(),
        Column::new("reason", t.analysis_reason()),
    ];
    let rows = analysis.verdicts.iter().rev().map(|(at, verdict)| {
        let date = analysis.series.date(*at);
        let number = |value: Option<f64>| {
            value.map_or_else(Cell::unknown, |value| {
                Cell::text(t.decimal(value, 1)).keyed(Key::number(value, value.to_string()))
            })
        };
        let observed = match analysis.series.observations().get(*at) {
            Some(Observation::Reported(figure) | Observation::Negative(figure)) => {
                Cell::text(t.decimal(*figure, 0)).keyed(Key::number(*figure, figure.to_string()))
            }
            _ => Cell::unknown(),
        };
        let (said, code) = match verdict.alarm {
            Some(true) => (tag(Tone::Alarm, &t.analysis_is_alarm()), "true"),
            Some(false) => (tag(Tone::Plain, &t.analysis_no_alarm()), "false"),
            None => (tag(Tone::Wait, &t.analysis_not_judged()), ""),
        };
        let reason = verdict.reason.as_ref();
        let row = Row::new(vec![
            Cell::from(t.date_short(date)).keyed(Key::whole(day_number(date)).written(date.to_string())),
            Cell::from(said).keyed(Key::text(code)),
            observed,
            number(verdict.expected),
            number(verdict.upper),
            reason.map_or_else(Cell::unknown, |reason| {
                Cell::text(reason_text(t, reason)).keyed(Key::text(reason.code()))
            }),
        ]);
        if verdict.alarm == Some(true) { row.in_alarm() } else { row }
    });
    let table = Table::list(&page.asked, "alarms", t.analysis_alarms(), columns, rows.collect())?;
    Ok(Warning {
        summary: t.analysis_alarm_summary(name, alarms, judged),
        table: table.with_hidden_caption(),
    })
}

/// What a method is called.
pub fn method_name(t: &Locale, code: &str) -> String {
    t.lookup(&format!("analysis-alarm-{code}"), &[]).unwrap_or_else(|| code.to_owned())
}

/// Why there is an alarm, or none can be, in the reader's language.
pub fn reason_text(t: &Locale, reason: &Reason) -> String {
    match reason {
        Reason::HistoryShort { from, starts } => {
            t.analysis_reason_history_short(t.date_text(*from), t.date_text(*starts))
        }
        Reason::Missing { points, first } => t.analysis_reason_missing(*points, t.date_text(*first)),
        Reason::NotReported => t.analysis_reason_not_reported(),
        Reason::NothingBefore => t.analysis_reason_nothing_before(),
        Reason::NoCaseBefore => t.analysis_reason_no_case_before(),
        Reason::FewCases { cases, points, least } => {
            t.analysis_reason_few_cases(t.decimal(*cases, 0), *points, t.decimal(*least, 0))
        }
        Reason::NotFitted { points } => t.analysis_reason_not_fitted(*points),
        Reason::AboveBaseline { mean, sd, from, to } => t.analysis_reason_above_baseline(
            t.date_text(*from),
            t.date_text(*to),
            t.decimal(*mean, 1),
            t.decimal(*sd, 1),
        ),
        Reason::AboveBaselineBefore { from, to, .. } => {
            t.analysis_reason_above_baseline_before(t.date_text(*from), t.date_text(*to))
        }
        Reason::SumReached { sum, limit, since, mean } => t.analysis_reason_sum_reached(
            t.decimal(*mean, 1),
            t.decimal(*sum, 2),
            t.date_text(*since),
            t.decimal(*limit, 2),
        ),
        Reason::AboveReference { years, points, from, to, .. } => {
            t.analysis_reason_above_reference(*points, *years, t.date_text(*from), t.date_text(*to))
        }
        Reason::AboveRate { rate, threshold, days, since } => t.analysis_reason_above_rate(
            t.decimal(*rate, 1),
            *days,
            t.decimal(*threshold, 1),
            t.date_text(*since),
        ),
        Reason::BelowRateAgain { rate, threshold, since } => t.analysis_reason_below_rate_again(
            t.decimal(*rate, 1),
            t.decimal(*threshold, 1),
            t.date_text(*since),
        ),
        Reason::Discovery { p, q, series } => {
            t.analysis_reason_discovery(t.decimal(*p, 4), *series, t.percent(*q, 0))
        }
    }
}
