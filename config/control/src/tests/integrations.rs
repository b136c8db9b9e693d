//! Integration and IntegrationResponse: shapes, texts, patches (control-plane specification, sections 3, 4.1 and 6.2).

use serde_json::{Value, json};

use super::Plane;
use super::methods::method;

fn integration(plane: &mut Plane, body: Value) -> String {
    let at = format!("{}/integration", method(plane));
    plane.ok("PUT", &at, body);
    at
}

#[test]
fn defaults_are_shown_by_type() {
    let mut plane = Plane::new();
    let at = integration(&mut plane, json!({"type": "MOCK", "httpMethod": "GET"}));
    let root = at.split('/').nth(4).expect("resource").to_owned();
    let mock = json!({
        "type": "MOCK", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": root,
        "cacheKeyParameters": [],
    });
    assert_eq!(plane.ok("GET", &at, Value::Null), mock);
    let http = plane.ok("PUT", &at, json!({"type": "HTTP", "httpMethod": "POST", "uri": "http://a/b"}));
    assert_eq!(
        http,
        json!({
            "type": "HTTP", "httpMethod": "POST", "uri": "http://a/b", "connectionType": "INTERNET",
            "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": root,
            "cacheKeyParameters": [],
        })
    );
    assert_eq!(plane.call("DELETE", &at, Value::Null).status, 204);
    let gone = plane.call("GET", &at, Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Integration identifier specified"));
}

#[test]
fn integrations_are_judged_in_recorded_words() {
    let mut plane = Plane::new();
    let at = format!("{}/integration", method(&mut plane));
    let lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
    for (body, message) in [
        (
            json!({"type": "X"}),
            "1 validation error detected: Value 'X' at 'putIntegrationInput.type' failed to satisfy constraint: Member must \
             satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
        ),
        (json!({"type": "HTTP", "uri": "http://a"}), "Enumeration value for HttpMethod must be non-empty"),
        (json!({"type": "HTTP", "httpMethod": "GET"}), "Invalid HTTP endpoint specified for URI"),
        (json!({"type": "AWS", "httpMethod": "POST", "uri": "x"}), "Invalid ARN specified in the request"),
        (
            json!({"type": "AWS", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:x"}),
            "AWS ARN for integration must contain path or action",
        ),
        (
            json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/x"}),
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ),
        (
            json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": lambda, "timeoutInMillis": 49}),
            "Timeout should be between 50 ms and 29000 ms",
        ),
        (
            json!({"type": "HTTP", "httpMethod": "GET", "uri": "http://a",
                "requestParameters": {"integration.request.header.X": "nonsense"}}),
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
             specified: nonsense]",
        ),
        (
            json!({"type": "HTTP", "httpMethod": "GET", "uri": "http://a",
                "requestParameters": {"integration.request.header.X": "method.request.header.undeclared"}}),
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
             parameter specified: method.request.header.undeclared]",
        ),
    ] {
        let answer = plane.call("PUT", &at, body);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
    assert!(
        plane.call("PUT", &at, json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": lambda})).status
            == 201
    );
}

#[test]
fn patches_of_integrations() {
    let mut plane = Plane::new();
    let at = integration(&mut plane, json!({"type": "HTTP", "httpMethod": "GET", "uri": "http://a"}));
    let body = plane
        .patch(
            &at,
            &[
                ("replace", "/uri", "https://b/c"),
                ("replace", "/httpMethod", "ANY"),
                ("replace", "/timeoutInMillis", "1000"),
                ("replace", "/passthroughBehavior", "NEVER"),
                ("replace", "/tlsConfig/insecureSkipVerification", "true"),
                ("add", "/requestTemplates/application~1json", "{}"),
                ("add", "/requestParameters/integration.request.header.X", "'static'"),
                ("add", "/cacheKeyParameters/method.request.path.a", ""),
                ("replace", "/contentHandling", "CONVERT_TO_TEXT"),
            ],
        )
        .body;
    assert_eq!(
        (&body["uri"], &body["httpMethod"], &body["timeoutInMillis"], &body["passthroughBehavior"]),
        (&json!("https://b/c"), &json!("ANY"), &json!(1000), &json!("NEVER"))
    );
    assert_eq!(
        (&body["tlsConfig"], &body["requestTemplates"], &body["requestParameters"]),
        (
            &json!({"insecureSkipVerification": true}),
            &json!({"application/json": "{}"}),
            &json!({"integration.request.header.X": "'static'"})
        )
    );
    assert_eq!(
        (&body["cacheKeyParameters"], &body["contentHandling"]),
        (&json!(["method.request.path.a"]), &json!("CONVERT_TO_TEXT"))
    );
    for (op, path, status, message) in [
        ("replace", "/type", 400, "Invalid patch path /type"),
        ("add", "/uri", 400, "Invalid patch operation specified. Must be one of: [replace]"),
        ("remove", "/requestTemplates/text~1xml", 404, "Content-Type specified was not found"),
        (
            "remove",
            "/requestParameters/integration.request.header.Y",
            404,
            "Invalid parameter name specified",
        ),
    ] {
        let answer = plane.patch(&at, &[(op, path, "")]);
        assert_eq!((answer.status, answer.message()), (status, message), "{op} {path}");
    }
}

#[test]
fn integration_responses_are_kept_by_status() {
    let mut plane = Plane::new();
    let at = integration(&mut plane, json!({"type": "MOCK"}));
    let at = format!("{at}/responses");
    let put = plane.ok("PUT", &format!("{at}/200"), json!({"responseTemplates": {"application/json": ""}}));
    assert_eq!(put, json!({"statusCode": "200", "responseTemplates": {"application/json": null}}));
    let second = plane.call("PUT", &format!("{at}/500"), json!({}));
    assert_eq!(
        (second.status, second.message()),
        (409, "Integration response with selection pattern default already exists")
    );
    plane.ok("PUT", &format!("{at}/500"), json!({"selectionPattern": "5.."}));
    let wrong = plane.call(
        "PUT",
        &format!("{at}/404"),
        json!({"selectionPattern": "4", "responseTemplates": {"wrong": ""}}),
    );
    assert_eq!(
        wrong.message(),
        "Validation Result: warnings : [], errors : [Invalid content type specified: wrong]"
    );
    let shown = plane.ok("GET", &at.replace("/responses", ""), Value::Null);
    assert_eq!(shown["integrationResponses"]["500"], json!({"statusCode": "500", "selectionPattern": "5.."}));
    let patched = plane.patch(&format!("{at}/500"), &[("replace", "/selectionPattern", "50.")]);
    assert_eq!(patched.body["selectionPattern"], "50.");
    assert_eq!(plane.call("DELETE", &format!("{at}/500"), Value::Null).status, 204);
    let gone = plane.call("GET", &format!("{at}/500"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Response status code specified"));
}
