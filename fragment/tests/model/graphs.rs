//! Large graphs, and graphs that nobody thought of: everything that was emitted arrives, and everything ends.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use podwire_fragment::{Application, Ended, OperatorSpec, WhenFull};

use crate::support::{Notes, assert_nothing_is_missing, collect, numbers, op, pass};

#[test]
fn a_line_of_1000_operators_delivers_everything() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("op0", numbers(50));
    for at in 1..999 {
        app.add_operator(format!("op{at}"), pass());
        app.add_flow(format!("op{}", at - 1), format!("op{at}"), [("out", "in")]);
    }
    app.add_operator("op999", collect(&notes));
    app.add_flow("op998", "op999", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(*notes.list(), (0..50).collect::<Vec<_>>());
    assert_nothing_is_missing(&report);
}

#[test]
fn an_output_leads_to_100_operators() {
    let sum = Arc::new(AtomicU64::new(0));
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(100));
    for at in 0..100 {
        let (sum, mut next) = (Arc::clone(&sum), 0);
        let setup = |spec: &mut OperatorSpec| {
            spec.input::<u64>("in");
        };
        let add = op(setup, move |input, _, _| {
            let number = *input.receive::<u64>("in")?;
            assert_eq!(number, next);
            next += 1;
            sum.fetch_add(number, Relaxed);
            Ok(())
        });
        app.add_operator(format!("add{at}"), add);
        app.add_flow("numbers", format!("add{at}"), [("out", "in")]);
    }
    app.run().unwrap();
    assert_eq!(sum.load(Relaxed), 100 * (99 * 100 / 2));
}

/// Numbers that look random, always the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }
}

/// A graph of sources, and of operators that pass on whatever they get until it was passed on ten times. Operators get
/// from those before them, and in one of three graphs also from those behind them.
fn random_graph(seed: u64) -> Application {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut app = Application::new(["app"]);
    let operators = 2 + random.below(12);
    let circular = random.one_in(3);
    for at in 0..operators {
        // With all inputs an operator can drop what came to the other ones; with cycles, room must never be missing.
        let (any, capacity) =
            (circular || random.one_in(2), if circular { 100_000 } else { 1 + random.below(5) as usize });
        let policy = [WhenFull::Block, WhenFull::Block, WhenFull::DropOldest, WhenFull::Refuse]
            [random.below(4) as usize];
        let mut before: Vec<u64> = (0..operators).filter(|from| *from != at && random.one_in(3)).collect();
        before.retain(|from| *from < at || circular);
        let is_source = before.is_empty();
        let (inputs, optional) = (before.clone(), random.one_in(8));
        let setup = move |spec: &mut OperatorSpec| {
            for from in &inputs {
                let input = spec.input::<u64>(&format!("in{from}")).capacity(capacity).when_full(policy);
                if optional {
                    input.optional();
                }
            }
            spec.output::<u64>("out");
            if any {
                spec.when_any_input();
            }
            if is_source || optional {
                spec.count(20);
            }
        };
        let ports: Vec<String> = before.iter().map(|from| format!("in{from}")).collect();
        let compute = op(setup, move |input, output, _| {
            if is_source {
                let _ = output.emit("out", 0_u64);
            }
            for port in &ports {
                if let Some(passed) = input.try_receive::<u64>(port)?.filter(|passed| **passed < 4) {
                    // What is refused is refused.
                    let _ = output.emit("out", *passed + 1);
                }
            }
            Ok(())
        });
        app.add_operator(format!("op{at}"), compute);
        for from in before {
            app.add_flow(format!("op{from}"), format!("op{at}"), [("out", format!("in{from}"))]);
        }
    }
    app
}

#[test]
fn any_graph_ends_and_everything_is_accounted_for() {
    for seed in 1..400 {
        let report = random_graph(seed).run().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(report.ended, Ended::Done, "seed {seed}");
        assert_nothing_is_missing(&report);
    }
}

#[test]
fn any_graph_can_be_stopped_at_any_time() {
    for seed in 1..200 {
        let running = random_graph(seed).start().unwrap();
        for _ in 0..seed % 7 {
            std::thread::yield_now();
        }
        running.stop();
        let report = running.wait();
        assert!(report.failures.is_empty(), "seed {seed}: {:?}", report.failures);
        assert_nothing_is_missing(&report);
    }
}
