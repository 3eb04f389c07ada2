//! `concord doctor`: is this machine fit to run the node? Each check says what is wrong and what to do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use record::Authority;
use serde_json::{Value, json};

use crate::clock;
use crate::command::{Command, LogCommand, PeerCommand};
use crate::config::Config;
use crate::control;
use crate::fault::Fault;
use crate::identity;
use crate::node::Node;
use crate::operate::{self, Outcome};
use crate::outbound::{Address, Outbound};

/// A clock that is off by more than this makes signed requests fail.
const MAX_SKEW: i64 = 30;
/// Less free space than this is a warning, in bytes.
const LITTLE_SPACE: u64 = 2 << 30;
/// The most bytes of a root.
const MAX_ROOT: usize = 64 * 1024;

struct Check {
    what: String,
    ok: bool,
    says: String,
}

/// Runs every check; exit code 1 if one fails.
pub(super) async fn run(data: &Path) -> Result<Outcome, Fault> {
    let config = Config::load(data)?;
    let mut checks = vec![space(&config), root_keys(&config), secrets(&config), port(&config).await, time()];
    checks.push(logs(&config).await);
    checks.extend(guards(&config).await);
    checks.extend(state(&config).await);
    checks.extend(peers(&config).await?);
    let mut text = String::new();
    for check in &checks {
        let mark = if check.ok { "ok  " } else { "FAIL" };
        text.push_str(&format!("{mark} {}: {}\n", check.what, check.says));
    }
    let rows: Vec<_> =
        checks.iter().map(|c| json!({ "check": c.what, "ok": c.ok, "says": c.says })).collect();
    let outcome = Outcome::new(rows, text);
    Ok(if checks.iter().all(|c| c.ok) { outcome } else { outcome.refusing() })
}

fn space(config: &Config) -> Check {
    let what = "disk".to_owned();
    match rustix::fs::statvfs(&config.folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let says = format!("{} MiB free in {}", free >> 20, config.folder.display());
            Check { what, ok: free >= LITTLE_SPACE, says }
        }
        Err(error) => Check { what, ok: false, says: error.to_string() },
    }
}

fn root_keys(config: &Config) -> Check {
    let what = "root keys".to_owned();
    match identity::refuse_root_keys(&config.folder) {
        Ok(()) => Check { what, ok: true, says: "none lie in the data folder".into() },
        Err(_) if config.exchange.root_keys_inside => {
            Check { what, ok: true, says: "lie in the data folder, as this demonstration allows".into() }
        }
        Err(error) => Check { what, ok: false, says: error.to_string() },
    }
}

fn secrets(config: &Config) -> Check {
    let what = "secrets".to_owned();
    match identity::refuse_writable(&config.folder).and_then(|()| identity::refuse_exposed(&config.folder)) {
        Ok(()) => {
            Check { what, ok: true, says: "no other user of this machine can read or change them".into() }
        }
        Err(error) => Check { what, ok: false, says: error.to_string() },
    }
}

/// Either our server has the port, or nobody.
async fn port(config: &Config) -> Check {
    let what = format!("port {}", config.listen.port());
    if tokio::net::UnixStream::connect(config.socket_path()).await.is_ok() {
        return Check { what, ok: true, says: "the server is running".into() };
    }
    match tokio::net::TcpListener::bind(config.listen).await {
        Ok(_) => Check { what, ok: true, says: "is free; the server is not running".into() },
        Err(error) => Check { what, ok: false, says: format!("{error}: another program has it") },
    }
}

/// Each peer that has an address: does it answer, and what time does it say it is?
async fn peers(config: &Config) -> Result<Vec<Check>, Fault> {
    let mut known = match known_peers(config).await {
        Ok(known) => known,
        Err(why) => {
            let says = format!("peers are not known: {}", why.message);
            return Ok(vec![Check { what: "state".to_owned(), ok: false, says }]);
        }
    };
    // An address that was written down before its peer was added is looked at too.
    let early = config.dial.keys().filter(|authority| known.iter().all(|(peer, _)| peer != *authority));
    let early: Vec<_> = early.map(|authority| (authority.clone(), None)).collect();
    known.extend(early);
    let outbound = Outbound::new()?;
    let mut checks = Vec::new();
    for (authority, published) in known {
        let address = match (config.dial.get(&authority), published) {
            (Some(url), _) => Address::Dialled(url.clone()),
            (None, Some(url)) => Address::Published(url),
            // It is read by bundle.
            (None, None) => continue,
        };
        checks.push(peer(&outbound, &authority, &address).await);
    }
    Ok(checks)
}

/// What a command answers: through the server, or from the folder if none runs.
async fn ask(config: &Config, command: Command) -> Result<Outcome, Fault> {
    if let Some(answer) = control::send_as(&config.socket_path(), None, &command).await? {
        let unsaid = || Fault::new("control-answer", "the server's answer cannot be read");
        return answer.outcome.ok_or_else(|| answer.error.unwrap_or_else(unsaid));
    }
    let node = Arc::new(Node::open(config.clone()).await?);
    let outcome = operate::run(&node, command).await;
    node.close().await;
    Ok(outcome?)
}

/// What this machine takes the time to be; the first log gets its year into its name, for ever.
fn time() -> Check {
    let says = format!("this machine says that it is {}, UTC", clock::now());
    Check { what: "clock".to_owned(), ok: true, says }
}

/// Whether every file of logs and records is what was signed.
async fn logs(config: &Config) -> Check {
    let what = "own logs and files".to_owned();
    let outcome = match ask(config, Command::Log(LogCommand::Check)).await {
        Ok(outcome) => outcome,
        Err(why) => return Check { what, ok: false, says: why.message },
    };
    let rows = outcome.json.as_array().cloned().unwrap_or_default();
    let own = rows.iter().filter(|row| row["own"] == true).count();
    let damaged = rows.iter().filter_map(|row| row["damaged"].as_array()).flatten();
    let damaged: Vec<&str> = damaged.filter_map(Value::as_str).collect();
    let says = match damaged.as_slice() {
        [] if own == 0 => {
            format!("none yet: the first one gets the year {} in its name", clock::now().date().civil().0)
        }
        [] => format!("{own}; every file of them, of copies of others' and of records is whole"),
        some => format!("damaged on this disk: {}; see `concord log check`", some.join(", ")),
    };
    Check { what, ok: damaged.is_empty(), says }
}

/// Whether what this machine remembers of its logs can be read.
async fn guards(config: &Config) -> Vec<Check> {
    let Ok(list) = ask(config, Command::Log(LogCommand::List)).await else { return Vec::new() };
    let Ok(guard) = store::Guard::open(&config.guard_path()) else { return Vec::new() };
    let rows = list.json.as_array().cloned().unwrap_or_default();
    let origins = rows.iter().filter_map(|row| row["origin"].as_str());
    let failed = origins.filter_map(|origin| guard.read(origin).err().map(|why| (origin, why)));
    let failed = failed.map(|(origin, why)| {
        let says = format!(
            "{why}. With nobody to ask, and if nothing else was signed: `concord log resume {origin}`"
        );
        Check { what: format!("guard of {origin}"), ok: false, says }
    });
    failed.collect()
}

/// Keys that the newest root lists and that are not here, and peers whose roots in `state` are damaged: all else goes on without
/// them.
async fn state(config: &Config) -> Vec<Check> {
    let failed = |what: &str, says: String| Check { what: what.to_owned(), ok: false, says };
    let mut checks = Vec::new();
    match ask(config, Command::Status).await {
        Ok(status) => {
            let missing = status.json["missing_keys"].as_array().cloned().unwrap_or_default();
            let missing: Vec<&str> = missing.iter().filter_map(Value::as_str).collect();
            let damaged = damaged_keys(config);
            let says = match missing.as_slice() {
                [] => "every one that the newest root lists is here".to_owned(),
                some => format!(
                    "no {} key in {} that the newest root lists{damaged}: put its file back from a backup, or `concord key rotate {}`",
                    some.join(", no "),
                    config.keys_folder().display(),
                    some[0]
                ),
            };
            checks.push(Check { what: "keys".to_owned(), ok: missing.is_empty(), says });
        }
        Err(why) => checks.push(failed("keys", why.message)),
    }
    if let Ok(list) = ask(config, Command::Peer(PeerCommand::List)).await {
        for (peer, why) in list.json["damaged"].as_object().into_iter().flatten() {
            let why = why.as_str().unwrap_or_default();
            let says = format!(
                "is left out: what state holds of its roots is damaged ({why}); `concord peer add {peer}` and confirm it again"
            );
            checks.push(failed(&format!("peer {peer}"), says));
        }
    }
    checks
}

/// The files that should hold a key and do not, as they are said.
fn damaged_keys(config: &Config) -> String {
    let identity = identity::Identity::read(&config.keys_folder()).unwrap_or_default();
    let damaged: Vec<String> = identity.damaged().map(|path| path.display().to_string()).collect();
    if damaged.is_empty() { String::new() } else { format!(" (damaged: {})", damaged.join(", ")) }
}

/// Peers with the addresses that this node uses: as the server knows them, or from `state` if none runs.
async fn known_peers(config: &Config) -> Result<Vec<(Authority, Option<String>)>, Fault> {
    let outcome = ask(config, Command::Peer(PeerCommand::List)).await?;
    let rows = outcome.json["peers"].as_array().cloned().unwrap_or_default();
    let row = |row: &Value| {
        let authority = row["authority"].as_str()?.parse().ok()?;
        Some((authority, row["address"].as_str().map(str::to_owned)))
    };
    Ok(rows.iter().filter_map(row).collect())
}

async fn peer(outbound: &Outbound, authority: &Authority, address: &Address) -> Check {
    let what = format!("peer {authority}");
    let root = outbound.get(address, "/.well-known/concord/root", Default::default(), MAX_ROOT);
    match tokio::time::timeout(Duration::from_secs(15), root).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            let date = answer.date.and_then(|d| i64::try_from(d).ok()).unwrap_or_else(clock::seconds);
            let skew = date - clock::seconds();
            let wrong =
                if skew.abs() > MAX_SKEW { ": one of the two is wrong; set this one by NTP" } else { "" };
            let says = format!("answers at {address}; its clock differs by {skew} s{wrong}");
            Check { what, ok: skew.abs() <= MAX_SKEW, says }
        }
        Ok(Ok(answer)) => Check { what, ok: false, says: format!("{address} answers {}", answer.status) },
        Ok(Err(error)) => Check { what, ok: false, says: error.to_string() },
        Err(_) => Check { what, ok: false, says: format!("{address} does not answer within 15 s") },
    }
}
