"""The exceptions of podwire: one for each situation that a program can act on."""


class Error(Exception):
    """Whatever podwire refuses."""


class NotFound(Error, LookupError):
    """Nothing is published under this name (any more)."""


class NameTaken(Error):
    """The name belongs to another publication; ``replace=True`` takes it over."""


class BadName(Error, ValueError):
    """The name of a publication or of a pipeline is not allowed."""


class NotAValue(Error, TypeError):
    """What is published under the name is no value: bytes, or an array."""


class NoSchema(Error):
    """Nobody has left the schema of the value, and no class here has it."""


class SchemaMismatch(Error, TypeError):
    """The value is of another schema than the class: the message says what differs first."""


class DecodeError(Error, ValueError):
    """The bytes are not what they should be."""


class EncodeError(Error, ValueError):
    """The value is not what its type says: the message says where."""


class UnsupportedDType(Error, TypeError):
    """Elements of this numpy dtype cannot be shared: objects, text, dates, big-endian numbers, or what numpy lacks."""


class WrongType(Error, TypeError):
    """The elements are of another type, or their memory is of another kind, than can be used here."""


class WrongShape(Error, ValueError):
    """Shape, strides and size do not fit each other."""


class ViewInUse(Error, BufferError):
    """Other arrays look into memory that nobody is to write to from now on."""


class Timeout(Error, TimeoutError):
    """The time that the caller gave has passed."""


class Busy(Error):
    """In use by another reader or writer."""


class Closed(Error):
    """The context was closed, or the allocation released, by this program; or the other end of a channel was closed."""


class PeerDied(Error, ConnectionError):
    """The process at the other end of a channel died, and nothing is left to receive. Another one can take its place."""


class EndTaken(Error):
    """A living process, perhaps this one, has this end of the channel."""


class ChannelDiffers(Error, ValueError):
    """The channel exists already, with another capacity or other inline bytes."""


class BadChannel(Error, ValueError):
    """A channel cannot have these properties; the message tells the limits."""


class NoDevice(Error):
    """There is no GPU that can be used here: no driver, none of this number, or none that was opened by ``podwire.Device``."""


class Gone(Error):
    """Memory of a GPU is gone: every process that held it has ended."""


class OtherPipeline(Error, ValueError):
    """The allocation belongs to another pipeline than the channel."""


class Poisoned(Error):
    """A writer died, or raised, in the middle of writing; ``accept_poisoned`` takes the bytes as they are."""


class Sealed(Error):
    """The allocation is sealed: nobody writes to it any more."""


class NotSealed(Error):
    """The operation needs a sealed allocation."""


class Freed(Error):
    """The allocation was freed."""


class Forked(Error):
    """The object belongs to the parent process; open the pipeline again after a fork."""


class Removed(Error):
    """The pipeline was removed while it was open here."""


class NoSpace(Error, MemoryError):
    """The file system that holds the pipeline has no room."""


class QuotaExceeded(Error, MemoryError):
    """The pipeline has as much as its quota allows."""


class SlotsExhausted(Error):
    """As many processes as a pipeline can have are using it."""


class Corrupt(Error):
    """A shared file does not hold what it should."""


class NotPrivate(Error, PermissionError):
    """A file or directory is not private to this user, or not of the expected kind."""


class MetadataTooLarge(Error, ValueError):
    """The metadata does not fit into the room kept for it."""


class BadAlignment(Error, ValueError):
    """The alignment is not a power of two of at most 4096."""


class TooManyChildren(Error):
    """A value refers to more buffers than one allocation can own."""


class Io(Error, OSError):
    """The operating system refused."""


class CompositionError(Error, ValueError):
    """An application is not composed as it must be; nothing was started. ``problems`` has all mistakes."""

    problems: list[str] = []


class OperatorFailed(Error, RuntimeError):
    """An operator failed, here or in another process; everything was ended in order.

    The exception that it raised in this process is the ``__cause__``, and ``operator`` its full name.
    """

    operator: str | None = None


class WorkerLost(Error):
    """A process of the application died, or cannot be reached any more; what ran here was ended in order."""


class Refused(Error):
    """The driver does not let this process join: the message says why."""


class Unreachable(Error, ConnectionError):
    """Nobody is at the driver's address, or somebody who is no driver."""


class UnknownPort(Error, LookupError):
    """The operator has no such port; the message names those that it has."""


class Empty(Error):
    """No message waits at the input."""


class Full(Error):
    """The policy of the input, or of the sender, is ``"refuse"``, and there is no room."""


class Stopping(Error):
    """The application is being stopped, and nobody makes room for a message. To be passed on: it does not count as a failure."""


class Deadlock(Error):
    """Those who could make room for a message wait for this operator."""


class PickleRefused(Error, TypeError):
    """An object would have to travel as a pickle, and the port does not allow that, or ``cloudpickle`` is not there."""
