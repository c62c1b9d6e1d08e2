//! Processes that publish, read, write, free and sweep, and are killed at random times.
//!
//! A worker says what it has published after `publish` returned, and what it frees before it frees it. Afterwards
//! everything that was said to be published and not to be freed must be there, whole; nothing may be torn, left over,
//! or have kept a survivor waiting. `PODWIRE_STORM_KILLS` sets the number of kills, `PODWIRE_STORM_SEED` the seed.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use podwire_fastio::{AllocationOptions, Error, FastIoContext};

use crate::support::{Actor, Pipeline, Role, directory, say};

pub(crate) const ROLES: &[Role] = &[("worker", work)];

/// Longer than any survivor may be kept waiting, on a machine with other things to do.
const STALL: Duration = Duration::from_secs(2);

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn byte_of(name: &str) -> u8 {
    name.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}

fn whole(bytes: &[u8], byte: u8) -> bool {
    bytes.iter().all(|found| *found == byte)
}

fn work(pipeline: &str) {
    let seed: u64 = std::env::var("PODWIRE_WORKER_SEED").unwrap().parse().unwrap();
    let mut random = Random(seed | 1);
    let mut mine = Vec::new();
    let context = FastIoContext::open(pipeline).unwrap();
    say("begin");
    for round in 0u64.. {
        let start = Instant::now();
        if let Err(problem) = step(&context, &mut random, &mut mine, &format!("{seed}-{round}")) {
            say(format_args!("problem: {problem}"));
            return;
        }
        if start.elapsed() > STALL {
            say(format_args!("problem: waited for {:?}", start.elapsed()));
            return;
        }
    }
}

fn step(
    context: &FastIoContext,
    random: &mut Random,
    mine: &mut Vec<String>,
    name: &str,
) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    match random.below(10) {
        0..=2 => {
            let size = [100, 5000, 70_000][random.below(3) as usize];
            let part = context.create(size).map_err(text)?;
            part.map_mut().map_err(text)?.fill(byte_of(name));
            let allocation = if random.below(2) == 0 {
                let parent = AllocationOptions::new(10).children(&[&part]);
                let parent = context.create_with(parent).map_err(text)?;
                parent.map_mut().map_err(text)?.fill(byte_of(name));
                parent
            } else {
                part
            };
            allocation.publish(name).map_err(text)?;
            say(format_args!("published {name}"));
            mine.push(name.to_owned());
        }
        3 | 4 if mine.len() > 3 => {
            let name = mine.swap_remove(random.below(mine.len() as u64) as usize);
            say(format_args!("freeing {name}"));
            let found = context.get(&name).map_err(text)?;
            check(&found, &name)?;
            found.free().map_err(text)?;
        }
        5 => {
            // One allocation that everybody writes to; who finds it poisoned puts a new one in its place.
            let hot = match context.try_get("hot").map_err(text)? {
                Some(hot) => hot,
                None => return Ok(()),
            };
            match hot.map_mut() {
                Ok(mut guard) => guard.fill(random.below(256) as u8),
                Err(Error::Poisoned) => {
                    let fresh =
                        context.create_with(AllocationOptions::new(50_000).zeroed(true)).map_err(text)?;
                    fresh.replace("hot").map_err(text)?;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        6 | 7 => {
            let Some(hot) = context.try_get("hot").map_err(text)? else { return Ok(()) };
            match hot.map() {
                Ok(guard) if whole(&guard, guard[0]) => {}
                Ok(_) => return Err("the hot allocation is torn".into()),
                Err(Error::Poisoned) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        8 if random.below(20) == 0 => drop(context.sweep().map_err(text)?),
        _ => {
            for entry in context.list().map_err(text)?.iter().take(3).filter(|entry| entry.name != "hot") {
                if let Some(found) = context.try_get(&entry.name).map_err(text)? {
                    check(&found, &entry.name)?;
                }
            }
        }
    }
    Ok(())
}

fn check(found: &podwire_fastio::FastIoAllocation, name: &str) -> Result<(), String> {
    let text = |error: Error| format!("{name}: {error}");
    if !whole(&found.map().map_err(text)?, byte_of(name)) {
        return Err(format!("{name} is torn"));
    }
    for child in found.children().map_err(text)? {
        if !whole(&child.map().map_err(text)?, byte_of(name)) {
            return Err(format!("a child of {name} is torn"));
        }
    }
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn a_storm_of_kills_loses_tears_and_leaks_nothing() {
    let kills = number("PODWIRE_STORM_KILLS").unwrap_or(100);
    let seed = number("PODWIRE_STORM_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let hot = context.create_with(AllocationOptions::new(50_000).zeroed(true)).unwrap();
    hot.publish("hot").unwrap();
    drop(hot);

    let mut published = HashSet::new();
    let mut freeing = HashSet::new();
    let mut note = |line: String| match line.split_once(' ') {
        Some(("published", name)) => drop(published.insert(name.to_owned())),
        Some(("freeing", name)) => drop(freeing.insert(name.to_owned())),
        Some(("problem:", problem)) => panic!("seed {seed}: {problem}"),
        _ => {}
    };
    let start = |random: &mut Random| {
        let worker_seed = random.below(u64::MAX).to_string();
        let mut worker = Actor::start_with("worker", &pipeline, &[("PODWIRE_WORKER_SEED", &worker_seed)]);
        worker.expect("begin");
        worker
    };
    let mut workers: Vec<_> = (0..3).map(|_| start(&mut random)).collect();
    for _ in 0..kills {
        std::thread::sleep(Duration::from_micros(random.below(15_000)));
        let victim = random.below(workers.len() as u64) as usize;
        let mut worker = workers.swap_remove(victim);
        worker.kill();
        while let Some(line) = worker.hear() {
            note(line);
        }
        workers.push(start(&mut random));
    }
    for mut worker in workers {
        worker.kill();
        while let Some(line) = worker.hear() {
            note(line);
        }
    }

    context.sweep().unwrap();
    let listed: HashMap<_, _> =
        context.list().unwrap().into_iter().map(|entry| (entry.name.clone(), entry)).collect();
    let lost: Vec<_> =
        published.iter().filter(|name| !freeing.contains(*name) && !listed.contains_key(*name)).collect();
    assert!(lost.is_empty(), "seed {seed}: lost {lost:?}");
    for name in listed.keys().filter(|name| *name != "hot") {
        check(&context.get(name).unwrap(), name).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
    }
    let stats = context.stats().unwrap();
    assert_eq!(
        (stats.processes, stats.private, stats.freed, stats.pooled_bytes),
        (1, 0, 0, 0),
        "seed {seed}"
    );
    for name in listed.keys() {
        context.unpublish(name).unwrap();
    }
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    assert_eq!((stats.names, stats.published, stats.bytes), (0, 0, 0), "seed {seed}: leaked");
    let files = std::fs::read_dir(directory(&pipeline)).unwrap().flatten();
    let left = files.filter(|file| file.file_name().to_string_lossy().starts_with("segment.")).count();
    assert_eq!(left, 0, "seed {seed}: files are left");
    println!("kills {kills}, published {}", published.len());
}
