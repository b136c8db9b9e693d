//! One request and what became of it. Exchanges are pooled: clearing keeps their memory.

use std::net::{IpAddr, Ipv4Addr};

use codec::h1::{RequestHead, ResponseHead, Span};
use smallvec::SmallVec;
use vocabulary::id::{ExtendedRequestId, RequestId, TraceRoot};
use vocabulary::{Method, Refusal};

/// A stage of the node's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StageIndex(pub u32);

/// A route of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteIndex(pub u32);

/// Values of a route's path variables in the order of its template, as spans of the request's path.
pub type PathParameters = SmallVec<[Span; 6]>;

/// The facts of one exchange.
#[derive(Debug)]
pub struct Exchange {
    /// The request head.
    pub request: RequestHead,
    /// Monotonic nanoseconds at which its head was whole.
    pub arrival_ns: u64,
    /// The same on the wall clock, in milliseconds since 1970.
    pub arrival_unix_ms: u64,
    /// The TCP peer, or whom a proxy that speaks the PROXY protocol named.
    pub peer: IpAddr,
    /// `$context.identity.sourceIp`: the peer, unless it is a trusted proxy that forwards for somebody.
    pub source_ip: IpAddr,
    /// Port that the client connected to.
    pub local_port: u16,
    /// The client spoke HTTP/2.
    pub http2: bool,
    /// The client spoke TLS.
    pub secure: bool,
    /// `$context.tlsVersion` and `$context.cipherSuite`
    pub tls: Option<(&'static str, &'static str)>,
    /// `$context.requestId`
    pub request_id: RequestId,
    /// The client named an id that is no UUID; logs say that ours replaced it.
    pub request_id_replaced: bool,
    /// `$context.extendedRequestId`
    pub extended_request_id: ExtendedRequestId,
    /// Root of a trace that begins here.
    pub trace_root: TraceRoot,
    /// Id of this gateway's own segment.
    pub trace_parent: u64,
    /// A random number for draws: which deployment of a canary answers.
    pub lot: u32,
    /// The stage that answers, once known.
    pub stage: Option<StageIndex>,
    /// The route that answers, once known.
    pub route: Option<RouteIndex>,
    /// The method that routes: the client may override its own (`X-HTTP-Method-Override`).
    pub method: Method,
    /// Bytes of the path before what the router sees.
    pub path_start: u32,
    /// The stage's name stands in front of the routed path in `$context.path`.
    pub path_has_stage: bool,
    /// Values of the route's variables.
    pub path_parameters: PathParameters,
    /// Final status; zero until there is one.
    pub status: u16,
    /// Bytes of payload sent to the client.
    pub response_length: u64,
    /// Bytes of payload received from the client.
    pub request_length: u64,
    /// The backend's status.
    pub integration_status: Option<u16>,
    /// From the call to the backend's head.
    pub integration_latency_ns: Option<u64>,
    /// From arrival to the answer's last byte.
    pub response_latency_ns: u64,
    /// Why the request was refused.
    pub refusal: Option<Refusal>,
    /// The outbound request line and fields, without framing fields and the empty line.
    pub outbound: Vec<u8>,
    /// The answer's fields, without status line, framing, Connection, Date and the empty line.
    pub answer: Vec<u8>,
    /// The backend's head, kept for the record and for its memory.
    pub inbound: Option<Box<ResponseHead>>,
}

impl Default for Exchange {
    fn default() -> Self {
        Exchange {
            request: RequestHead::default(),
            arrival_ns: 0,
            arrival_unix_ms: 0,
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            source_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            local_port: 0,
            http2: false,
            secure: false,
            tls: None,
            request_id: RequestId::default(),
            request_id_replaced: false,
            extended_request_id: ExtendedRequestId::default(),
            trace_root: TraceRoot::from_random(0, 0, 0),
            trace_parent: 0,
            lot: 0,
            stage: None,
            route: None,
            method: Method::Other,
            path_start: 0,
            path_has_stage: false,
            path_parameters: PathParameters::new(),
            status: 0,
            response_length: 0,
            request_length: 0,
            integration_status: None,
            integration_latency_ns: None,
            response_latency_ns: 0,
            refusal: None,
            outbound: Vec::new(),
            answer: Vec::new(),
            inbound: None,
        }
    }
}

impl Exchange {
    /// Readies it for the next request; its buffers keep their memory. The backend's head stays for its owner to take.
    pub fn clear(&mut self) {
        self.request.clear();
        self.request_id_replaced = false;
        self.stage = None;
        self.route = None;
        self.method = Method::Other;
        self.path_start = 0;
        self.path_has_stage = false;
        self.path_parameters.clear();
        self.status = 0;
        self.response_length = 0;
        self.request_length = 0;
        self.integration_status = None;
        self.integration_latency_ns = None;
        self.response_latency_ns = 0;
        self.refusal = None;
        self.outbound.clear();
        self.answer.clear();
    }

    /// Sets arrival times and, from random bits, all ids.
    pub fn arrive(&mut self, arrival_ns: u64, arrival_unix_ms: u64, random: [u64; 6]) {
        self.arrival_ns = arrival_ns;
        self.arrival_unix_ms = arrival_unix_ms;
        self.request_id = RequestId::from_random(random[0], random[1]);
        self.extended_request_id = ExtendedRequestId::from_random(random[2], random[3]);
        let unix_s = u32::try_from(arrival_unix_ms / 1000).unwrap_or(u32::MAX);
        self.trace_root = TraceRoot::from_random(unix_s, random[4], random[5]);
        // A client may choose its request id; it doesn't choose this.
        self.lot = (random[5].rotate_left(29) ^ random[3]) as u32;
        self.trace_parent = random[4].rotate_left(32) ^ random[2];
    }

    /// What the router sees: the path after stage or base path, as it came.
    #[must_use]
    pub fn routed_path(&self) -> &[u8] {
        let path = self.request.path();
        path.get(self.path_start as usize..).unwrap_or(b"")
    }

    /// A path variable's value as it came; spans count within [`routed_path`](Self::routed_path).
    #[must_use]
    pub fn path_parameter(&self, index: usize) -> Option<&[u8]> {
        let span = self.path_parameters.get(index)?;
        self.routed_path().get(span.start as usize..(span.start + span.len) as usize)
    }
}
