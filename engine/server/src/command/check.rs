//! `turnpike check`: reads and compiles documents, serves nothing.

use crate::documents::Documents;
use crate::{cli, report};
use clap::ArgMatches;
use settings::Sources;
use std::process::ExitCode;

/// Reports on every document; fails if one would be refused.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let settings = match settings::resolve(&Sources::default()) {
        Ok(settings) => settings,
        Err(problems) => {
            report::settings(&problems, None);
            return ExitCode::FAILURE;
        }
    };
    let paths = cli::paths(matches);
    match Documents::new(&paths).compile(&settings) {
        Ok((compiled, notes)) => {
            report::findings(&notes);
            for api in &compiled.apis {
                println!("{}: fine, {}", api.path.display(), counted(api.routes, "route"));
            }
            ExitCode::SUCCESS
        }
        Err(findings) => {
            report::findings(&findings);
            let errors = findings.iter().filter(|finding| finding.weight == report::Weight::Error).count();
            println!("{} in {}", counted(errors, "error"), counted(paths.len(), "file"));
            ExitCode::FAILURE
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
