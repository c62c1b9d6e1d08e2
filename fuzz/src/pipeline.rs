//! A pipeline whose files are damaged before it is opened.
//!
//! The invariant: each input finds the same files, under a name that no input had before.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use podwire::fastio::{AllocationOptions, ChannelOptions, Error, FastIoContext, Incoming, Metadata};
use podwire::{Bulk, CodecRegistry};

use crate::grow::Seed;

/// The type that is published.
type Frame = (String, Bulk<u16>, Vec<Option<u8>>);

/// The files of a pipeline in which there is something of everything.
pub struct Template {
    base: PathBuf,
    files: Vec<(String, Vec<u8>)>,
    made: u64,
}

/// What was damaged: any file, or the memory of the channel alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Any file.
    Any,
    /// The memory of the channel.
    Ring,
}

const MAGIC: &[u8] = b"podwireR";

impl Template {
    /// Makes the pipeline, and keeps its files.
    ///
    /// # Panics
    /// If there is no shared memory.
    #[must_use]
    pub fn new() -> Self {
        Self::make().expect("a pipeline in shared memory")
    }

    fn make() -> Result<Self, Error> {
        // Registered here, so that it can be read by its name.
        CodecRegistry::global().register::<Frame>("Frame").expect("a name that is free");
        let name = format!("fuzz-{}", std::process::id());
        let context = FastIoContext::open(&name)?;
        let array = ndarray_of(12);
        context.publish_array(&array, "array")?;
        let memory = context.create_with(AllocationOptions::new(64).room_for_children(4))?;
        memory.adopt(&[&context.get("array")?])?;
        memory.publish("parent")?;
        memory.publish("again")?;
        let frame: Frame = ("left".into(), vec![1_u16; 40_000].into(), vec![None, Some(3)]);
        context.publish_value(&frame, "frame")?;
        let options = ChannelOptions::new().capacity(4).kept(true);
        let (mut sender, receiver) = context.channel("line", &options)?;
        sender.try_send(&b"inline"[..])?;
        sender.try_send(&context.get("array")?)?;
        sender.send_value(&frame)?;
        drop((sender, receiver));
        let path = context.path().to_owned();
        drop((memory, context));
        let mut files = Vec::new();
        for file in fs::read_dir(&path).expect("it is there") {
            let file = file.expect("it is there");
            let name = file.file_name().into_string().expect("names are ASCII");
            files.push((name, fs::read(file.path()).expect("it is ours")));
        }
        files.sort();
        FastIoContext::remove(&name)?;
        Ok(Self { base: path.parent().expect("below a directory").to_owned(), files, made: 0 })
    }

    /// Opens a pipeline of these files as the seed says to damage them, and uses all of it.
    ///
    /// # Panics
    /// If the files cannot be written, or something is wrong.
    pub fn run(&mut self, damage: Damage, seed: &mut Seed<'_>) {
        self.made += 1;
        let name = format!("fuzz-{}-{}", std::process::id(), self.made);
        let path = self.base.join(&name);
        DirBuilder::new().recursive(true).mode(0o700).create(&path).expect("a directory");
        let patches = patches(seed);
        let chosen: Vec<_> = self
            .files
            .iter()
            .filter(|(_, bytes)| damage == Damage::Any || is_ring(bytes))
            .map(|(n, _)| n)
            .collect();
        for (file, bytes) in &self.files {
            let mut bytes = bytes.clone();
            for patch in &patches {
                if chosen.get(patch.file % chosen.len()) == Some(&file) {
                    patch.apply(&mut bytes, damage);
                }
            }
            let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path.join(file));
            made.and_then(|mut made| made.write_all(&bytes)).expect("a file");
        }
        if let Ok(context) = FastIoContext::open(&name) {
            let _ = use_channel(&context);
            let _ = use_names(&context);
            let _ = context.sweep();
            let _ = context.stats();
        }
        let _ = FastIoContext::remove(&name);
        let _ = fs::remove_dir_all(&path);
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::new()
    }
}

fn ndarray_of(count: usize) -> ndarray::Array1<f32> {
    (0..count).map(|number| number as f32).collect()
}

fn is_ring(bytes: &[u8]) -> bool {
    bytes.get(4096..4104) == Some(MAGIC)
}

/// Bytes of a file that become others.
struct Patch {
    file: usize,
    at: usize,
    bytes: Vec<u8>,
    cut: bool,
}

/// At most eight.
fn patches(seed: &mut Seed<'_>) -> Vec<Patch> {
    let mut patches = Vec::new();
    while !seed.0.is_empty() && patches.len() < 8 {
        let [file, low, high, kind] = [seed.byte(), seed.byte(), seed.byte(), seed.byte()];
        let bytes = seed.bytes([1, 2, 4, 8][usize::from(kind % 4)]);
        let at = usize::from(u16::from_le_bytes([low, high]));
        patches.push(Patch { file: file.into(), at, bytes, cut: kind > 250 });
    }
    patches
}

impl Patch {
    fn apply(&self, file: &mut Vec<u8>, damage: Damage) {
        // The ring begins at the first page of the payload; what is before it is for the other target.
        let start = if damage == Damage::Ring { 4096 } else { 0 };
        // Another patch may have cut it off.
        let Some(room) = file.len().checked_sub(start).filter(|room| *room > 0) else { return };
        let at = start + self.at % room;
        if self.cut {
            return file.truncate(at);
        }
        for (place, byte) in file[at..].iter_mut().zip(&self.bytes) {
            *place = *byte;
        }
    }
}

fn use_names(context: &FastIoContext) -> Result<(), Error> {
    let _ = context.list().map(|all| format!("{all:?}"));
    let _ = context.channels().map(|all| format!("{all:?}"));
    for name in ["array", "parent", "again", "frame"] {
        let Ok(found) = context.get(name) else { continue };
        let _ = found.metadata().map(Metadata::clone);
        // A word that says that somebody writes is believed: who has no time asks without waiting.
        if let Ok(guard) = found.try_map() {
            std::hint::black_box(guard.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
            let _ = guard.as_array::<f32>().map(|array| array.sum());
            drop(guard);
            let _ = found.read_into(0, &mut [0; 64]);
        }
        let _ = found.children().map(|all| all.iter().map(|child| child.len()).sum::<usize>());
        let _ = context.get_value::<Frame>(name).map(|frame| frame.1.len());
    }
    context.create(100)?.publish("mine")?;
    let _ = context.unpublish("again");
    let _ = context.unpublish("mine");
    Ok(())
}

fn use_channel(context: &FastIoContext) -> Result<(), Error> {
    let options = ChannelOptions::new().capacity(4).kept(true);
    let mut receiver = context.receiver("line", &options)?;
    for _ in 0..6 {
        let _ = match receiver.receive_timeout(Duration::ZERO) {
            Ok(Incoming::Bytes(bytes)) => Ok(bytes.len()),
            Ok(Incoming::Allocation(found)) => Ok(found.len()),
            Ok(incoming) => incoming.any_value().map(drop).map(|()| 0),
            Err(error) => Err(error),
        };
    }
    let _ = (receiver.waiting(), receiver.peer(), receiver.settle());
    drop(receiver);
    let mut sender = context.sender("line", &options)?;
    let _ = sender.send_timeout(&b"one more"[..], Duration::ZERO);
    let _ = sender.try_loan(100_000).map(|loan| loan.send());
    let _ = (sender.sent(), sender.received(), sender.settled());
    Ok(())
}
