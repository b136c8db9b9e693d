//! The cases, as data: a group, a name, the bytes, what must become of them, and the clause that says so.

/// What must become of a case.
pub(super) enum Fate {
    /// An error and a closed connection; the backend sees no complete request.
    Refused,
    /// The backend sees exactly these targets, in canonical form.
    Forwarded(&'static [&'static str]),
}

/// One case.
pub(super) struct Case {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) fate: Fate,
    pub(super) clause: &'static str,
    /// Whether the client ends its side after the last byte.
    pub(super) half_close: bool,
}

/// The request that an attacker wants to slip through.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/// Every case.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    both_lengths(&mut cases);
    coding_values(&mut cases);
    coding_names(&mut cases);
    length_values(&mut cases);
    chunks(&mut cases);
    request_lines(&mut cases);
    headers(&mut cases);
    bodies(&mut cases);
    cases
}

fn push(
    cases: &mut Vec<Case>,
    group: &'static str,
    name: &str,
    bytes: impl Into<Vec<u8>>,
    clause: &'static str,
) {
    let (name, bytes) = (name.escape_debug().to_string(), bytes.into());
    cases.push(Case { group, name, bytes, fate: Fate::Refused, clause, half_close: false });
}

fn accept(
    cases: &mut Vec<Case>,
    group: &'static str,
    name: &str,
    bytes: impl Into<Vec<u8>>,
    targets: &'static [&'static str],
    clause: &'static str,
) {
    push(cases, group, name, bytes, clause);
    if let Some(case) = cases.last_mut() {
        case.fate = Fate::Forwarded(targets);
    }
}

/// A POST with the given field lines, each ended by the caller.
fn post(fields: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}")
}

fn both_lengths(cases: &mut Vec<Case>) {
    let clause = "RFC 9112 §6.3 item 3";
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let long = hidden.len();
    for (name, fields) in [
        ("length first", format!("Content-Length: {long}\r\nTransfer-Encoding: chunked\r\n")),
        ("coding first", format!("Transfer-Encoding: chunked\r\nContent-Length: {long}\r\n")),
        ("length zero", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        ("lower case", format!("content-length: {long}\r\ntransfer-encoding: chunked\r\n")),
        ("mixed case", format!("CoNtEnT-LeNgTh: {long}\r\nTrAnSfEr-EnCoDiNg: ChUnKeD\r\n")),
        ("no space after colon", format!("Content-Length:{long}\r\nTransfer-Encoding:chunked\r\n")),
        ("tab after colon", format!("Content-Length:\t{long}\r\nTransfer-Encoding:\tchunked\r\n")),
        ("a field between", format!("Content-Length: {long}\r\nX: y\r\nTransfer-Encoding: chunked\r\n")),
        ("length four", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        (
            "coding twice",
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: {long}\r\n"),
        ),
        (
            "length named in Connection",
            format!("Connection: content-length\r\nContent-Length: {long}\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "coding named in Connection",
            format!(
                "Connection: transfer-encoding\r\nContent-Length: {long}\r\nTransfer-Encoding: chunked\r\n"
            ),
        ),
    ] {
        push(cases, "cl-te", name, post(&fields, &hidden), clause);
    }
}

fn coding_values(cases: &mut Vec<Case>) {
    let clause = "RFC 9112 §6.1";
    for value in [
        "chunked, chunked",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, identity",
        "identity",
        "identity, chunked",
        "gzip",
        "xchunked",
        "chunkedx",
        "chunke",
        "chunked;q=1",
        "chunked;a=b",
        "\"chunked\"",
        "'chunked'",
        "chunked,",
        ",chunked",
        ", chunked",
        "chunked gzip",
        "",
        "chu nked",
        "chunked\u{b}",
        "\u{b}chunked",
        "chunked\u{c}",
        "chunked\0",
        "chunk\u{e9}d",
        "chunked\u{a0}",
        "chunked\u{7f}",
    ] {
        let fields = format!("Transfer-Encoding: {value}\r\n");
        push(cases, "te-value", value, post(&fields, &format!("0\r\n\r\n{HIDDEN}")), clause);
    }
    for value in ["chunked", "CHUNKED", "Chunked", "  chunked  ", "\tchunked\t"] {
        let fields = format!("Transfer-Encoding: {value}\r\n");
        let bytes = post(&fields, "2\r\nhi\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        accept(cases, "te-value", value, bytes, &["/a", "/b"], "RFC 9112 §7.1");
    }
}

fn coding_names(cases: &mut Vec<Case>) {
    for (name, line, clause) in [
        ("space before colon", "Transfer-Encoding : chunked", "RFC 9112 §5.1"),
        ("tab before colon", "Transfer-Encoding\t: chunked", "RFC 9112 §5.1"),
        ("leading space", " Transfer-Encoding: chunked", "RFC 9112 §5.2"),
        ("leading tab", "\tTransfer-Encoding: chunked", "RFC 9112 §5.2"),
        ("folded value", "Transfer-Encoding:\r\n chunked", "RFC 9112 §5.2"),
        ("folded with tab", "Transfer-Encoding:\r\n\tchunked", "RFC 9112 §5.2"),
        ("fold of another field", "X: y\r\n Transfer-Encoding: chunked", "RFC 9112 §5.2"),
        ("after bare CR", "X: y\rTransfer-Encoding: chunked", "RFC 9112 §2.2"),
        ("after bare LF", "X: y\nTransfer-Encoding: chunked", "RFC 9112 §2.2"),
        ("ended by bare LF", "Transfer-Encoding: chunked\nX: y", "RFC 9112 §2.2"),
        ("NUL in name", "Transfer-\0Encoding: chunked", "RFC 9110 §5.1"),
        ("NUL before name", "\0Transfer-Encoding: chunked", "RFC 9110 §5.1"),
        ("vertical tab before colon", "Transfer-Encoding\u{b}: chunked", "RFC 9110 §5.1"),
        ("non-ASCII letter", "Transfer-Encod\u{131}ng: chunked", "RFC 9110 §5.1"),
        ("parenthesis", "Transfer-Encoding(: chunked", "RFC 9110 §5.1"),
        ("quoted", "\"Transfer-Encoding\": chunked", "RFC 9110 §5.1"),
        ("no colon", "Transfer-Encoding chunked", "RFC 9112 §5"),
        ("equals sign", "Transfer-Encoding=chunked", "RFC 9112 §5"),
        ("no name", ": chunked", "RFC 9112 §5"),
    ] {
        let fields = format!("{line}\r\nContent-Length: {}\r\n", 5 + HIDDEN.len());
        push(cases, "te-name", name, post(&fields, &format!("0\r\n\r\n{HIDDEN}")), clause);
    }
}

fn length_values(cases: &mut Vec<Case>) {
    let clause = "RFC 9110 §8.6";
    for value in [
        "+2",
        "-2",
        "2,2",
        "2, 2",
        "2,3",
        "2 2",
        "0x2",
        "2.0",
        "2e0",
        "",
        "2;",
        "\"2\"",
        "2\u{b}",
        "2\0",
        "\u{662}",
        "2_0",
        "two",
        "18446744073709551616",
        "18446744073709551618",
        "99999999999999999999999999",
        "2\u{a0}",
        "#2",
        "2h",
        "0 2",
    ] {
        push(
            cases,
            "cl-value",
            value,
            post(&format!("Content-Length: {value}\r\n"), &format!("hi{HIDDEN}")),
            clause,
        );
    }
    for (name, fields) in [
        ("two that differ", "Content-Length: 2\r\nContent-Length: 0\r\n"),
        ("two that agree", "Content-Length: 2\r\nContent-Length: 2\r\n"),
        ("two in other case", "Content-Length: 2\r\ncontent-length: 5\r\n"),
        ("two apart", "Content-Length: 0\r\nX: y\r\nContent-Length: 2\r\n"),
        ("space before colon", "Content-Length : 2\r\n"),
        ("fold", "Content-Length:\r\n 2\r\n"),
        ("folded digits", "Content-Length: 2\r\n 0\r\n"),
    ] {
        push(cases, "cl-value", name, post(fields, &format!("hi{HIDDEN}")), "RFC 9112 §6.3 item 5");
    }
    let next = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    accept(
        cases,
        "cl-value",
        "2",
        post("Content-Length: 2\r\n", &format!("hi{next}")),
        &["/a", "/b"],
        clause,
    );
    accept(
        cases,
        "cl-value",
        "padded",
        post("Content-Length: \t2 \t\r\n", &format!("hi{next}")),
        &["/a", "/b"],
        "RFC 9112 §5.1",
    );
}

fn chunks(cases: &mut Vec<Case>) {
    let clause = "RFC 9112 §7.1";
    let long_extension = format!("2;{}\r\nhi\r\n0\r\n\r\n", "x".repeat(20_000));
    let long_trailer = format!("2\r\nhi\r\n0\r\nT: {}\r\n\r\n", "x".repeat(70_000));
    for (name, body) in [
        ("size not hexadecimal", "2g\r\nhi\r\n0\r\n\r\n"),
        ("size with prefix", "0x2\r\nhi\r\n0\r\n\r\n"),
        ("size with minus", "-2\r\nhi\r\n0\r\n\r\n"),
        ("size with plus", "+2\r\nhi\r\n0\r\n\r\n"),
        ("space before size", " 2\r\nhi\r\n0\r\n\r\n"),
        ("tab before size", "\t2\r\nhi\r\n0\r\n\r\n"),
        ("no size", "\r\nhi\r\n0\r\n\r\n"),
        ("extension without size", ";x\r\nhi\r\n0\r\n\r\n"),
        ("size overflows", "10000000000000002\r\nhi\r\n0\r\n\r\n"),
        ("size overflows far", "fffffffffffffffffffff\r\nhi\r\n0\r\n\r\n"),
        ("size ended by LF", "2\nhi\r\n0\r\n\r\n"),
        ("size ended by CR", "2\rhi\r\n0\r\n\r\n"),
        ("size ended by CR CR LF", "2\r\r\nhi\r\n0\r\n\r\n"),
        ("data longer than size", "2\r\nhigh\r\n0\r\n\r\n"),
        ("data shorter than size", "3\r\nhi\r\n0\r\n\r\n"),
        ("data not ended", "2\r\nhi0\r\n\r\n"),
        ("data ended by LF", "2\r\nhi\n0\r\n\r\n"),
        ("data ended by CR", "2\r\nhi\r0\r\n\r\n"),
        ("last chunk ended by LF", "2\r\nhi\r\n0\n\r\n"),
        ("end by LF", "2\r\nhi\r\n0\r\n\n"),
        ("LF in extension", "2;x\ny\r\nhi\r\n0\r\n\r\n"),
        ("CR in extension", "2;x\ry\r\nhi\r\n0\r\n\r\n"),
        ("NUL in extension", "2;x\0y\r\nhi\r\n0\r\n\r\n"),
        ("NUL in size", "2\0\r\nhi\r\n0\r\n\r\n"),
        ("comma in size", "2,2\r\nhi\r\n0\r\n\r\n"),
        ("extension too long", long_extension.as_str()),
        ("trailer too long", long_trailer.as_str()),
        ("trailer without colon", "2\r\nhi\r\n0\r\nT\r\n\r\n"),
        ("trailer with space before colon", "2\r\nhi\r\n0\r\nT : x\r\n\r\n"),
        ("trailer ended by LF", "2\r\nhi\r\n0\r\nT: x\n\r\n"),
        ("folded trailer", "2\r\nhi\r\n0\r\nT: x\r\n y\r\n\r\n"),
        ("NUL in trailer", "2\r\nhi\r\n0\r\nT: \0\r\n\r\n"),
    ] {
        let body = format!("{body}{HIDDEN}");
        push(cases, "chunk", name, post("Transfer-Encoding: chunked\r\n", &body), clause);
    }
    let next = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    for (name, body) in [
        ("two chunks", "1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"),
        ("leading zeros", "0002\r\nhi\r\n0\r\n\r\n"),
        ("upper-case size", "A\r\n0123456789\r\n0\r\n\r\n"),
        ("extension", "2;a=b\r\nhi\r\n0;c\r\n\r\n"),
        (
            "trailer that looks like framing",
            "2\r\nhi\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: gzip\r\n\r\n",
        ),
        ("empty body", "0\r\n\r\n"),
    ] {
        let body = format!("{body}{next}");
        accept(cases, "chunk", name, post("Transfer-Encoding: chunked\r\n", &body), &["/a", "/b"], clause);
    }
}

/// Request lines that no grammar allows.
const LINES: &[&str] = &[
    "GET  /a HTTP/1.1",
    "GET /a  HTTP/1.1",
    "GET\t/a\tHTTP/1.1",
    " GET /a HTTP/1.1",
    "GET /a HTTP/1.1 ",
    "GET /a HTTP/1.1\t",
    "GET /a",
    "GET",
    "GET /a HTTP/",
    "GET /a http/1.1",
    "GET /a HTTP/1.10",
    "GET /a HTTP/01.1",
    "GET /a HTTP/1",
    "GET /a HTTP/1,1",
    "GET /a HTTP/2.0",
    "GET /a HTTP/3.1",
    "GET /a HTTP/0.9",
    "GET /a XTTP/1.1",
    "G@T /a HTTP/1.1",
    "G\0T /a HTTP/1.1",
    "(GET) /a HTTP/1.1",
    " /a HTTP/1.1",
    "GET a HTTP/1.1",
    "GET  HTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET /a\0 HTTP/1.1",
    "GET /a\u{b} HTTP/1.1",
    "GET /a\u{7f} HTTP/1.1",
    "GET /a\u{e9} HTTP/1.1",
    "GET /a#b HTTP/1.1",
    "GET http://user@h/a HTTP/1.1",
    "GET http:///a HTTP/1.1",
    "GET ftp://h/a HTTP/1.1",
    "GET * HTTP/1.1",
    "GET /a HTTP/1.1\rX: y",
    "GET /a HTTP/1.1\nX: y",
];

fn request_lines(cases: &mut Vec<Case>) {
    let clause = "RFC 9112 §3";
    for line in LINES {
        let bytes = format!("{line}\r\nHost: h\r\n\r\n{HIDDEN}");
        push(cases, "line", line, bytes, clause);
    }
    push(
        cases,
        "line",
        "CONNECT",
        format!("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n{HIDDEN}"),
        "RFC 9110 §9.3.6",
    );
    push(
        cases,
        "line",
        "almost the HTTP/2 preface",
        format!("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n{HIDDEN}"),
        "RFC 9113 §3.4",
    );
    push(
        cases,
        "line",
        "LF before the line",
        format!("\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n{HIDDEN}"),
        "RFC 9112 §2.2",
    );
    accept(
        cases,
        "line",
        "one CRLF before the line",
        "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        &["/a"],
        "RFC 9112 §2.2",
    );
    accept(
        cases,
        "line",
        "absolute form",
        "GET http://other/a HTTP/1.1\r\nHost: h\r\n\r\n",
        &["/a"],
        "RFC 9112 §3.2.2",
    );
    accept(
        cases,
        "line",
        "pipelined",
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
        &["/a", "/b"],
        "RFC 9112 §9.3.2",
    );
}

fn headers(cases: &mut Vec<Case>) {
    for (name, fields, clause) in [
        ("no Host", "X: y\r\n", "RFC 9112 §3.2"),
        ("two Hosts", "Host: h\r\nHost: i\r\n", "RFC 9112 §3.2"),
        ("two equal Hosts", "Host: h\r\nHost: h\r\n", "RFC 9112 §3.2"),
        ("Host with space", "Host: h i\r\n", "RFC 9110 §7.2"),
        ("Host with two names", "Host: h, i\r\n", "RFC 9110 §7.2"),
        ("Host with userinfo", "Host: a@h\r\n", "RFC 9110 §7.2"),
        ("Host with path", "Host: h/a\r\n", "RFC 9110 §7.2"),
        ("Host with bad port", "Host: h:x\r\n", "RFC 9110 §7.2"),
        ("Host with NUL", "Host: h\0\r\n", "RFC 9110 §7.2"),
        ("Host with space before colon", "Host : h\r\n", "RFC 9112 §5.1"),
        ("folded Host", "Host:\r\n h\r\n", "RFC 9112 §5.2"),
        ("fold before any field", " X: y\r\nHost: h\r\n", "RFC 9112 §2.2"),
        ("name with space", "Host: h\r\nX Y: z\r\n", "RFC 9110 §5.1"),
        ("empty name", "Host: h\r\n: z\r\n", "RFC 9110 §5.1"),
        ("line without colon", "Host: h\r\nGET /smuggled HTTP/1.1\r\n", "RFC 9112 §5"),
        ("NUL in value", "Host: h\r\nX: a\0b\r\n", "RFC 9110 §5.5"),
        ("bare CR in value", "Host: h\r\nX: a\rb\r\n", "RFC 9110 §5.5"),
        ("bare LF in value", "Host: h\r\nX: a\nb\r\n", "RFC 9110 §5.5"),
        ("escape in value", "Host: h\r\nX: a\u{1b}b\r\n", "RFC 9110 §5.5"),
        ("DEL in value", "Host: h\r\nX: a\u{7f}b\r\n", "RFC 9110 §5.5"),
        ("CR CR LF", "Host: h\r\nX: a\r\r\n", "RFC 9112 §2.2"),
        ("head ended by LF LF", "Host: h\r\nX: a\n\n", "RFC 9112 §2.2"),
    ] {
        push(cases, "header", name, format!("GET /a HTTP/1.1\r\n{fields}\r\n{HIDDEN}"), clause);
    }
    let many: String = (0..2_000).map(|n| format!("x{n}: y\r\n")).collect();
    push(
        cases,
        "header",
        "too many fields",
        format!("GET /a HTTP/1.1\r\nHost: h\r\n{many}\r\n{HIDDEN}"),
        "RFC 9110 §5.4",
    );
    let wide = "y".repeat(100_000);
    push(
        cases,
        "header",
        "too wide",
        format!("GET /a HTTP/1.1\r\nHost: h\r\nX: {wide}\r\n\r\n{HIDDEN}"),
        "RFC 9110 §5.4",
    );
    accept(
        cases,
        "header",
        "Connection names Host",
        "GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, host\r\n\r\n",
        &["/a"],
        "RFC 9110 §7.6.1",
    );
    accept(
        cases,
        "header",
        "Connection names Content-Length",
        "POST /a HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\nhi",
        &["/a"],
        "RFC 9110 §7.6.1",
    );
}

fn bodies(cases: &mut Vec<Case>) {
    let chunked =
        format!("POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
    push(cases, "body", "coding on HTTP/1.0", chunked, "RFC 9112 §6.1");
    for (name, bytes) in [
        ("length cut short", post("Content-Length: 500\r\n", HIDDEN)),
        ("chunk cut short", post("Transfer-Encoding: chunked\r\n", &format!("ff\r\n{HIDDEN}"))),
        ("no last chunk", post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n")),
        ("head cut short", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Le".to_owned()),
    ] {
        push(cases, "body", name, bytes, "RFC 9112 §8");
        if let Some(case) = cases.last_mut() {
            case.half_close = true;
        }
    }
    let get = "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    accept(cases, "body", "GET with a body", get, &["/a", "/b"], "RFC 9112 §6");
    let inner = format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", 6);
    let bytes = format!("{inner}GET /bGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    accept(cases, "body", "a body that looks like a request", bytes, &["/a", "/b"], "RFC 9112 §6.2");
}
