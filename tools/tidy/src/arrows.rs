//! Arrows between crates: from a higher tier to a lower one, and from `engine` to `config` never.
//!
//! The tiers are those of docs/architecture.md; a crate that isn't in the table is a finding, so that a new crate
//! chooses its tier on the day it is born.

use crate::Finding;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder and tier of every crate of the house.
const TIERS: &[(&str, u8)] = &[
    ("engine/vocabulary", 0),
    ("config/yaml", 0),
    ("engine/codec", 1),
    ("engine/context", 1),
    ("engine/signing", 1),
    ("config/model", 1),
    ("config/settings", 1),
    ("engine/routing", 2),
    ("engine/mapping", 2),
    ("engine/validation", 2),
    ("engine/access", 2),
    ("engine/waf", 2),
    ("engine/throttling", 2),
    ("engine/caching", 2),
    ("engine/integration", 2),
    ("engine/websocket", 2),
    ("engine/records", 2),
    ("config/openapi", 2),
    ("config/store", 2),
    ("config/sdk", 3),
    ("engine/plan", 3),
    ("engine/gateway", 4),
    ("engine/workers", 5),
    ("engine/functions", 6),
    ("engine/shard", 6),
    ("config/deploy", 7),
    ("config/control", 8),
    ("engine/server", 9),
    ("benches", OUTSIDE),
    ("perf", OUTSIDE),
    ("tests/support", OUTSIDE),
    ("tests/end_to_end", OUTSIDE + 1),
    ("tests/endurance", OUTSIDE + 1),
    ("tests/simulation", OUTSIDE + 1),
    ("tests/conformance", OUTSIDE + 1),
    ("tests/interop", OUTSIDE + 1),
    ("tools/tidy", OUTSIDE),
    ("tools/shapes", OUTSIDE),
];

/// Tests, benches and tools stand above the product: they may import it, it never imports them.
const OUTSIDE: u8 = 10;

/// What the config side may import of the engine, beside `vocabulary`. `None`: anything below its tier.
const BRIDGES: &[(&str, Option<&[&str]>)] =
    &[("config/deploy", None), ("config/control", Some(&["engine/access", "engine/plan"]))];

/// Arrows inside a tier, each with its reason in docs/architecture.md.
const LEVEL: &[(&str, &str)] = &[("engine/context", "engine/codec")]; // an exchange owns its parsed head

/// One crate and what it imports, as folders relative to the checkout.
#[derive(Debug)]
pub struct Crate {
    /// Its folder.
    pub folder: String,
    /// Folders of ours that it imports, dev-dependencies too.
    pub imports: Vec<String>,
}

/// Arrows that point the wrong way.
///
/// # Errors
/// `cargo metadata` can't be run or read.
pub fn check(root: &Path) -> io::Result<Vec<Finding>> {
    Ok(crates(root)?.iter().flat_map(broken).collect())
}

/// The workspace's crates from `cargo metadata`.
///
/// # Errors
/// `cargo metadata` can't be run or read.
pub fn crates(root: &Path) -> io::Result<Vec<Crate>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    Ok(packages.iter().filter_map(|package| read_crate(package, root)).collect())
}

fn read_crate(package: &Value, root: &Path) -> Option<Crate> {
    let manifest = PathBuf::from(package["manifest_path"].as_str()?);
    let folder = relative(manifest.parent()?, root)?;
    let dependencies = package["dependencies"].as_array()?;
    let imports =
        dependencies.iter().filter_map(|dependency| relative(Path::new(dependency["path"].as_str()?), root));
    Some(Crate { folder, imports: imports.collect() })
}

fn relative(path: &Path, root: &Path) -> Option<String> {
    path.strip_prefix(root).ok()?.to_str().map(str::to_owned)
}

fn tier(folder: &str) -> Option<u8> {
    TIERS.iter().find(|(known, _)| *known == folder).map(|(_, tier)| *tier)
}

fn broken(from: &Crate) -> Vec<Finding> {
    let manifest = Path::new(&from.folder).join("Cargo.toml");
    let Some(own) = tier(&from.folder) else {
        return vec![Finding::new(&manifest, 1, "no tier: choose one in tools/tidy/src/arrows.rs")];
    };
    let findings = from.imports.iter().filter_map(|to| {
        let message = match tier(to) {
            None => format!("imports {to}, which has no tier"),
            Some(_) if LEVEL.contains(&(from.folder.as_str(), to.as_str())) => return None,
            Some(other) if other >= own => {
                format!("tier {own} imports {to} of tier {other}: arrows point down")
            }
            Some(_) => side_broken(&from.folder, to)?,
        };
        Some(Finding::new(&manifest, 1, message))
    });
    findings.collect()
}

/// The rule between the two sides of the house.
fn side_broken(from: &str, to: &str) -> Option<String> {
    if from.starts_with("engine/") && to.starts_with("config/") && from != "engine/server" {
        return Some(format!("imports {to}: the engine executes plans and knows no configuration"));
    }
    if from.starts_with("config/") && to.starts_with("engine/") && to != "engine/vocabulary" {
        let allowed = BRIDGES.iter().find(|(bridge, _)| *bridge == from).map(|(_, allowed)| *allowed);
        let fine = match allowed {
            Some(None) => true,
            Some(Some(allowed)) => allowed.contains(&to),
            None => false,
        };
        return (!fine).then(|| format!("imports {to}: config/deploy is the only bridge to the engine"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Crate, broken};

    fn findings(folder: &str, import: &str) -> usize {
        broken(&Crate { folder: folder.to_owned(), imports: vec![import.to_owned()] }).len()
    }

    #[test]
    fn arrows_point_down_and_deploy_is_the_only_bridge() {
        assert_eq!(findings("engine/gateway", "engine/plan"), 0);
        assert_eq!(findings("engine/plan", "engine/gateway"), 1);
        assert_eq!(findings("engine/routing", "engine/mapping"), 1);
        assert_eq!(findings("engine/shard", "config/settings"), 1);
        assert_eq!(findings("engine/server", "config/settings"), 0);
        assert_eq!(findings("config/openapi", "engine/codec"), 1);
        assert_eq!(findings("config/openapi", "engine/vocabulary"), 0);
        assert_eq!(findings("config/deploy", "engine/plan"), 0);
        assert_eq!(findings("engine/newborn", "engine/vocabulary"), 1);
        assert_eq!(findings("tests/end_to_end", "tests/support"), 0);
    }
}
