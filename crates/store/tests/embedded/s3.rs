//! Files in a bucket of a real S3 server, on a port of this machine.
//!
//! This server looks first and writes then where S3 does both at once, so conditional writes are tested here
//! one after the other only.

use crate::suite::{ORIGIN, PREFIX, signer};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use store::{Cells, Files, Guard, LogError, LogWriter, MemoryCells, ObjectFiles, open_files_with};
use tokio::net::TcpListener;

/// Serves a folder as S3 until the test's runtime ends.
async fn serve_s3(folder: &Path) -> SocketAddr {
    let mut builder = s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    builder.set_auth(s3s::auth::SimpleAuth::from_single("test", "not-a-secret"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = Builder::new(TokioExecutor::new());
                // A client that goes away is no failure of the server.
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn open(address: SocketAddr, url: &str) -> ObjectFiles {
    let endpoint = format!("http://{address}");
    let options = [
        ("aws_endpoint", endpoint.as_str()),
        ("aws_allow_http", "true"),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", "test"),
        ("aws_secret_access_key", "not-a-secret"),
    ];
    open_files_with(url, &options).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bucket")).unwrap();
    let address = serve_s3(folder.path()).await;
    crate::suite::files::all(Arc::new(open(address, "s3://bucket/some/prefix"))).await;
    assert_eq!(
        open(address, "s3://bucket").list("some/prefix/folderb").await.unwrap(),
        ["some/prefix/folderb/4"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_append_to_a_log_in_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bucket")).unwrap();
    let address = serve_s3(folder.path()).await;
    let files: Arc<dyn Files> = Arc::new(open(address, "s3://bucket/node"));
    let cells: Arc<dyn Cells> = Arc::new(MemoryCells::new());
    let guard = Guard::memory();
    let writers = [(); 2].map(|()| LogWriter::new(Arc::clone(&cells), Arc::clone(&files), guard.clone()));
    let mut size = 0_u64;
    for turn in 0..8_usize {
        let batch: Vec<Vec<u8>> = (size..size + 100).map(|n| format!("entry {n}").into_bytes()).collect();
        let writer = &writers[turn / 2 % 2];
        let appended = match writer.append(ORIGIN, PREFIX, batch.clone(), &signer()).await {
            Err(LogError::LostHead { .. }) => writer.append(ORIGIN, PREFIX, batch, &signer()).await,
            appended => appended,
        };
        assert_eq!(appended.unwrap().first, size);
        size += 100;
    }
    let entries = writers[0].reader(ORIGIN, PREFIX).await.unwrap().read_entries(0..800).await.unwrap();
    assert!(entries.iter().enumerate().all(|(n, entry)| entry == format!("entry {n}").as_bytes()));
}
