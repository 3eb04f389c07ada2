//! What stands, as SQL: the numbers that the rows have, and the text that asks them.
//!
//! The rows are written by [`super::standing`]; nothing here reads or writes one.

use store::db::Sql;

use crate::asof::Basis;
use crate::face::Face;

/// Bit of the public face in `entry.faces` (who may see it), `entry.listed` (where it stands for its record in
/// lists, as its earliest place) and `entry.marked` (where `standing` says what it is).
pub const PUBLIC: i64 = 1;
/// Bit of the inside face.
pub const INSIDE: i64 = 2;

/// `standing.state`: it says what its author says.
pub const SPEAKS: i64 = 1;
/// `standing.state`: a later edition stands.
pub const SUPERSEDED: i64 = 2;
/// `standing.state`: the thing was withdrawn.
pub const WITHDRAWN: i64 = 3;
/// `standing.state`: another record of its edition stands.
pub const CONFLICTING: i64 = 4;
/// `standing.state`: its author revoked the key that signed it.
pub const DISOWNED: i64 = 5;
/// What [`state`] answers of a record whose thing has too many: nothing of it stands, so that no row says anything of it.
pub const CROWDED: i64 = 6;

impl Face {
    /// Its bit.
    pub const fn bit(self) -> i64 {
        match self {
            Self::Public => PUBLIC,
            Self::Inside => INSIDE,
        }
    }

    /// Its bit as SQL text.
    pub const fn bit_text(self) -> &'static str {
        match self {
            Self::Public => "1",
            Self::Inside => "2",
        }
    }
}

/// What a record must be to meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// It speaks at the moment.
    Speak,
    /// It speaks, or did once: what was said by then, whatever became of it.
    HaveSpoken,
}

/// SQL text: the record in the row `alias` is so at the moment `$1`, for a face, in the sense of a basis, and no operator left
/// its author out. The row has
/// `author`, `name`, `proven`, `here` and `marked`, and the outer `released` in the column `claimed`.
pub fn condition(alias: &'static str, claimed: &'static str, face: Face, basis: Basis, must: Must) -> Sql {
    let mut sql = Sql::from("(case when (");
    sql.push(alias).push(".marked & ").push(face.bit_text()).push(") = 0 then ");
    since(&mut sql, alias, claimed, basis);
    sql.push(" else exists (select 1 from standing st where st.author = ")
        .push(alias)
        .push(".author and st.name = ");
    sql.push(alias).push(".name and st.basis = ").push(basis_text(basis));
    sql.push(" and (st.face & ")
        .push(face.bit_text())
        .push(") <> 0 and st.start <= $1 and (st.stop is null or st.stop > $1)");
    sql.push(match must {
        Must::Speak => " and st.state = 1) end)",
        Must::HaveSpoken => " and st.state in (1, 2, 3)) end)",
    });
    // Whom an operator left out speaks on no page; the records stay, with all that is proven of them.
    sql.push(" and ").push(alias).push(".author not in (select authority from authority where left_out = 1)");
    sql
}

/// SQL text: the row's time is not after the moment `$1`. What this node does not remember seeing first was here only now.
pub fn since(sql: &mut Sql, alias: &'static str, claimed: &'static str, basis: Basis) {
    match basis {
        Basis::Claimed => sql.push(alias).push(".").push(claimed).push(" <= $1"),
        Basis::Proven => sql.push(alias).push(".proven is not null and ").push(alias).push(".proven <= $1"),
        Basis::Here => sql.push("coalesce(").push(alias).push(".here, 9223372036854775807) <= $1"),
    };
}

/// SQL text that joins what the record in the row `alias` is at the moment `$1` as `st`, for records whose standing is
/// not simply that they speak.
pub fn joined(alias: &'static str, face: Face, basis: Basis) -> Sql {
    let mut sql = Sql::from(" left join standing st on st.author = ");
    sql.push(alias)
        .push(".author and st.name = ")
        .push(alias)
        .push(".name and st.basis = ")
        .push(basis_text(basis));
    sql.push(" and (st.face & ").push(face.bit_text());
    sql.push(") <> 0 and st.start <= $1 and (st.stop is null or st.stop > $1) ");
    sql
}

/// SQL text: what [`joined`] says of the record in the row `alias`; null if it simply speaks.
pub fn state(alias: &'static str, face: Face) -> Sql {
    let mut sql = Sql::from("coalesce(st.state, case when (");
    sql.push(alias).push(".marked & ").push(face.bit_text());
    sql.push(") <> 0 and not exists (select 1 from standing sx where sx.author = ").push(alias);
    sql.push(".author and sx.name = ").push(alias).push(".name and (sx.face & ").push(face.bit_text());
    sql.push(") <> 0) then 6 end)");
    sql
}

fn basis_text(basis: Basis) -> &'static str {
    match basis {
        Basis::Claimed => "1",
        Basis::Proven => "2",
        Basis::Here => "3",
    }
}
