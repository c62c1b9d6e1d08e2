//! A field's type has no codec: one error each, on the type.

mod foreign {
    pub struct Thing;
    pub struct Other;
    pub struct Third<T>(pub T);
    pub struct Fourth;
}

#[derive(podwire::Codec)]
struct Direct {
    fine: u8,
    thing: foreign::Thing,
}

#[derive(podwire::Codec)]
enum InContainers<T> {
    A(Vec<Option<foreign::Other>>),
    B { fine: u8, third: foreign::Third<T> },
    C([foreign::Fourth; 3], u8),
}

fn main() {
    let _ = podwire::to_vec(&Direct { fine: 1, thing: foreign::Thing });
    let _ = podwire::from_slice::<InContainers<u8>>(&[]);
}
