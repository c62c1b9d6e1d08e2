//! What the figures were taken on and with.

#[path = "../machine.rs"]
mod this;

/// The crates whose versions belong to the figures.
const CODECS: [&str; 9] =
    ["podwire", "wincode", "bitcode", "rkyv", "savefile", "speedy", "borsh", "postcard", "bincode"];

/// One line per fact, as a Markdown list.
pub(crate) fn describe() -> String {
    let allocator = std::env::var("GLIBC_TUNABLES").unwrap_or_else(|_| "as it comes".to_owned());
    let lines = [
        format!("- {}", this::describe()),
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
    format!("{cpus} CPUs, {}, {rustc}", this::processor())
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
