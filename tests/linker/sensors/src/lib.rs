//! Registrations that nobody calls, in modules of their own, so that they land in different units of the compiler.

/// A type that the program never names.
#[derive(podwire::Codec)]
#[codec(register)]
pub struct Lidar {
    /// Metres.
    pub ranges: Vec<f32>,
}

mod hidden {
    #[derive(podwire::Codec)]
    #[codec(name = "sensors::Private")]
    #[allow(dead_code, reason = "what matters is that it is registered")]
    struct Private(u8, String);

    podwire::register_codec!(Vec<Private>, "sensors::Privates");
}

/// Names that two lines claim.
pub mod twice {
    podwire::register_codec!((u8, u16), "sensors::twice");
    podwire::register_codec!((u16, u8), "sensors::twice");
}
