//! The base path of a document, and where it puts the paths.

use super::BasePath;
use crate::node::Node;

/// What stands before every path; empty for nothing.
pub(super) fn of(root: &Node, swagger: bool, wanted: BasePath) -> String {
    let base = if swagger {
        root.get("basePath").and_then(Node::as_text).map(str::to_owned)
    } else {
        of_servers(root)
    };
    let base = base.unwrap_or_default();
    let base = base.trim_matches('/');
    match wanted {
        BasePath::Ignore => String::new(),
        BasePath::Prepend if base.is_empty() => String::new(),
        BasePath::Prepend => format!("/{base}"),
        BasePath::Split => match base.split_once('/') {
            Some((_, rest)) => format!("/{rest}"),
            // One segment is the stage and nothing else.
            None => String::new(),
        },
    }
}

/// The first server that has one: the variable `basePath`, used in the URL or not, else the path of the URL.
fn of_servers(root: &Node) -> Option<String> {
    root.get("servers")?.items().iter().find_map(|server| {
        let variable = server.get("variables").and_then(|variables| variables.get("basePath"));
        let variable = variable.and_then(|variable| variable.get("default")).and_then(Node::as_text);
        let path = match variable {
            Some(path) => path.to_owned(),
            None => of_url(server.get("url").and_then(Node::as_text)?),
        };
        (!path.trim_matches('/').is_empty()).then_some(path)
    })
}

fn of_url(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or(String::new(), |at| rest[at..].to_owned())
}

/// A path of the document behind the base path.
pub(super) fn join(base: &str, path: &str) -> String {
    let path = path.trim_end_matches('/');
    match (base, path) {
        ("", "") => "/".to_owned(),
        (base, path) => format!("{base}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn base_paths_by_kind() {
        let swagger = json::parse(r#"{"basePath": "/a/b/c"}"#).expect("JSON");
        let url = json::parse(r#"{"servers": [{"url": "https://h/a/b/c/"}]}"#).expect("JSON");
        let variable = r#"{"servers": [{"url": "https://h/{basePath}", "variables": {"basePath": {"default": "/a/b/c"}}}]}"#;
        let variable = json::parse(variable).expect("JSON");
        for (root, is_swagger) in [(&swagger, true), (&url, false), (&variable, false)] {
            let of = |wanted| of(root, is_swagger, wanted);
            assert_eq!(
                (of(BasePath::Ignore), of(BasePath::Prepend), of(BasePath::Split)),
                (String::new(), "/a/b/c".to_owned(), "/b/c".to_owned())
            );
        }
        let single = json::parse(r#"{"basePath": "/a"}"#).expect("JSON");
        assert_eq!(of(&single, true, BasePath::Split), "");
        let root = json::parse(r#"{"basePath": "/"}"#).expect("JSON");
        assert_eq!(of(&root, true, BasePath::Prepend), "");
        assert_eq!(
            (join("/a", "/"), join("", "/"), join("/a", "/b/")),
            ("/a".into(), "/".into(), "/a/b".into())
        );
    }
}
