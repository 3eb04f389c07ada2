//! Two servers of one authority on one `PostgreSQL`: one leads, the other stands by.

use std::process::Command;

use e2e::{Authority, World, join, path_in, until};
use serde_json::json;

/// A database of its own on the server that `make test` starts.
fn database(name: &str) -> String {
    let server = std::env::var("CONCORD_TEST_POSTGRES").expect(
        "CONCORD_TEST_POSTGRES is not set: run `make test`, or scripts/postgres-for-tests.sh run cargo test -p e2e",
    );
    let unique = format!("{name}_{}", std::process::id());
    let made = Command::new("psql")
        .args(["--quiet", "--no-psqlrc", &server, "--command", &format!("create database {unique}")])
        .status()
        .expect("psql runs");
    assert!(made.success(), "the database cannot be made");
    let (server, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{unique}")
}

/// A second server of an authority: the same configuration and keys, another folder and port.
fn second_server(first: &Authority, data: std::path::PathBuf, port: u16) -> Authority {
    std::fs::create_dir_all(data.join("keys")).expect("a folder");
    let text = std::fs::read_to_string(first.data.join("concord.toml")).expect("a configuration");
    let listen = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
    let text = text.replace(&listen(first.port), &listen(port));
    std::fs::write(data.join("concord.toml"), text).expect("written");
    for key in std::fs::read_dir(first.data.join("keys")).expect("keys") {
        let key = key.expect("a key").path();
        std::fs::copy(&key, data.join("keys").join(key.file_name().expect("a name"))).expect("copied");
    }
    let mut second = first.at(data);
    second.port = port;
    second
}

#[test]
fn the_second_server_stands_by_passes_on_and_takes_over_and_nothing_is_lost() {
    let url = database("two_servers");
    let shared = tempfile::tempdir().expect("a folder");
    let files = format!("file:{}", path_in(&shared.path().join("files")));
    let port = e2e::free_ports(1)[0];
    let mut world = World::with(&["a.example", "b.example"], |name| match name {
        "a.example" => ["--state", &url, "--index", &url, "--files", &files].map(str::to_owned).to_vec(),
        // The peer asks the second server, which passes on whatever it is asked.
        _ => vec!["--dial".to_owned(), format!("a.example=http://127.0.0.1:{port}")],
    });
    world.serve();
    let mut second = second_server(&world.nodes[0], world.path("second"), port);
    second.serve();
    let leader = format!("http://127.0.0.1:{}", world.nodes[0].port);
    let status = second.ask(&["status"]).expect("status");
    assert_eq!(status["stands_by_for"], json!(leader));
    world.introduce();

    let first = world.nodes[0].release(&["--public"], "by the first server").expect("release");
    let mut acknowledged = vec![first["name"].as_str().expect("a name").to_owned()];
    until("the peer has it by way of the second", || world.nodes[1].knows(&acknowledged[0]).then_some(()));
    let refused = second.release(&["--public"], "not here").expect_err("it stands by");
    assert!(refused.contains(&leader), "who leads is not said: {refused}");
    let page = second.client().get(&format!("/record/{}?lang=en", acknowledged[0]));
    assert_eq!(page.status, 200, "a page is passed on");

    // The power of the first fails; the second leads when its lease has run out.
    world.nodes[0].kill();
    let next = until("the second leads", || second.release(&["--public"], "by the second").ok());
    assert_eq!(next["origin"], first["origin"]);
    assert!(next["index"].as_u64() > first["index"].as_u64());
    acknowledged.push(next["name"].as_str().expect("a name").to_owned());
    until("the peer follows", || world.nodes[1].knows(&acknowledged[1]).then_some(()));

    // The first comes back and stands by, and leads at once when the second is stopped.
    world.nodes[0].serve();
    let status = world.nodes[0].ask(&["status"]).expect("status");
    assert!(status["stands_by_for"].is_string(), "{status}");
    second.stop();
    let last = until("the first leads again", || world.nodes[0].release(&["--public"], "again").ok());
    acknowledged.push(last["name"].as_str().expect("a name").to_owned());
    let records = world.nodes[0].records();
    for name in &acknowledged {
        assert!(
            records.iter().any(|row| row["name"] == name.as_str()),
            "{name} was acknowledged and is lost"
        );
    }
    second.serve();
    until("the peer follows the first again", || world.nodes[1].knows(&acknowledged[2]).then_some(()));
    let status = world.nodes[1].ask(&["status"]).expect("status");
    assert_eq!(status["alarms"], json!([]), "nothing was forked");
}

#[test]
fn a_meeting_is_entered_by_way_of_the_server_that_stands_by() {
    let url = database("meeting");
    let shared = tempfile::tempdir().expect("a folder");
    let files = format!("file:{}", path_in(&shared.path().join("files")));
    let mut world = World::with(&["a.example"], |_| {
        ["--state", &url, "--index", &url, "--files", &files].map(str::to_owned).to_vec()
    });
    world.nodes[0].carry_meetings();
    world.serve();
    let mut second = second_server(&world.nodes[0], world.path("second"), e2e::free_ports(1)[0]);
    second.carry_meetings();
    second.serve();
    let status = second.ask(&["status"]).expect("status");
    assert!(status["stands_by_for"].is_string(), "{status}");

    // A browser knows one address, and it is that of the server that stands by.
    let token = world.nodes[0].colleague().ticket(&second.client()).expect("a ticket");
    let mut line = join(second.port, &token, &[]).expect("passed on");
    assert!(line.is_in());
    assert!(!line.refreshed().is_empty(), "what the leader's engine says comes through");
    assert!(
        join(second.port, "no.token.atall", &[]).is_err_and(|status| status == 401),
        "and so do refusals"
    );
    // The leader is gone, and the line with it: nobody is left on half of it.
    world.nodes[0].kill();
    line.until_put_out();
}

#[test]
fn another_authority_is_not_made_in_a_database_that_has_one() {
    let url = database("taken");
    let world =
        World::with(&["a.example"], |_| ["--state", &url, "--index", &url].map(str::to_owned).to_vec());
    let other = world.nodes[0].at(world.path("other"));
    let args = ["init", "--authority", "b.example", "--code", "XTS", "--name", "en=Other", "--root-keys"];
    let keys = path_in(&world.path("other-root-keys"));
    let rest = [&keys, "--endpoint", "https://concord.b.example", "--state", &url];
    let refused = other.ask(&[&args[..], &rest[..]].concat()).expect_err("the database is taken");
    assert!(refused.contains("a.example"), "whose it is is not said: {refused}");
}
