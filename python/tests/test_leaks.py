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
