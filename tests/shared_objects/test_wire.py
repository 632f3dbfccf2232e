"""What is written, byte by byte: every message of wire type 19, and type 16 beside it."""

import pytest

from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.shared_objects.grants import Grant
from tests.shared_objects.clients import end_turn, make_hub, settle

NUMBER_1 = b"\x00\x3f\xf0" + bytes(6)
NUMBER_2 = b"\x00\x40" + bytes(7)


def event(code, data=b""):
    return bytes([code]) + len(data).to_bytes(4, "big") + data


def utf8(text):
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def body(*events, name="foo", version, flags=0):
    header = utf8(name) + version.to_bytes(4, "big") + flags.to_bytes(4, "big") + bytes(4)
    return header + b"".join(events)


def chunk(payload, message_type=19):
    return (
        b"\x03\0\0\0" + len(payload).to_bytes(3, "big") + bytes([message_type]) + bytes(4) + payload
    )


class Wire:
    """A connection that keeps bytes."""

    def __init__(self, hub, name, *, grant=None, encoding=0):
        self.id = name
        self.encoding = encoding
        self.grant = grant or Grant()
        self.written = []
        self.port = hub.connect(self, instance="app/inst", authorise=self.authorise)

    async def authorise(self, request):
        return self.grant

    def write_shared(self, data):
        self.written.append(data)

    write_joined = write_shared

    def receive(self, payload):
        message = SharedObjectMessage.parse(payload, object_encoding=self.encoding)
        self.port.receive(message)
        end_turn(self.port.hub)

    def take(self):
        written, self.written = self.written, []
        return written


USE = event(1)


@pytest.fixture
async def pair():
    hub = make_hub(first_version=10)
    ann, bob = Wire(hub, "ann"), Wire(hub, "bob")
    for wire in (ann, bob):
        wire.receive(body(USE, version=0))
        await settle()
    return ann, bob


async def test_use_of_a_new_object(pair):
    ann, _ = pair
    assert ann.take() == [chunk(body(event(11), event(8), version=10))]


async def test_use_of_an_object_with_slots_is_one_message():
    hub = make_hub(first_version=10)
    ann, bob = Wire(hub, "ann"), Wire(hub, "bob")
    ann.receive(body(USE, version=0))
    await settle()
    pairs = utf8("a") + NUMBER_1 + utf8("ü/b") + NUMBER_2
    ann.receive(body(event(3, pairs), version=10))
    bob.receive(body(USE, version=0))
    await settle()
    expected = body(
        event(11),
        event(8),
        event(4, utf8("a") + NUMBER_1),
        event(4, utf8("ü/b") + NUMBER_2),
        version=11,
    )
    assert bob.take() == [chunk(expected)]


async def test_change_is_acknowledged_to_its_writer_and_told_to_others(pair):
    ann, bob = pair
    ann.take(), bob.take()
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    assert ann.take() == [chunk(body(event(5, utf8("a")), version=11))]
    assert bob.take() == [chunk(body(event(4, utf8("a") + NUMBER_1), version=11))]


async def test_unchanged_value(pair):
    ann, bob = pair
    for _ in range(2):
        ann.take(), bob.take()
        ann.receive(body(event(3, utf8("a") + NUMBER_1), version=11))
    assert ann.take() == [chunk(body(event(5, utf8("a")), version=11))]
    assert bob.take() == []


@pytest.mark.parametrize("nothing", [b"\x05", b"\x06"], ids=["null", "undefined"])
async def test_null_removes(pair, nothing):
    ann, bob = pair
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    ann.take(), bob.take()
    ann.receive(body(event(3, utf8("a") + nothing), version=11))
    assert ann.take() == [chunk(body(event(5, utf8("a")), version=12))]
    assert bob.take() == [chunk(body(event(9, utf8("a")), version=12))]


async def test_remove_goes_to_everyone(pair):
    ann, bob = pair
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    ann.take(), bob.take()
    bob.receive(body(event(10, utf8("a")), version=11))
    expected = [chunk(body(event(9, utf8("a")), version=12))]
    assert ann.take() == expected
    assert bob.take() == expected


async def test_clear_goes_to_everyone(pair):
    ann, bob = pair
    ann.take(), bob.take()
    ann.receive(body(event(14), version=10))
    expected = [chunk(body(event(8), version=11))]
    assert ann.take() == expected
    assert bob.take() == expected


async def test_send_goes_to_everyone_and_keeps_the_version(pair):
    ann, bob = pair
    ann.take(), bob.take()
    data = b"\x02" + utf8("hello") + NUMBER_1
    ann.receive(body(event(6, data), version=10))
    expected = [chunk(body(event(6, data), version=10))]
    assert ann.take() == expected
    assert bob.take() == expected


async def test_bulk_change_raises_the_version_once(pair):
    ann, bob = pair
    ann.take(), bob.take()
    pairs = utf8("a") + NUMBER_1 + utf8("b") + NUMBER_2
    ann.receive(body(event(3, pairs), event(6, b"\x02" + utf8("x")), version=10))
    assert ann.take() == [
        chunk(
            body(
                event(5, utf8("a")), event(5, utf8("b")), event(6, b"\x02" + utf8("x")), version=11
            )
        )
    ]
    assert bob.take() == [
        chunk(
            body(
                event(4, utf8("a") + NUMBER_1),
                event(4, utf8("b") + NUMBER_2),
                event(6, b"\x02" + utf8("x")),
                version=11,
            )
        )
    ]


async def test_lost_race_gets_the_winning_value(pair):
    ann, bob = pair
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    ann.take(), bob.take()
    bob.receive(body(event(3, utf8("a") + NUMBER_2), version=10))
    assert bob.take() == [chunk(body(event(4, utf8("a") + NUMBER_1), version=11))]
    assert ann.take() == []


async def test_rtmp_client_gets_its_change_back_as_event_13():
    hub = make_hub(first_version=10)
    ann, bob = Wire(hub, "ann"), Wire(hub, "bob")
    ann.receive(body(USE, version=0, flags=16))
    bob.receive(body(USE, version=0))
    await settle()
    ann.take(), bob.take()
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10, flags=16))
    assert ann.take() == [chunk(body(event(13, utf8("a") + NUMBER_1), version=11))]
    assert bob.take() == [chunk(body(event(4, utf8("a") + NUMBER_1), version=11))]
    ann.receive(body(event(3, utf8("a") + b"\x05"), version=11, flags=16))
    assert ann.take() == [chunk(body(event(9, utf8("a")), version=12))]


async def test_use_with_the_current_version_is_answered_by_11_alone(pair):
    ann, bob = pair
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    bob.receive(body(event(2), version=11))
    bob.take()
    bob.receive(body(USE, version=11))
    await settle()
    assert bob.take() == [chunk(body(event(11), version=11))]


async def test_use_with_an_older_version_is_answered_by_what_changed(pair):
    ann, bob = pair
    for version, key in ((10, "a"), (11, "b")):
        ann.receive(body(event(3, utf8(key) + NUMBER_1), version=version))
    bob.receive(body(event(2), version=12))
    bob.take()
    ann.receive(body(event(10, utf8("a")), event(3, utf8("c") + NUMBER_2), version=12))
    bob.receive(body(USE, version=12))
    await settle()
    expected = body(event(11), event(4, utf8("c") + NUMBER_2), event(9, utf8("a")), version=13)
    assert bob.take() == [chunk(expected)]


async def test_use_with_a_version_that_cannot_be_is_answered_in_full(pair):
    ann, _ = pair
    ann.take()
    ann.receive(body(event(2), version=10))
    ann.receive(body(USE, version=99))
    await settle()
    assert ann.take() == [chunk(body(event(11), event(8), version=10))]


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        (Grant(read=False), "SharedObject.NoReadAccess"),
        (Grant(create=False), "SharedObject.ObjectCreationFailed"),
    ],
)
async def test_use_refused(grant, code):
    ann = Wire(make_hub(), "ann", grant=grant)
    ann.receive(body(USE, version=0))
    await settle()
    assert ann.take() == [chunk(body(event(7, utf8(code) + utf8("error")), version=0))]


async def test_persistent_use_is_refused_where_nothing_persists():
    ann = Wire(make_hub(), "ann")
    ann.receive(body(USE, version=0, flags=2))
    await settle()
    status = event(7, utf8("SharedObject.BadPersistence") + utf8("error"))
    assert ann.take() == [chunk(body(status, version=0, flags=2))]


async def test_change_refused():
    ann = Wire(make_hub(first_version=10), "ann", grant=Grant(write=False))
    ann.receive(body(USE, version=0))
    await settle()
    ann.take()
    ann.receive(body(event(3, utf8("a") + NUMBER_1), version=10))
    status = event(7, utf8("SharedObject.NoWriteAccess") + utf8("error"))
    # The slot is as it was: a Flash client has shown its own value already.
    assert ann.take() == [chunk(body(status, event(9, utf8("a")), version=10))]


class TestType16:
    """Same layout behind a zero byte; a value is AMF0, or AMF3 behind its marker."""

    async def test_answers_come_in_the_encoding_of_the_use(self):
        hub = make_hub(first_version=10)
        ann, bob = Wire(hub, "ann", encoding=3), Wire(hub, "bob")
        ann.receive(b"\0" + body(USE, version=0))
        bob.receive(body(USE, version=0))
        await settle()
        assert ann.take() == [chunk(b"\0" + body(event(11), event(8), version=10), 16)]
        assert bob.take() == [chunk(body(event(11), event(8), version=10))]
        ann.receive(b"\0" + body(event(3, utf8("a") + b"\x11\x04\x01"), version=10))
        assert ann.take() == [chunk(b"\0" + body(event(5, utf8("a")), version=11), 16)]
        assert bob.take() == [chunk(body(event(4, utf8("a") + NUMBER_1), version=11))]

    async def test_a_value_that_amf0_lacks_keeps_its_marker(self):
        hub = make_hub(first_version=10)
        ann, bob = Wire(hub, "ann", encoding=3), Wire(hub, "bob", encoding=3)
        for wire in (ann, bob):
            wire.receive(b"\0" + body(USE, version=0))
            await settle()
            wire.take()
        byte_array = b"\x11\x0c\x05\x01\x02"
        ann.receive(b"\0" + body(event(3, utf8("a") + byte_array), version=10))
        expected = b"\0" + body(event(4, utf8("a") + byte_array), version=11)
        assert bob.take() == [chunk(expected, 16)]
