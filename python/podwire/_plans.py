"""From classes and annotations to schemas, and to what makes objects of these classes of values that were read.

Not here: bytes, which are native. Invariant: the text that is made here is the canonical one, or the native side refuses it.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union

import numpy

from . import _podwire
from ._types import Complex, Elements, Length, Marker, Scalar
from .errors import DecodeError

Load = Callable[[Any], Any]
WORD = re.compile(r"[A-Za-z0-9_\u0080-\U0010ffff]+")
PLAIN = {bool: "bool", int: "i64", float: "f64", str: "text"}
RUST = {"text": "String", "[u8]": "Vec<u8>"}


@dataclass(frozen=True)
class Plan:
    """The schema's text of a type, its name in Rust, and what makes its values of what was read."""

    text: str
    name: str
    load: Load | None = None
    row: bool = False
    """Whether it is a sequence."""


@dataclass(frozen=True)
class Options:
    """What ``@codec`` was told."""

    name: str
    numbered: bool
    tag: str | None
    tags_from_values: bool


def fields_of(cls: type, numbered: bool) -> list[tuple[str, dataclasses.Field[Any]]]:
    """The fields that travel, with their names in the schema."""
    found: list[tuple[str, dataclasses.Field[Any]]] = []
    for own in dataclasses.fields(cls):
        rename, skip = own.metadata.get("podwire", (None, False))
        if not skip:
            found.append((rename or (str(len(found)) if numbered else own.name), own))
    return found


def name_text(name: str) -> str:
    """A name as it stands in a schema."""
    if WORD.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def natural(item: Any) -> Any:
    """An element of an array as it would have been read alone."""
    if isinstance(item, numpy.void) and item.dtype.names is not None:
        names = item.dtype.names
        if all(name == str(number) for number, name in enumerate(names)):
            return tuple(natural(item[name]) for name in names)
        return {name: natural(item[name]) for name in names}
    if isinstance(item, numpy.void) and item.dtype.itemsize == 2:
        # Without the package ml_dtypes numpy has no bf16: the upper half of an f32.
        bits = int.from_bytes(item.tobytes(), "little") << 16
        return numpy.uint32(bits).view(numpy.float32).item()
    return item.item() if isinstance(item, numpy.generic) else item


def listed(value: Any) -> list[Any]:
    """The elements of what was read as a list or as an array."""
    return [natural(item) for item in value] if isinstance(value, numpy.ndarray) else list(value)


def aliased(alias: Any, arguments: tuple[Any, ...]) -> Any:
    """What an alias stands for, with these arguments. `numpy.typing.NDArray` is one with a parameter from numpy 2.5 on."""
    given = dict(zip(alias.__type_params__, arguments))
    wanted = getattr(alias.__value__, "__parameters__", ())
    return alias.__value__[tuple(given.get(one, one) for one in wanted)] if wanted else alias.__value__


class Compiler:
    """Makes plans. It knows the structs and enums around a type, which that type may refer to."""

    def __init__(self) -> None:
        self.open: list[tuple[Any, list[Load]]] = []

    def plan(self, annotation: Any) -> Plan:
        if isinstance(annotation, type) and annotation in PLAIN:
            text = PLAIN[annotation]
            return Plan(text, RUST.get(text, text))
        if annotation is complex:
            return self.complex_of("f64")
        if annotation is bytes:
            return Plan("[u8]", "Vec<u8>", lambda value: numpy.asarray(value, "u1").tobytes(), row=True)
        if isinstance(annotation, typing.NewType):
            return self.plan(annotation.__supertype__)
        if isinstance(annotation, type) and "__podwire__" in annotation.__dict__:
            return self.within(annotation, self.enum_of if issubclass(annotation, enum.Enum) else self.record_of)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if hasattr(annotation, "__value__"):
            return self.plan(aliased(annotation, arguments))
        if origin is Annotated:
            return self.annotated(arguments[0], arguments[1:])
        if origin in (Union, types.UnionType):
            return self.union_of(annotation, arguments)
        return self.generic(annotation, origin, arguments)

    def generic(self, annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Plan:
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return self.row_of(arguments[0], tuple)
        if annotation == tuple[()] or origin is tuple:
            return self.tuple_of(arguments)
        if origin in (list, set, frozenset) and len(arguments) == 1:
            return self.row_of(arguments[0], origin)
        if origin is dict and len(arguments) == 2:
            return self.map_of(*arguments)
        if origin is numpy.ndarray and len(arguments) == 2:
            kind = typing.get_args(arguments[1])
            if len(kind) == 1 and isinstance(kind[0], type) and issubclass(kind[0], numpy.generic):
                return self.numbers_of(numpy.dtype(kind[0]))
        if isinstance(annotation, type):
            hint = " (has it @podwire.codec?)" if dataclasses.is_dataclass(annotation) or issubclass(annotation, enum.Enum) else ""
            raise TypeError(f"{annotation.__name__} has no codec{hint}")
        raise TypeError(f"{annotation!r} has no codec")

    def annotated(self, annotation: Any, notes: tuple[Any, ...]) -> Plan:
        if not notes:
            return self.plan(annotation)
        *others, note = notes  # the outermost is the last one
        match note:
            case Scalar(name):
                return Plan(name, name)
            case Complex(part):
                return self.complex_of(part)
            case Marker("tensor"):
                return Plan(_podwire.TENSOR, "Tensor")
            case Elements(of):
                inner = self.plan(of)
                return Plan(f"[{inner.text}]", f"Vec<{inner.name}>", row=True)
        inner = self.annotated(annotation, tuple(others))
        match note:
            case Marker("pointer"):
                return Plan("*" + inner.text, f"Box<{inner.name}>", inner.load)
            case Marker("bulk"):
                if not inner.row:
                    raise TypeError("a Bulk is one of an array")
                return Plan("bulk" + inner.text, f"Bulk<{inner.name[4:-1]}>", inner.load)
            case Length(count):
                if not inner.row:
                    raise TypeError("a Length belongs to a list or an array")
                return Plan(f"{inner.text[:-1]};{count}]", inner.name, inner.load)
        return inner

    @staticmethod
    def complex_of(part: str) -> Plan:
        return Plan(f"struct{{re:{part},im:{part}}}", f"Complex<{part}>")

    def numbers_of(self, dtype: numpy.dtype[Any]) -> Plan:
        sizes = {"u": "u", "i": "i", "f": "f", "b": "bool", "c": "c"}
        kind = sizes.get(dtype.kind)
        if kind is None:
            raise TypeError(f"elements of dtype {dtype} cannot travel")
        if kind == "c":
            inner = self.complex_of(f"f{dtype.itemsize * 4}")
            return Plan(f"[{inner.text}]", f"Vec<{inner.name}>", row=True)
        text = kind if kind == "bool" else f"{kind}{dtype.itemsize * 8}"
        return Plan(f"[{text}]", f"Vec<{text}>", row=True)

    def row_of(self, element: Any, make: Any) -> Plan:
        inner = self.plan(element)
        load = inner.load

        def read(value: Any) -> Any:
            items = listed(value)
            if load is not None:
                items = [load(item) for item in items]
            made = items if make is list else make(items)
            if len(made) != len(items):
                raise DecodeError("a key stands twice in a set")
            return made

        return Plan(f"[{inner.text}]", f"Vec<{inner.name}>", read, row=True)

    def map_of(self, key: Any, value: Any) -> Plan:
        keys, values = self.plan(key), self.plan(value)

        def read(found: Any) -> Any:
            pairs = found.items() if isinstance(found, dict) else found
            made = {
                (keys.load(key) if keys.load else key): (values.load(value) if values.load else value)
                for key, value in pairs
            }
            if len(made) != len(found):
                raise DecodeError("a key stands twice in a map")
            return made

        load = read if keys.load or values.load else None
        return Plan(f"{{{keys.text}:{values.text}}}", f"HashMap<{keys.name}, {values.name}>", load)

    def tuple_of(self, arguments: tuple[Any, ...]) -> Plan:
        def compile() -> Plan:
            plans = [self.plan(argument) for argument in arguments]
            loads = [plan.load for plan in plans]

            def read(value: Any) -> Any:
                return tuple(load(item) if load else item for load, item in zip(loads, value))

            text = ",".join(f"{number}:{plan.text}" for number, plan in enumerate(plans))
            names = ", ".join(plan.name for plan in plans) + ("," if len(plans) == 1 else "")
            return Plan(f"struct{{{text}}}", f"({names})", read if any(loads) else None)

        return self.entered(object(), compile)

    def entered(self, key: Any, compile: Callable[[], Plan]) -> Plan:
        """Compiles a struct or an enum, to which what is in it can refer by ``^``."""
        loads: list[Load] = []
        self.open.append((key, loads))
        plan = compile()
        self.open.pop()
        loads.append(plan.load or (lambda value: value))
        return plan

    def within(self, key: Any, compile: Callable[[Any], Plan]) -> Plan:
        for level, (open_key, loads) in enumerate(reversed(self.open)):
            if open_key == key:
                name = key.__name__ if isinstance(key, type) else str(key)
                return Plan(f"^{level}", name, lambda value: loads[0](value))
        return self.entered(key, lambda: compile(key))

    def fields(self, cls: type, numbered: bool) -> tuple[str, Load]:
        """The text between the braces of a struct or a variant, and what makes an object of what was read."""
        module = typing.get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True)
        texts: list[str] = []
        loads: list[tuple[str, str, Load | None]] = []
        for called, own in fields_of(cls, numbered):
            plan = self.plan(module[own.name])
            texts.append(f"{name_text(called)}:{plan.text}")
            loads.append((called, own.name, plan.load))

        def read(value: Any) -> Any:
            if isinstance(value, tuple):
                value = {str(number): item for number, item in enumerate(value)}
            elif isinstance(value, complex):
                value = {"re": value.real, "im": value.imag}
            elif value is None:
                value = {}
            return cls(**{own: load(value[called]) if load else value[called] for called, own, load in loads})

        return "{" + ",".join(texts) + "}", read

    def record_of(self, cls: Any) -> Plan:
        options: Options = cls.__podwire__
        text, read = self.fields(cls, options.numbered)
        return Plan("struct" + text, options.name, read)

    @staticmethod
    def width(tag: str | None, count: int) -> int:
        if tag is not None:
            if tag not in ("u8", "u16", "u32"):
                raise TypeError(f"a tag is u8, u16 or u32, not {tag}")
            return int(tag[1:])
        return 8 if count <= 1 << 8 else 16 if count <= 1 << 16 else 32

    def enum_of(self, cls: Any) -> Plan:
        options: Options = cls.__podwire__
        members = list(cls)
        tags = [member.value if options.tags_from_values else number for number, member in enumerate(members)]
        if not all(isinstance(tag, int) and tag >= 0 for tag in tags):
            raise TypeError(f"the values of {cls.__name__} are no tags")
        bits = self.width(options.tag, len(members))
        variants = ",".join(f"{name_text(member.name)}={tag}{{}}" for member, tag in zip(members, tags))
        return Plan(f"enum{bits}{{{variants}}}", options.name, lambda value: cls[value.name])

    def union_of(self, annotation: Any, arguments: tuple[Any, ...]) -> Plan:
        if type(None) in arguments:
            rest = tuple(argument for argument in arguments if argument is not type(None))
            inner = self.plan(Union[rest])
            load = inner.load
            read = None if load is None else (lambda value: None if value is None else load(value))
            return Plan("?" + inner.text, f"Option<{inner.name}>", read)

        def compile(_: Any) -> Plan:
            loads: dict[str, Load] = {}
            texts = []
            cls: Any
            for tag, cls in enumerate(arguments):
                if "__podwire__" not in getattr(cls, "__dict__", {}) or not hasattr(cls, "__dataclass_fields__"):
                    raise TypeError(f"{cls!r} is no variant: a union is one of dataclasses with @podwire.codec")
                text, loads[cls.__name__] = self.fields(cls, cls.__podwire__.numbered)
                texts.append(f"{name_text(cls.__name__)}={tag}{text}")
            names = " | ".join(loads)
            bits = self.width(None, len(arguments))
            read = lambda value: loads[value.name](value.value)  # noqa: E731
            return Plan(f"enum{bits}{{{','.join(texts)}}}", names, read)

        return self.within(annotation, compile)
