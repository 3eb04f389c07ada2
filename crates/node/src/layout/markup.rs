//! HTML that is known to be escaped.

use askama::Template;
use askama::filters::HtmlSafe;
use std::fmt;

/// A piece of finished HTML. Templates write it as it is; everything else they escape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// Text, escaped.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self(escape(text.as_ref()))
    }

    /// One element with escaped attributes and text. `name` and the attributes' names are ours.
    pub fn element(name: &str, attributes: &[(&str, &str)], text: &str) -> Self {
        let attributes: Vec<String> =
            attributes.iter().map(|(key, value)| format!(" {key}=\"{}\"", escape(value))).collect();
        Self(format!("<{name}{}>{}</{name}>", attributes.concat(), escape(text)))
    }

    /// A link.
    pub fn link(href: &str, text: &str) -> Self {
        Self::element("a", &[("href", href)], text)
    }

    /// What a template wrote.
    pub fn of(template: &impl Template) -> Self {
        Self(template.render().expect("templates write to memory and call nothing that fails"))
    }

    /// HTML that the caller escaped. Search for callers when reviewing.
    pub fn trusted(html: String) -> Self {
        Self(html)
    }

    /// Several pieces, one after another.
    pub fn joined(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let pieces: Vec<String> = pieces.into_iter().map(|piece| piece.0).collect();
        Self(pieces.join(&escape(between)))
    }

    /// What a reader sees of it, without elements: what a list is filtered and sorted by.
    pub fn plain(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(open) = rest.find('<') {
            text.push_str(&rest[..open]);
            let Some(close) = rest[open..].find('>') else { break };
            rest = &rest[open + close + 1..];
            // Elements that follow one another are read as words of their own.
            if !text.ends_with(' ') && rest.starts_with(|next: char| next.is_alphanumeric()) {
                text.push(' ');
            }
        }
        text.push_str(rest);
        let signs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        let text = signs.into_iter().fold(text, |text, (written, sign)| text.replace(written, sign));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

impl From<&str> for Markup {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Markup {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Text for use in HTML text and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let link = Markup::link("/x?a=1&b=\"", "<b>");
        assert_eq!(link.as_str(), "<a href=\"/x?a=1&amp;b=&quot;\">&lt;b&gt;</a>");
    }
}
