//! PutRestApi: a document over the API that is there.
//!
//! AWS: API reference, "PutRestApi"; "Update a REST API by importing an OpenAPI definition".

use std::sync::Arc;

use model::{ApiKeySource, RestApi};

use crate::import::Import;

/// `mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// What the document doesn't name stays.
    Merge,
    /// What it doesn't name goes.
    Overwrite,
}

/// The API with a document put over it. What never changes by a document: endpoint configuration, tags, creation date.
#[must_use]
pub fn put(existing: &RestApi, import: Import, mode: PutMode) -> RestApi {
    let Import { api: new, present, .. } = import;
    let mut definition = (*new.definition).clone();
    let old = &existing.definition;
    if mode == PutMode::Merge {
        for (path, resource) in &old.resources {
            let grown = definition.resources.grow(path, |_| resource.id.clone());
            for (key, method) in &resource.methods {
                // A method of the document replaces the whole method.
                grown.methods.entry(*key).or_insert_with(|| method.clone());
            }
        }
        for (name, model) in &old.models {
            definition.models.entry(name.clone()).or_insert_with(|| model.clone());
        }
        for (id, authorizer) in &old.authorizers {
            definition.authorizers.entry(id.clone()).or_insert_with(|| authorizer.clone());
        }
        for (id, validator) in &old.request_validators {
            definition.request_validators.entry(id.clone()).or_insert_with(|| validator.clone());
        }
        for (kind, response) in &old.gateway_responses {
            definition.gateway_responses.entry(*kind).or_insert_with(|| response.clone());
        }
        let mut types = old.binary_media_types.clone();
        types.extend(
            definition.binary_media_types.iter().filter(|one| !old.binary_media_types.contains(one)).cloned(),
        );
        definition.binary_media_types = types;
    }
    // Absent from an overwriting document, they go back to their defaults.
    let keeps = mode == PutMode::Merge;
    if !present.api_key_source {
        definition.api_key_source = if keeps { old.api_key_source } else { ApiKeySource::Header };
    }
    if !present.policy {
        definition.policy = if keeps { old.policy.clone() } else { None };
    }
    if !present.minimum_compression_size {
        definition.minimum_compression_size = if keeps { old.minimum_compression_size } else { None };
    }
    if !present.disable_execute_api_endpoint {
        definition.disable_execute_api_endpoint = old.disable_execute_api_endpoint;
    }
    let mut documentation_parts = new.documentation_parts;
    if mode == PutMode::Merge {
        for (id, part) in &existing.documentation_parts {
            if !documentation_parts.values().any(|known| known.location == part.location) {
                documentation_parts.insert(id.clone(), part.clone());
            }
        }
    }
    RestApi {
        name: if new.name.is_empty() { existing.name.clone() } else { new.name },
        description: new.description.or_else(|| existing.description.clone()),
        version: new.version.or_else(|| existing.version.clone()),
        documentation_parts,
        definition: Arc::new(definition),
        ..existing.clone()
    }
}
