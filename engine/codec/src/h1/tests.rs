//! Accepted and refused heads and bodies, each split at every byte.

use vocabulary::{KnownField, Method};

use super::*;

fn parse(input: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    let limits = HeadLimits::default();
    let mut whole = RequestHead::default();
    let outcome = whole.parse(input, &limits);
    for split in 0..input.len() {
        let mut pieces = RequestHead::default();
        let first = pieces.parse(&input[..split], &limits);
        let second = match first {
            Ok(Progress::Partial) => pieces.parse(input, &limits),
            decided => decided,
        };
        assert_eq!(second.is_ok(), outcome.is_ok(), "split at {split}");
        if let (Ok(Progress::Complete { consumed }), Ok(Progress::Complete { consumed: expected })) =
            (second, outcome)
        {
            assert_eq!(consumed, expected, "split at {split}");
            assert_eq!(pieces.bytes(), whole.bytes());
        }
    }
    Ok(match outcome? {
        Progress::Complete { .. } => Some(whole),
        Progress::Partial => None,
    })
}

fn accepted(input: &[u8]) -> RequestHead {
    parse(input).expect("accepted").expect("whole")
}

#[test]
fn a_plain_head_is_read() {
    let head = accepted(
        b"GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nX-Empty:\r\nUser-Agent:  x y \r\n\r\nrest",
    );
    assert_eq!((head.method(), head.path(), head.query()), (Method::Get, &b"/a/b"[..], Some(&b"c=d"[..])));
    assert_eq!(head.host(), b"example.com:8080");
    assert_eq!(head.find(KnownField::UserAgent), Some(&b"x y"[..]));
    assert_eq!((head.body(), head.keep_alive(), head.fields().len()), (BodyFraming::None, true, 3));
}

#[test]
fn forms_and_versions() {
    let head = accepted(b"GET http://other.example?q HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        (head.form(), head.host(), head.path()),
        (TargetForm::Absolute, &b"other.example"[..], &b"/"[..])
    );
    assert_eq!(head.query(), Some(&b"q"[..]));
    assert_eq!(accepted(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").form(), TargetForm::Asterisk);
    assert_eq!(accepted(b"\r\nPUT / HTTP/1.1\r\nHost: x\r\n\r\n").method(), Method::Put);
    let old = accepted(b"GET / HTTP/1.0\r\n\r\n");
    assert!(!old.keep_alive() && old.minor_version() == 0 && old.host().is_empty());
    assert!(accepted(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive());
    assert!(!accepted(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, close\r\n\r\n").keep_alive());
    assert!(
        accepted(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            .expect_continue()
    );
    assert_eq!(accepted(b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n").method_bytes(), b"BREW");
}

#[test]
fn connection_lists_go_no_further() {
    let head = accepted(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: x-secret, te\r\nX-Secret: 1\r\nX-Open: 2\r\nTE: a\r\n\r\n",
    );
    let hop: Vec<bool> = head.fields().iter().map(|field| head.is_hop_by_hop(field)).collect();
    assert_eq!(hop, [false, true, true, false, true]);
}

#[test]
fn refusals_name_their_clause() {
    let cases: &[(&[u8], HeadError)] = &[
        (b"GET / HTTP/1.1\nHost: x\r\n\r\n", HeadError::LineEnd),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", HeadError::Target),
        (b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", HeadError::Method),
        (b"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", HeadError::Target),
        (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", HeadError::Version),
        (b"GET /\r\nHost: x\r\n\r\n", HeadError::StartLine),
        (b"GET / HTTP/1.1\r\n\r\n", HeadError::Host),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", HeadError::Host),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", HeadError::FieldName),
        (b"GET / HTTP/1.1\r\nHost: x\r\n fold\r\n\r\n", HeadError::FieldName),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", HeadError::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", HeadError::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", HeadError::ContentLength),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            HeadError::ContentLength,
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", HeadError::TransferCoding),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            HeadError::TransferEncoding,
        ),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::TransferEncoding),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            HeadError::TransferEncoding,
        ),
    ];
    for (input, expected) in cases {
        let error = parse(input).expect_err(&String::from_utf8_lossy(input));
        assert_eq!(error, *expected, "{}", String::from_utf8_lossy(input));
        assert!(error.clause().starts_with("RFC") && error.status() >= 400);
    }
}

#[test]
fn limits_are_kept() {
    let limits = HeadLimits { target_bytes: 20, fields_bytes: 40, fields: 2 };
    let try_head = |text: &str| RequestHead::default().parse(text.as_bytes(), &limits);
    assert!(try_head("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n").is_ok());
    assert_eq!(
        try_head(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(20))),
        Err(HeadError::TargetTooLong)
    );
    assert_eq!(try_head(&format!("GET /{}", "a".repeat(80))), Err(HeadError::TargetTooLong));
    assert_eq!(try_head("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\n\r\n"), Err(HeadError::FieldsTooLarge));
    assert_eq!(try_head(&format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(50))), Err(HeadError::FieldsTooLarge));
}

#[test]
fn start_lines_have_one_bound_whole_and_in_pieces() {
    let limits = HeadLimits { target_bytes: 20, fields_bytes: 40, fields: 2 };
    let fits = |method: usize| {
        let text = format!("{} /{} HTTP/1.1\r\nHost: x\r\n\r\n", "M".repeat(method), "a".repeat(19));
        let whole = RequestHead::default().parse(text.as_bytes(), &limits).is_ok();
        let mut pieces = RequestHead::default();
        let in_pieces = (1..=text.len()).all(|end| pieces.parse(&text.as_bytes()[..end], &limits).is_ok());
        assert_eq!(whole, in_pieces, "a method of {method}");
        whole
    };
    assert!(fits(38) && !fits(39) && !fits(1_000));
    let fits = |reason: usize| {
        let text = format!("HTTP/1.1 200 {}\r\n\r\n", "a".repeat(reason));
        let whole = ResponseHead::default().parse(text.as_bytes(), &limits).is_ok();
        let mut pieces = ResponseHead::default();
        let in_pieces = (1..=text.len()).all(|end| pieces.parse(&text.as_bytes()[..end], &limits).is_ok());
        assert_eq!(whole, in_pieces, "a reason of {reason}");
        whole
    };
    assert!(fits(27) && !fits(28) && !fits(1_000));
}

#[test]
fn responses_frame_their_bodies() {
    let read = |text: &str| {
        let mut head = ResponseHead::default();
        head.parse(text.as_bytes(), &HeadLimits::backend()).map(|_| head)
    };
    let head = read("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").expect("head");
    assert_eq!(
        (head.status(), head.reason(), head.body(Method::Get)),
        (200, &b"OK"[..], BodyFraming::Length(7))
    );
    assert_eq!((head.body(Method::Head), head.content_length()), (BodyFraming::None, Some(7)));
    assert_eq!(read("HTTP/1.1 200\r\n\r\n").expect("head").body(Method::Get), BodyFraming::UntilClose);
    assert_eq!(
        read("HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n").expect("head").body(Method::Get),
        BodyFraming::None
    );
    for bad in [
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 700 x\r\n\r\n",
        "HTTP/1.1 200 a\x01\r\n\r\n",
    ] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

fn decode(framing: BodyFraming, pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), BodyError> {
    let (mut decoder, mut body) = (BodyDecoder::new(framing), Vec::new());
    for piece in pieces {
        let mut rest: &[u8] = piece;
        while !rest.is_empty() && !decoder.is_done() {
            let decoded = decoder.next(rest)?;
            body.extend_from_slice(&rest[decoded.data]);
            rest = &rest[decoded.consumed..];
        }
    }
    Ok((body, decoder.is_done()))
}

#[test]
fn chunks_are_read_whatever_the_split() {
    let input = b"5;a=\"b\"\r\nhello\r\n00006\r\n world\r\n0\r\nX-T: v\r\n\r\n";
    for split in 0..=input.len() {
        let decoded = decode(BodyFraming::Chunked, &[&input[..split], &input[split..]]).expect("good");
        assert_eq!(decoded, (b"hello world".to_vec(), true), "split at {split}");
    }
    let single: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode(BodyFraming::Chunked, &single).expect("good").0, b"hello world");
}

#[test]
fn bad_chunks_are_refused() {
    for bad in [
        &b"\r\n"[..],
        b"g\r\n",
        b"+5\r\n",
        b"5\nhello",
        b"5\r\nhelloX",
        b"5\r\nhello\n",
        b"0\r\n\n",
        b"0\r\nA b\r\n\r\n",
        b"0\r\n A: b\r\n",
        b"1000000000000000\r\n",
        b"5;\x00\r\n",
        b"5\x0b\r\n",
    ] {
        assert!(decode(BodyFraming::Chunked, &[bad]).is_err(), "{}", String::from_utf8_lossy(bad));
    }
    let endless = [b"5;".to_vec(), vec![b'a'; 4096]].concat();
    assert_eq!(decode(BodyFraming::Chunked, &[&endless]), Err(BodyError::ChunkExtension));
    let endless = [b"0\r\n".to_vec(), b"A: b\r\n".repeat(4096)].concat();
    assert_eq!(decode(BodyFraming::Chunked, &[&endless]), Err(BodyError::Trailer));
}

#[test]
fn lengths_end_where_they_say() {
    assert_eq!(decode(BodyFraming::Length(3), &[b"ab", b"cd"]).expect("good"), (b"abc".to_vec(), true));
    assert_eq!(decode(BodyFraming::UntilClose, &[b"ab", b"cd"]).expect("good"), (b"abcd".to_vec(), false));
    assert!(
        BodyDecoder::new(BodyFraming::None).is_done() && BodyDecoder::new(BodyFraming::Length(0)).is_done()
    );
}

#[test]
fn output_is_canonical() {
    let mut out = Vec::new();
    encode::status_line(&mut out, 403);
    encode::field(&mut out, b"A", b"b");
    encode::content_length(&mut out, 1234);
    for len in [1, 15, 16, 255, 4096, 0xabcdef] {
        encode::chunk_prefix(&mut out, len);
    }
    let expected =
        "HTTP/1.1 403 Forbidden\r\nA: b\r\nContent-Length: 1234\r\n1\r\nf\r\n10\r\nff\r\n1000\r\nabcdef\r\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}
