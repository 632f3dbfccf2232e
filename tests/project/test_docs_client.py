"""docs/reference/client.md: its examples run as they stand, with an application that suits them."""

import ast
import inspect
import re
from typing import Any

from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.testing import LiveRtmpServer
from tests.support.settings_page import REFERENCE

PAGE = (REFERENCE / "client.md").read_text()


class Lobby(AsyncRtmpConsumer):
    may_connect = may_call = may_publish = may_play = ANYONE

    @remote(name="math.add")
    async def add(self, a: float, b: float) -> float:
        return a + b

    @remote(name="lobby.say")
    async def say(self, text: str) -> None:
        await self.broadcast("onSay", text, include_self=True)
        await self.close()

    async def on_shared_object(self, request: object) -> Grant:
        return Grant()


async def run(code: str, names: dict[str, Any]) -> None:
    running = eval(compile(code, "client.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(running):
        await running


async def test_as_they_stand(settings: Any, capsys: Any) -> None:
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "STREAMS": {"WAIT_SECONDS": 0.05}}
    calls, streams, objects = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"timestamp": 40, "payload": b"\x17\x01\0\0\0frame"}
    with LiveRtmpServer(Lobby.as_asgi()) as server:
        await run(calls.replace("rtmp://127.0.0.1/", server.url("")), names)
        assert names["total"] == 5
        assert names["reason"] == "closed by the server"
        async with names["connection"]:
            await run(streams, names)
            await run(objects, names)
    said, scores = capsys.readouterr().out.splitlines()
    assert said == "hello"
    assert scores.startswith("{'ann': 3} ")
