//! Which API and stage a host and a path ask for.
//!
//! In this order: an execute-api host, the reserved path prefixes, the catch-all of a single served file.
//! An execute-api host or a reserved prefix with an unknown API or stage is Forbidden, whatever the catch-all.

use context::StageIndex;
use vocabulary::Refusal;

use crate::ByteMap;

/// Path prefixes for tools without DNS, and what must stand between stage and path.
const RESERVED: [(&[u8], &[u8]); 2] = [(b"/restapis/", b"/_user_request_"), (b"/_aws/execute-api/", b"")];
/// DNS labels have at most 63 bytes (RFC 1035 §2.3.4); ids are labels.
const LABEL_BYTES_MAX: usize = 63;

/// Where a request belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The stage.
    pub stage: StageIndex,
    /// Bytes of the path before what the router sees.
    pub path_start: usize,
    /// The stage's name was in the path, and belongs to `$context.path`.
    pub path_has_stage: bool,
}

/// The stages of a node by API id and name.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    apis: ByteMap<ByteMap<StageIndex>>,
    catch_all: Option<StageIndex>,
}

impl Addresses {
    /// Adds a stage. API ids are matched without regard to case, stage names with it.
    pub fn insert(&mut self, api_id: &str, stage: &str, index: StageIndex) {
        let stages = self.apis.entry(api_id.to_ascii_lowercase().into_bytes().into()).or_default();
        stages.insert(stage.as_bytes().into(), index);
    }

    /// Lets a stage answer on any host at `/`.
    pub fn set_catch_all(&mut self, index: StageIndex) {
        self.catch_all = Some(index);
    }

    /// The stage that a request is for.
    ///
    /// # Errors
    /// Forbidden: no such API or stage.
    pub fn resolve(&self, host: &[u8], path: &[u8]) -> Result<Found, Refusal> {
        if let Some(api_id) = execute_api_id(host) {
            return self.stage_in_path(api_id, path, 0, b"").ok_or_else(Refusal::forbidden);
        }
        for (prefix, marker) in RESERVED {
            let Some(rest) = path.strip_prefix(prefix) else { continue };
            let end = rest.iter().position(|&octet| octet == b'/').unwrap_or(rest.len());
            return self
                .stage_in_path(&rest[..end], path, prefix.len() + end, marker)
                .ok_or_else(Refusal::forbidden);
        }
        let stage = self.catch_all.ok_or_else(Refusal::forbidden)?;
        Ok(Found { stage, path_start: 0, path_has_stage: false })
    }

    /// The stage named by the segment that follows `at`; slashes before it collapse.
    fn stage_in_path(&self, api_id: &[u8], path: &[u8], at: usize, marker: &[u8]) -> Option<Found> {
        let mut lower = [0_u8; LABEL_BYTES_MAX];
        let lower = lower.get_mut(..api_id.len())?;
        lower.copy_from_slice(api_id);
        lower.make_ascii_lowercase();
        let stages = self.apis.get(&*lower)?;
        let start = at + path[at..].iter().position(|&octet| octet != b'/')?;
        let end =
            path[start..].iter().position(|&octet| octet == b'/').map_or(path.len(), |slash| start + slash);
        let stage = *stages.get(&path[start..end])?;
        let path_start = end + if path[end..].starts_with(marker) { marker.len() } else { return None };
        let bounded = path.get(path_start).is_none_or(|&octet| octet == b'/');
        bounded.then_some(Found { stage, path_start, path_has_stage: true })
    }
}

/// The first label of an execute-api host: `{api-id}.execute-api.{region}.amazonaws.com`, the same under `localhost`,
/// or `{api-id}.execute-api.localhost`; a port is ignored.
fn execute_api_id(host: &[u8]) -> Option<&[u8]> {
    let name = match host.iter().rposition(|&octet| octet == b':') {
        Some(colon) => &host[..colon],
        None => host,
    };
    let dot = name.iter().position(|&octet| octet == b'.')?;
    let (api_id, rest) = name.split_at(dot);
    const SERVICE: &[u8] = b".execute-api.";
    if rest.len() <= SERVICE.len() || !rest[..SERVICE.len()].eq_ignore_ascii_case(SERVICE) {
        return None;
    }
    let tail = &rest[SERVICE.len()..];
    if tail.eq_ignore_ascii_case(b"localhost") {
        return Some(api_id);
    }
    let dot = tail.iter().position(|&octet| octet == b'.')?;
    let suffix = &tail[dot + 1..];
    let known = suffix.eq_ignore_ascii_case(b"amazonaws.com") || suffix.eq_ignore_ascii_case(b"localhost");
    (known && dot > 0 && !api_id.is_empty()).then_some(api_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(host: &str, path: &str) -> Option<(u32, String, bool)> {
        let mut addresses = Addresses::default();
        addresses.insert("abcdefghij", "prod", StageIndex(1));
        addresses.insert("abcdefghij", "Dev", StageIndex(2));
        addresses.set_catch_all(StageIndex(7));
        let found = addresses.resolve(host.as_bytes(), path.as_bytes()).ok()?;
        Some((found.stage.0, path[found.path_start..].to_owned(), found.path_has_stage))
    }

    #[test]
    fn every_address_form_finds_its_stage() {
        let found = |stage, path: &str, has_stage| Some((stage, path.to_owned(), has_stage));
        for (host, path, expected) in [
            ("abcdefghij.execute-api.us-east-1.amazonaws.com", "/prod/pets/1", found(1, "/pets/1", true)),
            ("ABCDEFGHIJ.Execute-Api.localhost:8080", "/prod", found(1, "", true)),
            ("abcdefghij.execute-api.eu-west-1.localhost", "//prod/x", found(1, "/x", true)),
            ("abcdefghij.execute-api.localhost", "/prod//hardcoded", found(1, "//hardcoded", true)),
            ("abcdefghij.execute-api.localhost", "/Dev/x", found(2, "/x", true)),
            ("abcdefghij.execute-api.localhost", "/dev/x", None),
            ("abcdefghij.execute-api.localhost", "/", None),
            ("zzzzzzzzzz.execute-api.localhost", "/prod/x", None),
            ("localhost:8080", "/restapis/abcdefghij/prod/_user_request_/pets", found(1, "/pets", true)),
            ("localhost:8080", "/restapis/abcdefghij/prod/_user_request_", found(1, "", true)),
            ("localhost:8080", "/restapis/abcdefghij/prod/pets", None),
            ("localhost:8080", "/restapis/abcdefghij/prod/_user_request_x", None),
            ("localhost:8080", "/_aws/execute-api/abcdefghij/prod/pets", found(1, "/pets", true)),
            ("localhost:8080", "/_aws/execute-api/nope/prod/pets", None),
            ("localhost:8080", "/pets/1", found(7, "/pets/1", false)),
            ("[::1]:8080", "/", found(7, "/", false)),
            ("", "/", found(7, "/", false)),
        ] {
            assert_eq!(resolve(host, path), expected, "{host} {path}");
        }
    }

    #[test]
    fn no_catch_all_is_forbidden() {
        let refusal = Addresses::default().resolve(b"x", b"/").expect_err("forbidden");
        assert_eq!((refusal.status, refusal.error_type), (403, "ForbiddenException"));
    }
}
