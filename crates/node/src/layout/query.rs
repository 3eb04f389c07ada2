//! The query part of an address: read within limits, and written again with one thing changed.

use std::fmt;

/// Parameters beyond this many are not read.
const MAX_PARAMETERS: usize = 40;
/// Longer queries are not read at all.
const MAX_LENGTH: usize = 4096;

/// Parameters in their order. Names are unique: of repeated ones the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2` (without the question mark). Empty values count as absent.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        if text.len() > MAX_LENGTH {
            return query;
        }
        for (key, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_PARAMETERS) {
            query = query.with(&key, &value);
        }
        query
    }

    /// The value of a parameter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The same with `key` set to `value`, or without it if the value is empty.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        let mut changed: Vec<_> = self.0.iter().filter(|(known, _)| known != key).cloned().collect();
        if !value.is_empty() {
            changed.push((key.to_owned(), value.to_owned()));
        }
        Self(changed)
    }

    /// Only the parameters that `keep` accepts.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| keep(key)).cloned().collect())
    }

    /// The parameters.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// `path` with this query.
    pub fn on(&self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{self}") }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        out.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_changes_one_thing_and_keeps_the_rest() {
        let query = Query::parse("lang=ar&sort=cases&page=3");
        assert_eq!(
            query.with("page", "").with("sort", "-cases").on("/situation"),
            "/situation?lang=ar&sort=-cases"
        );
        assert_eq!(query.get("page"), Some("3"));
        assert_eq!(Query::default().on("/x"), "/x");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(pairs in proptest::collection::vec(("[a-z]{1,8}", ".{1,20}"), 0..10)) {
            let query = pairs.iter().fold(Query::default(), |query, (key, value)| query.with(key, value));
            prop_assert_eq!(Query::parse(&query.to_string()), query);
        }

        #[test]
        fn anything_parses(text in ".{0,200}") {
            prop_assert!(Query::parse(&text).pairs().len() <= MAX_PARAMETERS);
        }
    }
}
