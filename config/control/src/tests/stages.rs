//! Deployments, stages, canaries: shapes, texts, patches (control-plane specification, sections 3 to 6).

use serde_json::{Value, json};

use super::Plane;

/// An API with a mock at its root, not deployed yet.
fn deployable(plane: &mut Plane) -> String {
    let (api, root) = plane.api();
    let at = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &at, json!({"authorizationType": "NONE"}));
    plane.ok("PUT", &format!("{at}/integration"), json!({"type": "MOCK"}));
    format!("/restapis/{api}")
}

fn deployment(plane: &mut Plane, api: &str) -> String {
    plane.ok("POST", &format!("{api}/deployments"), json!({}))["id"].as_str().expect("id").to_owned()
}

#[test]
fn only_what_can_be_deployed_is() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let deployments = format!("/restapis/{api}/deployments");
    let empty = plane.call("POST", &deployments, json!({}));
    assert_eq!((empty.status, empty.message()), (400, "The REST API doesn't contain any methods"));
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &method, json!({"authorizationType": "NONE"}));
    let bare = plane.call("POST", &deployments, json!({"stageName": "a"}));
    assert_eq!((bare.status, bare.message()), (400, "No integration defined for method"));
    plane.ok("PUT", &format!("{method}/integration"), json!({"type": "MOCK"}));
    let made = plane.call(
        "POST",
        &deployments,
        json!({"stageName": "a", "description": "d", "variables": {"k": "v"}}),
    );
    let id = made.body["id"].clone();
    assert_eq!(
        (made.status, made.body),
        (201, json!({"id": id, "description": "d", "createdDate": 1_700_000_000}))
    );
    assert_eq!(plane.node.calls.last(), Some(&"publish"));
    let shown =
        plane.ok("GET", &format!("{deployments}/{}?embed=apisummary", id.as_str().expect("id")), Value::Null);
    assert_eq!(
        shown["apiSummary"],
        json!({"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}})
    );
    let stage = plane.ok("GET", &format!("/restapis/{api}/stages/a"), Value::Null);
    assert_eq!(
        stage,
        json!({
            "deploymentId": id, "stageName": "a", "cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE",
            "methodSettings": {}, "variables": {"k": "v"}, "tracingEnabled": false, "tags": {},
            "createdDate": 1_700_000_000, "lastUpdatedDate": 1_700_000_000,
        })
    );
}

#[test]
fn deployments_in_use_stay() {
    let mut plane = Plane::new();
    let api = deployable(&mut plane);
    let first = deployment(&mut plane, &api);
    let stage = json!({"stageName": "prod", "deploymentId": first});
    let created = plane.ok("POST", &format!("{api}/stages"), stage.clone());
    assert_eq!(created.get("tags"), None);
    let again = plane.call("POST", &format!("{api}/stages"), stage);
    assert_eq!((again.status, again.message()), (409, "Stage already exists"));
    let unknown =
        plane.call("POST", &format!("{api}/stages"), json!({"stageName": "x", "deploymentId": "nope"}));
    assert_eq!((unknown.status, unknown.message()), (400, "Deployment id does not exist"));
    let kept = plane.call("DELETE", &format!("{api}/deployments/{first}"), Value::Null);
    assert_eq!(kept.message(), "Active stages pointing to this deployment must be moved or deleted");
    let second = deployment(&mut plane, &api);
    let patches = [("replace", "/canarySettings/deploymentId", &*second)];
    let canary = plane.patch(&format!("{api}/stages/prod"), &patches).body;
    assert_eq!(
        canary["canarySettings"],
        json!({"percentTraffic": 0.0, "deploymentId": second, "useStageCache": false})
    );
    let kept = plane.call("DELETE", &format!("{api}/deployments/{second}"), Value::Null);
    assert_eq!(
        kept.message(),
        "Active stages with canary settings pointing to this deployment must be moved or deleted"
    );
    assert_eq!(plane.call("DELETE", &format!("{api}/stages/prod"), Value::Null).status, 202);
    assert_eq!(plane.call("DELETE", &format!("{api}/deployments/{second}"), Value::Null).status, 202);
}

#[test]
fn a_canary_is_made_and_promoted() {
    let mut plane = Plane::new();
    let api = deployable(&mut plane);
    let deployments = format!("{api}/deployments");
    let prefix = "Invalid deployment content specified.";
    for (body, message) in [
        (
            json!({"canarySettings": {}}),
            "Non null and non empty stageName must be provided for canary deployment. Provided value is null",
        ),
        (
            json!({"canarySettings": {}, "stageName": ""}),
            "Non null and non empty stageName must be provided for canary deployment. Provided value is ",
        ),
        (
            json!({"canarySettings": {}, "stageName": "prod"}),
            "Stage prod must already be created before making a canary release deployment",
        ),
    ] {
        assert_eq!(plane.call("POST", &deployments, body).message(), format!("{prefix}{message}"));
    }
    let body = json!({"stageName": "prod", "variables": {"a": "1", "b": "1"}});
    let base = plane.ok("POST", &deployments, body)["id"].clone();
    let canary = json!({"percentTraffic": 50.0, "stageVariableOverrides": {"b": "2"}});
    let new =
        plane.ok("POST", &deployments, json!({"stageName": "prod", "canarySettings": canary}))["id"].clone();
    let stage = plane.ok("GET", &format!("{api}/stages/prod"), Value::Null);
    assert_eq!((&stage["deploymentId"], &stage["canarySettings"]["deploymentId"]), (&base, &new));
    let at = format!("{api}/stages/prod");
    let copies = json!({"patchOperations": [
        {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"},
        {"op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId"},
        {"op": "copy", "path": "/variables", "from": "/canarySettings/stageVariableOverrides"},
    ]});
    let promoted = plane.ok("PATCH", &at, copies);
    assert_eq!(
        (&promoted["deploymentId"], &promoted["variables"], &promoted["canarySettings"]),
        (
            &new,
            &json!({"a": "1", "b": "2"}),
            &json!({"percentTraffic": 0.0, "deploymentId": new, "stageVariableOverrides": {"b": "2"}, "useStageCache": false})
        )
    );
    assert_eq!(plane.patch(&at, &[("remove", "/canarySettings", "")]).body.get("canarySettings"), None);
    let copy = json!({"patchOperations": [{"op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId"}]});
    assert_eq!(plane.call("PATCH", &at, copy).message(), "Promotion not available. Canary does not exist.");
    let copy = json!({"patchOperations": [{"op": "copy", "path": "/x", "from": "/y"}]});
    assert_eq!(
        plane.call("PATCH", &at, copy).message(),
        "Invalid copy operation with path: /x and from /y. Valid copy:path are [/deploymentId, /variables] and valid \
         copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"
    );
}

#[test]
fn method_settings_are_made_whole() {
    let mut plane = Plane::new();
    let api = deployable(&mut plane);
    plane.ok("POST", &format!("{api}/deployments"), json!({"stageName": "prod"}));
    let at = format!("{api}/stages/prod");
    let every = plane.patch(&at, &[("replace", "/*/*/caching/enabled", "true")]).body;
    let mut setting = json!({
        "metricsEnabled": false, "dataTraceEnabled": false, "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0, "cachingEnabled": true, "cacheTtlInSeconds": 300, "cacheDataEncrypted": false,
        "requireAuthorizationForCacheControl": true,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    });
    assert_eq!(every["methodSettings"], json!({"*/*": setting}));
    // A method's own settings begin as a copy and don't follow later.
    let own = plane
        .patch(
            &at,
            &[("replace", "/~1/GET/logging/loglevel", "INFO"), ("replace", "/*/*/caching/enabled", "false")],
        )
        .body;
    setting["loggingLevel"] = json!("INFO");
    assert_eq!(own["methodSettings"]["~1/GET"], setting);
    assert_eq!(own["methodSettings"]["*/*"]["cachingEnabled"], false);
    let removed = plane.patch(&at, &[("remove", "/~1/GET", "")]).body;
    assert_eq!(removed["methodSettings"].as_object().map(serde_json::Map::len), Some(1));
}

#[test]
fn wrong_stage_patches_are_told_in_recorded_words() {
    let mut plane = Plane::new();
    let api = deployable(&mut plane);
    plane.ok("POST", &format!("{api}/deployments"), json!({"stageName": "prod"}));
    let at = format!("{api}/stages/prod");
    let list = "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]";
    for (op, path, value, message) in [
        (
            "replace",
            "/x/GET/metrics/enabled",
            "true",
            "Invalid method setting path: /x/GET/metrics/enabled. Must be one of: [",
        ),
        (
            "replace",
            "/wrong",
            "x",
            "Invalid method setting path: /wrong. Must be one of: [/deploymentId, /description, ",
        ),
        (
            "remove",
            "/*/*",
            "",
            "Cannot remove method setting */* because there is no method setting for this method ",
        ),
        (
            "remove",
            "/accessLogSettings/x",
            "",
            "Cannot remove method setting accessLogSettings/x because there is no method setting for this method ",
        ),
        ("replace", "/accessLogSettings/x", "y", list),
        ("replace", "/accessLogSettings/format", "", "Access Log value must not be empty"),
        (
            "add",
            "/canarySettings/deploymentId",
            "x",
            "Invalid add operation with path: /canarySettings/deploymentId",
        ),
    ] {
        let answer = plane.patch(&at, &[(op, path, value)]);
        assert_eq!(answer.status, 400);
        assert!(answer.message().starts_with(message), "{op} {path}: {}", answer.message());
    }
    let log = plane.patch(
        &at,
        &[
            ("replace", "/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:1:log-group:a:*"),
            ("replace", "/accessLogSettings/format", "$context.requestId"),
        ],
    );
    assert_eq!(
        log.body["accessLogSettings"],
        json!({"format": "$context.requestId", "destinationArn": "arn:aws:logs:us-east-1:1:log-group:a"})
    );
}
