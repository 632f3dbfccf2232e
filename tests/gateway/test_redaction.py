"""Packets without the passwords in them."""

import base64
from pathlib import Path
from typing import Any

import pytest

from amf_remoting.amf import XML, Dictionary, XMLDocument
from amf_remoting.flex.messages import CommandMessage, Operation, RemotingMessage
from amf_remoting.flex.small_messages import small
from amf_remoting.packet import Header, Message, Packet, parse
from amf_remoting.redaction import redacted

CAPTURES = sorted((Path(__file__).parents[1] / "captures" / "amf").glob("*.bin"))
SECRET = "pässword 🎈"
LOGIN = base64.b64encode(f"zoë:{SECRET}".encode()).decode()


def packet(*values: Any, headers: Any = (), encoding: Any = 0) -> bytes:
    messages = [
        Message(f"math.add{number}", f"/{number}", value, encoding=encoding)
        for number, value in enumerate(values, 1)
    ]
    return Packet(encoding, list(headers), messages).serialize()


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_other_packets_stay_as_they_are(capture: Path) -> None:
    assert redacted(capture.read_bytes()).data == capture.read_bytes()


def test_credentials_are_overwritten_in_their_place() -> None:
    value = {"userid": "zoë", "password": SECRET}
    data = packet([1, 2], headers=[Header("Credentials", True, value)])
    found = redacted(data)
    assert len(found.data) == len(data)
    (header,) = parse(found.data).headers
    assert header.value == {"userid": "****", "password": "*" * len(SECRET.encode())}
    assert parse(found.data).messages == parse(data).messages
    assert found.targets == ["math.add1"]


@pytest.mark.parametrize("encoding", [0, 3])
@pytest.mark.parametrize(
    "name",
    [
        *("password", "newPassword", "access_token", "clientSecret", "userPwd", "passphrase"),
        *("apiKey", "API_KEY", "accessKey", "aws_access_key", "privateKey", "private_key_2"),
    ],
)
def test_members_with_telling_names(name: str, encoding: Any) -> None:
    data = packet([{"a": 1, name: SECRET, "again": [SECRET]}], encoding=encoding)
    found = redacted(data)
    assert SECRET.encode() not in found.data
    ((value,),) = [message.value for message in parse(found.data).messages]
    assert value["a"] == 1
    assert value[name] == value["again"][0] == "*" * len(SECRET.encode()), "also by reference"


@pytest.mark.parametrize("encoding", [0, 3])
def test_what_is_inside_of_a_secret(encoding: Any) -> None:
    data = packet(
        [{"tokens": {"first": SECRET, "pins": [4711.5, None]}, "a": 1}], encoding=encoding
    )
    ((value,),) = [message.value for message in parse(redacted(data).data).messages]
    assert value["tokens"]["first"] == "*" * len(SECRET.encode())
    assert value["tokens"]["pins"] == [pytest.approx(1.4260258159703532e-105), None]
    assert value["a"] == 1


@pytest.mark.parametrize("make", [lambda message: message, small], ids=["long", "small"])
def test_logins_of_flex(make: Any) -> None:
    message = CommandMessage(operation=Operation.LOGIN, body=LOGIN, destination="auth")
    data = packet([make(message)], encoding=3)
    assert LOGIN.encode() in data
    found = redacted(data)
    assert LOGIN.encode() not in found.data
    assert len(found.data) == len(data)
    assert parse(found.data).messages[0].error is None


def test_what_flex_calls() -> None:
    message = RemotingMessage(destination="people", operation="get", body=["Ada"])
    data = Packet(3, [], [Message("null", "/1", [message], encoding=3)]).serialize()
    assert redacted(data).targets == ["people.get"]


def test_faults_are_counted() -> None:
    messages = [Message("/1/onResult", "", 1), Message("/2/onStatus", "", {})]
    assert redacted(Packet(0, [], messages).serialize()).faults == 1


def test_half_a_password_does_not_stay() -> None:
    data = packet([{"a": 1, "password": SECRET}])
    end = data.index("ä".encode()) + 2
    assert b"p\xc3\xa4" in redacted(data[:end]).data, "whole packets stay, broken as they are"
    found = redacted(data[:end], is_cut=True)
    assert b"p\xc3\xa4" not in found.data
    assert found.data == data[: len(found.data)]
    assert found.data.endswith(bytes(2)), "all that was understood stays"


@pytest.mark.parametrize("data", [b"", b"\0", b"GET / HTTP/1.1", b"\0\0\0\1\xff\xff"])
def test_what_is_no_packet(data: bytes) -> None:
    assert redacted(data).data == data
    assert redacted(data).targets == []


@pytest.mark.parametrize(
    "written",
    ["pässwörd".encode("latin-1"), b"p\xed\xa0\xbd\xed\xb8\x80w", b"p\xe4\xf6w\xff\xe2\x82"],
    ids=["latin-1", "CESU-8", "no UTF-8 at its end"],
)
@pytest.mark.parametrize("encoding", [0, 3])
def test_secrets_that_are_not_utf8(written: bytes, encoding: Any) -> None:
    stand_in = "X" * len(written)
    value = [{"password": stand_in, "name": "zoë"}, stand_in]
    data = packet(value, encoding=encoding).replace(stand_in.encode(), written)
    found = redacted(data)
    assert written not in found.data
    assert len(found.data) == len(data)
    (message,) = parse(found.data).messages
    stars = "*" * len(written)
    assert message.value == [{"password": stars, "name": "zoë"}, stars]
    (said,) = parse(data).messages[0].value[1:]
    assert found.secrets == {said}
    assert said.encode() not in redacted(packet([said]), secrets=found.secrets).data


@pytest.mark.parametrize("encoding", [0, 3])
@pytest.mark.parametrize(
    "secret", [7, -7, 200, 20_000, 3_000_000, 123_456_789, 0.5, b"bytes"], ids=repr
)
def test_secrets_that_are_no_texts(secret: Any, encoding: Any) -> None:
    if secret == b"bytes":
        encoding = 3
    data = packet([{"token": secret, "name": 5}], "after", encoding=encoding)
    found = redacted(data)
    assert len(found.data) == len(data)
    first, second = parse(found.data).messages
    assert first.value[0]["name"] == 5
    assert first.value[0]["token"] != secret
    assert second.value == parse(data).messages[1].value


def test_credentials_that_are_numbers() -> None:
    data = packet([1], headers=[Header("Credentials", False, {"userid": 7, "password": 1234})])
    (header,) = parse(redacted(data).data).headers
    assert header.value["userid"] != 7
    assert header.value["password"] != 1234


def test_what_the_gateway_reads_is_looked_into() -> None:
    nested: Any = {"password": SECRET}
    for _ in range(240):
        nested = [nested]
    assert SECRET.encode() not in redacted(packet([nested])).data


@pytest.mark.parametrize("encoding", [0, 3])
@pytest.mark.parametrize(
    "value",
    [
        {"password": XML(SECRET)},
        {"password": XMLDocument(SECRET)},
        Dictionary([("newPassword", [SECRET]), ("a", 1)]),
    ],
    ids=["XML", "XML document", "Dictionary"],
)
def test_xml_and_the_values_of_dictionaries(value: Any, encoding: Any) -> None:
    data = packet([value, "as it is"], encoding=encoding)
    found = redacted(data).data
    assert SECRET.encode() not in found
    assert len(found) == len(data)
    (message,) = parse(found).messages
    assert message.error is None
    assert message.value[1] == "as it is"
