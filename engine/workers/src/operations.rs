//! The control listener: `/healthz`, `/readyz`, `/metrics`, and every other path a call of the control plane.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use vocabulary::limits::CONTROL_BODY_BYTES;

/// Connections at a time: scrapers, probes, people, and tools that manage many APIs at once.
pub const CONNECTIONS_MAX: usize = 64;
/// A head must come within this time.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);
/// A body must come within this time.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a head, and lines in it.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;

/// A call of the control plane, whole.
#[derive(Debug)]
pub struct Call {
    /// `GET` and its like.
    pub method: String,
    /// The raw path.
    pub path: String,
    /// What follows `?`; empty without.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Who called.
    pub peer: SocketAddr,
    /// Whether the call came by TLS.
    pub secure: bool,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Answer>,
}

/// The answer to a call.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, in their order.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Takes a call, or says that there is no room for it.
pub type Calls = Arc<dyn Fn(Call) -> bool + Send + Sync>;

/// What the endpoints say.
#[derive(Clone)]
pub struct Operations {
    /// Whether every shard serves a plan and none drains.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Where calls of the control plane go.
    pub calls: Calls,
    /// What connections are accepted with from now on, if they are to speak TLS.
    pub tls: Option<watch::Receiver<TlsAcceptor>>,
}

impl Operations {
    /// Serves a bound listener on a worker pool until that ends, or until accepting is aborted.
    ///
    /// # Errors
    /// The listener can't be made non-blocking.
    pub fn serve(self, listener: TcpListener, handle: &Handle) -> io::Result<AbortHandle> {
        listener.set_nonblocking(true)?;
        let guard = handle.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(guard);
        let accepting = handle.spawn(async move {
            let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let Ok((stream, peer)) = listener.accept().await else {
                    // Out of descriptors: wait for some to come back.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // Calls are short and waited for.
                let _ = stream.set_nodelay(true);
                let operations = self.clone();
                tokio::spawn(async move {
                    let acceptor = operations.tls.as_ref().map(|tls| tls.borrow().clone());
                    match acceptor {
                        None => operations.converse(stream, peer).await,
                        Some(acceptor) => {
                            let greeting = tokio::time::timeout(HEADER_PATIENCE, acceptor.accept(stream));
                            if let Ok(Ok(stream)) = greeting.await {
                                operations.converse(stream, peer).await;
                            }
                        }
                    }
                    drop(place);
                });
            }
        });
        Ok(accepting.abort_handle())
    }

    /// Serves a connection to its end.
    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let service = service_fn(move |request| {
            let operations = self.clone();
            async move { Ok::<_, Infallible>(operations.answer(request, peer).await) }
        });
        // A connection that breaks off concerns nobody else.
        let _ = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_PATIENCE)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let plain = |status, text: &'static str| respond(status, "text/plain; charset=utf-8", text.into());
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/healthz" | "/readyz" | "/metrics" if !is_read => {
                plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n")
            }
            "/healthz" => plain(StatusCode::OK, "ok\n"),
            "/readyz" if (self.ready)() => plain(StatusCode::OK, "ready\n"),
            "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            "/metrics" => respond(StatusCode::OK, records::prometheus::CONTENT_TYPE, (self.metrics)().into()),
            _ => self.call(request, peer).await,
        }
    }

    async fn call(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        // One that says so isn't read; one that doesn't is read so far.
        let said = body.size_hint().lower();
        if said > CONTROL_BODY_BYTES as u64 {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request too large");
        }
        let body =
            tokio::time::timeout(BODY_PATIENCE, Limited::new(body, CONTROL_BODY_BYTES).collect()).await;
        let body = match body {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request too large"),
            Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "Request timed out"),
        };
        let (answer, answered) = oneshot::channel();
        let call = Call {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            peer,
            secure: self.tls.is_some(),
            answer,
        };
        if !(self.calls)(call) {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "the control plane is busy; try again");
        }
        match answered.await {
            Ok(answer) => answer.into_response(),
            Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "the node is stopping"),
        }
    }
}

impl Answer {
    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.into()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A refusal in the shape of AWS's errors.
fn refuse(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    respond(status, "application/json", format!("{{\"message\":\"{message}\"}}").into())
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::Workers;

    #[test]
    fn endpoints_answer_over_a_socket() {
        let workers = Workers::start().expect("workers");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let ready = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ready);
        let operations = Operations {
            ready: Arc::new(move || theirs.load(Ordering::Relaxed)),
            metrics: Arc::new(|| "m 1\n".to_owned()),
            calls: Arc::new(|call| {
                if call.path == "/full" {
                    return false;
                }
                let body = [call.method.as_bytes(), call.path.as_bytes(), call.query.as_bytes(), &call.body]
                    .concat();
                let answer = Answer { status: 201, headers: vec![("X-A", "b".to_owned())], body };
                call.answer.send(answer).is_ok()
            }),
            tls: None,
        };
        operations.serve(listener, workers.handle()).expect("serve");
        let ask = |head: &str, body: &str| {
            let mut stream = TcpStream::connect(address).expect("connect");
            let length = body.len();
            write!(
                stream,
                "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .expect("send");
            let mut text = String::new();
            #[expect(clippy::disallowed_methods, reason = "taken from a bounded reader")]
            stream.take(10_000).read_to_string(&mut text).expect("answer");
            text
        };
        assert!(ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
        assert!(ask("POST /healthz", "").starts_with("HTTP/1.1 405"));
        assert!(ask("GET /readyz", "").starts_with("HTTP/1.1 503"));
        ready.store(true, Ordering::Relaxed);
        assert!(ask("GET /readyz", "").starts_with("HTTP/1.1 200"));
        assert!(ask("GET /metrics", "").ends_with("m 1\n"));
        let called = ask("PUT /a/b?c=d", "body");
        assert!(called.starts_with("HTTP/1.1 201") && called.contains("x-a: b"), "{called}");
        assert!(called.ends_with("\r\n\r\nPUT/a/bc=dbody"), "{called}");
        assert!(ask("GET /full", "").starts_with("HTTP/1.1 503"));
    }
}
