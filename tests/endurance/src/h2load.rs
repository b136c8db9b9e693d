//! h2load, and what it says at its end.

use std::process::{Child, Command, Stdio};

/// A run of h2load.
pub(crate) struct H2load {
    child: Child,
}

impl H2load {
    /// Asks for `url` on eight connections, each as often a second as `words` say (`--rps`), else as fast as it is answered;
    /// they also choose the protocol. What it can't begin on a connection that goes away h2load counts as failed.
    pub(crate) fn start(url: &str, seconds: u64, words: &[&str]) -> Self {
        let child = Command::new("h2load")
            .args(["-t1", "-c8", "-m4", "--warm-up-time", "0"])
            .args(["-D", &seconds.to_string()])
            .args(words)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        H2load { child: child.expect("h2load runs") }
    }

    /// Waits for the end; gives the requests that were answered. Any that failed is a failure of the scenario.
    pub(crate) fn finish(self) -> u64 {
        let output = self.child.wait_with_output().expect("h2load ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("requests:")).unwrap_or_default();
        let count = |name: &str| -> u64 {
            let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let at = words.iter().position(|word| *word == name).expect("h2load counts");
            words[at - 1].parse().expect("a number")
        };
        assert_eq!(count("done"), count("succeeded"), "{text}");
        assert_eq!((count("failed"), count("errored"), count("timeout")), (0, 0, 0), "{text}");
        let codes = text.lines().find(|line| line.starts_with("status codes:")).unwrap_or_default();
        assert!(codes.ends_with("0 3xx, 0 4xx, 0 5xx"), "{text}");
        count("succeeded")
    }
}
