"""AsyncRtmpConsumer, by its communicator."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured

from amf_remoting.exceptions import Fault
from rtmp_channels.background import BackgroundTasks
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.consumers import AsyncRtmpConsumer, concurrent, remote
from rtmp_channels.exceptions import CallFailed, ConnectionClosed
from rtmp_channels.permissions import ANYONE
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.signals import connection_accepted, connection_closed
from rtmp_channels.testing import RtmpCommunicator


@pytest.fixture(autouse=True)
async def hubs():
    yield
    await room_hubs.close()
    await shared_object_hubs.close()


@pytest.fixture
async def open_communicator():
    opened = []

    async def open_communicator(consumer, path="/lobby/room1", **options):
        application = consumer.as_asgi(may_connect=ANYONE)
        communicator = RtmpCommunicator(application, path, **options)
        opened.append(communicator)
        assert (await communicator.connect())[0]
        return communicator

    yield open_communicator
    for communicator in opened:
        if not communicator.future.done():
            await communicator.disconnect()


class Lobby(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    groups = ("everyone",)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gate = asyncio.Event()
        self.order = []

    @remote
    async def double(self, value, times=2):
        return value * times

    @remote(name="chat.say")
    async def say(self, text):
        await self.broadcast("onSay", text)

    @remote
    async def refuse(self):
        raise Fault("Lobby.Closed", "Not today.")

    @remote
    async def ask(self):
        try:
            return await self.call("question", 1, timeout=0.05)
        except TimeoutError:
            return "no answer"
        except CallFailed as error:
            return str(error)

    @remote
    async def first(self):
        await self.call("question")
        self.order.append("first")
        return self.order

    @remote
    async def second(self):
        self.order.append("second")
        return self.order

    @remote
    @concurrent
    async def wait(self):
        await self.gate.wait()
        return "waited"

    @remote
    async def release(self):
        self.gate.set()

    @remote(login_required=True)
    async def secret(self):
        return "secret"

    @remote(permission="demo.join_lobby")
    async def guarded(self):
        return "guarded"

    async def not_remote(self):
        return "never"

    async def chat_message(self, message):
        await self.notify("onChat", message["text"])

    async def on_publish(self, message):
        return message["stream_name"] == "mine"

    async def on_play(self, message):
        raise RuntimeError("a bug")

    async def on_shared_object(self, request):
        return Grant(write=False) if request.name == "board" else None

    async def on_data(self, values):
        raise RuntimeError("a bug with data")


async def test_remote_methods_and_their_arguments(open_communicator):
    communicator = await open_communicator(Lobby)
    assert await communicator.call("double", "ab") == "abab"
    assert await communicator.call("double", "ab", 3) == "ababab"
    for arguments, wanted in [((), "1 to 2 arguments, not 0"), ((1, 2, 3), "1 to 2 arguments")]:
        with pytest.raises(CallFailed, match=wanted):
            await communicator.call("double", *arguments)


@pytest.mark.parametrize("name", ["not_remote", "send", "call", "chat_message", "__class__", ""])
async def test_what_is_not_named_remote_is_unknown(open_communicator, name):
    communicator = await open_communicator(Lobby)
    with pytest.raises(CallFailed) as caught:
        await communicator.call(name)
    assert caught.value.information["code"] == "NetConnection.Call.Failed"


async def test_without_the_registry_only_own_methods_answer(open_communicator):
    class Alone(Lobby):
        serves_registry = False

    communicator = await open_communicator(Alone)
    assert await communicator.call("double", 1) == 2
    with pytest.raises(CallFailed, match=r"Method not found \(echo\.echo\)"):
        await communicator.call("echo.echo", 1)


async def test_a_fault_reaches_the_client_as_it_is(open_communicator):
    communicator = await open_communicator(Lobby)
    with pytest.raises(CallFailed) as caught:
        await communicator.call("refuse")
    assert caught.value.information == {
        "level": "error",
        "code": "Lobby.Closed",
        "description": "Not today.",
    }


async def test_methods_for_users_only(open_communicator):
    communicator = await open_communicator(Lobby)
    for method in ("secret", "guarded"):
        with pytest.raises(CallFailed, match=r"Client\.Authentication"):
            await communicator.call(method)


class FakeUser:
    is_authenticated = True

    def __init__(self, *permissions):
        self.permissions = permissions

    async def ahas_perm(self, permission):
        return permission in self.permissions


async def test_methods_for_users_with_a_permission(open_communicator):
    class Known(Lobby):
        async def connect(self):
            self.user = FakeUser(*self.scope["rtmp"]["arguments"])
            await self.accept()

    one = await open_communicator(Known)
    assert await one.call("secret") == "secret"
    with pytest.raises(CallFailed, match=r"Client\.Authorization"):
        await one.call("guarded")
    two = await open_communicator(Known, arguments=["demo.join_lobby"])
    assert await two.call("guarded") == "guarded"


async def test_call_times_out_and_fails(open_communicator):
    communicator = await open_communicator(Lobby)
    transaction_id = await communicator.send_call("ask")
    call = await communicator.receive_call()
    answer = await communicator.receive_output()
    assert (answer["transaction_id"], answer["value"]) == (transaction_id, "no answer")
    await communicator.answer(call, "too late")
    await communicator.send_call("ask")
    call = await communicator.receive_call()
    await communicator.send_input(
        {
            "type": "rtmp.error",
            "transaction_id": call["transaction_id"],
            "information": {"code": "Client.No", "description": "will not"},
        }
    )
    assert (await communicator.receive_output())["value"] == "Client.No: will not"


async def test_call_ends_with_the_connection(caplog):
    ended = asyncio.get_running_loop().create_future()

    class Asking(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        @remote
        async def ask(self):
            try:
                await self.call("question", timeout=60)
            except ConnectionClosed as error:
                ended.set_result(str(error))
                raise
            finally:
                with pytest.raises(ConnectionClosed):
                    await self.call("another")

    communicator = RtmpCommunicator(Asking.as_asgi(), "/app")
    await communicator.connect()
    await communicator.notify("ask")
    await communicator.receive_call()
    await communicator.disconnect()
    assert await ended == "the connection closed before an answer"
    assert caplog.records == []


async def test_calls_are_answered_in_their_order(open_communicator):
    communicator = await open_communicator(Lobby)
    await communicator.send_call("first")
    await communicator.send_call("second")
    await communicator.answer(await communicator.receive_call())
    answers = [await communicator.receive_output() for _ in range(2)]
    assert answers[0]["value"] is answers[1]["value"]
    assert answers[1]["value"] == ["first", "second"]


async def test_calls_that_wait_do_not_hide_the_answer_to_a_call_made_late(settings):
    settings.RTMP_CHANNELS = {"MAX_QUEUED_EVENTS": 2}

    class Thinking(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        @remote
        async def ask(self):
            await asyncio.sleep(0)  # by now the queue is full again, and a call waits for room
            await asyncio.sleep(0)
            return await self.call("question")

    communicator = RtmpCommunicator(Thinking.as_asgi(), "/app")
    await communicator.connect()
    await communicator.send_call("ask")
    await communicator.answer(await communicator.receive_call(), 0)
    assert (await communicator.receive_output())["value"] == 0
    for _ in range(6):
        await communicator.send_call("ask")
    answers = []
    while len(answers) < 6:
        output = await communicator.receive_output(timeout=5)
        if output["type"] == "rtmp.call":
            await communicator.answer(output, "an answer")
        else:
            answers.append(output.get("value") or output["information"]["code"])
    assert set(answers) == {"an answer", "Server.Busy"}
    await communicator.disconnect()


async def test_concurrent_methods_do_not_hold_up_the_others(open_communicator):
    communicator = await open_communicator(Lobby)
    waiting = await communicator.send_call("wait")
    await communicator.send_call("release")
    answers = [await communicator.receive_output() for _ in range(2)]
    [waited] = [answer for answer in answers if answer["transaction_id"] == waiting]
    assert waited["value"] == "waited"


async def test_concurrent_methods_are_bounded(settings):
    settings.RTMP_CHANNELS = {"MAX_CONCURRENT_CALLS": 2}
    assert rtmp_settings().max_concurrent_calls == 2
    running = most = 0

    class Counting(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        @remote
        @concurrent
        async def work(self):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    communicator = RtmpCommunicator(Counting.as_asgi(), "/app")
    await communicator.connect()
    for _ in range(10):
        await communicator.send_call("work")
    for _ in range(10):
        assert (await communicator.receive_output())["type"] == "rtmp.result"
    assert most == 2
    await communicator.disconnect()


async def test_a_concurrent_call_that_never_had_room_leaves_nothing():
    tasks = BackgroundTasks(1)
    await tasks.start(asyncio.Event().wait())
    work = asyncio.Event().wait()
    starting = asyncio.ensure_future(tasks.start(work))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert work.cr_frame is None  # closed: nobody warns of it
    await tasks.cancel()


async def test_rooms(open_communicator):
    one = await open_communicator(Lobby, "/lobby/a")
    two = await open_communicator(Lobby, "/lobby/a")
    elsewhere = await open_communicator(Lobby, "/lobby/b")
    await one.call("chat.say", "hello")
    heard = await two.receive_call()
    assert (heard["name"], heard["arguments"]) == ("onSay", ["hello"])
    assert await one.receive_nothing()
    assert await elsewhere.receive_nothing()


async def test_groups_of_the_channel_layer(open_communicator):
    communicator = await open_communicator(Lobby)
    layer = get_channel_layer()
    await layer.group_send("everyone", {"type": "chat.message", "text": "to all"})
    heard = await communicator.receive_call()
    assert (heard["name"], heard["arguments"]) == ("onChat", ["to all"])
    await communicator.disconnect()
    assert layer.groups == {}


async def test_only_consumers_with_a_handler_get_a_channel(open_communicator):
    names = []

    class Deaf(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        async def connect(self):
            names.append(self.channel_name)
            await self.accept()

        @remote
        async def ask(self):
            pass

    class Hearing(Deaf):
        async def chat_message(self, message):
            pass

    class Dispatching(Deaf):
        async def dispatch(self, message):
            await super().dispatch(message)

    for consumer in (Deaf, Hearing, Dispatching):
        await open_communicator(consumer)
    assert [name is not None for name in names] == [False, True, True]


@pytest.mark.parametrize("alias", ["default", None], ids=["no handler", "no layer"])
async def test_a_group_needs_a_channel(alias):
    class Deaf(AsyncRtmpConsumer):
        may_connect = ANYONE
        channel_layer_alias = alias

        async def connect(self):
            await self.group_add("news")

    communicator = RtmpCommunicator(Deaf.as_asgi(), "/lobby")
    with pytest.raises(ImproperlyConfigured, match="no handler of the layer's messages"):
        await communicator.connect()


async def test_a_layer_message_without_a_handler_ends_the_consumer(open_communicator):
    communicator = await open_communicator(Lobby)
    await get_channel_layer().group_send("everyone", {"type": "no.handler"})
    with pytest.raises(ValueError, match=r"No handler for message type no\.handler"):
        await communicator.wait()


async def test_streams_and_shared_objects_by_default_and_when_allowed(open_communicator):
    plain = await open_communicator(AsyncRtmpConsumer)
    assert not await plain.publish("mine")
    assert not await plain.play("mine")
    assert await plain.use_shared_object("board") is None
    lobby = await open_communicator(Lobby)
    assert await lobby.publish("mine")
    assert not await lobby.publish("another")
    grant = await lobby.use_shared_object("board")
    assert (grant["read"], grant["write"], grant["send"]) == (True, False, True)
    assert await lobby.use_shared_object("other") is None


async def test_only_the_end_of_what_was_allowed_is_told():
    told = []

    class Slow(AsyncRtmpConsumer):
        may_connect = ANYONE
        gate = asyncio.Event()

        async def on_publish(self, message):
            await self.gate.wait()
            return message["stream_name"] == "mine"

        async def on_unpublish(self, message):
            told.append(message["stream_name"])

        async def disconnect(self, code):
            told.append("disconnect")

    communicator = RtmpCommunicator(Slow.as_asgi(), "/studio")
    await communicator.connect()
    for number, name in enumerate(("mine", "another", "mine"), 1):
        stream = {"message_stream_id": number, "stream_name": name}
        await communicator.send_input({"type": "rtmp.publish", **stream})
        if number < 3:  # the client ends it before there is an answer
            await communicator.send_input({"type": "rtmp.unpublish", **stream})
    Slow.gate.set()
    verdicts = [(await communicator.receive_output())["type"] for _ in range(3)]
    assert verdicts == [f"rtmp.publish.{verdict}" for verdict in ("accept", "reject", "accept")]
    assert told == ["mine"]
    communicator.future.cancel()  # the application is not told of the third
    await communicator.wait()
    assert told == ["mine", "mine", "disconnect"]


async def test_hooks_that_raise_refuse_and_the_connection_lives(open_communicator, caplog):
    communicator = await open_communicator(Lobby)
    assert not await communicator.play("mine")
    await communicator.send_input({"type": "rtmp.data", "values": ["onData"], "timestamp": 0})
    assert await communicator.call("double", 1) == 2
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["rtmp.play of 'mine' failed", "A data message could not be handled"]


async def test_rejecting_a_connection():
    class Closed(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        async def connect(self):
            await self.close("NetConnection.Connect.Rejected", "Full.")

    communicator = RtmpCommunicator(Closed.as_asgi(), "/app")
    assert await communicator.connect() == (False, "NetConnection.Connect.Rejected")
    await communicator.disconnect()


@pytest.mark.parametrize("cancel", [False, True], ids=["disconnect", "cancelled"])
async def test_disconnect_is_called_once_whatever_ends_it(cancel):
    codes, signals = [], []

    class Ending(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        async def disconnect(self, code):
            codes.append(code)

    async def accepted(sender, consumer, **kwargs):
        signals.append(("accepted", sender, consumer.room))

    async def closed(sender, consumer, code, **kwargs):
        signals.append(("closed", sender, code))

    connection_accepted.connect(accepted, sender=Ending)
    connection_closed.connect(closed, sender=Ending)
    communicator = RtmpCommunicator(Ending.as_asgi(), "/lobby/a")
    await communicator.connect()
    assert await communicator.receive_nothing()
    if cancel:
        communicator.future.cancel()
        await communicator.wait()
        code = "NetConnection.Connect.AppShutdown"
    else:
        code = "NetConnection.Connect.Closed"
        await communicator.disconnect(code)
    assert codes == [code]
    assert signals == [("accepted", Ending, "lobby/a"), ("closed", Ending, code)]


async def test_attributes_come_from_as_asgi(open_communicator):
    class Greeting(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE
        greeting = "hello"

        @remote
        async def greet(self):
            return self.greeting, str(self.user), self.channel_layer

    application = Greeting.as_asgi(greeting="hi", channel_layer_alias=None)
    communicator = RtmpCommunicator(application, "/app")
    await communicator.connect()
    assert await communicator.call("greet") == ("hi", str(AnonymousUser()), None)
    await communicator.disconnect()
    with pytest.raises(TypeError, match="Greeting has no attribute 'greetin'"):
        Greeting(greetin="hi")


def test_remote_is_for_async_methods():
    with pytest.raises(TypeError, match="belongs on an async method"):

        class Wrong(AsyncRtmpConsumer):
            may_connect = may_call = ANYONE

            @remote
            def method(self):
                pass
