"""Publishing an array in one process and getting it in another, beside what Python has: ratios of one run.

A round: the producer has an array, hands it over, and says by a pipe under which name; the consumer gets it, looks at its first
and last element, and answers. All ways use the same pipe for this, so that what differs is the hand-over. The ways take turns,
and the least and the median of their rounds are shown.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import platform
import queue
import shutil
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy
import numpy.typing as npt
import podwire

SIZES = [8 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20, 256 << 20, 1 << 30]


@podwire.codec(name="bench.Frame")
@dataclass
class Frame:
    sensor: str
    pixels: podwire.Bulk[npt.NDArray[numpy.uint8]]


def ends(array: Any) -> int:
    return int(array[0]) + int(array[-1])


def consumer(pipe: Connection, pipeline: str) -> None:
    context = podwire.FastIOContext(pipeline)
    while True:
        match pipe.recv():
            case "array", name:
                pipe.send(ends(context.get(name).to_numpy()))
            case "value", name:
                pipe.send(ends(context.get_value(name).pixels))
            case "shared_memory", (name, size):
                memory = SharedMemory(name)
                array: Any = numpy.ndarray(size, "u1", memory.buf)
                pipe.send(ends(array))
                del array
                memory.close()
            case "pickle", _:
                pipe.send(ends(pipe.recv()))
            case "zenoh", _:
                payload = listening[0].came.get(timeout=60)
                pipe.send(ends(numpy.frombuffer(payload.to_bytes(), "u1")))
            case "listen", address:
                listening.append(Listening(address))
                pipe.send("listens")
            case _:
                return


class Listening:
    """The receiving end of Zenoh, and what came."""

    def __init__(self, address: str) -> None:
        self.came: queue.Queue[Any] = queue.Queue()
        self.session = zenoh_session(connect=address)
        self.subscriber = self.session.declare_subscriber("bench/array", lambda sample: self.came.put(sample.payload))


listening: list[Listening] = []


def zenoh_session(**where: str) -> Any:
    """A session that knows only the other process."""
    import zenoh

    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    # By default what is over 1 GiB with its header is dropped.
    config.insert_json5("transport/link/rx/max_message_size", str(1 << 31))
    for key in ("listen", "connect"):
        config.insert_json5(f"{key}/endpoints", json.dumps([where[key]] if key in where else []))
    return zenoh.open(config)


class Ways:
    """Ways to hand an array over: each prepares, and gives what is timed and what is not any more."""

    def __init__(self, context: podwire.FastIOContext, pipe: Connection, size: int) -> None:
        self.context, self.pipe, self.size = context, pipe, size
        self.source = numpy.arange(size, dtype="u1")
        self.publisher: Any = None

    def answered(self, *message: Any) -> None:
        self.pipe.send(message)
        assert self.pipe.recv() == ends(self.source)

    @contextmanager
    def copied(self) -> Iterator[Callable[[], None]]:
        def hand_over() -> None:
            self.context.publish_array(self.source, "array", seal=True)
            self.answered("array", "array")

        yield hand_over
        self.context.unpublish("array")

    @contextmanager
    def in_place(self) -> Iterator[Callable[[], None]]:
        array = self.context.empty_array(self.size, "u1")
        array[:] = self.source

        def hand_over() -> None:
            self.context.publish_array(array, "array", seal=True)
            self.answered("array", "array")

        yield hand_over
        self.context.unpublish("array")

    @contextmanager
    def value(self) -> Iterator[Callable[[], None]]:
        def hand_over() -> None:
            self.context.publish_value(Frame("left", self.source), "value")
            self.answered("value", "value")

        yield hand_over
        self.context.unpublish("value")

    @contextmanager
    def shared_memory(self) -> Iterator[Callable[[], None]]:
        made: list[SharedMemory] = []

        def hand_over() -> None:
            memory = SharedMemory(create=True, size=self.size)
            made.append(memory)
            array: Any = numpy.ndarray(self.size, "u1", memory.buf)
            array[:] = self.source
            del array
            self.answered("shared_memory", (memory.name, self.size))

        yield hand_over
        for memory in made:
            memory.close()
            memory.unlink()

    @contextmanager
    def pickle(self) -> Iterator[Callable[[], None]]:
        def hand_over() -> None:
            self.pipe.send(("pickle", None))
            self.pipe.send(self.source)
            assert self.pipe.recv() == ends(self.source)

        yield hand_over


    @contextmanager
    def zenoh(self) -> Iterator[Callable[[], None]]:
        def hand_over() -> None:
            self.publisher.put(self.source.tobytes())
            self.answered("zenoh", None)

        yield hand_over


NAMES = ["in_place", "copied", "value", "shared_memory", "pickle"]
# Where its package is installed, as `scripts/bench-python` does it.
HAS_ZENOH = importlib.util.find_spec("zenoh") is not None


def measure(ways: Ways, seconds: float) -> dict[str, list[float]]:
    names = NAMES + (["zenoh"] if ways.publisher is not None else [])
    times: dict[str, list[float]] = {name: [] for name in names}
    end = time.monotonic() + seconds
    rounds = 0
    while rounds < 3 or (time.monotonic() < end and rounds < 2000):
        for name in names:
            with getattr(ways, name)() as hand_over:
                begin = time.perf_counter()
                hand_over()
                times[name].append(time.perf_counter() - begin)
        rounds += 1
    # The first round finds no memory that was used before.
    return {name: found[1:] for name, found in times.items()}


def shown(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size >> 10} KiB"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seconds", type=float, default=10, help="for each size")
    arguments.add_argument("--largest", type=int, default=SIZES[-1], help="in bytes")
    asked = arguments.parse_args()

    pipeline = f"bench-{os.getpid()}"
    context = podwire.FastIOContext(pipeline)
    # The source, three copies in shared memory (one of them pooled), and pickle's two.
    room = min(shutil.disk_usage(context.path).free // 3, available() // 6)
    spawn = multiprocessing.get_context("spawn")
    pipe, theirs = spawn.Pipe()
    child = spawn.Process(target=consumer, args=(theirs, pipeline), daemon=True)
    child.start()
    theirs.close()  # so that its death is seen
    publisher = None
    if HAS_ZENOH:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp/127.0.0.1:{free.getsockname()[1]}"
        session = zenoh_session(listen=address)
        import zenoh

        # As podwire sends over it: nothing is dropped.
        publisher = session.declare_publisher("bench/array", congestion_control=zenoh.CongestionControl.BLOCK)
        pipe.send(("listen", address))
        assert pipe.recv() == "listens"
        while not publisher.matching_status.matching:
            time.sleep(0.01)
    names = NAMES + (["zenoh"] if HAS_ZENOH else [])
    print(f"Python {platform.python_version()}, numpy {numpy.__version__}, {os.cpu_count()} processors\n")
    print("Microseconds for one hand-over, the least and the median; x: over `copied`, by medians.\n")
    print("| |" + "".join(f" {name} |" for name in names))
    print("|---|" + "--:|" * len(names))
    try:
        for size in SIZES:
            if size > min(asked.largest, room):
                print(f"| {shown(size)} | skipped: {'not asked for' if size > asked.largest else 'too little memory'} |")
                continue
            ways = Ways(context, pipe, size)
            ways.publisher = publisher
            times = measure(ways, asked.seconds)
            base = statistics.median(times["copied"])
            cells = []
            for name in names:
                least, median = min(times[name]), statistics.median(times[name])
                cells.append(f" {least * 1e6:,.0f} / {median * 1e6:,.0f} ({median / base:.2f}x) |")
            print(f"| {shown(size)} |" + "".join(cells), flush=True)
            context.sweep()
    finally:
        if HAS_ZENOH:
            session.close()
        pipe.send(("end", None))
        child.join(10)
        context.drop_pipeline()


def available() -> int:
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


if __name__ == "__main__":
    main()
