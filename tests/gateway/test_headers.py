"""Headers of packets, both ways, and client calls in responses."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DataError
from django.test import Client

from amf_remoting import amf
from amf_remoting.answer import MAX_CLIENT_CALLS, MAX_HEADERS, Answer
from amf_remoting.call import Call
from amf_remoting.envelopes import envelope_of
from amf_remoting.packet import Header, Message, Packet, parse
from amf_remoting.registry import registry, remote_method
from amf_remoting.reply import Reply

from .conftest import Post

WHOAMI = ("staff.whoami", [])


def packet(*calls: tuple[str, list[Any]], headers: list[Header], version: Any = 0) -> Packet:
    messages = [
        Message(target, f"/{n}", arguments, encoding=version)
        for n, (target, arguments) in enumerate(calls, 1)
    ]
    return Packet(version, headers, messages)


def answers(response: Any) -> list[tuple[str, Any]]:
    assert response.status_code == 200
    return [(one.target_uri, one.value) for one in parse(response.content).messages]


def credentials(userid: Any, password: Any = "secret") -> Header:
    return Header("Credentials", False, {"userid": userid, "password": password})


@pytest.mark.django_db(transaction=True)
def test_credentials_log_in_for_the_packet(post: Post) -> None:
    User.objects.create_user("joe", password="secret")
    got = answers(post(packet(WHOAMI, WHOAMI, headers=[credentials("joe")])))
    assert got == [("/1/onResult", "joe"), ("/2/onResult", "joe")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", [credentials("joe", "wrong"), credentials("eve")])
def test_wrong_credentials_fail_every_message(post: Post, header: Header) -> None:
    User.objects.create_user("joe", password="secret")
    got = answers(post(packet(("math.add", [1, 2]), WHOAMI, headers=[header])))
    assert [target for target, _ in got] == ["/1/onStatus", "/2/onStatus"]
    assert {body["code"] for _, body in got} == {"Client.Authentication"}
    assert {body["description"] for _, body in got} == {"wrong user or password"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [ValueError, DataError], ids=["psycopg2", "psycopg"])
def test_a_name_that_the_database_refuses_is_nobodys(
    post: Post, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """As PostgreSQL does; the name is not at fault for anything else."""

    def refuse(request: Any, **given: str) -> None:
        raise error("A string literal cannot contain NUL (0x00) characters.")

    monkeypatch.setattr("amf_remoting.auth.auth.authenticate", refuse)
    ((_, body),) = answers(post(packet(WHOAMI, headers=[credentials("jo\0e")])))
    assert (body["code"], body["description"]) == (
        "Client.Authentication",
        "wrong user or password",
    )


@pytest.mark.parametrize("value", [None, False, amf.Undefined, {}, {"userid": ""}, "joe"], ids=repr)
def test_empty_credentials_are_nobody(post: Post, value: Any) -> None:
    header = Header("Credentials", False, value)
    got = answers(post(packet(("math.add", [1, 2]), WHOAMI, headers=[header])))
    assert [target for target, _ in got] == ["/1/onResult", "/2/onStatus"]


@pytest.mark.django_db
def test_repeated_credentials_use_the_session(
    exposed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    User.objects.create_user("joe", password="secret")
    client = Client()
    body = packet(WHOAMI, headers=[credentials("joe")]).serialize()
    assert answers(client.post("/gateway/", body, "application/x-amf")) == [("/1/onResult", "joe")]
    monkeypatch.setattr("django.contrib.auth.authenticate", lambda *args, **keys: None)
    assert answers(client.post("/gateway/", body, "application/x-amf")) == [("/1/onResult", "joe")]
    other = packet(WHOAMI, headers=[credentials("eve")]).serialize()
    assert answers(client.post("/gateway/", other, "application/x-amf"))[0][0] == "/1/onStatus"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "headers",
    [[credentials("eve"), credentials("47", "11")], [credentials(47, 11)]],
    ids=["the last of two", "numbers"],
)
def test_which_credentials_count(post: Post, headers: list[Header]) -> None:
    User.objects.create_user("47", password="11")
    assert answers(post(packet(WHOAMI, headers=headers))) == [("/1/onResult", "47")]


def test_credentials_that_are_no_text_are_nobody(post: Post) -> None:
    endless: list[Any] = []
    for _ in range(60):
        endless = [endless, endless]
    ((target, _),) = answers(post(packet(WHOAMI, headers=[credentials(endless)])))
    assert target == "/1/onStatus"


def test_a_header_that_must_be_understood_and_is_not(post: Post, exposed: Any) -> None:
    headers = [Header("X-Fine", False, 1), Header("X-Ticket", True, 1)]
    got = answers(post(packet(("math.add", [1, 2]), ("nowhere", []), headers=headers)))
    assert [body["code"] for _, body in got] == ["Client.HeaderNotUnderstood"] * 2
    assert got[0][1]["header"] == "X-Ticket"
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "UNDERSTOOD_HEADERS": ["X-Ticket"]}
    got = answers(post(packet(("math.add", [1, 2]), headers=headers)))
    assert got == [("/1/onResult", 3)]


def test_credentials_are_understood(post: Post) -> None:
    header = Header("Credentials", True, None)
    assert answers(post(packet(("math.add", [1, 2]), headers=[header]))) == [("/1/onResult", 3)]


@pytest.mark.parametrize("version", [0, 3])
def test_a_service_sets_headers_and_calls_the_client(post: Post, version: int) -> None:
    response = post(
        packet(
            ("math.add", [1, 2]), ("echo.greet", []), ("math.add", [3, 4]),
            headers=[Header("X-Test", False, "h")], version=version,
        )
    )  # fmt: skip
    answer = parse(response.content)
    assert [(one.name, one.must_understand, one.value) for one in answer.headers] == [
        ("RequestPersistentHeader", False, {"name": "Ticket", "mustUnderstand": False, "data": 7}),
        ("AppendToGatewayUrl", False, ";ticket=7"),
        ("ReplaceGatewayUrl", False, "https://other.example/gateway/"),
    ]
    assert [(one.target_uri, one.response_uri, one.value) for one in answer.messages] == [
        ("/1/onResult", "null", 3),
        ("onNews", "null", {"text": "hello"}),
        ("onNews", "null", None),
        ("/2/onResult", "null", "h"),
        ("/3/onResult", "null", 7),
    ]
    assert {one.encoding for one in answer.messages} == {version}


def test_bytes_of_a_client_call_and_a_header() -> None:
    from amf_remoting.answer import Answer
    from amf_remoting.envelopes import envelope_of

    message = Message("a.b", "null", [])
    answer = Answer(Packet(0, [], [message]))
    answer.reply.append_to_gateway_url("?s=1")
    answer.reply.call_client("onNews", True)
    answer.result(message, envelope_of(message), None)
    assert answer.serialize().hex() == (
        "0000" "0001" "0012" + b"AppendToGatewayUrl".hex()
        + "00" "00000007" "020004" + b"?s=1".hex()
        + "0001" "0006" + b"onNews".hex() + "0004" + b"null".hex() + "00000002" "0101"
    )  # fmt: skip


def header(name: str, value: str, *, must_understand: bool = False) -> str:
    """Hexadecimal of a header whose value is given so."""
    length = f"{len(value) // 2:08x}"
    return f"{len(name):04x}{name.encode().hex()}{int(must_understand):02x}{length}{value}"


def text(value: str) -> str:
    return f"{len(value):04x}{value.encode().hex()}"


def test_bytes_of_the_headers_that_the_player_obeys(post: Post) -> None:
    call = "000000000001" + text("echo.greet") + text("/1") + "000000050a00000000"
    persistent = (
        "03" + text("name") + "02" + text("Ticket") + text("mustUnderstand") + "0100"
        + text("data") + "00401c000000000000" "000009"
    )  # fmt: skip
    news = "03" + text("text") + "02" + text("hello") + "000009"
    assert post(bytes.fromhex(call)).content.hex() == (
        "0000" "0003"
        + header("RequestPersistentHeader", persistent)
        + header("AppendToGatewayUrl", "02" + text(";ticket=7"))
        + header("ReplaceGatewayUrl", "02" + text("https://other.example/gateway/"))
        + "0003"
        + text("onNews") + text("null") + f"{len(news) // 2:08x}" + news
        + text("onNews") + text("null") + "00000001" "05"
        + text("/1/onResult") + text("null") + "00000001" "05"
    )  # fmt: skip


@pytest.mark.parametrize(("must_understand", "kind"), [(True, "onStatus"), (False, "onResult")])
def test_bytes_of_a_header_that_must_be_understood(
    post: Post, must_understand: bool, kind: str
) -> None:
    call = text("math.add") + text("/1") + "ffffffff" + "0a00000002" + "003ff0000000000000" * 2
    ticket = header("Ticket", "0101", must_understand=must_understand)
    answer = post(bytes.fromhex("00000001" + ticket + "0001" + call)).content.hex()
    assert answer.startswith("000000000001" + text(f"/1/{kind}") + text("null"))
    if not must_understand:
        assert answer.endswith("00000009004000000000000000")


def test_bytes_of_a_service_that_is_to_be_described(post: Post, exposed: Any) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "DESCRIBE_SERVICES": True}
    call = text("math") + text("/1") + "000000050a00000000"
    asked = "00000001" + header("DescribeService", "05") + "0001" + call
    answer = post(bytes.fromhex(asked)).content.hex()
    assert answer.startswith("000000000001" + text("/1/onResult") + text("null"))
    assert (
        "03" + text("version") + "02" + text("1.0") + text("address") + "02" + text("math")
        in answer
    )


def test_fire_and_forget_may_call_the_client(post: Post) -> None:
    message = Message("echo.greet", "null", [])
    assert answers(post(Packet(0, [], [message]))) == [
        ("onNews", {"text": "hello"}), ("onNews", None),
    ]  # fmt: skip


def test_what_cannot_be_encoded_is_left_out(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    answer = parse(post(packet(("echo.spoil", []), headers=[])).content)
    assert answer.headers == []
    assert [(one.target_uri, one.value) for one in answer.messages] == [("/1/onResult", "fine")]
    assert "the client call onNews cannot be encoded" in caplog.text
    assert "the header Bad cannot be encoded" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_client_calls_that_ask_the_database_in_vain(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    @remote_method
    def lazy(call: Call) -> str:
        call.reply.call_client("onGroups", Group.objects.extra(where=["nonsense("]))
        return "fine"

    registry.expose("lazy", lazy)
    uris = ["null", "/2", f"/{'x' * 65530}", "/4"]
    try:
        got = answers(post(Packet(0, [], [Message("lazy", uri, []) for uri in uris])))
    finally:
        registry.withdraw("lazy")
    assert got == [("/2/onResult", "fine"), ("/4/onResult", "fine")]
    assert "cannot be encoded" in caplog.text


def test_nobody_hears_of_a_result_that_cannot_be_encoded() -> None:
    message = Message("a.b", "null", [])
    answer = Answer(Packet(0, [], [message]))
    answer.unencodable(message, envelope_of(message), ValueError("no"))
    assert parse(answer.serialize()).messages == []


def test_details_of_a_fault_that_cannot_be_encoded_are_left_out(post: Post) -> None:
    ((target, body),) = answers(post(packet(("echo.unspeakable_fault", []), headers=[])))
    assert target == "/1/onStatus"
    assert body == {"level": "warning", "code": "Shop.Odd", "description": "odd"}


def test_client_calls_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    message = Message("a.b", "/1", [])
    answer = Answer(Packet(0, [], [message]))
    for number in range(MAX_CLIENT_CALLS + 5):
        answer.reply.call_client("onNews", number)
    answer.result(message, envelope_of(message), None)
    assert len(parse(answer.serialize()).messages) == MAX_CLIENT_CALLS + 1
    assert "client calls dropped" in caplog.text


def test_client_calls_leave_room_for_the_answers() -> None:
    message = Message("a.b", "/1", [])
    answer = Answer(Packet(0, [], [message] * 0xFFFE))
    for _ in range(3):
        answer.reply.call_client("onNews")
    answer.result(message, envelope_of(message), None)
    assert len(parse(answer.serialize()).messages) == 2


def test_headers_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    message = Message("a.b", "/1", [])
    answer = Answer(Packet(0, [], [message]))
    for number in range(0x10000):
        answer.reply.add_header("onNews", number)
    answer.result(message, envelope_of(message), "fine")
    packet = parse(answer.serialize())
    assert [one.value for one in packet.headers] == list(range(MAX_HEADERS))
    assert [one.value for one in packet.messages] == ["fine"]
    assert "64536 headers of a response dropped" in caplog.text


@pytest.mark.parametrize("method", ["", "/1/onResult"])
def test_names_of_client_methods(method: str) -> None:
    with pytest.raises(ValueError, match="is no name of a client's method"):
        Reply().call_client(method)


def test_nothing_is_described_unless_the_setting_says_so(post: Post) -> None:
    asked = packet(("math.add", [1, 2]), headers=[Header("DescribeService", False, None)])
    assert answers(post(asked)) == [("/1/onResult", 3)]


def test_describe_service(post: Post, exposed: Any) -> None:
    header = Header("DescribeService", True, None)
    asked = packet(("math", []), ("nowhere", []), headers=[header])
    assert [body["code"] for _, body in answers(post(asked))] == ["Client.HeaderNotUnderstood"] * 2
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "DESCRIBE_SERVICES": True}
    (_, body), (target, fault) = answers(post(asked))
    assert body == {
        "version": "1.0",
        "address": "math",
        "description": "Services that the gateway's tests expose.",
        "functions": [
            {
                "name": "add",
                "version": "1.0",
                "description": "",
                "returns": "int",
                "arguments": [
                    {"name": "a", "type": "int", "required": True, "description": ""},
                    {"name": "b", "type": "int", "required": True, "description": ""},
                ],
            }
        ],
    }
    assert (target, fault["code"]) == ("/2/onStatus", "Client.MethodNotFound")
