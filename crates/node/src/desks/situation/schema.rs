//! The tables of this desk: who stated which figure in which record. All of it is replayed from logs.
//!
//! Every table stands here twice, once for public records and once for sealed ones that this node could open:
//! a query for the public face does not even name the second set (see [`Shelf`]).
//!
//! A row of statements follows from its record alone, and is never changed by another one: whether it counts is what
//! the core says of its release (`marked`). Of a record that stands on both shelves the public row is for the public
//! face alone (`elsewhere`). Days are counted from 1970-01-01, moments in seconds since then. `rank` is the order of
//! releases: the latest time that the log claims up to there, so that it follows the log even where a clock was set back.

use store::db::{Migration, Sql};

/// The migrations of this desk, in order. The core drops what older versions made.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "situation-5-public", sql: "
create table situation_release (
  no {bigint} primary key, origin {key} not null, pos {bigint} not null, author {key} not null, name {key} not null,
  id {key} not null, edition {bigint} not null, status {key} not null,
  claimed {bigint} not null, proven {bigint}, here {bigint}, rank {bigint} not null,
  marked integer not null, elsewhere integer not null, fault text,
  figures {bigint} not null, refused {bigint} not null, revised integer not null, unique (author, name)
);
create index situation_release_place on situation_release (origin, pos);
create index situation_release_thing on situation_release (author, id);
create index situation_release_revised on situation_release (claimed) where revised = 1;
create table situation_series (
  no {bigint} primary key, author {key} not null, status text not null, indicator {key} not null,
  definition {key} not null, place {key} not null, disaggregation {key} not null,
  unique (status, indicator, disaggregation, place, definition, author)
);
create index situation_series_place on situation_series (
  status, place, indicator, disaggregation, author, definition);
create table situation_statement (
  no {bigint} primary key, series {bigint} not null, start {bigint} not null, day {bigint} not null,
  rank {bigint} not null, pos {bigint} not null, release {bigint} not null,
  value text not null, reason text, source text, line {bigint} not null, revised integer not null
);
create index situation_statement_latest on situation_statement (series, day desc, rank desc, pos desc);
create index situation_statement_same on situation_statement (series, day, start);
create index situation_statement_revised on situation_statement (series) where revised = 1;
create index situation_statement_revision on situation_statement (release) where revised = 1;
" },
    Migration { name: "situation-5-sealed", sql: "
create table sealed_situation_release (
  no {bigint} primary key, origin {key} not null, pos {bigint} not null, author {key} not null, name {key} not null,
  id {key} not null, edition {bigint} not null, status {key} not null,
  claimed {bigint} not null, proven {bigint}, here {bigint}, rank {bigint} not null,
  marked integer not null, elsewhere integer not null, fault text,
  figures {bigint} not null, refused {bigint} not null, revised integer not null, unique (author, name)
);
create index sealed_situation_release_place on sealed_situation_release (origin, pos);
create index sealed_situation_release_thing on sealed_situation_release (author, id);
create index sealed_situation_release_revised on sealed_situation_release (claimed) where revised = 1;
create table sealed_situation_series (
  no {bigint} primary key, author {key} not null, status text not null, indicator {key} not null,
  definition {key} not null, place {key} not null, disaggregation {key} not null,
  unique (status, indicator, disaggregation, place, definition, author)
);
create index sealed_situation_series_place on sealed_situation_series (
  status, place, indicator, disaggregation, author, definition);
create table sealed_situation_statement (
  no {bigint} primary key, series {bigint} not null, start {bigint} not null, day {bigint} not null,
  rank {bigint} not null, pos {bigint} not null, release {bigint} not null,
  value text not null, reason text, source text, line {bigint} not null, revised integer not null
);
create index sealed_situation_statement_latest on sealed_situation_statement (series, day desc, rank desc, pos desc);
create index sealed_situation_statement_same on sealed_situation_statement (series, day, start);
create index sealed_situation_statement_revised on sealed_situation_statement (series) where revised = 1;
create index sealed_situation_statement_revision on sealed_situation_statement (release) where revised = 1;
" },
    // The series of a place are looked for by author: who has very many is found without reading them. What was stated of
    // a figure before is found in its order, however often it was stated.
    Migration { name: "situation-5-indexes", sql: "
drop index situation_series_place;
create index situation_series_author on situation_series (
  status, place, author, indicator, disaggregation, definition);
drop index situation_statement_same;
create index situation_statement_figure on situation_statement (series, day, start, rank desc, pos desc);
drop index sealed_situation_series_place;
create index sealed_situation_series_author on sealed_situation_series (
  status, place, author, indicator, disaggregation, definition);
drop index sealed_situation_statement_same;
create index sealed_situation_statement_figure on sealed_situation_statement (
  series, day, start, rank desc, pos desc);
" },
];

/// Which of the two sets of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shelf {
    /// Public records.
    Public,
    /// Sealed records that this node could open.
    Sealed,
}

impl Shelf {
    /// The table of releases.
    pub const fn release(self) -> &'static str {
        match self {
            Self::Public => "situation_release",
            Self::Sealed => "sealed_situation_release",
        }
    }

    /// The table of series.
    pub const fn series(self) -> &'static str {
        match self {
            Self::Public => "situation_series",
            Self::Sealed => "sealed_situation_series",
        }
    }

    /// The table of statements.
    pub const fn statement(self) -> &'static str {
        match self {
            Self::Public => "situation_statement",
            Self::Sealed => "sealed_situation_statement",
        }
    }

    /// SQL text: of an indicator `$4`, with the status `$3`, only authors who do not state it for more places than a list holds
    /// (`query::MOST_PLACES`).
    pub fn uncrowded(self) -> Sql {
        let mut sql = Sql::from(" and s.author not in (select k.author from ");
        sql.push(self.series()).push(
            " k where k.status = $3 and k.indicator = $4 and k.disaggregation = '' group by k.author
              having count(*) > 4000)",
        );
        sql
    }

    /// SQL text with `{release}`, `{series}` and `{statement}` replaced by this shelf's tables.
    pub fn sql(self, text: &'static str) -> Sql {
        compose_behind(
            Sql::from(""),
            text,
            &[
                ("release", self.release().into()),
                ("series", self.series().into()),
                ("statement", self.statement().into()),
            ],
        )
    }
}

/// SQL text behind what `sql` already says, with each `{token}` replaced. An unknown token is left as it stands, where
/// the database refuses it.
pub(super) fn compose_behind(mut sql: Sql, text: &'static str, parts: &[(&str, Sql)]) -> Sql {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        sql.push(before);
        let Some((token, behind)) = after.split_once('}') else { break };
        if let Some((_, part)) = parts.iter().find(|(name, _)| *name == token) {
            sql.append(part);
        } else {
            sql.push("{").push(token).push("}");
        }
        rest = behind;
    }
    sql.push(rest);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_names_only_its_own_tables() {
        let sql = Shelf::Sealed.sql("select 1 from {release} join {statement} on 1 = 1 where x in (1)");
        assert_eq!(
            sql.as_str(),
            "select 1 from sealed_situation_release join sealed_situation_statement on 1 = 1 where x in (1)"
        );
        let sql = Shelf::Public.sql("select 1 from {series}");
        assert_eq!(sql.as_str(), "select 1 from situation_series");
    }
}
