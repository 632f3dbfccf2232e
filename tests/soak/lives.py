"""What clients do to a server, over and over: each life begins, ends in its own way, and is brief.

A life returns normally whatever the server does to it, as long as that is what it asked for.
"""

import asyncio
import random
import socket
import ssl
import struct
from contextlib import suppress

from rtmp_channels.client import (
    CallFailed,
    ConnectFailed,
    ConnectionClosed,
    NetConnection,
    NetStream,
    StreamFailed,
)
from rtmp_channels.protocol.handshake import ClientHandshake

RESET = struct.pack("ii", 1, 0)
KEYFRAME = b"\x17\x01\x00\x00\x00" + bytes(8_000)
FRAME = b"\x27\x01\x00\x00\x00" + bytes(2_000)


async def ended_by_the_server(sock: socket.socket) -> None:
    """Reads until the server ends the connection."""
    async with asyncio.timeout(30):
        while await asyncio.get_running_loop().sock_recv(sock, 65_536):
            pass


class Lives:
    """One server's clients."""

    def __init__(self, port: int, tls_port: int, chance: random.Random) -> None:
        self._port = port
        self._tls_port = tls_port
        self._chance = chance
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def connection(self, app: str) -> NetConnection:
        return NetConnection(f"rtmp://127.0.0.1:{self._port}/{app}", timeout=30)

    def secure_connection(self, app: str) -> NetConnection:
        url = f"rtmps://127.0.0.1:{self._tls_port}/{app}"
        return NetConnection(url, ssl_context=self._tls, timeout=30)

    def room(self) -> str:
        return f"lobby/room{self._chance.randrange(4)}"

    async def raw(self, port: int = 0) -> socket.socket:
        """A connected socket and nothing more."""
        sock = socket.socket()
        sock.setblocking(False)
        address = ("127.0.0.1", port or self._port)
        await asyncio.get_running_loop().sock_connect(sock, address)
        return sock

    # lives

    async def call(self) -> None:
        """Connects, calls, leaves."""
        async with self.connection(self.room()) as connection:
            assert await connection.call("math.add", 2, 3) == 5
            values = [None, True, 1.5, "text", {"a": [1, 2]}]
            assert await connection.call("echo.args", *values) == values

    async def talk(self) -> None:
        """A room, calls both ways, errors."""
        async with self.connection(self.room()) as connection:
            connection.method("onSay")(lambda text: None)
            connection.method("ping2")(lambda text: text.upper())
            for number in range(10):
                connection.send("lobby.say", f"hello {number}")
            assert await connection.call("lobby.callme") == "ARE YOU THERE"
            for name in ("fail", "no.such.method"):
                try:
                    await connection.call(name)
                except CallFailed:
                    continue
                raise AssertionError(f"{name} was answered")

    async def many_calls(self) -> None:
        """More at once than a connection has in flight."""
        async with self.connection(self.room()) as connection:
            calls = [connection.call("echo.echo", number) for number in range(40)]
            assert await asyncio.gather(*calls) == list(range(40))

    async def secure(self) -> None:
        """Over TLS; half of them end in a call, by a reset."""
        connection = self.secure_connection(self.room())
        await connection.connect()
        assert await connection.call("math.add", 2, 3) == 5
        if self._chance.random() < 0.5:
            await connection.close()
        else:
            connection.send("sleep", 0.5)
            self.reset(connection)
            await connection.wait_closed()

    async def secure_garbage(self) -> None:
        """No TLS where it is due: bytes that mean nothing, half a hello, or nothing at all."""
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        said = self._chance.choice([b"", hello, self._chance.randbytes(500)])
        loop = asyncio.get_running_loop()
        sock = await self.raw(self._tls_port)
        with suppress(ConnectionError):
            await loop.sock_sendall(sock, said)
            await ended_by_the_server(sock)
        sock.close()

    async def thrown_out(self) -> None:
        """Kicked, or closed by the application, with a call unanswered."""
        connection = self.connection(self.room())
        await connection.connect()
        connection.send(self._chance.choice(["kick_me", "close_me"]))
        try:
            await connection.call("sleep", 30)
        except ConnectionClosed:
            return
        raise AssertionError("the call was answered")

    async def killed(self) -> None:
        """Gone in the middle of a call, by a reset."""
        connection = self.connection(self.room())
        await connection.connect()
        connection.send("sleep", 0.5)
        self.reset(connection)
        await connection.wait_closed()

    def reset(self, connection: NetConnection) -> None:
        wire = connection._wire
        assert wire is not None
        assert wire._transport is not None
        sock = wire._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        wire.abort()

    async def show(self) -> None:
        """A stream with players, some of whom leave early; it ends in one of four ways."""
        name = f"show{self._chance.getrandbits(32)}"
        async with self.connection("open") as publisher, asyncio.TaskGroup() as players:
            stream = await publisher.create_stream()
            await stream.publish(name)
            for _ in range(4):
                players.create_task(self._watch(name))
            for number in range(40):
                self._send(stream, number)
                await asyncio.sleep(0.01)
            match self._chance.randrange(4):
                case 0:
                    stream.close()
                case 1:
                    self.reset(publisher)
                case 2:
                    publisher.send("FCUnpublish", name)
                case _:
                    await publisher.close()

    def _send(self, stream: NetStream, number: int) -> None:
        if number == 0:
            stream.send_metadata({"width": 320, "height": 240})
            stream.send_video(0, b"\x17\x00\x00\x00\x00config")
        stream.send_video(number * 40, FRAME if number % 10 else KEYFRAME)

    async def _watch(self, name: str) -> None:
        patience = self._chance.randrange(5, 60)
        async with self.connection("open") as connection:
            stream = await connection.create_stream()
            try:
                await stream.play(name)
                async with asyncio.timeout(20):
                    async for _ in stream:
                        patience -= 1
                        if not patience:
                            return
            except (StreamFailed, ConnectionClosed):
                return

    async def objects(self) -> None:
        """Shared objects, changed and left, or lost with the connection."""
        async with self.connection(self.room()) as connection:
            name = f"object{self._chance.randrange(6)}"
            async with connection.shared_object(name) as shared:
                value = self._chance.getrandbits(30)
                shared.set(f"slot{self._chance.randrange(8)}", value)
                shared.send("onMove", value)
                await asyncio.sleep(0.1)
                if self._chance.random() < 0.3:
                    self.reset(connection)
                    await connection.wait_closed()

    async def stalled(self) -> None:
        """Asks for far more than it reads, until the server cuts it."""
        connection = self.connection(self.room())
        await connection.connect()
        wire = connection._wire
        assert wire is not None
        wire.pause()
        for _ in range(40):
            # With a transaction id, or there would be no answer to leave unread.
            wire.connection.send_call("echo.echo", ["x" * 100_000], expect_result=True)
            wire.flush()
            await asyncio.sleep(0)
        await asyncio.sleep(self._chance.uniform(0.5, 5))
        wire.abort()
        await connection.wait_closed()

    async def stalled_player(self) -> None:
        """A player that reads nothing of its stream: it skips, and is cut or goes by itself."""
        name = f"torrent{self._chance.getrandbits(32)}"
        connect = self._chance.choice([self.connection, self.secure_connection])
        async with self.connection("open") as publisher:
            stream = await publisher.create_stream()
            await stream.publish(name)
            self._send(stream, 0)
            player = connect("open")
            await player.connect()
            await (await player.create_stream()).play(name)
            wire = player._wire
            assert wire is not None
            wire.pause()
            for number in range(1, 300):
                stream.send_video(number * 40, KEYFRAME * 8 if number % 10 else KEYFRAME)
                await stream.drain()
                await asyncio.sleep(0.01)
            wire.abort()
            await player.wait_closed()

    async def refused(self) -> None:
        """Not let in: no such application, a forged token, a session that there is not."""
        nobody = ["nowhere", "members", "members?token=1:2:3", "members?sessionid=0123456789"]
        connection = self.connection(self._chance.choice(nobody))
        try:
            await connection.connect()
        except ConnectFailed:
            return
        raise AssertionError("a stranger was let in")

    async def half_open(self) -> None:
        """Stops in the handshake; the server ends it."""
        sock = await self.raw()
        loop = asyncio.get_running_loop()
        hello = ClientHandshake(random.randbytes).data_to_send()
        await loop.sock_sendall(sock, hello[: self._chance.randrange(1, len(hello))])
        await ended_by_the_server(sock)
        sock.close()

    async def garbage(self) -> None:
        """Bytes that mean nothing, before the handshake or behind it."""
        sock = await self.raw()
        loop = asyncio.get_running_loop()
        if self._chance.random() < 0.5:
            hello = ClientHandshake(random.randbytes).data_to_send()
            await loop.sock_sendall(sock, hello + bytes(1536))
        with suppress(ConnectionError):
            await loop.sock_sendall(sock, b"\x42" + self._chance.randbytes(5_000))
            await ended_by_the_server(sock)
        sock.close()
