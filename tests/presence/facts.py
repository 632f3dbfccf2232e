"""Facts for tests."""

from datetime import UTC, datetime

from rtmp_channels.connections.facts import Facts


def facts(connection_id="a" * 32, **changes):
    values = {
        "user": None,
        "address": "192.0.2.1",
        "transport": "rtmp",
        "path": "lobby/room1",
        "program": "LNX 9,0,124,2",
        "opened": datetime(2026, 11, 1, tzinfo=UTC),
        "round_trip": 20,
        "received": 3_500,
        "sent": 4_500,
    }
    return Facts(connection_id=connection_id, **{**values, **changes})
