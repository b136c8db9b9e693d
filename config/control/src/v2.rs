//! The second version's calls. HTTP and WebSocket APIs aren't here yet: lists are empty, everything else is refused in
//! the second version's words.

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::json::Object;
use crate::operation::Operation;

/// Operations of the second version.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GetApis", "GET", "/v2/apis", none),
    Operation::new("Unsupported", "GET", "/v2/{rest+}", unsupported),
    Operation::new("Unsupported", "POST", "/v2/{rest+}", unsupported),
    Operation::new("Unsupported", "PUT", "/v2/{rest+}", unsupported),
    Operation::new("Unsupported", "PATCH", "/v2/{rest+}", unsupported),
    Operation::new("Unsupported", "DELETE", "/v2/{rest+}", unsupported),
];

fn none(_: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(Object::new().with("items", Vec::<serde_json::Value>::new())))
}

fn unsupported(call: &mut Call<'_>) -> Result<Reply, Error> {
    Err(Error::bad_request(format!("/v2/{} is not supported yet", call.label("rest"))))
}
