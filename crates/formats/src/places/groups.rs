//! Groups of countries: WHO regions, regions of UN M49, and those that a node adds. Membership is data
//! (`data/places/groups-*.tsv`), and a member may have joined or left on a day. Nothing is known of borders here.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Iso3, LANGUAGES, PlaceText};
use crate::figures::Date;

const TABLES: [&str; 2] = [
    include_str!("../../../../data/places/groups-who.tsv"),
    include_str!("../../../../data/places/groups-m49.tsv"),
];
/// The most groups that a node's own table may have.
const MAX_GROUPS: usize = 1_000;
/// The most members of one group: more codes than there are can only be repeated.
const MAX_MEMBERS: usize = 1_000;
/// The longest key, in bytes.
const MAX_KEY: usize = 64;

static BUNDLED: LazyLock<Groups> = LazyLock::new(|| {
    let groups =
        TABLES.iter().flat_map(|table| read(table).expect("the bundled tables are checked by tests"));
    Groups { by_key: Arc::new(groups.map(|group| (group.key.clone(), group)).collect()) }
});

/// A member, and the days on which it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The country.
    pub country: Iso3,
    /// The first day on which it is a member, if it joined later than all records.
    pub from: Option<Date>,
    /// The first day on which it is one no more.
    pub until: Option<Date>,
}

/// A named set of countries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its key: `who:WPR`, `m49:142`, or a node's own.
    pub key: String,
    names: [Option<Box<str>>; LANGUAGES.len()],
    members: Vec<Member>,
}

impl Group {
    /// Its name in a language, or else in English, or else its key.
    pub fn name(&self, language: &str) -> &str {
        let at = |wanted: &str| LANGUAGES.iter().position(|own| *own == wanted);
        let named = |column: Option<usize>| column.and_then(|column| self.names.get(column)?.as_deref());
        named(at(language)).or_else(|| named(at("en"))).unwrap_or(&self.key)
    }

    /// Its members on a day, in the order of codes.
    pub fn members_on(&self, day: Date) -> Vec<Iso3> {
        let is_one = |member: &&Member| {
            member.from.is_none_or(|from| from <= day) && member.until.is_none_or(|until| day < until)
        };
        let mut found: Vec<Iso3> = self.members.iter().filter(is_one).map(|member| member.country).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Every group that a node knows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Groups {
    by_key: Arc<BTreeMap<String, Group>>,
}

/// Why a table of groups was refused. Every error names the line, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupsError {
    /// The line has not eight fields parted by tabs.
    #[error("line {line}: write a key, six names (ar zh en fr ru es) and the members, parted by tabs")]
    Fields {
        /// Line, from 1.
        line: usize,
    },
    /// The key cannot stand in an address.
    #[error("line {line}: {key:?} is no key: 1 to 64 letters, digits, hyphens and colons")]
    Key {
        /// Line, from 1.
        line: usize,
        /// The key as written.
        key: String,
    },
    /// A name is too long or has characters that names do not have.
    #[error("line {line}: {name:?} is no name")]
    Name {
        /// Line, from 1.
        line: usize,
        /// The name as written.
        name: String,
    },
    /// A member is no code, or its day is no day.
    #[error("line {line}: {member:?} is no member: write CHN, CHN<2025-05-27 or CHN>=2025-05-27")]
    Member {
        /// Line, from 1.
        line: usize,
        /// The member as written.
        member: String,
    },
    /// More groups or members than there can be.
    #[error("line {line}: a table has at most {MAX_GROUPS} groups of at most {MAX_MEMBERS} members")]
    TooMany {
        /// Line, from 1.
        line: usize,
    },
}

impl Groups {
    /// WHO regions and those of UN M49.
    pub fn bundled() -> Groups {
        BUNDLED.clone()
    }

    /// Lays a node's own table over this one: a group of the same key is replaced. The first line that is no comment
    /// has the names of the columns.
    pub fn with_table(&self, table: &str) -> Result<Groups, GroupsError> {
        let mut by_key = (*self.by_key).clone();
        by_key.extend(read(table)?.into_iter().map(|group| (group.key.clone(), group)));
        Ok(Groups { by_key: Arc::new(by_key) })
    }

    /// The group of a key.
    pub fn get(&self, key: &str) -> Option<&Group> {
        self.by_key.get(key)
    }

    /// All groups, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.by_key.values()
    }
}

fn read(table: &str) -> Result<Vec<Group>, GroupsError> {
    let lines = table.lines().enumerate().filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    let mut groups = Vec::new();
    for (at, text) in lines.skip(1) {
        let line = at + 1;
        if groups.len() == MAX_GROUPS {
            return Err(GroupsError::TooMany { line });
        }
        groups.push(group(line, text)?);
    }
    Ok(groups)
}

fn group(line: usize, text: &str) -> Result<Group, GroupsError> {
    let fields: Vec<&str> = text.split('\t').map(str::trim).collect();
    let [key, names @ .., members] = fields.as_slice() else { return Err(GroupsError::Fields { line }) };
    let names: [&str; LANGUAGES.len()] = names.try_into().map_err(|_| GroupsError::Fields { line })?;
    let is_key = !key.is_empty()
        && key.len() <= MAX_KEY
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':'));
    if !is_key {
        return Err(GroupsError::Key { line, key: (*key).to_owned() });
    }
    let mut own: [Option<Box<str>>; LANGUAGES.len()] = Default::default();
    for (own, name) in own.iter_mut().zip(names).filter(|(_, name)| !name.is_empty()) {
        let name = PlaceText::new(name).map_err(|_| GroupsError::Name { line, name: name.to_owned() })?;
        *own = Some((&*name).into());
    }
    let members: Vec<Member> = members
        .split_whitespace()
        .take(MAX_MEMBERS + 1)
        .map(|text| member(line, text))
        .collect::<Result<_, _>>()?;
    if members.len() > MAX_MEMBERS {
        return Err(GroupsError::TooMany { line });
    }
    Ok(Group { key: (*key).to_owned(), names: own, members })
}

fn member(line: usize, text: &str) -> Result<Member, GroupsError> {
    let wrong = || GroupsError::Member { line, member: text.to_owned() };
    let (code, from, until) = match (text.split_once(">="), text.split_once('<')) {
        (Some((code, day)), _) => (code, Some(day), None),
        (None, Some((code, day))) => (code, None, Some(day)),
        (None, None) => (text, None, None),
    };
    let day = |text: &str| text.parse().map_err(|_| wrong());
    Ok(Member {
        country: Iso3::new(code).ok_or_else(wrong)?,
        from: from.map(day).transpose()?,
        until: until.map(day).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::PlaceNames;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn members(groups: &Groups, key: &str, on: &str) -> Vec<String> {
        let group = groups.get(key).expect("a group");
        group.members_on(day(on)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_regions_of_who_have_each_member_state_once() {
        let groups = Groups::bundled();
        for on in ["2020-05-31", "2026-01-01"] {
            let mut all: Vec<String> = groups
                .iter()
                .filter(|group| group.key.starts_with("who:"))
                .flat_map(|group| group.members_on(day(on)))
                .map(|code| code.to_string())
                .collect();
            let counted = all.len();
            all.sort();
            all.dedup();
            assert_eq!((counted, all.len()), (194, 194), "{on}");
        }
    }

    #[test]
    fn a_member_that_moved_is_in_one_region_before_and_in_the_other_after() {
        let groups = Groups::bundled();
        let is_in = |key: &str, on: &str| members(&groups, key, on).contains(&"IDN".to_owned());
        assert!(is_in("who:SEAR", "2025-05-26") && !is_in("who:WPR", "2025-05-26"));
        assert!(!is_in("who:SEAR", "2025-05-27") && is_in("who:WPR", "2025-05-27"));
    }

    #[test]
    fn bundled_members_are_countries_with_names_and_africa_has_its_parts() {
        let (groups, names) = (Groups::bundled(), PlaceNames::bundled());
        for group in groups.iter() {
            for language in LANGUAGES {
                assert!(
                    !group.name(language).is_empty() && group.name(language) != group.key,
                    "{}",
                    group.key
                );
            }
            for country in group.members_on(day("2020-05-31")) {
                assert!(names.contains(country), "{}: {country}", group.key);
            }
        }
        let mut parts: Vec<String> = ["m49:015", "m49:011", "m49:017", "m49:014", "m49:018"]
            .iter()
            .flat_map(|key| members(&groups, key, "2020-05-31"))
            .collect();
        parts.sort();
        assert_eq!(parts, members(&groups, "m49:002", "2020-05-31"));
    }

    #[test]
    fn a_node_adds_groups_of_its_own() {
        let table =
            "group\tar\tzh\ten\tfr\tru\tes\tmembers\nours\t\t\tOur group\t\t\t\tCHN JPN KOR<2030-01-01\n";
        let groups = Groups::bundled().with_table(table).expect("a good table");
        assert_eq!(groups.get("ours").expect("ours").name("ru"), "Our group");
        assert_eq!(members(&groups, "ours", "2030-01-01"), ["CHN", "JPN"]);
        assert!(groups.get("who:WPR").is_some());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error =
            |line: &str| Groups::bundled().with_table(&format!("head\n{line}\n")).expect_err("a bad line");
        assert_eq!(error("ours\tCHN"), GroupsError::Fields { line: 2 });
        let line = |key: &str, members: &str| format!("{key}\t\t\tx\t\t\t\t{members}");
        assert_eq!(error(&line("a/b", "CHN")), GroupsError::Key { line: 2, key: "a/b".into() });
        for member in ["CH", "CHN<", "CHN<2025-13-01", "CHN>2025-01-01"] {
            assert_eq!(error(&line("x", member)), GroupsError::Member { line: 2, member: member.into() });
        }
        assert_eq!(error(&line("x", &"CHN ".repeat(1_001))), GroupsError::TooMany { line: 2 });
    }
}
