//! The text files of the checkout, and a view of Rust sources with comments and literals blanked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours: build output, environments, state.
const SKIPPED: &[&str] =
    &["target", ".git", ".venv", "turnpike-data", "out", "__pycache__", "corpus", "artifacts"];

/// One text file.
#[derive(Debug)]
pub struct SourceFile {
    /// Path relative to the checkout.
    pub path: PathBuf,
    /// Its text; files that aren't UTF-8 are left out.
    pub text: String,
}

impl SourceFile {
    /// Whether this is Rust.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether the whole file is a test, a bench or a fuzz target, by its place.
    #[must_use]
    pub fn is_test(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "tests.rs"
            || self.path.iter().any(|part| part == "tests" || part == "benches" || part == "fuzz")
    }

    /// First line (from one) of the file's test module, if it has one at its end.
    #[must_use]
    pub fn tests_start(&self) -> Option<usize> {
        let lines: Vec<&str> = self.text.lines().collect();
        lines
            .iter()
            .position(|line| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test"))
            .filter(|at| lines[at + 1..].iter().take(3).any(|line| line.starts_with("mod ")))
            .map(|at| at + 1)
    }
}

/// All text files below `root`, sorted by path.
///
/// # Errors
/// A folder or file can't be read.
pub fn files(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    walk(root, root, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<SourceFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &entry.path(), found)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
            && let Ok(path) = entry.path().strip_prefix(root)
        {
            found.push(SourceFile { path: path.to_path_buf(), text });
        }
    }
    Ok(())
}

/// The source with comments, strings and character literals replaced by spaces; line breaks stay.
#[must_use]
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// End of the comment or literal that starts at `at`, or `at` when none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let boundary = at == 0 || !is_word(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_end(bytes, at),
        [b'"', ..] => string_end(bytes, at + 1),
        [b'r', b'"' | b'#', ..] if boundary => raw_string_end(bytes, at, at + 1),
        [b'b', b'r', b'"' | b'#', ..] if boundary => raw_string_end(bytes, at, at + 2),
        [b'\'', b'\\', ..] => {
            let from = (at + 3).min(bytes.len());
            bytes[from..].iter().position(|&byte| byte == b'\'').map_or(bytes.len(), |end| from + end + 1)
        }
        [b'\'', first, ..] => char_end(bytes, at, *first),
        _ => at,
    }
}

fn char_end(bytes: &[u8], at: usize, first: u8) -> usize {
    let width = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    if bytes.get(at + 1 + width) == Some(&b'\'') { at + width + 2 } else { at }
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut here = at;
    while here + 1 < bytes.len() {
        match &bytes[here..here + 2] {
            b"/*" => {
                depth += 1;
                here += 2;
            }
            b"*/" => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut here = from;
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 2,
            b'"' => return here + 1,
            _ => here += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], at: usize, hashes_from: usize) -> usize {
    let hashes = bytes[hashes_from..].iter().take_while(|&&byte| byte == b'#').count();
    let open = hashes_from + hashes;
    if bytes.get(open) != Some(&b'"') {
        return at; // a raw identifier
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    bytes[open + 1..]
        .windows(close.len())
        .position(|window| window == close)
        .map_or(bytes.len(), |end| open + 1 + end + close.len())
}

/// Whether the byte can be part of an identifier.
#[must_use]
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn literals_and_comments_are_blanked_and_lines_stay() {
        let text = "a /* { /* } */ */ \"}\\\"{\" '{' '\\'' b'}' r#\"{\"}\"# 'life // {\nb";
        let blanked = blank(text);
        assert_eq!(blanked.len(), text.len());
        assert!(!blanked.contains(['{', '}']), "{blanked}");
        assert!(blanked.contains("'life"), "{blanked}");
        assert!(blanked.ends_with("\nb"), "{blanked}");
    }
}
