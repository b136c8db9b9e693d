//! `turnpike sdk` and `turnpike export`: a document becomes a client, or another document.
//!
//! Documents are imported as the control plane does: what a node can't serve yet is no reason to refuse them.

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgMatches;
use model::{RestApi, Stage};
use openapi::{BasePath, Environment, ExportType, Extensions, Import, Options, Source};
use sdk::{Client, Language};
use settings::Settings;

use crate::documents::DOCUMENT_BYTES_MAX;
use crate::report;

/// Stage of the document when none is named.
const STAGE: &str = "prod";

/// A document that was imported.
struct Document {
    api_id: String,
    api: RestApi,
}

/// Writes a client's files.
pub(crate) fn sdk(matches: &ArgMatches) -> ExitCode {
    let word = matches.get_one::<String>("language").map_or("", String::as_str);
    let Some(language) = Language::from_word(word) else { return ExitCode::FAILURE };
    let Some((document, settings)) = document(matches) else { return ExitCode::FAILURE };
    let url = matches.get_one::<String>("url").map_or("", String::as_str);
    let api = &document.api;
    let client = Client::new(&api.name, api.description.as_deref(), &api.definition, url, &settings.region);
    if client.operations() == 0 {
        return failed("the document has no methods", Some("`paths` is where they are"));
    }
    let folder = matches.get_one::<PathBuf>("out").map_or(Path::new("."), PathBuf::as_path);
    let files: Vec<(PathBuf, String)> = sdk::generate(&client, language)
        .into_iter()
        .map(|file| (folder.join(file.name), file.text))
        .collect();
    if let Some((known, _)) = files.iter().find(|(path, _)| path.exists() && !matches.get_flag("force")) {
        return failed(&format!("{} is there already", known.display()), Some("--force replaces it"));
    }
    if let Err(error) = std::fs::create_dir_all(folder) {
        return failed(&format!("{}: {error}", folder.display()), None);
    }
    for (path, text) in &files {
        if let Err(error) = std::fs::write(path, text) {
            return failed(&format!("{}: {error}", path.display()), None);
        }
    }
    println!("{}: {} calls to {url}", files[0].0.display(), client.operations());
    ExitCode::SUCCESS
}

/// Writes a document as GetExport would.
pub(crate) fn export(matches: &ArgMatches) -> ExitCode {
    let Some((document, settings)) = document(matches) else { return ExitCode::FAILURE };
    let words: Vec<&str> =
        matches.get_many::<String>("extensions").into_iter().flatten().map(String::as_str).collect();
    let kind = matches.get_one::<String>("type").and_then(|word| ExportType::from_word(word));
    let stage = Stage {
        stage_name: matches.get_one::<String>("stage").map_or(STAGE, String::as_str).to_owned(),
        ..Stage::default()
    };
    let source = Source {
        api_id: &document.api_id,
        api: &document.api,
        definition: &document.api.definition,
        stage: &stage,
        documentation: None,
        region: &settings.region,
        version: document.api.version.as_deref().unwrap_or("1.0"),
    };
    let exported =
        openapi::export(&source, kind.unwrap_or(ExportType::Oas30), Extensions::from_list(&words.join(",")));
    let exported = match exported {
        Ok(exported) => exported,
        Err(why) => return failed(&why, None),
    };
    let text = match matches.get_flag("yaml") {
        true => openapi::to_yaml(&exported),
        false => format!("{exported:#}\n"),
    };
    // A pipe that is closed early has what it wanted.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn failed(message: &str, help: Option<&str>) -> ExitCode {
    report::plain(message, help);
    ExitCode::FAILURE
}

/// Reads and imports the document that was named. `None` is a failure that was reported.
fn document(matches: &ArgMatches) -> Option<(Document, Settings)> {
    let settings = super::resolve::settings(matches)?;
    let path = matches.get_one::<PathBuf>("document").map_or(Path::new("-"), PathBuf::as_path);
    let name = path.display();
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            report::plain(&format!("{name}: {error}"), None);
            return None;
        }
    };
    let environment =
        Environment { account_id: settings.account_id.clone(), region: settings.region.clone() };
    let api_id = deploy::stable_id(&path.to_string_lossy());
    let options =
        Options { api_id: &api_id, base_path: BasePath::Ignore, documentation: true, endpoint: None };
    let mut count = 0;
    let mut new_id = |_, _: &str| {
        count += 1;
        format!("{count:06}")
    };
    let Ok(import) = openapi::import(&text, &environment, &options, &mut new_id) else {
        let help = (path != Path::new("-")).then(|| format!("`turnpike check {name}` points at the place"));
        let shown = if path == Path::new("-") { "the input".to_owned() } else { name.to_string() };
        report::plain(&format!("{shown} is no OpenAPI document of version 2.0 or 3.0"), help.as_deref());
        return None;
    };
    let Import { api, warnings, errors, .. } = import;
    for warning in &warnings {
        eprintln!("{name}: warning: {warning}");
    }
    for error in &errors {
        report::plain(&format!("{name}: {error}"), None);
    }
    errors.is_empty().then_some((Document { api_id, api }, settings))
}

/// A file, or standard input for `-`.
fn read(path: &Path) -> std::io::Result<String> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        if std::io::stdin().is_terminal() {
            eprintln!("reading the document from the terminal; Ctrl-D ends it");
        }
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path)?)
    };
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    source.take(DOCUMENT_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
