//! Exports: shapes, headers, and that an import of an export is the same (OpenAPI specification, sections 7 and 12).

use serde_json::{Value, json};

use super::Plane;

/// Imports a document and deploys it to `prod`; gives the API.
fn deployed(plane: &mut Plane, document: &str) -> String {
    let answer = plane.send("POST", "/restapis?mode=import", document.as_bytes());
    let api = answer.body["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    plane.ok("POST", &format!("/restapis/{api}/deployments"), json!({"stageName": "prod"}));
    api
}

fn export(plane: &mut Plane, api: &str, kind: &str, extensions: &str) -> Value {
    let target = format!("/restapis/{api}/stages/prod/exports/{kind}?extensions={extensions}");
    plane.ok("GET", &target, Value::Null)
}

const PETS: &str = r##"{"swagger": "2.0", "info": {"title": "Pets", "version": "1.0.0"}, "paths": {"/pets/{petId}": {"get": {
    "parameters": [{"name": "petId", "in": "path", "required": true, "type": "string"}, {"name": "X-A", "in": "header"}],
    "responses": {"200": {"description": "ok", "headers": {"X-B": {"type": "string"}}, "schema": {"$ref": "#/definitions/Pet"}}},
    "x-amazon-apigateway-integration": {"type": "http", "httpMethod": "GET", "uri": "http://backend/{id}",
        "responses": {"default": {"statusCode": "200"}}, "requestParameters": {"integration.request.path.id": "method.request.path.petId"}}}}},
    "definitions": {"Pet": {"type": "object", "properties": {"friend": {"$ref": "#/definitions/Pet"}}}},
    "x-amazon-apigateway-binary-media-types": ["image/png", "image/jpg"]}"##;

#[test]
fn both_forms_have_their_recorded_shapes() {
    let mut plane = Plane::new();
    let api = deployed(&mut plane, PETS);
    let integration = json!({
        "type": "http", "httpMethod": "GET", "uri": "http://backend/{id}", "responses": {"default": {"statusCode": "200"}},
        "requestParameters": {"integration.request.path.id": "method.request.path.petId"},
        "passthroughBehavior": "when_no_match",
    });
    let host = format!("{api}.execute-api.us-east-1.amazonaws.com");
    let swagger = export(&mut plane, &api, "swagger", "apigateway");
    assert_eq!(
        swagger,
        json!({
            "swagger": "2.0", "info": {"version": "1.0.0", "title": "Pets"}, "host": host, "basePath": "/prod",
            "schemes": ["https"],
            "paths": {"/pets/{petId}": {"get": {
                "produces": ["application/json"],
                "parameters": [
                    {"name": "X-A", "in": "header", "required": false, "type": "string"},
                    {"name": "petId", "in": "path", "required": true, "type": "string"},
                ],
                "responses": {"200": {"description": "200 response", "schema": {"$ref": "#/definitions/Pet"},
                    "headers": {"X-B": {"type": "string"}}}},
                "x-amazon-apigateway-integration": integration,
            }}},
            "definitions": {"Pet": {"type": "object", "properties": {"friend": {"$ref": "#/definitions/Pet"}}}},
            "x-amazon-apigateway-binary-media-types": ["image/png", "image/jpg"],
        })
    );
    let oas30 = export(&mut plane, &api, "oas30", "");
    assert_eq!(
        oas30,
        json!({
            "openapi": "3.0.1", "info": {"title": "Pets", "version": "1.0.0"},
            "servers": [{"url": format!("https://{host}/{{basePath}}"), "variables": {"basePath": {"default": "prod"}}}],
            "paths": {"/pets/{petId}": {"get": {
                "parameters": [
                    {"name": "X-A", "in": "header", "schema": {"type": "string"}},
                    {"name": "petId", "in": "path", "required": true, "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "200 response", "headers": {"X-B": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}},
            }}},
            "components": {"schemas": {"Pet": {"type": "object", "properties": {"friend": {"$ref": "#/components/schemas/Pet"}}}}},
        })
    );
}

#[test]
fn exports_come_as_files() {
    let mut plane = Plane::new();
    let api = deployed(&mut plane, PETS);
    let mut ask = |kind: &str, accept: &'static str| {
        let path = format!("/restapis/{api}/stages/prod/exports/{kind}");
        let request = crate::Request {
            data_plane: "",
            method: "GET",
            path: &path,
            query: "",
            accept,
            body: b"",
            region: "us-east-1",
            now: plane.now,
        };
        let crate::Outcome::Done(done) = plane.control.handle(&request, &mut plane.node) else {
            panic!("done")
        };
        done.response
    };
    for (kind, accept, disposition) in [
        ("oas30", "application/json", "attachment; filename=\"oas30_1.0.0.json\""),
        ("swagger", "application/yaml", "attachment; filename=\"swagger_1.0.0.yaml\""),
    ] {
        let response = ask(kind, accept);
        let header = |name: &str| {
            let found = response.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(header("Content-Type").as_deref(), Some("application/octet-stream"));
        assert_eq!(header("Content-Disposition").as_deref(), Some(disposition));
    }
    assert_eq!(ask("wrong", "").status, 400);
    assert_eq!(ask("oas30", "text/html").status, 400);
}

/// All of an API that has no id in it: its things by their names, references by names.
fn entities(plane: &mut Plane, api: &str, first: &str) -> Value {
    let resources =
        plane.ok("GET", &format!("/restapis/{api}/resources?embed=methods&limit=500"), Value::Null);
    let authorizers = plane.ok("GET", &format!("/restapis/{api}/authorizers?limit=500"), Value::Null);
    let validators = plane.ok("GET", &format!("/restapis/{api}/requestvalidators?limit=500"), Value::Null);
    let models = plane.ok("GET", &format!("/restapis/{api}/models?limit=500"), Value::Null);
    let responses = plane.ok("GET", &format!("/restapis/{api}/gatewayresponses?limit=500"), Value::Null);
    let mut own = plane.ok("GET", &format!("/restapis/{api}"), Value::Null);
    for name in ["id", "rootResourceId", "createdDate", "version", "endpointConfiguration", "tags"] {
        own.as_object_mut().expect("object").remove(name);
    }
    let mut text = json!([own, resources, authorizers, validators, models, responses]).to_string();
    // Ids give way to what they stand for.
    // A policy keeps the ARN that it was written out with.
    text = text.replace(api, "API").replace(first, "API");
    for list in [&resources["item"], &authorizers["item"], &validators["item"], &models["item"]] {
        for item in list.as_array().into_iter().flatten() {
            let name =
                item.get("path").or_else(|| item.get("name")).and_then(Value::as_str).unwrap_or_default();
            text = text.replace(
                &format!("\"{}\"", item["id"].as_str().expect("id")),
                &Value::from(name).to_string(),
            );
        }
    }
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    sort(&mut value);
    value
}

/// Lists whose order comes from ids are put in the order of their texts.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_key(Value::to_string);
        }
        Value::Object(members) => {
            members.values_mut().for_each(sort);
            members.sort_keys();
        }
        _ => {}
    }
}

const RICH: &str = r#"
openapi: 3.0.1
info: {title: Rich, version: "3", description: all of it}
x-amazon-apigateway-request-validators:
  all: {validateRequestBody: true, validateRequestParameters: true}
  none: {validateRequestBody: false, validateRequestParameters: false}
x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-minimum-compression-size: 1024
x-amazon-apigateway-binary-media-types: ['*/*']
x-amazon-apigateway-policy: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}]}
x-amazon-apigateway-gateway-responses:
  DEFAULT_4XX: {responseParameters: {gatewayresponse.header.X: "'y'"}, responseTemplates: {application/json: '{"m": $context.error.messageString}'}}
  UNAUTHORIZED: {statusCode: 499}
paths:
  /: {x-amazon-apigateway-any-method: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: 'http://${stageVariables.host}/', tlsConfig: {insecureSkipVerification: true}}}}
  /things/{id}:
    get:
      operationId: getThing
      security: [{lambda: []}, {key: []}]
      x-amazon-apigateway-request-validator: all
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: q, in: query, schema: {type: string}}
      responses:
        200: {description: ok, headers: {X-A: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        404: {description: gone}
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: arn:aws:apigateway:us-east-1:sqs:path/000000000000/q
        credentials: arn:aws:iam::000000000000:role/r
        passthroughBehavior: never
        timeoutInMillis: 5000
        contentHandling: CONVERT_TO_TEXT
        cacheNamespace: ns
        cacheKeyParameters: [method.request.path.id]
        requestParameters: {integration.request.querystring.x: method.request.querystring.q, integration.request.header.y: "'static'"}
        requestTemplates: {application/json: "Action=SendMessage"}
        responses:
          default: {statusCode: 200, responseParameters: {method.response.header.X-A: integration.response.header.x}}
          '4\d{2}': {statusCode: 404, responseTemplates: {application/json: '{"gone": true}', text/plain: ''}, contentHandling: CONVERT_TO_BINARY}
    post:
      security: [{pool: [a/read, a/write]}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      x-amazon-apigateway-integration: {type: http, httpMethod: POST, uri: 'https://backend/', connectionType: VPC_LINK, connectionId: link1}
    put:
      security: [{signed: []}]
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations', responseTransferMode: STREAM}
  /files/{proxy+}:
    x-amazon-apigateway-any-method:
      security: [{token: []}]
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: 200}}}
components:
  schemas:
    Thing: {type: object, required: [name], properties: {name: {type: string}, parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
  securitySchemes:
    key: {type: apiKey, name: x-api-key, in: header}
    signed: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}
    lambda:
      type: apiKey
      name: Unused
      in: header
      x-amazon-apigateway-authtype: custom
      x-amazon-apigateway-authorizer: {type: request, identitySource: 'method.request.header.A, method.request.querystring.b', authorizerResultTtlInSeconds: 60, authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/f', authorizerCredentials: 'arn:aws:iam::1:role/r'}
    token:
      type: apiKey
      name: X-Token
      in: header
      x-amazon-apigateway-authtype: oauth2
      x-amazon-apigateway-authorizer: {type: token, identityValidationExpression: '^x', authorizerResultTtlInSeconds: 0, authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/g'}
    pool:
      type: apiKey
      name: Authorization
      in: header
      x-amazon-apigateway-authtype: cognito_user_pools
      x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: ['arn:aws:cognito-idp:us-east-1:1:userpool/p']}
"#;

#[test]
fn an_import_of_an_export_is_the_same() {
    for document in [PETS, RICH] {
        for kind in ["oas30", "swagger"] {
            let mut plane = Plane::new();
            let first = deployed(&mut plane, document);
            let text = export(&mut plane, &first, kind, "apigateway");
            let second = deployed(&mut plane, &text.to_string());
            assert_eq!(
                entities(&mut plane, &first, &first),
                entities(&mut plane, &second, &first),
                "{kind}: {text:#}"
            );
            // And the export of that is the same text, ids aside.
            let again = export(&mut plane, &second, kind, "apigateway").to_string().replace(&second, &first);
            assert_eq!(again, text.to_string(), "{kind}");
            let yaml = openapi::to_yaml(&text);
            let third = deployed(&mut plane, &yaml);
            assert_eq!(
                entities(&mut plane, &first, &first),
                entities(&mut plane, &third, &first),
                "{kind}: {yaml}"
            );
        }
    }
}
