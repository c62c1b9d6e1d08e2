"""Channels: what goes through, who waits for whom, and what becomes of the one end when the other is closed or killed."""

import signal
import threading
import time
from dataclasses import dataclass

import children
import numpy
import numpy.typing as npt
import podwire
import pytest
from children import LONG, Child


@podwire.codec(name="tests.Shot")
@dataclass
class Shot:
    number: podwire.u32
    pixels: podwire.Bulk[npt.NDArray[numpy.uint16]]


@pytest.fixture
def ends(context):
    with context.sender("frames") as sender, context.receiver("frames") as receiver:
        yield sender, receiver


def test_bytes_arrays_values_and_allocations_arrive_as_what_they_were(context, ends):
    sender, receiver = ends
    large = bytes(range(256)) * 10_000
    for message in (b"", b"short", large, bytearray(b"array"), memoryview(b"view")):
        sender.send(message)
        assert receiver.receive(LONG) == bytes(message)
    for array in (numpy.arange(6, dtype="f4").reshape(2, 3), numpy.arange(100_000, dtype="i8"), numpy.float32(1.5)):
        sender.send(numpy.asarray(array))
        found = receiver.receive(LONG)
        assert found.dtype == array.dtype and found.shape == array.shape and (found == array).all()
        assert not found.flags.writeable
    for number in (3, 100_000):
        sender.send(Shot(number, numpy.arange(number, dtype="u2")))
        shot = receiver.receive(LONG)
        assert (shot.number, len(shot.pixels), shot.pixels[2]) == (number, number, 2)
    sender.send({"a": [1, 2]}, dict[str, list[podwire.u8]])
    assert receiver.receive(LONG)["a"].tolist() == [1, 2]
    allocation = context.create_array((4, 5), "f8", zeroed=True)
    sender.send(allocation)
    found = receiver.receive(LONG)
    assert found.id == allocation.id and found.shape == (4, 5)
    with found.map_mut(timeout=1) as view:  # nobody else has it mapped
        view[:] = 7
    assert allocation.to_numpy()[3, 4] == 7


def test_an_array_of_the_pipeline_goes_by_reference(context, ends):
    sender, receiver = ends
    frame = context.empty_array((1000, 1000), "u1")
    frame[:] = 3
    before = context.stats()["bytes"]
    sender.send(frame)
    assert not frame.flags.writeable
    found = receiver.receive(LONG)
    assert sender.copied_bytes == 0 and found[999, 999] == 3
    assert context.stats()["bytes"] - before < 100_000  # the envelope
    assert found.__array_interface__["data"][0] == frame.__array_interface__["data"][0]
    sender.send(Shot(1, podwire.seal(context.empty_array(500_000, "u2"))))
    assert len(receiver.receive(LONG).pixels) == 500_000 and sender.copied_bytes == 0
    sender.send(numpy.zeros(1_000_000, "u1"))
    receiver.receive(LONG)
    assert sender.copied_bytes >= 1_000_000


def test_what_was_received_lives_on_when_channel_and_sender_are_gone(context):
    sender = context.sender("frames")
    sender.send(numpy.arange(100_000))
    sender.close()
    receiver = context.receiver("frames")
    array = receiver.receive(LONG)[10:20]
    receiver.close()
    assert context.channels() == [] and array.tolist() == list(range(10, 20))


def test_metadata_travels_with_values(ends):
    sender, receiver = ends
    sender.send(numpy.zeros(3), metadata={"unit": b"mm"})
    value, metadata = receiver.receive_with_metadata(LONG)
    assert value.shape == (3,) and metadata == {"unit": b"mm"}
    with pytest.raises(ValueError, match="travels with values"):
        sender.send(b"bytes", metadata={"unit": b"mm"})


def test_a_full_channel_makes_wait_or_refuses(context):
    sender = context.sender("few", capacity=2)
    sender.send(b"1")
    sender.send(b"2")
    assert (sender.waiting, sender.capacity, sender.sent) == (2, 2, 2)
    with pytest.raises(podwire.Full):
        sender.try_send(b"3")
    with pytest.raises(podwire.Timeout):
        sender.send(b"3", timeout=0.05)
    with pytest.raises(podwire.EndTaken):
        context.sender("few", capacity=2)
    sender.close()
    refusing = context.sender("few", capacity=2, when_full="refuse")
    with pytest.raises(podwire.Full):
        refusing.send(b"3")
    receiver = context.receiver("few", capacity=2)
    assert [receiver.receive(LONG), receiver.try_receive(), receiver.try_receive("none")] == [b"1", b"2", "none"]
    with pytest.raises(podwire.Timeout):
        receiver.receive(0.05)


def test_an_end_that_is_closed_ends_the_other_in_order(context):
    sender, receiver = context.sender("words"), context.receiver("words")
    for word in (b"one", b"two"):
        sender.send(word)
    assert (receiver.peer, sender.peer, receiver.waiting) == ("attached", "attached", 2)
    sender.close()
    sender.close()
    with pytest.raises(podwire.Closed):
        sender.send(b"three")
    assert list(receiver) == [b"one", b"two"]
    assert receiver.peer == "closed"
    with pytest.raises(podwire.Closed):
        receiver.receive(LONG)
    again = context.sender("words")
    again.send(b"three")
    assert receiver.receive(LONG) == b"three" and receiver.number == 2
    receiver.settle()
    assert receiver.number is None and (again.sent, again.received, again.settled) == (3, 3, 3)
    receiver.close()
    with pytest.raises(podwire.Closed):
        again.send(b"four")


def test_mistakes_have_errors_of_their_own(context, ends):
    sender, receiver = ends
    for options, error in (
        ({"capacity": 0}, podwire.BadChannel),
        ({"inline": 1 << 20}, podwire.BadChannel),
        ({"capacity": 17}, podwire.ChannelDiffers),
        ({"wait": "walk"}, ValueError),
        ({"when_full": "drop"}, ValueError),
    ):
        with pytest.raises(error):
            context.sender("frames", **options)
    with pytest.raises(podwire.BadName):
        context.sender("")
    for message in (object(), [1], {"a": 1}, 7):
        with pytest.raises(podwire.EncodeError):
            sender.send(message)
    with pytest.raises(podwire.EncodeError, match="number"):
        sender.send(Shot("one", numpy.zeros(1, "u2")))
    with podwire.FastIOContext(f"{context.path.name}-other", ephemeral=True) as other, pytest.raises(podwire.OtherPipeline):
        sender.send(other.create(10))
    assert sender.sent == 0
    sender.send(b"bytes")
    with pytest.raises(podwire.WrongType, match="no value"):
        receiver.receive(LONG, Shot)
    sender.send([1], list[podwire.u8])
    with pytest.raises(podwire.SchemaMismatch):
        receiver.receive(LONG, list[podwire.u16])
    with pytest.raises(podwire.EndTaken):
        context.remove_channel("frames")
    assert not context.remove_channel("no such channel")


def test_channels_are_listed_and_taken_away_with_what_waits(context):
    context.sender("left", capacity=3).send(b"message")
    with context.receiver("right", inline=64):
        left, right = context.channels()
        assert (left.name, left.capacity, left.waiting, left.sender, left.receiver) == ("left", 3, 1, "closed", "absent")
        assert (right.name, right.receiver) == ("right", "attached") and right.inline >= 64
    assert context.remove_channel("left")
    assert context.channels() == []


def test_one_thread_waits_for_several_channels_and_keeps_none_waiting(context):
    names = ["left", "middle", "right"]
    senders = [context.sender(name) for name in names]
    receivers = [context.receiver(name) for name in names]
    with pytest.raises(podwire.Timeout):
        podwire.wait_for_any(receivers, 0.01)
    for sender in senders:
        sender.send(b"a")
        sender.send(b"b")
    seen, after = [], 0
    for _ in range(6):
        after = podwire.wait_for_any(receivers, LONG, after=after)
        receivers[after].receive(0)
        seen.append(after)
    assert seen == [1, 2, 0, 1, 2, 0]
    senders[2].close()
    assert podwire.wait_for_any(receivers, LONG) == 2  # there is no sender any more
    with pytest.raises(podwire.Busy):
        podwire.wait_for_any([receivers[0], receivers[0]], 0)
    with pytest.raises(podwire.Timeout):
        podwire.wait_for_any([], 0.01)


def test_others_run_while_an_end_waits(context):
    sender, receiver = context.sender("late"), context.receiver("late")
    got = []
    waits = threading.Thread(target=lambda: got.append(receiver.receive(LONG)))
    waits.start()
    assert receiver.waiting == 0  # asked of an end on which another thread waits
    sender.send(b"at last")
    waits.join(LONG)
    assert got == [b"at last"]
    waits = threading.Thread(target=lambda: got.append(list(receiver)))
    waits.start()
    receiver.close()
    waits.join(LONG)
    assert got[1:] == [[]]


def test_ctrl_c_ends_waiting(context):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    receiver = context.receiver("never")
    interrupt = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            receiver.receive()
    finally:
        signal.signal(signal.SIGINT, before)
    assert receiver.try_receive() is None


def test_arrays_go_to_another_process_and_back(context, pipeline):
    child = Child(children.echo, pipeline)
    sender, receiver = context.sender("to"), context.receiver("back")
    assert child.hears() == "ready"
    frame = context.empty_array((500, 500), "u2")
    frame[:] = 5
    sender.send(frame)
    back = receiver.receive(LONG)
    # The same memory: nobody has copied it on the way.
    assert back.__array_interface__["data"][0] == frame.__array_interface__["data"][0]
    for message in (b"bytes", numpy.arange(10)):
        sender.send(message)
        assert numpy.array_equal(receiver.receive(LONG), message)
    sender.close()
    with pytest.raises(podwire.Closed):
        receiver.receive(LONG)
    child.end()


def test_what_a_killed_sender_had_sent_is_received_and_then_its_death_is_told(context, pipeline):
    receiver = context.receiver("frames")
    child = Child(children.send, pipeline, "frames", 3)
    assert child.hears() == 3
    child.kill()
    assert [int(receiver.receive(LONG)[0]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(podwire.PeerDied) as raised:
        receiver.receive(LONG)
    assert isinstance(raised.value, ConnectionError) and receiver.peer == "died"
    with pytest.raises(podwire.PeerDied):
        next(receiver)  # no end in order
    with context.sender("frames") as sender:  # another one goes on
        sender.send(b"again")
        assert receiver.receive(LONG) == b"again" and receiver.number == 3


def test_the_death_of_a_receiver_is_told_to_a_sender_that_waits(context, pipeline):
    sender = context.sender("frames")
    child = Child(children.receive, pipeline, "frames", 2)
    for number in range(3):
        sender.send(numpy.full(100_000, number, "i4"))
    assert child.hears() == [0, 1]
    child.kill()
    with pytest.raises(podwire.PeerDied):
        for _ in range(20):  # it fills, or the death is seen at once
            sender.send(b"more", timeout=LONG)
    assert sender.peer == "died"
    # Of two that were taken one was settled, by taking the second.
    assert (sender.received, sender.settled) == (2, 1)
    sender.close()
    receiver = context.receiver("frames")
    assert receiver.receive(LONG)[0] == 2


def test_a_process_that_is_killed_while_its_partner_sleeps_is_noticed(context, pipeline):
    receiver = context.receiver("frames")
    child = Child(children.send, pipeline, "frames", 1)
    child.hears()
    receiver.receive(LONG)
    killer = threading.Timer(0.2, child.kill)
    killer.start()
    with pytest.raises(podwire.PeerDied):
        receiver.receive()  # no timeout
    killer.join(LONG)


def test_what_waits_for_a_killed_receiver_is_given_back_with_the_channel(context, pipeline):
    child = Child(children.receive, pipeline, "frames", 1)
    sender = context.sender("frames")
    for _ in range(5):
        sender.send(numpy.zeros(1 << 20, "u1"))
    child.hears()
    child.kill()
    sender.close()
    deadline = time.monotonic() + LONG
    while context.channels() and time.monotonic() < deadline:
        try:
            context.remove_channel("frames")
        except podwire.EndTaken:
            time.sleep(0.01)
    context.sweep()
    stats = context.stats()
    assert (stats["channels"], stats["private"], stats["published"], stats["bytes"]) == (0, 0, 0, 0)
