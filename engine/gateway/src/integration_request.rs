//! The head of a call: request line, mapped fields, the client's fields, fields of our own, written once, in order.
//!
//! AWS: "Set up an integration request"; default fields as recorded.

use codec::h1::encode;
use context::{Exchange, Facts};
use integration::forwarded::{self, Arrival};
use integration::http::{carries_body, is_host};
use integration::http_proxy::{Sent, forward_fields};
use plan::{CallPlan, HeaderMapping, RoutePlan, StagePlan};
use vocabulary::{KnownField, Method, Refusal};

use crate::gateway_response::JSON;
use crate::trace;

/// Writes the call of an `HTTP_PROXY` integration and says its method.
pub(crate) fn http_proxy(
    call: &CallPlan,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
) -> Result<Method, Refusal> {
    write(call, stage, route, exchange, |writer| {
        let query = writer.facts.exchange.request.query();
        writer.request_line(query.filter(|query| !query.is_empty()));
        writer.mapped_fields()?;
        writer.client_fields();
        Ok(())
    })
}

/// Writes the call of an `HTTP` integration and says its method.
pub(crate) fn http(
    call: &CallPlan,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
) -> Result<Method, Refusal> {
    write(call, stage, route, exchange, |writer| {
        writer.request_line(None);
        writer.mapped_fields()?;
        writer.content_type();
        writer.defaults(Sent::default());
        Ok(())
    })
}

fn write(
    call: &CallPlan,
    stage: &StagePlan,
    route: &RoutePlan,
    exchange: &mut Exchange,
    steps: impl FnOnce(&mut Writer<'_>) -> Result<(), Refusal>,
) -> Result<Method, Refusal> {
    let mut out = std::mem::take(&mut exchange.outbound);
    out.clear();
    let method = call.method.unwrap_or(exchange.method);
    let facts = Facts { exchange, stage: Some(&stage.facts), route: Some(&route.facts) };
    let mut writer = Writer { call, facts, method, mapped: 0, out };
    let outcome = steps(&mut writer);
    exchange.outbound = writer.out;
    outcome.map(|()| method)
}

/// A head being written.
struct Writer<'a> {
    call: &'a CallPlan,
    facts: Facts<'a>,
    method: Method,
    /// One bit for each header mapping that had a value.
    mapped: u64,
    out: Vec<u8>,
}

impl Writer<'_> {
    /// `METHOD uri?query HTTP/1.1`: the URI's own parameters first, the client's next, mapped ones last (recorded).
    fn request_line(&mut self, client_query: Option<&[u8]>) {
        let out = &mut self.out;
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        self.call.uri.write(&self.facts, out);
        let mut separator = if self.call.uri.has_query() { b'&' } else { b'?' };
        if let Some(query) = client_query {
            out.push(separator);
            out.extend_from_slice(query);
            separator = b'&';
        }
        for mapping in &self.call.request.query {
            mapping.source.write_as_parameters(&mapping.name, &self.facts, out, |out| {
                out.push(std::mem::replace(&mut separator, b'&'));
            });
        }
        out.extend_from_slice(b" HTTP/1.1\r\n");
    }

    /// `Host` and the header mappings that have a value.
    fn mapped_fields(&mut self) -> Result<(), Refusal> {
        let mut has_host = false;
        for (index, mapping) in self.call.request.headers.iter().enumerate() {
            if self.mapped_field(mapping)? {
                self.mapped |= 1 << index;
                has_host |= mapping.known == KnownField::Host;
            }
        }
        if !has_host {
            encode::field(&mut self.out, b"Host", &self.call.host);
        }
        Ok(())
    }

    fn mapped_field(&mut self, mapping: &HeaderMapping) -> Result<bool, Refusal> {
        let start = self.out.len();
        self.out.extend_from_slice(&mapping.name);
        self.out.extend_from_slice(b": ");
        let value_start = self.out.len();
        if !mapping.source.write(&self.facts, &mut self.out) {
            self.out.truncate(start);
            return Ok(false);
        }
        let value = &self.out[value_start..];
        let name = || String::from_utf8_lossy(&mapping.name);
        if mapping.is_illegal {
            return Err(Refusal::configuration_error(&format!("{} header already present", name())));
        }
        // A decoded query value may hold line ends: they must not become fields of their own.
        let fits =
            codec::h1::valid_field_value(value) && (mapping.known != KnownField::Host || is_host(value));
        if !fits {
            return Err(Refusal::configuration_error(&format!("invalid value for header {}", name())));
        }
        self.out.extend_from_slice(b"\r\n");
        Ok(true)
    }

    fn is_mapped(&self, known: KnownField, name: &[u8]) -> bool {
        let headers = self.call.request.headers.iter().enumerate();
        headers.filter(|(index, _)| self.mapped >> index & 1 == 1).any(|(_, mapping)| {
            mapping.known == known && (known != KnownField::Other || mapping.name.eq_ignore_ascii_case(name))
        })
    }

    /// The client's fields that go on, and those of `HTTP_PROXY`'s own.
    fn client_fields(&mut self) {
        let mut out = std::mem::take(&mut self.out);
        let exchange = self.facts.exchange;
        let sent = forward_fields(&exchange.request, |known, name| self.is_mapped(known, name), &mut out);
        let arrival = Arrival { peer: exchange.peer, port: exchange.local_port, secure: exchange.secure };
        if !self.is_mapped(KnownField::XForwardedFor, b"") {
            forwarded::write_for(&exchange.request, arrival, &mut out);
        }
        if !self.is_mapped(KnownField::XForwardedPort, b"") {
            forwarded::write_port(arrival, &mut out);
        }
        if !self.is_mapped(KnownField::XForwardedProto, b"") {
            forwarded::write_proto(arrival, &mut out);
        }
        self.out = out;
        self.defaults(sent);
    }

    /// The body's type, where there is a body: the client's word for it.
    fn content_type(&mut self) {
        let request = &self.facts.exchange.request;
        let bodiless = matches!(request.body(), codec::h1::BodyFraming::None);
        if bodiless || !carries_body(self.method) || self.is_mapped(KnownField::ContentType, b"") {
            return;
        }
        let content_type = request.find(KnownField::ContentType).unwrap_or(JSON);
        encode::field(&mut self.out, b"Content-Type", content_type);
    }

    /// Fields that every call has, unless the client or a mapping gave them.
    fn defaults(&mut self, sent: Sent) {
        let (api_id, user_agent) =
            self.facts.stage.map_or(("", ""), |stage| (&*stage.api_id, &*stage.user_agent));
        if !sent.accept && !self.is_mapped(KnownField::Accept, b"") {
            encode::field(&mut self.out, b"Accept", JSON);
        }
        if !sent.user_agent && !self.is_mapped(KnownField::UserAgent, b"") {
            encode::field(&mut self.out, b"User-Agent", user_agent.as_bytes());
        }
        self.out.extend_from_slice(b"X-Amzn-Trace-Id: ");
        trace::write(self.facts.exchange, &mut self.out);
        self.out.extend_from_slice(b"\r\n");
        encode::field(&mut self.out, b"X-Amzn-Apigateway-Api-Id", api_id.as_bytes());
    }
}
