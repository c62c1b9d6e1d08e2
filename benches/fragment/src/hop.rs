//! One message at a time: from before it is sent to when the thread that slept for it has it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use podwire_fragment::Application;
use rustix::thread::futex;

use crate::{
    Effort, head, in_turns,
    operators::{Arrivals, Clock, run},
    row,
};

/// Long enough for the receiver to fall asleep.
const PAUSE: Duration = Duration::from_micros(100);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Subject {
    Futex,
    Condvar,
    Mpsc,
    Crossbeam,
    Operators,
}

const SUBJECTS: [(Subject, &str); 5] = [
    (Subject::Futex, "a bare futex"),
    (Subject::Condvar, "`Mutex` and `Condvar`"),
    (Subject::Mpsc, "`mpsc::sync_channel`"),
    (Subject::Crossbeam, "`crossbeam_channel::bounded`"),
    (Subject::Operators, "`emit` to `receive`"),
];

pub fn measure(effort: Effort) {
    head("One hop to a thread that sleeps, microseconds", "", &["least", "median", "over the futex"]);
    let times = in_turns(&SUBJECTS, effort.rounds, |(subject, _)| turn(subject, effort.hops));
    for ((_, name), (least, median)) in SUBJECTS.iter().zip(&times) {
        row(name, &[format!("{least:.2}"), format!("{median:.2}"), format!("{:.2}", median / times[0].1)]);
    }
}

/// Microseconds of one hop.
fn turn(subject: Subject, hops: u64) -> f64 {
    let nanoseconds = match subject {
        Subject::Futex => bare_futex(hops),
        Subject::Condvar => condvar(hops),
        Subject::Mpsc => {
            let (sender, receiver) = mpsc::sync_channel(4);
            between(hops, move |time| sender.send(time).is_ok(), move || receiver.recv().ok())
        }
        Subject::Crossbeam => {
            let (sender, receiver) = crossbeam_channel::bounded(4);
            between(hops, move |time| sender.send(time).is_ok(), move || receiver.recv().ok())
        }
        Subject::Operators => operators(hops),
    };
    nanoseconds as f64 / hops as f64 / 1000.0
}

/// Sends from this thread, receives on another one; the sum of the times in between.
fn between(
    hops: u64,
    send: impl Fn(Instant) -> bool,
    receive: impl FnMut() -> Option<Instant> + Send + 'static,
) -> u64 {
    let mut receive = receive;
    let receiver = thread::spawn(move || {
        let mut sum = 0;
        for _ in 0..hops {
            sum += receive().expect("it is sent").elapsed().as_nanos() as u64;
        }
        sum
    });
    for _ in 0..hops {
        thread::sleep(PAUSE);
        assert!(send(Instant::now()));
    }
    receiver.join().expect("it receives")
}

fn condvar(hops: u64) -> u64 {
    let shared = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
    let received = Arc::clone(&shared);
    between(
        hops,
        move |time| {
            shared.0.lock().expect("nobody panics").push_back(time);
            shared.1.notify_one();
            true
        },
        move || {
            let mut queue = received.0.lock().expect("nobody panics");
            while queue.is_empty() {
                queue = received.1.wait(queue).expect("nobody panics");
            }
            queue.pop_front()
        },
    )
}

fn bare_futex(hops: u64) -> u64 {
    let begin = Instant::now();
    let shared = Arc::new((AtomicU32::new(0), AtomicU64::new(0)));
    let received = Arc::clone(&shared);
    let mut seen = 0;
    between(
        hops,
        move |time| {
            shared.1.store((time - begin).as_nanos() as u64, Relaxed);
            shared.0.fetch_add(1, SeqCst);
            let _ = futex::wake(&shared.0, futex::Flags::PRIVATE, 1);
            true
        },
        move || {
            while received.0.load(SeqCst) == seen {
                let _ = futex::wait(&received.0, futex::Flags::PRIVATE, seen, None);
            }
            seen += 1;
            Some(begin + Duration::from_nanos(received.1.load(Relaxed)))
        },
    )
}

fn operators(hops: u64) -> u64 {
    let sum = Arc::new(AtomicU64::new(0));
    let mut app = Application::new(["hop"]);
    app.add_operator("clock", Clock { count: hops, period: Some(PAUSE) });
    app.add_operator("arrivals", Arrivals { capacity: 4, sum: Arc::clone(&sum) });
    app.add_flow("clock", "arrivals", [("out", "in")]);
    run(app);
    sum.load(Relaxed)
}
