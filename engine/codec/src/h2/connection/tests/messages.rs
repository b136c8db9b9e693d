//! Section 8: messages as HTTP/1.1 text, and those that are malformed.

use super::*;
use crate::h1::{HeadLimits, Progress, RequestHead};

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;

fn text(fields: &[(&str, &str)]) -> Option<String> {
    let (_, outcome) = serve(&Wire::client().head(1, true, fields));
    outcome.heads.into_iter().next()
}

#[test]
fn a_request_is_http_1_text() {
    let fields = [
        (":method", "PATCH"),
        (":path", "/a/b?c=%20d"),
        (":scheme", "https"),
        (":authority", "example.com:8443"),
        ("cookie", "a=b"),
        ("x-empty", ""),
        ("host", "EXAMPLE.com:8443"),
        ("cookie", "c=d"),
        ("te", "trailers"),
        ("accept", "text/html, */*"),
        ("cookie", "e"),
    ];
    let text = text(&fields).expect("good");
    let expected = "PATCH /a/b?c=%20d HTTP/1.1\r\nHost: example.com:8443\r\nx-empty: \r\nte: trailers\r\n\
        accept: text/html, */*\r\ncookie: a=b; c=d; e\r\n\r\n";
    assert_eq!(text, expected);
    let mut head = RequestHead::default();
    let progress = head.parse(text.as_bytes(), &HeadLimits::default());
    assert_eq!(progress, Ok(Progress::Complete { consumed: text.len() }));
    assert_eq!((head.host(), head.path()), (&b"example.com:8443"[..], &b"/a/b"[..]));
}

/// The same octets are the same head as long as the table stays the same, and only so long.
#[test]
fn a_block_that_comes_again() {
    let again = [0x82, 0x86, 0x84, 0xbe];
    let added = |value: &[u8]| [&block(&GET)[..], b"\x40\x01x", &[value.len() as u8], value].concat();
    let mut wire = Wire::client().frame(1, 5, 1, &added(b"one"));
    for stream in [3, 5] {
        wire = wire.frame(1, 5, stream, &again);
    }
    // As trailers the same octets are malformed, and what comes after is no less a request.
    wire = wire.post(7).frame(1, 5, 7, &again).frame(1, 5, 9, &again);
    wire = wire.frame(1, 5, 11, &added(b"two")).frame(1, 5, 13, &again);
    let (_, outcome) = serve(&wire);
    let said: Vec<_> = outcome.heads.iter().map(|head| head.replace("\r\n", " ")).collect();
    let first = "GET / HTTP/1.1 Host: h x: one  ";
    let (one, two) = ("GET / HTTP/1.1 x: one  ", "GET / HTTP/1.1 x: two  ");
    let posted = "POST / HTTP/1.1 Host: h  ";
    assert_eq!(said, [first, one, one, posted, one, "GET / HTTP/1.1 Host: h x: two  ", two]);
    let rejected = outcome.events.iter().filter(|event| matches!(event, Event::Reset { stream: 7, .. }));
    assert_eq!(rejected.count(), 1, "{:?}", outcome.events);
}

#[test]
fn forms_of_a_request() {
    let options = [(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"), ("host", "h")];
    assert_eq!(text(&options).as_deref(), Some("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"));
    let bare = [(":method", "GET"), (":scheme", "http"), (":path", "/")];
    // Nobody is asked for; the HTTP/1.1 parser refuses that with an answer.
    assert_eq!(text(&bare).as_deref(), Some("GET / HTTP/1.1\r\n\r\n"));
    let odd = [(":method", "brew"), (":scheme", "http"), (":path", "//x"), (":authority", "[::1]:80")];
    assert_eq!(text(&odd).as_deref(), Some("brew //x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"));
}

/// GET with one field changed, or another put behind.
fn changed(name: &str, value: Option<&'static str>) -> Wire {
    let fields = GET
        .into_iter()
        .filter_map(|field| if field.0 == name { Some((field.0, value?)) } else { Some(field) });
    let fields: Vec<(&str, &str)> = fields.collect();
    Wire::client().head(1, true, &fields)
}

fn with(fields: &[(&'static str, &'static str)]) -> Wire {
    Wire::client().head(1, true, &[&GET[..], fields].concat())
}

/// Input whose request on stream 1 is malformed.
fn are_malformed(cases: Vec<(&str, Wire)>) {
    for (rule, wire) in cases {
        let (mut connection, mut outcome) = serve(&wire);
        let rejected = matches!(outcome.last(), Some(Event::Rejected { stream: 1, code: PROTOCOL, .. }));
        assert!(rejected, "{rule}: {:?} {:?}", outcome.last(), outcome.heads);
        assert_eq!(outcome.resets(), [(1, PROTOCOL)], "{rule}");
        feed(&mut connection, &Wire::default().get(3).0, &mut outcome);
        assert_eq!(outcome.last(), Some(&Event::RequestHead { stream: 3, end_stream: true }), "{rule}");
    }
}

#[test]
fn malformed_pseudo_fields_are_reset() {
    are_malformed(vec![
        ("no fields", Wire::client().head(1, true, &[])),
        ("no :method", changed(":method", None)),
        ("no :scheme", changed(":scheme", None)),
        ("no :path", changed(":path", None)),
        ("an empty :path", changed(":path", Some(""))),
        ("an empty :method", changed(":method", Some(""))),
        ("an empty :authority", changed(":authority", Some(""))),
        ("* without OPTIONS", changed(":path", Some("*"))),
        (":path without a slash", changed(":path", Some("a"))),
        (":path with a scheme", changed(":path", Some("http://h/"))),
        (":path with a space", changed(":path", Some("/a HTTP/1.1"))),
        (":path with a line", changed(":path", Some("/ HTTP/1.1\r\nX: y"))),
        (":path with a fragment", changed(":path", Some("/#a"))),
        (":method with a space", changed(":method", Some("GET /"))),
        (":method with a line", changed(":method", Some("G\r\n"))),
        ("another scheme", changed(":scheme", Some("ftp"))),
        (":authority with userinfo", changed(":authority", Some("u:p@h"))),
        (":authority with a path", changed(":authority", Some("h/"))),
        (":authority with a space", changed(":authority", Some("h h"))),
        ("CONNECT", changed(":method", Some("CONNECT"))),
        ("extended CONNECT", with(&[(":protocol", "websocket")])),
        (":status in a request", with(&[(":status", "200")])),
        ("an unknown pseudo field", with(&[(":foo", "bar")])),
        ("a colon", with(&[(":", "bar")])),
        (":method twice", with(&[(":method", "GET")])),
        (":path twice", with(&[(":path", "/")])),
        (":scheme twice", with(&[(":scheme", "http")])),
        (":authority twice", with(&[(":authority", "h")])),
        (
            "a pseudo field behind others",
            Wire::client().head(1, true, &[GET[0], GET[1], GET[2], ("a", "b"), GET[3]]),
        ),
    ]);
}

#[test]
fn malformed_fields_are_reset() {
    are_malformed(vec![
        ("an upper-case name", with(&[("X-a", "b")])),
        ("an empty name", with(&[("", "b")])),
        ("a name with a space", with(&[("a b", "b")])),
        ("a name with a colon", with(&[("a:", "b")])),
        ("a name with a line", with(&[("a\r\nb", "b")])),
        ("a name that isn't ASCII", with(&[("\u{e9}", "b")])),
        ("a value with NUL", with(&[("a", "b\0c")])),
        ("a value with CR", with(&[("a", "b\rc")])),
        ("a value with LF", with(&[("a", "b\nc")])),
        ("a value with a line", with(&[("a", "b\r\nhost: evil")])),
        ("a value with DEL", with(&[("a", "b\x7f")])),
        ("a value with a space before", with(&[("a", " b")])),
        ("a value with a space behind", with(&[("a", "b ")])),
        ("a value with a tab behind", with(&[("a", "b\t")])),
        ("connection", with(&[("connection", "close")])),
        ("proxy-connection", with(&[("proxy-connection", "close")])),
        ("keep-alive", with(&[("keep-alive", "5")])),
        ("transfer-encoding", with(&[("transfer-encoding", "chunked")])),
        ("upgrade", with(&[("upgrade", "h2c")])),
        ("te", with(&[("te", "gzip")])),
        ("te with more", with(&[("te", "trailers, gzip")])),
        ("host that isn't :authority", with(&[("host", "other")])),
        ("host twice", with(&[("host", "h"), ("host", "h")])),
        ("content-length that is none", with(&[("content-length", "x")])),
        ("content-length with a sign", with(&[("content-length", "+0")])),
        ("an empty content-length", with(&[("content-length", "")])),
        ("content-length twice", with(&[("content-length", "0"), ("content-length", "0")])),
        ("a list of content-lengths", with(&[("content-length", "0, 0")])),
        ("content-length without a body", with(&[("content-length", "1")])),
    ]);
}

#[test]
fn bodies_are_held_against_their_length() {
    let sized = |length: &'static str| {
        Wire::client().head(1, false, &[&POST[..], &[("content-length", length)]].concat())
    };
    let trailers = [("x-a", "b")];
    let cases: Vec<(&str, Wire, bool)> = vec![
        ("as long", sized("5").data(1, true, b"hello"), true),
        ("in frames", sized("5").data(1, false, b"he").data(1, false, b"llo").data(1, true, b""), true),
        ("with padding", sized("5").frame(0, 9, 1, b"\x03hello\0\0\0"), true),
        ("with trailers", sized("5").data(1, false, b"hello").head(1, true, &trailers), true),
        ("none", sized("0").data(1, true, b""), true),
        ("too short", sized("5").data(1, true, b"hell"), false),
        ("too long", sized("5").data(1, true, b"hello!"), false),
        ("too long in frames", sized("5").data(1, false, b"hello").data(1, false, b"!"), false),
        ("too short before trailers", sized("5").data(1, false, b"hell").head(1, true, &trailers), false),
        ("some for none", sized("0").data(1, true, b"x"), false),
    ];
    for (rule, wire, good) in cases {
        let (_, outcome) = serve(&wire);
        let expected = if good { vec![] } else { vec![(1, PROTOCOL)] };
        assert_eq!((outcome.fatal(), outcome.resets()), (None, expected), "{rule}");
        let reset = matches!(outcome.last(), Some(Event::Reset { stream: 1, code: PROTOCOL, reason }) if !reason.is_empty());
        assert_eq!(reset, !good, "{rule}");
    }
}

#[test]
fn trailers_end_a_body() {
    let (_, outcome) = serve(&Wire::client().post(1).data(1, false, b"x").head(
        1,
        true,
        &[("x-sum", "1"), ("content-length", "9")],
    ));
    assert_eq!(outcome.last(), Some(&Event::Trailers { stream: 1 }));
    assert_eq!(outcome.heads[1], "x-sum: 1\r\n");
    for (rule, wire) in [
        ("without END_STREAM", Wire::client().post(1).head(1, false, &[("x-sum", "1")])),
        ("a pseudo field", Wire::client().post(1).head(1, true, &[(":path", "/")])),
        ("a field of the connection", Wire::client().post(1).head(1, true, &[("connection", "x")])),
        ("an upper-case name", Wire::client().post(1).head(1, true, &[("X", "x")])),
    ] {
        assert_eq!(serve(&wire).1.resets(), [(1, PROTOCOL)], "{rule}");
    }
}

#[test]
fn large_heads_leave_the_context_whole() {
    let limits = Limits { header_list_bytes: 300, ..limits() };
    // An entry of 200 bytes is added to the table by a head that is too large, and used by the next.
    let entry = [&[0x40, 1, b'a', 127, 73][..], &[b'x'; 200]].concat();
    let first = [block(&GET), entry.clone(), vec![0xbe; 2]].concat();
    let second = [block(&GET[..3]), vec![0xbe]].concat();
    let wire = Wire::client().frame(1, 4, 1, &first).frame(1, 5, 3, &second);
    let (mut connection, mut outcome) = serve_within(limits, &wire);
    assert_eq!(outcome.events[1], Event::HeadTooLarge { stream: 1, end_stream: false });
    assert_eq!(outcome.events[2], Event::HeadTooLarge { stream: 3, end_stream: true });
    let third =
        [block(&[(":method", "GET"), (":scheme", "http"), (":path", "/")]), vec![0x7e, 1, b'y']].concat();
    feed(&mut connection, &Wire::default().frame(1, 5, 5, &third).0, &mut outcome);
    assert_eq!(outcome.heads, ["GET / HTTP/1.1\r\na: y\r\n\r\n"]);
    let trailers = Wire::default().post(7).head(7, true, &[("x", "y"), ("big", &"z".repeat(250))]);
    feed(&mut connection, &trailers.0, &mut outcome);
    assert_eq!(outcome.last(), Some(&Event::Trailers { stream: 7 }));
    assert_eq!(connection.head(), b"", "trailers are whole or none");
    // It can be answered.
    connection.send_head(1, 431, [], true, &mut outcome.out).expect("an answer");
    connection.reset(1, ErrorCode::NO_ERROR, &mut outcome.out);
    assert_eq!(outcome.resets(), [(1, ErrorCode::NO_ERROR)]);
}

#[test]
fn what_was_vouched_for_is_judged_where_it_depends() {
    let literal = |name: &str, value: &str| [&[0x40][..], &block(&[(name, value)])[1..]].concat();
    // In the table: 66 host, 65 content-length, 64 cookie, 63 x-a, 62 connection.
    let fields =
        [("host", "h"), ("content-length", "0"), ("cookie", "c=d"), ("x-a", "b"), ("connection", "x")];
    let added: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let again = |indices: &[u8], pseudo: &[(&str, &str)]| [block(pseudo), indices.to_vec()].concat();
    let other = [GET[0], GET[1], GET[2], (":authority", "other")];
    let wire = Wire::client()
        .frame(1, 5, 1, &[block(&GET), added].concat())
        .frame(1, 5, 3, &again(&[0xc2, 0xc1, 0xc0, 0xbf, 0xc0, 0xbf], &GET))
        .frame(1, 5, 5, &again(&[0xc2], &other))
        .frame(1, 5, 7, &again(&[0xc1, 0xc1], &GET))
        .frame(1, 5, 9, &again(&[0xbf, 0xbe], &GET))
        .frame(1, 5, 11, &[again(&[0xbf], &[]), block(&GET)].concat());
    let (_, outcome) = serve(&wire);
    let good =
        "GET / HTTP/1.1\r\nHost: h\r\ncontent-length: 0\r\nx-a: b\r\nx-a: b\r\ncookie: c=d; c=d\r\n\r\n";
    assert_eq!(outcome.heads, [good]);
    let resets: Vec<u32> = outcome.resets().iter().map(|(stream, _)| *stream).collect();
    assert_eq!(resets, [1, 5, 7, 9, 11]);
}

#[test]
fn trailers_vouch_for_no_host() {
    let literal = |name: &str, value: &str| [&[0x40][..], &block(&[(name, value)])[1..]].concat();
    let trailers = [literal("host", "evil"), literal("cookie", "a=b")].concat();
    let head = [block(&GET), vec![0xbe, 0xbe]].concat();
    let wire = Wire::client().post(1).frame(1, 5, 1, &trailers).frame(1, 5, 3, &head);
    let (_, outcome) = serve(&wire.frame(1, 5, 5, &[block(&GET), vec![0xbf]].concat()));
    assert_eq!(outcome.heads[2], "GET / HTTP/1.1\r\nHost: h\r\ncookie: a=b; a=b\r\n\r\n");
    assert_eq!(outcome.resets(), [(5, PROTOCOL)]);
}

#[test]
fn a_bomb_costs_its_bytes_only() {
    // 4,000 bytes in the table, named sixteen thousand times: 64 MB if they were kept.
    let entry = [&[0x40, 1, b'a', 127, 0x81, 0x1e][..], &[b'x'; 3_968]].concat();
    let bomb = [block(&GET), entry, vec![0xbe; 12_000]].concat();
    let (_, outcome) = serve_within(limits(), &Wire::client().frame(1, 5, 1, &bomb).get(3));
    assert_eq!(outcome.events[1], Event::HeadTooLarge { stream: 1, end_stream: true });
    assert_eq!(outcome.events[2], Event::RequestHead { stream: 3, end_stream: true });
}

#[test]
fn blocks_in_pieces_and_with_padding() {
    let block = block(&GET);
    let padded = [&[2][..], &[0, 0, 0, 9, 200], &block, &[0, 0]].concat();
    let pieces = Wire::client().frame(1, 1, 1, &block[..3]).frame(9, 0, 1, &block[3..9]).frame(9, 0, 1, b"");
    for wire in [
        pieces.frame(9, 4, 1, &block[9..]),
        Wire::client().frame(1, 1 | 4 | 8 | 0x20, 1, &padded),
        Wire::client().frame(1, 1 | 0x20, 1, &[0, 0, 0, 1, 0]).frame(9, 4, 1, &block),
    ] {
        let (_, outcome) = serve(&wire);
        assert_eq!(outcome.last(), Some(&Event::RequestHead { stream: 1, end_stream: true }));
        assert_eq!(outcome.heads, ["GET / HTTP/1.1\r\nHost: h\r\n\r\n"]);
    }
}
