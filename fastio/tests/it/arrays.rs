//! Arrays: published in any layout, viewed only as what they are.

use ndarray::{Array3, ArrayD, IxDyn, array, s};
use podwire_fastio::{AllocationOptions, DType, Error, Metadata};

use crate::support::Pipeline;

#[test]
fn an_array_of_any_layout_arrives_in_standard_order_copied_once() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let volume = Array3::from_shape_fn((5, 6, 7), |(z, y, x)| (100 * z + 10 * y + x) as i16);
    let views = [
        volume.view(),
        volume.slice(s![1..4;2, .., 1..]),
        volume.slice(s![..;-1, ..;-2, ..;-1]),
        volume.view().reversed_axes(),
        volume.slice(s![2..2, .., ..]),
    ];
    let mut bytes = 0;
    for (number, view) in views.iter().enumerate() {
        let name = format!("view-{number}");
        context.publish_array(view, &name).unwrap();
        bytes += view.len() as u64 * 2;
        let found = context.get(&name).unwrap();
        let guard = found.map().unwrap();
        assert_eq!(guard.as_array::<i16>().unwrap(), view.into_dyn());
        assert!(guard.as_array::<i16>().unwrap().is_standard_layout());
        assert_eq!(found.len() as u64, view.len() as u64 * 2);
        assert_eq!(context.stats().unwrap().bytes_copied, bytes);
    }
}

#[test]
fn arrays_of_every_rank_and_element_arrive() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.publish_array(&ndarray::arr0(1.5f64), "scalar").unwrap();
    assert_eq!(context.get("scalar").unwrap().map().unwrap().as_array::<f64>().unwrap()[IxDyn(&[])], 1.5);
    context.publish_array(&array![[1.0f32, 2.0], [3.0, 4.0]], "complex").unwrap();
    let complex = array![[1.0f32, -1.0], [2.0, 0.5]];
    context.publish_array(&complex, "pairs").unwrap();
    context.publish_array(&array![[1.0f32, -1.0]].map(|re| [*re, 0.0]), "c64").unwrap();
    assert_eq!(context.get("c64").unwrap().metadata().unwrap().dtype, Some(DType::C64));
    context.publish_array(&array![true, false, true].slice(s![..;-1]), "mask").unwrap();
    assert_eq!(*context.get("mask").unwrap().map().unwrap(), [1, 0, 1]);
    context.publish_array(&ArrayD::<u8>::zeros(vec![1; 12]), "rank 12").unwrap();
    assert_eq!(context.get("rank 12").unwrap().map().unwrap().as_array::<u8>().unwrap().ndim(), 12);
}

#[test]
fn an_array_is_changed_in_place() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.publish_array(&array![1u32, 2, 3], "numbers").unwrap();
    allocation.map_mut().unwrap().as_array_mut::<u32>().unwrap()[1] = 20;
    assert_eq!(
        context.get("numbers").unwrap().map().unwrap().as_array::<u32>().unwrap(),
        array![1, 20, 3].into_dyn()
    );
    assert_eq!(context.stats().unwrap().bytes_copied, 12, "views copy nothing");
}

#[test]
fn a_view_that_does_not_fit_is_refused() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let with = |size, metadata| context.create_with(AllocationOptions::new(size).metadata(metadata)).unwrap();
    let array = |shape: &[u64]| Metadata::array(DType::F32, shape.iter().copied());
    let refused = |size, metadata| {
        let allocation = with(size, metadata);
        let error = allocation.map().unwrap().as_array::<f32>().unwrap_err();
        let again = allocation.map_mut().unwrap().as_array_mut::<f32>().unwrap_err();
        assert_eq!(error.to_string(), again.to_string());
        error
    };
    assert!(matches!(
        refused(8, Metadata::array(DType::I32, [2])),
        Error::WrongType { expected: DType::F32, found: Some(DType::I32) }
    ));
    assert!(matches!(refused(8, Metadata::default()), Error::WrongType { found: None, .. }));
    for shape in
        [&[3u64][..], &[1 << 62, 4], &[u64::MAX, u64::MAX], &[1 << 32, 1 << 32, 1 << 32], &[u64::MAX]]
    {
        assert!(matches!(refused(8, array(shape)), Error::WrongShape { .. }), "{shape:?}");
    }
    for strides in [vec![-1], vec![2], vec![i64::MAX], vec![0]] {
        let mut metadata = array(&[2]);
        metadata.strides = Some(strides.clone());
        let outcome = with(8, metadata);
        let outcome = outcome.map().unwrap().as_array::<f32>().map(|view| view.sum());
        assert!(outcome.is_err() || strides == [0], "{strides:?}");
    }
    let mut columns = array(&[2, 3]);
    columns.strides = Some(vec![1, 2]);
    let allocation = with(24, columns);
    allocation.map_mut().unwrap().as_array_mut::<f32>().unwrap()[[1, 2]] = 6.0;
    assert_eq!(allocation.map().unwrap()[20..], 6.0f32.to_le_bytes());
}
