//! Matching of REST APIs: static over `{param}` over `{proxy+}` at each level, aware of methods, with backtracking.
//!
//! A tree of path segments, one hash look-up per segment, so a look-up costs the same with ten routes and with ten
//! thousand. The path is matched as it came: `%2F` separates nothing, case matters.

use codec::h1::Span;
use context::PathParameters;
use vocabulary::{Method, MethodKey};

use crate::ByteMap;

/// Why a route can't be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// The template doesn't begin with `/`, or has an empty segment.
    Path,
    /// A segment that mixes a variable with other characters, or a name that is none.
    Part(String),
    /// A second variable below the same resource.
    Sibling(String),
    /// Something below a greedy variable.
    BelowGreedy,
    /// The same method of the same resource twice.
    Duplicate,
}

impl std::fmt::Display for RouteError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RouteError::Path => formatter.write_str("a resource path begins with / and has no empty segment"),
            RouteError::Part(part) => write!(
                formatter,
                "`{part}` is no path part: a variable is a whole segment, {{name}} or {{name+}}, and other parts have \
                 letters, digits and _-.,:$+*"
            ),
            RouteError::Sibling(part) => write!(
                formatter,
                "A sibling ({part}) of this resource already has a variable path part -- only one is allowed"
            ),
            RouteError::BelowGreedy => {
                formatter.write_str("Cannot create a child of a resource with a greedy path variable")
            }
            RouteError::Duplicate => formatter.write_str("the method is already there"),
        }
    }
}

impl std::error::Error for RouteError {}

#[derive(Clone, Debug)]
struct Node<T> {
    children: ByteMap<u32>,
    variable: Option<(Box<str>, u32)>,
    greedy: Option<(Box<str>, u32)>,
    methods: [Option<T>; 7],
    any: Option<T>,
}

impl<T: Copy> Node<T> {
    fn new() -> Self {
        Node { children: ByteMap::default(), variable: None, greedy: None, methods: [None; 7], any: None }
    }

    /// The exact method, else `ANY`, which stands for exactly the seven.
    fn route(&self, method: Method) -> Option<T> {
        let index = method.index()?;
        self.methods[index].or(self.any)
    }
}

/// The deployed methods of one API.
#[derive(Clone, Debug)]
pub struct Router<T> {
    nodes: Vec<Node<T>>,
}

impl<T: Copy> Default for Router<T> {
    fn default() -> Self {
        Router { nodes: vec![Node::new()] }
    }
}

impl<T: Copy> Router<T> {
    /// Adds a method of a resource.
    ///
    /// # Errors
    /// See [`RouteError`]; the texts are those of the control plane where it has one.
    pub fn insert(&mut self, template: &str, method: MethodKey, route: T) -> Result<(), RouteError> {
        let Some(rest) = template.strip_prefix('/') else { return Err(RouteError::Path) };
        let mut node = 0;
        if !rest.is_empty() {
            let parts: Vec<&str> = rest.split('/').collect();
            for (index, part) in parts.iter().enumerate() {
                node = self.child(node, part, index + 1 == parts.len())?;
            }
        }
        let place = match method {
            MethodKey::Any => &mut self.nodes[node].any,
            MethodKey::One(method) => {
                let index = method.index().ok_or_else(|| RouteError::Part("method".to_owned()))?;
                &mut self.nodes[node].methods[index]
            }
        };
        if place.is_some() {
            return Err(RouteError::Duplicate);
        }
        *place = Some(route);
        Ok(())
    }

    fn child(&mut self, node: usize, part: &str, last: bool) -> Result<usize, RouteError> {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            return self.variable_child(node, part, name, last);
        }
        let valid = |octet: u8| octet.is_ascii_alphanumeric() || b"_-.,:$+*~%!&'()=;@".contains(&octet);
        if part.is_empty() {
            return Err(RouteError::Path);
        }
        if !part.bytes().all(valid) {
            return Err(RouteError::Part(part.to_owned()));
        }
        if let Some(&child) = self.nodes[node].children.get(part.as_bytes()) {
            return Ok(child as usize);
        }
        let child = self.grow();
        self.nodes[node].children.insert(part.as_bytes().into(), index32(child));
        Ok(child)
    }

    fn variable_child(
        &mut self,
        node: usize,
        part: &str,
        name: &str,
        last: bool,
    ) -> Result<usize, RouteError> {
        let (name, greedy) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let valid = |octet: u8| octet.is_ascii_alphanumeric() || b"_-.:$".contains(&octet);
        if name.is_empty() || !name.bytes().all(valid) {
            return Err(RouteError::Part(part.to_owned()));
        }
        if greedy && !last {
            return Err(RouteError::BelowGreedy);
        }
        let (same, other) = match greedy {
            true => (&self.nodes[node].greedy, &self.nodes[node].variable),
            false => (&self.nodes[node].variable, &self.nodes[node].greedy),
        };
        if let Some((known, child)) = same
            && &**known == name
        {
            return Ok(*child as usize);
        }
        if let Some((sibling, _)) = same.as_ref().or(other.as_ref()) {
            let plus = if self.nodes[node].greedy.is_some() { "+" } else { "" };
            return Err(RouteError::Sibling(format!("{{{sibling}{plus}}}")));
        }
        let child = self.grow();
        let place = if greedy { &mut self.nodes[node].greedy } else { &mut self.nodes[node].variable };
        *place = Some((name.into(), index32(child)));
        Ok(child)
    }

    fn grow(&mut self) -> usize {
        self.nodes.push(Node::new());
        self.nodes.len() - 1
    }

    /// The route of a method and a raw path. `parameters` gets the values of the template's variables in its order, as
    /// spans of `path`; it is empty without a route.
    ///
    /// Slashes before the first segment and after the last are ignored; those within a greedy value are kept.
    pub fn find(&self, method: Method, path: &[u8], parameters: &mut PathParameters) -> Option<T> {
        parameters.clear();
        let start = path.iter().position(|&octet| octet != b'/').unwrap_or(path.len());
        let end = path.iter().rposition(|&octet| octet != b'/').map_or(start, |last| last + 1);
        self.descend(0, method, path, start, end.max(start), parameters)
    }

    /// Tries the ways down from `node` in their order; what a failed way put into `parameters` is taken back.
    fn descend(
        &self,
        node: usize,
        method: Method,
        path: &[u8],
        at: usize,
        end: usize,
        parameters: &mut PathParameters,
    ) -> Option<T> {
        let node = &self.nodes[node];
        if at >= end {
            return node.route(method);
        }
        let stop = path[at..end].iter().position(|&octet| octet == b'/').map_or(end, |slash| at + slash);
        let next = (stop + 1).min(end);
        if stop > at {
            if let Some(&child) = node.children.get(&path[at..stop])
                && let Some(route) = self.descend(child as usize, method, path, next, end, parameters)
            {
                return Some(route);
            }
            if let Some((_, child)) = &node.variable {
                parameters.push(span(at, stop));
                if let Some(route) = self.descend(*child as usize, method, path, next, end, parameters) {
                    return Some(route);
                }
                parameters.pop();
            }
        }
        let (_, child) = node.greedy.as_ref()?;
        let route = self.nodes[*child as usize].route(method)?;
        parameters.push(span(at, end));
        Some(route)
    }
}

fn span(start: usize, end: usize) -> Span {
    Span { start: index32(start), len: index32(end - start) }
}

/// Paths and trees are far smaller than 4 GiB: both are bounded by limits.
fn index32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router<usize> {
        let mut router = Router::default();
        for (index, (method, template)) in routes.iter().enumerate() {
            let key = match *method {
                "ANY" => MethodKey::Any,
                word => MethodKey::One(Method::from_bytes(word.as_bytes())),
            };
            router.insert(template, key, index).expect("valid");
        }
        router
    }

    fn find(routes: &[(&str, &str)], method: &str, path: &str) -> Option<(String, Vec<String>)> {
        let mut parameters = PathParameters::new();
        let route =
            router(routes).find(Method::from_bytes(method.as_bytes()), path.as_bytes(), &mut parameters)?;
        let values = parameters
            .iter()
            .map(|span| String::from_utf8_lossy(span.of(path.as_bytes())).into_owned())
            .collect();
        Some((format!("{} {}", routes[route].0, routes[route].1), values))
    }

    /// (routes, method, path, route, values): each a row of the specification's table.
    #[test]
    fn rows_of_the_specification() {
        let observed: &[(&str, &str)] = &[("POST", "/test"), ("ANY", "/test/any"), ("OPTIONS", "/{proxy+}")];
        let depth: &[(&str, &str)] =
            &[("GET", "/part1"), ("GET", "/part1/hardcoded-value"), ("GET", "/{param+}")];
        let mixed: &[(&str, &str)] =
            &[("GET", "/"), ("GET", "/a/b"), ("GET", "/a/{x}"), ("ANY", "/a/{x}/c"), ("GET", "/p/{proxy+}")];
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, Option<(&'a str, &'a [&'a str])>);
        let rows: &[Row<'_>] = &[
            (observed, "OPTIONS", "/test", Some(("OPTIONS /{proxy+}", &["test"]))),
            (observed, "OPTIONS", "/test/any", Some(("ANY /test/any", &[]))),
            (observed, "GET", "/test", None),
            (observed, "OPTIONS", "/", None),
            (depth, "GET", "/part1/random-value", Some(("GET /{param+}", &["part1/random-value"]))),
            (depth, "GET", "/part1/hardcoded-value", Some(("GET /part1/hardcoded-value", &[]))),
            (depth, "HEAD", "/part1", None),
            (mixed, "GET", "/", Some(("GET /", &[]))),
            (mixed, "GET", "", Some(("GET /", &[]))),
            (mixed, "GET", "/a/b", Some(("GET /a/b", &[]))),
            (mixed, "GET", "/a/z", Some(("GET /a/{x}", &["z"]))),
            (mixed, "DELETE", "/a/b/c", Some(("ANY /a/{x}/c", &["b"]))),
            (mixed, "TRACE", "/a/b/c", None),
            (mixed, "GET", "/p", None),
            (mixed, "GET", "/p/", None),
            (mixed, "GET", "/p/proxy-value/", Some(("GET /p/{proxy+}", &["proxy-value"]))),
            (mixed, "GET", "/p/v//double-slash", Some(("GET /p/{proxy+}", &["v//double-slash"]))),
            (mixed, "GET", "//a/b", Some(("GET /a/b", &[]))),
            (mixed, "GET", "/a/b/", Some(("GET /a/b", &[]))),
            (mixed, "GET", "/a//b", None),
            (mixed, "GET", "/A/b", None),
            (mixed, "GET", "/a/x%2Fy", Some(("GET /a/{x}", &["x%2Fy"]))),
        ];
        for (routes, method, path, expected) in rows {
            let expected = expected
                .map(|(route, values)| (route.to_owned(), values.iter().map(|v| (*v).to_owned()).collect()));
            assert_eq!(find(routes, method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn templates_are_checked() {
        let mut router = router(&[("GET", "/a/{x}"), ("GET", "/g/{p+}")]);
        let mut add = |template: &str| router.insert(template, MethodKey::Any, 9);
        assert_eq!(add("a"), Err(RouteError::Path));
        assert_eq!(add("/a//b"), Err(RouteError::Path));
        assert_eq!(add("/a/{y}"), Err(RouteError::Sibling("{x}".to_owned())));
        assert_eq!(add("/g/{q}"), Err(RouteError::Sibling("{p+}".to_owned())));
        assert_eq!(add("/g/{p+}/more"), Err(RouteError::BelowGreedy));
        assert!(matches!(add("/a{b}"), Err(RouteError::Part(_))));
        assert!(matches!(add("/{}"), Err(RouteError::Part(_))));
        assert_eq!(add("/a/{x}"), Ok(()));
        assert_eq!(add("/a/{x}"), Err(RouteError::Duplicate));
    }
}
