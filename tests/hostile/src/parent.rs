//! The run: gives ranges of inputs to children, counts what they found, and writes down the inputs that did it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::case::{Phase, REFUSALS, REFUSED_WAYS, case};
use crate::fault::Fault;
use crate::note::Count;
use crate::store;
use crate::watch::{End, Ended, watch};
use crate::ways::WAYS;
use crate::world::World;

/// What is to be done.
pub(crate) struct Plan {
    pub(crate) inputs: u64,
    pub(crate) seed: u64,
    /// Builds of this program; each gets all inputs.
    pub(crate) builds: Vec<PathBuf>,
    /// Where inputs go that did something that must not be.
    pub(crate) folder: PathBuf,
    pub(crate) jobs: usize,
}

/// Inputs of one fault that are written to files.
const KEPT: u64 = 5;
/// The part of all random inputs that has to reach a codec, in percent.
const PAST: u64 = 30;

/// What was counted.
#[derive(Debug, Default, Clone)]
struct Totals {
    done: u64,
    past: u64,
    values: u64,
    fullest: u64,
    faults: [u64; 4],
    /// Codecs whose decoding cannot report that an allocation failed, and on how many ways.
    silent: BTreeMap<String, u64>,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.past += other.past;
        self.values += other.values;
        self.fullest = self.fullest.max(other.fullest);
        self.faults.iter_mut().zip(other.faults).for_each(|(sum, count)| *sum += count);
        other.silent.into_iter().for_each(|(name, count)| *self.silent.entry(name).or_default() += count);
    }
}

/// What cannot report that an allocation failed, because the standard library, or another crate, does not: shared
/// pointers, B-trees, and what is made of them or keeps an owner of segments.
const SILENT: [&str; 17] = [
    "Arc",
    "BTree",
    "Bulk",
    "Tensor",
    "Buffer",
    "Shared",
    "Blob",
    "Bytes",
    "Schema",
    "Fields",
    "Tree",
    "Expression",
    "ndarray",
    "SmallVec",
    "Page",
    "Path",
    "Attributes",
];

/// What stands behind the name of a codec that is read by its schema.
const BY_SCHEMA: &str = ", by its schema";

/// Runs the plan; whether nothing was found.
pub(crate) fn run(plan: &Plan) -> io::Result<bool> {
    let start = Instant::now();
    fs::create_dir_all(&plan.folder)?;
    let world = World::new(plan.seed);
    expansions(&world);
    let mut all = Totals::default();
    let mut random = Totals::default();
    for (number, build) in plan.builds.iter().enumerate() {
        for phase in Phase::ALL {
            let count = phase.count(&world, plan.inputs);
            let begin = Instant::now();
            let totals = Run { plan, build, phase, world: &world, printed: Mutex::default() }.all(count)?;
            println!(
                "build {}, {}: {} inputs, {} reached a codec, {} values; at most {} per mille of the memory that was granted; {:.1} s",
                number + 1,
                phase.name(),
                totals.done,
                totals.past,
                totals.values,
                totals.fullest,
                begin.elapsed().as_secs_f64(),
            );
            if phase == Phase::Random {
                random += totals.clone();
            }
            all += totals;
        }
    }
    let (by_schema, as_types): (Vec<_>, Vec<_>) =
        all.silent.keys().partition(|name| name.ends_with(BY_SCHEMA));
    println!(
        "an allocation that fails ends the process, as Rust cannot report it, in {} codecs, and in {} that are read by their schema: {}",
        as_types.len(),
        by_schema.len(),
        as_types.into_iter().map(String::as_str).collect::<Vec<_>>().join("; "),
    );
    let percent = random.past * 100 / random.done.max(1);
    let [panics, aborts, hangs, over] = all.faults;
    println!(
        "inputs {}, codecs {}, past header {percent}%, panics {panics}, aborts {aborts}, hangs {hangs}, over {over}, seed {}, seconds {}",
        plan.inputs,
        world.targets.len(),
        plan.seed,
        start.elapsed().as_secs(),
    );
    Ok(all.faults == [0; 4] && percent >= PAST && random.done == plan.inputs * plan.builds.len() as u64)
}

/// What a byte can come to, of every codec.
fn expansions(world: &World) {
    let shown = |expansion: u64| match expansion {
        u64::MAX => "bounded by the limits alone".to_owned(),
        expansion => expansion.to_string(),
    };
    println!("bytes of memory for each of the encoding, as the type and by its schema:");
    for target in &world.targets {
        println!("  {}: {}, {}", target.name, shown(target.expansion), shown(target.by_schema));
    }
}

/// One part of the run, in one build.
struct Run<'p> {
    plan: &'p Plan,
    build: &'p Path,
    phase: Phase,
    world: &'p World,
    printed: Mutex<[u64; 4]>,
}

impl Run<'_> {
    fn all(&self, count: u64) -> io::Result<Totals> {
        let parts = match self.phase {
            Phase::Deep | Phase::Refused => self.plan.jobs as u64,
            _ => 4 * self.plan.jobs as u64,
        };
        let size = count.div_ceil(parts).max(1);
        let ranges: Vec<Range<u64>> = (0..parts)
            .map(|part| part * size..((part + 1) * size).min(count))
            .filter(|range| !range.is_empty())
            .collect();
        let ranges = Mutex::new(ranges);
        let phase = self.phase.name();
        let (plan, build) = (self.plan, self.build);
        let watchers: Vec<io::Result<Vec<Ended>>> = thread::scope(|scope| {
            let spawned: Vec<_> = (0..plan.jobs)
                .map(|job| {
                    let ranges = &ranges;
                    scope.spawn(move || {
                        let note = plan.folder.join(format!("note-{phase}-{job}"));
                        let mut all = Vec::new();
                        loop {
                            let next = ranges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
                            let Some(range) = next else { return Ok(all) };
                            all.extend(watch(build, phase, range, plan.seed, &note)?);
                        }
                    })
                })
                .collect();
            spawned.into_iter().map(|watcher| watcher.join().expect("a watcher does not panic")).collect()
        });
        let mut totals = Totals::default();
        for ended in watchers {
            for ended in ended? {
                self.count(ended, &mut totals)?;
            }
        }
        Ok(totals)
    }

    fn count(&self, ended: Ended, totals: &mut Totals) -> io::Result<()> {
        let Ended { counts, found, end, .. } = ended;
        let get = |count: Count| counts[count as usize];
        *totals += Totals {
            done: get(Count::Done) + u64::from(!matches!(end, End::Done)),
            past: get(Count::Past),
            values: get(Count::Values),
            fullest: get(Count::Fullest),
            faults: [get(Count::Panics), 0, get(Count::Hangs), get(Count::Over)],
            silent: BTreeMap::new(),
        };
        for line in found.lines() {
            let mut parts = line.splitn(4, '\t');
            let mut next = || parts.next().unwrap_or_default();
            let (fault, number, way, what) = (next(), next(), next(), next());
            let Some(fault) = Fault::ALL.into_iter().find(|known| known.name() == fault) else { continue };
            self.tell(fault, number.parse().unwrap_or_default(), way, what)?;
        }
        let (input, way) = (get(Count::Input), WAYS[get(Count::Way) as usize]);
        match end {
            End::Done => {}
            End::Died(why) => {
                if self.phase == Phase::Refused && why.contains("memory allocation of") {
                    let target = &self.world.targets[input as usize / REFUSALS / REFUSED_WAYS];
                    let name = &target.name;
                    // Elements that are read by their schema are kept in shared memory.
                    let by_schema = if way == WAYS[8] { BY_SCHEMA } else { "" };
                    let elements = way == WAYS[8] && target.schema.text().contains('[');
                    if elements || SILENT.iter().any(|known| name.contains(known)) {
                        *totals.silent.entry(format!("{name}{by_schema}")).or_default() += 1;
                        return Ok(());
                    }
                }
                totals.faults[Fault::Abort as usize] += 1;
                self.tell(Fault::Abort, input, way, &why)?;
            }
            End::Still => {
                totals.faults[Fault::Hang as usize] += 1;
                self.tell(Fault::Hang, input, way, "it did not end")?;
            }
        }
        Ok(())
    }

    /// Says what an input did, and writes it to a file.
    fn tell(&self, fault: Fault, number: u64, way: &str, what: &str) -> io::Result<()> {
        let mut printed = self.printed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = &mut printed[fault as usize];
        *count += 1;
        if *count > KEPT {
            return Ok(());
        }
        let file = self.plan.folder.join(format!(
            "{}-{}-{}-{number}",
            fault.name(),
            self.phase.name(),
            self.plan.seed
        ));
        let case = case(self.world, self.phase, number);
        store::write(&file, &case)?;
        let name = podwire::message::Message::parse(&case.message, case.limits);
        let name = name.map_or_else(|_| "no message".into(), |(message, _)| message.name().to_owned());
        println!("{}: {} input {number}, {name}, {way}: {what}", fault.name(), self.phase.name());
        println!("    scripts/hostile --replay {}", file.display());
        Ok(())
    }
}
