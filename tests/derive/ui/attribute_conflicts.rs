//! Words that do not go together.

#[derive(podwire::Codec)]
#[codec(tag(u8))]
struct Type<'a> {
    #[codec(skip, with = module)]
    first: u8,
    #[codec(pod, with = module)]
    second: u8,
    #[codec(default)]
    third: u8,
    #[codec(borrow)]
    fourth: u8,
    #[codec(skip, rename = "x")]
    fifth: &'a str,
    #[codec(rename = "seventh")]
    sixth: u8,
    seventh: u8,
}

fn main() {}
