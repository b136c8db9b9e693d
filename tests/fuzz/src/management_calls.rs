//! Management calls: any sequence of them against an account in memory.
//!
//! An input is lines `METHOD /path?query body`. `$1` to `$9` in path and body are the ids that were given out, in order.

use control::{Certificates, Control, Node, NodeError, Outcome, Random, Request, Settings};
use model::{Account, Change, ClientCertificate, Secret};

/// Calls of one input; more only cost time.
const CALLS_MAX: usize = 48;
/// What a call may be answered with: `http` statuses of the service's model.
const STATUSES: [u16; 12] = [200, 201, 202, 204, 400, 403, 404, 409, 413, 415, 429, 501];

/// Takes everything, and has what was written last.
#[derive(Default)]
struct Willing {
    written: Vec<Change>,
}

impl Node for Willing {
    fn prepare(&mut self, _: &Account) -> Result<(), NodeError> {
        Ok(())
    }

    fn publish(&mut self) {}

    fn discard(&mut self) {}

    fn write(&mut self, changes: &[Change]) -> Result<(), NodeError> {
        assert!(!changes.is_empty(), "nothing to write");
        self.written.extend_from_slice(changes);
        Ok(())
    }
}

/// The same bytes in each run.
struct Seeded(crate::random::Random);

impl Random for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill_with(|| self.0.number() as u8);
    }
}

/// Certificates that certify nothing.
struct Paper;

impl Certificates for Paper {
    fn make(&mut self, now: i64) -> Result<ClientCertificate, String> {
        let private_key = Secret::new("a private key".to_owned());
        Ok(ClientCertificate { private_key, created_date: now, ..ClientCertificate::default() })
    }
}

/// Makes the calls.
pub fn management_calls(input: &[u8]) {
    let settings = Settings { account_id: "123456789012".to_owned(), integration_timeout_ms_max: 29_000 };
    let random = Box::new(Seeded(crate::random::Random::seeded(1)));
    let mut control = Control::new(Account::default(), settings, random, Box::new(Paper));
    let mut ids: Vec<String> = Vec::new();
    let text = String::from_utf8_lossy(input);
    for line in text.lines().take(CALLS_MAX) {
        let Some((method, rest)) = line.split_once(' ') else { continue };
        let (target, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let (target, body) = (filled(target, &ids), filled(body, &ids));
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let request = Request {
            method,
            path,
            query,
            accept: "application/json",
            data_plane: "http://localhost:8080",
            body: body.as_bytes(),
            region: "eu-central-1",
            now: 1_700_000_000,
        };
        call(&mut control, &request, &mut ids);
    }
}

fn call(control: &mut Control, request: &Request<'_>, ids: &mut Vec<String>) {
    let mut before = control.account().clone();
    let mut node = Willing::default();
    let Outcome::Done(done) = control.handle(request, &mut node) else { return };
    let response = &done.response;
    assert!(STATUSES.contains(&response.status), "{request:?}: {}", response.status);
    let is_changed = *control.account() != before;
    assert!(!is_changed || response.status < 300, "{request:?}: refused, and changed");
    assert!(!is_changed || request.method != "GET", "{request:?}: asked, and changed");
    assert!(!is_changed || !done.changed.is_empty(), "{request:?}: what changes is told");
    before.apply(node.written);
    assert!(*control.account() == before, "{request:?}: what is written is what is served");
    assert!(!String::from_utf8_lossy(&response.body).contains("a private key"), "{request:?}");
    let body = serde_json::from_slice::<serde_json::Value>(&response.body);
    if response.status >= 400 {
        let body = body.expect("an error is JSON");
        assert!(body["message"].is_string(), "{request:?}: {body}");
        return;
    }
    let Ok(body) = body else { return };
    for name in ["id", "rootResourceId"] {
        if let Some(id) = body[name].as_str()
            && !ids.iter().any(|known| known == id)
        {
            ids.push(id.to_owned());
        }
    }
}

/// `$1` to `$9` replaced.
fn filled(text: &str, ids: &[String]) -> String {
    let mut filled = text.to_owned();
    for (number, id) in (1..=9).zip(ids) {
        filled = filled.replace(&format!("${number}"), id);
    }
    filled
}
