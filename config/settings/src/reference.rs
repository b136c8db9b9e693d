//! The table as text: the page docs/settings.md, and each flag's help.

use crate::table::{Kind, Setting, TABLE};
use crate::value;
use std::fmt::Write;

/// What a flag's help says: meaning, bound, default, variable.
#[must_use]
pub fn help(setting: &Setting) -> String {
    let mut text = setting.meaning.to_owned();
    let bound = bound(&setting.kind);
    let mut facts = Vec::new();
    if !bound.is_empty() {
        facts.push(bound);
    }
    if !setting.default.is_empty() {
        facts.push(format!("default: {}", setting.default));
    }
    if let Some(variable) = setting.variable() {
        facts.push(format!("env: {variable}"));
    }
    // Writing to a string doesn't fail.
    let _ = write!(text, " [{}]", facts.join("; "));
    text
}

/// The whole reference as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(PREFACE);
    for setting in TABLE {
        let flag = setting.flag().map_or_else(|| "–".to_owned(), |flag| format!("`--{flag}`"));
        let variable = setting.variable().map_or_else(|| "–".to_owned(), |variable| format!("`{variable}`"));
        let default =
            if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
        let bound = bound(&setting.kind).replace('|', "\\|");
        // Writing to a string doesn't fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {default} | {bound} | {flag} | {variable} |",
            setting.key,
            setting.meaning.replace('|', "\\|")
        );
    }
    page.push_str(EXAMPLE);
    page
}

fn bound(kind: &Kind) -> String {
    match *kind {
        Kind::Count { min, max } if min == max => format!("{min}"),
        Kind::Count { min, max } => format!("{min} to {max}"),
        Kind::CountOrAuto { min, max } => format!("auto, or {min} to {max}"),
        Kind::CountOrOff { min, max } => format!("off, or {min} to {max}"),
        Kind::BytesOrAuto { min, max } => format!("auto, or {} to {}", value::size(min), value::size(max)),
        Kind::Bytes { min, max } => format!("{} to {}", value::size(min), value::size(max)),
        Kind::Duration { min, max } => format!("{} to {}", value::time(min), value::time(max)),
        Kind::Choice { of, .. } => of.join(", "),
        Kind::Address => "IP:PORT".to_owned(),
        Kind::AddressOrPath => "IP:PORT or unix:PATH".to_owned(),
        Kind::Mode => "0000 to 0777".to_owned(),
        Kind::AccountId => "12 digits".to_owned(),
        Kind::Region => "a region".to_owned(),
        Kind::Path => String::new(),
        Kind::Text { max } => format!("1 to {max} bytes"),
        Kind::Cpus => "auto, or a list".to_owned(),
        Kind::Networks => "a list of networks".to_owned(),
    }
}

const PREFACE: &str = "\
# Settings

Generated from the table in `config/settings/src/table.rs`; a test holds this page equal to it. To renew it:
`TURNPIKE_RENEW_DOCS=1 cargo test -p turnpike-settings`.

A flag wins over an environment variable, a variable over the file, the file over the default. A list is taken from
one source as a whole. The file is `--config PATH`, else `TURNPIKE_CONFIG`, else `turnpike.yaml` in the current folder
if there is one. Unknown names are refused, with file, line and column. Times carry a unit (`ms`, `s`, `m`, `h`);
sizes are bytes or carry one (`KiB`, `MiB`, `GiB`). In a variable, items of a list are separated by commas.
Paths in the file start at the file's folder, others at the current one.

| in `turnpike.yaml` | meaning | default | bound | flag | variable |
|---|---|---|---|---|---|
";

const EXAMPLE: &str = "
## Example

```yaml
files: [petstore.yaml, orders.json]
listeners:
  - address: 0.0.0.0:8080
control:
  address: 127.0.0.1:8081
shards:
  count: 4
  cpus: [0, 1, 2, 3]
limits:
  payload_bytes: 100MiB
timeouts:
  idle_client: 60s
access_log:
  destination: access.log
  format: '$context.requestId $context.httpMethod $context.path $context.status'
```
";
