//! Figures as each language writes them (CLDR 47, `numbers/symbols` and `minimumGroupingDigits`).
//!
//! Arabic gets Latin digits. Figures here stand beside hashes, ISO dates, CSV files and the other languages'
//! pages, and are compared with them digit by digit; WHO's own Arabic pages write them so, and a reader can
//! paste them into any program. CLDR allows both for `ar`.

use super::{Argument, Lang, Locale, Value};
use fluent_bundle::FluentValue;
use std::borrow::Borrow;

/// A whole number that a text counts with.
pub trait Count: Argument {}

macro_rules! count {
    ($($whole:ty),*) => { $(
        impl Argument for $whole {
            /// Numbers beyond `i64` are written as its limits: no register counts that far.
            fn value(&self) -> Value {
                Value::Number(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
        impl Count for $whole {}
    )* };
}
count!(u8, u16, u32, u64, usize, i32, i64);

impl<T: Count + ?Sized> Count for &T {}

struct Symbols {
    group: &'static str,
    decimal: &'static str,
    percent: &'static str,
    minus: &'static str,
    /// Digits before the first separator without which none is written: Spanish writes 1234 but 12.345.
    least_before_group: usize,
}

const fn symbols(lang: Lang) -> Symbols {
    match lang {
        // U+200E keeps sign and percent with their number in right-to-left text.
        Lang::Ar => Symbols {
            group: ",",
            decimal: ".",
            percent: "\u{200e}%\u{200e}",
            minus: "\u{200e}-",
            least_before_group: 1,
        },
        Lang::Zh | Lang::En => {
            Symbols { group: ",", decimal: ".", percent: "%", minus: "\u{2212}", least_before_group: 1 }
        }
        Lang::Fr => Symbols {
            group: "\u{202f}",
            decimal: ",",
            percent: "\u{202f}%",
            minus: "\u{2212}",
            least_before_group: 1,
        },
        Lang::Ru => Symbols {
            group: "\u{a0}",
            decimal: ",",
            percent: "\u{a0}%",
            minus: "\u{2212}",
            least_before_group: 1,
        },
        Lang::Es => {
            Symbols { group: ".", decimal: ",", percent: "\u{a0}%", minus: "\u{2212}", least_before_group: 2 }
        }
    }
}

impl Locale {
    /// A whole number with its groups: `16,751`.
    pub fn number(&self, number: impl Count) -> String {
        match number.value() {
            Value::Number(number) => whole(self.lang, number),
            Value::Text(text) => text,
        }
    }

    /// A number rounded to `places` decimals: `0.93`. What is not finite is written `–`.
    pub fn decimal(&self, number: impl Borrow<f64>, places: usize) -> String {
        decimal(self.lang, *number.borrow(), places)
    }

    /// A difference with its sign: `+325`. In right-to-left text the sign stays before the number.
    pub fn signed(&self, number: impl Borrow<f64>, places: usize) -> String {
        let text = self.decimal(number.borrow(), places);
        let rises = *number.borrow() > 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        match (rises, self.lang) {
            (false, _) => text,
            (true, Lang::Ar) => format!("\u{200e}+{text}"),
            (true, _) => format!("+{text}"),
        }
    }

    /// A number beyond which nobody counted: `100+`.
    pub fn at_least(&self, number: impl Count) -> String {
        let number = self.number(number);
        if self.lang == Lang::Ar { format!("\u{200e}{number}+\u{200e}") } else { number + "+" }
    }

    /// A share (0.056) as `5.6%`, rounded to `places` decimals.
    pub fn percent(&self, share: impl Borrow<f64>, places: usize) -> String {
        let share = *share.borrow();
        if !share.is_finite() {
            return decimal(self.lang, share, places);
        }
        decimal(self.lang, share * 100.0, places) + symbols(self.lang).percent
    }
}

fn whole(lang: Lang, number: i64) -> String {
    let digits = grouped(lang, &number.unsigned_abs().to_string());
    if number < 0 { symbols(lang).minus.to_owned() + &digits } else { digits }
}

fn decimal(lang: Lang, number: f64, places: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let plain = format!("{:.places$}", number.abs());
    let (before, after) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    // "-0.0" would say that something fell when it did not.
    if number < 0.0 && plain.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        text.push_str(symbols(lang).minus);
    }
    text.push_str(&grouped(lang, before));
    if !after.is_empty() {
        text.push_str(symbols(lang).decimal);
        text.push_str(after);
    }
    text
}

/// Digits with a separator before every third one from the end.
fn grouped(lang: Lang, digits: &str) -> String {
    let symbols = symbols(lang);
    if digits.len() < 3 + symbols.least_before_group {
        return digits.to_owned();
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(symbols.group);
        }
        text.push(digit);
    }
    text
}

/// What Fluent calls for each value; it is a plain function without a place for the language.
type Formatter = fn(&FluentValue<'_>, &Memoizer) -> Option<String>;
type Memoizer = intl_memoizer::concurrent::IntlLangMemoizer;

pub(super) fn formatter(lang: Lang) -> Formatter {
    match lang {
        Lang::Ar => |value, _| written(Lang::Ar, value),
        Lang::Zh => |value, _| written(Lang::Zh, value),
        Lang::En => |value, _| written(Lang::En, value),
        Lang::Fr => |value, _| written(Lang::Fr, value),
        Lang::Ru => |value, _| written(Lang::Ru, value),
        Lang::Es => |value, _| written(Lang::Es, value),
    }
}

/// Whole numbers grouped; everything else as Fluent writes it. Messages are given no other numbers.
fn written(lang: Lang, value: &FluentValue<'_>) -> Option<String> {
    match value {
        #[allow(clippy::cast_possible_truncation)] // given as i64
        FluentValue::Number(number) => Some(whole(lang, number.value as i64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_as_each_language_does() {
        let written: Vec<String> = Lang::ALL.into_iter().map(|lang| whole(lang, 1_234_567)).collect();
        let expected = [
            "1,234,567",
            "1,234,567",
            "1,234,567",
            "1\u{202f}234\u{202f}567",
            "1\u{a0}234\u{a0}567",
            "1.234.567",
        ];
        assert_eq!(written, expected);
        assert_eq!(whole(Lang::Es, 1234), "1234");
        assert_eq!(whole(Lang::Es, 12345), "12.345");
        assert_eq!(whole(Lang::En, 999), "999");
        assert_eq!(whole(Lang::En, i64::MIN), "\u{2212}9,223,372,036,854,775,808");
    }

    #[test]
    fn a_sign_stays_before_its_number_in_every_direction() {
        let written = |lang, number| Locale::new(lang, jiff::tz::TimeZone::UTC).signed(number, 0);
        assert_eq!(written(Lang::En, 1290.0), "+1,290");
        assert_eq!(written(Lang::Ar, 325.0), "\u{200e}+325");
        assert_eq!(written(Lang::Ar, -325.0), "\u{200e}-325");
        assert_eq!(written(Lang::Fr, 0.2), "0", "what rounds to nothing has no sign");
    }

    #[test]
    fn decimals_round_and_never_show_a_negative_nothing() {
        assert_eq!(decimal(Lang::Fr, 1234.56, 1), "1\u{202f}234,6");
        assert_eq!(decimal(Lang::En, -0.04, 1), "0.0");
        assert_eq!(decimal(Lang::En, -0.06, 1), "\u{2212}0.1");
        assert_eq!(decimal(Lang::En, f64::NAN, 1), "–");
    }
}
