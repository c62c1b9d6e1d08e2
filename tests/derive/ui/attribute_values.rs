//! Words with the wrong value, without one, or said twice.

#[derive(podwire::Codec)]
#[codec(crate = "podwire", name = 7, trivial = true, bound = "T: Clone")]
struct Type<T> {
    #[codec(with = "module")]
    first: T,
    #[codec(with)]
    second: u8,
    #[codec(skip(true), skip, skip)]
    third: u8,
    #[codec(rename)]
    fourth: u8,
    #[codec(skip default)]
    fifth: u8,
    #[codec(skip, default = 5)]
    sixth: u8,
    #[codec(skip, default = || 5)]
    seventh: u8,
    #[codec(skip, default = Some(5))]
    eighth: u8,
    #[codec(skip, default = "five")]
    ninth: u8,
    #[codec(pod(u8) with = module)]
    eleventh: u8,
    #[codec(rename = "x" skip)]
    twelfth: u8,
    #[codec(5, "x", borrow())]
    tenth: u8,
}

#[derive(podwire::Codec)]
#[codec(tag = u16)]
enum Variants {
    #[codec(tag = "1")]
    A,
    #[codec(tag = -1)]
    B,
    #[codec(tag = 4294967296)]
    C,
}

#[derive(podwire::Codec)]
#[codec(tag(u64))]
enum Wide {
    #[codec(tag(u8))]
    A,
    #[codec(tag: 4)]
    B,
}

fn main() {}
