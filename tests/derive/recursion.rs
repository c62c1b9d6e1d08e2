//! Types that hold themselves, and values that are deeper than any limit.

use std::collections::{BTreeMap, HashMap};

use podwire::schema::schema_of;
use podwire::{Codec, Error, Limits, from_slice, to_vec};

use crate::support::{golden, round};

#[derive(Debug, PartialEq, Codec)]
struct List {
    value: u8,
    next: Option<Box<List>>,
}

#[derive(Debug, PartialEq, Codec)]
struct Tree {
    name: String,
    children: Vec<Tree>,
    by_name: HashMap<String, Tree>,
    ordered: BTreeMap<u8, Box<Self>>,
}

#[derive(Debug, PartialEq, Codec)]
enum Expression {
    Number(i64),
    Sum(Box<Expression>, Box<Expression>),
    Product(Vec<Expression>),
    Named { name: String, value: std::rc::Rc<Self> },
}

#[derive(Debug, PartialEq, Codec)]
struct Even {
    value: u8,
    odd: Option<Box<Odd>>,
}

#[derive(Debug, PartialEq, Codec)]
struct Odd {
    even: Vec<Even>,
}

#[derive(Debug, PartialEq, Codec)]
struct Generic<T> {
    value: T,
    children: Vec<Generic<T>>,
    other: Option<Box<Mutual<T>>>,
}

#[derive(Debug, PartialEq, Codec)]
enum Mutual<T> {
    Here(T),
    There(Box<Generic<T>>),
}

#[test]
fn recursive_types_have_codecs() {
    golden(&List { value: 1, next: Some(Box::new(List { value: 2, next: None })) }, &[1, 1, 2, 0]);
    let leaf = |name: &str| Tree {
        name: name.into(),
        children: vec![],
        by_name: HashMap::new(),
        ordered: BTreeMap::new(),
    };
    round(&Tree {
        name: "root".into(),
        children: vec![leaf("a"), leaf("b")],
        by_name: HashMap::from([("c".into(), leaf("c"))]),
        ordered: BTreeMap::from([(1, Box::new(leaf("d")))]),
    });
    let number = |number| Box::new(Expression::Number(number));
    round(&Expression::Product(vec![
        Expression::Sum(number(1), number(2)),
        Expression::Named { name: "x".into(), value: std::rc::Rc::new(*number(3)) },
    ]));
    round(&Even { value: 1, odd: Some(Box::new(Odd { even: vec![Even { value: 3, odd: None }] })) });
    let inner = Generic { value: "x".to_owned(), children: vec![], other: None };
    round(&Generic {
        value: "y".to_owned(),
        children: vec![inner],
        other: Some(Box::new(Mutual::Here("z".into()))),
    });
}

#[test]
fn the_schema_of_a_recursive_type_is_finite() {
    assert_eq!(schema_of::<List>().to_string(), "struct{value:u8,next:?*^0}");
    assert_eq!(schema_of::<Even>().to_string(), "struct{value:u8,odd:?*struct{even:[^1]}}");
}

/// Takes a list apart, which would overflow the stack if it were just dropped.
fn take_apart(mut list: List) {
    while let Some(next) = list.next.take() {
        list = *next;
    }
}

fn deep(levels: usize) -> List {
    let mut list = List { value: 0, next: None };
    for _ in 0..levels {
        list = List { value: 0, next: Some(Box::new(list)) };
    }
    list
}

/// Unoptimised, a level of an enum with vectors takes more than twice as much as a level of a list.
const UNOPTIMISED: usize = if cfg!(debug_assertions) { 3 } else { 1 };

fn on_a_stack(kib: usize, test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(kib * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn a_million_levels_are_an_error_on_a_small_stack() {
    on_a_stack(256, || {
        let list = deep(1_000_000);
        assert!(matches!(to_vec(&list), Err(Error::DepthLimit { .. })));
        take_apart(list);
        let bytes = [0, 1].repeat(1_000_000);
        assert!(matches!(from_slice::<List>(&bytes), Err(Error::DepthLimit { .. })));
    });
    on_a_stack(256 * UNOPTIMISED, || {
        // `Product` of one `Product` of one ...
        let bytes = [2, 1, 0, 0, 0].repeat(1_000_000);
        assert!(matches!(from_slice::<Expression>(&bytes), Err(Error::DepthLimit { .. })));
    });
}

#[test]
fn the_deepest_value_within_the_limits_comes_back_on_a_small_stack() {
    on_a_stack(256, || {
        let limit = Limits::DEFAULT.depth as usize;
        let bytes = to_vec(&deep(limit)).unwrap();
        assert_eq!(from_slice::<List>(&bytes).unwrap(), deep(limit));
        assert!(matches!(to_vec(&deep(limit + 1)), Err(Error::DepthLimit { .. })));
    });
}
