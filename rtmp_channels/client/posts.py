"""POST requests, one after another, over an HTTP connection that is kept while it lasts."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from rtmp_channels.client.errors import ConnectFailed

CONTENT_TYPE = "application/x-fcs"

_LONGEST_ANSWER = 16_777_216


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    content: bytes


class Posts:
    """A client of one web server. Proxies in between may end the connection after an answer."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._host, self._port, self._context = host, port, context
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes) -> Answer:
        """One request; asked again if a connection that was kept turns out to be closed.

        Raises OSError, EOFError, and ConnectFailed for what is no HTTP.
        """
        was_kept = self._writer is not None
        try:
            return await self._exchange(path, body)
        except (ConnectionError, EOFError):
            self.abort()
            if not was_kept:
                raise
        return await self._exchange(path, body)

    def abort(self) -> None:
        """Ends the connection, if there is one."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def close(self) -> None:
        """The same, and waits until it is gone."""
        writer = self._writer
        self.abort()
        if writer is not None:
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _exchange(self, path: str, body: bytes) -> Answer:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._context
            )
        self._writer.write(self._head(path, len(body)) + body)
        await self._writer.drain()
        answer, is_kept = await _answer(self._reader)
        if not is_kept:
            await self.close()
        return answer

    def _head(self, path: str, length: int) -> bytes:
        host = f"[{self._host}]" if ":" in self._host else self._host
        lines = (
            f"POST {path} HTTP/1.1",
            f"Host: {host}:{self._port}",
            f"Content-Type: {CONTENT_TYPE}",
            f"Content-Length: {length}",
            "Connection: keep-alive",
            "Cache-Control: no-cache",
        )
        return "\r\n".join((*lines, "", "")).encode("latin-1")


async def _answer(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """The answer, and whether the connection may be used again (RFC 9112)."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status = first.split(" ")[:2]
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
        is_kept = version == "HTTP/1.1" and headers.get("connection") != "close"
        if "chunked" in headers.get("transfer-encoding", ""):
            content = await _chunks(reader)
        elif "content-length" in headers:
            content = await reader.readexactly(_checked(int(headers["content-length"])))
        else:
            content, is_kept = await _rest(reader), False
        return Answer(int(status), content), is_kept
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise ConnectFailed({"description": f"no answer in HTTP: {error}"}) from error


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        _checked(len(content) + size)
        content += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers mean nothing here
    return bytes(content)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    content = bytearray()
    while piece := await reader.read(65_536):
        content += piece
        _checked(len(content))
    return bytes(content)


def _checked(length: int) -> int:
    if not 0 <= length <= _LONGEST_ANSWER:
        raise ValueError(f"an answer of {length} bytes")
    return length
