//! An application: fragments, or operators alone, and what runs them.
//!
//! Not here: how they run (`run`). Invariant: what is added is kept as it is; mistakes are told by `check` and `run`, all
//! at once.

mod options;

use std::{env, ffi::OsString, process::ExitCode, sync::Arc, time::Duration};

use podwire_fastio::FastIoContext;

use crate::{
    command::CommandLine,
    condition::WorkerLost,
    config::{Configuration, ConfigurationError, Settings},
    context::FastIo,
    error::{Error, causes},
    fragment::{Fragment, Placed},
    graph::{Flow, Graph, Problem, Problems, compose, dotted},
    monitor::{Monitor, View},
    operator::Operator,
    run::{Ended, Nobody, Plan, Report, Running, Runtime, Signals, StopReason},
    transport::{Added, Run, Transport, Transports},
};

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
    line: CommandLine,
    settings: Settings,
    /// Operators that are in no fragment.
    own: Fragment,
    fragments: Vec<Fragment>,
    flows: Vec<Flow>,
    transports: Transports,
    /// The transport that all connections between processes are to take, unless the environment names one.
    forced: Option<String>,
    /// What the file of `--config` says, once it was read.
    configuration: Option<Arc<Configuration>>,
    when_lost: WorkerLost,
    handles_signals: bool,
    grace: Option<Duration>,
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
    pub fn new(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            line: CommandLine::split(arguments),
            settings: Settings::default(),
            own: Fragment { is_unnamed: true, ..Fragment::default() },
            fragments: Vec::new(),
            flows: Vec::new(),
            transports: Transports::default(),
            forced: None,
            configuration: None,
            when_lost: WorkerLost::End,
            handles_signals: true,
            grace: None,
        }
    }

    /// An application that was called with the arguments of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self::new(env::args_os())
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

    /// Adds a transport of your own, for connections between processes: `open` is called in each process that has such a
    /// connection, before anything runs.
    ///
    /// The processes take it for a connection where both ends have it, in the same version, and it leads from one to the
    /// other; and where it is [preferred](Added::preferred), [forced](Self::force_transport), or nothing else leads. The
    /// example `custom_transport` does it.
    pub fn add_transport<T: Transport + 'static>(
        &mut self,
        name: impl Into<String>,
        open: impl Fn(&Run) -> crate::Result<T> + Send + Sync + 'static,
    ) -> &mut Added {
        self.transports.add(name.into(), open)
    }

    /// Has all connections between processes take this transport: `fastio`, `zenoh`, `ucx`, or one that was
    /// [added](Self::add_transport). What the environment says by `PODWIRE_TRANSPORT` goes before it.
    pub fn force_transport(&mut self, name: impl Into<String>) {
        self.forced = Some(name.into());
    }

    /// Says what happens when a process of the application dies.
    pub fn when_worker_lost(&mut self, then: WorkerLost) {
        self.when_lost = then;
    }

    /// Says how long operators have to return once the application is to stop, in the place of what the environment says
    /// by `PODWIRE_STOP_TIMEOUT`; 5 seconds if neither does. After that, what still waits is dropped, and operators that do
    /// not return are named.
    pub fn grace_period(&mut self, time: Duration) {
        self.grace = Some(time);
    }

    /// Whether Ctrl-C and SIGTERM end the application in order; they do, unless this says no.
    pub fn handle_signals(&mut self, yes: bool) {
        self.handles_signals = yes;
    }

    /// Calls `setup` of all operators, and checks what is connected to what, and what the command line, the environment
    /// and the configuration file say. Nothing is started.
    ///
    /// # Errors
    /// [`Problems`]: all mistakes that were found.
    pub fn check(&mut self) -> Result<Graph, Problems> {
        let mut problems: Vec<Problem> = self.line.mistakes().into_iter().map(Problem::from).collect();
        match Settings::from_env() {
            Ok(settings) => self.settings = settings,
            Err(errors) => problems.extend(errors.into_iter().map(Problem::from)),
        }
        let by_environment = self.settings.transport.as_deref().map(|name| (name, "PODWIRE_TRANSPORT"));
        let by_application = self.forced.as_deref().map(|name| (name, "force_transport"));
        problems.extend(self.transports.problems(by_environment.or(by_application)));
        let configuration = self.configure(&mut problems);
        let composed = self.compose(&configuration);
        problems.extend(self.unasked(&configuration).map(Problem::from));
        if self.line.worker {
            let own = self.fragments.iter().filter(|fragment| !fragment.is_elsewhere);
            let fragments = self.line.fragments.check(own.map(Fragment::name));
            problems.extend(fragments.err().map(Problem::from));
        }
        match composed {
            Ok(graph) if problems.is_empty() => Ok(graph),
            Ok(_) => Err(Problems::new(problems)),
            Err(found) => Err(found.and_before(problems)),
        }
    }

    /// What the file of `--config` says; it is read once.
    fn configure(&mut self, problems: &mut Vec<Problem>) -> Arc<Configuration> {
        if let Some(configuration) = &self.configuration {
            return Arc::clone(configuration);
        }
        let read =
            self.line.config.as_ref().map_or_else(|| Ok(Configuration::default()), Configuration::read);
        let mut configuration = read.unwrap_or_else(|errors| {
            problems.extend(errors.into_iter().map(Problem::from));
            Configuration::default()
        });
        configuration.set_fragments(self.fragments.iter().map(Fragment::name));
        let configuration = Arc::new(configuration);
        if problems.is_empty() {
            self.configuration = Some(Arc::clone(&configuration));
        }
        configuration
    }

    /// What stands in the configuration and nobody asked for, as far as it is known what was asked for.
    fn unasked(&self, configuration: &Configuration) -> impl Iterator<Item = ConfigurationError> {
        let (mut asked, mut unknown) = (Vec::new(), Vec::new());
        for (fragment, placed) in self.placed() {
            asked.push(placed.asked(fragment));
            if placed.spec.is_none() {
                unknown.push(dotted(&fragment.name, &placed.name));
            }
        }
        configuration.unasked(&asked).into_iter().filter(move |mistake| match mistake {
            ConfigurationError::NoSuchParameter { operator, .. } => !unknown.contains(operator),
            _ => true,
        })
    }

    fn compose(&mut self, configuration: &Arc<Configuration>) -> Result<Graph, Problems> {
        if self.fragments.is_empty() {
            // What was added here lies within its only fragment.
            self.own.flows.append(&mut self.flows);
            return compose(std::slice::from_mut(&mut self.own), &[], configuration);
        }
        if self.own.operators.is_empty() {
            return compose(&mut self.fragments, &self.flows, configuration);
        }
        let operators = self.own.operators.iter().map(|it| it.name.clone()).collect();
        let fragments = self.fragments.iter().map(|it| it.name.clone()).collect();
        Err(Problems::new(vec![Problem::Mixed { operators, fragments }]))
    }

    /// All operators, each with its fragment.
    fn placed(&self) -> impl Iterator<Item = (&Fragment, &Placed)> {
        let fragments = std::iter::once(&self.own).chain(&self.fragments);
        fragments.flat_map(|fragment| fragment.operators.iter().map(move |placed| (fragment, placed)))
    }

    /// Does what the command line says: runs to the end, and says what was done.
    ///
    /// With `--help`, `--version` or `--graph` it prints what was asked for, and runs nothing.
    ///
    /// # Errors
    /// [`Error`].
    pub fn run(mut self) -> Result<Report, Error> {
        if self.line.version {
            options::print(&self.line.version_text(), "to print the version")?;
            return Ok(Report::default());
        }
        let checked = self.check();
        if self.line.help {
            options::print(&self.help(), "to print the help")?;
            return Ok(Report::default());
        }
        self.warn();
        let graph = checked?;
        if let Some(picture) = &self.line.graph {
            picture.write(&graph).map_err(|source| Error::System { what: "to write the picture", source })?;
            return Ok(Report::default());
        }
        if self.line.is_local() {
            self.run_here(graph)
        } else {
            take_away_what_the_killed_left();
            self.run_with_others(graph)
        }
    }

    #[cfg(not(feature = "distributed"))]
    fn run_with_others(self, _: Graph) -> Result<Report, Error> {
        Err(Error::NotDistributed)
    }

    /// Runs as one of several processes.
    #[cfg(feature = "distributed")]
    fn run_with_others(mut self, graph: Graph) -> Result<Report, Error> {
        let transports = std::mem::take(&mut self.transports);
        let line = &self.line;
        let parts = crate::control::Parts {
            application: self.name(),
            arguments: line.argv().iter().skip(1).cloned().collect(),
            driver: line.driver,
            worker: line.worker.then(|| (self.selection(), line.worker_address.clone())),
            address: line.address.clone(),
            views: self.views(),
            when_lost: self.when_lost,
            handles_signals: self.handles_signals,
            transports,
            forced: self.settings.transport.clone().or(self.forced.clone()),
            settings: self.settings.clone(),
            grace: self.grace.unwrap_or(self.settings.stop_timeout),
            composed: self.composed(graph),
        };
        crate::control::run(parts)
    }

    /// The fragments that this process asks for: of a program that cannot run them all, those that it can.
    #[cfg(feature = "distributed")]
    fn selection(&self) -> crate::command::Selection {
        use crate::command::Selection;
        if self.line.fragments != Selection::All || self.elsewhere().next().is_none() {
            return self.line.fragments.clone();
        }
        let own = self.fragments.iter().filter(|fragment| !fragment.is_elsewhere);
        Selection::Named(own.map(|fragment| fragment.name.clone()).collect())
    }

    /// Fragments that another program runs.
    fn elsewhere(&self) -> impl Iterator<Item = &Fragment> {
        self.fragments.iter().filter(|fragment| fragment.is_elsewhere)
    }

    /// What the application is called among its processes: a script and a program of one name are parts of one application.
    fn name(&self) -> String {
        self.line.program().trim_end_matches(".py").to_owned()
    }

    /// Where what runs is shown.
    fn views(&self) -> Vec<View> {
        let metrics = self.settings.metrics.clone();
        let metrics = metrics.map(|file| View::Metrics { application: self.name(), file });
        self.line.monitor.then_some(View::Output).into_iter().chain(metrics).collect()
    }

    /// Runs all fragments in this process.
    fn run_here(self, graph: Graph) -> Result<Report, Error> {
        let (handles_signals, views) = (self.handles_signals, self.views());
        let is_shown = !views.is_empty();
        let period = self.settings.monitor_period;
        let runtime = self.prepare(graph)?;
        let shared = runtime.shared();
        // Before anything runs, so that a signal never finds operators that nobody stops.
        let watch = || Signals::watch(move |signal| shared.request_stop(StopReason::Signal(signal)));
        let signals = handles_signals.then(watch).transpose();
        let signals = signals.map_err(|source| Error::System { what: "a signal handler", source })?;
        let running = Arc::new(runtime.start()?);
        let shown = Arc::clone(&running);
        let monitor = || Monitor::start(views, period, move || shown.snapshot());
        let monitor = is_shown.then(monitor).transpose();
        if monitor.is_err() {
            running.request_stop(StopReason::Failed);
        }
        let report = running.wait();
        drop(monitor.map_err(|source| Error::System { what: "a thread for the monitor", source })?);
        drop(signals);
        if report.ended == Ended::Failed { Err(Error::Failed(Box::new(report))) } else { Ok(report) }
    }

    /// Starts all fragments in this process, and leaves what happens then to the caller: looking at them, stopping them,
    /// and waiting for the end. Signals are left alone; of the command line, `--config` counts.
    ///
    /// # Errors
    /// [`Error`].
    pub fn start(mut self) -> Result<Running, Error> {
        let graph = self.check()?;
        self.prepare(graph)?.start()
    }

    fn prepare(self, graph: Graph) -> Result<Runtime, Error> {
        let fragments: Vec<String> = self.elsewhere().map(|fragment| fragment.name.clone()).collect();
        if !fragments.is_empty() {
            return Err(Error::Elsewhere { fragments });
        }
        take_away_what_the_killed_left();
        let plan = Plan {
            local: &|_| true,
            transport: &|_| None,
            when_lost: self.when_lost,
            try_again: &|_| false,
            observer: Arc::new(Nobody),
            fast_io: FastIo::ephemeral(format!("fragments-{}", std::process::id())),
            grace: self.grace.unwrap_or(self.settings.stop_timeout),
        };
        Ok(Runtime::prepare(self.composed(graph), plan)?)
    }

    pub(crate) fn composed(self, graph: Graph) -> Composed {
        let fragments = if self.fragments.is_empty() { vec![self.own] } else { self.fragments };
        let operators = fragments
            .into_iter()
            .map(|fragment| fragment.operators.into_iter().map(|placed| placed.operator).collect());
        Composed { graph: Arc::new(graph), operators: operators.collect() }
    }

    /// Runs to the end, prints what went wrong and what was lost, and gives the exit code of the process: 0 when all is
    /// well, 128 and the number of the signal when one came, else 1.
    #[must_use]
    pub fn main(self) -> ExitCode {
        // Of what was lost the driver knows all; and alone, a process loses nothing.
        let (program, counts) = (self.line.program(), self.line.driver);
        let ended = self.run();
        let mut told = String::new();
        if let Err(error) = &ended {
            told = causes(error).join(": ");
            eprintln!("{program}: {told}");
        }
        let report = ended.as_ref().map_or_else(Error::report, Some);
        for line in report.iter().flat_map(|report| report.remarks(&told, counts)) {
            eprintln!("{program}: {line}");
        }
        match ended {
            Ok(Report { ended: Ended::Interrupted { signal }, .. }) => ExitCode::from(128 + signal as u8),
            Ok(_) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        }
    }
}

/// Applications whose processes were all killed leave their shared memory to the next one that starts.
fn take_away_what_the_killed_left() {
    if let Err(error) = FastIoContext::remove_left_behind() {
        tracing::debug!(target: "podwire::fragment", %error, "shared memory that may have been left behind stays");
    }
}
