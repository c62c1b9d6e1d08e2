//! What can be seen of an application while it runs.

use std::{
    sync::{Arc, Barrier},
    time::Duration,
};

use podwire_fragment::{
    Application, OperatorSpec, Snapshot,
    run::{ConnectionSnapshot, Counts, OperatorState},
};

use crate::support::{Notes, collect, numbers, op};

#[test]
fn a_snapshot_tells_ticks_states_and_queue_depths() {
    let hold = Arc::new(Barrier::new(2));
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(20));
    let held = Arc::clone(&hold);
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(3);
    };
    let slow = op(setup, move |input, _, context| {
        input.receive::<u64>("in")?;
        if context.tick() == 1 {
            held.wait();
            held.wait();
        }
        Ok(())
    });
    app.add_operator("slow", slow);
    app.add_flow("numbers", "slow", [("out", "in")]);
    let running = app.start().unwrap();
    hold.wait();
    let mut snapshot = running.snapshot();
    while (snapshot.operators[0].ticks, snapshot.operators[0].state) != (6, OperatorState::Blocked) {
        snapshot = running.snapshot();
    }
    let [numbers, slow] = &snapshot.operators[..] else { panic!() };
    assert_eq!(&*numbers.name, "numbers");
    assert_eq!((&*slow.name, slow.ticks, slow.state), ("slow", 2, OperatorState::Computing));
    let [connection] = &snapshot.connections[..] else { panic!() };
    assert_eq!((&*connection.name, &*connection.transport), ("numbers.out>slow.in", "local"));
    assert_eq!((connection.counts.queued(), connection.capacity), (3, 3));
    let latency = connection.latency.expect("the first message is measured");
    assert!(latency.median <= latency.p99 && latency.p99 <= latency.max && latency.max > Duration::ZERO);
    hold.wait();
    let _ = running.wait();
    let after = running.snapshot();
    assert_eq!(after.operators[0].state, OperatorState::Ended);
    assert!(after.operators[1].busy >= after.operators[1].last);
    assert_eq!(after.connections[0].counts.received, 20);
}

#[test]
fn an_operator_that_has_nothing_to_do_does_not_run() {
    let mut app = Application::new(["app"]);
    app.add_operator("rare", numbers(u64::MAX)).period(Duration::from_secs(1000));
    app.add_operator("collect", collect(&Notes::new()));
    app.add_flow("rare", "collect", [("out", "in")]);
    let running = app.start().unwrap();
    while running.snapshot().operators[1].ticks == 0 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(30));
    let snapshot = running.snapshot();
    assert_eq!((snapshot.operators[0].ticks, snapshot.operators[1].ticks), (1, 1));
    assert_eq!(snapshot.operators[1].state, OperatorState::Waiting);
    running.stop();
    let _ = running.wait();
}

#[test]
fn snapshots_of_two_processes_become_one() {
    let half = |sent, received| Snapshot {
        connections: vec![ConnectionSnapshot {
            name: "left.a.out>right.b.in".into(),
            transport: "fastio".into(),
            capacity: 4,
            counts: Counts { sent, received, ..Counts::default() },
            latency: None,
        }],
        ..Snapshot::default()
    };
    let mut both = half(10, 6);
    both.merge(half(0, 7));
    assert_eq!(both.connections.len(), 1);
    let counts = both.connections[0].counts;
    assert_eq!((counts.sent, counts.received, counts.queued()), (10, 7, 3));
    let bytes = podwire_codec_core::to_vec(&both).unwrap();
    assert_eq!(podwire_codec_core::from_slice::<Snapshot>(&bytes).unwrap(), both);
}
