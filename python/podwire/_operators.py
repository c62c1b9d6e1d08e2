"""Applications and operators: what users derive from, and which codec an object or a port has.

Not here: running, which is native. Invariant: an application is composed once, from what was added to it in this order.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy

from . import _pickling, _podwire
from ._codecs import Codec, bound, codec_of, is_array_like
from ._plans import Load
from ._podwire import Context, Input, OperatorSpec, Output, Schema
from ._types import Tensor
from .holoviz import InputSpec

T = TypeVar("T", bool, int, float, str)
Ports = Iterable[tuple[str, str]]

INTERPRETER = re.compile(r"(python|pypy)[0-9.]*")
NATIVE: tuple[type, ...] = (bool, int, float, complex, str, bytes)


@dataclass(frozen=True)
class Described:
    """The type of a port that no class here has: the name of its codec in Rust, and its schema.

    >>> podwire.Described("Pose", podwire.Schema("struct{x:f32,y:f32}")).name
    'Pose'
    """

    name: str
    schema: Schema


@dataclass(frozen=True)
class PortType:
    """What a port asks of its messages."""

    name: str
    schema: Schema
    load: Load | None = None
    dtype: numpy.dtype[Any] | None = None


def as_it_is(array: Any) -> Any:
    """An array for a port of arrays: also what was sent as a ``NativeTensor``."""
    return array


def port(of: Any) -> PortType | None:
    """What the type of a port means; nothing if it takes any object."""
    if of is None or of is Any or of is any or of == "any":
        return None
    if isinstance(of, str):
        known = _podwire.builtin(of)
        if known is not None:
            return PortType(known[0], known[1])
        if of in bound:
            return port(bound[of])
        raise TypeError(f"no codec is called {of!r}; a class with @podwire.codec, or podwire.Described, gives it a schema")
    if isinstance(of, Described):
        return PortType(of.name, of.schema)
    tensor = codec_of(Tensor)
    if of is numpy.ndarray:
        return PortType(tensor.name, tensor.schema, as_it_is)
    if isinstance(of, numpy.dtype) or (isinstance(of, type) and issubclass(of, numpy.generic)):
        return PortType(tensor.name, tensor.schema, as_it_is, numpy.dtype(of))
    codec = codec_of(of)
    return PortType(codec.name, codec.schema, codec.load)


@functools.cache
def tensor_map() -> Codec:
    """The codec of arrays by text."""
    name, schema = cast(tuple[str, Schema], _podwire.builtin("TensorMap"))
    return Codec(schema, name, None)


def wire(value: Any, pickled: bool) -> str | None:
    """The codec of an object at a port that takes any; nothing if it has none, and cannot leave the process."""
    kind = type(value)
    if "__podwire__" in kind.__dict__ or kind in NATIVE:
        codec = codec_of(kind)
    elif is_array_like(value):
        codec = codec_of(Tensor)
    elif kind is list and value and all(type(item) is InputSpec for item in value):
        codec = codec_of(list[InputSpec])
    elif kind is dict and value and all(type(key) is str and is_array_like(item) for key, item in value.items()):
        codec = tensor_map()
    elif pickled:
        return _pickling.register()
    else:
        return None
    _podwire.register(codec.name, codec.schema)
    return codec.name


class Operator:
    """A step of an application: it receives objects, computes, and emits objects. Derive from it.

    Each operator has a thread of Rust; it takes the GIL for its calls, and gives it back while it waits or copies.

    >>> class Doubler(podwire.Operator):
    ...     def setup(self, spec):
    ...         spec.input("in", podwire.f64)
    ...         spec.output("out", podwire.f64)
    ...     def compute(self, input, output, context):
    ...         output.emit("out", 2 * input.receive("in"))
    """

    def setup(self, spec: OperatorSpec) -> None:
        """Says which ports the operator has, and when it runs. Called before anything runs, in each process."""

    def start(self, context: Context) -> None:
        """Called once, on the thread of the operator, before the first ``compute``."""

    def compute(self, input: Input, output: Output, context: Context) -> None:
        """Called whenever the conditions of the operator hold."""
        raise NotImplementedError(f"{type(self).__name__} has no compute")

    def stop(self, context: Context) -> None:
        """Called once after the last ``compute``, if ``start`` was called; also after an error."""


class Declared(Operator):
    """An operator that another program of the application runs: only its ports are known here.

    ``inputs`` and ``outputs`` are types by port, or a ``dict`` of what ``OperatorSpec.input`` is given.

    >>> segmenter = podwire.Declared({"in": {"type": "Tensor", "capacity": 2}}, {"out": "Vec<f64>"})
    """

    def __init__(self, inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None) -> None:
        self.inputs = inputs or {}
        self.outputs = outputs or {}

    def setup(self, spec: OperatorSpec) -> None:
        """Says which ports were declared."""
        for name, of in self.inputs.items():
            spec.input(name, **(of if isinstance(of, dict) else {"type": of}))
        for name, of in self.outputs.items():
            spec.output(name, **(of if isinstance(of, dict) else {"type": of}))


class Fragment:
    """Operators that always run in one process, and the flows between them.

    ``elsewhere=True``: another program runs it, one in Rust or one of another version of Python; its operators are ``Declared``.
    All programs of an application describe it alike: fragments, operators and flows in the same order.

    >>> fragment = podwire.Fragment("camera")
    >>> fragment.add_operator("source", podwire.Operator(), count=10)
    """

    def __init__(self, name: str, *, elsewhere: bool = False) -> None:
        self.name = name
        self.elsewhere = elsewhere
        self.operators: list[tuple[str, Operator, int | None, float | None]] = []
        self.flows: list[tuple[str, str, list[tuple[str, str]]]] = []

    def add_operator(
        self, name: str, operator: Operator, *, count: int | None = None, period: float | None = None
    ) -> None:
        """Adds an operator. ``count`` runs, or one each ``period`` seconds, whatever it says itself."""
        self.operators.append((name, operator, count, period))

    def declare(
        self, name: str, inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Adds an operator that another program runs, by its ports: see ``Declared``."""
        self.add_operator(name, Declared(inputs, outputs))

    def add_flow(self, source: str, target: str, ports: Ports) -> None:
        """Connects outputs of one operator with inputs of another: ``[("out", "in")]``."""
        self.flows.append((source, target, list(ports)))


@dataclass(frozen=True)
class OperatorReport:
    """What an operator has done."""

    ticks: int
    received: int
    emitted: int
    because: str
    """Why it ended: ``Count``, ``Finished``, ``InputsClosed``, ``Unheard``, ``Stopping``, ``Failed``, ..."""


@dataclass(frozen=True)
class ConnectionReport:
    """What went through a connection."""

    transport: str
    """``local``, ``fastio`` or ``zenoh``."""
    sent: int
    received: int
    dropped: int
    lost: int
    copied_bytes: int


@dataclass(frozen=True)
class Report:
    """What an application has done, or the part of it that ran in this process."""

    ended: str
    """``done``, ``stopped``, ``interrupted`` or ``failed``."""
    signal: int | None = None
    stopped_by: str | None = None
    failures: list[str] = field(default_factory=list)
    operators: dict[str, OperatorReport] = field(default_factory=dict)
    connections: dict[str, ConnectionReport] = field(default_factory=dict)


def report_of(found: dict[str, Any]) -> Report:
    operators = {name: OperatorReport(*rest) for name, *rest in found.pop("operators")}
    connections = {name: ConnectionReport(by, *counts) for name, by, counts in found.pop("connections")}
    return Report(**found, operators=operators, connections=connections)


def arguments_of(argv: Sequence[str | os.PathLike[str]] | None) -> list[str]:
    """The arguments of an application: those of this process if none are given, and without a leading interpreter."""
    arguments = [os.fspath(argument) for argument in (argv or sys.argv)]
    first = os.path.basename(arguments[0]) if arguments else ""
    if len(arguments) > 1 and (arguments[0] == sys.executable or INTERPRETER.fullmatch(first)):
        del arguments[0]
    return arguments


def _name(part: str | Fragment) -> str:
    return part.name if isinstance(part, Fragment) else part


class Application:
    """An application: fragments and the flows between them, or, in one process, operators alone.

    ``argv`` are its arguments, of which the first is its name; those of this process if there are none. A leading interpreter
    is dropped, the options of every application are taken out, and the rest stays in ``app.argv``.

    >>> class Ping(podwire.Operator):
    ...     def setup(self, spec):
    ...         spec.output("out", podwire.u64)
    ...         spec.count(10)
    ...     def compute(self, input, output, context):
    ...         output.emit("out", context.tick)
    >>> class Pong(podwire.Operator):
    ...     def setup(self, spec):
    ...         spec.input("in", podwire.u64)
    ...     def compute(self, input, output, context):
    ...         assert input.receive("in") == context.tick
    >>> app = podwire.Application(["pings"])
    >>> app.add_operator("ping", Ping())
    >>> app.add_operator("pong", Pong())
    >>> app.add_flow("ping", "pong", [("out", "in")])
    >>> app.run().operators["pong"].received
    10
    """

    def __init__(self, argv: Sequence[str | os.PathLike[str]] | None = None) -> None:
        self._native = _podwire.Application(arguments_of(argv))
        self._own = Fragment("")
        self._fragments: list[Fragment] = []
        self._flows: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._composed = False
        self.when_worker_lost = "end"
        """``"end"``: the application ends when one of its processes dies; ``"wait"``: it waits until that is back."""
        self.handle_signals = True
        """Whether Ctrl-C and SIGTERM end the application in order."""
        self.grace_period: float | None = None
        """Seconds that operators have to return once the application is to stop; 5 if nothing is said."""

    @property
    def argv(self) -> list[str]:
        """The name of the program, and its arguments without the options of every application, in their order.

        >>> podwire.Application(["python3", "myapp", "--driver", "my_arg1", "--address=10.0.0.1"]).argv
        ['myapp', 'my_arg1']
        """
        return self._native._argv()

    def option(self, name: str, value_name: str, help: str, default: T) -> T:
        """Declares an option with a value of the default's type, and gives its value, or the default if it is not there.

        >>> podwire.Application(["ping", "--worker", "--count", "20"]).option("--count", "N", "how many", 10)
        20
        """
        return cast(T, self._native._option(name, value_name, help, default))

    def flag(self, name: str, help: str) -> bool:
        """Declares an option without a value, and says whether it is there."""
        return self._native._flag(name, help)

    def arguments(self, value_name: str, help: str) -> list[str]:
        """Declares that there are arguments besides the options, and gives them. Comes behind all options."""
        return self._native._arguments(value_name, help)

    def about(self, text: str) -> None:
        """Says what the application is for: the first line of its help."""
        self._native._about(text)

    def version(self, version: str) -> None:
        """Says which version the application is of."""
        self._native._version(version)

    def help_text(self, text: str) -> None:
        """Says what the help tells of options that are parsed from ``argv``: ``argparse``'s ``parser.format_help()``."""
        self._native._help_text(text)

    @property
    def is_asked_for_help(self) -> bool:
        """Whether ``--help`` or ``--version`` is there: ``run`` prints it and runs nothing."""
        return self._native._is_asked_for_help()

    def compose(self) -> None:
        """Adds fragments, operators and flows. Override it, or add them from outside."""

    def add_fragment(self, fragment: Fragment) -> None:
        """Adds a fragment."""
        self._fragments.append(fragment)

    def add_operator(
        self, name: str, operator: Operator, *, count: int | None = None, period: float | None = None
    ) -> None:
        """Adds an operator to an application without fragments."""
        self._own.add_operator(name, operator, count=count, period=period)

    def add_flow(self, source: str | Fragment, target: str | Fragment, ports: Ports) -> None:
        """Connects fragments, with ports such as ``("ping.out", "pong.in")``; in an application without fragments operators."""
        self._flows.append((_name(source), _name(target), list(ports)))

    def check(self) -> list[str]:
        """Calls ``setup`` of all operators and checks the whole; the connections. ``CompositionError`` tells all mistakes."""
        self._compose()
        return self._native._check()

    def run(self) -> Report:
        """Does what the command line says, to the end.

        ``OperatorFailed`` if an operator raised: its ``__cause__`` is the exception, if it was in this process.
        ``KeyboardInterrupt`` after Ctrl-C, when all has ended in order.
        """
        self._compose()
        try:
            return report_of(self._native._run())
        except Exception as error:
            if isinstance(found := getattr(error, "report", None), dict):
                setattr(error, "report", report_of(found))
            raise

    def main(self) -> int:
        """Runs to the end, prints what went wrong, and gives the exit code: ``sys.exit(app.main())``."""
        program = os.path.basename(self.argv[0]) if self.argv else "podwire"
        try:
            report = self.run()
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            print(f"{program}: {error}", file=sys.stderr)
            return 1
        return 128 + report.signal if report.signal is not None else 0

    def _compose(self) -> None:
        if self._composed:
            return
        self.compose()
        self._composed = True
        for kind in bound.values():
            try:
                codec = codec_of(kind)
            except (TypeError, NameError):
                continue  # it is not complete, and so no port has it
            _podwire.register(codec.name, codec.schema)
        _pickling.register()
        waits = {"end": False, "wait": True}[self.when_worker_lost]
        self._native._settings(waits, self.handle_signals, self.grace_period)
        for fragment in self._fragments:
            self._native._add_fragment(fragment.name, fragment.elsewhere, fragment.operators, fragment.flows)
        for placed in self._own.operators:
            self._native._add_operator(placed)
        for flow in self._own.flows + self._flows:
            self._native._add_flow(flow)
