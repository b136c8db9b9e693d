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
                println!("{}: fine, {} routes", api.path.display(), api.routes);
            }
            ExitCode::SUCCESS
        }
        Err(findings) => {
            report::findings(&findings);
            let errors = findings.iter().filter(|finding| finding.weight == report::Weight::Error).count();
            println!("{errors} {} in {} files", if errors == 1 { "error" } else { "errors" }, paths.len());
            ExitCode::FAILURE
        }
    }
}
