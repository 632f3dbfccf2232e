"""The rows behind the list of connections."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db.models.functions import Now

from rtmp_channels.connections.database import _COLUMNS, DatabasePresence, write_beat
from rtmp_channels.connections.heartbeat import Beat
from rtmp_channels.models import LiveConnection, ServerProcess
from tests.presence.facts import facts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def presence():
    """Writes in the test's own thread, whose queries can be counted."""
    made = []

    def make():
        one = DatabasePresence()
        one._in_thread = lambda work: sync_to_async(work)()
        made.append(one)
        return one

    yield make
    for one in made:
        one._thread.shutdown()


def rows():
    return list(
        LiveConnection.objects.alive()
        .order_by("connection_id")
        .values_list("connection_id", "application", "instance", "round_trip", "received")
    )


arows = sync_to_async(rows)


async def test_rows_come_change_and_go(presence):
    here = presence()
    assert await here.write(Beat(10, 2, [facts("a"), facts("b", path="lobby/x/y")]))
    assert await arows() == [("a", "lobby", "room1", 20, 3_500), ("b", "lobby", "x/y", 20, 3_500)]
    changed = facts("b", round_trip=30, received=9_000)
    assert await here.write(Beat(10, 1, changed=[changed], gone=["a"]))
    assert await arows() == [("b", "lobby", "x/y", 30, 9_000)]
    process = await ServerProcess.objects.aget()
    assert (process.connections, process.counters) == (1, {})
    await here.leave()
    assert not await ServerProcess.objects.aexists()
    assert await arows() == []


async def test_a_connection_whose_user_is_gone_stays_in_the_list(presence):
    here = presence()
    user = await get_user_model().objects.acreate_user("ada")
    await here.write(Beat(10, 1, [facts("a", user=user.pk)]))
    assert await LiveConnection.objects.filter(user=user).acount() == 1
    await here.write(Beat(10, 1, [facts("a", received=9_000)]))
    row = await LiveConnection.objects.aget()
    assert (row.connection_id, row.user_id, row.received) == ("a", None, 9_000)


async def test_a_row_holds_all_that_is_known(presence):
    known = facts("a", program="Ruffle", user=7)
    assert await presence().write(Beat(10, 1, [known]))
    row = await LiveConnection.objects.select_related("process").aget()
    assert row.process == await ServerProcess.objects.aget()
    assert (row.connection_id, row.user_id, row.address) == ("a", 7, known.address)
    assert (row.transport, row.program, row.opened) == (known.transport, "Ruffle", known.opened)
    assert (row.round_trip, row.received, row.sent) == (20, 3_500, known.sent)
    columns = {field.column for field in LiveConnection._meta.concrete_fields}
    assert columns == {"id", *_COLUMNS}


async def test_rows_that_others_left_are_replaced(presence):
    here = presence()
    await here.write(Beat(10, 1, [facts("a"), facts("b")]))
    new = [facts("c"), facts("a", received=9_000), facts("d")]
    assert await here.write(Beat(10, 4, new))
    assert [(row[0], row[4]) for row in await arows()] == [
        ("a", 9_000),
        ("b", 3_500),
        ("c", 3_500),
        ("d", 3_500),
    ]


async def test_what_clients_call_themselves_spoils_no_beat(presence):
    """PostgreSQL takes no NUL in text."""
    long = facts("c", path="lobby/" + "x" * 300, program="p" * 300)
    assert await presence().write(
        Beat(10, 2, [facts("a", path="lob\0by/\0", program="a\0b"), long])
    )
    names = LiveConnection.objects.order_by("connection_id")
    assert [row async for row in names.values_list("application", "instance", "program")] == [
        ("lobby", "", "ab"),
        ("lobby", "x" * 255, "p" * 255),
    ]


async def test_counters_are_the_processes(presence):
    await presence().write(Beat(10, 0, counters={"idle_time": 3}))
    assert (await ServerProcess.objects.aget()).counters == {"idle_time": 3}


async def test_who_died_is_hidden_at_once_and_swept_up_by_others(presence):
    dead, alive = presence(), presence()
    await dead.write(Beat(10, 1, [facts("ghost")]))
    await ServerProcess.objects.aupdate(expires=Now())
    assert await arows() == [], "nobody need sweep for that"
    await alive.write(Beat(10, 1, [facts("alive")]))
    assert [row[0] for row in await arows()] == ["alive"]
    assert await LiveConnection.objects.acount() == 1
    # It was only asleep: it is told to write everything again.
    assert not await dead.write(Beat(10, 1, []))
    assert await dead.write(Beat(10, 1, [facts("ghost")]))
    assert [row[0] for row in await arows()] == ["alive", "ghost"]


async def test_processes_that_nothing_joins_are_told_so(presence, caplog):
    caplog.set_level("WARNING", "rtmp_channels")
    one, two = presence(), presence()
    await two.write(Beat(10, 0))
    for _ in range(2):
        await one.write(Beat(10, 0))
    assert caplog.records == [], "one may be about to take the other's place"
    for _ in range(3):
        await one.write(Beat(10, 0))
    [record] = caplog.records
    assert "no channel layer joins them" in record.getMessage()


async def test_joined_processes_are_not(presence, caplog, monkeypatch):
    monkeypatch.setattr("rtmp_channels.connections.database.joining_layer", object)
    one, two = presence(), presence()
    for _ in range(5):
        await one.write(Beat(10, 0))
        await two.write(Beat(10, 0))
    assert caplog.records == []


def test_a_beat_is_a_handful_of_statements(presence, django_assert_max_num_queries):
    process = presence()._process
    write_beat(process, Beat(10, 0))
    many = [facts(f"{number:032}") for number in range(400)]
    with django_assert_max_num_queries(15):
        write_beat(process, Beat(10, 400, many, many, ["gone"]))
    assert LiveConnection.objects.count() == 400


async def test_users_and_what_cannot_be_one(presence):
    ada = await get_user_model().objects.acreate_user("ada")
    people = {"a": ada.pk, "b": str(ada.pk), "c": "nobody's key", "d": 999, "e": None}
    await presence().write(Beat(10, 5, [facts(key, user=user) for key, user in people.items()]))
    found = LiveConnection.objects.order_by("connection_id").values_list("user_id", flat=True)
    assert [user async for user in found] == [ada.pk, ada.pk, None, 999, None]
    listed = LiveConnection.objects.select_related("user").order_by("connection_id")
    assert [str(one.user) async for one in listed] == ["ada", "ada", "None", "None", "None"]
