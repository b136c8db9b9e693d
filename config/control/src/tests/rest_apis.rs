//! RestApi: shapes, texts, patches (control-plane specification, sections 3, 4.1 and 6.2).

use serde_json::{Value, json};

use super::Plane;
use crate::node::NodeError;

#[test]
fn create_and_get_differ_by_tags() {
    let mut plane = Plane::new();
    let created = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let id = created["id"].as_str().expect("id").to_owned();
    let root = created["rootResourceId"].clone();
    let mut expected = json!({
        "id": id, "name": "pets", "createdDate": 1_700_000_000, "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": false, "rootResourceId": root,
    });
    assert_eq!(created, expected);
    expected["tags"] = json!({});
    assert_eq!(plane.ok("GET", &format!("/restapis/{id}"), Value::Null), expected);
    let deleted = plane.call("DELETE", &format!("/restapis/{id}"), Value::Null);
    assert_eq!((deleted.status, deleted.body), (202, Value::Null));
    let gone = plane.call("GET", &format!("/restapis/{id}"), Value::Null);
    assert_eq!((gone.status, gone.error.as_str()), (404, "NotFoundException"));
    assert_eq!(gone.message(), format!("Invalid API identifier specified 123456789012:{id}"));
}

#[test]
fn creation_is_judged_in_recorded_words() {
    let mut plane = Plane::new();
    for (body, code, message) in [
        (
            json!({"name": true}),
            "SerializationException",
            "class java.lang.Boolean can not be converted to an String",
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["wrong"]}}),
            "ValidationException",
            "1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to \
             satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, \
             REGIONAL]]",
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": []}}),
            "BadRequestException",
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}}),
            "BadRequestException",
            "Cannot create an api with multiple Endpoint Types.",
        ),
        (
            json!({"name": "a", "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}}),
            "BadRequestException",
            "Only dualstack ipAddressType is supported for Private APIs.",
        ),
        (
            json!({"name": "a", "description": ""}),
            "BadRequestException",
            "Description cannot be an empty string",
        ),
        (
            json!({"name": "a", "minimumCompressionSize": -1}),
            "BadRequestException",
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
    ] {
        let answer = plane.call("POST", "/restapis", body.clone());
        assert_eq!((answer.status, answer.error.as_str(), answer.message()), (400, code, message), "{body}");
    }
}

#[test]
fn every_patch_path_does_what_it_says() {
    let mut plane = Plane::new();
    let (id, _) = plane.api();
    let target = format!("/restapis/{id}");
    let answer = plane.patch(
        &target,
        &[
            ("replace", "/name", "new"),
            ("replace", "/description", "text"),
            ("add", "/binaryMediaTypes/image~1png", ""),
            ("add", "/binaryMediaTypes/image~1gif", ""),
            ("replace", "/binaryMediaTypes/image~1gif", "image/jpeg"),
            ("replace", "/minimumCompressionSize", "100"),
            ("replace", "/apiKeySource", "AUTHORIZER"),
            ("replace", "/disableExecuteApiEndpoint", "TRUE"),
            ("replace", "/endpointConfiguration/types/0", "REGIONAL"),
            ("replace", "/endpointConfiguration/ipAddressType", "dualstack"),
        ],
    );
    let body = answer.body;
    assert_eq!(
        (answer.status, &body["name"], &body["description"], &body["binaryMediaTypes"]),
        (200, &json!("new"), &json!("text"), &json!(["image/png", "image/jpeg"]))
    );
    assert_eq!(
        (&body["minimumCompressionSize"], &body["apiKeySource"], &body["disableExecuteApiEndpoint"]),
        (&json!(100), &json!("AUTHORIZER"), &json!(true))
    );
    assert_eq!(body["endpointConfiguration"], json!({"types": ["REGIONAL"], "ipAddressType": "dualstack"}));
    let removed = plane.patch(
        &target,
        &[("remove", "/binaryMediaTypes/image~1png", ""), ("replace", "/minimumCompressionSize", "")],
    );
    assert_eq!(removed.body["binaryMediaTypes"], json!(["image/jpeg"]));
    assert_eq!(removed.body.get("minimumCompressionSize"), None);
}

#[test]
fn wrong_patches_change_nothing() {
    let mut plane = Plane::new();
    let (id, _) = plane.api();
    let target = format!("/restapis/{id}");
    for (op, path, value, message) in [
        ("replace", "/wrong", "x", "Invalid patch path /wrong"),
        ("add", "/name", "x", "Invalid patch operation specified. Must be one of: [replace]"),
        ("replace", "/binaryMediaTypes", "x", "Invalid patch path /binaryMediaTypes"),
        (
            "replace",
            "/endpointConfiguration/types/0",
            "X",
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
        ),
        (
            "replace",
            "/endpointConfiguration/ipAddressType",
            "x",
            "ipAddressType must be either ipv4 or dualstack.",
        ),
        (
            "copy",
            "/binaryMediaTypes/a",
            "x",
            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
        ),
    ] {
        let answer = plane.patch(&target, &[("replace", "/name", "changed"), (op, path, value)]);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
    let answer = plane.patch(&target, &[("wrong", "/name", "x")]);
    assert_eq!(
        answer.message(),
        "1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy \
         constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]"
    );
    assert_eq!(plane.ok("GET", &target, Value::Null)["name"], "test");
}

#[test]
fn a_policy_is_shown_escaped_twice() {
    let mut plane = Plane::new();
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action":
        "execute-api:Invoke", "Resource": "execute-api:/*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}"#;
    let api = plane.ok("POST", "/restapis", json!({"name": "a", "policy": policy}));
    let id = api["id"].as_str().expect("id");
    assert_eq!(
        api["policy"].as_str().expect("policy"),
        format!(
            r#"{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"arn:aws:execute-api:us-east-1:123456789012:{id}\/*\",\"Condition\":{{\"IpAddress\":{{\"aws:SourceIp\":\"10.0.0.0\/8\"}}}}}}}}"#
        )
    );
    let wrong = plane.call("POST", "/restapis", json!({"name": "a", "policy": "{"}));
    assert_eq!(wrong.status, 400);
}

#[test]
fn a_tag_fixes_the_id_and_lists_come_in_pages() {
    let mut plane = Plane::new();
    for id in ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"] {
        let tags = json!({"_custom_id_": id, "team": "x"});
        let api = plane.ok("POST", "/restapis", json!({"name": id, "tags": tags}));
        assert_eq!((api["id"].as_str(), &api["tags"]), (Some(id), &json!({"team": "x"})));
    }
    let page = plane.ok("GET", "/restapis?limit=2", Value::Null);
    assert_eq!(page["item"].as_array().map(Vec::len), Some(2));
    let position = page["position"].as_str().expect("position");
    let rest = plane.ok("GET", &format!("/restapis?limit=2&position={position}"), Value::Null);
    assert_eq!((rest["item"][0]["id"].as_str(), rest.get("position")), (Some("cccccccccc"), None));
}

#[test]
fn what_cannot_be_written_did_not_happen() {
    let mut plane = Plane::new();
    plane.node.fail_writes = true;
    let answer = plane.call("POST", "/restapis", json!({"name": "a"}));
    assert_eq!((answer.status, answer.error.as_str()), (503, "ServiceUnavailableException"));
    plane.node.fail_writes = false;
    plane.node.refuse = Some(NodeError::Refused("no".to_owned()));
    assert_eq!(plane.ok("GET", "/restapis", Value::Null), json!({"item": []}));
    // An API without a stage isn't served: nothing is compiled for it.
    plane.api();
    assert_eq!(plane.node.calls, ["write", "write"]);
}
