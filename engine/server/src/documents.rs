//! What a node serves: files, read and imported with every problem at its place in the text, and the stages of the
//! control plane; both are compiled to one plan.

use crate::example::Example;
use crate::notes::Notes;
use crate::report::{Finding, Weight};
use crate::test_invoke::Subject;
use deploy::{DeployError, Deployment, NodeSettings};
use model::Account;
use openapi::{Definition, Environment, Severity, Span};
use plan::NodePlan;
use records::access_log::{self, Format};
use settings::{Destination, Settings};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes read of a document: more than an API definition may have, so that a longer one is refused with its reason.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 2 * vocabulary::limits::API_DEFINITION_BYTES as u64;

/// The files to serve, and what they said when they were last read.
pub(crate) struct Documents {
    files: Vec<PathBuf>,
    texts: Vec<String>,
    /// What the files said when they were last fine.
    imported: Vec<Imported>,
    /// Methods that are being tested.
    subjects: Vec<Arc<Subject>>,
    /// What the plan made last has of the control plane; `None` until one is made for a call.
    inputs: Option<Vec<Input>>,
    /// Stages of the control plane that couldn't be compiled when the node started or read its files.
    left_out: Vec<Input>,
    version: u64,
    notes: Notes,
}

/// A plan and what it serves.
pub(crate) struct Compiled {
    /// What the shards run.
    pub(crate) plan: Arc<NodePlan>,
    /// Each API of a file, in their order.
    pub(crate) apis: Vec<Served>,
    /// Number of stages of the control plane.
    pub(crate) managed: usize,
}

/// One API as people are told about it.
pub(crate) struct Served {
    /// Its title.
    pub(crate) name: String,
    /// The file it came from.
    pub(crate) path: PathBuf,
    /// Its id.
    pub(crate) api_id: String,
    /// Its stage.
    pub(crate) stage: String,
    /// Number of routes.
    pub(crate) routes: usize,
    /// A request to try; `None` without routes.
    pub(crate) example: Option<Example>,
    example_backend: Option<SocketAddr>,
}

impl Compiled {
    /// Backends that the documents bring along.
    pub(crate) fn example_backends(&self) -> impl Iterator<Item = SocketAddr> {
        self.apis.iter().filter_map(|api| api.example_backend)
    }
}

/// A file that was imported.
struct Imported {
    path: PathBuf,
    text: String,
    definition: Definition,
    api_id: String,
}

impl Documents {
    /// Files that are yet to be read.
    pub(crate) fn new(files: &[PathBuf]) -> Self {
        Documents {
            files: files.to_vec(),
            texts: Vec::new(),
            imported: Vec::new(),
            subjects: Vec::new(),
            inputs: None,
            left_out: Vec::new(),
            version: 0,
            notes: Notes::default(),
        }
    }

    /// Whether a file's text differs from what was last read. A file that can't be read counts as changed.
    pub(crate) fn changed(&self) -> bool {
        let mut known = self.texts.iter();
        self.files.iter().any(|file| read(file).ok().as_ref() != known.next())
    }

    /// Reads every file anew and compiles them together with the stages of the control plane; of those, one that can't be
    /// compiled any more is left out with a warning. Gives warnings beside the plan, and the notes that weren't given
    /// before.
    ///
    /// # Errors
    /// The same, at least one of them an error.
    pub(crate) fn compile(
        &mut self,
        settings: &Settings,
        account: &Account,
    ) -> Result<(Compiled, Vec<Finding>), Vec<Finding>> {
        let mut findings = Vec::new();
        let compiled = self.read_and_compile(settings, account, &mut findings);
        let news = self.notes.news(findings, compiled.is_some());
        match compiled {
            Some(compiled) => Ok((compiled, news)),
            None => Err(news),
        }
    }

    /// The methods that are being tested: they are in every plan until they are taken out.
    pub(crate) fn subjects(&mut self) -> &mut Vec<Arc<Subject>> {
        &mut self.subjects
    }

    /// Whether the plan made last has just what the stages of an account are made of: most calls change nothing that is
    /// served.
    pub(crate) fn has(&self, account: &Account) -> bool {
        let Some(inputs) = &self.inputs else { return false };
        let managed = managed(account);
        managed.len() == inputs.len() && managed.iter().zip(inputs).all(|(one, input)| input.is(one))
    }

    /// The plan made last isn't served after all.
    pub(crate) fn forget(&mut self) {
        self.inputs = None;
    }

    /// Compiles the files as they were last read together with the stages of the control plane. Those that were left out
    /// stay so until they change.
    ///
    /// # Errors
    /// What of the control plane can't be compiled, in words.
    pub(crate) fn recompile(&mut self, settings: &Settings, account: &Account) -> Result<Compiled, String> {
        let node = self.node(settings, format(settings, &mut Vec::new()));
        let imported = &self.imported;
        let all = managed(account);
        let managed: Vec<Managed<'_>> =
            all.iter().filter(|one| !self.left_out.iter().any(|input| input.is(one))).copied().collect();
        let plan =
            deploy::compile(&deployments(imported, &managed, &self.subjects), &node).map_err(|errors| {
                let words = |error: &DeployError| format!("{}: {}", error.entity, error.message);
                errors.iter().map(words).collect::<Vec<_>>().join("; ")
            })?;
        let apis = imported.iter().map(|file| describe(file, &mut Vec::new())).collect();
        self.inputs = Some(all.iter().map(Input::of).collect());
        Ok(Compiled { plan: Arc::new(plan), apis, managed: managed.len() })
    }

    /// What all deployments share, for the next version of the plan.
    fn node(&mut self, settings: &Settings, access_log: Option<Arc<Format>>) -> NodeSettings {
        self.version += 1;
        NodeSettings {
            version: self.version,
            account_id: settings.account_id.clone(),
            region: settings.region.clone(),
            access_log,
            integration_timeout_ms_max: u32::try_from(settings.limits.integration_timeout.as_millis()).ok(),
            catch_all: self.files.len() == 1,
        }
    }

    fn read_and_compile(
        &mut self,
        settings: &Settings,
        account: &Account,
        findings: &mut Vec<Finding>,
    ) -> Option<Compiled> {
        let read: Vec<Option<String>> =
            self.files.iter().map(|file| read_or_report(file, findings)).collect();
        let readable: Vec<bool> = read.iter().map(Option::is_some).collect();
        self.texts = read.into_iter().map(Option::unwrap_or_default).collect();
        let environment =
            Environment { account_id: settings.account_id.clone(), region: settings.region.clone() };
        // One file that can't be read doesn't hide what is wrong in the others.
        let files = self.files.iter().zip(&self.texts).zip(readable).filter(|(_, readable)| *readable);
        let imported: Vec<Imported> =
            files.filter_map(|((path, text), _)| import(path, text, &environment, findings)).collect();
        let access_log = format(settings, findings);
        if is_refused(findings) {
            return None;
        }
        let node = self.node(settings, access_log);
        let mut managed = managed(account);
        let mut left_out = Vec::new();
        let plan = loop {
            match compile(&imported, &managed, &self.subjects, &node, findings) {
                Ok(plan) => break plan,
                // Each time there are fewer.
                Err(failing) => {
                    // From behind, so that the places of the others stay.
                    for index in failing.into_iter().rev() {
                        left_out.push(Input::of(&managed.remove(index)));
                    }
                }
            }
        };
        let apis = imported.iter().map(|file| describe(file, findings)).collect();
        let plan = plan.filter(|_| !is_refused(findings))?;
        // Only now: what is refused leaves the plan in force, and what is known of it.
        self.imported = imported;
        (self.inputs, self.left_out) = (None, left_out);
        Some(Compiled { plan: Arc::new(plan), apis, managed: managed.len() })
    }
}

fn is_refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.weight == Weight::Error)
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    std::fs::File::open(path)?.take(DOCUMENT_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn read_or_report(path: &Path, findings: &mut Vec<Finding>) -> Option<String> {
    match read(path) {
        Ok(text) => Some(text),
        Err(error) => {
            findings.push(Finding::error(format!("{}: {error}", path.display())));
            None
        }
    }
}

fn import(
    path: &Path,
    text: &str,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) -> Option<Imported> {
    let reading = openapi::read(text, environment);
    findings.extend(reading.diagnostics.into_iter().map(|diagnostic| {
        let weight = match diagnostic.severity {
            Severity::Error => Weight::Error,
            Severity::Warning => Weight::Warning,
            Severity::Note => Weight::Note,
        };
        let finding = Finding { weight, message: diagnostic.message, help: diagnostic.help, place: None };
        finding.at(path, text, byte_span(text, diagnostic.span))
    }));
    let definition = reading.definition?;
    let api_id = definition.id.clone().unwrap_or_else(|| deploy::stable_id(&path.to_string_lossy()));
    Some(Imported { path: path.to_path_buf(), text: text.to_owned(), definition, api_id })
}

/// The access log's format, compiled once for all stages.
fn format(settings: &Settings, findings: &mut Vec<Finding>) -> Option<Arc<Format>> {
    if settings.access_log.destination == Destination::Off {
        return None;
    }
    let text = match &settings.access_log.format {
        settings::Format::Json => access_log::JSON,
        settings::Format::Clf => access_log::CLF,
        settings::Format::Custom(text) => text,
    };
    match Format::compile(text) {
        Ok(format) => Some(Arc::new(format)),
        Err(error) => {
            findings.push(Finding::error(format!("{}: {error}", settings.access_log.format_origin)));
            None
        }
    }
}

/// A stage of the control plane.
#[derive(Clone, Copy)]
struct Managed<'a> {
    api_id: &'a str,
    api_name: &'a str,
    definition: &'a Arc<model::Definition>,
    stage: &'a Arc<model::Stage>,
    canary: Option<(&'a model::CanarySettings, &'a Arc<model::Definition>)>,
}

/// What a stage of the control plane was compiled from. A change makes another allocation of what it changes.
struct Input {
    api_id: String,
    api_name: String,
    definition: Arc<model::Definition>,
    stage: Arc<model::Stage>,
    canary: Option<Arc<model::Definition>>,
}

impl Input {
    fn of(one: &Managed<'_>) -> Self {
        Input {
            api_id: one.api_id.to_owned(),
            api_name: one.api_name.to_owned(),
            definition: Arc::clone(one.definition),
            stage: Arc::clone(one.stage),
            canary: one.canary.map(|(_, definition)| Arc::clone(definition)),
        }
    }

    fn is(&self, one: &Managed<'_>) -> bool {
        let canary = match (&self.canary, one.canary) {
            (None, None) => true,
            (Some(known), Some((_, definition))) => Arc::ptr_eq(known, definition),
            _ => false,
        };
        canary
            && self.api_id == one.api_id
            && self.api_name == one.api_name
            && Arc::ptr_eq(&self.definition, one.definition)
            && Arc::ptr_eq(&self.stage, one.stage)
    }
}

/// The stages of all regions. One whose deployment is gone can't be: the control plane keeps those in use.
fn managed(account: &Account) -> Vec<Managed<'_>> {
    let trees = account.regions().flat_map(|(_, region)| &region.rest_apis);
    let stages = trees.flat_map(|(id, tree)| tree.stages.values().map(move |stage| (id, tree, stage)));
    stages
        .filter_map(|(id, tree, stage)| {
            let deployment = tree.deployments.get(&stage.deployment_id)?;
            let canary = stage.canary_settings.as_ref().and_then(|settings| {
                Some((settings, &tree.deployments.get(&settings.deployment_id)?.definition))
            });
            let definition = &deployment.definition;
            Some(Managed { api_id: id, api_name: &tree.api.name, definition, stage, canary })
        })
        .collect()
}

fn deployments<'a>(
    imported: &'a [Imported],
    managed: &[Managed<'a>],
    subjects: &'a [Arc<Subject>],
) -> Vec<Deployment<'a>> {
    let files = imported.iter().map(|file| Deployment {
        api_id: &file.api_id,
        api_name: &file.definition.api.name,
        definition: &file.definition.api.definition,
        stage: &file.definition.stage,
        late_variables: false,
        canary: None,
    });
    let managed = managed.iter().map(|one| Deployment {
        api_id: one.api_id,
        api_name: one.api_name,
        definition: one.definition,
        stage: one.stage,
        late_variables: true,
        canary: one.canary.map(|(settings, definition)| (settings, &**definition)),
    });
    let subjects = subjects.iter().map(|subject| Deployment {
        api_id: &subject.api_id,
        api_name: &subject.api_name,
        definition: &subject.definition,
        stage: &subject.stage,
        late_variables: true,
        canary: None,
    });
    files.chain(managed).chain(subjects).collect()
}

/// Compiles all of it. `None` is a file that is refused, `Err` are stages to leave out, in their order; both were
/// reported.
fn compile(
    imported: &[Imported],
    managed: &[Managed<'_>],
    subjects: &[Arc<Subject>],
    node: &NodeSettings,
    findings: &mut Vec<Finding>,
) -> Result<Option<NodePlan>, Vec<usize>> {
    let errors = match deploy::compile(&deployments(imported, managed, subjects), node) {
        Ok(plan) => return Ok(Some(plan)),
        Err(errors) => errors,
    };
    let (of_files, of_stages): (Vec<DeployError>, Vec<DeployError>) =
        errors.into_iter().partition(|error| error.deployment < imported.len());
    let mut left_out = Vec::new();
    for error in of_stages {
        let Some(one) = managed.get(error.deployment - imported.len()) else { continue };
        let message = format!(
            "stage {} of API {} isn't served: {}: {}",
            one.stage.stage_name, one.api_id, error.entity, error.message
        );
        findings.push(Finding { weight: Weight::Warning, message, help: None, place: None });
        left_out.push(error.deployment - imported.len());
    }
    left_out.dedup();
    if of_files.is_empty() && !left_out.is_empty() {
        return Err(left_out);
    }
    findings.extend(of_files.into_iter().filter_map(|error| {
        let file = imported.get(error.deployment)?;
        let start = Span { line: 1, column: 1, ..Span::default() };
        let span = file.definition.positions.find(&error.entity).unwrap_or(start);
        let finding = Finding::error(format!("{}: {}", error.entity, error.message));
        Some(finding.at(&file.path, &file.text, byte_span(&file.text, span)))
    }));
    Ok(None)
}

fn describe(file: &Imported, findings: &mut Vec<Finding>) -> Served {
    let api = &file.definition.api;
    let example_backend =
        file.definition.example_backend.as_ref().and_then(|address| match address.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                let message = format!("`exampleBackend` must be an IP address and a port, not `{address}`");
                let at = file.text.find(address.as_str()).unwrap_or(0);
                findings.push(Finding::error(message).at(&file.path, &file.text, at..at + address.len()));
                None
            }
        });
    Served {
        name: api.name.clone(),
        path: file.path.clone(),
        api_id: file.api_id.clone(),
        stage: file.definition.stage.stage_name.clone(),
        routes: api.definition.resources.iter().map(|(_, resource)| resource.methods.len()).sum(),
        example: Example::of(&api.definition),
        example_backend,
    }
}

/// The place in the text as it stands in the file: the importer replaced variables before it counted bytes, so line
/// and column are trusted and its offsets are not.
fn byte_span(text: &str, span: Span) -> std::ops::Range<usize> {
    let line_start: usize = text.split_inclusive('\n').take(span.line.saturating_sub(1)).map(str::len).sum();
    let line = text[line_start..].lines().next().unwrap_or_default();
    let column = line.char_indices().nth(span.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let start = line_start + column;
    start..start + span.end.saturating_sub(span.start)
}

#[cfg(test)]
mod tests {
    use super::{Span, byte_span};

    #[test]
    fn a_place_is_found_by_line_and_column() {
        let text = "a: é\nbb: c\n";
        let span = byte_span(text, Span { start: 40, end: 41, line: 2, column: 5 });
        assert_eq!(&text[span], "c");
        assert_eq!(byte_span(text, Span { start: 0, end: 0, line: 9, column: 9 }), text.len()..text.len());
    }
}
