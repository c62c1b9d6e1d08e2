//! Decoding while an allocation fails.

use podwire::{Error, Reader};

use crate::carrier::Carrier;
use crate::case::{Case, REFUSALS, REFUSED_WAYS};
use crate::fault::{caught, last_panic};
use crate::meter;
use crate::note::{Count, Note};
use crate::world::{World, parse};

/// Each allocation of a decoding fails once: that is told, or, where Rust cannot tell it, the process ends.
pub(crate) fn refused(
    world: &World,
    case: &Case,
    number: u64,
    note: &Note,
) -> std::result::Result<(), String> {
    let (way, refusal) = (number as usize / REFUSALS % REFUSED_WAYS, (number as usize % REFUSALS) as i64);
    let target = &world.targets[number as usize / REFUSALS / REFUSED_WAYS];
    let parsed = parse(&case.message, case.limits).map_err(|error| error.to_string())?;
    let segments = &case.segments;
    let mut carrier = Carrier { rest: &[], window: 0, known: false, segments };
    note.set(Count::Way, [4, 5, 8][way]);
    let decode = || match way {
        0 => {
            target.entry.decode(&mut Reader::from_parts(parsed.packed(), &mut carrier, case.limits)).map(drop)
        }
        1 => {
            carrier.rest = parsed.packed();
            let mut reader = Reader::from_endpoint(&mut carrier, case.limits);
            target.entry.decode(&mut reader).map(drop)
        }
        _ => target
            .schema
            .decode(&mut Reader::from_parts(parsed.packed(), &mut carrier, case.limits))
            .map(drop),
    };
    // The error says why before the next allocation fails: there is only one that does.
    match meter::refusing(refusal, || caught(decode)) {
        (Err(_), _) => Err(last_panic()),
        // A table may have wanted more than it needs, and made do.
        (Ok(Ok(()) | Err(Error::OutOfMemory { bytes: 1.. } | Error::Undescribed { .. })), true)
        | (Ok(_), false) => Ok(()),
        (Ok(Err(error)), true) => Err(format!("allocation {refusal} failed: {error}")),
    }
}
