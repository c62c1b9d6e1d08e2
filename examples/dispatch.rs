//! How do I receive a value whose type I learn from the message?
//!
//! `cargo run --example dispatch`

use podwire::{Buffer, Codec, CodecRegistry, register_codec, registry::AnyValue};

#[derive(Codec, Debug)]
#[codec(register)] // as "Temperature"
struct Temperature {
    celsius: f32,
}

#[derive(Codec, Debug)]
#[codec(name = "sensors.Position")]
struct Position {
    metres: [f64; 3],
    valid: bool,
}

// For a type that is not yours, or an instance of a generic one.
register_codec!(Vec<u16>, "samples");

/// What a receiver does with whatever came.
fn show(value: &AnyValue) {
    if let Some(Temperature { celsius }) = value.downcast_ref() {
        println!("it is {celsius} degrees");
    } else if let Some(position) = value.downcast_ref::<Position>() {
        println!("it is at {:?} ({})", position.metres, if position.valid { "valid" } else { "old" });
    } else if let Some(samples) = value.downcast_ref::<Vec<u16>>() {
        println!("{} samples came", samples.len());
    } else {
        println!("a value came that nobody here asked for");
    }
}

fn main() -> podwire::Result<()> {
    let registry = CodecRegistry::global();
    println!("known: {:?}", registry.names());

    // The sender knows a value only as `dyn Any`.
    let outbox: [AnyValue; 3] = [
        Box::new(Temperature { celsius: 21.5 }),
        Box::new(Position { metres: [1.0, 2.0, 0.5], valid: true }),
        Box::new(vec![7_u16; 1_000]),
    ];
    let mut wire = Buffer::new();
    for value in &outbox {
        registry.serialize(&**value, &mut wire)?;
    }

    // The receiver knows nothing but the bytes.
    while !wire.as_slice().is_empty() {
        show(&registry.deserialize(&mut wire)?);
    }

    let unknown = registry.serialize(&"a &str has no codec here", &mut wire).unwrap_err();
    println!("refused: {unknown}");
    Ok(())
}
