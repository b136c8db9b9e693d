//! Gateway responses (control-plane specification, sections 1.4, 3, 4.1 and 6).

use serde_json::{Value, json};

use super::Plane;

#[test]
fn all_types_are_listed_and_defaults_show_through() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let at = format!("/restapis/{api}/gatewayresponses");
    let list = plane.ok("GET", &at, Value::Null);
    let items = list["item"].as_array().expect("list");
    assert_eq!((items.len(), &items[0]["responseType"]), (21, &json!("ACCESS_DENIED")));
    let template = "{\"message\":$context.error.messageString}";
    let denied = json!({
        "responseType": "ACCESS_DENIED", "statusCode": "403", "responseParameters": {},
        "responseTemplates": {"application/json": template}, "defaultResponse": true,
    });
    assert_eq!(items[0], denied);
    let default = plane.ok("GET", &format!("{at}/DEFAULT_4XX"), Value::Null);
    assert_eq!((default.get("statusCode"), &default["defaultResponse"]), (None, &json!(true)));
    let parameters = json!({"gatewayresponse.header.X": "'y'"});
    let put = plane.call("PUT", &format!("{at}/DEFAULT_4XX"), json!({"responseParameters": parameters}));
    assert_eq!((put.status, &put.body["defaultResponse"]), (201, &json!(false)));
    let shown = plane.ok("GET", &format!("{at}/ACCESS_DENIED"), Value::Null);
    assert_eq!((&shown["responseParameters"], &shown["defaultResponse"]), (&parameters, &json!(true)));
    let other = plane.ok("GET", &format!("{at}/INTEGRATION_TIMEOUT"), Value::Null);
    assert_eq!(other["responseParameters"], json!({}));
    assert_eq!(plane.call("DELETE", &format!("{at}/DEFAULT_4XX"), Value::Null).status, 202);
    let again = plane.call("DELETE", &format!("{at}/DEFAULT_4XX"), Value::Null);
    assert_eq!((again.status, again.message()), (404, "Gateway response type not defined on api"));
}

#[test]
fn changes_are_judged_in_recorded_words() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let at = format!("/restapis/{api}/gatewayresponses");
    let wrong = plane.call("PUT", &format!("{at}/WRONG"), json!({}));
    assert!(
        wrong.message().starts_with(
            "1 validation error detected: Value 'WRONG' at 'responseType' failed to satisfy constraint: Member must satisfy \
             enum value set: [REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, "
        ),
        "{wrong:?}"
    );
    let one = format!("{at}/THROTTLED");
    for (body, message) in [
        (
            json!({"responseTemplates": {"application/json": null}}),
            "Invalid null or empty value in responseTemplates",
        ),
        (
            json!({"responseParameters": {"gatewayresponse.header.X": ""}}),
            "Invalid null or empty value in responseParameters",
        ),
    ] {
        let answer = plane.call("PUT", &one, body);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
    let patched = plane.patch(
        &one,
        &[
            ("replace", "/statusCode", "420"),
            ("add", "/responseTemplates/text~1plain", "calm"),
            ("add", "/responseParameters/gatewayresponse.header.X", "'y'"),
        ],
    );
    assert_eq!(
        (&patched.body["statusCode"], &patched.body["responseTemplates"]["text/plain"]),
        (&json!("420"), &json!("calm"))
    );
    for (op, path, status, message) in [
        ("add", "/statusCode", 400, "Invalid patch path /statusCode"),
        ("replace", "/x", 400, "Invalid patch path /x"),
        ("remove", "/responseParameters/gatewayresponse.header.Y", 404, "Invalid parameter name specified"),
        ("remove", "/responseTemplates/text~1xml", 404, "Content-Type specified was not found"),
    ] {
        let answer = plane.patch(&one, &[(op, path, if op == "remove" { "" } else { "420" })]);
        assert_eq!((answer.status, answer.message()), (status, message), "{op} {path}");
    }
}
