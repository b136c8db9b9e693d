//! Access-log formats, compiled once into literals and variables.
//!
//! Values are put in as they are, as AWS does: a quote in a user agent is not escaped. No value can hold a line end,
//! because heads with one are refused, so a record is always one line.

use context::{ContextVariable, Facts};
use vocabulary::limits::ACCESS_LOG_FORMAT_BYTES;

/// AWS's Common Log Format example for REST APIs.
pub const CLF: &str = "$context.identity.sourceIp $context.identity.caller $context.identity.user \
[$context.requestTime] \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status \
$context.responseLength $context.requestId $context.extendedRequestId";

/// AWS's JSON example for REST APIs.
pub const JSON: &str = "{ \"requestId\":\"$context.requestId\", \
\"extendedRequestId\":\"$context.extendedRequestId\",\"ip\": \"$context.identity.sourceIp\", \
\"caller\":\"$context.identity.caller\", \"user\":\"$context.identity.user\", \
\"requestTime\":\"$context.requestTime\", \"httpMethod\":\"$context.httpMethod\", \
\"resourcePath\":\"$context.resourcePath\", \"status\":\"$context.status\", \"protocol\":\"$context.protocol\", \
\"responseLength\":\"$context.responseLength\" }";

/// Why a format is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// AWS: "Access Log value must not be empty".
    Empty,
    /// Over 3 KB.
    TooLong,
    /// More than one line.
    SeveralLines,
    /// Neither `$context.requestId` nor `$context.extendedRequestId` is in it.
    NoRequestId,
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            FormatError::Empty => "an access-log format must not be empty",
            FormatError::TooLong => "an access-log format has at most 3,072 bytes",
            FormatError::SeveralLines => "an access-log format is a single line",
            FormatError::NoRequestId => {
                "an access-log format must contain $context.requestId or $context.extendedRequestId"
            }
        })
    }
}

impl std::error::Error for FormatError {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Box<[u8]>),
    Variable(ContextVariable),
}

/// A compiled format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    segments: Vec<Segment>,
}

impl Format {
    /// Compiles a format. A variable without a value here (also one that AWS doesn't know) is `-`.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn compile(text: &str) -> Result<Self, FormatError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.is_empty() {
            return Err(FormatError::Empty);
        }
        if text.len() > ACCESS_LOG_FORMAT_BYTES {
            return Err(FormatError::TooLong);
        }
        if text.contains(['\n', '\r']) {
            return Err(FormatError::SeveralLines);
        }
        let segments = split(text);
        let has_id = segments.iter().any(|segment| {
            matches!(
                segment,
                Segment::Variable(ContextVariable::RequestId | ContextVariable::ExtendedRequestId)
            )
        });
        if has_id { Ok(Format { segments }) } else { Err(FormatError::NoRequestId) }
    }

    /// Appends one record and its line end.
    pub fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => out.extend_from_slice(literal),
                Segment::Variable(variable) => {
                    if !facts.write(*variable, out) {
                        out.push(b'-');
                    }
                }
            }
        }
        out.push(b'\n');
    }
}

fn split(text: &str) -> Vec<Segment> {
    const PREFIX: &str = "$context.";
    let mut segments: Vec<Segment> = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        literal.push_str(&rest[..at]);
        let name_at = at + PREFIX.len();
        let len = rest[name_at..].find(|c: char| !is_name(c)).unwrap_or(rest.len() - name_at);
        // A full stop at the end belongs to the text around the variable.
        let name = rest[name_at..name_at + len].trim_end_matches('.');
        match ContextVariable::from_name(name) {
            Some(variable) => {
                if !literal.is_empty() {
                    segments.push(Segment::Literal(std::mem::take(&mut literal).into_bytes().into()));
                }
                segments.push(Segment::Variable(variable));
            }
            None => literal.push('-'),
        }
        rest = &rest[name_at + name.len()..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        segments.push(Segment::Literal(literal.into_bytes().into()));
    }
    segments
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use codec::h1::HeadLimits;
    use context::{Exchange, RouteFacts, StageFacts};

    use super::*;

    fn line(format: &str) -> String {
        let mut exchange = Exchange::default();
        let head = b"GET /pets HTTP/1.1\r\nHost: x\r\nUser-Agent: a \"b\"\r\n\r\n";
        exchange.request.parse(head, &HeadLimits::default()).expect("head");
        exchange.arrive(0, 1_626_327_316_000, [0; 6]);
        exchange.method = vocabulary::Method::Get;
        exchange.status = 200;
        exchange.response_length = 1309;
        let (stage, route) = (
            StageFacts { stage: "prod".into(), ..StageFacts::default() },
            RouteFacts { resource_path: "/pets".into(), ..RouteFacts::default() },
        );
        let mut out = Vec::new();
        let facts = Facts { exchange: &exchange, stage: Some(&stage), route: Some(&route) };
        Format::compile(format).expect("format").write(&facts, &mut out);
        String::from_utf8(out).expect("text")
    }

    const ID: &str = "00000000-0000-4000-8000-000000000000";

    #[test]
    fn reference_formats_are_exact() {
        let clf = format!(
            "0.0.0.0 - - [15/Jul/2021:05:35:16 +0000] \"GET /pets HTTP/1.1\" 200 1309 {ID} AAAAAAAAAAAAAAA=\n"
        );
        assert_eq!(line(CLF), clf);
        let json = format!(
            "{{ \"requestId\":\"{ID}\", \"extendedRequestId\":\"AAAAAAAAAAAAAAA=\",\"ip\": \"0.0.0.0\", \"caller\":\"-\", \
             \"user\":\"-\", \"requestTime\":\"15/Jul/2021:05:35:16 +0000\", \"httpMethod\":\"GET\", \
             \"resourcePath\":\"/pets\", \"status\":\"200\", \"protocol\":\"HTTP/1.1\", \"responseLength\":\"1309\" }}\n"
        );
        assert_eq!(line(JSON), json);
    }

    #[test]
    fn odd_formats() {
        assert_eq!(line("$context.requestId."), format!("{ID}.\n"));
        assert_eq!(line("$context.nope|$context.requestId|$Context.x"), format!("-|{ID}|$Context.x\n"));
        assert_eq!(line("$context.requestId $context.identity.userAgent"), format!("{ID} a \"b\"\n"));
        assert_eq!(Format::compile("$context.status"), Err(FormatError::NoRequestId));
        assert_eq!(Format::compile("\n"), Err(FormatError::Empty));
        assert_eq!(Format::compile("$context.requestId\nx"), Err(FormatError::SeveralLines));
        assert_eq!(
            Format::compile(&format!("$context.requestId{}", "x".repeat(3072))),
            Err(FormatError::TooLong)
        );
    }
}
