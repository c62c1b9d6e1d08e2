//! Every kind of struct and enum, and its bytes.

use podwire::schema::schema_of;
use podwire::{Codec, Error, from_slice, to_vec};

use crate::support::{facts, golden, round};

#[derive(Debug, PartialEq, Codec)]
struct Named {
    number: u8,
    text: String,
    wide: u16,
}

#[test]
fn a_struct_is_the_heads_of_its_fields_then_their_tails() {
    let value = Named { number: 1, text: "ab".into(), wide: 0x0302 };
    golden(&value, &[1, 2, 0, 0, 0, 2, 3, b'a', b'b']);
    assert_eq!(schema_of::<Named>().to_string(), "struct{number:u8,text:text,wide:u16}");
}

#[derive(Debug, PartialEq, Codec)]
struct Tuple(u8, Option<u16>, Vec<u8>);

#[derive(Debug, PartialEq, Codec)]
struct Newtype(String);

#[derive(Debug, PartialEq, Codec)]
struct Unit;

#[derive(Debug, PartialEq, Codec)]
struct NoFields {}

#[derive(Debug, PartialEq, Codec)]
struct NoTuple();

#[test]
fn tuple_structs_newtypes_and_unit_structs_have_codecs() {
    golden(&Tuple(1, Some(2), vec![3]), &[1, 1, 1, 0, 0, 0, 2, 0, 3]);
    golden(&Newtype("a".into()), &[1, 0, 0, 0, b'a']);
    golden(&Unit, &[]);
    golden(&NoFields {}, &[]);
    golden(&NoTuple(), &[]);
    assert_eq!(schema_of::<Tuple>().to_string(), "struct{0:u8,1:?u16,2:[u8]}");
}

#[derive(Debug, PartialEq, Codec)]
struct Nested {
    before: u8,
    inner: Named,
    after: (u8, Newtype),
}

#[test]
fn the_heads_of_nested_structs_stand_together() {
    let inner = Named { number: 2, text: "x".into(), wide: 3 };
    let value = Nested { before: 1, inner, after: (4, Newtype("yz".into())) };
    golden(&value, &[1, 2, 1, 0, 0, 0, 3, 0, 4, 2, 0, 0, 0, b'x', b'y', b'z']);
}

#[derive(Debug, PartialEq, Codec)]
enum Mixed {
    Unit,
    One(String),
    Two(u8, String),
    Named { left: u16, right: Option<u8>, last: String },
    Empty {},
    None(),
    Deep(Box<Mixed>),
}

#[test]
fn an_enum_is_its_tag_then_the_row_of_its_variant() {
    golden(&Mixed::Unit, &[0]);
    golden(&Mixed::One("a".into()), &[1, 1, 0, 0, 0, b'a']);
    golden(&Mixed::Two(7, "a".into()), &[2, 7, 1, 0, 0, 0, b'a']);
    let named = Mixed::Named { left: 1, right: Some(2), last: "b".into() };
    golden(&named, &[3, 1, 0, 1, 1, 0, 0, 0, 2, b'b']);
    golden(&Mixed::Empty {}, &[4]);
    golden(&Mixed::None(), &[5]);
    golden(&Mixed::Deep(Box::new(Mixed::Unit)), &[6, 0]);
    round(&vec![Mixed::Unit, named, Mixed::One(String::new())]);
    assert_eq!(
        schema_of::<Mixed>().to_string(),
        "enum8{Unit=0{},One=1{0:text},Two=2{0:u8,1:text},Named=3{left:u16,right:?u8,last:text},\
         Empty=4{},None=5{},Deep=6{0:*^0}}"
    );
}

#[derive(Debug, PartialEq, Codec)]
struct HoldsEnums {
    first: Mixed,
    number: u8,
    second: Mixed,
}

#[test]
fn the_tag_of_an_enum_stands_in_the_head_of_the_struct_around_it() {
    let value = HoldsEnums { first: Mixed::One("a".into()), number: 9, second: Mixed::Two(8, "b".into()) };
    golden(&value, &[1, 9, 2, 1, 0, 0, 0, b'a', 8, 1, 0, 0, 0, b'b']);
}

#[derive(Debug, PartialEq, Codec)]
enum Plain {
    A,
    B,
}

#[test]
fn an_enum_without_fields_has_no_tail() {
    assert!(!facts::<Plain>().tail);
    assert!(facts::<Mixed>().tail);
    golden(&vec![Plain::A, Plain::B], &[2, 0, 0, 0, 0, 1]);
}

#[derive(Debug, PartialEq, Codec)]
enum Empty {}

#[test]
fn an_empty_enum_has_no_value() {
    for tag in 0..=u8::MAX {
        let error = from_slice::<Empty>(&[tag]).unwrap_err();
        assert!(
            matches!(error, Error::UnknownTag { offset: 0, name: "Empty", found } if found == u64::from(tag))
        );
    }
    assert!(matches!(from_slice::<Empty>(&[]), Err(Error::UnexpectedEnd { .. })));
    round(&None::<Empty>);
}

#[test]
fn a_tag_that_no_variant_has_is_an_error_that_says_where() {
    let mut bytes = to_vec(&HoldsEnums { first: Mixed::Unit, number: 0, second: Mixed::Unit }).unwrap();
    bytes[2] = 200;
    let error = from_slice::<HoldsEnums>(&bytes).unwrap_err();
    assert!(matches!(error, Error::UnknownTag { offset: 2, name: "Mixed", found: 200 }), "{error}");
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(i8)]
enum Negative {
    Minus = -5,
    Zero = 0,
    Plus = 1 + 2,
}

const BASE: isize = 70;

#[derive(Debug, PartialEq, Codec)]
enum FromConst {
    A = BASE,
    B,
    C = BASE * 2,
}

#[derive(Debug, PartialEq, Codec)]
#[repr(u16)]
enum WithData {
    A(u8) = 500,
    B { x: u8 } = 7,
}

#[derive(Debug, PartialEq, Codec)]
#[repr(C, u8)]
enum WithDataInC {
    A(u16) = 200,
    B,
}

macro_rules! every_repr {
    ($($module:ident $repr:ident;)+) => {$(
        mod $module {
            #[derive(Debug, PartialEq, podwire::Codec)]
            #[repr($repr)]
            pub(super) enum Numbered {
                A = 9,
                B = 3,
            }
        }
    )+};
}

every_repr! {
    of_u8 u8; of_u16 u16; of_u32 u32; of_u64 u64; of_usize usize;
    of_i8 i8; of_i16 i16; of_i32 i32; of_i64 i64; of_isize isize; of_c C;
}

#[test]
fn a_discriminant_is_not_the_tag() {
    golden(&[Negative::Minus, Negative::Zero, Negative::Plus], &[0, 1, 2]);
    golden(&[FromConst::A, FromConst::B, FromConst::C], &[0, 1, 2]);
    golden(&[WithData::A(1), WithData::B { x: 2 }], &[0, 1, 1, 2]);
    golden(&[WithDataInC::A(1), WithDataInC::B], &[0, 1, 1, 0]);
    macro_rules! each {
        ($($module:ident)+) => {$(golden(&[$module::Numbered::A, $module::Numbered::B], &[0, 1]);)+};
    }
    each!(of_u8 of_u16 of_u32 of_u64 of_usize of_i8 of_i16 of_i32 of_i64 of_isize of_c);
}

#[derive(Debug, PartialEq, Codec)]
struct r#RawType {
    r#type: u8,
    r#fn: r#RawEnum,
}

#[derive(Debug, PartialEq, Codec)]
enum r#RawEnum {
    r#Match { r#loop: u8, r#in: u8 },
    r#Self_,
}

#[test]
fn raw_identifiers_are_named_without_their_prefix() {
    golden(&r#RawType { r#type: 1, r#fn: r#RawEnum::r#Match { r#loop: 2, r#in: 3 } }, &[1, 0, 2, 3]);
    golden(&r#RawEnum::r#Self_, &[1]);
    let schema = schema_of::<r#RawType>().to_string();
    assert_eq!(schema, "struct{type:u8,fn:enum8{Match=0{loop:u8,in:u8},Self_=1{}}}");
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C, packed)]
struct Packed {
    number: u8,
    wide: u32,
    flag: bool,
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(Rust, packed(2))]
struct PackedByTwo(u8, u64, Negative, #[codec(skip)] u8);

#[derive(Debug, PartialEq, Codec)]
#[repr(transparent)]
struct Transparent(f64);

#[derive(Debug, PartialEq, Codec)]
#[repr(align(32))]
struct Aligned {
    one: u8,
    two: u16,
}

#[derive(Debug, PartialEq, Codec)]
#[repr(align(16))]
struct AlignedUnit;

#[test]
fn packed_transparent_and_aligned_structs_have_codecs() {
    golden(&Packed { number: 1, wide: 2, flag: true }, &[1, 2, 0, 0, 0, 1]);
    golden(
        &vec![Packed { number: 1, wide: 2, flag: false }; 3],
        &[&[3, 0, 0, 0][..], &[1, 2, 0, 0, 0, 0].repeat(3)].concat(),
    );
    golden(&PackedByTwo(1, 2, Negative::Plus, 0), &[1, 2, 0, 0, 0, 0, 0, 0, 0, 2]);
    golden(&Transparent(0.0), &[0; 8]);
    golden(&Aligned { one: 1, two: 2 }, &[1, 2, 0]);
    round(&vec![Aligned { one: 1, two: 2 }, Aligned { one: 3, two: 4 }]);
    golden(&AlignedUnit, &[]);
}

#[derive(Debug, PartialEq, Codec)]
struct Configured {
    first: u8,
    #[cfg(any())]
    absent: NoSuchType,
    #[cfg(not(target_os = "none"))]
    second: u8,
}

#[derive(Debug, PartialEq, Codec)]
enum ConfiguredVariants {
    #[cfg(any())]
    Absent(NoSuchType),
    Present,
}

#[test]
fn a_field_that_cfg_removes_is_not_there_and_a_variant_shifts_the_tags_behind_it() {
    golden(&Configured { first: 1, second: 2 }, &[1, 2]);
    golden(&ConfiguredVariants::Present, &[0]);
}

#[test]
fn a_type_within_a_function_has_a_codec() {
    #[derive(Debug, PartialEq, Codec)]
    struct Local<T> {
        value: T,
        other: Other,
    }
    #[derive(Debug, PartialEq, Codec)]
    enum Other {
        A(u8),
    }
    golden(&Local { value: 1_u8, other: Other::A(2) }, &[1, 0, 2]);
}

#[derive(Debug, PartialEq, Codec)]
struct Arrays<const N: usize> {
    none: [String; 0],
    one: [String; 1],
    odd: [u16; 33],
    many: [(); 100_000],
    nested: [[[u8; N]; 2]; N],
}

#[test]
fn arrays_have_any_length() {
    let value =
        Arrays { none: [], one: ["a".into()], odd: [7; 33], many: [(); 100_000], nested: [[[1; 3]; 2]; 3] };
    let bytes = [&[1, 0, 0, 0][..], &[7, 0].repeat(33), &[1; 18], b"a"].concat();
    golden(&value, &bytes);
}

#[derive(Debug, PartialEq, Codec)]
#[cfg_attr(any(), codec(no_such_attribute))]
#[cfg_attr(not(any()), codec(tag(u16)))]
#[must_use]
#[doc(hidden)]
enum Decorated {
    /// Documented.
    #[doc(alias = "first")]
    A(#[cfg_attr(not(any()), codec(skip))] u8, #[rustfmt::skip] u8),
}

#[test]
fn attributes_under_cfg_and_those_of_others_are_no_obstacle() {
    assert_eq!(to_vec(&Decorated::A(1, 2)).unwrap(), [0, 0, 2]);
    assert_eq!(from_slice::<Decorated>(&[0, 0, 2]).unwrap(), Decorated::A(0, 2));
}

#[derive(Debug, PartialEq, Codec)]
struct Names {
    out: u8,
    input: u8,
    self_: u8,
    head: u8,
    reader: u8,
    writer: u8,
    slot: u8,
    codec: u8,
}

#[test]
fn fields_may_be_called_like_arguments() {
    let value = Names { out: 1, input: 2, self_: 3, head: 4, reader: 5, writer: 6, slot: 7, codec: 8 };
    golden(&value, &[1, 2, 3, 4, 5, 6, 7, 8]);
}
