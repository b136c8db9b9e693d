//! wrk, and what it says at its end.

use std::process::{Child, Command, Stdio};

/// A run of wrk.
pub(crate) struct Wrk {
    child: Child,
}

/// What it counted.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Lines about answers that are no 2xx or 3xx, and about broken connections.
    pub(crate) failures: Vec<String>,
    pub(crate) per_second: f64,
}

impl Wrk {
    /// Asks for `url` on 32 connections. An answer that takes five seconds counts as a failure.
    pub(crate) fn start(url: &str, seconds: u64) -> Self {
        let duration = format!("{seconds}s");
        let child = Command::new("wrk")
            .args(["-t1", "-c32", "--timeout", "5s", "-d", &duration, url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        Wrk { child: child.expect("wrk runs") }
    }

    /// Waits for the end.
    pub(crate) fn finish(self) -> Counts {
        let output = self.child.wait_with_output().expect("wrk ends");
        assert!(output.status.success(), "wrk ended badly");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = |line: &&str| line.contains("Socket errors") || line.contains("Non-2xx");
        let number = |line: &str| line.split_whitespace().find_map(|word| word.parse().ok());
        Counts {
            requests: text.lines().find(|line| line.contains("requests in")).and_then(number).unwrap_or(0.0)
                as u64,
            failures: text.lines().filter(failed).map(|line| line.trim().to_owned()).collect(),
            per_second: text
                .lines()
                .find(|line| line.contains("Requests/sec"))
                .and_then(number)
                .unwrap_or(0.0),
        }
    }
}
