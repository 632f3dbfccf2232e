"""Nothing is allowed that no consumer has allowed, whichever way a client comes in."""

from contextlib import AsyncExitStack

import pytest

from rtmp_channels.protocol.events import (
    ResultReceived,
    SharedObjectReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.shared_object import SharedObjectMessage, Status, Use
from tests.server.doors import SCHEMES, enter, say, server_with_doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    with server_with_doors(tmp_path_factory.mktemp("doors")) as doors:
        yield doors


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_nobody_enters_an_application_that_lets_nobody_in(doors, scheme):
    async with AsyncExitStack() as stack:
        assert not await enter(await doors.enter(scheme, stack), "closed")
        assert not await enter(await doors.enter(scheme, stack), "no-such-application")


async def code_of_call(client, method):
    """What an error says, "" for a result."""
    number = client.connection.send_call(method, ["x"], expect_result=True)
    await say(client)
    answer = await client.wait_for(ResultReceived, transaction_id=number)
    return answer.values[0]["code"] if answer.is_error else ""


async def code_of_stream(client, command):
    """The status that a stream gets."""
    client.connection.send_create_stream()
    await say(client)
    stream = (await client.wait_for(StreamCreated)).message_stream_id
    client.connection.send_call(command, ["any"], message_stream_id=stream)
    await say(client)
    while True:
        status = await client.wait_for(StatusReceived, message_stream_id=stream)
        if status.information["level"] == "error":
            return status.information["code"]


async def code_of_object(client):
    """The status that the use of an object gets."""
    client.connection.send_shared_object(SharedObjectMessage("any", 0, 0, (Use(),), 0))
    await say(client)
    (status,) = (await client.wait_for(SharedObjectReceived)).message.events
    assert isinstance(status, Status)
    return status.status_code


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_who_was_let_in_may_do_nothing_by_that(doors, scheme):
    async with AsyncExitStack() as stack:
        client = await doors.enter(scheme, stack)
        assert await enter(client, "entered")
        for method in ("ping", "echo.echo", "no.such"):
            assert await code_of_call(client, method) == "Client.Authorization"
        assert await code_of_stream(client, "publish") == "NetStream.Publish.Denied"
        assert await code_of_stream(client, "play") == "NetStream.Play.Failed"
        assert await code_of_object(client) == "SharedObject.NoReadAccess"
