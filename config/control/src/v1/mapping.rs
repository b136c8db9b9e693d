//! What integrations and their responses have in common: mapping expressions, templates by media type.
//!
//! AWS: "Amazon API Gateway API request and response data mapping reference"; texts are recorded.

use std::collections::BTreeMap;

use model::IndexMap;

use super::methods::invalid_parameter;
use crate::error::Error;
use crate::patch::{Op, Patch};

fn invalid_expression(expression: &str) -> Error {
    Error::bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
         specified: {expression}]"
    ))
}

fn is_constant(source: &str) -> bool {
    source.len() >= 2 && source.starts_with('\'') && source.ends_with('\'')
}

/// Sources that requests and responses share.
fn is_common(source: &str) -> bool {
    let named = |prefix: &str| source.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    is_constant(source) || named("context.") || named("stageVariables.")
}

/// Judges an entry of an integration's `requestParameters`. A parameter must be declared by the method.
pub(crate) fn check_request(
    target: &str,
    source: &str,
    declared: &BTreeMap<String, bool>,
) -> Result<(), Error> {
    let location = target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.'));
    let known = matches!(location, Some(("path" | "querystring" | "header", name)) if !name.is_empty());
    if !known {
        return Err(invalid_parameter(target));
    }
    if is_common(source) {
        return Ok(());
    }
    let Some(rest) = source.strip_prefix("method.request.") else { return Err(invalid_expression(source)) };
    let rest = rest.strip_prefix("multivalue").unwrap_or(rest);
    if rest == "body" || rest.starts_with("body.") || rest.starts_with("body[") {
        return Ok(());
    }
    let location =
        rest.split_once('.').filter(|(location, _)| matches!(*location, "path" | "querystring" | "header"));
    match location {
        None => Err(invalid_expression(source)),
        Some(_)
            if declared.contains_key(&format!("method.request.{rest}")) || declared.contains_key(source) =>
        {
            Ok(())
        }
        Some(_) => Err(invalid_parameter(source)),
    }
}

/// Judges an entry of an integration response's `responseParameters`; `declared` are the headers of the method response.
pub(crate) fn check_response(
    target: &str,
    source: &str,
    declared: Option<&BTreeMap<String, bool>>,
) -> Result<(), Error> {
    if target.strip_prefix("method.response.header.").is_none_or(str::is_empty) {
        return Err(invalid_parameter(target));
    }
    if declared.is_none_or(|declared| !declared.contains_key(target)) {
        return Err(invalid_parameter(target));
    }
    let named = |prefix: &str| source.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    let known = is_common(source)
        || named("integration.response.header.")
        || named("integration.response.multivalueheader.")
        || source == "integration.response.body"
        || named("integration.response.body.");
    if known { Ok(()) } else { Err(invalid_expression(source)) }
}

/// Judges the media types of templates.
pub(crate) fn check_media_types(templates: &IndexMap<String, String>) -> Result<(), Error> {
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$&^_.+-*".contains(&octet))
    };
    let is_media_type = |text: &str| {
        let bare = text.split(';').next().unwrap_or_default().trim();
        bare == "$default" || bare.split_once('/').is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
    };
    match templates.keys().find(|media_type| !is_media_type(media_type)) {
        Some(media_type) => Err(Error::bad_request(format!(
            "Validation Result: warnings : [], errors : [Invalid content type specified: {media_type}]"
        ))),
        None => Ok(()),
    }
}

/// Adds, replaces or removes a template.
pub(crate) fn template(
    templates: &mut IndexMap<String, String>,
    media_type: String,
    patch: &Patch,
    missing: &str,
) -> Result<(), Error> {
    patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
    if patch.op != Op::Add && !templates.contains_key(&media_type) {
        return Err(Error::not_found(missing));
    }
    match patch.op {
        Op::Remove => drop(templates.shift_remove(&media_type)),
        _ => drop(templates.insert(media_type, patch.text())),
    }
    Ok(())
}
