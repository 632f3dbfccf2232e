"""All the ways into one server, and what their clients have in common."""

import asyncio
import json
from contextlib import closing, contextmanager, suppress

from rtmp_channels.protocol.errors import ProtocolError
from rtmp_channels.protocol.events import ConnectAccepted, ConnectRejected, HandshakeCompleted
from tests.interop.tls import self_signed
from tests.server.client import Closed, RtmpClient, connection, rtmp_client
from tests.server.conftest import HTTP, RTMP, trusting_nobody
from tests.server.daphne import Daphne, daphne_command
from tests.tunnels.peers import HttpClient, Refused, WebSocketClient

SCHEMES = ("rtmp", "rtmps", "rtmpt", "ws")

PATIENCE = {"HANDSHAKE_TIMEOUT": 20.0, "CONNECT_TIMEOUT": 20.0, "ACCEPT_TIMEOUT": 20.0}
"""Unless that is what is tested: several clients begin at a time."""


class Doors:
    """One server's ways in."""

    def __init__(self, server):
        self.server = server
        self.rtmp, self.rtmps = server.port("rtmp"), server.port("rtmps")
        self.http = server.port("http")

    async def enter(self, scheme, stack, *, window=None):
        """A client that has said nothing yet."""
        match scheme:
            case "rtmp" | "rtmps":
                port, tls = getattr(self, scheme), trusting_nobody() if scheme == "rtmps" else None
                return await stack.enter_async_context(rtmp_client(port, window=window, ssl=tls))
            case "rtmpt":
                client = await asyncio.to_thread(HttpClient, self.http)
                stack.enter_context(closing(client.http))
                return client
            case "ws":
                ends = await stack.enter_async_context(connection(self.http, window=window))
                return await WebSocketClient(*ends).open()

    async def counters(self):
        async with rtmp_client(self.rtmp) as client:
            assert isinstance(await client.connect("counting"), ConnectAccepted)
            return await client.call("counters")


@contextmanager
def server_with_doors(folder, **settings):
    """A server with all four doors and these settings."""
    certificate, key = self_signed(folder)
    rtmps = f"rtmps:port=0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    environment = {"TEST_RTMP_SETTINGS": json.dumps(PATIENCE | settings)}
    server = Daphne(daphne_command(HTTP, RTMP, rtmps), environment)
    try:
        yield Doors(server)
    finally:
        code = server.stop()
    assert code == 0
    assert "Traceback" not in server.log


async def say(client):
    """What the connection has queued leaves, and perhaps something comes."""
    if isinstance(client, RtmpClient):
        await client.flush()
    elif isinstance(client, WebSocketClient):
        client.send(client.connection.data_to_send())
    else:
        await client.exchange()


async def send(client, data):
    """Bytes that the client's own floor would not write."""
    if isinstance(client, RtmpClient):
        client.writer.write(data)
    elif isinstance(client, WebSocketClient):
        client.send(data)
    else:
        client.number += 1
        target = f"/send/{client.id}/{client.number - 1}"
        await asyncio.to_thread(client.post, target, data)


class _Mute:
    """In place of a protocol's connection: whatever comes, there is nothing to say."""

    def receive_data(self, data):
        return []

    def data_to_send(self):
        return b""


async def ended(client):
    """Takes what comes, answering nothing, until the server ends the connection."""
    client.connection = _Mute()
    with suppress(Closed, Refused, ConnectionError, ProtocolError, asyncio.IncompleteReadError):
        async with asyncio.timeout(20):
            while True:
                if isinstance(client, RtmpClient):
                    await client.receive()
                elif isinstance(client, WebSocketClient):
                    if (await client.frame())[0] == 8:
                        return
                else:
                    await client.exchange()


async def shake_hands(client):
    await say(client)
    await client.wait_for(HandshakeCompleted)
    await say(client)


async def enter(client, app="counting"):
    """Shakes hands and connects; whether the server accepts that."""
    await shake_hands(client)
    client.connection.send_connect({"app": app, "tcUrl": f"rtmp://127.0.0.1/{app}"})
    await say(client)
    answer = await client.wait_for((ConnectAccepted, ConnectRejected))
    return isinstance(answer, ConnectAccepted)
