//! `turnpike check`: reads and compiles documents, serves nothing.

use crate::certificates::Certificates;
use crate::documents::Documents;
use crate::report;
use clap::ArgMatches;
use std::process::ExitCode;

/// Reports on every document; fails if `serve` would refuse one under the same settings.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = super::resolve::settings(matches) else { return ExitCode::FAILURE };
    if settings.files.is_empty() {
        report::plain(
            "there is nothing to check",
            Some("name OpenAPI documents: turnpike check petstore.yaml, or `files:` in turnpike.yaml"),
        );
        return ExitCode::FAILURE;
    }
    // Certificates belong to what `serve` would refuse.
    let loaded = Certificates::new().map(|mut certificates| certificates.load(&settings));
    let refused = match &loaded {
        Ok(Ok((_, notes))) => {
            report::findings(notes);
            false
        }
        Ok(Err(findings)) => {
            report::findings(findings);
            true
        }
        // A system without random numbers: `serve` will say so.
        Err(_) => false,
    };
    match Documents::new(&settings.files).compile(&settings, &model::Account::default()) {
        Ok((compiled, notes)) => {
            report::findings(&notes);
            for api in &compiled.apis {
                println!("{}: fine, {}", api.path.display(), counted(api.routes, "route"));
            }
            if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(findings) => {
            report::findings(&findings);
            let errors = findings.iter().filter(|finding| finding.weight == report::Weight::Error).count();
            println!("{} in {}", counted(errors, "error"), counted(settings.files.len(), "file"));
            ExitCode::FAILURE
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
