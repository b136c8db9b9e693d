//! The checkout keeps its own rules.

use std::path::Path;

#[test]
fn the_house_is_tidy() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tools/tidy is two folders deep");
    let findings = turnpike_tidy::check(root).expect("the checkout can be read");
    let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} broken rules:\n{}", list.len(), list.join("\n"));
}
