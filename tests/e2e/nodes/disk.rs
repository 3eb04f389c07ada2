//! A full disk: what cannot be kept is refused, what was acknowledged stays, and room makes all well again.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Authority, World, path_in, until};
use tlog::SignedCheckpoint;

/// Room on the small disk beyond what a new authority needs.
const ROOM: u64 = 3 << 20;
/// No file may grow beyond this where a disk cannot be mounted.
const LARGEST: u64 = 2 << 20;

/// A disk that is soon full: a file system of its own for who may mount one, else a limit on the size of files.
enum SmallDisk {
    Mounted(PathBuf),
    Limited,
}

fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

impl SmallDisk {
    /// Puts an authority that does not serve on a small disk.
    fn put(node: &mut Authority, folder: &Path) -> Self {
        std::fs::create_dir(folder).expect("a folder");
        let used = std::fs::read_dir(&node.data).expect("a data folder").flatten();
        let used: u64 = used.filter_map(|entry| entry.metadata().ok()).map(|m| m.len()).sum();
        let size = format!("size={}", used + ROOM);
        if run("mount", &["-t", "tmpfs", "-o", &size, "none", &path_in(folder)]) {
            let data = folder.join("data");
            assert!(run("cp", &["-a", &path_in(&node.data), &path_in(&data)]), "the data folder is copied");
            *node = node.at(data);
            return Self::Mounted(folder.to_owned());
        }
        eprintln!("no file system can be mounted here (not root): a limit on file sizes takes its place");
        node.largest_file = Some(LARGEST);
        Self::Limited
    }

    /// The operator makes room.
    fn enlarge(&self, node: &mut Authority) {
        match self {
            Self::Mounted(folder) => {
                let grown = ["-o", "remount,size=256m", &path_in(folder)];
                assert!(run("mount", &grown), "the disk is made larger");
            }
            Self::Limited => node.largest_file = None,
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Self::Mounted(folder) = self {
            run("umount", &["-l", &path_in(folder)]);
        }
    }
}

#[test]
fn on_a_full_disk_nothing_acknowledged_is_lost_and_the_operator_is_told() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = world.nodes[0].release(&["--public"], "with room").expect("release")["origin"].clone();
    let origin = origin.as_str().expect("a log").to_owned();
    world.nodes[0].stop();
    let folder = world.path("small");
    let disk = SmallDisk::put(&mut world.nodes[0], &folder);
    world.nodes[0].serve();
    let path = format!("/{}/checkpoint", origin.split_once('/').expect("a path").1);
    let checkpoint = |node: &Authority| {
        SignedCheckpoint::parse(&node.client().get(&path).body).expect("a checkpoint").checkpoint
    };

    let blob = world.path("report.txt");
    let mut acknowledged = Vec::new();
    let refusal = (0..200).find_map(|n| {
        // Different each time, as equal content is kept once.
        std::fs::write(&blob, format!("{n} ").repeat(20_000)).expect("written");
        let blob = format!("text/plain={}", path_in(&blob));
        match world.nodes[0].ask(&["release", "--public", "--blob", &blob]) {
            Ok(released) => {
                acknowledged.push(released[0]["name"].as_str().expect("a name").to_owned());
                None
            }
            Err(refusal) => Some(refusal),
        }
    });
    let refusal = refusal.expect("200 releases do not fit");
    assert!(!acknowledged.is_empty(), "nothing fitted: {refusal}");
    assert!(refusal.contains("disk is full"), "what to do is not said: {refusal}");

    let [a, b] = &mut world.nodes[..] else { unreachable!("two") };
    // It still answers, and what it signed is what it has.
    let before = checkpoint(a);
    assert_eq!(a.client().get("/healthz").status, 200);
    // Of the last release the log is durable; its rows in the index may have found no room.
    let shown = a.records();
    a.kill();
    // Cut off in the middle and still full, it starts and shows what it has.
    a.serve();
    assert_eq!(a.client().get("/healthz").status, 200);
    let records = a.records();
    assert!(shown.len() >= acknowledged.len(), "{} of {}", shown.len(), acknowledged.len());
    assert!(shown.iter().all(|was| records.iter().any(|row| row["name"] == was["name"])));
    a.kill();
    disk.enlarge(a);
    a.serve();
    let after = checkpoint(a);
    assert!(after.size >= before.size, "{} and then {}", before.size, after.size);
    let records = a.records();
    for name in &acknowledged {
        assert!(
            records.iter().any(|row| row["name"] == name.as_str()),
            "{name} was acknowledged and is lost"
        );
    }
    let name = until("it releases again", || {
        let released = a.release(&["--public"], "with room again").ok()?;
        released["name"].as_str().map(str::to_owned)
    });
    until("the peer follows to the end", || b.knows(&name).then_some(()));
    for name in &acknowledged {
        assert!(b.knows(name), "{name} did not arrive");
    }
    let alarms = b.alarms();
    assert!(!alarms.iter().any(|code| code == "alarm-split-view"), "{alarms:?}");
    a.kill();
}
