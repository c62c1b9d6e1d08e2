//! How the time for one item grows with their number, and the time for a level with the depth of nesting.

use super::shape::Shape;
#[cfg(feature = "peers")]
use crate::codecs::peers::{Bitcode, BitcodeSerde, Wincode};
use crate::codecs::podwire::Podwire;
use crate::runner::{Group, Style};
use crate::shapes::{log, nested, telemetry};

/// Records of the log, packets of telemetry, levels of nesting.
const RECORDS: [usize; 3] = [1_000, 10_000, 100_000];
const PACKETS: [usize; 3] = [50, 500, 5_000];
const LEVELS: [u32; 3] = [1, 10, 100];

/// The floors, podwire, and those peers that are fastest elsewhere and know the types.
macro_rules! add {
    ($shape:expr, [$($peer:ident),*]) => {{
        let shape = &mut $shape;
        shape.add_copy();
        shape.add_floor();
        shape.add::<Podwire>();
        #[cfg(feature = "peers")]
        {
            $(shape.add::<$peer>();)*
        }
    }};
    ($shape:expr, [$($peer:ident),*], $borrowed:ty) => {{
        let mut shape = $shape;
        add!(shape, [$($peer),*]);
        shape.borrow::<Podwire, $borrowed>();
        #[cfg(feature = "peers")]
        {
            $(shape.borrow::<$peer, $borrowed>();)*
        }
    }};
}

/// All of it.
pub(super) fn group(failures: &mut Vec<String>) -> Group {
    let mut group = Group::new("growth", Style::Growth, "growth: time for one item, by how many there are");
    for count in RECORDS {
        group.set_items("log", count);
        let shape = Shape::new(&mut group, failures, log::generate(count));
        add!(shape, [Wincode, Bitcode], Vec<log::borrowed::Record<'static>>);
    }
    for count in PACKETS {
        group.set_items("telemetry", count);
        let shape = Shape::new(&mut group, failures, telemetry::generate(count));
        add!(shape, [Wincode, Bitcode], Vec<telemetry::borrowed::Packet<'static>>);
    }
    for levels in LEVELS {
        group.set_items("nesting", levels as usize);
        let mut shape = Shape::new(&mut group, failures, nested::generate(levels));
        add!(shape, [BitcodeSerde]);
    }
    group
}
