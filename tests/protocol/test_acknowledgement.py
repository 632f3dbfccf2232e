"""Acknowledgement windows, both ways (RTMP 1.0 §5.4.3)."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol.acknowledgement import ReceiveWindow, SendWindow


def test_nothing_is_acknowledged_before_the_peer_names_a_window():
    assert ReceiveWindow().receive(1 << 30) is None


def test_an_acknowledgement_is_due_at_half_the_window():
    window = ReceiveWindow()
    window.size = 1000
    assert [window.receive(250) for _ in range(6)] == [None, 500, None, 1000, None, 1500]


def test_the_handshake_counts():
    window = ReceiveWindow()
    window.receive(3073)
    window.size = 1000
    assert window.receive(1) == 3074


def test_received_bytes_are_counted_modulo_two_to_the_32():
    window = ReceiveWindow()
    window.receive((1 << 32) - 10)
    window.size = 20
    assert window.receive(15) == 5
    assert window.receive(9) is None
    assert window.receive(1) == 15


@pytest.mark.parametrize(
    ("sent", "acknowledged", "outstanding"),
    [
        (5000, 5000, 0),
        (5000, 4000, 1000),
        (5000, 5000 - 3073, 3073),
        ((1 << 32) + 100, 50, 50),
        ((1 << 32) + 100, (1 << 32) - 100, 200),
        (5000, 6000, 0),
    ],
    ids=["all", "some", "without the handshake", "wrapped", "across the wrap", "ahead of us"],
)
def test_outstanding_bytes(sent, acknowledged, outstanding):
    window = SendWindow()
    window.sent += sent
    assert window.outstanding(acknowledged) == outstanding
