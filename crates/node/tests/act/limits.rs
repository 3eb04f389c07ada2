//! What no reader would fetch is not released; times of both headers; how long personal data may be kept.

use node::command::{Command, ImportCommand, ImportFigures};
use node::fault::Coded as _;
use node::own_log::Audience;
use node::release::{Content, Draft};
use node::{clock, operate};
use record::{Line, MAX_BLOB, Record, Ref, Relation, Time};
use tlog::Hash;

use crate::home::{Home, close, notice, only};

fn of_bytes(bytes: u64) -> Draft {
    let mut draft = notice("");
    draft.contents = vec![Content {
        media_type: "application/pdf".parse().unwrap(),
        lang: None,
        bytes: vec![7; usize::try_from(bytes).unwrap()],
    }];
    draft
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_no_reader_would_fetch_is_refused() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let refused = node.release(&Audience::Public, vec![of_bytes(MAX_BLOB + 1)]).await.unwrap_err();
    assert_eq!(refused.code(), "release-blob-too-large");
    // Sealed it is a little longer.
    assert_eq!(
        node.release(&own, vec![of_bytes(MAX_BLOB)]).await.unwrap_err().code(),
        "release-blob-too-large"
    );
    assert!(node.own_heads().await.unwrap().is_empty(), "nothing was released");
    node.release(&Audience::Public, vec![of_bytes(MAX_BLOB)]).await.expect("just small enough");
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_lasting_record_claims_one_time_in_both_headers_and_an_expiring_one_is_released_now() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let claimed: Time = "2020-01-03T10:00:00Z".parse().unwrap();
    let outer = async |draft: Draft| {
        let released = only(node.release(&own, vec![draft]).await.expect("released"));
        let bytes = node.entry_at(&released.origin.to_string(), released.index).await.unwrap();
        (Record::parse(&bytes).unwrap().header.released, released)
    };
    let mut replayed = notice("replayed");
    replayed.released = Some(claimed);
    let (time, released) = outer(replayed).await;
    assert_eq!(time, claimed, "the outer header claims what the inner one does");
    let before = clock::now();
    let mut personal = notice("personal");
    personal.expires = Some(before.saturating_add(20 * 86_400).date());
    let (time, _) = outer(personal).await;
    assert!(time >= before);
    // Released again, its place there is of now.
    let name = tlog::Hash::from_hex(&released.name).unwrap();
    let publish = node::command::Command::Record(node::command::RecordCommand::Publish {
        name: name.to_hex(),
        naming_sealed: false,
    });
    let public = operate::run(&node, publish).await.expect("published").json;
    let origin = public[0]["origin"].as_str().unwrap();
    let bytes = node.entry_at(origin, public[0]["index"].as_u64().unwrap()).await.unwrap();
    let record = Record::parse(&bytes).unwrap();
    assert_eq!(record.name(), name, "it is the same record");
    assert!(record.header.released >= before);
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_kept_at_most_four_hundred_days() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let after = |days: i64| {
        let mut draft = notice("personal");
        draft.expires = Some(clock::now().saturating_add(days * 86_400).date());
        vec![draft]
    };
    assert_eq!(node.release(&own, after(402)).await.unwrap_err().code(), "release-seal");
    assert_eq!(node.release(&own, after(0)).await.unwrap_err().code(), "release-expired");
    assert_eq!(
        node.release(&Audience::Public, after(20)).await.unwrap_err().code(),
        "release-expiring-public"
    );
    node.release(&own, after(399)).await.expect("released");
    close(node).await;
}

/// The index takes in no projections. What it does not know, an import would state again and again.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_refuses_what_no_reader_would_count() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.csv");
    for (days, accepted) in [(31, true), (32, false)] {
        let day = clock::now().saturating_add(days * 86_400).date();
        let tags = "#date,#country+code+v_iso3,#affected+infected+confirmed+cumulative\n";
        std::fs::write(&file, format!("{tags}{day},JPN,7\n")).unwrap();
        let args = ["figures", file.to_str().unwrap()];
        let command = <ImportFigures as clap::Args>::augment_args(clap::Command::new("figures"));
        let matches = command.get_matches_from(args);
        let import = <ImportFigures as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        let command = Command::Import(ImportCommand::Figures(import));
        let done = operate::run(&node, command).await.expect("a report");
        assert_eq!(done.refused, !accepted, "{}", done.text);
        assert_eq!(done.text.contains("projection"), !accepted, "{}", done.text);
    }
    close(node).await;
}

/// What everybody reads never tells that something sealed exists, and is of no kind that is for its readers alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_names_nothing_sealed() {
    let (home, other) = (Home::of("a.example").await, Home::of("b.example").await);
    home.confirm(&other).await;
    let node = home.open().await;
    let readers = Audience::of(&node.config.authority, ["b.example".parse().unwrap()]);
    let sealed = only(node.release(&readers, vec![notice("for one")]).await.expect("released"));
    let replies = |name: &str| {
        let mut draft = notice("about it");
        let (author, name) = (node.config.authority.clone(), Hash::from_hex(name).unwrap());
        draft.refs.push(Ref { relation: Relation::Replies, author, name });
        draft
    };
    let refused = node.release(&Audience::Public, vec![replies(&sealed.name)]).await.unwrap_err();
    assert_eq!(refused.code(), "release-names-sealed");
    node.release(&readers, vec![replies(&sealed.name)]).await.expect("its readers know it");
    let public = only(node.release(&Audience::Public, vec![notice("for all")]).await.expect("released"));
    node.release(&Audience::Public, vec![replies(&public.name)]).await.expect("everybody knows it");

    let mut offer = notice("an offer");
    offer.kind = "disclosure.offer".into();
    let refused = node.release(&Audience::Public, vec![offer]).await.unwrap_err();
    assert_eq!(refused.code(), "release-never-public");
    let mut salted = notice("salted");
    salted.own.push(Line::new("salt", "x").unwrap());
    let refused = node.release(&Audience::Public, vec![salted]).await.unwrap_err();
    assert_eq!(refused.code(), "release-sealed-line");
    close(node).await;
}
