//! The pipeline under a fake edge: one poll drives a request to its end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use codec::h1::{HeadLimits, ResponseHead};
use context::{Exchange, RouteFacts, RouteIndex, StageFacts, StageIndex};
use integration::Kind;
use mapping::Scope;
use plan::{
    CallPlan, CallSpec, HttpPlan, IntegrationPlan, MockPlan, NodePlan, Passthrough, ResponseSpec,
    ResponsesPlan, RoutePlan, StagePlan, TargetIndex, Targets, ThrottlePlan,
};
use throttling::{Rate, Registry};
use vocabulary::{Method, MethodKey, Refusal};

use crate::{Answer, AnswerBody, Call, Edge, Inbound, NodeLink, link, serve};

mod headers;
mod http;
mod http_proxy;
mod lifecycle;
mod mock;
mod warm;

/// A backend that answers every call with the same head.
struct Backend {
    answer: Result<String, Refusal>,
    calls: RefCell<Vec<(String, Call)>>,
    now_ns: u64,
}

impl Backend {
    fn answering(head: &str) -> Self {
        Backend { answer: Ok(head.to_owned()), calls: RefCell::default(), now_ns: 1_000_000 }
    }

    fn failing(refusal: Refusal) -> Self {
        Backend { answer: Err(refusal), calls: RefCell::default(), now_ns: 0 }
    }

    /// The only call's head, without its request line's protocol.
    fn call(&self) -> String {
        let calls = self.calls.borrow();
        assert_eq!(calls.len(), 1, "one call");
        calls[0].0.clone()
    }
}

impl Edge for Backend {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    async fn send(&self, _: TargetIndex, exchange: &mut Exchange, call: Call) -> Result<Inbound, Refusal> {
        let outbound = String::from_utf8(exchange.outbound.clone()).expect("text");
        self.calls.borrow_mut().push((outbound, call));
        let text = self.answer.clone()?;
        let mut head = Box::<ResponseHead>::default();
        head.parse(text.as_bytes(), &HeadLimits::default()).expect("a backend's head");
        Ok(Inbound { head })
    }
}

/// One method of the API under test.
#[derive(Default)]
struct Route {
    method: &'static str,
    path: &'static str,
    kind: Option<Kind>,
    uri: &'static str,
    http_method: &'static str,
    parameters: Vec<(&'static str, &'static str)>,
    responses: Vec<ResponseSpec>,
    request_templates: Vec<(&'static str, &'static str)>,
    passthrough: Passthrough,
    rate: Option<Rate>,
}

fn proxy(path: &'static str, uri: &'static str) -> Route {
    Route { method: "ANY", path, kind: Some(Kind::HttpProxy), uri, http_method: "ANY", ..Route::default() }
}

fn owned(pairs: &[(&'static str, &'static str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn variables(path: &str) -> Vec<String> {
    let braced = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    braced.map(|name| name.trim_end_matches('+').to_owned()).collect()
}

fn compile(route: Route, targets: &mut Targets) -> RoutePlan {
    let stage_variables = BTreeMap::from([("color".to_owned(), "green".to_owned())]);
    let path_variables = variables(route.path);
    let scope = Scope { path_variables: &path_variables, stage_variables: &stage_variables };
    let kind = route.kind.expect("a type");
    let mut call = || {
        let parameters = owned(&route.parameters);
        let spec = CallSpec {
            kind,
            uri: route.uri,
            http_method: route.http_method,
            timeout_ms: 29_000,
            timeout_ms_max: 29_000,
            insecure_skip_verification: false,
            http2: false,
            request_parameters: &parameters,
        };
        CallPlan::compile(&spec, &scope, targets).expect("compiles")
    };
    let responses = || ResponsesPlan::compile(route.responses.clone(), &scope).expect("compiles");
    let integration = match kind {
        Kind::HttpProxy => IntegrationPlan::HttpProxy(call()),
        Kind::Http => IntegrationPlan::Http(HttpPlan {
            call: call(),
            passthrough: plan::Passthrough::default(),
            responses: responses(),
        }),
        Kind::Mock => {
            let templates = owned(&route.request_templates);
            IntegrationPlan::Mock(
                MockPlan::compile(&templates, route.passthrough, responses()).expect("compiles"),
            )
        }
    };
    let method = match route.method {
        "ANY" => MethodKey::Any,
        word => MethodKey::One(Method::from_bytes(word.as_bytes())),
    };
    let name = format!("abc/prod/{} {}", route.method, route.path).into();
    RoutePlan {
        facts: RouteFacts {
            resource_path: route.path.to_owned(),
            resource_id: "res".to_owned(),
            path_variables,
        },
        method,
        throttle: route.rate.map(|rate| ThrottlePlan { name, rate }),
        integration,
    }
}

/// Stage `prod` of API `abc`, which also answers on any host.
fn node(routes: Vec<Route>) -> NodeLink {
    let mut targets = Targets::default();
    let mut stage = StagePlan {
        facts: StageFacts {
            api_id: "abc".to_owned(),
            stage: "prod".to_owned(),
            user_agent: "AmazonAPIGateway_abc".to_owned(),
            ..StageFacts::default()
        },
        ..StagePlan::default()
    };
    for (index, route) in routes.into_iter().enumerate() {
        let compiled = compile(route, &mut targets);
        let index = RouteIndex(u32::try_from(index).expect("few"));
        stage.router.insert(&compiled.facts.resource_path, compiled.method, index).expect("routes");
        stage.routes.push(compiled);
    }
    let mut plan = NodePlan { stages: vec![stage], targets: targets.into_vec(), ..NodePlan::default() };
    plan.addresses.insert("abc", "prod", StageIndex(0));
    plan.addresses.set_catch_all(StageIndex(0));
    link(Arc::new(plan), &Registry::default()).expect("links")
}

/// An exchange whose request head is `line` and `fields`.
fn request(line: &str, fields: &str) -> Exchange {
    let mut exchange = Exchange { local_port: 8080, ..Exchange::default() };
    exchange.peer = std::net::Ipv4Addr::new(192, 0, 2, 7).into();
    exchange.source_ip = exchange.peer;
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    exchange.request.parse(head.as_bytes(), &HeadLimits::default()).expect("a client's head");
    exchange
}

fn drive(backend: &Backend, node: &NodeLink, exchange: &mut Exchange) -> Answer {
    let future = pin!(serve(backend, node, exchange));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a fake edge never waits"),
    }
}

/// Sends one request; gives the answer's status, fields and own body.
fn ask(backend: &Backend, node: &NodeLink, line: &str, fields: &str) -> (u16, String, String) {
    let mut exchange = request(line, fields);
    let answer = drive(backend, node, &mut exchange);
    assert_eq!(exchange.status, answer.status, "the record has the answer's status");
    let text = String::from_utf8(exchange.answer).expect("text");
    let body = match answer.body {
        AnswerBody::Empty => String::new(),
        AnswerBody::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        AnswerBody::Owned(bytes) => String::from_utf8(bytes).expect("text"),
        AnswerBody::Upstream { inflate } => format!("<upstream {inflate:?}>"),
    };
    (answer.status, text, body)
}

/// Value of a field in written fields.
fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    fields.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

const INTERNAL: &str = r#"{"message": "Internal server error"}"#;
