//! Every word a reader sees, in the six official languages of the United Nations.
//!
//! Texts lie in `locales/<language>/<subject>.ftl` (Fluent). The build reads all of them: each message becomes
//! a method of [`Locale`], so a message that does not exist does not compile, and one that a language lacks,
//! or that takes other arguments there, stops the build. `shell-skip` in `shell.ftl` is
//! `locale.shell_skip()`; `table-page = Page { $page } of { $pages }` is `locale.table_page(page, pages)`, its
//! arguments in the order of the English text. An argument that a plural depends on must be a [`Count`].
//!
//! Numbers, dates and times are written as CLDR says ([`number`], [`date`]). This module never decides *which*
//! text is shown, and never falls back from one language to another.

pub mod date;
mod lang;
mod negotiate;
pub mod number;

pub use lang::Lang;
pub use negotiate::negotiate;
pub use number::Count;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;
use std::sync::OnceLock;

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// What a message is given for one of its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, set apart from its surroundings by bidi isolates.
    Text(String),
    /// A whole number, written with the language's grouping; plurals may depend on it.
    Number(i64),
}

/// Anything that can stand in a message: text or a whole number.
pub trait Argument {
    /// The value as Fluent takes it.
    fn value(&self) -> Value;
}

impl Argument for str {
    fn value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl Argument for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Argument for Value {
    fn value(&self) -> Value {
        self.clone()
    }
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> Value {
        (**self).value()
    }
}

/// A reader's language and time zone: everything needed to write text, figures and times for them.
#[derive(Clone, Debug)]
pub struct Locale {
    lang: Lang,
    zone: TimeZone,
}

impl Locale {
    /// A locale; `zone` is where the reader's clock stands (the node's default zone unless they chose one).
    pub fn new(lang: Lang, zone: TimeZone) -> Self {
        Self { lang, zone }
    }

    /// The language of every text.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The zone in which times of day are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// A message whose key is known only at run time (an error's machine code, a record's kind).
    /// `None` if there is no such message or an argument of it is missing; others than it takes are ignored.
    pub fn lookup(&self, key: &str, arguments: &[(&str, Value)]) -> Option<String> {
        let bundle = bundle(self.lang);
        let pattern = bundle.get_message(key)?.value()?;
        let mut given = FluentArgs::with_capacity(arguments.len());
        for (name, value) in arguments {
            given.set((*name).to_owned(), fluent_value(value));
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&given), &mut errors).into_owned();
        // A reader must not see `{$name}`; who asked has another way to say it.
        errors.is_empty().then_some(text)
    }

    /// What a kind of record is called; an unlisted kind by its own name, as the protocol wants unknown kinds shown.
    pub fn kind(&self, kind: &str) -> String {
        self.lookup(&format!("kind-{}", kind.replace('.', "-")), &[]).unwrap_or_else(|| kind.to_owned())
    }

    /// What a `ref` line says of its target: `replies to`; an unlisted relation by its own name.
    pub fn relation(&self, relation: &str) -> String {
        self.lookup(&format!("relation-{relation}"), &[]).unwrap_or_else(|| relation.to_owned())
    }

    /// What stands between the items of a list.
    pub fn comma(&self) -> &'static str {
        match self.lang {
            Lang::Ar => "، ",
            Lang::Zh => "、",
            Lang::En | Lang::Fr | Lang::Ru | Lang::Es => ", ",
        }
    }

    /// Items of a list one after another, as the language parts them.
    pub fn list(&self, items: &[String]) -> String {
        items.join(self.comma())
    }

    /// A message that the build has seen.
    fn say(&self, key: &str, arguments: &[(&str, Value)]) -> String {
        self.lookup(key, arguments).unwrap_or_else(|| unreachable!("the build checked that {key} exists"))
    }
}

fn fluent_value(value: &Value) -> FluentValue<'static> {
    match value {
        Value::Text(text) => FluentValue::from(text.clone()),
        Value::Number(number) => FluentValue::from(*number),
    }
}

/// The Fluent source of the meeting room's messages, which its script says in the browser.
pub fn room_messages(lang: Lang) -> &'static str {
    match lang {
        Lang::Ar => include_str!("../../locales/ar/room.ftl"),
        Lang::Zh => include_str!("../../locales/zh/room.ftl"),
        Lang::En => include_str!("../../locales/en/room.ftl"),
        Lang::Fr => include_str!("../../locales/fr/room.ftl"),
        Lang::Ru => include_str!("../../locales/ru/room.ftl"),
        Lang::Es => include_str!("../../locales/es/room.ftl"),
    }
}

type Bundle = FluentBundle<FluentResource>;

/// The language's messages, parsed once.
fn bundle(lang: Lang) -> &'static Bundle {
    static BUNDLES: [OnceLock<Bundle>; Lang::ALL.len()] = [const { OnceLock::new() }; Lang::ALL.len()];
    BUNDLES[lang as usize].get_or_init(|| {
        let mut bundle = Bundle::new_concurrent(vec![lang.identifier()]);
        bundle.set_formatter(Some(number::formatter(lang)));
        for source in sources(lang) {
            let resource = FluentResource::try_new((*source).to_owned()).expect("the build parsed it");
            bundle.add_resource(resource).expect("the build refused repeated keys");
        }
        bundle
    })
}

#[cfg(test)]
mod tests;
