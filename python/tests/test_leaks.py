"""Nothing is left behind: no reference, no descriptor, no mapping, no file."""

import gc
import os
import sys
from dataclasses import dataclass

import numpy
import numpy.typing as npt
import podwire
import pytest


@podwire.codec(name="tests.Leaky")
@dataclass
class Leaky:
    name: str
    pixels: podwire.Bulk[npt.NDArray[numpy.uint8]]
    rows: list[podwire.u16]


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def mappings(context):
    with open("/proc/self/maps") as maps:
        return sum(str(context.path) in line for line in maps)


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def everything(context):
    source = numpy.arange(100_000, dtype="u1")
    allocation = context.publish_array(source, "array")
    part = context.get("array").to_numpy()[1:]
    del part
    with allocation.map_mut() as view:
        view[0] = 1
    try:
        with allocation.map_mut() as view:
            raise KeyError
    except KeyError:
        allocation.accept_poisoned()
    frame = context.empty_array((300, 300), "u1")
    context.publish_array(frame, "frame", seal=True)
    numpy.from_dlpack(context.get("frame"))
    context.get("frame").__dlpack__(max_version=(1, 0))
    memoryview(allocation).release()
    value = Leaky("leaky", frame.reshape(-1), [1, 2])
    context.publish_value(value, "value")
    assert context.get_value("value").pixels.base is not None
    podwire.loads(podwire.dumps(value), dict)
    for refused in (lambda: podwire.encode({}, Leaky), lambda: context.get("no"), lambda: context.publish_array([None], "no")):
        with pytest.raises(podwire.Error):
            refused()
    watch = context.watch()
    watch.next(1)
    for name in ("array", "frame", "value"):
        context.unpublish(name)


def test_a_thousand_rounds_leave_nothing_behind(context):
    for _ in range(20):
        everything(context)
    context.sweep()
    gc.collect()
    before = descriptors(), mappings(context), sys.getrefcount(numpy.ndarray), sys.getrefcount(None)
    memory = resident()
    for _ in range(1000):
        everything(context)
    context.sweep()
    gc.collect()
    after = descriptors(), mappings(context), sys.getrefcount(numpy.ndarray), sys.getrefcount(None)
    assert after[0] == before[0]
    assert after[1] <= before[1] + 4  # segments that wait to be used again
    for one, two in zip(before[2:], after[2:]):
        assert abs(two - one) < 200
    assert resident() - memory < 32 << 20
    stats = context.stats()
    assert (stats["published"], stats["private"], stats["freed"], stats["bytes"]) == (0, 0, 0, 0)


def channels(context):
    with context.sender("frames", capacity=2) as sender, context.receiver("frames", capacity=2) as receiver:
        frame = context.empty_array((200, 200), "u1")
        frame[:] = 1
        sender.send(frame)  # nobody looks into it but us, so that it can be sealed
        receiver.receive(1)
        for message in (b"bytes", numpy.zeros(100_000, "u1"), Leaky("leaky", frame.reshape(-1), [1]), context.create(10)):
            sender.send(message)
            receiver.receive(1)
        sender.send(podwire.NativeTensor(frame), metadata={"key": b"value"})
        receiver.receive_with_metadata(1)[0][1:]
        sender.send(b"1")
        sender.send(b"2")
        for refused in (lambda: sender.try_send(b"3"), lambda: sender.send(object()), lambda: context.sender("frames", capacity=3)):
            with pytest.raises(podwire.Error):
                refused()
    context.remove_channel("frames")


class Emits(podwire.Operator):
    def __init__(self, values):
        self.values = values

    def setup(self, spec):
        spec.output("out")
        spec.count(len(self.values))

    def compute(self, input, output, context):
        memory = context.fast_io()
        frame = memory.empty_array(100_000, "u1")
        output.emit("out", (self.values[context.tick], podwire.seal(frame), podwire.NativeTensor(frame)))


class Takes(podwire.Operator):
    def setup(self, spec):
        spec.input("in")

    def compute(self, input, output, context):
        input.receive("in")


def operators(context):
    app = podwire.Application(["leaks"])
    app.add_operator("emits", Emits([numpy.zeros(100_000), {"a": 1}, object()]))
    app.add_operator("takes", Takes())
    app.add_flow("emits", "takes", [("out", "in")])
    app.run()


@pytest.mark.parametrize("what, rounds", [(channels, 300), (operators, 100)])
def test_channels_and_operators_leave_nothing_behind(context, what, rounds):
    def counts():
        gc.collect()
        context.sweep()
        with open("/proc/self/maps") as maps:
            shared = sum("podwire-" in line for line in maps)
        return descriptors(), len(os.listdir("/proc/self/task")), shared, sys.getrefcount(None), sys.getrefcount(numpy.ndarray)

    for _ in range(20):
        what(context)
    before, memory = counts(), resident()
    for _ in range(rounds):
        what(context)
    after = counts()
    assert after[:2] == before[:2]
    assert after[2] <= before[2] + 4  # segments that wait to be used again
    assert all(abs(two - one) < 100 for one, two in zip(before[3:], after[3:]))
    assert resident() - memory < 32 << 20
    stats = context.stats()
    assert (stats["published"], stats["private"], stats["channels"], stats["bytes"]) == (0, 0, 0, 0)


def test_a_closed_pipeline_is_unmapped(pipeline):
    before = descriptors()
    context = podwire.FastIOContext(pipeline)
    array = context.publish_array(numpy.zeros(1 << 20), "array", seal=True).to_numpy()
    path = context.path
    assert mappings(context) > 0
    context.close()
    del context, array
    gc.collect()
    assert descriptors() == before
    with open("/proc/self/maps") as maps:
        assert str(path) not in maps.read()


def test_objects_of_python_are_given_back():
    class Thing:
        pass

    pixels = numpy.zeros(100_000, "u1")
    keys, rows = {"a": 1}, [1, 2, 3]
    before = [sys.getrefcount(each) for each in (pixels, keys, rows)]
    for _ in range(100):
        podwire.encode(Leaky("x", pixels, rows))
        podwire.dumps((keys, pixels), tuple[dict[str, int], podwire.Bulk[npt.NDArray[numpy.uint8]]])
        with pytest.raises(podwire.EncodeError):
            podwire.encode({"name": Thing(), "pixels": pixels, "rows": rows}, Leaky)
    gc.collect()
    assert [sys.getrefcount(each) for each in (pixels, keys, rows)] == before
