//! The kinds that the protocol itself gives a meaning to. The desks' own kinds stand beside the desks;
//! an unknown kind is kept and shown as such, so this list never decides what is valid.

/// First entry of every log: its readers, trust root, policy and predecessor.
pub const LOG_OPEN: &str = "log.open";
/// Moves a log to a newer trust root of its author.
pub const LOG_ROOT: &str = "log.root";
/// Last entry of a log: names its successor.
pub const LOG_CLOSE: &str = "log.close";
/// The outer header of a sealed record.
pub const SEALED: &str = "sealed";
/// A mechanism's charter: name, members, observers, threshold.
pub const CHARTER: &str = "mechanism.charter";
/// Carries `ref accepts` to a charter.
pub const ACCEPT: &str = "mechanism.accept";
/// A member leaves a mechanism.
pub const LEAVE: &str = "mechanism.leave";
/// Epidemiological figures.
pub const FIGURES: &str = "situation.figures";
/// A text to the readers of the log.
pub const NOTICE: &str = "notice";
/// Carries `ref withdraws` to a record of the same author.
pub const WITHDRAWAL: &str = "withdrawal";
/// Carries `ref erases`: the sender's own copies are gone.
pub const ERASURE: &str = "erasure";
/// Carries `ref acknowledges`, by a person's duty.
pub const ACKNOWLEDGEMENT: &str = "acknowledgement";
/// Says that a node cannot read a record that was sealed for it: by the node alone, to the record's author.
pub const UNREAD: &str = "unread";

/// Longest kind, in bytes.
pub const MAX_KIND: usize = 64;

/// Whether `kind` is two or more lower-case words (letters, digits, hyphens), joined by dots, or one such word.
pub fn is_kind(kind: &str) -> bool {
    kind.len() <= MAX_KIND
        && kind.split('.').all(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

/// Whether `kind` speaks of the log itself: such records are never sealed.
pub fn is_log_kind(kind: &str) -> bool {
    matches!(kind, LOG_OPEN | LOG_ROOT | LOG_CLOSE)
}
