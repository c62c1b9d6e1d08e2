"""What users say of their types, and the codecs that follow from it.

Not here: which schema an annotation has (``_plans.py``), and bytes, which are native. Invariant: the name of a codec is bound to
one class, the last one that took it.
"""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, overload

import numpy

from . import _podwire
from ._plans import Compiler, Load, Options, fields_of
from ._podwire import NativeTensor, Schema
from ._types import Marker
from .errors import EncodeError, SchemaMismatch

T = TypeVar("T")

ARRAY_LIKE = ("__dlpack__", "__array_interface__", "__cuda_array_interface__")


@dataclass(frozen=True)
class Codec:
    """How values of a class or an annotation travel."""

    schema: Schema
    name: str
    load: Load | None


bound: dict[str, Any] = {}
known: dict[Hashable, Codec] = {}


def codec_of(annotation: Any) -> Codec:
    """The codec of a class or an annotation."""
    if isinstance(annotation, type) and (own := annotation.__dict__.get("__podwire_codec__")) is not None:
        return typing.cast(Codec, own)
    key = key_of(annotation)
    try:
        found = known.get(key)
    except TypeError:  # something beside the type cannot be hashed
        key = found = None
    if found is not None:
        return found
    if annotation is NativeTensor:
        tensor = codec_of(Annotated[numpy.ndarray, Marker("tensor")])
        known[key] = codec = Codec(tensor.schema, tensor.name, as_native)
        return codec
    plan = Compiler().plan(annotation)
    codec = Codec(Schema(plan.text), plan.name, plan.load)
    codec.schema.learn()
    if isinstance(annotation, type) and "__podwire__" in annotation.__dict__:
        setattr(annotation, "__podwire_codec__", codec)
    elif key is not None:
        known[key] = codec
    return codec


def as_native(array: Any) -> NativeTensor:
    """What arrived as an array, as podwire's own tensor on the same memory."""
    return array if isinstance(array, NativeTensor) else NativeTensor(array)


def key_of(annotation: Any) -> Any:
    """What an annotation is remembered by: unlike it, not equal to a union of the same in another order."""
    arguments = typing.get_args(annotation)
    return (typing.get_origin(annotation), *map(key_of, arguments)) if arguments else annotation


def codec_for(value: Any, annotation: Any) -> Codec:
    """The codec for a value whose type may be said."""
    if annotation is not None:
        return codec_of(annotation)
    kind = type(value)
    if "__podwire__" in kind.__dict__:
        return codec_of(kind)
    if isinstance(value, numpy.ndarray) or is_array_like(value):
        return codec_of(Annotated[numpy.ndarray, Marker("tensor")])
    raise EncodeError(f"{kind.__name__} is no class with @podwire.codec; say the type of the value")


def is_array_like(value: Any) -> bool:
    """Whether an object is an array of whatever library."""
    return any(hasattr(value, name) for name in ARRAY_LIKE)


def bind(value: Any, name: str, schema: Schema, annotation: Any) -> Any:
    """The object that a value is which was read by its schema."""
    if annotation is dict:
        return value
    if annotation is None:
        annotation = bound.get(name)
        if annotation is None:
            return value
    codec = codec_of(annotation)
    if codec.schema != schema:
        raise SchemaMismatch(f'codec "{name}": the message is of another build, {codec.schema.difference(schema)}')
    return codec.load(value) if codec.load else value


@overload
def codec(cls: type[T]) -> type[T]: ...
@overload
def codec(
    *,
    name: str | None = None,
    numbered: bool = False,
    tag: str | None = None,
    tags_from_values: bool = False,
) -> Callable[[type[T]], type[T]]: ...
def codec(
    cls: type[T] | None = None,
    *,
    name: str | None = None,
    numbered: bool = False,
    tag: str | None = None,
    tags_from_values: bool = False,
) -> type[T] | Callable[[type[T]], type[T]]:
    """Gives a dataclass, or an ``enum.Enum``, the codec of the Rust type with the same fields.

    ``name`` is that of the codec, else it is the class's. ``numbered``: fields without names, as of a tuple struct. Of an enum,
    ``tag`` is the width, ``"u8"`` to ``"u32"``, and with ``tags_from_values`` the tags are the members' values.

    >>> from dataclasses import dataclass
    >>> @podwire.codec
    ... @dataclass
    ... class Point:
    ...     x: podwire.f32
    ...     y: podwire.f32
    >>> podwire.schema_of(Point).text
    'struct{x:f32,y:f32}'
    >>> podwire.encode(Point(1, 2)).hex(" ", 4)
    '0000803f 00000040'
    """

    def decorate(cls: type[T]) -> type[T]:
        if not dataclasses.is_dataclass(cls) and not issubclass(cls, enum.Enum):
            raise TypeError(f"{cls.__name__} is neither a dataclass nor an enum.Enum")
        options = Options(name or cls.__name__, numbered, tag, tags_from_values)
        setattr(cls, "__podwire__", options)
        if dataclasses.is_dataclass(cls):
            names = {
                called: own.name for called, own in fields_of(cls, numbered) if called != own.name
            }
            if names or issubclass(cls, tuple):
                setattr(cls, "__podwire_names__", names)
        bound[options.name] = cls
        return cls

    return decorate if cls is None else decorate(cls)


def schema_of(annotation: Any) -> Schema:
    """The schema of a class with ``@podwire.codec``, or of an annotation.

    >>> podwire.schema_of(dict[str, list[podwire.u16]]).text
    '{text:[u16]}'
    """
    return codec_of(annotation).schema


def encode(value: Any, type: Any = None) -> bytes:
    """The bare bytes of a value: those that Rust's ``podwire::to_vec`` gives.

    >>> podwire.encode(["a", "bc"], list[str]).hex(" ")
    '02 00 00 00 01 00 00 00 61 02 00 00 00 62 63'
    """
    return _podwire.encode_value(value, codec_for(value, type).schema)


def decode(data: Any, type: Any) -> Any:
    """The value of bare bytes, which it fills.

    >>> podwire.decode(bytes.fromhex("02000000 0100 0200"), list[podwire.u16])
    [1, 2]
    """
    if isinstance(type, Schema):
        return _podwire.decode_value(as_bytes(data), type)
    codec = codec_of(type)
    value = _podwire.decode_value(as_bytes(data), codec.schema)
    return codec.load(value) if codec.load else value


def dumps(value: Any, type: Any = None, *, schema: bool = True, checksum: bool = True) -> bytes:
    """A message of a value, for files and sockets: with its name and fingerprint, by default its schema and a checksum.

    >>> podwire.loads(podwire.dumps([1, 2], list[podwire.u8])).tolist()
    [1, 2]
    """
    codec = codec_for(value, type)
    return _podwire.dump_message(value, codec.name, codec.schema, schema, checksum)


def loads(message: Any, type: Any = None) -> Any:
    """The value of a message, as ``FastIOContext.get_value`` gives it. Its arrays refer to the message."""
    return _podwire.load_message(as_bytes(message), type)


def as_bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else bytes(memoryview(data))
