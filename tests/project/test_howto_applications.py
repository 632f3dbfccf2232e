"""What docs/how-to says of tests and of application instances does what it says."""

import asyncio
import re

from rtmp_channels.client import NetConnection
from rtmp_channels.instances import instances
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.testing import LiveRtmpServer, RtmpCommunicator
from tests.support.process import REPOSITORY

HOW_TO = REPOSITORY / "docs/how-to"


def python(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


async def test_a_table_seats_four_and_has_a_clock() -> None:
    names: dict = {}
    exec(python("keep-state-in-an-application-instance.md")[0], names)
    seats = [RtmpCommunicator(names["TableConsumer"].as_asgi(), "/game/t") for _ in range(5)]
    assert [(await one.connect())[0] for one in seats] == [True] * 4 + [False]
    await seats[0].notify("move", "ace of spades")
    heard: dict = {}
    while heard.keys() != {"onTick", "onMove"}:
        call = await seats[3].receive_call(10)
        heard[call["name"]] = call["arguments"]
    assert heard["onMove"] == [1, "ace of spades"]
    for one in seats:
        await one.disconnect()
    await instances.close()
    await room_hubs.close()


def instance_count() -> int:
    return sum(len(found) for found in instances.all())


async def test_a_table_whose_turns_all_processes_agree_on() -> None:
    names: dict = {}
    exec("\n".join(python("keep-state-in-an-application-instance.md")), names)
    moves: asyncio.Queue = asyncio.Queue()
    with LiveRtmpServer(names["AgreedTable"].as_asgi()) as server:
        for turns in ((1, 2), (1,)):  # when all have left, the table is another one
            async with NetConnection(server.url("game/t")) as player:
                player.method("onTick")(lambda second: None)
                player.method("onMove")(lambda *arguments: moves.put_nowait(arguments))
                for turn in turns:
                    player.send("move", "ace of spades")
                    assert await asyncio.wait_for(moves.get(), 20) == (turn, "ace of spades")
            while instance_count():
                await asyncio.sleep(0.01)


async def test_as_they_stand() -> None:
    consumer = python("write-an-rtmp-application.md")[0]
    by_itself, over_a_socket = python("test-your-application.md")[:2]
    names: dict = {}
    exec("\n".join((consumer, by_itself, over_a_socket)), names)
    await names["test_moves_reach_the_others"]()
    await names["test_over_a_socket"]()
