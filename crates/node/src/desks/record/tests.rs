//! What each face may see of records, and how a record's page says it.

use super::list;
use super::page::{Inclusion, View, record_page};
use super::query::{self, Entry, Order, Wanted};
use crate::asof::{AsOf, Basis};
use crate::desks::network::query as network;
use crate::desks::situation::names::Names;
use crate::face::Face;
use crate::i18n::{Lang, Locale};
use crate::index::Index;
use crate::layout::{Asked, Page, RequestParts, Shell};
use askama::Template as _;
use formats::places::PlaceNames;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use store::db::{Conflict, Db, DbOptions, Value};

const PUBLIC: &str = "moh.chn.example/log/public/2020";
const RESTRICTED: &str = "moh.chn.example/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2020";

fn name(number: u8) -> String {
    format!("{number:064x}")
}

/// Three public records, one sealed and opened, one sealed for others.
#[allow(clippy::too_many_lines)] // One table after the other.
async fn index() -> Db {
    let db = Db::connect("sqlite::memory:", DbOptions::default()).await.unwrap();
    Index::open(db.clone(), &"moh.jpn.example".parse().unwrap()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let columns = [
        "origin",
        "authority",
        "audience",
        "year",
        "readers",
        "own",
        "size",
        "root",
        "checkpoint",
        "closed",
        "policy",
        "root_version",
        "state",
    ];
    let log = |origin: &str, audience: &str, readers: &str| -> Vec<Value> {
        vec![
            origin.into(),
            "moh.chn.example".into(),
            audience.into(),
            2020_i64.into(),
            readers.into(),
            0_i64.into(),
            4_i64.into(),
            "root".into(),
            Value::Bytes(vec![]),
            0_i64.into(),
            name(99).into(),
            1_i64.into(),
            Value::Bytes(vec![]),
        ]
    };
    let logs = [log(PUBLIC, "public", "public"), log(RESTRICTED, "aaaa", "moh.chn.example moh.jpn.example")];
    tx.insert_many("log", &columns, &logs, Conflict::Fail).await.unwrap();
    let columns = [
        "origin",
        "pos",
        "leaf",
        "name",
        "author",
        "kind",
        "id",
        "edition",
        "status",
        "released",
        "sealed",
        "opened",
        "valid",
        "bytes",
        "content",
        "proven",
        "first_released",
        "rank",
        "critical",
        "revoked",
        "disowned",
        "faces",
        "listed",
        "marked",
    ];
    let entry =
        |origin: &str, pos: i64, number: u8, kind: &str, sealed: i64, opened: i64, proven: Option<i64>| {
            let faces = if sealed == 0 { 3_i64 } else { 2 * opened };
            let values: Vec<Value> = vec![
                origin.into(),
                pos.into(),
                name(number).into(),
                name(number).into(),
                "moh.chn.example".into(),
                kind.into(),
                format!("{number:026}").into(),
                1_i64.into(),
                "actual".into(),
                (1_580_000_000 + pos * 86_400).into(),
                sealed.into(),
                opened.into(),
                1_i64.into(),
                300_i64.into(),
                1_i64.into(),
                proven.into(),
                (1_580_000_000 + pos * 86_400).into(),
                (1_580_000_000 + pos * 86_400).into(),
                0_i64.into(),
                0_i64.into(),
                0_i64.into(),
                faces.into(),
                faces.into(),
                0_i64.into(),
            ];
            values
        };
    let entries = [
        entry(PUBLIC, 0, 1, "log.open", 0, 0, Some(1_580_000_100)),
        entry(PUBLIC, 1, 2, "situation.figures", 0, 0, Some(1_580_090_000)),
        entry(PUBLIC, 2, 3, "notice", 0, 0, None),
        entry(RESTRICTED, 1, 4, "notice", 1, 1, None),
        entry(RESTRICTED, 2, 5, "sealed", 1, 0, None),
    ];
    tx.insert_many("entry", &columns, &entries, Conflict::Fail).await.unwrap();
    let refs = [vec![
        Value::from(RESTRICTED),
        1_i64.into(),
        0_i64.into(),
        "replies".into(),
        "moh.chn.example".into(),
        name(2).into(),
    ]];
    let columns = ["origin", "pos", "n", "relation", "to_author", "to_name"];
    tx.insert_many("ref", &columns, &refs, Conflict::Fail).await.unwrap();
    tx.commit().await.unwrap();
    db
}

async fn listed(db: &Db, face: Face, as_of: AsOf, wanted: &Wanted) -> Vec<String> {
    let wanted = Wanted { limit: 50, ..wanted.clone() };
    let (entries, counted) = query::list(db, face, as_of, &wanted).await.unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), entries.len());
    entries.into_iter().map(|entry| entry.kind).collect()
}

#[tokio::test]
async fn of_what_was_erased_here_its_readers_see_the_outer_header() {
    let db = index().await;
    let sql = "update entry set content = 4, faces = 2, listed = 2, expires = $1 where name = $2";
    db.run(sql, &[1_580_500_000_i64.into(), name(5).into()]).await.unwrap();
    assert!(query::find(&db, Face::Public, AsOf::default(), &name(5)).await.unwrap().is_empty());
    let found = query::find(&db, Face::Inside, AsOf::default(), &name(5)).await.unwrap();
    assert_eq!((found[0].kind.as_str(), found[0].is_erased()), ("sealed", true));
    assert_eq!(found[0].expires, Some(1_580_500_000));
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let tags: Vec<String> =
        super::page::tags(&t, &found[0], found[0].sealed).iter().map(ToString::to_string).collect();
    assert!(tags.iter().any(|tag| tag.contains("Expired")), "{tags:?}");
}

#[tokio::test]
async fn what_is_sealed_for_others_is_nowhere() {
    let db = index().await;
    let (all, now) = (Wanted::default(), AsOf::default());
    assert_eq!(listed(&db, Face::Public, now, &all).await, ["log.open", "situation.figures", "notice"]);
    assert_eq!(listed(&db, Face::Inside, now, &all).await.len(), 4);
    for (face, number, seen) in [
        (Face::Public, 4, false),
        (Face::Inside, 4, true),
        (Face::Public, 5, false),
        (Face::Inside, 5, false),
    ] {
        let found = query::find(&db, face, AsOf::default(), &name(number)).await.unwrap();
        assert_eq!(!found.is_empty(), seen, "{face:?} {number}");
    }
    let figures = query::find(&db, Face::Public, AsOf::default(), &name(2)).await.unwrap();
    let said = query::referred_by(&db, Face::Public, now, &figures[0]).await.unwrap();
    assert!(said.is_empty(), "a sealed reply is not hinted at");
    assert_eq!(query::referred_by(&db, Face::Inside, now, &figures[0]).await.unwrap().len(), 1);
}

/// One record in two logs: released sealed, and proven in the public log only.
#[tokio::test]
async fn a_record_of_several_places_has_the_earliest_of_their_times() {
    let db = index().await;
    let sql = "update entry set name = $1, released = 1579000000, here = 1579000500, listed = 2
               where origin = $2 and pos = 1";
    db.run(sql, &[name(2).into(), RESTRICTED.into()]).await.unwrap();
    db.run("update entry set listed = 1 where origin = $1 and pos = 1", &[PUBLIC.into()]).await.unwrap();
    let places = query::find(&db, Face::Inside, AsOf::default(), &name(2)).await.unwrap();
    assert_eq!(places.len(), 2);
    let record = query::record_at(&places).unwrap();
    assert_eq!((record.origin.as_str(), record.released), (PUBLIC, 1_579_000_000));
    assert_eq!((record.proven, record.here), (Some(1_580_090_000), Some(1_579_000_500)));
    let wanted = Wanted { limit: 50, ..Wanted::default() };
    for (basis, at) in
        [(Basis::Claimed, None), (Basis::Proven, Some(1_580_090_000)), (Basis::Here, Some(1_579_000_500))]
    {
        let as_of = AsOf { basis, at };
        let (listed, _) = query::list(&db, Face::Inside, as_of, &wanted).await.unwrap();
        let found: Vec<_> = listed.iter().filter(|entry| entry.name == name(2)).collect();
        assert_eq!(found.len(), 1, "{basis}");
        assert_eq!((found[0].proven, found[0].here), (Some(1_580_090_000), Some(1_579_000_500)), "{basis}");
    }
    // What the public may not see lends it no time.
    let (listed, _) = query::list(&db, Face::Public, AsOf::default(), &wanted).await.unwrap();
    let public = listed.iter().find(|entry| entry.name == name(2)).unwrap();
    assert_eq!((public.here, public.released > 1_579_000_000), (None, true));
}

#[tokio::test]
async fn the_public_sees_public_logs_and_what_they_hold() {
    let db = index().await;
    let logs = network::logs(&db, Face::Public, None).await.unwrap();
    assert_eq!(logs.iter().map(|log| log.origin.as_str()).collect::<Vec<_>>(), [PUBLIC]);
    assert!(network::log_of(&db, Face::Public, RESTRICTED).await.unwrap().is_none());
    let kinds = network::kinds(&db, Face::Inside, AsOf::default(), RESTRICTED).await.unwrap();
    assert_eq!(kinds, [("notice".to_owned(), 1)]);
}

#[tokio::test]
async fn lists_filter_sort_and_rewind() {
    let db = index().await;
    let now = AsOf::default();
    let notices = Wanted { kind: Some("notice".into()), ..Wanted::default() };
    assert_eq!(listed(&db, Face::Public, now, &notices).await, ["notice"]);
    let text = Wanted { text: "SITUATION".into(), ..Wanted::default() };
    assert_eq!(listed(&db, Face::Public, now, &text).await, ["situation.figures"]);
    let percent = Wanted { text: "%".into(), ..Wanted::default() };
    assert!(listed(&db, Face::Public, now, &percent).await.is_empty(), "a text is taken as it is");
    let proven = AsOf { basis: Basis::Proven, at: Some(1_580_000_200) };
    assert_eq!(listed(&db, Face::Public, proven, &Wanted::default()).await, ["log.open"]);
    let newest = Wanted { order: Order::Released, descending: true, ..Wanted::default() };
    assert_eq!(listed(&db, Face::Public, now, &newest).await[0], "notice");
}

#[tokio::test]
async fn a_records_page_says_what_proves_it_in_every_language() {
    let db = index().await;
    let entries: Vec<Entry> = query::find(&db, Face::Public, AsOf::default(), &name(2)).await.unwrap();
    let entry = entries[0].clone();
    let (places, known) = (PlaceNames::bundled(), BTreeMap::new());
    for lang in Lang::ALL {
        let asked =
            Asked::new(RequestParts { path: "/record/x", ..RequestParts::default() }, lang, TimeZone::UTC);
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &known };
        let shell = Shell::new("Ministry", "moh.jpn.example", Face::Public);
        let view = View {
            entries: entries.clone(),
            blobs: Vec::new(),
            about: vec![("event".into(), "2020-01-08".into())],
            refers_to: Vec::new(),
            referred_by: query::referred_by(&db, Face::Inside, AsOf::default(), &entry).await.unwrap(),
            witnesses: Vec::new(),
            holders: Vec::new(),
            inclusion: Some(Inclusion { size: 4, root: "root".into(), path: vec![name(7), name(8)] }),
            raw: Some("concord.record/v1\n<author>".into()),
            inner: Some("concord.sealed/v1\nkind notice".into()),
            refusal: None,
            figures: None,
            signed_after: None,
        };
        let page = Page::new(&shell, &asked, "x");
        let html = record_page(page, &names, &view, &entry).unwrap().render().unwrap();
        let said = [
            &*t.record_no_witness(),
            &name(8),
            "concord.record/v1",
            "concord.sealed/v1",
            "&#60;author&#62;",
            "2020-01-08",
            &*t.record_about_event(),
        ];
        for said in said {
            assert!(html.contains(said), "{said} in {}", lang.code());
        }
        assert!(html.contains(&format!("/record/{}/evidence", name(2))));
    }
}

#[test]
fn a_list_refuses_an_order_it_does_not_have() {
    let parts = RequestParts { path: "/records", query: "sort=secret", ..RequestParts::default() };
    let asked = Asked::new(parts, Lang::En, TimeZone::UTC);
    assert_eq!(list::wanted(&asked, false).unwrap_err().code(), "sort-column");
}
