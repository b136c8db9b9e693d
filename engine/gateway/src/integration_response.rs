//! From a backend's head, or a mock's status code, to the answer's status, fields and body.
//!
//! AWS: "Set up an integration response", "Set up a method response".

use codec::h1::{RequestHead, ResponseHead, encode};
use context::{Exchange, Facts};
use integration::http_proxy::return_fields;
use integration::media_type::{Choice, choose_request_template, choose_response_template};
use integration::{coding, mock as mock_type};
use plan::{HttpPlan, MockPlan, ResponsePlan, ResponsesPlan, RoutePlan, StagePlan};
use vocabulary::{KnownField, Method, Refusal};

use crate::answer::{Answer, AnswerBody};
use crate::gateway_response::{JSON, write_ids};
use crate::trace;

/// `HTTP_PROXY`: status and body as they come, fields by the table. No trace id is added (recorded).
pub(crate) fn http_proxy(exchange: &mut Exchange) -> Answer {
    exchange.answer.clear();
    let Some(head) = exchange.inbound.as_deref() else {
        return Answer { status: 502, body: AnswerBody::Empty };
    };
    let status = head.status();
    if !return_fields(head, &mut exchange.answer) {
        encode::field(&mut exchange.answer, b"Content-Type", JSON);
    }
    write_ids(exchange);
    Answer { status, body: AnswerBody::Upstream { inflate: None } }
}

/// `HTTP`: the response that the backend's status selects.
pub(crate) fn http(
    http: &HttpPlan,
    method: Method,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
) -> Result<Answer, Refusal> {
    let status = i64::from(exchange.integration_status.unwrap_or_default());
    let response = select(&http.responses, status)?;
    let set = write_fields(response, stage, route, exchange)?;
    if !set.trace_id {
        let mut answer = std::mem::take(&mut exchange.answer);
        answer.extend_from_slice(b"X-Amzn-Trace-Id: ");
        trace::write(exchange, &mut answer);
        answer.extend_from_slice(b"\r\n");
        exchange.answer = answer;
    }
    let body = match template(response, &exchange.request) {
        Some(text) => text,
        None => AnswerBody::Upstream { inflate: inflation(set, method, exchange.inbound.as_deref())? },
    };
    Ok(Answer { status: response.status, body })
}

/// `MOCK`: the response that the template's status code selects. There is no trace id (recorded).
pub(crate) fn mock(
    mock: &MockPlan,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
) -> Result<Answer, Refusal> {
    let content_type = exchange.request.find(KnownField::ContentType);
    let names = mock.templates.iter().map(|template| &*template.media_type);
    let status_code = match choose_request_template(content_type, names, mock.passthrough) {
        Choice::Template(index) => mock.templates[index].status_code,
        Choice::Unsupported => return Err(Refusal::unsupported_media_type()),
        // The body itself would have to name the status code; reports say that this fails.
        Choice::Pass => None,
    };
    let status_code = status_code.ok_or_else(|| Refusal::configuration_error(mock_type::UNPARSABLE))?;
    let response = select(&mock.responses, status_code)?;
    // A mock has no backend: a head that an earlier exchange left here is not its.
    exchange.inbound = None;
    write_fields(response, stage, route, exchange)?;
    let body = template(response, &exchange.request).unwrap_or(AnswerBody::Empty);
    Ok(Answer { status: response.status, body })
}

fn select(responses: &ResponsesPlan, status: i64) -> Result<&ResponsePlan, Refusal> {
    let response = responses.select(status).ok_or_else(|| {
        Refusal::configuration_error(&format!(
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: \
             {status}"
        ))
    })?;
    if response.is_declared {
        return Ok(response);
    }
    let why = format!("Output mapping refers to an invalid method response: {}", response.status);
    Err(Refusal::configuration_error(&why))
}

/// Which fields with a rule a mapping has set.
#[derive(Clone, Copy, Default)]
struct Set {
    content_type: bool,
    content_encoding: bool,
    trace_id: bool,
}

/// Writes the answer's fields: mapped ones, `Content-Type`, ids.
fn write_fields(
    response: &ResponsePlan,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
) -> Result<Set, Refusal> {
    let mut out = std::mem::take(&mut exchange.answer);
    out.clear();
    let facts = Facts { exchange, stage: Some(&stage.facts), route: Some(&route.facts) };
    let head = exchange.inbound.as_deref();
    let mut set = Set::default();
    for header in &response.headers {
        let start = out.len();
        out.extend_from_slice(&header.name);
        out.extend_from_slice(b": ");
        let value_start = out.len();
        if !header.source.write(&facts, head, &mut out) {
            out.truncate(start);
            continue;
        }
        if !codec::h1::valid_field_value(&out[value_start..]) {
            let name = String::from_utf8_lossy(&header.name);
            return Err(Refusal::configuration_error(&format!("invalid value for header {name}")));
        }
        out.extend_from_slice(b"\r\n");
        set.content_type |= header.known == KnownField::ContentType;
        set.content_encoding |= header.known == KnownField::ContentEncoding;
        set.trace_id |= header.known == KnownField::XAmznTraceId;
    }
    if !set.content_type {
        encode::field(&mut out, b"Content-Type", JSON);
    }
    exchange.answer = out;
    write_ids(exchange);
    Ok(set)
}

/// Bytes of a literal body that are copied rather than counted. With two threads a count of its users took 130 to 180 ns
/// for each, a copy of 4 KiB 78 ns, one of 600 bytes 22 ns; with one thread 16 and 21 ns for 600 bytes.
const COPY_MAX: usize = 4096;

/// The literal body of a response; `None` if there is no template or an empty one.
fn template(response: &ResponsePlan, request: &RequestHead) -> Option<AnswerBody> {
    let names = response.templates.iter().map(|template| &*template.media_type);
    let index = choose_response_template(request.find(KnownField::Accept), names)?;
    let body = response.templates[index].body.as_ref();
    // A small one is copied: the count of its users would be a word that every shard writes for every answer.
    body.map(|body| match body.len() <= COPY_MAX {
        true => AnswerBody::Owned(body.to_vec()),
        false => AnswerBody::Bytes(std::sync::Arc::clone(body)),
    })
}

/// A body goes without its `Content-Encoding` unless that is mapped, so it has to be inflated.
fn inflation(
    set: Set,
    method: Method,
    head: Option<&ResponseHead>,
) -> Result<Option<codec::h1::Coding>, Refusal> {
    match head {
        Some(head)
            if !set.content_encoding && method != Method::Head && !matches!(head.status(), 204 | 304) =>
        {
            coding::of_response(head).map_err(|coding::Unsupported| {
                Refusal::configuration_error(
                    "The endpoint's Content-Encoding can't be decoded and isn't mapped",
                )
            })
        }
        _ => Ok(None),
    }
}
