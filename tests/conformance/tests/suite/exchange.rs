//! Runs the cases of a feature against one node and says what differs.

use crate::case::{Backend, Case, Failure, Kind, Record, Response, Sent};
use crate::files::{self, File};
use crate::text::{Names, compare, compare_one, fits};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use support::{Client, Message, Node, Reply, Upstream, eventually};

/// Variables of the record that cases ask about; AWS's names (monitoring.md §4.2).
const VARIABLES: &[&str] = &[
    "requestId",
    "extendedRequestId",
    "accountId",
    "apiId",
    "stage",
    "resourcePath",
    "httpMethod",
    "path",
    "protocol",
    "domainName",
    "domainPrefix",
    "status",
    "responseLength",
    "responseLatency",
    "requestTime",
    "requestTimeEpoch",
    "identity.sourceIp",
    "identity.userAgent",
    "identity.caller",
    "identity.user",
    "identity.apiKey",
    "authorizer.principalId",
    "error.message",
    "error.messageString",
    "error.responseType",
    "error.validationErrorString",
    "integration.status",
    "integration.latency",
    "integration.error",
    "integration.requestId",
    "integration.integrationStatus",
    "integrationStatus",
    "integrationLatency",
    "integrationErrorMessage",
    "awsEndpointRequestId",
    "wafResponseCode",
    "xrayTraceId",
    "customDomain.basePathMatched",
    "isCanaryRequest",
    "integration.responseTransferMode",
    "Status",
    "nothing",
];
/// A second API, so that none answers for all hosts.
const OTHER: &str = "openapi: 3.0.1\ninfo: {title: other, version: \"1\"}\nx-turnpike: {id: otherapi01}\npaths:\n  \
                     /a: {get: {x-amazon-apigateway-integration: {type: mock}}}\n";
const BETWEEN: &str = " | ";

/// The backend of all cases: it answers as the case at hand says.
struct Stage {
    reply: Arc<Mutex<Reply>>,
    upstream: Upstream,
    /// A port that nobody listens on.
    dead: u16,
}

impl Stage {
    fn new() -> Self {
        let reply = Arc::new(Mutex::new(Reply::Close));
        let current = Arc::clone(&reply);
        let upstream =
            Upstream::start(move |_| current.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let unused = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let dead = unused.local_addr().expect("a bound socket has an address").port();
        Stage { reply, upstream, dead }
    }

    fn names(&self, api: &str, port: &str) -> Names {
        Names(vec![
            ("<api>", api.to_owned()),
            ("<backend>", self.upstream.address().to_string()),
            ("<dead>", format!("127.0.0.1:{}", self.dead)),
            ("<port>", port.to_owned()),
        ])
    }

    fn set(&self, reply: Reply) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    }
}

/// Runs every case of a feature on a runtime; panics with all differences.
pub(crate) fn run(feature: &str, runtime: &str) {
    let mut files = files::of(feature);
    let stage = Stage::new();
    let mut failures = Vec::new();
    let (alone, together): (Vec<File>, Vec<File>) =
        files.drain(..).partition(|file| file.cases.node.is_some());
    for file in alone {
        let flags = file.cases.node.as_ref().map(|node| node.flags.clone()).unwrap_or_default();
        run_node(&[file], &flags, runtime, &stage, &mut failures);
    }
    if together.iter().any(|file| !file.cases.case.is_empty()) {
        run_node(&together, &[], runtime, &stage, &mut failures);
    }
    assert!(
        failures.is_empty(),
        "{} cases differ (-: expected, +: seen)\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn run_node(files: &[File], flags: &[String], runtime: &str, stage: &Stage, failures: &mut Vec<String>) {
    let cases: Vec<(&File, &Case)> =
        files.iter().flat_map(|file| file.cases.case.iter().map(move |case| (file, case))).collect();
    let mut documents: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for (file, case) in &cases {
        let text = files::document(&file.cases, case);
        // Cases that share a document share its API.
        let place = documents.iter().position(|known| *known == text).unwrap_or_else(|| {
            documents.push(text);
            documents.len() - 1
        });
        places.push(place);
    }
    let api = |place: usize| format!("api{place:07}");
    let wide: Vec<String> = VARIABLES.iter().map(|name| format!("{name}=$context.{name}")).collect();
    let wide = wide.join(BETWEEN);
    let mut all = vec!["--runtime", runtime, "--shards", "1", "--access-log-destination", "access.log"];
    if !flags.iter().any(|flag| flag == "--access-log-format") {
        all.extend(["--access-log-format", &wide]);
    }
    all.extend(flags.iter().map(String::as_str));
    let mut builder = Node::builder().flags(&all);
    for (place, text) in documents.iter().enumerate() {
        let end = if text.trim_start().starts_with('{') { "json" } else { "yaml" };
        let text = stage.names(&api(place), "").fill(text);
        builder = builder.document(&format!("{}.{end}", api(place)), &text);
    }
    if files.iter().all(|file| file.cases.node.is_none()) {
        // A single API would answer on any host.
        builder = builder.document("other.yaml", OTHER);
    }
    let node = builder.start();
    for ((file, case), place) in cases.iter().zip(places) {
        let names = stage.names(&api(place), &node.address().port().to_string());
        let mut differences = Vec::new();
        Run { case, names: &names, stage, node: &node }.judge(&mut differences);
        if !differences.is_empty() {
            failures.push(format!("{}: {} ({runtime})\n{}", file.path, case.name, differences.join("\n")));
        }
    }
}

struct Run<'a> {
    case: &'a Case,
    names: &'a Names,
    stage: &'a Stage,
    node: &'a Node,
}

impl Run<'_> {
    fn judge(&self, out: &mut Vec<String>) {
        drop(self.stage.upstream.recorded());
        self.stage.set(self.reply(self.case.backend.as_ref()));
        let mut client = self.node.client();
        for before in &self.case.before {
            let request = self.head(&before.request, &[]);
            client.send(request);
            let seen = client.response().status();
            if seen != before.status {
                out.push(format!("  before: {} was answered {seen}, not {}", before.request, before.status));
            }
        }
        let request = self.request();
        // A refusal may come, and the connection go, before the last byte is out.
        let _ = client.try_send(&request);
        let method: Vec<u8> = request.iter().copied().take_while(|byte| *byte != b' ').collect();
        let answer = match client.try_response(&String::from_utf8_lossy(&method)) {
            Ok(answer) => answer,
            Err(error) => {
                out.push(format!("  no response: {error}"));
                return;
            }
        };
        self.response(&self.case.response, &answer, &mut client, out);
        let seen = self.stage.upstream.recorded();
        match &self.case.sent {
            Some(sent) => match seen.last() {
                Some(request) => {
                    self.sent(sent, request, out);
                    if seen.len() > 1 && self.case.before.is_empty() {
                        out.push(format!("  sent: {} requests, not one", seen.len()));
                    }
                }
                None => out.push("  sent: the backend saw nothing".to_owned()),
            },
            None if self.case.backend.is_none() && self.case.before.is_empty() => {
                out.extend(seen.iter().map(|request| format!("  sent: + {}", request.start)));
            }
            None => {}
        }
        if let Some(record) = &self.case.record {
            self.record(record, answer.field("x-amzn-RequestId").unwrap_or_default(), out);
        }
    }

    fn head(&self, request: &str, headers: &[String]) -> String {
        let mut head = format!("{request} HTTP/1.1\r\n");
        if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("host:")) {
            head.push_str("Host: <api>.execute-api.localhost\r\n");
        }
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        self.names.fill(&format!("{head}\r\n"))
    }

    fn request(&self) -> Vec<u8> {
        let case = self.case;
        if let Some(raw) = &case.raw {
            return self.names.fill(raw).into_bytes();
        }
        let request = case.request.as_deref().unwrap_or_else(|| panic!("{}: no request", case.name));
        let body = bytes(case.body.as_deref(), case.body_hex.as_deref());
        let mut headers = case.headers.clone();
        let framed = headers.iter().any(|header| header.starts_with("Transfer-Encoding:"));
        if !body.is_empty() && !framed {
            headers.push(format!("Content-Length: {}", body.len()));
        }
        let mut request = self.head(request, &headers).into_bytes();
        request.extend_from_slice(&body);
        request
    }

    fn reply(&self, backend: Option<&Backend>) -> Reply {
        let Some(backend) = backend else { return Reply::with(200, &[], b"") };
        match backend.fails {
            Some(Failure::Close) => return Reply::Close,
            Some(Failure::Hang) => return Reply::Hang,
            None => {}
        }
        let bytes = match &backend.raw {
            Some(raw) => self.names.fill(raw).into_bytes(),
            None => {
                let body = bytes(backend.body.as_deref(), backend.body_hex.as_deref());
                let fields: Vec<String> =
                    backend.headers.iter().map(|field| self.names.fill(field)).collect();
                let fields: Vec<(&str, &str)> = fields.iter().map(|field| split(field)).collect();
                match Reply::with(backend.status.unwrap_or(200), &fields, &body) {
                    Reply::Bytes(bytes) => bytes,
                    other => return other,
                }
            }
        };
        if backend.closes { Reply::Last(bytes) } else { Reply::Bytes(bytes) }
    }

    fn response(&self, expected: &Response, seen: &Message, client: &mut Client, out: &mut Vec<String>) {
        if seen.status() != expected.status {
            out.push(format!("  status: - {}", expected.status));
            out.push(format!("  status: + {} ({})", seen.status(), seen.text()));
        }
        let mut usual = vec![
            "Content-Type: application/json".to_owned(),
            "x-amzn-RequestId: <uuid>".to_owned(),
            "x-amz-apigw-id: <apigw-id>".to_owned(),
            "Date: <date>".to_owned(),
            format!("Content-Length: {}", expected.body.len()),
            "Connection: keep-alive".to_owned(),
        ];
        usual.extend(expected.error.iter().map(|error| format!("x-amzn-ErrorType: {error}")));
        if expected.proxied {
            let backend = self.case.backend.as_ref();
            let body = backend.map(|backend| bytes(backend.body.as_deref(), backend.body_hex.as_deref()));
            usual.push(format!("x-amzn-Remapped-Content-Length: {}", body.unwrap_or_default().len()));
        }
        compare("response", &self.fields(usual, &expected.headers, &expected.without), &lines(seen), out);
        compare_one("response body", &self.names.fill(&expected.body), &seen.text(), out);
        if seen.field("connection") == Some("close") && !client.rest().is_empty() {
            out.push("  response: bytes after the last answer".to_owned());
        }
    }

    fn sent(&self, expected: &Sent, seen: &Message, out: &mut Vec<String>) {
        let request = self.names.fill(&format!("{} HTTP/1.1", expected.request));
        compare_one("sent", &request, &seen.start, out);
        let mut usual = vec![
            "Host: <backend>".to_owned(),
            "Accept: application/json".to_owned(),
            "User-Agent: AmazonAPIGateway_<api>".to_owned(),
            "X-Amzn-Trace-Id: Root=<root>;Parent=<hex16>;Sampled=0".to_owned(),
            "X-Amzn-Apigateway-Api-Id: <api>".to_owned(),
        ];
        if expected.by == Kind::HttpProxy {
            usual.push("X-Forwarded-For: 127.0.0.1".to_owned());
            usual.push("X-Forwarded-Port: <port>".to_owned());
            usual.push("X-Forwarded-Proto: http".to_owned());
        }
        if !expected.body.is_empty() {
            usual.push(format!("Content-Length: {}", expected.body.len()));
        }
        compare("sent", &self.fields(usual, &expected.headers, &expected.without), &lines(seen), out);
        compare_one("sent body", &self.names.fill(&expected.body), &seen.text(), out);
    }

    /// The usual fields, less those that are left out or given another value, and the given ones.
    fn fields(&self, usual: Vec<String>, given: &[String], without: &[String]) -> Vec<String> {
        let replaced = |line: &String| {
            let name = split(line).0;
            let mut others = given.iter().map(|line| split(line).0).chain(without.iter().map(String::as_str));
            others.any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut lines: Vec<String> = usual.into_iter().filter(|line| !replaced(line)).collect();
        lines.extend(given.iter().cloned());
        lines.iter().map(|line| self.names.fill(line)).collect()
    }

    fn record(&self, expected: &Record, request_id: &str, out: &mut Vec<String>) {
        let path = self.node.folder().path().join("access.log");
        let mut record = String::new();
        eventually(&format!("the record of `{}`", self.case.name), || {
            let log = std::fs::read_to_string(&path).unwrap_or_default();
            let whole = log.rfind('\n').map_or("", |end| &log[..end]);
            record = whole.lines().find(|line| line.contains(request_id)).unwrap_or_default().to_owned();
            !record.is_empty()
        });
        match expected {
            Record::Line(line) => {
                let line = self.names.fill(line).replace("<request-id>", request_id);
                compare_one("record", &line, &record, out);
            }
            Record::Variables(variables) => {
                let seen: Vec<(&str, &str)> =
                    record.split(BETWEEN).filter_map(|pair| pair.split_once('=')).collect();
                for (name, expected) in variables {
                    let expected = self.names.fill(expected).replace("<request-id>", request_id);
                    let value = seen.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
                    if !value.is_some_and(|value| fits(&expected, value)) {
                        out.push(format!("  record: - {name}={expected}"));
                        out.push(format!("  record: + {name}={}", value.unwrap_or("(not asked for)")));
                    }
                }
            }
        }
    }
}

fn lines(message: &Message) -> Vec<String> {
    message.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

/// Name and value of a field line.
fn split(line: &str) -> (&str, &str) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name, value.trim())
}

fn bytes(text: Option<&str>, hex: Option<&str>) -> Vec<u8> {
    match (text, hex) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(hex)) => {
            let digit = |byte: u8| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8;
            hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
        }
        (None, None) => Vec::new(),
    }
}
