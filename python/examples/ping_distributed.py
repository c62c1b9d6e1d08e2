"""How do I run one application in several processes, in Python, or partly in Rust?

Two fragments, as in Rust's example of this name: `ping` sends arrays, `pong` receives them and says how long they took.

    python python/examples/ping_distributed.py --count 100 --rows 512 --columns 512 --data-type f32

In two processes, of which either can be the Rust one, started in any order:

    python python/examples/ping_distributed.py --driver --worker --fragments fragment1 &
    cargo run --features distributed --example ping_distributed -- --worker --fragments fragment2
"""

import argparse
import statistics
import sys
import time

import numpy
import podwire

NAMES = {"u8": "u1", "u16": "u2", "u32": "u4", "u64": "u8", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "f16": "f2", "f32": "f4", "f64": "f8"}


class Ping(podwire.Operator):
    """Sends arrays."""

    def __init__(self, options):
        self.options = options

    def setup(self, spec):
        spec.output("out", podwire.Tensor)
        spec.count(self.options.count)
        self.gpu = podwire.Device(0) if self.options.gpu else None

    def start(self, context):
        self.memory = context.fast_io()

    def array(self):
        options = self.options
        shape, dtype = (options.batch, options.rows, options.columns), NAMES[options.data_type]
        if self.gpu is not None:
            return self.gpu.zeros(self.memory, shape, dtype)  # or CuPy's, PyTorch's, ..: copied once, on the GPU
        array = self.memory.empty_array(shape, dtype)
        array.fill(0)  # a camera would write here
        return podwire.seal(array)

    def compute(self, input, output, context):
        array = self.array()
        sent = podwire.dumps(time.monotonic_ns(), podwire.u64, schema=False, checksum=False)
        output.emit("out", array, {"sent": sent})  # nothing is copied


class Pong(podwire.Operator):
    """Receives arrays and measures."""

    def __init__(self, options):
        self.options = options
        self.took, self.bytes, self.what = [], 0, ""

    def setup(self, spec):
        spec.input("in", podwire.NativeTensor)
        if self.options.gpu:
            podwire.Device(0)  # from here on, arrays on a GPU can come in from other processes

    def compute(self, input, output, context):
        array, metadata = input.receive_with_metadata("in")
        now = time.monotonic_ns()
        sent = podwire.loads(metadata["sent"])
        if not self.took:
            self.first, self.what = sent, f"{array.dtype} {list(array.shape)}{' on a GPU' if getattr(array, 'is_on_gpu', False) else ''}"
        self.last = now
        self.took.append(now - sent)
        self.bytes += array.nbytes

    def stop(self, context):
        if not self.took:
            print("no messages")
            return
        seconds = max((self.last - self.first) / 1e9, 1e-9)
        print(f"{len(self.took)} messages, each {self.what}, {self.bytes} bytes in {seconds * 1e3:.1f} ms")
        print(f"{len(self.took) / seconds:.0f} messages/s, {self.bytes / 1e6 / seconds:.1f} MB/s")
        # The clocks of two hosts differ: then only the rates mean something.
        print(f"on the way: {statistics.median(self.took) / 1e3:.1f} us (median), {max(self.took) / 1e3:.1f} us (longest)")


def main():
    app = podwire.Application()  # of sys.argv
    app.about("Sends arrays from one fragment to another, and says how long they took.")
    parser = argparse.ArgumentParser(prog=app.argv[0], add_help=False)
    parser.add_argument("--count", type=int, default=10, help="how many messages")
    parser.add_argument("--batch", type=int, default=1, help="matrices in a message")
    parser.add_argument("--rows", type=int, default=64, help="rows of a matrix")
    parser.add_argument("--columns", type=int, default=64, help="columns of a matrix")
    parser.add_argument("--data-type", choices=NAMES, default="f64", help="type of an element")
    parser.add_argument("--gpu", action="store_true", help="in the memory of a GPU")
    app.help_text(parser.format_help())
    options = parser.parse_args(app.argv[1:])

    sender = podwire.Fragment("fragment1")
    sender.add_operator("ping", Ping(options))
    receiver = podwire.Fragment("fragment2")
    receiver.add_operator("pong", Pong(options))
    app.add_fragment(sender)
    app.add_fragment(receiver)
    app.add_flow(sender, receiver, [("ping.out", "pong.in")])
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
