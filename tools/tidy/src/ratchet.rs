//! Named exemptions from size rules, in `tools/tidy/ratchet.txt`. A number may fall, never rise.
//!
//! Lines: `file <path> <lines>` or `function <path> <name> <lines>`; the rest of the line is the reason.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the exemptions are, relative to the checkout.
pub const PATH: &str = "tools/tidy/ratchet.txt";

/// One exemption.
#[derive(Debug, PartialEq, Eq)]
pub struct Exemption {
    /// File relative to the checkout.
    pub path: PathBuf,
    /// Function name; `None` exempts the file's length.
    pub function: Option<String>,
    /// Lines allowed.
    pub lines: usize,
    /// Line of `ratchet.txt`, from one.
    pub declared_at: usize,
}

/// All exemptions.
#[derive(Debug, Default)]
pub struct Ratchet {
    /// In the order of the file.
    pub exemptions: Vec<Exemption>,
}

impl Ratchet {
    /// Reads the exemptions of a checkout; a missing file means none.
    ///
    /// # Errors
    /// The file can't be read or a line of it isn't an exemption with a reason.
    pub fn load(root: &Path) -> io::Result<Self> {
        match fs::read_to_string(root.join(PATH)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Reads exemptions from text.
    ///
    /// # Errors
    /// A line isn't an exemption with a reason.
    pub fn parse(text: &str) -> io::Result<Self> {
        let mut exemptions = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let parsed = match words.as_slice() {
                ["file", path, lines, _, ..] => Some((path, None, lines)),
                ["function", path, name, lines, _, ..] => Some((path, Some((*name).to_owned()), lines)),
                _ => None,
            };
            let exemption = parsed.and_then(|(path, function, lines)| {
                let lines = lines.parse().ok()?;
                Some(Exemption { path: PathBuf::from(path), function, lines, declared_at: at + 1 })
            });
            exemptions.push(exemption.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{PATH}:{}: not an exemption: {line}", at + 1),
                )
            })?);
        }
        Ok(Ratchet { exemptions })
    }

    /// Lines allowed to a file, or to a function in it.
    #[must_use]
    pub fn allowed(&self, path: &Path, function: Option<&str>) -> Option<usize> {
        self.exemptions
            .iter()
            .find(|exemption| exemption.path == path && exemption.function.as_deref() == function)
            .map(|exemption| exemption.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::Ratchet;
    use std::path::Path;

    #[test]
    fn an_exemption_needs_a_reason() {
        assert!(Ratchet::parse("file a.rs 900").is_err());
        let ratchet = Ratchet::parse("# why\nfile a.rs 900 a table of data\nfunction b.rs f 80 one match\n");
        let ratchet = ratchet.expect("well formed");
        assert_eq!(ratchet.allowed(Path::new("a.rs"), None), Some(900));
        assert_eq!(ratchet.allowed(Path::new("b.rs"), Some("f")), Some(80));
        assert_eq!(ratchet.allowed(Path::new("b.rs"), None), None);
    }
}
