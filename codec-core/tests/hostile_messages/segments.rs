//! The table of segments, and what a value refers to in it.

use std::ops::Range;

use super::{agreed, message_error, parse, whole, with};
use crate::common::hex;
use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message;
use podwire_codec_core::message::{Message, MessageError, Metadata};
use podwire_codec_core::{Bulk, Error, Gather, Limits, MemoryKind, Result, Segment};

#[test]
fn case_58_a_segment_count_beyond_the_table_is_an_unexpected_end() {
    for count in [3, 1 << 16, u32::MAX] {
        let error = agreed(&with(24, &count.to_le_bytes())).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
    }
    // A table that is there but larger than the limit.
    let limits = Limits { bytes: 64 * 1024, ..Limits::default() };
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 0000000000000000 10270000 00000000 6E");
    bytes.extend(vec![0; 16 * 10_000]);
    assert!(matches!(Message::parse(&bytes, limits), Err(Error::ByteLimit { .. })));
    assert_eq!(parse(&bytes).unwrap().segments().len(), 10_000);
}

#[test]
fn case_58_a_bad_alignment_or_descriptor_is_refused() {
    let table = whole().len() - 34;
    for alignment in 64..=255 {
        let error = message_error(&with(table + 14, &[alignment]));
        assert!(
            matches!(error, MessageError::Length { found, .. } if found == u64::from(alignment)),
            "{error:?}"
        );
    }
    for length in 129..=255 {
        let error = message_error(&with(table + 15, &[length]));
        assert!(
            matches!(error, MessageError::Length { found, .. } if found == u64::from(length)),
            "{error:?}"
        );
    }
    assert_eq!(agreed(&with(table + 14, &[63])).unwrap().segments()[0].alignment, 1 << 63);
}

/// A message whose value is a `Bulk<u16>` of `count` elements in segment `index`, with a table of one entry.
fn referring(index: u32, count: u64, length: u64, number: u32) -> Vec<u8> {
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 0D00000000000000 01000000 00000000 6E 01");
    bytes.extend(count.to_le_bytes());
    bytes.extend(index.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn value(bytes: &[u8], segments: Vec<Segment>) -> Result<Bulk<u16>> {
    let mut carrier = Gather::from_parts(Vec::new(), segments);
    parse(bytes)?.value(&mut carrier, Limits::default())
}

#[test]
fn case_60_references_beyond_the_table_or_the_carrier_are_refused() {
    let four = || vec![Segment::from(vec![1, 0, 2, 0])];
    assert_eq!(*value(&referring(0, 2, 4, 0), four()).unwrap(), [1, 2]);
    for index in [1, 2, u32::MAX] {
        let error = value(&referring(index, 2, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::NoSegment { index: found, found: 1 } if found == index), "{error:?}");
    }
    for number in [1, u32::MAX] {
        let error = value(&referring(0, 2, 4, number), four()).unwrap_err();
        assert!(matches!(error, Error::NoSegment { index, found: 1 } if index == number), "{error:?}");
    }
    let error = value(&referring(0, 2, 4, 0), vec![]).unwrap_err();
    assert!(matches!(error, Error::NoSegment { index: 0, found: 0 }), "{error:?}");
}

#[test]
fn case_60_lengths_that_disagree_are_refused() {
    let four = || vec![Segment::from(vec![1, 0, 2, 0])];
    // The value against the table.
    for count in [0, 1, 3, 1 << 40] {
        let error = value(&referring(0, count, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::SegmentLength { index: 0, found: 4, .. }), "{error:?}");
    }
    for count in [1 << 63, u64::MAX] {
        let error = value(&referring(0, count, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::InvalidLength { .. }), "{error:?}");
    }
    // The table and the value against the carrier.
    for length in [0, 2, 6, 1 << 40] {
        let error = value(&referring(0, length / 2, length, 0), four()).unwrap_err();
        assert!(matches!(error, Error::SegmentLength { found: 4, .. }), "{error:?}");
    }
}

#[test]
fn case_60_one_segment_may_be_referred_to_twice_and_is_shared() {
    let mut packed = Vec::new();
    for _ in 0..2 {
        packed.extend([1]);
        packed.extend(2_u64.to_le_bytes());
        packed.extend(0_u32.to_le_bytes());
    }
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 1A00000000000000 01000000 00000000 6E");
    bytes.extend(packed);
    bytes.extend(hex("0400000000000000 00000000 0000 01 00"));
    let mut carrier = Gather::from_parts(Vec::new(), vec![Segment::from(vec![1, 0, 2, 0])]);
    let (a, b) =
        parse(&bytes).unwrap().value::<(Bulk<u16>, Bulk<u16>)>(&mut carrier, Limits::default()).unwrap();
    assert_eq!((&*a, &*b), (&[1_u16, 2][..], &[1_u16, 2][..]));
    assert!(std::ptr::eq(&*a, &*b));
}

#[test]
fn case_60_segments_that_the_host_cannot_read_or_that_do_not_suit_are_refused() {
    struct Device;
    impl podwire_codec_core::Owner for Device {
        fn bytes(&self) -> Option<&[u8]> {
            None
        }
        fn length(&self) -> usize {
            4
        }
        fn kind(&self) -> MemoryKind {
            MemoryKind::CUDA
        }
    }
    let device = Segment::new(std::sync::Arc::new(Device));
    let error = value(&referring(0, 2, 4, 0), vec![device]).unwrap_err();
    assert!(matches!(error, Error::NotHostMemory { kind: 2 }), "{error:?}");
    let even = Segment::from(vec![0; 64]);
    let odd = even.part(1..5).unwrap();
    let results = [odd, even.part(2..6).unwrap()].map(|part| value(&referring(0, 2, 4, 0), vec![part]));
    let aligned = results.iter().filter(|result| result.is_ok()).count();
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(Error::SegmentAlignment { wanted: 2, found: 1 })))
        .count();
    assert_eq!((aligned, refused), (1, 1), "{results:?}");
}

/// A part that reaches beyond its segment does not exist.
#[test]
fn case_60_parts_that_reach_beyond_their_segment_do_not_exist() {
    let segment = Segment::from(vec![0_u8; 10]);
    let nothing = |start: usize, end: usize| segment.part(start..end).is_none();
    assert!(nothing(0, 11) && nothing(11, 11) && nothing(5, 4) && nothing(usize::MAX, usize::MAX));
    assert!(nothing(1, usize::MAX) && nothing(0, usize::MAX));
    let part = segment.part(4..8).unwrap();
    assert!(part.part(0..5).is_none());
    assert_eq!((part.part(1..4).unwrap().start(), part.part(4..4).unwrap().length()), (5, 0));
    let bulk = Bulk::from(vec![1_u64, 2, 3]);
    assert_eq!(*bulk.part(1..3).unwrap(), [2, 3]);
    assert!(
        bulk.part(0..4).is_none()
            && bulk.part(0..usize::MAX).is_none()
            && bulk.part(Range { start: 2, end: 1 }).is_none()
    );
}

/// What a carrier takes is asked of it for each message: one that is full of segments gets the rest inline.
#[test]
fn a_carrier_without_room_for_segments_gets_the_value_inline() {
    let mut gather = Gather::with_capabilities(Capabilities { segments: 1, threshold: 0 });
    for number in 0..3_u8 {
        message::write("n", 0, &Metadata::new(), &mut gather, |writer| {
            writer.encode(&Bulk::from(vec![number; 9]))
        })
        .unwrap();
    }
    assert_eq!(gather.segments().len(), 1);
    for number in 0..3_u8 {
        let message = Message::read(&mut gather, Limits::default()).unwrap();
        let value = message.value::<Bulk<u8>>(&mut gather, Limits::default()).unwrap();
        assert_eq!(*value, [number; 9]);
    }
}
