//! The API under simulation, as an OpenAPI document, compiled as a deployment would be.

use std::sync::Arc;

use deploy::{Deployment, NodeSettings};
use openapi::Environment;
use plan::NodePlan;
use records::metrics::SeriesLabels;

/// Integration timeout of every route that calls a backend.
pub(crate) const TIMEOUT_NS: u64 = 2_000_000_000;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Answered by the gateway.
    Mock,
    /// `http_proxy` over TCP.
    Proxy,
    /// `http_proxy` to a name with two addresses.
    Named,
    /// `http_proxy` over a UNIX socket.
    Unix,
    /// `http`, the body passed on, backends' 4xx mapped to 404.
    Http,
    /// `http`, with a body of the gateway's own in place of the backend's.
    Templated,
    /// As `Proxy`, with a throttle of two requests at once.
    Throttled,
    /// `http_proxy` to a backend of HTTP/2, by prior knowledge.
    Second,
}

/// All routes.
pub(crate) const ROUTES: [Route; 8] = [
    Route::Mock,
    Route::Proxy,
    Route::Named,
    Route::Unix,
    Route::Http,
    Route::Templated,
    Route::Throttled,
    Route::Second,
];

impl Route {
    /// First segment of its path.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Route::Mock => "mock",
            Route::Proxy => "proxy",
            Route::Named => "named",
            Route::Unix => "unix",
            Route::Http => "http",
            Route::Templated => "templated",
            Route::Throttled => "throttled",
            Route::Second => "second",
        }
    }

    /// The authority of its backend, as the backend's `Host` says.
    pub(crate) fn authority(self) -> &'static str {
        match self {
            Route::Mock => "",
            Route::Named => "backend.test:9002",
            Route::Unix => "localhost",
            Route::Second => "10.0.0.1:9003",
            Route::Proxy | Route::Http | Route::Templated | Route::Throttled => "10.0.0.1:9001",
        }
    }

    fn uri(self) -> String {
        match self {
            Route::Unix => "http+unix://%2Frun%2Fapp.sock/unix/{id}".to_owned(),
            _ => format!("http://{}/{}/{{id}}", self.authority(), self.segment()),
        }
    }
}

/// The mock's body under each plan.
pub(crate) const MOCK_BODIES: [&str; 2] = ["{\"plan\":\"first\"}", "{\"plan\":\"second\"}"];
/// The body that stands in for the backend's.
pub(crate) const TEMPLATED_BODY: &str = "{\"instead\":true}";

/// The plans a run swaps between; they differ in the mock's body.
pub(crate) fn plans() -> [Arc<NodePlan>; 2] {
    [0, 1].map(|version| Arc::new(compile(version)))
}

/// The series under which requests are counted.
pub(crate) fn labels() -> SeriesLabels {
    SeriesLabels { api_id: "testapi001".to_owned(), api_name: "test".to_owned(), stage: "test".to_owned() }
}

fn compile(version: usize) -> NodePlan {
    let text = document(MOCK_BODIES[version]);
    let environment = Environment { account_id: "000000000000".to_owned(), region: "us-east-1".to_owned() };
    let reading = openapi::read(&text, &environment);
    let definition =
        reading.definition.unwrap_or_else(|| panic!("a good document: {:?}", reading.diagnostics));
    let deployment = Deployment {
        api_id: "testapi001",
        api_name: &definition.api.name,
        definition: &definition.api.definition,
        stage: &definition.stage,
        late_variables: false,
        canary: None,
    };
    let node = NodeSettings { version: version as u64 + 1, catch_all: true, ..NodeSettings::default() };
    deploy::compile(&[deployment], &node).expect("a plan")
}

fn document(mock_body: &str) -> String {
    let mut text = String::from(
        "openapi: 3.0.1\ninfo: {title: test, version: \"1\"}\nx-turnpike: {id: testapi001, stage: test}\npaths:\n",
    );
    for route in ROUTES {
        text.push_str(&format!("  \"/{}/{{id}}\":\n    x-amazon-apigateway-any-method:\n", route.segment()));
        text.push_str("      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n");
        if route == Route::Throttled {
            text.push_str("      x-turnpike: {throttle: {rateLimit: 20, burstLimit: 2}}\n");
        }
        text.push_str("      responses: {\"200\": {description: d}, \"404\": {description: d}}\n");
        text.push_str(&format!(
            "      x-amazon-apigateway-integration: {{{}}}\n",
            integration(route, mock_body)
        ));
    }
    text
}

fn integration(route: Route, mock_body: &str) -> String {
    let call = format!(
        "httpMethod: ANY, uri: \"{}\", timeoutInMillis: {}, requestParameters: {{integration.request.path.id: \
         method.request.path.id}}",
        route.uri(),
        TIMEOUT_NS / 1_000_000
    );
    let http = "passthroughBehavior: when_no_match";
    match route {
        Route::Mock => format!(
            "type: mock, requestTemplates: {{application/json: '{{\"statusCode\": 200}}'}}, responses: {{default: \
             {{statusCode: \"200\", responseTemplates: {{application/json: '{mock_body}'}}}}}}"
        ),
        Route::Http => format!(
            "type: http, {http}, {call}, responses: {{default: {{statusCode: \"200\"}}, \"4\\\\d\\\\d\": {{statusCode: \
             \"404\"}}}}"
        ),
        Route::Templated => format!(
            "type: http, {http}, {call}, responses: {{default: {{statusCode: \"200\", responseTemplates: \
             {{application/json: '{TEMPLATED_BODY}'}}}}}}"
        ),
        Route::Second => format!("type: http_proxy, x-turnpike: {{protocol: h2c}}, {call}"),
        _ => format!("type: http_proxy, {call}"),
    }
}
