//! DLPack: what a C consumer finds in an exported structure, and what a foreign producer may hand in.
#![cfg(feature = "dlpack")]
#![allow(unsafe_code, clippy::multiple_unsafe_ops_per_block, reason = "the tests play the C side")]

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ptr::null_mut;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use podwire_codec_core::tensor::dlpack::{
    Abi, DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLPackVersion, DLTensor,
    DlpackError, IS_COPIED, Managed, READ_ONLY, VERSION,
};
use podwire_codec_core::tensor::{DType, Device, DeviceKind, Tensor, TensorError};
use podwire_codec_core::{DeviceAddress, Error, Owner, Segment, from_slice, to_vec};

#[test]
fn the_structures_are_those_of_the_c_header() {
    assert_eq!((size_of::<DLDataType>(), size_of::<DLDevice>(), size_of::<DLPackVersion>()), (4, 8, 8));
    if cfg!(target_pointer_width = "64") {
        assert_eq!(size_of::<DLTensor>(), 48);
        assert_eq!((offset_of!(DLTensor, ndim), offset_of!(DLTensor, dtype)), (16, 20));
        assert_eq!((offset_of!(DLTensor, shape), offset_of!(DLTensor, byte_offset)), (24, 40));
        assert_eq!(size_of::<DLManagedTensor>(), 64);
        assert_eq!(size_of::<DLManagedTensorVersioned>(), 80);
        assert_eq!(offset_of!(DLManagedTensorVersioned, deleter), 16);
        assert_eq!(offset_of!(DLManagedTensorVersioned, flags), 24);
        assert_eq!(offset_of!(DLManagedTensorVersioned, dl_tensor), 32);
    }
}

/// Memory that counts how often it was dropped.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl Owner for Counted {
    fn bytes(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}

fn counted(bytes: Vec<u8>) -> (Segment, Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    (Segment::new(Arc::new(Counted(bytes, Arc::clone(&drops)))), drops)
}

#[test]
fn a_consumer_walks_the_structure_and_frees_it_once() {
    let (memory, drops) = counted((0..24).collect());
    let tensor = Tensor::from_strides(memory, DType::U8, &[2, 3], &[-12, 2], 14).unwrap();
    let expected = tensor.to_vec::<u8>().unwrap();
    let pointer = tensor.to_dlpack().unwrap().into_raw();
    drop(tensor);
    assert_eq!(drops.load(SeqCst), 0, "the structure keeps the memory");

    // SAFETY: what a consumer in C does with the pointer of a capsule.
    unsafe {
        let managed = &*pointer;
        assert_eq!((managed.version, managed.flags), (VERSION, READ_ONLY));
        let DLTensor { data, device, ndim, dtype, shape, strides, byte_offset } = managed.dl_tensor;
        assert_eq!(device, DLDevice { device_type: 1, device_id: 0 });
        assert_eq!(dtype, DLDataType { code: 1, bits: 8, lanes: 1 });
        assert_eq!(ndim, 2);
        assert_eq!(slice::from_raw_parts(shape, 2), [2, 3]);
        let strides = slice::from_raw_parts(strides, 2);
        assert_eq!(strides, [-12, 2]);
        let first = data.cast::<u8>().byte_add(byte_offset as usize);
        let mut found = vec![];
        for row in 0..2 {
            for column in 0..3 {
                found.push(*first.offset((row * strides[0] + column * strides[1]) as isize));
            }
        }
        assert_eq!(found, expected);
        assert_eq!(found, [14, 16, 18, 2, 4, 6]);
        managed.deleter.unwrap()(pointer);
    }
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn what_is_not_handed_over_is_freed_once() {
    let (memory, drops) = counted(vec![0; 4]);
    let managed = Tensor::from_segment(memory, DType::U8, &[4]).unwrap().to_dlpack().unwrap();
    assert_eq!(managed.as_raw().dl_tensor.ndim, 1);
    let elsewhere = std::thread::spawn(move || drop(managed));
    elsewhere.join().unwrap();
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn every_dtype_goes_out_and_comes_in() {
    for dtype in DType::ALL.iter().copied() {
        let aligned = podwire_codec_core::Bulk::from(vec![1_u64, 2]);
        let memory = aligned.segment().part(0..dtype.size()).unwrap();
        let tensor = Tensor::from_segment(memory, dtype, &[]).unwrap();
        let managed = tensor.to_dlpack().unwrap();
        let DLDataType { bits, lanes, .. } = managed.as_raw().dl_tensor.dtype;
        assert_eq!((usize::from(bits), lanes), (dtype.size() * 8, 1));
        assert_eq!(Tensor::from_dlpack(managed).unwrap(), tensor);
    }
    let empty = Tensor::from_vec(Vec::<f32>::new(), &[3, 0]).unwrap();
    let managed = empty.to_dlpack().unwrap();
    assert!(managed.as_raw().dl_tensor.data.is_null());
    assert_eq!(Tensor::from_dlpack(managed).unwrap(), empty);
}

/// A foreign library: its structures, with what their deleters free.
struct Producer<M> {
    managed: M,
    numbers: Vec<i64>,
    memory: Vec<u64>,
    freed: Arc<AtomicUsize>,
}

unsafe extern "C" fn free<M: Foreign>(managed: *mut M) {
    // SAFETY: the context is the box that `Foreign::make` leaked.
    let producer = unsafe { Box::from_raw((*managed).context().cast::<Producer<M>>()) };
    producer.freed.fetch_add(1, SeqCst);
}

trait Foreign: Abi {
    fn new(tensor: DLTensor, flags: u64) -> Self;
    fn context(&mut self) -> &mut *mut c_void;
    fn array(&mut self) -> &mut DLTensor;

    /// Sixteen numbers in a structure, changed by `change`; and how often it was freed.
    fn make(
        shape: &[i64],
        strides: &[i64],
        change: impl FnOnce(&mut DLTensor),
    ) -> (*mut Self, Arc<AtomicUsize>) {
        let freed = Arc::new(AtomicUsize::new(0));
        let array = DLTensor {
            data: null_mut(),
            device: DLDevice { device_type: 1, device_id: 0 },
            ndim: shape.len() as i32,
            dtype: DLDataType { code: 1, bits: 64, lanes: 1 },
            shape: null_mut(),
            strides: null_mut(),
            byte_offset: 0,
        };
        let producer = Box::leak(Box::new(Producer {
            managed: Self::new(array, READ_ONLY | IS_COPIED),
            numbers: [shape, strides].concat(),
            memory: (0..16).collect(),
            freed: Arc::clone(&freed),
        }));
        let numbers = producer.numbers.as_mut_ptr();
        let memory = producer.memory.as_mut_ptr();
        let array = producer.managed.array();
        array.data = memory.cast();
        array.shape = numbers;
        array.strides = if strides.is_empty() { null_mut() } else { numbers.wrapping_add(shape.len()) };
        change(array);
        let context = std::ptr::from_mut(producer);
        // SAFETY: just leaked, and only here.
        let managed = unsafe { &raw mut (*context).managed };
        // SAFETY: as above.
        unsafe { *(*managed).context() = context.cast() };
        (managed, freed)
    }
}

impl Foreign for DLManagedTensorVersioned {
    fn new(dl_tensor: DLTensor, flags: u64) -> Self {
        let version = DLPackVersion { major: 1, minor: 99 };
        Self { version, manager_ctx: null_mut(), deleter: Some(free::<Self>), flags, dl_tensor }
    }

    fn context(&mut self) -> &mut *mut c_void {
        &mut self.manager_ctx
    }

    fn array(&mut self) -> &mut DLTensor {
        &mut self.dl_tensor
    }
}

impl Foreign for DLManagedTensor {
    fn new(dl_tensor: DLTensor, _: u64) -> Self {
        Self { dl_tensor, manager_ctx: null_mut(), deleter: Some(free::<Self>) }
    }

    fn context(&mut self) -> &mut *mut c_void {
        &mut self.manager_ctx
    }

    fn array(&mut self) -> &mut DLTensor {
        &mut self.dl_tensor
    }
}

fn import<M: Foreign>(
    shape: &[i64],
    strides: &[i64],
    change: impl FnOnce(&mut DLTensor),
) -> (Result<Tensor, Error>, Arc<AtomicUsize>) {
    let (managed, freed) = M::make(shape, strides, change);
    // SAFETY: just made, and consumed once. What `change` breaks is not followed, which is what is tested.
    let managed = unsafe { Managed::from_raw(managed) }.unwrap();
    (Tensor::from_dlpack(managed), freed)
}

fn both(shape: &[i64], strides: &[i64], change: impl Fn(&mut DLTensor)) -> Tensor {
    let (found, freed) = import::<DLManagedTensorVersioned>(shape, strides, &change);
    let (legacy, _) = import::<DLManagedTensor>(shape, strides, &change);
    let (found, legacy) = (found.unwrap(), legacy.unwrap());
    assert_eq!(found, legacy);
    let clone = found.clone();
    drop(found);
    assert_eq!(
        freed.load(SeqCst),
        usize::from(legacy.is_empty()),
        "a clone keeps the memory, if there is any"
    );
    drop(clone);
    assert_eq!(freed.load(SeqCst), 1);
    legacy
}

#[test]
fn a_foreign_tensor_is_taken_over_without_a_copy() {
    let (managed, freed) = DLManagedTensorVersioned::make(&[4, 4], &[], |_| {});
    // SAFETY: just made, and consumed once.
    let managed = unsafe { Managed::from_raw(managed) }.unwrap();
    let start = managed.as_raw().dl_tensor.data.cast::<u64>().cast_const();
    assert_eq!(managed.as_raw().flags(), READ_ONLY | IS_COPIED);
    let tensor = Tensor::from_dlpack(managed).unwrap();
    assert_eq!(tensor.as_slice::<u64>().unwrap().as_ptr(), start);
    assert_eq!(freed.load(SeqCst), 0);
    let row = tensor.part(0, 3..4).unwrap();
    drop(tensor);
    assert_eq!(row.as_slice::<u64>().unwrap(), [12, 13, 14, 15]);
    assert_eq!(freed.load(SeqCst), 0, "a part keeps the memory");
    drop(row);
    assert_eq!(freed.load(SeqCst), 1);
}

#[test]
fn strides_offsets_and_scalars_are_understood() {
    let columns = both(&[2, 3], &[1, 4], |_| {});
    assert_eq!(columns.to_vec::<u64>().unwrap(), [0, 4, 8, 1, 5, 9]);
    let shifted = both(&[2, 2], &[4, 1], |array| array.byte_offset = 40);
    assert_eq!(shifted.to_vec::<u64>().unwrap(), [5, 6, 9, 10]);
    let turned = both(&[2, 3], &[-4, -1], |array| array.byte_offset = 48);
    assert_eq!(turned.to_vec::<u64>().unwrap(), [6, 5, 4, 2, 1, 0]);
    let scalar = both(&[], &[], |array| (array.shape, array.byte_offset) = (null_mut(), 24));
    assert_eq!((scalar.rank(), scalar.to_vec::<u64>().unwrap()), (0, vec![3]));
    let empty = both(&[0, 4], &[], |array| array.data = null_mut());
    assert!(empty.is_empty());
    let pinned = both(&[2], &[], |array| array.device = DLDevice { device_type: 3, device_id: 2 });
    assert_eq!(pinned.device(), Device { kind: DeviceKind::CUDA_HOST, index: 2 });
    let shorts = both(&[4], &[], |array| array.dtype = DLDataType { code: 1, bits: 16, lanes: 1 });
    assert_eq!(shorts.to_vec::<u16>().unwrap(), [0, 0, 0, 0]);
}

#[test]
fn a_foreign_tensor_is_sent_and_handed_on() {
    let tensor = both(&[2, 3], &[1, 4], |_| {});
    assert_eq!(from_slice::<Tensor>(&to_vec(&tensor).unwrap()).unwrap(), tensor);
    let again = Tensor::from_dlpack(tensor.to_dlpack().unwrap()).unwrap();
    assert_eq!((again.strides(), &again), (tensor.strides(), &tensor));
}

#[test]
fn case_31_hostile_structures_are_refused_and_freed_once() {
    type Change = fn(&mut DLTensor);
    let dlpack = |error| TensorError::Dlpack(error);
    let cases: Vec<(&[i64], &[i64], Change, TensorError)> = vec![
        (&[2], &[], |array| array.ndim = -1, dlpack(DlpackError::Rank { found: -1 })),
        (&[2], &[], |array| array.ndim = 33, dlpack(DlpackError::Rank { found: 33 })),
        (&[2], &[], |array| array.ndim = i32::MAX, dlpack(DlpackError::Rank { found: i32::MAX })),
        (&[2], &[], |array| array.shape = null_mut(), dlpack(DlpackError::Null { what: "shape" })),
        (&[2], &[], |array| array.data = null_mut(), dlpack(DlpackError::Null { what: "data" })),
        (&[2, -1], &[], |_| {}, dlpack(DlpackError::Extent { axis: 1, found: -1 })),
        (&[i64::MAX, i64::MAX], &[], |_| {}, TensorError::TooLarge),
        (&[2, 2], &[i64::MAX, 1], |_| {}, TensorError::TooLarge),
        (&[2, 2], &[i64::MIN, i64::MIN], |_| {}, TensorError::TooLarge),
        (&[2], &[], |array| array.byte_offset = u64::MAX, TensorError::TooLarge),
        (&[4, 2], &[0, 1], |_| {}, TensorError::Repeated { wanted: 64, found: 16 }),
        (&[2], &[], |array| array.device.device_type = 2, dlpack(DlpackError::Device { kind: 2 })),
        (&[2], &[], |array| array.device.device_type = -7, dlpack(DlpackError::Device { kind: -7 })),
        (
            &[2],
            &[],
            |array| array.dtype.lanes = 4,
            dlpack(DlpackError::ElementType { code: 1, bits: 64, lanes: 4 }),
        ),
        (
            &[2],
            &[],
            |array| array.dtype = DLDataType { code: 255, bits: 0, lanes: 0 },
            dlpack(DlpackError::ElementType { code: 255, bits: 0, lanes: 0 }),
        ),
        (
            &[2],
            &[],
            |array| array.dtype = DLDataType { code: 17, bits: 4, lanes: 1 },
            dlpack(DlpackError::ElementType { code: 17, bits: 4, lanes: 1 }),
        ),
    ];
    for (shape, strides, change, wanted) in cases {
        let found = [
            import::<DLManagedTensorVersioned>(shape, strides, change),
            import::<DLManagedTensor>(shape, strides, change),
        ];
        for (found, freed) in found {
            match found {
                Err(Error::Tensor(error)) => assert_eq!(*error, wanted),
                other => panic!("{other:?} instead of {wanted}"),
            }
            assert_eq!(freed.load(SeqCst), 1, "{wanted}");
        }
    }
    let (found, freed) = import::<DLManagedTensor>(&[1], &[], |array| array.byte_offset = 4);
    assert!(matches!(found, Err(Error::SegmentAlignment { wanted: 8, found: 4 })), "{found:?}");
    assert_eq!(freed.load(SeqCst), 1);
}

#[test]
fn case_31_null_structures_and_unknown_versions_are_refused() {
    // SAFETY: null is what is tested.
    let found = unsafe { Managed::<DLManagedTensorVersioned>::from_raw(null_mut()) };
    assert!(matches!(found, Err(Error::Tensor(error))
        if *error == TensorError::Dlpack(DlpackError::Null { what: "structure" })));

    let (managed, freed) = DLManagedTensorVersioned::make(&[2], &[], |_| {});
    // SAFETY: just made.
    unsafe { (*managed).version.major = 2 };
    // SAFETY: consumed once; all of a structure of another version that is looked at is its version and its deleter.
    let found = Tensor::from_dlpack(unsafe { Managed::from_raw(managed) }.unwrap());
    assert!(matches!(found, Err(Error::Tensor(error))
        if *error == TensorError::Dlpack(DlpackError::Version { major: 2 })));
    assert_eq!(freed.load(SeqCst), 1);
}

#[test]
fn a_structure_without_a_deleter_is_left_to_its_producer() {
    let (managed, freed) = DLManagedTensor::make(&[2], &[], |_| {});
    // SAFETY: just made.
    unsafe { (*managed).deleter = None };
    // SAFETY: consumed once.
    let tensor = Tensor::from_dlpack(unsafe { Managed::from_raw(managed) }.unwrap()).unwrap();
    drop(tensor);
    assert_eq!(freed.load(SeqCst), 0);
    // SAFETY: nobody else uses it any more.
    unsafe { free(managed) };
    assert_eq!(freed.load(SeqCst), 1);
}

/// An owner that breaks its promise, and shows other memory each time.
struct Flip(AtomicUsize, [Vec<u8>; 2]);

impl Owner for Flip {
    fn bytes(&self) -> Option<&[u8]> {
        Some(&self.1[self.0.fetch_add(1, SeqCst) % 2])
    }
}

#[test]
fn what_was_checked_is_what_is_handed_out() {
    // Which of them is shown when nobody knows.
    for first in 0..2 {
        let owner = Flip(AtomicUsize::new(first), [vec![1; 4], vec![7; 4]]);
        let tensor = Tensor::from_segment(Segment::new(Arc::new(owner)), DType::Bool, &[4]).unwrap();
        for _ in 0..4 {
            let Ok(managed) = tensor.to_dlpack() else { continue };
            let data = managed.as_raw().dl_tensor.data.cast::<u8>();
            // SAFETY: the structure, which has four bytes.
            assert!(unsafe { *data } < 2, "a consumer gets a `bool` that is none");
            break;
        }
    }
}

#[test]
fn memory_of_a_cuda_device_comes_in_only_when_asked_for_and_goes_out_at_its_address() {
    struct OnDevice(Vec<u8>);
    impl Owner for OnDevice {
        fn bytes(&self) -> Option<&[u8]> {
            None
        }

        fn length(&self) -> usize {
            self.0.len()
        }

        fn device_address(&self) -> Option<DeviceAddress> {
            // SAFETY: the memory is this vector's, which nobody writes to.
            Some(unsafe { DeviceAddress::new(self.0.as_ptr().addr()) })
        }
    }
    let owner = OnDevice(vec![7; 24]);
    let address = owner.0.as_ptr().addr();
    let tensor = Tensor::from_segment(Segment::new(Arc::new(owner)), DType::U8, &[4, 6]).unwrap();
    let tensor = tensor.part(0, 1..3).unwrap().with_device(Device::cuda(3));

    let managed = tensor.to_dlpack().unwrap();
    let raw = managed.as_raw().dl_tensor;
    assert_eq!((raw.data.addr(), raw.byte_offset), (address + 6, 0));
    assert_eq!(raw.device, DLDevice { device_type: 2, device_id: 3 });
    let refused = Tensor::from_dlpack(managed);
    assert!(matches!(refused, Err(Error::Tensor(error)) if *error == DlpackError::Device { kind: 2 }.into()));

    let same = Tensor::from_dlpack_of_device(tensor.to_dlpack().unwrap()).unwrap();
    assert_eq!((same.device(), same.shape()), (Device::cuda(3), &[2, 6][..]));
    assert_eq!(same.segment().kind(), podwire_codec_core::MemoryKind::CUDA);
    assert_eq!(same.segment().device_address(), Some(address + 6));
    assert!(matches!(same.as_slice::<u8>(), Err(Error::NotHostMemory { kind: 2 })));
    let again = same.part(0, 1..2).unwrap().to_dlpack().unwrap();
    assert_eq!(again.as_raw().dl_tensor.data.addr(), address + 12);
}
