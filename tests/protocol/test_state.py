"""The tables of states."""

from __future__ import annotations

import itertools

import pytest

from rtmp_channels.protocol import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.state import (
    CONNECTION_TRANSITIONS,
    STREAM_TRANSITIONS,
    ConnectionInput,
    ConnectionState,
    StateMachine,
    StreamInput,
    StreamState,
)
from rtmp_channels.protocol.streams import MessageStreams


def test_every_open_state_can_fail_and_closed_is_final():
    for state in ConnectionState:
        assert CONNECTION_TRANSITIONS[state, ConnectionInput.FAIL] is ConnectionState.CLOSED
    leaving = [pair for pair in CONNECTION_TRANSITIONS if pair[0] is ConnectionState.CLOSED]
    assert leaving == [(ConnectionState.CLOSED, ConnectionInput.FAIL)]


@pytest.mark.parametrize(
    ("state", "happened"),
    [
        pair
        for pair in itertools.product(ConnectionState, ConnectionInput)
        if pair not in CONNECTION_TRANSITIONS
    ],
    ids=lambda member: member.name,
)
def test_what_is_not_in_the_table_is_the_mistake_of_who_did_it(state, happened):
    machine = StateMachine()
    machine.state = state
    with pytest.raises(RemoteProtocolError, match=f"it in state {state.name}"):
        machine.on_received(happened, "it")
    with pytest.raises(LocalProtocolError, match=f"it in state {state.name}"):
        machine.on_sent(happened, "it")
    assert machine.state is state


def test_every_stream_state_can_be_closed():
    for state in StreamState:
        assert STREAM_TRANSITIONS[state, StreamInput.CLOSE] is StreamState.IDLE


def test_stream_ids_begin_at_1_and_never_come_twice():
    streams = MessageStreams(2)
    first, second = streams.create(), streams.create()
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == (1, 2)
    assert streams.create() is None
    assert streams.delete(1)
    assert not streams.delete(1)
    third = streams.create()
    assert third is not None
    assert third.id == 3


def test_a_stream_is_found_by_the_name_it_is_busy_with():
    streams = MessageStreams(5)
    stream = streams.create()
    assert stream is not None
    assert streams.find("") is None
    assert stream.change(StreamInput.PUBLISH, "a")
    assert not stream.change(StreamInput.PLAY, "b")
    assert streams.find("a") is stream
    assert streams.is_publishing(1)
    assert stream.change(StreamInput.CLOSE)
    assert streams.find("a") is None
    assert not streams.is_publishing(1)
