//! Parameters, bounds, lifetimes and where-clauses.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use podwire::{Codec, Decode, Encode, from_slice, to_vec};

use crate::support::{borrowed, golden, round, round_borrowed};

#[derive(Debug, PartialEq, Codec)]
struct Bounded<T: Clone + Debug, U = Vec<u8>>
where
    U: Default,
{
    first: T,
    second: U,
}

#[test]
fn type_parameters_may_have_bounds_and_defaults() {
    golden(&Bounded::<u8> { first: 1, second: vec![2] }, &[1, 1, 0, 0, 0, 2]);
    round(&Bounded { first: "x".to_owned(), second: 7_u16 });
}

#[derive(Debug, PartialEq, Codec)]
struct Grid<T, const W: usize, const H: usize = 2> {
    cells: [[T; W]; H],
}

#[derive(Debug, PartialEq, Codec)]
enum Letters<const FLAG: bool, const C: char> {
    A([u8; 2]),
}

#[test]
fn const_parameters_may_have_defaults() {
    golden(&Grid::<u8, 3> { cells: [[1, 2, 3], [4, 5, 6]] }, &[1, 2, 3, 4, 5, 6]);
    round(&Grid::<String, 1, 1> { cells: [["x".into()]] });
    round(&Letters::<true, 'x'>::A([1, 2]));
}

#[derive(Debug, PartialEq, Codec)]
struct Borrowed<'a, 'b> {
    text: &'a str,
    bytes: &'b [u8],
    cow: Cow<'a, str>,
    number: u8,
}

#[derive(Debug, PartialEq, Codec)]
struct Outer<'text, T> {
    inner: Borrowed<'text, 'text>,
    list: Vec<Borrowed<'text, 'text>>,
    other: T,
    first: Option<&'text str>,
}

#[derive(Debug, PartialEq, Codec)]
enum BorrowedVariants<'a> {
    Text(&'a str),
    Both { text: Cow<'a, str>, bytes: &'a [u8] },
}

#[test]
fn fields_borrow_from_the_input() {
    let bytes = [1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, b'a', 5, 6, b'c'];
    let value = Borrowed { text: "a", bytes: &[5, 6], cow: Cow::Borrowed("c"), number: 9 };
    round_borrowed(&value, &bytes);
    let back = from_slice::<Borrowed<'_, '_>>(&bytes).unwrap();
    assert!(bytes.as_ptr_range().contains(&back.text.as_ptr()));
    assert!(matches!(back.cow, Cow::Borrowed("c")));

    let inner = || Borrowed { text: "a", bytes: &[1], cow: Cow::Borrowed("c"), number: 1 };
    let outer = Outer { inner: inner(), list: vec![inner(), inner()], other: 7_u32, first: Some("f") };
    let bytes = to_vec(&outer).unwrap();
    round_borrowed(&outer, &bytes);

    let variant = BorrowedVariants::Both { text: Cow::Borrowed("t"), bytes: &[1, 2, 3] };
    let bytes = to_vec(&variant).unwrap();
    round_borrowed(&variant, &bytes);
    round_borrowed(&BorrowedVariants::Text("t"), &[0, 1, 0, 0, 0, b't']);
}

#[derive(Debug, PartialEq, Codec)]
struct LikeOurs<'__codec_input, 'de>(&'__codec_input str, &'de str);

#[test]
fn a_lifetime_may_be_called_like_ours() {
    round_borrowed(&LikeOurs("a", "b"), &[1, 0, 0, 0, 1, 0, 0, 0, b'a', b'b']);
}

#[derive(Debug, PartialEq, Codec)]
struct Static {
    name: &'static str,
}

#[test]
fn a_static_reference_borrows_from_static_input() {
    round_borrowed(&Static { name: "x" }, &[1, 0, 0, 0, b'x']);
}

#[derive(Debug, PartialEq, Codec)]
struct Slice<'a, T: podwire::Plain> {
    values: &'a [T],
    cow: Cow<'a, [T]>,
}

#[test]
fn slices_of_a_parameter_borrow_if_it_is_plain() {
    round_borrowed(&Slice::<u8> { values: &[1], cow: Cow::Borrowed(&[2]) }, &[1, 0, 0, 0, 1, 0, 0, 0, 1, 2]);
}

/// A type with another type in it.
trait Family {
    type Member;
}

#[derive(Debug, PartialEq)]
struct Numbers;

impl Family for Numbers {
    type Member = u16;
}

#[derive(Debug, PartialEq, Codec)]
struct Associated<F: Family> {
    member: F::Member,
    members: Vec<<F as Family>::Member>,
    family: PhantomData<F>,
}

#[derive(Codec)]
struct Items<I: IntoIterator<Item = u8>>
where
    I::IntoIter: ExactSizeIterator,
{
    items: Vec<I::Item>,
    source: PhantomData<fn(I) -> I::IntoIter>,
}

#[test]
fn fields_of_associated_types_need_no_codec_for_the_parameter() {
    let value = Associated::<Numbers> { member: 1, members: vec![2, 3], family: PhantomData };
    golden(&value, &[1, 0, 2, 0, 0, 0, 2, 0, 3, 0]);
    let bytes = borrowed(&Items::<Vec<u8>> { items: vec![1], source: PhantomData });
    assert_eq!(from_slice::<Items<Vec<u8>>>(&bytes).unwrap().items, [1]);
}

struct NoCodec;

#[derive(Debug, Codec)]
struct Phantoms<T: ?Sized, U> {
    number: u8,
    first: PhantomData<T>,
    second: std::marker::PhantomData<fn(U) -> NoCodec>,
    third: PhantomData<dyn Fn(u8) -> NoCodec>,
}

#[test]
fn phantom_data_of_anything_is_a_field() {
    let value =
        Phantoms::<str, NoCodec> { number: 7, first: PhantomData, second: PhantomData, third: PhantomData };
    assert_eq!(to_vec(&value).unwrap(), [7]);
    assert_eq!(from_slice::<Phantoms<[u8], NoCodec>>(&[7]).unwrap().number, 7);
}

#[derive(Debug, PartialEq, Codec)]
struct HigherRanked<F>
where
    F: for<'x> PartialEq<&'x str> + Debug,
    for<'y> &'y F: Debug,
{
    value: F,
}

#[test]
fn where_clauses_may_be_higher_ranked() {
    round(&HigherRanked { value: "text".to_owned() });
}

#[derive(Debug, PartialEq, Codec)]
struct Table<K: Eq + Hash, V> {
    entries: HashMap<K, V>,
}

#[derive(Debug, PartialEq, Codec)]
#[codec(bound(K: Codec + Ord))]
struct Keys<K> {
    keys: BTreeMap<K, u8>,
}

#[derive(Debug, PartialEq, Codec)]
#[codec(bound(Box<T>: Codec))]
struct Unsized<T: ?Sized> {
    value: Box<T>,
}

#[test]
fn bounds_may_be_given() {
    round(&Table { entries: HashMap::from([("a".to_owned(), vec![1_u8])]) });
    round(&Keys { keys: BTreeMap::from([(1_u16, 2)]) });
    round(&Unsized::<str> { value: "text".into() });
    round(&Unsized::<[u8]> { value: vec![1, 2].into() });
}

mod private {
    use podwire::Codec;

    #[derive(Debug, PartialEq, Default, Codec)]
    struct Hidden<T>(T);

    /// Its fields are nobody's business.
    #[derive(Debug, PartialEq, Default, Codec)]
    pub(crate) struct Public<T> {
        hidden: Hidden<T>,
        more: Vec<Hidden<T>>,
        skipped: Option<Box<Hidden<T>>>,
    }
}

#[test]
fn a_public_generic_may_have_fields_of_private_types() {
    round(&private::Public::<u8>::default());
}

#[derive(Debug, PartialEq, Codec)]
struct OnlyIfEncoded<T>(T);

/// Written, never read.
struct Half;

impl Encode for Half {
    fn encode(&self, writer: &mut podwire::Writer<'_>) -> podwire::Result<()> {
        writer.write(b"half")
    }
}

#[test]
fn a_generic_of_what_is_only_written_can_be_written() {
    assert_eq!(to_vec(&OnlyIfEncoded(Half)).unwrap(), b"half");
    assert_eq!(to_vec(&OnlyIfEncoded(vec![Half, Half])).unwrap(), b"\x02\0\0\0halfhalf");
}

#[test]
fn what_is_borrowed_may_outlive_the_reader_but_not_the_input() {
    fn first<'i>(bytes: &'i [u8]) -> &'i str {
        from_slice::<Outer<'i, u32>>(bytes).unwrap().first.unwrap()
    }
    fn decodes<'i, T: Decode<'i>>() {}
    fn check<'long: 'short, 'short>() {
        decodes::<'long, Outer<'short, u8>>();
        decodes::<'long, Borrowed<'short, 'long>>();
    }
    check();
    let inner = Borrowed { text: "", bytes: &[], cow: Cow::Borrowed(""), number: 0 };
    let bytes = borrowed(&Outer { inner, list: vec![], other: 0_u32, first: Some("first") });
    assert_eq!(first(&bytes), "first");
}
