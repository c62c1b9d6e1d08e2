//! `get` and `put`: between shared memory and files.
//!
//! Not here: numpy's header. Invariant: what is put is published whole or not at all, and what is got was read under the
//! lock.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

use podwire_fastio::{AllocationOptions, ContentKind, Error, FastIoContext, Metadata};

use crate::{
    npy,
    problem::{Problem, Result},
};

/// Bytes from one look at the clock to the next.
const STEP: usize = 8 << 20;

/// Says how far a long copy is, to one who watches.
struct Progress {
    start: Instant,
    shown: bool,
    total: usize,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self { start: Instant::now(), shown: false, total }
    }

    fn at(&mut self, done: usize) {
        if self.start.elapsed() > Duration::from_millis(500) && io::stderr().is_terminal() {
            let of = if self.total == 0 { String::new() } else { format!(" of {}", self.total >> 20) };
            eprint!("\r{}{of} MiB", done >> 20);
            self.shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

pub(crate) fn get(
    context: &FastIoContext,
    name: &str,
    file: &Path,
    npy: bool,
    raw: bool,
    wait: Option<Duration>,
) -> Result<()> {
    let found = match wait {
        Some(wait) => context.wait(name, wait)?,
        None => context.get(name)?,
    };
    let metadata = found.metadata()?;
    if metadata.kind == ContentKind::Value && !raw {
        let codec = metadata.codec.as_deref().unwrap_or("unknown").escape_debug();
        return Err(Problem::Unfit(format!(
            "what is published as {name:?} is a value of type {codec}: `values` prints it, and --raw copies the bytes of \
             its message, without the large buffers that it refers to"
        )));
    }
    let with_header = npy || file.extension().is_some_and(|extension| extension == "npy");
    let header = if with_header { npy::header(metadata, found.len())? } else { Vec::new() };
    let bytes = found.map()?;
    let failed = |error| match file.to_str() {
        Some("-") => Problem::Output(error),
        _ => Problem::File(file.to_owned(), error),
    };
    let mut output: Box<dyn Write> = match file.to_str() {
        Some("-") => Box::new(io::stdout().lock()),
        _ => Box::new(File::create(file).map_err(failed)?),
    };
    output.write_all(&header).map_err(failed)?;
    let mut progress = Progress::new(bytes.len());
    for (step, part) in bytes.chunks(STEP).enumerate() {
        output.write_all(part).map_err(failed)?;
        progress.at(step * STEP + part.len());
    }
    output.flush().map_err(failed)
}

pub(crate) fn put(context: &FastIoContext, name: &str, file: &Path, replace: bool, raw: bool) -> Result<()> {
    // Before anything is copied: a name that is bad or taken is no news after ten gigabytes.
    match context.try_get(name) {
        Ok(Some(_)) if !replace => return Err(Error::NameTaken { name: name.to_owned() }.into()),
        Err(error @ Error::BadName { .. }) => return Err(error.into()),
        // What is damaged can be replaced.
        Err(error) if !replace => return Err(error.into()),
        _ => {}
    }
    let failed = |error| Problem::File(file.to_owned(), error);
    let (mut input, size): (Box<dyn Read>, Option<u64>) = match file.to_str() {
        Some("-") => (Box::new(io::stdin().lock()), None),
        _ => {
            let file = File::open(file).map_err(failed)?;
            let size = file.metadata().map_err(failed)?;
            (Box::new(file), size.is_file().then_some(size.len()))
        }
    };
    let mut start = Vec::new();
    input.by_ref().take(npy::MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
    let is_npy = !raw && start == npy::MAGIC;
    let mut input = io::Cursor::new(start).chain(input);
    let (metadata, size) = if is_npy {
        let (metadata, size) = npy::read(&mut input)?;
        (metadata, Some(size))
    } else {
        (Metadata::default(), size)
    };
    let allocation = match size {
        Some(size) => {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let allocation = context.create_with(AllocationOptions::new(size).metadata(metadata))?;
            let mut bytes = allocation.map_mut()?;
            let mut progress = Progress::new(size);
            for (step, part) in bytes.chunks_mut(STEP).enumerate() {
                input.read_exact(part).map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof if is_npy => {
                        Problem::Unfit("the .npy file is shorter than its header says".into())
                    }
                    io::ErrorKind::UnexpectedEof => {
                        Problem::Unfit(format!("{} became shorter while it was read", file.display()))
                    }
                    _ => failed(error),
                })?;
                progress.at(step * STEP + part.len());
            }
            drop(bytes);
            allocation
        }
        // A stream says at its end how long it is.
        None => {
            let mut all = Vec::new();
            let mut progress = Progress::new(0);
            while input.by_ref().take(STEP as u64).read_to_end(&mut all).map_err(failed)? > 0 {
                progress.at(all.len());
            }
            let allocation = context.create_with(AllocationOptions::new(all.len()).metadata(metadata))?;
            allocation.map_mut()?.copy_from_slice(&all);
            allocation
        }
    };
    if is_npy && input.read(&mut [0]).map_err(failed)? != 0 {
        return Err(Problem::Unfit("the .npy file is longer than its header says".into()));
    }
    if replace {
        allocation.replace(name)?;
    } else {
        allocation.publish(name)?;
    }
    Ok(())
}
