//! Who is let in, and who is told why not.

use std::{net::TcpListener, time::Instant};

use crate::processes::{GUARD, Place, free_port};

#[test]
fn a_worker_at_an_address_where_nobody_is_gives_up_after_the_stated_time() {
    let place = Place::new();
    let begun = Instant::now();
    let worker = place.start("pair", &["--worker"], &[("PODWIRE_JOIN_TIMEOUT", "0.3")]);
    worker.bad(&["no driver at 127.0.0.1:", "tried for 300ms", "refused"]);
    assert!(begun.elapsed() < GUARD / 2);
    place.clean();
}

#[test]
fn a_host_that_does_not_exist_is_named() {
    let place = Place::new();
    let worker = place.start(
        "pair",
        &["--worker", "--address", "no.such.host.invalid"],
        &[("PODWIRE_JOIN_TIMEOUT", "0.1")],
    );
    worker.bad(&["no driver at no.such.host.invalid:57777"]);
}

#[test]
fn a_driver_on_a_port_in_use_says_so() {
    let place = Place::new();
    let _taken = TcpListener::bind(&place.address).unwrap();
    place.driver("pair").bad(&[&format!("cannot listen at {}: the port is in use", place.address)]);
    place.clean();
}

#[test]
fn of_two_drivers_on_one_address_the_second_one_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    place.driver("pair").bad(&["the port is in use"]);
    let workers = ["a", "b"].map(|fragment| place.worker("pair", fragment));
    workers.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

#[test]
fn a_driver_cannot_listen_at_the_address_of_another_host() {
    let place = Place::new();
    let driver = place.start("pair", &["--driver", "--address", "192.0.2.1:4000"], &[]);
    driver.bad(&["cannot listen at 192.0.2.1:4000"]);
}

#[test]
fn a_worker_cannot_listen_at_the_address_of_another_host_and_says_so_at_once() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    let begun = Instant::now();
    for (own, told) in [("192.0.2.1", "192.0.2.1:0"), ("192.0.2.1:4000", "192.0.2.1:4000")] {
        let worker = place.start("pair", &["--worker", "--worker-address", own], &[]);
        worker.bad(&[&format!("cannot listen at {told}: ")]);
    }
    assert!(begun.elapsed() < GUARD / 2, "it did not look for the driver any longer");
}

#[test]
fn a_driver_listens_at_its_address_and_nowhere_else() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    let port = place.address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    assert_eq!(listening(driver.id()), [(String::from("0100007F"), port)]);
    let worker = place.worker("pair", "a");
    driver.until("has joined");
    assert_eq!(listening(worker.id()), []);
}

/// The local addresses, in hexadecimal as the kernel shows them, and ports at which a process listens or hears datagrams.
fn listening(process: u32) -> Vec<(String, u16)> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|target| Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for (table, state) in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")] {
        let table = std::fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            if columns[3] == state && sockets.iter().any(|socket| socket == columns[9]) {
                let (host, port) = columns[1].split_once(':').unwrap();
                found.push((host.to_owned(), u16::from_str_radix(port, 16).unwrap()));
            }
        }
    }
    found
}

#[test]
fn an_unknown_fragment_is_refused_with_those_that_there_are() {
    let place = Place::new();
    let driver = place.driver("line");
    place.worker("line", "e").bad(&["e", "a", "b", "c", "d"]);
    driver.until("waiting for workers");
    drop(driver);
}

#[test]
fn of_two_workers_that_name_one_fragment_the_second_is_told_who_has_it() {
    let place = Place::new();
    let driver = place.driver("pair");
    let first = place.worker("pair", "a");
    driver.until("has joined for fragment a");
    place.worker("pair", "a").bad(&["refuses this worker", "fragment \"a\" is run by worker "]);
    place.worker("pair", "b").good();
    first.good();
    driver.good();
    place.clean();
}

#[test]
fn a_worker_of_another_application_is_refused_with_both_names() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    place.worker("line", "a").bad(&["the driver there drives application \"pair\", this is \"line\""]);
    driver.until("was refused");
}

#[test]
fn a_worker_that_is_composed_otherwise_is_told_the_first_difference() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    let other = place.start("pair", &["--worker", "--fragments", "b"], &[("PODWIRE_TEST_OTHER", "1")]);
    other.bad(&[
        "composed in another way",
        "operator \"b.sink\" is there at the driver, and not at this worker",
    ]);
}

#[test]
fn a_worker_whose_type_is_of_another_build_is_told_the_first_difference() {
    let place = Place::new();
    let driver = place.driver("pose");
    driver.until("waiting for workers");
    let old = place.start("pose", &["--worker", "--fragments", "b"], &[("PODWIRE_TEST_OLD", "1")]);
    old.bad(&["type \"Pose\"", "time: expected u64, found u32"]);
    let workers = ["a", "b"].map(|fragment| place.worker("pose", fragment));
    workers.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

#[test]
fn a_worker_that_was_told_something_else_than_the_driver_is_let_in_and_people_are_told() {
    let place = Place::new();
    let file = place.memory.with_extension("toml");
    std::fs::write(&file, "[b.sink]\nrows = 128\n").unwrap();
    let driver = place.start("told", &["--driver", "--count", "5"], &[]);
    let a = place.start("told", &["--worker", "--fragments", "a", "--count", "5"], &[]);
    let config = format!("--config={}", file.display());
    let b = place.start("told", &["--worker", "--fragments", "b", &config], &[]);
    [a, b].into_iter().for_each(|worker| drop(worker.good()));
    let said = driver.good();
    std::fs::remove_file(file).unwrap();
    let odd: Vec<_> = said.lines().filter(|line| line.contains("was told something else: ")).collect();
    let [odd] = odd[..] else { panic!("{said}") };
    assert!(odd.contains("arguments: --count 5 at the driver, none there; "), "{odd}");
    assert!(odd.ends_with("parameter b.sink.rows: 64 at the driver, 128 there"), "{odd}");
    place.clean();
}

#[test]
fn a_configuration_of_zenoh_that_is_none_is_named_at_once() {
    let place = Place::new();
    let broken = place.memory.with_extension("json5");
    std::fs::write(&broken, "{ mode: ").unwrap();
    for file in ["/no/such/file.json5", broken.to_str().unwrap()] {
        for arguments in [&["--driver"][..], &["--worker"]] {
            let end = place.start("pair", arguments, &[("PODWIRE_ZENOH_CONFIG", file)]).end();
            assert_eq!(end.code, Some(1), "{}", end.said);
            assert!(end.said.contains(&format!("PODWIRE_ZENOH_CONFIG: {file}: ")), "{}", end.said);
            assert!(!end.said.contains(".rs:") && !end.said.contains(".cargo"), "{}", end.said);
        }
    }
    std::fs::remove_file(broken).unwrap();
    place.clean();
}

#[test]
fn a_reason_to_refuse_a_worker_is_told_once() {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    let said = place.worker("line", "a").bad(&["refuses this worker: the driver there drives application"]);
    assert_eq!(said.matches("drives application").count(), 1, "{said}");
}

#[test]
fn a_type_without_a_codec_is_told_before_anything_is_opened() {
    let place = Place::new();
    for arguments in [&["--driver"][..], &["--worker"]] {
        place.start("unknown-type", arguments, &[]).bad(&["Unregistered"]);
    }
    place.clean();
}

#[test]
fn a_value_without_a_codec_fails_where_it_is_emitted() {
    let place = Place::new();
    let driver = place.driver("unknown-value");
    let workers = ["a", "b"].map(|fragment| place.worker("unknown-value", fragment));
    driver.bad(&["operator a.surprise"]);
    workers.into_iter().for_each(|worker| drop(worker.bad(&["operator a.surprise"])));
    place.clean();
}

#[test]
fn a_driver_that_nobody_comes_to_gives_up_after_the_stated_time() {
    let place = Place::new();
    let driver = place.start("pair", &["--driver"], &[("PODWIRE_JOIN_TIMEOUT", "1")]);
    let worker = place.worker("pair", "a");
    driver.bad(&["nobody has come who runs fragment b"]);
    worker.bad(&["nobody has come who runs fragment b"]);
    place.clean();
}

#[test]
fn a_driver_waits_for_as_many_workers_as_it_is_told() {
    let place = Place::new();
    let driver = place.start("line", &["--driver"], &[("PODWIRE_WORKERS", "2")]);
    let first = place.worker("line", "all");
    driver.until("has joined");
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(!driver.said().contains("runs fragment"), "{}", driver.said());
    let second = place.worker("line", "all");
    first.good();
    second.good();
    assert_eq!(driver.good().matches(" runs fragment ").count(), 2);
    place.clean();
}

#[test]
fn ports_are_free_again_when_a_driver_has_ended() {
    let place = Place::new();
    for _ in 0..2 {
        place.start("pair", &["--driver", "--worker"], &[]).good();
    }
    assert_ne!(free_port(), 0);
    place.clean();
}
