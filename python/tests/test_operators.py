"""Operators: in one process, in several, and beside those in Rust."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy
import podwire
import pytest
from applications import Checked, Endless, Sink, Source, Thing, arrays, values
from children import LONG
from test_processes import built
from test_tensors import OnGPU, has_gpu

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"


def one_process(source, sink, name="app"):
    app = podwire.Application([name])
    app.add_operator("source", source)
    app.add_operator("sink", sink)
    app.add_flow("source", "sink", [("out", "in")])
    return app


def test_the_same_object_is_passed_on_within_one_process():
    objects = [object(), Thing(None), [1, "two"], None, *values()]
    sink = Sink()
    source = Source(objects)
    emitted = list(objects)
    report = one_process(source, sink).run()
    assert all(one is two for one, two in zip(emitted, sink.received)) and len(sink.received) == len(objects)
    assert report.ended == "done" and report.operators["sink"].received == len(objects)
    assert report.connections["source.out>sink.in"].transport == "local"


def test_start_compute_and_stop_are_called_in_their_order_on_one_thread():
    calls = []

    class Counted(podwire.Operator):
        def setup(self, spec):
            calls.append("setup")
            spec.count(2)

        def start(self, context):
            calls.append(("start", context.operator, threading.get_ident()))

        def compute(self, input, output, context):
            calls.append(("compute", context.tick, threading.get_ident()))

        def stop(self, context):
            calls.append(("stop", context.fragment, threading.get_ident()))

    app = podwire.Application(["app"])
    app.add_operator("counted", Counted())
    app.run()
    assert [call if isinstance(call, str) else call[:2] for call in calls] == [
        "setup", ("start", "counted"), ("compute", 0), ("compute", 1), ("stop", ""),
    ]  # fmt: skip
    assert len({call[2] for call in calls[1:]}) == 1 and calls[1][2] != threading.get_ident()


def test_an_exception_ends_the_application_with_the_operators_name_and_the_traceback():
    class Bad(podwire.Operator):
        def setup(self, spec):
            spec.count(1)

        def compute(self, input, output, context):
            self.divide()

        def divide(self):
            return 1 / 0

    app = podwire.Application(["app"])
    app.add_operator("bad", Bad())
    with pytest.raises(podwire.OperatorFailed, match="bad failed: ZeroDivisionError") as raised:
        app.run()
    assert "in divide" in str(raised.value) and raised.value.operator == "bad"
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert raised.value.report.operators["bad"].because == "Failed"


def test_all_mistakes_of_a_composition_are_told():
    app = one_process(Source([1], podwire.u8), Sink(podwire.u16))
    app.add_flow("source", "sink", [("uot", "in")])
    with pytest.raises(podwire.CompositionError) as raised:
        app.check()
    assert any("no output" in problem and '"out"' in problem for problem in raised.value.problems)
    assert any("the output is of type u8, the input takes u16" in problem for problem in raised.value.problems)

    class Broken(podwire.Operator):
        def setup(self, spec):
            spec.input("in", "no such codec")

    app = podwire.Application(["app"])
    app.add_operator("broken", Broken())
    with pytest.raises(podwire.CompositionError, match="no codec is called 'no such codec'"):
        app.run()


@pytest.mark.parametrize(
    "type, name",
    [
        ("Vec<f64>", "Vec<f64>"),
        ("std::vector<double>", "Vec<f64>"),
        (podwire.Tensor, "Tensor"),
        (numpy.ndarray, "Tensor"),
        (numpy.float32, "Tensor"),
        (list[podwire.u16], "Vec<u16>"),
        (podwire.Described("Pose", podwire.Schema("struct{x:f32}")), "Pose"),
        ("any", None),
        (any, None),
    ],
)
def test_the_type_of_a_port_is_a_codec_an_array_or_any(type, name):
    found = podwire._operators.port(type)
    assert (found and found.name) == name


def test_the_arguments_are_those_of_this_process_without_an_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog.py", "--worker", "--mine", "x"])
    for argv in (None, [], [sys.executable, "prog.py", "--mine", "x"], ["/usr/bin/python3.12", "prog.py", "--mine", "x"]):
        assert podwire.Application(argv).argv == ["prog.py", "--mine", "x"]
    assert podwire.Application().argv == podwire.Application([]).argv
    app = podwire.Application(["app", "--count", "3", "--loud", "left.png"])
    assert (app.option("--count", "N", "how many", 1), app.flag("--loud", "says more")) == (3, True)
    assert app.option("--rate", "HZ", "how often", 0.5) == 0.5 and app.arguments("FILE", "what") == ["left.png"]


def test_conditions_and_policies_hold():
    class Late(Sink):
        def compute(self, input, output, context):
            assert input.waiting("in") >= 1 and not input.is_closed("in")
            super().compute(input, output, context)

    app = podwire.Application(["app"])
    app.add_operator("source", Endless(), count=5, period=0.001)
    app.add_operator("sink", Late(podwire.u64, capacity=2, when_full="block"))
    app.add_flow("source", "sink", [("out", "in")])
    assert app.run().operators["sink"].received == 5
    with pytest.raises(podwire.CompositionError, match="there are \"block\""):
        one_process(Source([1]), Sink(when_full="no")).check()


def test_what_was_lent_for_a_call_is_closed_afterwards():
    kept = []

    class Keeps(Sink):
        def compute(self, input, output, context):
            super().compute(input, output, context)
            kept.append((input, output, context))

    one_process(Source([1]), Keeps()).run()
    (input, output, context) = kept[0]
    for use in (lambda: input.receive("in"), lambda: output.emit("out", 1), lambda: context.tick):
        with pytest.raises(podwire.Closed):
            use()


def test_unknown_ports_and_empty_inputs_have_errors_of_their_own():
    seen = []

    class Curious(Sink):
        def compute(self, input, output, context):
            super().compute(input, output, context)
            for use in (lambda: input.receive("ni"), lambda: output.emit("out", 1), lambda: input.receive("in")):
                with pytest.raises(podwire.Error) as raised:
                    use()
                seen.append(type(raised.value))
            assert input.try_receive("in", "nothing") == "nothing"

    one_process(Source([1]), Curious()).run()
    assert seen == [podwire.UnknownPort, podwire.UnknownPort, podwire.Empty]


def test_an_application_leaves_no_references_behind():
    objects = [Thing(numpy.zeros(10)) for _ in range(100)]
    gone = [weakref.ref(thing) for thing in objects]
    app = one_process(Source(objects), sink := Sink())
    app.run()
    del app, sink, objects
    gc.collect()
    assert not any(thing() for thing in gone)


def test_a_hundred_applications_leave_no_descriptors_behind():
    def run():
        one_process(Source(values()), Sink()).run()

    run()
    gc.collect()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(100):
        run()
    gc.collect()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Processes:
    """The processes of one application, each with what it printed."""

    def __init__(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.running = []

    def start(self, program, *arguments, **environment):
        command = [*program, "--address", self.address, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env=os.environ | environment, **pipes)
        self.running.append(process)
        return process

    def end(self):
        """Exit code, standard output and standard error of each."""
        return [(process, *process.communicate(timeout=LONG)) for process in self.running]

    def both(self, name, *options, **environment):
        program = [sys.executable, HERE / "applications.py", name]
        self.start(program, "--driver", "--worker", "--fragments", "first", **environment)
        self.start(program, "--worker", "--fragments", "second", *options, **environment)
        ended = self.end()
        return [process.returncode for process, _, _ in ended], [out for _, out, _ in ended], [err for *_, err in ended]


@pytest.fixture
def processes():
    processes = Processes()
    yield processes
    for process in processes.running:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("transport", ["fastio", "zenoh"])
def test_values_arrive_in_another_process_as_what_they_were(processes, transport):
    codes, (_, printed), errors = processes.both("values", PODWIRE_TRANSPORT=transport)
    assert codes == [0, 0], errors
    names = ["ndarray", "ndarray", "Pose", "list", "dict", "str", "int", "float", "bool"]
    assert printed.split() == names


@pytest.mark.parametrize(
    "name, classes",
    [
        ("arrays", ["NativeTensor", "ndarray", "ndarray", "ndarray"]),
        ("tensors", ["NativeTensor", "ndarray", "ndarray", "ndarray"]),
        ("natives", ["NativeTensor"] * 4),
        ("only numpy", ["ndarray"] * 4),
    ],
)
def test_a_tensor_of_podwire_arrives_as_one_and_other_arrays_as_those_of_numpy(processes, name, classes):
    codes, (_, printed), errors = processes.both(name)
    assert codes == [0, 0], errors
    assert printed.splitlines() == [f"{name} 49995000" for name in classes]


def test_a_tensor_is_passed_on_as_itself_within_a_process():
    for type in (None, podwire.Tensor, podwire.NativeTensor, numpy.ndarray):
        sent = [*arrays(), OnGPU()]
        emitted = list(sent)
        one_process(Source(sent, type), sink := Sink(type)).run()
        assert all(one is two for one, two in zip(emitted, sink.received)) and len(sink.received) == len(sent)


def test_what_is_only_called_a_pickle_is_none(processes):
    codes, (_, printed), errors = processes.both("called a pickle")
    assert codes == [0, 0], errors
    assert printed == "received CalledAPickle(number=7)\n"


def test_without_cloudpickle_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(podwire.PickleRefused, match="pip install cloudpickle$"):
        podwire._pickling.dump(object())


def test_nothing_takes_the_name_of_pickles():
    name = podwire._pickling.register()
    for schema in ("u8", podwire.schema_of(podwire._pickling.Pickle).text):
        with pytest.raises(podwire.BadName):
            podwire._podwire.register(name, podwire.Schema(schema))


def test_an_array_of_another_dtype_than_the_port_is_refused_where_it_is_emitted(processes):
    codes, _, errors = processes.both("wrong dtype")
    assert codes == [1, 1] and "port out is for arrays of float64, and this one is of int16" in errors[0]


def test_any_other_object_travels_as_a_pickle_where_the_port_allows_it(processes):
    codes, (_, printed), errors = processes.both("things")
    assert codes == [0, 0], errors
    assert printed.splitlines() == ["Thing 200000", "Thing 3"]


def test_an_object_without_a_codec_does_not_travel_where_nobody_allowed_pickles(processes):
    codes, _, errors = processes.both("things refused")
    assert codes == [1, 1] and "Thing" in errors[0] and "allow_pickle" in errors[0]


def test_pickles_need_the_permission_of_both_sides_and_the_same_python(processes):
    # The input takes any, which is not what the output says of itself at the driver.
    codes, _, errors = processes.both("pickles refused")
    assert codes == [1, 1] and "a pickle came to input in, which does not allow any" in errors[1]


def test_the_version_of_python_is_compared_at_joining(processes):
    program = [sys.executable, HERE / "applications.py", "things"]
    driver = processes.start(program, "--driver", "--worker", "--fragments", "first")
    other = processes.start(program, "--worker", "--fragments", "second", "--other-python")
    _, told = other.communicate(timeout=LONG)
    assert other.returncode == 1 and "Python pickle 2.7" in told and "at this worker" in told
    driver.send_signal(signal.SIGTERM)
    driver.communicate(timeout=LONG)
    assert driver.returncode == 143


def test_an_exception_in_one_process_ends_all_and_names_the_operator(processes):
    codes, (_, printed), errors = processes.both("failing", "--raise")
    assert codes == [1, 0]
    assert "operator second.sink" in errors[0] and "KeyError: 'no such key'" in errors[0] and "in compute" in errors[0]
    assert printed == "second.sink KeyError('no such key') True\n"


def test_ctrl_c_ends_all_processes_in_order(processes):
    program = [sys.executable, HERE / "applications.py", "endless"]
    processes.start(program, "--driver", "--worker", "--fragments", "first")
    worker = processes.start(program, "--worker", "--fragments", "second")
    assert worker.stdout.readline() == "received 0\n"
    worker.send_signal(signal.SIGINT)
    ended = processes.end()
    assert [process.returncode for process, _, _ in ended] == [130, 130], ended


INTERRUPTED = """
import os, signal, podwire

# Who starts this in the background has the signal ignored; Python then leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupts(podwire.Operator):
    def compute(self, input, output, context):
        if context.tick == 0:
            os.kill(os.getpid(), signal.SIGINT)

    def stop(self, context):
        print("stopped", context.is_stopping)

app = podwire.Application(["app"])
app.add_operator("interrupts", Interrupts())
try:
    app.run()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_in_one_process_raises_keyboard_interrupt_after_the_end():
    # In a process of its own: Python's handlers are those of a process, and here others have run applications before.
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=LONG)
    assert (ran.returncode, ran.stdout) == (0, "stopped True\ninterrupted\n"), ran.stderr


def test_a_process_that_is_killed_is_named_and_the_others_end(processes):
    codes, _, errors = processes.both("killed")
    assert codes == [1, -signal.SIGKILL]
    assert "is lost, and with it fragment second" in errors[0]


@pytest.mark.parametrize("sender, receiver", [("python", "rust"), ("rust", "python"), ("python", "python")])
def test_ping_distributed_runs_in_two_processes_in_either_language(processes, sender, receiver):
    programs = {"python": [sys.executable, EXAMPLES / "ping_distributed.py"], "rust": [built("examples/ping_distributed")]}
    options = ["--count", "20", "--rows", "100", "--data-type", "f32"]
    processes.start(programs[sender], "--driver", "--worker", "--fragments", "fragment1", *options)
    processes.start(programs[receiver], "--worker", "--fragments", "fragment2", *options)
    ended = processes.end()
    assert [process.returncode for process, _, _ in ended] == [0, 0], ended
    assert ended[1][1].startswith("20 messages, each f")


def test_ping_distributed_runs_alone():
    command = [sys.executable, EXAMPLES / "ping_distributed.py", "--count", "5", "--batch=2", "--data-type", "u8"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("5 messages, each uint8 [2, 64, 64], 40960 bytes in")


def test_ping_distributed_parses_its_own_options():
    command = [sys.executable, EXAMPLES / "ping_distributed.py"]
    gpu = subprocess.run([*command, "--gpu"], capture_output=True, text=True, timeout=LONG)
    if has_gpu():
        assert gpu.returncode == 0 and "on a GPU" in gpu.stdout, gpu.stderr
    else:
        assert gpu.returncode == 1 and "GPU" in gpu.stderr and "CUDA" in gpu.stderr
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=LONG)
    assert shown.returncode == 0 and "--gpu" in shown.stdout and "--driver" in shown.stdout


def test_the_main_job_loads_and_reports_in_python_and_segments_in_rust(processes, tmp_path):
    processes.start([built("examples/volume_fragments")], "--driver", "--worker", "--fragments", "segment")
    mixed = [sys.executable, EXAMPLES / "volume_fragments.py"]
    processes.start(mixed, "--worker", "--out", str(tmp_path / "python.png"))
    ended = processes.end()
    assert [process.returncode for process, _, _ in ended] == [0, 0], ended

    # What Rust finds alone, of loading to reporting.
    options = ["--out", str(tmp_path / "rust.png")]
    alone = subprocess.run([built("examples/volume_fragments"), *options], capture_output=True, text=True, timeout=LONG)
    assert alone.returncode == 0, alone.stderr
    found = [line for line in alone.stdout.splitlines() if line.startswith("volume ")]
    assert len(found) == 2 and "voxels" in found[0] and "ml" in found[0]
    assert [line for line in ended[1][1].splitlines() if line.startswith("volume ")] == found
    assert f"drew {tmp_path / 'python.png'}" in ended[1][1]
    assert (tmp_path / "python.png").read_bytes().startswith(b"\x89PNG")


def test_a_fragment_of_another_program_does_not_run_alone():
    app = podwire.Application(["app"])
    here = podwire.Fragment("here")
    here.add_operator("sink", Sink(podwire.u64))
    there = podwire.Fragment("there", elsewhere=True)
    there.declare("source", outputs={"out": podwire.u64})
    app.add_fragment(here)
    app.add_fragment(there)
    app.add_flow(there, here, [("source.out", "sink.in")])
    assert app.check() == ["there.source.out>here.sink.in"]
    with pytest.raises(podwire.Error, match="there runs in another program"):
        app.run()


def test_codecs_of_python_agree_with_those_of_rust():
    from podwire.holoviz import InputSpec

    text = podwire.schema_of(list[InputSpec]).text
    assert text.startswith("[struct{name:text,kind:enum8{Unknown=0{},Color=1{},")
    assert text.endswith("height:f32,matrix:?[[f32;4];4]}]}]")
    assert Checked  # the values of both processes are compared there
