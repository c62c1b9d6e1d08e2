//! Measures cells beside a calibration loop.
//!
//! Machines flip between speeds, and share their memory with neighbours. So the cells of a group take turns in random
//! order, a loop of known work runs before and after each sample, and a sample counts only if the slower one of the two
//! was within [`NEAR`] of the speed that the group was measured at: that of the loops at the lower quartile. What is
//! reported is the minimum and the median of those.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::random::Random;

/// A calibration loop that took so much longer or shorter than the group's says that the machine had another speed.
const NEAR: f64 = 1.08;
/// A sample is as many runs of a cell as take about so long.
const SAMPLE: Duration = Duration::from_micros(300);
/// A cell gets at least so many samples, whatever they take.
const FEWEST: usize = 20;
/// How many samples a cell gets where there is no hurry.
pub(crate) const ROUNDS: usize = 600;
/// How long the calibration loop runs at first, for the machine to find its speed.
const WARM_UP: Duration = Duration::from_millis(400);

/// One thing that is measured.
pub(crate) struct Cell {
    /// Who does it.
    pub(crate) subject: String,
    /// What is done.
    pub(crate) measure: &'static str,
    /// Bytes that it makes or reads.
    pub(crate) bytes: usize,
    /// Of what it handles how many.
    pub(crate) items: (&'static str, usize),
    run: Box<dyn FnMut()>,
    runs: u32,
    samples: Vec<Sample>,
    /// Seconds for the calibration loop at the speed at which its group was measured.
    speed: f64,
}

struct Sample {
    /// Seconds for one run.
    time: f64,
    /// Seconds for the slower one of the two calibration loops beside it.
    calibration: f64,
}

/// The figures of a cell, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// The fastest sample.
    pub(crate) minimum: f64,
    /// The middle one.
    pub(crate) median: f64,
    /// How many count.
    pub(crate) samples: usize,
}

/// How a group is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Codecs down, measures across.
    Codecs,
    /// Each cell over the first cell with its measure.
    Ratios,
    /// Time for an item, by how many there are.
    Growth,
}

/// Cells that are compared with each other.
pub(crate) struct Group {
    name: &'static str,
    title: String,
    style: Style,
    /// What the cells that are added next handle.
    items: (&'static str, usize),
    cells: Vec<Cell>,
}

impl Group {
    /// A group without cells.
    pub(crate) fn new(name: &'static str, style: Style, title: impl Into<String>) -> Self {
        Self { name, title: title.into(), style, items: ("", 1), cells: Vec::new() }
    }

    /// Adds a cell. `run` does its work once and hides the result from the optimiser.
    pub(crate) fn add(
        &mut self,
        subject: impl Into<String>,
        measure: &'static str,
        bytes: usize,
        run: impl FnMut() + 'static,
    ) {
        self.cells.push(Cell {
            subject: subject.into(),
            measure,
            bytes,
            items: self.items,
            run: Box::new(run),
            runs: 1,
            samples: Vec::new(),
            speed: 0.0,
        });
    }

    /// Cells that are added from now on handle so many of these.
    pub(crate) fn set_items(&mut self, of: &'static str, items: usize) {
        self.items = (of, items);
    }

    /// By what name its cells are called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// What the group is about.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// How it is printed.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The cells, in the order in which they were added.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The names by which [`repeat`](Self::repeat) and [`count`](Self::count) know the cells.
    pub(crate) fn cell_names(&self) -> impl Iterator<Item = String> {
        self.cells.iter().map(|cell| format!("{}/{}/{}", self.name, cell.subject, cell.measure))
    }

    /// Runs a cell so many times, and says whether it is here.
    pub(crate) fn repeat(&mut self, name: &str, times: u64) -> bool {
        let Some(run) = self.run_of(name) else { return false };
        (0..times).for_each(|_| run());
        true
    }

    /// Runs a cell once where a profiler sees it, after the runs in which it gets its memory; says whether it is here.
    pub(crate) fn count(&mut self, name: &str) -> bool {
        let Some(run) = self.run_of(name) else { return false };
        run();
        run();
        counted_run(run);
        true
    }

    fn run_of(&mut self, name: &str) -> Option<&mut dyn FnMut()> {
        let index = self.cell_names().position(|cell| cell == name)?;
        Some(&mut *self.cells[index].run)
    }
}

/// `scripts/instructions` counts what is done in here: it knows this name.
#[inline(never)]
fn counted_run(run: &mut dyn FnMut()) {
    run();
    // After it, so that it is a call and not a jump.
    black_box(());
}

/// Takes the samples.
pub(crate) struct Runner {
    rounds: usize,
    budget: Duration,
    order: Random,
    taken: usize,
    kept: usize,
}

impl Runner {
    /// A runner that takes so many samples of each cell, or, if that takes longer, as many as `budget` allows a group.
    pub(crate) fn new(rounds: usize, budget: Duration) -> Self {
        let runner = Self { rounds, budget, order: Random::new(1), taken: 0, kept: 0 };
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            calibrate();
        }
        runner
    }

    /// Measures all cells of a group, in turns.
    pub(crate) fn measure(&mut self, group: &mut Group) {
        for cell in &mut group.cells {
            (cell.run)();
            let start = Instant::now();
            (cell.run)();
            let once = start.elapsed().max(Duration::from_nanos(20));
            cell.runs = (SAMPLE.as_nanos() / once.as_nanos()).clamp(1, 100_000) as u32;
        }
        // Ratios of a few per cent are asked of what is bound by memory, which the loop cannot watch: more samples.
        let rounds = if group.style == Style::Ratios { 4 * self.rounds } else { self.rounds };
        let mut turns: Vec<usize> = (0..group.cells.len()).collect();
        let start = Instant::now();
        for round in 0..rounds {
            if round >= FEWEST && start.elapsed() > self.budget {
                break;
            }
            self.order.shuffle(&mut turns);
            for &turn in &turns {
                group.cells[turn].sample();
            }
        }
        let mut loops: Vec<f64> =
            group.cells.iter().flat_map(|cell| &cell.samples).map(|sample| sample.calibration).collect();
        loops.sort_by(f64::total_cmp);
        for cell in &mut group.cells {
            cell.speed = loops[loops.len() / 4];
            self.taken += cell.samples.len();
            self.kept += cell.good().len();
        }
    }
}

impl Cell {
    fn sample(&mut self) {
        // Another cell has used the caches: one run that is not counted.
        (self.run)();
        let before = calibrate();
        let start = Instant::now();
        for _ in 0..self.runs {
            (self.run)();
        }
        let time = start.elapsed().as_secs_f64() / f64::from(self.runs);
        let calibration = calibrate().max(before);
        self.samples.push(Sample { time, calibration });
    }

    /// The times that were taken at the speed of the group, in order of size.
    fn good(&self) -> Vec<f64> {
        let near = self.speed / NEAR..=self.speed * NEAR;
        let good = self.samples.iter().filter(|sample| near.contains(&sample.calibration));
        let mut times: Vec<f64> = good.map(|sample| sample.time).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// The figures; none if the machine had another speed all the time.
    pub(crate) fn figures(&self) -> Option<Figures> {
        let times = self.good();
        Some(Figures { minimum: *times.first()?, median: times[times.len() / 2], samples: times.len() })
    }
}

/// A loop whose every step waits for the one before, so that its time shows nothing but the clock's speed.
fn calibrate() -> f64 {
    let start = Instant::now();
    let mut word = black_box(1_u64);
    for _ in 0..20_000 {
        word = word.wrapping_mul(6_364_136_223_846_793_005) ^ (word >> 29);
    }
    black_box(word);
    start.elapsed().as_secs_f64()
}

impl Runner {
    /// How long it measured, in words.
    pub(crate) fn length(&self) -> String {
        let name = if self.rounds < ROUNDS { "a quick run: " } else { "" };
        format!("{name}up to {} samples of a cell", self.rounds)
    }

    /// How many samples count, of how many that were taken.
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.kept, self.taken)
    }
}
