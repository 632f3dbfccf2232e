"""The handshake's HMAC digests, which the specification leaves out; Flash Player insists on them.

C1 and S1 hide a 32-byte HMAC-SHA256 of their other 1,504 bytes at one of two computed places (the
schemes). C2 and S2 end with a signature made from the other side's digest.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

HANDSHAKE_SIZE = 1536
DIGEST_SIZE = 32

_TAIL = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
_CLIENT_NAME = b"Genuine Adobe Flash Player 001"
_SERVER_NAME = b"Genuine Adobe Flash Media Server 001"


@dataclass(frozen=True, slots=True)
class _Scheme:
    """Where four bytes lie whose sum says how far behind them the digest is."""

    sum_at: int

    def digest_offset(self, block: bytes) -> int:
        return self.sum_at + 4 + sum(block[self.sum_at : self.sum_at + 4]) % 728


SCHEMES = (_Scheme(772), _Scheme(8))


@dataclass(frozen=True, slots=True)
class Identity:
    """The keys that one side signs with."""

    digest_key: bytes
    """For its own C1 or S1."""
    signature_key: bytes
    """For its C2 or S2."""


CLIENT = Identity(_CLIENT_NAME, _CLIENT_NAME + _TAIL)
SERVER = Identity(_SERVER_NAME, _SERVER_NAME + _TAIL)


def find_digest(block: bytes, identity: Identity) -> tuple[int, bytes] | None:
    """The scheme (0 or 1) and the digest of a C1 or S1; None when it holds no valid one."""
    for number, scheme in enumerate(SCHEMES):
        offset = scheme.digest_offset(block)
        digest = block[offset : offset + DIGEST_SIZE]
        if hmac.compare_digest(digest, _block_digest(block, offset, identity)):
            return number, digest
    return None


def insert_digest(block: bytes, scheme: int, identity: Identity) -> tuple[bytes, bytes]:
    """A C1 or S1 with its digest in place, and that digest."""
    offset = SCHEMES[scheme].digest_offset(block)
    digest = _block_digest(block, offset, identity)
    return block[:offset] + digest + block[offset + DIGEST_SIZE :], digest


def sign(filling: bytes, peer_digest: bytes, identity: Identity) -> bytes:
    """A C2 or S2: 1,504 bytes of filling and the signature that answers the peer's digest."""
    return filling + _signature(filling, peer_digest, identity)


def is_signed(block: bytes, own_digest: bytes, identity: Identity) -> bool:
    """Whether a C2 or S2 from `identity` answers the digest that we sent."""
    filling, signature = block[:-DIGEST_SIZE], block[-DIGEST_SIZE:]
    return hmac.compare_digest(signature, _signature(filling, own_digest, identity))


def _signature(filling: bytes, digest: bytes, identity: Identity) -> bytes:
    key = hmac.digest(identity.signature_key, digest, "sha256")
    return hmac.digest(key, filling, "sha256")


def _block_digest(block: bytes, offset: int, identity: Identity) -> bytes:
    rest = block[:offset] + block[offset + DIGEST_SIZE :]
    return hmac.digest(identity.digest_key, rest, "sha256")
