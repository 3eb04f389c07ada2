//! The series of a place as its page shows them: each author's statements, its figures and its curve.

use super::curve::{self, Current, Day, Measure, current};
use super::figure::date_of;
use super::names::Names;
use super::points::{Points, Shares};
use super::query::{Point, Scope, Series};
use crate::desks::shared::Rows;
use store::db::{Db, DbError};

/// One author's series, as of the moment.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The series.
    pub series: Series,
    /// Everything its author stated in it, in the order of days and then of releases.
    pub points: Vec<Point>,
    /// Each of its figures once.
    pub figures: Vec<Current>,
    /// Its daily curve.
    pub days: Vec<Day>,
    /// Whether its author is the place's own authority.
    pub own: bool,
    /// If its author states too many: the day from which on they are here.
    pub from: Option<i64>,
}

impl Rows for Shown {
    fn rows(&self) -> usize {
        self.points.len() + self.figures.len() + self.days.len()
    }
}

impl Shown {
    fn of(series: &Series, read: Points, own: bool) -> Self {
        let figures = current(&read.points);
        let days = curve::curve(Measure::of(&series.indicator), &figures);
        Self { series: series.clone(), points: read.points, figures, days, own, from: read.from }
    }

    /// That only the newest days are here, if it is so.
    pub fn cut(&self, names: &Names<'_>) -> Option<String> {
        let (t, from) = (names.t, self.from?);
        let author = names.author(&self.series.author);
        let who = match self.series.definition.as_str() {
            "as-reported" => author.to_owned(),
            definition => format!("{author} · {definition}"),
        };
        Some(if self.figures.is_empty() {
            t.situation_cut_whole(who)
        } else {
            t.situation_cut(who, t.date_text(date_of(from)))
        })
    }
}

/// The series of one indicator and group among all of a place: that of the place's own authority first, then the longest.
pub(super) async fn shown(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    shares: &mut Shares,
    all: &[Series],
    (indicator, group): (&str, &str),
) -> Result<Vec<Shown>, DbError> {
    let mut shown = Vec::new();
    for series in all.iter().filter(|one| one.indicator == indicator && one.disaggregation == group) {
        let own = names.is_own(&series.author, &series.place);
        shown.push(Shown::of(series, shares.read(db, scope, series).await?, own));
    }
    shown.sort_by_key(|one| (!one.own, std::cmp::Reverse(one.days.len()), one.series.author.clone()));
    Ok(shown)
}

/// The series that stands for a place among those of one indicator, from at most so many statements of all of them.
pub async fn main(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    all: &[Series],
    indicator: &str,
    most: i64,
) -> Result<Option<Shown>, DbError> {
    let of = |one: &&Series| one.indicator == indicator && one.disaggregation.is_empty();
    let to_read: Vec<&Series> = all.iter().filter(of).collect();
    let mut shares = Shares::of(db, scope, &to_read, most).await?;
    Ok(shown(db, scope, names, &mut shares, all, (indicator, "")).await?.into_iter().next())
}

/// Indicators of deaths, first the one that is counted as the cases are.
pub(super) fn deaths_codes(cases: &str) -> [&'static str; 2] {
    let codes = ["deaths-cumulative", "deaths-new"];
    if Measure::of(cases) == Measure::Cumulative { codes } else { [codes[1], codes[0]] }
}

/// Deaths of the same people by the same author: counted as the cases are, or else the other way.
pub(super) async fn deaths_of(
    db: &Db,
    scope: Scope<'_>,
    shares: &mut Shares,
    all: &[Series],
    main: &Shown,
) -> Result<Option<Shown>, DbError> {
    let codes = deaths_codes(&main.series.indicator);
    let same = |one: &&Series| {
        let (one, main) = (*one, &main.series);
        (&one.author, &one.definition, &one.disaggregation, one.shelf)
            == (&main.author, &main.definition, &main.disaggregation, main.shelf)
    };
    let found = codes.iter().find_map(|code| all.iter().filter(same).find(|one| one.indicator == *code));
    let Some(series) = found else { return Ok(None) };
    Ok(Some(Shown::of(series, shares.read(db, scope, series).await?, main.own)))
}
