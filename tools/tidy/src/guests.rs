//! Dependencies of the root manifest and their lines in docs/dependencies.md: the same names on both sides.

use crate::Finding;
use crate::source::SourceFile;
use std::collections::BTreeSet;
use std::path::Path;

const MANIFEST: &str = "Cargo.toml";
const LIST: &str = "docs/dependencies.md";

/// Crates without a reason, and reasons without a crate.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let text =
        |path: &str| files.iter().find(|file| file.path == Path::new(path)).map_or("", |file| &file.text);
    let declared = declared(text(MANIFEST));
    let explained = explained(text(LIST));
    let unexplained = declared.difference(&explained).map(|name| {
        Finding::new(Path::new(MANIFEST), 0, format!("`{name}` has no line in {LIST}: what does it save?"))
    });
    let gone = explained.difference(&declared).map(|name| {
        Finding::new(Path::new(LIST), 0, format!("`{name}` is no dependency any more: delete its line"))
    });
    unexplained.chain(gone).collect()
}

fn declared(manifest: &str) -> BTreeSet<&str> {
    let table = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let entries = table.take_while(|line| !line.starts_with('['));
    let others = entries.filter(|line| !line.contains("path = ")).filter_map(|line| line.split_once(" = "));
    others.map(|(name, _)| name.trim()).collect()
}

fn explained(list: &str) -> BTreeSet<&str> {
    let rows = list.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect()
}
