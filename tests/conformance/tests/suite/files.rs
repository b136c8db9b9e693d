//! The case files of a feature, and the documents they are about.

use crate::case::{Case, CaseFile};
use std::path::{Path, PathBuf};

/// A file of cases and where it is.
pub(crate) struct File {
    /// `feature/name.toml`
    pub(crate) path: String,
    pub(crate) cases: CaseFile,
}

/// Where the features' folders are.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Folders with cases.
pub(crate) fn features() -> Vec<String> {
    let folders = names(root()).into_iter().filter(|path| path.is_dir());
    let names = folders.map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    names.filter(|name| name != "src" && name != "tests").collect()
}

/// Every file of a feature.
pub(crate) fn of(feature: &str) -> Vec<File> {
    let folder = root().join(feature);
    let files: Vec<File> = names(&folder).iter().map(|path| read(path)).collect();
    assert!(!files.is_empty(), "{feature} has no case files");
    files
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> File {
    let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    assert!(path.extension().is_some_and(|end| end == "toml"), "{shown} is no case file");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{shown}: {error}"));
    File { path: shown, cases }
}

/// The document of a case; names in `<>` are still in it.
pub(crate) fn document(file: &CaseFile, case: &Case) -> String {
    if let Some(text) = &case.document {
        return text.clone();
    }
    let own = case.paths.as_ref().map(|paths| (paths, &case.turnpike));
    if let Some((paths, turnpike)) = own.or(file.paths.as_ref().map(|paths| (paths, &file.turnpike))) {
        let members = turnpike.as_ref().map(|text| format!(", {}", text.trim())).unwrap_or_default();
        let indented: String = paths.lines().map(|line| format!("  {line}\n")).collect();
        return format!(
            "openapi: 3.0.1\ninfo: {{title: case, version: \"1\"}}\n\
             x-turnpike: {{id: <api>, stage: test{members}}}\npaths:\n{indented}"
        );
    }
    file.document.clone().unwrap_or_else(|| panic!("{}: no document", case.name))
}
