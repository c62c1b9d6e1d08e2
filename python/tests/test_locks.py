"""Who may read and write when, and what becomes of arrays after that."""

import gc
import os
import signal
import threading
import time

import numpy
import podwire
import pytest


@pytest.fixture
def data(context):
    allocation = context.create(64, zeroed=True)
    allocation.publish("data")
    return allocation


def test_a_view_is_writable_in_its_block_and_read_only_afterwards(data):
    with data.map_mut() as view:
        view[:] = 7
    assert not view.flags.writeable
    with pytest.raises(ValueError):
        view[0] = 1
    with data.map(timeout=0) as view:
        assert (view == 7).all()
        with pytest.raises(ValueError):
            view[0] = 1


def test_a_writer_excludes_all_others_and_readers_exclude_writers(context, data):
    other = context.get("data")
    with data.map_mut():
        with pytest.raises(podwire.Timeout), other.map(timeout=0):
            pass
        with pytest.raises(podwire.Timeout):
            other.to_numpy(timeout=0.01)
        with pytest.raises(podwire.Timeout), other.map_mut(timeout=0):
            pass
        with pytest.raises(podwire.Timeout):
            other.seal(timeout=0)
    with data.map(), other.map(timeout=0):
        with pytest.raises(podwire.Timeout), other.map_mut(timeout=0):
            pass
    with other.map_mut(timeout=0):
        pass


def test_an_array_of_unsealed_memory_holds_writers_off_as_long_as_a_part_of_it_lives(data):
    part = data.to_numpy()[3:]
    with pytest.raises(podwire.Timeout), data.map_mut(timeout=0):
        pass
    del part
    with data.map_mut(timeout=0):
        pass


def test_parts_that_could_still_write_keep_the_lock(data):
    with pytest.raises(podwire.ViewInUse, match="1 arrays"):
        with data.map_mut() as view:
            part = view[3:]
    with pytest.raises(podwire.Timeout), data.map(timeout=0):
        pass
    part[:] = 5  # it still has the lock
    del part
    with pytest.raises(podwire.Timeout), data.map(timeout=0):
        pass
    del view
    with data.map(timeout=0) as view:
        assert view[:4].tolist() == [0, 0, 0, 5]


def test_an_array_of_the_view_within_an_object_is_found(data):
    kept = []
    with pytest.raises(podwire.ViewInUse):
        with data.map_mut() as view:
            kept.append(view.reshape(8, 8).T)
            del view
    kept.clear()
    with data.map_mut(timeout=0):
        pass


def test_an_exception_in_the_block_poisons(context, data):
    with pytest.raises(ZeroDivisionError):
        with data.map_mut() as view:
            view[:32] = 1
            raise ZeroDivisionError
    for use in (lambda: data.to_numpy(), lambda: context.get("data").map().__enter__(), lambda: data.seal()):
        with pytest.raises(podwire.Poisoned):
            use()
    assert context.list()[0].poisoned
    assert data.accept_poisoned() and not data.accept_poisoned()
    assert data.to_numpy().sum() == 32


def test_an_exception_while_reading_does_not(data):
    with pytest.raises(ZeroDivisionError):
        with data.map():
            raise ZeroDivisionError
    with data.map_mut(timeout=0):
        pass


def test_sealed_memory_is_never_written_and_needs_no_lock(data):
    data.seal()
    data.seal()
    assert data.sealed
    with pytest.raises(podwire.Sealed), data.map_mut():
        pass
    kept = data.to_numpy()
    with data.map() as view:
        assert not view.flags.writeable
    with pytest.raises(ValueError):
        kept.setflags(write=True)


def test_read_only_memory_cannot_be_made_writable(data):
    array = data.to_numpy()
    for each in (array, array[1:], numpy.asarray(memoryview(data))):
        with pytest.raises(ValueError):
            each.setflags(write=True)
    assert memoryview(data).readonly


def test_a_view_that_was_given_back_cannot_be_made_writable_by_its_base(context, data):
    with data.map_mut() as view:
        pass
    memory = view.base.base
    assert memoryview(memory).readonly
    frame = context.empty_array(4, "u1")
    context.publish_array(frame, "frame")
    for array in (view, view[1:], view.base, frame, frame.base, frame.reshape(2, 2)):
        with pytest.raises(ValueError):
            array.setflags(write=True)


def test_a_map_is_open_once_at_a_time(data):
    for view in (data.map(), data.map_mut()):
        with view:
            with pytest.raises(RuntimeError):
                view.__enter__()
        with view:
            pass


def test_freed_and_released_handles_say_so(context, data):
    found = context.get("data")
    kept = found.to_numpy()
    found.free()
    with pytest.raises(podwire.Freed):
        found.free()
    with pytest.raises(podwire.NotFound):
        context.get("data")
    assert kept.sum() == 0
    with found:
        pass
    for use in (found.to_numpy, found.free, lambda: found.map(), lambda: found.metadata, lambda: len(found)):
        with pytest.raises(podwire.Closed):
            use()
    assert "released" in repr(found)


def test_waiting_lets_other_threads_run_and_is_woken(context, data):
    with data.map_mut() as view:
        seen = []
        reader = threading.Thread(target=lambda: seen.append(int(context.get("data").to_numpy(timeout=30)[0])))
        reader.start()
        view[:] = 9
    reader.join()
    assert seen == [9]
    waiter = threading.Thread(target=lambda: seen.append(context.wait("later", timeout=30).shape))
    waiter.start()
    context.publish_array([1, 2, 3], "later")
    waiter.join()
    assert seen[1:] == [(3,)]


def test_ctrl_c_ends_waiting(context, data):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with data.map_mut():
            for wait in (lambda: context.wait("never"), lambda: data.to_numpy(), lambda: context.watch().next() and time.sleep(60)):
                timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
                timer.start()
                with pytest.raises(KeyboardInterrupt):
                    wait()
                timer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_many_threads_count_without_losing_one(context):
    counter = context.create_array(1, "i8", zeroed=True)
    counter.publish("counter")

    def work():
        handle = context.get("counter")
        for _ in range(200):
            with handle.map_mut() as view:
                view[0] += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert counter.to_numpy()[0] == 800


def test_handles_go_with_their_last_reference(context, data):
    assert context.list()[0].holders == 1
    data.release()
    gc.collect()
    assert context.list()[0].holders == 0
    array = context.get("data").to_numpy()
    assert context.list()[0].holders == 1
    del array
    assert context.list()[0].holders == 0
