"""The annotations that Python has no words for.

For type checkers each is the Python type of the values: ``podwire.u8`` is ``int``. At run time the schema stands beside it.
"""

from __future__ import annotations

from dataclasses import Field, dataclass
from dataclasses import field as _field
from typing import Annotated, Any, TypeAlias, TypeVar

import numpy

T = TypeVar("T")


@dataclass(frozen=True)
class Scalar:
    """A number of this name in schemas."""

    name: str


@dataclass(frozen=True)
class Length:
    """An array of so many elements: ``Annotated[list[podwire.u8], podwire.Length(4)]`` is ``[u8; 4]``."""

    count: int


@dataclass(frozen=True)
class Elements:
    """A row of structs, as a structured array: ``Annotated[numpy.ndarray, podwire.Elements(Point)]`` is ``Vec<Point>``."""

    of: Any


@dataclass(frozen=True)
class Marker:
    """What wraps a type: ``bulk``, ``pointer`` or ``tensor``."""

    kind: str


@dataclass(frozen=True)
class Complex:
    """A complex number of two of these."""

    part: str


u8: TypeAlias = Annotated[int, Scalar("u8")]
u16: TypeAlias = Annotated[int, Scalar("u16")]
u32: TypeAlias = Annotated[int, Scalar("u32")]
u64: TypeAlias = Annotated[int, Scalar("u64")]
u128: TypeAlias = Annotated[int, Scalar("u128")]
i8: TypeAlias = Annotated[int, Scalar("i8")]
i16: TypeAlias = Annotated[int, Scalar("i16")]
i32: TypeAlias = Annotated[int, Scalar("i32")]
i64: TypeAlias = Annotated[int, Scalar("i64")]
i128: TypeAlias = Annotated[int, Scalar("i128")]
f16: TypeAlias = Annotated[float, Scalar("f16")]
bf16: TypeAlias = Annotated[float, Scalar("bf16")]
f32: TypeAlias = Annotated[float, Scalar("f32")]
f64: TypeAlias = Annotated[float, Scalar("f64")]
char: TypeAlias = Annotated[str, Scalar("char")]
c64: TypeAlias = Annotated[complex, Complex("f32")]
c128: TypeAlias = Annotated[complex, Complex("f64")]

Bulk: TypeAlias = Annotated[T, Marker("bulk")]
"""An array that travels by reference where it can: Rust's ``Bulk<T>``."""

Box: TypeAlias = Annotated[T, Marker("pointer")]
"""A value behind a pointer: Rust's ``Box<T>``, ``Rc<T>`` or ``Arc<T>``."""

Tensor: TypeAlias = Annotated[numpy.ndarray[Any, Any], Marker("tensor")]
"""An array of any rank, with its shape: podwire's ``Tensor``."""


def field(*, rename: str | None = None, skip: bool = False, **options: Any) -> Any:
    """A field of a dataclass, with another name in the schema, or which does not travel and has its default.

    >>> from dataclasses import dataclass
    >>> @podwire.codec
    ... @dataclass
    ... class Header:
    ...     kind: podwire.u8 = podwire.field(rename="type")
    ...     note: str = podwire.field(skip=True, default="")
    >>> podwire.schema_of(Header).text
    'struct{type:u8}'
    """
    made: Field[Any] = _field(**options, metadata={"podwire": (rename, skip)})
    return made
