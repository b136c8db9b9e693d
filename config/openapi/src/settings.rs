//! `x-turnpike`: what a served file says about its own stage.

use std::collections::BTreeMap;

use model::Throttle;

use crate::extension;
use crate::node::{Node, Value};
use crate::reader::Reader;

/// The root `x-turnpike`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileSettings {
    pub(crate) id: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) stage_variables: BTreeMap<String, String>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) example_backend: Option<String>,
}

const ROOT: [&str; 5] = ["id", "stage", "stageVariables", "throttle", "exampleBackend"];

/// Reads the root `x-turnpike`.
pub(crate) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node) -> FileSettings {
    let mut settings = FileSettings::default();
    for (key, value) in reader.object(node, "x-turnpike") {
        match key.text.as_str() {
            "id" => {
                settings.id =
                    reader.text(value, "id").map(str::to_owned).filter(|id| valid_id(reader, value, id))
            }
            "stage" => {
                settings.stage = reader
                    .text(value, "stage")
                    .map(str::to_owned)
                    .filter(|name| valid_stage(reader, value, name));
            }
            "stageVariables" => settings.stage_variables = variables(reader, value),
            "throttle" => settings.throttle = throttle(reader, value),
            "exampleBackend" => {
                settings.example_backend = reader.text(value, "exampleBackend").map(str::to_owned)
            }
            _ => extension::unknown(reader, key, "x-turnpike", &ROOT),
        }
    }
    settings
}

/// Reads `{rateLimit, burstLimit}`.
pub(crate) fn throttle<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<Throttle> {
    let (mut rate_limit, mut burst_limit) = (None, None);
    for (key, value) in reader.object(node, "throttle") {
        let number = match &value.value {
            Value::Number(text) => {
                text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
            }
            _ => None,
        };
        if number.is_none() {
            reader.error("invalid", value.span, format!("`{}` must be a number, not below zero", key.text));
        }
        match key.text.as_str() {
            "rateLimit" => rate_limit = number,
            "burstLimit" if number.is_some_and(|number| number.fract() != 0.0 || number > 1e15) => {
                reader.error("invalid", value.span, "`burstLimit` must be a whole number");
            }
            "burstLimit" => burst_limit = number,
            _ => extension::unknown(reader, key, "throttle", &["rateLimit", "burstLimit"]),
        }
    }
    if node.get("rateLimit").is_none() || node.get("burstLimit").is_none() {
        reader.error("invalid", node.span, "a throttle needs `rateLimit` and `burstLimit`");
    }
    let (rate_limit, burst) = rate_limit.zip(burst_limit)?;
    Some(Throttle { rate_limit, burst_limit: burst as u64 })
}

fn variables<'a>(reader: &mut Reader<'a>, node: &'a Node) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (key, value) in reader.object(node, "stageVariables") {
        let name_ok =
            key.text.len() <= 64 && key.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !name_ok || key.text.is_empty() {
            reader.error("invalid", key.span, "a stage variable's name has 1 to 64 letters, digits and _");
        }
        let Some(text) = reader.text(value, &key.text) else { continue };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if text.len() > 512 || !text.bytes().all(allowed) {
            reader.error(
                "invalid",
                value.span,
                "a stage variable has at most 512 of A-Z a-z 0-9 -._~:/?#&=,",
            );
            continue;
        }
        variables.insert(key.text.clone(), text.to_owned());
    }
    variables
}

fn valid_id(reader: &mut Reader<'_>, node: &Node, id: &str) -> bool {
    let valid =
        (1..=63).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !valid {
        reader.error("invalid", node.span, "an API id has 1 to 63 lower-case letters and digits");
    }
    valid
}

fn valid_stage(reader: &mut Reader<'_>, node: &Node, name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let valid = (1..=128).contains(&name.len()) && name.bytes().all(allowed);
    if !valid {
        reader.error("invalid", node.span, "a stage name has 1 to 128 letters, digits, - and _");
    }
    valid
}
