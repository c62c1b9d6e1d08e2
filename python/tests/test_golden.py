"""Golden bytes that Python and Rust share: `tests/shared/golden.txt`, which `tests/shared/main.rs` checks as well."""

import enum
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import numpy
import numpy.typing as npt
import podwire
import pytest

GOLDEN = Path(__file__).parents[2] / "tests" / "shared" / "golden.txt"


@podwire.codec
@dataclass
class Point:
    x: podwire.f32
    y: podwire.f32


@podwire.codec
@dataclass
class Sample:
    id: podwire.u8
    at: Annotated[list[podwire.f32], podwire.Length(3)]
    ok: bool


@podwire.codec
@dataclass
class Scalars:
    a: podwire.u8
    b: podwire.i16
    c: podwire.u32
    d: int
    e: podwire.u128
    f: podwire.i128
    g: podwire.f32
    h: float
    i: bool
    j: podwire.char


@podwire.codec
@dataclass
class Frame:
    sensor: str
    gain: podwire.f32
    pixels: podwire.Bulk[npt.NDArray[numpy.uint16]]

    def __eq__(self, other):
        return (self.sensor, self.gain, list(self.pixels)) == (other.sensor, other.gain, list(other.pixels))


@podwire.codec
class Mode(enum.Enum):
    Off = 10
    On = 20


@podwire.codec
@dataclass
class Deep:
    kind: Mode = podwire.field(rename="type")
    at: Optional[Point]
    points: list[Point]
    names: list[str]
    raw: bytes
    by_name: dict[str, list[podwire.u16]]
    pair: tuple[podwire.u8, str]
    four: Annotated[list[podwire.u16], podwire.Length(4)]
    texts: Annotated[list[str], podwire.Length(2)]
    ids: set[podwire.u32]
    z: complex


@podwire.codec
@dataclass
class Nothing:
    pass


@podwire.codec
@dataclass
class Circle:
    radius: podwire.f32


@podwire.codec(numbered=True)
@dataclass
class Polygon:
    points: list[Point]


@podwire.codec(numbered=True)
@dataclass
class Meters:
    value: float


@podwire.codec
@dataclass
class Node:
    value: podwire.u32
    next: "Optional[podwire.Box[Node]]"


TENSOR = numpy.array([[1, 2], [3, 4]], "u2")
VALUES = {
    "scalars": (Scalars, Scalars(200, -2, 4_000_000_000, -(2**63), 2**128 - 2, -3, 0.5, -1e300, True, "é")),
    "samples": (list[Sample], [Sample(id, [1.0, 2.0, 3.5], id % 2 == 0) for id in range(3)]),
    "floats": (list[podwire.f32], [1.5, math.inf]),
    "complex": (list[podwire.c64], [1 - 1j]),
    "meters": (Meters, Meters(2.5)),
    "deep": (
        Deep,
        Deep(
            Mode.On,
            Point(1, -2),
            [Point(0, 0.5)] * 2,
            ["a", "bc"],
            b"\0\xff",
            {"k": [1, 2], "l": []},
            (7, "ü"),
            [1, 2, 3, 4],
            ["x", ""],
            {5, 9},
            1j,
        ),
    ),
    "shapes": (list[Nothing | Circle | Polygon], [Nothing(), Circle(2), Polygon([Point(1, 2)])]),
    "list": (Node, Node(1, Node(2, None))),
    "frame": (Frame, Frame("left", 0.25, numpy.array([1, 2, 3], "u2"))),
    "tensor": (podwire.Tensor, TENSOR),
}


def lines():
    text = GOLDEN.read_text(encoding="utf-8")
    return [line.split(" | ") for line in text.splitlines() if not line.startswith("#")]


def test_the_file_has_these_values_and_no_others():
    assert sorted(line[0] for line in lines()) == sorted(VALUES)


@pytest.mark.parametrize("name, schema, fingerprint, data", lines(), ids=[line[0] for line in lines()])
def test_a_value_has_its_golden_schema_fingerprint_and_bytes(name, schema, fingerprint, data):
    kind, value = VALUES[name]
    found = podwire.schema_of(kind)
    assert found.text == schema
    assert f"{found.fingerprint:016x}" == fingerprint
    assert podwire.encode(value, kind).hex(" ").upper() == data.upper()
    back = podwire.decode(bytes.fromhex(data), kind)
    assert (back.tolist() == value.tolist()) if isinstance(value, numpy.ndarray) else (back == value)
    # What was read without a class is written to the same bytes.
    native = podwire.decode(bytes.fromhex(data), found)
    assert podwire.encode(native, kind).hex(" ").upper() == data.upper()
    message = podwire.dumps(value, kind)
    assert podwire.dumps(podwire.loads(message, dict), kind) == message
