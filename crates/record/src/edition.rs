//! Editions and withdrawal: pure rules over facts of records that were judged valid.
