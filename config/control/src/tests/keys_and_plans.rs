//! API keys, usage plans, usage (control-plane specification, sections 3 to 6; management specification, sections 2 and 3).

use serde_json::{Value, json};

use super::Plane;

const VALUE: &str = "abcdefghijklmnopqrstuvwxyz";

fn key(plane: &mut Plane, body: Value) -> Value {
    plane.ok("POST", "/apikeys", body)
}

#[test]
fn keys_are_made_disabled_and_hide_their_values() {
    let mut plane = Plane::new();
    let made = key(&mut plane, json!({"name": "first"}));
    let id = made["id"].as_str().expect("id").to_owned();
    assert_eq!(made["value"].as_str().map(str::len), Some(40));
    let mut expected = json!({
        "id": id, "name": "first", "enabled": false, "createdDate": 1_700_000_000, "lastUpdatedDate": 1_700_000_000,
        "stageKeys": [], "tags": {},
    });
    assert_eq!(plane.ok("GET", &format!("/apikeys/{id}"), Value::Null), expected);
    assert_eq!(
        plane.ok("GET", &format!("/apikeys/{id}?includeValue=true"), Value::Null)["value"],
        made["value"]
    );
    plane.now += 10;
    let patched = plane.patch(
        &format!("/apikeys/{id}"),
        &[("replace", "/enabled", "TRUE"), ("replace", "/customerId", "c")],
    );
    expected["enabled"] = json!(true);
    expected["customerId"] = json!("c");
    expected["lastUpdatedDate"] = json!(1_700_000_010);
    assert_eq!(patched.body, expected);
    assert_eq!(
        plane.patch(&format!("/apikeys/{id}"), &[("replace", "/enabled", "maybe")]).body["enabled"],
        false
    );
    assert_eq!(
        plane.patch(&format!("/apikeys/{id}"), &[("replace", "/id", "x")]).message(),
        "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]"
    );
    key(&mut plane, json!({"name": "second", "value": VALUE}));
    let list = plane.ok("GET", "/apikeys", Value::Null);
    let names: Vec<&Value> = list["item"].as_array().expect("list").iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["second", "first"]);
    assert!(list["item"][0].get("value").is_none() && list["item"][0].get("tags").is_none());
    let found = plane.ok("GET", "/apikeys?name=fir&includeValues=true", Value::Null);
    assert_eq!(found["item"][0]["value"], made["value"]);
    assert_eq!(plane.call("DELETE", &format!("/apikeys/{id}"), Value::Null).status, 202);
    assert_eq!(plane.call("GET", &format!("/apikeys/{id}"), Value::Null).status, 404);
}

#[test]
fn keys_are_judged_in_recorded_words() {
    let mut plane = Plane::new();
    key(&mut plane, json!({"value": VALUE}));
    for (body, status, message) in [
        (json!({"value": "short"}), 400, "API Key value should be at least 20 characters"),
        (json!({"value": "x".repeat(129)}), 400, "API Key value exceeds maximum size of 128 characters"),
        (json!({"name": "x".repeat(1_025)}), 400, "Invalid API Key name, can be at most 1024 characters."),
        (json!({"description": "x".repeat(125_001)}), 400, "Invalid API Key description specified."),
        (json!({"value": VALUE}), 409, "API Key already exists"),
    ] {
        let answer = plane.call("POST", "/apikeys", body);
        assert_eq!((answer.status, answer.message()), (status, message));
    }
    assert_eq!(key(&mut plane, json!({"name": "", "value": ""})).get("name"), None);
}

#[test]
fn keys_come_from_a_file() {
    let mut plane = Plane::new();
    let plan = plane.ok("POST", "/usageplans", json!({"name": "p"}))["id"].as_str().expect("id").to_owned();
    let file = format!("Name,key,enabled,usageplanids\nfirst,{VALUE},,\"{plan}\"\nsecond,short,true,\n");
    let strict = plane.send("POST", "/apikeys?mode=import&format=csv&failonwarnings=true", file.as_bytes());
    assert_eq!(
        (strict.status, strict.message()),
        (400, "Warnings found during import:\n\tLine 3: API Key value should be at least 20 characters")
    );
    assert_eq!(plane.ok("GET", "/apikeys", Value::Null)["item"], json!([]));
    let loose = plane.send("POST", "/apikeys?mode=import&format=csv", file.as_bytes());
    let id = loose.body["ids"][0].as_str().expect("id").to_owned();
    assert_eq!((loose.status, loose.body["warnings"].as_array().map(Vec::len)), (201, Some(1)));
    assert_eq!(plane.ok("GET", &format!("/apikeys/{id}"), Value::Null)["enabled"], true);
    let keys = plane.ok("GET", &format!("/usageplans/{plan}/keys"), Value::Null);
    assert_eq!(keys["item"], json!([{"id": id, "type": "API_KEY", "value": VALUE, "name": "first"}]));
    // The same key again is overwritten.
    let file = format!("name,key,enabled\nrenamed,{VALUE},false\n");
    let again = plane.send("POST", "/apikeys?mode=import&format=csv", file.as_bytes());
    assert_eq!(again.body["ids"], json!([id]));
    assert_eq!(plane.ok("GET", &format!("/apikeys/{id}"), Value::Null)["name"], "renamed");
}

/// An API with a stage `prod`.
fn staged(plane: &mut Plane) -> String {
    let (api, root) = plane.api();
    let at = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &at, json!({"authorizationType": "NONE"}));
    plane.ok("PUT", &format!("{at}/integration"), json!({"type": "MOCK"}));
    plane.ok("POST", &format!("/restapis/{api}/deployments"), json!({"stageName": "prod"}));
    api
}

#[test]
fn every_patch_path_of_a_plan() {
    let mut plane = Plane::new();
    let api = staged(&mut plane);
    let made = plane.ok("POST", "/usageplans", json!({"name": "p"}));
    let id = made["id"].as_str().expect("id").to_owned();
    assert_eq!(made, json!({"id": id, "name": "p", "apiStages": []}));
    let at = format!("/usageplans/{id}");
    let stage = format!("{api}:prod");
    let method = format!("/apiStages/{stage}/throttle/~1pets/GET");
    let body = plane
        .patch(
            &at,
            &[
                ("add", "/apiStages", &*stage),
                ("replace", &format!("{method}/rateLimit"), "1.5"),
                ("replace", &format!("{method}/burstLimit"), "2"),
                ("replace", "/throttle/rateLimit", "10"),
                ("add", "/throttle/burstLimit", "20"),
                ("replace", "/quota/limit", "100"),
                ("replace", "/quota/period", "WEEK"),
                ("replace", "/quota/offset", "6"),
                ("replace", "/productCode", "c"),
                ("replace", "/description", "d"),
            ],
        )
        .body;
    assert_eq!(
        body,
        json!({
            "id": id, "name": "p", "description": "d", "productCode": "c", "tags": {},
            "apiStages": [{"apiId": api, "stage": "prod", "throttle": {"/pets/GET": {"burstLimit": 2, "rateLimit": 1.5}}}],
            "throttle": {"burstLimit": 20, "rateLimit": 10.0},
            "quota": {"limit": 100, "offset": 6, "period": "WEEK"},
        })
    );
    let map = r#"{"/a/GET": {"rateLimit": 1, "burstLimit": 1}}"#;
    let body = plane
        .patch(
            &at,
            &[
                ("remove", &*method, ""),
                ("replace", &format!("/apiStages/{stage}/throttle"), map),
                ("remove", "/throttle", ""),
                ("remove", "/quota", ""),
                ("remove", "/productCode", ""),
            ],
        )
        .body;
    assert_eq!(body["apiStages"][0]["throttle"], json!({"/a/GET": {"burstLimit": 1, "rateLimit": 1.0}}));
    assert!(["throttle", "quota", "productCode"].iter().all(|name| body.get(*name).is_none()), "{body}");
    assert_eq!(plane.call("DELETE", &at, Value::Null).status, 400);
    assert_eq!(plane.call("DELETE", &format!("/restapis/{api}"), Value::Null).status, 400);
    plane.patch(&at, &[("remove", "/apiStages", &*stage)]);
    assert_eq!(plane.call("DELETE", &at, Value::Null).status, 202);
}

#[test]
fn plans_are_judged_in_recorded_words() {
    let mut plane = Plane::new();
    let id = plane.ok("POST", "/usageplans", json!({"name": "p"}))["id"].as_str().expect("id").to_owned();
    let at = format!("/usageplans/{id}");
    let unknown = format!("Invalid API Stage {{api: a, stage: s}} specified for usageplan {id}");
    for (op, path, value, status, message) in [
        ("add", "/apiStages", "", 400, "Invalid API Stage specified"),
        ("add", "/apiStages", "nonsense", 400, "Invalid API Stage specified"),
        ("remove", "/apiStages", "a:s", 404, &*unknown),
        ("replace", "/wrong", "x", 400, "Invalid patch path /wrong"),
    ] {
        let answer = plane.patch(&at, &[(op, path, value)]);
        assert_eq!((answer.status, answer.message()), (status, message));
    }
    for (period, offset, message) in [
        ("DAY", 1, "Usage Plan quota offset must be zero in the DAY period"),
        ("WEEK", 7, "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period"),
        ("MONTH", 28, "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period"),
    ] {
        let quota = json!({"limit": 1, "offset": offset, "period": period});
        let answer = plane.call("POST", "/usageplans", json!({"name": "q", "quota": quota}));
        assert_eq!((answer.status, answer.message()), (400, message));
    }
    let gone = plane.call("GET", "/usageplans/nope", Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Usage Plan ID specified"));
    assert_eq!(plane.ok("GET", "/usageplans/nope/keys", Value::Null), json!({"item": []}));
}

#[test]
fn keys_join_plans_and_have_what_is_left() {
    let mut plane = Plane::new();
    let quota = json!({"limit": 100, "offset": 0, "period": "MONTH"});
    let plan = plane.ok("POST", "/usageplans", json!({"name": "p", "quota": quota}))["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let key = key(&mut plane, json!({"name": "k", "value": VALUE}))["id"].as_str().expect("id").to_owned();
    let keys = format!("/usageplans/{plan}/keys");
    let body = json!({"keyId": key, "keyType": "API_KEY"});
    let joined = plane.ok("POST", &keys, body.clone());
    assert_eq!(joined, json!({"id": key, "type": "API_KEY", "value": VALUE, "name": "k"}));
    assert_eq!(plane.call("POST", &keys, body).status, 409);
    assert_eq!(plane.ok("GET", &format!("/usageplans?keyId={key}"), Value::Null)["item"][0]["id"], plan);
    let usage = format!("/usageplans/{plan}/usage?startDate=2023-11-13&endDate=2023-11-14");
    assert_eq!(
        plane.ok("GET", &usage, Value::Null),
        json!({"usagePlanId": plan, "startDate": "2023-11-13", "endDate": "2023-11-14",
            "values": {key.clone(): [[0, 100], [0, 100]]}})
    );
    let set = plane.patch(&format!("{keys}/{key}/usage"), &[("replace", "/remaining", "7")]);
    assert_eq!(set.body["values"][&key], json!([[0, 7]]));
    // From the day it was set on, to the end of the period.
    assert_eq!(plane.ok("GET", &usage, Value::Null)["values"][&key], json!([[0, 100], [0, 7]]));
    plane.call("DELETE", &format!("/apikeys/{key}"), Value::Null);
    assert_eq!(plane.ok("GET", &keys, Value::Null), json!({"item": []}));
}
