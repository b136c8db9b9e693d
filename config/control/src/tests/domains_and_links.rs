//! Domain names, base path mappings, VPC links, client certificates, documentation (control-plane specification, sections
//! 3 to 6; management specification, sections 1 and 8 to 10).

use serde_json::{Value, json};

use super::Plane;

#[test]
fn domains_are_shown_by_their_kind() {
    let mut plane = Plane::new();
    let arn = "arn:aws:acm:us-east-1:1:certificate/c";
    let body = json!({"domainName": "API.example.com", "regionalCertificateArn": arn,
        "endpointConfiguration": {"types": ["REGIONAL"]}});
    let made = plane.ok("POST", "/domainnames", body);
    let target = made["regionalDomainName"].as_str().expect("target").to_owned();
    assert!(target.starts_with("d-") && target.ends_with(".execute-api.us-east-1.amazonaws.com"), "{target}");
    assert_eq!(
        made,
        json!({
            "domainName": "api.example.com", "regionalDomainName": target, "regionalHostedZoneId": "Z1UJRXOUMOOFQ8",
            "regionalCertificateArn": arn, "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
            "domainNameStatus": "AVAILABLE", "securityPolicy": "TLS_1_2", "routingMode": "BASE_PATH_MAPPING_ONLY",
        })
    );
    let (body, key) =
        ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----\nhush");
    let uploaded = json!({"domainName": "edge.example.com", "certificateName": "c", "certificateBody": body,
        "certificatePrivateKey": key});
    let edge = plane.ok("POST", "/domainnames", uploaded);
    assert_eq!(
        (&edge["distributionHostedZoneId"], &edge["certificateUploadDate"]),
        (&json!("Z2FDTNDATAQYW2"), &json!(1_700_000_000))
    );
    assert!(!edge.to_string().contains("hush"));
    let dot = plane.call("POST", "/domainnames", json!({"domainName": "a.example.com."}));
    assert_eq!((dot.status, dot.message()), (400, "Trailing period should be omitted from domain name"));
    assert_eq!(plane.call("POST", "/domainnames", json!({"domainName": "edge.example.com"})).status, 409);
    let at = "/domainnames/api.example.com";
    let patched = plane.patch(
        at,
        &[
            ("replace", "/securityPolicy", "TLS_1_0"),
            ("add", "/mutualTlsAuthentication/truststoreUri", "s3://b/k"),
        ],
    );
    assert_eq!(
        (&patched.body["securityPolicy"], &patched.body["mutualTlsAuthentication"], &patched.body["tags"]),
        (&json!("TLS_1_0"), &json!({"truststoreUri": "s3://b/k"}), &json!({}))
    );
    assert_eq!(plane.patch(at, &[("replace", "/x", "")]).message(), "Invalid patch path /x");
    assert_eq!(plane.call("DELETE", at, Value::Null).status, 202);
    let gone = plane.call("GET", at, Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid domain name identifier specified"));
}

#[test]
fn mappings_lead_to_apis_and_hold_them() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    plane.ok("POST", "/domainnames", json!({"domainName": "a.example.com"}));
    let at = "/domainnames/a.example.com/basepathmappings";
    assert_eq!(
        plane.ok("POST", at, json!({"restApiId": api})),
        json!({"basePath": "(none)", "restApiId": api})
    );
    let again = plane.call("POST", at, json!({"restApiId": api, "basePath": "(none)"}));
    assert_eq!((again.status, again.message()), (409, "Base path already exists for this domain name"));
    let slash = plane.call("POST", at, json!({"restApiId": api, "basePath": "a/b"}));
    assert!(
        slash.message().starts_with("API Gateway V1 doesn't support the slash character (/)"),
        "{slash:?}"
    );
    assert_eq!(plane.call("POST", at, json!({"restApiId": "nope", "basePath": "x"})).status, 400);
    assert_eq!(
        plane.call("POST", at, json!({"restApiId": api, "basePath": "x", "stage": "nope"})).status,
        400
    );
    assert_eq!(plane.ok("GET", &format!("{at}/%28none%29"), Value::Null)["restApiId"], json!(api));
    let moved = plane.patch(&format!("{at}/%28none%29"), &[("replace", "/basePath", "v1")]);
    assert_eq!(moved.body, json!({"basePath": "v1", "restApiId": api}));
    assert_eq!(plane.ok("GET", at, Value::Null)["item"], json!([{"basePath": "v1", "restApiId": api}]));
    assert_eq!(plane.call("DELETE", &format!("/restapis/{api}"), Value::Null).status, 400);
    assert_eq!(plane.call("DELETE", &format!("{at}/v1"), Value::Null).status, 202);
    let gone = plane.call("GET", &format!("{at}/v1"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid base path mapping identifier specified"));
    assert_eq!(plane.call("DELETE", &format!("/restapis/{api}"), Value::Null).status, 202);
}

#[test]
fn links_are_pending_once() {
    let mut plane = Plane::new();
    let arn = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/n/1";
    let made = plane.call("POST", "/vpclinks", json!({"name": "l", "targetArns": [arn]}));
    let id = made.body["id"].as_str().expect("id").to_owned();
    let mut expected = json!({"id": id, "name": "l", "targetArns": [arn], "status": "PENDING"});
    assert_eq!((made.status, made.body), (202, expected.clone()));
    expected["status"] = json!("AVAILABLE");
    expected["statusMessage"] = json!("Your vpc link is ready for use");
    expected["tags"] = json!({});
    assert_eq!(plane.ok("GET", &format!("/vpclinks/{id}"), Value::Null), expected);
    for (body, message) in [
        (json!({"name": "", "targetArns": [arn]}), "Name cannot be empty"),
        (json!({"name": "l", "targetArns": ["wrong"]}), "Invalid ARN. ARN is not well formed wrong"),
    ] {
        let answer = plane.call("POST", "/vpclinks", body);
        assert_eq!((answer.status, answer.message()), (400, message));
    }
    assert_eq!(plane.patch(&format!("/vpclinks/{id}"), &[("replace", "/name", "m")]).body["name"], "m");
    let (api, root) = plane.api();
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    plane.ok("PUT", &method, json!({"authorizationType": "NONE"}));
    let body = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://a", "connectionType": "VPC_LINK", "connectionId": id});
    plane.ok("PUT", &format!("{method}/integration"), body);
    assert_eq!(plane.call("DELETE", &format!("/vpclinks/{id}"), Value::Null).status, 400);
    plane.call("DELETE", &method, Value::Null);
    assert_eq!(plane.call("DELETE", &format!("/vpclinks/{id}"), Value::Null).status, 202);
    let gone = plane.call("GET", &format!("/vpclinks/{id}"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Vpc Link identifier specified"));
}

#[test]
fn client_certificates_never_show_their_keys() {
    let mut plane = Plane::new();
    let made = plane.ok("POST", "/clientcertificates", json!({"description": "d"}));
    let id = made["clientCertificateId"].as_str().expect("id").to_owned();
    assert_eq!(
        made,
        json!({"clientCertificateId": id, "description": "d", "pemEncodedCertificate": "PEM",
            "createdDate": 1_700_000_000, "expirationDate": 1_700_000_000 + 365 * 86_400})
    );
    let at = format!("/clientcertificates/{id}");
    assert_eq!(plane.patch(&at, &[("replace", "/description", "e")]).body["description"], "e");
    assert_eq!(plane.ok("GET", "/clientcertificates", Value::Null)["item"].as_array().map(Vec::len), Some(1));
    assert_eq!(plane.call("DELETE", &at, Value::Null).status, 202);
    assert_eq!(plane.call("GET", &at, Value::Null).status, 404);
}

#[test]
fn documentation_is_frozen_by_versions() {
    let mut plane = Plane::new();
    let (api, _) = plane.api();
    let parts = format!("/restapis/{api}/documentation/parts");
    let location = json!({"type": "METHOD", "path": "/", "method": "GET"});
    let body = json!({"location": location, "properties": "{\"description\": \"d\"}"});
    let part = plane.ok("POST", &parts, body.clone());
    let id = part["id"].as_str().expect("id").to_owned();
    assert_eq!(part, json!({"id": id, "location": location, "properties": "{\"description\": \"d\"}"}));
    assert_eq!(plane.call("POST", &parts, body).status, 409);
    let wrong = plane.call("POST", &parts, json!({"location": {"type": "X"}, "properties": "{}"}));
    assert!(wrong.message().contains("at 'createDocumentationPartInput.location.type' failed to satisfy constraint: Member must satisfy enum value set: [RESPONSE_BODY, RESPONSE, METHOD, "), "{wrong:?}");
    assert_eq!(
        plane.patch(&format!("{parts}/{id}"), &[("replace", "/properties", "{}")]).body["properties"],
        "{}"
    );
    assert_eq!(
        plane.patch(&format!("{parts}/{id}"), &[("replace", "/x", "{}")]).message(),
        "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/properties]"
    );
    let versions = format!("/restapis/{api}/documentation/versions");
    let made = plane.ok("POST", &versions, json!({"documentationVersion": "1.0"}));
    assert_eq!(made, json!({"version": "1.0", "createdDate": 1_700_000_000}));
    assert_eq!(plane.call("DELETE", &format!("{parts}/{id}"), Value::Null).status, 202);
    let gone = plane.call("GET", &format!("{parts}/{id}"), Value::Null);
    assert_eq!((gone.status, gone.message()), (404, "Invalid Documentation part identifier specified"));
    assert_eq!(plane.ok("GET", &versions, Value::Null)["item"].as_array().map(Vec::len), Some(1));
    assert_eq!(plane.call("DELETE", &format!("{versions}/1.0"), Value::Null).status, 202);
    assert_eq!(plane.call("GET", "/domainnameaccessassociations", Value::Null).status, 400);
}
