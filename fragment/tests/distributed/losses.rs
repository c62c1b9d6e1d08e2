//! Operators that fail, processes that die, signals.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::processes::{Place, Process};

/// A driver, and a worker for each fragment, with messages flowing.
fn flowing(application: &str, environment: &[(&str, &str)]) -> (Place, Process, Process, Process) {
    let place = Place::new();
    let driver = place.start(application, &["--driver"], environment);
    let [a, b] = ["a", "b"].map(|it| place.start(application, &["--worker", "--fragments", it], environment));
    b.until("@ flowing");
    (place, driver, a, b)
}

#[test]
fn an_operator_that_fails_ends_all_processes_with_its_name_fragment_worker_and_cause() {
    let place = Place::new();
    let driver = place.driver("fails");
    let workers = ["a", "b", "c"].map(|fragment| place.worker("fails", fragment));
    let words = ["operator b.bad", "fragment b", "worker ", "the lens is dirty"];
    driver.bad(&words);
    workers.into_iter().for_each(|worker| drop(worker.bad(&words)));
    place.clean();
}

#[test]
fn an_operator_that_panics_ends_all_processes() {
    let place = Place::new();
    let driver = place.driver("panics");
    let workers = ["a", "b"].map(|fragment| place.worker("panics", fragment));
    let words = ["operator b.bad", "the lens is off"];
    driver.bad(&words);
    workers.into_iter().for_each(|worker| drop(worker.bad(&words)));
    place.clean();
}

#[test]
fn an_operator_can_stop_the_application_for_all() {
    let place = Place::new();
    let driver = place.driver("stops");
    let workers = ["a", "b"].map(|fragment| place.worker("stops", fragment));
    driver.good();
    workers.into_iter().for_each(|worker| drop(worker.good()));
    place.clean();
}

#[test]
fn a_worker_that_is_killed_ends_the_application_at_once_with_its_name_and_fragments() {
    let (place, driver, a, mut b) = flowing("endless", &[("PODWIRE_LEASE", "20000")]);
    b.kill();
    let begun = Instant::now();
    let words = ["worker ", "is lost, and with it fragment b"];
    a.bad(&words);
    driver.bad(&words);
    assert!(begun.elapsed() < Duration::from_secs(10), "it did not wait for the lease");
    place.clean();
}

#[test]
fn what_was_lost_with_a_worker_is_told_in_the_end() {
    let (place, driver, a, mut b) = flowing("endless", &[("PODWIRE_LEASE", "20000")]);
    b.signal(Signal::STOP);
    // Nobody reads, so that as many wait as may.
    std::thread::sleep(Duration::from_millis(60));
    b.kill();
    let said = driver.bad(&["lost with a process that died: ", " of the messages of a.source.out>b.sink.in"]);
    let lost = said.split_once("that died: ").unwrap().1.split_once(' ').unwrap().0.parse::<u64>().unwrap();
    assert!((4..=5).contains(&lost), "{said}");
    a.bad(&["is lost"]);
    place.clean();
}

#[test]
fn memory_that_was_left_because_all_were_killed_goes_when_the_next_application_starts() {
    let (place, mut driver, mut a, mut b) = flowing("endless", &[]);
    let mut alone = place.start("keeps", &[], &[]);
    let living = place.start("keeps", &[], &[]);
    [&alone, &living].into_iter().for_each(|process| _ = process.until("@ kept"));
    // None of them is to see that another one is gone.
    [&driver, &a, &b, &alone].into_iter().for_each(|process| process.signal(Signal::STOP));
    [&mut driver, &mut a, &mut b, &mut alone].into_iter().for_each(Process::kill);
    let pipelines = || {
        let base = std::fs::read_dir(&place.memory).unwrap().next().unwrap().unwrap().path();
        std::fs::read_dir(base).unwrap().count()
    };
    assert_eq!(pipelines(), 3, "{:?}", place.left());
    place.start("pair", &["--driver", "--worker"], &[]).good();
    assert_eq!(pipelines(), 1, "that of a living application stays: {:?}", place.left());
    living.signal(Signal::INT);
    assert_eq!(living.end().code, Some(130));
    place.clean();
}

#[test]
fn an_operator_that_does_not_return_is_named_by_its_process_and_the_driver() {
    let place = Place::new();
    let environment = [("PODWIRE_STOP_TIMEOUT", "0.01")];
    let named = "b.deaf had to end, and has not returned: it is computing";
    // Several processes, and one.
    let driver = place.start("deaf", &["--driver"], &environment);
    let [a, b] = ["a", "b"].map(|it| place.start("deaf", &["--worker", "--fragments", it], &environment));
    let alone = place.start("deaf", &[], &environment);
    [&b, &alone].into_iter().for_each(|process| _ = process.until("@ deaf"));
    [&driver, &alone].into_iter().for_each(|process| process.signal(Signal::INT));
    [b, driver, alone].into_iter().for_each(|process| drop(process.bad(&[named])));
    assert_eq!(a.end().code, Some(130), "it has ended as it was told to");
}

#[test]
fn a_panic_in_setup_is_a_mistake_of_the_composition() {
    let place = Place::new();
    for arguments in [&[][..], &["--driver"], &["--worker"]] {
        let words = ["operator a.bad: setup failed: it panicked: there is no lens"];
        place.start("panics-in-setup", arguments, &[]).bad(&words);
    }
    place.clean();
}

#[test]
fn a_worker_that_vanishes_is_noticed_within_the_lease() {
    let (place, driver, a, b) = flowing("endless", &[("PODWIRE_LEASE", "500")]);
    b.signal(Signal::STOP);
    let words = ["worker ", "is lost, and with it fragment b"];
    driver.bad(&words);
    a.bad(&words);
    // When it comes to itself, it sees that it was left, and goes.
    b.signal(Signal::CONT);
    b.bad(&["the driver at", "is gone"]);
    place.clean();
}

#[test]
fn a_driver_that_is_killed_ends_its_workers() {
    let (place, mut driver, a, b) = flowing("endless", &[]);
    driver.kill();
    a.bad(&["the driver at 127.0.0.1:", "is gone"]);
    b.bad(&["the driver at 127.0.0.1:", "is gone"]);
    place.clean();
}

#[test]
fn a_driver_that_vanishes_is_noticed_within_the_lease() {
    let (_place, mut driver, a, b) = flowing("endless", &[("PODWIRE_LEASE", "500")]);
    driver.signal(Signal::STOP);
    a.bad(&["the driver at 127.0.0.1:", "is gone"]);
    b.bad(&["the driver at 127.0.0.1:", "is gone"]);
    driver.kill();
}

#[test]
fn a_receiver_that_is_killed_can_come_back() {
    let (place, driver, a, mut b) = flowing("waits", &[]);
    for _ in 0..3 {
        b.kill();
        driver.until("waiting for somebody to run it");
        b = place.worker("waits", "b");
        b.until("@ flowing");
    }
    driver.signal(Signal::INT);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[test]
fn the_time_of_the_drivers_monitor_goes_on_when_all_workers_are_replaced() {
    let place = Place::new();
    let driver = place.start("waits", &["--driver", "--monitor"], &[("PODWIRE_MONITOR_PERIOD", "50")]);
    let [mut a, mut b] = ["a", "b"].map(|fragment| place.worker("waits", fragment));
    b.until("@ flowing");
    // So long that the next ones have run for less time at their first words.
    driver.until("monitor time_s=1.");
    [&mut a, &mut b].into_iter().for_each(Process::kill);
    let [a, b] = ["a", "b"].map(|fragment| place.worker("waits", fragment));
    b.until("@ flowing");
    driver.until("monitor time_s=2.");
    driver.signal(Signal::INT);
    let said = driver.end().said;
    [a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    let times = said.lines().filter_map(|line| line.strip_prefix("monitor time_s=")?.split(' ').next());
    let times: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    place.clean();
}

#[test]
fn a_sender_that_is_killed_can_come_back() {
    let (place, driver, mut a, b) = flowing("waits", &[]);
    a.kill();
    driver.until("waiting for somebody to run it");
    let again = place.worker("waits", "a");
    again.until("this worker runs fragment a");
    std::thread::sleep(Duration::from_millis(100));
    driver.signal(Signal::INT);
    let said = [driver, again, b].map(|process| {
        let end = process.end();
        assert_eq!(end.code, Some(130), "{}", end.said);
        end.said
    });
    assert!(said[2].contains("in order"), "{}", said[2]);
    place.clean();
}

#[test]
fn all_workers_can_be_killed_and_come_back() {
    let (place, driver, mut a, mut b) = flowing("waits", &[]);
    a.kill();
    b.kill();
    let (a, b) = (place.worker("waits", "a"), place.worker("waits", "b"));
    b.until("@ flowing");
    driver.signal(Signal::TERM);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(143)));
    place.clean();
}

#[test]
fn a_worker_that_takes_anything_takes_the_place_of_a_lost_one() {
    let (place, driver, a, mut b) = flowing("waits", &[]);
    let spare = place.worker("waits", "all");
    driver.until("has joined\n");
    b.kill();
    spare.until("this worker runs fragment b").until("@ flowing");
    driver.signal(Signal::INT);
    [driver, a, spare].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[test]
fn who_takes_the_place_of_a_worker_that_does_not_answer_waits_until_that_one_is_gone() {
    let environment = [("PODWIRE_LEASE", "400"), ("PODWIRE_STOP_TIMEOUT", "0.05")];
    let (place, driver, a, b) = flowing("waits", &environment);
    b.signal(Signal::STOP);
    driver.until("waiting for somebody to run it");
    let again = place.start("waits", &["--worker", "--fragments", "b"], &environment);
    again.until("waiting until the process is gone that has a.source.out>b.sink.in open");
    // It comes to itself, and sees that it was given up.
    b.signal(Signal::CONT);
    again.until("this worker runs fragment b").until("@ flowing");
    b.bad(&["the driver at", "is gone"]);
    driver.signal(Signal::INT);
    [driver, a, again].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[test]
fn who_waits_for_the_place_of_a_worker_that_does_not_answer_can_be_stopped() {
    let environment = [("PODWIRE_LEASE", "400")];
    let (_place, driver, a, mut b) = flowing("waits", &environment);
    b.signal(Signal::STOP);
    driver.until("waiting for somebody to run it");
    let again = _place.start("waits", &["--worker", "--fragments", "b"], &environment);
    again.until("waiting until the process is gone");
    b.kill();
    again.until("this worker runs fragment b").until("@ flowing");
    driver.signal(Signal::INT);
    [driver, a, again].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
}

#[test]
fn ctrl_c_does_not_wait_for_a_worker_that_was_lost() {
    let environment = [("PODWIRE_STOP_TIMEOUT", "25")];
    for (lost, stays) in [(0, 1), (1, 0)] {
        let (place, driver, a, b) = flowing("waits", &environment);
        let mut workers = [Some(a), Some(b)];
        workers[lost].take().unwrap().kill();
        driver.until("waiting for somebody to run it");
        let begun = Instant::now();
        driver.signal(Signal::INT);
        [driver, workers[stays].take().unwrap()]
            .into_iter()
            .for_each(|it| assert_eq!(it.end().code, Some(130)));
        assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
        place.clean();
    }
}

#[test]
fn ctrl_c_at_the_driver_ends_all_in_order() {
    let (place, driver, a, b) = flowing("endless", &[]);
    driver.signal(Signal::INT);
    let said = [driver, a, b].map(|process| {
        let end = process.end();
        assert_eq!(end.code, Some(130), "{}", end.said);
        end.said
    });
    assert!(said[1].contains("@ a source stops") && said[2].contains("in order"), "{said:?}");
    place.clean();
}

#[test]
fn ctrl_c_at_a_worker_ends_all_in_order() {
    let (place, driver, a, b) = flowing("endless", &[]);
    b.signal(Signal::INT);
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[test]
fn ctrl_c_in_a_terminal_reaches_all_processes_at_once() {
    let (place, driver, a, b) = flowing("endless", &[]);
    [&driver, &a, &b].into_iter().for_each(|process| process.signal(Signal::INT));
    [driver, a, b].into_iter().for_each(|process| assert_eq!(process.end().code, Some(130)));
    place.clean();
}

#[test]
fn ctrl_c_before_anybody_came_ends_a_driver_and_a_worker() {
    let place = Place::new();
    let worker = place.worker("pair", "a");
    worker.until("waiting for a driver at").signal(Signal::INT);
    assert_eq!(worker.end().code, Some(130));
    let driver = place.driver("pair");
    driver.until("waiting for workers").signal(Signal::TERM);
    assert_eq!(driver.end().code, Some(143));
    place.clean();
}
