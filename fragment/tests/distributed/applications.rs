//! The applications that the processes of the tests run, by name.

use std::{process::ExitCode, time::Duration};

use podwire_codec_core::Bulk;
use podwire_codec_derive::Codec;
use podwire_fragment::{
    Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result, WorkerLost,
};

use crate::{halves, paths, storm, types};

/// Started again with the name of an application in the environment, the test binary is a process of it.
#[test]
fn play() {
    let Ok(name) = std::env::var("PODWIRE_TEST_APPLICATION") else { return };
    let arguments = std::env::var("PODWIRE_TEST_ARGUMENTS").unwrap_or_default();
    let mut app = Application::new(std::iter::once(name.as_str()).chain(arguments.lines()));
    compose(&name, &mut app);
    paths::equip(&mut app);
    let code = if name == "storm" {
        app.run().map_or_else(|error| panic!("{error}"), |report| storm::conclude(&report))
    } else {
        app.main()
    };
    std::process::exit((0..=255).find(|code_| ExitCode::from(*code_) == code).unwrap_or(255).into());
}

fn compose(name: &str, app: &mut Application) {
    match name {
        "pair" if std::env::var_os("PODWIRE_TEST_OTHER").is_some() => compose_other(app),
        "pair" => {
            fragment(app, "a", [("source", Source { count: Some(20), ..Source::default() })]);
            fragment(app, "b", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "one" => {
            fragment(app, "a", [("source", Source { count: Some(1), ..Source::default() })]);
            fragment(app, "b", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "long" => {
            let source = Source { count: Some(300), period: Some(Duration::from_millis(5)) };
            fragment(app, "a", [("source", source)]);
            fragment(app, "b", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "arrays" => {
            fragment(app, "a", [("source", Arrays { next: 0 })]);
            fragment(app, "b", [("sink", ArraySink { next: 0 })]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "ends-late" => {
            fragment(app, "a", [("source", EndsLate { left: 8 })]);
            fragment(app, "b", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "line" => {
            fragment(app, "a", [("source", Source { count: Some(20), ..Source::default() })]);
            fragment(app, "b", [("pass", Pass)]);
            fragment(app, "c", [("pass", Pass)]);
            fragment(app, "d", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("source.out", "pass.in")]);
            app.add_flow("b", "c", [("pass.out", "pass.in")]);
            app.add_flow("c", "d", [("pass.out", "sink.in")]);
        }
        "parallel" => {
            for name in ["a", "b"] {
                let mut it = Fragment::new(name);
                it.add_operator("source", Source { count: Some(20), ..Source::default() });
                it.add_operator("sink", Sink::default());
                it.add_flow("source", "sink", [("out", "in")]);
                app.add_fragment(it);
            }
        }
        "broadcast" => {
            fragment(app, "a", [("source", Source { count: Some(20), ..Source::default() })]);
            for name in ["b", "c", "d"] {
                fragment(app, name, [("sink", Sink::default())]);
                app.add_flow("a", name, [("source.out", "sink.in")]);
            }
        }
        "receivers" => {
            for name in ["a", "b", "c"] {
                fragment(app, name, [("source", Source { count: Some(20), ..Source::default() })]);
            }
            fragment(app, "d", [("sum", Sum)]);
            app.add_flow("a", "d", [("source.out", "sum.a")]);
            app.add_flow("b", "d", [("source.out", "sum.b")]);
            app.add_flow("c", "d", [("source.out", "sum.b")]);
        }
        "ports" => {
            fragment(app, "a", [("split", Split { next: 0 })]);
            fragment(app, "b", [("join", Join { count: 0 })]);
            app.add_flow("a", "b", [("split.even", "join.even"), ("split.odd", "join.odd")]);
        }
        "mixed" => {
            let mut it = Fragment::new("a");
            it.add_operator("source", Source { count: Some(20), ..Source::default() });
            it.add_operator("left", Pass);
            it.add_operator("right", Pass);
            it.add_flow("source", "left", [("out", "in")]);
            it.add_flow("source", "right", [("out", "in")]);
            app.add_fragment(it);
            fragment(app, "b", [("pass", Pass)]);
            let mut it = Fragment::new("c");
            it.add_operator("near", Sink::default());
            it.add_operator("far", Sink::default());
            it.add_operator("back", Pass);
            app.add_fragment(it);
            fragment(app, "d", [("sink", Sink::default())]);
            app.add_flow("a", "b", [("left.out", "pass.in")]);
            app.add_flow("a", "c", [("right.out", "near.in"), ("right.out", "back.in")]);
            app.add_flow("b", "c", [("pass.out", "far.in")]);
            app.add_flow("c", "d", [("back.out", "sink.in")]);
        }
        "fails" => {
            fragment(app, "a", [("source", Source::endless())]);
            fragment(app, "b", [("bad", Bad { panics: false, left: 3 })]);
            fragment(app, "c", [("source", Source::endless())]);
            app.add_flow("a", "b", [("source.out", "bad.in")]);
        }
        "panics" => {
            fragment(app, "a", [("source", Source::endless())]);
            fragment(app, "b", [("bad", Bad { panics: true, left: 3 })]);
            app.add_flow("a", "b", [("source.out", "bad.in")]);
        }
        "stops" => {
            fragment(app, "a", [("source", Source::endless())]);
            fragment(app, "b", [("stopper", Stopper)]);
            app.add_flow("a", "b", [("source.out", "stopper.in")]);
        }
        "endless" | "waits" => {
            fragment(app, "a", [("source", Source::endless())]);
            fragment(app, "b", [("sink", Sink { gaps: true, ..Sink::default() })]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
            if name == "waits" {
                app.when_worker_lost(WorkerLost::Wait);
            }
        }
        "half-done" => {
            let source = Source { count: Some(300), period: Some(Duration::from_millis(10)) };
            let short = Source { count: Some(1), ..Source::default() };
            fragment(app, "a", [("source", source), ("short", short)]);
            let [sink, other] = [(), ()].map(|()| Sink { gaps: true, ..Sink::default() });
            fragment(app, "b", [("sink", sink), ("other", other)]);
            app.add_flow("a", "b", [("source.out", "sink.in"), ("short.out", "other.in")]);
            app.when_worker_lost(WorkerLost::Wait);
        }
        "deaf" => {
            fragment(app, "a", [("source", Source::endless())]);
            fragment(app, "b", [("deaf", Deaf)]);
            app.add_flow("a", "b", [("source.out", "deaf.in")]);
        }
        "panics-in-setup" => fragment(app, "a", [("bad", PanicsInSetup)]),
        "keeps" => fragment(app, "a", [("keeper", Keeper)]),
        "told" => {
            let count = app.option("--count", "N", "how many messages", 20);
            fragment(app, "a", [("source", Source { count: Some(count), ..Source::default() })]);
            fragment(app, "b", [("sink", Configured { sink: Sink::default() })]);
            app.add_flow("a", "b", [("source.out", "sink.in")]);
        }
        "unknown-type" => types::unknown(app),
        "unknown-value" => types::unknown_value(app),
        "pose" => types::pose(app),
        "doubles" => types::doubles(app),
        "types" => types::all(app),
        "storm" => storm::compose(app),
        "halves" => halves::compose(app),
        _ => panic!("no application {name}"),
    }
}

fn compose_other(app: &mut Application) {
    fragment(app, "a", [("source", Source { count: Some(20), ..Source::default() })]);
    fragment(app, "b", [("sunk", Sink::default())]);
    app.add_flow("a", "b", [("source.out", "sunk.in")]);
}

/// Adds a fragment of these operators.
pub(crate) fn fragment<O: Operator>(
    app: &mut Application,
    name: &str,
    operators: impl IntoIterator<Item = (&'static str, O)>,
) {
    let mut fragment = Fragment::new(name);
    for (name, operator) in operators {
        fragment.add_operator(name, operator);
    }
    app.add_fragment(fragment);
}

/// Emits numbers from 0.
#[derive(Default)]
pub(crate) struct Source {
    count: Option<u64>,
    period: Option<Duration>,
}

impl Source {
    fn endless() -> Self {
        Self { count: None, period: Some(Duration::from_millis(2)) }
    }
}

impl Operator for Source {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<u64>("out");
        if let Some(count) = self.count {
            spec.count(count);
        }
        if let Some(period) = self.period {
            spec.period(period);
        }
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        output.emit("out", context.tick())?;
        Ok(())
    }

    fn stop(&mut self, context: &mut Context) -> Result {
        println!("@ {} {} stops", context.fragment(), context.operator());
        Ok(())
    }
}

/// Hands on what it receives.
pub(crate) struct Pass;

impl Operator for Pass {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        spec.output::<u64>("out");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit_message("out", input.receive::<u64>("in")?.into_message())?;
        Ok(())
    }
}

/// Receives numbers from 0, each one more than the last.
#[derive(Default)]
pub(crate) struct Sink {
    next: u64,
    /// Whether it may begin in the middle, as one does that comes back.
    gaps: bool,
}

impl Operator for Sink {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, context: &mut Context) -> Result {
        let number = *input.receive::<u64>("in")?;
        let right = number == self.next || (self.gaps && (context.tick() == 0 || number == 0));
        if !right {
            return Err(format!("{number} came, where {} was to come", self.next).into());
        }
        if number == 0 && context.tick() > 0 {
            println!("@ from the beginning");
        }
        self.next = number + 1;
        if context.tick() == 4 {
            println!("@ flowing");
        }
        Ok(())
    }

    fn stop(&mut self, context: &mut Context) -> Result {
        println!("@ {} {} received {} in order", context.fragment(), context.operator(), context.tick());
        Ok(())
    }
}

/// Emits numbers from 0, and ends a while after the last one.
struct EndsLate {
    left: u64,
}

impl Operator for EndsLate {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<u64>("out");
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        if self.left > 0 {
            self.left -= 1;
            output.emit("out", context.tick())?;
        } else {
            std::thread::sleep(Duration::from_millis(500));
            context.finish();
        }
        Ok(())
    }
}

/// How many arrays there are, and how long one is: more than goes in one piece.
const ARRAYS: (u64, usize) = (6, 300_000);

#[derive(Codec)]
#[codec(register, crate = podwire_codec_core)]
struct Numbered {
    number: u64,
    values: Bulk<u64>,
}

fn array(number: u64) -> Vec<u64> {
    (number..number + ARRAYS.1 as u64).collect()
}

/// Emits arrays.
struct Arrays {
    next: u64,
}

impl Operator for Arrays {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<Numbered>("out");
        spec.count(ARRAYS.0);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit("out", Numbered { number: self.next, values: array(self.next).into() })?;
        self.next += 1;
        Ok(())
    }
}

/// Receives them.
struct ArraySink {
    next: u64,
}

impl Operator for ArraySink {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Numbered>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let came = input.receive::<Numbered>("in")?;
        if came.number != self.next || came.values[..] != array(self.next)[..] {
            return Err(format!("another array came than number {}", self.next).into());
        }
        self.next += 1;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        if self.next == ARRAYS.0 {
            println!("@ all arrays came in order");
        }
        Ok(())
    }
}

/// Adds up what comes from one sender, and from several.
struct Sum;

impl Operator for Sum {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("a");
        spec.input::<u64>("b");
        spec.when_any_input();
        Ok(())
    }

    fn start(&mut self, _: &mut Context) -> Result {
        SUM.store(0, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        for port in ["a", "b"] {
            while let Some(number) = input.try_receive::<u64>(port)? {
                SUM.fetch_add(*number + 1_000, std::sync::atomic::Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        println!("@ sum {}", SUM.load(std::sync::atomic::Ordering::Relaxed));
        Ok(())
    }
}

static SUM: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Emits on two ports in each tick.
struct Split {
    next: u64,
}

impl Operator for Split {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<u64>("even");
        spec.output::<String>("odd");
        spec.count(20);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit("even", self.next)?;
        output.emit("odd", format!("{}", self.next + 1))?;
        self.next += 2;
        Ok(())
    }
}

/// Receives from two ports in each tick.
struct Join {
    count: u64,
}

impl Operator for Join {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("even");
        spec.input::<String>("odd");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let even = *input.receive::<u64>("even")?;
        let odd: u64 = input.receive::<String>("odd")?.parse()?;
        if (even, odd) != (self.count, self.count + 1) {
            return Err(format!("{even} and {odd} came, where {} was to come", self.count).into());
        }
        self.count += 2;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        println!("@ joined {}", self.count);
        Ok(())
    }
}

/// Fails after a few messages.
struct Bad {
    panics: bool,
    left: u32,
}

impl Operator for Bad {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        input.receive::<u64>("in")?;
        self.left -= 1;
        match (self.left, self.panics) {
            (0, true) => panic!("the lens is off"),
            (0, false) => Err("the lens is dirty".into()),
            _ => Ok(()),
        }
    }
}

/// Does not return.
struct Deaf;

impl Operator for Deaf {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        println!("@ deaf");
        loop {
            std::thread::park();
        }
    }
}

/// Cannot even say what it is.
struct PanicsInSetup;

impl Operator for PanicsInSetup {
    fn setup(&mut self, _: &mut OperatorSpec) -> Result {
        panic!("there is no lens")
    }

    fn compute(&mut self, _: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        Ok(())
    }
}

/// Publishes something in the application's shared memory, and stays.
struct Keeper;

impl Operator for Keeper {
    fn compute(&mut self, _: &mut Input, _: &mut Output, context: &mut Context) -> Result {
        let memory = context.fast_io()?;
        memory.create(1 << 20)?.publish("large")?;
        println!("@ kept");
        while !context.is_stopping() {
            std::thread::sleep(Duration::from_millis(5));
        }
        context.finish();
        Ok(())
    }
}

/// A sink with a parameter.
struct Configured {
    sink: Sink,
}

impl Operator for Configured {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        let _ = spec.parameter("rows", "rows of an array", 64);
        self.sink.setup(spec)
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        self.sink.compute(input, output, context)
    }
}

/// Asks that the application stops.
struct Stopper;

impl Operator for Stopper {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, context: &mut Context) -> Result {
        if *input.receive::<u64>("in")? == 5 {
            context.stop_application();
        }
        Ok(())
    }
}
