"""A hop between operators of two processes: messages and bytes in a second, beside pickle over a pipe, in one run.

Two processes for each measurement: one operator emits arrays, the other receives them and looks at their ends. `fastio` copies
each array once into shared memory, `in place` makes it there, `zenoh` sends it over a socket, and `pipe` is
`multiprocessing.Pipe`. The ways take turns; the best and the median of the rounds are shown.
"""

import argparse
import json
import multiprocessing
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy
import podwire

SIZES = [8, 1 << 10, 1 << 20, 64 << 20]
WAYS = ["fastio", "in place", "zenoh", "pipe"]


class Source(podwire.Operator):
    def __init__(self, size: int, count: int, in_place: bool) -> None:
        self.size, self.count, self.in_place = size, count, in_place

    def setup(self, spec: podwire.OperatorSpec) -> None:
        spec.output("out", podwire.Tensor)
        spec.count(self.count)

    def start(self, context: podwire.Context) -> None:
        self.memory = context.fast_io()
        self.array = numpy.arange(self.size, dtype="u1")

    def compute(self, input: podwire.Input, output: podwire.Output, context: podwire.Context) -> None:
        array = self.array
        if self.in_place:
            array = self.memory.empty_array(self.size, "u1")
            array[0] = array[-1] = context.tick & 0x7F  # a camera writes the rest
            array = podwire.seal(array)
        output.emit("out", array)


class Sink(podwire.Operator):
    """Measures from the first message that it received to the last."""

    def __init__(self, count: int) -> None:
        self.count = count

    def setup(self, spec: podwire.OperatorSpec) -> None:
        spec.input("in", podwire.Tensor, capacity=4)

    def compute(self, input: podwire.Input, output: podwire.Output, context: podwire.Context) -> None:
        array = input.receive("in")
        int(array[0]) + int(array[-1])
        now = time.perf_counter()
        if context.tick == 0:
            self.first = now
        elif context.tick == self.count - 1:
            print(json.dumps((self.count - 1) / (now - self.first)), flush=True)


def application() -> int:
    app = podwire.Application()
    size, count, in_place = (int(argument) for argument in app.argv[2:])
    first = podwire.Fragment("first")
    first.add_operator("source", Source(size, count, bool(in_place)))
    second = podwire.Fragment("second")
    second.add_operator("sink", Sink(count))
    app.add_fragment(first)
    app.add_fragment(second)
    app.add_flow(first, second, [("source.out", "sink.in")])
    return app.main()


def hop(size: int, count: int, way: str) -> float:
    """Messages in a second."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, __file__, "application", str(size), str(count), str(int(way == "in place"))]
    environment = os.environ | {"PODWIRE_TRANSPORT": "zenoh" if way == "zenoh" else "fastio"}
    driver = subprocess.Popen(
        [*command, "--driver", "--worker", "--fragments", "first", "--address", address],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    worker = subprocess.run(
        [*command, "--worker", "--fragments", "second", "--address", address],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert driver.wait(60) == 0 and worker.returncode == 0, worker.stderr
    return float(json.loads(worker.stdout))


def send(pipe: Any, size: int, count: int) -> None:
    array = numpy.arange(size, dtype="u1")
    for _ in range(count):
        pipe.send(array)


def piped(size: int, count: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    sender = spawn.Process(target=send, args=(theirs, size, count))
    sender.start()
    ours.recv()
    begin = time.perf_counter()
    for _ in range(count - 1):
        array = ours.recv()
        int(array[0]) + int(array[-1])
    rate = (count - 1) / (time.perf_counter() - begin)
    sender.join()
    return rate


def shown(size: int) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--largest", type=int, default=SIZES[-1], help="in bytes")
    arguments.add_argument("--messages", type=int, default=20_000, help="of the smallest size; fewer of larger ones")
    asked = arguments.parse_args()
    print(f"Python {platform.python_version()}, numpy {numpy.__version__}, {os.cpu_count()} processors\n")
    print("Messages in a second, the best and the median, and megabytes in a second at the best.\n")
    print("| |" + "".join(f" {way} |" for way in WAYS))
    print("|---|" + "--:|" * len(WAYS))
    for size in (size for size in SIZES if size <= asked.largest):
        count = max(min(asked.messages, (4 << 30) // size), 20)
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(asked.rounds):
            for way in WAYS:
                rates[way].append(piped(size, count) if way == "pipe" else hop(size, count, way))
        cells = []
        for way in WAYS:
            best, median = max(rates[way]), statistics.median(rates[way])
            cells.append(f" {best:,.0f} / {median:,.0f} ({best * size / 1e6:,.1f} MB/s) |")
        print(f"| {shown(size)} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    sys.exit(application() if sys.argv[1:2] == ["application"] else main())
