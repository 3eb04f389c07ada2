//! The tables every desk builds on: logs, entries, what they name, who saw them. All of it is replayed.

use store::db::Migration;

/// The index's own migrations, in order. Desks add theirs after these.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "index-1-core",
        sql: "
create table log (
  origin text primary key, authority text not null, audience text not null, year integer not null,
  readers text not null, own integer not null, size {bigint} not null, root text not null,
  checkpoint {bytes} not null, closed integer not null, policy text not null, root_version integer not null,
  state {bytes} not null
);
create table entry (
  origin text not null, pos {bigint} not null, leaf text not null, name text not null, author text not null,
  kind text not null, id text not null, edition integer not null, supersedes text, status text not null,
  mechanism text, released {bigint} not null, sealed integer not null, opened integer not null,
  valid integer not null, reason text, proven {bigint}, here {bigint}, bytes integer not null,
  withdrawn_by text, superseded_by text, conflicting integer not null, signer text, root_version integer,
  content integer not null,
  primary key (origin, pos)
);
create index entry_waiting on entry (content) where content = 0;
create index entry_name on entry (name);
create index entry_thing on entry (author, id, edition);
create index entry_released on entry (released);
create index entry_kind on entry (kind, released);
create table blob (
  origin text not null, pos {bigint} not null, n integer not null, media_type text not null,
  size {bigint} not null, sha256 text not null, lang text,
  primary key (origin, pos, n)
);
create index blob_sha256 on blob (sha256);
create table ref (
  origin text not null, pos {bigint} not null, n integer not null, relation text not null,
  to_author text not null, to_name text not null,
  primary key (origin, pos, n)
);
create index ref_to on ref (to_name);
create table about (
  origin text not null, pos {bigint} not null, n integer not null, what text not null, at text not null,
  primary key (origin, pos, n)
);
create table cosignature (
  origin text not null, size {bigint} not null, seen {bigint} not null, authority text not null,
  key_name text not null, time {bigint} not null,
  primary key (origin, seen, key_name)
);
create table receipt (
  origin text not null, authority text not null, size {bigint} not null, time {bigint} not null,
  primary key (origin, authority, size)
);
create table authority (
  authority text primary key, fingerprint text not null, code text, shown_name text not null,
  role text not null, standing text not null, endpoint text not null, root_version integer not null,
  root_until {bigint} not null
);
",
    },
    Migration {
        name: "index-2-names",
        sql: "
create table authority_name (
  authority text not null, lang text not null, name text not null,
  primary key (authority, lang)
);
",
    },
    Migration {
        name: "index-refusals",
        sql: "
create table refusal (
  origin text not null, pos {bigint} not null, fault text not null,
  primary key (origin, pos)
);
",
    },
    Migration {
        name: "index-3-expiry",
        sql: "
alter table entry add column expires {bigint};
alter table entry add column sealed_at {bigint};
create index entry_expires on entry (expires) where expires is not null;
create index entry_sealed_at on entry (sealed_at, expires) where expires is not null;
create index entry_forgotten on entry (content) where content > 3;
alter table log add column previous text;
",
    },
    Migration { name: "index-4-anchors", sql: "create index cosignature_time on cosignature (time)" },
];
