//! Our log, read over HTTP by programs that were not written here: `signed_note` and `tlog_tiles`.

use e2e::{Authority, Client, World};
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Error, Hash, Tile, TileHashReader, TileReader};

/// The tiles of one log, asked for one by one.
struct Served<'a> {
    client: &'a Client,
    log: &'a str,
}

impl TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            // Their paths name the height of a tile, as Go's do; C2SP's do not.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            let answer = self.client.get(&format!("{}/{path}", self.log));
            if answer.status == 200 { Ok(answer.body) } else { Err(Error::BadMath) }
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// The log's key: the listed key of the role, under the log's origin.
fn log_key(node: &Authority, origin: &str) -> StandardVerifier {
    let keys = node.ask(&["key", "list"]).expect("key list");
    let listed = keys.as_array().expect("a list").iter().find(|key| key["role"] == "log").expect("a log key");
    let listed: tlog::VerifierKey = listed["vkey"].as_str().expect("a key").parse().expect("a key");
    let key = listed.with_name(origin).expect("an origin is a key's name");
    StandardVerifier::new(&key.to_string()).expect("their reader takes our key")
}

fn checkpoint(client: &Client, log: &str, key: StandardVerifier) -> Checkpoint {
    let answer = client.get(&format!("{log}/checkpoint"));
    assert_eq!(answer.status, 200);
    let note = signed_note::Note::from_bytes(&answer.body).expect("their reader takes our note");
    let (verified, _) =
        note.verify(&VerifierList::new(vec![Box::new(key)])).expect("signed by the log's key");
    assert_eq!(verified.len(), 1);
    Checkpoint::from_bytes(note.text()).expect("their reader takes our checkpoint")
}

#[test]
fn readers_not_written_here_accept_checkpoint_tiles_and_proofs() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let client = node.client();
    let released = node.release(&["--public"], "the first").expect("release");
    let origin = released["origin"].as_str().expect("an origin").to_owned();
    let log = format!("/{}", origin.split_once('/').expect("a path").1);
    let old = checkpoint(&client, &log, log_key(node, &origin));
    assert_eq!(old.origin(), origin);
    for n in 0..6 {
        node.say(&format!("notice {n}"));
    }
    let new = checkpoint(&client, &log, log_key(node, &origin));
    assert_eq!(new.size(), old.size() + 6);

    let served = Served { client: &client, log: &log };
    let (size, root): (u64, Hash) = (new.size(), *new.hash());
    let reader = TileHashReader::new(size, root, &served);
    let width = if size % 256 == 0 { String::new() } else { format!(".p/{size}") };
    let bundle = client.get(&format!("{log}/tile/entries/000{width}"));
    assert_eq!(bundle.status, 200);
    let entries = tlog::read_bundle(&bundle.body, usize::try_from(size).expect("small")).expect("a bundle");
    for (index, entry) in (0..size).zip(entries) {
        let proof = tlog_tiles::prove_record(size, index, &reader).expect("our tiles");
        tlog_tiles::check_record(&proof, size, root, index, tlog_tiles::record_hash(entry))
            .expect("included");
        let other = tlog_tiles::record_hash(b"never released");
        assert!(tlog_tiles::check_record(&proof, size, root, index, other).is_err());
    }
    let proof = tlog_tiles::prove_tree(size, old.size(), &reader).expect("our tiles");
    tlog_tiles::check_tree(&proof, size, root, old.size(), *old.hash()).expect("it only grew");
}
