//! Workers that are killed at random, and come back.
//!
//! A source, an operator that hands on, and a sink run in a process each; whichever is killed is started again. Each notes
//! in files, which outlive it, what it sends before and after it sends it, and what it has received. In the end each
//! message whose `emit` returned `Ok` must have been received once and in order, or be among those that the driver's report
//! counts as lost: messages that were in the hands of a receiver when it was killed. `PODWIRE_STORM_KILLS` sets the number
//! of kills, `PODWIRE_STORM_SEED` the seed; `scripts/storm-fragments` sets both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use podwire_fragment::{
    Application, Context, Ended, Input, Operator, OperatorSpec, Output, Report, Result, WorkerLost,
};
use rustix::process::Signal;

use crate::{
    applications::fragment,
    processes::{Place, Process},
};

/// Which incarnation of its sender sent a message, and as its how manieth.
type Parcel = (u64, u64);

/// Nothing may take longer from one received message to the next.
const STALL: Duration = Duration::from_secs(10);
/// On a busy machine, who does not answer for a while is not lost: here only those are who are killed.
const PATIENT: (&str, &str) = ("PODWIRE_LEASE", "60000");
const LINKS: [(&str, &str); 2] = [("s-m", "s.source.out>m.pass.in"), ("m-r", "m.pass.out>r.sink.in")];

pub(crate) fn compose(app: &mut Application) {
    fragment(app, "s", [("source", Relay::new(None, Some("s-m")))]);
    fragment(app, "m", [("pass", Relay::new(Some("s-m"), Some("m-r")))]);
    fragment(app, "r", [("sink", Relay::new(Some("m-r"), None))]);
    app.add_flow("s", "m", [("source.out", "pass.in")]);
    app.add_flow("m", "r", [("pass.out", "sink.in")]);
    app.when_worker_lost(WorkerLost::Wait);
}

/// What a process of the storm says in the end.
pub(crate) fn conclude(report: &Report) -> ExitCode {
    for connection in &report.connections {
        println!("@ lost {} {}", connection.name, connection.counts.lost);
        println!("@ {:?}", connection.counts);
    }
    if matches!(report.ended, Ended::Interrupted { .. }) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Receives, notes, and sends parcels of its own.
struct Relay {
    from: Option<&'static str>,
    to: Option<&'static str>,
    sent: u64,
    notes: Option<Notes>,
}

struct Notes {
    incarnation: u64,
    received: File,
    tried: File,
    sent: File,
}

impl Relay {
    fn new(from: Option<&'static str>, to: Option<&'static str>) -> Self {
        Self { from, to, sent: 0, notes: None }
    }
}

impl Operator for Relay {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.register_codec::<Parcel>("parcel")?;
        match self.from {
            Some(_) => drop(spec.input::<Parcel>("in").capacity(8)),
            None => drop(spec.period(Duration::from_micros(500))),
        }
        if self.to.is_some() {
            spec.output::<Parcel>("out");
        }
        Ok(())
    }

    fn start(&mut self, _: &mut Context) -> Result {
        let directory = PathBuf::from(std::env::var("PODWIRE_STORM_NOTES")?);
        let open = |link: Option<&str>, what: &str| {
            let path = directory.join(format!("{}.{what}", link.unwrap_or("none")));
            OpenOptions::new().append(true).create(true).open(path)
        };
        self.notes = Some(Notes {
            incarnation: std::env::var("PODWIRE_STORM_INCARNATION")?.parse()?,
            received: open(self.from, "received")?,
            tried: open(self.to, "tried")?,
            sent: open(self.to, "sent")?,
        });
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        let Some(notes) = &mut self.notes else { return Err("it was not started".into()) };
        if self.from.is_some() {
            note(&mut notes.received, *input.receive::<Parcel>("in")?)?;
        }
        if self.to.is_some() {
            let parcel = (notes.incarnation, self.sent);
            note(&mut notes.tried, parcel)?;
            output.emit("out", parcel)?;
            note(&mut notes.sent, parcel)?;
            self.sent += 1;
        }
        Ok(())
    }
}

/// Notes a parcel in one step, so that a note is there whole or not at all.
fn note(file: &mut File, (incarnation, number): Parcel) -> std::io::Result<()> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&incarnation.to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    file.write_all(&bytes)
}

fn notes(directory: &Path, link: &str, what: &str) -> Vec<Parcel> {
    let bytes = std::fs::read(directory.join(format!("{link}.{what}"))).unwrap_or_default();
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    bytes.chunks_exact(16).map(|note| (number(&note[..8]), number(&note[8..]))).collect()
}

/// What was found wrong.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    unreported: u64,
    twice: u64,
    out_of_order: u64,
    stuck: u64,
    left: usize,
}

impl Verdict {
    /// Compares what was sent and received over a link with what was reported as lost; at most so many receivers died.
    fn link(&mut self, directory: &Path, link: &str, reported: u64, kills: u64) {
        let received = notes(directory, link, "received");
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        let mut newest = 0;
        for (incarnation, number) in &received {
            let before = last.insert(*incarnation, *number);
            self.out_of_order += u64::from(*incarnation < newest || before.is_some_and(|it| it > *number));
            newest = newest.max(*incarnation);
        }
        let once: BTreeSet<Parcel> = received.iter().copied().collect();
        self.twice += (received.len() - once.len()) as u64;
        let tried: BTreeSet<Parcel> = notes(directory, link, "tried").into_iter().collect();
        self.out_of_order += once.difference(&tried).count() as u64;
        let missing =
            notes(directory, link, "sent").iter().filter(|parcel| !once.contains(parcel)).count() as u64;
        // A message that was noted by its receiver, which was killed before it was done with it, is reported as well; and so
        // is one that was received though its sender was killed before it could note that it was sent.
        let wrong = missing.saturating_sub(reported) + reported.saturating_sub(missing + kills);
        if wrong > 0 {
            println!(
                "{link}: {missing} are missing, {reported} are reported as lost, {kills} receivers were killed"
            );
        }
        self.unreported += wrong;
    }
}

struct Storm {
    place: Place,
    notes: PathBuf,
    driver: Process,
    workers: Vec<(&'static str, Process, u64)>,
}

impl Storm {
    fn start(&self, name: &'static str, incarnation: u64) -> (&'static str, Process, u64) {
        let incarnation_text = incarnation.to_string();
        let environment = [
            ("PODWIRE_STORM_NOTES", self.notes.to_str().unwrap()),
            ("PODWIRE_STORM_INCARNATION", &incarnation_text),
            PATIENT,
        ];
        (name, self.place.start("storm", &["--worker", "--fragments", name], &environment), incarnation)
    }

    /// Waits until the sink has received something more. False if nothing comes.
    fn goes_on(&self) -> bool {
        let path = self.notes.join("m-r.received");
        let size = || std::fs::metadata(&path).map_or(0, |found| found.len());
        let (begun, before) = (Instant::now(), size());
        while size() == before {
            if begun.elapsed() > STALL {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    fn kill(&mut self, which: usize) {
        let (name, process, incarnation) = &mut self.workers[which];
        process.kill();
        let (name, next) = (*name, *incarnation + 1);
        self.workers[which] = self.start(name, next);
    }
}

#[test]
fn kills_at_random_lose_nothing_that_is_not_reported() {
    let setting =
        |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (kills, seed) = (setting("PODWIRE_STORM_KILLS", 20), setting("PODWIRE_STORM_SEED", 1));
    let begun = Instant::now();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };

    let place = Place::new();
    let notes = std::env::temp_dir().join(format!("podwire-storm-{}", std::process::id()));
    std::fs::create_dir_all(&notes).unwrap();
    let driver = place.start("storm", &["--driver"], &[PATIENT]);
    let mut storm = Storm { place, notes, driver, workers: Vec::new() };
    storm.workers = ["s", "m", "r"].into_iter().map(|name| storm.start(name, 0)).collect();

    let mut verdict = Verdict::default();
    let mut done = 0;
    while done < kills && verdict.stuck == 0 {
        if below(5) == 0 {
            // While they start, join, or come back.
            std::thread::sleep(Duration::from_millis(below(60)));
        } else if !storm.goes_on() {
            verdict.stuck += 1;
            break;
        }
        std::thread::sleep(Duration::from_micros(below(20_000)));
        for _ in 0..=(below(10) / 8).min(kills - done - 1) {
            storm.kill(below(3) as usize);
            done += 1;
        }
    }
    verdict.stuck += u64::from(verdict.stuck == 0 && !storm.goes_on());
    let heard = end(&mut storm, &mut verdict);
    let killed: BTreeMap<&str, u64> = storm.workers.iter().map(|(name, _, kills)| (*name, *kills)).collect();
    for (link, connection) in LINKS {
        let line = heard.lines().find_map(|line| Some(line.split_once(&format!("@ lost {connection} "))?.1));
        let reported = line.map_or(0, |text| text.parse().unwrap());
        verdict.link(&storm.notes, link, reported, killed[link.split_once('-').unwrap().1]);
    }
    verdict.left = storm.place.left().len();
    if verdict != Verdict::default() {
        println!("the driver said:\n{}", storm.driver.said());
        storm.workers.iter().for_each(|(name, worker, _)| println!("{name} said:\n{}", worker.said()));
    }
    let Verdict { unreported, twice, out_of_order, stuck, left } = verdict;
    let seconds = begun.elapsed().as_secs();
    println!(
        "kills {done}, lost unreported {unreported}, twice {twice}, out of order {out_of_order}, stuck {stuck}, \
         left {left}, seed {seed}, seconds {seconds}"
    );
    let _ = std::fs::remove_dir_all(&storm.notes);
    assert_eq!(verdict, Verdict::default());
    assert_eq!(done, kills);
}

/// Ends the application in order; what the driver said.
fn end(storm: &mut Storm, verdict: &mut Verdict) -> String {
    storm.driver.signal(Signal::TERM);
    let begun = Instant::now();
    let ended = |storm: &mut Storm| {
        let workers = storm.workers.iter_mut().all(|(_, process, _)| process.ended().is_some());
        workers && storm.driver.ended().is_some()
    };
    while !ended(storm) {
        if begun.elapsed() > STALL {
            verdict.stuck += 1;
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    storm.driver.said()
}
