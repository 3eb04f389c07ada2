//! Somebody who claims, under a seal that nobody can open, that his record is another one: what he claims hides and saves nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expiry::{blob_files, entered};
use crate::outsider::blobs;
use e2e::{Authority, Forger, Hostile, Manner, World, path_in, until};
use record::lines::Line;
use record::{BlobRef, Ulid};
use serde_json::Value;
use tlog::sha256;

const SAID: &str = "A cluster was reported on 1 December.";

/// Sealed to a reader, so it says; of which the name is somebody else's.
fn claiming(node: &Authority, reader: &Authority, claims: &[(String, bool)]) -> Hostile {
    let forger = Forger::of(node);
    let mut log = forger.log_for(&reader.name);
    let junk: &[u8] = b"nobody can open this";
    for (n, (name, has_expired)) in claims.iter().enumerate() {
        let blob = BlobRef {
            media_type: "application/age".parse().expect("a media type"),
            size: junk.len() as u64,
            sha256: sha256(junk),
            lang: None,
        };
        forger.record(&mut log, |header| {
            "sealed".clone_into(&mut header.kind);
            header.id = Ulid::new(n as u64, [5; 10]);
            header.blobs = vec![blob];
            header.own = vec![Line::new("commit", name.clone()).expect("a line")];
            header.expires = has_expired.then(|| "2026-11-25".parse().expect("a day"));
        });
    }
    let mut files: BTreeMap<String, Arc<[u8]>> = forger.files(&[log.done()], 0);
    files.insert(format!("/blob/{}", sha256(junk)), junk.into());
    Hostile::serving(node.port, files, |_| Manner::Plainly)
}

fn name_of(released: &Value) -> String {
    released["name"].as_str().expect("a name").to_owned()
}

fn trust(node: &Authority, other: &Authority) {
    let fingerprint = other.fingerprint();
    node.ask(&["peer", "add", &other.name, "--fingerprint", &fingerprint]).expect("peer add");
    node.ask(&["peer", "confirm", &other.name, "--fingerprint", &fingerprint]).expect("peer confirm");
}

#[test]
fn who_claims_the_name_of_anothers_record_hides_nothing_of_it_and_saves_none_of_its_files() {
    // The claim is the first in the order of names.
    let mut world = World::new(&["z.example", "b.example", "a.example"]);
    for honest in &mut world.nodes[..2] {
        honest.serve();
    }
    let [z, b, claimer] = &world.nodes[..] else { unreachable!("three") };
    trust(z, b);
    trust(b, z);
    let file = world.path("names.csv");
    std::fs::write(&file, "patient\nPLANTED-0815\n").expect("written");
    let file = format!("text/csv={}", path_in(&file));
    let public = name_of(&z.release(&["--public"], SAID).expect("release"));
    let sealed = name_of(&z.release(&["--to", "b.example", "--blob", &file], SAID).expect("release"));
    for name in [&public, &sealed] {
        let is_read = || {
            let shown = b.ask(&["record", "show", name]).ok()?;
            (shown["sealed"] == false || shown["opened"] == true).then_some(())
        };
        until("b has read it", is_read);
    }
    let claims =
        [(public.clone(), true), (public.clone(), false), (sealed.clone(), true), (sealed.clone(), false)];
    let _hostile = claiming(claimer, b, &claims);
    trust(b, claimer);
    let cookie = entered(b);
    let page = |path: &str| b.client().get_with(path, &[("cookie", &cookie)]).text();
    until("what has expired is gone, and what is no age file refused", || {
        let claimed = b.records().iter().filter(|row| row["author"] == "a.example").count();
        (claimed >= 4 && page("/records").contains("a.example")).then_some(())
    });

    for name in [&public, &sealed] {
        let shown = b.ask(&["record", "show", name]).expect("record show");
        assert!(shown["origin"].as_str().is_some_and(|origin| origin.starts_with("z.example/")), "{shown}");
        let html = page(&format!("/record/{name}"));
        assert!(html.contains(&sha256(SAID.as_bytes()).to_hex()), "{html}");
        let evidence = b.client().get_with(&format!("/record/{name}/evidence"), &[("cookie", &cookie)]);
        assert!(evidence.text().contains("\nauthor z.example\n"), "{}", evidence.text());
        assert!(!evidence.text().contains("\nauthor a.example\n"), "{}", evidence.text());
    }

    let note = b.ask(&["record", "show", &sealed]).expect("record show")["note"].clone();
    let files = blobs(note.as_str().expect("a note"));
    assert!(!blob_files(b, &files).is_empty());
    b.ask(&["record", "erase", &sealed]).expect("erased");
    assert!(blob_files(b, &files).is_empty(), "it said that they are destroyed");
}
