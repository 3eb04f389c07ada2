//! Every machine code that an error of ours carries can be said in all six languages: by a sentence of its own, or by
//! that of its family. The codes are read from the sources, so that a new one is missed by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use node::i18n::MESSAGES;

/// The crates whose errors reach pages, the API or the command line.
const CRATES: [&str; 7] = ["epi", "federate", "formats", "node", "record", "store", "tlog"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The string literals of a text that look like a name: words of a-z joined by hyphens.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |literal: &&str| {
        !literal.is_empty()
            && literal.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
    };
    text.split('"').skip(1).step_by(2).filter(is_name)
}

/// The body of each function that begins with `head`, up to the brace at its own indentation.
fn bodies<'t>(text: &'t str, head: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices(head) {
        let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let indent: String = text[line..].chars().take_while(|c| *c == ' ').collect();
        let end = text[start..].find(&format!("\n{indent}}}")).map_or(text.len(), |end| start + end);
        found.push(&text[start..end]);
    }
    found
}

/// What stands in quotes right after each `call`, or on the line below it.
fn quoted_after<'t>(text: &'t str, call: &str) -> Vec<&'t str> {
    let first =
        |(at, _): (usize, _)| text[at + call.len()..].trim_start().strip_prefix('"')?.split('"').next();
    text.match_indices(call).filter_map(first).collect()
}

/// Codes with the file that has them, and the names of all arguments, of one crate.
fn codes(name: &str) -> (BTreeMap<String, PathBuf>, BTreeSet<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let (mut codes, mut arguments) = (BTreeMap::new(), BTreeSet::new());
    for path in sources(&folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut found: Vec<&str> =
            bodies(text, "fn code(&self) -> &").into_iter().flat_map(literals).collect();
        found.extend(bodies(text, "fn code(self) -> &").into_iter().flat_map(literals));
        found.extend(["Fault::new(", "Problem::new("].iter().flat_map(|call| quoted_after(text, call)));
        // What has no hyphen is a word of its own domain, such as a language.
        for code in found.into_iter().filter(|code| code.contains('-') && !code.contains(['{', ' '])) {
            codes.insert(code.to_owned(), path.clone());
        }
        arguments.extend(quoted_after(text, "(").into_iter().map(str::to_owned));
    }
    (codes, arguments)
}

/// Where the sentence of a code stands: alarms on the network's page, what became of a figure in the import's report.
fn key_of(code: &str) -> String {
    let figure = code.strip_prefix("figure-").filter(|rest| matches!(*rest, "new" | "same" | "correction"));
    match (code.strip_prefix("alarm-"), figure) {
        (Some(alarm), _) => format!("network-alarm-{alarm}"),
        (None, Some(figure)) => format!("import-says-{figure}"),
        (None, None) => format!("error-code-{code}"),
    }
}

fn message(key: &str) -> Option<&'static [&'static str]> {
    MESSAGES.iter().find(|(known, _)| *known == key).map(|(_, arguments)| *arguments)
}

#[test]
fn every_code_can_be_said() {
    let mut missing = Vec::new();
    let mut seen = 0;
    let read: Vec<_> = CRATES.into_iter().map(codes).collect();
    let given: BTreeSet<&str> = read.iter().flat_map(|(_, given)| given).map(String::as_str).collect();
    for (codes, _) in &read {
        seen += codes.len();
        for (code, path) in codes {
            let key = key_of(code);
            let family = format!("error-code-{}", code.split('-').next().unwrap_or_default());
            match (message(&key), message(&family)) {
                (Some(arguments), _) => {
                    // A sentence with an argument that its error does not give would not be shown.
                    let never: Vec<_> = arguments.iter().filter(|name| !given.contains(**name)).collect();
                    if !never.is_empty() {
                        missing.push(format!("{key}: nobody gives {never:?} ({})", path.display()));
                    }
                }
                (None, Some(arguments)) => assert_eq!(arguments, ["code"], "{family} ends with the code"),
                (None, None) => missing.push(format!("{key} ({})", path.display())),
            }
        }
    }
    assert!(seen > 250, "only {seen} codes were found: the sources are read wrongly");
    assert!(missing.is_empty(), "without a sentence in locales/*/error.ftl:\n{}", missing.join("\n"));
}

#[test]
fn codes_are_read_from_sources_as_they_are_written() {
    let text = "impl X {\n    fn code(&self) -> &'static str {\n        match self {\n            Self::A => \"a-b\",\n        \
                }\n    }\n    fn other() { \"c-d\" }\n}\n";
    let found: Vec<&str> = bodies(text, "fn code(&self) -> &").into_iter().flat_map(literals).collect();
    assert_eq!(found, ["a-b"]);
    let calls = "Problem::new(\"as-of-date\").with(1) Problem::new(\n    \"two\") Problem::new(code)";
    assert_eq!(quoted_after(calls, "Problem::new("), ["as-of-date", "two"]);
}
