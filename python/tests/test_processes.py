"""Real processes: Python beside Python, and Python beside Rust, also killed ones."""

import multiprocessing
import os
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import children
import numpy
import numpy.typing as npt
import podwire
import pytest
from children import LONG, Child


@podwire.codec(name="Frame")
@dataclass
class Frame:
    sensor: str
    gain: podwire.f32
    pixels: podwire.Bulk[npt.NDArray[numpy.uint16]]


@pytest.mark.parametrize("how", ["copied", "sealed", "in place"])
def test_an_array_goes_from_process_to_process_and_outlives_its_publisher(context, pipeline, how):
    consumer = Child(children.consume, pipeline)
    publisher = Child(children.publish, pipeline, 100_000, how)
    publisher.hears()
    assert consumer.hears() == (sum(range(100_000)), False)
    publisher.kill()
    assert context.get("array").to_numpy()[-1] == 99_999
    consumer.end()


def test_a_writer_that_is_killed_leaves_the_allocation_poisoned(context, pipeline):
    data = context.create(64, zeroed=True)
    data.publish("data")
    writer = Child(children.write, pipeline)
    assert writer.hears() == "writing"
    with pytest.raises(podwire.Timeout):
        data.to_numpy(timeout=0)
    writer.kill()
    with pytest.raises(podwire.Poisoned):
        data.to_numpy(timeout=LONG)
    assert data.accept_poisoned()
    assert data.to_numpy().sum() == 64


def test_a_reader_that_is_killed_holds_nobody_up(context, pipeline):
    data = context.create(64, zeroed=True)
    data.publish("data")
    reader = Child(children.read, pipeline)
    assert reader.hears() == 0
    with pytest.raises(podwire.Timeout), data.map_mut(timeout=0):
        pass
    reader.kill()
    with data.map_mut(timeout=LONG) as view:
        view[:] = 1
    assert context.list()[0].holders == 1


def test_what_a_killed_process_did_not_publish_is_cleaned_up(context, pipeline):
    filler = Child(children.fill, pipeline)
    filler.hears()
    assert context.stats()["private"] == 1
    filler.kill()
    context.sweep()
    stats = context.stats()
    assert (stats["private"], stats["processes"], stats["bytes"]) == (0, 1, 0)
    assert (stats["file_bytes"], "quota_bytes" in stats) == (0, False)


def test_a_part_of_a_value_lives_on_in_another_process(context, pipeline):
    pixels = numpy.arange(100_000, dtype="u2")
    context.publish_value(Frame("left", 0.5, pixels), "scan")
    child = Child(children.hold_part, pipeline)
    assert child.hears() == list(range(10, 20))
    context.unpublish("scan")
    context.publish_value(Frame("right", 0.5, pixels[::-1].copy()), "scan")
    child.pipe.send("again")
    assert child.hears() == list(range(10, 20))
    child.process.join(LONG)


def test_after_a_fork_the_parents_objects_say_so_and_the_pipeline_opens_again(context):
    allocation = context.publish_array([1, 2, 3], "data")
    array = allocation.to_numpy()
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads, from Python 3.12 on
        child = fork.Process(target=children.forked, args=(theirs, context, allocation, array))
        child.start()
    assert ours.poll(LONG)
    assert ours.recv() == [True] * 7
    ours.send("end")
    child.join(LONG)
    assert child.exitcode == 0
    del array
    with allocation.map_mut(timeout=0):
        pass


def built(name):
    """What `scripts/python` built of podwire in Rust."""
    folder = os.environ.get("RUST_BUILT")
    path = Path(folder, name) if folder else None
    if path is None or not path.exists():
        pytest.skip(f"{name}: `scripts/python` builds it")
    return path


def test_a_rust_process_reads_and_answers(context, pipeline):
    rust = subprocess.Popen([built("examples/with_python"), pipeline, str(LONG)], stdout=subprocess.PIPE, text=True)
    context.publish_value(Frame("left", 0.5, numpy.arange(100_000, dtype="uint16")), "frame")
    context.publish_array(numpy.ones((480, 640), "float32"), "image")
    brighter = context.wait_value("brighter", LONG)
    assert (brighter.sensor, brighter.gain, brighter.pixels[7]) == ("left", 1.0, 7)
    sums = context.wait("sums", LONG).to_numpy()
    assert sums.dtype == "float32" and sums.tolist() == [480.0] * 640
    output, _ = rust.communicate(timeout=LONG)
    assert rust.returncode == 0
    assert output == "left: 100000 pixels, the last is Some(34463)\n640 columns\n"
    # Its answer refers to the pixels that this process published.
    context.unpublish("frame")
    assert brighter.pixels[99_999] == 99_999 & 0xFFFF


def test_the_command_shows_what_python_publishes(context, pipeline, tmp_path):
    fastio = [built("fastio"), "--pipeline", pipeline]
    context.publish_value(Frame("left", 0.5, numpy.arange(3, dtype="uint16")), "frame")
    shown = subprocess.run([*fastio, "values", "frame"], capture_output=True, text=True, check=True, timeout=LONG)
    assert shown.stdout == '{\n    sensor: "left",\n    gain: 0.5,\n    pixels: [0, 1, 2],\n}\n'
    source = numpy.asfortranarray(numpy.arange(6, dtype="f4").reshape(2, 3))
    context.publish_array(source, "array")
    subprocess.run([*fastio, "get", "array", tmp_path / "array.npy"], check=True, timeout=LONG)
    assert numpy.array_equal(numpy.load(tmp_path / "array.npy"), source)
    subprocess.run([*fastio, "put", "back", tmp_path / "array.npy"], check=True, timeout=LONG)
    assert numpy.array_equal(context.get("back").to_numpy(), source)
