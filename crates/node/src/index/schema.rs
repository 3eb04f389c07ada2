//! The tables every desk builds on: logs, entries, what they name, what stands, who saw them. All of it is replayed.

use store::db::Migration;

/// The index's own migrations, in order. Desks add theirs after these.
///
/// An index can be replayed, so that a change of its form is a new set of tables and no conversion: the first step
/// drops every table that an older version made.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "index-10-anew",
        sql: "
drop table if exists log; drop table if exists entry; drop table if exists blob; drop table if exists ref;
drop table if exists about; drop table if exists cosignature; drop table if exists receipt;
drop table if exists authority; drop table if exists authority_name; drop table if exists refusal;
drop table if exists standing; drop table if exists unsettled; drop table if exists unsettled_all;
drop table if exists sealed_mechanism_fact;
drop table if exists situation_release; drop table if exists situation_series;
drop table if exists situation_statement; drop table if exists sealed_situation_release;
drop table if exists sealed_situation_series; drop table if exists sealed_situation_statement;
",
    },
    // `latest` is the latest time that the log claims so far, and `before` the one that the log before it ends with.
    // Things that wait to be settled stand in `unsettled`; none does when nothing is under way (`settling.rs`).
    // What `faces`, `listed` and `marked` of an entry mean stands in `standing.rs`, what `content` means in `take.rs`.
    Migration {
        name: "index-10-core",
        sql: "
create table log (
  origin {key} primary key, authority {key} not null, audience text not null, year integer not null,
  readers text not null, own integer not null, size {bigint} not null, root text not null,
  checkpoint {bytes} not null, closed integer not null, policy text not null, root_version integer not null,
  state {bytes} not null, previous {key}, previous_size {bigint}, before {bigint}, latest {bigint}
);
create index log_authority on log (authority);
create index log_previous on log (previous) where previous is not null;
create table entry (
  origin {key} not null, pos {bigint} not null, leaf {key} not null, name {key} not null, author {key} not null,
  kind {key} not null, id {key} not null, edition {bigint} not null, supersedes text, status {key} not null,
  mechanism text, released {bigint} not null, first_released {bigint} not null, rank {bigint} not null,
  sealed integer not null, opened integer not null, valid integer not null, reason text,
  proven {bigint}, here {bigint}, bytes integer not null, signer text, root_version integer,
  content integer not null, expires {bigint}, critical integer not null,
  revoked integer not null, disowned integer not null,
  faces integer not null, listed integer not null, marked integer not null,
  primary key (origin, pos)
);
create index entry_waiting on entry (content) where content in (0, 6);
create index entry_name on entry (name, author);
create index entry_thing on entry (author, id, origin, pos);
create index entry_released on entry (released);
create index entry_listed on entry (released desc, origin, pos desc, listed) where valid = 1;
create index entry_refused on entry (author) where content = 3;
create index entry_critical on entry (author) where critical = 1;
create index entry_kind on entry (kind, released);
create index entry_expires on entry (expires) where expires is not null;
create index entry_forgotten on entry (content) where content in (4, 5);
create index entry_revoked on entry (author, origin, pos) where revoked = 1;
create index entry_marked on entry (author) where marked <> 0;
create index entry_root on entry (author) where kind in ('log.open', 'log.root');
create table blob (
  origin {key} not null, pos {bigint} not null, n integer not null, media_type text not null,
  size {bigint} not null, sha256 {key} not null, lang text,
  primary key (origin, pos, n)
);
create index blob_sha256 on blob (sha256);
create table ref (
  origin {key} not null, pos {bigint} not null, n integer not null, relation text not null,
  to_author text not null, to_name {key} not null,
  primary key (origin, pos, n)
);
create index ref_to on ref (to_name);
create table about (
  origin {key} not null, pos {bigint} not null, n integer not null, what text not null, at text not null,
  primary key (origin, pos, n)
);
create table refusal (
  origin {key} not null, pos {bigint} not null, fault text not null,
  primary key (origin, pos)
);
create table standing (
  author {key} not null, name {key} not null, id {key} not null, status {key} not null,
  face integer not null, basis integer not null, start {bigint} not null, stop {bigint},
  state integer not null, by_name text,
  primary key (author, name, basis, face, start)
);
create index standing_thing on standing (author, id, status, name, basis, face, start);
create table unsettled (
  author {key} not null, id {key} not null, status {key} not null,
  primary key (author, id, status)
);
create table unsettled_all (
  author {key} not null, what integer not null, n {bigint} not null,
  primary key (author, what)
);
create table cosignature (
  origin {key} not null, size {bigint} not null, seen {bigint} not null, authority text not null,
  key_name text not null, time {bigint} not null,
  primary key (origin, seen, key_name)
);
create index cosignature_time on cosignature (time);
create table receipt (
  origin {key} not null, authority {key} not null, size {bigint} not null, time {bigint} not null,
  primary key (origin, authority, size)
);
create table authority (
  authority text primary key, fingerprint text not null, code text, shown_name text not null,
  role text not null, standing text not null, endpoint text not null, root_version integer not null,
  root_until {bigint} not null, left_out integer not null
);
create table authority_name (
  authority text not null, lang text not null, name text not null,
  primary key (authority, lang)
);
",
    },
];

/// Every table that is replayed from records, for whoever copies or compares a whole index.
pub const TABLES: [&str; 9] =
    ["log", "entry", "blob", "ref", "about", "refusal", "standing", "cosignature", "receipt"];
