"""Names of applications and streams."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol import LocalProtocolError
from rtmp_channels.protocol.names import method_name, split_app, split_stream_name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("feed", ("feed", "", "")),
        ("feed?token=x&b=1", ("feed", "token=x&b=1", "")),
        ("mp4:clips/intro.mp4", ("clips/intro.mp4", "", "mp4")),
        ("flv:a?b", ("a", "b", "flv")),
        ("mp3:song", ("song", "", "mp3")),
        ("other:song", ("other:song", "", "")),
        ("a?mp4:b", ("a", "mp4:b", "")),
        ("", ("", "", "")),
    ],
)
def test_stream_names_have_prefixes_and_queries(text, parts):
    assert split_stream_name(text) == parts


@pytest.mark.parametrize(
    ("app", "tc_url", "result"),
    [
        ("live", "rtmp://h/live", ("live", "")),
        ("app/inst", "rtmp://h/app/inst", ("app/inst", "")),
        ("a/b/c/", "", ("a/b/c", "")),
        ("live?key=1", "rtmp://h/live?key=2", ("live", "key=1")),
        ("live", "rtmp://h/live?id=feed", ("live", "id=feed")),
        ("", "rtmp://h/", ("", "")),
        ("live", "rtmp://[", ("live", "")),
    ],
    ids=["one", "instance", "slash", "query", "tcUrl", "empty", "broken url"],
)
def test_app_may_hold_segments_a_query_a_trailing_slash_or_nothing(app, tc_url, result):
    assert split_app(app, tc_url) == result


def test_methods_have_names_of_text():
    assert method_name("onSay") == "onSay"
    for name in (5, None, b"onSay"):
        with pytest.raises(LocalProtocolError, match=f"not {type(name).__name__}"):
            method_name(name)
