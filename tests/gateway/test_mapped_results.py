"""Models as results: their queries run where queries may, whichever door asks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group

from amf_remoting.mapping import map_model, unmap_model
from amf_remoting.packet import Message, Packet, parse
from amf_remoting.registry import registry, remote_method

from .conftest import Post


@pytest.fixture
def groups(exposed: Any) -> Iterator[None]:
    @remote_method
    def groups() -> Any:
        return Group.objects.order_by("name")

    @remote_method
    async def agroups() -> Any:
        return Group.objects.order_by("name")

    @remote_method
    def names() -> Any:
        return {"names": (group.name for group in Group.objects.all())}

    registry.expose("names", names)
    map_model(Group, ["name", "permissions"])
    registry.expose("groups", groups)
    registry.expose("agroups", agroups)
    yield
    registry.withdraw("names")
    registry.withdraw("groups")
    registry.withdraw("agroups")
    unmap_model(Group)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("groups")
@pytest.mark.parametrize("target", ["groups", "agroups"])
def test_a_queryset_is_a_result(post: Post, target: str) -> None:
    Group.objects.create(name="a")
    (answer,) = parse(post(Packet(0, [], [Message(target, "/1", [])])).content).messages
    assert answer.target_uri == "/1/onResult"
    assert answer.value == [{"name": "a", "permissions": []}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("groups")
def test_a_generator_that_asks_the_database_is_never_sent_empty(post: Post) -> None:
    """It can be read once only, and on a loop that once has failed."""
    Group.objects.create(name="a")
    calls = [Message("names", "/1", []), Message("math.add", "/2", [1, 2])]
    one, two = parse(post(Packet(0, [], calls)).content).messages
    assert one.value == {"names": ["a"]} or one.value["code"] == "Server.BadResult"
    assert two.value == 3
