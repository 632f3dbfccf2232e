"""Names of applications and streams, taken apart as clients write them, and of methods."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from rtmp_channels.protocol.errors import LocalProtocolError

_PREFIXES = ("mp4", "flv", "mp3")


class StreamName(NamedTuple):
    """ "mp4:clips/intro?token=x" is ("clips/intro", "token=x", "mp4")."""

    name: str
    query_string: str
    prefix: str


def split_stream_name(text: str) -> StreamName:
    """Takes a query and a file type's prefix off a stream's name."""
    prefix, colon, rest = text.partition(":")
    if not colon or prefix not in _PREFIXES:
        prefix, rest = "", text
    name, _, query_string = rest.partition("?")
    return StreamName(name, query_string, prefix)


def split_app(app: str, tc_url: str) -> tuple[str, str]:
    """`connect`'s application without query and outer slashes, and the query of either."""
    path, _, query_string = app.partition("?")
    if not query_string:
        try:
            query_string = urlsplit(tc_url).query
        except ValueError:  # "rtmp://[": a query in there is nobody's intention
            query_string = ""
    return path.strip("/"), query_string


def method_name(name: object) -> str:
    """The name itself; raises LocalProtocolError for what is no text.

    For names from outside this floor: machine code raises TypeError for them, Python nothing.
    """
    if not isinstance(name, str):
        raise LocalProtocolError(f"a method's name is text, not {type(name).__name__}")
    return name
