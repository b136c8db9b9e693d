//! Recorded: static mappings of every header with a rule, `GET`, `HTTP` and `HTTP_PROXY`.

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What the backend sees of `X: 'mapped'`, and the answer's status.
fn mapped(kind: Kind, header: &str, source: &'static str) -> (u16, String, Option<String>) {
    let target: &'static str = Box::leak(format!("integration.request.header.{header}").into_boxed_str());
    let default = ResponseSpec { status: 200, is_declared: true, ..ResponseSpec::default() };
    let route = Route {
        method: "GET",
        path: "/",
        kind: Some(kind),
        uri: "http://backend/",
        http_method: "GET",
        parameters: vec![(target, source)],
        responses: vec![default],
        ..Route::default()
    };
    let backend = Backend::answering(OK);
    let (status, fields, body) = ask(&backend, &node(vec![route]), "GET /", "");
    let sent = backend.calls.borrow().first().and_then(|(call, _)| field(call, header).map(str::to_owned));
    if status == 500 {
        assert_eq!(body, INTERNAL);
        assert_eq!(field(&fields, "x-amzn-ErrorType"), Some("InternalServerErrorException"));
        assert!(backend.calls.borrow().is_empty(), "refused before the call");
    }
    (status, body, sent)
}

#[test]
fn mapped_headers_are_sent_dropped_or_refused() {
    for kind in [Kind::Http, Kind::HttpProxy] {
        for header in [
            "Accept",
            "Accept-Charset",
            "Accept-Encoding",
            "Age",
            "Content-Encoding",
            "Content-MD5",
            "Content-Type",
            "Date",
            "Max-Forwards",
            "Pragma",
            "Range",
            "Server",
            "Trailer",
            "Upgrade",
            "User-Agent",
            "Warn",
            "WWW-Authenticate",
            "Referer",
            "Authorization",
            "X-Own",
        ] {
            let (status, _, sent) = mapped(kind, header, "'mapped'");
            assert_eq!((status, sent.as_deref()), (200, Some("mapped")), "{kind:?} {header}");
        }
        for header in ["Connection", "Expect", "Proxy-Authenticate", "TE", "Via"] {
            let (status, _, sent) = mapped(kind, header, "'mapped'");
            assert_eq!((status, sent), (200, None), "{kind:?} {header}");
        }
        for header in ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"] {
            assert_eq!(mapped(kind, header, "'mapped'").0, 500, "{kind:?} {header}");
            assert_eq!(mapped(kind, header, "method.request.querystring.absent").0, 200, "{kind:?} {header}");
        }
        let (status, _, sent) = mapped(kind, "Host", "method.request.header.Host");
        assert_eq!((status, sent.as_deref()), (200, Some("localhost")), "{kind:?}");
    }
}

#[test]
fn a_host_that_is_none_is_refused() {
    for kind in [Kind::Http, Kind::HttpProxy] {
        assert_eq!(mapped(kind, "Host", "'a b'").0, 500);
        assert_eq!(mapped(kind, "Host", "'a/b'").0, 500);
    }
}

#[test]
fn mapped_response_headers_are_returned_renamed_or_dropped() {
    let unchanged = [
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Age",
        "Content-Encoding",
        "Content-Type",
        "Pragma",
        "Range",
        "Referer",
        "TE",
        "Via",
        "Warn",
    ];
    let renamed = [
        "Authorization",
        "Connection",
        "Content-Length",
        "Content-MD5",
        "Date",
        "Expect",
        "Host",
        "Max-Forwards",
        "Proxy-Authenticate",
        "Server",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "WWW-Authenticate",
    ];
    let mut default = ResponseSpec { status: 200, is_declared: true, ..ResponseSpec::default() };
    for header in unchanged.iter().chain(&renamed).chain(&["Transfer-Encoding"]) {
        default.parameters.insert(format!("method.response.header.{header}"), "'mapped'".to_owned());
    }
    let route = Route {
        method: "GET",
        path: "/",
        kind: Some(Kind::Http),
        uri: "http://backend/",
        http_method: "GET",
        responses: vec![default],
        ..Route::default()
    };
    let (_, fields, _) = ask(&Backend::answering(OK), &node(vec![route]), "GET /", "");
    for header in unchanged {
        assert_eq!(field(&fields, header), Some("mapped"), "{header}");
    }
    for header in renamed {
        assert_eq!(field(&fields, header), None, "{header}");
        assert_eq!(field(&fields, &format!("x-amzn-Remapped-{header}")), Some("mapped"), "{header}");
    }
    assert!(!fields.contains("Transfer-Encoding"), "{fields}");
}
