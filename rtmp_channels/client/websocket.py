"""RTMP inside a WebSocket's binary frames, from the client's side."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl

from rtmp_channels.client.address import WebSocketAddress
from rtmp_channels.client.errors import ConnectFailed
from rtmp_channels.client.frames import FrameReader, Opcode, encode

FRAME = 65_536
"""The longest frame that is written."""

_LONGEST_HEAD = 16_384
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NORMAL = (1000).to_bytes(2, "big")


class WebSocketTransport(asyncio.Transport, asyncio.Protocol):
    """Between a socket, whose protocol it is, and a protocol whose transport it is."""

    def __init__(self, protocol: asyncio.Protocol, address: WebSocketAddress) -> None:
        super().__init__()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the server has agreed, or refused."""
        self._protocol = protocol
        self._address = address
        self._key = base64.b64encode(os.urandom(16))
        self._socket: asyncio.Transport
        self._head = b""
        self._is_open = False
        self._error: ConnectFailed | None = None
        self._frames = FrameReader()

    @classmethod
    async def open(
        cls, protocol: asyncio.Protocol, address: WebSocketAddress, context: ssl.SSLContext | None
    ) -> WebSocketTransport:
        """Raises OSError, and ConnectFailed when the server does not agree."""
        loop = asyncio.get_running_loop()
        _, transport = await loop.create_connection(
            lambda: cls(protocol, address), address.host, address.port, ssl=context
        )
        try:
            await transport.opened
        except BaseException:
            transport.abort()
            raise
        return transport

    # what the protocol calls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        content = bytes(data)
        for start in range(0, len(content), FRAME):
            self._socket.write(encode(Opcode.BINARY, content[start : start + FRAME]))

    def is_closing(self) -> bool:
        return self._socket.is_closing()

    def close(self) -> None:
        """Ends the connection when everything is written."""
        if not self._socket.is_closing():
            self._socket.write(encode(Opcode.CLOSE, _NORMAL))
            self._socket.close()

    def abort(self) -> None:
        self._socket.abort()

    def is_reading(self) -> bool:
        return self._socket.is_reading()

    def pause_reading(self) -> None:
        self._socket.pause_reading()

    def resume_reading(self) -> None:
        self._socket.resume_reading()

    # what the socket calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        lines = (
            f"GET {self._address.target} HTTP/1.1",
            f"Host: {self._address.host_header}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self._key.decode()}",
            "Sec-WebSocket-Version: 13",
        )
        transport.write("\r\n".join((*lines, "", "")).encode())

    def data_received(self, data: bytes) -> None:
        try:
            if not self._is_open:
                data = self._read_head(data)
            if self._is_open:
                self._read_frames(data)
        except ConnectFailed as error:
            self._error = error
            self._socket.abort()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_open:
            self._protocol.connection_lost(self._error or error)
        elif not self.opened.done():
            closed = ConnectFailed({"description": "closed by the server"})
            self.opened.set_exception(self._error or error or closed)

    # inside

    def _read_head(self, data: bytes) -> bytes:
        """Reads the server's answer to our request; returns what follows it (RFC 6455 §4.1)."""
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end:
            self._head = head
            if len(head) > _LONGEST_HEAD:
                raise ConnectFailed({"description": "no answer in HTTP"})
            return b""
        first, *lines = head.split(b"\r\n")
        pairs = (line.partition(b":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if first.split(b" ")[1:2] != [b"101"]:
            raise ConnectFailed({"description": first.decode("latin-1")[:100]})
        digest = hashlib.sha1(self._key + _GUID, usedforsecurity=False).digest()
        if headers.get(b"sec-websocket-accept") != base64.b64encode(digest):
            raise ConnectFailed({"description": "no WebSocket there"})
        if self.opened.done():  # given up meanwhile
            return b""
        self._is_open = True
        self.opened.set_result(None)
        self._protocol.connection_made(self)
        return rest

    def _read_frames(self, data: bytes) -> None:
        for opcode, payload in self._frames.receive(data):
            if self._socket.is_closing():
                return
            match opcode:
                case Opcode.BINARY:
                    self._protocol.data_received(payload)
                case Opcode.PING:
                    self._socket.write(encode(Opcode.PONG, payload))
                case Opcode.CLOSE:
                    self.close()
