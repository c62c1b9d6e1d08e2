//! Cases of closing, coming back, and dying.

use super::{
    Breach, Stop, Tried,
    bench::{Bench, Rx, Step, Tx, closed, died, until},
};
use crate::{
    message::Message,
    transport::{LinkError, Peer},
};

pub(super) fn close(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(4))?;
    (0..3).try_for_each(|number| tx.number(number))?;
    rx.number(0)?;
    tx.end.close();
    rx.number(1)?;
    rx.number(2)?;
    let bell = tx.bell.clone();
    until("a closed sender sees what becomes of its messages", &bell, || {
        (tx.end.traffic().received == 3, tx.end.traffic())
    })?;
    drop(tx);
    for step in ["receiving after the last message", "receiving after that"] {
        rx.fails(step, closed)?;
    }
    let found = (rx.end.peer(), rx.end.waiting());
    if found != (Peer::Closed, 0) {
        return Err(Breach::unlike("what is known of a closed sender", (Peer::Closed, 0), found).into());
    }

    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    tx.number(0)?;
    rx.number(0)?;
    drop(rx);
    tx.fails("sending to a closed receiver", closed)?;
    match tx.end.peer() {
        Peer::Closed => Ok(()),
        found => Err(Breach::unlike("what is known of a closed receiver", Peer::Closed, found).into()),
    }
}

pub(super) fn reopen(bench: &mut Bench<'_>) -> Tried {
    if bench.once {
        return Err(Stop::Skip("each end is opened once"));
    }
    let link = bench.link(3);
    let (mut tx, mut rx) = bench.ends(&link)?;
    meet(&mut tx, &mut rx, 1 << 32)?;
    for round in 0..12_u64 {
        if round % 3 != 1 {
            drop(tx);
            rx.fails("receiving when the sender is closed", closed)?;
            tx = bench.sender(&link)?;
            meet(&mut tx, &mut rx, (1 << 33) + round)?;
        }
        if round % 3 != 0 {
            drop(rx);
            tx.fails("sending when the receiver is closed", closed)?;
            rx = bench.receiver(&link)?;
            let bell = tx.bell.clone();
            until("the sender sees the new receiver", &bell, || {
                (tx.end.peer() == Peer::Attached, tx.end.peer())
            })?;
            meet(&mut tx, &mut rx, (1 << 34) + round)?;
        }
    }
    Ok(())
}

/// Sends a number that the receiver must get. It may take a moment until it sees a new sender, and what was sent before a
/// close was seen may still be there.
fn meet(tx: &mut Tx, rx: &mut Rx, number: u64) -> Result<(), Breach> {
    let bell = rx.bell.clone();
    let mut sent = false;
    until(&format!("receiving number {number} after a return"), &bell, || {
        sent = sent || tx.end.try_send(&Message::new(number)).is_ok();
        let received = rx.end.try_receive();
        let found = matches!(&received, Ok(Some(message)) if message.value().downcast_ref() == Some(&number));
        (found, received)
    })
}

pub(super) fn sender_dies(bench: &mut Bench<'_>) -> Tried {
    let link = bench.link(8);
    let mut puppet = bench.puppet("sender", &link)?;
    let mut rx = bench.receiver(&link)?;
    puppet.tell("send 1000000")?;
    (0..100).try_for_each(|number| rx.number(number))?;
    puppet.kill()?;
    let mut sent = 0;
    while let Some(number) = puppet.hear()? {
        sent = number.parse::<u64>().step("what a process says")? + 1;
    }
    let mut next = 100;
    loop {
        match crate::transport::receive(&mut *rx.end, &rx.bell, super::bench::LONG) {
            Ok(Some(message)) if message.value().downcast_ref() == Some(&next) => next += 1,
            Err(error) if died(&error) => break,
            other => return Err(Breach::unlike("receiving from a dead sender", next, other).into()),
        }
    }
    if bench.outlives && next < sent {
        return Err(Breach::unlike("messages that a dead sender had sent", sent, next).into());
    }
    match rx.end.peer() {
        Peer::Died => {}
        found => return Err(Breach::unlike("what is known of a dead sender", Peer::Died, found).into()),
    }
    let mut puppet = bench.puppet("sender", &link)?;
    puppet.tell("from 5000000")?;
    puppet.tell("send 20")?;
    let deadline = std::time::Instant::now() + super::bench::LONG;
    let mut next = 5_000_000_u64;
    while next < 5_000_020 {
        match crate::transport::receive(&mut *rx.end, &rx.bell, super::bench::LONG) {
            Ok(Some(message)) if message.value().downcast_ref() == Some(&next) => next += 1,
            // It takes a moment until the new one is there.
            Err(error) if died(&error) && std::time::Instant::now() < deadline => {
                super::bench::wait(&rx.bell, rx.end.channel());
            }
            other => return Err(Breach::unlike("receiving from the next sender", next, other).into()),
        }
    }
    puppet.tell("close")?;
    Ok(rx.fails("receiving when the next sender is closed", closed)?)
}

pub(super) fn receiver_dies(bench: &mut Bench<'_>) -> Tried {
    let link = bench.link(4);
    let mut tx = bench.sender(&link)?;
    let mut puppet = bench.puppet("receiver", &link)?;
    puppet.tell("receive 3")?;
    for number in 0..3 {
        tx.number(number)?;
        puppet.expect(&number.to_string())?;
    }
    let bell = tx.bell.clone();
    until("three were received, and two were settled", &bell, || {
        let traffic = tx.end.traffic();
        ((traffic.received, traffic.settled) == (3, 2), traffic)
    })?;
    puppet.kill()?;
    let sent = tx.fails("sending to a dead receiver", died)?;
    if sent > 4 {
        return Err(Breach::unlike("messages that a dead receiver was sent", 4, sent).into());
    }
    let traffic = tx.end.traffic();
    let (wanted, found) = ((3 + sent, sent, 1), (traffic.sent, traffic.waiting(), traffic.in_hand()));
    if wanted != found || tx.end.peer() != Peer::Died {
        return Err(Breach::unlike("sent, waiting and in the hands of the dead", wanted, found).into());
    }
    // Another one gets what waits, and goes on.
    let mut puppet = bench.puppet("receiver", &link)?;
    puppet.tell(&format!("receive {}", sent + 10))?;
    for number in 0..sent {
        puppet.expect(&number.to_string())?;
    }
    let deadline = std::time::Instant::now() + super::bench::LONG;
    for number in 100..110_u64 {
        loop {
            match tx.end.try_send(&Message::new(number)) {
                Ok(()) => break,
                Err(LinkError::Full { .. } | LinkError::PeerDied { .. })
                    if std::time::Instant::now() < deadline =>
                {
                    super::bench::wait(&tx.bell, tx.end.channel());
                }
                Err(error) => return Err(Breach::unlike("sending to the next receiver", "Ok", error).into()),
            }
        }
        puppet.expect(&number.to_string())?;
    }
    puppet.tell("close")?;
    puppet.expect("closed")?;
    let unread = tx.fails("sending when the next receiver is closed", closed)?;
    // What the dead had in its hands went with it, whatever the next one settles.
    let (wanted, traffic) = ((sent + 13, sent + 12, unread), tx.end.traffic());
    let found = (traffic.received, traffic.settled, traffic.waiting());
    if wanted != found {
        return Err(Breach::unlike("received, settled and waiting after two receivers", wanted, found).into());
    }
    Ok(())
}
