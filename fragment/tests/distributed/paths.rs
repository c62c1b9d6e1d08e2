//! Which transport a connection takes: by what both ends have, where they are, what is forced, and one of the
//! application's own.

use std::{fmt::Debug, path::PathBuf};

use podwire_fastio::{Doorbell, FastIoContext, PipelineOptions};
use podwire_fragment::{
    Application, Result,
    transport::{FastIoTransport, Link, LinkError, ReceiveEnd, Run, SendEnd, Transport},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::set_global_default,
};

use crate::processes::{Place, Process};

/// A transport of the application's own, which is not forced to be a good one: shared memory under another name.
struct Mine(FastIoTransport);

impl Mine {
    fn open(run: &Run) -> Result<Self> {
        let name = format!("mine-{}", run.name());
        let context = FastIoContext::open_with(&name, PipelineOptions::new().ephemeral(true))?;
        Ok(Self(FastIoTransport::new(context).kept()))
    }
}

impl Transport for Mine {
    fn name(&self) -> &'static str {
        "mine"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        self.0.sender(link, bell)
    }

    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        self.0.receiver(link, bell)
    }
}

/// Gives an application what the environment of a test says: `PODWIRE_TEST_MINE` is the version of its own transport,
/// `PODWIRE_TEST_FORCED` what it is to take.
pub(crate) fn equip(app: &mut Application) {
    if let Ok(version) = std::env::var("PODWIRE_TEST_MINE") {
        let added = app.add_transport("mine", Mine::open).within_host();
        match version.strip_suffix('!') {
            Some(version) => added.version(version.parse().unwrap()).preferred(),
            None => added.version(version.parse().unwrap()),
        };
    }
    if let Ok(forced) = std::env::var("PODWIRE_TEST_FORCED") {
        app.force_transport(forced);
    }
    if std::env::var_os("PODWIRE_TEST_EVENTS").is_some() {
        set_global_default(Events).unwrap();
    }
}

/// Prints the events of this process's `tracing`.
struct Events;

/// The fields of an event as a text.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "podwire::fragment" && metadata.is_event()
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        println!("@ {}{}", event.metadata().level(), fields.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Another host, as far as sharing memory goes.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn than(place: &Place) -> Self {
        let memory = place.memory.with_extension("elsewhere");
        std::fs::create_dir(&memory).unwrap();
        Self(memory)
    }

    fn memory(&self) -> (&'static str, &str) {
        ("PODWIRE_SHM_DIR", self.0.to_str().unwrap())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Environment<'e> = &'e [(&'e str, &'e str)];

fn worker(place: &Place, application: &str, fragments: &str, environment: Environment<'_>) -> Process {
    place.start(application, &["--worker", "--fragments", fragments], environment)
}

/// Runs `pair` over two processes in this environment; what the driver, which shows the monitor, said.
fn pair(environment: Environment<'_>) -> String {
    let place = Place::new();
    let driver = place.start("pair", &["--driver", "--monitor"], environment);
    let workers = ["a", "b"].map(|fragment| worker(&place, "pair", fragment, environment));
    for said in workers.map(Process::good) {
        assert!(
            said.contains("@ b sink received 20 in order") || said.contains("@ a source stops"),
            "{said}"
        );
    }
    let said = driver.good();
    place.clean();
    said
}

#[track_caller]
fn goes_by(said: &str, transport: &str) {
    let carried = format!("podwire: connections by transport: {transport}: a.source.out>b.sink.in\n");
    assert!(said.contains(&carried), "{said}");
    let last = said.lines().rfind(|line| line.contains(" connection=a.source.out>b.sink.in ")).unwrap();
    assert!(last.contains(&format!(" transport={transport} ")), "{last}");
    // Both ends are on one host, so that the time on the way means something.
    let words = [" p50_us=", " received=20 ", " copied_bytes=0 "];
    assert!(words.iter().all(|word| last.contains(word)), "{last}");
}

const BUILT_IN: &[&str] =
    if cfg!(feature = "ucx") { &["fastio", "ucx", "zenoh"] } else { &["fastio", "zenoh"] };

#[test]
fn without_a_word_processes_of_one_host_share_memory() {
    goes_by(&pair(&[]), "fastio");
}

#[test]
fn each_transport_can_be_forced_and_is_shown_with_its_latencies() {
    for transport in BUILT_IN {
        goes_by(&pair(&[("PODWIRE_TRANSPORT", transport), ("UCX_TLS", "tcp")]), transport);
    }
}

#[test]
fn the_transport_that_is_chosen_is_an_event_of_tracing_at_both_ends() {
    for transport in BUILT_IN {
        let environment =
            [("PODWIRE_TRANSPORT", *transport), ("UCX_TLS", "tcp"), ("PODWIRE_TEST_EVENTS", "1")];
        let place = Place::new();
        let driver = place.start("pair", &["--driver"], &environment);
        let workers = ["a", "b"].map(|fragment| worker(&place, "pair", fragment, &environment));
        let chosen = format!(
            "@ INFO message=chosen connection=\"a.source.out>b.sink.in\" transport=\"{transport}\"\n"
        );
        workers.map(Process::good).iter().for_each(|said| assert!(said.contains(&chosen), "{said}"));
        driver.good();
        place.clean();
    }
}

#[test]
fn an_application_can_force_a_transport_and_the_environment_goes_before_it() {
    goes_by(&pair(&[("PODWIRE_TEST_FORCED", "zenoh")]), "zenoh");
    goes_by(&pair(&[("PODWIRE_TEST_FORCED", "zenoh"), ("PODWIRE_TRANSPORT", "fastio")]), "fastio");
}

#[test]
fn connections_of_one_application_take_different_transports() {
    let place = Place::new();
    let elsewhere = Elsewhere::than(&place);
    let driver = place.start("line", &["--driver", "--monitor"], &[]);
    let workers = [
        worker(&place, "line", "a", &[]),
        worker(&place, "line", "b", &[("UCX_TLS", "tcp")]),
        worker(&place, "line", "c", &[elsewhere.memory(), ("UCX_TLS", "tcp")]),
        worker(&place, "line", "d", &[elsewhere.memory(), ("PODWIRE_TRANSPORT", "zenoh")]),
    ];
    let [.., last] = workers.map(Process::good);
    assert!(last.contains("@ d sink received 20 in order"), "{last}");
    let near = "fastio: a.source.out>b.pass.in; ";
    let far = if cfg!(feature = "ucx") {
        "ucx: b.pass.out>c.pass.in; zenoh: c.pass.out>d.sink.in\n"
    } else {
        "zenoh: b.pass.out>c.pass.in, c.pass.out>d.sink.in\n"
    };
    let said = driver.good();
    assert!(said.contains(&format!("podwire: connections by transport: {near}{far}")), "{said}");
    place.clean();
}

#[test]
fn a_transport_that_there_is_not_is_told_before_anything_runs_also_in_one_process() {
    let place = Place::new();
    for arguments in [&["--driver"][..], &["--worker"], &[]] {
        let lost = place.start("pair", arguments, &[("PODWIRE_TRANSPORT", "zeno")]);
        let known = BUILT_IN.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let (most, last) = known.rsplit_once(", ").unwrap();
        lost.bad(&[&format!(
            "PODWIRE_TRANSPORT: there is no transport \"zeno\": did you mean \"zenoh\"? there are {most} and {last}"
        )]);
    }
    place
        .start("pair", &[], &[("PODWIRE_TEST_FORCED", "mail")])
        .bad(&["force_transport: there is no transport"]);
    if cfg!(not(feature = "ucx")) {
        let lacking = place.start("pair", &[], &[("PODWIRE_TRANSPORT", "ucx")]);
        lacking.bad(&["it needs the feature `ucx`, which this application was built without"]);
    }
    place.clean();
}

#[test]
fn a_worker_that_lacks_the_transport_that_is_forced_is_refused_by_name() {
    let place = Place::new();
    let driver =
        place.start("pair", &["--driver"], &[("PODWIRE_TRANSPORT", "mine"), ("PODWIRE_TEST_MINE", "1")]);
    driver.until("waiting for workers");
    for (environment, has) in
        [(&[][..], BUILT_IN.join(", ")), (&[("PODWIRE_TRANSPORT", "zenoh")], "zenoh".into())]
    {
        let lacking = worker(&place, "pair", "a", environment);
        let told = format!("/{} has none of this name; it has {has}", lacking.id());
        lacking.bad(&["refuses this worker", "transport \"mine\" is forced, and worker ", &told]);
        driver.until(&told);
    }
    let able = ["a", "b"].map(|fragment| worker(&place, "pair", fragment, &[("PODWIRE_TEST_MINE", "1")]));
    able.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

#[test]
fn where_the_transport_that_is_forced_does_not_lead_both_ends_are_told_what_they_have() {
    let place = Place::new();
    let elsewhere = Elsewhere::than(&place);
    let forced = [("PODWIRE_TRANSPORT", "fastio")];
    let driver = place.start("pair", &["--driver"], &forced);
    let workers =
        [worker(&place, "pair", "a", &forced), worker(&place, "pair", "b", &[elsewhere.memory(), forced[0]])];
    driver.bad(&["no transport fastio leads from here (fastio) to worker "]);
    workers.into_iter().for_each(|worker| drop(worker.bad(&["no transport fastio leads"])));
    place.clean();
}

#[test]
fn an_application_takes_its_own_transport_where_it_is_preferred_or_forced() {
    goes_by(&pair(&[("PODWIRE_TEST_MINE", "1")]), "fastio");
    goes_by(&pair(&[("PODWIRE_TEST_MINE", "1!")]), "mine");
    goes_by(&pair(&[("PODWIRE_TEST_MINE", "1"), ("PODWIRE_TRANSPORT", "mine")]), "mine");
}

#[test]
fn a_worker_with_another_version_of_an_own_transport_is_refused_with_both_versions() {
    let place = Place::new();
    let driver = place.start("pair", &["--driver"], &[("PODWIRE_TEST_MINE", "1")]);
    driver.until("waiting for workers");
    let told = "transport \"mine\" is of version 1 at the driver, and of version 2 at this worker";
    worker(&place, "pair", "a", &[("PODWIRE_TEST_MINE", "2")]).bad(&["refuses this worker", told]);
    driver.until(told);
    // Who has none of it takes part by the others.
    let workers =
        [worker(&place, "pair", "a", &[]), worker(&place, "pair", "b", &[("PODWIRE_TEST_MINE", "1")])];
    workers.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

#[test]
fn a_receiver_that_is_replaced_when_its_sender_has_ended_ends_too() {
    for transport in BUILT_IN {
        let environment = [("PODWIRE_TRANSPORT", *transport), ("UCX_TLS", "tcp")];
        let place = Place::new();
        let driver = place.start("half-done", &["--driver"], &environment);
        let [a, mut b] = ["a", "b"].map(|fragment| worker(&place, "half-done", fragment, &environment));
        b.until("@ flowing");
        b.kill();
        let b = worker(&place, "half-done", "b", &environment);
        assert!(b.good().contains("@ b other received "), "{transport}");
        [a, driver].into_iter().for_each(|process| drop(process.good()));
        place.clean();
    }
}

#[cfg(feature = "ucx")]
const OVER_UCX: Environment<'_> = &[("PODWIRE_TRANSPORT", "ucx"), ("UCX_TLS", "tcp")];

#[cfg(feature = "ucx")]
#[test]
fn over_ucx_killed_workers_come_back() {
    let place = Place::new();
    let driver = place.start("waits", &["--driver"], OVER_UCX);
    let (mut a, mut b) = (worker(&place, "waits", "a", OVER_UCX), worker(&place, "waits", "b", OVER_UCX));
    for _ in 0..2 {
        b.until("@ flowing");
        b.kill();
        driver.until("waiting for somebody to run it");
        b = worker(&place, "waits", "b", OVER_UCX);
    }
    b.until("@ flowing");
    a.kill();
    let a = worker(&place, "waits", "a", OVER_UCX);
    b.until("@ from the beginning");
    driver.signal(rustix::process::Signal::INT);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[cfg(feature = "ucx")]
#[test]
fn over_ucx_a_million_doubles_travel_in_one_message() {
    let place = Place::new();
    let driver = place.start("doubles", &["--driver"], OVER_UCX);
    let workers = ["a", "b"].map(|fragment| worker(&place, "doubles", fragment, OVER_UCX));
    let [_, b] = workers.map(Process::good);
    assert!(b.contains("@ 1000000 doubles, right: true"), "{b}");
    driver.good();
    place.clean();
}
