//! How do I write a codec by hand? In each way that there is, and by derive: the bytes are the same.
//!
//! `cargo run --example coordinate`

use podwire::{
    Buffer, Codec, Decode, Encode, Endpoint, EndpointExt, Reader, Result, Writer, deserialize_trivial_type,
    serialize_trivial_type, to_vec,
};

/// By derive.
#[derive(Codec, Debug, PartialEq)]
struct Coordinate {
    x: f32,
    y: f32,
    z: f32,
}

/// By hand, on the cursors: works on every endpoint, inside other types, and is as fast as the derive.
#[derive(Debug, PartialEq)]
struct OnCursors {
    x: f32,
    y: f32,
    z: f32,
}

impl Encode for OnCursors {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.write_trivial_type(&self.x)?;
        writer.write_trivial_type(&self.y)?;
        writer.write_trivial_type(&self.z)
    }
}

impl<'de> Decode<'de> for OnCursors {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        Ok(Self {
            x: reader.read_trivial_type()?,
            y: reader.read_trivial_type()?,
            z: reader.read_trivial_type()?,
        })
    }
}

/// By hand, on the cursors, as raw bytes.
#[derive(Debug, PartialEq)]
struct AsBytes([f32; 3]);

impl Encode for AsBytes {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        self.0.iter().try_for_each(|part| writer.write(&part.to_le_bytes()))
    }
}

impl<'de> Decode<'de> for AsBytes {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        let mut parts = [0.0; 3];
        for part in &mut parts {
            let mut bytes = [0; 4];
            reader.read(&mut bytes)?;
            *part = f32::from_le_bytes(bytes);
        }
        Ok(Self(parts))
    }
}

/// As functions on any endpoint, also `dyn`: the shortest way for a single message, one call per value.
fn write_coordinate(value: &Coordinate, endpoint: &mut dyn Endpoint) -> Result<()> {
    endpoint.write_trivial_type(&value.x)?;
    endpoint.write_trivial_type(&value.y)?;
    endpoint.write_trivial_type(&value.z)
}

fn read_coordinate(endpoint: &mut dyn Endpoint) -> Result<Coordinate> {
    Ok(Coordinate {
        x: endpoint.read_trivial_type()?,
        y: endpoint.read_trivial_type()?,
        z: endpoint.read_trivial_type()?,
    })
}

/// The same with functions, as `holoscan::codec` names them.
fn write_with_functions(value: &Coordinate, endpoint: &mut Buffer) -> Result<usize> {
    Ok(serialize_trivial_type(&value.x, endpoint)?
        + serialize_trivial_type(&value.y, endpoint)?
        + serialize_trivial_type(&value.z, endpoint)?)
}

fn main() -> Result<()> {
    let derived = Coordinate { x: 1.0, y: 2.0, z: 3.0 };
    let expected = to_vec(&derived)?;
    println!("by derive:    {expected:02x?}");

    let on_cursors = OnCursors { x: 1.0, y: 2.0, z: 3.0 };
    assert_eq!(to_vec(&on_cursors)?, expected);
    assert_eq!(podwire::from_slice::<OnCursors>(&expected)?, on_cursors);
    println!("on cursors:   the same");

    let as_bytes = AsBytes([1.0, 2.0, 3.0]);
    assert_eq!(to_vec(&as_bytes)?, expected);
    assert_eq!(podwire::from_slice::<AsBytes>(&expected)?, as_bytes);
    println!("as bytes:     the same");

    let mut buffer = Buffer::new();
    write_coordinate(&derived, &mut buffer)?;
    assert_eq!(buffer.as_slice(), expected);
    assert_eq!(read_coordinate(&mut buffer)?, derived);
    println!("on endpoints: the same");

    assert_eq!(write_with_functions(&derived, &mut buffer)?, 12);
    assert_eq!(deserialize_trivial_type::<[f32; 3]>(&mut buffer)?, [1.0, 2.0, 3.0]);
    println!("by functions: the same");
    Ok(())
}
