//! The build's check of the Fluent files stops at every fault that would reach a reader.

#[path = "../build/messages.rs"]
mod messages;

use std::path::Path;

const LANGUAGES: [&str; 6] = ["en", "ar", "zh", "fr", "ru", "es"];

/// Six languages with one file each; `change` may write another text for a language.
fn faults(change: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for language in LANGUAGES {
        let text = change(language).unwrap_or("shell-skip = x { $name }\n");
        let place = folder.path().join(language);
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("shell.ftl"), text).unwrap();
    }
    messages::generate(folder.path()).err().unwrap_or_default()
}

/// The one fault that arises if French has this text.
fn fault_of(french: &'static str) -> String {
    let faults = faults(|language| (language == "fr").then_some(french));
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

#[test]
fn equal_files_pass() {
    assert_eq!(faults(|_| None), Vec::<String>::new());
}

#[test]
fn a_missing_message_is_named_with_its_language() {
    assert_eq!(
        fault_of("# nothing\n"),
        "shell-skip is missing in locales/fr (it is there in en, ar, zh, ru, es)"
    );
}

#[test]
fn other_arguments_are_refused() {
    assert_eq!(
        fault_of("shell-skip = x { $nom }\n"),
        "shell-skip takes {\"nom\"} in locales/fr but {\"name\"} in locales/en"
    );
}

#[test]
fn a_message_that_only_one_language_has_is_refused() {
    let faults =
        faults(|language| (language == "fr").then_some("shell-skip = x { $name }\nshell-more = y\n"));
    assert_eq!(faults.len(), 5, "{faults:?}");
}

#[test]
fn keys_carry_the_name_of_their_file_and_stand_once() {
    assert!(
        fault_of("shell-skip = x { $name }\nshell-skip = y { $name }\n")
            .ends_with("shell-skip is written twice")
    );
    let faults = faults(|_| Some("skip = x\n"));
    assert!(faults[0].contains("skip must begin with shell-"), "{faults:?}");
}

#[test]
fn every_plural_form_of_a_language_is_needed() {
    let faults = faults(|language| {
        Some(match language {
            "zh" => "shell-days = { $days ->\n   *[other] { $days }\n}\n",
            "ar" => {
                "shell-days = { $days ->\n    [one] 1\n    [two] 2\n    [few] 3\n    [many] 11\n   *[other] 100\n}\n"
            }
            _ => "shell-days = { $days ->\n    [one] one\n   *[other] { $days }\n}\n",
        })
    });
    assert_eq!(
        faults,
        [
            "locales/ru/shell.ftl: shell-days: the plural form [few] is missing",
            "locales/ru/shell.ftl: shell-days: the plural form [many] is missing"
        ]
    );
}

/// Between words that are read from right to left its argument would be shown before it.
#[test]
fn a_command_with_an_argument_says_in_arabic_that_it_is_read_from_left_to_right() {
    let arabic = |text: &'static str| faults(|language| (language == "ar").then_some(text));
    let torn = arabic("shell-skip = نفّذوا concord log close { $name }\n");
    assert_eq!(torn.len(), 1, "{torn:?}");
    assert!(torn[0].contains("shell-skip: a command with an argument"), "{torn:?}");
    let whole = "shell-skip = نفّذوا { \"\\u2066\" }concord log close { $name }{ \"\\u2069\" }\n";
    assert_eq!(arabic(whole), Vec::<String>::new());
}

#[test]
fn what_fluent_cannot_read_is_named_with_its_line() {
    let faults =
        faults(|language| (language == "fr").then_some("shell-skip = x { $name }\nshell-open = { $name\n"));
    assert!(faults.iter().any(|fault| fault.starts_with("locales/fr/shell.ftl:2")), "{faults:?}");
}

#[test]
fn our_own_files_have_no_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
    assert!(messages::generate(&folder).is_ok());
}
