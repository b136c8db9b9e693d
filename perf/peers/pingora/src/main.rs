//! Pingora as a bare proxy: one thread, keep-alive on both sides, a large pool of upstream connections, no TLS, no log.
//! `pingora-peer LISTEN BACKEND`, two addresses such as `127.0.0.1:9140`.

#![forbid(unsafe_code)]

use async_trait::async_trait;
use pingora_core::prelude::{HttpPeer, Opt, Result, Server};
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

/// How many idle upstream connections are kept: more than any scenario has clients.
const POOL_SIZE: usize = 16_384;

/// Sends every request to one backend.
struct Bare {
    backend: String,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.backend.as_str(), false, String::new())))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, backend] = arguments.as_slice() else {
        eprintln!("usage: pingora-peer LISTEN BACKEND");
        std::process::exit(2);
    };
    let conf = ServerConf {
        threads: 1,
        work_stealing: false,
        upstream_keepalive_pool_size: POOL_SIZE,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None::<Opt>, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare { backend: backend.clone() });
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever();
}
