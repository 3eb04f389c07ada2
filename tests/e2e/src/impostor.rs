//! Somebody who is not our program: serves whatever files a test gives it, or accepts and never answers.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How it treats who asks.
#[derive(Clone)]
enum Manners {
    /// A file per path; 404 for every other path, and for every POST.
    Serves(Arc<BTreeMap<String, Vec<u8>>>),
    /// It takes the connection and says nothing, ever.
    Silent,
    /// It answers everything with a body that does not end.
    Endless,
}

/// A server on a port of this machine. Dropped, it is gone, and so are the connections that it kept waiting.
pub struct Impostor {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    held: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    /// Serves these bodies by path.
    pub fn serving(port: u16, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::start(port, Manners::Serves(Arc::new(files)))
    }

    /// Never answers.
    pub fn silent(port: u16) -> Self {
        Self::start(port, Manners::Silent)
    }

    /// Never stops answering.
    pub fn endless(port: u16) -> Self {
        Self::start(port, Manners::Endless)
    }

    fn start(port: u16, manners: Manners) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listener = TcpListener::bind(address).expect("the port is free");
        let address = listener.local_addr().expect("an address");
        let is_over = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let held: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (over, count, kept) = (is_over.clone(), asked.clone(), held.clone());
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
                if let Ok(handle) = connection.try_clone() {
                    kept.lock().expect("no panic").push(handle);
                }
                let manners = manners.clone();
                std::thread::spawn(move || drop(answer(connection, &manners)));
            }
        });
        Self { address, is_over, asked, held, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it was asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(mut connection: TcpStream, manners: &Manners) -> std::io::Result<()> {
    let head = head(&mut connection)?;
    match manners {
        Manners::Silent => {
            // Until the other side or the test gives up.
            let _ = connection.read_to_end(&mut Vec::new());
            Ok(())
        }
        Manners::Endless => {
            connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            loop {
                connection.write_all(format!("10000\r\n{}\r\n", "x".repeat(0x1_0000)).as_bytes())?;
            }
        }
        Manners::Serves(files) => {
            let path = head.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?']).next());
            let (status, body) = match path.and_then(|path| files.get(path)) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &[][..]),
            };
            let length = body.len();
            connection.write_all(
                format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
                    .as_bytes(),
            )?;
            connection.write_all(body)
        }
    }
}

/// The request's head, up to the empty line.
fn head(connection: &mut TcpStream) -> std::io::Result<String> {
    connection.set_read_timeout(Some(Duration::from_mins(2)))?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 << 10 {
        if connection.read(&mut byte)? == 0 {
            break;
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        for connection in self.held.lock().expect("no panic").drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
