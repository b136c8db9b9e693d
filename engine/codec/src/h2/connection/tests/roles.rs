//! The client's side, the ends of connections, and both sides against each other.

use super::*;
use crate::h1::{HeadLimits, Progress, ResponseHead};
use crate::h2::{answer_of, call_of, fields_of};

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const CALL: &[u8] = b"GET /a HTTP/1.1\r\nHost: backend\r\nX-A: b\r\nConnection: close\r\n\r\n";

/// A client with stream 1 opened by `head`, and what came of the input.
fn call(head: &[u8], wire: &Wire) -> (Connection, Outcome) {
    let mut connection = Connection::client(limits());
    let mut outcome = Outcome::default();
    connection.start(&mut outcome.out);
    let call = call_of(head).expect("a head");
    assert_eq!(connection.open(call, "http", true, &mut outcome.out), Ok(1));
    outcome.out.clear();
    feed(&mut connection, &Wire::server().also(&wire.0).0, &mut outcome);
    (connection, outcome)
}

fn answer(fields: &[(&str, &str)], end_stream: bool) -> Wire {
    Wire::default().head(1, end_stream, fields)
}

#[test]
fn a_call_and_its_answer() {
    let mut connection = Connection::client(limits());
    let mut out = Vec::new();
    connection.start(&mut out);
    out.clear();
    connection.open(call_of(CALL).expect("a head"), "https", true, &mut out).expect("room");
    let frames = sent(&out);
    let fields = [":method: GET", ":scheme: https", ":authority: backend", ":path: /a", "x-a: b"];
    assert_eq!((frames[0].kind, frames[0].flags, frames[0].stream), (1, 5, 1));
    assert_eq!(Fields::default().of(&frames[0].payload), fields);

    let wire = answer(&[(":status", "103"), ("link", "x")], false)
        .head(
            1,
            false,
            &[(":status", "200"), ("content-length", "5"), ("set-cookie", "a"), ("set-cookie", "b")],
        )
        .data(1, false, b"hello")
        .head(1, true, &[("x-sum", "1")]);
    let (connection, outcome) = call(CALL, &wire);
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n";
    assert_eq!(outcome.heads, ["HTTP/1.1 103 \r\nlink: x\r\n\r\n", text, "x-sum: 1\r\n"]);
    assert_eq!((outcome.body.as_slice(), connection.open_streams()), (&b"hello"[..], 0));
    let mut head = ResponseHead::default();
    let progress = head.parse(text.as_bytes(), &HeadLimits::backend());
    assert_eq!((progress, head.status()), (Ok(Progress::Complete { consumed: text.len() }), 200));
}

#[test]
fn malformed_answers_are_reset() {
    let cases: Vec<(&str, Wire)> = vec![
        ("no :status", answer(&[("a", "b")], true)),
        ("DATA first", Wire::default().data(1, true, b"x")),
        ("a status of words", answer(&[(":status", "abc")], true)),
        ("a status of two digits", answer(&[(":status", "20")], true)),
        ("a status below 100", answer(&[(":status", "099")], true)),
        ("a status of 600", answer(&[(":status", "600")], true)),
        ("101", answer(&[(":status", "101")], false)),
        (":status twice", answer(&[(":status", "200"), (":status", "200")], true)),
        (":status behind others", answer(&[("a", "b"), (":status", "200")], true)),
        (":path in an answer", answer(&[(":status", "200"), (":path", "/")], true)),
        ("an interim answer at the end", answer(&[(":status", "100")], true)),
        ("connection", answer(&[(":status", "200"), ("connection", "x")], true)),
        ("an upper-case name", answer(&[(":status", "200"), ("A", "x")], true)),
        ("a line in a value", answer(&[(":status", "200"), ("a", "x\r\ny: z")], true)),
        ("no body for its length", answer(&[(":status", "200"), ("content-length", "5")], true)),
        ("a short body", answer(&[(":status", "200"), ("content-length", "5")], false).data(1, true, b"x")),
        ("a body without permission", answer(&[(":status", "204")], false).data(1, true, b"x")),
        ("two final heads", answer(&[(":status", "200")], false).head(1, false, &[(":status", "200")])),
    ];
    for (rule, wire) in cases {
        let (_, outcome) = call(CALL, &wire);
        assert_eq!(outcome.resets(), [(1, PROTOCOL)], "{rule}: {:?}", outcome.events);
        assert!(matches!(outcome.last(), Some(Event::Reset { stream: 1, .. })), "{rule}");
    }
    let head = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
    let length = [(":status", "200"), ("content-length", "5")];
    for (call_head, wire) in [
        (&head[..], answer(&length, true)),
        (head, answer(&length, false).data(1, true, b"")),
        (CALL, answer(&[(":status", "304"), ("content-length", "5")], true)),
    ] {
        assert_eq!(call(call_head, &wire).1.resets(), []);
    }
    assert_eq!(call(head, &answer(&length, false).data(1, true, b"hello")).1.resets(), [(1, PROTOCOL)]);
}

#[test]
fn faults_of_a_backend() {
    let ok = || answer(&[(":status", "200")], false);
    let cases: Vec<(&str, Wire, ErrorCode)> = vec![
        ("8.4: a push", ok().frame(5, 4, 1, &[0, 0, 0, 2, 0x88]), PROTOCOL),
        ("5.1: a stream that we didn't open", ok().head(3, true, &[(":status", "200")]), PROTOCOL),
        ("5.1: an even stream", ok().head(2, true, &[(":status", "200")]), PROTOCOL),
        ("5.1: DATA on one of them", ok().data(3, true, b"x"), PROTOCOL),
        ("6.5.2: ENABLE_PUSH", ok().settings(&[(2, 1)]), PROTOCOL),
        (
            "5.1: HEADERS after the end",
            answer(&[(":status", "200")], true).also(&ok().0),
            ErrorCode::STREAM_CLOSED,
        ),
    ];
    for (rule, wire, code) in cases {
        assert_eq!(call(CALL, &wire).1.fatal(), Some(code), "{rule}");
    }
    assert_eq!(
        call(CALL, &ok().reset(1, 0)).1.last(),
        Some(&Event::Reset { stream: 1, code: ErrorCode::NO_ERROR, reason: "" })
    );
}

#[test]
fn a_backend_bounds_its_streams_and_goes_away() {
    let (mut connection, mut outcome) = call(CALL, &Wire::default().settings(&[(3, 2)]));
    let again = || call_of(CALL).expect("a head");
    assert_eq!(connection.open(again(), "http", false, &mut outcome.out), Ok(3));
    assert_eq!(connection.open(again(), "http", true, &mut outcome.out), Err(OpenError::Full));
    assert!(!connection.can_open() && !connection.takes_no_more());
    let away = Wire::default().frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    feed(&mut connection, &away.0, &mut outcome);
    assert_eq!(outcome.last(), Some(&Event::GoAway { last: 1, code: ErrorCode::NO_ERROR }));
    assert_eq!((connection.slot(1), connection.slot(3)), (Some(0), None));
    assert_eq!(connection.open(again(), "http", true, &mut outcome.out), Err(OpenError::Gone));
    assert_eq!(connection.send_data(3, b"x", true, &mut outcome.out), Err(SendError::Gone));
    assert!(connection.takes_no_more() && !connection.is_drained());
    feed(&mut connection, &Wire::default().frame(7, 0, 0, &[0, 0, 0, 9, 0, 0, 0, 2]).0, &mut outcome);
    assert_eq!(
        outcome.last(),
        Some(&Event::GoAway { last: 1, code: ErrorCode::INTERNAL_ERROR }),
        "it never rises"
    );
    feed(&mut connection, &answer(&[(":status", "204")], true).0, &mut outcome);
    assert!(connection.is_drained());
}

#[test]
fn a_backend_that_has_told_nothing_yet_gets_a_hundred_calls() {
    let mut connection = Connection::client(limits());
    let mut outcome = Outcome::default();
    connection.start(&mut outcome.out);
    let fill = |connection: &mut Connection, out: &mut Vec<u8>| {
        while connection.open(call_of(CALL).expect("a head"), "http", true, out).is_ok() {}
        connection.open_streams()
    };
    assert_eq!(fill(&mut connection, &mut outcome.out), 100);
    feed(&mut connection, &Wire::server().0, &mut outcome);
    assert_eq!(fill(&mut connection, &mut outcome.out), 128);
}

#[test]
fn interim_answers_come_to_an_end() {
    let interim = answer(&[(":status", "103")], false).0;
    let (_, outcome) = call(CALL, &Wire(interim.repeat(1_100)));
    assert_eq!(outcome.fatal(), Some(ErrorCode::ENHANCE_YOUR_CALM));
}

#[test]
fn a_server_goes_away_in_two_steps() {
    let (mut connection, mut outcome) = serve(&Wire::client().get(1));
    outcome.out.clear();
    connection.announce_shutdown(&mut outcome.out);
    feed(&mut connection, &Wire::default().post(3).0, &mut outcome);
    assert_eq!(connection.open_streams(), 2, "what was on its way is taken");
    connection.go_away(ErrorCode::NO_ERROR, &mut outcome.out);
    let lasts: Vec<u32> = sent(&outcome.out).iter().map(|sent| frame::number(&sent.payload)).collect();
    assert_eq!(lasts, [0x7fff_ffff, 3]);
    outcome.out.clear();
    feed(&mut connection, &Wire::default().post(5).data(5, true, b"x").data(3, true, b"y").0, &mut outcome);
    assert_eq!(
        (connection.open_streams(), outcome.body.as_slice()),
        (2, &b"y"[..]),
        "later ones are not looked at"
    );
    assert_eq!(outcome.resets(), []);
    connection.go_away(ErrorCode::NO_ERROR, &mut outcome.out);
    let last = sent(&outcome.out).pop().expect("GOAWAY");
    assert_eq!(frame::number(&last.payload), 3, "it never rises");
    for stream in [1, 3] {
        assert!(!connection.is_drained());
        connection.send_head(stream, 204, [], true, &mut outcome.out).expect("open");
    }
    assert!(connection.is_drained());
    outcome.out.clear();
    feed(&mut connection, &Wire::default().window(0, 0).0, &mut outcome);
    assert_eq!(frame::number(&sent(&outcome.out)[0].payload), 3, "nor when the connection fails");
}

#[test]
fn a_call_without_a_host_has_no_authority() {
    let mut connection = Connection::client(limits());
    let mut out = Vec::new();
    let call = call_of(b"GET / HTTP/1.1\r\n\r\n").expect("a head");
    connection.open(call, "http", true, &mut out).expect("room");
    assert_eq!(Fields::default().of(&sent(&out)[0].payload), [":method: GET", ":scheme: http", ":path: /"]);
}

#[test]
fn pings_come_back() {
    let (mut connection, mut outcome) = call(CALL, &Wire::default());
    connection.ping(77, &mut outcome.out);
    let ping = sent(&outcome.out).pop().expect("PING");
    feed(&mut connection, &Wire::default().frame(6, ACK, 0, &ping.payload).0, &mut outcome);
    assert_eq!(outcome.last(), Some(&Event::PingAnswered { opaque: 77 }));
}

#[test]
fn calls_have_their_order() {
    let (mut connection, mut outcome) = serve(&Wire::client().get(1));
    let out = &mut outcome.out;
    assert_eq!(connection.send_head(3, 200, [], true, out), Err(SendError::Gone));
    assert_eq!(connection.send_head(1, 100, [], true, out), Err(SendError::Order));
    assert_eq!(connection.send_head(1, 103, [], false, out), Ok(()));
    assert_eq!(connection.send_trailers(1, [], out), Err(SendError::Order));
    assert_eq!(connection.send_head(1, 200, [], false, out), Ok(()));
    assert_eq!(connection.send_head(1, 200, [], false, out), Err(SendError::Order));
    assert_eq!(connection.open(call_of(CALL).expect("a head"), "http", true, out), Err(OpenError::Gone));
    feed(&mut connection, &Wire::default().window(0, 0).0, &mut outcome);
    assert_eq!(connection.send_data(1, b"x", true, &mut outcome.out), Err(SendError::Gone), "after the end");
    assert_eq!(connection.receive(b"anything", &mut Vec::new()), Step { consumed: 8, event: None });
}

#[test]
fn both_sides_understand_each_other() {
    let (mut client, mut server) =
        (Connection::client(Limits::default()), Connection::server(Limits::default()));
    let (mut up, mut down) = (Outcome::default(), Outcome::default());
    client.start(&mut down.out);
    server.start(&mut up.out);
    for round in 0_u32..200 {
        let head = format!(
            "PUT /{round} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-Id: {round}\r\nCookie: a=b\r\n\r\n"
        );
        let stream = client
            .open(call_of(head.as_bytes()).expect("a head"), "https", false, &mut down.out)
            .expect("room");
        client.send_data(stream, b"abc", true, &mut down.out).expect("room");
        feed(&mut server, &std::mem::take(&mut down.out), &mut up);
        assert_eq!(up.last(), Some(&Event::Data { stream, range: range_of(&up), end_stream: true }));
        let read = up.heads.pop().expect("a head");
        assert_eq!(
            read,
            format!(
                "PUT /{round} HTTP/1.1\r\nHost: h\r\ncontent-length: 3\r\nx-id: {round}\r\ncookie: a=b\r\n\r\n"
            )
        );
        let text =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: now\r\nX-Id: {round}\r\n\r\n");
        let (status, fields) = answer_of(text.as_bytes()).expect("a head");
        server.send_head(stream, status, fields, false, &mut up.out).expect("open");
        server.send_data(stream, &[5; 1_000], false, &mut up.out).expect("room");
        server.send_trailers(stream, fields_of(b"X-Sum: 9\r\n"), &mut up.out).expect("open");
        feed(&mut client, &std::mem::take(&mut up.out), &mut down);
        assert_eq!(down.last(), Some(&Event::Trailers { stream }));
        assert_eq!(down.heads.pop().as_deref(), Some("x-sum: 9\r\n"));
        assert_eq!(
            down.heads.pop(),
            Some(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: now\r\nx-id: {round}\r\n\r\n"
            ))
        );
        assert_eq!((client.open_streams(), server.open_streams()), (0, 0));
    }
    assert!(!client.awaits_settings() && !server.awaits_settings() && !server.awaits_head());
    assert_eq!((up.body.len(), down.body.len()), (600, 200_000));
}

#[test]
fn what_has_begun_is_awaited_until_it_is_whole() {
    let mut server = Connection::server(Limits::default());
    let mut out = Vec::new();
    assert!(server.awaits_head(), "the preface");
    server.receive(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &mut out);
    assert!(!server.awaits_head());
    server.receive(b"\0\0\0\x04\0", &mut out);
    assert!(server.awaits_head(), "half a frame header");
    server.receive(b"\0\0\0\0", &mut out);
    assert!(!server.awaits_head() && server.awaits_settings());
    server.receive(b"\0\0\x08\x06\0\0\0\0\0four", &mut out);
    assert!(server.awaits_head(), "half a PING");
    server.receive(b"more", &mut out);
    assert!(!server.awaits_head());
    server.receive(b"\0\0\0\x04\x01\0\0\0\0", &mut out);
    assert!(!server.awaits_settings());
}

fn range_of(outcome: &Outcome) -> std::ops::Range<usize> {
    match outcome.last() {
        Some(Event::Data { range, .. }) => range.clone(),
        _ => 0..0,
    }
}

#[test]
fn an_answer_in_text_is_known_in_any_pieces() {
    for (answer, is_http1) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], true),
        (b"HTTP/1.0 505 No\r\n\r\n", true),
        (b"<!DOCTYPE HTML>", true),
        (b"\0\0\0\x01\0\0\0\0\0", false),
        (b"HTTP/1.1", false),
    ] {
        for piece in 1..answer.len() {
            let mut connection = Connection::client(limits());
            let mut out = Vec::new();
            connection.start(&mut out);
            let ended = answer.chunks(piece).any(|piece| connection.receive(piece, &mut out).event.is_some());
            assert_eq!((connection.answered_in_text(), ended), (is_http1, answer.len() > 8));
        }
    }
}
