//! The frame around a page: who speaks, which face, which desk, which day, which language.

use super::asked::{basis_label, day_of};
use super::asset::{self, Asset};
use super::{Asked, Markup};
use crate::asof::{AsOf, Basis};
use crate::face::Face;
use crate::i18n::{Lang, Locale};
use jiff::civil::Date;

/// What is the same on every page of one face.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The authority's name as its operator set it.
    pub authority: String,
    /// Its DNS name.
    pub domain: String,
    /// Which face.
    pub face: Face,
    /// Whether this node runs an exercise: marked on every page.
    pub exercise: bool,
    /// The version of the program, for the footer.
    pub version: &'static str,
}

impl Shell {
    /// A shell for actual work; see [`Shell::in_exercise`].
    pub fn new(authority: impl Into<String>, domain: impl Into<String>, face: Face) -> Self {
        Self {
            authority: authority.into(),
            domain: domain.into(),
            face,
            exercise: false,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Marks every page as part of an exercise.
    #[must_use]
    pub fn in_exercise(mut self) -> Self {
        self.exercise = true;
        self
    }
}

/// A desk, as the rail lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// Figures and notifications.
    Situation,
    /// More than was to be expected.
    Signals,
    /// What follows from assumptions.
    Scenarios,
    /// Authorities, logs and their state.
    Network,
    /// The list of records.
    Records,
    /// Bringing in figures; inside only.
    Import,
    /// Meetings of this node; inside only.
    Meetings,
}

impl Desk {
    /// Where the desk begins.
    pub fn path(self) -> &'static str {
        match self {
            Self::Situation => "/situation",
            Self::Signals => "/signals",
            Self::Scenarios => "/scenario",
            Self::Network => "/network",
            Self::Records => "/records",
            Self::Import => "/import",
            Self::Meetings => "/meetings",
        }
    }

    /// What it is called.
    pub fn label(self, t: &Locale) -> String {
        match self {
            Self::Situation => t.shell_situation(),
            Self::Signals => t.shell_signals(),
            Self::Scenarios => t.shell_scenarios(),
            Self::Network => t.shell_network(),
            Self::Records => t.shell_records(),
            Self::Import => t.shell_import(),
            Self::Meetings => t.shell_meetings(),
        }
    }

    /// The desks of a face, in the rail's order.
    pub fn on(face: Face) -> &'static [Self] {
        match face {
            Face::Public => &[Self::Situation, Self::Signals, Self::Scenarios, Self::Network, Self::Records],
            Face::Inside => &[
                Self::Situation,
                Self::Signals,
                Self::Scenarios,
                Self::Network,
                Self::Records,
                Self::Meetings,
                Self::Import,
            ],
        }
    }
}

/// Zones proposed, from west to east.
const ZONES: [&str; 32] = [
    "UTC",
    "Pacific/Honolulu",
    "America/Los_Angeles",
    "America/Denver",
    "America/Mexico_City",
    "America/Bogota",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "Atlantic/Cape_Verde",
    "Africa/Accra",
    "Europe/London",
    "Africa/Lagos",
    "Europe/Zurich",
    "Europe/Paris",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "Asia/Riyadh",
    "Europe/Moscow",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Manila",
    "Asia/Shanghai",
    "Asia/Seoul",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// A step of the way to this page.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// Complete link.
    pub href: String,
    /// Its name.
    pub text: String,
}

/// Everything `base.html` needs. Templates of pages reach the reader's language as `page.t`.
#[derive(Clone, Debug)]
pub struct Page {
    /// The reader's language.
    pub t: Locale,
    /// The heading and the document's title.
    pub title: String,
    /// The node and face.
    pub shell: Shell,
    /// The request.
    pub asked: Asked,
    /// The desk that is marked in the rail.
    pub desk: Option<Desk>,
    /// The way here, without this page.
    pub crumbs: Vec<Crumb>,
    /// The day shown; `None` on pages that know no day.
    pub as_of: Option<AsOf>,
    /// Who is signed in: the duty, as it is written in records.
    pub person: Option<String>,
    /// The session's token that forms must carry; with it, signing out is a form.
    pub csrf: Option<String>,
    /// Counts shown beside desks in the rail: what waits there.
    pub badges: Vec<(Desk, String)>,
}

impl Page {
    /// A page on no desk, without a day.
    pub fn new(shell: &Shell, asked: &Asked, title: impl Into<String>) -> Self {
        Self {
            t: asked.t.clone(),
            title: title.into(),
            shell: shell.clone(),
            asked: asked.clone(),
            desk: None,
            crumbs: Vec::new(),
            as_of: None,
            person: None,
            csrf: None,
            badges: Vec::new(),
        }
    }

    /// Marks the desk in the rail.
    #[must_use]
    pub fn on_desk(mut self, desk: Desk) -> Self {
        self.desk = Some(desk);
        self
    }

    /// Adds a breadcrumb; call it from the top down.
    #[must_use]
    pub fn below(mut self, path: &str, text: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { href: self.asked.href(path), text: text.into() });
        self
    }

    /// Offers the *as of* control, set to the day shown.
    #[must_use]
    pub fn as_of(mut self, as_of: AsOf) -> Self {
        self.as_of = Some(as_of);
        self
    }

    /// Shows who is signed in.
    #[must_use]
    pub fn for_person(mut self, duty: impl Into<String>) -> Self {
        self.person = Some(duty.into());
        self
    }

    /// Gives forms the token that proves they are ours: `<input type="hidden" name="csrf" …>`.
    #[must_use]
    pub fn with_csrf(mut self, token: impl Into<String>) -> Self {
        self.csrf = Some(token.into());
        self
    }

    /// Shows a count beside a desk in the rail.
    #[must_use]
    pub fn with_badge(mut self, desk: Desk, text: impl Into<String>) -> Self {
        self.badges.push((desk, text.into()));
        self
    }

    /// A link to a page of this node that keeps language and day.
    pub fn href(&self, path: impl AsRef<str>) -> String {
        self.asked.href(path.as_ref())
    }

    /// The style sheet.
    pub fn style_sheet(&self) -> &'static Asset {
        &asset::APP_CSS
    }

    /// The mark in a browser's tab; without one browsers ask for one that is not there.
    pub fn icon(&self) -> &'static Asset {
        &asset::ICON_SVG
    }

    /// The rail's desks.
    pub fn desks(&self) -> &'static [Desk] {
        Desk::on(self.shell.face)
    }

    /// The count beside a desk.
    pub fn badge(&self, desk: &Desk) -> Option<&str> {
        self.badges.iter().find(|(known, _)| known == desk).map(|(_, text)| text.as_str())
    }

    /// Whether the rail marks this desk.
    pub fn is_on(&self, desk: &Desk) -> bool {
        self.desk == Some(*desk)
    }

    /// Whether this is the inside face.
    pub fn inside(&self) -> bool {
        self.shell.face == Face::Inside
    }

    /// Links to this page in the other languages.
    pub fn languages(&self) -> Vec<(Lang, String)> {
        Lang::ALL.into_iter().map(|lang| (lang, self.asked.here_with("lang", lang.code()))).collect()
    }

    /// Parameters that the *as of* form carries on.
    pub fn kept_by_as_of(&self) -> Vec<(String, String)> {
        let kept = self.asked.query.only(|key| !matches!(key, "as_of" | "basis" | "page"));
        kept.pairs().to_vec()
    }

    /// Parameters that the form for the zone carries on.
    pub fn kept_by_zone(&self) -> Vec<(String, String)> {
        self.asked.query.only(|key| key != "zone").pairs().to_vec()
    }

    /// The zone in which times are shown, by its IANA name.
    pub fn zone(&self) -> &str {
        self.t.zone().iana_name().unwrap_or("UTC")
    }

    /// Zones that the form proposes, one or two for each distance from UTC; any other name can be typed.
    pub fn zones(&self) -> &'static [&'static str] {
        &ZONES
    }

    /// What the *as of* control offers: code, label, whether it is chosen.
    pub fn bases(&self) -> Vec<(String, String, bool)> {
        let chosen = self.as_of.map(|as_of| as_of.basis);
        [Basis::Claimed, Basis::Proven, Basis::Here]
            .into_iter()
            .map(|basis| (basis.to_string(), basis_label(basis, &self.t), chosen == Some(basis)))
            .collect()
    }

    /// The day shown, UTC; `None` is now.
    pub fn as_of_day(&self) -> Option<Date> {
        self.as_of.and_then(|as_of| as_of.at).and_then(day_of)
    }

    /// One sentence that names the day and the basis, if the page does not show now.
    pub fn as_of_note(&self) -> Option<Markup> {
        let as_of = self.as_of?;
        let date = self.t.date_text(self.as_of_day()?);
        Some(Markup::text(match as_of.basis {
            Basis::Claimed => self.t.shell_note_claimed(date),
            Basis::Proven => self.t.shell_note_proven(date),
            Basis::Here => self.t.shell_note_here(date),
        }))
    }

    /// This page without a day.
    pub fn now_href(&self) -> String {
        self.asked.query.only(|key| !matches!(key, "as_of" | "basis")).on(&self.asked.path)
    }
}

#[cfg(test)]
mod tests {
    use super::ZONES;

    #[test]
    fn every_zone_proposed_is_known() {
        for zone in ZONES {
            assert_eq!(jiff::tz::TimeZone::get(zone).unwrap().iana_name(), Some(zone));
        }
    }
}
