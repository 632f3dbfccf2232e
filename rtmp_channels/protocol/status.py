"""Status objects: what onStatus, and connect's answer, carry (RTMP 1.0 §7.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONNECT_SUCCESS = "NetConnection.Connect.Success"
CONNECT_REJECTED = "NetConnection.Connect.Rejected"
CALL_FAILED = "NetConnection.Call.Failed"
CALL_BAD_VERSION = "NetConnection.Call.BadVersion"
PUBLISH_START = "NetStream.Publish.Start"
PUBLISH_BAD_NAME = "NetStream.Publish.BadName"
UNPUBLISH_SUCCESS = "NetStream.Unpublish.Success"
PLAY_RESET = "NetStream.Play.Reset"
PLAY_START = "NetStream.Play.Start"
PLAY_STOP = "NetStream.Play.Stop"
PLAY_COMPLETE = "NetStream.Play.Complete"
PLAY_FAILED = "NetStream.Play.Failed"
PLAY_STREAM_NOT_FOUND = "NetStream.Play.StreamNotFound"


def status(code: str, description: str, **more: Any) -> dict[str, Any]:
    """An information object of level "status"."""
    return {"level": "status", "code": code, "description": description, **more}


def error(code: str, description: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An information object of level "error"."""
    return {"level": "error", "code": code, "description": description, **(more or {})}
