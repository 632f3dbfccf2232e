"""An RTMP client on asyncio: connect, call, be called, publish and play, share objects.

    async with NetConnection("rtmp://127.0.0.1/lobby/room1") as connection:
        total = await connection.call("math.add", 2, 3)

It needs neither Django nor a server of this app.
"""

from rtmp_channels.client.errors import ConnectFailed, SharedObjectFailed, StreamFailed
from rtmp_channels.client.net_connection import NetConnection
from rtmp_channels.client.net_stream import NetStream, Packet
from rtmp_channels.client.shared_object import SharedObject, Sync
from rtmp_channels.exceptions import CallFailed, ConnectionClosed

__all__ = [
    "CallFailed",
    "ConnectFailed",
    "ConnectionClosed",
    "NetConnection",
    "NetStream",
    "Packet",
    "SharedObject",
    "SharedObjectFailed",
    "StreamFailed",
    "Sync",
]
