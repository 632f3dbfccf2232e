"""Why a stream is not to be had."""

from __future__ import annotations


class StreamRefused(Exception):
    """The base; `code` is for the client, the text for the log."""

    code = "NetStream.Failed"


class StreamBusy(StreamRefused):
    """Somebody else publishes it."""

    code = "NetStream.Publish.BadName"


class StreamNotFound(StreamRefused):
    """Nobody publishes it, and players do not wait here."""

    code = "NetStream.Play.StreamNotFound"


class StreamLimitExceeded(StreamRefused):
    """One of `StreamLimits`."""
