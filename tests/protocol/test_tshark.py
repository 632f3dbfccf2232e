"""tshark judges what both roles write."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rtmp_channels.protocol import Connection, ConnectionConfig, Role
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.outbound import encode_call, encode_message
from rtmp_channels.protocol.shared_object import Change, SharedObjectMessage, Use, UseSuccess
from rtmp_channels.protocol.user_control import UserControlType

from .pcap import Conversation

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]

# A frame's length alone: without the option tshark ignores chunk sizes from 32,768 on.
BASE = ["-o", "rtmpt.max_packet_size:16777215", "-d", "tcp.port==1935,rtmpt"]
BAD = "rtmpt && (_ws.malformed || _ws.expert.severity >= 6291456)"
VALUE = {"list": [1, 2.5, "é"], "none": None, "yes": True}


def tshark(path: Path, *arguments: str) -> str:
    """What tshark prints about a capture."""
    command = ["tshark", "-r", str(path), *BASE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


class Recorded:
    """A client and a server in memory, every exchange written down."""

    def __init__(self, object_encoding: int, *, digest: bool) -> None:
        self.conversation = Conversation()
        self.client = Connection(Role.CLIENT, ConnectionConfig(digest_handshake=digest))
        self.server = Connection(Role.SERVER)
        self.exchange()
        options = {"app": "lobby/room", "tcUrl": "rtmp://h/lobby/room"}
        self.client.send_connect(options | {"objectEncoding": object_encoding}, ["extra", 5])
        self.exchange()
        self.server.accept_connect()
        self.exchange()

    def exchange(self) -> None:
        while True:
            up, down = self.client.data_to_send(), self.server.data_to_send()
            if not up and not down:
                return
            self.conversation.add(up, up=True)
            self.server.receive_data(up)
            self.conversation.add(down, up=False)
            self.client.receive_data(down)


def talk(recorded: Recorded, object_encoding: int) -> None:
    """One of everything that can be written."""
    client, server = recorded.client, recorded.server
    for caller, answerer in ((client, server), (server, client)):
        transaction_id = caller.send_call("echo", [VALUE, "x" * 70_000], expect_result=True)
        recorded.exchange()
        answerer.send_result(transaction_id, VALUE)
        answerer.send_error(transaction_id + 1, {"level": "error", "code": "X"})
        recorded.exchange()
    client.send_shared_object(SharedObjectMessage("so", 0, 0, (Use(),), object_encoding))
    change = Change((("k", VALUE),))
    server.send_shared_object(
        SharedObjectMessage("so", 1, 0, (UseSuccess(), change), object_encoding)
    )
    server.send_raw(encode_call("onSay", ["hi"], object_encoding=object_encoding))
    client.send_create_stream()
    client.send_create_stream()
    recorded.exchange()
    client.send_call("publish", ["feed", "live"], message_stream_id=1)
    client.send_call("play", ["feed"], message_stream_id=2)
    client.send_buffer_length(2, 3000)
    recorded.exchange()
    server.accept_publish(1)
    server.accept_play(2, is_recorded=True)
    for time in (0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF):
        client.send_message(1, MessageType.VIDEO, time, b"\x17\1\0\0\0" + bytes(70_000))
        frame = Message(MessageType.VIDEO, 2, time, b"\x17\1\0\0\0" + bytes(140_000))
        server.send_raw(encode_message(frame))
        server.send_message(2, MessageType.AUDIO, time, b"\xaf\1" + bytes(300))
    recorded.exchange()
    server.send_ping(5.0)
    server.finish_play(2, complete=True)
    server.send_stream_event(UserControlType.BUFFER_READY, 2)
    server.send_status(0, {"level": "status", "code": "NetConnection.Connect.AppShutdown"})
    client.send_call("deleteStream", [1])
    recorded.exchange()


@pytest.mark.parametrize("object_encoding", [0, 3], ids=["AMF0", "AMF3"])
@pytest.mark.parametrize("digest", [False, True], ids=["plain", "digest"])
def test_tshark_finds_nothing_malformed_and_nothing_unknown(tmp_path, digest, object_encoding):
    recorded = Recorded(object_encoding, digest=digest)
    talk(recorded, object_encoding)
    capture = tmp_path / "talk.pcap"
    recorded.conversation.write(capture)
    assert tshark(capture, "-Y", BAD) == ""
    listing = tshark(capture, "-Y", "rtmpt")
    assert "Unknown" not in listing
    for name in ("connect", "echo", "onSay", "createStream", "publish", "play", "deleteStream"):
        assert f"{name}(" in listing
    for name in ("Set Chunk Size", "Window Acknowledgement Size", "Stream Begin", "Ping Request"):
        assert name in listing
    types = tshark(capture, "-Y", "rtmpt", "-T", "fields", "-e", "rtmpt.header.typeid").split()
    found = {int(number, 16) for one in types for number in one.split(",")}
    command, shared = (17, 16) if object_encoding else (20, 19)
    assert found == {1, 4, 5, 6, 8, 9, 18, 20, command, shared} | ({3} if 3 in found else set())
