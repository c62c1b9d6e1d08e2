//! Programs as a parser leaves them: a recursive tree of enums. wincode's derive does not manage recursion (its constants
//! need each other), nor does bitcode's, which goes through serde here.

use owned::{Expression, Function, Operator};

use crate::random::Random;

/// How many functions there are.
pub(crate) const COUNT: usize = 1_000;
/// How deep an expression is at most.
const DEPTH: u32 = 8;

/// The types, with text that is owned, and again with text that is borrowed.
macro_rules! types {
    ($define:ident, $peers:tt, [$($text:tt)*], [$($life:tt)*], [$($again:tt)*]) => {
        crate::shapes::$define! {
            $peers
            /// One function.
            pub(crate) struct Function $($life)* {
                pub(crate) name: $($text)*,
                pub(crate) parameters: Vec<$($text)*>,
                pub(crate) body: Vec<Expression $($life)*>,
            }

            /// What a function does.
            pub(crate) enum Expression $($life)* {
                Nothing,
                Integer(i64),
                Float(f64),
                Name($($text)*),
                Text($($text)*),
                Unary {
                    operator: Operator,
                    $($again)*
                    operand: Box<Expression $($life)*>,
                },
                Binary {
                    operator: Operator,
                    $($again)*
                    left: Box<Expression $($life)*>,
                    $($again)*
                    right: Box<Expression $($life)*>,
                },
                Call {
                    function: $($text)*,
                    $($again)*
                    arguments: Vec<Expression $($life)*>,
                },
                If {
                    $($again)*
                    condition: Box<Expression $($life)*>,
                    $($again)*
                    then: Vec<Expression $($life)*>,
                    $($again)*
                    otherwise: Option<Box<Expression $($life)*>>,
                },
            }

            /// What is done with one operand or two.
            #[derive(Copy)]
            pub(crate) enum Operator {
                Plus,
                Minus,
                Times,
                Over,
                Less,
                Equal,
                Not,
            }
        }
    };
}

pub(crate) mod owned {
    //! With text of its own.
    types!(
        owned,
        [rkyv(
            serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: rkyv::rancor::Source),
            deserialize_bounds(__D::Error: rkyv::rancor::Source),
            bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: rkyv::rancor::Source)),
        )],
        [String],
        [],
        // Where a type meets itself, rkyv must not ask for bounds.
        [#[cfg_attr(feature = "peers", rkyv(omit_bounds))]]
    );
}

pub(crate) mod borrowed {
    //! With text that lies in what was read.
    types!(borrowed, [], [&'a str], [<'a>], []);
}

/// So many functions.
pub(crate) fn generate(count: usize) -> Vec<Function> {
    let mut random = Random::new(0x7472_6565);
    (0..count).map(|_| function(&mut random)).collect()
}

fn function(random: &mut Random) -> Function {
    Function {
        name: name(random),
        parameters: random.several(5, name),
        body: random.several(8, |random| expression(random, DEPTH)),
    }
}

fn expression(random: &mut Random, depth: u32) -> Expression {
    let next = |random: &mut Random| expression(random, depth - 1);
    // Leaves, and where there is depth left, branches in two of three cases.
    match if depth == 0 { random.below(5) } else { random.below(15) } {
        0 => Expression::Nothing,
        1 => Expression::Integer(random.bits() as i64 >> 40),
        2 => Expression::Float(random.unit().into()),
        3 => Expression::Text("could not read the file".to_owned()),
        4 | 5 => Expression::Name(name(random)),
        6 => Expression::Unary {
            operator: random.pick(&[Operator::Minus, Operator::Not]),
            operand: next(random).into(),
        },
        7..11 => Expression::Binary {
            operator: operator(random),
            left: next(random).into(),
            right: next(random).into(),
        },
        11..14 => Expression::Call { function: name(random), arguments: random.several(4, next) },
        _ => Expression::If {
            condition: next(random).into(),
            then: random.several(3, next),
            otherwise: random.maybe(40, next).map(Box::new),
        },
    }
}

fn operator(random: &mut Random) -> Operator {
    random.pick(&[
        Operator::Plus,
        Operator::Minus,
        Operator::Times,
        Operator::Over,
        Operator::Less,
        Operator::Equal,
    ])
}

fn name(random: &mut Random) -> String {
    random.pick(&["i", "index", "count", "read_header", "self", "buffer", "offset", "is_empty"]).to_owned()
}
