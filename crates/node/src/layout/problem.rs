//! A refusal in the reader's language, from the machine code and arguments that every error of ours carries.

use crate::i18n::{Argument, Locale, Value};

/// Why something was refused. `error.ftl` has a text per code, `error-code-<code>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: String,
    arguments: Vec<(String, Value)>,
    place: Option<(u64, Option<(usize, String)>)>,
}

impl Problem {
    /// A problem with the machine code of an error (lower case, words joined by hyphens).
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), arguments: Vec::new(), place: None }
    }

    /// Adds an argument: the line, the field, the value found.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Argument) -> Self {
        self.arguments.push((name.to_owned(), value.value()));
        self
    }

    /// A problem from an error's own list of arguments.
    pub fn of<'a>(code: &str, arguments: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        arguments.into_iter().fold(Self::new(code), |problem, (name, value)| problem.with(name, value))
    }

    /// Says before the sentence where in a table it is: the line on which the row begins, and the column's number
    /// and header.
    #[must_use]
    pub fn in_row(mut self, row: u64, column: Option<(usize, &str)>) -> Self {
        self.place = Some((row, column.map(|(number, header)| (number, header.to_owned()))));
        self
    }

    /// The machine code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence shown: the code's own, or else that of its family (the word before its first hyphen), which ends
    /// with the code and its arguments. Without either it shows those alone, so that nothing is hidden from who has
    /// to report it.
    pub fn text(&self, t: &Locale) -> String {
        let arguments: Vec<(&str, Value)> =
            self.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let code = self.code.replace(['.', '_'], "-");
        let family = code.split('-').next().unwrap_or(&code);
        let text = t
            .lookup(&format!("error-code-{code}"), &arguments)
            .or_else(|| t.lookup(&format!("error-code-{family}"), &[("code", Value::Text(self.plain()))]))
            .unwrap_or_else(|| t.error_unlisted(self.plain()));
        match &self.place {
            None => text,
            Some((row, None)) => t.error_row(row, text),
            Some((row, Some((column, header)))) => t.error_cell(row, column, header, text),
        }
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
