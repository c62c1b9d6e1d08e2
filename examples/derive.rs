//! How do I send a struct, and what does it cost in bytes?
//!
//! `cargo run --example derive`

use podwire::{Codec, from_slice, schema::schema_of, to_vec};

/// A detection in a camera's picture.
#[derive(Codec, Debug, Clone, PartialEq)]
struct Detection {
    label: String,
    confidence: f32,
    corners: [[u16; 2]; 2],
    track: Option<Track>,
}

/// Where the detected thing was before.
#[derive(Codec, Debug, Clone, PartialEq)]
enum Track {
    New,
    Seen { times: u32, path: Vec<Point> },
}

/// Two floats: in memory what they are on the wire, so a `Vec` of points is one copy.
#[derive(Codec, Debug, Clone, Copy, PartialEq)]
struct Point {
    x: f32,
    y: f32,
}

fn main() -> podwire::Result<()> {
    let path = (0..100_u8).map(|step| Point { x: f32::from(step), y: 0.5 }).collect();
    let detection = Detection {
        label: "pallet".into(),
        confidence: 0.97,
        corners: [[10, 20], [110, 80]],
        track: Some(Track::Seen { times: 100, path }),
    };

    let bytes = to_vec(&detection)?;
    assert_eq!(from_slice::<Detection>(&bytes)?, detection);

    println!("{} bytes, of which the path takes {}", bytes.len(), 100 * size_of::<Point>());
    println!("schema {}", schema_of::<Detection>());

    let cut = from_slice::<Detection>(&bytes[..bytes.len() - 1]).unwrap_err();
    println!("one byte less: {cut}");

    let fresh = Detection { track: Some(Track::New), ..detection };
    println!("a new track: {} bytes", to_vec(&fresh)?.len());
    Ok(())
}
