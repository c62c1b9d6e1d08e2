//! The derive was forgotten: wherever the type is used, one error that says so.

use podwire::{Buffer, Codec, CodecRegistry};
use std::collections::HashMap;

struct Point {
    x: f32,
}

#[derive(Codec)]
struct Path {
    direct: Point,
    listed: Vec<Option<[Point; 2]>>,
    boxed: Box<Point>,
    named: HashMap<String, Point>,
    pairs: (u8, Vec<Point>),
}

fn main() {
    let point = Point { x: 1.0 };
    let _ = podwire::to_vec(&point);
    let _ = podwire::from_slice::<Point>(&[]);
    let _ = podwire::serialize(&vec![point], &mut Buffer::new());
    let _ = podwire::deserialize::<Point, _>(&mut Buffer::new());
    let _ = CodecRegistry::new().register::<Point>("Point");
}
