//! The servers that are compared, each as a process of its own on a core of its own.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;

use crate::client::Access;
use crate::{Failure, cores, janus, livekit, machine};

const KEY: &str = "bench";
const SECRET: &str = "a-secret-that-is-known-to-everybody";

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// Ours
    Concord,
    /// `LiveKit` server (Go)
    Livekit,
    /// Janus, its `VideoRoom` (C)
    Janus,
}

impl Peer {
    /// All, ours first.
    pub const ALL: [Self; 3] = [Self::Concord, Self::Livekit, Self::Janus];

    /// Its name in the table.
    pub fn named(self) -> &'static str {
        match self {
            Self::Concord => "concord",
            Self::Livekit => "LiveKit",
            Self::Janus => "Janus",
        }
    }

    /// Where its program is, or what to do about it.
    pub fn program(self) -> Result<PathBuf, Failure> {
        let (variable, names, hint): (&str, &[&str], &str) = match self {
            Self::Concord => ("MEET_SERVE", &["serve"], "cargo build -p meet --example serve"),
            Self::Livekit => (
                "LIVEKIT_SERVER",
                &["livekit-server", "server"],
                "go install github.com/livekit/livekit-server/cmd/server@v1.13.5",
            ),
            Self::Janus => ("JANUS", &["janus"], "apt install janus"),
        };
        let named = std::env::var_os(variable).map(PathBuf::from);
        let beside = std::env::current_exe()?.with_file_name("examples");
        let mut folders: Vec<PathBuf> = if self == Self::Concord { vec![beside] } else { Vec::new() };
        let path = std::env::var_os("PATH").unwrap_or_default();
        if self != Self::Concord {
            folders.extend(std::env::split_paths(&path));
            folders.extend(std::env::home_dir().map(|home| home.join("go/bin")));
        }
        let found = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        let program = named.into_iter().chain(found).find(|path| path.is_file());
        Ok(program.ok_or_else(|| format!("{} is missing: {hint}, or name it in {variable}", self.named()))?)
    }
}

/// A server that runs, until it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The way in.
    pub access: Access,
    /// Where clients' media comes from.
    pub address: IpAddr,
}

impl Server {
    /// Starts one on `port` and those after it, in an empty `folder`, on `core` if that is given.
    pub async fn start(peer: Peer, folder: &Path, port: u16, core: Option<usize>) -> Result<Self, Failure> {
        let program = peer.program()?;
        std::fs::create_dir_all(folder)?;
        let (arguments, access) = match peer {
            Peer::Concord => {
                let bind = format!("--bind=127.0.0.1:{port}");
                (
                    vec![
                        "--dev".to_owned(),
                        bind,
                        format!("--keys={KEY}:{SECRET}"),
                        "--threads=1".to_owned(),
                    ],
                    room(port),
                )
            }
            Peer::Livekit => (livekit_arguments(folder, port)?, room(port)),
            Peer::Janus => {
                let access = janus::Access { url: format!("ws://127.0.0.1:{port}"), room: 1 };
                (janus_arguments(folder, port)?, Access::Janus(access))
            }
        };
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .env("CONCORD_LOG", "warn");
        // A process inherits the core of the thread that starts it.
        let started = std::thread::spawn(move || {
            if let Some(core) = core {
                cores::stay_on(core)?;
            }
            command.spawn()
        });
        let child = started.join().map_err(|_| "the server was not started")??;
        let mut server = Self {
            child,
            access,
            address: if peer == Peer::Janus { own_address()? } else { Ipv4Addr::LOCALHOST.into() },
        };
        server.await_port(port, folder).await?;
        if let Access::Janus(access) = &server.access {
            access.create().await?;
        }
        Ok(server)
    }

    async fn await_port(&mut self, port: u16, folder: &Path) -> Result<(), Failure> {
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                return Err(format!("the server ended with {status}: {log}").into());
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the server does not listen after ten seconds".into())
    }

    /// Processor time that it has used.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        Ok(machine::cpu_of(self.child.id()).ok_or("the server has ended")?)
    }

    /// Bytes that are resident.
    pub fn memory(&self) -> Result<u64, Failure> {
        Ok(machine::memory_of(self.child.id()).ok_or("the server has ended")?.now)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which was an error before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The machine's own address: Janus takes no loopback candidates. Packets to it stay within the kernel all the same.
fn own_address() -> Result<IpAddr, Failure> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // An address for documentation (RFC 5737): nothing is sent, the kernel only says where it would be sent from.
    socket.connect((Ipv4Addr::new(203, 0, 113, 1), 9))?;
    Ok(socket.local_addr()?.ip())
}

fn room(port: u16) -> Access {
    Access::Livekit(livekit::Access {
        url: format!("ws://127.0.0.1:{port}"),
        key: KEY.to_owned(),
        secret: SECRET.to_owned(),
        room: "bench".to_owned(),
    })
}

fn livekit_arguments(folder: &Path, port: u16) -> Result<Vec<String>, Failure> {
    let config = serde_json::json!({
        "port": port, "bind_addresses": ["127.0.0.1"], "keys": { KEY: SECRET }, "logging": { "level": "error" },
        "rtc": { "tcp_port": port + 1, "udp_port": port + 2, "node_ip": "127.0.0.1", "enable_loopback_candidate": true },
    });
    // YAML contains JSON.
    let path = folder.join("livekit.yaml");
    std::fs::write(&path, config.to_string())?;
    Ok(vec!["--config".to_owned(), path.display().to_string()])
}

/// A folder of settings of its own: only what the room needs.
fn janus_arguments(folder: &Path, port: u16) -> Result<Vec<String>, Failure> {
    let main = "general: { debug_level = 2, session_timeout = 120 }\n\
        plugins: { disable = \"libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,\
        libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so\" }\n\
        transports: { disable = \"libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so\" }\n";
    let sockets = format!(
        "general: {{ ws = true, ws_ip = \"127.0.0.1\", ws_port = {port}, wss = false, json = \"compact\" }}\n"
    );
    std::fs::write(folder.join("janus.jcfg"), main)?;
    std::fs::write(folder.join("janus.transport.websockets.jcfg"), sockets)?;
    std::fs::write(folder.join("janus.plugin.videoroom.jcfg"), "general: { }\n")?;
    Ok(vec![format!("--configs-folder={}", folder.display())])
}
