//! Numbers of editions are given one at a time, and an edition goes only to who was given the one before.

use std::collections::BTreeSet;

use node::command::{Command, RecordCommand};
use node::fault::Coded as _;
use node::operate;
use node::own_log::Audience;
use node::release::{MOST_PLACES, Thing};

use crate::home::{Home, close, databases, editions, notice, only};

/// Twenty at once on each database; on the old code all of them were edition 2.
#[tokio::test(flavor = "multi_thread")]
async fn releases_of_one_thing_at_once_are_a_chain() {
    for database in databases("chain") {
        let home = Home::on("a.example", database).await;
        let node = home.open().await;
        let first = only(node.release(&Audience::Public, vec![notice("first")]).await.expect("released"));
        let mut tasks = Vec::new();
        for n in 0..20 {
            let (node, id) = (node.clone(), first.id);
            tasks.push(tokio::spawn(async move {
                let mut draft = notice(&format!("number {n}"));
                // Every other one is something new: it must not disturb the numbers.
                if n % 2 == 0 {
                    draft.thing = Thing::NextOf(id);
                }
                node.release(&Audience::Public, vec![draft]).await.expect("released")
            }));
        }
        for task in tasks {
            task.await.expect("it ends");
        }
        let chain = editions(&node, first.id).await;
        let numbers: Vec<i64> = chain.iter().map(|(edition, ..)| *edition).collect();
        assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (1..=11).collect());
        assert_eq!(numbers.len(), 11, "each number once: {numbers:?}");
        let mut by_number = chain.clone();
        by_number.sort();
        for pair in by_number.windows(2) {
            assert_eq!(pair[1].2.as_deref(), Some(pair[0].1.as_str()), "each names the one before");
        }
        close(node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_editions_in_one_act_follow_each_other() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let first = only(node.release(&Audience::Public, vec![notice("first")]).await.expect("released"));
    let next = |text: &str| {
        let mut draft = notice(text);
        draft.thing = Thing::NextOf(first.id);
        draft
    };
    node.release(&Audience::Public, vec![next("second"), next("third")]).await.expect("released");
    let numbers: Vec<i64> = editions(&node, first.id).await.iter().map(|(edition, ..)| *edition).collect();
    assert_eq!(numbers, [1, 2, 3]);
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_goes_only_to_who_was_given_the_one_before() {
    let home = Home::of("a.example").await;
    let (b, c) = (Home::of("b.example").await, Home::of("c.example").await);
    home.confirm(&b).await;
    home.confirm(&c).await;
    let node = home.open().await;
    let me = node.config.authority.clone();
    let readers = |names: &[&str]| Audience::of(&me, names.iter().map(|name| name.parse().unwrap()));
    let first = only(node.release(&readers(&["b.example"]), vec![notice("first")]).await.expect("released"));
    let next = || {
        let mut draft = notice("second");
        draft.thing = Thing::NextOf(first.id);
        vec![draft]
    };
    let refused = node.release(&readers(&["b.example", "c.example"]), next()).await.unwrap_err();
    assert_eq!(refused.code(), "release-edition-readers");
    assert!(
        refused.to_string().contains("c.example") && refused.to_string().contains(&first.name),
        "{refused}"
    );
    let refused = node.release(&Audience::Public, next()).await.unwrap_err();
    assert_eq!(refused.code(), "release-edition-public");
    // To fewer it may go.
    node.release(&readers(&[]), next()).await.expect("released");
    let unknown = record::Ulid::new(1, [7; 10]);
    let mut draft = notice("of nothing");
    draft.thing = Thing::NextOf(unknown);
    assert_eq!(node.release(&Audience::Public, vec![draft]).await.unwrap_err().code(), "id-unknown");
    close(node).await;
}

/// More of them than count anywhere are refused, however many come in one act; withdrawing the thing is still possible.
#[tokio::test(flavor = "multi_thread")]
async fn editions_beyond_those_that_count_are_refused_and_the_thing_can_still_be_withdrawn() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let first = only(node.release(&Audience::Public, vec![notice("first")]).await.expect("released"));
    let next = || {
        let mut draft = notice("next");
        draft.thing = Thing::NextOf(first.id);
        draft
    };
    for (many, fits) in [(MOST_PLACES, false), (MOST_PLACES - 1, true), (1, false)] {
        let drafts = std::iter::repeat_with(next).take(many).collect();
        let released = node.release(&Audience::Public, drafts).await;
        if fits {
            assert_eq!(released.expect("released").len(), many);
        } else {
            assert_eq!(released.unwrap_err().code(), "release-thing-full");
        }
    }
    let withdraw = RecordCommand::Withdraw { name: first.name.clone(), texts: vec!["en=by mistake".into()] };
    let done = operate::run(&node, Command::Record(withdraw)).await.expect("withdrawn").json;
    assert_eq!(done["released"].as_array().map(Vec::len), Some(1), "{done}");
    close(node).await;
}
