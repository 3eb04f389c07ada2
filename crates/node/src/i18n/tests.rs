//! The six languages against each other. Missing keys are the build's business; this is about what it cannot see.

use super::*;

fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

fn locale(lang: Lang) -> Locale {
    Locale::new(lang, TimeZone::UTC)
}

#[test]
fn every_message_is_written_in_every_language() {
    for (key, arguments) in MESSAGES {
        let given: Vec<(&str, Value)> = arguments.iter().map(|name| (*name, Value::Number(3))).collect();
        for lang in Lang::ALL {
            let text = locale(lang).lookup(key, &given).unwrap_or_else(|| panic!("{key} in {}", lang.code()));
            assert!(!text.trim().is_empty(), "{key} is empty in {}", lang.code());
            assert!(!text.contains('{'), "{key} in {}: {text}", lang.code());
        }
    }
}

/// Whether a text is words, and not only abbreviations and signs.
fn has_words(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_lowercase()).any(|run| run.len() >= 3)
}

#[test]
fn no_text_was_left_in_english() {
    for (key, arguments) in MESSAGES {
        let given: Vec<(&str, Value)> = arguments.iter().map(|name| (*name, Value::Number(3))).collect();
        let english = locale(Lang::En).lookup(key, &given).unwrap();
        for lang in [Lang::Ar, Lang::Zh, Lang::Ru] {
            let text = locale(lang).lookup(key, &given).unwrap();
            assert!(text != english || !has_words(&english), "{key} in {}: {text}", lang.code());
        }
    }
}

#[test]
fn plurals_follow_the_language() {
    let ru = |count: u32| plain(&locale(Lang::Ru).table_entries(count));
    assert_eq!([ru(1), ru(3), ru(5), ru(21)], ["1 строка", "3 строки", "5 строк", "21 строка"]);
    let ar = |count: u32| plain(&locale(Lang::Ar).table_entries(count));
    assert_eq!([ar(1), ar(2), ar(3), ar(11)], ["مدخل واحد", "مدخلان", "3 مدخلات", "11 مدخلاً"]);
}

#[test]
fn numbers_in_messages_are_grouped() {
    assert_eq!(plain(&locale(Lang::En).table_entries(1_234_567)), "1,234,567 entries");
    assert_eq!(plain(&locale(Lang::Es).table_entries(1_234_567)), "1.234.567 entradas");
}

#[test]
fn what_is_put_into_a_sentence_is_isolated() {
    // Latin text in Arabic must not turn the sentence around.
    let text = locale(Lang::Ar).table_no_match("COVID-19");
    assert!(text.contains("\u{2068}COVID-19\u{2069}"), "{text}");
}

#[test]
fn what_cannot_be_said_whole_is_not_said() {
    assert_eq!(locale(Lang::En).lookup("error-code-no-such-code", &[]), None);
    assert_eq!(locale(Lang::En).lookup("error-code-sort-column", &[]), None, "its argument is missing");
}

#[test]
fn kinds_and_relations_have_names_and_unknown_ones_keep_their_own() {
    assert_eq!(locale(Lang::Es).kind("mechanism.charter"), "Carta constitutiva");
    assert_eq!(locale(Lang::Zh).kind("weather.report"), "weather.report");
    assert_eq!(locale(Lang::Fr).relation("releases-again"), "diffuse de nouveau");
    assert_eq!(locale(Lang::Fr).relation("sings"), "sings");
}
