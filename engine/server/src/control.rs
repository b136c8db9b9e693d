//! The control plane in a running node: takes calls from the control listener, has their changes compiled, linked,
//! written down and served, and says in the log what was changed by whom.
//!
//! Feature: Control plane

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use control::{Certificates, Control, Node as Served, NodeError, Outcome, Random, TestInvoke};
use http_body_util::Full;
use hyper::Request;
use model::{Account, Change, ClientCertificate, Secret};
use rcgen::{CertificateParams, DnType, KeyPair};
use settings::Settings;
use workers::{Answer, Call};

use crate::announce;
use crate::documents::{Compiled, Documents};
use crate::gatekeeper::Gatekeeper;
use crate::happenings::Happenings;
use crate::keeper::Keeper;
use crate::node::Node;
use crate::test_invoke::{self, Subject, TESTS_MAX};
use crate::trouble::Trouble;

/// The control plane of a node.
pub(crate) struct ControlPlane {
    control: Control,
    keeper: Keeper,
    gatekeeper: Gatekeeper,
}

/// Random bytes of the kernel.
struct Kernel;

impl Random for Kernel {
    fn fill(&mut self, buffer: &mut [u8]) {
        // The kernel's source fails only before it is seeded, at boot: then ids would repeat, and a node must not start.
        assert!(getrandom::fill(buffer).is_ok(), "the kernel gives no random bytes");
    }
}

/// Client certificates that sign themselves, as AWS's do.
struct SelfSigned;

impl Certificates for SelfSigned {
    fn make(&mut self, now: i64) -> Result<ClientCertificate, String> {
        const DAYS: i64 = 365;
        let expiration_date = now + DAYS * 86_400;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "ApiGateway");
        let moment = |seconds: i64| {
            let (year, month, day) = control::civil(seconds.div_euclid(86_400));
            rcgen::date_time_ymd(year, month, day)
        };
        parameters.not_before = moment(now);
        // The day after, so that it is still valid in the last hours of its last day.
        parameters.not_after = moment(expiration_date + 86_400);
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = parameters.self_signed(&key).map_err(|error| error.to_string())?;
        Ok(ClientCertificate {
            pem_encoded_certificate: certificate.pem(),
            private_key: Secret::new(key.serialize_pem()),
            created_date: now,
            expiration_date,
            ..ClientCertificate::default()
        })
    }
}

impl ControlPlane {
    /// A control plane over what the store has.
    ///
    /// # Errors
    /// The store can't be opened.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Trouble> {
        let gatekeeper = Gatekeeper::open(settings)?;
        let (keeper, account) = Keeper::open(settings)?;
        let settings = control::Settings {
            account_id: settings.account_id.clone(),
            integration_timeout_ms_max: u32::try_from(settings.limits.integration_timeout.as_millis())
                .unwrap_or(u32::MAX),
        };
        Ok(ControlPlane {
            control: Control::new(account, settings, Box::new(Kernel), Box::new(SelfSigned)),
            keeper,
            gatekeeper,
        })
    }

    /// Everything there is.
    pub(crate) fn account(&self) -> &Account {
        self.control.account()
    }

    /// Who makes a call, if that is allowed.
    fn admit(
        &self,
        call: &Call,
        request: &control::Request<'_>,
        settings: &Settings,
    ) -> Result<String, control::Error> {
        let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
        let is_open = self.gatekeeper.is_there() || settings.control_insecure;
        if !is_open && is_foreign(header("host"), header("origin"), settings) {
            let message =
                "this control plane answers its own machine only; see control.auth and control.insecure";
            return Err(control::Error::access_denied(message));
        }
        let (action, resource) = Control::action(request);
        self.gatekeeper
            .admit(call, &action, &resource, request.now)
            .map_err(|refusal| control::Error::unauthenticated(refusal.code, refusal.message))
    }

    /// Reads the identities again.
    pub(crate) fn renew_identities(&mut self, settings: &Settings) {
        self.gatekeeper.renew(settings);
    }

    /// The store, for a process that takes over.
    pub(crate) fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    /// Answers a call. Its changes are served when the answer goes out.
    pub(crate) fn answer(
        &mut self,
        call: Call,
        node: &mut Node,
        documents: &mut Documents,
        settings: &Settings,
        happenings: &Happenings,
    ) {
        let data_plane = announce::data_plane(node, settings);
        let region = region(&call).unwrap_or_else(|| settings.region.clone());
        let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
        let request = control::Request {
            method: &call.method,
            path: &call.path,
            query: &call.query,
            accept: header("accept").unwrap_or_default(),
            data_plane: &data_plane,
            body: &call.body,
            region: &region,
            now: now(),
        };
        let response = match self.admit(&call, &request, settings) {
            Err(error) => self.control.refuse(&error),
            Ok(caller) => {
                let keeper = &mut self.keeper;
                let mut served = Serving { node, documents, keeper, settings, prepared: None };
                match self.control.handle(&request, &mut served) {
                    Outcome::Done(done) => {
                        if !done.changed.is_empty() {
                            audit(&call, &caller, &region, &done);
                        }
                        done.response
                    }
                    Outcome::TestInvoke(invoke) => match self.test(&invoke, node, documents, settings) {
                        Ok(test) => return self.run_test(call, &invoke, test, node, happenings),
                        Err(error) => self.control.refuse(&error),
                    },
                }
            }
        };
        let answer = Answer { status: response.status, headers: response.headers, body: response.body };
        // Who asked may have gone; the change stands.
        let _ = call.answer.send(answer);
    }
}

impl ControlPlane {
    /// Puts the method of a test into the plan; gives the request to make and the secret id that it is served under.
    fn test(
        &mut self,
        invoke: &TestInvoke,
        node: &mut Node,
        documents: &mut Documents,
        settings: &Settings,
    ) -> Result<Test, control::Error> {
        if documents.subjects().len() >= TESTS_MAX {
            return Err(control::Error::unavailable(format!(
                "{TESTS_MAX} test invocations are running; try again"
            )));
        }
        let subject = Subject::of(invoke).map_err(|error| control::Error::unavailable(error.to_string()))?;
        let request = test_invoke::request(invoke, &subject.api_id).map_err(control::Error::bad_request)?;
        let api_id = subject.api_id.clone();
        documents.subjects().push(Arc::new(subject));
        let served = self.serve(node, documents, settings);
        if served.is_err() {
            documents.subjects().retain(|known| known.api_id != api_id);
        }
        match served {
            Ok(()) => Ok(Test { api_id, outcome: Ok(request) }),
            // As a method that can't run answers at run time.
            Err(NodeError::Refused(why)) => Ok(Test { api_id, outcome: Err(why) }),
            Err(NodeError::Unavailable(why)) => Err(control::Error::unavailable(why)),
        }
    }

    /// Compiles, links and serves everything as it is now.
    fn serve(
        &mut self,
        node: &mut Node,
        documents: &mut Documents,
        settings: &Settings,
    ) -> Result<(), NodeError> {
        let keeper = &mut self.keeper;
        let mut served = Serving { node, documents, keeper, settings, prepared: None };
        served.compile(self.control.account())?;
        served.publish();
        Ok(())
    }

    /// Has the workers make the request; they answer the call.
    fn run_test(
        &mut self,
        call: Call,
        invoke: &TestInvoke,
        test: Test,
        node: &Node,
        happenings: &Happenings,
    ) {
        let mut response = control::Response {
            status: 200,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: Vec::new(),
        };
        self.control.identify(&mut response);
        let path = invoke.path_with_query_string.clone().unwrap_or_else(|| invoke.resource_path.clone());
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let answer = move |body: serde_json::Value| {
            let body = body.to_string().into_bytes();
            // Who asked may have gone.
            let _ = call.answer.send(Answer { status: response.status, headers: response.headers, body });
        };
        match test.outcome {
            Ok(request) => {
                let ended = happenings.tested(test.api_id);
                let (door, workers) = node.door();
                test_invoke::run(door, workers, request, path, move |body| {
                    answer(body);
                    ended();
                });
            }
            Err(why) => answer(test_invoke::unrunnable(&why, invoke.method.as_str(), &path)),
        }
    }

    /// Takes the method of a test that has ended out of the plan again.
    pub(crate) fn tested(
        &mut self,
        api_id: &str,
        node: &mut Node,
        documents: &mut Documents,
        settings: &Settings,
    ) {
        documents.subjects().retain(|known| known.api_id != api_id);
        if let Err(NodeError::Refused(why) | NodeError::Unavailable(why)) =
            self.serve(node, documents, settings)
        {
            eprintln!("turnpike: {why}");
        }
    }
}

/// A test that is to run, or the reason why its method can't.
struct Test {
    api_id: String,
    outcome: Result<Request<Full<Bytes>>, String>,
}

#[expect(clippy::disallowed_methods, reason = "the node's own time, far from any shard")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

/// Region of the signature's scope, else of the host `apigateway.{region}.…`.
fn region(call: &Call) -> Option<String> {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let scope = header("authorization").and_then(|value| {
        let credential = value.split("Credential=").nth(1)?;
        credential.split([',', ' ']).next()?.split('/').nth(2)
    });
    let host = || header("host")?.strip_prefix("apigateway.")?.split('.').next();
    let fits = |region: &&str| {
        (3..=32).contains(&region.len())
            && region
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    scope.or_else(host).filter(fits).map(str::to_owned)
}

/// Whether a page of another site, or a name that somebody else's DNS points here, is behind a call. Without signatures
/// nothing else keeps a browser on this machine from making calls for strangers.
fn is_foreign(host: Option<&str>, origin: Option<&str>, settings: &Settings) -> bool {
    let is_own = |authority: &str| {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
            _ => authority,
        };
        let name = name.to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address =
            bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip == settings.control.ip());
        is_address
            || name == "localhost"
            || name.ends_with(".localhost")
            || (name.starts_with("apigateway.") && name.ends_with(".amazonaws.com"))
    };
    let origin = origin.map(|origin| origin.split_once("://").map_or(origin, |(_, authority)| authority));
    host.is_some_and(|host| !is_own(host)) || origin.is_some_and(|origin| !is_own(origin))
}

/// One line for each call that changed something: who, what, which records. No values: those may be secret.
fn audit(call: &Call, caller: &str, region: &str, done: &control::Done) {
    let named = call
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.split("Credential=").nth(1)?.split('/').next())
        .filter(|key| key.len() <= 128 && key.bytes().all(|octet| octet.is_ascii_alphanumeric()));
    // An access key that nobody checked says who it claims to be, at least.
    let caller = if caller == "anonymous" { named.unwrap_or(caller) } else { caller };
    let changed: Vec<String> = done.changed.iter().map(|key| format!("{key:?}")).collect();
    eprintln!(
        "control: {} by {caller} from {} in {region}: {}",
        done.operation,
        call.peer,
        changed.join(", ")
    );
}

/// The running node under one call.
struct Serving<'a> {
    node: &'a mut Node,
    documents: &'a mut Documents,
    keeper: &'a mut Keeper,
    settings: &'a Settings,
    prepared: Option<Compiled>,
}

impl Serving<'_> {
    fn compile(&mut self, account: &Account) -> Result<(), NodeError> {
        let compiled = self.documents.recompile(self.settings, account).map_err(NodeError::Refused)?;
        self.node.prepare(&compiled).map_err(|trouble| {
            self.documents.forget();
            NodeError::Unavailable(trouble.message)
        })?;
        self.prepared = Some(compiled);
        Ok(())
    }
}

impl Served for Serving<'_> {
    fn prepare(&mut self, account: &Account) -> Result<(), NodeError> {
        if self.documents.has(account) { Ok(()) } else { self.compile(account) }
    }

    fn publish(&mut self) {
        let Some(compiled) = self.prepared.take() else { return };
        if let Err(trouble) = self.node.commit(&compiled) {
            self.documents.forget();
            eprintln!("turnpike: {}", trouble.message);
        }
    }

    fn discard(&mut self) {
        if self.prepared.take().is_some() {
            self.documents.forget();
            self.node.discard();
        }
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), NodeError> {
        self.keeper.commit(changes)
    }
}
