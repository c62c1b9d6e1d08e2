"""Arrays go in and come out: every dtype, shape and order, copied once or not at all."""

import array
import ctypes
import gc

import ml_dtypes
import numpy
import podwire
import pytest

DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16", "?"]
SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (2, 3, 4), (1, 2, 1, 3, 1)]


def same(one, two):
    assert one.dtype == two.dtype and one.shape == two.shape
    numpy.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_array_comes_back_as_it_went(context, dtype, shape):
    count = int(numpy.prod(shape))
    source = (numpy.arange(count) % 100).astype(dtype).reshape(shape)
    context.publish_array(source, "array")
    found = context.get("array")
    same(found.to_numpy(), source)
    assert (found.kind, found.shape, found.dtype) == ("array", shape, source.dtype)
    assert not found.to_numpy().flags.writeable


@pytest.mark.parametrize("dtype", ["i2", "f8"])
def test_fortran_order_stays_and_other_strides_become_c_order(context, dtype):
    source = numpy.arange(24, dtype=dtype).reshape(2, 3, 4)
    context.publish_array(numpy.asfortranarray(source), "fortran")
    found = context.get("fortran").to_numpy()
    same(found, source)
    assert found.flags.f_contiguous and not found.flags.c_contiguous
    for name, view in {"steps": source[::-1, :, ::2], "swapped": source.swapaxes(0, 1)}.items():
        context.publish_array(view, name)
        found = context.get(name).to_numpy()
        same(found, view)
        assert found.flags.c_contiguous
    context.publish_array(numpy.broadcast_to(source[0, 0], (5, 4)), "repeated")
    same(context.get("repeated").to_numpy(), numpy.broadcast_to(source[0, 0], (5, 4)))


def test_structured_arrays_keep_their_names_and_lose_their_padding(context):
    packed = numpy.dtype([("id", "u1"), ("at", "<f4", (3,)), ("ok", "?"), ("z", "<c8"), ("in", [("a", "<u2")])])
    padded = numpy.dtype({"names": packed.names, "formats": [packed[n] for n in packed.names]}, align=True)
    assert padded.itemsize > packed.itemsize
    for dtype in (packed, padded):
        source = numpy.zeros((2, 2), dtype)
        source["id"], source["at"], source["in"]["a"] = 7, [1, 2, 3], 300
        context.publish_array(source, "structs", replace=True)
        found = context.get("structs").to_numpy()
        assert found.dtype == packed and found.shape == (2, 2)
        assert found["at"][1, 1].tolist() == [1, 2, 3] and (found["in"]["a"] == 300).all()
    made = context.create_array(5, packed)
    assert made.dtype == packed and made.metadata == {}
    with pytest.raises(podwire.UnsupportedDType, match="padding"):
        context.create_array(5, padded)


@pytest.mark.parametrize(
    "refused",
    [
        numpy.zeros(3, ">f4"),
        numpy.array([{}, []], dtype=object),
        numpy.array(["text"]),
        numpy.array([b"text"]),
        numpy.zeros(3, "M8[s]"),
        numpy.zeros(3, "m8[s]"),
        numpy.zeros(3, [("a", ">u2")]),
        numpy.zeros(3, [("a", object)]),
        numpy.zeros(3, numpy.longdouble),
        numpy.zeros(3, "V7"),
        [1, "two", None],
    ],
    ids=lambda value: str(getattr(value, "dtype", "list")),
)
def test_what_cannot_be_shared_is_refused_with_a_typed_error(context, refused):
    with pytest.raises(podwire.UnsupportedDType):
        context.publish_array(refused, "refused")
    assert context.try_get("refused") is None
    assert context.stats()["private"] == 0


@pytest.mark.parametrize(
    "source",
    [
        [[1, 2], [3, 4]],
        7.5,
        array.array("H", [1, 2, 3]),
        bytearray(b"abc"),
        memoryview(numpy.arange(6).reshape(2, 3)),
        (ctypes.c_int32 * 4)(1, 2, 3, 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_numpy_takes_is_taken(context, source):
    context.publish_array(source, "source")
    same(context.get("source").to_numpy(), numpy.asarray(source))


def test_array_interface_and_dlpack_are_taken(context):
    kept = numpy.arange(6, dtype="f4").reshape(2, 3)

    class Interface:
        __array_interface__ = kept.__array_interface__

    class Exports:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    class Old(Exports):
        def __dlpack__(self):
            return self.array.__dlpack__()

    for made in (Interface(), Exports(kept), Old(kept)):
        context.publish_array(made, "made", replace=True)
        same(context.get("made").to_numpy(), kept)
    context.publish_array(Exports(kept.T[::-1]), "made", replace=True)
    same(context.get("made").to_numpy(), kept.T[::-1])

    class Elsewhere(Exports):
        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(podwire.WrongType, match="device"):
        context.publish_array(Elsewhere(kept), "cuda")

    class Liar(Exports):
        def __dlpack__(self, **options):
            return "no capsule"

    with pytest.raises(TypeError):
        context.publish_array(Liar(kept), "liar")


def test_an_allocation_is_a_buffer_an_array_and_a_dlpack_tensor(context):
    source = numpy.arange(6, dtype="i2").reshape(2, 3)
    for seal in (False, True):
        allocation = context.publish_array(source, "six", replace=True, seal=seal)
        view = memoryview(allocation)
        assert (view.shape, view.format, view.readonly) == ((2, 3), "h", True)
        same(numpy.asarray(allocation), source)
        same(numpy.asarray(allocation, dtype="f8"), source.astype("f8"))
        assert numpy.array(allocation, copy=True).flags.writeable
        taken = numpy.from_dlpack(allocation)
        same(taken, source)
        assert not taken.flags.writeable
        assert allocation.__dlpack_device__() == (1, 0)
        assert bytes(view) == source.tobytes() == allocation.read()
        view.release()
        del taken
        gc.collect()
    assert allocation.__array_interface__["shape"] == (2, 3)
    with pytest.raises(AttributeError):
        context.create(4).__array_interface__
    with pytest.raises(BufferError):
        allocation.__dlpack__(dl_device=(2, 0))
    assert "dltensor_versioned" in repr(allocation.__dlpack__(max_version=(1, 0)))  # dropped unused


def test_bf16_goes_through_dlpack_and_through_ml_dtypes(context):
    source = numpy.array([0.5, 1.0, -2.0], ml_dtypes.bfloat16)
    allocation = context.publish_array(source, "bf16", seal=True)
    same(allocation.to_numpy(), source)

    class Exports:
        def __dlpack__(self, **options):
            return allocation.__dlpack__(**options)

        def __dlpack_device__(self):
            return allocation.__dlpack_device__()

    context.publish_array(Exports(), "again")
    same(context.get("again").to_numpy(), source)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("seal", [False, True])
def test_an_array_of_shared_memory_is_published_without_a_copy(context, order, seal):
    frame = context.empty_array((64, 64), "u2", order)
    frame[:] = numpy.arange(4096).reshape(64, 64)
    place = frame.__array_interface__["data"][0]
    before = context.stats()["bytes"]
    context.publish_array(frame, "frame", seal=seal)
    assert context.stats()["bytes"] == before
    assert not frame.flags.writeable
    with pytest.raises(ValueError):
        frame[0, 0] = 1
    found = context.get("frame")
    same(found.to_numpy(), frame)
    assert found.to_numpy().__array_interface__["data"][0] == place
    assert found.sealed == seal
    context.publish_array(frame, "again")
    assert context.get("again").id == found.id


def test_an_array_of_shared_memory_stays_writable_until_it_is_published(context):
    frame = context.empty_array(4, "u1")
    frame[:] = 1
    context.publish_array([0], "taken")
    with pytest.raises(podwire.NameTaken, match="replace=True"):
        context.publish_array(frame, "taken")
    # It was ready to be published, and still is.
    context.publish_array(frame, "free")
    assert context.get("free").to_numpy().tolist() == [1] * 4


def test_parts_of_an_array_of_shared_memory_keep_it_from_being_published(context):
    frame = context.empty_array((4, 4), "u1")
    row = frame[1]
    with pytest.raises(podwire.ViewInUse, match="1 other"):
        context.publish_array(frame, "frame")
    row[:] = 3
    del row
    frame[0] = frame[2:] = 3
    context.publish_array(frame, "frame")
    assert (context.get("frame").to_numpy() == 3).all()


def test_a_part_of_shared_memory_is_published_as_a_copy(context):
    frame = context.empty_array((4, 4), "u1")
    frame[:] = numpy.arange(16).reshape(4, 4)
    part = context.publish_array(frame[1:, 1:], "part")
    same(part.to_numpy(), numpy.arange(16, dtype="u1").reshape(4, 4)[1:, 1:])
    front = context.publish_array(frame[:2], "front")
    frame[:] = 0
    assert part.to_numpy()[0, 0] == 5 and front.to_numpy().tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    turned = frame.reshape(2, 8)
    del frame
    context.publish_array(turned, "whole")
    assert context.get("whole").shape == (2, 8)


def test_an_array_outlives_all_that_it_came_from(pipeline):
    context = podwire.FastIOContext(pipeline)
    context.publish_array(numpy.arange(1000), "array", seal=True)
    allocation = context.get("array")
    part = allocation.to_numpy()[10:20]
    allocation.free()
    allocation.release()
    context.sweep()
    context.close()
    podwire.FastIOContext.remove(pipeline)
    gc.collect()
    assert part.tolist() == list(range(10, 20))


def test_metadata_goes_with_the_name_that_is_published_next(context):
    context.publish_array([1, 2], "one", metadata={"unit": "HU"})
    found = context.get("one")
    assert found.metadata == {"unit": "HU"}
    found.metadata = {"unit": "mm", "who": "ü"}
    found.publish("two")
    assert context.get("one").metadata == {"unit": "HU"}
    assert context.get("two").metadata == {"unit": "mm", "who": "ü"}
    with pytest.raises(podwire.MetadataTooLarge):
        context.publish_array([1], "three", metadata={"key": "x" * 5000})


def test_bytes_become_an_array_by_their_metadata(context):
    raw = context.create(24, zeroed=True)
    assert (raw.kind, raw.shape, raw.dtype, len(raw)) == ("bytes", (24,), "u1", 24)
    raw.set_type_and_dimensions("f4", (2, 3), "F")
    assert raw.to_numpy().flags.f_contiguous and raw.to_numpy().shape == (2, 3)
    with pytest.raises(podwire.WrongShape):
        raw.set_type_and_dimensions("f8", (2, 3))
    with pytest.raises(podwire.WrongShape):
        raw.set_type_and_dimensions("u1", (2**40, 2**40))
    assert raw.read(20) == bytes(4)
    with pytest.raises(podwire.WrongShape):
        raw.read(20, 5)


def test_names_that_are_wrong_or_missing_are_typed_errors(context):
    for name in ("", "../x", "a/b", ".", "..", "a\0b", "a\nb", "x" * 300):
        with pytest.raises(podwire.BadName):
            context.publish_array([1], name)
    with pytest.raises(podwire.NotFound, match="nothing is published"):
        context.get("nowhere")
    with pytest.raises(LookupError):
        context.get("nowhere")
    assert context.unpublish("nowhere") is False
    assert issubclass(podwire.Timeout, TimeoutError)
    with pytest.raises(podwire.Timeout):
        context.wait("nowhere", timeout=0.01)
    with pytest.raises(ValueError):
        context.wait("nowhere", timeout=-1)
    with pytest.raises(ValueError):
        context.wait("nowhere", timeout=float("nan"))


def test_lists_and_watches_show_what_comes_and_goes(context):
    watch = context.watch()
    context.publish_array([1], "a")
    context.publish_array([2, 3], "b", seal=True)
    listings = context.list()
    assert [(listing.name, listing.nbytes, listing.sealed) for listing in listings] == [("a", 8, False), ("b", 16, True)]
    assert [watch.next(1).name, watch.next(1).name] == ["a", "b"]
    context.get("a").free()
    event = next(watch)
    assert (event.kind, event.name, event.listing) == ("freed", "a", None)
    name, found = context.wait_any(["x", "b"], timeout=1)
    assert name == "b" and context.get_by_id(found.id).shape == (2,)
    with pytest.raises(podwire.Timeout):
        watch.next(0.01)


def test_quotas_and_ephemeral_pipelines(pipeline):
    with podwire.FastIOContext(pipeline, ephemeral=True, quota_bytes=1 << 20) as context:
        path = context.path
        with pytest.raises(podwire.QuotaExceeded):
            context.create(2 << 20)
        assert pipeline in podwire.FastIOContext.pipelines()
    assert not path.exists()
    with pytest.raises(podwire.Closed):
        context.list()


def test_sizes_that_no_memory_has_are_refused(context):
    for size in (1 << 45, (1 << 63) - 1):
        with pytest.raises((podwire.NoSpace, podwire.Io)):
            context.create(size)
    with pytest.raises(OverflowError):
        context.create(-1)
    with pytest.raises(podwire.WrongShape):
        context.empty_array((2**62, 4))
