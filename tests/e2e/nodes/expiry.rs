//! Personal data leave both ends on their day: files, rows, and the keys that opened them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;

use e2e::{Authority, World, path_in, until};
use serde_json::Value;

use crate::outsider::{blobs, files_below, holds};

/// Where the first edition has its figure from; it expires first.
const PLANTED: &str = "Zimtstern Lane 4711, third floor";
/// Where the second edition has the same figure from.
const LATER: &str = "Vanillekipferl Street 12, office";
const SECRET: &str = "AGE-SECRET-KEY-1";
/// Characters of a secret age key.
const SECRET_LENGTH: usize = 74;

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn show(node: &Authority, name: &str) -> Value {
    node.ask(&["record", "show", name]).expect("record show")
}

/// Releases a figure from `source` to `reader`, destroyed on `day`; a new edition if it has an id already.
fn release(
    node: &Authority,
    reader: &str,
    folder: &Path,
    source: &str,
    day: &str,
    id: Option<&str>,
) -> Value {
    let table = folder.join("table.csv");
    let row = format!("2026-11-20,JPN,7,\"{source}\"\n");
    let tags = "#date,#country+code+v_iso3,#affected+infected+confirmed+cumulative,#meta+source\n";
    std::fs::write(&table, format!("{tags}{row}")).expect("written");
    let blob = format!("text/csv;schema=hxl={}", path_in(&table));
    let mut args = vec!["release", "--kind", "situation.figures", "--to", reader, "--expires", day];
    args.extend(["--about", "period=2026-11-20", "--blob", &blob]);
    args.extend(id.iter().flat_map(|id| ["--id", *id]));
    let released = node.ask(&args).expect("release")[0].clone();
    std::fs::remove_file(&table).expect("removed");
    released
}

/// Files of a node that hold a text.
fn planted(node: &Authority, text: &str) -> Vec<String> {
    let files = files_below(&node.data).into_iter().chain([node.log_file()]);
    files.filter(|path| holds(path, text.as_bytes())).map(|path| path_in(&path)).collect()
}

/// Every secret age key in any file of a node, wherever it stands.
fn kept_keys(node: &Authority) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for path in files_below(&node.data) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let begins = |at: &usize| bytes[*at..].starts_with(SECRET.as_bytes());
        for at in (0..bytes.len().saturating_sub(SECRET_LENGTH - 1)).filter(begins) {
            keys.insert(String::from_utf8_lossy(&bytes[at..at + SECRET_LENGTH]).into_owned());
        }
    }
    keys
}

/// Does one of the keys open the sealed file?
fn opens(keys: &BTreeSet<String>, sealed: &[u8]) -> bool {
    keys.iter().filter_map(|key| age::x25519::Identity::from_str(key).ok()).any(|identity| {
        let decryptor = age::Decryptor::new(sealed).expect("an age file");
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).is_ok_and(|mut reader| {
            let mut clear = Vec::new();
            reader.read_to_end(&mut clear).is_ok()
        })
    })
}

pub fn blob_files(node: &Authority, names: &[String]) -> Vec<std::path::PathBuf> {
    let named = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|file| names.iter().any(|name| file == name.as_str()))
    };
    files_below(&node.data).into_iter().filter(named).collect()
}

/// The cookie of somebody who has entered the inside face.
pub fn entered(node: &Authority) -> String {
    let link = node.ask(&["link"]).expect("link");
    let enter = text(&link, "url").split_once("/enter/").expect("a link").1.to_owned();
    let answer =
        node.client().post(&format!("/enter/{enter}"), &[("sec-fetch-site", "same-origin")], Vec::new());
    answer.headers["set-cookie"].split(';').next().expect("a cookie").to_owned()
}

/// A page of the inside face.
fn inside(node: &Authority, path: &str) -> String {
    let page = node.client().get_with(path, &[("cookie", &entered(node))]);
    assert_eq!(page.status, 200, "{path}: {}", page.text());
    page.text()
}

/// Bytes of personal data lie on fewer machines if nothing but what says what they are travels unasked.
#[test]
fn of_what_expires_a_file_comes_when_somebody_asks_for_it() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let list = world.path("contacts.csv");
    std::fs::write(&list, PLANTED).expect("written");
    let (note, file) = ("en=contacts", format!("text/csv={}", path_in(&list)));
    let released =
        a.ask(&["release", "--to", "b.example", "--expires", "2027-03-01", "--text", note, "--blob", &file]);
    let released = released.expect("release")[0].clone();
    let name = text(&released, "name");
    until("the reader opens it", || (b.ask(&["record", "show", name]).ok()?["opened"] == true).then_some(()));
    let sealed = blobs(text(&show(b, name), "note"));
    let page = inside(b, &format!("/record/{name}"));
    let hash = tlog::sha256(PLANTED.as_bytes()).to_hex();
    assert!(page.contains(&hash), "{page}");
    let last = &sealed[sealed.len() - 1..];
    assert!(blob_files(b, last).is_empty(), "nobody asked for it");

    let (client, cookie) = (b.client(), entered(b));
    let path = format!("/record/{name}/blob/{hash}");
    let first = client.get_with(&path, &[("cookie", &cookie)]);
    assert_eq!(first.status, 503, "{}", first.text());
    assert!(first.text().contains("On its way"), "{}", first.text());
    let taken = until("the file comes", || {
        let answer = client.get_with(&path, &[("cookie", &cookie)]);
        (answer.status == 200).then(|| answer.text())
    });
    assert_eq!(taken, PLANTED);
    until("the rest of it comes too", || (!blob_files(b, last).is_empty()).then_some(()));
    assert_eq!(client.get(&path).status, 404, "strangers learn nothing");
}

#[test]
fn what_expires_is_nowhere_on_either_end_and_no_kept_key_opens_it() {
    let (mut world, clock) = World::with_clock(&["a.example", "b.example", "c.example"]);
    world.serve();
    world.introduce();
    let (folder, backup) = (world.path("tables"), world.path("backup"));
    std::fs::create_dir(&folder).expect("a folder");
    let [a, b, c] = &mut world.nodes[..] else { unreachable!("three") };
    let day = clock.now().saturating_add(2 * 86_400).date().to_string();
    let today = clock.now().date().to_string();
    let refused = a.ask(&["release", "--to", "b.example", "--text", "en=x", "--expires", &today]);
    assert!(refused.expect_err("it has expired").contains(&today));
    let refused = a.ask(&["release", "--public", "--text", "en=x", "--expires", &day]);
    assert!(refused.expect_err("personal data").contains("never to the public"));

    let released = release(a, "b.example", &folder, PLANTED, &day, None);
    let later_day = clock.now().saturating_add(32 * 86_400).date().to_string();
    let later = release(a, "b.example", &folder, LATER, &later_day, Some(text(&released, "id")));
    let (name, later) = (text(&released, "name"), text(&later, "name"));
    for name in [name, later] {
        until("the reader opens it", || {
            b.ask(&["record", "show", name]).ok().filter(|shown| shown["opened"] == true)
        });
    }
    let note = text(&show(a, name), "note").to_owned();
    let sealed = blobs(&note);
    assert!(note.contains(&format!("expires {day}")), "{note}");
    // While it may be read, its rows are here and its keys open it: what follows could fail.
    for node in [&*a, &*b] {
        until("the rows are on the disk", || (!planted(node, PLANTED).is_empty()).then_some(()));
        assert!(!blob_files(node, &sealed).is_empty());
    }
    let stolen: Vec<Vec<u8>> =
        blob_files(a, &sealed).iter().map(|path| std::fs::read(path).expect("read")).collect();
    for node in [&*a, &*b] {
        assert!(stolen.iter().all(|file| opens(&kept_keys(node), file)), "{} cannot open it", node.name);
    }
    // No backup holds a key for personal data.
    a.ask(&["backup", &path_in(&backup)]).expect("backup");
    let restored = a.at(backup);
    assert!(
        planted(&restored, PLANTED).is_empty()
            && !stolen.iter().any(|file| opens(&kept_keys(&restored), file))
    );

    // One end serves when the day comes; the other one is down, and comes back after it.
    b.stop();
    clock.forward(3);
    until("the server destroys it", || (show(a, name)["erased"] == true).then_some(()));
    b.serve();
    assert_eq!(show(b, name)["erased"], true, "what is overdue is destroyed before a start is over");
    for node in [&*a, &*b] {
        until("nothing is in any file", || planted(node, PLANTED).is_empty().then_some(()));
        let still = planted(node, LATER);
        assert!(!still.is_empty(), "{} lost what the second edition repeats", node.name);
        assert!(blob_files(node, &sealed).is_empty(), "{} keeps sealed files", node.name);
        until("each end has told the other", || {
            (show(node, name)["erased_by"] == serde_json::json!(["a.example", "b.example"])).then_some(())
        });
        let shown = show(node, name);
        assert_eq!(text(&shown, "note"), note, "place, name and outer header stay");
        assert_eq!(shown["opened"], false);
        let page = inside(node, &format!("/record/{name}"));
        assert!(page.contains("Expired") && page.contains("Its day has come"), "{page}");
    }
    a.ask(&["rebuild"]).expect("rebuild");
    assert_eq!(show(a, name)["erased"], true, "a rebuild finds nothing to read");
    assert!(planted(a, PLANTED).is_empty());

    // The key opens the second edition until its day comes; then it is gone, and a sealed file that somebody had
    // copied is closed for ever.
    assert!([&*a, &*b].iter().all(|node| opens(&kept_keys(node), &stolen[0])));
    clock.forward(30);
    for node in [&*a, &*b] {
        until("the keys are destroyed", || {
            let keys = kept_keys(node);
            assert!(!keys.is_empty(), "keys for lasting records stay");
            (!stolen.iter().any(|file| opens(&keys, file))).then_some(())
        });
        assert!(planted(node, PLANTED).is_empty());
        until("nor is the second edition anywhere", || planted(node, LATER).is_empty().then_some(()));
        assert_eq!(show(node, later)["erased"], true);
    }
    assert!(c.log(text(&released, "origin")).is_none(), "an outsider never heard of it");
    // Later ones are in force: the next record of this kind finds a key.
    let day = clock.now().saturating_add(2 * 86_400).date().to_string();
    let next = release(a, "b.example", &folder, PLANTED, &day, None);
    until("the reader opens the next one", || {
        b.ask(&["record", "show", text(&next, "name")]).ok().filter(|shown| shown["opened"] == true)
    });
}

#[test]
fn who_erases_its_copies_tells_the_readers_and_keeps_place_and_header() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let sealed = a.release(&["--to", "b.example"], "for b").expect("release");
    let (sealed, public) = (text(&sealed, "name").to_owned(), a.say("for all"));
    for name in [&sealed, &public] {
        until("the reader has it", || b.knows(name).then_some(()));
    }
    until("the reader opens it", || (show(b, &sealed)["opened"] == true).then_some(()));

    // The reader erases what it was sent; the author keeps its own, and is told.
    let files = blobs(text(&show(b, &sealed), "note"));
    until("the files are there", || (!blob_files(b, &files).is_empty()).then_some(()));
    b.ask(&["record", "erase", &sealed]).expect("erase");
    assert!(blob_files(b, &files).is_empty() && !blob_files(a, &files).is_empty());
    until("the author is told", || {
        (show(a, &sealed)["erased_by"] == serde_json::json!(["b.example"])).then_some(())
    });
    assert_eq!((&show(a, &sealed)["erased"], &show(a, &sealed)["opened"]), (&false.into(), &true.into()));

    // What another record of the same log names too stays, and is passed on.
    let (once, twice) = (a.say("said twice"), a.say("said twice"));
    let files = blobs(text(&show(a, &once), "note"));
    until("the reader has it, and a mark that it is of this log", || {
        (b.knows(&twice) && blob_files(b, &files).len() == 2).then_some(())
    });
    b.ask(&["record", "erase", &once]).expect("erase");
    assert_eq!(blob_files(b, &files).len(), 2);
    b.ask(&["record", "erase", &twice]).expect("erase");
    assert_eq!(blob_files(b, &files).len(), 0);

    // The author erases the content of what everybody may read; its header is part of the log.
    let files = blobs(text(&show(a, &public), "note"));
    until("the reader has the file", || (!blob_files(b, &files).is_empty()).then_some(()));
    a.ask(&["record", "erase", &public]).expect("erase");
    assert!(blob_files(a, &files).is_empty() && !blob_files(b, &files).is_empty());
    assert_eq!(a.client().get(&format!("/blob/{}", files[0])).status, 404);
    let page = a.client().get(&format!("/record/{public}")).text();
    assert!(page.contains("Erased") && page.contains("destroyed its copies"), "{page}");
    until("the reader is told", || {
        (show(b, &public)["erased_by"] == serde_json::json!(["a.example"])).then_some(())
    });
    for node in [a, b] {
        node.ask(&["rebuild"]).expect("rebuild");
    }
    assert_eq!(show(a, &public)["erased"], true, "what was erased stays so");
    assert_eq!(show(b, &sealed)["erased"], true);
    assert_eq!(show(b, &public)["erased"], false);
    let again = a.ask(&["record", "erase", &public]).expect("once more changes nothing");
    assert_eq!(again["released"], serde_json::json!([]));
}
