//! A trait object: nothing says which type its bytes are.

trait Shape {}

#[derive(podwire::Codec)]
struct Holder {
    shape: Box<dyn Shape>,
    callback: Option<Box<dyn Fn(u8) -> u8 + Send>>,
    shapes: Vec<std::sync::Arc<dyn Shape>>,
}

fn main() {}
