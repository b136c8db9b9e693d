//! The operations endpoints on the control listener: `/healthz`, `/readyz`, `/metrics`.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

/// Connections at a time: a scraper, a probe, a person.
const CONNECTIONS_MAX: usize = 64;
/// A head must come within this time.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);

/// What the endpoints say.
#[derive(Clone)]
pub struct Operations {
    /// Whether every shard serves a plan and none drains.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
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
                let Ok((stream, _)) = listener.accept().await else {
                    // Out of descriptors: wait for some to come back.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let operations = self.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let response = operations.answer(&request);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    // A connection that breaks off concerns nobody else.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEADER_PATIENCE)
                        .max_buf_size(16 * 1024)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    drop(place);
                });
            }
        });
        Ok(accepting.abort_handle())
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let plain = |status, text: &'static str| respond(status, "text/plain; charset=utf-8", text.into());
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        }
        match request.uri().path() {
            "/healthz" => plain(StatusCode::OK, "ok\n"),
            "/readyz" if (self.ready)() => plain(StatusCode::OK, "ready\n"),
            "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            "/metrics" => respond(StatusCode::OK, records::prometheus::CONTENT_TYPE, (self.metrics)().into()),
            _ => plain(StatusCode::NOT_FOUND, "there is /healthz, /readyz and /metrics\n"),
        }
    }
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
        };
        operations.serve(listener, workers.handle()).expect("serve");
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(address).expect("connect");
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("send");
            let mut text = String::new();
            #[expect(clippy::disallowed_methods, reason = "taken from a bounded reader")]
            stream.take(10_000).read_to_string(&mut text).expect("answer");
            text
        };
        assert!(ask("/healthz").starts_with("HTTP/1.1 200"));
        assert!(ask("/readyz").starts_with("HTTP/1.1 503"));
        ready.store(true, Ordering::Relaxed);
        assert!(ask("/readyz").starts_with("HTTP/1.1 200"));
        assert!(ask("/metrics").ends_with("m 1\n"));
        assert!(ask("/nope").starts_with("HTTP/1.1 404"));
    }
}
