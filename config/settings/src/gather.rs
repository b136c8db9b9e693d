//! Gathers what was said about each setting, and by whom: flag over environment over file over default.

use crate::problem::{Origin, Problem, nearest, slip};
use crate::table::{self, Kind, LATER, Setting, TABLE};
use crate::tree::{self, Node, NodeKind};
use crate::value::{self, Value};
use std::path::PathBuf;

/// The settings file as it was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Path as it was given, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What the node was told.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The settings file, if there is one.
    pub file: Option<File>,
    /// Environment variables; those that don't start with `TURNPIKE_` are passed over.
    pub environment: Vec<(String, String)>,
    /// Flags: key of the setting and its text. Listed settings may come several times.
    pub flags: Vec<(&'static str, String)>,
}

/// A value, the setting it is for, and who said it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) key: &'static str,
    /// Item of a list; zero otherwise.
    pub(crate) item: usize,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// One answer per setting and list item.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    said: Vec<Said>,
}

impl Chosen {
    /// What was chosen for a setting that isn't listed.
    pub(crate) fn one(&self, key: &str) -> Option<&Said> {
        self.item(key, 0)
    }

    /// What was chosen for an item of a list.
    pub(crate) fn item(&self, key: &str, item: usize) -> Option<&Said> {
        self.said.iter().find(|said| said.key == key && said.item == item)
    }

    /// Number of items of the list whose keys start with `prefix`.
    pub(crate) fn items(&self, prefix: &str) -> usize {
        self.said
            .iter()
            .filter(|said| said.key.starts_with(prefix))
            .map(|said| said.item + 1)
            .max()
            .unwrap_or(0)
    }
}

/// Settles who is heard on each setting.
///
/// # Errors
/// Unknown names and values out of bounds, all of them.
pub(crate) fn gather(sources: &Sources) -> Result<Chosen, Vec<Problem>> {
    let mut problems = Vec::new();
    let flags = from_flags(&sources.flags, &mut problems);
    let environment = from_environment(&sources.environment, &mut problems);
    let file = sources.file.as_ref().map(|file| from_file(file, &mut problems)).unwrap_or_default();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut chosen = Chosen::default();
    for level in [flags, environment, file, defaults()] {
        // A list is heard from one source as a whole, never item by item from several.
        let fresh: Vec<Said> = level
            .into_iter()
            .filter(|said| !chosen.said.iter().any(|known| group(known.key) == group(said.key)))
            .collect();
        chosen.said.extend(fresh);
    }
    Ok(chosen)
}

/// The part of a key that is heard as one: the list, or the key itself.
fn group(key: &str) -> &str {
    key.split_once("[]").map_or(key, |(list, _)| list)
}

fn say(
    setting: &Setting,
    item: usize,
    text: &str,
    origin: Origin,
    problems: &mut Vec<Problem>,
) -> Option<Said> {
    match value::parse(&setting.kind, text) {
        Ok(value) => Some(Said { key: setting.key, item, value, origin }),
        Err(expected) => {
            problems
                .push(Problem::new(origin, format!("`{}` {expected}, not `{}`", setting.key, shorten(text))));
            None
        }
    }
}

fn shorten(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn defaults() -> Vec<Said> {
    let with_default = TABLE.iter().filter(|setting| !setting.default.is_empty());
    let mut never = Vec::new(); // a test holds that every default fits
    with_default.filter_map(|setting| say(setting, 0, setting.default, Origin::Default, &mut never)).collect()
}

fn from_flags(flags: &[(&'static str, String)], problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for (key, text) in flags {
        let Some(setting) = table::find(key) else { continue };
        let item = said.iter().filter(|known| known.key == *key).count();
        let flag = setting.flag.filter(|flag| !flag.is_empty()).unwrap_or(setting.key);
        said.extend(say(setting, item, text, Origin::Flag(flag), problems));
    }
    said
}

fn from_environment(environment: &[(String, String)], problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut said = Vec::new();
    let ours = environment.iter().filter(|(name, _)| name.starts_with("TURNPIKE_"));
    for (name, text) in ours {
        let setting = TABLE.iter().find(|setting| setting.variable().as_deref() == Some(name));
        let Some(setting) = setting else {
            // Others may use the prefix (a script, an orchestrator); only what looks like a slip is refused.
            let known: Vec<String> = TABLE.iter().filter_map(Setting::variable).collect();
            problems.extend(slip(name, known.iter().map(String::as_str)).map(|meant| {
                Problem::new(Origin::Environment(name.clone()), "no setting has this variable")
                    .with_help(format!("did you mean `{meant}`?"))
            }));
            continue;
        };
        let parts: Vec<&str> = if setting.is_listed() { text.split(',').collect() } else { vec![text] };
        for (item, part) in parts.into_iter().enumerate() {
            said.extend(say(setting, item, part, Origin::Environment(name.clone()), problems));
        }
    }
    said
}

fn from_file(file: &File, problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut said = Vec::new();
    match tree::read(&file.path, &file.text) {
        Ok(root) => match &root.kind {
            NodeKind::Null => {}
            NodeKind::Mapping(_) => walk("", 0, &root, &mut said, problems),
            _ => problems.push(Problem::new(root.origin, "a settings file is a mapping of names to values")),
        },
        Err(problem) => problems.push(problem),
    }
    said
}

fn walk(key: &str, item: usize, node: &Node, said: &mut Vec<Said>, problems: &mut Vec<Problem>) {
    match &node.kind {
        NodeKind::Null => {}
        NodeKind::Mapping(entries) => {
            for (name, origin, value) in entries {
                let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                if is_known(&inner) {
                    walk(&inner, item, value, said, problems);
                } else {
                    problems.push(unknown(key, name, &inner, origin.clone()));
                }
            }
        }
        NodeKind::Sequence(items) => match table::find(key) {
            Some(setting) if matches!(setting.kind, Kind::Cpus | Kind::Networks) => {
                said.extend(
                    joined(items).and_then(|text| say(setting, item, &text, node.origin.clone(), problems)),
                );
            }
            _ if is_known(&format!("{key}[]")) => {
                for (item, value) in items.iter().enumerate() {
                    walk(&format!("{key}[]"), item, value, said, problems);
                }
            }
            _ => problems.push(Problem::new(node.origin.clone(), format!("`{key}` isn't a list"))),
        },
        NodeKind::Scalar(text) => scalar(key, item, text, &node.origin, said, problems),
    }
}

fn scalar(
    key: &str,
    item: usize,
    text: &str,
    origin: &Origin,
    said: &mut Vec<Said>,
    problems: &mut Vec<Problem>,
) {
    let short = if key == "limits" { "limits.profile" } else { key };
    match table::find(short) {
        Some(setting) => said.extend(say(setting, item, text, origin.clone(), problems)),
        None if is_known(&format!("{key}[]")) => {
            problems.push(
                Problem::new(origin.clone(), format!("`{key}` is a list"))
                    .with_help("start each item with `- `"),
            );
        }
        None => {
            problems.push(Problem::new(origin.clone(), format!("`{key}` holds further names, not a value")))
        }
    }
}

fn joined(items: &[Node]) -> Option<String> {
    let texts = items.iter().map(|item| match &item.kind {
        NodeKind::Scalar(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Option<Vec<&str>>>().map(|texts| texts.join(","))
}

/// Whether the table has the key or keys below it.
fn is_known(key: &str) -> bool {
    TABLE.iter().any(|setting| {
        setting.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

fn unknown(parent: &str, name: &str, key: &str, origin: Origin) -> Problem {
    if let Some((_, why)) = LATER.iter().find(|(later, _)| *later == key) {
        return Problem::new(origin, format!("`{key}` isn't in this version: {why}"));
    }
    let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
    let siblings = TABLE.iter().filter_map(|setting| setting.key.strip_prefix(prefix.as_str()));
    let siblings = siblings.filter_map(|rest| rest.split(['.', '[']).next());
    suggest(Problem::new(origin, format!("unknown setting `{key}`")), name, siblings)
}

fn suggest<'a>(problem: Problem, typed: &str, known: impl Iterator<Item = &'a str>) -> Problem {
    match nearest(typed, known) {
        Some(name) => problem.with_help(format!("did you mean `{name}`?")),
        None => problem.with_help("docs/settings.md lists them all"),
    }
}
