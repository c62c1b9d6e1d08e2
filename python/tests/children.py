"""What other processes do in the tests: functions that can be started by name, and the processes themselves."""

import multiprocessing
import os
import signal
import sys
import time

import numpy
import podwire

spawn = multiprocessing.get_context("spawn")
LONG = 60


class Child:
    """A process that runs a function of this module and says how far it is."""

    def __init__(self, function, *arguments):
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=function, args=(theirs, *arguments), daemon=True)
        self.process.start()
        theirs.close()

    def hears(self):
        assert self.pipe.poll(LONG), "the child says nothing"
        return self.pipe.recv()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(LONG)
        self.pipe.close()

    def end(self):
        self.pipe.send("end")
        self.process.join(LONG)
        self.pipe.close()
        assert self.process.exitcode == 0


def publish(pipe, pipeline, count, how):
    context = podwire.FastIOContext(pipeline)
    if how == "in place":
        array = context.empty_array(count, "i8")
        array[:] = numpy.arange(count)
    else:
        array = numpy.arange(count)
    context.publish_array(array, "array", seal=how == "sealed")
    pipe.send(array.__array_interface__["data"][0])
    pipe.recv()


def consume(pipe, pipeline):
    context = podwire.FastIOContext(pipeline)
    array = context.wait("array", LONG).to_numpy()
    pipe.send((int(array.sum()), array.flags.writeable))
    pipe.recv()


def write(pipe, pipeline):
    with podwire.FastIOContext(pipeline).get("data").map_mut() as view:
        view[:] = 1
        pipe.send("writing")
        time.sleep(LONG)


def fill(pipe, pipeline):
    array = podwire.FastIOContext(pipeline).empty_array(1 << 20, "u1")
    array[:] = 1
    pipe.send("filling")
    time.sleep(LONG)


def read(pipe, pipeline):
    array = podwire.FastIOContext(pipeline).get("data").to_numpy()
    pipe.send(int(array[0]))
    time.sleep(LONG)


def hold_part(pipe, pipeline):
    part = podwire.FastIOContext(pipeline).get_value("scan")["pixels"][10:20]
    pipe.send(part.tolist())
    pipe.recv()
    pipe.send(part.tolist())


def forked(pipe, context, allocation, array):
    """Runs in a forked child, with what it inherited."""

    def refused(use):
        try:
            use()
        except podwire.Forked:
            return True
        return False

    own = podwire.FastIOContext(os.path.basename(context.path))
    pipe.send(
        [
            refused(lambda: context.get("data")),
            refused(lambda: context.create(1)),
            refused(allocation.to_numpy),
            refused(allocation.free),
            refused(lambda: allocation.map().__enter__()),
            refused(lambda: allocation.map_mut().__enter__()),
            own.get("data").to_numpy().tolist() == array.tolist(),
        ]
    )
    del array, allocation, context, own
    pipe.recv()
    sys.exit(0)


def send(pipe, pipeline, name, count):
    sender = podwire.FastIOContext(pipeline).sender(name)
    for number in range(count):
        sender.send(numpy.full(100_000, number, "i4"))
    pipe.send(sender.sent)
    pipe.recv()


def receive(pipe, pipeline, name, count):
    """Takes some messages, and keeps the last."""
    receiver = podwire.FastIOContext(pipeline).receiver(name)
    kept = [receiver.receive(LONG) for _ in range(count)]
    pipe.send([int(array[-1]) for array in kept])
    pipe.recv()


def echo(pipe, pipeline):
    context = podwire.FastIOContext(pipeline)
    with context.receiver("to") as receiver, context.sender("back") as sender:
        pipe.send("ready")
        for message in receiver:
            sender.send(message)
    pipe.recv()
