"""Sessions of these tests."""

import pytest

from rtmp_channels.open_sessions import OpenSessions, open_sessions


@pytest.fixture(autouse=True)
async def sessions(monkeypatch):
    """The sessions of one test, all of them ended with it."""
    sessions = OpenSessions()
    monkeypatch.setattr(open_sessions, "get", lambda: sessions)
    yield sessions
    sessions.end_all()
    await sessions.all_closed(0.01)
