//! One header has one text and one text one header.

use proptest::prelude::*;
use record::header::{COSIGNATURE, MAX_EXPIRES_DAYS};
use record::{
    Anchor, AudienceId, Authority, BlobRef, Date, Header, HeaderError, Lang, Line, MechanismId, MediaType,
    Origin, Record, Ref, Relation, Role, Status, Time, TimeOrDate, Ulid, Use,
};
use tlog::{Check, Hash, Signer};

use crate::fixture::{MOH, time};

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn authority() -> impl Strategy<Value = Authority> {
    "[a-z0-9]{1,8}(-[a-z0-9]{1,3})?(\\.[a-z0-9]{1,8}){0,2}\\.[a-z][a-z0-9]{0,7}"
        .prop_map(|text| text.parse().expect("an authority"))
}

fn a_time() -> impl Strategy<Value = Time> {
    (-2_208_988_800_i64..=253_402_300_799).prop_map(|seconds| Time::from_posix(seconds).expect("in range"))
}

fn date() -> impl Strategy<Value = Date> {
    (-25_567_i32..=2_932_896).prop_map(|days| Date::from_days(days).expect("in range"))
}

fn origin() -> impl Strategy<Value = Origin> {
    let audience = prop_oneof![
        Just(AudienceId::Public),
        any::<[u8; 16]>().prop_map(AudienceId::random),
        "[a-z2-7]{26}".prop_map(AudienceId::Restricted)
    ];
    (authority(), audience, 1900_u16..=9999, proptest::option::of(1_u32..))
        .prop_map(|(authority, audience, year, n)| Origin { authority, audience, year, n })
}

fn media_type() -> impl Strategy<Value = MediaType> {
    "[a-z]{2,12}/[a-z0-9.+-]{1,20}(;[a-z]{1,8}=[A-Za-z0-9.:/-]{1,12}){0,2}"
        .prop_map(|text| text.parse().expect("a media type"))
}

fn blob() -> impl Strategy<Value = BlobRef> {
    let lang =
        "[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}".prop_map(|text| text.parse::<Lang>().expect("a language"));
    (media_type(), any::<u64>(), hash(), proptest::option::of(lang))
        .prop_map(|(media_type, size, sha256, lang)| BlobRef { media_type, size, sha256, lang })
}

fn reference() -> impl Strategy<Value = Ref> {
    (proptest::sample::select(Relation::ALL), authority(), hash()).prop_map(|(relation, author, name)| Ref {
        relation,
        author,
        name,
    })
}

fn anchor() -> impl Strategy<Value = Anchor> {
    (origin(), any::<u64>(), hash(), authority(), any::<[u8; 32]>()).prop_map(
        |(origin, size, root, witness, bytes)| {
            let mut cosignature = [7; COSIGNATURE];
            cosignature[..32].copy_from_slice(&bytes);
            Anchor { origin, size, root, witness: format!("{witness}/witness/3"), cosignature }
        },
    )
}

fn usage() -> impl Strategy<Value = Use> {
    prop_oneof![
        Just(Use::Attribution),
        Just(Use::ForResponseOnly),
        date().prop_map(Use::NoRedistributionUntil)
    ]
}

fn own() -> impl Strategy<Value = Vec<Line>> {
    let line = ("!?own-[a-z]{1,6}", "[!-~]{1,12}( [!-~]{1,12}){0,3}");
    proptest::collection::vec(line.prop_map(|(key, value)| Line::new(key, value).expect("a line")), 0..5)
}

prop_compose! {
    /// Headers of clear records.
    pub fn header()(
        (author, log, id, released) in (authority(), origin(), any::<(u64, [u8; 10])>(), a_time()),
        kind in "situation\\.[a-z]{1,10}",
        supersedes in proptest::option::of((2_u32.., hash())),
        status in proptest::sample::select(Status::ALL),
        mechanism in proptest::option::of((authority(), "[a-z0-9][a-z0-9-]{0,20}")),
        about in proptest::collection::vec(
            ("[a-z]{1,10}", prop_oneof![a_time().prop_map(TimeOrDate::Time), date().prop_map(TimeOrDate::Date)]),
            0..3,
        ),
        usage in proptest::option::of(usage()),
        refs in proptest::collection::vec(reference(), 0..3),
        anchors in proptest::collection::vec(anchor(), 0..2),
        blobs in proptest::collection::vec(blob(), 0..4),
        own in own(),
    ) -> Header {
        Header {
            author, log, kind, id: Ulid::new(id.0, id.1),
            edition: supersedes.map_or(1, |(edition, _)| edition),
            supersedes: supersedes.map(|(_, name)| name),
            released, status,
            mechanism: mechanism.map(|(author, name)| MechanismId::new(&author, &name).expect("an id")),
            about, usage, refs, anchors, blobs, expires: None, own,
        }
    }
}

proptest! {
    #[test]
    fn a_header_comes_back_from_its_text(header in header()) {
        prop_assert_eq!(Header::parse_text(&header.to_text()), Ok(header));
    }

    #[test]
    fn an_inner_header_comes_back_from_its_text(header in header(), salt in any::<[u8; 32]>(), days in 1_i32..=399) {
        let day = header.released.date().days() + days;
        let header = Header { expires: Date::from_days(day), ..header };
        let text = header.to_inner_text(&salt);
        prop_assert_eq!(Header::parse_inner_text(&text, &header.log), Ok((header, salt)));
    }

    #[test]
    fn two_headers_never_share_a_text(one in header(), other in header()) {
        prop_assert_eq!(one == other, one.to_text() == other.to_text());
    }

    #[test]
    fn a_changed_byte_is_another_header_or_none(header in header(), at in any::<prop::sample::Index>(), to in 0_u8..128) {
        let mut bytes = header.to_text().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let changed = String::from_utf8(bytes).expect("ASCII");
        if let Ok(parsed) = Header::parse_text(&changed) {
            prop_assert_eq!(parsed.to_text(), changed);
            prop_assert_ne!(parsed, header);
        }
    }

    #[test]
    fn an_origin_comes_back(origin in origin()) {
        prop_assert_eq!(origin.to_string().parse(), Ok(origin));
    }

    #[test]
    fn times_dates_and_ulids_come_back(time in a_time(), date in date(), ms in any::<u64>(), random in any::<[u8; 10]>()) {
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        prop_assert_eq!(date.to_string().parse(), Ok(date));
        let ulid = Ulid::new(ms, random);
        prop_assert_eq!(ulid.to_string().parse(), Ok(ulid));
        prop_assert_eq!(ulid.milliseconds(), ms & 0xffff_ffff_ffff);
    }

    #[test]
    fn a_changed_byte_never_verifies(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let record = MOH.sign(&MOH.header(&MOH.public_log(), "notice", 5), 1);
        let mut bytes = record.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let key = MOH.signer(Role::Author, 1);
        if let Ok(changed) = Record::parse(&bytes) {
            prop_assert_ne!(changed.note.check(key.key()), Check::Valid);
        }
    }
}

const TEXT: &str = "concord.record/v1\nauthor moh.chn.example\nlog moh.chn.example/log/public/2020\n\
    kind situation.figures\nid 01JD0000000000000000000000\nedition 1\nreleased 2020-01-22T14:00:00Z\n\
    status actual\n";

#[test]
fn the_documented_example_parses() {
    let name = "c".repeat(64);
    let text = TEXT.replace("edition 1\n", &format!("edition 3\nsupersedes {name}\n"))
        + "mechanism moh.chn.example/trilateral\nabout event 2020-01-08\nuse attribution\n"
        + &format!("ref replies who.example/{name}\nblob text/csv;schema=hxl 48211 {name} en\n")
        + "sequence MN908947 wuhan-hu-1\n!seal-of-office yes\n";
    let header = Header::parse_text(&text).expect("sound");
    assert_eq!(header.edition, 3);
    assert_eq!(header.refs[0].relation, Relation::Replies);
    assert_eq!(header.blobs[0].media_type.parameter("schema"), Some("hxl"));
    assert_eq!(header.own_once("sequence"), Some("MN908947 wuhan-hu-1"));
    assert!(header.critical_unknown(&[]));
    assert!(!header.critical_unknown(&["!seal-of-office"]));
    assert_eq!(header.to_text(), text);
}

#[test]
fn a_second_spelling_is_refused() {
    let spellings = [
        ("edition 1", "edition 01"),
        ("edition 1", "edition 0"),
        ("edition 1", "edition +1"),
        ("edition 1", "edition 1 "),
        ("edition 1", "edition  1"),
        ("edition 1", "edition\t1"),
        ("edition 1", "edition 1\r"),
        ("edition 1\n", "edition 1\n\n"),
        ("edition 1\n", "edition 1\nedition 1\n"),
        ("status actual", "status Actual"),
        ("status actual\n", "status actual"),
        ("status actual\n", "status actual\nstatus test\n"),
        ("status actual\n", "status actual\nx\n"),
        ("status actual\n", "status actual\nuse attribution\nabout event 2020-01-08\n"),
        ("status actual\n", "status actual\nown line\nuse attribution\n"),
        ("01JD", "01jd"),
        ("01JD", "81JD"),
        ("01JD", "01JU"),
        ("14:00:00Z", "14:00:00+00:00"),
        ("14:00:00Z", "24:00:00Z"),
        ("14:00:00Z", "14:00:60Z"),
        ("2020-01-22T", "2020-02-30T"),
        ("2020-01-22T", "1899-12-31T"),
        ("author moh.chn.example", "author MOH.chn.example"),
        ("author moh.chn.example", "author moh"),
        ("author moh.chn.example", "author moh..example"),
        ("author moh.chn.example", "author -moh.chn.example"),
        ("log/public/2020", "log/public/2020.0"),
        ("log/public/2020", "log/public/2020.01"),
        ("log/public/2020", "log/public/2020/"),
        ("log/public/2020", "log/Public/2020"),
        ("log/public/2020", "log/abcdefghijklmnopqrstuvwxy1/2020"),
        ("kind situation.figures", "kind situation..figures"),
        ("kind situation.figures", "kind Situation.figures"),
        ("concord.record/v1", "concord.record/v2"),
        ("edition 1", "edition 2"),
    ];
    assert!(Header::parse_text(TEXT).is_ok());
    for (right, wrong) in spellings {
        let text = TEXT.replacen(right, wrong, 1);
        assert_ne!(text, TEXT, "{right} stands in the example");
        assert!(Header::parse_text(&text).is_err(), "{wrong:?} must be refused");
    }
}

#[test]
fn an_error_names_line_and_field() {
    let text = TEXT.replace("status actual", "status Actual");
    let error = Header::parse_text(&text).expect_err("refused");
    assert!(matches!(&error, HeaderError::Field { line: 8, key, .. } if key == "status"), "{error}");
}

#[test]
fn clear_records_carry_no_personal_data() {
    let text = format!("{TEXT}expires 2020-06-01\n");
    assert!(matches!(Header::parse_text(&text), Err(HeaderError::Forbidden { key, .. }) if key == "expires"));
}

#[test]
fn personal_data_lives_at_most_400_days() {
    let log = MOH.restricted_log();
    let last = time("2026-11-22T10:00:00Z").date().days() + MAX_EXPIRES_DAYS;
    let sealed = |day| Header { expires: Date::from_days(day), ..MOH.sealed(&log, 1) };
    assert_eq!(sealed(last).check(), Ok(()));
    assert_eq!(sealed(last + 1).check(), Err(HeaderError::Expires { limit: MAX_EXPIRES_DAYS }));
}

#[test]
fn an_outer_header_says_no_more_than_a_carrier_may_know() {
    let outer = MOH.sealed(&MOH.restricted_log(), 1);
    assert_eq!(outer.check(), Ok(()));
    let telling = [
        Header { usage: Some(Use::Attribution), ..outer.clone() },
        Header { about: vec![("event".into(), "2020-01-08".parse().expect("a date"))], ..outer.clone() },
        Header { mechanism: "moh.chn.example/trilateral".parse().ok(), ..outer.clone() },
        Header { edition: 2, supersedes: Some(Hash([1; 32])), ..outer.clone() },
        Header { blobs: vec![], ..outer.clone() },
        Header { own: vec![], ..outer.clone() },
        Header { own: [outer.own.clone(), outer.own.clone()].concat(), ..outer.clone() },
    ];
    for header in telling {
        assert!(header.check().is_err(), "{}", header.to_text());
    }
}

#[test]
fn a_sealed_record_is_named_by_its_commitment() {
    let sealed = MOH.sign(&MOH.sealed(&MOH.restricted_log(), 1), 1);
    assert_eq!(Some(sealed.name()), sealed.commit());
    let clear = MOH.sign(&MOH.header(&MOH.public_log(), "notice", 1), 1);
    assert_eq!(clear.name(), tlog::leaf_hash(&clear.bytes));
}

#[test]
fn nothing_is_signed_that_does_not_parse_back() {
    let header = MOH.header(&MOH.public_log(), "notice\nstatus actual", 1);
    let signer = MOH.signer(Role::Author, 1);
    assert!(Record::sign(&header, &[&signer]).is_err());
    let header = Header { about: vec![("Event".into(), "2020-01-08".parse().expect("a date"))], ..header };
    assert!(Record::sign(&Header { kind: "notice".into(), ..header }, &[&signer]).is_err());
}

#[test]
fn a_record_has_at_most_256_lines() {
    let header = |lines: usize| {
        let own = (0..lines).map(|n| Line::new("own", n.to_string()).expect("a line")).collect();
        Header { own, ..MOH.header(&MOH.public_log(), "notice", 1) }
    };
    // Tag and seven required lines, one empty line, one signature line.
    let signer = MOH.signer(Role::Author, 1);
    assert!(Record::sign(&header(256 - 10), &[&signer]).is_ok());
    assert!(Record::sign(&header(256 - 9), &[&signer]).is_err());
}

/// RFC 1123, section 2.1: no top-level domain is a number, so that an address is told apart from a name.
#[test]
fn an_address_is_no_authority() {
    for address in ["192.0.2.1", "10.1", "1.2.3.0x7f", "127.0.0.0x", "moh.chn.2026", "1.1"] {
        assert!(address.parse::<Authority>().is_err(), "{address}");
    }
    for name in ["moh.chn.example", "3.moh.example", "192.0.2.1.example", "x.0xyz", "a.xn--p1ai", "a.b2"] {
        assert!(name.parse::<Authority>().is_ok(), "{name}");
    }
}
