//! What the figures were taken on and with.

use std::fs;

/// The crates whose versions belong to the figures.
const CODECS: [&str; 9] =
    ["podwire", "wincode", "bitcode", "rkyv", "savefile", "speedy", "borsh", "postcard", "bincode"];

/// One line per fact, as a Markdown list.
pub(crate) fn describe() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let allocator = std::env::var("GLIBC_TUNABLES").unwrap_or_else(|_| "as it comes".to_owned());
    let lines = [
        format!(
            "- {cpus} CPUs, {}; Linux {}",
            processor(),
            kernel.trim().split('-').next().unwrap_or_default()
        ),
        format!("- {}, {}", env!("BENCH_RUSTC"), flags()),
        format!("- {}", CODECS.map(named).join(", ")),
        format!("- the system's allocator, {allocator}"),
    ];
    lines.join("\n")
}

/// The same in a few words.
pub(crate) fn short() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = env!("BENCH_RUSTC").split(" (").next().unwrap_or_default();
    format!("{cpus} CPUs, {}, {rustc}", processor())
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

fn flags() -> String {
    match env!("BENCH_RUSTFLAGS") {
        "" => "release, fat LTO".to_owned(),
        flags => format!("release, fat LTO, {flags}"),
    }
}

fn named(codec: &str) -> String {
    format!("{codec} {}", version(codec).unwrap_or("of unknown version"))
}

/// The version of a crate that this was built with, from the lock file.
fn version(name: &str) -> Option<&'static str> {
    let lock = include_str!("../Cargo.lock");
    let (_, entry) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    entry.split('"').next()
}
