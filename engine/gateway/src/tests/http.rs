//! `HTTP`: only what is mapped goes on and comes back.

use super::*;

fn response(pattern: Option<&str>, status: u16) -> ResponseSpec {
    let selection_pattern = pattern.map(str::to_owned);
    ResponseSpec { selection_pattern, status, is_declared: true, ..ResponseSpec::default() }
}

fn custom(responses: Vec<ResponseSpec>) -> Route {
    Route {
        method: "ANY",
        path: "/{id}",
        kind: Some(Kind::Http),
        uri: "http://backend/x",
        http_method: "ANY",
        responses,
        ..Route::default()
    }
}

#[test]
fn nothing_of_the_client_goes_on_unmapped() {
    let mut route = custom(vec![response(None, 200)]);
    route.parameters = vec![("integration.request.querystring.q", "method.request.querystring.a")];
    let backend = Backend::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Backend: 1\r\n\r\n");
    let fields = "X-Id: 7\r\nCookie: a\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n";
    let (_, answer, _) = ask(&backend, &node(vec![route]), "POST /1?a=1&b=2", fields);
    assert_eq!(
        backend.call(),
        "POST /x?q=1 HTTP/1.1\r\nHost: backend\r\nContent-Type: text/csv\r\nAccept: application/json\r\n\
         User-Agent: AmazonAPIGateway_abc\r\n\
         X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n\
         X-Amzn-Apigateway-Api-Id: abc\r\n"
    );
    assert_eq!(
        answer,
        "Content-Type: application/json\r\nx-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\n\
         x-amz-apigw-id: AAAAAAAAAAAAAAA=\r\n\
         X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n"
    );
}

#[test]
fn the_status_selects_the_response() {
    let routes = || {
        let mut missing = response(Some("404"), 404);
        missing
            .parameters
            .insert("method.response.header.X-Why".into(), "integration.response.header.X-Why".into());
        missing.templates.push(("application/json".into(), "{\"missing\":true}".into()));
        vec![custom(vec![response(None, 200), missing, response(Some(r"5\d{2}"), 502)])]
    };
    for (backend_status, status, body) in [
        (200, 200, "<upstream None>"),
        (400, 200, "<upstream None>"),
        (404, 404, "{\"missing\":true}"),
        (503, 502, "<upstream None>"),
    ] {
        let head = format!("HTTP/1.1 {backend_status} x\r\nContent-Length: 0\r\nX-Why: gone\r\n\r\n");
        let (found, fields, found_body) = ask(&Backend::answering(&head), &node(routes()), "GET /1", "");
        assert_eq!((found, &*found_body), (status, body));
        assert_eq!(field(&fields, "X-Why"), (status == 404).then_some("gone"));
    }
}

#[test]
fn a_response_that_is_not_there_is_a_configuration_error() {
    let mut undeclared = response(None, 201);
    undeclared.is_declared = false;
    for (responses, log) in [
        (
            vec![],
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200",
        ),
        (
            vec![response(Some("404"), 404)],
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200",
        ),
        (vec![undeclared], "Output mapping refers to an invalid method response: 201"),
    ] {
        let backend = Backend::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let mut exchange = request("GET /1", "");
        let answer = drive(&backend, &node(vec![custom(responses)]), &mut exchange);
        assert_eq!(answer.status, 500);
        let refusal = exchange.refusal.expect("refused");
        assert_eq!(refusal.log, format!("Execution failed due to configuration error: {log}"));
    }
}

#[test]
fn a_body_without_its_content_encoding_is_inflated() {
    let head =
        |coding: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: {coding}\r\n\r\n");
    let unmapped = || vec![custom(vec![response(None, 200)])];
    let mut with_field = response(None, 200);
    let name = "Content-Encoding";
    with_field
        .parameters
        .insert(format!("method.response.header.{name}"), format!("integration.response.header.{name}"));
    let mapped = vec![custom(vec![with_field])];

    let (_, fields, body) = ask(&Backend::answering(&head("gzip")), &node(unmapped()), "GET /1", "");
    assert_eq!((field(&fields, name), &*body), (None, "<upstream Some(Gzip)>"));
    let (_, fields, body) = ask(&Backend::answering(&head("br")), &node(mapped), "GET /1", "");
    assert_eq!((field(&fields, name), &*body), (Some("br"), "<upstream None>"));
    assert_eq!(ask(&Backend::answering(&head("br")), &node(unmapped()), "GET /1", "").0, 500);
    let (status, _, body) = ask(&Backend::answering(&head("br")), &node(unmapped()), "HEAD /1", "");
    assert_eq!((status, &*body), (200, "<upstream None>"));
}

#[test]
fn a_mapped_trace_id_or_type_replaces_ours() {
    let mut one = response(None, 200);
    one.parameters.insert("method.response.header.X-Amzn-Trace-Id".into(), "'mine'".into());
    one.parameters.insert("method.response.header.content-type".into(), "'text/html'".into());
    let backend = Backend::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (_, fields, _) = ask(&backend, &node(vec![custom(vec![one])]), "GET /1", "");
    assert_eq!(fields.matches("Trace-Id").count(), 1);
    assert_eq!(fields.to_lowercase().matches("content-type").count(), 1);
    assert_eq!(field(&fields, "Content-Type"), Some("text/html"));
}
