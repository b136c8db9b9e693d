//! GetSdk, GetSdkType, GetSdkTypes
//!
//! AWS: API reference, "GetSdk"; "Generate SDKs for REST APIs in API Gateway".

use sdk::{Client, Language};
use serde_json::{Value, json};

use super::calendar;
use crate::call::{Call, Reply};
use crate::error::Error;
use crate::operation::Operation;
use crate::page::page;

/// Operations of these.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GetSdk", "GET", "/restapis/{restapi_id}/stages/{stage_name}/sdks/{sdk_type}", get),
    Operation::new("GetSdkType", "GET", "/sdktypes/{sdktype_id}", show_one),
    Operation::new("GetSdkTypes", "GET", "/sdktypes", list),
];

/// Types that AWS generates and that aren't generated here.
const ELSEWHERE: [&str; 5] = ["android", "java", "objectivec", "ruby", "swift"];

fn language(word: &str) -> Result<Language, Error> {
    let known = || Language::ALL.map(Language::word).join(",");
    Language::from_word(word).ok_or_else(|| match ELSEWHERE.contains(&word) {
        true => Error::bad_request(format!(
            "SDK generation is not available for {word}. Valid options are {}; other generators read an export",
            known()
        )),
        false => Error::bad_request(format!("Invalid SDK type specified: {word}. Valid options are {}", known())),
    })
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (tree, stage) = (call.tree()?, call.stage()?);
    let language = language(call.label("sdk_type"))?;
    let deployment = tree.deployments.get(&stage.deployment_id);
    let deployment = deployment.ok_or_else(|| Error::not_found("Invalid Deployment identifier specified"))?;
    let (api, stage_name) = (call.label("restapi_id"), call.label("stage_name"));
    // The form of a stage's address that every resolver finds.
    let url = format!("{}/restapis/{api}/{stage_name}/_user_request_", call.data_plane);
    let description = tree.api.description.as_deref();
    let client = Client::new(&tree.api.name, description, &deployment.definition, &url, call.scope.region);
    let files = sdk::generate(&client, language);
    let body = sdk::zip(&files, &format!("apiGateway-{}-sdk", language.word()));
    let body = body.map_err(|error| Error::unavailable(error.to_string()))?;
    let file_name = format!("{}_{}.zip", language.word(), calendar::moment(call.now));
    Ok(Reply::Document { body, content_type: "application/octet-stream", file_name })
}

fn shown(language: Language) -> Value {
    json!({
        "id": language.word(),
        "friendlyName": language.name(),
        "description": format!("Generates a {} client without dependencies", language.name()),
        "configurationProperties": [],
    })
}

fn show_one(call: &mut Call<'_>) -> Result<Reply, Error> {
    let found = Language::from_word(call.label("sdktype_id"));
    found
        .map(|language| Reply::ok(shown(language)))
        .ok_or_else(|| Error::not_found("Invalid SDK type identifier specified"))
}

fn list(call: &mut Call<'_>) -> Result<Reply, Error> {
    let all = Language::ALL.into_iter().map(|language| (language.word().to_owned(), language));
    Ok(Reply::ok(page(&call.query, all.collect(), shown)?))
}
