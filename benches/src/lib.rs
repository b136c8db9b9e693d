//! Inputs that several benches and counters share: heads as clients send them, routers and documents of a size.

#![forbid(unsafe_code)]

use context::RouteIndex;
use routing::Router;
use vocabulary::{Method, MethodKey};

/// A head as a load generator sends it.
pub const SMALL_HEAD: &[u8] =
    b"GET /items17/abc HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";

/// A head as a browser sends it.
pub const BROWSER_HEAD: &[u8] = b"GET /items17/abc?page=2&sort=name HTTP/1.1\r\nHost: api.example.com\r\n\
Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) \
AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,\
application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\
Sec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";

/// A backend's head.
pub const RESPONSE_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nServer: backend\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\
Content-Type: application/json\r\nContent-Length: 1024\r\nCache-Control: no-store\r\nConnection: keep-alive\r\n\r\n";

/// A router of `routes` paths `/items{n}/{id}`, and one `{proxy+}`.
#[must_use]
pub fn router(routes: u32) -> Router<RouteIndex> {
    let mut router = Router::default();
    for route in 0..routes {
        let added =
            router.insert(&format!("/items{route}/{{id}}"), MethodKey::One(Method::Get), RouteIndex(route));
        added.expect("distinct templates");
    }
    router.insert("/{proxy+}", MethodKey::Any, RouteIndex(routes)).expect("the first variable of the root");
    router
}

/// An OpenAPI document of `routes` operations.
#[must_use]
pub fn document(routes: u32) -> String {
    let mut text = String::from("openapi: 3.0.1\ninfo: {title: big, version: \"1\"}\npaths:\n");
    for route in 0..routes {
        text.push_str(&format!(
            "  /items{route}/{{id}}:\n    get:\n      x-amazon-apigateway-integration:\n        type: http_proxy\n        \
             httpMethod: GET\n        uri: http://127.0.0.1:9080/items/{{id}}\n        requestParameters:\n          \
             integration.request.path.id: method.request.path.id\n"
        ));
    }
    text
}
