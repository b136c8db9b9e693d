//! The command line, with help that teaches. Setting flags come from the table of settings, so they can't drift.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use settings::table::{Kind, Setting, TABLE};
use std::path::PathBuf;

/// Flags that the short help (`-h`) shows; `--help` shows all.
const EVERYDAY: &[&str] = &["listen", "control", "shards", "runtime", "data-dir", "account-id", "region"];

const ABOUT: &str = "A self-hosted API Gateway: serves OpenAPI documents by AWS API Gateway's rules.";

const EXAMPLES: &str = "\
Examples:
  turnpike serve                          a control plane for boto3, aws cli, Terraform on http://127.0.0.1:8081
  turnpike serve petstore.yaml            serve one API on http://127.0.0.1:8080
  turnpike serve a.yaml b.json            two APIs, told apart by Host or path
  turnpike check petstore.yaml            what would be refused, with line and column
  turnpike serve --config turnpike.yaml   listeners, shards, limits and logs from a file
  turnpike sdk python petstore.yaml       a client of the API in one file

Help on one command: turnpike help serve";

const SERVE_EXAMPLES: &str = "\
Examples:
  turnpike serve
      No file: APIs are made by AWS's own calls, and kept in --data-dir.
      aws apigateway create-rest-api --name pets --endpoint-url http://127.0.0.1:8081
  turnpike serve petstore.yaml
      One file: it answers on any Host at /, and watches the file.
      curl http://127.0.0.1:8080/pets
  turnpike serve orders.yaml users.json --listen 0.0.0.0:80 --shards 4
      Several files: each API has an id and a stage, printed at start.
      curl http://{id}.execute-api.localhost/{stage}/orders
      curl http://localhost/restapis/{id}/{stage}/_user_request_/orders
  turnpike serve petstore.yaml --access-log-destination stdout --access-log-format clf
  kill -HUP PID      read the files again, reopen the log
  kill -USR2 PID     start the binary anew and hand it the listeners, without a refused connection
  kill -TERM PID     stop accepting, finish what is under way, exit

Every flag is also a variable (TURNPIKE_LISTEN, …) and a name in turnpike.yaml: docs/settings.md.
A flag wins over a variable, a variable over the file.";

const CHECK_EXAMPLES: &str = "\
Examples:
  turnpike check petstore.yaml
  turnpike check apis/*.yaml && echo fine
  turnpike check --config turnpike.yaml     the documents that it names, by its limits

Settings are those of `serve`: TURNPIKE_* variables over the file. What is fine here, `serve` takes.

Exit status: 0 nothing is refused, 1 something is. Notes alone don't fail.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  turnpike backup monday.jsonl
  turnpike backup --data-dir /var/lib/turnpike /backups/turnpike.jsonl --force

The file is one moment's state, as lines of JSON, readable by its owner alone. The node must not run meanwhile:
one process has the data directory at a time.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  turnpike restore monday.jsonl
  turnpike restore --data-dir /var/lib/turnpike /backups/turnpike.jsonl --force

The whole file is checked before anything is made of it.";

const SDK_EXAMPLES: &str = "\
Examples:
  turnpike sdk python petstore.yaml --out client
  turnpike sdk javascript petstore.yaml --url https://api.example.com --out web
  aws apigateway get-export --rest-api-id ID --stage-name prod --export-type oas30 a.json
  turnpike sdk python a.json --url http://localhost:8080/restapis/ID/prod/_user_request_

A client is one readable module without dependencies, and a README. Methods that ask for an API key
or for a signature (AWS_IAM) get one. `aws apigateway get-sdk` has the same from a running node.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  turnpike export petstore.yaml                                  OpenAPI 3.0, without AWS's extensions
  turnpike export petstore.yaml --extensions apigateway --yaml   with all of them
  turnpike export old.json --type swagger --extensions integrations,authorizers

The document is imported as ImportRestApi does and written as GetExport does. Stages of a running node:
aws apigateway get-export --endpoint-url http://127.0.0.1:8081 …";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("turnpike")
        .about(ABOUT)
        .after_help(EXAMPLES)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve())
        .subcommand(check())
        .subcommand(export())
        .subcommand(sdk())
        .subcommand(backup())
        .subcommand(restore())
        .subcommand(Command::new("version").about("Print version, target and runtime support"))
}

fn serve() -> Command {
    let flags = TABLE.iter().filter_map(setting_flag);
    Command::new("serve")
        .about("Serve OpenAPI documents, watched for edits, and the APIs of the control plane")
        .after_long_help(SERVE_EXAMPLES)
        .after_help("`turnpike serve --help` shows every setting and examples.")
        .arg(files().help("OpenAPI documents; each becomes an API with a stage"))
        .arg(config())
        .args(flags)
}

fn check() -> Command {
    Command::new("check")
        .about("Say what in OpenAPI documents would be refused, with file:line:column")
        .after_help(CHECK_EXAMPLES)
        .arg(files().help("OpenAPI documents; without any, those that the settings name"))
        .arg(config())
}

fn document() -> Arg {
    Arg::new("document")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("OpenAPI document, JSON or YAML; - reads standard input")
}

fn export() -> Command {
    let words =
        ["apigateway", "integrations", "authorizers", "validators", "gatewayresponses", "documentation"];
    let extensions = Arg::new("extensions").long("extensions").value_name("LIST").value_delimiter(',');
    let kind = Arg::new("type").long("type").value_name("TYPE").default_value("oas30");
    Command::new("export")
        .about("Write a document anew: OpenAPI 3.0 or 2.0, with AWS's extensions or without")
        .after_help(EXPORT_EXAMPLES)
        .arg(document())
        .arg(kind.value_parser(["oas30", "swagger"]).help("OpenAPI 3.0, or 2.0"))
        .arg(extensions.value_parser(words).help("Which of AWS's members it has"))
        .arg(Arg::new("yaml").long("yaml").action(ArgAction::SetTrue).help("YAML instead of JSON"))
        .arg(
            Arg::new("stage")
                .long("stage")
                .value_name("NAME")
                .default_value("prod")
                .help("Stage in its server's URL"),
        )
        .arg(config())
}

fn sdk() -> Command {
    let url = Arg::new("url").long("url").value_name("URL").default_value("http://localhost:8080");
    let out = Arg::new("out").long("out").value_name("FOLDER").default_value(".");
    Command::new("sdk")
        .about("Write a client of an API: JavaScript or Python, one module without dependencies")
        .after_help(SDK_EXAMPLES)
        .arg(
            Arg::new("language")
                .required(true)
                .value_parser(["javascript", "python"])
                .help("Language of the client"),
        )
        .arg(document())
        .arg(url.help("Where the API is served; clients can be told otherwise"))
        .arg(out.value_parser(clap::value_parser!(PathBuf)).help("Folder to write to"))
        .arg(force().help("Replace files that are there"))
        .arg(config())
}

fn backup() -> Command {
    Command::new("backup")
        .about("Write what the control plane was told to one file")
        .after_help(BACKUP_EXAMPLES)
        .arg(backup_file().help("File to write; it will hold key values and private keys"))
        .arg(force().help("Replace the file"))
        .arg(config())
        .args(data_dir())
}

fn restore() -> Command {
    Command::new("restore")
        .about("Make a data directory from such a file")
        .after_help(RESTORE_EXAMPLES)
        .arg(backup_file().help("File that `turnpike backup` wrote"))
        .arg(force().help("Replace the store that is there"))
        .arg(config())
        .args(data_dir())
}

fn backup_file() -> Arg {
    Arg::new("backup").value_name("FILE").required(true).value_parser(clap::value_parser!(PathBuf))
}

fn force() -> Arg {
    Arg::new("force").long("force").action(ArgAction::SetTrue)
}

fn data_dir() -> Option<Arg> {
    let arg = TABLE.iter().find(|setting| setting.key == "data_dir").and_then(setting_flag)?;
    Some(arg.hide_short_help(false))
}

fn config() -> Arg {
    Arg::new("config")
        .long("config")
        .env("TURNPIKE_CONFIG")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Settings file; turnpike.yaml in this folder is read without being asked")
}

fn files() -> Arg {
    Arg::new("file").value_name("FILE").num_args(0..).value_parser(clap::value_parser!(PathBuf))
}

fn setting_flag(setting: &'static Setting) -> Option<Arg> {
    let flag = setting.flag()?;
    let arg = Arg::new(setting.key)
        .hide_short_help(!EVERYDAY.contains(&flag.as_str()))
        .long(flag)
        .value_name(setting.value_name)
        .help(settings::reference::help(setting))
        .action(if setting.is_listed() { ArgAction::Append } else { ArgAction::Set });
    // Words are offered by shells and corrected by clap; every other value is parsed where files are parsed.
    Some(match setting.kind {
        // A flag alone says yes.
        Kind::Choice { of: ["false", "true"], later: [] } => {
            arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
        }
        Kind::Choice { of, later } => {
            let known = of.iter().chain(later.iter().map(|(word, _)| word)).copied();
            arg.value_parser(PossibleValuesParser::new(known)).hide_possible_values(true)
        }
        _ => arg,
    })
}

/// What the command line said about settings.
pub(crate) fn said(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let files = matches.try_get_many::<PathBuf>("file").ok().flatten().into_iter().flatten();
    let mut said: Vec<(&'static str, String)> =
        files.map(|path| ("files[]", path.to_string_lossy().into_owned())).collect();
    for setting in TABLE.iter().filter(|setting| setting.flag().is_some()) {
        // Other commands have few of these flags or none.
        let values = matches.try_get_many::<String>(setting.key).ok().flatten().into_iter().flatten();
        said.extend(values.map(|value| (setting.key, value.clone())));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::{command, said};

    #[test]
    fn the_command_line_is_well_formed_and_carries_every_flag() {
        command().debug_assert();
        let line = [
            "turnpike",
            "serve",
            "a.yaml",
            "--listen",
            "127.0.0.1:1",
            "--listen",
            "127.0.0.1:2",
            "--shards",
            "2",
        ];
        let matches = command().try_get_matches_from(line).expect("well formed");
        let (_, serve) = matches.subcommand().expect("serve");
        let said = said(serve);
        let said: Vec<_> = said.iter().map(|(key, text)| (*key, text.as_str())).collect();
        let listen = "listeners[].address";
        let expected =
            [("files[]", "a.yaml"), (listen, "127.0.0.1:1"), (listen, "127.0.0.1:2"), ("shards.count", "2")];
        assert_eq!(said, expected);
    }
}
