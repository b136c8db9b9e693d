//! TestInvokeMethod: a method of a working copy runs on a shard, as any other method does, behind a door that only this
//! process knows.
//!
//! For as long as a test runs, the plan has a stage `test-invoke-stage` of an API whose id is a random secret, with the
//! one method in it and nothing that guards it. The request goes through a socket in the abstract namespace.
//! AWS: "TestInvokeMethod" of the API reference; what is recorded of it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use control::TestInvoke;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper_util::rt::TokioIo;
use model::{AuthorizationType, Definition, Stage};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use vocabulary::MethodKey;
use vocabulary::limits::PAYLOAD_BYTES;

/// Tests at a time.
pub(crate) const TESTS_MAX: usize = 8;
/// A test ends by its integration's timeout; one that doesn't is given up after so long beyond the longest.
const PATIENCE: Duration = Duration::from_secs(60 * 16);
/// `$context.stage` of a test (recorded).
const STAGE: &str = "test-invoke-stage";
/// Fields that the gateway adds for clients, which the answer to a test doesn't show (recorded).
const UNSHOWN: [&str; 6] =
    ["x-amzn-requestid", "x-amz-apigw-id", "date", "content-length", "connection", "keep-alive"];

/// The way to a shard for tests.
#[derive(Clone)]
pub(crate) struct Door {
    address: SocketAddr,
}

impl Door {
    /// A door, and the socket that a shard accepts at.
    ///
    /// # Errors
    /// The system has no socket or no random bytes.
    pub(crate) fn open() -> io::Result<(Self, OwnedFd)> {
        let name = format!("turnpike-test-invoke-{}", secret()?);
        let address = SocketAddr::from_abstract_name(name)?;
        let listener = UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        Ok((Door { address }, listener.into()))
    }
}

/// Twenty letters that nobody can guess.
fn secret() -> io::Result<String> {
    let mut octets = [0_u8; 20];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(octets.iter().map(|octet| char::from(b'a' + octet % 26)).collect())
}

/// What is added to the plan for one test.
pub(crate) struct Subject {
    /// The secret id under which it is served.
    pub(crate) api_id: String,
    /// Name of the API.
    pub(crate) api_name: String,
    /// The one method.
    pub(crate) definition: Definition,
    /// Its stage.
    pub(crate) stage: Stage,
}

impl Subject {
    /// The method of a test, without what guards it: tests skip authorizers, keys and throttles.
    ///
    /// # Errors
    /// No random bytes.
    pub(crate) fn of(invoke: &TestInvoke) -> io::Result<Self> {
        let source = &invoke.api.definition;
        let mut definition = Definition { ..(**source).clone() };
        definition.disable_execute_api_endpoint = false;
        definition.policy = None;
        let path = invoke.resource_path.as_str();
        definition.resources.prune(|known, _| known == path);
        for (known, resource) in definition.resources.iter_mut() {
            resource.methods.retain(|key, _| known == path && *key == invoke.method);
            for method in resource.methods.values_mut() {
                method.authorization_type = AuthorizationType::None;
                method.api_key_required = false;
                method.throttle = None;
            }
        }
        let stage = Stage {
            stage_name: STAGE.to_owned(),
            variables: Some(invoke.stage_variables.clone()),
            ..Stage::default()
        };
        Ok(Subject { api_id: secret()?, api_name: invoke.api.name.clone(), definition, stage })
    }
}

/// The request of a test, ready to go.
///
/// # Errors
/// A header or a path that no request can have, in words.
pub(crate) fn request(invoke: &TestInvoke, api_id: &str) -> Result<Request<Full<Bytes>>, String> {
    let verb = match invoke.method {
        // A method for all is tested as what it most often is.
        MethodKey::Any => "GET",
        MethodKey::One(method) => method.as_str(),
    };
    let target = invoke.path_with_query_string.as_deref().filter(|path| !path.is_empty());
    let target = target.unwrap_or(&invoke.resource_path);
    let slash = if target.starts_with('/') { "" } else { "/" };
    let uri = format!("/{STAGE}{slash}{}", encoded(target));
    let body = Bytes::from(invoke.body.clone().unwrap_or_default());
    let mut request = Request::builder()
        .method(verb)
        .uri(uri)
        .body(Full::new(body))
        .map_err(|error| format!("Invalid path specified: {error}"))?;
    let headers = request.headers_mut();
    for (name, value) in &invoke.headers {
        let invalid = || format!("Invalid header specified: {name}");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        if [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&header) {
            continue;
        }
        headers.append(header, HeaderValue::from_str(value).map_err(|_| invalid())?);
    }
    let host = HeaderValue::from_str(&format!("{api_id}.execute-api.localhost"))
        .map_err(|error| error.to_string())?;
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// What a URI can't hold as it is: the braces of a template, spaces, other letters.
fn encoded(target: &str) -> String {
    let mut text = String::with_capacity(target.len());
    for octet in target.bytes() {
        if octet.is_ascii_graphic() && !b"{}\"<>\\^`|".contains(&octet) {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("%{octet:02X}"));
        }
    }
    text
}

/// Runs a test on the workers; `done` gets the answer's body.
pub(crate) fn run(
    door: &Door,
    workers: &Handle,
    request: Request<Full<Bytes>>,
    path: String,
    done: impl FnOnce(Value) + Send + 'static,
) {
    let address = door.address.clone();
    workers.spawn(async move {
        let verb = request.method().clone();
        let started = started();
        let answered = tokio::time::timeout(PATIENCE, ask(address, request)).await;
        let latency = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Tested::failed(&error.to_string()),
            Err(_) => Tested::failed("it took too long"),
        };
        done(answer.show(verb.as_str(), &path, latency));
    });
}

#[expect(clippy::disallowed_methods, reason = "a worker's time, far from any shard")]
fn started() -> Instant {
    Instant::now()
}

async fn ask(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Tested, Box<dyn std::error::Error + Send + Sync>> {
    let stream = UnixStream::connect_addr(&address)?;
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let limit = usize::try_from(PAYLOAD_BYTES).unwrap_or(usize::MAX);
    let body = Limited::new(body, limit).collect().await?.to_bytes();
    Ok(Tested {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// What a method answered.
struct Tested {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Tested {
    fn failed(why: &str) -> Self {
        eprintln!("turnpike: a test invocation failed: {why}");
        let body = "{\"message\": \"Internal server error\"}".to_owned();
        Tested { status: 500, headers: HeaderMap::new(), body }
    }

    /// The answer of the call.
    fn show(self, verb: &str, path: &str, latency_ms: u64) -> Value {
        let request_id = self.headers.get("x-amzn-requestid").and_then(|value| value.to_str().ok());
        let request_id = request_id.unwrap_or("unknown").to_owned();
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &self.headers {
            if UNSHOWN.contains(&name.as_str()) {
                continue;
            }
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            fields.entry(canonical(name.as_str())).or_default().push(value);
        }
        let mut ordered: Vec<(String, Vec<String>)> = fields.into_iter().collect();
        // The trace comes first (recorded).
        ordered.sort_by_key(|(name, _)| name != "X-Amzn-Trace-Id");
        let last = |values: &Vec<String>| Value::from(values.last().cloned().unwrap_or_default());
        let headers: Map<String, Value> =
            ordered.iter().map(|(name, values)| (name.clone(), last(values))).collect();
        let multi: Map<String, Value> =
            ordered.iter().map(|(name, values)| (name.clone(), Value::from(values.clone()))).collect();
        let log = format!(
            "Execution log for request {request_id}\nStarting execution for request: {request_id}\nHTTP Method: {verb}, \
             Resource Path: {path}\nMethod completed with status: {}\n",
            self.status
        );
        json!({
            "status": self.status, "body": self.body, "headers": headers, "multiValueHeaders": multi, "log": log,
            "latency": latency_ms,
        })
    }
}

/// hyper gives names in lower case; they are shown as the gateway writes them.
fn canonical(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("x-amzn-errortype").filter(|rest| rest.is_empty()) {
        return format!("x-amzn-ErrorType{rest}");
    }
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    words.collect::<Vec<_>>().join("-")
}

/// The answer for a method that can't be compiled: as it would fail at run time (recorded).
pub(crate) fn unrunnable(why: &str, verb: &str, path: &str) -> Value {
    let tested = Tested::failed(why);
    let mut answer = tested.show(verb, path, 0);
    let log = answer["log"].as_str().unwrap_or_default().to_owned();
    let end = "Method completed with status: 500\n";
    let failure = format!("Execution failed due to configuration error: {why}\n{end}");
    answer["log"] = Value::from(log.replace(end, &failure));
    answer["headers"] = json!({"x-amzn-ErrorType": "InternalServerErrorException"});
    answer["multiValueHeaders"] = json!({"x-amzn-ErrorType": ["InternalServerErrorException"]});
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_uri_holds_is_encoded() {
        assert_eq!(encoded("/pets/{id}?q=a b&r=%20"), "/pets/%7Bid%7D?q=a%20b&r=%20");
        assert_eq!(
            (canonical("content-type"), canonical("x-amzn-trace-id")),
            ("Content-Type".to_owned(), "X-Amzn-Trace-Id".to_owned())
        );
        assert_eq!(canonical("x-amzn-errortype"), "x-amzn-ErrorType");
    }
}
