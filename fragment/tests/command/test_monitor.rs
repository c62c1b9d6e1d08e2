//! What `--monitor` shows.

use std::time::Duration;

use podwire_fragment::{
    monitor::{lines, metrics, table},
    run::{ConnectionSnapshot, Counts, Latency, OperatorSnapshot, OperatorState, Snapshot},
};

/// A moment of an application in which `ping` has sent twice as many messages as a second before.
fn moment(seconds: u64) -> Snapshot {
    let ping = OperatorSnapshot {
        name: "fragment1.ping".into(),
        state: OperatorState::Blocked,
        ticks: 100 * seconds,
        last: Duration::from_micros(12),
        busy: Duration::from_millis(250 * seconds),
        ..OperatorSnapshot::default()
    };
    let pong = OperatorSnapshot { name: "fragment2.pong".into(), ..OperatorSnapshot::default() };
    let counts = Counts {
        sent: 100 * seconds,
        received: 96 * seconds,
        dropped: seconds,
        lost: 1,
        copied_bytes: 3 << 20,
    };
    let latency = Latency {
        median: Duration::from_nanos(3500),
        p90: Duration::from_micros(5),
        p99: Duration::from_micros(80),
        max: Duration::from_millis(2),
    };
    let connection = |name: &str, latency| ConnectionSnapshot {
        name: name.into(),
        transport: "fastio".into(),
        capacity: 8,
        counts,
        latency,
    };
    Snapshot {
        time: Duration::from_secs(seconds),
        operators: vec![ping, pong],
        connections: vec![
            connection("fragment1.ping.out>fragment2.pong.in", Some(latency)),
            connection("fragment1.ping.log>fragment2.pong.log", None),
        ],
    }
}

#[test]
fn the_table_has_a_line_for_each_operator_and_each_connection() {
    assert_eq!(
        table(&moment(2), &moment(1), 200),
        "\
operator        state    ticks  per s  busy     last
fragment1.ping  blocked    200    100  25 %  12.0 µs
fragment2.pong  ready        0      0   0 %     0 ns

connection                             by      queue  per s  dropped  lost    copied      p50      p99      max
fragment1.ping.out>fragment2.pong.in   fastio    5/8    100        2     1  3.00 MiB  3.50 µs  80.0 µs  2.00 ms
fragment1.ping.log>fragment2.pong.log  fastio    5/8    100        2     1  3.00 MiB        –        –        –
"
    );
}

#[test]
fn a_narrow_terminal_costs_the_middle_of_the_names() {
    for width in 0..130 {
        let table = table(&moment(2), &moment(1), width);
        assert!(table.lines().all(|line| line.chars().count() <= width), "{width}:\n{table}");
    }
}

#[test]
fn columns_of_losses_are_there_when_there_are_losses() {
    let mut now = moment(2);
    for connection in &mut now.connections {
        (connection.counts.dropped, connection.counts.lost) = (0, 0);
    }
    let table = table(&now, &moment(1), 80);
    assert!(
        table
            .contains("\nfragment1.…t2.pong.in  fastio    8/8    100  3.00 MiB  3.50 µs  80.0 µs  2.00 ms\n"),
        "{table}"
    );
}

#[test]
fn the_lines_are_keys_and_values_without_spaces() {
    let lines = lines(&moment(2), &moment(1));
    assert_eq!(
        lines,
        "\
monitor time_s=2.000 operator=fragment1.ping state=blocked ticks=200 ticks_per_s=100.0 busy=0.250 last_us=12
monitor time_s=2.000 operator=fragment2.pong state=ready ticks=0 ticks_per_s=0.0 busy=0.000 last_us=0
monitor time_s=2.000 connection=fragment1.ping.out>fragment2.pong.in transport=fastio queue=5 capacity=8 sent=200 \
sent_per_s=100.0 received=192 dropped=2 lost=1 copied_bytes=3145728 p50_us=3.5 p90_us=5 p99_us=80 max_us=2000
monitor time_s=2.000 connection=fragment1.ping.log>fragment2.pong.log transport=fastio queue=5 capacity=8 sent=200 \
sent_per_s=100.0 received=192 dropped=2 lost=1 copied_bytes=3145728
"
    );
    for line in lines.lines() {
        assert!(line.split(' ').skip(1).all(|pair| pair.split('=').count() == 2), "{line}");
    }
}

#[test]
fn nothing_is_odd_about_the_first_moment_or_one_that_went_back() {
    for (now, before) in
        [(moment(0), Snapshot::default()), (moment(1), moment(2)), (Snapshot::default(), moment(1))]
    {
        let text = table(&now, &before, 150) + &lines(&now, &before);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}

#[test]
fn metrics_say_all_of_it_with_units_in_their_names() {
    let text = metrics("ping \"1\"", &moment(2));
    for line in [
        r#"podwire_running_seconds{application="ping \"1\""} 2"#,
        "# TYPE podwire_operator_ticks_total counter",
        r#"podwire_operator_ticks_total{application="ping \"1\"",operator="fragment1.ping"} 200"#,
        r#"podwire_operator_busy_seconds_total{application="ping \"1\"",operator="fragment1.ping"} 0.5"#,
        r#"podwire_operator_state{application="ping \"1\"",operator="fragment1.ping",state="blocked"} 1"#,
        r#"podwire_connection_sent_messages_total{application="ping \"1\"",connection="fragment1.ping.out>fragment2.pong.in",transport="fastio"} 200"#,
        r#"podwire_connection_queued_messages{application="ping \"1\"",connection="fragment1.ping.log>fragment2.pong.log",transport="fastio"} 5"#,
        r#"podwire_connection_latency_seconds{application="ping \"1\"",connection="fragment1.ping.out>fragment2.pong.in",transport="fastio",quantile="0.99"} 0.00008"#,
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
    }
    // A parser of the format wants help and type once, before the values.
    for name in text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
    }
}
