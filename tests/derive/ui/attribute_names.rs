//! Words that are not known, or not known here: all at once.

#[derive(podwire::Codec)]
#[codec(registre, skip)]
#[codec(rename_all = "camelCase")]
struct Type {
    #[codec(skp, defualt = 1, with_module)]
    first: u8,
    #[codec(tag = 1, name = "x")]
    second: u8,
}

#[derive(podwire::Codec)]
enum Variants {
    #[codec(pod, tga = 7)]
    A(#[codec(trivial)] u8),
    #[codec]
    B,
    #[codec = "x"]
    C,
}

fn main() {
    let _ = podwire::to_vec(&Variants::B);
}
