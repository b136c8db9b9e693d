//! Request heads: whole, in pieces, against the plain rule, and written again.

use codec::h1::encode::{self, Lines};
use codec::h1::{HeadError, HeadLimits, Progress, RequestHead};
use vocabulary::Method;

use crate::random::Random;
use crate::rules;

/// Reads a request head from any bytes, within the default limits and within small ones.
pub fn request_head(input: &[u8]) {
    for limits in [HeadLimits::default(), HeadLimits { target_bytes: 40, fields_bytes: 200, fields: 4 }] {
        check(input, &limits);
    }
}

fn check(input: &[u8], limits: &HeadLimits) {
    let mut head = RequestHead::default();
    let outcome = head.parse(input, limits);
    let rule = rules::request(input, limits);
    let pieces = in_pieces(input, limits);
    let Ok(Progress::Complete { consumed }) = outcome else {
        assert!(rule.is_none(), "refused, against the rule: {outcome:?}");
        // Pieces may be refused where the whole is only not finished, never the other way round.
        assert!(!matches!(pieces, Ok((_, Progress::Complete { .. }))), "pieces accepted, the whole not");
        return;
    };
    let Ok((pieces, Progress::Complete { consumed: in_pieces })) = pieces else {
        panic!("the whole accepted, pieces not");
    };
    assert_eq!((consumed, head.bytes()), (in_pieces, pieces.bytes()), "pieces read otherwise");
    assert_eq!(facts(&head), facts(&pieces), "pieces read otherwise");
    let rule = rule.expect("accepted, against the rule");
    agrees(&head, consumed, &rule);
    written_again(&head, limits);
}

fn in_pieces(input: &[u8], limits: &HeadLimits) -> Result<(RequestHead, Progress), HeadError> {
    let mut head = RequestHead::default();
    for end in Random::of(input).cuts(input.len()) {
        let progress = head.parse(&input[..end], limits)?;
        if let Progress::Complete { .. } = progress {
            return Ok((head, progress));
        }
    }
    Ok((head, Progress::Partial))
}

/// What a head says, apart from where it lies.
fn facts(head: &RequestHead) -> String {
    let fields: Vec<(&[u8], &[u8], bool)> = head
        .fields()
        .iter()
        .map(|field| (head.name(field), head.value(field), head.is_hop_by_hop(field)))
        .collect();
    let flags = (head.keep_alive(), head.expect_continue(), head.minor_version());
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {flags:?} {fields:?}",
        head.method_bytes(),
        head.path(),
        head.query(),
        head.host(),
        head.form(),
        head.body()
    )
}

fn agrees(head: &RequestHead, consumed: usize, rule: &rules::Request<'_>) {
    let read: Vec<rules::Pair<'_>> =
        head.fields().iter().map(|field| (head.name(field), head.value(field))).collect();
    assert_eq!(read, rule.fields.pairs);
    assert_eq!(
        (consumed, head.method_bytes(), head.path(), head.query()),
        (rule.consumed, rule.method, rule.path, rule.query)
    );
    assert_eq!(head.method(), Method::from_bytes(rule.method));
    assert_eq!((head.host(), head.minor_version()), (rule.host, rule.minor));
    assert_eq!(head.body(), rule.fields.request_framing());
    assert_eq!(head.keep_alive(), rule.fields.persists(rule.minor));
    let expects = |pair: &rules::Pair<'_>| {
        pair.0.eq_ignore_ascii_case(b"expect") && pair.1.eq_ignore_ascii_case(b"100-continue")
    };
    assert_eq!(head.expect_continue(), rule.minor == 1 && rule.fields.pairs.iter().any(expects));
    for field in head.fields() {
        assert_eq!(head.is_hop_by_hop(field), rule.fields.hop_by_hop(head.name(field)));
        let named =
            rule.fields.pairs.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(head.name(field)));
        if field.known != vocabulary::KnownField::Other {
            assert_eq!(head.find(field.known), named.map(|(_, value)| *value));
        }
    }
}

/// Parse, encode, parse: the same. Lines that are copied in runs are the lines written one by one.
fn written_again(head: &RequestHead, limits: &HeadLimits) {
    let start = head.bytes().strip_prefix(b"\r\n").unwrap_or(head.bytes());
    let line_end = start.iter().position(|octet| *octet == b'\r').unwrap_or(0);
    let mut out = [&start[..line_end], b"\r\n"].concat();
    let (mut copied, mut lines) = (out.clone(), Lines::of(head.bytes()));
    for field in head.fields() {
        encode::field(&mut out, head.name(field), head.value(field));
        lines.pass(field, &mut copied);
    }
    lines.flush(&mut copied);
    assert_eq!(out, copied, "lines copied in runs");
    out.extend_from_slice(b"\r\n");
    let mut again = RequestHead::default();
    // A space may be added after each colon.
    let limits = HeadLimits { fields_bytes: limits.fields_bytes + limits.fields, ..*limits };
    assert_eq!(again.parse(&out, &limits), Ok(Progress::Complete { consumed: out.len() }), "written again");
    assert_eq!(facts(head), facts(&again), "written again");
}
