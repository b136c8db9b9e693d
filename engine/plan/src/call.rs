//! A call to an HTTP backend: address, URI, method, timeout, mappings.

use std::collections::BTreeMap;

use integration::Kind;
use mapping::{Scope, UriTemplate, stage_variables};
use vocabulary::Method;
use vocabulary::limits::INTEGRATION_TIMEOUT_MS_MIN;
use vocabulary::percent;

use crate::error::CompileError;
use crate::request::RequestPlan;
use crate::target::{Target, TargetIndex, Targets};

/// A compiled call.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// The backend.
    pub target: TargetIndex,
    /// Method of the call; `None` for the client's own.
    pub method: Option<Method>,
    /// Time until the backend's answer must be complete, in milliseconds.
    pub timeout_ms: u32,
    /// `Host` of the call, unless a mapping sets it.
    pub host: Box<[u8]>,
    /// Path and query.
    pub uri: UriTemplate,
    /// Mappings.
    pub request: RequestPlan,
}

/// An integration's settings as the API has them.
#[derive(Clone, Copy, Debug)]
pub struct CallSpec<'a> {
    /// `HTTP_PROXY` or `HTTP`.
    pub kind: Kind,
    /// `uri`, stage variables and placeholders included.
    pub uri: &'a str,
    /// `httpMethod`: one of the seven, or `ANY`.
    pub http_method: &'a str,
    /// `timeoutInMillis`
    pub timeout_ms: u32,
    /// What that may be at most on this node.
    pub timeout_ms_max: u32,
    /// `tlsConfig.insecureSkipVerification`
    pub insecure_skip_verification: bool,
    /// `x-turnpike.protocol` is `h2` or `h2c`.
    pub http2: bool,
    /// `requestParameters`
    pub request_parameters: &'a BTreeMap<String, String>,
}

impl CallPlan {
    /// Compiles a call and enters its backend into `targets`.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(
        spec: &CallSpec<'_>,
        scope: &Scope<'_>,
        targets: &mut Targets,
    ) -> Result<Self, CompileError> {
        let method = match (spec.http_method, Method::from_bytes(spec.http_method.as_bytes())) {
            ("", _) => {
                let why = "Enumeration value for HttpMethod must be non-empty";
                return Err(CompileError::HttpMethod(why.to_owned()));
            }
            ("ANY", _) => None,
            (other, Method::Other) => {
                return Err(CompileError::HttpMethod(format!("`{other}` is none of the methods")));
            }
            (_, method) => Some(method),
        };
        let (min, max) = (INTEGRATION_TIMEOUT_MS_MIN, spec.timeout_ms_max);
        if !(min..=max).contains(&spec.timeout_ms) {
            return Err(CompileError::Timeout { timeout_ms: spec.timeout_ms, max });
        }
        let (request, path) = RequestPlan::compile(spec.kind, spec.request_parameters, scope)?;
        let uri = stage_variables::substitute(spec.uri, scope.stage_variables);
        let (target, host, rest) = split(&uri, spec.insecure_skip_verification, spec.http2)?;
        Ok(CallPlan {
            target: targets.index_of(target),
            method,
            timeout_ms: spec.timeout_ms,
            host,
            uri: UriTemplate::parse(rest, &path),
            request,
        })
    }
}

/// Backend, `Host` value and the rest of a URI.
fn split(uri: &str, any_issuer: bool, http2: bool) -> Result<(Target, Box<[u8]>, &str), CompileError> {
    let refused = |why: &str| CompileError::Uri(format!("{why} in `{uri}`"));
    let (scheme, rest) = uri.split_once("://").ok_or_else(|| refused("no scheme"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('{') {
        return Err(refused("a path parameter in the host is not supported yet"));
    }
    if authority.contains('@') {
        return Err(refused("user information is not allowed"));
    }
    if scheme.eq_ignore_ascii_case("http+unix") {
        let mut path = Vec::new();
        percent::decode_path(authority.as_bytes(), &mut path);
        let path = String::from_utf8(path).map_err(|_| refused("a socket path that is no text"))?;
        if !path.starts_with('/') || path.contains('\0') {
            return Err(refused("the socket's path must be absolute, with / written as %2F,"));
        }
        return Ok((Target::Unix { path: path.into(), h2c: http2 }, b"localhost".as_slice().into(), rest));
    }
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return Err(refused("a scheme other than http, https and http+unix"));
    }
    let default_port = if secure { 443 } else { 80 };
    let (host, port) =
        host_and_port(authority, default_port).ok_or_else(|| refused("no valid host and port"))?;
    if is_link_local(host) {
        return Err(refused("a link-local address, where clouds serve credentials,"));
    }
    let target = if secure {
        Target::Https { host: host.into(), port, any_issuer, h2: http2 }
    } else {
        Target::Http { host: host.into(), port, h2c: http2 }
    };
    Ok((target, authority.as_bytes().into(), rest))
}

fn host_and_port(authority: &str, default_port: u16) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let close = rest.find(']')?;
        rest[..close].parse::<std::net::Ipv6Addr>().ok()?;
        let (host, port) = authority.split_at(close + 2);
        return Some((host, if port.is_empty() { default_port } else { number(port.strip_prefix(':')?)? }));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, number(port)?),
        None => (authority, default_port),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (!host.is_empty() && host.len() <= 253 && host.bytes().all(fits)).then_some((host, port))
}

/// 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291 §2.5.6) and the IPv6 metadata address of EC2.
fn is_link_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>().map(|address| address.to_canonical()) {
        Ok(std::net::IpAddr::V4(address)) => address.is_link_local(),
        Ok(std::net::IpAddr::V6(address)) => {
            address.is_unicast_link_local() || address.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
        Err(_) => false,
    }
}

fn number(port: &str) -> Option<u16> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if digits { port.parse().ok().filter(|port| *port != 0) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(uri: &str) -> Result<(Target, String), String> {
        let variables = BTreeMap::from([("host".to_owned(), "10.0.0.1:81".to_owned())]);
        let scope = Scope { path_variables: &[], stage_variables: &variables };
        let parameters = BTreeMap::new();
        let mut targets = Targets::default();
        let spec = CallSpec {
            kind: Kind::HttpProxy,
            uri,
            http_method: "ANY",
            timeout_ms: 29_000,
            timeout_ms_max: 29_000,
            insecure_skip_verification: false,
            http2: false,
            request_parameters: &parameters,
        };
        let call = CallPlan::compile(&spec, &scope, &mut targets).map_err(|error| error.to_string())?;
        let target = targets.into_vec().swap_remove(call.target.index());
        Ok((target, String::from_utf8_lossy(&call.host).into_owned()))
    }

    #[test]
    fn addresses_are_settled() {
        let http = |host: &str, port, field: &str| {
            Ok((Target::Http { host: host.into(), port, h2c: false }, field.to_owned()))
        };
        assert_eq!(compile("http://example.com/a"), http("example.com", 80, "example.com"));
        assert_eq!(compile("HTTP://Example.com:8080"), http("Example.com", 8080, "Example.com:8080"));
        assert_eq!(compile("http://[::1]:9?x=1"), http("[::1]", 9, "[::1]:9"));
        assert_eq!(compile("http://${stageVariables.host}/x"), http("10.0.0.1", 81, "10.0.0.1:81"));
        let https = |host: &str, port, field: &str| {
            let target = Target::Https { host: host.into(), port, any_issuer: false, h2: false };
            Ok((target, field.to_owned()))
        };
        assert_eq!(compile("https://example.com/a"), https("example.com", 443, "example.com"));
        assert_eq!(compile("https://[::1]:8443"), https("[::1]", 8443, "[::1]:8443"));
        let unix = Target::Unix { path: "/run/app.sock".into(), h2c: false };
        assert_eq!(compile("http+unix://%2Frun%2Fapp.sock/p"), Ok((unix, "localhost".to_owned())));
    }

    #[test]
    fn bad_addresses_are_refused() {
        for (uri, why) in [
            ("example.com/a", "no scheme"),
            ("ftp://example.com", "scheme other"),
            ("http:///a", "no valid host"),
            ("http://${stageVariables.unset}/a", "no valid host"),
            ("http://a:0/", "no valid host"),
            ("http://a:99999/", "no valid host"),
            ("http://a:+1/", "no valid host"),
            ("http://[::1/", "no valid host"),
            ("http://a b/", "no valid host"),
            ("http://u@a/", "user information"),
            ("http://{host}/a", "path parameter in the host"),
            ("http://169.254.169.254/latest", "link-local"),
            ("http://[::ffff:169.254.169.254]/latest", "link-local"),
            ("http://[fe80::1]/", "link-local"),
            ("http://[fd00:ec2::254]/latest", "link-local"),
            ("http+unix://run%2Fapp.sock/", "must be absolute"),
        ] {
            let error = compile(uri).expect_err(uri);
            assert!(error.contains(why), "{uri}: {error}");
        }
    }

    #[test]
    fn one_backend_is_one_target() {
        let mut targets = Targets::default();
        let target = |port| Target::Http { host: "a".into(), port, h2c: false };
        assert_eq!(targets.index_of(target(1)), TargetIndex(0));
        assert_eq!(targets.index_of(target(2)), TargetIndex(1));
        assert_eq!(targets.index_of(target(1)), TargetIndex(0));
        assert_eq!(targets.into_vec().len(), 2);
    }
}
