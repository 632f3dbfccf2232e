"""Calls in both directions through a real daphne."""

import pytest

from rtmp_channels.protocol.events import CallReceived, ConnectRejected
from tests.server.client import rtmp_client


async def test_echo_through_the_registry(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        accepted = await client.connect("lobby/room1")
        assert accepted.information["code"] == "NetConnection.Connect.Success"
        assert await client.call("echo.echo", {"text": "naïve 🎈", "list": [1, None, True]}) == {
            "text": "naïve 🎈",
            "list": [1, None, True],
        }
        assert await client.call("echo.add", 40, 2) == 42


async def test_remote_method_of_the_consumer(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        assert await client.call("length", "abc") == 3


async def test_unknown_method_with_an_id_is_an_error(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        for name in ("nothing", "echo.nothing", "echo.__class__", "send", "disconnect"):
            event = await client.call_event(name)
            assert event.is_error
            assert event.values[0]["code"] == "NetConnection.Call.Failed"
            assert event.values[0]["level"] == "error"


async def test_unknown_method_without_an_id_is_not_answered(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        client.connection.send_call("nothing")
        assert await client.call("echo.echo", 1) == 1
        assert client.events == []


async def test_exception_becomes_a_fault_without_a_traceback(shared_daphne, rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        event = await client.call_event("fail", "secret detail")
        assert event.is_error
        assert event.values == [
            {
                "level": "error",
                "code": "Server.Processing",
                "description": "The method failed.",
            }
        ]
        shared_daphne.wait_for_log("RuntimeError: secret detail")
        assert await client.call("echo.echo", 1) == 1


async def test_results_that_ask_the_database_are_read_in_a_thread(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        assert await client.call("echo.rows") == {"rows": [1, 2]}
        assert await client.call("echo.rows_of_a_loop") == [1, 2]


@pytest.mark.parametrize("name", ["echo.exit", "echo.aexit", "echo.exit_on_the_loop", "exit"])
async def test_no_method_ends_the_server(rtmp_port, name):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        event = await client.call_event(name)
        assert event.is_error
        assert event.values[0]["code"] == "Server.Processing"
        assert await client.call("echo.echo", 1) == 1


async def test_wrong_number_of_arguments_is_a_fault(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        event = await client.call_event("length", 1, 2)
        assert event.is_error
        assert event.values[0]["code"] == "Client.BadArguments"


async def test_the_server_calls_inside_a_handler(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        client.methods["ping2"] = lambda text: text.upper()
        await client.connect()
        assert await client.call("callme") == "ARE YOU THERE"
        assert await client.call("echo.callme") == "ARE YOU THERE"


async def test_broadcast_reaches_the_others_in_the_room(rtmp_port):
    async with (
        rtmp_client(rtmp_port) as one,
        rtmp_client(rtmp_port) as two,
        rtmp_client(rtmp_port) as elsewhere,
    ):
        await one.connect("lobby/a")
        await two.connect("lobby/a")
        await elsewhere.connect("lobby/b")
        await one.call("say", "hello")
        heard = await two.wait_for(CallReceived)
        assert (heard.name, heard.arguments, heard.transaction_id) == ("onSay", ["hello"], 0)
        await elsewhere.call("echo.echo", 1)
        assert one.events == elsewhere.events == []


async def test_unknown_application_is_rejected(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        rejected = await client.connect("nowhere/room1")
        assert isinstance(rejected, ConnectRejected)
        assert rejected.information["code"] == "NetConnection.Connect.InvalidApp"
        assert rejected.information["level"] == "error"
        await client.wait_closed()
