//! One small value of every shape of type that codec-core has a codec for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use num_complex::Complex;
use podwire_codec_core::tensor::{
    AudioBuffer, AudioLayout, DType, EndOfStream, PixelFormat, Tensor, TensorMap, Timestamp, VideoBuffer,
};
use podwire_codec_core::{Blob, Bulk, Codec, SharedStr};

use super::{List, Tree};

/// Looks at one value after the other.
pub(crate) trait Visitor {
    /// `canonical`: a value of this type has one encoding only. Maps and sets have one for each order.
    fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, canonical: bool);
}

/// Shows every value.
pub(crate) fn visit(visitor: &mut impl Visitor) {
    macro_rules! show {
        ($canonical:literal: $($type:ty = $value:expr;)+) => {$(
            visitor.look::<$type>(stringify!($type), $value, $canonical);
        )+};
    }
    show! { true:
        () = ();
        u8 = 200;
        i8 = -3;
        u16 = 0x0102;
        i16 = -2;
        u32 = 0xDEAD_BEEF;
        i32 = i32::MIN;
        u64 = 1 << 40;
        i64 = -5;
        u128 = 3 << 100;
        i128 = i128::MIN + 1;
        f32 = 1.5;
        f64 = -0.25;
        usize = 77;
        isize = -77;
        bool = true;
        char = 'é';
        PhantomData<String> = PhantomData;
        String = "naïve".into();
        Box<str> = "boxed".into();
        Rc<str> = "rc".into();
        Arc<str> = "arc".into();
        Vec<u8> = vec![1, 2, 3];
        Vec<()> = vec![(); 3];
        Vec<bool> = vec![true, false, true];
        Vec<char> = vec!['a', '\u{10FFFF}'];
        Vec<u64> = vec![1, u64::MAX];
        Vec<(u8, u32)> = vec![(1, 2), (3, 4)];
        Vec<String> = vec!["a".into(), String::new(), "xyz".into()];
        Vec<Vec<u16>> = vec![vec![], vec![7, 8]];
        Vec<Vec<Vec<u8>>> = vec![vec![vec![1], vec![]], vec![]];
        Vec<Option<u32>> = vec![None, Some(9)];
        Vec<Box<u16>> = vec![Box::new(1), Box::new(2)];
        Vec<[String; 2]> = vec![["p".into(), "q".into()]];
        Vec<(String, bool)> = vec![("t".into(), true)];
        Box<[u32]> = vec![5, 6].into();
        Arc<[String]> = vec![String::from("s")].into();
        Rc<[u8]> = vec![4, 5].into();
        [u8; 4] = [1, 2, 3, 4];
        [bool; 3] = [true, false, true];
        [u32; 0] = [];
        [String; 2] = ["a".into(), "bc".into()];
        [Option<u8>; 3] = [None, Some(1), Some(2)];
        [(u8, String); 2] = [(1, "x".into()), (2, String::new())];
        [[i16; 2]; 2] = [[1, 2], [3, 4]];
        Option<u16> = Some(5);
        Option<String> = Some("some".into());
        Option<Option<bool>> = Some(Some(true));
        Option<()> = Some(());
        Option<Vec<Option<u8>>> = Some(vec![Some(1), None]);
        (u8,) = (9,);
        (u8, u32) = (1, 2);
        (String, u8, String) = ("a".into(), 7, "bc".into());
        (Option<u16>, u8) = (Some(5), 9);
        (Box<u16>, u8) = (Box::new(5), 9);
        (bool, char, String, bool) = (true, 'z', "mid".into(), false);
        (u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, bool, char)
            = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, true, 'l');
        Box<u64> = Box::new(3);
        Box<String> = Box::new("b".into());
        Rc<Vec<u8>> = Rc::new(vec![1]);
        Arc<Option<bool>> = Arc::new(Some(false));
        Box<Box<Box<u8>>> = Box::new(Box::new(Box::new(1)));
        SharedStr = "shared, naïve".into();
        Vec<SharedStr> = vec!["shared".into(), SharedStr::default(), "text".into()];
        (Blob, u16, SharedStr) = (Blob::from(vec![0xFF, 0]), 7, "shared".into());
        Bulk<u16> = Bulk::from(vec![1, 2]);
        (Bulk<f32>, String) = (Bulk::from(vec![0.5]), "end".into());
        Complex<f32> = Complex::new(0.5, -1.0);
        Vec<Complex<f64>> = vec![Complex::new(1.0, 2.0)];
        Timestamp = Timestamp { acqtime: 3, pubtime: 4 };
        EndOfStream = EndOfStream;
        DType = DType::BF16;
        Tensor = Tensor::from_vec(vec![1_u16, 2, 3, 4, 5, 6], &[2, 3]).expect("six elements");
        (Tensor, bool) = (Tensor::from_vec(vec![0.5_f64], &[]).expect("one element"), true);
        Vec<Tensor> = vec![Tensor::from(vec![true]), Tensor::from(Vec::<f32>::new())];
        VideoBuffer = VideoBuffer::new(3, 1, PixelFormat::Nv12, vec![7; 7].into()).expect("3 + 4 bytes");
        AudioBuffer = AudioBuffer::from_vec(vec![1_i16, 2], 2, 8_000, AudioLayout::Planar).expect("two samples");
        List = List::of(3);
        Tree = Tree { name: "r".into(), children: vec![Tree::default(), Tree { name: "k".into(), children: vec![] }] };
    }
    show! { false:
        BTreeMap<u8, String> = BTreeMap::from([(1, "one".into()), (2, String::new())]);
        TensorMap = TensorMap::from([("t".into(), Tensor::from(vec![1_u8]))]);
        BTreeMap<String, Vec<u8>> = BTreeMap::from([("k".into(), vec![1, 2])]);
        HashMap<u16, bool> = HashMap::from([(7, true)]);
        HashMap<String, HashMap<u8, u8>> = HashMap::from([("h".into(), HashMap::from([(1, 2)]))]);
        BTreeSet<i32> = BTreeSet::from([-1, 0, 1]);
        BTreeSet<()> = BTreeSet::from([()]);
        HashSet<String> = HashSet::from(["only".into()]);
        Vec<BTreeMap<u8, u8>> = vec![BTreeMap::new(), BTreeMap::from([(1, 1)])];
        (BTreeSet<u8>, u8) = (BTreeSet::from([3, 4]), 5);
    }
}
