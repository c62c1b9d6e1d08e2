"""Hostile bytes: whatever is decoded, the answer is a value or a `podwire.Error`, and the process lives on."""

import random
import resource

import numpy
import podwire
import pytest
from test_golden import VALUES

SEED = 20_261_122
SCHEMAS = [
    "struct{next:?*^0}",
    "enum8{Leaf=0{value:u8},Fork=1{left:*^0,right:*^0}}",
    "{[u8]:[{text:?bool}]}",
    "[struct{a:u8,b:[char;2],c:enum16{X=7{},Y=300{z:bulk[u128]}}}]",
    "[[struct{re:f32,im:f32};3]]",
    "[struct{}]",
    "[[u8;0]]",
    "pod(7)",
]


def answers(use):
    """A value, or an error of podwire's."""
    try:
        return use()
    except podwire.Error:
        return None


def flipped(random, data):
    """The same with some bits, bytes, lengths or ends changed."""
    data = bytearray(data)
    for _ in range(random.randint(1, 4)):
        if not data:
            break
        at = random.randrange(len(data))
        match random.randrange(5):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data[at] = random.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                data[at : at + 8] = random.choice([b"\xff" * 8, b"\xff\xff\xff\x7f", b"\0" * 4])
            case 3:
                del data[at:]
            case 4:
                data[at:at] = random.randbytes(random.randint(1, 9))
    return bytes(data)


@pytest.fixture
def bounded():
    """A limit on memory: what is believed without being backed would be over it."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", VALUES)
def test_changed_bytes_of_a_value_give_a_value_or_an_error(bounded, name):
    chance = random.Random(f"{SEED} {name}")
    kind, value = VALUES[name]
    data, schema = podwire.encode(value, kind), podwire.schema_of(kind)
    good = 0
    for _ in range(1000):
        changed = flipped(chance, data)
        good += answers(lambda: podwire.decode(changed, kind)) is not None
        native = answers(lambda: podwire.decode(changed, schema))
        if native is not None:
            repr(native)
    assert good > 0
    for length in range(len(data)):
        with pytest.raises(podwire.DecodeError):
            podwire.decode(data[:length], kind)


def test_changed_messages_give_a_value_or_an_error(bounded):
    chance = random.Random(SEED)
    messages = [podwire.dumps(value, kind, checksum=False) for kind, value in VALUES.values()]
    for _ in range(3000):
        changed = flipped(chance, chance.choice(messages))
        found = answers(lambda: podwire.loads(changed, chance.choice([None, dict])))
        repr(found)


def test_random_bytes_give_a_value_or_an_error(bounded):
    chance = random.Random(SEED)
    schemas = [podwire.schema_of(kind) for kind, _ in VALUES.values()]
    schemas += [podwire.Schema(text) for text in SCHEMAS]
    for _ in range(3000):
        data = chance.randbytes(chance.randint(0, 64))
        if chance.random() < 0.5:
            data = bytes(chance.choice([0, 1, 2, 255]) for _ in data)
        for schema in chance.sample(schemas, 3):
            repr(answers(lambda: podwire.decode(data, schema)))
        answers(lambda: podwire.loads(b"PODW\1" + data))


def test_random_schemas_are_read_or_refused(bounded):
    chance = random.Random(SEED)
    texts = [podwire.schema_of(kind).text for kind, _ in VALUES.values()]
    for _ in range(2000):
        text = flipped(chance, chance.choice(texts).encode()).decode("utf-8", "replace")
        try:
            schema = podwire.Schema(text)
        except ValueError:
            continue
        answers(lambda: podwire.decode(chance.randbytes(64), schema))


def test_lengths_that_nothing_backs_take_no_memory(bounded):
    huge = b"\xff\xff\xff\xff" + (1 << 40).to_bytes(8, "little")
    for text in ("[u8]", "[[u8]]", "[struct{}]", "[[u64;0]]", "text", "{text:u8}", "[struct{a:[u8;1000],b:text}]"):
        with pytest.raises(podwire.DecodeError):
            podwire.decode(huge, podwire.Schema(text))
    with pytest.raises(podwire.DecodeError):
        podwire.decode(b"\0" + b"\xff" * 8, podwire.Schema("bulk[u8]"))
    with pytest.raises(podwire.DecodeError):
        podwire.decode(b"\1" + b"\1" + bytes(7) + bytes(4), podwire.Schema("bulk[u8]"))


def test_depth_is_limited():
    text = "struct{next:?*^0}"
    with pytest.raises(podwire.DecodeError):
        podwire.decode(b"\1" * 100_000 + b"\0", podwire.Schema(text))
    with pytest.raises(ValueError):
        podwire.Schema("?" * 1000 + "u8")


def test_a_tensor_that_lies_is_refused():
    good = podwire.encode(VALUES["tensor"][1], podwire.Tensor)
    assert good[0] == 2
    for at, byte in ((0, 0), (0, 99), (0, 14), (1, 7), (7, 33), (11, 1), (15, 3), (22, 0xFF), (31, 2), (31, 1), (32, 7)):
        changed = good[:at] + bytes([byte]) + good[at + 1 :]
        with pytest.raises(podwire.DecodeError):
            podwire.decode(changed, podwire.Tensor)
    boolean = bytes([15]) + good[1:]
    boolean = boolean.replace((2).to_bytes(8, "little") * 2, (2).to_bytes(8, "little") + (4).to_bytes(8, "little"))
    with pytest.raises(podwire.DecodeError, match="bool"):
        podwire.decode(boolean, podwire.Tensor)


def test_strides_of_a_tensor_stay_within_its_memory():
    def tensor(shape, strides, memory):
        row = lambda items, signed: b"".join(item.to_bytes(8, "little", signed=signed) for item in items)  # noqa: E731
        head = bytes([1]) + b"\1\0" + bytes(4) + len(shape).to_bytes(4, "little") + len(strides).to_bytes(4, "little")
        return head + row(shape, False) + row(strides, True) + b"\0" + len(memory).to_bytes(8, "little") + memory

    assert podwire.decode(tensor([3], [-2], bytes(range(5))), podwire.Tensor).tolist() == [4, 2, 0]
    for shape, strides in (([3], [3]), ([3], [-3]), ([2, 2], [4, 1]), ([2**63], [1]), ([3], [-(2**63)]), ([2**40] * 2, [0, 0])):
        with pytest.raises(podwire.DecodeError):
            podwire.decode(tensor(shape, strides, bytes(5)), podwire.Tensor)



def rewritten(path, before, after):
    """Changes what stands in the header page of a shared file, as a rogue process would."""
    for file in path.iterdir():
        with open(file, "r+b") as open_file:
            page = open_file.read(4096)
            if before in page:
                open_file.seek(page.index(before))
                open_file.write(after)
                return
    raise AssertionError("it stands nowhere")


def words(*numbers):
    return b"".join(number.to_bytes(8, "little", signed=number < 0) for number in numbers)


@pytest.mark.parametrize("shape, strides", [((2**40, 11), (1, 7)), ((7, 11), (99, 7)), ((7, 11), (-1, 7)), ((2**63, 2**63), (1, 7))])
def test_metadata_that_was_tampered_with_is_refused(context, shape, strides):
    context.publish_array(numpy.zeros((7, 11), "f8", order="F"), "array")
    rewritten(context.path, words(7, 11, 1, 7), words(*shape, *strides))
    for use in (lambda found: found.to_numpy(), memoryview, numpy.asarray, lambda found: found.map().__enter__()):
        with pytest.raises(podwire.WrongShape):
            use(context.get("array"))


def test_elements_that_no_schema_describes_are_refused(context):
    dtype = numpy.dtype([("x", "f4"), ("y", "f4")])
    for text in (b"struct{x:text,y:f32}", b"struct{x:f32,y:f99}", b"struct{x:f32,x:f32}", b"[f32;99999999999999]"):
        context.publish_array(numpy.zeros(7, dtype), "array", replace=True)
        # As long as what stands there.
        rewritten(context.path, b"struct{x:f32,y:f32}", text.ljust(19)[:19])
        with pytest.raises((podwire.Corrupt, podwire.WrongShape)):
            context.get("array").to_numpy()


def test_a_value_that_was_tampered_with_is_an_error_or_another_value(context):
    chance = random.Random(SEED)
    for name in ("deep", "frame", "tensor", "list"):
        kind, value = VALUES[name]
        for _ in range(50):
            context.publish_value(value, "value", kind, replace=True)
            found = context.get("value")
            data = found.read()
            at = chance.randrange(len(data))
            for file in context.path.iterdir():
                content = file.read_bytes()
                if data in content:
                    with open(file, "r+b") as open_file:
                        open_file.seek(content.index(data) + at)
                        open_file.write(bytes([chance.randrange(256)]))
            answers(lambda: repr(context.get_value("value", chance.choice([None, dict, kind]))))
            context.unpublish("value")
