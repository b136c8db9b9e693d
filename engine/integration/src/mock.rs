//! The status code that a mock's request template names.
//!
//! AWS: "Mock integrations for REST APIs". The service reads the rendered template as lenient JSON; which leniencies
//! it has is recorded for unquoted names and probed on an emulator for the rest.

/// Why a mock without a readable status code is refused; goes to the execution log.
pub const UNPARSABLE: &str =
    "Unable to parse statusCode. It should be an integer that is defined in the request template.";

/// The integer member `statusCode` of the outermost object, or `None`.
#[must_use]
pub fn parse_status_code(template: &str) -> Option<i64> {
    let inner = template.trim_ascii().strip_prefix('{')?.strip_suffix('}')?;
    let mut rest = inner.as_bytes();
    let mut status_code = None;
    loop {
        rest = skip(rest, |byte| byte == b',' || byte.is_ascii_whitespace());
        let Some(&first) = rest.first() else { return status_code };
        if matches!(first, b'{' | b'[') {
            return None;
        }
        let (name, after) = name(rest)?;
        let after = skip(after, |byte| byte.is_ascii_whitespace()).strip_prefix(b":")?;
        let (value, after) = value(skip(after, |byte| byte.is_ascii_whitespace()))?;
        if name == b"statusCode" {
            status_code = Some(integer(value)?);
        }
        rest = after;
    }
}

fn skip(bytes: &[u8], skipped: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|&byte| !skipped(byte)).unwrap_or(bytes.len());
    &bytes[end..]
}

/// A member's name, quoted either way or bare, and what follows.
fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if matches!(bytes[0], b'"' | b'\'') {
        let (quoted, after) = quoted(bytes)?;
        return Some((&quoted[1..quoted.len() - 1], after));
    }
    let end = bytes.iter().position(|&byte| byte == b':')?;
    Some((bytes[..end].trim_ascii(), &bytes[end..]))
}

/// A member's value as written, and what follows.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes.first() {
        Some(b'"' | b'\'') => quoted(bytes),
        Some(b'{' | b'[') => nested(bytes),
        _ => {
            let end = bytes.iter().position(|&byte| byte == b',').unwrap_or(bytes.len());
            Some((bytes[..end].trim_ascii(), &bytes[end..]))
        }
    }
}

/// A string with its quotes, and what follows.
fn quoted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(bytes.split_at(at + 1)),
            _ => at += 1,
        }
    }
    None
}

/// An object or array, and what follows.
fn nested(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at += quoted(&bytes[at..])?.0.len() - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(bytes.split_at(at));
        }
    }
    None
}

fn integer(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if plain { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_read_leniently() {
        for (template, status_code) in [
            (r#"{"statusCode": 200}"#, Some(200)),
            ("{statusCode: 200}", Some(200)),
            ("{'statusCode': 200}", Some(200)),
            ("  {\n\"statusCode\" : 404 ,\n}\n", Some(404)),
            ("{,statusCode: 200,,}", Some(200)),
            ("{null : null, statusCode: 200}", Some(200)),
            ("{statusCode: 200, }foo: [ba r]}", Some(200)),
            (r#"{"a": {"statusCode": 1}, "statusCode": 201, "b": ["}", 2]}"#, Some(201)),
            ("{statusCode: 0}", Some(0)),
            ("{statusCode: -1000}", Some(-1000)),
            (r#"{"statusCode": "200"}"#, None),
            (r#"{"statusCode": 200.5}"#, None),
            (r#"{"statusCode": }"#, None),
            (r#"{"statusCode": true}"#, None),
            (r#"{'statusCode": 200}"#, None),
            (r#"{"statusCode: 200}"#, None),
            ("statusCode: 200", None),
            ("{statusCode: 200", None),
            ("{{statusCode: 200}}", None),
            ("{[1], statusCode: 200}", None),
            ("{}", None),
            ("", None),
            (r#"{"other": 200}"#, None),
            ("{a: [}", None),
        ] {
            assert_eq!(parse_status_code(template), status_code, "{template}");
        }
    }
}
