//! A process that decodes a range of inputs, and may die of it.
//!
//! What it is about to decode stands in its note; what it found, in a file of lines. It decodes on a stack of 256 KiB.

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;

use crate::case::{Case, Phase, case};
use crate::fault::{Fault, note_panics};
use crate::note::{Count, Note};
use crate::refused::refused;
use crate::ways::Ways;
use crate::world::World;

/// The stack on which everything is decoded.
const STACK: usize = 256 << 10;

/// Where a child writes what it found; each line is the fault, the number of the input, the way, and the particulars.
pub(crate) fn found(note: &Path) -> PathBuf {
    note.with_extension("found")
}

/// Decodes these inputs.
pub(crate) fn run(phase: Phase, inputs: Range<u64>, seed: u64, path: &Path) {
    let note = Note::open(path).expect("the parent made the note");
    let mut file = File::options().append(true).create(true).open(found(path)).expect("beside the note");
    note_panics();
    let work = move || {
        let world = World::new(seed);
        for number in inputs {
            note.set(Count::Way, 0);
            note.set(Count::Input, number);
            let case = case(&world, phase, number);
            let mut report = |fault: Fault, way: &str, what: &str| {
                note.add(match fault {
                    Fault::Panic | Fault::Abort => Count::Panics,
                    Fault::Hang => Count::Hangs,
                    Fault::Over => Count::Over,
                });
                writeln!(file, "{}\t{number}\t{way}\t{what}", fault.name()).expect("beside the note");
            };
            match phase {
                Phase::Refused => {
                    if let Err(what) = refused(&world, &case, number, &note) {
                        report(Fault::Panic, "an allocation failed", &what);
                    }
                }
                _ => go(&world, &case, &note, &mut report),
            }
            note.add(Count::Done);
        }
    };
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("panics are caught");
}

/// All ways of an input; those that took long once more, by the clock that counts.
fn go(world: &World, case: &Case, note: &Note, report: &mut dyn FnMut(Fault, &str, &str)) {
    let mut ways = Ways { world, case, note, report, precise: false, suspect: false, loud: false };
    ways.go();
    if ways.suspect {
        let mut hangs = |fault: Fault, way: &str, what: &str| {
            if fault == Fault::Hang {
                report(fault, way, what);
            }
        };
        Ways { world, case, note, report: &mut hangs, precise: true, suspect: false, loud: false }.go();
    }
}

/// Decodes one input, and says what each way took.
pub(crate) fn replay(case: Case, path: &Path) -> bool {
    let note = Note::create(path).expect("a file of its own");
    note_panics();
    let work = move || {
        let (world, mut found) = (World::new(0), false);
        let mut report = |fault: Fault, way: &str, what: &str| {
            found = true;
            println!("{}, {way}: {what}", fault.name());
        };
        Ways {
            world: &world,
            case: &case,
            note: &note,
            report: &mut report,
            precise: true,
            suspect: false,
            loud: true,
        }
        .go();
        found
    };
    thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread").join().unwrap_or(true)
}
