//! The real binary on free ports of loopback, with its log at hand.

use crate::{Client, PATIENCE, Scratch};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

/// Lines of the log that a test may leave unread.
const LINES_MAX: usize = 100_000;

/// A node to be started.
#[derive(Debug, Default)]
pub struct NodeBuilder {
    documents: Vec<(String, String)>,
    files: Vec<(String, String)>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    settings: Option<String>,
    has_own_program: bool,
    descriptors_max: Option<u32>,
}

impl NodeBuilder {
    /// Runs a copy of the binary, `turnpike` in the node's folder, which a test may replace.
    #[must_use]
    pub fn own_program(mut self) -> Self {
        self.has_own_program = true;
        self
    }

    /// Serves a document under a file name.
    #[must_use]
    pub fn document(mut self, name: &str, text: &str) -> Self {
        self.documents.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Writes a file that settings name.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Adds flags.
    #[must_use]
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a `turnpike.yaml`, which the node finds in its current folder.
    #[must_use]
    pub fn settings(mut self, text: &str) -> Self {
        self.settings = Some(text.to_owned());
        self
    }

    /// Bounds how many descriptors the node may have.
    #[must_use]
    pub fn descriptors_max(mut self, count: u32) -> Self {
        self.descriptors_max = Some(count);
        self
    }

    /// Starts the binary and waits until it listens.
    ///
    /// # Panics
    /// It doesn't.
    #[must_use]
    pub fn start(self) -> Node {
        self.try_start().unwrap_or_else(|log| panic!("the node didn't start:\n{log}"))
    }

    /// Starts the binary; gives its log if it ends instead of listening.
    ///
    /// # Errors
    /// It ended, or said nothing in time.
    ///
    /// # Panics
    /// The binary can't be run at all.
    pub fn try_start(self) -> Result<Node, String> {
        let folder = Scratch::new();
        if let Some(text) = &self.settings {
            folder.write("turnpike.yaml", text);
        }
        for (name, text) in &self.files {
            folder.write(name, text);
        }
        let files: Vec<PathBuf> =
            self.documents.iter().map(|(name, text)| folder.write(name, text)).collect();
        let mut program = binary();
        if self.has_own_program {
            let copy = folder.path().join("turnpike");
            std::fs::copy(&program, &copy).expect("the binary can be copied");
            program = copy;
        }
        let mut command = match self.descriptors_max {
            None => Command::new(program),
            Some(count) => {
                // The shell sets the limit, and becomes the node.
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -n {count}; exec \"$0\" \"$@\"")]).arg(program);
                shell
            }
        };
        command.arg("serve").args(files.iter().filter_map(|file| file.file_name()));
        command.args(["--control", "127.0.0.1:0"]);
        if self.settings.is_none() && !self.flags.iter().any(|flag| flag == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(&self.flags).envs(self.environment).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let stderr = child.stderr.take().expect("stderr is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut node = Node {
            child,
            successor: None,
            folder,
            addresses: Vec::new(),
            control: None,
            log: lines(stderr),
            output: lines(stdout),
            seen: Vec::new(),
        };
        node.wait_until_ready()?;
        Ok(node)
    }
}

/// A running node; dropping it kills it.
#[derive(Debug)]
pub struct Node {
    child: Child,
    /// The process that has taken over.
    successor: Option<Pid>,
    folder: Scratch,
    addresses: Vec<SocketAddr>,
    control: Option<SocketAddr>,
    log: Receiver<String>,
    output: Receiver<String>,
    seen: Vec<String>,
}

impl Node {
    /// A node to be described.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// A node that serves one document as `api.yaml`.
    #[must_use]
    pub fn serve(document: &str) -> Self {
        Self::builder().document("api.yaml", document).start()
    }

    /// The first listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Every listener.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The control listener.
    ///
    /// # Panics
    /// The node never said where it is.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control.expect("the node names its control listener")
    }

    /// A connection to the first listener.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// Folder that the node runs in, with its documents.
    #[must_use]
    pub fn folder(&self) -> &Scratch {
        &self.folder
    }

    /// Process id, of the process that serves now.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().as_raw_nonzero().get().unsigned_abs()
    }

    fn process(&self) -> Pid {
        self.successor.unwrap_or_else(|| Pid::from_child(&self.child))
    }

    /// Has a new process take over, and waits until the old one has ended.
    ///
    /// # Panics
    /// It doesn't, or the old one ends badly.
    pub fn upgrade(&mut self) {
        let (old, is_child) = (self.pid(), self.successor.is_none());
        self.signal(Signal::USR2);
        let line = self.wait_for_log("has taken over");
        let word = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        self.successor = word.and_then(Pid::from_raw);
        assert!(self.successor.is_some() && self.pid() != old, "{line}");
        if is_child {
            let mut status = None;
            crate::eventually("the old process ends", || {
                status = self.child.try_wait().expect("a child can be waited for");
                status.is_some()
            });
            assert!(status.is_some_and(|status| status.success()), "the old process ended with {status:?}");
        } else {
            crate::eventually("the old process ends", || !is_running(old));
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// The node is gone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).expect("the node runs");
    }

    /// Waits for a line of the log that contains `text`, and gives the line.
    ///
    /// # Panics
    /// None comes in time.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        let start = Instant::now();
        while let Ok(line) = self.log.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
        panic!("no {text:?} in the log:\n{}", self.seen.join("\n"))
    }

    /// What the log said until the node was ready, and what was waited for since.
    #[must_use]
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// A line of standard output.
    ///
    /// # Panics
    /// None comes in time.
    pub fn line_of_output(&mut self) -> String {
        self.output.recv_timeout(PATIENCE).expect("a line of output")
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// It doesn't end in time.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// It doesn't end in time.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        crate::eventually("the node ends", || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        status.expect("just seen")
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            match self.log.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(line) => {
                    let address = address_after(&line, "listening on http://");
                    self.addresses.extend(address.or(address_after(&line, "listening on https://")));
                    self.control = self.control.or(address_after(&line, "control on http://"));
                    self.control = self.control.or(address_after(&line, "control on https://"));
                    let ready = line.starts_with("ready");
                    self.seen.push(line);
                    if ready {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(self.seen.join("\n"));
                }
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // All of it fails only for a node that ended already.
        if let Some(successor) = self.successor {
            let _ = kill_process(successor, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process is there, and hasn't ended.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses (proc(5)).
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    line.strip_prefix(words)?.split([' ', '/']).next()?.parse().ok()
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The binary: `TURNPIKE_BINARY`, else the one of this build's profile, brought up to date.
///
/// # Panics
/// It doesn't build.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TURNPIKE_BINARY") {
        return PathBuf::from(path);
    }
    let own = std::env::current_exe().expect("a test knows its own path");
    let folder = own.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "turnpike-server", "--profile", profile])
        .current_dir(root)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the binary builds");
    folder.join("turnpike")
}
