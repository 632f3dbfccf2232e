"""Connections of the shared objects' benchmark, what they write, and what their bytes say."""

import base64
import itertools
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from daphne_process import Daphne
from load import Receiver

from rtmp_channels.protocol.events import SharedObjectReceived
from rtmp_channels.protocol.outbound import encode_shared_object
from rtmp_channels.protocol.shared_object import (
    Change,
    RequestChange,
    SharedObjectMessage,
    Success,
    Use,
    UseSuccess,
)
from tests.support.rtmp_client import RtmpClient

NAME = "board"
NUMBER = b"\0"
"""AMF0's marker: every value of the benchmark is a number."""

_MESSAGE = struct.Struct(">3xB4x")
_EVENT = struct.Struct(">BI")


class Heard(NamedTuple):
    """One event of the object."""

    end: int
    """The offset behind its message."""
    version: int
    code: int
    key: str
    value: float
    """0.0 where the event has none."""


def open_rtmp(server: Daphne) -> "ObjectReceiver":
    """A connection that uses the object; `version` is what it was told."""
    client = RtmpClient(server.rtmp_port, "objects/room")
    client.connection.send_shared_object(SharedObjectMessage(NAME, 0, 0, (Use(),)))
    client.socket.sendall(client.connection.data_to_send())
    told = client.wait_for(lambda event: isinstance(event, SharedObjectReceived)).message
    assert told.events[0] == UseSuccess(), told
    return ObjectReceiver(client.socket, told.version)


class ObjectReceiver(Receiver):
    """A user of the object, which may look at what it has received so far."""

    def __init__(self, connected: socket.socket, version: int) -> None:
        super().__init__(connected)
        self.version = version
        self.acknowledged = 0
        self._pieces_seen = 0
        self._rest = b""

    def catch_up(self) -> None:
        """Brings `version` and `acknowledged` up to date, as a client would."""
        fresh = self._rest + b"".join(data for _, data in self.pieces[self._pieces_seen :])
        self._pieces_seen = len(self.pieces)
        end = 0
        for heard in events(fresh):
            end, self.version = heard.end, heard.version
            self.acknowledged += heard.code == Success.code
        self._rest = fresh[end:]


def change_request(receiver: ObjectReceiver, key: str, value: float) -> bytes:
    """Event 3, as a client writes it."""
    change = RequestChange(((key, value),))
    return encode_shared_object(SharedObjectMessage(NAME, receiver.version, 0, (change,)))


def events(data: bytes) -> Iterator[Heard]:
    """What a server wrote: whole messages of type 19 behind headers of format 0."""
    position = 0
    while len(data) >= position + 12:
        assert data[position] == 3, "chunk stream 3, format 0"
        length = int.from_bytes(data[position + 4 : position + 7], "big")
        assert data[position + 7] == 19
        start, end = position + 12, position + 12 + length
        if end > len(data):
            return
        start += 2 + int.from_bytes(data[start : start + 2], "big")
        version = int.from_bytes(data[start : start + 4], "big")
        start += 12
        while start < end:
            code, size = _EVENT.unpack_from(data, start)
            start += _EVENT.size
            key_end = start + 2 + int.from_bytes(data[start : start + 2], "big")
            key = data[start + 2 : key_end].decode() if size else ""
            value = 0.0
            if code == Change.code:
                assert data[key_end : key_end + 1] == NUMBER
                (value,) = struct.unpack_from(">d", data, key_end + 1)
            start += size
            yield Heard(end, version, code, key, value)
        position = end


def open_websocket(server: Daphne) -> Receiver:
    """A plain Channels consumer's client."""
    connected = socket.create_connection(("127.0.0.1", server.http_port), 20)
    key = base64.b64encode(os.urandom(16)).decode()
    connected.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connected.recv(1)
    assert b" 101 " in answer.split(b"\r\n")[0], answer
    return Receiver(connected)


def json_request(key: str, value: float) -> bytes:
    """A masked text frame (RFC 6455 §5.2); the mask is zero."""
    payload = json.dumps({"key": key, "value": value}).encode()
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


def frames(data: bytes) -> Iterator[tuple[int, dict[str, object]]]:
    """(the offset behind it, what it says) of each text frame of a server."""
    position = 0
    while position < len(data):
        kind, length = data[position : position + 2]
        assert length < 126
        end = position + 2 + length
        if kind == 0x81:
            yield end, json.loads(data[position + 2 : end])
        else:
            assert kind == 0x89, "a ping"
        position = end


def numbered(
    request: Callable[[float], bytes], sent: dict[float, float], *, first: float = 0.0
) -> Callable[[], bytes]:
    """Requests with the values `first`, then always one more; notes when each was sent."""
    counter = itertools.count(first)

    def make() -> bytes:
        value = next(counter)
        sent[value] = time.perf_counter()
        return request(value)

    return make
