//! What a cell is sorted, filtered and taken away by.

use super::Markup;
use std::cmp::Ordering;

/// A cell without its dress: its order among the others of its column, and its text in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    order: Order,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Order {
    /// Nothing is known: less than everything.
    Nothing,
    Number(f64),
    Text(String),
}

impl Key {
    /// Where nothing is known: an empty field.
    pub fn nothing() -> Self {
        Self { order: Order::Nothing, text: String::new() }
    }

    /// Text, in the order of its letters whatever their case.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { order: Order::Text(text.to_lowercase()), text }
    }

    /// A number, written in files as `text` writes it: all digits, no groups.
    pub fn number(number: f64, text: impl Into<String>) -> Self {
        Self { order: Order::Number(number), text: text.into() }
    }

    /// A whole number.
    pub fn whole(number: i64) -> Self {
        #[allow(clippy::cast_precision_loss)] // For the order alone; the text has every digit.
        Self::number(number as f64, number.to_string())
    }

    /// A moment in seconds since 1970, written in files as records write it.
    pub fn moment(second: i64) -> Self {
        let text = jiff::Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default();
        Self { text, ..Self::whole(second) }
    }

    /// What a reader sees of a piece of HTML.
    pub fn seen(markup: &Markup) -> Self {
        Self::text(markup.plain())
    }

    /// The same order, with another text in files: names are sorted as they are read and taken away as codes.
    #[must_use]
    pub fn written(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The text in a file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which of two stands first.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (&self.order, &other.order) {
            (Order::Number(one), Order::Number(other)) => one.total_cmp(other),
            (Order::Text(one), Order::Text(other)) => one.cmp(other),
            (one, other) => one.rank().cmp(&other.rank()),
        }
    }
}

impl Order {
    fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_by_size_texts_by_letters_and_nothing_first() {
        let mut keys = [Key::text("beta"), Key::whole(10), Key::text("Alpha"), Key::whole(9), Key::nothing()];
        keys.sort_by(Key::compare);
        assert_eq!(keys.map(|key| key.text), ["", "9", "10", "Alpha", "beta"]);
    }

    #[test]
    fn a_moment_is_a_time_in_files_and_a_number_in_order() {
        assert_eq!(Key::moment(0).as_str(), "1970-01-01T00:00:00Z");
        assert_eq!(Key::moment(-1).compare(&Key::moment(0)), Ordering::Less);
    }

    #[test]
    fn what_is_seen_has_no_tags() {
        let markup = Markup::joined([Markup::link("/x", "A & B"), Markup::text("<c>")], " ");
        assert_eq!(Key::seen(&markup).as_str(), "A & B <c>");
    }
}
