//! The control plane as a whole: finds the operation, runs it, writes its changes down, has them served.

use model::{Account, Change, Key};
use serde_json::Value;

use crate::call::{Call, Reply, Scope, TestInvoke};
use crate::error::Error;
use crate::ids::{self, Random};
use crate::node::{Certificates, Node, NodeError};
use crate::operation::{self, Matched};
use crate::query::Query;

/// A call as it came, its caller known.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET` and its like.
    pub method: &'a str,
    /// The raw path.
    pub path: &'a str,
    /// What follows `?`.
    pub query: &'a str,
    /// `Accept`, or nothing.
    pub accept: &'a str,
    /// Where stages are reached, without a slash at the end: `http://localhost:8080`.
    pub data_plane: &'a str,
    /// The body, whole.
    pub body: &'a [u8],
    /// Region of the signature or the host.
    pub region: &'a str,
    /// Seconds of the Unix epoch.
    pub now: i64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers, in their order.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON answer.
    #[must_use]
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into_bytes() }
    }
}

/// What a call comes to.
pub enum Outcome {
    /// An answer.
    Done(Done),
    /// A method to be invoked before there is an answer.
    TestInvoke(Box<TestInvoke>),
}

/// An answered call.
pub struct Done {
    /// The answer.
    pub response: Response,
    /// Name of the operation; empty if the path has none.
    pub operation: &'static str,
    /// The records it changed, for the audit log.
    pub changed: Vec<Key>,
    /// A cache that is to be emptied: API, stage, and whether it is that of authorizers.
    pub flush: Option<(String, String, bool)>,
}

/// What a node settles for all calls.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Twelve digits.
    pub account_id: String,
    /// Longest `timeoutInMillis`.
    pub integration_timeout_ms_max: u32,
}

/// The control plane of an account.
pub struct Control {
    account: Account,
    settings: Settings,
    random: Box<dyn Random>,
    certificates: Box<dyn Certificates>,
}

impl Control {
    /// A control plane over an account as the store has it.
    #[must_use]
    pub fn new(
        account: Account,
        settings: Settings,
        random: Box<dyn Random>,
        certificates: Box<dyn Certificates>,
    ) -> Self {
        Control { account, settings, random, certificates }
    }

    /// Everything there is.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The IAM action and resource of a request, for the judgement of policies.
    #[must_use]
    pub fn action(request: &Request<'_>) -> (String, String) {
        let path = request.path.strip_prefix("/v2").unwrap_or(request.path);
        // Routing forgives a trailing slash; a policy must not miss what routing finds.
        let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        let resource = format!("arn:aws:apigateway:{}::{}", request.region, crate::query::decode(path));
        (format!("apigateway:{}", request.method), resource)
    }

    /// Answers a call. What it changes is served and written down when it returns, or nothing is.
    pub fn handle(&mut self, request: &Request<'_>, node: &mut dyn Node) -> Outcome {
        let query = Query::parse(request.query);
        let found = operation::find(request.method, request.path, &query);
        let operation = found.as_ref().map_or("", |found| found.operation.name);
        let mut changed = Vec::new();
        let mut flush = None;
        let answered = match found {
            Some(found) => self.run(request, query, found, node, &mut changed),
            None => Err(unknown(request)),
        };
        let mut response = match answered {
            Ok(Reply::TestInvoke(invoke)) => return Outcome::TestInvoke(invoke),
            Ok(Reply::Json(status, Some(body))) => Response::json(status, &body),
            Ok(Reply::Json(status, None)) => Response {
                status,
                headers: vec![("Content-Type", "application/json".to_owned())],
                body: Vec::new(),
            },
            Ok(Reply::Document { body, content_type, file_name }) => Response {
                status: 200,
                headers: vec![
                    ("Content-Type", content_type.to_owned()),
                    ("Content-Disposition", format!("attachment; filename=\"{file_name}\"")),
                ],
                body,
            },
            Ok(Reply::Flush { api_id, stage, authorizers }) => {
                flush = Some((api_id, stage, authorizers));
                Response { status: 202, headers: Vec::new(), body: Vec::new() }
            }
            Err(error) => error.respond(),
        };
        self.identify(&mut response);
        Outcome::Done(Done { response, operation, changed, flush })
    }

    /// Gives an answer the ids that every answer has.
    pub fn identify(&mut self, response: &mut Response) {
        response.headers.push(("x-amzn-RequestId", ids::request_id(&mut *self.random)));
        response.headers.push(("x-amz-apigw-id", ids::extended_request_id(&mut *self.random)));
    }

    /// An error as an answer with its ids.
    pub fn refuse(&mut self, error: &Error) -> Response {
        let mut response = error.respond();
        self.identify(&mut response);
        response
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        query: Query,
        found: Matched,
        node: &mut dyn Node,
        changed: &mut Vec<Key>,
    ) -> Result<Reply, Error> {
        let mut call = Call {
            operation: found.operation.name,
            labels: found.labels,
            query,
            body: request.body,
            accept: request.accept,
            data_plane: request.data_plane,
            scope: Scope { account_id: &self.settings.account_id, region: request.region },
            region: self.account.region(request.region),
            now: request.now,
            timeout_ms_max: self.settings.integration_timeout_ms_max,
            random: &mut *self.random,
            certificates: &mut *self.certificates,
            changes: Vec::new(),
        };
        let reply = (found.operation.handler)(&mut call)?;
        let changes = call.changes;
        if !changes.is_empty() {
            let keys: Vec<Key> = changes.iter().map(|change| change.key.clone()).collect();
            self.commit(changes, node)?;
            changed.extend(keys);
        }
        Ok(reply)
    }

    /// Makes changes: compiled and linked first if they are served, then written down, then served.
    fn commit(&mut self, changes: Vec<Change>, node: &mut dyn Node) -> Result<(), Error> {
        let served = changes.iter().any(|change| is_served(&change.key, &self.account, &change.region));
        let back = self.account.inverse(&changes);
        self.account.apply(changes.iter().cloned());
        let outcome = if served { node.prepare(&self.account) } else { Ok(()) };
        let outcome = outcome.and_then(|()| {
            node.write(&changes).inspect_err(|_| {
                if served {
                    node.discard();
                }
            })
        });
        match outcome {
            Ok(()) => {
                if served {
                    node.publish();
                }
                Ok(())
            }
            Err(error) => {
                self.account.apply(back);
                Err(match error {
                    NodeError::Refused(message) => Error::bad_request(message),
                    NodeError::Unavailable(message) => Error::unavailable(message),
                })
            }
        }
    }
}

/// Whether shards must hear of a change of this record.
fn is_served(key: &Key, account: &Account, region: &str) -> bool {
    let has_stages =
        |api: &String| account.region(region).rest_apis.get(api).is_some_and(|tree| !tree.stages.is_empty());
    match key {
        Key::Stage(..) | Key::DomainName(_) => true,
        // Its endpoint and name act at once, its removal takes the stages along.
        Key::RestApi(api) => has_stages(api),
        _ => false,
    }
}

/// No operation has the path and the method.
fn unknown(request: &Request<'_>) -> Error {
    // As AWS's front end words it for a path that it has no operation for.
    Error::unauthenticated(
        "MissingAuthenticationTokenException",
        format!("Missing Authentication Token: no operation is {} {}", request.method, request.path),
    )
}
