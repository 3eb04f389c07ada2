//! Releasing again, publishing, withdrawing: the same record in more places, and an end that reaches everybody.

use node::command::{Command, RecordCommand};
use node::fault::Coded as _;
use node::operate;
use node::own_log::Audience;
use node::release::{Draft, Thing};
use record::{Record, Ref, Relation, Status};
use tlog::hash::Hash;

use crate::home::{Home, close, notice, only};

#[tokio::test(flavor = "multi_thread")]
async fn a_later_reader_gets_the_same_record_and_a_withdrawal_reaches_all_who_have_it() {
    let home = Home::of("a.example").await;
    let (b, c) = (Home::of("b.example").await, Home::of("c.example").await);
    home.confirm(&b).await;
    home.confirm(&c).await;
    let node = home.open().await;
    let to = |names: &[&str]| Audience::of(&node.config.authority, names.iter().map(|n| n.parse().unwrap()));
    let ask = |command| operate::run(&node, Command::Record(command));
    let first = only(node.release(&to(&["b.example"]), vec![notice("first")]).await.expect("released"));
    let again = || RecordCommand::Again {
        name: first.name.clone(),
        to: vec!["c.example".parse().unwrap()],
        mechanism: None,
    };
    let placed = ask(again()).await.expect("released again").json;
    assert_eq!(placed[0]["name"], first.name.as_str());
    assert_ne!(placed[0]["origin"], first.origin.to_string().as_str());
    let twice = ask(again()).await.expect("they have it already").json;
    assert_eq!(twice, serde_json::json!([]));
    let shown = ask(RecordCommand::Show { name: first.name.clone() }).await.expect("shown").json;
    assert_eq!(shown["places"].as_array().unwrap().len(), 2);
    // Now both were given it, and a further edition may go to both.
    let mut second = notice("second");
    second.thing = Thing::NextOf(first.id);
    let second = only(node.release(&to(&["b.example", "c.example"]), vec![second]).await.expect("released"));

    let withdraw = RecordCommand::Withdraw { name: first.name.clone(), texts: vec!["en=by mistake".into()] };
    let done = ask(withdraw.clone()).await.expect("withdrawn").json;
    let released = done["released"].as_array().unwrap();
    assert_eq!(released.len(), 3, "one for each set of readers: {done}");
    let mut named = Vec::new();
    for one in released {
        let index = one["index"].as_u64().unwrap();
        let bytes = node.entry_at(one["origin"].as_str().unwrap(), index).await.unwrap();
        assert!(Record::parse(&bytes).unwrap().is_sealed(), "sealed about a sealed one");
        let sql = "select to_name from ref where origin = $1 and pos = $2 and relation = 'withdraws'";
        let values = [one["origin"].as_str().unwrap().into(), i64::try_from(index).unwrap().into()];
        named.push(node.index.db().rows(sql, &values).await.unwrap()[0].text(0).unwrap());
    }
    named.sort();
    let mut wanted = [first.name.clone(), first.name.clone(), second.name.clone()];
    wanted.sort();
    assert_eq!(named, wanted, "to each the newest edition that it was given");
    let once_more = ask(withdraw).await.expect("nothing is left to do").json;
    assert_eq!(once_more["released"], serde_json::json!([]));
    // It has ended: no edition follows, and nobody else gets it.
    let mut third = notice("third");
    third.thing = Thing::NextOf(first.id);
    assert_eq!(node.release(&to(&["b.example"]), vec![third]).await.unwrap_err().code(), "release-withdrawn");
    let publish = RecordCommand::Publish { name: first.name.clone(), naming_sealed: false };
    assert_eq!(ask(publish).await.unwrap_err().code(), "release-not-again");
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_names_nothing_that_stays_sealed_unless_it_is_meant() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let ask = |name: &str, naming_sealed| {
        let command = RecordCommand::Publish { name: name.to_owned(), naming_sealed };
        operate::run(&node, Command::Record(command))
    };
    let first = only(node.release(&own, vec![notice("first")]).await.expect("released"));
    let mut second = notice("second");
    second.thing = Thing::NextOf(first.id);
    let second = only(node.release(&own, vec![second]).await.expect("released"));
    let mut reply = notice("reply");
    let name = Hash::from_hex(&first.name).unwrap();
    reply.refs = vec![Ref { relation: Relation::Replies, author: node.config.authority.clone(), name }];
    let reply = only(node.release(&own, vec![reply]).await.expect("released"));
    for naming in [&second, &reply] {
        let refused = ask(&naming.name, false).await.unwrap_err();
        assert_eq!(refused.code(), "release-names-sealed");
        assert!(refused.to_string().contains(&first.name), "{refused}");
    }
    ask(&second.name, true).await.expect("meant");
    ask(&first.name, false).await.expect("it names nobody");
    ask(&reply.name, false).await.expect("what it names is public by now");
    close(node).await;
}

/// Forgotten at this node alone, or before what it ends, an edition or a withdrawal would let the earlier one speak again.
#[tokio::test(flavor = "multi_thread")]
async fn what_ends_another_record_is_kept_as_long_as_that() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let ask = |command| operate::run(&node, Command::Record(command));
    let erase = |name: &str| ask(RecordCommand::Erase { name: name.to_owned() });
    let release = |draft: Draft| node.release(&own, vec![draft]);
    let day = |days: i64| Some(node::clock::now().saturating_add(days * 86_400).date());
    let edition = |text: &str, thing: Thing, expires| Draft { thing, expires, ..notice(text) };

    let first = only(release(notice("first")).await.expect("released"));
    let second = edition("second", Thing::NextOf(first.id), None);
    let second = only(release(second).await.expect("released"));
    assert_eq!(erase(&second.name).await.unwrap_err().code(), "erase-acts");
    let shown = ask(RecordCommand::Show { name: first.name.clone() }).await.expect("shown").json;
    assert_eq!(
        (shown["stands"].as_str(), shown["by"].as_str()),
        (Some("superseded"), Some(second.name.as_str()))
    );
    erase(&first.name).await.expect("nothing is before it");
    erase(&second.name).await.expect("what it ended is gone");
    let third = edition("third", Thing::NextOf(first.id), None);
    assert_eq!(release(third).await.unwrap_err().code(), "id-unknown");

    let ended = only(release(notice("ended")).await.expect("released"));
    let withdraw =
        RecordCommand::Withdraw { name: ended.name.clone(), texts: vec!["en=sent by mistake".into()] };
    let withdrawal = ask(withdraw).await.expect("withdrawn").json;
    let withdrawal = withdrawal["released"][0]["name"].as_str().unwrap();
    assert_eq!(erase(withdrawal).await.unwrap_err().code(), "erase-acts");
    erase(&ended.name).await.expect("erased");
    erase(withdrawal).await.expect("what it ended is gone");

    for (before, next, is_taken) in
        [(None, day(20), false), (day(20), day(10), false), (day(10), day(20), true)]
    {
        let first = only(release(edition("one", Thing::New, before)).await.expect("released"));
        let next = release(edition("two", Thing::NextOf(first.id), next)).await;
        let code = next.as_ref().err().map(|error| error.code().to_owned());
        assert_eq!(code.as_deref(), (!is_taken).then_some("release-expires-before"));
        if is_taken {
            let withdraw = RecordCommand::Withdraw { name: first.name.clone(), texts: Vec::new() };
            let withdrawal = ask(withdraw).await.expect("withdrawn").json;
            let name = withdrawal["released"][0]["name"].as_str().unwrap().to_owned();
            let shown = ask(RecordCommand::Show { name }).await.expect("shown").json;
            assert!(shown["expires"].as_str().unwrap().starts_with(&day(20).unwrap().to_string()), "{shown}");
        }
    }
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_its_first_readers_alone_is_never_released_again() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let own = Audience::of(&node.config.authority, []);
    let ask = |command| operate::run(&node, Command::Record(command));
    let mut personal = notice("personal");
    personal.expires = Some(node::clock::now().saturating_add(20 * 86_400).date());
    let offer = Draft { kind: "disclosure.offer".into(), ..notice("offer") };
    let unread = Draft { kind: "unread".into(), ..notice("why missing") };
    for draft in [personal, offer, unread] {
        let released = only(node.release(&own, vec![draft]).await.expect("released"));
        let publish = RecordCommand::Publish { name: released.name.clone(), naming_sealed: false };
        assert_eq!(ask(publish).await.unwrap_err().code(), "release-not-again", "{}", released.kind);
    }
    let public = only(node.release(&Audience::Public, vec![notice("public")]).await.expect("released"));
    let again = RecordCommand::Again {
        name: public.name.clone(),
        to: vec!["b.example".parse().unwrap()],
        mechanism: None,
    };
    assert_eq!(ask(again).await.expect("everybody has it").json, serde_json::json!([]));
    let unknown = RecordCommand::Publish { name: "00".repeat(32), naming_sealed: false };
    assert_eq!(ask(unknown).await.unwrap_err().code(), "record-not-ours");
    let actual = Draft { status: Status::Test, thing: Thing::NextOf(public.id), ..notice("x") };
    let refused = node.release(&Audience::Public, vec![actual]).await.unwrap_err();
    assert_eq!(refused.code(), "release-other-status");
    close(node).await;
}
