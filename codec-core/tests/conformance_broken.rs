//! The conformance suite over endpoints that do one thing wrong each: it names the promise that this breaks.
#![allow(unsafe_code, reason = "endpoints that lend windows")]

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use podwire_codec_core::endpoint::conformance::{Breach, Promise, Report, Room, Suite};
use podwire_codec_core::endpoint::{Capabilities, Placement};
use podwire_codec_core::{Endpoint, Error, Gather, MemoryKind, Owner, Result, Segment};

/// What an endpoint does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    DropsAByte,
    SwapsTwoBytes,
    WritesAByteForNothing,
    CutsLargeWrites,
    EndsWithoutAnError,
    MiscountsTheEnd,
    EndsWithAnotherError,
    WaitsAtTheEnd,
    PanicsAtTheEnd,
    ForgetsTheRestWhenWrittenTo,
    CommitsTheWholeWindow,
    TakesAWindowThatWasLeft,
    TakesWhatItShows,
    ShowsOtherBytes,
    ShowsMoreThanThereIs,
    SaysThatMoreIsLeft,
    SaysThatLessIsLeft,
    ReadsAhead,
    CutsWritesOf100000,
    TakesSegmentsUnasked,
    TakesTooManySegments,
    TakesNoSegments,
    HandsOutTheNextSegment,
    CutsSegments,
    AgreesToAnyLength,
    MovesSegmentsByAByte,
    HidesSegments,
    InventsSegments,
    BlamesAnotherSegment,
    WipesSegmentsAtItsEnd,
    NeverIsFull,
    LosesWhatItHadWhenFull,
}

/// An endpoint that is right but for one fault.
struct Faulty {
    inner: Gather,
    fault: Fault,
    /// Bytes of the window that was lent last.
    window: usize,
    /// Whether the segments that were handed out are wiped.
    wiped: Arc<AtomicBool>,
}

const ROOM: usize = 5_000;
const SEGMENTS: u32 = 12;

impl Faulty {
    fn new(fault: Fault) -> Self {
        let capabilities = Capabilities { segments: 100, threshold: 16 };
        let inner = Gather::with_capabilities(capabilities);
        Self { inner, fault, window: 0, wiped: Arc::default() }
    }

    fn left(&self) -> usize {
        self.inner.packed().len()
    }

    /// Whether it is written to by `write` alone, and carries no segments.
    fn plain(&self) -> bool {
        matches!(self.fault, Fault::NeverIsFull | Fault::LosesWhatItHadWhenFull | Fault::CutsWritesOf100000)
    }
}

/// Memory that can be hidden, moved or wiped behind its segment's back.
struct Strange {
    bytes: Vec<u8>,
    start: usize,
    hidden: bool,
    wiped: Arc<AtomicBool>,
}

impl Owner for Strange {
    fn bytes(&self) -> Option<&[u8]> {
        match (self.hidden, self.wiped.load(Relaxed)) {
            (true, _) => None,
            (false, false) => Some(&self.bytes[self.start..]),
            (false, true) => Some(&[0; 1 << 20][..self.bytes.len() - self.start]),
        }
    }

    fn length(&self) -> usize {
        self.bytes.len() - self.start
    }

    fn kind(&self) -> MemoryKind {
        if self.hidden { MemoryKind::CUDA } else { MemoryKind::HOST }
    }
}

impl Endpoint for Faulty {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut bytes = bytes.to_vec();
        match self.fault {
            Fault::DropsAByte if bytes.len() > 4_000 => drop(bytes.pop()),
            Fault::SwapsTwoBytes if bytes.len() > 60 => bytes.swap(7, 50),
            Fault::WritesAByteForNothing if bytes.is_empty() => bytes.push(0),
            Fault::CutsLargeWrites => bytes.truncate(1 << 20),
            Fault::CutsWritesOf100000 if bytes.len() == 100_000 => drop(bytes.pop()),
            Fault::ForgetsTheRestWhenWrittenTo if self.left() == 900 => self.inner.clear(),
            Fault::NeverIsFull if self.left() + bytes.len() > ROOM => {
                bytes.truncate(ROOM.saturating_sub(self.left()));
            }
            Fault::LosesWhatItHadWhenFull if self.left() + bytes.len() > ROOM => {
                let found = (ROOM - self.left()) as u64;
                self.inner.clear();
                return Err(Error::EndpointFull { wanted: bytes.len() as u64, found });
            }
            _ => {}
        }
        self.inner.write(&bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let left = self.left();
        if left < bytes.len() {
            match self.fault {
                Fault::EndsWithoutAnError => return Ok(()),
                Fault::MiscountsTheEnd => {
                    return Err(Error::UnexpectedEnd { offset: 0, wanted: bytes.len() as u64, found: 0 });
                }
                Fault::EndsWithAnotherError => return Err(Error::backend("it is over")),
                Fault::WaitsAtTheEnd => loop {
                    std::thread::park();
                },
                Fault::PanicsAtTheEnd => panic!("nobody reads beyond the end"),
                _ => {}
            }
        }
        self.inner.read(bytes)?;
        if self.fault == Fault::ReadsAhead && bytes.len() >= 10_000 {
            // To the end of its block, as a reader with a buffer of its own does that is thrown away.
            self.inner.consume(8);
        }
        Ok(())
    }

    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        if self.plain() {
            return Ok(&mut []);
        }
        if self.fault == Fault::TakesAWindowThatWasLeft && self.window > 0 {
            // SAFETY: the suite fills the windows that it leaves.
            unsafe { self.inner.commit(1) };
        }
        // SAFETY: the caller's.
        let window = unsafe { self.inner.window(count) }?;
        self.window = window.len();
        if self.fault == Fault::CommitsTheWholeWindow {
            window.fill(MaybeUninit::new(0));
        }
        Ok(window)
    }

    unsafe fn commit(&mut self, count: usize) {
        let whole = self.fault == Fault::CommitsTheWholeWindow;
        // SAFETY: the caller's, or all of it was filled when it was lent.
        unsafe { self.inner.commit(if whole { self.window } else { count }) };
        self.window = 0;
    }

    fn peek(&mut self, count: usize) -> Result<&[u8]> {
        match self.fault {
            Fault::TakesWhatItShows if self.left() > 1 && count == 3 => self.inner.consume(1),
            Fault::ShowsOtherBytes => return Ok(&[0; 64][..self.left().min(64)]),
            Fault::ShowsMoreThanThereIs => return Ok(&[0; 64]),
            // Nothing is taken from what is shown, so that every read passes through `read`.
            Fault::ReadsAhead | Fault::SaysThatLessIsLeft => return Ok(&[]),
            _ => {}
        }
        self.inner.peek(count)
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
    }

    fn remaining(&self) -> Option<u64> {
        let left = self.inner.remaining()?;
        match self.fault {
            Fault::SaysThatMoreIsLeft => Some(left + 1),
            Fault::SaysThatLessIsLeft => Some(left / 2),
            Fault::DropsAByte => None,
            _ => Some(left),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let threshold = 16;
        match self.fault {
            Fault::TakesSegmentsUnasked => Capabilities::INLINE,
            Fault::TakesTooManySegments => Capabilities { segments: SEGMENTS, threshold },
            _ if self.plain() => Capabilities::INLINE,
            _ => self.inner.capabilities(),
        }
    }

    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        if self.fault == Fault::TakesNoSegments || self.plain() {
            return Ok(None);
        }
        self.inner.attach(segment)
    }

    fn take_segment(&mut self, mut placement: Placement<'_>) -> Result<Segment> {
        let count = self.inner.segments().len() as u32;
        let there = placement.index < count;
        match self.fault {
            Fault::HandsOutTheNextSegment if there => placement.index = (placement.index + 1) % count,
            Fault::InventsSegments if !there => return Ok(vec![0; placement.length as usize].into()),
            Fault::BlamesAnotherSegment if !there => {
                return Err(Error::NoSegment { index: 0, found: count });
            }
            _ => {}
        }
        let segment = self.inner.take_segment(placement)?;
        let mut bytes = segment.bytes()?.to_vec();
        let (mut start, mut hidden) = (0, false);
        match self.fault {
            Fault::CutsSegments => drop(bytes.pop()),
            Fault::AgreesToAnyLength => bytes.resize(placement.length as usize, 0),
            Fault::MovesSegmentsByAByte => {
                bytes.insert(0, 0);
                start = 1;
            }
            Fault::HidesSegments => hidden = true,
            Fault::WipesSegmentsAtItsEnd => {}
            _ => return Ok(segment),
        }
        Ok(Segment::new(Arc::new(Strange { bytes, start, hidden, wiped: Arc::clone(&self.wiped) })))
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.wiped.store(self.fault == Fault::WipesSegmentsAtItsEnd, Relaxed);
    }
}

fn run(fault: Fault) -> Report {
    let suite = Suite::of_endpoint(move || Faulty::new(fault)).patience(Duration::from_secs(30));
    match fault {
        Fault::NeverIsFull | Fault::LosesWhatItHadWhenFull => suite.room(Room::Fixed(ROOM)).run(),
        Fault::WaitsAtTheEnd => suite.patience(Duration::from_secs(2)).run(),
        _ => suite.run(),
    }
}

#[track_caller]
fn breaks(fault: Fault, promise: Promise) {
    let report = run(fault);
    assert!(
        report.broken().any(|(broken, _)| broken == promise),
        "{fault:?} is to break {promise:?}:\n{report}"
    );
    let asserted = std::panic::AssertUnwindSafe(|| report.assert());
    let panic = std::panic::catch_unwind(asserted).expect_err("the report fails a test");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains(&format!("{promise:?}")), "{message}");
}

#[test]
fn an_endpoint_without_a_fault_passes() {
    run(Fault::Nothing).assert();
}

/// Each fault, and the promise that it breaks.
macro_rules! faults {
    ($($test:ident: $fault:ident breaks $promise:ident;)+) => {$(
        #[test]
        fn $test() {
            breaks(Fault::$fault, Promise::$promise);
        }
    )+};
}

faults! {
    a_byte_that_is_dropped_is_found: DropsAByte breaks BytesInOrder;
    bytes_that_are_swapped_are_found: SwapsTwoBytes breaks BytesInOrder;
    a_byte_written_for_nothing_is_found: WritesAByteForNothing breaks NothingIsNothing;
    a_large_write_that_is_cut_is_found: CutsLargeWrites breaks LargeTransfers;
    an_end_without_an_error_is_found: EndsWithoutAnError breaks EndIsReported;
    an_end_that_miscounts_is_found: MiscountsTheEnd breaks EndIsReported;
    an_end_with_another_error_is_found: EndsWithAnotherError breaks EndIsReported;
    an_end_that_panics_is_found: PanicsAtTheEnd breaks EndIsReported;
    a_value_that_was_cut_off_needs_the_true_error: EndsWithAnotherError breaks TruncationIsFound;
    an_endpoint_that_never_is_full_is_found: NeverIsFull breaks FullIsReported;
    an_endpoint_that_loses_what_it_had_when_full_is_found: LosesWhatItHadWhenFull breaks FullIsReported;
    a_rest_that_is_forgotten_is_found: ForgetsTheRestWhenWrittenTo breaks Interleaved;
    a_window_that_is_committed_whole_is_found: CommitsTheWholeWindow breaks WindowsAreWritten;
    a_window_that_was_left_and_is_taken_is_found: TakesAWindowThatWasLeft breaks WindowsAreWritten;
    bytes_taken_by_being_shown_are_found: TakesWhatItShows breaks LookAheadIsTrue;
    other_bytes_that_are_shown_are_found: ShowsOtherBytes breaks LookAheadIsTrue;
    more_bytes_shown_than_there_are_are_found: ShowsMoreThanThereIs breaks LookAheadIsTrue;
    a_remaining_that_promises_too_much_is_found: SaysThatMoreIsLeft breaks RemainingIsTrue;
    a_remaining_that_promises_too_little_is_found: SaysThatLessIsLeft breaks RemainingIsTrue;
    values_behind_a_remaining_that_is_too_small_fail: SaysThatLessIsLeft breaks ValuesComeBack;
    a_reader_that_reads_ahead_is_found: ReadsAhead breaks NothingBeyond;
    a_count_that_does_not_fit_is_found: CutsWritesOf100000 breaks WrittenIsCounted;
    segments_taken_unasked_are_found: TakesSegmentsUnasked breaks CapabilitiesHold;
    segments_beyond_what_is_carried_are_found: TakesTooManySegments breaks CapabilitiesHold;
    segments_announced_and_not_taken_are_found: TakesNoSegments breaks CapabilitiesHold;
    the_wrong_segment_is_found: HandsOutTheNextSegment breaks SegmentsComeBack;
    a_segment_that_is_cut_is_found: CutsSegments breaks SegmentsComeBack;
    a_segment_of_any_length_is_found: AgreesToAnyLength breaks SegmentsComeBack;
    a_segment_that_lost_its_alignment_is_found: MovesSegmentsByAByte breaks SegmentsAreAligned;
    a_segment_that_the_host_cannot_read_is_found: HidesSegments breaks SegmentsAreReadable;
    a_segment_that_never_was_is_found: InventsSegments breaks UnknownSegments;
    an_error_about_another_segment_is_found: BlamesAnotherSegment breaks UnknownSegments;
    a_segment_that_dies_with_its_endpoint_is_found: WipesSegmentsAtItsEnd breaks SegmentsStay;
}

#[test]
fn an_endpoint_that_never_comes_back_is_reported_and_ends_the_run() {
    let report = run(Fault::WaitsAtTheEnd);
    let (promise, breach) = report.broken().next().expect("one is broken");
    assert_eq!(promise, Promise::BytesInOrder);
    assert!(matches!(breach, Breach::Hangs { patience } if *patience == Duration::from_secs(2)));
    assert!(report.to_string().contains("18 further promises were not tried"), "{report}");
}

#[test]
fn a_panic_is_reported_with_its_message_and_later_promises_are_tried() {
    let report = run(Fault::PanicsAtTheEnd);
    let panicked = report.broken().any(|(_, breach)| {
        matches!(breach, Breach::Panicked { message } if message == "nobody reads beyond the end")
    });
    assert!(panicked, "{report}");
    assert_eq!(report.outcomes().count(), Promise::ALL.len());
    assert!(report.kept(Promise::SegmentsAreAligned), "{report}");
}

#[test]
fn every_promise_is_broken_by_some_fault() {
    let named = include_str!("conformance_broken.rs");
    for promise in Promise::ALL {
        assert!(named.contains(&format!(" breaks {promise:?};")), "{promise:?}");
    }
}
