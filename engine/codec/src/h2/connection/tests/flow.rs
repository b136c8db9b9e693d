//! Sections 5.2 and 6.9: windows of both directions, and what is sent within them.

use super::*;

#[test]
fn bodies_come_as_ranges() {
    let (_, outcome) = serve(&Wire::client().post(1).data(1, false, b"hello ").data(1, true, b"world"));
    assert_eq!(outcome.body, b"hello world");
    let data = |event: &Event| matches!(event, Event::Data { .. });
    assert_eq!(outcome.events.iter().filter(|event| data(event)).count(), 2);
    let end = serve(&Wire::client().post(1).data(1, true, b"")).1;
    assert_eq!(end.last(), Some(&Event::Data { stream: 1, range: 0..0, end_stream: true }));
    // Padding of all the frame.
    let padded = serve(&Wire::client().post(1).frame(0, 9, 1, &[3, 0, 0, 0])).1;
    assert_eq!(padded.last(), Some(&Event::Data { stream: 1, range: 0..0, end_stream: true }));
}

#[test]
fn windows_that_are_overrun() {
    let limits =
        || Limits { stream_window_bytes: 65_535, connection_window_bytes: 200_000, ..Limits::default() };
    // Nothing is consumed: the events are left where they are.
    let run = |wire: Wire| {
        let mut connection = Connection::server(limits());
        connection.start(&mut Vec::new());
        let (mut at, mut out, mut last) = (0, Vec::new(), None);
        while at < wire.0.len() {
            let step = connection.receive(&wire.0[at..], &mut out);
            at += step.consumed;
            last = step.event.or(last);
        }
        (last, out)
    };
    let fill = |wire: Wire, stream: u32| {
        (0..4).fold(wire, |wire, n| wire.data(stream, false, &vec![0; 16_383 + usize::from(n < 3)]))
    };
    let (last, _) = run(fill(Wire::client().post(1), 1));
    assert!(matches!(last, Some(Event::Data { .. })), "65,535 fit");
    let (last, _) = run(fill(Wire::client().post(1), 1).data(1, false, b"x"));
    assert!(matches!(last, Some(Event::Reset { stream: 1, code: ErrorCode::FLOW_CONTROL_ERROR, .. })));
    let many = [1, 3, 5, 7].iter().fold(Wire::client(), |wire, id| fill(wire.post(*id), *id));
    let (last, _) = run(many);
    assert!(matches!(last, Some(Event::ConnectionError { code: ErrorCode::FLOW_CONTROL_ERROR, .. })));
}

#[test]
fn a_stalled_stream_stops_no_other_of_a_backend() {
    let limits = Limits::backend();
    assert!(limits.connection_window_bytes >= limits.streams * limits.stream_window_bytes);
}

#[test]
fn credit_goes_back_in_halves() {
    let mut wire = Wire::client().post(1);
    for _ in 0..40 {
        wire = wire.data(1, false, &[7; 1_000]);
    }
    let (_, outcome) = serve(&wire);
    let updates: Vec<(u32, u32)> = sent(&outcome.out)
        .iter()
        .filter(|sent| sent.kind == 8)
        .map(|sent| (sent.stream, frame::number(&sent.payload)))
        .collect();
    assert_eq!(updates, [(0, 33_000), (1, 33_000)]);
}

#[test]
fn answers_keep_to_the_windows() {
    let (mut connection, mut outcome) = serve(&Wire::client().settings(&[(4, 10)]).get(1).get(3));
    let out = &mut outcome.out;
    out.clear();
    connection.send_head(1, 200, [(&b"X-A"[..], &b"b"[..])], false, out).expect("open");
    assert_eq!((connection.sendable(1), connection.sendable(3), connection.sendable(9)), (10, 10, 0));
    assert_eq!(connection.send_data(1, b"hello world!", true, out), Ok(10));
    assert_eq!(connection.send_data(1, b"d!", true, out), Ok(0));
    assert_eq!(connection.data_header(3, 1, true, out), Err(SendError::Order), "no head yet");
    let frames = sent(out);
    assert_eq!(frames.len(), 2);
    assert_eq!(Fields::default().of(&frames[0].payload), [":status: 200", "x-a: b"]);
    assert_eq!(frames[1], Sent { kind: 0, flags: 0, stream: 1, payload: b"hello worl".to_vec() });

    let mut more = Outcome::default();
    feed(&mut connection, &Wire::default().window(1, 5).0, &mut more);
    assert_eq!(more.last(), Some(&Event::SendWindow { stream: Some(1) }));
    assert_eq!(connection.send_data(1, b"d!", true, &mut more.out), Ok(2));
    assert_eq!(sent(&more.out)[0], Sent { kind: 0, flags: END_STREAM, stream: 1, payload: b"d!".to_vec() });
    assert_eq!(connection.send_data(1, b"x", true, &mut more.out), Err(SendError::Gone));
    // Ended on both sides, so late updates are ignored; an open window is no event.
    feed(&mut connection, &Wire::default().window(1, 5).window(3, 5).0, &mut more);
    assert_eq!(more.events.len(), 1);
}

const END_STREAM: u8 = 1;

#[test]
fn windows_can_fall_below_zero() {
    let (mut connection, mut outcome) = serve(&Wire::client().get(1));
    connection.send_head(1, 200, [], false, &mut outcome.out).expect("open");
    assert_eq!(connection.send_data(1, &[0; 40_000], false, &mut outcome.out), Ok(40_000));
    feed(&mut connection, &Wire::default().settings(&[(4, 100)]).0, &mut outcome);
    assert_eq!(connection.sendable(1), 0, "65,535 - 40,000 - 65,435");
    feed(&mut connection, &Wire::default().window(1, 39_900).0, &mut outcome);
    assert_eq!((connection.sendable(1), outcome.last()), (0, Some(&Event::SettingsReceived)));
    feed(&mut connection, &Wire::default().window(1, 1).0, &mut outcome);
    assert_eq!((connection.sendable(1), outcome.last()), (1, Some(&Event::SendWindow { stream: Some(1) })));
    // A setting can't lift a window over the largest.
    let lifted = Wire::default().window(1, 0x7fff_0000).settings(&[(4, 0x7fff_ffff)]);
    feed(&mut connection, &lifted.0, &mut outcome);
    assert_eq!(outcome.fatal(), Some(ErrorCode::FLOW_CONTROL_ERROR));
}

#[test]
fn the_connections_window_holds_all_streams() {
    let (mut connection, mut outcome) = serve(&Wire::client().settings(&[(4, 100_000)]).get(1).get(3));
    for stream in [1, 3] {
        connection.send_head(stream, 200, [], false, &mut outcome.out).expect("open");
    }
    assert_eq!(connection.send_data(1, &[1; 70_000], true, &mut outcome.out), Ok(65_535));
    assert_eq!((connection.sendable(1), connection.sendable(3)), (0, 0));
    // An empty end needs no window.
    assert_eq!(connection.data_header(3, 0, true, &mut outcome.out), Ok(0));
    assert_eq!(connection.slot(3), None);
    feed(&mut connection, &Wire::default().window(0, 10_000).0, &mut outcome);
    assert_eq!(outcome.last(), Some(&Event::SendWindow { stream: None }));
    assert_eq!(connection.sendable(1), 10_000);
    let largest = sent(&outcome.out).iter().map(|sent| sent.payload.len()).max();
    assert_eq!(largest, Some(16_384), "the peer's frame size");
}

#[test]
fn large_heads_go_in_continuations() {
    let (mut connection, mut outcome) = serve(&Wire::client().get(1));
    outcome.out.clear();
    let values: Vec<Vec<u8>> = (0..9).map(|n| vec![b'#' + n; 5_000]).collect();
    let fields = values.iter().map(|value| (&b"Big"[..], &value[..]));
    connection.send_head(1, 200, fields, false, &mut outcome.out).expect("open");
    connection.send_trailers(1, [(&b"x"[..], &b"y"[..])], &mut outcome.out).expect("open");
    let frames = sent(&outcome.out);
    let shapes: Vec<(u8, u8)> = frames.iter().map(|sent| (sent.kind, sent.flags)).collect();
    assert_eq!(shapes, [(1, 0), (9, 0), (9, 4), (1, 5)]);
    let block: Vec<u8> = frames[..3].iter().flat_map(|sent| sent.payload.clone()).collect();
    let mut fields = Fields::default();
    assert_eq!(fields.of(&block).len(), 10);
    assert_eq!(fields.of(&frames[3].payload), ["x: y"]);
    assert_eq!(connection.open_streams(), 0);
}

#[test]
fn pieces_of_a_stream_that_was_reset_are_dropped() {
    let frame = Wire::default().frame(0, 9, 1, &[&[4][..], &[9; 1_000], &[0; 4]].concat());
    let (mut connection, mut outcome) = serve(&Wire::client().post(1));
    for cut in [9, 10, 11, 500, 1_009, 1_010] {
        let id = connection.last_stream + 2;
        let mut bytes = Wire::default().post(id).also(&frame.0).0;
        let start = bytes.len() - frame.0.len();
        bytes[start + 5..start + 9].copy_from_slice(&id.to_be_bytes());
        feed(&mut connection, &bytes[..start + cut], &mut outcome);
        connection.reset(id, ErrorCode::CANCEL, &mut outcome.out);
        let events = outcome.events.len();
        bytes[start + cut..].chunks(7).for_each(|piece| feed(&mut connection, piece, &mut outcome));
        assert_eq!(outcome.events.len(), events, "cut at {cut}");
    }
    // Every byte has been given back.
    assert_eq!(connection.receive_window.taken(), 0);
}
