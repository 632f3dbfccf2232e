"""What two processes of npm rtmp-client sent, answered by connections and a hub."""

from pathlib import Path

from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.events import ConnectRequested, SharedObjectReceived
from rtmp_channels.protocol.shared_object import Clear, Echo, Remove, UseSuccess
from rtmp_channels.shared_objects.grants import Grant
from tests.shared_objects.chunks import parse_chunks
from tests.shared_objects.clients import make_hub, settle

CAPTURES = Path(__file__).parents[1] / "captures" / "rtmp"


class RecordedClient:
    """A server's connection that reads what was recorded, as a session would."""

    def __init__(self, hub, name):
        self.id = name
        self.connection = Connection(Role.SERVER)
        self.port = hub.connect(self, instance="app/inst", authorise=self.authorise)
        self.written = []
        self.recording = (CAPTURES / f"{name}.bin").read_bytes()

    async def authorise(self, request):
        return Grant()

    def write_shared(self, data):
        self.written.append(data)

    write_joined = write_shared

    async def play(self):
        events = self.connection.receive_data(self.recording)
        while events:
            event = events.pop(0)
            match event:
                case ConnectRequested():
                    events += self.connection.accept_connect()
                case SharedObjectReceived(message):
                    self.port.receive(message)
                    await settle()

    @property
    def messages(self):
        return [message for data in self.written for message in parse_chunks(data)]


async def test_recordings_are_answered():
    hub = make_hub(first_version=1)
    first = RecordedClient(hub, "rtmp_client_shared_object_a")
    second = RecordedClient(hub, "rtmp_client_shared_object_b")
    await first.play()
    await second.play()
    assert [(message.name, message.version, message.events) for message in second.messages] == [
        ("foo", 1, (UseSuccess(), Clear())),
        ("foo", 2, (Echo((("k1", {"n": 42.0}),)),)),
        ("foo", 3, (Remove("k1"),)),
    ]
    heard = [(message.version, *map(type, message.events)) for message in first.messages]
    assert [kinds[0] for kinds in heard] == [1, 2, 3]
    assert first.messages[1].events[0].changes == (("k1", {"n": 42.0}),)
    assert first.messages[2].events == (Remove("k1"),)
