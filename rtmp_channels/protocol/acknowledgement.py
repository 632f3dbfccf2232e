"""Acknowledgement windows, both ways (RTMP 1.0 §5.4.3 to §5.4.5). Counts wrap at 2**32."""

from __future__ import annotations

from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS


class ReceiveWindow:
    """Counts what the peer sent, and says when to acknowledge it."""

    def __init__(self) -> None:
        self.size = 0
        """The peer's Window Acknowledgement Size; 0 until it sends one."""
        self.received = 0
        self._acknowledged = 0

    def receive(self, size: int) -> int | None:
        """Counts bytes; returns the sequence number to send when half the window is used up."""
        self.received += size
        if not self.size or self.received - self._acknowledged < self.size / 2:
            return None
        self._acknowledged = self.received
        return self.received % TIMESTAMP_MODULUS


class SendWindow:
    """Counts what we hand out; what is unacknowledged is information, never a reason to stall."""

    __slots__ = ("announced", "sent")

    def __init__(self) -> None:
        self.announced = 0
        """The Window Acknowledgement Size we sent last."""
        self.sent = 0
        """Bytes so far."""

    def outstanding(self, sequence_number: int) -> int:
        """Bytes on their way, by the peer's Acknowledgement, modulo 2**32.

        Peers that do not count the handshake seem 3,073 bytes late; one that counts bytes we have
        not handed out yet is taken to have seen all.
        """
        distance = (self.sent - sequence_number) % TIMESTAMP_MODULUS
        return distance if distance <= TIMESTAMP_MODULUS // 2 else 0
