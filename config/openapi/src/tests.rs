//! Documents and what is read from them, or said about them.

use model::IntegrationType;
use vocabulary::{Method, MethodKey};

use crate::diagnostic::Severity;
use crate::document::{Environment, Reading, read};

fn reading(text: &str) -> Reading {
    read(text, &Environment { account_id: "123456789012".into(), region: "us-east-1".into() })
}

/// Problems as `severity line:column code message`.
fn problems(text: &str) -> Vec<String> {
    let say = |d: &crate::Diagnostic| {
        format!("{:?} {}:{} {} {}", d.severity, d.span.line, d.span.column, d.code, d.message)
    };
    reading(text).diagnostics.iter().map(say).collect()
}

const PETS: &str = r#"openapi: 3.0.1
info: {title: Pets, version: "1.0"}
x-turnpike: {id: abcdefghij, stage: prod, stageVariables: {host: "127.0.0.1:9080"}, throttle: {rateLimit: 10.5, burstLimit: 20}}
paths:
  /pets/{petId}:
    get:
      parameters:
        - {name: verbose, in: query, required: true, schema: {type: string}}
      responses:
        200: {description: ok, headers: {X-A: {schema: {type: string}}}}
      x-amazon-apigateway-integration:
        type: HTTP_PROXY
        httpMethod: GET
        uri: http://${stageVariables.host}/pets/{id}
        timeoutInMillis: 1000
        requestParameters:
          integration.request.path.id: method.request.path.petId
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default: {statusCode: 200, responseTemplates: {application/json: '{"a":1}'}}
"#;

#[test]
fn a_document_becomes_an_api() {
    let reading = reading(PETS);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let definition = reading.definition.expect("definition");
    assert_eq!(
        (definition.id.as_deref(), definition.stage.stage_name.as_str()),
        (Some("abcdefghij"), "prod")
    );
    assert_eq!(definition.stage.throttle("/x", "GET").map(|throttle| throttle.burst_limit), Some(20));
    let methods = &definition.api.definition.resources.at("/pets/{petId}").expect("resource").methods;
    let get = &methods[&MethodKey::One(Method::Get)];
    let integration = get.integration.as_ref().expect("integration");
    assert_eq!((integration.kind, integration.timeout_in_millis), (IntegrationType::HttpProxy, 1000));
    assert!(get.request_parameters["method.request.querystring.verbose"]);
    assert!(get.request_parameters["method.request.path.petId"]);
    let declared = get.responses[&200].response_parameters.as_ref().expect("declared");
    assert!(declared.contains_key("method.response.header.X-A"));
    let any = methods[&MethodKey::Any].integration.as_ref().expect("integration");
    assert_eq!(any.responses[0].selection_pattern, None);
    let entity = model::Entity::new("/pets/{petId}", MethodKey::One(Method::Get), "integration.uri");
    assert_eq!(definition.positions.find(&entity).map(|span| (span.line, span.column)), Some((14, 14)));
}

#[test]
fn json_and_swagger_are_read_alike() {
    let text = r#"{"swagger": "2.0", "info": {"title": "P\u00e9ts \ud83d\ude00", "version": "1"}, "basePath": "/x",
      "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {"type": "http", "httpMethod": "ANY", "uri": "http://127.0.0.1:1/a",
          "responses": {"default": {"statusCode": "200"}, "4\\d{2}": {"statusCode": 404}}}}}}}"#;
    let definition = reading(text).definition.expect("definition");
    assert_eq!(definition.api.name, "Péts 😀");
    let resource = definition.api.definition.resources.at("/a").expect("resource");
    let method = &resource.methods[&MethodKey::One(Method::Get)];
    let responses = &method.integration.as_ref().expect("integration").responses;
    assert_eq!(
        responses.iter().map(|r| r.selection_pattern.as_deref()).collect::<Vec<_>>(),
        [None, Some("4\\d{2}")]
    );
}

fn with_integration(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "openapi: 3.0.1\ninfo: {{title: a}}\npaths:\n  /a:\n    get:\n      x-amazon-apigateway-integration:\n{indented}"
    )
}

#[test]
fn what_is_not_supported_is_said_with_its_place() {
    for (lines, expected) in [
        ("type: aws_proxy", "Error 7:15 unsupported integration type `aws_proxy` is not supported yet"),
        ("type: mock\ncredentials: x", "Error 8:9 unsupported `credentials` is not supported yet"),
        (
            "type: mock\nrequestTemplates: {application/json: '#set($a = 1)'}",
            "Error 8:46 unsupported a mapping template with directives or references is not supported yet",
        ),
        (
            "type: mock\ntimeoutInMillis: 10",
            "Error 8:26 invalid Timeout should be between 50 ms and 29000 ms",
        ),
        ("type: mock\nuriX: 1", "Error 8:9 invalid `uriX` is unknown in an integration"),
        (
            "type: mock\nrequestParameters: {integration.request.header.a: true}",
            "Warning 8:59 ignored Invalid format",
        ),
        ("httpMethod: GET", "Error 6:7 invalid an integration needs a `type`"),
    ] {
        let found = problems(&with_integration(lines));
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{lines}: {found:#?}");
    }
}

#[test]
fn root_problems() {
    let document = |more: &str| format!("openapi: 3.0.1\ninfo: {{title: a}}\npaths: {{}}\n{more}");
    for (text, expected) in [
        ("", "Error 1:1 syntax the document is empty"),
        ("openapi: 3.1.0\npaths: {}", "Error 1:10 unsupported `3.1.0` is no version"),
        ("a: b", "Error 1:1 invalid this is no OpenAPI document"),
        ("{\"a\": 1,}", "Error 1:9 syntax expected a key in double quotes, found `}`"),
        ("{\"a\": 1, \"a\": 2}", "Error 1:10 syntax `a` is there twice; first at line 1"),
        ("a: 1\na: 2", "Error 2:1 syntax `a` is there twice; first at line 1"),
        ("a: *b", "Error 1:"),
        (&document("security: [{k: []}]"), "Error 4:1 unsupported `security`"),
        (
            &document("x-amazon-apigateway-policy: {}"),
            "Error 4:1 unsupported `x-amazon-apigateway-policy` is not",
        ),
        (
            &document("x-amazon-apigateway-polic: {}"),
            "Error 4:1 unknown-extension `x-amazon-apigateway-polic`",
        ),
        (&document("x-mine: 1"), "Note 4:1 ignored `x-mine` is not read"),
        (&document("x-turnpike: {stage: a b}"), "Error 4:21 invalid a stage name"),
        (&document("x-turnpike: {throttle: {rateLimit: 1}}"), "Error 4:24 invalid a throttle needs"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{text}: {found:#?}");
    }
    let text = "openapi: 3.0.1\npaths: {/a: {get: {}}}";
    assert!(problems(text).iter().any(|p| p.contains("No integration defined for method: GET /a")));
    let help = reading(&document("x-amazon-apigateway-polic: {}")).diagnostics[0].help.clone();
    assert_eq!(help.as_deref(), Some("did you mean `x-amazon-apigateway-policy`?"));
}

#[test]
fn slips_of_yaml_are_told_in_plain_words() {
    let tab = "a tab indents this line";
    let quote = "the quote that opens here is not closed";
    let line = "this line does not fit the lines above it";
    for (text, place, message, help) in [
        ("a:\n\tb: 1\n", "2:1", tab, "replace the tab by spaces"),
        ("a:\n  b: c\n\td: e\n", "3:1", tab, "replace"),
        ("a:\n  b:\n  \tc: {}\n", "3:3", tab, "replace"),
        ("a: |\n\tb\n", "2:1", tab, "replace"),
        ("a: 1\n\tb: 2\n", "2:1", tab, "replace"),
        ("a: {b: \"c, d: e}\n", "1:8", quote, "close it"),
        ("a:\n  b: 'c\nd: e\n", "2:6", quote, "indent the lines"),
        ("a: 'it's'\n", "1:8", "something follows a quote that is closed already", "''"),
        ("a: \"\\d\"\n", "1:4", "this text in double quotes has a backslash", "single quotes"),
        ("a: [\n", "1:4", "this `[` is never closed", "`]`"),
        ("a: {b: c # d\n# e\n", "1:4", "this `{` is never closed", "`}`"),
        ("a: {b: c\nd: e\n", "2:2", "`,` or `}` is expected: the `{` that opens at 1:4", "comma"),
        ("a: [b, c\nd: e\n", "2:2", "`,` or `]` is expected: the `[` that opens at 1:4", "comma"),
        ("a: [b, c}\n", "1:9", "`,` or `]` is expected", "close it with `]`"),
        ("a: {b: c,, d}\n", "1:10", "a value is missing in the `{` that opens at 1:4", "remove the comma"),
        ("a: {b: c}}\n", "1:10", "`}` closes nothing", "remove it"),
        ("a:\n  b: c\n d: e\n", "3:2", line, "in the same column"),
        ("a:\n- b\nc: d\n- e\n", "4:1", line, "in the same column"),
        ("a:\n  b: c\n    d: e\n", "3:5", "this line is indented as if", "like the line above"),
        ("a:\n  - b\n  c: d\n", "3:3", "this line stands in a list", "begin it with `- `"),
        ("a: - b\n", "1:4", "a list can't begin on the line of its name", "on the next line"),
        ("a: {b: c} d\n", "1:11", "something follows a value that has ended", "quotes"),
        ("a: b: c\n", "1:5", "a second `: ` in one line", "quotes"),
        ("a: 1\n  # b: c\nd\n# e\nf: 2\n", "3:1", "this line is no `name: value`", "colon"),
        ("a: 1\na: 2\n", "2:1", "`a` is there twice; first at line 1", "remove one"),
        ("a: *b\n", "1:4", "no anchor `b` stands above this alias", "`&b`"),
        ("a: * b\n", "1:4", "`*` begins an alias, and no name follows", "quotes"),
        ("a: @b\n", "1:4", "a text can't begin with `@`", "quotes"),
        ("a: !<b\n", "1:4", "not YAML: while scanning a verbatim tag", ""),
    ] {
        let diagnostic = reading(text).diagnostics.remove(0);
        let said = format!("{}:{}", diagnostic.span.line, diagnostic.span.column);
        assert_eq!((said.as_str(), diagnostic.code), (place, "syntax"), "{text:?}: {diagnostic:?}");
        assert!(diagnostic.message.starts_with(message), "{text:?}: {diagnostic:?}");
        assert!(diagnostic.help.unwrap_or_default().contains(help), "{text:?}");
    }
}

#[test]
fn expansion_and_depth_are_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(problems(&bomb).iter().any(|p| p.contains("ten times larger")), "{:?}", problems(&bomb));
    let deep = "[".repeat(100);
    assert!(problems(&deep).iter().any(|p| p.starts_with("Error")));
    assert!(problems(&format!("{{\"a\": {}", "[".repeat(10_000))).iter().any(|p| p.contains("64 levels")));
}

#[test]
fn odd_files_are_read() {
    for text in [PETS.replace('\n', "\r\n"), format!("\u{feff}{PETS}"), format!("---\n{PETS}")] {
        assert!(reading(&text).definition.is_some(), "{:?}", problems(&text));
    }
    let anchored =
        PETS.replace("type: mock", "type: &kind mock\n        passthroughBehavior: &p when_no_match");
    assert!(reading(&anchored).definition.is_some(), "{:?}", problems(&anchored));
}

#[test]
fn json_numbers_are_those_of_the_grammar() {
    let number = |text: &str| crate::json::parse(&format!("[{text}]")).is_ok();
    for good in ["0", "-0", "10", "1.5", "-0.5e-3", "1E5", "1e+5"] {
        assert!(number(good), "{good}");
    }
    for bad in ["01", "-01", ".5", "-.5", "1.", "1.e5", "1.E5", "--1", "-", "1e", "+1"] {
        assert!(!number(bad), "{bad}");
    }
}

#[test]
fn places_are_right_whatever_ends_a_line() {
    let place = |text: &str| {
        let diagnostic = reading(text).diagnostics.remove(0);
        (diagnostic.span.line, diagnostic.span.column, diagnostic.span.start)
    };
    assert_eq!(place("{\"a\": \"é\",\n \"é\": 01}"), (2, 7, 19));
    for end in ["\n", "\r", "\r\n"] {
        let text = format!("openapi: 3.0.1{end}paths: {{}}{end}a: !x b{end}");
        assert_eq!(place(&text), (3, 4, text.find("!x").expect("there")), "{end:?}");
    }
}

#[test]
fn three_hundred_operations_load() {
    let mut text = String::from("openapi: 3.0.1\ninfo: {title: big}\npaths:\n");
    for index in 0..300 {
        text.push_str(&format!(
            "  /items{index}/{{id}}:\n    get:\n      x-amazon-apigateway-integration:\n        type: http_proxy\n        \
             httpMethod: GET\n        uri: http://127.0.0.1:9080/{index}\n"
        ));
    }
    let reading = reading(&text);
    assert!(reading.diagnostics.iter().all(|d| d.severity < Severity::Error));
    // The root, and each item with its variable.
    assert_eq!(reading.definition.expect("definition").api.definition.resources.count(), 601);
}
