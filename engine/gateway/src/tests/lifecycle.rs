//! The order of steps, and refusals to the byte.

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn limited(rate_per_s: f64, burst: u64) -> NodeLink {
    let rate = Some(Rate { rate_per_s, burst });
    node(vec![Route { method: "GET", rate, ..proxy("/limited", "http://backend/") }])
}

#[test]
fn an_unknown_path_and_a_wrong_method_are_one_answer() {
    let node = limited(0.0, 0);
    for line in
        ["GET /nope", "POST /limited", "HEAD /limited", "OPTIONS /limited", "BREW /limited", "OPTIONS *"]
    {
        let backend = Backend::answering(OK);
        let (status, fields, body) = ask(&backend, &node, line, "");
        assert_eq!((status, &*body), (403, r#"{"message":"Missing Authentication Token"}"#), "{line}");
        assert_eq!(
            fields,
            "Content-Type: application/json\r\nx-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\n\
             x-amz-apigw-id: AAAAAAAAAAAAAAA=\r\nx-amzn-ErrorType: MissingAuthenticationTokenException\r\n"
        );
        assert!(backend.calls.borrow().is_empty());
    }
}

#[test]
fn an_unknown_api_is_forbidden() {
    let node = limited(1.0, 1);
    let mut exchange = Exchange::default();
    let head = b"GET /prod/limited HTTP/1.1\r\nHost: zzz.execute-api.localhost\r\n\r\n";
    exchange.request.parse(head, &HeadLimits::default()).expect("head");
    let answer = drive(&Backend::answering(OK), &node, &mut exchange);
    assert_eq!(
        answer,
        Answer { status: 403, body: AnswerBody::Owned(br#"{"message":"Forbidden"}"#.to_vec()) }
    );
    assert!(String::from_utf8_lossy(&exchange.answer).contains("x-amzn-ErrorType: ForbiddenException\r\n"));
    assert_eq!(exchange.stage, None);
}

#[test]
fn a_method_over_its_rate_is_throttled() {
    let node = limited(1.0, 2);
    let backend = Backend::answering(OK);
    let statuses: Vec<_> = (0..4).map(|_| ask(&backend, &node, "GET /limited", "").0).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
    let (_, fields, body) = ask(&backend, &node, "GET /limited", "");
    assert_eq!(body, r#"{"message":"Too Many Requests"}"#);
    assert_eq!(field(&fields, "x-amzn-ErrorType"), Some("TooManyRequestsException"));
}

#[test]
fn the_client_may_override_its_method() {
    let node = node(vec![Route { method: "PUT", http_method: "ANY", ..proxy("/", "http://backend/") }]);
    let backend = Backend::answering(OK);
    assert_eq!(ask(&backend, &node, "POST /", "X-HTTP-Method-Override: PUT\r\n").0, 200);
    let call = backend.call();
    assert!(call.starts_with("PUT / HTTP/1.1\r\n"));
    assert_eq!(field(&call, "X-HTTP-Method-Override"), None);
    assert_eq!(ask(&backend, &node, "PUT /", "X-HTTP-Method-Override: BREW\r\n").0, 403);
}

#[test]
fn a_clients_uuid_is_the_request_id() {
    let node = limited(1.0, 9);
    let backend = Backend::answering(OK);
    let id = "80aa583d-6caa-42e8-ab43-98e5c4341215";
    let (_, fields, _) = ask(&backend, &node, "GET /limited", &format!("x-amzn-requestid: {id}\r\n"));
    assert_eq!(field(&fields, "x-amzn-RequestId"), Some(id));
    let mut exchange = request("GET /limited", "x-amzn-requestid: mine\r\n");
    drive(&backend, &node, &mut exchange);
    let own = "00000000-0000-4000-8000-000000000000";
    let answer = String::from_utf8_lossy(&exchange.answer);
    assert_eq!(field(&answer, "x-amzn-RequestId"), Some(own));
    let mut logged = Vec::new();
    node.facts(&exchange).write(context::ContextVariable::RequestId, &mut logged);
    assert_eq!(String::from_utf8_lossy(&logged), format!("{own}_REPLACED_INVALID_REQUEST_ID"));
}

#[test]
fn a_refusal_takes_back_what_an_answer_had_begun() {
    let mut exchange = request("GET /", "");
    exchange.answer.extend_from_slice(b"X-Half: 1\r\n");
    let answer = crate::refuse(&mut exchange, &Refusal::throttled());
    assert_eq!((answer.status, exchange.status), (429, 429));
    assert!(!String::from_utf8_lossy(&exchange.answer).contains("X-Half"));
    assert_eq!(exchange.refusal, Some(Refusal::throttled()));
}

#[test]
fn a_plan_without_its_targets_does_not_link() {
    let mut targets = Targets::default();
    let route = compile(proxy("/", "http://backend/"), &mut targets);
    let stage = StagePlan { routes: vec![route], ..StagePlan::default() };
    let plan = NodePlan { stages: vec![stage], ..NodePlan::default() };
    assert!(link(Arc::new(plan), &Registry::default()).is_err());
}
