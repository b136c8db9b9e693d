//! The identities that a gateway knows, as its operator's file has them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::policy::Policy;

/// The file: users with their keys and policies.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Vec<User>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    #[serde(default)]
    policies: Vec<Value>,
    #[serde(default)]
    access_keys: Vec<AccessKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessKey {
    id: String,
    secret: String,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
enum Status {
    #[default]
    Active,
    Inactive,
}

fn root_path() -> String {
    "/".to_owned()
}

/// Somebody who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `arn:aws:iam::{account}:user{path}{name}`
    pub arn: String,
    /// `aws:username`
    pub name: String,
    /// What this one may do.
    pub policies: Vec<Policy>,
}

/// The identities by access key. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Identities {
    principals: Vec<Principal>,
    /// Access key id to secret and principal.
    keys: HashMap<String, (String, usize)>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Identities")
            .field("principals", &self.principals.len())
            .finish_non_exhaustive()
    }
}

impl Identities {
    /// Reads the file's content.
    ///
    /// # Errors
    /// What is wrong with which user or key; secrets are not in it.
    pub fn read(content: Value, account_id: &str) -> Result<Self, String> {
        let file: File = serde_json::from_value(content).map_err(|error| error.to_string())?;
        let mut identities = Identities::default();
        for user in file.users {
            let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
            if user.name.is_empty() || !user.name.chars().all(fits) {
                return Err(format!("`{}` is no name of a user", user.name));
            }
            if !user.path.starts_with('/') || !user.path.ends_with('/') {
                return Err(format!("the path of {} begins and ends with /", user.name));
            }
            let read = |(number, policy): (usize, &Value)| {
                Policy::read(policy).map_err(|why| format!("policy {number} of {}: {why}", user.name))
            };
            let policies = user.policies.iter().enumerate().map(read).collect::<Result<_, _>>()?;
            let arn = format!("arn:aws:iam::{account_id}:user{}{}", user.path, user.name);
            let index = identities.principals.len();
            identities.principals.push(Principal { arn, name: user.name.clone(), policies });
            for key in user.access_keys {
                if key.id.len() < 16
                    || key.id.len() > 128
                    || !key.id.bytes().all(|octet| octet.is_ascii_alphanumeric())
                {
                    return Err(format!(
                        "an access key of {} has no valid id: 16 to 128 letters and digits",
                        user.name
                    ));
                }
                if key.secret.is_empty() {
                    return Err(format!("the access key {} has no secret", key.id));
                }
                if key.status == Status::Active
                    && identities.keys.insert(key.id.clone(), (key.secret, index)).is_some()
                {
                    return Err(format!("the access key {} is there twice", key.id));
                }
            }
        }
        Ok(identities)
    }

    /// Secret and owner of an active access key.
    pub(crate) fn find(&self, access_key: &str) -> Option<(&str, &Principal)> {
        let (secret, index) = self.keys.get(access_key)?;
        Some((secret, self.principals.get(*index)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identities_are_read_and_judged() {
        let policy = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let key = json!({"id": "AKIAEXAMPLE123456", "secret": "hush"});
        let read = |users: Value| Identities::read(json!({"users": users}), "1");
        let identities =
            read(json!([{"name": "ann", "path": "/ops/", "policies": [policy], "access_keys": [key]}]))
                .expect("read");
        let (secret, principal) = identities.find("AKIAEXAMPLE123456").expect("found");
        assert_eq!((secret, &*principal.arn), ("hush", "arn:aws:iam::1:user/ops/ann"));
        assert!(!format!("{identities:?}").contains("hush"));
        for (users, expected) in [
            (json!([{"name": "a b"}]), "`a b` is no name"),
            (
                json!([{"name": "a", "access_keys": [{"id": "x", "secret": "hush"}]}]),
                "an access key of a has no valid id",
            ),
            (
                json!([{"name": "a", "access_keys": [key, key]}]),
                "the access key AKIAEXAMPLE123456 is there twice",
            ),
            (json!([{"name": "a", "policies": [{}]}]), "policy 0 of a: a policy needs"),
            (json!([{"name": "a", "secret": "hush"}]), "unknown field `secret`"),
        ] {
            let error = read(users).expect_err("refused");
            assert!(error.starts_with(expected) && !error.contains("hush"), "{error}");
        }
        let inactive = json!([{"name": "a", "access_keys": [{"id": "AKIAEXAMPLE123456", "secret": "s", "status": "Inactive"}]}]);
        assert!(read(inactive).expect("read").find("AKIAEXAMPLE123456").is_none());
    }
}
