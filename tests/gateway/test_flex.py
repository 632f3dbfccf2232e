"""Flex messages through the gateway: what RemoteObject needs."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from amf_remoting import amf
from amf_remoting.flex.messages import (
    AcknowledgeMessage,
    AsyncMessage,
    CommandMessage,
    ErrorMessage,
    Operation,
    RemotingMessage,
)
from amf_remoting.flex.small_messages import SmallAcknowledgeMessage, small
from amf_remoting.packet import Message, Packet, parse

from .conftest import Post

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "amf"


def packet(*messages: Any) -> Packet:
    return Packet(
        3, [], [Message("null", f"/{n}", [one], encoding=3) for n, one in enumerate(messages, 1)]
    )


def answers(response: Any) -> list[tuple[str, Any]]:
    assert response.status_code == 200
    answer = parse(response.content)
    assert answer.version == 3
    assert all(one.encoding == 3 for one in answer.messages)
    return [(one.target_uri, one.value) for one in answer.messages]


def test_a_remoting_message_is_acknowledged(post: Post) -> None:
    message = RemotingMessage(
        destination="math", operation="add", body=[1, 2], message_id="M1", client_id="C1"
    )
    ((target, answer),) = answers(post(packet(message)))
    assert target == "/1/onResult"
    assert type(answer) is AcknowledgeMessage
    assert (answer.body, answer.correlation_id, answer.client_id) == (3, "M1", "C1")
    assert answer.destination == "math"
    assert len(answer.message_id or "") == 36
    assert answer.timestamp > 1_700_000_000_000


def test_the_source_names_the_service_where_the_destination_does_not(post: Post) -> None:
    message = RemotingMessage(source="math", operation="add", body=[1, 2])
    assert answers(post(packet(message)))[0][1].body == 3


def test_a_failing_message_is_an_error_message_and_hurts_no_other(post: Post) -> None:
    got = answers(
        post(
            packet(
                RemotingMessage(destination="echo", operation="refuse", message_id="M1"),
                RemotingMessage(destination="echo", operation="__class__", message_id="M2"),
                RemotingMessage(destination="echo", operation="echo", body=[5]),
            )
        )
    )
    assert [target for target, _ in got] == ["/1/onStatus", "/2/onStatus", "/3/onResult"]
    error = got[0][1]
    assert type(error) is ErrorMessage
    assert (error.fault_code, error.fault_string) == ("Shop.SoldOut", "none left")
    assert error.correlation_id == "M1"
    assert error.extended_data == {"left": 0, "code": "ignored"}
    assert got[1][1].fault_code == "Client.MethodNotFound"
    assert got[2][1].body == 5


@pytest.mark.parametrize("asked", ["nil", "", None, "KNOWN"])
def test_a_ping_allots_an_id_or_keeps_the_one_there_is(post: Post, asked: str | None) -> None:
    message = CommandMessage(operation=Operation.CLIENT_PING, headers={"DSId": asked})
    ((target, answer),) = answers(post(packet(message)))
    assert target == "/1/onResult"
    assert answer.headers["DSMessagingVersion"] == 1
    assert (
        answer.headers["DSId"] == "KNOWN" if asked == "KNOWN" else len(answer.headers["DSId"]) == 36
    )


def test_a_client_without_an_id_is_given_one(post: Post) -> None:
    ((_, answer),) = answers(post(packet(RemotingMessage(destination="echo", operation="args"))))
    assert len(answer.client_id or "") == 36


def test_the_traceback_is_the_detail_of_a_fault_while_debugging(post: Post, exposed: Any) -> None:
    exposed.DEBUG = True
    message = RemotingMessage(destination="echo", operation="fail", body=["secret"])
    ((_, error),) = answers(post(packet(message)))
    assert error.fault_string == "ValueError: secret"
    assert "in fail" in error.fault_detail


def test_headers_may_be_null(post: Post) -> None:
    message = CommandMessage(operation=Operation.CLIENT_PING, headers=None)
    assert len(answers(post(packet(message)))[0][1].headers["DSId"]) == 36


@pytest.mark.parametrize(
    ("operation", "body"),
    [(Operation.DISCONNECT, None), (Operation.CLIENT_SYNC, None), (Operation.CLUSTER_REQUEST, [])],
)
def test_other_commands_of_remote_object(post: Post, operation: int, body: Any) -> None:
    ((target, answer),) = answers(post(packet(CommandMessage(operation=operation))))
    assert (target, answer.body) == ("/1/onResult", body)


@pytest.mark.parametrize(
    "message",
    [CommandMessage(operation=0, destination="chat"), CommandMessage(), AsyncMessage(body=1)],
    ids=["subscribe", "unknown", "publish"],
)
def test_messaging_is_refused(post: Post, message: Any) -> None:
    ((target, answer),) = answers(post(packet(message)))
    assert (target, answer.fault_code) == ("/1/onStatus", "Server.Unavailable")


def test_a_small_message_gets_a_small_answer(post: Post) -> None:
    message = small(CommandMessage(operation=Operation.CLIENT_PING, message_id="M1"))
    assert type(answers(post(packet(message)))[0][1]) is SmallAcknowledgeMessage


def test_a_result_that_cannot_be_encoded_is_an_error_message(post: Post, exposed: Any) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_RESPONSE_SIZE": 100}
    message = RemotingMessage(destination="echo", operation="echo", body=["x" * 200])
    ((target, answer),) = answers(post(packet(message)))
    assert (target, answer.fault_code) == ("/1/onStatus", "Server.BadResult")


def login(user: str, password: str, charset: str = "utf-8") -> CommandMessage:
    body = b64encode(f"{user}:{password}".encode(charset)).decode()
    return CommandMessage(
        operation=Operation.LOGIN, body=body, headers={"DSCredentialsCharset": charset}
    )


WHOAMI = RemotingMessage(destination="staff", operation="whoami")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_login_and_logout_within_a_packet(post: Post, charset: str) -> None:
    User.objects.create_user("zoë", password="s:cret")
    got = answers(
        post(
            packet(
                WHOAMI,
                login("zoë", "s:cret", charset),
                WHOAMI,
                CommandMessage(operation=Operation.LOGOUT),
                WHOAMI,
            )
        )
    )
    assert [target for target, _ in got] == [
        "/1/onStatus", "/2/onResult", "/3/onResult", "/4/onResult", "/5/onStatus",
    ]  # fmt: skip
    assert got[0][1].fault_code == "Client.Authentication"
    assert got[1][1].body == "success"
    assert got[2][1].body == "zoë"


@pytest.mark.django_db
def test_a_login_holds_for_the_session(exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    User.objects.create_user("joe", password="secret")
    client = Client()

    def send(*messages: Any) -> Any:
        return client.post("/gateway/", packet(*messages).serialize(), "application/x-amf")

    answers(send(login("joe", "secret")))
    assert answers(send(WHOAMI))[0][1].body == "joe"
    answers(send(CommandMessage(operation=Operation.LOGOUT)))
    assert answers(send(WHOAMI))[0][0] == "/1/onStatus"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("message", "description"),
    [
        (login("joe", "wrong"), "wrong user or password"),
        (login("nobody", "secret"), "wrong user or password"),
        (CommandMessage(operation=8, body="!!"), "a login's body is Base64 of user:password"),
        (CommandMessage(operation=8), "a login's body is Base64 of user:password"),
    ],
    ids=["password", "user", "no Base64", "nothing"],
)
def test_failed_logins(post: Post, message: Any, description: str) -> None:
    User.objects.create_user("joe", password="secret")
    ((target, answer),) = answers(post(packet(message)))
    assert (target, answer.fault_code) == ("/1/onStatus", "Client.Authentication")
    assert answer.fault_string == description


@pytest.mark.parametrize(
    "name", ["royale_ping", "royale_call", "royale_array_collection", "royale_typed_object"]
)
def test_captures_of_royale_are_understood_to_their_end(post: Post, name: str) -> None:
    data = (CAPTURES / f"{name}.bin").read_bytes()
    (request,) = parse(data).messages
    ((target, answer),) = answers(post(data))
    assert target == f"{request.response_uri}/onResult"
    (message,) = request.value
    assert answer.correlation_id == message.message_id
    if name == "royale_ping":
        assert len(answer.headers["DSId"]) == 36
    else:
        assert answer.body == message.body[0]
    if name == "royale_array_collection":
        assert isinstance(answer.body, amf.ArrayCollection)
