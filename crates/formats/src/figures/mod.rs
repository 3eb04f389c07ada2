//! Figures: what an authority states about a place in a period, read from and written to tables.
//!
//! A figure is (author, indicator, definition, place, reference period, disaggregation) and a value. The author is
//! who signs the record, and so is not in the table. A new period is a new figure, not a new edition of an old one. A
//! different value for a figure that was already stated is a correction, and a correction has a reason.
//!
//! Tables are CSV with an HXL tag row ([`crate::hxl`]), or with headers that are mapped or guessed; see [`Layout`] for how
//! columns are understood. Reading streams: memory is bounded by [`Limits`], not by the file. What is written
//! ([`write_hxl`]) is one canonical text for one set of figures.
//!
//! An empty cell states nothing. It is never zero.
//!
//! | HXL tag | indicator |
//! |---|---|
//! | `#affected+infected+confirmed+cumulative` (or `+total`), `+new` | `cases-confirmed-cumulative`, `cases-confirmed-new` |
//! | `#affected+infected+probable+cumulative`, `+new` | `cases-probable-cumulative`, `cases-probable-new` |
//! | `#affected+infected+suspected+cumulative`, `+new` | `cases-suspected-cumulative`, `cases-suspected-new` |
//! | `#affected+infected+killed+cumulative` (or `+dead`, `+deaths`), `+new` | `deaths-cumulative`, `deaths-new` |
//! | `#affected+infected+recovered+cumulative`, `+new` | `recovered-cumulative`, `recovered-new` |
//! | `#affected+infected+active`, `+hospitalised`, `+critical` | `cases-active`, `hospitalised`, `critical` |
//! | `#indicator+num+code_icu_beds` | `icu-beds`, as any other code of one's own |
//! | `#indicator+code` and `#indicator+num`, a row per figure | the code in the cell |
//!
//! `+f +m +i` and `+infants +children +adolescents +adults +elderly` on an indicator's tag, and columns such as
//! `#group+age`, are the disaggregation. The place is `#country+code`, `#country+name`, `#adm1+name`, `#region+name` or
//! `#loc+name`; the period `#date`, or `#date+start` and `#date+end`. `#meta+definition`, `#meta+reason` and
//! `#meta+source` say what their names say. Columns with other tags are listed as unused.
//!
//! This module never reads a clock or a file, keeps no figures, and does not judge whether a figure is true.

mod columns;
mod error;
mod figure;
mod indicator;
mod interpret;
mod layout;
mod ledger;
mod period;
mod reader;
mod value;
mod writer;

pub use columns::{ColumnUse, HeaderMap, How, Layout, Meaning};
pub use error::{ColumnAt, LayoutError, Problem, RowError};
pub use figure::{DefinitionId, Disaggregation, Figure, FigureError, FigureKey, Text};
pub use indicator::Indicator;
pub use ledger::{Assessment, Fall, ImportOptions, ImportReport, Ledger, Outcome, RowReport, dry_run};
pub use period::{Date, DateOrder, Period, PeriodError};
pub use reader::{FigureReader, Limits, ReadOptions, Row};
pub use value::{Numerals, Value, ValueError};
pub use writer::{WriteError, write_hxl};
