//! What holds for every head, of a request and of a response: whole as in pieces, as the plain rule says, and the same
//! when it is written again.

use codec::h1::encode::{self, Lines};
use codec::h1::{Field, HeadError, HeadLimits, Progress};
use vocabulary::KnownField;

use crate::random::Random;
use crate::rules;

/// A head as the codec reads it, and what its kind adds to the shared properties.
pub(crate) trait Head: Default {
    /// The same as the plain rule reads it.
    type Rule<'a>: AsRef<rules::Common<'a>>;

    fn parse(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Progress, HeadError>;
    fn bytes(&self) -> &[u8];
    fn fields(&self) -> &[Field];
    fn name(&self, field: &Field) -> &[u8];
    fn value(&self, field: &Field) -> &[u8];
    fn find(&self, known: KnownField) -> Option<&[u8]>;
    fn is_hop_by_hop(&self, field: &Field) -> bool;
    fn keep_alive(&self) -> bool;

    /// The plain rule.
    fn rule<'a>(input: &'a [u8], limits: &HeadLimits) -> Option<Self::Rule<'a>>;
    /// What the head says beside its fields and its persistence, apart from where it lies.
    fn facts(&self) -> String;
    /// Panics where the head says other than the rule, beside fields and persistence.
    fn agrees(&self, rule: &Self::Rule<'_>);
    /// Writes the start line with its end.
    fn write_start(&self, out: &mut Vec<u8>);
}

/// Reads a head from any bytes, within the given limits and within small ones.
pub(crate) fn check<H: Head>(input: &[u8], limits: HeadLimits) {
    for limits in [limits, HeadLimits { target_bytes: 40, fields_bytes: 200, fields: 4 }] {
        check_within::<H>(input, &limits);
    }
}

fn check_within<H: Head>(input: &[u8], limits: &HeadLimits) {
    let mut head = H::default();
    let outcome = head.parse(input, limits);
    let rule = H::rule(input, limits);
    let pieces = in_pieces::<H>(input, limits);
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
    assert_eq!(consumed, rule.as_ref().consumed);
    fields_agree(&head, rule.as_ref());
    head.agrees(&rule);
    written_again(&head, limits);
}

fn in_pieces<H: Head>(input: &[u8], limits: &HeadLimits) -> Result<(H, Progress), HeadError> {
    let mut head = H::default();
    for end in Random::of(input).cuts(input.len()) {
        let progress = head.parse(&input[..end], limits)?;
        if let Progress::Complete { .. } = progress {
            return Ok((head, progress));
        }
    }
    Ok((head, Progress::Partial))
}

/// What a head says, apart from where it lies.
fn facts<H: Head>(head: &H) -> String {
    let fields: Vec<(&[u8], &[u8], bool)> = head
        .fields()
        .iter()
        .map(|field| (head.name(field), head.value(field), head.is_hop_by_hop(field)))
        .collect();
    format!("{} {} {fields:?}", head.facts(), head.keep_alive())
}

fn fields_agree<H: Head>(head: &H, rule: &rules::Common<'_>) {
    let read: Vec<rules::Pair<'_>> =
        head.fields().iter().map(|field| (head.name(field), head.value(field))).collect();
    assert_eq!(read, rule.fields.pairs);
    assert_eq!(head.keep_alive(), rule.fields.persists(rule.minor));
    for field in head.fields() {
        assert_eq!(head.is_hop_by_hop(field), rule.fields.hop_by_hop(head.name(field)));
        let named =
            rule.fields.pairs.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(head.name(field)));
        if field.known != KnownField::Other {
            assert_eq!(head.find(field.known), named.map(|(_, value)| *value));
        }
    }
}

/// Parse, encode, parse: the same. Lines that are copied in runs are the lines written one by one.
fn written_again<H: Head>(head: &H, limits: &HeadLimits) {
    let mut out = Vec::new();
    head.write_start(&mut out);
    let (mut copied, mut lines) = (out.clone(), Lines::of(head.bytes()));
    for field in head.fields() {
        encode::field(&mut out, head.name(field), head.value(field));
        lines.pass(field, &mut copied);
    }
    lines.flush(&mut copied);
    assert_eq!(out, copied, "lines copied in runs");
    out.extend_from_slice(b"\r\n");
    let mut again = H::default();
    // A space may be added after each colon.
    let limits = HeadLimits { fields_bytes: limits.fields_bytes + limits.fields, ..*limits };
    assert_eq!(again.parse(&out, &limits), Ok(Progress::Complete { consumed: out.len() }), "written again");
    assert_eq!(facts(head), facts(&again), "written again");
}

/// The parts of [`Head`] that the codec's own methods of the same names are.
macro_rules! as_the_codec_reads {
    () => {
        fn parse(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Progress, HeadError> {
            Self::parse(self, input, limits)
        }
        fn bytes(&self) -> &[u8] {
            Self::bytes(self)
        }
        fn fields(&self) -> &[Field] {
            Self::fields(self)
        }
        fn name(&self, field: &Field) -> &[u8] {
            Self::name(self, field)
        }
        fn value(&self, field: &Field) -> &[u8] {
            Self::value(self, field)
        }
        fn find(&self, known: KnownField) -> Option<&[u8]> {
            Self::find(self, known)
        }
        fn is_hop_by_hop(&self, field: &Field) -> bool {
            Self::is_hop_by_hop(self, field)
        }
        fn keep_alive(&self) -> bool {
            Self::keep_alive(self)
        }
    };
}
pub(crate) use as_the_codec_reads;
