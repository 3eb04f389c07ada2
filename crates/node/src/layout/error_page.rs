//! Pages that say what went wrong, in the reader's language, and what to do about it.

use super::{Asked, Page, Problem, Shell};
use crate::i18n::Locale;
use askama::Template;

/// Why there is no other page. Each is one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: a parameter or a field is wrong.
    BadRequest,
    /// 401: the page needs a session.
    Unauthorized,
    /// 403: the person's duty does not include it.
    Forbidden,
    /// 404: nothing there, or nothing that this reader may see; which of both is not told.
    NotFound,
    /// 405: the address takes no such act.
    Method,
    /// 408: it took too long.
    Timeout,
    /// 409: somebody else changed it meanwhile.
    Conflict,
    /// 413: more bytes than are accepted.
    TooLarge,
    /// 414: a longer address than is read.
    AddressTooLong,
    /// 421: under a name that is none of this node's.
    Misdirected,
    /// 429: too often.
    TooMany,
    /// 500: our fault.
    Internal,
    /// 503: starting, or stopped for maintenance.
    Unavailable,
    /// 503: what is asked for is known, and has not come from its author yet.
    OnItsWay,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Method,
        Self::Timeout,
        Self::Conflict,
        Self::TooLarge,
        Self::AddressTooLong,
        Self::Misdirected,
        Self::TooMany,
        Self::Internal,
        Self::Unavailable,
        Self::OnItsWay,
    ];

    /// The refusal that a status of HTTP stands for; other statuses of the reader's fault are bad requests.
    pub fn of(status: u16) -> Option<Self> {
        let listed = Self::ALL.into_iter().find(|refusal| refusal.status() == status);
        match status {
            400..500 => Some(listed.unwrap_or(Self::BadRequest)),
            500..600 => Some(listed.unwrap_or(Self::Internal)),
            _ => None,
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::AddressTooLong => 414,
            Self::Misdirected => 421,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::OnItsWay => 503,
        }
    }

    fn title(self, t: &Locale) -> String {
        match self {
            Self::BadRequest => t.error_bad_request_title(),
            Self::Unauthorized => t.error_unauthorized_title(),
            Self::Forbidden => t.error_forbidden_title(),
            Self::NotFound => t.error_not_found_title(),
            Self::Method => t.error_method_title(),
            Self::Timeout => t.error_timeout_title(),
            Self::Conflict => t.error_conflict_title(),
            Self::TooLarge => t.error_too_large_title(),
            Self::AddressTooLong => t.error_address_long_title(),
            Self::Misdirected => t.error_misdirected_title(),
            Self::TooMany => t.error_too_many_title(),
            Self::Internal => t.error_internal_title(),
            Self::Unavailable => t.error_unavailable_title(),
            Self::OnItsWay => t.error_on_its_way_title(),
        }
    }

    fn text(self, t: &Locale) -> String {
        match self {
            Self::BadRequest => t.error_bad_request_text(),
            Self::Unauthorized => t.error_unauthorized_text(),
            Self::Forbidden => t.error_forbidden_text(),
            Self::NotFound => t.error_not_found_text(),
            Self::Method => t.error_method_text(),
            Self::Timeout => t.error_timeout_text(),
            Self::Conflict => t.error_conflict_text(),
            Self::TooLarge => t.error_too_large_text(),
            Self::AddressTooLong => t.error_address_long_text(),
            Self::Misdirected => t.error_misdirected_text(),
            Self::TooMany => t.error_too_many_text(),
            Self::Internal => t.error_internal_text(),
            Self::Unavailable => t.error_unavailable_text(),
            Self::OnItsWay => t.error_on_its_way_text(),
        }
    }
}

#[derive(Template)]
#[template(path = "layout/templates/error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    text: String,
    problems: Vec<String>,
    reference: Option<String>,
}

/// A whole page for a refusal. `problems` say what exactly is wrong; `reference` names the entry in the
/// operator's journal.
pub fn error_page(
    shell: &Shell,
    asked: &Asked,
    refusal: Refusal,
    problems: &[Problem],
    reference: Option<&str>,
) -> String {
    let t = &asked.t;
    let page = ErrorPage {
        page: Page::new(shell, asked, refusal.title(t)),
        status: refusal.status(),
        text: refusal.text(t),
        problems: problems.iter().map(|problem| problem.text(t)).collect(),
        reference: reference.map(|reference| t.error_reference(reference)),
    };
    page.render().expect("templates write to memory and call nothing that fails")
}
