"""The consumer of docs/how-to/write-an-rtmp-application.md does what the page says."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.demo_server import DemoServer
from tests.support.process import REPOSITORY
from tests.support.rtmp_client import RtmpClient, RtmpRefusal

pytestmark = pytest.mark.slow

PAGE = REPOSITORY / "docs/how-to/write-an-rtmp-application.md"
ASGI = """
from project.asgi import django_application
from channels.routing import ProtocolTypeRouter
from rtmp_channels.routing import RtmpRouter
from games.consumers import GameConsumer
"""


@pytest.fixture
def site(tmp_path: Path, start_demo_server: Callable[..., DemoServer]) -> DemoServer:
    consumer, asgi = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[:2]
    (tmp_path / "games").mkdir()
    (tmp_path / "games/consumers.py").write_text(consumer)
    (tmp_path / "games/asgi.py").write_text(ASGI + asgi)
    return start_demo_server(
        application="games.asgi:application", environment={"PYTHONPATH": str(tmp_path)}
    )


@pytest.fixture
def players(site: DemoServer) -> Iterator[tuple[RtmpClient, RtmpClient]]:
    with (
        RtmpClient(site.rtmp_port, "game/table7", arguments=["Ann"]) as ann,
        RtmpClient(site.rtmp_port, "game/table7", arguments=["Bob"]) as bob,
    ):
        yield ann, bob


def test_moves_reach_the_others(players: tuple[RtmpClient, RtmpClient]) -> None:
    ann, bob = players
    ann.call("move", 1, 2)
    assert bob.next_call("onMove").arguments == ["Ann", 1, 2]


def test_a_concurrent_call_holds_up_no_other(players: tuple[RtmpClient, RtmpClient]) -> None:
    ann, _ = players
    challenge = ann.send("challenge")
    question = ann.next_call("acceptChallenge")
    assert ann.call("math.add", 1, 2) == 3
    ann.answer(question, True)
    assert ann.result(challenge) is True


def test_the_others_hear_who_left(players: tuple[RtmpClient, RtmpClient]) -> None:
    ann, bob = players
    ann.close()
    assert bob.next_call("onLeft").arguments == ["Ann"]


def test_who_says_no_name_is_refused(site: DemoServer) -> None:
    with pytest.raises(RtmpRefusal, match="Say your name"):
        RtmpClient(site.rtmp_port, "game/table7")
