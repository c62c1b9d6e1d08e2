//! The renderer's input specs: their bytes, their names, their way through the registry.

use podwire::holoviz::{DepthMapRenderMode, InputSpec, InputType, InputView};
use podwire::message::{self, Metadata};
use podwire::schema::schema_of;
use podwire::{Buffer, Codec, CodecRegistry, Error, IoReader, from_slice, to_vec};

/// Two specs with something in every field.
fn specs() -> Vec<InputSpec> {
    let matrix = [[1.0, 0.0, 0.0, 0.5], [0.0, 1.0, 0.0, -0.5], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    let view = InputView { offset_x: 0.25, offset_y: 0.5, width: 0.5, height: 0.25, matrix: Some(matrix) };
    vec![
        InputSpec {
            opacity: 0.5,
            priority: -3,
            color: vec![1.0, 0.0, 0.0, 1.0],
            line_width: 2.0,
            point_size: 4.0,
            text: vec!["left".into(), "é".repeat(200)],
            depth_map_render_mode: DepthMapRenderMode::Triangles,
            views: vec![view, InputView::default()],
            ..InputSpec::new("depth", InputType::DepthMap)
        },
        InputSpec::default(),
    ]
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let spec = InputSpec {
        text: vec!["t".into()],
        views: vec![InputView::default()],
        priority: 7,
        depth_map_render_mode: DepthMapRenderMode::Lines,
        ..InputSpec::new("n", InputType::Text)
    };
    let one = [0, 0, 0x80, 0x3F];
    #[rustfmt::skip]
    let expected = [
        // The head: name, kind, opacity, priority, colour, widths, texts, mode, views.
        &[1, 0, 0, 0][..], &[10], &one, &[7, 0, 0, 0], &[4, 0, 0, 0], &one, &one, &[1, 0, 0, 0], &[1], &[1, 0, 0, 0],
        // The tails: of the name, the colour, the text, the view.
        b"n", &one, &one, &one, &one, &[1, 0, 0, 0], b"t", &[0; 8], &one, &one, &[0],
    ]
    .concat();
    assert_eq!(to_vec(&spec).unwrap(), expected);
    assert_eq!(from_slice::<InputSpec>(&expected).unwrap(), spec);
    let schema = schema_of::<Vec<InputSpec>>().to_string();
    assert!(schema.starts_with("[struct{name:text,kind:enum8{Unknown=0{},Color=1{},"), "{schema}");
    assert!(schema.ends_with("height:f32,matrix:?[[f32;4];4]}]}]"), "{schema}");
}

#[test]
fn specs_come_back_under_their_name_and_under_that_of_the_field() {
    let registry = CodecRegistry::global();
    let mut bytes = Vec::new();
    registry.serialize(&specs(), &mut bytes).unwrap();
    let (message, _) = message::Message::parse(&bytes, Default::default()).unwrap();
    assert_eq!(message.name(), "Vec<InputSpec>");
    let back = registry.deserialize(&mut IoReader(&bytes[..])).unwrap();
    assert_eq!(*back.downcast::<Vec<InputSpec>>().unwrap(), specs());

    let alias = "std::vector<holoscan::ops::HolovizOp::InputSpec>";
    let entry = registry.by_name(alias).unwrap();
    let mut buffer = Buffer::new();
    let write = |writer: &mut podwire::Writer<'_>| entry.encode(&specs(), writer);
    message::write(alias, entry.fingerprint(), &Metadata::new(), &mut buffer, write).unwrap();
    let back = registry.deserialize(&mut buffer).unwrap();
    assert_eq!(*back.downcast::<Vec<InputSpec>>().unwrap(), specs());
    assert!(registry.names().iter().any(|name| &**name == alias));
}

#[test]
fn every_kind_and_no_specs_at_all_come_back() {
    use InputType::*;
    let kinds = [
        Unknown,
        Color,
        ColorLut,
        Points,
        Lines,
        LineStrip,
        Triangles,
        Crosses,
        Rectangles,
        Ovals,
        Text,
        DepthMap,
        DepthMapColor,
        Points3d,
        Lines3d,
        LineStrip3d,
        Triangles3d,
    ];
    for (tag, kind) in kinds.into_iter().enumerate() {
        assert_eq!(to_vec(&kind).unwrap(), [tag as u8]);
        assert_eq!(from_slice::<InputType>(&[tag as u8]).unwrap(), kind);
    }
    assert!(matches!(from_slice::<InputType>(&[17]), Err(Error::UnknownTag { found: 17, .. })));
    assert_eq!(Vec::<InputSpec>::deserialize(&mut IoReader(&[0; 4][..])).unwrap(), []);
}

#[test]
fn prefixes_and_flipped_bits_are_errors_or_specs() {
    let bytes = to_vec(&specs()).unwrap();
    for length in 0..bytes.len() {
        let error = from_slice::<Vec<InputSpec>>(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{length} bytes: {error:?}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(specs) = from_slice::<Vec<InputSpec>>(&flipped) {
            assert_eq!(to_vec(&specs).unwrap(), flipped);
        }
    }
}
