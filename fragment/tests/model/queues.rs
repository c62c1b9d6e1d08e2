//! A connection holds as many messages as its input asked for, and then the policy decides.

use std::sync::{Arc, Barrier};

use podwire_fragment::{Application, EmitError, OperatorSpec, WhenFull};

use crate::support::{Notes, assert_nothing_is_missing, op};

/// An application whose sender has emitted all before its receiver begins; what the receiver got, and the report.
fn sent_at_once(
    capacity: usize,
    when_full: WhenFull,
    mut emit: impl FnMut(&mut podwire_fragment::Output) -> podwire_fragment::Result + Send + 'static,
) -> (Vec<u64>, podwire_fragment::Report) {
    let (notes, all_sent) = (Notes::<u64>::new(), Arc::new(Barrier::new(2)));
    let mut app = Application::new(["app"]);
    let sent = Arc::clone(&all_sent);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(1);
    };
    let sender = op(setup, move |_, output, _| {
        emit(output)?;
        sent.wait();
        Ok(())
    });
    app.add_operator("sender", sender);
    let taken = notes.clone();
    let setup = move |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(capacity).when_full(when_full);
    };
    let receiver = op(setup, move |input, _, _| {
        taken.note(*input.receive("in")?);
        Ok(())
    });
    let receiver = receiver.start(move |_| {
        all_sent.wait();
        Ok(())
    });
    app.add_operator("receiver", receiver);
    app.add_flow("sender", "receiver", [("out", "in")]);
    let report = app.run().unwrap();
    assert_nothing_is_missing(&report);
    (notes.list().clone(), report)
}

#[test]
fn a_connection_holds_exactly_as_many_messages_as_were_asked_for() {
    for capacity in [1, 2, 3, 4, 5, 100] {
        let (received, _) = sent_at_once(capacity, WhenFull::Refuse, move |output| {
            for number in 0..capacity as u64 {
                output.emit("out", number)?;
            }
            let error = output.emit("out", 0_u64).unwrap_err();
            assert!(matches!(&error, EmitError::Full { connection, capacity: full }
                if connection == "sender.out>receiver.in" && *full == capacity));
            Ok(())
        });
        assert_eq!(received.len(), capacity);
    }
}

#[test]
fn what_is_refused_is_not_sent() {
    let (received, report) = sent_at_once(2, WhenFull::Refuse, |output| {
        for number in 0..5_u64 {
            assert_eq!(output.emit("out", number).is_ok(), number < 2);
        }
        Ok(())
    });
    assert_eq!(received, [0, 1]);
    assert_eq!(report.connections[0].counts.sent, 2);
}

#[test]
fn the_oldest_messages_are_dropped_and_counted() {
    let (received, report) = sent_at_once(3, WhenFull::DropOldest, |output| {
        (0..10_u64).try_for_each(|number| output.emit("out", number))?;
        Ok(())
    });
    assert_eq!(received, [7, 8, 9]);
    let counts = report.connections[0].counts;
    assert_eq!((counts.sent, counts.received, counts.dropped, counts.lost), (10, 3, 7, 0));
}

#[test]
fn a_sender_waits_for_room_and_nothing_is_dropped() {
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", crate::support::numbers(200));
    let notes = Notes::<u64>::new();
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(2);
    };
    let slow = op(setup, move |input, _, _| {
        assert!(input.waiting("in") <= 2);
        taken.note(*input.receive("in")?);
        std::thread::yield_now();
        Ok(())
    });
    app.add_operator("slow", slow);
    app.add_flow("numbers", "slow", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(*notes.list(), (0..200).collect::<Vec<_>>());
    assert_eq!(report.connections[0].counts.dropped, 0);
}

#[test]
fn one_receiver_that_refuses_keeps_no_message_from_the_others() {
    let (kept, held) = (Notes::new(), Arc::new(Barrier::new(2)));
    let mut app = Application::new(["app"]);
    let all_sent = Arc::clone(&held);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(1);
    };
    let sender = op(setup, move |_, output, _| {
        for number in 0..6_u64 {
            match output.emit("out", number) {
                Err(EmitError::Full { connection, .. }) if number >= 2 => {
                    assert_eq!(connection, "sender.out>tight.in");
                }
                sent => sent?,
            }
        }
        all_sent.wait();
        Ok(())
    });
    app.add_operator("sender", sender);
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(2).when_full(WhenFull::Refuse);
    };
    let tight = op(setup, |input, _, _| input.receive::<u64>("in").map(drop).map_err(Into::into));
    let tight = tight.start(move |_| {
        held.wait();
        Ok(())
    });
    app.add_operator("tight", tight);
    app.add_operator("wide", crate::support::collect(&kept));
    app.add_flow("sender", "tight", [("out", "in")]);
    app.add_flow("sender", "wide", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(*kept.list(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(report.connection("sender.out>tight.in").unwrap().counts.sent, 2);
}

#[test]
fn capacity_is_for_each_connection_of_an_input() {
    let (notes, all_sent) = (Notes::<u64>::new(), Arc::new(Barrier::new(3)));
    let mut app = Application::new(["app"]);
    for name in ["left", "right"] {
        let sent = Arc::clone(&all_sent);
        let setup = |spec: &mut OperatorSpec| {
            spec.output::<u64>("out");
            spec.count(1);
        };
        let sender = op(setup, move |_, output, _| {
            (0..3_u64).try_for_each(|number| output.emit("out", number))?;
            assert!(matches!(output.emit("out", 3_u64), Err(EmitError::Full { capacity: 3, .. })));
            sent.wait();
            Ok(())
        });
        app.add_operator(name, sender);
    }
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(3).when_full(WhenFull::Refuse);
    };
    let receiver = op(setup, move |input, _, _| {
        taken.note(*input.receive("in")?);
        Ok(())
    });
    let receiver = receiver.start(move |_| {
        all_sent.wait();
        Ok(())
    });
    app.add_operator("receiver", receiver);
    app.add_flow("left", "receiver", [("out", "in")]);
    app.add_flow("right", "receiver", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(notes.list().len(), 6);
}
