//! Tests: a driver and workers as machines, in every order of events for small cases, and in random ones for others.
//!
//! Processes are killed and started again, operators end, fail and are interrupted, at any moment. Invariant that is
//! tested: never two owners of a fragment, and never stuck.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{
    description::Description,
    driver::{self, Alarm, Crossing, Driver, Setup},
    paths::Offer,
    words::{Answer, Cause, Hello, HostId, Order, Outcome, Resources, Wants, Word, WorkerId},
    worker::{self, Leave, Worker},
};

/// What is on its way from a worker to the driver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Up {
    Hello,
    Word(Word),
    Left,
}

/// What is on its way from the driver to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Down {
    Answer(Answer),
    Order(Order),
    Gone,
}

/// A process, living or dead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    id: WorkerId,
    wants: Wants,
    machine: Worker,
    alive: bool,
    /// The fragments that it has prepared, until they have ended.
    fragments: Vec<u32>,
    preparing: bool,
    running: bool,
    asked_to_stop: bool,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
    left: Option<Leave>,
}

/// All of it.
#[derive(Clone, Debug)]
struct World {
    driver: Driver,
    driver_alive: bool,
    alarms: BTreeSet<Alarm>,
    over: Option<Outcome>,
    processes: Vec<Process>,
    /// Workers that can still be started, by what they want.
    unborn: Vec<Wants>,
    kills: usize,
    failures: usize,
    signals: usize,
    driver_kills: usize,
}

/// Something that can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Start(usize),
    Up(usize),
    Down(usize),
    Alarm(Alarm),
    /// Its links are open.
    Opens(usize),
    Ends(usize),
    Fails(usize),
    /// With what it has said still arriving, or not.
    Kill(usize, bool),
    Signal(usize),
    SignalDriver,
    KillDriver,
}

fn named(names: &[&str]) -> Wants {
    Wants::Fragments(names.iter().map(ToString::to_string).collect())
}

impl World {
    fn new(fragments: &[&str], waits: bool, workers: Vec<Wants>) -> Self {
        let crossings =
            (1..fragments.len()).map(|at| Crossing { connection: at - 1, from: at - 1, to: at }).collect();
        let description = Description::default();
        let setup = Setup {
            application: "app".into(),
            run: "1".into(),
            fragments: fragments.iter().map(|name| (name.to_string(), 1)).collect(),
            crossings,
            connections: fragments.len() - 1,
            digest: description.digest(),
            description,
            waits,
            watched: 0,
            forced: None,
            encrypted: false,
            transports: Vec::new(),
            expected: 0,
        };
        World {
            driver: Driver::new(Arc::new(setup)),
            driver_alive: true,
            alarms: BTreeSet::new(),
            over: None,
            processes: Vec::new(),
            unborn: workers,
            kills: 0,
            failures: 0,
            signals: 0,
            driver_kills: 0,
        }
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        // Workers that want the same are the same: the first of them is as good as any.
        let first = |at: &usize| !self.unborn[..*at].contains(&self.unborn[*at]);
        if self.driver_alive && self.over.is_none() {
            steps.extend((0..self.unborn.len()).filter(first).map(Step::Start));
            steps.extend(self.alarms.iter().copied().map(Step::Alarm));
            if self.signals > 0 {
                steps.push(Step::SignalDriver);
            }
            if self.driver_kills > 0 {
                steps.push(Step::KillDriver);
            }
        }
        for (at, process) in self.processes.iter().enumerate() {
            if !process.up.is_empty() && self.driver_alive && self.over.is_none() {
                steps.push(Step::Up(at));
            }
            if !process.alive {
                continue;
            }
            if !process.down.is_empty() {
                steps.push(Step::Down(at));
            }
            if process.preparing {
                steps.push(Step::Opens(at));
            }
            if process.running {
                steps.push(Step::Ends(at));
                if self.failures > 0 && !process.asked_to_stop {
                    steps.push(Step::Fails(at));
                }
            }
            if self.kills > 0 {
                steps.extend([Step::Kill(at, true), Step::Kill(at, false)]);
            }
            if self.signals > 0 {
                steps.push(Step::Signal(at));
            }
        }
        steps
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Start(which) => {
                let (machine, actions) = Worker::new();
                self.processes.push(Process {
                    id: WorkerId(format!("w{}", self.processes.len())),
                    wants: self.unborn.remove(which),
                    machine,
                    alive: true,
                    fragments: Vec::new(),
                    preparing: false,
                    running: false,
                    asked_to_stop: false,
                    up: VecDeque::new(),
                    down: VecDeque::new(),
                    left: None,
                });
                self.work(self.processes.len() - 1, actions);
            }
            Step::Up(at) => {
                let event = match self.processes[at].up.pop_front() {
                    Some(Up::Hello) => driver::Event::Hello(self.hello(at)),
                    Some(Up::Word(word)) => driver::Event::Said(self.processes[at].id.clone(), word),
                    Some(Up::Left) => driver::Event::Left(self.processes[at].id.clone()),
                    None => return,
                };
                self.drive(event, Some(at));
            }
            Step::Down(at) => {
                let event = match self.processes[at].down.pop_front() {
                    Some(Down::Answer(answer)) => worker::Event::Answered(answer),
                    Some(Down::Order(order)) => worker::Event::Ordered(order),
                    Some(Down::Gone) => worker::Event::DriverGone,
                    None => return,
                };
                self.happens(at, event);
            }
            Step::Alarm(alarm) => {
                self.alarms.remove(&alarm);
                self.drive(driver::Event::Alarm(alarm), None);
            }
            Step::Opens(at) => {
                self.processes[at].preparing = false;
                self.happens(at, worker::Event::Prepared);
            }
            Step::Ends(at) => {
                self.processes[at].running = false;
                self.processes[at].fragments.clear();
                self.happens(at, worker::Event::Ended);
            }
            Step::Fails(at) => {
                self.failures -= 1;
                let what = String::from("it failed");
                let cause =
                    Cause { operator: "a.x".into(), fragments: vec!["a".into()], worker: "w".into(), what };
                self.happens(at, worker::Event::Failed(cause));
            }
            Step::Kill(at, said) => {
                self.kills -= 1;
                if !said {
                    self.processes[at].up.clear();
                }
                self.dies(at);
            }
            Step::Signal(at) => {
                self.signals -= 1;
                self.happens(at, worker::Event::Interrupted(2));
            }
            Step::SignalDriver => {
                self.signals -= 1;
                self.drive(driver::Event::Interrupted(2), None);
            }
            Step::KillDriver => {
                self.driver_kills -= 1;
                self.driver_alive = false;
                self.processes.iter_mut().for_each(|process| process.down.push_back(Down::Gone));
            }
        }
        self.check();
    }

    fn hello(&self, at: usize) -> Box<Hello> {
        Box::new(Hello {
            worker: self.processes[at].id.clone(),
            application: "app".into(),
            name: self.processes[at].id.0.clone(),
            wants: self.processes[at].wants.clone(),
            host: HostId::default(),
            resources: Resources { cores: 1, memory: 1 },
            transports: vec![Offer { name: "zenoh".into(), version: 1, within_host: false }],
            digest: Description::default().digest(),
            description: None,
        })
    }

    fn drive(&mut self, event: driver::Event, from: Option<usize>) {
        for action in self.driver.handle(event) {
            match action {
                driver::Action::Answer(answer) => {
                    self.processes[from.expect("a hello came")].down.push_back(Down::Answer(answer));
                }
                driver::Action::Order(to, order) => {
                    let process =
                        self.processes.iter_mut().find(|process| process.id == to).expect("it is known");
                    process.down.push_back(Down::Order(order));
                }
                driver::Action::Alarm(alarm) => {
                    self.alarms.insert(alarm);
                }
                driver::Action::Silence(alarm) => {
                    self.alarms.remove(&alarm);
                }
                driver::Action::Notice(_) => {}
                driver::Action::Over(outcome) => {
                    assert!(self.over.replace(outcome).is_none(), "it was over before");
                    self.processes.iter_mut().for_each(|process| process.down.push_back(Down::Gone));
                }
            }
        }
    }

    fn happens(&mut self, at: usize, event: worker::Event) {
        let actions = self.processes[at].machine.handle(event);
        self.work(at, actions);
    }

    fn work(&mut self, at: usize, actions: Vec<worker::Action>) {
        for action in actions {
            let process = &mut self.processes[at];
            match action {
                worker::Action::Hello { .. } => process.up.push_back(Up::Hello),
                worker::Action::Say(word) => process.up.push_back(Up::Word(word)),
                worker::Action::Prepare(plan) => {
                    assert!(process.fragments.is_empty(), "fragments are prepared once");
                    process.fragments = plan.yours;
                    process.preparing = true;
                }
                worker::Action::Cancel if process.preparing => {}
                worker::Action::Cancel => process.fragments.clear(),
                worker::Action::Start => {
                    assert!(!process.running && !process.fragments.is_empty());
                    process.running = true;
                }
                worker::Action::Stop(_) => {
                    assert!(process.running && !process.asked_to_stop, "it is asked to stop once");
                    process.asked_to_stop = true;
                }
                worker::Action::Over(leave) => {
                    process.left = Some(leave);
                    self.dies(at);
                }
            }
        }
    }

    fn dies(&mut self, at: usize) {
        let process = &mut self.processes[at];
        process.alive = false;
        process.preparing = false;
        process.running = false;
        process.fragments.clear();
        process.down.clear();
        process.up.push_back(Up::Left);
    }

    /// What must hold at any moment.
    fn check(&self) {
        let mut owned = BTreeSet::new();
        for process in self.processes.iter().filter(|process| process.alive) {
            for fragment in &process.fragments {
                assert!(owned.insert(fragment), "fragment {fragment} has two owners: {self:#?}");
            }
        }
    }

    /// What must hold when nothing happens any more; until it does, somebody presses Ctrl-C.
    fn check_the_end(&mut self) {
        for _ in 0..4 {
            if self.over.is_some() || !self.driver_alive {
                break;
            }
            self.signals = 1;
            self.take(Step::SignalDriver);
            while let Some(step) = self.steps().into_iter().find(|step| !matches!(step, Step::Start(_))) {
                self.take(step);
            }
        }
        assert!(self.over.is_some() || !self.driver_alive, "the driver is stuck: {self:#?}");
        for process in &self.processes {
            assert!(!process.alive, "{} is stuck: {self:#?}", process.id);
            if let (Some(Leave::Outcome(outcome)), Some(over)) = (&process.left, &self.over) {
                let own = matches!(outcome, Outcome::Interrupted { .. });
                assert!(
                    own || outcome == over,
                    "{} left with {outcome:?}, the driver with {over:?}",
                    process.id
                );
            }
            if let Some(Leave::DriverGone) = process.left {
                let may = !self.driver_alive || matches!(self.over, Some(Outcome::Stuck { .. }));
                assert!(may || self.alarms.is_empty(), "{self:#?}");
            }
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.driver.state, self.driver_alive, &self.alarms, &self.over, &self.processes).hash(&mut hasher);
        (&self.unborn, self.kills, self.failures, self.signals, self.driver_kills).hash(&mut hasher);
        hasher.finish()
    }

    /// Every order of events; how many states there are, and in how many of them nothing happens any more.
    fn explore(self, at_the_end: impl Fn(&Self)) -> (usize, usize) {
        let (mut seen, mut ends) = (HashSet::from([self.hash()]), 0);
        let mut todo = vec![self];
        while let Some(world) = todo.pop() {
            let steps = world.steps();
            if steps.is_empty() {
                ends += 1;
                at_the_end(&world);
                world.clone().check_the_end();
            }
            for step in steps {
                let mut next = world.clone();
                next.take(step);
                if seen.insert(next.hash()) {
                    todo.push(next);
                }
            }
        }
        (seen.len(), ends)
    }
}

/// A generator of numbers; each seed gives its own series.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// It came to its end without anybody's help.
fn done(world: &World) {
    assert_eq!(world.over, Some(Outcome::Done), "{world:#?}");
}

#[test]
fn two_workers_by_name_in_every_order() {
    for waits in [false, true] {
        let world = World::new(&["a", "b"], waits, vec![named(&["a"]), named(&["b"])]);
        let (states, ends) = world.explore(done);
        assert!(states > 100 && ends > 0, "{states} {ends}");
    }
}

#[test]
fn two_workers_that_want_the_same_in_every_order() {
    let world = World::new(&["a", "b"], false, vec![named(&["a", "b"]), named(&["a", "b"])]);
    assert!(world.explore(done).1 > 0);
    let world = World::new(&["a", "b"], false, vec![Wants::All, Wants::All]);
    assert!(world.explore(done).1 > 0);
}

#[test]
fn a_kill_at_every_moment() {
    // Without waiting it ends, unless a worker was killed before the start; with it, another one of `a` can take its place.
    for (waits, more) in [(false, None), (true, Some(named(&["a"])))] {
        let workers = [named(&["a"]), named(&["b"])].into_iter().chain(more).collect();
        let world = World { kills: 1, ..World::new(&["a", "b"], waits, workers) };
        let (states, ends) = world.explore(|world| {
            assert!(world.over.is_some() || world.kills == 0, "{world:#?}");
        });
        assert!(states > 1_000 && ends > 0, "{states} {ends}");
    }
}

#[test]
fn a_lost_worker_is_waited_for_at_every_moment() {
    let workers = vec![Wants::All, Wants::All];
    let world = World { kills: 1, ..World::new(&["a"], true, workers) };
    assert!(world.explore(done).1 > 0);
}

#[test]
fn a_worker_comes_back_after_its_neighbour_was_done_and_left() {
    let workers = vec![named(&["a"]), named(&["b"]), named(&["b"])];
    let mut world = World { kills: 2, ..World::new(&["a", "b"], true, workers) };
    let told = |world: &mut World| {
        let told = |step: &Step| matches!(step, Step::Up(_) | Step::Down(_) | Step::Opens(_));
        while let Some(step) = world.steps().into_iter().find(told) {
            world.take(step);
        }
    };
    let (start, end, kill) = (Step::Start, Step::Ends, |at| Step::Kill(at, true));
    for step in [start(0), start(0), end(0), kill(0), kill(1), start(0), end(2)] {
        world.take(step);
        told(&mut world);
    }
    done(&world);
}

#[test]
fn a_failure_and_a_signal_at_every_moment() {
    let workers = vec![named(&["a"]), named(&["b"])];
    let world = World { failures: 1, signals: 1, ..World::new(&["a", "b"], false, workers) };
    assert!(world.explore(|_| {}).1 > 0);
}

#[test]
fn the_driver_killed_at_every_moment() {
    let workers = vec![named(&["a"]), Wants::All];
    let world = World { driver_kills: 1, ..World::new(&["a", "b"], true, workers) };
    assert!(world.explore(|_| {}).1 > 0);
}

#[test]
fn anything_at_random() {
    let all = ["a", "b", "c", "d"];
    for seed in 1..2_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let wants = |random: &mut Random| match random.below(4) {
            0 => Wants::All,
            1 => named(&[all[random.below(4)], all[random.below(4)]]),
            _ => named(&[all[random.below(4)]]),
        };
        let workers = (0..3 + random.below(8)).map(|_| wants(&mut random)).collect();
        let mut world = World::new(&all[..1 + random.below(4)], random.below(2) == 0, workers);
        world.kills = random.below(4);
        world.failures = random.below(2);
        world.signals = random.below(2);
        world.driver_kills = usize::from(random.below(8) == 0);
        let mut steps = world.steps();
        while !steps.is_empty() {
            world.take(steps[random.below(steps.len())]);
            steps = world.steps();
        }
        world.check_the_end();
    }
}
