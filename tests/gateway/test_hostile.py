"""What hostile bodies may cause: faults, 400, one line in the log; never an error of ours."""

import asyncio
import io
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from django.test import AsyncClient, RequestFactory

from amf_remoting import packet as packets
from amf_remoting import pool
from amf_remoting.conf import remoting_settings
from amf_remoting.exceptions import Fault
from amf_remoting.packet import Message, Packet, parse
from amf_remoting.pool import BoundedThreadPool
from amf_remoting.registry import registry, remote_method
from amf_remoting.views import agateway, gateway

from .conftest import Post

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "amf"
CAPTURED = sorted(CAPTURES.glob("*.bin"))
SEEDS = range(300)


def post_request(data: bytes) -> WSGIRequest:
    return RequestFactory().post("/gateway/", data, "application/x-amf")


def mutated(data: bytes, randomness: random.Random) -> bytes:
    """The data with a few bytes changed, removed, doubled or cut off."""
    body = bytearray(data)
    for _ in range(randomness.randint(1, 6)):
        at = randomness.randrange(len(body))
        match randomness.randrange(5):
            case 0:
                body[at] = randomness.randrange(256)
            case 1:
                body[at] ^= 1 << randomness.randrange(8)
            case 2 if len(body) > 8:
                del body[at : at + randomness.randint(1, 4)]
            case 3:
                body[at:at] = body[at : at + randomness.randint(1, 12)]
            case _ if len(body) > 12:
                del body[randomness.randint(7, len(body) - 1) :]
    return bytes(body)


@pytest.mark.usefixtures("exposed")
@pytest.mark.parametrize("capture", CAPTURED, ids=lambda path: path.stem)
def test_mutated_packets_get_answers_or_400(
    capture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = capture.read_bytes()
    for seed in SEEDS:
        response = gateway(post_request(mutated(data, random.Random(seed))))
        assert response.status_code in (200, 400), f"seed {seed}"
        if response.status_code == 200:
            parse(response.content)
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


def nested(depth: int) -> bytes:
    """A call of echo.echo with an AMF0 array in an array in an array…"""
    body = b"\x0a\0\0\0\x01" * depth + b"\x05"
    return b"\0\0\0\0\0\x01\0\x09echo.echo\0\x02/1" + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("depth", [200_000, 1_000, 300])
def test_deep_nesting_is_a_fault(post: Post, depth: int) -> None:
    response = post(nested(depth))
    (answer,) = parse(response.content).messages
    assert answer.target_uri == "/1/onStatus"
    assert answer.value["code"] == "Client.BadMessage"


@pytest.mark.parametrize(("depth", "kept"), [(0, 1), (5000, 1000), (300, 300)])
def test_the_depth_stays_within_what_the_codec_bears(
    post: Post, exposed: Any, depth: int, kept: int
) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_DEPTH": depth}
    assert remoting_settings().depth == kept
    assert post(Packet(0, [], [Message("math.add", "/1", [1, 2])])).status_code == 200


def test_a_deep_result_is_a_fault(post: Post) -> None:
    @remote_method
    def deep() -> Any:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        return value

    registry.expose("deep", deep)
    try:
        for version in (0, 3):
            packet = Packet(version, [], [Message("deep", "/1", [], encoding=version)])
            (answer,) = parse(post(packet).content).messages
            assert (answer.target_uri, answer.value["code"]) == ("/1/onStatus", "Server.BadResult")
    finally:
        registry.withdraw("deep")


def test_references_do_not_multiply_the_response(post: Post, exposed: Any) -> None:
    # 100 letters once and 10,000 references to them are a megabyte in AMF0.
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_RESPONSE_SIZE": 100_000}
    text = "x" * 100
    request_packet = Packet(3, [], [Message("echo.args", "/1", [text] * 10_000, encoding=3)])
    small = request_packet.serialize()
    assert len(small) < 25_000
    response = post(small)
    assert response.status_code == 200
    assert len(response.content) < 110_000


def test_a_packet_of_very_many_messages_is_refused(post: Post, exposed: Any) -> None:
    one = b"\0\x01x\0\x02/1\0\0\0\x05\x0a\0\0\0\0"
    response = post(b"\0\0\0\0\x03\xe9" + one * 1001)
    assert (response.status_code, response.content) == (413, b"1000 messages at most\n")
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_MESSAGES": 1001}
    response = post(b"\0\0\0\0\x03\xe9" + one * 1001)
    assert len(parse(response.content).messages) == 1001


class Unread(io.BytesIO):
    """A body that fails the test when it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(f"{size} bytes were read")


@pytest.mark.parametrize("declared", ["101", "9" * 5000], ids=["101", "5,000 digits"])
def test_a_body_that_declares_too_much_is_not_read(exposed: Any, declared: str) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_REQUEST_SIZE": 100}
    request = post_request(b"x")
    request.META["CONTENT_LENGTH"] = declared
    request._stream = Unread()
    assert gateway(request).status_code == 413


@pytest.mark.usefixtures("exposed")
def test_a_body_that_ends_too_early_is_refused() -> None:
    class HungUp(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise UnreadablePostError("the client has gone")

    request = post_request(b"x")
    request._stream = HungUp()
    response = gateway(request)
    assert (response.status_code, response.content) == (400, b"the body ends too early\n")


@pytest.mark.parametrize(("size", "status"), [(100, 400), (101, 413)])
async def test_a_body_without_a_declared_length_is_measured(
    exposed: Any, size: int, status: int
) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_REQUEST_SIZE": 100}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/gateway/",
        "headers": [(b"content-type", b"application/x-amf"), (b"transfer-encoding", b"chunked")],
    }
    request = ASGIRequest(scope, io.BytesIO(b"\xff" * size))
    assert (await agateway(request)).status_code == status


async def test_a_large_packet_is_refused_while_the_pool_is_full(
    exposed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    full = BoundedThreadPool(threads=1, max_waiting=0)
    monkeypatch.setitem(pool._pools, "methods", full)
    gate = threading.Event()
    full.submit(gate.wait, 10)
    body = Packet(0, [], [Message("echo.echo", "/1", ["x" * 70_000])]).serialize()
    response = await AsyncClient().post("/gateway/", body, content_type="application/x-amf")
    gate.set()
    full.shutdown()
    assert (response.status_code, response.content) == (
        503,
        b"too many calls are waiting; try again\n",
    )


async def test_calls_that_are_given_up_while_they_wait_keep_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = BoundedThreadPool(threads=1, max_waiting=2)
    monkeypatch.setitem(pool._pools, "methods", full)
    gate, ran = threading.Event(), []
    stuck = asyncio.create_task(pool.run_in_pool(lambda: gate.wait(10)))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(pool.run_in_pool(lambda: ran.append(1))) for _ in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
    with pytest.raises(Fault, match="too many calls are waiting"):
        await pool.run_in_pool(list)
    gate.set()
    assert await stuck
    full.shutdown()
    assert not ran


def test_a_large_packet_is_decoded_off_the_loop(
    post: Post, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    threads: list[str] = []
    whole = packets.parse

    def noted(data: bytes, **keys: Any) -> Packet:
        threads.append(threading.current_thread().name)
        return whole(data, **keys)

    monkeypatch.setattr(packets, "parse", noted)
    response = post(Packet(0, [], [Message("echo.echo", "/1", ["x" * 70_000])]))
    assert len(response.content) > 70_000
    under_asgi = "asgi" in request.node.callspec.id
    assert threads[0].startswith("amf-remoting") is under_asgi


@pytest.mark.parametrize("uri", [b"/" + b"1" * 65_534, b"\xff" * 65_535], ids=["long", "no UTF-8"])
def test_a_response_uri_that_no_answer_can_have_hurts_no_other(post: Post, uri: bytes) -> None:
    first = b"\0\x08math.add" + len(uri).to_bytes(2, "big") + uri + b"\0\0\0\5\x0a\0\0\0\0"
    second = Packet(0, [], [Message("math.add", "/2", [1, 2])]).serialize()[6:]
    (answer,) = parse(post(b"\0\0\0\0\0\2" + first + second).content).messages
    assert (answer.target_uri, answer.value) == ("/2/onResult", 3)


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000], ids=["no digit", "too many digits"])
@pytest.mark.usefixtures("exposed")
def test_odd_content_lengths_are_no_server_errors(length: str) -> None:
    request = RequestFactory().generic(
        "POST", "/gateway/", b"x", "application/x-amf", CONTENT_LENGTH=length
    )
    assert gateway(request).status_code in (400, 413)


@pytest.mark.usefixtures("exposed")
def test_an_echo_that_cannot_be_encoded_is_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """AMF0 has members without a name, AMF3 has not."""
    body = b"\x0a\0\0\0\1\x03\0\0\5\0\0\x09"
    call = b"\0\x09echo.echo\0\2/1" + len(body).to_bytes(4, "big") + body
    response = gateway(post_request(b"\0\3\0\0\0\1" + call))
    (answer,) = parse(response.content).messages
    assert answer.value["code"] == "Server.BadResult"
    assert "empty name" in answer.value["description"]
    (record,) = caplog.records
    assert record.exc_info is None


@pytest.mark.usefixtures("exposed")
@pytest.mark.parametrize("debug", [False, True])
def test_why_a_result_breaks_while_it_is_encoded_is_no_callers_business(
    settings: Any, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    @remote_method
    def rows() -> Any:
        yield 1
        raise RuntimeError("secret")

    settings.DEBUG = debug
    registry.expose("rows", rows)
    try:
        response = gateway(post_request(Packet(0, [], [Message("rows", "/1", [])]).serialize()))
    finally:
        registry.withdraw("rows")
    (answer,) = parse(response.content).messages
    assert answer.value["code"] == "Server.BadResult"
    assert ("secret" in answer.value["description"]) is debug
    assert "RuntimeError: secret" in caplog.text
