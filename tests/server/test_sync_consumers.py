"""RtmpConsumer, by its communicator: methods in threads, on the loop nothing waits for them."""

import threading

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model

from amf_remoting.exceptions import Fault, FaultCode
from rtmp_channels.exceptions import CallFailed
from rtmp_channels.instances import ApplicationInstance
from rtmp_channels.permissions import ANYONE, USERS
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.sync_consumers import RtmpConsumer, concurrent, remote
from tests.server.patient import PatientCommunicator


@pytest.fixture(autouse=True)
async def hubs():
    yield
    await room_hubs.close()


class Counter(ApplicationInstance):
    async def on_start(self):
        self.lock = threading.Lock()
        self.count = 0


class Lobby(RtmpConsumer):
    may_connect = may_call = ANYONE
    groups = ("everyone",)
    instance_class = Counter
    greeting = "hello"
    gate = threading.Event()
    ended = None

    def connect(self):
        self.threads = [threading.current_thread()]
        self.accept(greeting=self.greeting)

    def disconnect(self, code):
        type(self).ended = code, self.room

    @remote
    def double(self, value, times=2):
        self.threads.append(threading.current_thread())
        return value * times

    @remote(name="chat.say")
    def say(self, text):
        with self.instance.lock:
            self.instance.count += 1
            count = self.instance.count
        self.broadcast("onSay", text, count, include_self=True)

    @remote
    def ask(self):
        try:
            return self.call("question", 1, timeout=0.05)
        except TimeoutError:
            return "no answer"
        except CallFailed as error:
            return str(error)

    @remote
    def users(self):
        return get_user_model().objects.count()

    @remote
    def fail(self):
        raise Fault("Lobby.Closed", "Not today.")

    @remote
    @concurrent
    def wait(self):
        assert self.gate.wait(10)
        return "waited"

    @remote
    def release(self):
        self.gate.set()

    @remote(login_required=True)
    def secret(self):
        return "secret"

    @remote
    def groups_too(self):
        self.group_add("extra")
        self.group_discard("extra")
        self.join("another")
        self.leave("another")
        self.notify("onDone", self.channel_name is not None, len(self.connection_id))

    def chat_message(self, message):
        self.notify("onChat", message["text"])

    def on_publish(self, message):
        return message["stream_name"] == "mine"

    def on_shared_object(self, request):
        return Grant(write=False) if request.name == "board" else None

    def not_remote(self):
        return "never"


@pytest.fixture
async def client():
    communicator = PatientCommunicator(Lobby.as_asgi(greeting="hi"), "/lobby/room1")
    assert await communicator.connect(10) == (True, {"greeting": "hi"})
    yield communicator
    if not communicator.future.done():
        await communicator.disconnect(timeout=10)
        assert Lobby.ended == ("NetConnection.Connect.Closed", "lobby/room1")


async def test_remote_methods(client):
    assert await client.call("double", "ab", timeout=10) == "abab"
    assert await client.call("double", "ab", 3, timeout=10) == "ababab"
    with pytest.raises(CallFailed, match="1 to 2 arguments, not 0"):
        await client.call("double", timeout=10)
    with pytest.raises(CallFailed, match=r"Lobby\.Closed"):
        await client.call("fail", timeout=10)
    for name in ("not_remote", "accept", "call", "chat_message", "_run", "__init__"):
        with pytest.raises(CallFailed, match=r"NetConnection\.Call\.Failed"):
            await client.call(name, timeout=10)
    with pytest.raises(CallFailed, match=r"Client\.Authentication"):
        await client.call("secret", timeout=10)


async def test_a_call_to_the_client_inside_of_a_handler(client):
    await client.send_call("ask")
    assert (await client.receive_call(10))["arguments"] == [1]
    assert (await client.receive_output(10))["value"] == "no answer"
    await client.send_call("ask")
    await client.answer(await client.receive_call(10), "yes")
    assert (await client.receive_output(10))["value"] == "yes"


async def test_rooms_and_the_instance(client):
    for count in (1, 2):
        await client.notify("chat.say", "hello")
        assert (await client.receive_call(10))["arguments"] == ["hello", count]


async def test_messages_of_the_channel_layer(client):
    layer = get_channel_layer()
    await layer.group_send("everyone", {"type": "chat.message", "text": "to all"})
    heard = await client.receive_call(10)
    assert (heard["name"], heard["arguments"]) == ("onChat", ["to all"])
    await client.send_call("groups_too")
    assert (await client.receive_call(10))["arguments"] == [True, 32]
    await client.receive_output(10)
    await layer.group_send("everyone", {"type": "no.handler"})
    with pytest.raises(ValueError, match=r"No handler for message type no\.handler"):
        await client.wait(10)


async def test_concurrent_methods_hold_up_nobody(client):
    Lobby.gate.clear()
    waiting = await client.send_call("wait")
    await client.send_call("release")
    answers = [await client.receive_output(10) for _ in range(2)]
    [waited] = [answer for answer in answers if answer["transaction_id"] == waiting]
    assert waited["value"] == "waited"


@pytest.mark.django_db(transaction=True)
async def test_the_orm_in_a_handler(client):
    await get_user_model().objects.acreate_user("ada")
    assert await client.call("users", timeout=10) == 1


async def test_streams_and_shared_objects(client):
    assert await client.publish("mine")
    assert not await client.publish("another")
    assert not await client.play("mine")
    assert (await client.use_shared_object("board"))["write"] is False
    assert await client.use_shared_object("other") is None


async def test_the_other_hooks(caplog):
    class Diary(RtmpConsumer):
        may_connect = may_call = ANYONE
        entries = []  # noqa: RUF012

        def on_unpublish(self, message):
            self.entries.append(("unpublish", message["stream_name"], self.scope["path"]))

        def on_stop(self, message):
            self.entries.append(("stop", message["stream_name"], str(self.user)))

        def on_data(self, values):
            self.entries.append(("data", values))

    stream = {"message_stream_id": 1, "stream_name": "show"}
    open_to_all = dict.fromkeys(("may_connect", "may_publish", "may_play"), ANYONE)
    for consumer in (Diary, RtmpConsumer):  # as they are, nothing happens
        client = PatientCommunicator(consumer.as_asgi(**open_to_all), "/app")
        assert (await client.connect(10))[0]
        assert await client.publish("show")
        await client.send_input({"type": "rtmp.unpublish", **stream})
        assert await client.play("show")
        await client.send_input({"type": "rtmp.stop", **stream})
        await client.send_input({"type": "rtmp.data", "values": ["onCue", 1], "timestamp": 0})
        await client.disconnect(timeout=10)
    assert Diary.entries == [
        ("unpublish", "show", "/app"),
        ("stop", "show", "AnonymousUser"),
        ("data", ["onCue", 1]),
    ]
    assert caplog.records == []


async def test_a_user_who_is_gone():
    class Plain(RtmpConsumer):
        may_connect = may_call = ANYONE
        made = []  # noqa: RUF012

        def connect(self):
            self.made.append(self)
            self.send({"type": "rtmp.accept", "information": {}})

    client = PatientCommunicator(Plain.as_asgi(), "/app")
    await client.connect(10)
    await Plain.made[0]._host.user_gone()
    message = await client.receive_output(10)
    assert (message["type"], message["code"]) == ("rtmp.close", "NetConnection.Connect.Rejected")
    await client.disconnect(timeout=10)


async def test_plain_ones_obey_their_attributes():
    plain = PatientCommunicator(RtmpConsumer.as_asgi(may_connect=ANYONE, may_play=ANYONE), "/app")
    assert (await plain.connect(10))[0]
    assert await plain.play("any")
    assert not await plain.publish("any")
    await plain.disconnect(timeout=10)
    closed = PatientCommunicator(RtmpConsumer.as_asgi(may_connect=USERS), "/app")
    assert not (await closed.connect(10))[0]
    await closed.disconnect(timeout=10)


async def test_hooks_wait_for_their_turn_and_calls_do_not(monkeypatch, caplog):
    seen, refusals = [], 0

    async def busy(function, purpose="methods"):
        nonlocal refusals
        refusals += 1
        if refusals % 3:
            raise Fault(FaultCode.BUSY, "too many calls are waiting")
        return function()

    class Patient(RtmpConsumer):
        may_connect = may_call = ANYONE

        def connect(self):
            seen.append("connect")

        def disconnect(self, code):
            seen.append("disconnect")

        def on_publish(self, message):
            seen.append("publish")
            return True

        def on_unpublish(self, message):
            seen.append("unpublish")

        def on_data(self, values):
            seen.append("data")
            raise Fault(FaultCode.BUSY, "of its own: it is not called again")

        @remote
        def call_me(self):
            seen.append("call")

    monkeypatch.setattr("rtmp_channels.sync_consumers.run_in_pool", busy)
    monkeypatch.setattr("rtmp_channels.sync_consumers.FIRST_PAUSE", 0.001)
    client = PatientCommunicator(Patient.as_asgi(), "/app")
    await client.send_input({"type": "rtmp.connect"})
    assert await client.publish("show")
    stream = {"message_stream_id": 1, "stream_name": "show"}
    await client.send_input({"type": "rtmp.unpublish", **stream})
    await client.send_call("call_me")
    assert (await client.receive_output(10))["information"]["code"] == "Server.Busy"
    refusals = 0
    await client.send_input({"type": "rtmp.data", "values": ["onCue"], "timestamp": 0})
    await client.disconnect(timeout=10)
    assert seen == ["connect", "publish", "unpublish", "data", "disconnect"]
    assert [record.getMessage() for record in caplog.records] == [
        "A data message could not be handled"
    ]


async def test_disconnect_is_called_however_busy_the_threads_are(client, monkeypatch):
    refusals = 3

    async def busy(function, purpose="methods"):
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise Fault(FaultCode.BUSY, "too many calls are waiting")
        return function()

    Lobby.ended = None
    monkeypatch.setattr("rtmp_channels.sync_consumers.run_in_pool", busy)
    await client.disconnect(timeout=10)
    assert Lobby.ended == ("NetConnection.Connect.Closed", "lobby/room1")


def test_their_remote_methods_are_sync():
    with pytest.raises(TypeError, match="belongs on a sync method"):

        class Wrong(RtmpConsumer):
            may_connect = may_call = ANYONE

            @remote
            async def method(self):
                pass


def test_attributes_are_known():
    with pytest.raises(TypeError, match="Lobby has no attribute 'greetin'"):
        Lobby(greetin="hi")
