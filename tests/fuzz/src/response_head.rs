//! Response heads: whole, in pieces, against the plain rule, and written again.

use codec::h1::{HeadError, HeadLimits, Progress, ResponseHead, encode};
use vocabulary::Method;

use crate::random::Random;
use crate::rules;

/// Reads a response head from any bytes, within a backend's limits and within small ones.
pub fn response_head(input: &[u8]) {
    for limits in [HeadLimits::backend(), HeadLimits { target_bytes: 40, fields_bytes: 200, fields: 4 }] {
        check(input, &limits);
    }
}

fn check(input: &[u8], limits: &HeadLimits) {
    let mut head = ResponseHead::default();
    let outcome = head.parse(input, limits);
    let rule = rules::response(input, limits);
    let pieces = in_pieces(input, limits);
    let Ok(Progress::Complete { consumed }) = outcome else {
        assert!(rule.is_none(), "refused, against the rule: {outcome:?}");
        assert!(!matches!(pieces, Ok((_, Progress::Complete { .. }))), "pieces accepted, the whole not");
        return;
    };
    let Ok((pieces, Progress::Complete { consumed: in_pieces })) = pieces else {
        panic!("the whole accepted, pieces not");
    };
    assert_eq!((consumed, head.bytes()), (in_pieces, pieces.bytes()), "pieces read otherwise");
    assert_eq!(facts(&head), facts(&pieces), "pieces read otherwise");
    agrees(&head, consumed, &rule.expect("accepted, against the rule"));
    written_again(&head, limits);
}

fn in_pieces(input: &[u8], limits: &HeadLimits) -> Result<(ResponseHead, Progress), HeadError> {
    let mut head = ResponseHead::default();
    for end in Random::of(input).cuts(input.len()) {
        let progress = head.parse(&input[..end], limits)?;
        if let Progress::Complete { .. } = progress {
            return Ok((head, progress));
        }
    }
    Ok((head, Progress::Partial))
}

/// What a head says, apart from where it lies and from the reason phrase, which nobody acts on.
fn facts(head: &ResponseHead) -> String {
    let fields: Vec<(&[u8], &[u8], bool)> = head
        .fields()
        .iter()
        .map(|field| (head.name(field), head.value(field), head.is_hop_by_hop(field)))
        .collect();
    let framing = [Method::Get, Method::Head].map(|method| head.body(method));
    format!("{} {framing:?} {:?} {} {fields:?}", head.status(), head.content_length(), head.keep_alive())
}

fn agrees(head: &ResponseHead, consumed: usize, rule: &rules::Response<'_>) {
    let read: Vec<rules::Pair<'_>> =
        head.fields().iter().map(|field| (head.name(field), head.value(field))).collect();
    assert_eq!(read, rule.fields.pairs);
    assert_eq!((consumed, head.status(), head.reason()), (rule.consumed, rule.status, rule.reason));
    assert_eq!(head.content_length(), rule.fields.length);
    assert_eq!(head.keep_alive(), rule.fields.persists(rule.minor));
    for method in [Method::Get, Method::Head, Method::Other] {
        assert_eq!(head.body(method), rule.framing(method));
    }
    for field in head.fields() {
        assert_eq!(head.is_hop_by_hop(field), rule.fields.hop_by_hop(head.name(field)));
    }
}

fn written_again(head: &ResponseHead, limits: &HeadLimits) {
    let mut out = Vec::new();
    encode::status_line(&mut out, head.status());
    if head.bytes().starts_with(b"HTTP/1.0") {
        out[7] = b'0';
    }
    for field in head.fields() {
        encode::field(&mut out, head.name(field), head.value(field));
    }
    out.extend_from_slice(b"\r\n");
    let mut again = ResponseHead::default();
    let limits = HeadLimits { fields_bytes: limits.fields_bytes + limits.fields, ..*limits };
    assert_eq!(again.parse(&out, &limits), Ok(Progress::Complete { consumed: out.len() }), "written again");
    assert_eq!(facts(head), facts(&again), "written again");
}
