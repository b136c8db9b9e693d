//! The README beside a module.

use std::fmt::Write;

use crate::Language;
use crate::client::Client;
use crate::names::{line, literal};

/// An object of JavaScript; none at all without members.
fn object(members: &str) -> String {
    if members.is_empty() { String::new() } else { format!("{{ {members} }}") }
}

pub(crate) fn text(client: &Client, language: Language, module: &str) -> String {
    let mut text = format!("# {}\n\n", line(&client.title));
    let _ = writeln!(text, "A {} client in one file, `{module}`, without dependencies.\n", language.name());
    let named = client.named(language);
    let first = named.first();
    let needs_key = client.operations.iter().any(|operation| operation.needs_key);
    match language {
        Language::JavaScript => {
            let mut settings = Vec::new();
            if needs_key {
                settings.push("apiKey: \"…\"");
            }
            if client.is_signed() {
                settings.push("accessKey: \"…\", secretKey: \"…\"");
            }
            let _ = writeln!(text, "```js\nimport {{ newClient }} from \"./{module}\";\n");
            let _ = writeln!(text, "const client = newClient({});", object(&settings.join(", ")));
            if let Some((name, operation)) = first {
                let values =
                    operation.path_parameters.iter().map(|(name, _)| format!("{}: \"…\"", literal(name)));
                let values = values.collect::<Vec<_>>().join(", ");
                let _ =
                    writeln!(text, "const {{ status, data }} = await client.{name}({});", object(&values));
            }
            text.push_str(
                "```\n\n`invokeUrl`, `region`, `sessionToken` and `defaultContentType` may be given too.\n",
            );
        }
        Language::Python => {
            let mut settings = Vec::new();
            if needs_key {
                settings.push("api_key=\"…\"");
            }
            if client.is_signed() {
                settings.push("access_key=\"…\", secret_key=\"…\"");
            }
            let _ = writeln!(text, "```python\nfrom api_client import Client\n");
            let _ = writeln!(text, "client = Client({})", settings.join(", "));
            if let Some((name, operation)) = first {
                let values = vec!["\"…\""; operation.path_parameters.len()].join(", ");
                let _ = writeln!(
                    text,
                    "response = client.{name}({values})\nprint(response.status, response.text())"
                );
            }
            text.push_str("```\n\nA status of 400 and above raises `ApiError`, which has the response.\n");
        }
    }
    text.push_str("\n| call | request |\n|---|---|\n");
    for (name, operation) in &named {
        let path = line(&operation.path).replace('|', "\\|");
        let _ = writeln!(text, "| `{name}` | `{} {path}` |", operation.verb);
    }
    text
}
