//! The machine: what it is, which two processors are measured on, how much memory it can spare.

#[path = "../../machine.rs"]
mod this;

use std::fs::read_to_string;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

pub(crate) use this::describe;

fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_default();
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

/// Two processors for two processes: not two threads of one core, with a cache in common if there are such.
pub fn pair() -> Option<(usize, usize)> {
    let topology = |cpu: usize, file: &str| {
        read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/{file}")).unwrap_or_default()
    };
    let siblings = |cpu| topology(cpu, "topology/thread_siblings_list");
    let cache = |cpu| topology(cpu, "cache/index3/shared_cpu_list");
    let cpus = allowed();
    let pairs = || {
        // The first processor is where interrupts go.
        let first = cpus.iter().rev();
        first.flat_map(|a| cpus.iter().rev().map(move |b| (*a, *b))).filter(|(a, b)| a != b)
    };
    let apart = |(a, b): &(usize, usize)| siblings(*a).is_empty() || siblings(*a) != siblings(*b);
    let near = |pair: &(usize, usize)| apart(pair) && cache(pair.0) == cache(pair.1);
    pairs().find(near).or_else(|| pairs().find(apart)).or_else(|| pairs().next())
}

/// Keeps this process on one processor, if that can be.
pub fn pin(cpu: Option<usize>) {
    if let Some(cpu) = cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        let _ = sched_setaffinity(None, &set);
    }
}

/// Does something whose threads may run on all processors, from a process that keeps to one.
#[cfg(feature = "zenoh")]
pub fn everywhere<R>(action: impl FnOnce() -> R) -> R {
    let Ok(mine) = sched_getaffinity(None) else { return action() };
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
    let _ = sched_setaffinity(None, &all);
    let result = action();
    let _ = sched_setaffinity(None, &mine);
    result
}

/// The mappings that a process can have.
pub fn most_maps() -> usize {
    let limit = read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    limit.trim().parse().unwrap_or(usize::MAX)
}

/// Bytes of shared memory that can be had without pressing others: free in the file system, and free at all.
pub fn spare_memory() -> u64 {
    let directory = std::env::var("PODWIRE_SHM_DIR").unwrap_or_else(|_| "/dev/shm".into());
    let file_system = rustix::fs::statvfs(directory).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    let info = read_to_string("/proc/meminfo").unwrap_or_default();
    let available = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = available.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    file_system.min(kilobytes.unwrap_or(0) * 1024)
}
