//! Cases of order, room and waking.

use std::time::{Duration, Instant};

use super::{
    Breach, Tried,
    bench::{Bench, LONG, Step, until, wait},
};
use crate::{
    message::Message,
    transport::{self, LinkError},
};

pub(super) fn either_end_first(bench: &mut Bench<'_>) -> Tried {
    let link = bench.link(4);
    let mut tx = bench.sender(&link)?;
    for number in 0..4 {
        tx.number(number)?;
    }
    let mut rx = bench.receiver(&link)?;
    (0..4).try_for_each(|number| rx.number(number))?;

    let link = bench.link(4);
    let mut rx = bench.receiver(&link)?;
    match rx.end.try_receive() {
        Ok(None) => {}
        other => return Err(Breach::unlike("receiving before there is a sender", "nothing", other).into()),
    }
    let mut tx = bench.sender(&link)?;
    tx.number(7)?;
    Ok(rx.number(7)?)
}

pub(super) fn order(bench: &mut Bench<'_>) -> Tried {
    for (capacity, count) in [(1, 200), (4, 1000), (64, 5000)] {
        let (mut tx, mut rx) = bench.ends(&bench.link(capacity))?;
        let sent = std::thread::spawn(move || {
            let sent = (0..count).try_for_each(|number| tx.number(number));
            (sent, tx)
        });
        let received = (0..count).try_for_each(|number| rx.number(number));
        // The sender ends with its last message, or when its patience does.
        if let Ok((sent, _tx)) = sent.join() {
            received.and(sent)?;
        }
    }
    Ok(())
}

pub(super) fn capacity(bench: &mut Bench<'_>) -> Tried {
    for capacity in [1, 2, 5, 64] {
        let (mut tx, mut rx) = bench.ends(&bench.link(capacity))?;
        let full = |tx: &mut super::bench::Tx, number: u64| match tx.end.try_send(&Message::new(number)) {
            Err(LinkError::Full { capacity: said, .. }) if said == capacity => Ok(()),
            other => Err(Breach::unlike(format_args!("one more than {capacity}"), "Full", other)),
        };
        let last = capacity as u64;
        for number in 0..last {
            let sent = tx.end.try_send(&Message::new(number));
            sent.step(format_args!("message {number} of the {capacity} that there is room for"))?;
        }
        full(&mut tx, last)?;
        rx.number(0)?;
        tx.number(last)?;
        full(&mut tx, last + 1)?;
        (1..=last).try_for_each(|number| rx.number(number))?;
        let nothing = rx.end.try_receive();
        if !matches!(nothing, Ok(None)) {
            return Err(Breach::unlike("after the last message", "nothing", nothing).into());
        }
    }
    Ok(())
}

pub(super) fn room_wakes(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    tx.number(0)?;
    tx.number(1)?;
    let bell = tx.bell.clone();
    let (awake, wakes) = std::sync::mpsc::channel();
    let blocked = std::thread::spawn(move || {
        // Its own bell first, and then room.
        let _ = tx.bell.wait_with(tx.end.channel(), Some(LONG));
        let _ = awake.send(());
        let sent = transport::send(&mut *tx.end, &Message::new(2_u64), &tx.bell, LONG);
        (sent, tx)
    });
    // However far the thread is: a ring stays in the bell.
    bell.ring();
    wakes.recv_timeout(LONG).step("waking a sender by its own bell")?;
    std::thread::sleep(Duration::from_millis(5));
    rx.number(0)?;
    let Ok((sent, _tx)) = blocked.join() else {
        return Err(Breach::Panicked { message: "the sender".into() }.into());
    };
    sent.step("sending when there is room again")?;
    rx.number(1)?;
    Ok(rx.number(2)?)
}

pub(super) fn messages_wake(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    let bell = rx.bell.clone();
    let (awake, wakes) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let _ = rx.bell.wait_with(rx.end.channel(), Some(LONG));
        let _ = awake.send(());
        (0..100).try_for_each(|number| rx.number(number))
    });
    bell.ring();
    wakes.recv_timeout(LONG).step("waking a receiver by its own bell")?;
    for number in 0..100 {
        tx.number(number)?;
        if number % 10 == 0 {
            // So that it has gone to sleep now and then.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let received = waiting.join().unwrap_or(Err(Breach::Panicked { message: "the receiver".into() }));
    Ok(received?)
}

pub(super) fn flood(bench: &mut Bench<'_>) -> Tried {
    const SIZE: usize = 64 << 10;
    let link = bench.link(4);
    let (mut tx, mut rx) = bench.ends(&link)?;
    let message = Message::new(vec![1_u8; SIZE]);
    let before = resident();
    let mut sent = 0_u64;
    for _ in 0..20_000 {
        match tx.end.try_send(&message) {
            Ok(()) => sent += 1,
            Err(LinkError::Full { .. }) => {}
            Err(error) => {
                return Err(Breach::unlike("sending to one who does not read", "Full", error).into());
            }
        }
    }
    if sent > 4 {
        return Err(Breach::unlike("sending to one who does not read", 4, sent).into());
    }
    let grown = resident().saturating_sub(before);
    // Other tests of the process may take some as well.
    if grown > 400 << 20 {
        return Err(Breach::unlike("memory of a flood of 1.2 GiB", "less than 400 MiB", grown).into());
    }
    // A slow reader gets what was sent, and no more was on its way than there is room for.
    for received in 0..200_u64 {
        let deadline = Instant::now() + LONG;
        let message = loop {
            while tx.end.try_send(&message).is_ok() {
                sent += 1;
            }
            if sent > received + 4 {
                return Err(Breach::unlike("on the way to a slow reader", 4, sent - received).into());
            }
            match rx.end.try_receive().step("receiving from a flood")? {
                Some(message) => break message,
                None if Instant::now() < deadline => wait(&rx.bell, rx.end.channel()),
                None => return Err(Breach::unlike("receiving from a flood", "a message", "none").into()),
            }
        };
        let value = message.received::<Vec<u8>>().step("receiving from a flood")?;
        if value.len() != SIZE {
            return Err(Breach::unlike("length of a value of a flood", SIZE, value.len()).into());
        }
    }
    Ok(())
}

/// Bytes of memory that this process has, shared memory left out; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

pub(super) fn counted(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(4))?;
    (0..3).try_for_each(|number| tx.number(number))?;
    let traffic = tx.end.traffic();
    if (traffic.sent, traffic.received, traffic.waiting()) != (3, 0, 3) {
        return Err(Breach::unlike("traffic of three that were sent", (3, 0, 3), traffic).into());
    }
    rx.number(0)?;
    rx.number(1)?;
    let bell = tx.bell.clone();
    until("two of three were received, and one was settled", &bell, || {
        let traffic = tx.end.traffic();
        ((traffic.sent, traffic.received, traffic.settled) == (3, 2, 1), traffic)
    })?;
    rx.end.settle();
    until("both were settled", &bell, || {
        let traffic = tx.end.traffic();
        ((traffic.received, traffic.settled, traffic.in_hand()) == (2, 2, 0), traffic)
    })?;
    until("the receiver counts the same", &rx.bell, || {
        let (traffic, waiting) = (rx.end.traffic(), rx.end.waiting());
        (
            (traffic.sent, traffic.received, traffic.settled, waiting >= 1) == (3, 2, 2, true),
            (traffic, waiting),
        )
    })?;
    rx.number(2)?;
    match rx.end.waiting() {
        0 => Ok(()),
        found => Err(Breach::unlike("messages that wait after the last", 0, found).into()),
    }
}
