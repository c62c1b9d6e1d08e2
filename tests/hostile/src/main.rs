//! Hostile input for every registered codec: `scripts/hostile` builds this program twice and runs it.
//!
//! Messages of every codec that the registry has are changed, and decoded in every way that there is. Children do it, so
//! that the run goes on when one dies. The invariant: the same seed gives the same inputs.
//!
//! - `walk`, `samples`, `world`: valid values of every codec;
//! - `message`, `mutate`, `case`: inputs made of them;
//! - `ways`, `refused`, `fault`, `meter`, `expansion`: what decoding them may do and take;
//! - `child`, `parent`, `watch`, `note`, `store`: who does it, and what is left of it.

use std::path::PathBuf;
use std::process::ExitCode;

mod carrier;
mod case;
mod child;
mod codecs;
mod expansion;
mod fault;
mod message;
mod meter;
mod mutate;
mod note;
mod parent;
mod random;
mod refused;
mod samples;
mod store;
mod walk;
mod watch;
mod ways;
mod world;

const USAGE: &str = "usage: podwire-hostile [--inputs N] [--seed S] [--jobs J] [--folder FOLDER] [--also BUILD]... | --replay FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["child", phase, from, to, seed, ref note] => {
            let number = |text: &str| text.parse::<u64>().expect("the parent gives numbers");
            let phase = case::Phase::of(phase).expect("the parent gives a part of the run");
            child::run(phase, number(from)..number(to), number(seed), note.as_ref());
            ExitCode::SUCCESS
        }
        ["--replay", file] => match store::read(file.as_ref()) {
            Ok(case) => {
                let note = std::env::temp_dir().join(format!("podwire-replay-{}", std::process::id()));
                let found = child::replay(case, &note);
                let _ = std::fs::remove_file(note);
                ExitCode::from(u8::from(found))
            }
            Err(error) => {
                eprintln!("{file}: {error}");
                ExitCode::from(2)
            }
        },
        _ => match run(&words) {
            Ok(nothing) => ExitCode::from(u8::from(!nothing)),
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        },
    }
}

/// Runs what the command line asks for; whether nothing was found.
fn run(words: &[&str]) -> Result<bool, String> {
    let plan = plan(words).ok_or(USAGE)?;
    parent::run(&plan).map_err(|error| error.to_string())
}

/// What the command line asks for.
fn plan(words: &[&str]) -> Option<parent::Plan> {
    let mut plan = parent::Plan {
        inputs: 10_000_000,
        seed: 1,
        builds: vec![std::env::current_exe().ok()?],
        folder: std::env::temp_dir().join("podwire-hostile"),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
    };
    for pair in words.chunks(2) {
        match *pair {
            ["--inputs", count] => plan.inputs = count.parse().ok()?,
            ["--seed", seed] => plan.seed = seed.parse().ok()?,
            ["--jobs", jobs] => plan.jobs = jobs.parse().ok().filter(|jobs| *jobs > 0)?,
            ["--folder", folder] => plan.folder = PathBuf::from(folder),
            ["--also", build] => plan.builds.push(PathBuf::from(build)),
            _ => return None,
        }
    }
    Some(plan)
}
