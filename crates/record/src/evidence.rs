//! See `docs/protocol.md`.
