//! Routes: any templates and any paths, against the rules written down plainly.
//!
//! An input is lines: `METHOD /template` up to an empty line, then `METHOD /path`, and `@host /path` for addresses.

use codec::h1::Span;
use context::{PathParameters, StageIndex};
use routing::{Addresses, Router};
use vocabulary::{Method, MethodKey};

/// Routes and look-ups of one input; more only cost time.
const LINES_MAX: usize = 64;

type Route<'a> = (&'a str, MethodKey);

/// Tried in this order at each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Static,
    Variable,
    Greedy,
}

/// Adds the routes and looks the paths up.
pub fn route_match(input: &[u8]) {
    let split = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (templates, questions) = (&input[..split], input.get(split + 2..).unwrap_or_default());
    let mut router = Router::default();
    let mut routes: Vec<Route<'_>> = Vec::new();
    for line in templates.split(|octet| *octet == b'\n').take(LINES_MAX) {
        let Some((word, template)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' '))
        else {
            continue;
        };
        let key = match word {
            "ANY" => MethodKey::Any,
            word => MethodKey::One(Method::from_bytes(word.as_bytes())),
        };
        // What is refused (siblings, duplicates, malformed parts) isn't deployed.
        if router.insert(template, key, routes.len()).is_ok() {
            assert!(template.starts_with('/') && (template == "/" || !template.ends_with('/')), "{template}");
            routes.push((template, key));
        }
    }
    for line in questions.split(|octet| *octet == b'\n').take(LINES_MAX) {
        let Some(space) = line.iter().position(|octet| *octet == b' ') else { continue };
        let (word, path) = (&line[..space], &line[space + 1..]);
        match word.strip_prefix(b"@") {
            Some(host) => resolve(host, path),
            None => look_up(&router, &routes, Method::from_bytes(word), path),
        }
    }
}

fn look_up(router: &Router<usize>, routes: &[Route<'_>], method: Method, path: &[u8]) {
    let mut spans = PathParameters::new();
    spans.push(Span { start: 7, len: u32::MAX });
    let found = router.find(method, path, &mut spans);
    let within = |span: &Span| span.start as usize + span.len as usize <= path.len();
    assert!(spans.iter().all(within), "parameters are slices of the path: {spans:?}");
    let values: Vec<&[u8]> = spans.iter().map(|span| span.of(path)).collect();
    let expected = expected(routes, method, path);
    assert_eq!(found.map(|index| (routes[index], values.clone())), expected);
    assert!(found.is_some() || values.is_empty(), "no route, but parameters");
    assert!(values.iter().all(|value| !value.is_empty()), "a variable has a value");
}

/// Of all templates that fit and have the method, the first by static over `{param}` over `{proxy+}`, by segment.
fn expected<'a, 'b>(
    routes: &[Route<'a>],
    method: Method,
    path: &'b [u8],
) -> Option<(Route<'a>, Vec<&'b [u8]>)> {
    let served =
        |key: MethodKey| method != Method::Other && (key == MethodKey::Any || key == MethodKey::One(method));
    let fits = routes.iter().filter(|(_, key)| served(*key));
    let fits = fits.filter_map(|route| Some((*route, fit(route.0, path)?)));
    fits.min_by_key(|((template, key), _)| {
        (parts(template).map(class).collect::<Vec<_>>(), *key == MethodKey::Any)
    })
}

fn parts(template: &str) -> impl Iterator<Item = &str> {
    template.split('/').filter(|part| !part.is_empty())
}

fn class(part: &str) -> Class {
    match part {
        _ if part.starts_with('{') && part.ends_with("+}") => Class::Greedy,
        _ if part.starts_with('{') => Class::Variable,
        _ => Class::Static,
    }
}

/// The values of a template's variables in a path, if it fits.
fn fit<'b>(template: &str, path: &'b [u8]) -> Option<Vec<&'b [u8]>> {
    let mut rest = path;
    while let [b'/', after @ ..] = rest {
        rest = after;
    }
    while let [before @ .., b'/'] = rest {
        rest = before;
    }
    let mut values = Vec::new();
    for part in parts(template) {
        if rest.is_empty() {
            return None;
        }
        if class(part) == Class::Greedy {
            values.push(rest);
            return Some(values);
        }
        let end = rest.iter().position(|octet| *octet == b'/').unwrap_or(rest.len());
        let (segment, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        if segment.is_empty() || class(part) == Class::Static && segment != part.as_bytes() {
            return None;
        }
        if class(part) == Class::Variable {
            values.push(segment);
        }
        rest = after;
    }
    rest.is_empty().then_some(values)
}

/// A host and a path find a stage only by one of the address forms, and what is left of the path is its end.
fn resolve(host: &[u8], path: &[u8]) {
    let mut addresses = Addresses::default();
    addresses.insert("abcdefghij", "prod", StageIndex(1));
    let named = addresses.resolve(host, path);
    if let Ok(found) = named {
        assert!(found.path_has_stage && found.path_start <= path.len());
        let before = String::from_utf8_lossy(&path[..found.path_start]).into_owned();
        assert!(
            before.trim_end_matches("/_user_request_").ends_with("/prod") || before == "prod",
            "{before}"
        );
        let whole = [host, b"|", path].concat().to_ascii_lowercase();
        assert!(whole.windows(10).any(|window| window == b"abcdefghij"), "a stage without its API's id");
    }
    addresses.set_catch_all(StageIndex(7));
    match (named, addresses.resolve(host, path)) {
        (Ok(named), again) => assert_eq!(again.ok(), Some(named), "an address form wins over the catch-all"),
        (Err(_), Ok(found)) => assert_eq!((found.stage, found.path_start), (StageIndex(7), 0)),
        (Err(_), Err(refusal)) => assert_eq!(refusal.status, 403),
    }
}
