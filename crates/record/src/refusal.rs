//! How every refusal of this crate names itself, so that it can be shown in the reader's language.
//! It never holds translated text.

/// An error with a machine code and arguments, for translation.
pub trait Refusal: std::error::Error {
    /// A stable code, lower-case words joined by hyphens, e.g. `root-previous-wrong`.
    fn code(&self) -> &'static str;

    /// Named arguments of the message, in a fixed order.
    fn arguments(&self) -> Vec<(&'static str, String)>;
}
