//! Ten documents of people's kinds: whatever of a source AWS keeps is in its export, compared with the source; and an export
//! is a fixed point (OpenAPI specification, sections 7 and 12).

use serde_json::{Map, Value, json};

use super::Plane;

struct Document {
    name: &'static str,
    text: &'static str,
}

macro_rules! documents {
    ($($name:literal),* $(,)?) => {
        const DOCUMENTS: &[Document] =
            &[$(Document { name: $name, text: include_str!(concat!("documents/", $name)) }),*];
    };
}

documents!(
    "documented.json",
    "lambda_authorizers.json",
    "lambda_proxy.yaml",
    "mock_cors.json",
    "orders_http.yaml",
    "policy.yaml",
    "services.yaml",
    "streaming.yaml",
    "validators.yaml",
    "vpc_link.yaml",
);

/// Members that an export has for a reason of its own.
const OTHERWISE: [&str; 3] = [
    // The stage's.
    "servers",
    // The export has the parts under the version that the stage names.
    "x-amazon-apigateway-documentation",
    // Where there is one for all, every method names it.
    "x-amazon-apigateway-request-validator",
];

fn deployed(plane: &mut Plane, document: &str) -> String {
    let answer = plane.send("POST", "/restapis?mode=import&failonwarnings=true", document.as_bytes());
    let api = answer.body["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    plane.ok("POST", &format!("/restapis/{api}/deployments"), json!({"stageName": "prod"}));
    api
}

fn export(plane: &mut Plane, api: &str, kind: &str) -> Value {
    let target = format!("/restapis/{api}/stages/prod/exports/{kind}?extensions=apigateway");
    plane.ok("GET", &target, Value::Null)
}

/// Says where an export lacks something of the source, or has it otherwise.
fn lacks(source: &Value, export: &Value, at: &str, found: &mut Vec<String>) {
    match (source, export) {
        (Value::Object(wanted), Value::Object(there)) => {
            // Only JSON models can be exported.
            let is_exported = |name: &str| {
                !OTHERWISE.contains(&name) && (!at.ends_with("/content") || name == "application/json")
            };
            for (name, value) in wanted.iter().filter(|(name, _)| is_exported(name)) {
                match there.get(name) {
                    Some(other) => lacks(value, other, &format!("{at}/{name}"), found),
                    None => found.push(format!("{at}/{name} isn't there")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(there)) if at.ends_with("/parameters") => {
            let key = |value: &Value| (value["in"].to_string(), value["name"].to_string());
            for one in wanted {
                match there.iter().find(|other| key(other) == key(one)) {
                    Some(other) => lacks(one, other, &format!("{at}/{}", one["name"]), found),
                    None => found.push(format!("{at}/{} isn't there", one["name"])),
                }
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            for (index, (one, other)) in wanted.iter().zip(there).enumerate() {
                lacks(one, other, &format!("{at}/{index}"), found);
            }
        }
        // An empty template is null in answers and exports.
        (Value::String(text), Value::Null) if text.is_empty() => {}
        (one, other) if one == other => {}
        (one, other) => found.push(format!("{at} is {other} for {one}")),
    }
}

#[test]
fn exports_keep_what_their_sources_say() {
    let mut all = Vec::new();
    for Document { name, text } in DOCUMENTS {
        let source = openapi::value(text).expect("a document");
        let kind = if source.get("swagger").is_some() { "swagger" } else { "oas30" };
        let mut plane = Plane::new();
        let api = deployed(&mut plane, text);
        let export = export(&mut plane, &api, kind);
        lacks(&source, &export, name, &mut all);
        let verbs = |document: &Value| -> Vec<String> {
            let paths = document["paths"].as_object().cloned().unwrap_or_default();
            let of = |(path, item): (String, Value)| {
                let verbs: Map<String, Value> = item.as_object().cloned().unwrap_or_default();
                verbs.into_iter().map(move |(verb, _)| format!("{verb} {path}")).collect::<Vec<_>>()
            };
            let mut verbs: Vec<String> = paths.into_iter().flat_map(of).collect();
            verbs.sort();
            verbs
        };
        assert_eq!(verbs(&source), verbs(&export), "{name}: no method more");
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn exports_are_fixed_points() {
    for Document { name, text } in DOCUMENTS {
        for kind in ["oas30", "swagger"] {
            let mut plane = Plane::new();
            let first = deployed(&mut plane, text);
            let one = export(&mut plane, &first, kind);
            let second = deployed(&mut plane, &one.to_string());
            let two = export(&mut plane, &second, kind).to_string().replace(&second, &first);
            assert_eq!(two, one.to_string(), "{name} as {kind}");
            let third = deployed(&mut plane, &openapi::to_yaml(&one));
            let three = export(&mut plane, &third, kind).to_string().replace(&third, &first);
            assert_eq!(three, one.to_string(), "{name} as {kind} in YAML");
        }
    }
}

#[test]
fn documentation_comes_back_once_it_is_published() {
    let text = DOCUMENTS.iter().find(|document| document.name == "documented.json").expect("there").text;
    let source: Value = serde_json::from_str(text).expect("JSON");
    let mut plane = Plane::new();
    let api = deployed(&mut plane, text);
    let parts = |document: &Value| -> Vec<String> {
        let listed = &document["x-amazon-apigateway-documentation"]["documentationParts"];
        let mut parts: Vec<String> =
            listed.as_array().into_iter().flatten().map(|part| sorted(part).to_string()).collect();
        parts.sort();
        parts
    };
    assert!(parts(&export(&mut plane, &api, "swagger")).is_empty());
    let versions = plane.ok("GET", &format!("/restapis/{api}/documentation/versions"), Value::Null);
    if versions["item"].as_array().is_none_or(Vec::is_empty) {
        let version = json!({"documentationVersion": "9"});
        plane.ok("POST", &format!("/restapis/{api}/documentation/versions"), version);
    }
    let patch =
        json!({"patchOperations": [{"op": "replace", "path": "/documentationVersion", "value": "9"}]});
    plane.ok("PATCH", &format!("/restapis/{api}/stages/prod"), patch);
    let exported = export(&mut plane, &api, "swagger");
    assert_eq!(parts(&exported), parts(&source), "{exported:#}");
}

fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}
