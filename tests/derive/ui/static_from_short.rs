//! What borrows for `'static` is not read from bytes that do not live so long.

#[derive(podwire::Codec)]
struct Forever {
    name: &'static str,
}

fn read(bytes: &[u8]) -> Forever {
    podwire::from_slice(bytes).unwrap()
}

fn main() {
    let bytes = vec![0; 4];
    let _ = podwire::from_slice::<Forever>(&bytes);
    read(&bytes);
}
