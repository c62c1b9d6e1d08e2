"""podwire's own tensor as an object; arrays of other libraries, on the host and, as far as there is none, on a GPU."""

import gc
import struct
import sys
import types

import numpy
import podwire
import pytest
from applications import ByDLPack, ByInterface


class OnGPU:
    """What a library says of an array on a GPU, without one: nobody gets as far as to read it."""

    def __init__(self, ordinal=0):
        self.ordinal, self.asked = ordinal, 0

    def __dlpack_device__(self):
        return (2, self.ordinal)

    def __dlpack__(self, **options):
        self.asked += 1
        raise AssertionError("there is no memory")


class ByCudaInterface:
    def __init__(self, **changes):
        interface = {"shape": (2, 3), "typestr": "<f4", "data": (0x7F0000000000, False), "version": 3, "strides": None}
        self.__cuda_array_interface__ = interface | changes


def has_gpu():
    try:
        return podwire.Device.count() > 0
    except podwire.NoDevice:
        return False


without_gpu = pytest.mark.skipif(has_gpu(), reason="there is a GPU")
with_gpu = pytest.mark.skipif(not has_gpu(), reason="there is no GPU")


@pytest.mark.parametrize("wrap", [lambda array: array, ByDLPack, ByInterface, podwire.NativeTensor])
def test_a_tensor_is_made_of_any_array_without_a_copy(wrap):
    source = numpy.arange(6, dtype="f4").reshape(2, 3)
    tensor = podwire.NativeTensor(wrap(source))
    assert (tensor.shape, tensor.strides, tensor.dtype, tensor.nbytes) == ((2, 3), (12, 4), numpy.float32, 24)
    assert tensor.device == ("cpu", 0) and not tensor.is_on_gpu
    for array in (tensor.to_numpy(), numpy.asarray(tensor), numpy.from_dlpack(tensor)):
        assert (array == source).all() and not array.flags.writeable
        assert array.__array_interface__["data"][0] == source.__array_interface__["data"][0]


def test_a_tensor_shows_itself_as_other_libraries_ask():
    tensor = podwire.NativeTensor(numpy.arange(6, dtype="i2"))
    assert numpy.asarray(tensor, "f8").tolist() == [0, 1, 2, 3, 4, 5]
    assert numpy.array(tensor, copy=True).flags.writeable
    assert tensor.__dlpack_device__() == (1, 0) and "dltensor_versioned" in repr(tensor.__dlpack__(max_version=(1, 0)))
    with pytest.raises(BufferError):
        tensor.__dlpack__(max_version=(1, 0), dl_device=(2, 0))
    with pytest.raises(BufferError):
        tensor.__dlpack__(max_version=(1, 0), copy=True)
    assert not hasattr(tensor, "__cuda_array_interface__")
    assert repr(tensor) == "<podwire.NativeTensor [6] of i16 on cpu:0>"


def test_tensors_of_odd_arrays():
    assert podwire.NativeTensor(numpy.zeros((0, 3))).shape == (0, 3)
    assert podwire.NativeTensor(numpy.float64(2.5)).to_numpy() == 2.5
    turned = numpy.arange(6, dtype="u1").reshape(2, 3).T[::-1]
    assert (podwire.NativeTensor(turned).to_numpy() == turned).all()
    for wrong in (numpy.zeros(2, "O"), numpy.zeros(2, "M8[s]"), numpy.zeros(2, [("a", "f4")])):
        with pytest.raises((podwire.UnsupportedDType, podwire.WrongType)):
            podwire.NativeTensor(wrong)


def test_a_tensor_keeps_what_it_was_made_of_and_gives_it_back():
    source = numpy.zeros(1000)
    before = sys.getrefcount(source)
    tensor = podwire.NativeTensor(source)
    array = numpy.from_dlpack(tensor)
    del tensor
    gc.collect()
    assert array.sum() == 0 and sys.getrefcount(source) > before
    del array
    gc.collect()
    assert sys.getrefcount(source) == before


def test_a_tensor_is_published_encoded_and_sent_as_any_array_is(context):
    pixels = context.empty_array((100, 200), "u2")
    pixels[:] = 3
    tensor = podwire.NativeTensor(podwire.seal(pixels))
    context.publish_value(tensor, "tensor")
    found = context.get_value("tensor")
    assert type(found) is numpy.ndarray
    assert found.__array_interface__["data"][0] == pixels.__array_interface__["data"][0]  # by reference
    native = context.get_value("tensor", podwire.NativeTensor)
    assert type(native) is podwire.NativeTensor and native.to_numpy()[99, 199] == 3
    assert podwire.encode(tensor) == podwire.encode(numpy.asarray(tensor))
    assert podwire.decode(podwire.encode(tensor), podwire.NativeTensor).shape == (100, 200)
    with context.sender("frames") as sender, context.receiver("frames") as receiver:
        sender.send(tensor)
        assert receiver.receive(1)[0, 0] == 3 and sender.copied_bytes == 0


def staged():
    """A tensor of a GPU that came by way of the host: its device is CUDA's, its memory is not."""
    bytes = podwire.encode(numpy.arange(3, dtype="f4"))
    return bytes[:1] + struct.pack("<HI", 2, 1) + bytes[7:]


def test_what_came_from_a_gpu_by_way_of_the_host_is_an_array_of_the_host():
    assert podwire.decode(staged(), podwire.Tensor).tolist() == [0, 1, 2]


@without_gpu
def test_without_a_gpu_arrays_on_one_are_refused_before_anything_is_asked_of_them(context):
    array = OnGPU()
    uses = (
        lambda: podwire.Device(0),
        lambda: podwire.Device.count(),
        lambda: podwire.NativeTensor(array),
        lambda: podwire.NativeTensor(ByCudaInterface()),
        lambda: podwire.encode(array),
        lambda: context.publish_value(array, "array"),
        lambda: context.sender("frames").send(array),
    )
    for use in uses:
        with pytest.raises(podwire.NoDevice):
            use()
    assert array.asked == 0
    with pytest.raises(podwire.WrongType, match="the memory is a device's"):
        context.publish_array(array, "array")


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"mask": object()}, "a mask does not travel"),
        ({"strides": (-12, 4)}, "strides"),
        ({"strides": (4,)}, "strides"),
        ({"strides": (13, 5)}, "strides"),
        ({"typestr": [("a", "f4")]}, "numbers"),
        ({"shape": (1 << 40, 1 << 40), "strides": (1 << 42, 4)}, "no memory"),
    ],
)
def test_a_cuda_array_that_lies_is_refused(changes, why):
    with pytest.raises(podwire.WrongType, match=why):
        podwire.NativeTensor(ByCudaInterface(**changes))


def test_pinned_memory_is_the_hosts():
    class Pinned(ByDLPack):
        def __dlpack_device__(self):
            return (3, 0)

    assert podwire.encode(Pinned(numpy.arange(3))) == podwire.encode(numpy.arange(3))


@with_gpu
def test_arrays_on_a_gpu_go_by_reference_and_arrive_on_it(context, monkeypatch):
    gpu = podwire.Device(0)
    tensor = gpu.place(context, numpy.arange(1_000_000, dtype="f4"))
    assert tensor.is_on_gpu and tensor.device == ("cuda", 0) and tensor.__dlpack_device__() == (2, 0)
    with pytest.raises(podwire.WrongType, match="a GPU's"):
        numpy.asarray(tensor)
    context.publish_value(tensor, "tensor")
    seen = []
    cupy = types.SimpleNamespace(asarray=lambda array: seen.append(array) or array)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    found = context.get_value("tensor")
    assert seen == [found]  # CuPy's way in
    ours, theirs = tensor.__cuda_array_interface__, found.__cuda_array_interface__
    assert ours == theirs and ours["typestr"] == "<f4"  # the same memory
    assert found.to_numpy()[-1] == 999_999
    other = ByCudaInterface(shape=(500_000,), data=ours["data"], strides=(8,))
    other.memory = tensor
    copied = gpu.place(context, other)
    assert copied.shape == (500_000,) and copied.to_numpy()[7] == 14
    with context.sender("frames") as sender, context.receiver("frames") as receiver:
        sender.send(ByDLPack(tensor))
        assert receiver.receive(1).to_numpy()[5] == 5
    assert gpu.zeros(context, (2, 3), "i2").to_numpy().tolist() == [[0, 0, 0], [0, 0, 0]]
