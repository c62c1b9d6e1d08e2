//! The command `fastio`: looks into the shared memory of podwire's pipelines, and puts things there.
//!
//! Not here: what the commands do (a file each). Invariant: only `put` ever creates a pipeline, and standard output
//! holds nothing but what was asked for.

mod copy;
mod list;
mod man;
mod npy;
mod picture;
mod problem;
mod values;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{CommandFactory, Parser, Subcommand};
use podwire_codec_core::schema::PrintLimits;
use podwire_fastio::{Event, FastIoContext};
use serde_json::json;

use problem::{Problem, Result};

/// Looks into the shared memory of podwire's pipelines.
///
/// Exit codes: 0 done, 1 anything else, 2 wrong arguments, 3 no such name or pipeline, 4 the name is taken, 5 busy or out
/// of time, 6 poisoned or damaged.
#[derive(Parser)]
#[command(name = "fastio", version, arg_required_else_help = true)]
struct Arguments {
    /// The pipeline, here or in PODWIRE_PIPELINE; not needed if there is only one.
    #[arg(short, long, global = true, env = "PODWIRE_PIPELINE", hide_env = true)]
    pipeline: Option<String>,
    /// Print JSON, an object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the pipelines.
    Pipelines,
    /// List what is published, and the channels.
    Ls,
    /// Say all that is known of a name, or of the pipeline.
    Stat {
        /// The name; without one, the pipeline.
        name: Option<String>,
    },
    /// Copy what is published to a file, or to standard output.
    Get {
        /// The name.
        name: String,
        /// Where to: `-` for standard output; a file that ends in `.npy` gets a header for numpy.
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Write a header for numpy in any case.
        #[arg(long)]
        npy: bool,
        /// Copy also a value: the bytes of its message, without the large buffers that it refers to.
        #[arg(long)]
        raw: bool,
        /// Wait so many seconds until it is published.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<f64>,
    },
    /// Publish a file, or standard input; what numpy wrote becomes an array.
    Put {
        /// The name.
        name: String,
        /// Where from: `-` for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Take the name over if it is taken.
        #[arg(long)]
        replace: bool,
        /// Publish the bytes as they are, also if numpy wrote them.
        #[arg(long)]
        raw: bool,
    },
    /// Show a slice of an array or a tensor of two or three dimensions, in the terminal or as a PNG file.
    Show {
        /// The name.
        name: String,
        /// Which slice of a three-dimensional array; the middle one if nothing is said.
        #[arg(long)]
        slice: Option<usize>,
        /// Across which dimension it is cut, from 0.
        #[arg(long, default_value_t = 0)]
        axis: usize,
        /// Write a PNG file instead, `-` for standard output.
        #[arg(long, value_name = "FILE")]
        png: Option<PathBuf>,
        /// The columns of the picture; as many as the terminal has if nothing is said.
        #[arg(long)]
        columns: Option<usize>,
    },
    /// Print a published value, whatever its type, from the schema that its publisher left; without a name all of them.
    Values {
        /// The name.
        name: Option<String>,
        /// How many elements of a sequence to show; with `--json`, all are printed.
        #[arg(long, default_value_t = PrintLimits::DEFAULT.items)]
        items: usize,
    },
    /// Take names away.
    Rm {
        /// The names.
        #[arg(required = true)]
        names: Vec<String>,
        /// The names are those of channels.
        #[arg(long)]
        channel: bool,
    },
    /// Take what a dead writer left as it is, for everybody: a poisoned allocation can be read again.
    Accept {
        /// The name.
        name: String,
    },
    /// Print what is published and freed, as it happens.
    Watch {
        /// Stop after so many seconds without an event.
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<f64>,
    },
    /// Clean up what dead processes left, and give unused memory back.
    Gc,
    /// Remove the pipeline with all that is in it, whoever uses it.
    Drop,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(Problem::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fastio: {problem}");
            ExitCode::from(problem.code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let open = || open(arguments.pipeline.as_deref());
    match &arguments.command {
        Command::Pipelines => {
            for pipeline in FastIoContext::pipelines()? {
                if arguments.json {
                    list::line(&json!({ "pipeline": pipeline }))?;
                } else {
                    list::line(&pipeline)?;
                }
            }
            Ok(())
        }
        Command::Ls => list::ls(&open()?, arguments.json),
        Command::Stat { name } => list::stat(&open()?, name.as_deref(), arguments.json),
        Command::Get { name, file, npy, raw, wait } => {
            copy::get(&open()?, name, file, *npy, *raw, seconds(*wait)?)
        }
        Command::Put { name, file, replace, raw } => {
            let context = match &arguments.pipeline {
                Some(pipeline) => FastIoContext::open(pipeline)?,
                None => match open() {
                    Err(Problem::NoPipelines) => return Err(Problem::PutWhere),
                    opened => opened?,
                },
            };
            copy::put(&context, name, file, *replace, *raw)
        }
        Command::Show { name, slice, axis, png, columns } => {
            let columns = columns.unwrap_or_else(list::columns);
            picture::show(&open()?, name, *slice, *axis, png.as_deref(), columns)
        }
        Command::Values { name, items } => {
            let values = items.saturating_mul(10).max(PrintLimits::DEFAULT.values);
            let limits = PrintLimits { items: *items, values, ..PrintLimits::DEFAULT };
            match name {
                Some(name) => values::one(&open()?, name, limits, arguments.json),
                None => values::all(&open()?, limits, arguments.json),
            }
        }
        Command::Rm { names, channel } => rm(&open()?, names, *channel),
        Command::Accept { name } => Ok(open()?.get(name)?.accept_poisoned().map(drop)?),
        Command::Watch { timeout } => watch(&open()?, seconds(*timeout)?, arguments.json),
        Command::Gc => {
            let report = open()?.sweep()?;
            let (dead, trimmed, orphans) = (report.dead_processes, report.trimmed, report.orphans);
            if arguments.json {
                list::line(&json!({ "dead_processes": dead, "trimmed": trimmed, "orphans": orphans }))
            } else {
                list::line(&format!(
                    "{dead} dead processes, {trimmed} files given back, {orphans} that belonged to nothing"
                ))
            }
        }
        Command::Drop => {
            // Not opened: what is damaged, or full of members, can be dropped too.
            let pipeline = which(arguments.pipeline.as_deref())?;
            if FastIoContext::remove(&pipeline)? { Ok(()) } else { Err(Problem::NoPipeline(pipeline)) }
        }
        Command::Completions { shell } => {
            let mut bytes = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "fastio", &mut bytes);
            list::write(&bytes)
        }
        Command::Man => list::write(&man::page(Arguments::command())?),
    }
}

/// The name of a pipeline that is there.
fn which(pipeline: Option<&str>) -> Result<String> {
    let mut there = FastIoContext::pipelines()?;
    match pipeline {
        Some(pipeline) if there.iter().any(|one| one == pipeline) => Ok(pipeline.to_owned()),
        Some(pipeline) => Err(Problem::NoPipeline(pipeline.to_owned())),
        None if there.len() > 1 => Err(Problem::WhichPipeline(there)),
        None => there.pop().ok_or(Problem::NoPipelines),
    }
}

/// Opens a pipeline that is there.
fn open(pipeline: Option<&str>) -> Result<FastIoContext> {
    Ok(FastIoContext::open(&which(pipeline)?)?)
}

fn seconds(seconds: Option<f64>) -> Result<Option<Duration>> {
    let parse = |seconds| Duration::try_from_secs_f64(seconds).map_err(|_| Problem::Seconds(seconds));
    seconds.map(parse).transpose()
}

/// Takes names away; one that cannot be is told, and keeps no other from going.
fn rm(context: &FastIoContext, names: &[String], channel: bool) -> Result<()> {
    let mut missing = None;
    for name in names {
        let removed = if channel { context.remove_channel(name) } else { context.unpublish(name) };
        let problem = match removed {
            Ok(true) => continue,
            Err(error) => error.into(),
            Ok(false) if channel => Problem::NoChannel(name.clone()),
            Ok(false) if context.channels()?.iter().any(|listing| listing.name == *name) => {
                Problem::IsChannel(name.clone())
            }
            Ok(false) => Problem::Missing(name.clone()),
        };
        if let Some(earlier) = missing.replace(problem) {
            eprintln!("fastio: {earlier}");
        }
    }
    missing.map_or(Ok(()), Err)
}

/// How long we can print nothing before we look whether anybody still reads.
const LOOK: Duration = Duration::from_millis(500);

fn watch(context: &FastIoContext, timeout: Option<Duration>, json: bool) -> Result<()> {
    let mut watch = context.watch();
    let mut quiet_since = Instant::now();
    loop {
        let left = timeout.map_or(LOOK, |timeout| timeout.saturating_sub(quiet_since.elapsed()).min(LOOK));
        let event = match watch.next(left) {
            Err(podwire_fastio::Error::Timeout { .. }) => {
                if timeout.is_some_and(|timeout| quiet_since.elapsed() >= timeout) {
                    return Ok(());
                }
                list::still_read()?;
                continue;
            }
            event => event?,
        };
        quiet_since = Instant::now();
        match event {
            Event::Published(listing) if json => {
                list::line(&json!({ "event": "published", "name": listing.name, "bytes": listing.size }))?;
            }
            Event::Published(listing) => list::line(&format!("+ {} ({} bytes)", listing.name, listing.size))?,
            Event::Freed { name, .. } if json => list::line(&json!({ "event": "freed", "name": name }))?,
            Event::Freed { name, .. } => list::line(&format!("- {name}"))?,
            Event::Missed { publications } if json => {
                list::line(&json!({ "event": "missed", "publications": publications }))?;
            }
            Event::Missed { publications } => list::line(&format!("? {publications} came and went"))?,
            _ => {}
        }
    }
}
