//! What cannot be registered.

use podwire::Codec;

#[derive(Codec)]
#[codec(register)]
struct Generic<T>(T);

#[derive(Codec)]
#[codec(name = "Sized")]
struct Sized<const N: usize>([u8; N]);

#[derive(Codec)]
#[codec(register)]
struct Borrows<'a>(&'a str);

#[derive(Codec)]
#[codec(name = "")]
struct Empty;

#[derive(Codec)]
#[codec(name = "a\nb")]
struct Line;

#[derive(Codec)]
#[codec(register)]
struct Forever {
    number: u8,
    name: Option<&'static str>,
    other: std::borrow::Cow<'static, str>,
}

#[derive(Codec)]
#[codec(name)]
struct NoName;

#[derive(Codec)]
#[codec(register = "Name")]
struct NameAtRegister;

fn main() {}
