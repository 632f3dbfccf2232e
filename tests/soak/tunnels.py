"""Lives through both tunnels of the web door; see `lives`."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator

import pytest

from rtmp_channels.protocol.events import ConnectAccepted
from tests.tunnels.peers import HttpClient, Refused, WebSocketClient

from .lives import RESET

TUNNEL = "/ws/tunnel/"
OUT_OF_TURN = 1_000
"""Beyond the number of any request of a brief life."""


class TunnelLives:
    """One server's clients that have no port of their own."""

    def __init__(self, http_port: int, chance: random.Random) -> None:
        self._port = http_port
        self._chance = chance

    def room(self) -> str:
        return f"lobby/room{self._chance.randrange(4)}"

    async def _polling(self) -> HttpClient:
        is_kept = self._chance.random() < 0.7
        return await asyncio.to_thread(HttpClient, self._port, is_kept=is_kept)

    @contextlib.asynccontextmanager
    async def _framed(self) -> AsyncIterator[WebSocketClient]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            yield await WebSocketClient(reader, writer).open(TUNNEL)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(self, client: HttpClient | WebSocketClient) -> None:
        client.methods["onSay"] = lambda text: None
        client.methods["ping2"] = lambda text: text.upper()
        assert isinstance(await client.connect(self.room()), ConnectAccepted)
        value = "x" * self._chance.choice([10, 1_000, 100_000])
        assert await client.call("echo.echo", value) == value
        client.connection.send_call("lobby.say", ["hello"])
        assert await client.call("lobby.callme") == "ARE YOU THERE"

    # lives

    async def rtmpt(self) -> None:
        """Opens, talks, and closes or has itself thrown out."""
        client = await self._polling()
        try:
            await self._talk(client)
            if self._chance.random() < 0.3:
                client.connection.send_call("kick_me", [])
                await client.exchange()
            await asyncio.to_thread(client.post, f"/close/{client.id}/{client.number}")
        except Refused as refused:  # the session of who was thrown out is gone already
            if refused.status != 404:
                raise
        finally:
            client.http.close()

    async def rtmpt_vanished(self) -> None:
        """Opens, and is not seen again: after nothing, the handshake, connect, or a call."""
        client = await self._polling()
        with contextlib.closing(client.http):
            for _ in range(self._chance.randrange(3)):
                await client.exchange()
            if self._chance.random() < 0.5:
                await client.connect(self.room())
                client.connection.send_call("sleep", [0.5], expect_result=True)
                await client.exchange()

    async def rtmpt_cut(self) -> None:
        """The HTTP connection is reset while the server keeps an idle request waiting."""
        client = await self._polling()
        with contextlib.closing(client.http):
            await client.connect(self.room())
            headers = {"Content-Type": "application/x-fcs"}
            target = f"/idle/{client.id}/{client.number}"
            await asyncio.to_thread(client.http.request, "POST", target, b"\0", headers)
            client.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    async def rtmpt_out_of_turn(self) -> None:
        """Counts wrongly, which ends its session."""
        client = await self._polling()
        with contextlib.closing(client.http):
            await client.connect(self.room())
            client.number += OUT_OF_TURN
            with pytest.raises(Refused, match="400"):
                await client.exchange()

    async def websocket(self) -> None:
        """Talks, and says goodbye as RFC 6455 wants it, or is thrown out."""
        async with self._framed() as client:
            await self._talk(client)
            if self._chance.random() < 0.3:
                client.connection.send_call("kick_me", [])
                client.send(client.connection.data_to_send())
            else:
                client.send(b"\x03\xe8", opcode=8)
            async with asyncio.timeout(30):
                while (await client.frame())[0] != 8:
                    pass

    async def websocket_vanished(self) -> None:
        """Reset in the middle of a call, or before anything was said."""
        async with self._framed() as client:
            if self._chance.random() < 0.8:
                await client.connect(self.room())
                client.connection.send_call("sleep", [0.5], expect_result=True)
                client.send(client.connection.data_to_send())
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.writer.transport.abort()

    async def websocket_stalled(self) -> None:
        """Asks for far more than it reads, until the server cuts it."""
        async with self._framed() as client:
            await client.connect(self.room())
            for _ in range(40):
                client.connection.send_call("echo.echo", ["x" * 100_000], expect_result=True)
                client.send(client.connection.data_to_send())
                await asyncio.sleep(0)
            await asyncio.sleep(self._chance.uniform(0.5, 5))
            client.writer.transport.abort()
