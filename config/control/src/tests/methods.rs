//! Method and MethodResponse: shapes, texts, patches (control-plane specification, sections 3, 4.1 and 6.2).

use serde_json::{Value, json};

use super::Plane;

/// A method of the root that anybody may call: its path.
pub(super) fn method(plane: &mut Plane) -> String {
    let (api, root) = plane.api();
    let at = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &at, json!({"authorizationType": "NONE"}));
    at
}

#[test]
fn a_method_is_put_once() {
    let mut plane = Plane::new();
    let at = method(&mut plane);
    let again = plane.call("PUT", &at, json!({"authorizationType": "NONE"}));
    assert_eq!((again.status, again.message()), (409, "Method already exists for this resource"));
    let other = at.replace("GET", "POST");
    let body = json!({
        "authorizationType": "NONE", "authorizerId": "dropped", "apiKeyRequired": true, "operationName": "op",
        "requestParameters": {"method.request.querystring.q": true}, "requestModels": {"application/json": "Empty"},
    });
    assert_eq!(
        plane.ok("PUT", &other, body),
        json!({
            "httpMethod": "POST", "authorizationType": "NONE", "apiKeyRequired": true, "operationName": "op",
            "requestParameters": {"method.request.querystring.q": true}, "requestModels": {"application/json": "Empty"},
        })
    );
    let deleted = plane.call("DELETE", &other, Value::Null);
    assert_eq!((deleted.status, deleted.body), (204, Value::Null));
    let gone = plane.call("GET", &other, Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Method identifier specified"));
}

#[test]
fn methods_are_judged_in_recorded_words() {
    let mut plane = Plane::new();
    let at = method(&mut plane);
    let authorizer = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
                      requires a valid authorizer.";
    for (verb, body, message) in [
        (
            "WRONG",
            json!({"authorizationType": "NONE"}),
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        ("PUT", json!({"authorizationType": "CUSTOM"}), authorizer),
        ("PUT", json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "x"}), authorizer),
        (
            "PUT",
            json!({"authorizationType": "NONE", "requestValidatorId": "x"}),
            "Invalid Request Validator identifier specified",
        ),
        (
            "PUT",
            json!({"authorizationType": "NONE", "requestModels": {"application/json": "x"}}),
            "Invalid model identifier specified: x",
        ),
        (
            "PUT",
            json!({"authorizationType": "NONE",
                "requestParameters": {"method.request.querystring.q": true, "method.request.header.q": true}}),
            "Parameter names must be unique across querystring, header and path",
        ),
    ] {
        let answer = plane.call("PUT", &at.replace("GET", verb), body);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
}

#[test]
fn patches_of_methods() {
    let mut plane = Plane::new();
    let at = method(&mut plane);
    let answer = plane.patch(
        &at,
        &[
            ("replace", "/apiKeyRequired", "true"),
            ("replace", "/operationName", "op"),
            ("add", "/requestParameters/method.request.header.X", "true"),
            ("add", "/requestModels/application~1json", "Error"),
            ("add", "/authorizationScopes", "a"),
            ("add", "/authorizationScopes", "b"),
            ("remove", "/authorizationScopes", "a"),
        ],
    );
    assert_eq!(
        answer.body,
        json!({
            "httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": true, "operationName": "op",
            "requestParameters": {"method.request.header.X": true}, "requestModels": {"application/json": "Error"},
            "authorizationScopes": ["b"],
        })
    );
    for (op, path, status, message) in [
        ("replace", "/x", 400, "Invalid patch path /x"),
        ("add", "/operationName", 400, "Invalid patch operation specified. Must be one of: [replace]"),
        ("remove", "/requestParameters/method.request.header.Y", 404, "Invalid parameter name specified"),
        ("replace", "/requestModels/text~1plain", 404, "Content-Type specified was not found"),
        (
            "copy",
            "/requestModels/text~1plain",
            400,
            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
        ),
    ] {
        let answer = plane.patch(&at, &[(op, path, "y")]);
        assert_eq!((answer.status, answer.message()), (status, message), "{op} {path}");
    }
}

#[test]
fn method_responses_echo_and_forget_empty_maps() {
    let mut plane = Plane::new();
    let at = format!("{}/responses/200", method(&mut plane));
    let put = plane.call("PUT", &at, json!({"responseModels": {}, "responseParameters": {}}));
    assert_eq!(
        (put.status, put.body),
        (201, json!({"statusCode": "200", "responseParameters": {}, "responseModels": {}}))
    );
    let patched = plane.patch(&at, &[("add", "/responseParameters/method.response.header.X", "true")]);
    assert_eq!(
        (patched.status, patched.body),
        (201, json!({"statusCode": "200", "responseParameters": {"method.response.header.X": true}}))
    );
    assert_eq!(plane.call("PUT", &at, json!({})).status, 409);
    let wrong = plane.call("PUT", &at.replace("200", "900"), json!({}));
    assert_eq!(
        (wrong.error.as_str(), wrong.message()),
        (
            "ValidationException",
            "1 validation error detected: Value '900' at 'statusCode' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [1-5]\\d\\d"
        )
    );
    let missing = plane.call("GET", &at.replace("200", "404"), Value::Null);
    assert_eq!((missing.status, missing.message()), (404, "Invalid Response status code specified"));
    assert_eq!(plane.call("DELETE", &at, Value::Null).status, 204);
}
