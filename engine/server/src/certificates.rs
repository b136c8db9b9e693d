//! Certificates of the listeners: read from their files, checked, and put together with a policy to terms.

use crate::notes::Notes;
use crate::report::Finding;
use crate::trouble::Trouble;
use settings::{Origin, Settings};
use shard::tls::{Identity, Policy, Roots, Terms, Tickets};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes read of a file; a chain of sixteen certificates has a third of it.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Bytes read of a bundle of certificate authorities; a system's has a quarter of a megabyte.
const ROOTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is presented where; `None` are listeners that speak plain HTTP.
pub(crate) struct Presented {
    /// On each listener.
    pub(crate) listeners: Vec<Option<Terms>>,
    /// On the control listener.
    pub(crate) control: Option<Terms>,
}

/// What is presented, and notes.
pub(crate) type Loaded = (Presented, Vec<Finding>);

/// Certificates as they were last read.
pub(crate) struct Certificates {
    tickets: Tickets,
    /// What the files held: a touch without a change is no news.
    read: Vec<Vec<u8>>,
    notes: Notes,
}

impl Certificates {
    /// Certificates that are yet to be read.
    ///
    /// # Errors
    /// The system has no random numbers for the keys of session tickets.
    pub(crate) fn new() -> Result<Self, Trouble> {
        let tickets = Tickets::new()
            .map_err(|error| Trouble::new(format!("no keys for TLS session tickets: {error}")))?;
        Ok(Certificates { tickets, read: Vec::new(), notes: Notes::default() })
    }

    /// Every file that settings name, to be watched.
    pub(crate) fn files(settings: &Settings) -> Vec<PathBuf> {
        let files = identities(settings).flat_map(|identity| {
            [Some(&identity.certificate), Some(&identity.key), identity.ocsp.as_ref()].into_iter().flatten()
        });
        files.cloned().collect()
    }

    /// Whether a file differs from what was last read. One that can't be read counts as changed.
    pub(crate) fn changed(&self, settings: &Settings) -> bool {
        let mut known = self.read.iter();
        Self::files(settings).iter().any(|file| read(file).ok().as_ref() != known.next())
    }

    /// Reads every file anew. Beside what is presented the notes that weren't told before.
    ///
    /// # Errors
    /// All findings, at least one of them an error.
    pub(crate) fn load(&mut self, settings: &Settings) -> Result<Loaded, Vec<Finding>> {
        let mut findings = Vec::new();
        self.read = Self::files(settings).iter().map(|file| read(file).unwrap_or_default()).collect();
        let further: Vec<Identity> = settings
            .certificates
            .iter()
            .filter_map(|identity| identity_of(identity, &mut findings))
            .collect();
        let terms = settings.listeners.iter().map(|listener| {
            let tls = listener.tls.as_ref()?;
            let first = identity_of(&tls.identity, &mut findings)?;
            let policy = Policy::named(&tls.security_policy)?;
            if tls.security_policy_origin != Origin::Default && !policy.note.is_empty() {
                let origin = &tls.security_policy_origin;
                findings.push(Finding::note(format!("{origin}: {}: {}", policy.name, policy.note)));
            }
            let all: Vec<Identity> = std::iter::once(first).chain(further.iter().cloned()).collect();
            match Terms::new(&all, policy, &self.tickets) {
                Ok(terms) => Some(terms),
                Err(error) => {
                    findings.push(Finding::error(format!("{}: {error}", listener.origin)));
                    None
                }
            }
        });
        let listeners: Vec<Option<Terms>> = terms.collect();
        let control = settings.control_tls.as_ref().and_then(|files| {
            let identity = identity_of(files, &mut findings)?;
            // AWS's own endpoints take TLS 1.2 and 1.3.
            let policy = Policy::named("TLS_1_2")?;
            let terms = Terms::new(&[identity], policy, &self.tickets);
            terms
                .map_err(|error| {
                    findings.push(Finding::error(format!("{}: {error}", files.certificate_origin)));
                })
                .ok()
        });
        let is_served = !findings.iter().any(Finding::is_error);
        let news = self.notes.news(findings, is_served);
        if is_served { Ok((Presented { listeners, control }, news)) } else { Err(news) }
    }
}

/// Certificate authorities of backends. A system without the default file trusts nobody, which its first call to an
/// `https://` backend would show; a note says it before.
///
/// # Errors
/// A file that settings name can't be used.
pub(crate) fn roots(settings: &Settings) -> Result<Option<Roots>, Trouble> {
    let (path, origin) = (&settings.upstream_roots, &settings.upstream_roots_origin);
    let read = read_up_to(path, ROOTS_BYTES_MAX).map_err(|error| error.to_string());
    match read.and_then(|text| Roots::from_pem(&text)) {
        Ok(roots) => Ok(Some(roots)),
        Err(reason) if *origin == Origin::Default => {
            eprintln!("{}: {reason}: https backends can't be verified (`upstream.roots`)", path.display());
            Ok(None)
        }
        Err(reason) => Err(Trouble::new(format!("{origin}: {}: {reason}", path.display()))),
    }
}

fn identities(settings: &Settings) -> impl Iterator<Item = &settings::Identity> {
    let own = settings.listeners.iter().filter_map(|listener| Some(&listener.tls.as_ref()?.identity));
    own.chain(&settings.certificates).chain(&settings.control_tls)
}

fn identity_of(files: &settings::Identity, findings: &mut Vec<Finding>) -> Option<Identity> {
    let certificate = read_or_report(&files.certificate, &files.certificate_origin, findings)?;
    let key = read_or_report(&files.key, &files.key_origin, findings)?;
    let ocsp = match &files.ocsp {
        Some(path) => Some(read_or_report(path, &files.certificate_origin, findings)?),
        None => None,
    };
    match Identity::from_pem(&certificate, &key, ocsp) {
        Ok(identity) => Some(identity),
        Err(error) => {
            let (path, origin) = if error.in_key {
                (&files.key, &files.key_origin)
            } else {
                (&files.certificate, &files.certificate_origin)
            };
            findings.push(Finding::error(format!("{origin}: {} {}", path.display(), error.reason)));
            None
        }
    }
}

fn read_or_report(path: &Path, origin: &Origin, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    match read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            findings.push(Finding::error(format!("{origin}: {}: {error}", path.display())));
            None
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    read_up_to(path, FILE_BYTES_MAX)
}

fn read_up_to(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    std::fs::File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
