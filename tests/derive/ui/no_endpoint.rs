//! What is no endpoint.

fn main() {
    let mut memory = [0_u8; 8];
    let _ = podwire::serialize(&1_u8, &mut memory[..]);
    let mut file = std::fs::File::open("file").unwrap();
    let _ = podwire::deserialize::<u8, _>(&mut file);
}
