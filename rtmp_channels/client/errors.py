"""What a client can meet beyond `exceptions`.

RtmpError
├── ConnectFailed       the server rejected `connect`, or ended it
├── SharedObjectFailed  the server refused the use of a shared object
└── StreamFailed        the server refused to publish or play
"""

from __future__ import annotations

from typing import Any

from rtmp_channels.exceptions import RtmpError


class _Refused(RtmpError):
    """The server said no, and mostly why."""

    def __init__(self, information: Any) -> None:
        known = isinstance(information, dict)
        self.information = information
        """What the server sent: mostly {"level", "code", "description"}."""
        self.code = str(information.get("code", "")) if known else ""
        """For example "NetConnection.Connect.Rejected"."""
        description = information.get("description", "") if known else information
        super().__init__((f"{self.code}: {description}" if self.code else str(description))[:200])


class ConnectFailed(_Refused):
    """The server rejected `connect`, or the connection ended before its answer."""


class StreamFailed(_Refused):
    """The server refused to publish or play, or the stream's name is taken."""


class SharedObjectFailed(_Refused):
    """The server refused the use: `code` "SharedObject.NoReadAccess" and the like."""
