//! The router against the rules written down plainly: of all templates that fit a path and have the method, the first
//! by static over `{param}` over `{proxy+}`, segment by segment.

use codec::h1::Span;
use context::PathParameters;
use proptest::prelude::*;
use turnpike_routing::Router;
use vocabulary::{Method, MethodKey};

/// Tried in this order at each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Static,
    Variable,
    Greedy,
}

fn class(part: &str) -> Class {
    match part {
        _ if part.ends_with("+}") => Class::Greedy,
        _ if part.starts_with('{') => Class::Variable,
        _ => Class::Static,
    }
}

fn parts(template: &str) -> Vec<&str> {
    template.split('/').filter(|part| !part.is_empty()).collect()
}

/// The values of a template's variables in a path, if it fits.
fn fit(template: &str, path: &str) -> Option<Vec<String>> {
    let mut rest = path.trim_matches('/');
    let mut values = Vec::new();
    for part in parts(template) {
        if rest.is_empty() {
            return None;
        }
        if class(part) == Class::Greedy {
            values.push(rest.to_owned());
            return Some(values);
        }
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        if segment.is_empty() || class(part) == Class::Static && segment != part {
            return None;
        }
        if class(part) == Class::Variable {
            values.push(segment.to_owned());
        }
        rest = after;
    }
    rest.is_empty().then_some(values)
}

fn oracle(
    routes: &[(String, MethodKey)],
    method: Method,
    path: &str,
) -> Option<((String, MethodKey), Vec<String>)> {
    let served = |key: &MethodKey| *key == MethodKey::Any || *key == MethodKey::One(method);
    let fits = routes.iter().filter(|(_, key)| served(key));
    let fits = fits.filter_map(|route| Some((route.clone(), fit(&route.0, path)?)));
    fits.min_by_key(|((template, key), _)| {
        let classes: Vec<Class> = parts(template).into_iter().map(class).collect();
        (classes, *key == MethodKey::Any)
    })
}

fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![Just("a"), Just("b"), Just("{v}")];
    let tail = prop_oneof![Just(""), Just("/{v+}")];
    (prop::collection::vec(part, 0..4), tail).prop_map(|(parts, tail)| {
        let path: String = parts.iter().map(|part| format!("/{part}")).collect();
        if path.is_empty() && tail.is_empty() { "/".to_owned() } else { format!("{path}{tail}") }
    })
}

fn key() -> impl Strategy<Value = MethodKey> {
    prop_oneof![Just(MethodKey::Any), Just(MethodKey::One(Method::Get)), Just(MethodKey::One(Method::Post)),]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_router_agrees_with_the_rules(
        wanted in prop::collection::vec((template(), key()), 0..12),
        paths in prop::collection::vec("/{0,2}([abc]/{0,2}){0,5}", 1..8),
    ) {
        let mut router = Router::default();
        let mut routes = Vec::new();
        for route in wanted {
            // What the control plane refuses (siblings, duplicates) isn't deployed.
            if router.insert(&route.0, route.1, routes.len()).is_ok() {
                routes.push(route);
            }
        }
        for path in paths {
            for method in [Method::Get, Method::Post, Method::Head, Method::Other] {
                let mut spans = PathParameters::new();
                let found = router.find(method, path.as_bytes(), &mut spans).map(|index| {
                    let value = |span: &Span| String::from_utf8_lossy(span.of(path.as_bytes())).into_owned();
                    (routes[index].clone(), spans.iter().map(value).collect::<Vec<_>>())
                });
                let expected = if method == Method::Other { None } else { oracle(&routes, method, &path) };
                prop_assert_eq!(found, expected, "{:?} {}", method, path);
            }
        }
    }
}
