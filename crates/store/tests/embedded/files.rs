//! Files in memory and in a local folder.

use std::sync::Arc;
use store::{Files, FilesError, MemoryFiles, ObjectFiles, open_files};

#[tokio::test(flavor = "multi_thread")]
async fn files_in_memory() {
    crate::suite::files::all(Arc::new(MemoryFiles::new())).await;
    crate::suite::files::race(Arc::new(MemoryFiles::new())).await;
    crate::suite::files::all(Arc::new(MemoryFiles::durable())).await;
    crate::suite::files::all(Arc::new(ObjectFiles::memory())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(ObjectFiles::local(folder.path()).unwrap());
    crate::suite::files::all(Arc::clone(&files) as Arc<dyn Files>).await;
    crate::suite::files::race(files).await;
}

#[tokio::test]
async fn a_folder_is_opened_by_path_or_url() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/data");
    open_files(path.to_str().unwrap()).unwrap().put("a", "1".into()).await.unwrap();
    for url in [format!("file:{}", path.display()), format!("file://{}", path.display())] {
        assert_eq!(open_files(&url).unwrap().get("a").await.unwrap().unwrap(), "1");
    }
    assert!(matches!(open_files("ftp://host/a"), Err(FilesError::Url { .. })));
    assert!(matches!(open_files(""), Err(FilesError::Url { .. })));
}
