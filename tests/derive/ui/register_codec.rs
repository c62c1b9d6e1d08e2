//! `register_codec!` of what cannot be registered: one error each, on the type.

use podwire::{Codec, register_codec};

register_codec!(std::time::Instant, "Instant");
register_codec!(Vec<std::fs::File>, "Files");
register_codec!(Box<dyn Fn() + Send + Sync>, "Function");
register_codec!(std::rc::Rc<u8>, "Shared");
register_codec!(&'static str, "Borrowed");

#[derive(Codec)]
#[codec(register)]
struct NotShared {
    number: std::rc::Rc<u8>,
}

fn main() {}
