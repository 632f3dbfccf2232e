"""Which application a connection gets."""

import pytest

from rtmp_channels.routing import RtmpRouter
from rtmp_channels.testing import RtmpCommunicator


def application(name):
    async def run(scope, receive, send):
        await receive()
        information = {"name": name, "kwargs": scope["url_route"]["kwargs"]}
        await send({"type": "rtmp.accept", "information": information})

    return run


router = RtmpRouter(
    {
        "lobby": application("lobby"),
        "lobby2": application("lobby2"),
        "games/<slug:game>": application("games"),
        "scores/<int:year>": application("scores"),
        "": application("no name"),
    }
)


@pytest.mark.parametrize(
    ("path", "name", "kwargs"),
    [
        ("/lobby", "lobby", {"instance": "_definst_"}),
        ("/lobby/", "lobby", {"instance": "_definst_"}),
        ("/lobby/room1", "lobby", {"instance": "room1"}),
        ("/lobby/a/b", "lobby", {"instance": "a/b"}),
        ("/lobby2/room1", "lobby2", {"instance": "room1"}),
        ("/games/chess/table4", "games", {"game": "chess", "instance": "table4"}),
        ("/scores/1999", "scores", {"year": 1999, "instance": "_definst_"}),
        ("/", "no name", {"instance": "_definst_"}),
    ],
)
async def test_routes(path, name, kwargs):
    communicator = RtmpCommunicator(router, path)
    assert await communicator.connect() == (True, {"name": name, "kwargs": kwargs})
    await communicator.wait()


@pytest.mark.parametrize("path", ["/lobby1", "/lob", "/games", "/scores/now", "/x/lobby"])
async def test_unknown_applications_are_rejected(path):
    communicator = RtmpCommunicator(router, path)
    assert await communicator.connect() == (False, "NetConnection.Connect.InvalidApp")
    await communicator.wait()
