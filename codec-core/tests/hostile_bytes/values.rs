//! Bytes that are no value of their type, and values that keep their bits.

use std::borrow::Cow;

use podwire_codec_core::{
    Buffer, Bulk, Codec, EndpointExt, Error, IoReader, Reader, SliceWriter, from_slice, serialize, to_vec,
};

#[test]
fn case_16_a_bool_of_2_to_255_is_refused_where_it_stands() {
    for byte in 2..=255_u8 {
        let is_bool = |error: Error, at: u64| {
            let right = matches!(
                error,
                Error::InvalidValue { offset, expected: "bool", found } if (offset, found) == (at, byte.into())
            );
            assert!(right, "expected offset {at}: {error:?}");
        };
        is_bool(from_slice::<bool>(&[byte]).unwrap_err(), 0);
        is_bool(from_slice::<(u32, bool)>(&[0, 0, 0, 0, byte]).unwrap_err(), 4);
        is_bool(from_slice::<[bool; 4]>(&[1, 0, byte, 1]).unwrap_err(), 2);
        is_bool(from_slice::<Vec<bool>>(&[3, 0, 0, 0, 1, byte, 0]).unwrap_err(), 5);
        is_bool(from_slice::<Option<bool>>(&[1, byte]).unwrap_err(), 1);
        is_bool(from_slice::<Box<bool>>(&[byte]).unwrap_err(), 0);
        // A head that is checked after a part of the tail was read: the offset is still the head's.
        is_bool(from_slice::<(String, bool)>(&[1, 0, 0, 0, byte, b'x']).unwrap_err(), 4);
        is_bool(from_slice::<Vec<(u8, bool)>>(&[2, 0, 0, 0, 9, 1, 9, byte]).unwrap_err(), 7);
    }
}

#[test]
fn case_17_surrogates_and_numbers_beyond_unicode_are_no_char() {
    for code in [0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x0011_0000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        let bytes = [&[9][..], &code.to_le_bytes(), &[9]].concat();
        let error = from_slice::<(u8, char, u8)>(&bytes).unwrap_err();
        let right = matches!(
            error,
            Error::InvalidValue { offset: 1, expected: "char", found } if found == u64::from(code)
        );
        assert!(right, "{error:?}");
        let many = [&2_u32.to_le_bytes()[..], &65_u32.to_le_bytes(), &code.to_le_bytes()].concat();
        assert!(matches!(from_slice::<Vec<char>>(&many), Err(Error::InvalidValue { offset: 8, .. })));
    }
    for code in [0, 0xD7FF, 0xE000, 0x10_FFFF] {
        assert_eq!(from_slice::<char>(&u32::to_le_bytes(code)).unwrap() as u32, code);
    }
}

#[test]
fn case_18_an_unknown_place_of_bulk_is_refused() {
    for place in 2..=255_u8 {
        let bytes = [&[place][..], &[0; 12]].concat();
        let error = from_slice::<Bulk<u8>>(&bytes).unwrap_err();
        let right = matches!(error, Error::UnknownTag { offset: 0, name: "Bulk", found } if found == u64::from(place));
        assert!(right, "{error:?}");
    }
}

#[test]
fn case_19_an_option_tag_of_2_to_255_is_refused_where_it_stands() {
    for tag in 2..=255_u8 {
        let is_tag = |error: Error, at: u64| {
            let right = matches!(
                error,
                Error::UnknownTag { offset, name: "Option", found } if (offset, found) == (at, tag.into())
            );
            assert!(right, "{error:?}");
        };
        is_tag(from_slice::<Option<u8>>(&[tag, 1]).unwrap_err(), 0);
        is_tag(from_slice::<(u16, Option<()>)>(&[0, 0, tag]).unwrap_err(), 2);
        is_tag(from_slice::<(String, Option<String>)>(&[1, 0, 0, 0, tag, b'x']).unwrap_err(), 4);
        is_tag(from_slice::<Vec<Option<u8>>>(&[2, 0, 0, 0, 0, tag]).unwrap_err(), 5);
    }
}

#[test]
fn case_22_a_signalling_nan_keeps_its_bits() {
    let quiet = 0x0008_0000_0000_0000_u64;
    for bits in [0x7FF0_0000_0000_0001, 0xFFF4_DEAD_BEEF_0001, 0x7FF7_FFFF_FFFF_FFFF] {
        assert_eq!(bits & quiet, 0, "signalling");
        let value = f64::from_bits(bits);
        let bytes = to_vec(&(value, [value; 2], vec![value], Some(value), Box::new(value))).unwrap();
        assert_eq!(bytes.len(), 8 + 16 + 4 + 1 + 8 + 8 + 8);
        let (a, b, c, d, e) = from_slice::<(f64, [f64; 2], Vec<f64>, Option<f64>, Box<f64>)>(&bytes).unwrap();
        assert!([a, b[0], b[1], c[0], d.unwrap(), *e].iter().all(|value| value.to_bits() == bits));
        let mut stream = IoReader(&bytes[..8]);
        assert_eq!(f64::deserialize(&mut stream).unwrap().to_bits(), bits);
        let mut buffer = Buffer::new();
        buffer.write_trivial_type(&value).unwrap();
        assert_eq!(buffer.read_trivial_type::<f64>().unwrap().to_bits(), bits);
    }
}

#[test]
fn case_23_the_widest_numbers_keep_their_bits() {
    for value in [u128::MAX, 1 << 127, 0x0123_4567_89AB_CDEF_0011_2233_4455_6677] {
        assert_eq!(from_slice::<u128>(&value.to_le_bytes()).unwrap(), value);
        assert_eq!(from_slice::<(u8, u128)>(&to_vec(&(1_u8, value)).unwrap()).unwrap(), (1, value));
    }
    for value in [i128::MIN, -1, i128::MAX] {
        assert_eq!(from_slice::<[i128; 1]>(&value.to_le_bytes()).unwrap(), [value]);
    }
    let wide = (u64::from(u32::MAX) + 1).to_le_bytes();
    match from_slice::<usize>(&wide) {
        Ok(value) => assert_eq!((value as u64, usize::BITS), (1 << 32, 64)),
        Err(error) => {
            assert!(matches!(error, Error::InvalidValue { expected: "usize", offset: 0, .. }), "{error:?}");
        }
    }
}

#[test]
fn case_24_every_trivial_type_is_read_from_and_written_to_any_address() {
    macro_rules! shifted {
        ($($type:ty = $value:expr;)+) => {$(
            let value: $type = $value;
            let bytes = to_vec(&value).unwrap();
            for shift in 0..16 {
                let mut memory = vec![0xAA_u8; shift + bytes.len()];
                memory[shift..].copy_from_slice(&bytes);
                assert_eq!(from_slice::<$type>(&memory[shift..]).unwrap(), value);
                assert_eq!(Reader::from_slice(&memory[shift..]).read_trivial_type::<$type>().unwrap(), value);
                let many = [&bytes[..], &bytes].concat();
                let counted = [&2_u32.to_le_bytes()[..], &many].concat();
                let mut memory = vec![0xAA_u8; shift + counted.len()];
                memory[shift..].copy_from_slice(&counted);
                assert_eq!(from_slice::<Vec<$type>>(&memory[shift..]).unwrap(), [value, value]);
                let mut target = vec![0_u8; shift + many.len()];
                serialize(&[value, value], &mut SliceWriter::new(&mut target[shift..])).unwrap();
                assert_eq!(target[shift..], many);
            }
        )+};
    }
    shifted! {
        u8 = 1; u16 = 2; u32 = 3; u64 = 4; u128 = 5; i8 = -1; i16 = -2; i32 = -3; i64 = -4; i128 = -5;
        f32 = 0.5; f64 = 0.25; bool = true; char = 'ß';
        [u64; 3] = [1, 2, 3]; [[u16; 3]; 2] = [[1, 2, 3], [4, 5, 6]]; [bool; 2] = [true, false];
    }
    let plain = to_vec(&vec![1_u64, 2]).unwrap();
    for shift in 0..16 {
        let mut memory = vec![0_u8; shift + plain.len()];
        memory[shift..].copy_from_slice(&plain);
        assert_eq!(*from_slice::<Cow<'_, [u64]>>(&memory[shift..]).unwrap(), [1, 2]);
        match from_slice::<&[u64]>(&memory[shift..]) {
            Ok(slice) => assert_eq!(slice, [1, 2]),
            Err(error) => {
                assert!(matches!(error, Error::Unaligned { offset: 4, alignment: 8 }), "{error:?}");
            }
        }
    }
}

#[test]
fn case_26_padding_never_reaches_the_wire() {
    #![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "poisons the padding of a value")]
    use std::mem::MaybeUninit;
    type Padded = (u8, u32, u16, Option<u64>, (u8, u16), [(u8, u32); 2]);
    let encoded = |poison: u8| {
        let mut slot = MaybeUninit::<Padded>::uninit();
        let at = slot.as_mut_ptr();
        /// Writes one field, and nothing beside it.
        macro_rules! write {
            ($($field:tt)+) => {{
                let (place, value) = $($field)+;
                // SAFETY: a field of the slot, which is writable and aligned.
                unsafe { place.write(value) };
            }};
        }
        // SAFETY: the slot is this many bytes, and bytes may be written to it.
        unsafe { at.cast::<u8>().write_bytes(poison, size_of::<Padded>()) };
        // SAFETY (each): a field of the slot.
        write!((unsafe { &raw mut (*at).0 }, 1));
        write!((unsafe { &raw mut (*at).1 }, 2));
        write!((unsafe { &raw mut (*at).2 }, 3));
        write!((unsafe { &raw mut (*at).3 }, None));
        write!((unsafe { &raw mut (*at).4.0 }, 4));
        write!((unsafe { &raw mut (*at).4.1 }, 5));
        write!((unsafe { &raw mut (*at).5[0].0 }, 6));
        write!((unsafe { &raw mut (*at).5[0].1 }, 7));
        write!((unsafe { &raw mut (*at).5[1].0 }, 6));
        write!((unsafe { &raw mut (*at).5[1].1 }, 7));
        // SAFETY: every field was written.
        let value = unsafe { &*at };
        assert!(to_vec(&std::slice::from_ref(value)).unwrap()[4..] == to_vec(value).unwrap());
        to_vec(value).unwrap()
    };
    assert_eq!(encoded(0xAA), encoded(0x55));
    assert_eq!(encoded(0xAA).len(), 1 + 4 + 2 + 1 + 3 + 10);
}
