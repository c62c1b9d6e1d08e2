//! An application: fragments, or operators alone, and what runs them.
//!
//! Not here: how they run (`run`). Invariant: what is added is kept as it is; mistakes are told by `check` and `run`, all
//! at once.

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use crate::{
    condition::WorkerLost,
    context::FastIo,
    error::Error,
    fragment::{Fragment, Placed},
    graph::{Flow, Graph, Problem, Problems, compose},
    operator::Operator,
    run::{Ended, Nobody, Plan, Report, Running, Runtime, Signals, StopReason},
};

/// How long operators have to return once the application is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// An application: fragments and the flows between them, or, in one process, operators alone.
///
/// ```
/// use podwire_fragment::{Application, Context, Input, Operator, OperatorSpec, Output, Result};
///
/// struct Ping;
///
/// impl Operator for Ping {
///     fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
///         spec.output::<u64>("out");
///         spec.count(10);
///         Ok(())
///     }
///
///     fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
///         output.emit("out", context.tick())?;
///         Ok(())
///     }
/// }
///
/// struct Pong;
///
/// impl Operator for Pong {
///     fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
///         spec.input::<u64>("in");
///         Ok(())
///     }
///
///     fn compute(&mut self, input: &mut Input, _: &mut Output, context: &mut Context) -> Result {
///         assert_eq!(*input.receive::<u64>("in")?, context.tick());
///         Ok(())
///     }
/// }
///
/// let mut app = Application::new(["pings"]);
/// app.add_operator("ping", Ping);
/// app.add_operator("pong", Pong);
/// app.add_flow("ping", "pong", [("out", "in")]);
/// let report = app.run()?;
/// assert_eq!(report.operator("pong").unwrap().received, 10);
/// # Ok::<(), podwire_fragment::Error>(())
/// ```
pub struct Application {
    argv: Vec<String>,
    /// Operators that are in no fragment.
    own: Fragment,
    fragments: Vec<Fragment>,
    flows: Vec<Flow>,
    configuration: Arc<toml::Table>,
    when_lost: WorkerLost,
    handles_signals: bool,
}

/// What an application consists of once it was checked.
pub(crate) struct Composed {
    pub(crate) graph: Arc<Graph>,
    /// The operators of each fragment, in the order of the graph.
    pub(crate) operators: Vec<Vec<Box<dyn Operator>>>,
}

impl Application {
    /// An application that was called with these arguments; the first one is its name.
    #[must_use]
    pub fn new<A: Into<String>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            argv: arguments.into_iter().map(Into::into).collect(),
            own: Fragment { is_unnamed: true, ..Fragment::default() },
            fragments: Vec::new(),
            flows: Vec::new(),
            configuration: Arc::default(),
            when_lost: WorkerLost::End,
            handles_signals: true,
        }
    }

    /// An application that was called with the arguments of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self::new(env::args_os().map(|argument| argument.to_string_lossy().into_owned()))
    }

    /// The name of the program, and its arguments without the options of every application.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// Adds a fragment.
    pub fn add_fragment(&mut self, fragment: Fragment) {
        self.fragments.push(fragment);
    }

    /// Adds an operator to an application without fragments.
    pub fn add_operator(&mut self, name: impl Into<String>, operator: impl Operator) -> &mut Placed {
        self.own.add_operator(name, operator)
    }

    /// Connects fragments, with ports such as `("ping.out", "pong.in")`; in an application without fragments operators, with
    /// ports such as `("out", "in")`.
    pub fn add_flow<O: Into<String>, I: Into<String>>(
        &mut self,
        from: impl Into<String>,
        to: impl Into<String>,
        ports: impl IntoIterator<Item = (O, I)>,
    ) {
        self.flows.push(Flow::new(from, to, ports));
    }

    /// Says what happens when a process of the application dies.
    pub fn when_worker_lost(&mut self, then: WorkerLost) {
        self.when_lost = then;
    }

    /// Whether Ctrl-C and SIGTERM end the application in order; they do, unless this says no.
    pub fn handle_signals(&mut self, yes: bool) {
        self.handles_signals = yes;
    }

    /// Calls `setup` of all operators, and checks what is connected to what. Nothing is started.
    ///
    /// # Errors
    /// [`Problems`]: all mistakes that were found.
    pub fn check(&mut self) -> Result<Graph, Problems> {
        if self.fragments.is_empty() {
            // What was added here lies within its only fragment.
            self.own.flows.append(&mut self.flows);
            return compose(std::slice::from_mut(&mut self.own), &[], &self.configuration);
        }
        if self.own.operators.is_empty() {
            return compose(&mut self.fragments, &self.flows, &self.configuration);
        }
        let operators = self.own.operators.iter().map(|it| it.name.clone()).collect();
        let fragments = self.fragments.iter().map(|it| it.name.clone()).collect();
        Err(Problems::new(vec![Problem::Mixed { operators, fragments }]))
    }

    /// Runs to the end, and says what was done.
    ///
    /// # Errors
    /// [`Error`].
    pub fn run(self) -> Result<Report, Error> {
        let handles_signals = self.handles_signals;
        let running = Arc::new(self.start()?);
        let stopped = Arc::clone(&running);
        let watch = || Signals::watch(move |signal| stopped.request_stop(StopReason::Signal(signal)));
        let signals = handles_signals.then(watch).transpose();
        if signals.is_err() {
            running.request_stop(StopReason::Failed);
        }
        let report = running.wait();
        drop(signals.map_err(|source| Error::System { what: "a signal handler", source })?);
        if report.ended == Ended::Failed { Err(Error::Failed(Box::new(report))) } else { Ok(report) }
    }

    /// Starts all fragments in this process, and leaves what happens then to the caller: looking at them, stopping them,
    /// and waiting for the end. Signals and the command line are left alone.
    ///
    /// # Errors
    /// [`Error`].
    pub fn start(mut self) -> Result<Running, Error> {
        let graph = Arc::new(self.check()?);
        let fragments = if self.fragments.is_empty() { vec![self.own] } else { self.fragments };
        let operators = fragments
            .into_iter()
            .map(|fragment| fragment.operators.into_iter().map(|placed| placed.operator).collect());
        let plan = Plan {
            local: &|_| true,
            transport: &|_| None,
            when_lost: self.when_lost,
            observer: Arc::new(Nobody),
            fast_io: FastIo::ephemeral(format!("fragments-{}", std::process::id())),
            grace: GRACE,
        };
        Runtime::prepare(Composed { graph, operators: operators.collect() }, plan)?.start()
    }

    /// Runs to the end, prints what went wrong, and gives the exit code of the process: 0 when all is well, 128 and the
    /// number of the signal when one came, else 1.
    #[must_use]
    pub fn main(self) -> ExitCode {
        match self.run() {
            Ok(Report { ended: Ended::Interrupted { signal }, .. }) => ExitCode::from(128 + signal as u8),
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => {
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                let causes: Vec<String> = causes.map(ToString::to_string).collect();
                eprintln!("{}", causes.join(": "));
                ExitCode::FAILURE
            }
        }
    }
}
