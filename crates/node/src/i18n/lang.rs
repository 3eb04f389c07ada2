//! The six languages, and what each is called and how it is written.

use unic_langid::LanguageIdentifier;

/// An official language of the United Nations. The order is that of the names in Latin script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lang {
    /// Arabic, with Latin digits.
    Ar,
    /// Chinese, in simplified characters.
    Zh,
    /// English, in the spelling of the United Nations.
    En,
    /// French.
    Fr,
    /// Russian.
    Ru,
    /// Spanish.
    Es,
}

impl Lang {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Ar, Self::Zh, Self::En, Self::Fr, Self::Ru, Self::Es];

    /// ISO 639-1, as used in `?lang=`, `lang=""` and in records' `blob` lines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::Zh => "zh",
            Self::En => "en",
            Self::Fr => "fr",
            Self::Ru => "ru",
            Self::Es => "es",
        }
    }

    /// The language that a code of [`Lang::code`] names.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// What its readers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::Ar => "العربية",
            Self::Zh => "中文",
            Self::En => "English",
            Self::Fr => "Français",
            Self::Ru => "Русский",
            Self::Es => "Español",
        }
    }

    /// `ltr` or `rtl`, for `dir=""`.
    pub fn dir(self) -> &'static str {
        if self == Self::Ar { "rtl" } else { "ltr" }
    }

    /// For plural rules.
    pub(super) fn identifier(self) -> LanguageIdentifier {
        self.code().parse().expect("two lower-case letters are a language identifier")
    }
}
