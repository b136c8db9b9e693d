//! One call under way: what its path, query and body say, what it may look at, what it changes.

use std::sync::Arc;

use model::{Change, Definition, Deployment, Key, Record, Region, RestApi, RestApiTree, Stage};
use serde_json::Value;

use crate::error::Error;
use crate::ids::{self, Random};
use crate::input::Input;
use crate::node::Certificates;
use crate::query::Query;

/// Whose call it is about: account and region.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Twelve digits.
    pub account_id: &'a str,
    /// Name of the region.
    pub region: &'a str,
}

/// A call with its path matched.
pub(crate) struct Call<'a> {
    /// Name of the operation.
    pub(crate) operation: &'static str,
    /// Labels of the path, decoded, with their names.
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    pub(crate) body: &'a [u8],
    /// `Accept`
    pub(crate) accept: &'a str,
    pub(crate) scope: Scope<'a>,
    /// The region as it was before the call.
    pub(crate) region: &'a Region,
    /// Seconds of the Unix epoch.
    pub(crate) now: i64,
    /// Where stages are reached, without a slash at the end.
    pub(crate) data_plane: &'a str,
    /// Longest `timeoutInMillis`.
    pub(crate) timeout_ms_max: u32,
    pub(crate) random: &'a mut dyn Random,
    pub(crate) certificates: &'a mut dyn Certificates,
    /// What the call changes, in order.
    pub(crate) changes: Vec<Change>,
}

/// What an operation answers.
pub(crate) enum Reply {
    /// JSON, or nothing at all.
    Json(u16, Option<Value>),
    /// A document as it is, with its media type and file name.
    Document {
        /// Its text or bytes.
        body: Vec<u8>,
        /// `Content-Type`
        content_type: &'static str,
        /// File name of `Content-Disposition`.
        file_name: String,
    },
    /// A method is to be invoked with a request, which takes time: the caller does it and answers.
    TestInvoke(Box<TestInvoke>),
    /// A cache of a stage is to be emptied: 202.
    Flush {
        /// The API.
        api_id: String,
        /// Its stage.
        stage: String,
        /// The cache of authorizers rather than of answers.
        authorizers: bool,
    },
}

/// What TestInvokeMethod asks for.
pub struct TestInvoke {
    /// Id of the API.
    pub api_id: String,
    /// The API.
    pub api: Arc<RestApi>,
    /// Path of the resource.
    pub resource_path: String,
    /// The method to run.
    pub method: vocabulary::MethodKey,
    /// `pathWithQueryString`
    pub path_with_query_string: Option<String>,
    /// `body`
    pub body: Option<String>,
    /// `headers` and `multiValueHeaders` together, in their order.
    pub headers: Vec<(String, String)>,
    /// `stageVariables`
    pub stage_variables: std::collections::BTreeMap<String, String>,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Value>) -> Self {
        Reply::Json(200, Some(body.into()))
    }

    pub(crate) fn created(body: impl Into<Value>) -> Self {
        Reply::Json(201, Some(body.into()))
    }

    pub(crate) fn accepted() -> Self {
        Reply::Json(202, None)
    }

    pub(crate) fn no_content() -> Self {
        Reply::Json(204, None)
    }
}

impl<'a> Call<'a> {
    /// A label of the path.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The body as an object.
    pub(crate) fn input(&self) -> Result<Input, Error> {
        Input::read(self.body, self.operation)
    }

    /// A new id that no test rejects.
    pub(crate) fn new_id(&mut self, len: usize, taken: impl Fn(&str) -> bool) -> String {
        loop {
            let id = ids::short(self.random, len);
            if !taken(&id) {
                return id;
            }
        }
    }

    /// Puts a record.
    pub(crate) fn put(&mut self, key: Key, record: Record) {
        self.changes.push(Change { region: self.scope.region.to_owned(), key, record: Some(record) });
    }

    /// Takes a record away.
    pub(crate) fn remove(&mut self, key: Key) {
        self.changes.push(Change { region: self.scope.region.to_owned(), key, record: None });
    }

    /// The API that the path names, with its stages and deployments.
    pub(crate) fn tree(&self) -> Result<&'a RestApiTree, Error> {
        let id = self.label("restapi_id");
        self.region.rest_apis.get(id).ok_or_else(|| self.no_such_api(id))
    }

    /// The API that the path names.
    pub(crate) fn api(&self) -> Result<&'a RestApi, Error> {
        self.tree().map(|tree| &*tree.api)
    }

    /// What is said of an API that isn't there (recorded).
    pub(crate) fn no_such_api(&self, id: &str) -> Error {
        Error::not_found(format!("Invalid API identifier specified {}:{id}", self.scope.account_id))
    }

    /// The stage that the path names.
    pub(crate) fn stage(&self) -> Result<&'a Stage, Error> {
        let stage = self.tree()?.stages.get(self.label("stage_name"));
        stage.map(|stage| &**stage).ok_or_else(|| Error::not_found("Invalid stage identifier specified"))
    }

    /// The deployment that the path names.
    pub(crate) fn deployment(&self) -> Result<&'a Deployment, Error> {
        let deployment = self.tree()?.deployments.get(self.label("deployment_id"));
        deployment
            .map(|deployment| &**deployment)
            .ok_or_else(|| Error::not_found("Invalid Deployment identifier specified"))
    }

    /// Puts the API that the path names with a changed definition.
    pub(crate) fn put_definition(&mut self, definition: Definition) -> Result<(), Error> {
        let mut api = self.api()?.clone();
        api.definition = Arc::new(definition);
        self.put_api(api);
        Ok(())
    }

    /// Puts the API that the path names.
    pub(crate) fn put_api(&mut self, api: RestApi) {
        let key = Key::RestApi(self.label("restapi_id").to_owned());
        self.put(key, Record::RestApi(Arc::new(api)));
    }
}
