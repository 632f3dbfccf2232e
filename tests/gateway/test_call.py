"""Calls and replies as objects: what copies and messages about them show."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from amf_remoting.call import Call
from amf_remoting.reply import Reply

CALL = Call(
    "a.b", (1, [2]), {"c": 3}, "joe", "json", "request", "consumer", {"h": 4}, Reply([("n", 5)])
)


def test_what_a_door_does_not_say() -> None:
    one, other = Call("a.b"), Call("a.b")
    assert members(one) == {
        "target": "a.b",
        "arguments": [],
        "keywords": {},
        "user": None,
        "door": "amf",
        "request": None,
        "connection": None,
        "headers": {},
        "reply": None,
    }
    assert one.arguments is not other.arguments
    assert Reply() == Reply([], [])


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        dataclasses.replace,
        lambda one: pickle.loads(pickle.dumps(one)),
    ],
    ids=["copy", "deepcopy", "replace", "pickle"],
)
def test_copies_hold_the_same(copied: Any) -> None:
    assert members(copied(CALL)) == members(CALL)
    reply = Reply([("onNews", 1)], [("onCall", 2)])
    assert copied(reply) == reply


def test_two_calls_are_never_the_same() -> None:
    assert Call("a.b") != Call("a.b")
    assert len({CALL, copy.copy(CALL)}) == 2


def test_what_the_log_shows_of_them() -> None:
    assert repr(Call("a.b", [1])) == (
        "Call(target='a.b', arguments=[1], keywords={}, user=None, door='amf', request=None, "
        "connection=None, headers={}, reply=None)"
    )


def members(call: Call) -> dict[str, Any]:
    return {field.name: getattr(call, field.name) for field in dataclasses.fields(call)}
