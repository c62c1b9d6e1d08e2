//! How do I send values through a backend of my own? Two methods are enough.
//!
//! `cargo run --example custom_endpoint`

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use podwire::{Codec, Endpoint, Error, Result};

/// A socket that counts what passes, and adds a sum to be compared at the other end.
struct Summed {
    socket: UnixStream,
    written: Fletcher,
    read: Fletcher,
}

/// Fletcher's sum, over all bytes so far.
#[derive(Default, Clone, Copy, PartialEq, Debug)]
struct Fletcher(u32, u32);

impl Fletcher {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 + u32::from(*byte)) % 65_535;
            self.1 = (self.1 + self.0) % 65_535;
        }
    }
}

impl Endpoint for Summed {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written.add(bytes);
        self.socket.write_all(bytes).map_err(Error::backend)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut found = 0;
        while found < bytes.len() {
            match self.socket.read(&mut bytes[found..]) {
                // The other end is gone. Where in a value that was, the reader adds.
                Ok(0) => {
                    let (wanted, found) = (bytes.len() as u64, found as u64);
                    return Err(Error::UnexpectedEnd { offset: 0, wanted, found });
                }
                Ok(count) => found += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::backend(error)),
            }
        }
        self.read.add(bytes);
        Ok(())
    }
}

#[derive(Codec, Debug, PartialEq, Clone)]
struct Command {
    joint: String,
    angles: Vec<f64>,
}

fn main() -> Result<()> {
    let (here, there) = UnixStream::pair().map_err(Error::backend)?;
    let endpoint = |socket| Summed { socket, written: Fletcher::default(), read: Fletcher::default() };
    let (mut robot, mut controller) = (endpoint(there), endpoint(here));

    let command = Command { joint: "elbow".into(), angles: vec![0.1, 0.2, 0.3] };
    let bytes = command.serialize(&mut controller)?;
    let received = Command::deserialize(&mut robot)?;

    assert_eq!(received, command);
    assert_eq!(robot.read, controller.written);
    println!("{bytes} bytes through a socket, sums equal: {:?}", robot.read);

    drop(controller);
    println!("and when the other end is gone: {}", Command::deserialize(&mut robot).unwrap_err());
    Ok(())
}
