//! Small parts that every desk uses: seals, tags, hashes, facts, figures, alarms, fields.
//!
//! Each is a function from values to [`Markup`]. A seal says who claims a time and what proves it; nothing is
//! ever said by colour alone.

use super::{Markup, Problem};
use crate::i18n::Locale;
use askama::Template;
use jiff::Timestamp;

/// How serious a tag is. Each has its own sign beside its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A property, without judgement.
    Plain,
    /// Something to notice.
    Notice,
    /// Proven, confirmed, in order.
    Sure,
    /// Not yet: claimed only, waiting.
    Wait,
    /// Wrong: somebody must act.
    Alarm,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "tag plain",
            Self::Notice => "tag",
            Self::Sure => "tag sure",
            Self::Wait => "tag wait",
            Self::Alarm => "tag alarm",
        }
    }
}

/// A word or two about a state.
pub fn tag(tone: Tone, text: &str) -> Markup {
    Markup::element("span", &[("class", tone.class())], text)
}

/// A record's status; `None` for `actual`, which needs no mark. An unknown status is shown as it is.
pub fn status_tag(t: &Locale, status: &str) -> Option<Markup> {
    match status {
        "actual" => None,
        "exercise" => Some(tag(Tone::Wait, &t.seal_exercise())),
        "test" => Some(tag(Tone::Wait, &t.seal_test())),
        other => Some(tag(Tone::Alarm, other)),
    }
}

/// What supports the time of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Witnesses satisfy the log's policy.
    Proven {
        /// The proven time.
        at: Timestamp,
        /// How many witnesses count.
        witnesses: usize,
    },
    /// Nobody but the author.
    Claimed {
        /// The record's `released`.
        at: Timestamp,
    },
}

/// The seal beside whatever is shown: `✓ proven by 31 May 2020, 14:02 UTC · witnessed by 3`.
pub fn seal(t: &Locale, standing: Standing) -> Markup {
    let template = match standing {
        Standing::Proven { at, witnesses } => Seal {
            class: "seal",
            explained: None,
            parts: vec![
                sentence(&t.seal_proven(SLOT), &t.moment(at)),
                Markup::text(t.seal_witnessed(witnesses)),
            ],
        },
        Standing::Claimed { at } => Seal {
            class: "seal claimed",
            explained: Some(t.seal_claimed_explained()),
            parts: vec![Markup::text(t.seal_claimed()), sentence(&t.seal_claimed_time(SLOT), &t.moment(at))],
        },
    };
    Markup::of(&template)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<span class="{{ class }}"{% if let Some(text) = explained %} title="{{ text }}"{% endif %}>
{%- for part in parts %}<span>{{ part }}</span>{% endfor -%}
</span>"#
)]
struct Seal {
    class: &'static str,
    explained: Option<String>,
    parts: Vec<Markup>,
}

/// Stands in a message for a piece of HTML; see [`sentence`]. A private-use character, so no text has it.
pub const SLOT: &str = "\u{e000}";

/// A message with `piece` in the place of [`SLOT`]: `sentence(&t.seal_proven(SLOT), &t.moment(at))`.
pub fn sentence(text: &str, piece: &Markup) -> Markup {
    Markup::trusted(Markup::text(text).as_str().replace(SLOT, piece.as_str()))
}

/// The first twelve characters of a hash, as everywhere where it need not be copied.
pub fn short_hash(full: &str) -> String {
    full.char_indices().nth(12).map_or_else(|| full.to_owned(), |(cut, _)| format!("{}…", &full[..cut]))
}

/// A hash, short; a click opens the whole of it, selected at once for copying.
pub fn hash(t: &Locale, full: &str) -> Markup {
    Markup::of(&Hash { full, short: short_hash(full), label: t.seal_full_hash() })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<details class="hash"><summary title="{{ full }}"><code>{{ short }}</code></summary><code aria-label="{{ label }}">{{ full }}</code></details>"#
)]
struct Hash<'a> {
    full: &'a str,
    short: String,
    label: String,
}

/// The name of a key, a log or a mechanism: its line may break only before a slash.
pub fn slashed(name: &str) -> Markup {
    Markup::of(&Slashed { name })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<code class="origin">{% for part in name.split('/') %}{% if !loop.first %}<wbr>/{% endif %}{{ part }}{% endfor %}</code>"#
)]
struct Slashed<'a> {
    name: &'a str,
}

/// A link that shows a piece of HTML.
pub fn linked(href: &str, shown: &Markup) -> Markup {
    Markup::of(&Linked { href, shown })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}">{{ shown }}</a>"#)]
struct Linked<'a> {
    href: &'a str,
    shown: &'a Markup,
}

/// A short hash that leads to what it names.
pub fn hash_link(href: &str, full: &str) -> Markup {
    let code = Markup::element("code", &[], &short_hash(full));
    Markup::of(&HashLink { href, full, code })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}" title="{{ full }}">{{ code }}</a>"#)]
struct HashLink<'a> {
    href: &'a str,
    full: &'a str,
    code: Markup,
}

/// Names and values, as `<dl>`.
#[derive(Clone, Debug, Default, Template)]
#[template(
    ext = "html",
    source = r#"<dl class="facts">{% for (name, value) in rows %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>{% endfor %}</dl>"#
)]
pub struct Facts {
    rows: Vec<(String, Markup)>,
}

impl askama::filters::HtmlSafe for Facts {}

impl Facts {
    /// Adds a line.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Markup>) -> Self {
        self.rows.push((name.into(), value.into()));
        self
    }
}

/// The figures at the head of a page, each with its unit or source below.
#[derive(Clone, Debug, Default, Template)]
#[template(
    ext = "html",
    source = r#"<dl class="figures">{% for (name, value, note) in cells %}<div><dt>{{ name }}</dt><dd class="figure">{{ value }}</dd><dd>{{ note }}</dd></div>{% endfor %}</dl>"#
)]
pub struct Figures {
    cells: Vec<(String, Markup, Markup)>,
}

impl askama::filters::HtmlSafe for Figures {}

impl Figures {
    /// Adds a figure; `note` is its seal, rate or link.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        value: impl Into<Markup>,
        note: impl Into<Markup>,
    ) -> Self {
        self.cells.push((name.into(), value.into(), note.into()));
        self
    }
}

/// Something an officer must look at now, and the reasons.
pub fn alarm_panel(title: &str, reasons: &[Markup]) -> Markup {
    Markup::of(&AlarmPanel { title, reasons })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="alarm-panel" role="alert"><h2>{{ title }}</h2><ul>{% for reason in reasons %}<li>{{ reason }}</li>{% endfor %}</ul></section>"#
)]
struct AlarmPanel<'a> {
    title: &'a str,
    reasons: &'a [Markup],
}

/// Where there is nothing: what is missing, and what can be done.
pub fn empty(title: &str, text: &str, action: Option<Markup>) -> Markup {
    Markup::of(&Empty { title, text, action })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="empty"><h2>{{ title }}</h2><p>{{ text }}</p>{% if let Some(action) = action %}<div class="links">{{ action }}</div>{% endif %}</div>"#
)]
struct Empty<'a> {
    title: &'a str,
    text: &'a str,
    action: Option<Markup>,
}

/// What a [`Field`] is filled with.
#[derive(Clone, Debug)]
pub enum Control {
    /// An `<input>` of this type: `text`, `date`, `file`, `password`.
    Input(&'static str),
    /// Several lines.
    TextArea,
    /// A list of values and their labels.
    Select(Vec<(String, String)>),
}

/// One field of a form, with its label, hint and fault.
#[derive(Clone, Debug, Template)]
#[template(path = "layout/templates/field.html")]
pub struct Field {
    t: Locale,
    name: &'static str,
    label: String,
    control: Control,
    value: String,
    hint: Option<String>,
    fault: Option<String>,
    optional: bool,
}

impl askama::filters::HtmlSafe for Field {}

impl Field {
    /// A field that must be filled; `name` is its parameter and unique in the page.
    pub fn new(t: &Locale, name: &'static str, label: impl Into<String>, control: Control) -> Self {
        Self {
            t: t.clone(),
            name,
            label: label.into(),
            control,
            value: String::new(),
            hint: None,
            fault: None,
            optional: false,
        }
    }

    /// What it holds; never used for passwords and files.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// How to fill it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong with what it holds.
    #[must_use]
    pub fn fault(mut self, problem: Option<&Problem>) -> Self {
        self.fault = problem.map(|problem| problem.text(&self.t));
        self
    }

    /// It may stay empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The ids of hint and fault, for `aria-describedby`.
    fn described_by(&self) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        let fault = self.fault.as_ref().map(|_| format!("{}-fault", self.name));
        let ids: Vec<String> = fault.into_iter().chain(hint).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}
