//! Sections 3 to 7: the preface, frames, streams, and who is told what.

use super::*;

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const SIZE: ErrorCode = ErrorCode::FRAME_SIZE_ERROR;
const CLOSED: ErrorCode = ErrorCode::STREAM_CLOSED;
const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;

/// Input that ends the connection, with the code and the rule.
fn end_connections(cases: Vec<(&str, Wire, ErrorCode)>) {
    for (rule, wire, code) in cases {
        let (connection, outcome) = serve(&wire);
        assert_eq!(outcome.fatal(), Some(code), "{rule}: {:?}", outcome.events);
        assert!(connection.is_dead());
        let last = sent(&outcome.out).pop().expect("GOAWAY");
        assert_eq!((last.kind, frame::number(&last.payload[4..])), (7, code.0), "{rule}");
    }
}

#[test]
fn faults_of_the_connection_by_frames_of_streams() {
    let c = Wire::client;
    let preface = || Wire(PREFACE.to_vec());
    let big = vec![0; 16_385];
    end_connections(vec![
        ("3.4: no preface", Wire(b"GET / HTTP/1.1\r\n".to_vec()), PROTOCOL),
        (
            "3.4: a preface that goes wrong at its end",
            Wire(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r".to_vec()),
            PROTOCOL,
        ),
        ("3.4: no SETTINGS first", preface().frame(6, 0, 0, &[0; 8]), PROTOCOL),
        ("3.4: an acknowledgement first", preface().frame(4, ACK, 0, &[]), PROTOCOL),
        ("3.4: an unknown frame first", preface().frame(77, 0, 0, &[]), PROTOCOL),
        ("4.2: a frame over the size", c().post(1).data(1, false, &big), SIZE),
        ("4.2: HEADERS over the size", c().frame_of(16_385, 1, 4, 1, &[]), SIZE),
        ("4.3: a block that can't be decoded", c().frame(1, 5, 1, &[0x80]), ErrorCode::COMPRESSION_ERROR),
        (
            "4.3: a broken block for a closed stream",
            c().post(1).reset(1, 8).frame(1, 5, 1, &[0xff]),
            ErrorCode::COMPRESSION_ERROR,
        ),
        ("5.1: DATA on an idle stream", c().data(1, true, b"x"), PROTOCOL),
        ("5.1: RST_STREAM on an idle stream", c().reset(1, 8), PROTOCOL),
        ("5.1: WINDOW_UPDATE on an idle stream", c().window(1, 8), PROTOCOL),
        ("5.1: WINDOW_UPDATE on an even stream", c().get(5).window(2, 8), PROTOCOL),
        ("5.1: DATA on an even stream", c().get(5).data(2, true, b""), PROTOCOL),
        ("5.1.1: an even stream", c().get(2), PROTOCOL),
        ("5.1.1: a stream id that falls", c().get(5).get(3), PROTOCOL),
        ("6.1: DATA on stream 0", c().data(0, true, b"x"), PROTOCOL),
        ("6.1: padding as long as the frame", c().post(1).frame(0, 8, 1, &[1]), PROTOCOL),
        ("6.1: padding longer than the frame", c().post(1).frame(0, 8, 1, &[200, 1, 2]), PROTOCOL),
        ("6.1: padding without its length", c().post(1).frame(0, 8, 1, &[]), PROTOCOL),
        ("6.2: HEADERS on stream 0", c().get(0), PROTOCOL),
        ("6.2: HEADERS padded too far", c().frame(1, 4 | 8, 1, &[9, 0x82]), PROTOCOL),
        ("6.2: HEADERS without its padding length", c().frame(1, 4 | 8, 1, &[]), PROTOCOL),
        ("6.2: HEADERS without its priority", c().frame(1, 4 | 0x20, 1, &[0; 4]), SIZE),
        ("6.3: PRIORITY on stream 0", c().frame(2, 0, 0, &[0; 5]), PROTOCOL),
        ("6.3: PRIORITY of a wrong length, idle", c().frame(2, 0, 1, &[0; 4]), SIZE),
        ("6.4: RST_STREAM on stream 0", c().reset(0, 8), PROTOCOL),
        ("6.4: RST_STREAM of a wrong length", c().get(1).frame(3, 0, 1, &[0; 5]), SIZE),
    ]);
}

#[test]
fn faults_of_the_connection_by_other_frames() {
    let c = Wire::client;
    end_connections(vec![
        ("6.5: SETTINGS on a stream", c().get(1).frame(4, 0, 1, &[]), PROTOCOL),
        ("6.5: SETTINGS of a wrong length", c().frame(4, 0, 0, &[0; 7]), SIZE),
        ("6.5: an acknowledgement with a payload", c().frame(4, ACK, 0, &[0; 6]), SIZE),
        ("6.5.2: ENABLE_PUSH of 2", c().settings(&[(2, 2)]), PROTOCOL),
        (
            "6.5.2: INITIAL_WINDOW_SIZE over its range",
            c().settings(&[(4, 1 << 31)]),
            ErrorCode::FLOW_CONTROL_ERROR,
        ),
        ("6.5.2: MAX_FRAME_SIZE below its range", c().settings(&[(5, 16_383)]), PROTOCOL),
        ("6.5.2: MAX_FRAME_SIZE over its range", c().settings(&[(5, 1 << 24)]), PROTOCOL),
        ("RFC 8441 3: ENABLE_CONNECT_PROTOCOL of 2", c().settings(&[(8, 2)]), PROTOCOL),
        ("6.6: PUSH_PROMISE", c().get(1).frame(5, 4, 1, &[0, 0, 0, 2, 0x82]), PROTOCOL),
        ("6.7: PING on a stream", c().get(1).frame(6, 0, 1, &[0; 8]), PROTOCOL),
        ("6.7: PING of a wrong length", c().frame(6, 0, 0, &[0; 7]), SIZE),
        ("6.8: GOAWAY on a stream", c().get(1).frame(7, 0, 1, &[0; 8]), PROTOCOL),
        ("6.8: GOAWAY too short", c().frame(7, 0, 0, &[0; 7]), SIZE),
        ("6.9: WINDOW_UPDATE of a wrong length", c().frame(8, 0, 0, &[0; 3]), SIZE),
        ("6.9: WINDOW_UPDATE by nothing", c().window(0, 0), PROTOCOL),
        (
            "6.9.1: the connection's window over 2^31-1",
            c().window(0, 0x7fff_ffff),
            ErrorCode::FLOW_CONTROL_ERROR,
        ),
        ("6.10: CONTINUATION alone", c().frame(9, 4, 1, &[0x82]), PROTOCOL),
        ("6.10: CONTINUATION after a whole block", c().post(1).frame(9, 4, 1, &[0x82]), PROTOCOL),
        ("6.10: CONTINUATION on stream 0", c().frame(1, 0, 1, &[0x82]).frame(9, 4, 0, &[]), PROTOCOL),
        ("6.10: another stream's CONTINUATION", c().frame(1, 0, 1, &[0x82]).frame(9, 4, 3, &[]), PROTOCOL),
        ("6.2: DATA within a block", c().frame(1, 0, 1, &[0x82]).data(1, true, b""), PROTOCOL),
        ("6.2: an unknown frame within a block", c().frame(1, 0, 1, &[0x82]).frame(77, 0, 1, &[]), PROTOCOL),
        ("6.2: PRIORITY within a block", c().frame(1, 0, 1, &[0x82]).frame(2, 0, 1, &[0; 5]), PROTOCOL),
    ]);
}

/// Input that resets stream 1 (or leaves it alone) and lets the connection live.
#[test]
fn faults_of_a_stream() {
    let post = || Wire::client().post(1);
    let cases: Vec<(&str, Wire, ErrorCode)> = vec![
        ("5.1: DATA after END_STREAM", Wire::client().get(1).data(1, true, b"x"), CLOSED),
        ("5.1: HEADERS after END_STREAM", Wire::client().get(1).get(1), CLOSED),
        ("5.1: DATA after RST_STREAM", post().reset(1, 8).data(1, true, b"x"), CLOSED),
        ("5.1: HEADERS after RST_STREAM", post().reset(1, 8).get(1), CLOSED),
        ("5.1.1: DATA on an id that was passed over", Wire::client().get(3).data(1, true, b"x"), CLOSED),
        ("6.3: PRIORITY of a wrong length", post().frame(2, 0, 1, &[0; 6]), SIZE),
        ("6.9: WINDOW_UPDATE by nothing", post().window(1, 0), PROTOCOL),
        ("6.9.1: a window over 2^31-1", post().window(1, 0x7fff_ffff), ErrorCode::FLOW_CONTROL_ERROR),
    ];
    for (rule, wire, code) in cases {
        let (mut connection, mut outcome) = serve(&wire);
        assert_eq!(outcome.resets(), [(1, code)], "{rule}");
        assert_eq!(connection.slot(1), None, "{rule}");
        feed(&mut connection, &Wire::default().get(101).0, &mut outcome);
        assert_eq!(outcome.last(), Some(&Event::RequestHead { stream: 101, end_stream: true }), "{rule}");
    }
}

/// Input that changes nothing.
#[test]
fn what_is_let_pass() {
    let cases: Vec<(&str, Wire)> = vec![
        ("4.1: an unknown type", Wire::client().frame(77, 255, 0, b"xyz").frame(200, 0, 9, b"")),
        ("4.1: the reserved bit", Wire::client().frame(6, ACK, 1 << 31, &[0; 8])),
        ("4.1: undefined flags", Wire::client().frame(8, 255, 0, &[0, 0, 0, 1])),
        ("6.3: PRIORITY on an idle stream, even of itself", Wire::client().frame(2, 0, 9, &[0, 0, 0, 9, 1])),
        ("6.5.2: unknown settings", Wire::client().settings(&[(0x99, 7), (9, 1), (8, 1), (6, 0)])),
        ("6.9: WINDOW_UPDATE after the end", Wire::client().post(1).reset(1, 8).window(1, 5)),
        ("6.4: RST_STREAM after the end", Wire::client().post(1).reset(1, 8).reset(1, 8)),
        ("6.8: GOAWAY, after which requests go on", Wire::client().frame(7, 0, 0, &[0; 12])),
    ];
    for (rule, wire) in cases {
        let (mut connection, mut outcome) = serve(&wire);
        assert_eq!((outcome.fatal(), outcome.resets()), (None, vec![]), "{rule}");
        feed(&mut connection, &Wire::default().get(11).0, &mut outcome);
        assert_eq!(outcome.last(), Some(&Event::RequestHead { stream: 11, end_stream: true }), "{rule}");
    }
}

#[test]
fn late_frames_depend_on_how_a_stream_ended() {
    let answered = |late: Wire| {
        let (mut connection, mut outcome) = serve(&Wire::client().get(1));
        connection.send_head(1, 204, [], true, &mut outcome.out).expect("an answer");
        assert_eq!(connection.open_streams(), 0);
        feed(&mut connection, &late.0, &mut outcome);
        outcome.fatal()
    };
    assert_eq!(answered(Wire::default().data(1, true, b"x")), Some(CLOSED), "ended by both");
    assert_eq!(answered(Wire::default().get(1)), Some(CLOSED), "ended by both");
    assert_eq!(answered(Wire::default().window(1, 9).reset(1, 8)), None, "may cross our END_STREAM");

    let (mut connection, mut outcome) = serve(&Wire::client().post(1));
    connection.reset(1, ErrorCode::CANCEL, &mut outcome.out);
    assert_eq!(outcome.resets(), [(1, ErrorCode::CANCEL)]);
    connection.reset(1, ErrorCode::CANCEL, &mut outcome.out);
    let late = Wire::default().data(1, false, &[0; 40_000][..16_000]).data(1, false, &[0; 16_000]);
    let late = late.data(1, false, &[0; 16_000]).head(1, true, &[("x-trailer", "1")]);
    feed(&mut connection, &late.0, &mut outcome);
    assert_eq!((outcome.fatal(), outcome.resets().len()), (None, 1), "we reset it: all is ignored");
    let credit: u32 = sent(&outcome.out)
        .iter()
        .filter(|sent| (sent.kind, sent.stream) == (8, 0))
        .map(|sent| frame::number(&sent.payload))
        .sum();
    assert_eq!(credit, 48_000, "and its bytes are given back");
}

#[test]
fn control_frames_are_answered() {
    let (_, outcome) = serve(&Wire::client().frame(6, 0, 0, b"12345678").settings(&[(4, 70_000)]));
    let answers = sent(&outcome.out);
    assert_eq!(answers[0], Sent { kind: 4, flags: ACK, stream: 0, payload: vec![] });
    assert_eq!(answers[1], Sent { kind: 6, flags: ACK, stream: 0, payload: b"12345678".to_vec() });
    assert_eq!(answers[2], Sent { kind: 4, flags: ACK, stream: 0, payload: vec![] });
    assert_eq!(outcome.events, [Event::SettingsReceived, Event::SettingsReceived]);
}

#[test]
fn what_a_connection_begins_with() {
    let is_preface = crate::h2::is_preface;
    assert_eq!((is_preface(b""), is_preface(b"PRI * HT"), is_preface(b"PRI / ")), (None, None, Some(false)));
    assert_eq!((is_preface(&Wire::client().0), is_preface(b"GET / HTTP/1.1")), (Some(true), Some(false)));
    let mut out = Vec::new();
    Connection::server(Limits::default()).start(&mut out);
    let frames = sent(&out);
    let values = |id: u16, value: u32| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    assert_eq!((frames[0].kind, frames[0].flags), (4, 0));
    assert_eq!(frames[0].payload, [values(3, 128), values(4, 262_144), values(6, 65_536)].concat());
    assert_eq!((frames[1].kind, frame::number(&frames[1].payload)), (8, 1_048_576 - 65_535));
    out.clear();
    Connection::client(Limits::default()).start(&mut out);
    assert!(out.starts_with(PREFACE));
    assert_eq!(sent(&out)[0].payload, [values(2, 0), values(4, 262_144), values(6, 65_536)].concat());
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let limits = Limits { streams: 2, ..limits() };
    let (mut connection, mut outcome) = serve_within(limits, &Wire::client().get(1).post(3).get(5));
    let refused =
        Event::Rejected { stream: 5, code: ErrorCode::REFUSED_STREAM, reason: "more streams than we allow" };
    assert_eq!(outcome.last(), Some(&refused));
    assert_eq!(outcome.resets(), [(5, ErrorCode::REFUSED_STREAM)]);
    assert_eq!((connection.slot(1), connection.slot(3), connection.slot(5)), (Some(0), Some(1), None));
    connection.send_head(1, 200, [], true, &mut outcome.out).expect("an answer");
    feed(&mut connection, &Wire::default().get(7).0, &mut outcome);
    assert_eq!(connection.slot(7), Some(0), "places are used again");
}

#[test]
fn floods_end_the_connection() {
    let limits = || Limits { closed_streams: 4, ..limits() };
    let flood = |wire: Wire| serve_within(limits(), &wire).1.fatal();
    let many = |count: u32, add: &dyn Fn(Wire, u32) -> Wire| (0..count).fold(Wire::client(), add);
    let id = |n: u32| n * 2 + 1;
    assert_eq!(flood(many(40, &|wire, _| wire.settings(&[]))), Some(CALM), "SETTINGS");
    assert_eq!(flood(many(1_100, &|wire, _| wire.frame(4, ACK, 0, &[]))), Some(CALM), "acknowledgements");
    assert_eq!(flood(many(300, &|wire, _| wire.frame(6, 0, 0, &[0; 8]))), Some(CALM), "PING");
    assert_eq!(flood(many(1_100, &|wire, _| wire.frame(2, 0, 9, &[0; 5]))), Some(CALM), "PRIORITY");
    assert_eq!(flood(many(1_100, &|wire, _| wire.frame(99, 0, 0, &[]))), Some(CALM), "unknown frames");
    assert_eq!(flood(many(1_100, &|wire, _| wire.window(0, 1))), Some(CALM), "WINDOW_UPDATE");
    assert_eq!(flood(many(1_100, &|wire, _| wire.frame(7, 0, 0, &[0; 8]))), Some(CALM), "GOAWAY");
    assert_eq!(flood(many(300, &|wire, n| wire.get(id(n)).reset(id(n), 8))), Some(CALM), "rapid reset");
    assert_eq!(flood(many(200, &|wire, n| wire.post(id(n)).window(id(n), 0))), Some(CALM), "made resets");
    assert_eq!(flood(many(200, &|wire, n| wire.head(id(n), true, &[]))), Some(CALM), "malformed heads");
    assert_eq!(flood(Wire::client().post(1).also(&many_empty(200).0)), Some(CALM), "empty DATA");
    let continued = (0..40).fold(Wire::client().frame(1, 0, 1, &[]), |wire, _| wire.frame(9, 0, 1, &[]));
    assert_eq!(flood(continued), Some(CALM), "CONTINUATION");
    let long = (0..9).fold(Wire::client().frame(1, 0, 1, &[]), |wire, _| wire.frame(9, 0, 1, &[0; 16_384]));
    assert_eq!(flood(long), Some(CALM), "a long block");
}

#[test]
fn what_is_no_flood() {
    let id = |n: u32| n * 2 + 1;
    // Windows that open with what was sent.
    let (mut connection, mut outcome) = serve(&Wire::client().get(1));
    connection.send_head(1, 200, [], false, &mut outcome.out).expect("open");
    for _ in 0..3_000 {
        connection.send_data(1, &[0; 100], false, &mut outcome.out).expect("open");
        feed(
            &mut connection,
            &Wire::default().window(0, 50).window(1, 50).window(0, 50).window(1, 50).0,
            &mut outcome,
        );
    }
    assert_eq!(outcome.fatal(), None);

    // As many cancelled as were answered, and a priority each.
    let (mut connection, mut outcome) = serve(&Wire::client());
    for n in 0..2_000 {
        let wire =
            Wire::default().get(id(n * 2)).frame(16, 0, 0, b"x").post(id(n * 2 + 1)).reset(id(n * 2 + 1), 8);
        feed(&mut connection, &wire.0, &mut outcome);
        connection.send_head(id(n * 2), 204, [], true, &mut outcome.out).expect("open");
    }
    assert_eq!(outcome.fatal(), None);

    // What comes slowly.
    let (mut connection, mut outcome) = serve(&Wire::client());
    for n in 0..2_000 {
        let wire = Wire::default().frame(6, 0, 0, &[0; 8]).get(id(n)).reset(id(n), 8).window(0, 1);
        feed(&mut connection, &wire.0, &mut outcome);
        if n % 60 == 0 {
            connection.second_passed();
        }
    }
    assert_eq!(outcome.fatal(), None);
}

fn many_empty(count: u32) -> Wire {
    (0..count).fold(Wire::default(), |wire, _| wire.data(1, false, b""))
}

#[test]
fn streams_that_ended_long_ago() {
    let limits = || Limits { closed_streams: 2, ..limits() };
    let wire = || [1, 5, 7, 9].iter().fold(Wire::client(), |wire, id| wire.post(*id).reset(*id, 8));
    // 1 and 5 are forgotten, 3 is below them, 11 was passed over.
    let (_, outcome) = serve_within(limits(), &wire().data(1, true, b"x").data(5, true, b"x").get(5).get(3));
    assert_eq!((outcome.fatal(), outcome.resets().len()), (None, 4), "{:?}", outcome.events);
    assert!(outcome.resets().iter().all(|(_, code)| *code == CLOSED));
    let (_, outcome) = serve_within(limits(), &wire().post(13).get(11));
    assert_eq!(outcome.fatal(), Some(PROTOCOL), "a stream id that falls");
    // What ended once is told once.
    let (_, outcome) = serve(&Wire::client().post(1).reset(1, 8).reset(1, 8).reset(1, 8));
    assert_eq!(outcome.events.len(), 3, "SETTINGS, a request, its end");
}

#[test]
fn limits_are_what_the_protocol_can_say() {
    let limits = Limits {
        frame_bytes: 1,
        stream_window_bytes: u32::MAX,
        connection_window_bytes: u32::MAX,
        ..Limits::default()
    };
    let mut out = Vec::new();
    Connection::client(limits.clone()).start(&mut out);
    let frames = sent(&out);
    assert_eq!(frame::number(&frames[0].payload[8..]), 0x7fff_ffff, "the stream's window");
    assert_eq!(frame::number(&frames[1].payload), 0x7fff_ffff - 65_535);
    let (_, outcome) = serve_within(limits, &Wire::client().post(1).data(1, false, &[0; 16_384]));
    assert_eq!(outcome.body.len(), 16_384);
}
