//! A camera's frame: a small header and a large buffer.

use owned::{Frame, Header};
use podwire::Bulk;

/// Bytes of the buffer.
pub(crate) const SIZE: usize = 64 << 20;

/// The types, with bytes of a kind.
macro_rules! types {
    ($define:ident, $peers:tt, [$($bytes:tt)*], [$($life:tt)*]) => {
        crate::shapes::$define! {
            $peers
            /// A frame.
            pub(crate) struct Frame $($life)* {
                pub(crate) header: Header,
                pub(crate) pixels: $($bytes)*,
            }

            /// What is known of it.
            #[derive(Copy)]
            pub(crate) struct Header {
                pub(crate) sequence: u64,
                /// Nanoseconds since 1970.
                pub(crate) time: u64,
                pub(crate) width: u32,
                pub(crate) height: u32,
                pub(crate) exposure: f32,
                pub(crate) gain: f32,
            }
        }
    };
}

pub(crate) mod owned {
    //! With a buffer of its own.
    types!(
        owned,
        [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)],
        [Vec<u8>],
        []
    );
}

pub(crate) mod borrowed {
    //! With a buffer that lies in what was read.
    types!(borrowed, [derive(wincode::SchemaRead, wincode::SchemaWrite)], [&'a [u8]], [<'a>]);
}

/// A frame that shares its buffer.
#[derive(Debug, PartialEq, podwire::Codec)]
pub(crate) struct SharedFrame {
    header: Header,
    pub(crate) pixels: Bulk<u8>,
}

fn header() -> Header {
    Header {
        sequence: 7,
        time: 1_700_000_000_000_000_000,
        width: 8192,
        height: 8192,
        exposure: 0.01,
        gain: 1.5,
    }
}

/// A frame of so many bytes.
pub(crate) fn generate(size: usize) -> Frame {
    Frame { header: header(), pixels: vec![7; size] }
}

/// The same, shared.
pub(crate) fn generate_shared(size: usize) -> SharedFrame {
    SharedFrame { header: header(), pixels: vec![7; size].into() }
}
