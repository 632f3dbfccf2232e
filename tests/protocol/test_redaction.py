"""Recorded conversations without the secrets in them."""

from __future__ import annotations

import struct

import pytest

from rtmp_channels.explanation import explain
from rtmp_channels.explanation.redaction import redacted
from rtmp_channels.protocol import Connection

from .chunks import message, u32
from .peers import PLAIN_HANDSHAKE, call, command, connect
from .replay import NAMES, captured, replay

KEY = "cam-7?secret=ünïq"


def conversation() -> bytes:
    return b"".join(
        (
            PLAIN_HANDSHAKE,
            message(u32(4096), type=1),
            connect(tcUrl="rtmp://h/app?ticket=abcdef", password="hunter2"),
            call("login", 2, "joe", {"newPassword": "open sesame", "name": "Joe"}),
            call("releaseStream", 3, KEY),
            call("createStream", 4),
            call("publish", 5, KEY, "live", stream=1),
        )
    )


def texts(data: bytes) -> list[object]:
    return [part.value for part in explain(data) if part.kind in ("String", "Long String")]


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(("_play", "_pull"))])
def test_players_have_no_secrets(name):
    assert redacted(captured(name)).data == captured(name)


def test_keys_passwords_and_queries_are_overwritten_in_their_place():
    data = conversation()
    found = redacted(data)
    assert len(found.data) == len(data)
    for secret in (b"hunter2", b"sesame", b"abcdef", b"cam-7", KEY.encode()):
        assert secret not in found.data
    shown = texts(found.data)
    assert f"rtmp://h/app?{'*' * 13}" in shown
    assert "Joe" in shown
    assert shown.count("*" * len(KEY.encode())) == 2
    assert found.targets == ["connect", "login", "releaseStream", "createStream", "publish"]
    assert [part.offset for part in explain(found.data)] == [part.offset for part in explain(data)]


def test_numbers_and_what_is_inside_of_a_secret():
    data = b"".join(
        (
            PLAIN_HANDSHAKE,
            connect(password=4711.5, token={"pin": 815, "more": ["deep secret"], "none": None}),
            call("login", 2, {"PassWord": 4711, "age": 36, "command name": "secret"}),
            call("echo", 3, b"bytes", {"secret": b"hidden", "x": [4711.5]}),
        )
    )
    found = redacted(data)
    assert len(found.data) == len(data)
    assert found.secrets == {"deep secret"}
    assert found.targets == ["connect", "login", "echo"]
    stars = struct.unpack(">d", b"*" * 8)[0]
    shown = [(part.name, part.value) for part in explain(found.data) if part.depth > 1]
    values = [(name, value) for name, value in shown if value is not ... and name]
    assert values[2:] == [
        *[("password", stars), ("pin", stars), ("0", "*" * 11), ("none", None)],
        *[("PassWord", stars), ("age", 36), ("command name", "secret")],
        *[("secret", b"*" * 6), ("0", 4711.5)],
    ]


def test_a_chunk_that_begins_inside_of_a_secret():
    token = {f"part {number}": [f"deep {number:02}", number + 0.5] for number in range(20)}
    data = PLAIN_HANDSHAKE + connect(token=token, name="Joe")
    found = redacted(data)
    assert found.data.count(b"\xc3") > 3
    assert found.secrets == {f"deep {number:02}" for number in range(20)}
    shown = [part.value for part in explain(found.data) if part.depth == 4]
    assert shown == ["*" * 7, struct.unpack(">d", b"*" * 8)[0]] * 20
    assert "Joe" in texts(found.data)


def test_arguments_of_connect_are_a_login():
    data = PLAIN_HANDSHAKE + command("connect", 1, {"app": "lobby"}, ["joe", 4711, {"a": "open"}])
    found = redacted(data)
    for secret in (b"joe", b"open", struct.pack(">d", 4711)):
        assert secret in data
        assert secret not in found.data
    assert found.secrets == {"joe", "open"}


def test_what_the_server_says_of_a_key_is_overwritten_too():
    connection = Connection()
    replay(connection, iter([conversation()]))
    answers = connection.data_to_send()
    assert KEY.encode() in answers
    secrets = redacted(conversation()).secrets
    found = redacted(answers, secrets=secrets)
    assert KEY.encode() not in found.data
    assert found.targets.count("_result") == 3


def test_half_a_key_does_not_stay():
    data = conversation()
    end = data.rindex(KEY.encode()) + 5
    assert b"cam-7" in redacted(data[:end]).data[-10:], "not cut by us: a broken conversation"
    assert b"cam" not in redacted(data[:end], is_cut=True).data


@pytest.mark.parametrize("data", [b"", b"\x03", b"GET / HTTP/1.1"])
def test_what_is_no_conversation(data):
    assert redacted(data).data == data


@pytest.mark.parametrize("name", ["newPassword", "token"])
def test_secrets_in_latin_1(name):
    said = "pass-\xfc\xdf-word"
    stand_in = "X" * len(said)
    data = b"".join(
        (
            PLAIN_HANDSHAKE,
            connect(),
            call("login", 2, "joe", {name: stand_in}),
            call("echo", 3, f"again {stand_in}!"),
        )
    ).replace(stand_in.encode(), said.encode("latin-1"))
    found = redacted(data)
    assert found.secrets == {said}
    assert len(found.data) == len(data)
    assert said.encode("latin-1") not in found.data
    assert f"again {stand_in.replace('X', '*')}!" in texts(found.data)
