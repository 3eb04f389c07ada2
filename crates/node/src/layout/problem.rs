//! A refusal in the reader's language, from the machine code and arguments that every error of ours carries.

use crate::i18n::{Argument, Locale, Value};

/// Why something was refused. `error.ftl` has a text per code, `error-code-<code>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: String,
    arguments: Vec<(String, Value)>,
}

impl Problem {
    /// A problem with the machine code of an error (lower case, words joined by hyphens).
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), arguments: Vec::new() }
    }

    /// Adds an argument: the line, the field, the value found.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Argument) -> Self {
        self.arguments.push((name.to_owned(), value.value()));
        self
    }

    /// The machine code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence shown. A code without a text shows the code itself and its arguments, so that nothing is
    /// hidden from who has to report it.
    pub fn text(&self, t: &Locale) -> String {
        let arguments: Vec<(&str, Value)> =
            self.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let key = format!("error-code-{}", self.code.replace(['.', '_'], "-"));
        t.lookup(&key, &arguments).unwrap_or_else(|| t.error_unlisted(self.plain()))
    }

    /// `code (name: value, …)`.
    fn plain(&self) -> String {
        let written: Vec<String> = self
            .arguments
            .iter()
            .map(|(name, value)| match value {
                Value::Text(text) => format!("{name}: {text}"),
                Value::Number(number) => format!("{name}: {number}"),
            })
            .collect();
        if written.is_empty() { self.code.clone() } else { format!("{} ({})", self.code, written.join(", ")) }
    }
}
