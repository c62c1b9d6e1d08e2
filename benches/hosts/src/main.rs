//! What do several hosts cost?
//!
//! `podwire-bench-hosts [--quick|--check] [growth] [network] [WORKERS:FRAGMENTS...]` prints tables in Markdown: `growth` has
//! applications with more and more workers and fragments on this machine, or so many, each worker with shared memory of its own,
//! as on a host of its own; `network`
//! sends messages between two network namespaces, beside a bare TCP connection.
//!
//! Its processes are this program again, with the name of their application in the environment.

mod applications;
mod growth;
mod network;
mod processes;

/// How much is measured.
#[derive(Clone, Copy, PartialEq)]
pub enum Effort {
    Check,
    Quick,
    Full,
}

fn main() {
    if let Ok(application) = std::env::var(processes::APPLICATION) {
        return applications::play(&application);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| arguments.iter().any(|argument| argument == name);
    let effort = match (asked("--check"), asked("--quick")) {
        (true, _) => Effort::Check,
        (_, true) => Effort::Quick,
        _ => Effort::Full,
    };
    let all = !asked("growth") && !asked("network");
    println!("{} processors", std::thread::available_parallelism().map_or(0, usize::from));
    if all || asked("growth") {
        let size = |argument: &String| {
            let (workers, fragments) = argument.split_once(':')?;
            Some((workers.parse().ok()?, fragments.parse().ok()?))
        };
        growth::measure(effort, &arguments.iter().filter_map(size).collect::<Vec<_>>());
    }
    if all || asked("network") {
        network::measure(effort);
    }
}
