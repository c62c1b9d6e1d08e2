//! Applications over several hosts: each is a network namespace with shared memory of its own, on one switch.
//!
//! Where namespaces are not permitted these tests say `skipped: network namespaces`, and do nothing.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{
    network::{Host, Network, bad_way_to},
    processes::{Place, Process},
};

fn worker(host: &Host, application: &str, address: &str, fragments: &str) -> Process {
    host.start(application, address, &["--worker", "--fragments", fragments], &[])
}

/// A driver and a worker for each of two fragments on hosts of their own, with messages flowing.
fn flowing(
    hosts: [&Host; 3],
    application: &str,
    environment: &[(&str, &str)],
) -> (String, Process, Process, Process) {
    let address = hosts[0].v4();
    let driver = hosts[0].start(application, &address, &["--driver"], environment);
    let worker = |host: &Host, fragment| {
        host.start(application, &address, &["--worker", "--fragments", fragment], environment)
    };
    let (a, b) = (worker(hosts[1], "a"), worker(hosts[2], "b"));
    b.until("@ flowing");
    (address, driver, a, b)
}

/// A line of four fragments: driver and three workers on four hosts.
fn line(network: &Network, address: impl Fn(&Host) -> String, environment: &[(&str, &str)]) {
    let hosts: [&Host; 4] = network.hosts();
    let address = address(hosts[0]);
    let driver = hosts[0].start("line", &address, &["--driver"], environment);
    let first = worker(hosts[1], "line", &address, "a");
    let middle = worker(hosts[2], "line", &address, "b,c");
    let last = worker(hosts[3], "line", &address, "d");
    assert!(last.good().contains("@ d sink received 20 in order"));
    [first, middle, driver].into_iter().for_each(|process| drop(process.good()));
}

#[test]
fn a_driver_and_three_workers_run_on_four_hosts_over_v4() {
    let Some(network) = Network::new(4) else { return };
    line(&network, Host::v4, &[]);
    line(&network, Host::v4, &[("PODWIRE_TRANSPORT", "zenoh")]);
    network.clean();
}

#[test]
fn a_driver_and_three_workers_run_on_four_hosts_over_v6() {
    let Some(network) = Network::new(4) else { return };
    network.without_v4();
    line(&network, Host::v6, &[]);
    line(&network, Host::v6, &[("PODWIRE_TRANSPORT", "zenoh")]);
    network.clean();
}

#[test]
fn workers_of_several_hosts_share_what_nobody_named() {
    let Some(network) = Network::new(4) else { return };
    let hosts: [&Host; 4] = network.hosts();
    let address = hosts[0].v4();
    let driver = hosts[0].start("line", &address, &["--driver"], &[("PODWIRE_WORKERS", "3")]);
    let workers = [hosts[1], hosts[2], hosts[3]].map(|host| worker(host, "line", &address, "all"));
    let said = workers.map(Process::good);
    assert!(said.iter().all(|said| said.contains("this worker runs fragment")), "{said:?}");
    driver.good();
    network.clean();
}

#[test]
fn a_host_that_offers_more_processors_gets_more_fragments() {
    let Some(network) = Network::new(3) else { return };
    let hosts: [&Host; 3] = network.hosts();
    let address = hosts[0].v4();
    let driver = hosts[0].start("line", &address, &["--driver"], &[("PODWIRE_WORKERS", "2")]);
    let small = hosts[1].start("line", &address, &["--worker"], &[("PODWIRE_CORES", "2")]);
    let large = hosts[2].start("line", &address, &["--worker"], &[("PODWIRE_CORES", "6")]);
    let fragments = |said: String| {
        let line = said
            .lines()
            .find_map(|line| line.split_once("this worker runs fragment "))
            .map(|it| it.1.to_owned());
        line.map_or(0, |names| names.split(", ").count())
    };
    assert_eq!([small.good(), large.good()].map(fragments), [1, 3]);
    driver.good();
    network.clean();
}

#[test]
fn a_worker_that_comes_late_is_waited_for() {
    let Some(network) = Network::new(3) else { return };
    let hosts: [&Host; 3] = network.hosts();
    let address = hosts[0].v4();
    // The first to come is a worker.
    let a = worker(hosts[1], "pair", &address, "a");
    a.until("waiting for a driver");
    let driver = hosts[0].start("pair", &address, &["--driver"], &[]);
    driver.until("waiting for workers");
    std::thread::sleep(Duration::from_millis(700));
    let b = worker(hosts[2], "pair", &address, "b");
    [a, b, driver].into_iter().for_each(|process| drop(process.good()));
    network.clean();
}

#[test]
fn a_cable_that_is_out_for_less_than_the_lease_costs_nothing() {
    let Some(network) = Network::new(3) else { return };
    let hosts = network.hosts();
    let (_, driver, a, b) = flowing(hosts, "long", &[("PODWIRE_LEASE", "5000")]);
    network.plug(hosts[2], false);
    std::thread::sleep(Duration::from_millis(500));
    network.plug(hosts[2], true);
    assert!(b.good().contains("received 300 in order"));
    [a, driver].into_iter().for_each(|process| drop(process.good()));
    network.clean();
}

#[test]
fn a_host_that_vanishes_without_a_word_is_noticed_within_the_lease() {
    let Some(network) = Network::new(3) else { return };
    let hosts = network.hosts();
    let (_, driver, a, mut b) = flowing(hosts, "endless", &[("PODWIRE_LEASE", "600")]);
    network.plug(hosts[2], false);
    // Nothing that the system says for it arrives any more.
    b.kill();
    let begun = Instant::now();
    let words = ["worker ", "is lost, and with it fragment b"];
    driver.bad(&words);
    a.bad(&words);
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

/// Pulls the cable of the host that runs one of the two fragments until it is given up, and starts that one anew.
fn cut_off(lost: &str, transport: &str) {
    let Some(network) = Network::new(3) else { return };
    let hosts = network.hosts();
    let environment = [("PODWIRE_LEASE", "600"), ("PODWIRE_TRANSPORT", transport)];
    let (address, driver, a, b) = flowing(hosts, "waits", &environment);
    let (host, cut, stays) = if lost == "a" { (hosts[1], a, b) } else { (hosts[2], b, a) };
    network.plug(host, false);
    driver.until("waiting for somebody to run it");
    cut.bad(&["the driver at", "is gone"]);
    network.plug(host, true);
    let again = worker(host, "waits", &address, lost);
    if lost == "a" {
        stays.until("@ from the beginning");
    } else {
        again.until("@ flowing");
    }
    driver.signal(Signal::INT);
    [driver, stays, again].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    network.clean();
}

const BETWEEN_HOSTS: &[&str] = if cfg!(feature = "ucx") { &["ucx", "zenoh"] } else { &["zenoh"] };

#[test]
fn a_receiver_that_is_cut_off_ends_by_itself_and_can_come_back() {
    BETWEEN_HOSTS.iter().for_each(|transport| cut_off("b", transport));
}

#[test]
fn a_sender_that_is_cut_off_ends_by_itself_and_can_come_back() {
    BETWEEN_HOSTS.iter().for_each(|transport| cut_off("a", transport));
}

/// Hosts of which the first reaches both others, and the last does not get through to the second.
#[cfg(feature = "ucx")]
fn apart(network: &Network, application: &str, environment: &[(&str, &str)]) -> [Process; 3] {
    let hosts: [&Host; 3] = network.hosts();
    let address = hosts[0].v4();
    let driver = hosts[0].start(application, &address, &["--driver"], environment);
    let worker = |host: &Host, fragment| {
        let arguments = ["--worker", "--fragments", fragment];
        host.start(application, &address, &arguments, &[("PODWIRE_TEST_EVENTS", "1")])
    };
    [driver, worker(hosts[1], "a"), worker(hosts[2], "b")]
}

#[cfg(feature = "ucx")]
#[test]
fn where_ucx_does_not_get_through_all_end_with_a_word_on_both_ends_if_it_is_forced() {
    let Some(network) = Network::new(3) else { return };
    let hosts: [&Host; 3] = network.hosts();
    network.mute(hosts[2], hosts[1]);
    let words = [
        "a.source.out>b.sink.in: UCX does not lead from ",
        " at 10.77.0.2 to ",
        " at 10.77.0.3, or not back: no answer for 1",
        "PODWIRE_TRANSPORT=zenoh",
    ];
    // Also where the sender had nothing more to say, and has ended.
    for application in ["pair", "one"] {
        let all = apart(&network, application, &[("PODWIRE_TRANSPORT", "ucx")]);
        all.into_iter().for_each(|process| drop(process.bad(&words)));
    }
    network.clean();
}

#[cfg(feature = "ucx")]
#[test]
fn where_ucx_does_not_get_through_zenoh_does_with_arrays_too_and_says_so() {
    let Some(network) = Network::new(3) else { return };
    let hosts: [&Host; 3] = network.hosts();
    network.mute(hosts[2], hosts[1]);
    for application in ["one", "arrays"] {
        let [driver, a, b] = apart(&network, application, &[]);
        assert!(b.good().contains("in order"));
        let said = a.good();
        let words = [
            "a.source.out>b.sink.in goes over Zenoh from here on, as UCX does not lead there: ",
            "@ INFO message=chosen connection=\"a.source.out>b.sink.in\" transport=\"ucx\"\n",
            "@ WARN message=chosen connection=\"a.source.out>b.sink.in\" transport=\"zenoh\" why=",
        ];
        words.iter().for_each(|words| assert!(said.contains(words), "{said}"));
        driver.good();
    }
    let [driver, a, b] = apart(&network, "pair", &[("PODWIRE_TRANSPORT", "zenoh")]);
    assert!(b.good().contains("@ b sink received 20 in order"));
    [a, driver].into_iter().for_each(|process| drop(process.good()));
    network.clean();
}

/// A driver and two workers with messages flowing over UCX, between which UCX is then cut off while the driver reaches both.
#[cfg(feature = "ucx")]
fn broken_between(network: &Network, application: &str, environment: &[(&str, &str)]) -> [Process; 3] {
    let hosts: [&Host; 3] = network.hosts();
    let address = hosts[0].v4();
    let shown = [environment, &[("PODWIRE_MONITOR_PERIOD", "500")]].concat();
    let driver = hosts[0].start(application, &address, &["--driver", "--monitor"], &shown);
    let worker = |host: &Host, fragment| {
        host.start(application, &address, &["--worker", "--fragments", fragment], environment)
    };
    let (a, b) = (worker(hosts[1], "a"), worker(hosts[2], "b"));
    b.until("@ flowing");
    network.mute(hosts[1], hosts[2]);
    network.mute(hosts[2], hosts[1]);
    [driver, a, b]
}

#[cfg(feature = "ucx")]
#[test]
fn a_connection_whose_way_by_ucx_breaks_goes_on_over_zenoh_and_loses_nothing() {
    let Some(network) = Network::new(3) else { return };
    let [driver, a, b] = broken_between(&network, "long", &[]);
    assert!(b.good().contains("@ b sink received 300 in order"));
    a.good();
    let said = driver.good();
    let link = "connection=a.source.out>b.sink.in transport=";
    let ways = ["ucx", "zenoh"].map(|way| said.find(&format!("{link}{way} ")));
    assert!(ways[0].is_some() && ways[0] < ways[1], "{said}");
    assert!(!said.contains("lost with a process that died"), "{said}");
    network.clean();
}

/// The last word of a sender is lost with the way that it went.
#[cfg(feature = "ucx")]
#[test]
fn a_receiver_whose_sender_ended_when_its_way_by_ucx_was_broken_hears_so_over_zenoh() {
    let Some(network) = Network::new(3) else { return };
    let [driver, a, b] = broken_between(&network, "ends-late", &[]);
    assert!(b.good().contains("@ b sink received 8 in order"));
    [a, driver].into_iter().for_each(|process| drop(process.good()));
    network.clean();
}

#[cfg(feature = "ucx")]
#[test]
fn a_connection_whose_way_by_ucx_breaks_is_an_error_where_ucx_is_forced() {
    let Some(network) = Network::new(3) else { return };
    let words = [
        "a.source.out>b.sink.in: UCX does not lead from ",
        " at 10.77.0.2 to ",
        " at 10.77.0.3, or not back",
    ];
    let all = broken_between(&network, "long", &[("PODWIRE_TRANSPORT", "ucx")]);
    all.into_iter().for_each(|process| drop(process.bad(&words)));
    network.clean();
}

#[test]
fn a_worker_that_is_killed_comes_back_from_another_host() {
    let Some(network) = Network::new(4) else { return };
    let [driver, first, second, other] = network.hosts();
    let (address, driver, a, mut b) = flowing([driver, first, second], "waits", &[]);
    b.kill();
    driver.until("waiting for somebody to run it");
    let b = worker(other, "waits", &address, "b");
    b.until("@ flowing");
    driver.signal(Signal::INT);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
}

#[test]
fn a_driver_that_is_killed_can_be_started_again_with_its_workers() {
    let Some(network) = Network::new(3) else { return };
    let hosts = network.hosts();
    let (_, mut driver, a, b) = flowing(hosts, "endless", &[]);
    driver.kill();
    [a, b].into_iter().for_each(|worker| drop(worker.bad(&["the driver at 10.77.0.1:", "is gone"])));
    let (_, driver, a, b) = flowing(hosts, "endless", &[]);
    driver.signal(Signal::TERM);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(143)));
}

#[test]
fn delay_and_loss_change_nothing_but_the_time() {
    // Over UCX, which goes straight, only what the driver says comes late; over Zenoh all of it.
    BETWEEN_HOSTS.iter().for_each(|transport| over_a_bad_way(&[("PODWIRE_TRANSPORT", transport)]));
}

fn over_a_bad_way(environment: &[(&str, &str)]) {
    let place = Place::new();
    let driver = place.start("pair", &["--driver"], environment);
    driver.until("waiting for workers");
    let far = bad_way_to(&place.address, Duration::from_millis(15), Duration::from_millis(120));
    // Memory of its own, so that it is on another host.
    let other = Place::new();
    let b = other.start("pair", &["--worker", "--fragments", "b", "--address", &far], environment);
    let a = place.start("pair", &["--worker", "--fragments", "a"], environment);
    assert!(b.good().contains("@ b sink received 20 in order"));
    [a, driver].into_iter().for_each(|process| drop(process.good()));
    place.clean();
    other.clean();
}
