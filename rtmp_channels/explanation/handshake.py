"""The handshake explained (RTMP 1.0 §5.2): a version byte and two blocks of 1,536 bytes."""

from __future__ import annotations

from collections.abc import Iterator

from rtmp_channels.explanation.part import Part, Span, not_understood, title
from rtmp_channels.protocol import digest
from rtmp_channels.protocol.digest import DIGEST_SIZE, HANDSHAKE_SIZE

VERSION = 3
SIZE = 1 + 2 * HANDSHAKE_SIZE
"""Bytes that one side sends."""
_ENCRYPTED = frozenset((6, 8, 9))
"""Versions that stand for RTMPE."""


def explain_handshake(data: bytes) -> Iterator[Part]:
    """What one side sent, client or server; the whole rest if it is no handshake."""
    yield title(0, "handshake")
    if not data:
        return
    version = data[0]
    if version != VERSION:
        why = "RTMPE: encrypted" if version in _ENCRYPTED else "3 expected: is this RTMP?"
        yield _part((0, 1), "C0 or S0", "Version", version, why)
        if len(data) > 1:
            yield not_understood(1, len(data), "no handshake of version 3", depth=1)
        return
    yield _part((0, 1), "C0 or S0", "Version", version)
    yield from _first_block(data)
    yield from _second_block(data)


def _part(span: Span, name: str, kind: str, value: object = ..., detail: str = "") -> Part:
    return Part(
        offset=span[0], spans=(span,), depth=1, name=name, kind=kind, value=value, detail=detail
    )


def _first_block(data: bytes) -> Iterator[Part]:
    """C1 or S1: time, version, random bytes, perhaps with a digest among them."""
    block = data[1 : 1 + HANDSHAKE_SIZE]
    name, end = "C1 or S1", 1 + HANDSHAKE_SIZE
    if len(block) < HANDSHAKE_SIZE:
        yield from _cut_short(1, len(data), name)
        return
    yield _part((1, 5), name, "Time", int.from_bytes(block[:4], "big"), "ms")
    version = ".".join(map(str, block[4:8]))
    yield _part((5, 9), name, "Version", ..., version if any(block[4:8]) else "0: no digest")
    signed = _signed(block)
    if signed is None:
        yield _part((9, end), name, "Random bytes")
        return
    start, detail = signed
    yield _part((9, start), name, "Random bytes")
    yield _part((start, start + DIGEST_SIZE), name, "Digest", ..., detail)
    yield _part((start + DIGEST_SIZE, end), name, "Random bytes")


def _signed(block: bytes) -> tuple[int, str] | None:
    """Where in the recording the digest is, and whose it is; None without a valid one."""
    if not any(block[4:8]):
        return None
    for who, identity in (("client", digest.CLIENT), ("server", digest.SERVER)):
        found = digest.find_digest(block, identity)
        if found is not None:
            offset = digest.SCHEMES[found[0]].digest_offset(block)
            return 1 + offset, f"valid, by the {who}'s key, scheme {found[0]}"
    return None


def _second_block(data: bytes) -> Iterator[Part]:
    """C2 or S2: an echo of the peer's block, or random bytes and a signature."""
    start, end = 1 + HANDSHAKE_SIZE, SIZE
    name = "C2 or S2"
    if len(data) < end:
        yield from _cut_short(start, len(data), name)
        return
    yield _part((start, start + 4), name, "Time", ..., "of the peer's block, if it is an echo")
    yield _part((start + 4, start + 8), name, "Time read", ..., "or the peer's version")
    yield _part((start + 8, end - DIGEST_SIZE), name, "Echo or random bytes")
    yield _part((end - DIGEST_SIZE, end), name, "Echo or signature")


def _cut_short(start: int, end: int, name: str) -> Iterator[Part]:
    if start < end:
        yield _part((start, end), name, "Cut short", ..., "the recording ends here")
