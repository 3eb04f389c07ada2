//! Checks the Fluent files of every language against each other and generates one method per message.

use fluent_syntax::ast;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// Directory names; English first, because its order of arguments is the methods'.
const LANGUAGES: [&str; 6] = ["en", "ar", "zh", "fr", "ru", "es"];

/// The plural categories that whole numbers take (CLDR 47, `plurals.xml`); each selector must list them.
/// The default variant counts as `other`.
const PLURALS: [(&str, &[&str]); 6] = [
    ("en", &["one", "other"]),
    ("ar", &["one", "two", "few", "many", "other"]),
    ("zh", &["other"]),
    ("fr", &["one", "other"]),
    ("ru", &["one", "few", "many", "other"]),
    ("es", &["one", "other"]),
];

/// A message of one language: its text as written and its arguments in order of appearance.
struct Message {
    source: String,
    arguments: Vec<String>,
    counted: BTreeSet<String>,
}

type Catalogue = BTreeMap<String, Message>;

/// The Rust code, or every fault found in the files.
pub fn generate(folder: &Path) -> Result<String, Vec<String>> {
    let mut faults = Vec::new();
    let mut catalogues = BTreeMap::new();
    let mut files = BTreeMap::new();
    for language in LANGUAGES {
        let (catalogue, names) = read_language(&folder.join(language), language, &mut faults);
        catalogues.insert(language, catalogue);
        files.insert(language, names);
    }
    compare(&catalogues, &mut faults);
    if faults.is_empty() { Ok(code(folder, &catalogues, &files)) } else { Err(faults) }
}

fn read_language(folder: &Path, language: &str, faults: &mut Vec<String>) -> (Catalogue, Vec<String>) {
    let mut catalogue = Catalogue::new();
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("readable folder").file_name().to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|suffix| suffix == "ftl"))
        .collect();
    names.sort();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).expect("Fluent files are UTF-8");
        let place = format!("locales/{language}/{name}");
        let stem = name.trim_end_matches(".ftl");
        let resource = match fluent_syntax::parser::parse(text.as_str()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                for error in errors {
                    let line = text[..error.pos.start.min(text.len())].lines().count();
                    faults.push(format!("{place}:{line}: {error}"));
                }
                resource
            }
        };
        for entry in resource.body {
            read_entry(&entry, &place, stem, language, &mut catalogue, faults);
        }
    }
    (catalogue, names)
}

fn read_entry(
    entry: &ast::Entry<&str>,
    place: &str,
    stem: &str,
    language: &str,
    catalogue: &mut Catalogue,
    faults: &mut Vec<String>,
) {
    let message = match entry {
        ast::Entry::Message(message) => message,
        ast::Entry::Term(term) => {
            faults.push(format!("{place}: -{}: terms are not used here", term.id.name));
            return;
        }
        ast::Entry::Junk { content } => {
            let first = content.lines().next().unwrap_or_default();
            faults.push(format!("{place}: not understood: {first}"));
            return;
        }
        _ => return,
    };
    let key = message.id.name;
    if !key.starts_with(&format!("{stem}-")) {
        faults.push(format!("{place}: {key} must begin with {stem}-, the name of its file"));
    }
    if !message.attributes.is_empty() {
        faults.push(format!("{place}: {key}: attributes are not used here"));
    }
    let Some(pattern) = &message.value else {
        faults.push(format!("{place}: {key} has no text"));
        return;
    };
    let mut read = Message { source: String::new(), arguments: Vec::new(), counted: BTreeSet::new() };
    read_pattern(pattern, &mut read, language, &format!("{place}: {key}"), faults);
    if language == "ar" && has_torn_command(&read.source) {
        faults.push(format!("{place}: {key}: a command with an argument stands between {{ \"\\u2066\" }} and {{ \"\\u2069\" }}"));
    }
    if catalogue.insert(key.to_owned(), read).is_some() {
        faults.push(format!("{place}: {key} is written twice"));
    }
}

/// Whether a command is followed by an argument and does not say that both are read from left to right: between Arabic words the
/// argument, which is isolated, would be shown before the command.
fn has_torn_command(source: &str) -> bool {
    source.match_indices("concord ").any(|(at, _)| {
        let is_word = |c: char| c.is_ascii_lowercase() || c == ' ';
        let behind = source[at..].trim_start_matches(is_word);
        behind.starts_with("{ $") && !source[..at].ends_with("\\u2066")
    })
}

fn read_pattern(
    pattern: &ast::Pattern<&str>,
    into: &mut Message,
    language: &str,
    place: &str,
    faults: &mut Vec<String>,
) {
    for element in &pattern.elements {
        match element {
            ast::PatternElement::TextElement { value } => into.source.push_str(value),
            ast::PatternElement::Placeable { expression } => match expression {
                ast::Expression::Inline(inline) => read_inline(inline, into, place, faults),
                ast::Expression::Select { selector, variants } => {
                    check_plurals(selector, variants, into, language, place, faults);
                    for variant in variants {
                        into.source.push_str(if variant.default { " *" } else { " " });
                        read_pattern(&variant.value, into, language, place, faults);
                    }
                }
            },
        }
    }
}

fn read_inline(
    inline: &ast::InlineExpression<&str>,
    into: &mut Message,
    place: &str,
    faults: &mut Vec<String>,
) {
    match inline {
        ast::InlineExpression::VariableReference { id } => {
            write!(into.source, "{{ ${} }}", id.name).expect("writing to a string");
            if !into.arguments.iter().any(|known| known == id.name) {
                into.arguments.push(id.name.to_owned());
            }
        }
        ast::InlineExpression::StringLiteral { value } => into.source.push_str(value),
        _ => faults.push(format!("{place}: only $arguments and quoted strings may stand in braces")),
    }
}

fn check_plurals(
    selector: &ast::InlineExpression<&str>,
    variants: &[ast::Variant<&str>],
    into: &mut Message,
    language: &str,
    place: &str,
    faults: &mut Vec<String>,
) {
    let ast::InlineExpression::VariableReference { id } = selector else {
        faults.push(format!("{place}: a selector must be an $argument"));
        return;
    };
    into.counted.insert(id.name.to_owned());
    if !into.arguments.iter().any(|known| known == id.name) {
        into.arguments.push(id.name.to_owned());
    }
    let needed = PLURALS.iter().find(|(code, _)| *code == language).map_or(&[][..], |(_, needed)| needed);
    for category in needed {
        let listed = variants.iter().any(|variant| match &variant.key {
            ast::VariantKey::Identifier { name } => name == category,
            ast::VariantKey::NumberLiteral { .. } => false,
        });
        if !listed {
            faults.push(format!("{place}: the plural form [{category}] is missing"));
        }
    }
}

fn compare(catalogues: &BTreeMap<&str, Catalogue>, faults: &mut Vec<String>) {
    let keys: BTreeSet<&String> = catalogues.values().flat_map(Catalogue::keys).collect();
    for key in keys {
        let have: Vec<&str> =
            LANGUAGES.into_iter().filter(|code| catalogues[code].contains_key(key)).collect();
        for code in LANGUAGES.into_iter().filter(|code| !have.contains(code)) {
            faults.push(format!("{key} is missing in locales/{code} (it is there in {})", have.join(", ")));
        }
        let set = |code: &str| catalogues[code][key].arguments.iter().cloned().collect::<BTreeSet<_>>();
        let Some(first) = have.first() else { continue };
        for code in &have[1..] {
            if set(code) != set(first) {
                faults.push(format!(
                    "{key} takes {:?} in locales/{code} but {:?} in locales/{first}",
                    set(code),
                    set(first)
                ));
            }
        }
    }
}

/// An argument's name as Rust writes it: `second-header` and `inForce` become `second_header` and `in_force`.
fn parameter(name: &str) -> String {
    let mut parameter = String::new();
    for letter in name.chars() {
        match letter {
            '-' => parameter.push('_'),
            'A'..='Z' => parameter.extend(['_', letter.to_ascii_lowercase()]),
            _ => parameter.push(letter),
        }
    }
    parameter
}

fn code(
    folder: &Path,
    catalogues: &BTreeMap<&str, Catalogue>,
    files: &BTreeMap<&str, Vec<String>>,
) -> String {
    let mut code = String::from(
        "#[allow(clippy::doc_markdown)] // The comments are the readers' texts.\nimpl Locale {\n",
    );
    let mut table = String::from(
        "/// Every message: its key and the names of its arguments.\n\
         pub const MESSAGES: &[(&str, &[&str])] = &[\n",
    );
    for (key, message) in &catalogues["en"] {
        let counted =
            |name: &String| catalogues.values().any(|catalogue| catalogue[key].counted.contains(name));
        let parameters: Vec<String> = message
            .arguments
            .iter()
            .map(|name| {
                let kind = if counted(name) { "Count" } else { "Argument" };
                format!(", {}: impl {kind}", parameter(name))
            })
            .collect();
        let values: Vec<String> =
            message.arguments.iter().map(|name| format!("({name:?}, {}.value())", parameter(name))).collect();
        writeln!(
            code,
            "    #[doc = {doc:?}]\n    pub fn {method}(&self{parameters}) -> String {{\n        self.say({key:?}, &[{values}])\n    }}",
            doc = message.source.trim(),
            method = key.replace('-', "_"),
            parameters = parameters.concat(),
            values = values.join(", "),
        )
        .expect("writing to a string");
        writeln!(table, "    ({key:?}, &{:?}),", message.arguments).expect("writing to a string");
    }
    code.push_str("}\n");
    table.push_str("];\n");
    code.push_str(&table);
    code.push_str("pub(super) fn sources(lang: Lang) -> &'static [&'static str] {\n    match lang {\n");
    for language in LANGUAGES {
        let mut variant = language.to_owned();
        variant[..1].make_ascii_uppercase();
        let included: Vec<String> = files[language]
            .iter()
            .map(|name| format!("include_str!({:?})", folder.join(language).join(name).display().to_string()))
            .collect();
        writeln!(code, "        Lang::{variant} => &[{}],", included.join(", "))
            .expect("writing to a string");
    }
    code.push_str("    }\n}\n");
    code
}
