"""Values: classes that are bound to schemas, values of unknown types, and buffers by reference."""

import enum
import sys
from dataclasses import dataclass
from typing import Annotated, Any, NewType, Optional, TypeVar, Union

import numpy
import numpy.typing as npt
import podwire
import pytest
from typing_extensions import TypeAliasType

S, T = TypeVar("S"), TypeVar("T")


@podwire.codec(name="tests.Point")
@dataclass
class Point:
    x: podwire.f32
    y: podwire.f32


@podwire.codec(name="tests.Scan")
@dataclass
class Scan:
    name: str
    points: Annotated[numpy.ndarray, podwire.Elements(Point)]
    pixels: podwire.Bulk[npt.NDArray[numpy.uint16]]
    volume: podwire.Tensor


POINT = numpy.dtype([("x", "<f4"), ("y", "<f4")])


def scan(context=None, count=100_000):
    points = numpy.zeros(count, POINT)
    points["y"] = 2
    pixels = numpy.arange(count).astype("u2") if context is None else context.empty_array(count, "u2")
    pixels[:] = numpy.arange(count).astype("u2")
    return Scan("left", points, pixels if context is None else podwire.seal(pixels), numpy.ones((4, 5, 6), "f8"))


def text(kind):
    return podwire.schema_of(kind).text


def test_annotations_have_the_schemas_of_the_rust_types():
    Id = NewType("Id", int)
    expected = {
        podwire.u8: "u8",
        podwire.bf16: "bf16",
        podwire.char: "char",
        int: "i64",
        float: "f64",
        bool: "bool",
        complex: "struct{re:f64,im:f64}",
        str: "text",
        bytes: "[u8]",
        Optional[podwire.u8]: "?u8",
        podwire.u8 | None: "?u8",
        list[list[str]]: "[[text]]",
        set[int]: "[i64]",
        frozenset[str]: "[text]",
        dict[str, podwire.f32]: "{text:f32}",
        tuple[podwire.u8, str]: "struct{0:u8,1:text}",
        tuple[()]: "struct{}",
        tuple[podwire.u8, ...]: "[u8]",
        Annotated[list[podwire.u8], podwire.Length(4)]: "[u8;4]",
        Annotated[bytes, podwire.Length(16)]: "[u8;16]",
        Annotated[list[Annotated[list[podwire.f32], podwire.Length(3)]], podwire.Length(2)]: "[[f32;3];2]",
        npt.NDArray[numpy.uint16]: "[u16]",
        npt.NDArray[numpy.complex64]: "[struct{re:f32,im:f32}]",
        npt.NDArray[numpy.bool_]: "[bool]",
        podwire.Bulk[npt.NDArray[numpy.float32]]: "bulk[f32]",
        podwire.Bulk[bytes]: "bulk[u8]",
        podwire.Box[str]: "*text",
        Annotated[numpy.ndarray, podwire.Elements(Point)]: "[struct{x:f32,y:f32}]",
        Id: "i64",
    }
    for kind, schema in expected.items():
        assert text(kind) == schema
    assert text(podwire.Tensor).startswith("*struct{dtype:enum8{u8=1{}")


def test_an_alias_is_what_it_stands_for():
    # As `numpy.typing.NDArray` is one from numpy 2.5 on.
    row = TypeAliasType("row", numpy.ndarray[Any, numpy.dtype[T]], type_params=(T,))
    assert text(row[numpy.uint16]) == "[u16]" and text(podwire.Bulk[row[numpy.float32]]) == "bulk[f32]"
    turned = TypeAliasType("turned", tuple[T, S], type_params=(S, T))
    assert text(turned[int, str]) == text(tuple[str, int])
    assert text(TypeAliasType("plain", dict[str, int])) == "{text:i64}"
    with pytest.raises(TypeError, match="has no codec"):
        text(row)


@pytest.mark.parametrize(
    "kind",
    [object, list, dict, numpy.ndarray, Union[int, str], npt.NDArray[numpy.str_], podwire.Bulk[int], Annotated[int, podwire.Length(2)], podwire.Bulk[Annotated[list[int], podwire.Length(2)]]],
    ids=str,
)
def test_what_has_no_schema_is_a_type_error(kind):
    with pytest.raises(TypeError):
        podwire.schema_of(kind)


def test_a_class_without_the_decorator_is_named():
    @dataclass
    class Plain:
        x: int

    with pytest.raises(TypeError, match="Plain has no codec .has it @podwire.codec"):
        podwire.schema_of(list[Plain])
    with pytest.raises(podwire.EncodeError, match="Plain is no class"):
        podwire.encode(Plain(1))
    with pytest.raises(TypeError, match="neither a dataclass nor an enum"):
        podwire.codec(int)


def test_enums_have_tags_in_their_order_or_as_they_say():
    @podwire.codec
    class Mode(enum.Enum):
        Off = "o"
        On = "i"

    @podwire.codec(tag="u16", tags_from_values=True)
    class Code(enum.IntEnum):
        Ok = 200
        Gone = 410

    @podwire.codec
    class Wide(enum.Enum):
        pass

    assert text(Mode) == "enum8{Off=0{},On=1{}}"
    assert text(Code) == "enum16{Ok=200{},Gone=410{}}"
    assert podwire.encode(Code.Gone) == b"\x9a\x01"
    assert podwire.decode(b"\x9a\x01", Code) is Code.Gone
    assert podwire.encode("On", Mode) == b"\1" == podwire.encode(podwire.Variant("On"), Mode)
    assert podwire.decode(b"\1", podwire.schema_of(Mode)) == podwire.Variant("On")
    with pytest.raises(podwire.DecodeError):
        podwire.decode(b"\2", Mode)
    with pytest.raises(podwire.EncodeError, match='there is no variant "Of", but Off, On'):
        podwire.encode("Of", Mode)
    many = podwire.codec(enum.Enum("Many", [f"V{number}" for number in range(257)]))
    assert text(many).startswith("enum16{V0=0{},V1=1{}")


@podwire.codec
@dataclass
class Leaf:
    value: podwire.u8


@podwire.codec
@dataclass
class Fork:
    left: "podwire.Box[Tree]"
    right: "podwire.Box[Tree]"


Tree = Union[Leaf, Fork]


@podwire.codec(name="tests.Linked")
@dataclass
class Linked:
    others: "dict[str, list[Linked]]"
    again: "Optional[podwire.Box[Linked]]" = None


def test_types_can_contain_themselves():
    tree = Fork(Fork(Leaf(1), Leaf(2)), Leaf(3))
    assert text(Tree) == "enum8{Leaf=0{value:u8},Fork=1{left:*^0,right:*^0}}"
    assert podwire.decode(podwire.encode(tree, Tree), Tree) == tree
    assert text(Linked) == "struct{others:{text:[^0]},again:?*^0}"
    linked = Linked({"a": [Linked({}), Linked({}, Linked({}))]})
    assert podwire.loads(podwire.dumps(linked)) == linked
    linked.again = linked
    with pytest.raises(podwire.EncodeError, match="within one another|too deeply"):
        podwire.encode(linked)


def test_unions_in_another_order_are_other_enums():
    assert text(A | B) == "enum8{A=0{},B=1{x:u8,y:[f64]}}"
    assert text(B | A) == "enum8{B=0{x:u8,y:[f64]},A=1{}}"


def test_renamed_skipped_and_numbered_fields():
    @podwire.codec(numbered=True)
    @dataclass
    class Pair:
        first: podwire.u8
        note: str = podwire.field(skip=True, default="none")
        second: str = podwire.field(default="x")

    @podwire.codec
    @dataclass
    class Odd:
        text: str = podwire.field(rename="a b\"c\\", default="")

    assert text(Pair) == "struct{0:u8,1:text}"
    assert podwire.decode(podwire.encode(Pair(1, "lost", "y")), Pair) == Pair(1, "none", "y")
    assert podwire.decode(podwire.encode(Pair(1)), podwire.schema_of(Pair)) == (1, "x")
    assert text(Odd) == r'struct{"a b\"c\\":text}'
    assert podwire.decode(podwire.encode(Odd("t")), Odd) == Odd("t")


@pytest.mark.parametrize(
    "kind, value, message",
    [
        (podwire.u8, 256, "256 is no u8"),
        (podwire.u8, -1, "-1 is no u8"),
        (podwire.i8, 128, "128 is no i8"),
        (podwire.u128, 2**128, "is no u128"),
        (podwire.i128, -(2**127) - 1, "is no i128"),
        (podwire.u8, True, "expected u8, found bool"),
        (podwire.u8, 1.0, "expected u8, found float"),
        (podwire.f32, 1e39, "too large for f32"),
        (podwire.f16, 1e5, "too large for f16"),
        (podwire.f32, "1", "expected f32, found str"),
        (bool, 1, "expected bool, found int"),
        (podwire.char, "ab", "expected one character"),
        (str, b"x", "expected str, found bytes"),
        (str, "\ud800", "not UTF-8"),
        (list[str], "ab", "expected a list, found str"),
        (list[podwire.u8], [1, 2, 300], r"\[2\]: 300 is no u8"),
        (Point, {"x": 1.0}, "y: the field is missing"),
        (Point, {"x": 1, "y": 2, "z": 3}, "expected 2 fields, found 3"),
        (Point, object(), "has no such field"),
        (list[Point], [Point(1, 2), Point(1, "2")], r"\[1\].y: expected f32, found str"),
        (dict[str, podwire.u8], {"a": 1, "b": -1}, r"\[b\]: -1 is no u8"),
        (dict[str, podwire.u8], [("a", 1)], "expected a dict"),
        (tuple[int, int], (1,), "expected 2 fields, found 1"),
        (Annotated[list[int], podwire.Length(2)], [1], "expected 2 elements, found 1"),
        (npt.NDArray[numpy.uint16], numpy.zeros(3, "u4"), "expected elements of uint16, found uint32"),
        (npt.NDArray[numpy.uint16], numpy.zeros(3, ">u2"), "found >u2"),
        (npt.NDArray[numpy.uint16], numpy.zeros((3, 1), "u2"), "expected an array of shape"),
        (podwire.Bulk[npt.NDArray[numpy.uint16]], [1, 2], "expected an array of uint16, found list"),
        (list[podwire.u16], b"ab", "expected elements of uint16, found bytes"),
        (podwire.Tensor, numpy.array(["a"]), "cannot be shared"),
    ],
    ids=lambda value: None,
)
def test_a_wrong_value_is_an_error_that_says_where(kind, value, message):
    with pytest.raises(podwire.EncodeError, match=message):
        podwire.encode(value, kind)


def test_numpy_numbers_are_numbers():
    assert podwire.encode(numpy.uint8(7), podwire.u8) == b"\7"
    assert podwire.encode(numpy.float32(0.5), podwire.f64) == podwire.encode(0.5, podwire.f64)
    assert podwire.encode(numpy.bool_(True), bool) == b"\1"
    assert podwire.encode(numpy.complex64(1j), podwire.c64) == podwire.encode(1j, podwire.c64)
    assert podwire.encode(numpy.array([(1, 2)], POINT)[0], Point) == podwire.encode(Point(1, 2))


def test_halves_and_wide_numbers_come_back():
    for kind, value in ((podwire.f16, -0.25), (podwire.bf16, 3.0), (podwire.u128, 2**100), (podwire.i128, -(2**100))):
        assert podwire.decode(podwire.encode(value, kind), kind) == value
        row = [value, value]
        assert podwire.decode(podwire.encode(row, list[kind]), list[kind]) == row
    found = podwire.decode(podwire.encode([2**100], list[podwire.u128]), podwire.Schema("[u128]"))
    assert found == [2**100]
    chars = podwire.decode(podwire.encode(["a", "é"], list[podwire.char]), podwire.Schema("[char]"))
    assert chars.tolist() == ["a", "é"]


def test_plain_structs_in_a_row_are_an_array_on_the_message():
    message = podwire.dumps(scan())
    value = podwire.loads(message, dict)
    assert value["points"].dtype == POINT and value["points"].shape == (100_000,)
    whole = numpy.frombuffer(message, "u1")
    for array in (value["points"], value["pixels"], value["volume"]):
        assert numpy.shares_memory(array, whole) and not array.flags.writeable
    before = sys.getrefcount(message)
    del array, value
    assert sys.getrefcount(message) == before - 1  # all of them keep it by one reference


def test_an_unaligned_array_of_a_message_is_computed_with():
    message = podwire.dumps((1, numpy.arange(100.0)), tuple[podwire.u8, npt.NDArray[numpy.float64]])
    assert podwire.loads(message)[1].sum() == 4950


def test_buffers_of_the_pipeline_are_referred_to(context):
    value = scan(context)
    place = value.pixels.__array_interface__["data"][0]
    before = context.stats()["bytes"]
    context.publish_value(value, "scan")
    grown = context.stats()["bytes"] - before
    assert 800_000 < grown < 900_000  # the points; of the pixels nothing
    found = context.get_value("scan")
    assert isinstance(found, Scan) and found.name == "left"
    assert found.pixels.__array_interface__["data"][0] == place
    assert found.points["y"].max() == 2 and found.volume.shape == (4, 5, 6)
    # What was got is published again by reference.
    before = context.stats()["bytes"]
    context.publish_value(found, "again")
    assert context.stats()["bytes"] - before < 900_000
    pixels = context.get_value("again").pixels
    context.unpublish("again")
    context.unpublish("scan")
    assert pixels[-1] == 99_999 & 0xFFFF


def test_a_value_of_an_unknown_type_is_read_by_its_schema(context):
    kind = tuple[dict[str, list[podwire.u8]], Optional[Point], Nowhere]
    value = ({"a": [1, 2]}, Point(1, 2), podwire.Variant("B", {"x": 1, "y": [0.5]}))
    schema = podwire.Schema("struct{0:{text:[u8]},1:?struct{x:f32,y:f32},2:enum8{A=0{},B=1{x:u8,y:[f64]}}}")
    assert schema.text == text(kind)
    context.publish_value(value, "value", kind)
    found = context.get_value("value")
    assert found[0]["a"].tolist() == [1, 2] and found[1] == {"x": 1.0, "y": 2.0}
    assert found[2].name == "B" and found[2].value["y"].tolist() == [0.5]
    assert schema.fingerprint in context.schemas()


@podwire.codec
@dataclass
class A:
    pass


@podwire.codec
@dataclass
class B:
    x: podwire.u8
    y: list[float]


Nowhere = Union[A, B]


def test_a_class_with_another_schema_is_a_mismatch_that_says_what_differs(context):
    context.publish_value(Point(1, 2), "point")

    @podwire.codec(name="tests.Point")
    @dataclass
    class Other:
        x: podwire.f32
        y: podwire.f64

    try:
        with pytest.raises(podwire.SchemaMismatch, match='"tests.Point".*y: expected f64, found f32'):
            context.get_value("point")
    finally:
        podwire.codec(name="tests.Point")(Point)
    assert context.get_value("point") == Point(1, 2)
    assert context.get_value("point", dict) == {"x": 1, "y": 2}
    with pytest.raises(podwire.SchemaMismatch):
        context.get_value("point", Other)
    assert context.wait_value("point", 1, Point) == Point(1, 2)


def test_what_is_no_value_or_has_no_schema_says_so(context):
    context.publish_array([1], "array")
    with pytest.raises(podwire.NotAValue):
        context.get_value("array")
    message = podwire.dumps([1], list[podwire.i16], schema=False)
    assert podwire.loads(message, list[podwire.i16]) == [1]
    unknown = message[:8] + bytes(8) + message[16:]
    with pytest.raises((podwire.NoSchema, podwire.DecodeError)):
        podwire.loads(unknown)


def test_arrays_are_published_as_tensors(context):
    for array in (numpy.arange(6).reshape(2, 3).T, numpy.float32(2), numpy.zeros((0, 3), "?"), numpy.ones(9, "?")):
        context.publish_value(numpy.asarray(array), "tensor", replace=True)
        found = context.get_value("tensor")
        assert found.dtype == array.dtype and numpy.array_equal(found, array)


def test_keys_that_stand_twice_are_refused():
    row = podwire.encode([("a", 1), ("a", 2)], list[tuple[str, podwire.u8]])
    with pytest.raises(podwire.DecodeError, match="twice"):
        podwire.decode(row, dict[str, podwire.u8])
    with pytest.raises(podwire.DecodeError, match="twice"):
        podwire.decode(b"\2\0\0\0\5\5", set[podwire.u8])
    assert podwire.encode({3, 1, 2}, set[podwire.u8]) == b"\3\0\0\0\1\2\3"


def test_keys_that_python_cannot_hash_are_pairs():
    schema = podwire.Schema("{[u8]:u8}")
    found = podwire.decode(bytes.fromhex("01000000 01000000 07 05"), schema)
    assert [(key.tolist(), value) for key, value in found] == [([5], 7)]


def test_schemas_compare_and_show_themselves():
    one, two = podwire.Schema("[u8]"), podwire.Schema("[u16]")
    assert one == podwire.Schema("[u8]") and one != two and len({one, podwire.Schema(one.text)}) == 1 and one != "[u8]"
    assert one.difference(two) == "[]: expected u8, found u16" and one.difference(one) is None
    assert str(one) == "[u8]" and repr(one) == 'podwire.Schema("[u8]")'
    assert "\n" in podwire.Schema("struct{a:u8}").readable()
    for wrong in ("", "u9", "[u8] ", "struct{a:^0}", "?" * 200):
        with pytest.raises(ValueError):
            podwire.Schema(wrong)


@pytest.mark.parametrize("kind, dtype", [(podwire.f16, "float16"), (podwire.bf16, "bfloat16")])
def test_numbers_of_16_bits_are_rounded_as_numpy_rounds_them(kind, dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = numpy.dtype(getattr(ml_dtypes, dtype, None) or dtype)
    every = numpy.arange(1 << 16, dtype="u2").view(dtype)
    with numpy.errstate(invalid="ignore"):
        every = every.astype("f8")
    numbers = every[numpy.isfinite(every)]
    between = (numbers[:-1] + numbers[1:]) / 2  # half way to the next, where it is a neighbour: to the even one
    # From numbers that binary32 has, as the other library rounds twice.
    for row in (numbers, between.astype("f4").astype("f8"), numpy.array([0.0, -0.0, 1e-300, -1e-300, 5e-324])):
        with numpy.errstate(over="ignore"):
            expected = row.astype("f4").astype(dtype)
        found = numpy.frombuffer(b"".join(podwire.encode(number, kind) for number in row.tolist()), dtype)
        assert (found.view("u2") == expected.view("u2")).all()
    for number in (float("inf"), float("-inf"), float("nan")):
        found = numpy.frombuffer(podwire.encode(number, kind), dtype).astype("f8")[0]
        assert found == number or (found != found and number != number)
