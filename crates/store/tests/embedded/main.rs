//! What runs without a database server: in memory, on `SQLite`, in folders, and on an S3 server of its own.

#![allow(missing_docs)]

#[path = "../suite/mod.rs"]
mod suite;

mod crash;
mod databases;
mod files;
mod guard;
mod log;
mod s3;
