//! Authorizers and request validators (control-plane specification, sections 1.6, 3, 4.1, 5 and 6.1).

use serde_json::{Value, json};

use super::Plane;

const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";

#[test]
fn authorizers_have_defaults_by_type() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let at = format!("/restapis/{api}/authorizers");
    let source = "method.request.header.Authorization";
    let body = json!({"name": "a", "type": "TOKEN", "authorizerUri": URI, "identitySource": source});
    let token = plane.ok("POST", &at, body);
    let id = token["id"].as_str().expect("id").to_owned();
    assert_eq!(
        token,
        json!({"id": id, "name": "a", "type": "TOKEN", "authType": "custom", "authorizerUri": URI,
            "identitySource": source, "authorizerResultTtlInSeconds": 300})
    );
    let pool = "arn:aws:cognito-idp:us-east-1:1:userpool/p";
    let cognito =
        plane.ok("POST", &at, json!({"name": "b", "type": "COGNITO_USER_POOLS", "providerARNs": [pool]}));
    assert_eq!(
        cognito,
        json!({"id": cognito["id"], "name": "b", "type": "COGNITO_USER_POOLS", "providerARNs": [pool],
            "authType": "cognito_user_pools"})
    );
    let patched = plane.patch(
        &format!("{at}/{id}"),
        &[
            ("replace", "/authorizerResultTtlInSeconds", "0"),
            ("replace", "/name", "c"),
            ("remove", "/identitySource", ""),
        ],
    );
    assert_eq!(
        (
            &patched.body["authorizerResultTtlInSeconds"],
            &patched.body["name"],
            patched.body.get("identitySource")
        ),
        (&json!(0), &json!("c"), None)
    );
    assert_eq!(
        plane.patch(&format!("{at}/{id}"), &[("replace", "/x", "")]).message(),
        "Invalid patch path /x"
    );
    assert_eq!(plane.ok("GET", &at, Value::Null)["item"].as_array().map(Vec::len), Some(2));
    assert_eq!(plane.call("DELETE", &format!("{at}/{id}"), Value::Null).status, 202);
    let gone = plane.call("GET", &format!("{at}/{id}"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Authorizer identifier specified"));
}

#[test]
fn authorizers_are_judged_and_unknown_apis_conflict() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let unknown = plane.call("POST", "/restapis/nope/authorizers", json!({"name": "a", "type": "TOKEN"}));
    assert_eq!(
        (unknown.status, unknown.error.as_str(), unknown.message()),
        (
            409,
            "ConflictException",
            "Unable to complete operation due to concurrent modification. Please try again later."
        )
    );
    let at = format!("/restapis/{api}/authorizers");
    plane.ok("POST", &at, json!({"name": "a", "type": "TOKEN", "authorizerUri": URI}));
    for (body, message) in [
        (
            json!({"name": "a", "type": "TOKEN", "authorizerUri": URI}),
            "Authorizer name must be unique. Authorizer a already exists in this RestApi.",
        ),
        (
            json!({"name": "b", "type": "WRONG"}),
            "1 validation error detected: Value 'WRONG' at 'createAuthorizerInput.type' failed to satisfy constraint: Member \
             must satisfy enum value set: [TOKEN, REQUEST, COGNITO_USER_POOLS, JWT]",
        ),
        (
            json!({"name": "b", "type": "TOKEN"}),
            "Invalid Authorizer URI: null. Authorizer URI should be a valid API Gateway ARN that represents a Lambda \
             function invocation.",
        ),
    ] {
        let answer = plane.call("POST", &at, body);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
}

#[test]
fn validators_live_and_die() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let unknown = plane.call("POST", "/restapis/nope/requestvalidators", json!({"name": "a"}));
    assert_eq!((unknown.status, unknown.message()), (400, "Invalid REST API identifier specified"));
    let at = format!("/restapis/{api}/requestvalidators");
    let blank = plane.call("POST", &at, json!({"name": ""}));
    assert_eq!((blank.status, blank.message()), (400, "Request Validator name cannot be blank"));
    let made = plane.ok("POST", &at, json!({"name": "v", "validateRequestBody": true}));
    let id = made["id"].as_str().expect("id").to_owned();
    assert_eq!(
        made,
        json!({"id": id, "name": "v", "validateRequestBody": true, "validateRequestParameters": false})
    );
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &method, json!({"authorizationType": "NONE", "requestValidatorId": id}));
    let one = format!("{at}/{id}");
    assert_eq!(
        plane.patch(&one, &[("replace", "/validateRequestParameters", "true")]).body["validateRequestParameters"],
        true
    );
    assert_eq!(
        plane.patch(&one, &[("replace", "/x", "y")]).message(),
        "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, \
         /validateRequestBody]"
    );
    assert_eq!(plane.call("DELETE", &one, Value::Null).status, 202);
    let gone = plane.call("GET", &one, Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Request Validator identifier specified"));
    // The method goes on with its other settings.
    assert_eq!(plane.patch(&method, &[("replace", "/operationName", "x")]).status, 200);
    assert_eq!(
        plane.patch(&method, &[("replace", "/requestValidatorId", "")]).body.get("requestValidatorId"),
        None
    );
}
