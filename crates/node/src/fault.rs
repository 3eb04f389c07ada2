//! What went wrong, as it travels from where it was met to who reads it: a machine code, its arguments, and the
//! sentence in English. Over the control socket, in `--json`, and in six languages it is the same fault.
//!
//! It holds no secret and decides nothing.

use std::collections::BTreeMap;

use record::Refusal;
use serde::{Deserialize, Serialize};

use crate::i18n::{Lang, Locale};
use crate::identity::IdentityError;
use crate::layout::Problem;
use crate::saved::SavedError;

/// An error of ours: it names itself, so that it can be said in any language.
pub trait Coded: std::error::Error {
    /// Lower-case words joined by hyphens; stable. `error.ftl` has the sentence `error-code-<code>`.
    fn code(&self) -> &str;

    /// Named arguments of the sentence, in a fixed order.
    fn arguments(&self) -> Vec<(&str, String)>;
}

/// A fault that was met, in whatever layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The machine code.
    pub code: String,
    /// Its arguments by name.
    pub arguments: BTreeMap<String, String>,
    /// The sentence in English, with what the operator can do.
    pub message: String,
}

impl Fault {
    /// A fault that is met where it is said.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), arguments: BTreeMap::new(), message: message.into() }
    }

    /// Adds an argument.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // Callers hand over what they have, numbers and references alike.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.arguments.insert(name.to_owned(), value.to_string());
        self
    }

    /// Says before the sentence to which flag or file it belongs.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self.with("at", place)
    }

    /// The sentence in a language. English is as precise as the code that met the fault; the others are
    /// `error.ftl`'s. A code without a sentence there is shown as it is.
    pub fn said_in(&self, locale: &Locale) -> String {
        if locale.lang() == Lang::En {
            return self.message.clone();
        }
        let arguments = self.arguments.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let sentence = Problem::of(&self.code, arguments).text(locale);
        match self.arguments.get("at") {
            Some(place) => format!("{place}: {sentence}"),
            None => sentence,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl<E: Coded> From<E> for Fault {
    fn from(error: E) -> Self {
        let arguments = error.arguments().into_iter().map(|(name, value)| (name.to_owned(), value));
        Self { code: error.code().to_owned(), arguments: arguments.collect(), message: error.to_string() }
    }
}

/// Errors of the layers below name themselves; here they are told how that is asked.
macro_rules! coded {
    (by $trait:ident: $($error:ty),+) => {$(
        impl Coded for $error {
            fn code(&self) -> &str {
                $trait::code(self)
            }

            fn arguments(&self) -> Vec<(&str, String)> {
                $trait::arguments(self)
            }
        }
    )+};
    ($($error:ty),+) => {$(
        impl Coded for $error {
            fn code(&self) -> &str {
                <$error>::code(self)
            }

            fn arguments(&self) -> Vec<(&str, String)> {
                <$error>::arguments(self)
            }
        }
    )+};
}

coded!(store::LockError, store::DbError, store::CellsError, store::FilesError, store::GuardError);
coded!(store::LogError, store::lease::LeaseError);
coded!(tlog::KeyError, tlog::NoteError, tlog::CheckpointError, tlog::HashError, tlog::PolicyError);
coded!(by Refusal: record::EncodingError, record::RootError, record::RecordError, record::HeaderError);
coded!(by Refusal: record::evidence::EvidenceError, record::charter::CharterError, record::lines::LineError);
coded!(by Refusal: record::seal::SealError, record::seal::RecipientError, record::seal::OpenError);
coded!(by Refusal: record::logstate::InvalidReason);
coded!(epi::detect::Reason, epi::detect::ParameterError, epi::final_size::FinalSizeError);
coded!(epi::scenario::ScenarioError, epi::importation::ImportationError);
coded!(epi::series::SeriesError, epi::delay::DelayError, epi::instantaneous::InstantaneousError);
coded!(epi::case_fatality::CaseFatalityError, epi::nowcast::TriangleError);

impl Coded for formats::figures::LayoutError {
    fn code(&self) -> &str {
        Self::code(self)
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        self.args()
    }
}

/// What the layers below can answer wherever they are asked: databases, files, logs, keys.
#[derive(Debug, thiserror::Error)]
pub enum Underlying {
    /// A database.
    #[error(transparent)]
    Db(#[from] store::DbError),
    /// Cells.
    #[error(transparent)]
    Cells(#[from] store::CellsError),
    /// Files.
    #[error(transparent)]
    Files(#[from] store::FilesError),
    /// The guard.
    #[error(transparent)]
    Guard(#[from] store::GuardError),
    /// A log.
    #[error(transparent)]
    Log(#[from] store::LogError),
    /// Values in state.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// Keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Coded for Underlying {
    fn code(&self) -> &str {
        match self {
            Self::Db(error) => error.code(),
            Self::Cells(error) => error.code(),
            Self::Files(error) => error.code(),
            Self::Guard(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::Saved(error) => Coded::code(error),
            Self::Identity(error) => Coded::code(error),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Db(error) => error.arguments(),
            Self::Cells(error) => error.arguments(),
            Self::Files(error) => error.arguments(),
            Self::Guard(error) => error.arguments(),
            Self::Log(error) => error.arguments(),
            Self::Saved(error) => Coded::arguments(error),
            Self::Identity(error) => Coded::arguments(error),
        }
    }
}

/// An error that has a variant `Underlying` takes everything that the layers below answer, with `?`.
macro_rules! stands_on_underlying {
    ($error:ty: $($source:ty),+ $(,)?) => {$(
        impl From<$source> for $error {
            fn from(error: $source) -> Self {
                Self::Underlying(error.into())
            }
        }
    )+};
    ($error:ty) => {
        $crate::fault::stands_on_underlying!(
            $error: store::DbError, store::CellsError, store::FilesError, store::GuardError, store::LogError,
            $crate::saved::SavedError, $crate::identity::IdentityError,
        );
    };
}
pub(crate) use stands_on_underlying;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn a_fault_keeps_its_code_and_arguments_on_its_way_through_the_layers() {
        let deep = store::FilesError::Contended { path: "log/public/2026/checkpoint".into() };
        let fault = Fault::from(crate::operate::OperateError::from(deep));
        assert_eq!(fault.code, "files-contended");
        assert_eq!(fault.arguments["path"], "log/public/2026/checkpoint");
        assert_eq!(fault.message, "file log/public/2026/checkpoint is written by too many at once");
    }

    #[test]
    fn english_is_the_sentence_of_whoever_met_it_and_other_languages_have_their_own() {
        let wrong: Result<record::Date, _> = "31.5.2020".parse();
        let fault = Fault::from(wrong.unwrap_err()).at("--expires");
        let said = |lang| fault.said_in(&Locale::new(lang, TimeZone::UTC));
        assert!(said(Lang::En).starts_with("--expires: not a date"), "{}", said(Lang::En));
        assert!(said(Lang::Fr).starts_with("--expires: "), "{}", said(Lang::Fr));
        assert_ne!(said(Lang::Fr), said(Lang::En));
    }
}
