//! The contract of files.

use bytes::Bytes;
use std::sync::Arc;
use store::{Files, FilesError};

pub async fn all(files: Arc<dyn Files>) {
    one_file(&*files).await;
    new_files(&*files).await;
    folders(&*files).await;
    deferred(&*files).await;
    conditional(&*files).await;
    for path in ["", "/a", "a/", "a//b", "../a", "a/../b", "a b", "a#1"] {
        assert!(matches!(files.get(path).await, Err(FilesError::Path { .. })), "{path}");
        assert!(matches!(files.put(path, Bytes::new()).await, Err(FilesError::Path { .. })), "{path}");
        assert!(matches!(files.delete(path).await, Err(FilesError::Path { .. })), "{path}");
    }
}

async fn one_file(files: &dyn Files) {
    assert_eq!(files.get("one/a").await.unwrap(), None);
    assert_eq!(files.size("one/a").await.unwrap(), None);
    assert_eq!(files.get_range("one/a", 0..5).await.unwrap(), None);
    files.put("one/a", "0123456789".into()).await.unwrap();
    assert_eq!(files.get("one/a").await.unwrap().unwrap(), "0123456789");
    assert_eq!(files.size("one/a").await.unwrap(), Some(10));
    assert_eq!(files.get_range("one/a", 3..5).await.unwrap().unwrap(), "34");
    assert_eq!(files.get_range("one/a", 8..50).await.unwrap().unwrap(), "89");
    assert_eq!(files.get_range("one/a", 50..60).await.unwrap().unwrap(), "");
    files.put("one/a", Bytes::new()).await.unwrap();
    assert_eq!(files.get("one/a").await.unwrap().unwrap(), "", "empty is not absent");
    files.delete("one/a").await.unwrap();
    files.delete("one/a").await.unwrap();
    assert_eq!(files.get("one/a").await.unwrap(), None);
    let large = Bytes::from(vec![7; 3 << 20]);
    files.put("one/large", large.clone()).await.unwrap();
    assert_eq!(files.get("one/large").await.unwrap().unwrap(), large);
}

async fn new_files(files: &dyn Files) {
    assert!(files.put_new("new/a", "1".into()).await.unwrap());
    assert!(!files.put_new("new/a", "2".into()).await.unwrap());
    assert_eq!(files.get("new/a").await.unwrap().unwrap(), "1");
}

/// Of many that write one new file at the same time one wins.
pub async fn race(files: Arc<dyn Files>) {
    let tasks: Vec<_> = (0..8_u8)
        .map(|n| {
            let files = Arc::clone(&files);
            tokio::spawn(async move { files.put_new("new/raced", vec![n].into()).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

async fn folders(files: &dyn Files) {
    for path in ["folder/b/2", "folder/a", "folder/b/1", "folder/b/c/3", "folderb/4"] {
        files.put(path, "x".into()).await.unwrap();
    }
    assert_eq!(
        files.list("folder/").await.unwrap(),
        ["folder/a", "folder/b/1", "folder/b/2", "folder/b/c/3"]
    );
    assert_eq!(files.list("folder/b").await.unwrap(), ["folder/b/1", "folder/b/2", "folder/b/c/3"]);
    files.delete_prefix("folder/b/").await.unwrap();
    assert_eq!(files.list("folder").await.unwrap(), ["folder/a"]);
    assert_eq!(files.list("folderb").await.unwrap(), ["folderb/4"]);
    assert_eq!(files.list("nothing").await.unwrap(), Vec::<String>::new());
    files.delete_prefix("nothing").await.unwrap();
}

async fn deferred(files: &dyn Files) {
    let batch = |text: &'static str| {
        vec![("deferred/a/b".to_owned(), text.into()), ("deferred/c".to_owned(), text.into())]
    };
    files.put_deferred(batch("1")).await.unwrap();
    files.put_deferred(batch("2")).await.unwrap();
    assert_eq!(files.get("deferred/a/b").await.unwrap().unwrap(), "2", "visible at once");
    files
        .settle(&["deferred/a/b".to_owned(), "deferred/c".to_owned(), "deferred/gone".to_owned()])
        .await
        .unwrap();
    assert_eq!(files.list("deferred").await.unwrap(), ["deferred/a/b", "deferred/c"], "nothing lies beside");
    files.discard(&["deferred/c".to_owned(), "deferred/gone".to_owned()]).await.unwrap();
    assert_eq!(files.list("deferred").await.unwrap(), ["deferred/a/b"]);
}

async fn conditional(files: &dyn Files) {
    let put = |text: &'static str| async move {
        files.put_unless("conditional", text.into(), &|present| present.len() >= text.len()).await.unwrap()
    };
    assert!(put("1").await);
    assert!(put("123").await);
    assert!(!put("12").await);
    assert_eq!(files.get("conditional").await.unwrap().unwrap(), "123");
    assert!(put("1234").await);
    assert_eq!(files.get("conditional").await.unwrap().unwrap(), "1234");
}
