//! The promises, one by one.

/// A promise of the [`Endpoint`](crate::Endpoint) contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Bytes come out as they went in, however writes and reads are cut.
    BytesInOrder,
    /// A write or read of no bytes succeeds and moves none, also at the end.
    NothingIsNothing,
    /// Writes and reads of many bytes at once are whole.
    LargeTransfers,
    /// A read beyond the end is `UnexpectedEnd`, says how many bytes were wanted and how many were there, and returns.
    EndIsReported,
    /// A write beyond the room is `EndpointFull`, and what was written before stays.
    FullIsReported,
    /// What is written after a part was read stands behind the rest.
    Interleaved,
    /// What is committed of a window stands where a write would have put it, and nothing else does.
    WindowsAreWritten,
    /// What is shown is what comes next; it is taken by `consume`, and by nothing else.
    LookAheadIsTrue,
    /// `remaining` is `None`, or exactly what is left.
    RemainingIsTrue,
    /// Values come back equal.
    ValuesComeBack,
    /// What stands behind a value is still there when the value was read.
    NothingBeyond,
    /// `serialize` says how many bytes went out, which without segments is `encoded_len`.
    WrittenIsCounted,
    /// A value that was cut off, anywhere, is a typed error.
    TruncationIsFound,
    /// Segments are taken as `capabilities` says: none where it says none, and not more than it says.
    CapabilitiesHold,
    /// Each segment comes back under its own number, whole, in whatever order they are taken.
    SegmentsComeBack,
    /// A segment comes back with the alignment that its placement asks for.
    SegmentsAreAligned,
    /// What was host memory can be read by the host.
    SegmentsAreReadable,
    /// A number that no segment has is `NoSegment`, with that number and how many there are.
    UnknownSegments,
    /// A segment outlives the endpoint that it came from.
    SegmentsStay,
}

impl Promise {
    /// All promises, in the order in which they are tried.
    pub const ALL: [Self; 19] = [
        Self::BytesInOrder,
        Self::NothingIsNothing,
        Self::LargeTransfers,
        Self::EndIsReported,
        Self::FullIsReported,
        Self::Interleaved,
        Self::WindowsAreWritten,
        Self::LookAheadIsTrue,
        Self::RemainingIsTrue,
        Self::ValuesComeBack,
        Self::NothingBeyond,
        Self::WrittenIsCounted,
        Self::TruncationIsFound,
        Self::CapabilitiesHold,
        Self::SegmentsComeBack,
        Self::SegmentsAreAligned,
        Self::SegmentsAreReadable,
        Self::UnknownSegments,
        Self::SegmentsStay,
    ];

    /// The promise in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::BytesInOrder => "bytes come out as they went in",
            Self::NothingIsNothing => "no bytes are written and read as none",
            Self::LargeTransfers => "large writes and reads are whole",
            Self::EndIsReported => "a read beyond the end is UnexpectedEnd",
            Self::FullIsReported => "a write beyond the room is EndpointFull",
            Self::Interleaved => "writes between reads stand behind the rest",
            Self::WindowsAreWritten => "committed windows are written",
            Self::LookAheadIsTrue => "what is shown is what comes next",
            Self::RemainingIsTrue => "remaining is None or exact",
            Self::ValuesComeBack => "values come back equal",
            Self::NothingBeyond => "what follows a value is still there",
            Self::WrittenIsCounted => "serialize says how much was written",
            Self::TruncationIsFound => "a value that was cut off is a typed error",
            Self::CapabilitiesHold => "segments are taken as capabilities says",
            Self::SegmentsComeBack => "segments come back under their numbers",
            Self::SegmentsAreAligned => "segments are aligned as asked",
            Self::SegmentsAreReadable => "host memory comes back readable",
            Self::UnknownSegments => "an unknown segment is NoSegment",
            Self::SegmentsStay => "a segment outlives its endpoint",
        }
    }
}

impl core::fmt::Display for Promise {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.words())
    }
}

impl crate::conformance::Promises for Promise {
    const OF: &'static str = "endpoint";
    const ALL: &'static [Self] = &Self::ALL;
}
