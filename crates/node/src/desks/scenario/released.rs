//! Scenarios as records: made of three blobs, found again, run again and compared.

use super::KIND;
use super::assumptions::{Assumptions, METHOD};
use super::outcome::{self, MAX_INPUT, ScenarioOutcome};
use crate::desks::situation::query::Scope;
use crate::face::Face;
use crate::index::{self, Must, condition};
use crate::layout::Problem;
use crate::node::Node;
use crate::release::{Content, Draft};
use epi::series::Series;
use record::{Line, Status};
use store::db::{DbError, Sql};
use tlog::hash::Hash;

/// The blobs, in this order.
const MEDIA_TYPES: [&str; 3] = [
    "text/plain;schema=scenario-assumptions",
    "text/csv;schema=scenario-input",
    "text/csv;schema=scenario-outcome",
];
/// Records in the list.
const LISTED: i64 = 200;

/// A released scenario, as a list shows it.
#[derive(Clone, Debug)]
pub struct ListedScenario {
    /// The record.
    pub name: String,
    /// Who released it.
    pub author: String,
    /// When its author says it did.
    pub claimed: i64,
    /// When witnesses prove that it existed.
    pub proven: Option<i64>,
}

/// A released scenario with what it was made of.
#[derive(Clone, Debug)]
pub struct ReleasedScenario {
    /// Who released it.
    pub author: String,
    /// What it assumes.
    pub assumptions: Assumptions,
    /// Its input.
    pub history: Series,
    /// Its input as text.
    pub input: String,
    /// Its outcome, as it was released.
    pub outcome: String,
}

/// Why a record is no scenario that can be run again.
#[derive(Debug)]
pub enum Unreadable {
    /// There is no such record here, or its content is not here.
    Missing,
    /// What it says cannot be read.
    Refused(Problem),
    /// The database or the files.
    Storage(String),
}

impl From<DbError> for Unreadable {
    fn from(error: DbError) -> Self {
        Self::Storage(error.to_string())
    }
}

/// The record to be released.
///
/// # Errors
/// A line that no header can hold; the values here are all printable ASCII.
pub fn draft(
    status: Status,
    assumptions: &Assumptions,
    input: &str,
    outcome: &ScenarioOutcome,
) -> Result<Draft, record::HeaderError> {
    let mut draft = Draft::new(KIND, status);
    draft.own = vec![Line::new("method", METHOD)?];
    let texts = [assumptions.text(), input.to_owned(), outcome.csv()];
    draft.contents = MEDIA_TYPES
        .iter()
        .zip(texts)
        .filter_map(|(media_type, text)| {
            Some(Content { media_type: media_type.parse().ok()?, lang: None, bytes: text.into_bytes() })
        })
        .collect();
    Ok(draft)
}

/// The public scenarios that stand, newest first. What is sealed is read on its record's own page.
pub async fn list(node: &Node, scope: Scope<'_>) -> Result<Vec<ListedScenario>, DbError> {
    let mut sql = Sql::from(
        "select e.name, e.author, e.released, e.proven from entry e
         where e.kind = $2 and e.status = $3 and e.valid = 1 and (e.listed & 1) <> 0 and ",
    );
    sql.append(&condition("e", "released", Face::Public, scope.as_of.basis, Must::Speak))
        .push(" order by e.released desc, e.origin, e.pos desc limit $4");
    let values = [scope.as_of.bound().into(), KIND.into(), scope.status.into(), LISTED.into()];
    let rows = node.index.db().rows(sql, &values).await?;
    let one = |row: &store::db::Row| {
        Ok(ListedScenario {
            name: row.text(0)?,
            author: row.text(1)?,
            claimed: row.int(2)?,
            proven: row.opt_int(3)?,
        })
    };
    rows.iter().map(one).collect()
}

/// Reads a public scenario.
pub async fn load(node: &Node, name: &str) -> Result<ReleasedScenario, Unreadable> {
    let name = Hash::from_hex(name).map_err(|_| Unreadable::Missing)?;
    let mut sql = store::Sql::from(
        "select origin, pos, root_version from entry
         where name = $1 and kind = $2 and valid = 1 and (listed & 1) <> 0 and author = ",
    );
    sql.append(&index::author_of(1));
    let rows = node.index.db().rows(sql, &[name.to_hex().into(), KIND.into()]).await?;
    let row = rows.first().ok_or(Unreadable::Missing)?;
    let found = node.record_at(&row.text(0)?, row.uint(1)?).await;
    let record = found.map_err(|error| Unreadable::Storage(error.to_string()))?.ok_or(Unreadable::Missing)?;
    let opened = index::open(node, &record, row.uint(2)?).await;
    let opened =
        opened.map_err(|error| Unreadable::Storage(error.to_string()))?.ok_or(Unreadable::Missing)?;
    let header = opened.inner.as_ref().unwrap_or(&record.header);
    let mut texts = Vec::new();
    for media_type in MEDIA_TYPES {
        let blob = header.blobs.iter().find(|blob| blob.media_type.as_str() == media_type);
        let blob = blob.ok_or_else(|| Unreadable::Refused(Problem::new("scenario-text")))?;
        if blob.size > MAX_INPUT as u64 {
            return Err(Unreadable::Refused(Problem::new("scenario-text")));
        }
        let bytes = opened.content.blob(&blob.sha256).ok_or(Unreadable::Missing)?;
        let text = String::from_utf8(bytes.to_vec());
        texts.push(text.map_err(|_| Unreadable::Refused(Problem::new("scenario-text")))?);
    }
    let [assumptions, input, outcome]: [String; 3] = texts.try_into().map_err(|_| Unreadable::Missing)?;
    Ok(ReleasedScenario {
        author: record.header.author.to_string(),
        assumptions: Assumptions::parse(&assumptions).map_err(Unreadable::Refused)?,
        history: outcome::read_input(&input).map_err(Unreadable::Refused)?,
        input,
        outcome,
    })
}
