//! The bytes of a file, inflated on the way if they are gzipped. The file's first two bytes decide, not its name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::NiftiError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Large reads pass by the buffer: a plain file's voxels go to their place in one step.
const WINDOW: usize = 64 * 1024;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(BufReader<File>),
    /// Several gzip members, one after the other, are one stream: parallel compressors write such files.
    Gzip {
        inflate: Box<MultiGzDecoder<BufReader<File>>>,
        /// Inflated bytes taken so far.
        position: u64,
    },
}

impl Stream {
    /// Looks at a file that stands at its start.
    pub(super) fn of(mut file: File) -> Result<Stream, NiftiError> {
        let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
        file.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic).map_err(NiftiError::Read)?;
        file.rewind().map_err(NiftiError::Read)?;
        let file = BufReader::with_capacity(WINDOW, file);
        Ok(if magic == GZIP_MAGIC { Stream::gzip(file) } else { Stream::Plain(file) })
    }

    fn gzip(file: BufReader<File>) -> Stream {
        Stream::Gzip { inflate: Box::new(MultiGzDecoder::new(file)), position: 0 }
    }

    pub(super) fn is_gzip(&self) -> bool {
        matches!(self, Stream::Gzip { .. })
    }

    /// Reads on to the end and says where that is, counted in bytes from the start.
    pub(super) fn measure(&mut self) -> Result<u64, NiftiError> {
        let rest = io::copy(&mut *self, &mut io::sink());
        match (rest, &mut *self) {
            (Ok(_), Stream::Gzip { position, .. }) => Ok(*position),
            (Ok(_), Stream::Plain(file)) => file.stream_position().map_err(NiftiError::Read),
            (Err(e), _) => Err(self.failure(e)),
        }
    }

    /// Goes to a byte, counted from the start, that is known to be there.
    pub(super) fn rewind_to(&mut self, byte: u64) -> Result<(), NiftiError> {
        match self {
            Stream::Plain(file) => file.seek(SeekFrom::Start(byte)).map(|_| ()).map_err(NiftiError::Read),
            Stream::Gzip { inflate, .. } => {
                let file = inflate.get_mut();
                file.rewind().map_err(NiftiError::Read)?;
                let file = file.get_ref().try_clone().map_err(NiftiError::Read)?;
                *self = Stream::gzip(BufReader::with_capacity(WINDOW, file));
                io::copy(&mut self.by_ref().take(byte), &mut io::sink())
                    .map(|_| ())
                    .map_err(|e| self.failure(e))
            }
        }
    }

    /// An error met while reading: the disk's, or the gzip format's.
    pub(super) fn failure(&self, error: io::Error) -> NiftiError {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
                if self.is_gzip() =>
            {
                NiftiError::Gzip(error)
            }
            _ => NiftiError::Read(error),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(file) => file.read(buffer),
            Stream::Gzip { inflate, position } => {
                let taken = inflate.read(buffer)?;
                *position += taken as u64;
                Ok(taken)
            }
        }
    }
}
