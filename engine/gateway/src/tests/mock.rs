//! `MOCK`: the template's status code selects the response.

use super::*;

fn mock(templates: Vec<(&'static str, &'static str)>, passthrough: Passthrough) -> NodeLink {
    let mut ok = ResponseSpec { status: 200, is_declared: true, ..ResponseSpec::default() };
    ok.parameters.insert("method.response.header.X-Stage".into(), "context.stage".into());
    ok.parameters.insert("method.response.header.X-Lost".into(), "integration.response.header.X".into());
    ok.templates.push(("text/xml".into(), "<ok/>".into()));
    ok.templates.push(("application/json".into(), "{\"ok\":true}".into()));
    let teapot = ResponseSpec {
        selection_pattern: Some("444".into()),
        status: 418,
        is_declared: true,
        ..ResponseSpec::default()
    };
    node(vec![Route {
        method: "ANY",
        path: "/",
        kind: Some(Kind::Mock),
        responses: vec![ok, teapot],
        request_templates: templates,
        passthrough,
        ..Route::default()
    }])
}

const JSON: &str = "application/json";

fn ask_mock(node: &NodeLink, fields: &str) -> (u16, String, String) {
    ask(&Backend::failing(Refusal::client_closed()), node, "POST /", fields)
}

#[test]
fn the_status_code_selects() {
    let (status, fields, body) = ask_mock(&mock(vec![(JSON, "{statusCode: 200}")], Passthrough::Never), "");
    assert_eq!((status, &*body), (200, "{\"ok\":true}"));
    assert_eq!(
        fields,
        "X-Stage: prod\r\nContent-Type: application/json\r\n\
         x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\nx-amz-apigw-id: AAAAAAAAAAAAAAA=\r\n"
    );
    let teapot = mock(vec![(JSON, "{\"statusCode\": 444}")], Passthrough::Never);
    let (status, _, body) = ask_mock(&teapot, "");
    assert_eq!((status, &*body), (418, ""));
}

#[test]
fn accept_chooses_the_body_but_not_its_type() {
    let node = mock(vec![(JSON, "{statusCode: 200}")], Passthrough::Never);
    let (_, fields, body) = ask_mock(&node, "Accept: text/xml\r\n");
    assert_eq!(body, "<ok/>");
    assert_eq!(field(&fields, "Content-Type"), Some("application/json"));
}

#[test]
fn an_unreadable_status_code_is_a_configuration_error() {
    for text in ["{\"statusCode\": \"200\"}", "", "nothing"] {
        let (status, fields, body) = ask_mock(&mock(vec![(JSON, text)], Passthrough::Never), "");
        assert_eq!((status, &*body), (500, INTERNAL), "{text}");
        assert_eq!(field(&fields, "x-amzn-ErrorType"), Some("InternalServerErrorException"));
    }
    // Without any template (field reports; the guide says otherwise).
    assert_eq!(ask_mock(&mock(vec![], Passthrough::WhenNoMatch), "").0, 500);
}

#[test]
fn a_body_of_another_type_is_unsupported() {
    let csv = "Content-Type: text/csv\r\n";
    for (passthrough, status) in
        [(Passthrough::WhenNoMatch, 500), (Passthrough::WhenNoTemplates, 415), (Passthrough::Never, 415)]
    {
        assert_eq!(ask_mock(&mock(vec![(JSON, "{statusCode: 200}")], passthrough), csv).0, status);
    }
    let (_, _, body) = ask_mock(&mock(vec![(JSON, "{statusCode: 200}")], Passthrough::Never), csv);
    assert_eq!(body, r#"{"message": "Unsupported Media Type"}"#);
}
