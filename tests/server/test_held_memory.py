"""What all connections hold together: who is cut, and what polite clients notice of it."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from rtmp_channels.counters import Limit, counters
from rtmp_channels.held_memory import HeldMemory
from rtmp_channels.phase import Phase
from tests.server.client import RtmpClient, connection, rtmp_client
from tests.server.conftest import HTTP, RTMP
from tests.server.test_limits import begun
from tests.server.test_session import Recorder
from tests.server.wire import Wire
from tests.tunnels.peers import WebSocketClient

LIMIT = 1_600
HOSTILE = 60
MESSAGE = 1_000_000


class Holder:
    def __init__(self, held_bytes):
        self.held_bytes = held_bytes
        self.cut_with = None

    def cut_for_memory(self, held):
        self.cut_with, self.held_bytes = held, 0


@pytest.fixture
def memory(settings):
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "MAX_HELD_BYTES": LIMIT}


async def grown(memory, size):
    memory.grow(size)
    await asyncio.sleep(0)


@pytest.mark.usefixtures("memory")
async def test_those_that_hold_most_are_cut_until_there_is_room():
    memory = HeldMemory()
    memory.sessions = holders = [Holder(size) for size in (100, 600, 0, 500, 400, 150)]
    await grown(memory, 1)
    # 1,750: without the first one 1,150, which is a sixteenth below the limit.
    assert [one.cut_with for one in holders] == [None, 600, None, None, None, None]


@pytest.mark.usefixtures("memory")
async def test_the_sum_is_taken_only_when_it_may_matter():
    taken = []

    class Counted(Holder):
        @property
        def held_bytes(self):
            taken.append(self)
            return 600

    memory = HeldMemory()
    memory.sessions = [Counted.__new__(Counted)]
    await grown(memory, 1)
    assert len(taken) == 1
    for _ in range(10):
        await grown(memory, 100)  # 1,600 in all, which is allowed
    assert len(taken) == 1
    await grown(memory, 1)
    assert len(taken) == 2


@pytest.mark.usefixtures("memory")
async def test_near_the_limit_the_sum_is_taken_now_and_then_only():
    taken = []

    class Counted:
        @property
        def held_bytes(self):
            taken.append(self)
            return LIMIT

    memory = HeldMemory()
    memory.sessions = [Counted()]
    for _ in range(101):
        await grown(memory, 10)
    assert len(taken) == 1 + 1_000 // 110  # 100 bytes, a sixteenth, and what exceeds them


async def test_no_limit(settings):
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "MAX_HELD_BYTES": 0}
    memory = HeldMemory()
    memory.sessions = [Holder(1 << 50)]
    await grown(memory, 1 << 50)
    assert memory.sessions[0].cut_with is None


async def test_what_a_session_holds():
    wire = Wire(Recorder())
    await wire.connect()
    wire.session.data_received(begun(70_000, 3))
    wire.transport.buffered_bytes, wire.transport.unread_bytes = 300, 20
    assert wire.session.held_bytes == 65_536 + 320
    wire.session.kick("enough")
    wire.transport.buffered_bytes = wire.transport.unread_bytes = 0
    assert wire.session.held_bytes == 0
    await wire.lose()


async def test_a_cut_is_counted_and_logged(caplog, settings):
    caplog.set_level("INFO")
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "MAX_HELD_BYTES": 100_000}
    before = counters[Limit.HELD_BYTES]
    wires = [Wire(Recorder()) for _ in range(3)]
    for wire in wires:
        await wire.connect()
    wires[0].session._memory.sessions = [wire.session for wire in wires]
    for wire in wires[:2]:
        wire.session.data_received(begun(70_000, 3))
    await asyncio.sleep(0)
    assert [wire.session.phase for wire in wires] == [Phase.CLOSING, Phase.OPEN, Phase.OPEN]
    assert wires[0].transport.state == "aborted"
    assert counters[Limit.HELD_BYTES] == before + 1
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records[-2:]] == [
        "cut: it held 65536 bytes, and all connections together too many",
        "100000): cut 1 of them",
    ]
    for wire in wires:
        await wire.lose()


async def hold(stack, client):
    """Nearly all of a message, which is below every limit of one connection."""
    await client.connect()
    data = begun(MESSAGE, 3)
    while len(data) < MESSAGE - 65_536:
        data += b"\xc3" + bytes(65_536)
    return data


async def test_many_below_their_own_limits(start_daphne):
    """Over TCP and through a tunnel; the server grows no more than it may."""
    server = start_daphne(RTMP, HTTP, TEST_HELD_BYTES=str(8 * MESSAGE))
    port, http_port = server.port(), server.port("http")
    async with AsyncExitStack() as stack:
        polite = await stack.enter_async_context(rtmp_client(port))
        await polite.connect()
        value = "x" * 100_000
        assert await polite.call("echo.echo", value) == value
        before = server.rss
        for number in range(HOSTILE):
            tunnelled = number % 4 == 0
            reader, writer = await stack.enter_async_context(
                connection(http_port if tunnelled else port)
            )
            if tunnelled:
                client = await WebSocketClient(reader, writer).open()
                client.send(await hold(stack, client))
            else:
                client = RtmpClient(reader, writer)
                writer.write(await hold(stack, client))
            await writer.drain()
            assert await polite.call("echo.echo", value) == value
        await asyncio.to_thread(server.wait_for_log, r"held \d+ bytes \(MAX_HELD_BYTES: 8000000\)")
        cut = await asyncio.to_thread(
            server.wait_for_log, "cut: it held .* together too many", count=HOSTILE - 10
        )
        assert len(cut) <= HOSTILE
        assert server.rss - before < 30 * MESSAGE
        assert await polite.call("echo.echo", value) == value
    assert "Traceback" not in server.log
