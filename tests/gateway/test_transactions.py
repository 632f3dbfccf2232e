"""Sites with ATOMIC_REQUESTS: a transaction for each call, not for the batch."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connections

from amf_remoting.packet import Message, Packet, parse
from amf_remoting.registry import registry, remote_method

from .conftest import Post


@pytest.fixture
def groups(exposed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service that writes two rows, of which the second may be refused by the database."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    @remote_method
    def groups(one: str, two: str) -> bool:
        Group.objects.create(name=one)
        Group.objects.create(name=two)
        return connections["default"].in_atomic_block

    registry.expose("groups", groups)
    yield
    registry.withdraw("groups")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("groups")
def test_a_call_that_fails_is_rolled_back_alone(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    calls = [Message("groups", f"/{n}", list(names)) for n, names in enumerate(["ab", "cc", "de"])]
    answers = parse(post(Packet(0, [], calls)).content).messages
    assert [(one.target_uri, one.value is True) for one in answers] == [
        ("/0/onResult", True),
        ("/1/onStatus", False),
        ("/2/onResult", True),
    ]
    assert sorted(Group.objects.values_list("name", flat=True)) == ["a", "b", "d", "e"]
    assert [one.exc_info[0] for one in caplog.records if one.exc_info] == [IntegrityError]
