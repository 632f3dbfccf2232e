"""RemotingClient against a live server, AmfClient in process."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User

from amf_remoting.amf import Limits
from amf_remoting.client import AsyncRemotingClient, RemotingClient
from amf_remoting.conversation import Conversation, Pending
from amf_remoting.exceptions import RemoteFault, TransportError
from amf_remoting.packet import Header, Message, Packet, parse
from amf_remoting.testing import AmfClient, AsyncAmfClient

pytest_plugins = ["amf_remoting.pytest_fixtures"]


@pytest.fixture(autouse=True)
def _urls(exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"


def received(conversation: Conversation, packet: Packet, *calls: Pending) -> None:
    conversation.receive(packet.serialize(), list(calls))


class TestConversation:
    def test_a_request(self) -> None:
        conversation = Conversation("/g/", version=3)
        conversation.set_credentials("joe", "secret")
        conversation.add_header("X", 1, must_understand=True)
        packet = parse(conversation.request([Pending("a.b", (1,)), Pending("c.d", ())]))
        assert packet.version == 3
        assert [(one.name, one.must_understand, one.value) for one in packet.headers] == [
            ("Credentials", False, {"userid": "joe", "password": "secret"}),
            ("X", True, 1),
        ]
        assert [(one.target_uri, one.response_uri, one.value) for one in packet.messages] == [
            ("a.b", "/1", [1]),
            ("c.d", "/2", []),
        ]
        conversation.set_credentials("", "")
        assert list(conversation.headers) == ["X"]

    def test_outcomes(self) -> None:
        one, two, three = (Pending(f"a.{name}", ()) for name in "xyz")
        messages = [
            Message("/2/onStatus", "null", {"code": "A.B", "description": "no", "left": 1}),
            Message("/1/onResult", "null", 5),
            Message("/9/onResult", "null", 6),
            Message("/0/onResult", "null", 6),
            Message("/3/onDebugEvents", "null", []),
        ]
        received(Conversation("/g/"), Packet(0, [], messages), one, two, three)
        assert one.result() == 5
        with pytest.raises(RemoteFault) as caught:
            two.result()
        assert (caught.value.code, caught.value.description) == ("A.B", "no")
        assert caught.value.details == {"left": 1}
        with pytest.raises(TransportError, match=r"a\.z was not answered"):
            three.result()

    @pytest.mark.parametrize(
        ("status", "description"),
        [("plain text", "plain text"), (None, "None"), (5, "5"), ([1], "(list)")],
        ids=repr,
    )
    def test_a_status_that_is_no_object(self, status: Any, description: str) -> None:
        fault = RemoteFault.of(status)
        assert (fault.code, fault.description) == ("", description)

    def test_the_text_of_a_status_never_explodes(self) -> None:
        endless: list[Any] = []
        for _ in range(60):
            endless = [endless, endless]
        fault = RemoteFault.of({"code": endless, "description": endless})
        assert (fault.code, fault.description) == ("(list)", "(list)")

    def test_client_methods_and_headers(self, caplog: pytest.LogCaptureFixture) -> None:
        heard: list[Any] = []
        conversation = Conversation("http://h/g/", methods={"onNews": heard.append})
        headers = [
            Header("onNews", False, "by header"),
            Header("AppendToGatewayUrl", False, ";s=1"),
            Header("RequestPersistentHeader", False,
                   {"name": "T", "mustUnderstand": True, "data": 7}),
        ]  # fmt: skip
        messages = [Message("onNews", "null", "by message"), Message("unknown", "null", 1)]
        with caplog.at_level(logging.INFO):
            received(conversation, Packet(0, headers, messages))
        assert heard == ["by header", "by message"]
        assert "the gateway called 'unknown'" in caplog.text
        assert conversation.url == "http://h/g/;s=1"
        assert conversation.headers == {"T": Header("T", True, 7)}
        received(conversation, Packet(0, [Header("AppendToGatewayUrl", False, ";s=2")], []))
        assert conversation.url == "http://h/g/;s=2"

    @pytest.mark.parametrize(
        ("target", "elsewhere", "url"),
        [
            ("/h/", False, "http://h/h/"),
            ("http://h/h/", False, "http://h/h/"),
            ("http://evil/h/", False, "http://h/g/"),
            ("https://h/h/", False, "http://h/g/"),
            ("http://evil/h/", True, "http://evil/h/"),
        ],
    )
    def test_the_gateway_moves(self, target: str, elsewhere: bool, url: str) -> None:
        conversation = Conversation("http://h/g/", follow_elsewhere=elsewhere)
        received(conversation, Packet(0, [Header("ReplaceGatewayUrl", False, target)], []))
        assert conversation.url == url

    def test_a_move_to_what_is_no_address(self, caplog: pytest.LogCaptureFixture) -> None:
        conversation = Conversation("http://h/g/")
        received(conversation, Packet(0, [Header("ReplaceGatewayUrl", False, "http://[")], []))
        assert conversation.url == "http://h/g/"
        assert "move to 'http://[' is not followed" in caplog.text

    def test_what_a_client_call_does_hurts_no_answer(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_: Any) -> None:
            raise ZeroDivisionError

        heard: list[Any] = []
        methods = {"onFail": fail, "onBroken": heard.append}
        conversation = Conversation("http://h/g/", methods=methods)
        messages = [
            Message("onFail"),
            Message("onBroken", "null", "x"),
            Message(f"/{'1' * 5000}/onResult"),
            Message("/1/onResult", "null", 7),
        ]
        packet = Packet(0, [Header("onFail")], messages).serialize()
        assert packet.count(b"\x02\0\x01x") == 1
        one = Pending("a.b", ())
        conversation.receive(packet.replace(b"\x02\0\x01x", b"\x16\0\x01x"), [one])
        assert one.result() == 7
        assert heard == [], "a value that cannot be decoded is no None"
        assert "the gateway's call of 'onBroken' cannot be decoded" in caplog.text
        assert caplog.text.count("this client's method 'onFail' failed") == 2

    def test_what_is_appended_after_a_move_is_appended_to_the_new_address(self) -> None:
        conversation = Conversation("http://h/g/")
        received(conversation, Packet(0, [Header("ReplaceGatewayUrl", False, "/new/")], []))
        received(conversation, Packet(0, [Header("AppendToGatewayUrl", False, ";s=1")], []))
        assert conversation.url == "http://h/new/;s=1"

    def test_garbage(self) -> None:
        with pytest.raises(TransportError, match="no AMF packet"):
            Conversation("/g/").receive(b"\xff\xff", [])


@pytest.mark.parametrize("version", [0, 3])
def test_calls_in_process(version: Any) -> None:
    client = AmfClient(version=version)
    assert client.call("math.add", 1, 2) == 3
    with pytest.raises(RemoteFault, match="unknown method"):
        client.call("nowhere")
    with client.batch() as batch:
        one, two = batch.call("echo.echo", {"a": 1}), batch.call("echo.refuse")
    assert one.result() == {"a": 1}
    with pytest.raises(RemoteFault) as caught:
        two.result()
    assert caught.value.code == "Shop.SoldOut"


def test_a_persistent_header_travels_with_the_next_packet() -> None:
    client = AmfClient(version=3)
    client.call("echo.greet")
    packet = parse(client.conversation.request([Pending("math.add", (1, 2))]))
    assert [(one.name, one.value) for one in packet.headers] == [("Ticket", 7)]


async def test_async_calls_in_process() -> None:
    client = AsyncAmfClient()
    assert await client.call("math.add", 1, 2) == 3
    async with client.batch() as batch:
        one = batch.call("echo.aecho", "x")
    assert one.result() == "x"


def test_a_batch_that_fails_is_not_sent() -> None:
    client = AmfClient()
    with pytest.raises(ZeroDivisionError), client.batch() as batch:  # noqa: PT012
        one = batch.call("math.add", 1, 2)
        raise ZeroDivisionError
    with pytest.raises(TransportError, match="was not answered"):
        one.result()


@pytest.mark.django_db
def test_the_test_client_logs_in(amf_client: AmfClient) -> None:
    amf_client.force_login(User.objects.create(username="joe"))
    assert amf_client.call("staff.whoami") == "joe"


def test_no_gateway_in_process() -> None:
    with pytest.raises(TransportError, match="HTTP status 404"):
        AmfClient(path="/elsewhere/").call("math.add", 1, 2)


@pytest.mark.django_db(transaction=True)
class TestLive:
    def test_calls_headers_cookies_and_client_methods(self, live_server: Any) -> None:
        User.objects.create_user("joe", password="secret")
        heard: list[Any] = []
        client = RemotingClient(f"{live_server.url}/gateway/", version=3)
        client.on("onNews", heard.append)
        client.add_header("X-Test", "h")
        assert client.call("echo.greet") == "h"
        assert heard == [{"text": "hello"}, None]
        assert client.conversation.headers["Ticket"].value == 7
        assert client.conversation.url == f"{live_server.url}/gateway/;ticket=7"
        client.conversation.url = f"{live_server.url}/gateway/"
        client.set_credentials("joe", "secret")
        assert client.call("staff.whoami") == "joe"
        client.set_credentials("", "")
        assert [cookie.name for cookie in client.cookies if cookie.name == "sessionid"]
        assert client.call("staff.whoami") == "joe"

    async def test_async_calls(self, live_server: Any) -> None:
        client = AsyncRemotingClient(f"{live_server.url}/gateway/")
        async with client.batch() as batch:
            one, two = batch.call("math.add", 1, 2), batch.call("echo.fail")
        assert one.result() == 3
        with pytest.raises(RemoteFault, match=r"echo\.fail failed"):
            two.result()

    async def test_async_headers_cookies_and_client_methods(self, live_server: Any) -> None:
        await User.objects.acreate_user("joe", password="secret")
        heard: list[Any] = []
        client = AsyncRemotingClient(f"{live_server.url}/gateway/", version=3)
        client.on("onNews", heard.append)
        client.add_header("X-Test", "h")
        assert await client.call("echo.greet") == "h"
        assert heard == [{"text": "hello"}, None]
        assert client.conversation.headers["Ticket"].value == 7
        client.conversation.url = f"{live_server.url}/gateway/"
        client.set_credentials("joe", "secret")
        assert await client.call("staff.whoami") == "joe"
        client.set_credentials("", "")
        assert await client.call("staff.whoami") == "joe"

    @pytest.mark.parametrize(
        ("path", "reason"), [("/nowhere/", "HTTP status 404"), ("/page/", "text/html")]
    )
    def test_what_is_no_gateway(self, live_server: Any, path: str, reason: str) -> None:
        with pytest.raises(TransportError, match=reason):
            RemotingClient(live_server.url + path).call("math.add", 1, 2)

    def test_a_response_beyond_the_limit_is_not_read(self, live_server: Any) -> None:
        client = RemotingClient(live_server.url + "/gateway/")
        client.conversation.limits = Limits(input_bytes=1000)
        assert client.call("echo.echo", "x" * 500) == "x" * 500
        with pytest.raises(TransportError, match="not at most 1000 bytes"):
            client.call("echo.args", *["y" * 600] * 2)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:1/g/", "file:///etc/passwd", "nonsense"),
        *("http://127.0.0.1:1/ü", "http://[", "http://a..b/", "http://127.0.0.1:abc/"),
    ],
)
def test_nobody_answers(url: str) -> None:
    with pytest.raises(TransportError):
        RemotingClient(url, timeout=2).call("math.add", 1, 2)
