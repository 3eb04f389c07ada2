//! The guard on a real disk: what it says after the restarts, losses and damages that it is for.

use crate::suite::ORIGIN;
use store::{Guard, GuardError, Standing};

const OTHER: &str = "moh.chn.example/log/public/2021";

#[tokio::test]
async fn a_guard_remembers_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guard");
    let guard = Guard::create(&path).unwrap();
    assert_eq!(guard.standing(ORIGIN, None).unwrap(), Standing::Fresh);
    guard.register(ORIGIN).await.unwrap();
    assert_eq!(guard.standing(ORIGIN, None).unwrap(), Standing::InStep);
    for size in [1, 7, 300] {
        guard.raise(ORIGIN, size).await.unwrap();
        assert_eq!(Guard::open(&path).unwrap().read(ORIGIN).unwrap(), Some(size));
    }
    guard.raise(ORIGIN, 20).await.unwrap();
    let guard = Guard::create(&path).unwrap();
    assert_eq!(guard.read(ORIGIN).unwrap(), Some(300), "never downwards, and `create` keeps what is there");
    let heads = [(ORIGIN.to_owned(), 300), (OTHER.to_owned(), 5)];
    let standings = guard.standings(&heads).unwrap();
    assert_eq!(standings, [(ORIGIN.to_owned(), Standing::InStep), (OTHER.to_owned(), Standing::Missing)]);
}

#[tokio::test]
async fn a_state_from_a_backup_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let guard = Guard::create(&folder.path().join("guard")).unwrap();
    guard.raise(ORIGIN, 12).await.unwrap();
    assert_eq!(guard.standing(ORIGIN, Some(12)).unwrap(), Standing::InStep);
    assert_eq!(guard.standing(ORIGIN, Some(13)).unwrap(), Standing::InStep, "committed, and then a crash");
    assert_eq!(guard.standing(ORIGIN, Some(11)).unwrap(), Standing::Ahead { signed: 12 });
    assert_eq!(guard.standing(ORIGIN, None).unwrap(), Standing::Ahead { signed: 12 });
}

#[tokio::test]
async fn a_machine_without_a_guard_signs_only_when_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guard");
    let guard = Guard::open(&path).unwrap();
    assert_eq!(guard.standing(ORIGIN, None).unwrap(), Standing::Missing);
    assert_eq!(guard.standing(ORIGIN, Some(9)).unwrap(), Standing::Missing);
    assert!(matches!(guard.register(ORIGIN).await, Err(GuardError::Missing { .. })));
    assert!(matches!(guard.raise(ORIGIN, 10).await, Err(GuardError::Missing { .. })));
    guard.resume(ORIGIN, 9).await.unwrap();
    assert_eq!(guard.standing(ORIGIN, Some(9)).unwrap(), Standing::InStep);
    assert_eq!(Guard::open(&path).unwrap().read(ORIGIN).unwrap(), Some(9));
}

/// Unknown is not "nothing was signed": also where `state` knows no head of the log.
#[tokio::test]
async fn a_damaged_guard_says_no_more_than_a_missing_one_and_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guard");
    Guard::create(&path).unwrap().raise(ORIGIN, 40).await.unwrap();
    let file = std::fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
    for bytes in [&b""[..], b"concord.guard/v1", &[0; 8192]] {
        std::fs::write(&file, bytes).unwrap();
        let guard = Guard::open(&path).unwrap();
        assert_eq!(guard.standing(ORIGIN, Some(40)).unwrap(), Standing::Missing);
        assert_eq!(guard.standing(ORIGIN, None).unwrap(), Standing::Missing);
        let Err(GuardError::Damaged { path: named }) = guard.raise(ORIGIN, 41).await else {
            panic!("it is written over")
        };
        assert_eq!(named, file);
        guard.resume(ORIGIN, 40).await.unwrap();
        assert_eq!(guard.standing(ORIGIN, Some(40)).unwrap(), Standing::InStep);
    }
}
