//! What is read of an application from outside.

use std::time::{Duration, Instant};

use ::zenoh::Wait;
use podwire_fragment::transport::zenoh::{SessionSettings, session};
use rustix::process::Signal;

use crate::processes::{GUARD, Place};

#[test]
fn metrics_of_all_workers_stand_in_a_file_of_the_driver_and_each_answers_who_asks() {
    let place = Place::new();
    let file = std::env::temp_dir().join(format!("podwire-metrics-{}.prom", std::process::id()));
    let environment = [("PODWIRE_METRICS", file.to_str().unwrap()), ("PODWIRE_MONITOR_PERIOD", "20")];
    let driver = place.start("endless", &["--driver"], &environment);
    let workers = ["a", "b"].map(|fragment| place.worker("endless", fragment));
    workers[1].until("@ flowing");

    let begun = Instant::now();
    let connection = r#"podwire_connection_sent_messages_total{application="endless",connection="a.source.out>b.sink.in",transport="fastio"} "#;
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let said = |line: &str| text.lines().any(|found| found.starts_with(line));
        if said(connection)
            && [r#"operator="a.source"} "#, r#"operator="b.sink"} "#].iter().all(|it| text.contains(it))
        {
            break;
        }
        assert!(begun.elapsed() < GUARD, "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }

    let connect = vec![format!("tcp/{}", place.address)];
    let settings = SessionSettings { mode: "client".into(), connect, ..SessionSettings::default() };
    let session = session(&settings).unwrap();
    let replies = session.get("podwire/endless/metrics/*").timeout(Duration::from_secs(5)).wait().unwrap();
    let texts: Vec<String> = replies
        .iter()
        .map(|reply| reply.result().unwrap().payload().try_to_string().unwrap().into_owned())
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    for operator in ["a.source", "b.sink"] {
        let line =
            format!("podwire_operator_ticks_total{{application=\"endless\",operator=\"{operator}\"}} ");
        assert_eq!(texts.iter().filter(|text| text.contains(&line)).count(), 1, "{texts:?}");
    }
    session.close().wait().unwrap();

    driver.signal(Signal::INT);
    let processes = workers.into_iter().chain([driver]);
    processes.for_each(|process| assert_eq!(process.end().code, Some(130)));
    std::fs::remove_file(&file).unwrap();
    place.clean();
}
