//! Sizes: a file ends at 800 lines, a function at 70. Growth past them needs a name in the ratchet.

use crate::Finding;
use crate::ratchet::{self, Ratchet};
use crate::source::{SourceFile, blank, is_word};
use std::collections::HashSet;
use std::path::Path;

/// Production lines of a file (in-file tests not counted); whole test files are measured in full.
pub const FILE_LINES_MAX: usize = 800;
/// Lines of a function from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// One function of a source.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of its `fn`, from one.
    pub line: usize,
    /// Lines up to its closing brace.
    pub lines: usize,
}

/// Files and functions over their walls, and exemptions that nobody needs any more.
#[must_use]
pub fn check(files: &[SourceFile], ratchet: &Ratchet) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut needed = HashSet::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = production_lines(file);
        if lines > FILE_LINES_MAX {
            needed.insert((file.path.clone(), None));
            if lines > ratchet.allowed(&file.path, None).unwrap_or(FILE_LINES_MAX) {
                let message = format!("{lines} lines, the wall is {FILE_LINES_MAX}: split by noun or verb");
                findings.push(Finding::new(&file.path, 0, message));
            }
        }
        for function in
            functions(&file.text).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX)
        {
            let allowed = ratchet.allowed(&file.path, Some(&function.name)).unwrap_or(FUNCTION_LINES_MAX);
            if function.lines > allowed {
                let message = format!(
                    "`{}` has {} lines, {FUNCTION_LINES_MAX} are allowed: a step wants a name",
                    function.name, function.lines
                );
                findings.push(Finding::new(&file.path, function.line, message));
            }
            needed.insert((file.path.clone(), Some(function.name)));
        }
    }
    for exemption in &ratchet.exemptions {
        if !needed.contains(&(exemption.path.clone(), exemption.function.clone())) {
            let message =
                format!("{} needs no exemption any more: delete the line", exemption.path.display());
            findings.push(Finding::new(Path::new(ratchet::PATH), exemption.declared_at, message));
        }
    }
    findings
}

fn production_lines(file: &SourceFile) -> usize {
    let all = file.text.lines().count();
    if file.is_test() { all } else { file.tests_start().map_or(all, |start| start - 1) }
}

/// Every function with a body, nested ones too.
#[must_use]
pub fn functions(text: &str) -> Vec<Function> {
    let blanked = blank(text);
    let bytes = blanked.as_bytes();
    let mut found = Vec::new();
    let mut line = 1;
    for at in 0..bytes.len() {
        if bytes[at] == b'\n' {
            line += 1;
        }
        if let Some(name) = function_name(bytes, at)
            && let Some(end) = body_end(bytes, at)
        {
            let lines = bytes[at..end].iter().filter(|&&byte| byte == b'\n').count() + 1;
            found.push(Function { name, line, lines });
        }
    }
    found
}

/// The name after the keyword `fn` at `at`; function pointer types have none.
fn function_name(bytes: &[u8], at: usize) -> Option<String> {
    let starts = bytes[at..].starts_with(b"fn ") && (at == 0 || !is_word(bytes[at - 1]));
    let name: Vec<u8> = bytes.get(at + 3..)?.iter().copied().take_while(|&byte| is_word(byte)).collect();
    (starts && !name.is_empty()).then(|| String::from_utf8_lossy(&name).into_owned())
}

/// One past the closing brace of the body, or `None` for a declaration without one.
fn body_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut brackets = 0i32;
    let mut braces = 0i32;
    for (offset, byte) in bytes[from..].iter().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if braces == 0 && brackets == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(from + offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn functions_are_measured_from_keyword_to_brace() {
        let text =
            "trait T { fn declared(&self) -> [u8; 4]; }\nfn f(a: fn(u8)) {\n  \"}\";\n  fn g() {}\n}\n";
        let found = functions(text);
        let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("f", 2, 4), ("g", 4, 1)]);
    }
}
