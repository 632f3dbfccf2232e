"""The handshake, plain and with digests, for both sides (RTMP 1.0 §5.2).

Each side sends one version byte and two blocks of 1,536 bytes. Bytes 4 to 7 of C1 and S1 are zero
in the plain handshake; otherwise they are a version and a digest may follow (see `digest`).
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable

from rtmp_channels.protocol import digest
from rtmp_channels.protocol.digest import HANDSHAKE_SIZE
from rtmp_channels.protocol.errors import RemoteProtocolError

_VERSION = 3
_VERSION_BYTE = bytes((_VERSION,))
_PLAIN = bytes(4)
_SERVER_BLOCK_VERSION = bytes((4, 5, 0, 1))
"""In S1 with a digest; ffmpeg checks our signature when the first byte is 3 or more."""
_CLIENT_BLOCK_VERSION = bytes((9, 0, 124, 2))
"""In C1 with a digest: the Flash Player version that every server knows."""
_FILLING_SIZE = HANDSHAKE_SIZE - digest.DIGEST_SIZE


class Handshake(ABC):
    """What both sides share: a version byte, then two blocks, read from pieces of any size."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self.is_complete = False
        self.digest_scheme: int | None = None
        """0 or 1 once a digest was found, None in the plain handshake."""
        self._random_bytes = random_bytes
        self._received = bytearray()
        self._answered = False
        self._outgoing = b""

    def receive_data(self, data: bytes) -> bytes:
        """Takes the peer's bytes; returns those that belong to the chunk stream behind them.

        Raises RemoteProtocolError for a version other than 3, at once.
        """
        self._received += data
        if self._received:
            _check_version(self._received[0])
        if not self._answered and len(self._received) > HANDSHAKE_SIZE:
            self._answered = True
            self._on_first_block(bytes(self._received[1 : 1 + HANDSHAKE_SIZE]))
        end = 1 + 2 * HANDSHAKE_SIZE
        if len(self._received) < end:
            return b""
        self._on_second_block(bytes(self._received[1 + HANDSHAKE_SIZE : end]))
        self.is_complete = True
        rest = bytes(self._received[end:])
        self._received.clear()
        return rest

    def data_to_send(self) -> bytes:
        """What is to be written now; empty when it is the peer's turn."""
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    @abstractmethod
    def _on_first_block(self, block: bytes) -> None:
        """C1 or S1 is there: queue the answer."""

    @abstractmethod
    def _on_second_block(self, block: bytes) -> None:
        """C2 or S2 is there: check it."""


class ServerHandshake(Handshake):
    """Answers C0 and C1 with S0, S1 and S2 in one piece, then waits for C2 and believes it."""

    def _on_first_block(self, block: bytes) -> None:
        found = None if block[4:8] == _PLAIN else digest.find_digest(block, digest.CLIENT)
        if found is None:
            s1, s2 = _server_block(self._random_bytes, None), block
        else:
            self.digest_scheme, client_digest = found
            s1 = _server_block(self._random_bytes, self.digest_scheme)
            s2 = digest.sign(_filling(self._random_bytes), client_digest, digest.SERVER)
        self._outgoing = _VERSION_BYTE + s1 + s2

    def _on_second_block(self, block: bytes) -> None:
        """C2 proves nothing: plain clients repeat S1 more or less, some sign an S1 not ours."""


class ClientHandshake(Handshake):
    """Sends C0 and C1 at once, and C2 as the answer to S1."""

    def __init__(
        self, random_bytes: Callable[[int], bytes], *, offer_digest: bool = True, scheme: int = 0
    ) -> None:
        super().__init__(random_bytes)
        self._own_digest = b""
        c1 = bytes(8) + random_bytes(HANDSHAKE_SIZE - 8)
        if offer_digest:
            block = bytes(4) + _CLIENT_BLOCK_VERSION + c1[8:]
            c1, self._own_digest = digest.insert_digest(block, scheme, digest.CLIENT)
        self._outgoing = _VERSION_BYTE + c1

    def _on_first_block(self, block: bytes) -> None:
        found = digest.find_digest(block, digest.SERVER) if self._own_digest else None
        if found is None:
            self._outgoing += block
            return
        self.digest_scheme, server_digest = found
        filling = self._random_bytes(_FILLING_SIZE)
        self._outgoing += digest.sign(filling, server_digest, digest.CLIENT)

    def _on_second_block(self, block: bytes) -> None:
        if self.digest_scheme is None:
            return
        if not digest.is_signed(block, self._own_digest, digest.SERVER):
            raise RemoteProtocolError("handshake: S2 does not answer the digest in C1")


@functools.lru_cache(maxsize=8)
def _server_block(random_bytes: Callable[[int], bytes], scheme: int | None) -> bytes:
    """S1, the same for every client of a process: it is no secret and proves nothing."""
    block = random_bytes(HANDSHAKE_SIZE - 8)
    if scheme is None:
        return bytes(8) + block
    return digest.insert_digest(bytes(4) + _SERVER_BLOCK_VERSION + block, scheme, digest.SERVER)[0]


@functools.lru_cache(maxsize=8)
def _filling(random_bytes: Callable[[int], bytes]) -> bytes:
    """What S2 signs besides the client's digest; no secret either."""
    return random_bytes(_FILLING_SIZE)


def _check_version(version: int) -> None:
    if version == _VERSION:
        return
    if version in (6, 8):
        raise RemoteProtocolError(f"handshake: version {version} (RTMPE) is not supported")
    raise RemoteProtocolError(f"handshake: version 3 expected, got {version}: is this RTMP?")
