//! The scenarios. Each starts its own node and backend, and tells in one line what it counted.

pub(crate) mod aborts;
pub(crate) mod bodies;
pub(crate) mod curl;
pub(crate) mod failures;
pub(crate) mod floods;
pub(crate) mod killed;
pub(crate) mod log_sink;
pub(crate) mod mixed;
pub(crate) mod reload;
pub(crate) mod stop;
pub(crate) mod upgrade;

use crate::backend::Backend;
use std::net::SocketAddr;
use support::{Node, NodeBuilder};

/// Memory that a node may gain over the counted rounds: a few steps of the allocator's, whatever their number. A
/// kilobyte that stayed of each of ten thousand would be as much.
const GROWTH_KIB_MAX: u64 = 10 * 1024;

/// A route of any method and what is below it to a backend.
fn route(path: &str, address: SocketAddr, timeout_ms: u32) -> String {
    format!(
        "  {path}/{{proxy+}}:\n    x-amazon-apigateway-any-method:\n      x-amazon-apigateway-integration: {{type: http_proxy, \
         httpMethod: ANY, uri: \"http://{address}{path}/{{proxy}}\", timeoutInMillis: {timeout_ms}, requestParameters: \
         {{integration.request.path.proxy: method.request.path.proxy}}}}\n"
    )
}

/// The same with the protocol to speak, to a backend that doesn't know the path's first part.
fn route_by(path: &str, backend: &str, timeout_ms: u32, protocol: &str) -> String {
    format!(
        "  {path}/{{proxy+}}:\n    x-amazon-apigateway-any-method:\n      x-amazon-apigateway-integration: {{type: http_proxy, \
         httpMethod: ANY, uri: \"{backend}/{{proxy}}\", timeoutInMillis: {timeout_ms}, x-turnpike: {{protocol: {protocol}}}, \
         requestParameters: {{integration.request.path.proxy: method.request.path.proxy}}}}\n"
    )
}

/// A route that the node answers itself.
fn mock(path: &str, body: &str) -> String {
    format!(
        "  {path}:\n    get:\n      responses: {{\"200\": {{description: d}}}}\n      x-amazon-apigateway-integration: {{type: \
         mock, requestTemplates: {{application/json: '{{\"statusCode\": 200}}'}}, responses: {{default: {{statusCode: \
         \"200\", responseTemplates: {{application/json: '{body}'}}}}}}}}\n"
    )
}

/// A document of some routes.
fn document(routes: &[String]) -> String {
    format!("openapi: 3.0.1\ninfo: {{title: endurance, version: \"1\"}}\npaths:\n{}", routes.concat())
}

/// All that the backend can do, each behind its own path.
fn behind(backend: &Backend) -> String {
    let paths = [
        "/ok",
        "/slow",
        "/once",
        "/once_reset",
        "/echo",
        "/count",
        "/big",
        "/close",
        "/half",
        "/half_reset",
        "/reset",
        "/babble",
    ];
    let mut routes: Vec<String> = paths.iter().map(|path| route(path, backend.address, 20_000)).collect();
    routes.push(route("/hang", backend.address, 29_000));
    routes.push(route("/hang_briefly", backend.address, 100));
    document(&routes)
}

/// A node of one shard, so that all counts are one loop's, with large payloads and pools that empty soon.
fn node(runtime: &str, document: &str) -> NodeBuilder {
    Node::builder().document("api.yaml", document).flags(&[
        "--runtime",
        runtime,
        "--shards",
        "1",
        "--limits-payload-bytes",
        "2GiB",
        "--timeouts-idle-upstream",
        "300ms",
    ])
}
