"""What docs/how-to says of tests and of application instances does what it says."""

import re

from rtmp_channels.instances import instances
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.testing import RtmpCommunicator
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


async def test_as_they_stand() -> None:
    consumer = python("write-an-rtmp-application.md")[0]
    by_itself, over_a_socket = python("test-your-application.md")[:2]
    names: dict = {}
    exec("\n".join((consumer, by_itself, over_a_socket)), names)
    await names["test_moves_reach_the_others"]()
    await names["test_over_a_socket"]()
