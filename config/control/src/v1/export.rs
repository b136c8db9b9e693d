//! GetExport
//!
//! AWS: API reference, "GetExport"; headers are recorded.

use openapi::{ExportType, Extensions, Source};

use super::calendar;
use crate::call::{Call, Reply};
use crate::error::Error;
use crate::operation::Operation;

/// Operations of this.
pub(crate) const OPERATIONS: &[Operation] = &[Operation::new(
    "GetExport",
    "GET",
    "/restapis/{restapi_id}/stages/{stage_name}/exports/{export_type}",
    export,
)];

fn export(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (tree, stage) = (call.tree()?, call.stage()?);
    let word = call.label("export_type");
    let kind = ExportType::from_word(word).ok_or_else(|| {
        Error::bad_request(format!("Invalid export type specified: {word}. Valid options are oas30,swagger"))
    })?;
    let is_yaml = match call.accept.split([',', ';']).next().unwrap_or_default().trim() {
        "application/yaml" | "application/x-yaml" | "text/yaml" => true,
        "" | "*/*" | "application/*" | "application/json" | "application/octet-stream" => false,
        other => {
            return Err(Error::bad_request(format!(
                "Invalid Accept specified: {other}. Valid options are application/json,application/yaml"
            )));
        }
    };
    let lists: Vec<&str> =
        call.query.pairs().filter(|(name, _)| *name == "extensions").map(|(_, list)| list).collect();
    let deployment = tree.deployments.get(&stage.deployment_id);
    let deployment = deployment.ok_or_else(|| Error::not_found("Invalid Deployment identifier specified"))?;
    let version = tree.api.version.clone().filter(|version| !version.is_empty());
    let version = version.unwrap_or_else(|| calendar::moment(tree.api.created_date));
    let documentation = stage.documentation_version.as_deref();
    let documentation =
        documentation.and_then(|name| Some((name, &**tree.documentation_versions.get(name)?)));
    let source = Source {
        api_id: call.label("restapi_id"),
        api: &tree.api,
        definition: &deployment.definition,
        stage,
        documentation,
        region: call.scope.region,
        version: &version,
    };
    let document = openapi::export::export(&source, kind, Extensions::from_list(&lists.join(",")));
    let document = document.map_err(Error::bad_request)?;
    let (body, suffix) = match is_yaml {
        true => (openapi::to_yaml(&document), "yaml"),
        false => (serde_json::to_string_pretty(&document).unwrap_or_default(), "json"),
    };
    // What a file's name can't hold isn't in it.
    let safe: String = version.chars().filter(|c| c.is_ascii_alphanumeric() || "._-:".contains(*c)).collect();
    Ok(Reply::Document {
        body: body.into_bytes(),
        content_type: "application/octet-stream",
        file_name: format!("{}_{safe}.{suffix}", kind.as_str()),
    })
}
