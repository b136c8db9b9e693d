//! Models (control-plane specification, sections 1.6, 4.1, 5 and 6).

use serde_json::{Value, json};

use super::Plane;

#[test]
fn models_are_made_and_judged() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let at = format!("/restapis/{api}/models");
    let names: Vec<Value> = plane.ok("GET", &at, Value::Null)["item"]
        .as_array()
        .expect("list")
        .iter()
        .map(|model| model["name"].clone())
        .collect();
    assert_eq!(names, ["Empty", "Error"]);
    for (body, status, message) in [
        (json!({"name": "", "contentType": "application/json"}), 400, "Model name must be non-empty"),
        (
            json!({"name": "a", "contentType": "application/json", "schema": "{}"}),
            400,
            "Model schema must have at least 1 property or array items defined",
        ),
        (
            json!({"name": "Empty", "contentType": "application/json", "schema": "{\"type\":\"object\"}"}),
            409,
            "Model name already exists for this REST API",
        ),
    ] {
        let answer = plane.call("POST", &at, body);
        assert_eq!((answer.status, answer.message()), (status, message));
    }
    let unknown = plane.call("POST", "/restapis/nope/models", json!({"name": "a", "contentType": "b"}));
    assert_eq!(unknown.status, 404);
    let body = json!({"name": "Pet", "contentType": "application/json", "schema": "{\"type\":\"object\"}"});
    let made = plane.ok("POST", &at, body);
    let pet = json!({"id": made["id"], "name": "Pet", "schema": "{\"type\":\"object\"}", "contentType": "application/json"});
    assert_eq!(made, pet);
    let patched = plane.patch(&format!("{at}/Pet"), &[("replace", "/description", "d")]);
    assert_eq!(patched.body["description"], "d");
    assert_eq!(
        plane.patch(&format!("{at}/Pet"), &[("replace", "/name", "d")]).message(),
        "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]"
    );
    assert_eq!(plane.call("GET", &format!("{at}/Pet/default_template"), Value::Null).status, 400);
    assert_eq!(plane.call("DELETE", &format!("{at}/Pet"), Value::Null).status, 202);
    let gone = plane.call("GET", &format!("{at}/Pet"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid model name specified: Pet"));
}

#[test]
fn models_in_use_stay() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let method = format!("/restapis/{api}/resources/{root}/methods/ANY");
    plane.ok(
        "PUT",
        &method,
        json!({"authorizationType": "NONE", "requestModels": {"application/json": "Error"}}),
    );
    plane.ok(
        "PUT",
        &format!("{method}/responses/200"),
        json!({"responseModels": {"application/json": "Empty"}}),
    );
    for (name, message) in [
        ("Error", "Cannot delete model 'Error', is referenced in method request: //ANY"),
        ("Empty", "Cannot delete model 'Empty', is referenced in method response: //ANY"),
    ] {
        let answer = plane.call("DELETE", &format!("/restapis/{api}/models/{name}"), Value::Null);
        assert_eq!((answer.status, answer.message()), (409, message));
    }
}

#[test]
fn references_are_put_in_their_places_and_never_without_end() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let at = format!("/restapis/{api}/models");
    let reference = |name: &str| format!("https://apigateway.amazonaws.com/restapis/{api}/models/{name}");
    let schema =
        json!({"properties": {"self": {"$ref": reference("Loop")}, "e": {"$ref": reference("Leaf")}}});
    for (name, schema) in [("Leaf", json!({"type": "string"})), ("Loop", schema)] {
        let body = json!({"name": name, "contentType": "application/json", "schema": schema.to_string()});
        plane.ok("POST", &at, body);
    }
    let shown = plane.ok("GET", &format!("{at}/Loop?flatten=true"), Value::Null);
    let flat: Value = serde_json::from_str(shown["schema"].as_str().expect("schema")).expect("JSON");
    assert_eq!(flat["properties"]["e"], json!({"type": "string"}));
    assert_eq!(flat["properties"]["self"]["properties"]["e"], json!({"type": "string"}));
}
