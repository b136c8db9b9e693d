//! Import of documents (OpenAPI specification, sections 1 to 5, 9 and 12; control-plane specification, section 6.2).

use serde_json::{Value, json};

use super::{Answer, Plane};

fn import(plane: &mut Plane, query: &str, document: &str) -> Answer {
    plane.send("POST", &format!("/restapis?mode=import{query}"), document.as_bytes())
}

/// Paths of an API's resources.
fn paths(plane: &mut Plane, api: &str) -> Vec<String> {
    let list = plane.ok("GET", &format!("/restapis/{api}/resources?limit=500"), Value::Null);
    let items = list["item"].as_array().expect("list").iter();
    items.map(|resource| resource["path"].as_str().expect("path").to_owned()).collect()
}

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// A method of an API, whole.
fn method(plane: &mut Plane, api: &str, path: &str, verb: &str) -> Value {
    let list = plane.ok("GET", &format!("/restapis/{api}/resources?embed=methods&limit=500"), Value::Null);
    let items = list["item"].as_array().expect("list").iter();
    let mut found = items.filter(|resource| resource["path"] == path);
    found.next().expect(path)["resourceMethods"][verb].clone()
}

const SECURED: &str = r#"
openapi: 3.0.1
info: {title: Pets, version: "1.0", description: about}
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
x-amazon-apigateway-request-validator: all
x-amazon-apigateway-binary-media-types: [image/png]
x-amazon-apigateway-minimum-compression-size: 100
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 420, responseParameters: {gatewayresponse.header.X: "'y'"}}}
security: [{function: []}]
paths:
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{$ref: '#/components/parameters/q'}]
      responses: {200: {description: ok, headers: {X-A: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
      x-amazon-apigateway-integration:
        type: AWS_PROXY
        httpMethod: POST
        uri: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/f/invocations
    post:
      security: []
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      x-amazon-apigateway-integration: {type: mock}
    delete:
      security: [{key: []}, ]
      x-amazon-apigateway-integration: {type: mock}
components:
  parameters: {q: {name: q, in: query, required: true}}
  schemas:
    Pet: {type: object, example: {a: 1}, properties: {friend: {$ref: '#/components/schemas/Pet'}}}
  securitySchemes:
    key: {type: apiKey, name: X-Api-Key, in: header}
    function:
      type: apiKey
      name: X-Token
      in: header
      x-amazon-apigateway-authtype: custom
      x-amazon-apigateway-authorizer: {type: token, authorizerUri: "arn:aws:apigateway:us-east-1:lambda:path/f"}
"#;

#[test]
fn a_document_becomes_every_entity() {
    let mut plane = Plane::new();
    let answer = import(&mut plane, "", SECURED);
    let api = id(&answer);
    assert_eq!((answer.status, answer.body.get("warnings"), answer.body.get("tags")), (201, None, None));
    assert_eq!(
        (
            &answer.body["name"],
            &answer.body["version"],
            &answer.body["binaryMediaTypes"],
            &answer.body["minimumCompressionSize"]
        ),
        (&json!("Pets"), &json!("1.0"), &json!(["image/png"]), &json!(100))
    );
    assert_eq!(paths(&mut plane, &api), ["/", "/pets", "/pets/{id}"]);
    let authorizers = plane.ok("GET", &format!("/restapis/{api}/authorizers"), Value::Null);
    let authorizer = &authorizers["item"][0];
    assert_eq!(
        (&authorizer["name"], &authorizer["identitySource"], &authorizer["authorizerResultTtlInSeconds"]),
        (&json!("function"), &json!("method.request.header.X-Token"), &json!(300))
    );
    let validators = plane.ok("GET", &format!("/restapis/{api}/requestvalidators"), Value::Null);
    let get = method(&mut plane, &api, "/pets/{id}", "GET");
    assert_eq!(
        (&get["authorizationType"], &get["authorizerId"], &get["requestValidatorId"], &get["operationName"]),
        (&json!("CUSTOM"), &authorizer["id"], &validators["item"][0]["id"], &json!("getPet"))
    );
    assert_eq!(
        get["requestParameters"],
        json!({"method.request.path.id": true, "method.request.querystring.q": true})
    );
    assert_eq!(
        get["methodResponses"]["200"],
        json!({"statusCode": "200", "responseParameters": {"method.response.header.X-A": false},
            "responseModels": {"application/json": "Pet"}})
    );
    assert_eq!(
        get["methodIntegration"]["uri"],
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations"
    );
    let post = method(&mut plane, &api, "/pets/{id}", "POST");
    assert_eq!(
        (&post["authorizationType"], &post["requestModels"]),
        (&json!("NONE"), &json!({"application/json": "Pet"}))
    );
    let delete = method(&mut plane, &api, "/pets/{id}", "DELETE");
    assert_eq!((&delete["apiKeyRequired"], &delete["authorizationType"]), (&json!(true), &json!("NONE")));
    let model = plane.ok("GET", &format!("/restapis/{api}/models/Pet"), Value::Null);
    let reference = format!("https://apigateway.amazonaws.com/restapis/{api}/models/Pet");
    let schema: Value = serde_json::from_str(model["schema"].as_str().expect("schema")).expect("JSON");
    assert_eq!(schema, json!({"type": "object", "properties": {"friend": {"$ref": reference}}}));
    // An import has no default models.
    assert_eq!(
        plane.ok("GET", &format!("/restapis/{api}/models"), Value::Null)["item"].as_array().map(Vec::len),
        Some(1)
    );
    let response = plane.ok("GET", &format!("/restapis/{api}/gatewayresponses/THROTTLED"), Value::Null);
    assert_eq!((&response["statusCode"], &response["defaultResponse"]), (&json!("420"), &json!(false)));
}

#[test]
fn base_paths_are_ignored_prepended_split() {
    let mut plane = Plane::new();
    let swagger =
        r#"{"swagger": "2.0", "info": {"title": "a"}, "basePath": "/a/b/c", "paths": {"/e": {}, "/f": {}}}"#;
    let url = r#"{"openapi": "3.0.1", "info": {"title": "a"}, "servers": [{"url": "https://h/a/b/c/"}], "paths": {"/e": {}, "/f": {}}}"#;
    for document in [swagger, url] {
        for (query, expected) in [
            ("", vec!["/", "/e", "/f"]),
            ("&basepath=ignore", vec!["/", "/e", "/f"]),
            ("&basepath=prepend", vec!["/", "/a", "/a/b", "/a/b/c", "/a/b/c/e", "/a/b/c/f"]),
            ("&basepath=split", vec!["/", "/b", "/b/c", "/b/c/e", "/b/c/f"]),
        ] {
            let api = id(&import(&mut plane, query, document));
            assert_eq!(paths(&mut plane, &api), expected, "{query}");
        }
    }
    assert_eq!(import(&mut plane, "&basepath=wrong", swagger).status, 400);
}

#[test]
fn problems_are_told_in_aws_words() {
    let mut plane = Plane::new();
    for document in ["", "{", "a: b", "{\"openapi\": \"3.1.0\", \"paths\": {}}"] {
        let answer = import(&mut plane, "", document);
        assert_eq!((answer.status, answer.message()), (400, "Invalid OpenAPI input."), "{document}");
    }
    let warned = r#"{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/test": {"get": {"x-amazon-apigateway-integration":
        {"type": "http", "httpMethod": "GET", "uri": "http://a", "requestParameters": {"integration.request.header.nothing": true}}}}}}"#;
    let text = "Invalid format for 'requestParameters'. Expected type string for property \
                'integration.request.header.nothing' of resource '/test' and method 'GET' but got 'true'";
    let loose = import(&mut plane, "", warned);
    assert_eq!((loose.status, &loose.body["warnings"]), (201, &json!([text])));
    let strict = import(&mut plane, "&failonwarnings=true", warned);
    assert_eq!(
        (strict.status, strict.message()),
        (400, &*format!("Warnings found during import:\n\t{text}"))
    );
    let wrong = r#"{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/": {"x-amazon-apigateway-any-method":
        {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": "nonsense"}}}}}"#;
    let refused = import(&mut plane, "", wrong);
    assert_eq!(
        refused.message(),
        "Errors found during import:\n\tUnable to put integration on 'ANY' for resource at path '/': Invalid function ARN or \
         invalid uri"
    );
    // What is refused leaves nothing behind.
    assert_eq!(plane.ok("GET", "/restapis", Value::Null)["item"].as_array().map(Vec::len), Some(1));
}

#[test]
fn put_merges_or_overwrites_and_keeps_ids() {
    let document = |paths: &str, types: &str| {
        format!(
            r#"{{"openapi": "3.0.1", "info": {{"title": "renamed", "version": "2"}}, "paths": {{{paths}}},
            "x-amazon-apigateway-binary-media-types": [{types}]}}"#
        )
    };
    let mock = r#"{"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}"#;
    for (mode, paths_after, types) in [
        ("merge", vec!["/", "/a", "/b"], json!(["image/gif", "image/png"])),
        ("overwrite", vec!["/", "/b"], json!(["image/png"])),
    ] {
        let mut plane = Plane::new();
        let first = document(&format!(r#""/a": {mock}, "/b": {mock}"#), "\"image/gif\"");
        let api = id(&import(&mut plane, "&endpointConfigurationTypes=REGIONAL", &first));
        let before = plane.ok("GET", &format!("/restapis/{api}/resources"), Value::Null);
        let body = document(r#""/b": {}"#, "\"image/png\"");
        let answer = plane.send("PUT", &format!("/restapis/{api}?mode={mode}"), body.as_bytes());
        assert_eq!(
            (answer.status, &answer.body["name"], &answer.body["binaryMediaTypes"]),
            (200, &json!("renamed"), &types)
        );
        assert_eq!(answer.body["endpointConfiguration"]["types"], json!(["REGIONAL"]));
        assert_eq!(paths(&mut plane, &api), paths_after, "{mode}");
        let after = plane.ok("GET", &format!("/restapis/{api}/resources"), Value::Null);
        let id_of = |list: &Value, path: &str| {
            let items = list["item"].as_array().expect("list").iter();
            items.filter(|one| one["path"] == path).map(|one| one["id"].clone()).next()
        };
        assert_eq!((id_of(&before, "/"), id_of(&before, "/b")), (id_of(&after, "/"), id_of(&after, "/b")));
        let kept = plane.call("GET", &format!("/restapis/{api}/resources"), Value::Null);
        let b = kept.body["item"]
            .as_array()
            .expect("list")
            .iter()
            .find(|one| one["path"] == "/b")
            .expect("b")
            .clone();
        assert_eq!(b.get("resourceMethods").is_some(), mode == "merge");
    }
    let mut plane = Plane::new();
    assert_eq!(plane.send("PUT", "/restapis/nope?mode=merge", b"{}").status, 404);
}

#[test]
fn documentation_comes_from_descriptions_and_lists() {
    let mut plane = Plane::new();
    let api = id(&import(&mut plane, "", SECURED));
    let parts = format!("/restapis/{api}/documentation/parts");
    let list = plane.ok("GET", &format!("{parts}?type=API"), Value::Null);
    assert_eq!(
        (&list["item"][0]["location"], &list["item"][0]["properties"]),
        (&json!({"type": "API"}), &json!("{\"info\":{\"description\":\"about\"}}"))
    );
    let ignored = id(&import(&mut plane, "&ignore=documentation", SECURED));
    assert_eq!(
        plane.ok("GET", &format!("/restapis/{ignored}/documentation/parts"), Value::Null)["item"],
        json!([])
    );
    let body = br#"{"documentationParts": [{"location": {"type": "RESOURCE", "path": "/x"}, "properties": {"description": "d"}}]}"#;
    let merged = plane.send("PUT", &format!("{parts}?mode=merge"), body);
    assert_eq!((merged.status, merged.body["ids"].as_array().map(Vec::len)), (200, Some(1)));
    let count = |plane: &mut Plane| {
        plane.ok("GET", &format!("{parts}?limit=500"), Value::Null)["item"].as_array().map(Vec::len)
    };
    assert!(count(&mut plane) > Some(1));
    let again = plane.send("PUT", &format!("{parts}?mode=overwrite"), body);
    assert_eq!(again.body["ids"], merged.body["ids"]);
    assert_eq!(count(&mut plane), Some(1));
    let refused = plane.send("PUT", &format!("{parts}?mode=merge"), b"nonsense");
    assert_eq!((refused.status, refused.message()), (400, "Unable to build importer with provided input."));
}
