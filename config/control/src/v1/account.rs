//! `Account`
//!
//! AWS: API reference, "GetAccount", "UpdateAccount".

use std::sync::Arc;

use model::stage::{BURST_LIMIT, RATE_LIMIT};
use model::{AccountSettings, Key, Record};

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::json::Object;
use crate::operation::Operation;
use crate::patch::{self, Op};

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GetAccount", "GET", "/account", get),
    Operation::new("UpdateAccount", "PATCH", "/account", update),
];

fn show(settings: &AccountSettings) -> Object {
    Object::new()
        .some("cloudwatchRoleArn", settings.cloudwatch_role_arn.as_deref())
        .with("throttleSettings", Object::new().with("burstLimit", BURST_LIMIT).with("rateLimit", RATE_LIMIT))
        .with("features", vec!["UsagePlans"])
        .with("apiKeyVersion", "4")
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(&call.region.settings)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut settings = (*call.region.settings).clone();
    for patch in patch::read(call)? {
        match patch.path() {
            "/cloudwatchRoleArn" => {
                patch.only(&[Op::Replace])?;
                // Logs need no role here; any ARN is kept for those who read it back.
                settings.cloudwatch_role_arn = patch.filled();
            }
            // Usage plans are always on; they can't be taken off again, on AWS either.
            "/features" => patch.only(&[Op::Add])?,
            _ => return Err(patch::no_path(&patch)),
        }
    }
    let shown = show(&settings);
    call.put(Key::AccountSettings, Record::AccountSettings(Arc::new(settings)));
    Ok(Reply::ok(shown))
}
