//! Models as schemas of the document.

use serde_json::{Map, Value};

use super::{ExportType, Exporter};

impl Exporter<'_> {
    /// Where a model stands in the document.
    pub(super) fn reference(&self, name: &str) -> String {
        match self.kind {
            ExportType::Swagger => format!("#/definitions/{name}"),
            ExportType::Oas30 => format!("#/components/schemas/{name}"),
        }
    }

    /// The models whose bodies are JSON.
    pub(super) fn schemas(&self) -> Map<String, Value> {
        let models = self.source.definition.models.iter().filter(|(_, model)| is_json(&model.content_type));
        let schemas = models.filter_map(|(name, model)| {
            let mut schema = serde_json::from_str(model.schema.as_deref()?).ok()?;
            self.refer(&mut schema);
            Some((name.clone(), schema))
        });
        schemas.collect()
    }

    /// Makes references of models those of the document.
    fn refer(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.refer(item)),
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get_mut("$ref")
                    && target.starts_with("https://apigateway.amazonaws.com/restapis/")
                    && let Some((_, name)) = target.rsplit_once("/models/")
                {
                    *target = self.reference(name);
                }
                members.values_mut().for_each(|member| self.refer(member));
            }
            _ => {}
        }
    }
}

/// Whether a media type is JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    bare.ends_with("/json") || bare.ends_with("+json") || bare == "$default"
}
