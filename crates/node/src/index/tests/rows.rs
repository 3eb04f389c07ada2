//! All that an index says, as text that two of them can be compared by: numbers that follow only from the order in which
//! things came are replaced by what they stand for.

use store::db::Db;

const QUESTIONS: [(&str, &str); 14] = [
    ("log", "select origin, authority, audience, readers, own, size, closed, policy, root_version, previous, previous_size, before, latest from log"),
    ("entry", "select origin, pos, leaf, name, author, kind, id, edition, supersedes, status, released, first_released, rank,
       sealed, opened, valid, reason, proven, here, signer, root_version, content, expires, critical, revoked, disowned,
       faces, listed, marked from entry"),
    ("blob", "select origin, pos, n, media_type, size, sha256, lang from blob"),
    ("ref", "select origin, pos, n, relation, to_author, to_name from ref"),
    ("about", "select origin, pos, n, what, at from about"),
    ("refusal", "select origin, pos, fault from refusal"),
    ("standing", "select author, name, id, status, face, basis, start, stop, state, by_name from standing"),
    ("cosignature", "select origin, size, seen, authority, key_name, time from cosignature"),
    ("release", "select origin, pos, author, name, id, edition, status, claimed, proven, here, rank, marked, elsewhere, fault, figures, refused, revised from situation_release"),
    ("sealed release", "select origin, pos, author, name, id, edition, status, claimed, proven, here, rank, marked, elsewhere, fault, figures, refused, revised from sealed_situation_release"),
    ("statement", "select r.name, s.author, s.status, s.indicator, s.definition, s.place, s.disaggregation, x.start, x.day, x.rank, x.pos, x.value, x.reason, x.source, x.line, x.revised
       from situation_statement x join situation_release r on r.no = x.release join situation_series s on s.no = x.series"),
    ("sealed statement", "select r.name, s.author, s.status, s.indicator, s.definition, s.place, s.disaggregation, x.start, x.day, x.rank, x.pos, x.value, x.reason, x.source, x.line, x.revised
       from sealed_situation_statement x join sealed_situation_release r on r.no = x.release join sealed_situation_series s on s.no = x.series"),
    ("series", "select author, status, indicator, definition, place, disaggregation from situation_series"),
    ("sealed series", "select author, status, indicator, definition, place, disaggregation from sealed_situation_series"),
];

/// Every row, sorted.
pub async fn rows(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    for (name, sql) in QUESTIONS {
        for row in db.rows(sql, &[]).await.expect("a question") {
            let columns = (0..row.len()).map(|column| {
                let text = row.opt_text(column).ok().flatten();
                text.or_else(|| row.opt_int(column).ok().flatten().map(|n| n.to_string())).unwrap_or_default()
            });
            all.push(format!("{name}: {}", columns.collect::<Vec<_>>().join(" | ")));
        }
    }
    all.sort();
    all
}

/// The first few differences of two indexes.
pub fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let only = |these: &[String], those: &[String], mark: &str| {
        let those: std::collections::BTreeSet<&String> = those.iter().collect();
        these
            .iter()
            .filter(|row| !those.contains(row))
            .take(12)
            .map(|row| format!("{mark} {row}"))
            .collect::<Vec<_>>()
    };
    let mut found = only(one, other, "-");
    found.extend(only(other, one, "+"));
    found
}
