//! The hot path keeps its memory: after the first request, the exchange's buffers neither move nor grow.

use super::*;

#[test]
fn a_recycled_exchange_reuses_its_buffers() {
    let mut route = proxy("/{proxy+}", "http://backend/{proxy}");
    route.parameters = vec![("integration.request.path.proxy", "method.request.path.proxy")];
    let node = node(vec![route]);
    let backend = Backend::answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nServer: x\r\n\r\n");
    let mut exchange = request("GET /a/b?c=d", "User-Agent: u\r\nAccept: a\r\nX-A: 1\r\n");
    drive(&backend, &node, &mut exchange);
    let places = |exchange: &Exchange| {
        let (outbound, answer) = (&exchange.outbound, &exchange.answer);
        (outbound.as_ptr(), outbound.capacity(), answer.as_ptr(), answer.capacity())
    };
    let warm = places(&exchange);
    let (outbound, answer) = (exchange.outbound.clone(), exchange.answer.clone());
    for _ in 0..3 {
        exchange.clear();
        let head =
            b"GET /a/b?c=d HTTP/1.1\r\nHost: localhost\r\nUser-Agent: u\r\nAccept: a\r\nX-A: 1\r\n\r\n";
        exchange.request.parse(head, &HeadLimits::default()).expect("head");
        drive(&backend, &node, &mut exchange);
        assert_eq!(places(&exchange), warm);
        assert_eq!((&exchange.outbound, &exchange.answer), (&outbound, &answer));
    }
}
