//! What every page of the node shares: the frame around it, its links, tables, tags, forms and error pages.
//!
//! It draws what it is given. It never decides what a reader may see, reads no database, no clock and no
//! socket, and writes no inline script or style: pages run under [`CONTENT_SECURITY_POLICY`].
//!
//! # Writing a page
//!
//! A page is a struct with a field `page: Page` and a template beside the code that extends the frame:
//!
//! ```
//! use askama::Template;
//! use node::face::Face;
//! use node::layout::{Asked, Desk, Page, RequestParts, Shell};
//! # use node::i18n::Lang;
//!
//! #[derive(Template)]
//! #[template(ext = "html", source = r#"
//! {% extends "layout/templates/base.html" %}
//! {% block main %}<section class="panel"><h2>{{ page.t.table_filter() }}</h2>{{ day }}</section>{% endblock %}
//! "#)] // in the crate: #[template(path = "desks/situation/templates/place.html")]
//! struct PlacePage {
//!     page: Page,
//!     day: node::layout::Markup,
//! }
//!
//! let shell = Shell::new("Ministry of Health", "moh.chn.example", Face::Public);
//! let parts = RequestParts { path: "/situation/JPN", query: "lang=fr", ..RequestParts::default() };
//! let asked = Asked::new(parts, Lang::En, jiff::tz::TimeZone::UTC);
//! let as_of = asked.as_of().expect("no day was asked for"); // else: error_page(…)
//! let title = asked.t.shell_situation();
//! let page = Page::new(&shell, &asked, title)
//!     .on_desk(Desk::Situation)
//!     .below("/situation", asked.t.shell_situation())
//!     .as_of(as_of);
//! let day = asked.t.date(jiff::civil::date(2020, 5, 31));
//! let html = PlacePage { page, day }.render().unwrap();
//! assert!(html.contains("<html lang=\"fr\" dir=\"ltr\""));
//! ```
//!
//! - Words: `{{ page.t.situation_title() }}`; add them to all six `locales/*/situation.ftl` (see [`crate::i18n`]).
//! - Figures, days, moments: `page.t.number(n)`, `.decimal(x, 1)`, `.percent(share, 1)`, `.date(d)`, `.moment(ts)`.
//! - Links inside the node: `{{ page.href("/network") }}`; never a bare path, or the reader loses language and day.
//! - Blocks to fill: `main`; `lead` (below the heading); `heading` (to replace `<h1>`); `class_main`.
//! - A list that is in memory sorts, filters and pages itself, and is a file besides: [`Table::list`], [`Lists`].
//! - Ready parts: [`Table`], [`component`]; what they write is [`Markup`] and is not escaped again.
//! - Curves and maps: [`crate::chart::DailyChart`] with [`crate::chart::summary`], [`crate::chart::sparkline`],
//!   [`crate::map::WorldMap`].
//! - A message with an element inside: `component::sentence(&t.seal_proven(SLOT), &t.moment(at))`.
//! - All parts can be looked at: `cargo run -p node --example gallery -- /tmp/gallery`.
//! - Refusals: [`Problem`], [`error_page()`].

mod asked;
pub mod asset;
pub mod component;
mod csv;
mod error_page;
mod key;
mod markup;
mod page;
mod problem;
mod query;
mod table;

pub use asked::{Asked, RequestParts};
pub use csv::Csv;
pub use error_page::{Refusal, error_page};
pub use key::Key;
pub use markup::Markup;
pub use page::{Crumb, Desk, Page, Shell};
pub use problem::Problem;
pub use query::Query;
pub use table::{Cell, Column, Lists, Paging, ROWS_PER_PAGE, Row, Sort, Table, TableQuery};

/// Value of `Content-Security-Policy` for every page.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests;
