//! One authority and several: their folders, their processes, the commands of their operators.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::clock::Clock;
use crate::wait::{PATIENCE, until};

/// An authority with a data folder, and its process while it serves. Dropped, the process is killed.
pub struct Authority {
    /// Its DNS name.
    pub name: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Where its root keys are.
    pub root_keys: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// Further environment of its processes.
    pub environment: Vec<(String, String)>,
    /// The largest file that its processes may write, in bytes, if there is a limit.
    pub largest_file: Option<u64>,
    /// How many files its processes may have open, if there is a limit.
    pub open_files: Option<u64>,
    clock: Option<Arc<Clock>>,
    child: Option<Child>,
    starts: u32,
}

/// Authorities that know where each other is; nobody is confirmed yet.
pub struct World {
    /// In the order of their names as given.
    pub nodes: Vec<Authority>,
    folder: TempDir,
}

impl World {
    /// Makes authorities with `concord init`; each may reach all others on this machine.
    pub fn new(names: &[&str]) -> Self {
        Self::with(names, |_| Vec::new())
    }

    /// The same, with further arguments of `init` for each.
    pub fn with(names: &[&str], more: impl Fn(&str) -> Vec<String>) -> Self {
        Self::made(names, tempfile::tempdir().expect("a folder"), None, more)
    }

    /// The same, where a test moves the clock.
    pub fn with_clock(names: &[&str]) -> (Self, Arc<Clock>) {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(Clock::new(folder.path()));
        (Self::made(names, folder, Some(&clock), |_| Vec::new()), clock)
    }

    fn made(
        names: &[&str],
        folder: TempDir,
        clock: Option<&Arc<Clock>>,
        more: impl Fn(&str) -> Vec<String>,
    ) -> Self {
        let ports = free_ports(names.len());
        let mut nodes = Vec::new();
        for (name, port) in names.iter().zip(&ports) {
            let node = Authority {
                name: (*name).to_owned(),
                data: folder.path().join(name),
                root_keys: folder.path().join(format!("{name}-root-keys")),
                port: *port,
                environment: Vec::new(),
                largest_file: None,
                open_files: None,
                clock: clock.cloned(),
                child: None,
                starts: 0,
            };
            let mut args: Vec<String> = [
                "init",
                "--authority",
                name,
                "--code",
                "XTS",
                "--status",
                "exercise",
                "--root-keys",
                path_in(&node.root_keys).as_str(),
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--public-url",
                &format!("http://127.0.0.1:{port}"),
            ]
            .map(str::to_owned)
            .to_vec();
            for (other, port) in names.iter().zip(&ports).filter(|(other, _)| *other != name) {
                args.extend(["--dial".to_owned(), format!("{other}=http://127.0.0.1:{port}")]);
            }
            let more = more(name);
            if !more.iter().any(|arg| arg == "--name") {
                args.extend(["--name".to_owned(), format!("en=Health of {name}")]);
            }
            if !more.iter().any(|arg| arg == "--endpoint") {
                args.extend(["--endpoint".to_owned(), format!("https://concord.{name}")]);
            }
            args.extend(more);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            node.ask(&args).expect("init");
            nodes.push(node);
        }
        Self { nodes, folder }
    }

    /// Makes authorities, starts them, and lets all of them confirm each other.
    pub fn of_friends(names: &[&str]) -> Self {
        let mut world = Self::new(names);
        world.serve();
        world.introduce();
        world
    }

    /// Starts every process.
    pub fn serve(&mut self) {
        for node in &mut self.nodes {
            node.serve();
        }
    }

    /// All compare fingerprints and confirm each other.
    pub fn introduce(&self) {
        for node in &self.nodes {
            for other in self.nodes.iter().filter(|other| other.name != node.name) {
                let fingerprint = other.fingerprint();
                node.ask(&["peer", "add", &other.name, "--fingerprint", &fingerprint]).expect("peer add");
                node.ask(&["peer", "confirm", &other.name, "--fingerprint", &fingerprint])
                    .expect("peer confirm");
            }
        }
    }

    /// A path in this world's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A path as an argument.
pub fn path_in(path: &Path) -> String {
    path.to_str().expect("paths of tests are text").to_owned()
}

/// Ports that nobody listens on now.
pub fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a free port")).collect();
    held.iter().map(|l| l.local_addr().expect("an address").port()).collect()
}

impl Authority {
    /// The same authority with another data folder, such as a restored one. It does not serve yet.
    #[must_use]
    pub fn at(&self, data: PathBuf) -> Self {
        let (name, root_keys, port) = (self.name.clone(), self.root_keys.clone(), self.port);
        let (environment, largest_file) = (self.environment.clone(), self.largest_file);
        let open_files = self.open_files;
        Self {
            name,
            data,
            root_keys,
            port,
            environment,
            largest_file,
            open_files,
            clock: self.clock.clone(),
            child: None,
            starts: 0,
        }
    }

    /// Starts the process and waits until it answers.
    pub fn serve(&mut self) {
        self.start();
        let socket = self.data.join("control.sock");
        let mut child = self.child.take().expect("started");
        let log = self.log_file();
        until(&format!("{} answers", self.name), || {
            if let Some(status) = child.try_wait().expect("a child") {
                panic!(
                    "{} ended with {status}: {}",
                    self.name,
                    std::fs::read_to_string(&log).unwrap_or_default()
                );
            }
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
        self.child = Some(child);
    }

    /// Starts the process where it is not expected to serve: its exit code and what it said.
    pub fn fails_to_serve(&mut self) -> (Option<i32>, String) {
        let output = self.run(&["serve"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn start(&mut self) {
        assert!(self.child.is_none(), "{} serves already", self.name);
        self.starts += 1;
        let log = File::create(self.log_file()).expect("a log");
        let child = self
            .command(&["serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
    }

    /// What its process says, newest start.
    pub fn log_file(&self) -> PathBuf {
        let name = format!("{}.{}.log", self.data.display(), self.starts);
        PathBuf::from(name)
    }

    /// The process's id while it serves.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills the process at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
        }
    }

    /// Asks the process to end, and waits until it has.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("an id");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told");
        let status = until(&format!("{} stops", self.name), || child.try_wait().expect("a child"));
        assert!(status.success(), "{} stopped with {status}", self.name);
    }

    fn command(&self, args: &[&str]) -> Command {
        // A write beyond the limit fails instead of ending the program, as on a full disk.
        let blocks = self.largest_file.map(|bytes| format!("trap '' XFSZ; ulimit -f {};", bytes / 512));
        let files = self.open_files.map(|files| format!("ulimit -n {files};"));
        let mut command = match [blocks, files].into_iter().flatten().collect::<String>() {
            none if none.is_empty() => Command::new(crate::concord()),
            limits => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{limits} exec \"$0\" \"$@\"")]);
                shell.arg(crate::concord());
                shell
            }
        };
        command.env("LC_ALL", "C").envs(self.environment.iter().map(|(k, v)| (k, v)));
        for variable in ["CONCORD_DATA", "CONCORD_LISTEN", "CONCORD_STATE", "CONCORD_INDEX", "CONCORD_FILES"]
        {
            command.env_remove(variable);
        }
        if let Some(clock) = &self.clock {
            clock.give_to(&mut command);
        }
        command.arg("--data").arg(&self.data).args(args);
        command
    }

    /// Runs the program to its end, whatever it answers; fails the test if it does not end in time.
    pub fn run(&self, args: &[&str]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let deadline = Instant::now() + PATIENCE;
        // The pipes are read by the thread, so that a long answer does not block the program.
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                if let Some(mut pipe) = pipe {
                    pipe.read_to_end(&mut bytes).expect("a pipe");
                }
                bytes
            })
        };
        let stdout = read(out.map(|p| Box::new(p) as _));
        let stderr = read(err.map(|p| Box::new(p) as _));
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().expect("it can be killed");
                panic!("concord {args:?} does not end");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        Output { status, stdout: stdout.join().expect("a reader"), stderr: stderr.join().expect("a reader") }
    }

    /// Runs a command with `--json`: what it answers, or why it refuses.
    ///
    /// # Errors
    /// What the program says when its exit code is not 0.
    pub fn ask(&self, args: &[&str]) -> Result<Value, String> {
        let mut with_json = args.to_vec();
        with_json.push("--json");
        let output = self.run(&with_json);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
            panic!("{args:?} printed no JSON ({e}): {:?}", String::from_utf8_lossy(&output.stdout))
        }))
    }

    /// Its fingerprint, as its operator reads it out.
    pub fn fingerprint(&self) -> String {
        let list = self.ask(&["peer", "list"]).expect("peer list");
        list["fingerprint"].as_str().expect("a fingerprint").to_owned()
    }

    /// Releases a short notice and gives the record's name. `to` is `--public`, or `--to` and a name, and so on.
    ///
    /// # Errors
    /// What the program says when it refuses.
    pub fn release(&self, to: &[&str], text: &str) -> Result<Value, String> {
        let text = format!("en={text}");
        let mut args = vec!["release"];
        args.extend(to);
        args.extend(["--text", &text]);
        Ok(self.ask(&args)?[0].clone())
    }

    /// Releases a short public notice and gives the record's name.
    pub fn say(&self, text: &str) -> String {
        let released = self.release(&["--public"], text).expect("release");
        released["name"].as_str().expect("a name").to_owned()
    }

    /// Its newest root as a file, for where there is no network.
    pub fn root_file(&self, folder: &Path) -> PathBuf {
        let shown = self.ask(&["root", "show"]).expect("root show");
        let file = folder.join(format!("{}.root", self.name));
        std::fs::write(&file, shown["root"].as_str().expect("a root")).expect("written");
        file
    }

    /// Codes of the alarms that `status` lists.
    pub fn alarms(&self) -> Vec<String> {
        let status = self.ask(&["status"]).expect("status");
        let alarms = status["alarms"].as_array().expect("a list");
        alarms.iter().map(|alarm| alarm["code"].as_str().expect("a code").to_owned()).collect()
    }

    /// `records list`: every valid record it knows.
    pub fn records(&self) -> Vec<Value> {
        let list = self.ask(&["records", "list", "--limit", "100000"]).expect("records list");
        list.as_array().expect("a list").clone()
    }

    /// Does it list a record of this name as valid?
    pub fn knows(&self, name: &str) -> bool {
        self.records().iter().any(|row| row["name"] == name)
    }

    /// `log list`: the row of a log, if it knows it.
    pub fn log(&self, origin: &str) -> Option<Value> {
        let list = self.ask(&["log", "list"]).expect("log list");
        list.as_array().expect("a list").iter().find(|row| row["origin"] == origin).cloned()
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.log_file()).unwrap_or_default();
            let from = said.len().saturating_sub(4000);
            eprintln!("--- {} said:\n{}", self.name, said.get(from..).unwrap_or(&said));
        }
    }
}
