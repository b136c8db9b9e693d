//! Drives the targets on stable Rust: every file of the corpus as it is, then inputs made from them.
//!
//! `turnpike-fuzz [--inputs N] [--seed N|clock] [--target NAME] [--first N]`, or `turnpike-fuzz NAME FILE…` to run files.
//! Input `n` follows from seed, target and `n` alone, so a failure is repeated by the line that it prints.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "the driver measures real time, and seeds itself by it when asked"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io, panic};

use turnpike_fuzz::random::Random;
use turnpike_fuzz::{TARGETS, Target, mutate};

/// No input may keep a parser longer; sixteen thousand bytes are read in well under a millisecond.
const SLOW: Duration = Duration::from_secs(2);

struct Options {
    inputs: u64,
    first: u64,
    seed: u64,
    target: Option<String>,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    // Unasked, the same inputs each time: what passed once passes for the same code everywhere.
    let mut options = Options { inputs: 20_000, first: 0, seed: 1, target: None, files: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--inputs" => options.inputs = number(value()?)?,
            "--first" => options.first = number(value()?)?,
            "--seed" => {
                options.seed = match value()?.as_str() {
                    "clock" => clock(),
                    text => number(text.to_owned())?,
                }
            }
            "--target" => options.target = Some(value()?),
            word if word.starts_with('-') => return Err(format!("{word} is no option")),
            _ if options.target.is_none() => options.target = Some(word),
            file => options.files.push(PathBuf::from(file)),
        }
    }
    Ok(options)
}

fn clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn run(options: &Options) -> Result<(), String> {
    let wanted = |name: &str| options.target.as_deref().is_none_or(|target| target == name);
    let targets: Vec<&Target> = TARGETS.iter().filter(|(name, _)| wanted(name)).collect();
    if targets.is_empty() {
        return Err(format!("targets are {}", TARGETS.map(|(name, _)| name).join(", ")));
    }
    for &(name, target) in targets {
        if options.files.is_empty() {
            drive(name, target, options)?;
        }
        for file in &options.files {
            let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            attempt(target, &bytes).map_err(|why| format!("{name} {}: {why}", file.display()))?;
        }
    }
    Ok(())
}

fn drive(name: &str, target: fn(&[u8]), options: &Options) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus =
        corpus(&root.join("corpus").join(name)).map_err(|error| format!("corpus/{name}: {error}"))?;
    let start = Instant::now();
    for (file, bytes) in &corpus {
        attempt(target, bytes).map_err(|why| format!("{name}: corpus file {file}: {why}"))?;
    }
    let seeds: Vec<Vec<u8>> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
    let base = Random::of(name.as_bytes()).number() ^ options.seed;
    for n in options.first..options.first + options.inputs {
        let bytes =
            mutate::input(&seeds, &mut Random::seeded(base.wrapping_add(n.wrapping_mul(0x9e37_79b9))));
        attempt(target, &bytes).map_err(|why| {
            let kept = keep(root, name, &bytes).unwrap_or_else(|error| format!("not kept: {error}"));
            let again = format!("--target {name} --seed {} --first {n} --inputs 1", options.seed);
            format!("{name}: input {n}: {why}\n  the input: {kept}\n  again: tests/fuzz/run {again}")
        })?;
    }
    let took = start.elapsed();
    println!("{name}: {} files, {} inputs, seed {}, {took:.1?}", seeds.len(), options.inputs, options.seed);
    Ok(())
}

/// One input. The panic's own message has gone to stderr already.
fn attempt(target: fn(&[u8]), bytes: &[u8]) -> Result<(), String> {
    let start = Instant::now();
    panic::catch_unwind(|| target(bytes)).map_err(|_| "a property doesn't hold".to_owned())?;
    let took = start.elapsed();
    if took > SLOW { Err(format!("took {took:?}")) } else { Ok(()) }
}

fn corpus(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    files.sort();
    if files.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(files) }
}

fn keep(root: &Path, name: &str, bytes: &[u8]) -> io::Result<String> {
    let folder = root.join("artifacts").join(name);
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{:016x}", Random::of(bytes).number()));
    fs::write(&file, bytes)?;
    Ok(file.display().to_string())
}
