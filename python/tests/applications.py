"""Applications of several processes for the tests: `applications.py NAME [OPTIONS..]`; NAME stays in `app.argv`."""

import os
import signal
import sys
import time
from dataclasses import dataclass

import numpy
import numpy.typing as npt
import podwire
from podwire import _pickling
from podwire.holoviz import InputSpec, InputType, InputView


@podwire.codec(name="tests.Pose")
@dataclass
class Pose:
    name: str
    position: list[podwire.f32]
    points: podwire.Bulk[npt.NDArray[numpy.float32]]


class Thing:
    """Has no codec."""

    def __init__(self, array):
        self.array = array


def values():
    return [
        numpy.arange(6, dtype="f4").reshape(2, 3),
        numpy.arange(100_000, dtype="i2"),
        Pose("left", [1, 2], numpy.arange(100_000, dtype="f4")),
        [InputSpec("tips", InputType.Crosses, views=[InputView(width=0.5)])],
        {"a": numpy.zeros(3), "b": numpy.ones(2, "u1")},
        "text",
        7,
        0.5,
        True,
    ]


class Source(podwire.Operator):
    def __init__(self, values, type=None, **options):
        self.values, self.type, self.options = values, type, options

    def setup(self, spec):
        spec.output("out", self.type, **self.options)
        spec.count(len(self.values))

    def compute(self, input, output, context):
        value = self.values[context.tick]
        output.emit("out", value, {"tick": podwire.dumps(context.tick, podwire.u64)})
        if isinstance(value, numpy.ndarray):
            value[...] = 0  # whoever is in another process has what was emitted


class Sink(podwire.Operator):
    def __init__(self, type=None, **options):
        self.type, self.options, self.received = type, options, []

    def setup(self, spec):
        spec.input("in", self.type, **self.options)

    def compute(self, input, output, context):
        value, metadata = input.receive_with_metadata("in")
        assert podwire.loads(metadata["tick"]) == context.tick
        self.received.append(value)


class Checked(Sink):
    def compute(self, input, output, context):
        super().compute(input, output, context)
        expected, found = values()[context.tick], self.received[-1]
        assert same(expected, found), f"{expected!r} became {found!r}"
        print(type(found).__name__, flush=True)


class Things(Sink):
    def compute(self, input, output, context):
        super().compute(input, output, context)
        thing = self.received[-1]
        print(type(thing).__name__, int(thing.array.sum()), flush=True)


class Failing(Sink):
    def compute(self, input, output, context):
        raise KeyError("no such key")


class Endless(podwire.Operator):
    def setup(self, spec):
        spec.output("out", podwire.u64)
        spec.period(0.01)

    def compute(self, input, output, context):
        output.emit("out", context.tick, {"tick": podwire.dumps(context.tick, podwire.u64)})


class Killed(Sink):
    def compute(self, input, output, context):
        super().compute(input, output, context)
        if context.tick == 3:
            os.kill(os.getpid(), signal.SIGKILL)


class Told(Sink):
    def compute(self, input, output, context):
        print("received", input.receive("in"), flush=True)


class Shown(Sink):
    """Says of each array which class it is of."""

    def compute(self, input, output, context):
        super().compute(input, output, context)
        array = self.received[-1]
        print(type(array).__name__, int(numpy.asarray(array).sum()), flush=True)


class ByDLPack:
    """An array of a library that only knows DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)


class ByInterface:
    """An array of a library that only knows numpy's interface."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


@podwire.codec(name="Python pickle of mine")
@dataclass
class CalledAPickle:
    number: podwire.u8


def arrays():
    array = numpy.arange(10_000, dtype="i8")
    return [podwire.NativeTensor(array.copy()), array.copy(), ByDLPack(array.copy()), ByInterface(array.copy())]


class Echo(podwire.Operator):
    """Sends back what it gets, for the benchmark."""

    def setup(self, spec):
        spec.input("in")
        spec.output("out")

    def compute(self, input, output, context):
        output.emit("out", input.receive("in"))


def same(one, two):
    if isinstance(one, Pose):
        return (one.name, one.position) == (two.name, two.position) and same(one.points, two.points)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, numpy.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and bool((one == two).all())
    return type(one) is type(two) and one == two


def things():
    return [Thing(numpy.full(100_000, 2, "u1")), Thing(numpy.ones(3, "u1"))]


APPLICATIONS = {
    "values": (lambda: Source(values()), Checked),
    "typed": (lambda: Source([values()[1]], numpy.dtype("i2")), lambda: Sink(numpy.dtype("i2"))),
    "wrong dtype": (lambda: Source([values()[1]], numpy.float64), lambda: Sink(numpy.float64)),
    "arrays": (lambda: Source(arrays()), Shown),
    "tensors": (lambda: Source(arrays(), podwire.Tensor), lambda: Shown(podwire.Tensor)),
    "natives": (lambda: Source(arrays(), podwire.Tensor), lambda: Shown(podwire.NativeTensor)),
    "only numpy": (lambda: Source(arrays(), podwire.Tensor), lambda: Shown(numpy.ndarray)),
    "called a pickle": (lambda: Source([CalledAPickle(7)]), lambda: Told()),
    "things": (lambda: Source(things(), allow_pickle=True), lambda: Things(allow_pickle=True)),
    "things refused": (lambda: Source(things()), Things),
    "pickles refused": (lambda: Source(things(), allow_pickle=True), Things),
    "failing": (lambda: Source(values()), Failing),
    "endless": (Endless, lambda: Told(podwire.u64)),
    "killed": (Endless, lambda: Killed(podwire.u64)),
}


def main():
    app = podwire.Application()
    name = app.argv[1]
    if "--other-python" in app.argv:
        _pickling.NAME = "Python pickle 2.7"
    source, sink = APPLICATIONS[name]
    first = podwire.Fragment("first")
    first.add_operator("source", source())
    second = podwire.Fragment("second")
    second.add_operator("sink", sink())
    app.add_fragment(first)
    app.add_fragment(second)
    app.add_flow(first, second, [("source.out", "sink.in")])
    if "--raise" not in app.argv:
        return app.main()
    try:
        print(app.run().ended)
    except podwire.OperatorFailed as error:
        print(error.operator, repr(error.__cause__), error.__cause__ and error.__cause__.__traceback__ is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
