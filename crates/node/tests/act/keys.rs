//! A repeated command with the same key answers what was done; what is released is a success though the index is behind.

use node::command::{Command, Release};
use node::fault::Coded as _;
use node::operate;
use node::own_log::Audience;
use node::release::{Act, ActKey, Planned};
use store::Swap;

use crate::home::{Home, close, notice, only};

fn command(text: &str) -> Command {
    let args = ["release", "--public", "--text", text];
    let command = <Release as clap::Args>::augment_args(clap::Command::new("release"));
    let matches = command.get_matches_from(args);
    Command::Release(<Release as clap::FromArgMatches>::from_arg_matches(&matches).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_answers_what_was_done_also_after_a_restart_and_at_once() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let once = operate::run_as(&node, command("en=one"), Some("monday-1")).await.expect("released");
    let again = operate::run_as(&node, command("en=one"), Some("monday-1")).await.expect("answered");
    assert_eq!((once.json, once.text), (again.json.clone(), again.text));
    let other = operate::run_as(&node, command("en=another"), Some("monday-1")).await.unwrap_err();
    assert_eq!(other.code(), "release-key-reused");
    assert_eq!(
        operate::run_as(&node, command("en=one"), Some("no key")).await.unwrap_err().code(),
        "release-key-form"
    );
    let at_once: Vec<_> = (0..8)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { operate::run_as(&node, command("en=two"), Some("monday-2")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in at_once {
        answers.push(answer.await.expect("it ends").expect("answered").json);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let size = node.own_heads().await.unwrap()[0].1.checkpoint.size;
    assert_eq!(size, 3, "log.open, and each of the two once");
    close(node).await;
    let node = home.open().await;
    let later = operate::run_as(&node, command("en=one"), Some("monday-1")).await.expect("answered");
    assert_eq!(later.json, again.json);
    close(node).await;
}

/// Files are compared by what stands in them, where they can be read; a key that nothing would keep is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_the_bytes_of_the_files_and_only_for_what_releases() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notice.txt");
    let release = || {
        let blob = format!("text/plain={}", file.display());
        let args = ["release", "--public", "--blob", &blob];
        let command = <Release as clap::Args>::augment_args(clap::Command::new("release"));
        Command::Release(
            <Release as clap::FromArgMatches>::from_arg_matches(&command.get_matches_from(args)).unwrap(),
        )
    };
    std::fs::write(&file, "four cases").unwrap();
    let once = operate::run_as(&node, release(), Some("tuesday")).await.expect("released");
    std::fs::write(&file, "five cases").unwrap();
    let other = operate::run_as(&node, release(), Some("tuesday")).await.unwrap_err();
    assert_eq!(other.code(), "release-key-reused");
    std::fs::remove_file(&file).unwrap();
    let again = operate::run_as(&node, release(), Some("tuesday")).await.expect("answered without the file");
    assert_eq!(once.json, again.json);
    for command in [Command::Status, Command::Rebuild] {
        let refused = operate::run_as(&node, command, Some("wednesday")).await.unwrap_err();
        assert_eq!(refused.code(), "act-keeps-no-answer");
    }
    close(node).await;
}

/// An import under a key was cut off after its first part; somebody without the key imported the rest. Repeated, it has
/// nothing left to state, and answers with what it released.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_others_finished_answers_with_what_it_had_released() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.csv");
    std::fs::write(
        &file,
        "#date,#country+code+v_iso3,#affected+infected+confirmed+cumulative\n2020-01-20,JPN,7\n",
    )
    .unwrap();
    let command = operate::command_for(&file, None);
    let key = || Some(ActKey::new("table", b"", None).unwrap());
    let first = Planned { last: false, ..Planned::new(Audience::Public, vec![notice("the first part")]) };
    let first = node.act(Act::of(first).under(key())).await.expect("released").released;
    let rest = operate::release_figures_as(&node, &command, None).await.expect("released");
    assert_eq!(rest.released.len(), 1);
    for _ in 0..2 {
        let answer = operate::release_figures_as(&node, &command, key()).await.expect("answered");
        let names: Vec<_> = answer.released.iter().map(|released| released.name.clone()).collect();
        assert_eq!(names, [first[0].name.clone()]);
    }
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_of_the_callers_changes_with_the_release_or_neither_does() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    let act = |old: Option<&str>, text: &str| {
        let cell = Swap::new("draft", "1", old.map(Into::into), Some(text.into()));
        Act::of(Planned::new(Audience::Public, vec![notice(text)])).with(cell)
    };
    node.act(act(None, "released")).await.expect("released");
    assert_eq!(node.act(act(None, "again")).await.unwrap_err().code(), "release-changed");
    // Beside others that share its commit, only the one whose cell is not as it said is refused.
    let mut tasks = Vec::new();
    for n in 0..12 {
        let node = node.clone();
        let act = if n % 3 == 0 {
            act(Some("nonsense"), "never")
        } else {
            Act::of(Planned::new(Audience::Public, vec![notice(&format!("{n}"))]))
        };
        tasks.push(tokio::spawn(async move { (n, node.act(act).await) }));
    }
    for task in tasks {
        let (n, done) = task.await.expect("it ends");
        assert_eq!(done.is_ok(), n % 3 != 0, "{n}: {done:?}");
    }
    assert_eq!(node.cells.get("draft", "1").await.unwrap(), Some(b"released".to_vec()));
    assert_eq!(node.own_heads().await.unwrap()[0].1.checkpoint.size, 1 + 1 + 8);
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_index_cannot_take_is_released_all_the_same_and_taken_later() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    node.index.db().close().await;
    let done = operate::run_as(&node, command("en=one"), None).await.expect("a success");
    assert_eq!(done.json[0]["index_behind"], true);
    assert!(!done.refused, "exit code 0");
    let name = done.json[0]["name"].as_str().unwrap().to_owned();
    let alarms = node::alarm::list(&*node.cells).await.unwrap();
    assert!(alarms.iter().any(|alarm| alarm.code == "index-behind"), "{alarms:?}");
    // What looks back is refused meanwhile, as it would get a wrong number.
    let key = ActKey::new("k", b"", None).unwrap();
    let act = Act::decided(|_| async { Ok(Planned::new(Audience::Public, vec![notice("x")])) });
    assert_eq!(node.act(act.under(Some(key))).await.unwrap_err().code(), "release-index");
    close(node).await;
    let node = home.open().await;
    let next = only(node.release(&Audience::Public, vec![notice("two")]).await.expect("released"));
    assert!(!next.index_behind);
    let rows = node.index.db().rows("select 1 from entry where name = $1", &[name.into()]).await.unwrap();
    assert_eq!(rows.len(), 1, "it caught up by itself");
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_breaks_nothing_off() {
    let home = Home::of("a.example").await;
    let node = home.open().await;
    for n in 0..20 {
        // Polled once, or for a moment, and dropped: as a closed browser does.
        let release = operate::run_as(&node, command("en=gone"), None);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(n), release).await;
    }
    node.releasing.ended().await;
    let sql = "select kind, count(*) from entry group by kind order by kind";
    let rows = node.index.db().rows(sql, &[]).await.unwrap();
    let kinds: Vec<(String, i64)> =
        rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    assert_eq!(kinds, [("log.open".to_owned(), 1), ("notice".to_owned(), 20)]);
    close(node).await;
}
