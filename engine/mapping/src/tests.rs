//! Expressions over one request: what compiles, and what it yields.

use std::collections::BTreeMap;

use codec::h1::{HeadLimits, ResponseHead};
use context::{Exchange, Facts, StageFacts};
use vocabulary::Method;

use crate::{ExpressionError, RequestSource, ResponseSource, Scope, UriTemplate};

const HEAD: &[u8] =
    b"GET /prod/caf%C3%A9/a%2Fb/x//y?q=1&q=%32&Q=3&empty&sp=a+b&%6e=5;semi=6 HTTP/1.1\r\nHost: h:1\r\n\
    X-One: 1\r\nX-Two: 2\r\nx-two: 3\r\nX-Two: 4\r\nVia: v\r\nContent-Encoding: e\r\nTE: t\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n";

fn exchange() -> Exchange {
    let mut exchange = Exchange::default();
    exchange.request.parse(HEAD, &HeadLimits::default()).expect("head");
    exchange.method = Method::Get;
    exchange.path_start = 5;
    exchange.path_has_stage = true;
    exchange.path_parameters.extend([
        codec::h1::Span { start: 1, len: 9 },
        codec::h1::Span { start: 11, len: 5 },
        codec::h1::Span { start: 17, len: 4 },
    ]);
    exchange
}

fn request(expression: &str) -> Result<Option<String>, ExpressionError> {
    let variables = BTreeMap::from([("color".to_owned(), "green".to_owned())]);
    let names = ["name".to_owned(), "part".to_owned(), "rest".to_owned()];
    let scope = Scope { path_variables: &names, stage_variables: &variables };
    let Some(source) = RequestSource::parse(expression, &scope)? else { return Ok(None) };
    let exchange = exchange();
    let stage = StageFacts { api_id: "abc".into(), stage: "prod".into(), ..StageFacts::default() };
    let facts = Facts { exchange: &exchange, stage: Some(&stage), route: None };
    let mut out = b"kept ".to_vec();
    let found = source.write(&facts, &mut out);
    let text = String::from_utf8(out).expect("text").strip_prefix("kept ").expect("appended").to_owned();
    assert!(found || text.is_empty(), "{expression} wrote without a value");
    Ok(found.then_some(text))
}

#[test]
fn request_expressions_yield_decoded_values() {
    for (expression, value) in [
        ("'lit eral'", Some("lit eral")),
        ("''", Some("")),
        ("method.request.path.name", Some("café")),
        ("method.request.path.part", Some("a/b")),
        ("method.request.path.rest", Some("x//y")),
        ("method.request.path.other", None),
        ("method.request.querystring.q", Some("2")),
        ("method.request.querystring.Q", Some("3")),
        ("method.request.querystring.empty", Some("")),
        ("method.request.querystring.sp", Some("a b")),
        ("method.request.querystring.n", Some("5")),
        ("method.request.querystring.semi", Some("6")),
        ("method.request.querystring.absent", None),
        ("method.request.multivaluequerystring.q", Some("1,2")),
        ("method.request.header.X-One", Some("1")),
        ("method.request.header.x-one", None),
        ("method.request.header.X-Two", Some("4")),
        ("method.request.multivalueheader.X-Two", Some("2,4")),
        ("method.request.header.Host", Some("h:1")),
        ("method.request.header.Via", Some("v")),
        ("method.request.header.Content-Encoding", Some("e")),
        ("method.request.header.TE", None),
        ("method.request.header.Authorization", None),
        ("stageVariables.color", Some("green")),
        ("stageVariables.none", None),
        ("context.stage", Some("prod")),
        ("context.apiId", Some("abc")),
        ("context.path", Some("/prod/caf%C3%A9/a%2Fb/x//y")),
        ("context.httpMethod", Some("GET")),
        ("context.error.message", None),
        ("context.authorizer.claims.sub", None),
    ] {
        assert_eq!(request(expression), Ok(value.map(str::to_owned)), "{expression}");
    }
}

#[test]
fn other_request_expressions_are_refused() {
    for expression in ["method.request.body", "method.request.body.a.b"] {
        assert_eq!(request(expression), Err(ExpressionError::Unsupported(expression.to_owned())));
    }
    for expression in [
        "",
        "literal",
        "'open",
        "method.request.header",
        "method.request.cookie.a",
        "integration.response.header.X",
        "method.response.header.X",
        "method.request.",
        "$context.stage",
    ] {
        assert!(matches!(request(expression), Err(ExpressionError::Invalid(_))), "{expression}");
    }
    for expression in ["method.request.header.a b", "method.request.path.", "stageVariables.", "context.a/b"]
    {
        assert!(matches!(request(expression), Err(ExpressionError::Name(_))), "{expression}");
    }
    assert!(matches!(request("'a\r\nb'"), Err(ExpressionError::Literal(_))));
}

#[test]
fn response_expressions_see_the_backends_fields() {
    let variables = BTreeMap::from([("color".to_owned(), "green".to_owned())]);
    let scope = Scope { path_variables: &[], stage_variables: &variables };
    let mut head = ResponseHead::default();
    let text = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nx-a: 3\r\nServer: s\r\n\r\n";
    head.parse(text, &HeadLimits::default()).expect("head");
    let exchange = exchange();
    let facts = Facts { exchange: &exchange, stage: None, route: None };
    for (expression, with_head, without) in [
        ("'x'", Some("x"), Some("x")),
        ("integration.response.header.X-A", Some("2"), None),
        ("integration.response.multivalueheader.X-A", Some("1,2"), None),
        ("integration.response.header.server", None, None),
        ("integration.response.header.Server", Some("s"), None),
        ("stageVariables.color", Some("green"), Some("green")),
        ("context.httpMethod", Some("GET"), Some("GET")),
        ("context.stage", None, None),
    ] {
        let source = ResponseSource::parse(expression, &scope).expect("compiles").expect("yields");
        for (head, expected) in [(Some(&head), with_head), (None, without)] {
            let mut out = Vec::new();
            let found = source.write(&facts, head, &mut out);
            assert_eq!(
                found.then(|| String::from_utf8_lossy(&out).into_owned()).as_deref(),
                expected,
                "{expression}"
            );
        }
    }
    let unsupported = ResponseSource::parse("integration.response.body.a", &scope);
    assert!(matches!(unsupported, Err(ExpressionError::Unsupported(_))));
    assert!(ResponseSource::parse("method.request.header.X", &scope).is_err());
}

#[test]
fn uri_templates_are_filled() {
    let sources = [
        ("rest".to_owned(), RequestSource::Path(2)),
        ("part".to_owned(), RequestSource::Path(1)),
        ("gone".to_owned(), RequestSource::Path(9)),
    ];
    let exchange = exchange();
    let facts = Facts { exchange: &exchange, stage: None, route: None };
    for (text, written, has_query) in [
        ("", "/", false),
        ("?a=1", "/?a=1", true),
        ("/a b/c", "/a%20b/c", false),
        ("/{rest}", "/x//y", false),
        ("/{part}/{part}z", "/a/b/a/bz", false),
        ("/p?x={part}&y=1", "/p?x=a%2Fb&y=1", true),
        ("/{gone}/{none}/{open", "/%7Bgone%7D/%7Bnone%7D/%7Bopen", false),
        ("/${rest}", "/$%7Brest%7D", false),
        ("/a#fragment", "/a", false),
        ("/100%25/%zz", "/100%25/%25zz", false),
    ] {
        let template = UriTemplate::parse(text, &sources);
        let mut out = Vec::new();
        template.write(&facts, &mut out);
        assert_eq!((&*String::from_utf8_lossy(&out), template.has_query()), (written, has_query), "{text}");
    }
}
