//! What authorities say to each other: trust roots, records, the judgement of logs, sealing, charters,
//! proven time and evidence files, exactly as `docs/protocol.md` fixes their bytes.
//!
//! The crate never does I/O and never reads a clock: times are arguments. Randomness is drawn only by the
//! age library, for its keys; ids and salts are arguments. Every parser of foreign bytes has a size limit, accepts only
//! the one canonical form, and refuses with a typed error; none panics.

pub mod charter;
pub mod edition;
pub mod encoding;
pub mod evidence;
pub mod header;
pub mod kind;
pub mod lines;
pub mod logstate;
pub mod origin;
pub mod provenance;
pub mod record;
pub mod refusal;
pub mod root;
pub mod seal;

pub use encoding::{Authority, Date, EncodingError, Fingerprint, Lang, MediaType, Time, Ulid};
pub use header::{Anchor, BlobRef, Header, HeaderError, MechanismId, Ref, Relation, Status, TimeOrDate, Use};
pub use lines::Line;
pub use logstate::{InvalidReason, Judged, LogOpen, LogState, NeedsRoot, Readers, Verdict};
pub use origin::{AudienceId, Origin};
pub use record::{MAX_BLOB, MAX_INNER_BLOB, MAX_RECORD, Record, RecordError};
pub use refusal::Refusal;
pub use root::{AgeRecipient, ListedKey, Role, RootChain, RootError, SignedRoot, TrustRoot};
