//! What `#[derive(Codec)]` writes: a test for each shape of type, for each attribute, and for each promise.

mod shapes;
