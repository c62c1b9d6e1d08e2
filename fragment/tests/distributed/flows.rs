//! Messages over processes, of every shape and type.

use crate::processes::{Place, Process};

/// Runs an application with a worker for each of these selections, and gives what all of them said.
fn run(application: &str, workers: &[&str]) -> String {
    run_with(application, workers, &[], &[])
}

/// The same with further arguments of the workers, and in an environment.
fn run_with(application: &str, workers: &[&str], further: &[&str], environment: &[(&str, &str)]) -> String {
    let place = Place::new();
    let driver = place.start(application, &["--driver"], environment);
    let worker = |fragments: &&str| {
        let arguments = [&["--worker", "--fragments", fragments], further].concat();
        place.start(application, &arguments, environment)
    };
    let workers: Vec<Process> = workers.iter().map(worker).collect();
    let mut said: String = workers.into_iter().map(Process::good).collect();
    said += &driver.good();
    place.clean();
    said
}

#[track_caller]
fn said(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "nobody said {word:?}, but:\n{text}");
    }
}

#[test]
fn two_fragments_run_in_two_processes() {
    said(&run("pair", &["a", "b"]), &["@ b sink received 20 in order"]);
}

#[test]
fn twenty_messages_pass_through_a_line_of_four_processes() {
    said(&run("line", &["a", "b", "c", "d"]), &["@ d sink received 20 in order"]);
}

#[test]
fn a_worker_runs_several_fragments() {
    said(&run("line", &["a,c", "b,d"]), &["@ d sink received 20 in order"]);
}

#[test]
fn parallel_fragments_need_no_connection() {
    said(&run("parallel", &["a", "b"]), &["@ a sink received 20", "@ b sink received 20"]);
}

#[test]
fn a_broadcast_reaches_every_process() {
    let text = run("broadcast", &["a", "b", "c,d"]);
    said(&text, &["@ b sink received 20", "@ c sink received 20", "@ d sink received 20"]);
}

#[test]
fn several_senders_share_one_receiver() {
    // 20 numbers from 0 to 19 from each of three, and 1000 for each.
    said(&run("receivers", &["a", "b,c", "d"]), &[&format!("@ sum {}", 3 * (190 + 20_000))]);
}

#[test]
fn several_outputs_and_inputs_keep_in_step() {
    said(&run("ports", &["a", "b"]), &["@ joined 40"]);
}

#[test]
fn connections_within_and_between_processes_mix() {
    let text = run("mixed", &["a", "b,d", "c"]);
    said(&text, &["@ c near received 20", "@ c far received 20", "@ d sink received 20"]);
}

#[test]
fn every_type_of_the_registry_travels() {
    said(&run("types", &["a", "b"]), &["@ 96 of 96 types"]);
}

#[test]
fn a_million_doubles_travel_in_one_message() {
    said(&run("doubles", &["a", "b"]), &["@ 1000000 doubles, right: true"]);
}

#[test]
fn fragments_of_one_process_are_one_process_of_several() {
    said(&run("line", &["all"]), &["@ d sink received 20 in order"]);
}

#[test]
fn two_workers_that_start_at_the_same_instant_share_all_fragments() {
    let text = run("line", &["all", "all"]);
    said(&text, &["@ d sink received 20 in order"]);
    assert_eq!(text.matches("this worker runs fragment ").count(), 2, "{text}");
}

#[test]
fn one_process_drives_and_works() {
    let place = Place::new();
    let both = place.start("pair", &["--driver", "--worker", "--fragments", "a"], &[]);
    said(&place.worker("pair", "b").good(), &["@ b sink received 20 in order"]);
    both.good();
    place.clean();
}

#[test]
fn one_process_can_do_it_alone() {
    let place = Place::new();
    let both = place.start("pair", &["--driver", "--worker"], &[]);
    said(&both.good(), &["@ b sink received 20 in order"]);
    place.clean();
}

#[test]
fn a_worker_that_is_there_first_waits_for_its_driver() {
    let place = Place::new();
    let workers = ["a", "b"].map(|fragment| place.worker("pair", fragment));
    workers[0].until("waiting for a driver at");
    let driver = place.driver("pair");
    workers.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

const OVER_ZENOH: &[(&str, &str)] = &[("PODWIRE_TRANSPORT", "zenoh")];

#[test]
fn messages_can_be_made_to_go_over_zenoh() {
    said(&run_with("line", &["a,b", "c", "d"], &[], OVER_ZENOH), &["@ d sink received 20 in order"]);
    said(&run_with("doubles", &["a", "b"], &[], OVER_ZENOH), &["@ 1000000 doubles, right: true"]);
}

#[test]
fn workers_that_listen_send_each_other_messages() {
    let listening = ["--worker-address", "127.0.0.1"];
    said(&run_with("pair", &["a", "b"], &listening, OVER_ZENOH), &["@ b sink received 20 in order"]);
}

#[test]
fn what_the_drivers_monitor_shows_last_is_the_end() {
    let place = Place::new();
    // It shows nothing before.
    let environment = [("PODWIRE_MONITOR_PERIOD", "600000")];
    let driver = place.start("pair", &["--driver", "--monitor"], &environment);
    let workers = ["a", "b"].map(|fragment| place.worker("pair", fragment));
    workers.into_iter().for_each(|worker| drop(worker.good()));
    let text = driver.good();
    for operator in ["a.source", "b.sink"] {
        said(&text, &[&format!("operator={operator} state=ended ticks=20 ")]);
    }
    said(&text, &["connection=a.source.out>b.sink.in transport=fastio queue=0 capacity=4 sent=20 "]);
    place.clean();
}

#[test]
fn the_driver_can_show_what_all_workers_do() {
    let place = Place::new();
    let environment = [("PODWIRE_MONITOR_PERIOD", "50")];
    let driver = place.start("endless", &["--driver", "--monitor"], &environment);
    let workers = ["a", "b"].map(|fragment| place.worker("endless", fragment));
    driver.until("a.source").until("b.sink").until("a.source.out>b.sink.in");
    driver.signal(rustix::process::Signal::INT);
    assert_eq!(driver.end().code, Some(130));
    drop(workers);
}
