//! How the suite gets at endpoints: a new connection for every case.
//!
//! A connection is written to, turned once, and read from. The invariant: nothing is written through it that the
//! [`Room`] does not hold.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use crate::conformance::Breach;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

/// How many bytes an endpoint takes before something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Many MiB.
    Ample,
    /// So many bytes; a write beyond is [`Error::EndpointFull`].
    Fixed(usize),
    /// So many bytes, also where each is written by itself; a write beyond waits until something is read, as that to a
    /// pipe does.
    Waits(usize),
}

/// Makes connections.
pub(super) trait Backend {
    fn open(&mut self) -> Result<Box<dyn Connection + '_>>;
}

/// Two ends, which may be one endpoint.
pub(super) trait Connection {
    fn writer(&mut self) -> Result<&mut dyn Endpoint>;
    /// From the first call on nothing more is written, unless the endpoint is both ends.
    fn reader(&mut self) -> Result<&mut dyn Endpoint>;
    fn is_both(&self) -> bool;
}

/// One endpoint that is both ends.
pub(super) struct Both<F>(pub F);

impl<E: Endpoint + 'static, F: FnMut() -> E> Backend for Both<F> {
    fn open(&mut self) -> Result<Box<dyn Connection + '_>> {
        struct One<E>(E);
        impl<E: Endpoint> Connection for One<E> {
            fn writer(&mut self) -> Result<&mut dyn Endpoint> {
                Ok(&mut self.0)
            }
            fn reader(&mut self) -> Result<&mut dyn Endpoint> {
                Ok(&mut self.0)
            }
            fn is_both(&self) -> bool {
                true
            }
        }
        Ok(Box::new(One((self.0)())))
    }
}

/// An end to write to, which becomes an end to read from.
pub(super) struct Halves<O, T> {
    pub open: O,
    pub turn: T,
}

impl<W, R, O, T> Backend for Halves<O, T>
where
    W: Endpoint + 'static,
    R: Endpoint + 'static,
    O: FnMut() -> Result<W>,
    T: FnMut(W) -> Result<R>,
{
    fn open(&mut self) -> Result<Box<dyn Connection + '_>> {
        struct Pair<'t, W, R, T> {
            writer: Option<W>,
            reader: Option<R>,
            turn: &'t mut T,
        }
        impl<W: Endpoint, R: Endpoint, T: FnMut(W) -> Result<R>> Connection for Pair<'_, W, R, T> {
            fn writer(&mut self) -> Result<&mut dyn Endpoint> {
                match &mut self.writer {
                    Some(writer) => Ok(writer),
                    None => Err(Error::backend("the suite writes behind the end")),
                }
            }
            fn reader(&mut self) -> Result<&mut dyn Endpoint> {
                if let Some(writer) = self.writer.take() {
                    self.reader = Some((self.turn)(writer)?);
                }
                match &mut self.reader {
                    Some(reader) => Ok(reader),
                    None => Err(Error::backend("the end to read from was not made")),
                }
            }
            fn is_both(&self) -> bool {
                false
            }
        }
        Ok(Box::new(Pair { writer: Some((self.open)()?), reader: None, turn: &mut self.turn }))
    }
}

/// What the cases work with.
pub(super) struct Bench<'b> {
    backend: &'b mut dyn Backend,
    room: Room,
}

impl core::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bench").field("room", &self.room).finish_non_exhaustive()
    }
}

impl<'b> Bench<'b> {
    pub(super) fn new(backend: &'b mut dyn Backend, room: Room) -> Self {
        Self { backend, room }
    }

    pub(super) fn room(&self) -> Room {
        self.room
    }

    /// The same bench, for a while.
    pub(super) fn lend(&mut self) -> Bench<'_> {
        Bench { backend: &mut *self.backend, room: self.room }
    }

    /// `count` bytes, or as many as there is room for.
    pub(super) fn fit(&self, count: usize) -> usize {
        match self.room {
            Room::Ample => count,
            Room::Fixed(room) | Room::Waits(room) => count.min(room),
        }
    }

    /// A new connection.
    pub(super) fn open(&mut self) -> Result<Wire<'_>, Breach> {
        match self.backend.open() {
            Ok(connection) => Ok(Wire(connection)),
            Err(error) => Err(failed("a connection is opened", error)),
        }
    }
}

/// A connection whose errors say what was done.
pub(super) struct Wire<'c>(Box<dyn Connection + 'c>);

impl Wire<'_> {
    pub(super) fn is_both(&self) -> bool {
        self.0.is_both()
    }

    pub(super) fn writer(&mut self) -> Result<&mut dyn Endpoint, Breach> {
        self.0.writer().map_err(|error| failed("the end to write to is asked for", error))
    }

    pub(super) fn reader(&mut self) -> Result<&mut dyn Endpoint, Breach> {
        self.0.reader().map_err(|error| failed("the end to read from is made", error))
    }

    /// Writes all of `bytes` at once.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Breach> {
        let step = format!("{} bytes are written", bytes.len());
        self.writer()?.write(bytes).map_err(|error| failed(step, error))
    }

    /// Reads as many bytes as `wanted` has, at once, and compares them.
    pub(super) fn expect(&mut self, step: &str, wanted: &[u8]) -> Result<(), Breach> {
        // Not zeros, so that a read that does nothing is seen.
        let mut found: Vec<u8> = wanted.iter().map(|byte| !byte).collect();
        let step = format!("{step}: {} bytes are read", wanted.len());
        self.reader()?.read(&mut found).map_err(|error| failed(step.clone(), error))?;
        same(&step, wanted, &found)
    }

    /// Sees that the input ends here, also when asked twice.
    pub(super) fn expect_end(&mut self, step: &str) -> Result<(), Breach> {
        for _ in 0..2 {
            self.expect_short(&format!("{step}: a byte is read at the end"), 1, 0)?;
        }
        Ok(())
    }

    /// Reads `wanted` bytes where only `left` are.
    pub(super) fn expect_short(&mut self, step: &str, wanted: usize, left: usize) -> Result<(), Breach> {
        let mut bytes = std::vec![0; wanted];
        match self.reader()?.read(&mut bytes) {
            Err(Error::UnexpectedEnd { wanted: said, found, .. }) => {
                number(format!("{step}, and `wanted` of its error"), wanted as u64, said)?;
                number(format!("{step}, and `found` of its error"), left as u64, found)
            }
            other => Err(unlike(step, "Error::UnexpectedEnd", &other)),
        }
    }
}

pub(super) fn failed(step: impl Into<String>, error: Error) -> Breach {
    Breach::Failed { step: step.into(), error: error.into() }
}

pub(super) fn unlike(
    step: impl Into<String>,
    wanted: impl Into<String>,
    found: &dyn core::fmt::Debug,
) -> Breach {
    // A value that is large says in its first words what it is.
    let found = format!("{found:?}").chars().take(300).collect();
    Breach::Unlike { step: step.into(), wanted: wanted.into(), found }
}

pub(super) fn number(step: impl Into<String>, wanted: u64, found: u64) -> Result<(), Breach> {
    if wanted == found { Ok(()) } else { Err(Breach::Number { step: step.into(), wanted, found }) }
}

/// Compares bytes.
pub(super) fn same(step: &str, wanted: &[u8], found: &[u8]) -> Result<(), Breach> {
    if wanted == found {
        return Ok(());
    }
    match wanted.iter().zip(found).position(|(wanted, found)| wanted != found) {
        Some(at) => Err(Breach::Byte { step: step.into(), at, wanted: wanted[at], found: found[at] }),
        None => number(format!("{step}, and their count"), wanted.len() as u64, found.len() as u64),
    }
}

/// Bytes in which every place can be told from its neighbours, and from the places a power of two further.
pub(super) fn pattern(count: usize) -> Vec<u8> {
    const PRIME: usize = 65_521;
    let byte = |place: usize| (place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as u8 ^ place as u8;
    let block: Vec<u8> = (0..count.min(PRIME)).map(byte).collect();
    let mut bytes = block.repeat(count.div_ceil(PRIME));
    bytes.truncate(count);
    bytes
}
