"""Flex messages as they are on the wire."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, Limits
from amf_remoting.flex.messages import (
    AbstractMessage,
    AcknowledgeMessage,
    AsyncMessage,
    CommandMessage,
    ErrorMessage,
    Operation,
    RemotingMessage,
)
from amf_remoting.flex.small_messages import (
    SmallAcknowledgeMessage,
    SmallAsyncMessage,
    SmallCommandMessage,
    small,
)
from amf_remoting.flex.streaming import KEEP_ALIVE, StreamReader, chunk
from amf_remoting.packet import parse

from .bytes_of import hexadecimal

CAPTURES = Path(__file__).parent.parent / "captures" / "amf"
ID = "0A1B2C3D-0000-1111-2222-333344445555"
ID_BYTES = hexadecimal("0C 21 0A1B2C3D000011112222333344445555")


@pytest.mark.fact(30)
def test_the_body_is_an_array_of_one_message() -> None:
    packet = parse((CAPTURES / "royale_ping.bin").read_bytes())
    (call,) = packet.messages
    (ping,) = call.value
    assert (call.target_uri, call.response_uri, call.encoding) == ("null", "/1", 3)
    assert isinstance(ping, CommandMessage)
    assert ping.operation == Operation.CLIENT_PING
    assert ping.header("DSId") == "nil"
    assert ping.header("DSMessagingVersion") == 1
    assert (ping.timestamp, ping.time_to_live) == (0, 0)


@pytest.mark.fact(30)
def test_operations() -> None:
    numbers = {operation.name: operation.value for operation in Operation}
    assert numbers == {
        "SUBSCRIBE": 0,
        "UNSUBSCRIBE": 1,
        "POLL": 2,
        "CLIENT_SYNC": 4,
        "CLIENT_PING": 5,
        "CLUSTER_REQUEST": 7,
        "LOGIN": 8,
        "LOGOUT": 9,
        "SUBSCRIPTION_INVALIDATE": 10,
        "MULTI_SUBSCRIBE": 11,
        "DISCONNECT": 12,
    }
    sent = amf.loads(amf.dumps(CommandMessage(operation=Operation.LOGIN)))
    assert sent.operation == 8


@pytest.mark.fact(30)
@pytest.mark.parametrize(("charset", "encoding"), [(None, "utf-8"), ("latin-1", "latin-1")])
def test_credentials_are_base64(charset: str | None, encoding: str) -> None:
    body = base64.b64encode("zoë:pass:word".encode(encoding)).decode()
    headers = {"DSCredentialsCharset": charset} if charset else None
    login = CommandMessage(operation=Operation.LOGIN, body=body, headers=headers)
    assert login.credentials() == ("zoë", "pass:word")


@pytest.mark.parametrize("body", [None, 5, "!", "YQ", base64.b64encode(b"nobody").decode()])
def test_credentials_that_are_none(body: object) -> None:
    with pytest.raises(DecodeError, match="user:password"):
        CommandMessage(body=body).credentials()


def test_an_unknown_charset_is_no_server_error() -> None:
    login = CommandMessage(body="YTpi", headers={"DSCredentialsCharset": "klingon"})
    with pytest.raises(DecodeError):
        login.credentials()


@pytest.mark.fact(31)
def test_acknowledgements_and_errors_round_trip() -> None:
    answers: list[AbstractMessage] = [
        AcknowledgeMessage(correlation_id=ID, body=[1]),
        ErrorMessage(
            correlation_id=ID,
            fault_code="Server.Processing",
            fault_string="no",
            fault_detail="why",
            extended_data={"a": 1},
            root_cause={"b": 2},
        ),
        AsyncMessage(destination="chat", headers=None, timestamp=1.5),
        RemotingMessage(destination="echo", operation="echo", source=None, body=[None]),
    ]
    for answer in answers:
        encoded = amf.dumps(answer)
        assert amf.loads(encoded) == answer
        assert f"flex.messaging.messages.{type(answer).__name__}".encode() in encoded
        assert b"messageId" in encoded
        assert b"message_id" not in encoded


def test_names_on_the_wire_are_camel_case() -> None:
    encoded = amf.dumps(ErrorMessage())
    for name in (b"correlationId", b"faultCode", b"extendedData", b"rootCause", b"timeToLive"):
        assert name in encoded


@pytest.mark.fact(32)
def test_small_messages_are_read_bit_by_bit() -> None:
    data = hexadecimal("0A 07 07 44534B")
    data += b"\xff\x03" + hexadecimal("06 07 626479")  # all of AbstractMessage; body "bdy"
    data += hexadecimal("06 03 63")  # clientId "c", overruled by its bytes below
    data += hexadecimal("06 03 64 0A 0B 01 01 06 03 6D 04 05 04 06")
    data += ID_BYTES + ID_BYTES
    data += b"\x02" + ID_BYTES  # AsyncMessage: correlationIdBytes
    data += b"\x00"  # AcknowledgeMessage
    message = amf.loads(data)
    assert isinstance(message, SmallAcknowledgeMessage)
    assert isinstance(message, AcknowledgeMessage)
    assert (message.body, message.destination, message.headers) == ("bdy", "d", {})
    assert (message.timestamp, message.time_to_live) == (5, 6)
    assert (message.client_id, message.message_id, message.correlation_id) == (ID, ID, ID)


@pytest.mark.fact(32)
def test_each_unknown_bit_carries_one_value_to_skip() -> None:
    data = hexadecimal("0A 07 07 445343")
    data += b"\x81\x84\x41" + hexadecimal("04 07  04 01  04 02 04 03")  # body; three unknown
    data += b"\x04" + hexadecimal("04 04")  # AsyncMessage: an unknown one
    data += b"\x03" + hexadecimal("04 05 04 06")  # CommandMessage: operation, an unknown one
    message = amf.loads(data)
    assert isinstance(message, SmallCommandMessage)
    assert (message.body, message.operation) == (7, 5)


@pytest.mark.fact(32)
@pytest.mark.parametrize("value", ["0C 03 41", "06 03 41", "01"])
def test_ids_in_bytes_have_16(value: str) -> None:
    with pytest.raises(DecodeError, match="16 bytes"):
        amf.loads(hexadecimal("0A 07 07 44534B 80 01") + hexadecimal(value) + b"\0\0")


@pytest.mark.fact(32)
@pytest.mark.parametrize(
    ("message", "alias", "cls"),
    [
        (AsyncMessage(body="x", message_id=ID, client_id="c"), b"DSA", SmallAsyncMessage),
        (
            CommandMessage(operation=Operation.SUBSCRIBE, message_id=ID),
            b"DSC",
            SmallCommandMessage,
        ),
        (
            AcknowledgeMessage(body=[1], correlation_id=ID, message_id=ID, timestamp=5.0),
            b"DSK",
            SmallAcknowledgeMessage,
        ),
        (AcknowledgeMessage(headers={}), b"DSK", SmallAcknowledgeMessage),
    ],
)
def test_small_messages_round_trip(
    message: AsyncMessage, alias: bytes, cls: type[AsyncMessage]
) -> None:
    short = small(message)
    assert type(short) is cls
    encoded = amf.dumps(short)
    assert encoded.startswith(b"\x0a\x07\x07" + alias)
    assert len(encoded) < 80
    assert amf.loads(encoded) == short
    assert ID.encode() not in encoded


@pytest.mark.fact(32)
def test_an_error_message_has_no_small_form() -> None:
    error = ErrorMessage()
    assert small(error) is error


@pytest.mark.fact(33)
def test_the_streaming_channel() -> None:
    opened = AcknowledgeMessage(correlation_id="open", body="stream-1")
    body = amf.dumps(opened)
    assert chunk(opened) == b"%X\r\n%b\r\n" % (len(body), body)
    stream = chunk(opened) + KEEP_ALIVE * 3 + chunk(AsyncMessage(body=1)) + KEEP_ALIVE
    reader = StreamReader()
    received = [
        message for n in range(len(stream)) for message in reader.receive_data(stream[n : n + 1])
    ]
    assert received == [opened, AsyncMessage(body=1)]
    assert StreamReader().receive_data(stream) == received


@pytest.mark.fact(33)
@pytest.mark.parametrize(
    "data",
    [b"xyz\r\n", b"123456789abc", b"-5\r\n", b"FFFFFFFF\r\n", b"1\r\n\x01XY", b"1\r\n\xff\r\n"],
    ids=["no number", "no end of line", "negative", "too large", "no CRLF", "no AMF"],
)
def test_a_broken_stream_is_an_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        StreamReader(limits=Limits(input_bytes=1000)).receive_data(data)


@pytest.mark.fact(34)
@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (amf.ArrayCollection, "ArrayCollection"),
        (amf.ArrayList, "ArrayList"),
        (amf.ObjectProxy, "ObjectProxy"),
        (amf.ManagedObjectProxy, "ManagedObjectProxy"),
    ],
)
def test_collections_have_one_value_inside(cls: type, name: str) -> None:
    value = cls([1, "a"])
    encoded = amf.dumps(value)
    assert encoded.startswith(b"\x0a\x07")
    assert f"flex.messaging.io.{name}".encode() in encoded
    assert encoded.endswith(amf.dumps([1, "a"]))
    assert amf.loads(encoded) == value
    assert amf.loads(amf.dumps(cls())) == cls()


def test_collections_behave_like_lists() -> None:
    collection = amf.ArrayCollection([1, 2])
    assert (list(collection), len(collection), collection[1]) == ([1, 2], 2, 2)
    assert repr(collection) == "ArrayCollection([1, 2])"
    assert list(amf.ArrayList({"no": "list"})) == []
    assert collection != amf.ArrayList([1, 2])
    assert amf.ObjectProxy().source == {}


def array_of_arrays(*, levels: int, first_index: int) -> bytes:
    """Each array holds the next one twice: inline and by reference (for tables of 64 entries)."""
    inward = b"\x09\x05\x01" * levels + b"\x09\x01\x01"
    outward = (bytes((0x09, (first_index + level) << 1)) for level in range(levels, 0, -1))
    return inward + b"".join(outward)


@pytest.mark.parametrize("flag", [0x02, 0x04, 0x10], ids=["clientId", "destination", "messageId"])
def test_an_id_of_a_small_message_is_text(flag: int) -> None:
    data = b"\x0a\x07\x07DSC" + bytes((flag,)) + array_of_arrays(levels=40, first_index=1)
    with pytest.raises(DecodeError, match="a list does not fit"):
        amf.loads(data + b"\x00\x01\x04\x05")


def test_headers_of_a_small_message_are_an_object() -> None:
    with pytest.raises(DecodeError, match="headers"):
        amf.loads(b"\x0a\x07\x07DSC\x08\x06\x03a\x00\x01\x04\x05")


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", 5])
def test_credentials_are_in_a_charset_of_flex(charset: object) -> None:
    login = CommandMessage(body="YTpi", headers={"DSCredentialsCharset": charset})
    with pytest.raises(DecodeError, match="iso-8859-1"):
        login.credentials()


def test_flex_can_be_imported_first() -> None:
    done = subprocess.run([sys.executable, "-c", "import amf_remoting.flex"], check=False)
    assert done.returncode == 0
