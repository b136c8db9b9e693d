//! The small backend that ships with the example document, so that a first `curl` answers with something real.
//!
//! Started when a served document carries `x-turnpike: {exampleBackend: ADDRESS}`. It keeps pets in memory, in a
//! thread of its own, and knows nothing of the gateway.
//! Never: a place to put a mock of your own; that is what `mock` integrations are for.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use tokio::sync::oneshot;

/// Pets kept at most.
const PETS_MAX: usize = 1_000;
/// Bytes of a pet at most.
const PET_BYTES_MAX: usize = 16 * 1024;

/// A running example backend. Dropping it stops it.
pub(crate) struct ExampleBackend {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Pets by id, each a JSON text.
#[derive(Debug)]
struct Pets {
    by_id: BTreeMap<u64, String>,
    next_id: u64,
}

impl ExampleBackend {
    /// Answers from a thread of its own.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("example-backend".to_owned()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                tokio::select! {
                    _ = accept(listener) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(ExampleBackend { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ExampleBackend {
    fn drop(&mut self) {
        drop(self.stop.take()); // a closed channel is the signal
        if let Some(thread) = self.thread.take() {
            // A panic of the example must not take the node's shutdown with it.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let pets = Rc::new(RefCell::new(Pets::example()));
    loop {
        // An accept fails for want of descriptors or for a client that left; the next may succeed.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let pets = Rc::clone(&pets);
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| answer(Rc::clone(&pets), request));
            // A broken connection concerns its client only.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    pets: Rc<RefCell<Pets>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_end_matches('/');
    let id = path.strip_prefix("/pets/").map(str::to_owned);
    let (status, text) = match (parts.method, id) {
        (Method::GET, None) if path == "/pets" => (StatusCode::OK, pets.borrow().list(parts.uri.query())),
        (Method::POST, None) if path == "/pets" => {
            let body = Limited::new(body, PET_BYTES_MAX).collect().await;
            match body {
                Ok(body) => pets.borrow_mut().add(&body.to_bytes()),
                Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, message("a pet has 16 KiB at most")),
            }
        }
        (Method::GET, Some(id)) => pets.borrow().get(&id),
        (Method::DELETE, Some(id)) => pets.borrow_mut().remove(&id),
        (method, _) => {
            (StatusCode::NOT_FOUND, message(&format!("the example backend has no {method} {path}")))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

fn message(text: &str) -> String {
    serde_json::json!({ "message": text }).to_string()
}

fn is_of_type(pet: &str, kind: &str) -> bool {
    let pet: serde_json::Value = serde_json::from_str(pet).unwrap_or_default();
    pet["type"] == kind
}

fn no_pet(id: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, message(&format!("there is no pet {id}")))
}

impl Pets {
    fn example() -> Self {
        let pets = [("Rex", "dog", 249.99), ("Tom", "cat", 124.99), ("Wanda", "fish", 0.99)];
        let by_id = (1u64..).zip(pets).map(|(id, (name, kind, price))| {
            (id, serde_json::json!({ "id": id, "name": name, "type": kind, "price": price }).to_string())
        });
        Pets { by_id: by_id.collect(), next_id: 4 }
    }

    /// All pets, or those of `type=…`.
    fn list(&self, query: Option<&str>) -> String {
        let wanted = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("type="));
        let pets = self.by_id.values().map(String::as_str);
        let pets: Vec<&str> = pets.filter(|pet| wanted.is_none_or(|kind| is_of_type(pet, kind))).collect();
        format!("[{}]", pets.join(","))
    }

    fn get(&self, id: &str) -> (StatusCode, String) {
        let pet = id.parse().ok().and_then(|id: u64| self.by_id.get(&id));
        pet.map_or_else(|| no_pet(id), |pet| (StatusCode::OK, pet.clone()))
    }

    fn remove(&mut self, id: &str) -> (StatusCode, String) {
        let pet = id.parse().ok().and_then(|id: u64| self.by_id.remove(&id));
        pet.map_or_else(|| no_pet(id), |pet| (StatusCode::OK, pet))
    }

    fn add(&mut self, body: &[u8]) -> (StatusCode, String) {
        if self.by_id.len() >= PETS_MAX {
            return (StatusCode::INSUFFICIENT_STORAGE, message("the shop is full"));
        }
        let parsed = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
        let Ok(mut pet) = parsed else {
            return (StatusCode::BAD_REQUEST, message("a pet is a JSON object"));
        };
        let id = self.next_id;
        self.next_id += 1;
        pet.insert("id".to_owned(), id.into());
        let text = serde_json::Value::Object(pet).to_string();
        self.by_id.insert(id, text.clone());
        (StatusCode::CREATED, text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pets;
    use hyper::StatusCode;

    #[test]
    fn pets_come_and_go() {
        let mut pets = Pets::example();
        assert_eq!(pets.get("1").1, r#"{"id":1,"name":"Rex","type":"dog","price":249.99}"#);
        assert_eq!(pets.get("9").0, StatusCode::NOT_FOUND);
        let (status, text) = pets.add(br#"{"name":"Kaa"}"#);
        assert_eq!((status, text.as_str()), (StatusCode::CREATED, r#"{"name":"Kaa","id":4}"#));
        assert_eq!(pets.remove("1").0, StatusCode::OK);
        assert!(pets.list(None).starts_with(r#"[{"id":2"#));
        assert!(pets.list(Some("page=1&type=fish")).starts_with(r#"[{"id":3"#));
        assert_eq!(pets.add(b"[]").0, StatusCode::BAD_REQUEST);
    }
}
