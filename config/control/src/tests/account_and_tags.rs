//! Account and tags (control-plane specification, sections 3, 4.1 and 8).

use serde_json::{Value, json};

use super::Plane;

#[test]
fn the_account_keeps_its_role() {
    let mut plane = Plane::new();
    let mut expected = json!({
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0}, "features": ["UsagePlans"], "apiKeyVersion": "4",
    });
    assert_eq!(plane.ok("GET", "/account", Value::Null), expected);
    let role = "arn:aws:iam::1:role/r";
    expected["cloudwatchRoleArn"] = json!(role);
    assert_eq!(plane.patch("/account", &[("replace", "/cloudwatchRoleArn", role)]).body, expected);
    assert_eq!(plane.ok("GET", "/account", Value::Null), expected);
    assert_eq!(plane.patch("/account", &[("add", "/features", "UsagePlans")]).status, 200);
    assert_eq!(plane.patch("/account", &[("replace", "/throttleSettings", "1")]).status, 400);
}

#[test]
fn tags_merge_by_arn() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let arn = format!("/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2F{api}");
    let put = plane.call("PUT", &arn, json!({"tags": {"a": "1", "b": "1"}}));
    assert_eq!((put.status, put.body), (204, Value::Null));
    plane.call("PUT", &arn, json!({"tags": {"b": "2"}}));
    assert_eq!(plane.ok("GET", &arn, Value::Null), json!({"tags": {"a": "1", "b": "2"}}));
    assert_eq!(plane.call("DELETE", &format!("{arn}?tagKeys=a&tagKeys=c"), Value::Null).status, 204);
    assert_eq!(plane.ok("GET", &format!("/restapis/{api}"), Value::Null)["tags"], json!({"b": "2"}));
    for (target, body, status) in [
        ("/tags/arn:aws:apigateway:us-east-1::/restapis/nope", json!({"tags": {"a": "1"}}), 404),
        ("/tags/arn:aws:apigateway:eu-west-1::/restapis/nope", json!({"tags": {"a": "1"}}), 404),
        ("/tags/nonsense", json!({"tags": {"a": "1"}}), 404),
        (&*arn, json!({"tags": {"aws:x": "1"}}), 400),
        (&*arn, json!({"tags": {"a*": "1"}}), 400),
        (&*arn, json!({}), 400),
    ] {
        assert_eq!(plane.call("PUT", target, body).status, status, "{target}");
    }
}
