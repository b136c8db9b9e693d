//! API definitions: any text as JSON or YAML, to the model, to a plan.

use deploy::{Deployment, NodeSettings};
use openapi::{Diagnostic, Environment, Reading, Severity};

/// Reads a document from any bytes, and compiles what was read.
pub fn api_definition(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let environment =
        Environment { account_id: "123456789012".to_owned(), region: "eu-central-1".to_owned() };
    let reading = openapi::read(text, &environment);
    well_formed(text, &reading);
    let again = openapi::read(text, &environment);
    assert_eq!(reading.diagnostics, again.diagnostics, "the same text, the same problems");
    assert_eq!(served(&reading), served(&again), "the same text, the same API");
    if let Some(definition) = &reading.definition {
        compile(definition);
    }
    let varied = text.contains("${AWS::");
    if !varied && text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        as_json(text, &reading, &environment);
    }
}

/// Every problem has a place in the text, and there is an API unless one of them is an error.
fn well_formed(text: &str, reading: &Reading) {
    let error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    assert_eq!(reading.definition.is_none(), reading.diagnostics.iter().any(error));
    for Diagnostic { span, message, .. } in &reading.diagnostics {
        assert!(!message.is_empty() && span.line >= 1 && span.column >= 1, "{span:?} {message}");
        assert!(span.line <= text.split(['\n', '\r']).count() + 1, "{span:?} {message}");
        // Variables of the text may have been replaced by something longer or shorter.
        if !text.contains("${AWS::") && !text.starts_with('\u{feff}') {
            assert!(text.get(span.start..span.end).is_some(), "{span:?} {message}");
        }
    }
}

/// The API and its stage as text.
fn served(reading: &Reading) -> Option<String> {
    let definition = reading.definition.as_ref()?;
    Some(format!("{:?} {:?} {:?}", definition.api, definition.stage, definition.id))
}

fn compile(definition: &openapi::Definition) {
    let deployment = Deployment {
        api_name: &definition.api.name,
        definition: &definition.api.definition,
        stage: &definition.stage,
        late_variables: false,
        canary: None,
        api_id: "abcdefghij",
    };
    let node = NodeSettings { catch_all: true, ..NodeSettings::default() };
    let outcome = deploy::compile(&[deployment], &node);
    match outcome {
        Ok(plan) => {
            let methods: usize =
                definition.api.definition.resources.iter().map(|(_, resource)| resource.methods.len()).sum();
            assert_eq!(plan.stages[0].routes.len(), methods, "every method has its route");
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(!error.message.is_empty());
                // A problem must point somewhere, even if only at the method.
                let _ = definition.positions.find(&error.entity);
            }
        }
    }
}

/// What is taken for JSON is JSON to another reader too, and means the same written again, also read as YAML.
fn as_json(text: &str, reading: &Reading, environment: &Environment) {
    if reading.diagnostics.iter().any(|diagnostic| matches!(diagnostic.code, "syntax" | "limit")) {
        return;
    }
    let text = text.trim_start_matches('\u{feff}');
    let parsed = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(parsed) => parsed,
        // JSON sets no bound (RFC 8259 section 6); the other reader's is that of an f64.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        Err(error) => panic!("accepted, but no JSON: {error}"),
    };
    let Some(api) = served(reading) else { return };
    let written = serde_json::to_string_pretty(&parsed).expect("values can be written");
    let again = openapi::read(&written, environment);
    assert_eq!(served(&again).as_ref(), Some(&api), "written again");
    let yaml = openapi::read(&format!("# YAML\n{written}"), environment);
    if yaml.definition.is_some() {
        assert_eq!(served(&yaml), Some(api), "read as YAML");
    }
}
