"""The call log: in batches, bounded, pruned."""

import asyncio
import logging
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import localtime

from amf_remoting import amf, batches
from amf_remoting import call_log as module
from amf_remoting.call_log import CallLog
from amf_remoting.dispatch import Call, adispatch, dispatch
from amf_remoting.exceptions import Fault
from amf_remoting.models import CallRecord
from amf_remoting.overview import Statistics, statistics
from amf_remoting.registry import registry, remote_method


@pytest.fixture
def log(exposed: Any, monkeypatch: pytest.MonkeyPatch) -> CallLog:
    """A log without a thread, switched on."""
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "CALL_LOG": True}
    mine = CallLog(background=False)
    monkeypatch.setattr(module, "call_log", mine)
    return mine


def change(settings: Any, **keys: Any) -> None:
    settings.AMF_REMOTING = {**settings.AMF_REMOTING, **keys}


def fail(target: str, *arguments: Any) -> None:
    with pytest.raises(Fault):
        dispatch(Call(target, list(arguments)))


@pytest.mark.django_db
def test_calls_are_written_together(log: CallLog) -> None:
    joe = User(username="joe")
    with CaptureQueriesContext(connection) as queries:
        dispatch(Call("math.add", [1, 2], user=joe, door="json"))
        fail("echo.fail", "x")
        fail("nowhere")
        fail("a.b.__class__")
    assert len(queries) == 0
    assert CallRecord.objects.count() == 0
    with CaptureQueriesContext(connection) as queries:
        log.flush()
    assert len([one for one in queries if "INSERT" in one["sql"]]) == 1
    fields = ("service", "method", "username", "door", "outcome", "arguments")
    assert list(CallRecord.objects.order_by("pk").values_list(*fields)) == [
        ("math", "add", "joe", "json", "", ""),
        ("echo", "fail", "", "amf", "Server.Processing", ""),
        ("nowhere", "", "", "amf", "Client.MethodNotFound", ""),
        ("a.b", "__class__", "", "amf", "Client.MethodNotFound", ""),
    ]
    record = CallRecord.objects.get(service="math")
    assert 0 < record.milliseconds < 1000
    assert timezone.now() - record.called_at < timedelta(seconds=60)


@pytest.mark.django_db
def test_nothing_is_logged_by_default(log: CallLog, exposed: Any) -> None:
    change(exposed, CALL_LOG=False)
    dispatch(Call("math.add", [1, 2]))
    log.flush()
    assert CallRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
async def test_calls_on_a_loop(log: CallLog) -> None:
    await adispatch(Call("echo.aecho", [1]))
    await sync_to_async(log.flush)()
    assert await CallRecord.objects.acount() == 1


async def test_a_call_that_is_given_up_has_no_result(log: CallLog) -> None:
    started = asyncio.Event()

    @remote_method
    async def waits() -> None:
        started.set()
        await asyncio.Event().wait()

    registry.expose("waits", waits)
    try:
        task = asyncio.create_task(adispatch(Call("waits")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        registry.withdraw("waits")
    assert [(one.service, one.outcome) for one in log._waiting] == [("waits", "cancelled")]


def test_a_user_that_cannot_be_read_hurts_no_call(log: CallLog) -> None:
    def read() -> Any:
        raise OperationalError("the database is away")

    assert dispatch(Call("math.add", [1, 2], user=SimpleLazyObject(read))) == 3
    assert [(one.username, one.outcome) for one in log._waiting] == [("", "")]


@pytest.mark.django_db
def test_arguments_only_when_asked_and_bounded(log: CallLog, exposed: Any) -> None:
    change(exposed, CALL_LOG_ARGUMENTS=True, CALL_LOG_ARGUMENT_SIZE=60)
    dispatch(Call("echo.echo", [{"a": [1, "two\0"]}]))
    dispatch(Call("echo.echo", keywords={"value": 5}))
    dispatch(Call("echo.args", ["x" * 100_000] * 3))
    log.flush()
    one, two, three = CallRecord.objects.order_by("pk").values_list("arguments", flat=True)
    assert one == r"[{'a': [1, 'two\x00']}]"
    assert two == "[] {'value': 5}"
    assert len(three) == 60


@pytest.mark.django_db
def test_arguments_are_looked_into_no_deeper_than_the_log_shows(log: CallLog, exposed: Any) -> None:
    change(exposed, CALL_LOG_ARGUMENTS=True)
    endless: Any = 1
    for _ in range(20):
        endless = amf.TypedObject("a.B", {"l": endless, "r": endless})
        endless = amf.ArrayCollection([endless, endless])
        endless = amf.ObjectVector([endless, endless])
        endless = amf.Dictionary([(endless, endless)])
    assert len(module._arguments(Call("x.y", [endless]))) < 1000
    shown = module._arguments(Call("x.y", [amf.IntVector([1, 2]), amf.XML("<a/>"), None, 1.5, int]))
    assert (
        shown == "[IntVector(array('i', [1, 2])), XML({'text': '<a/>'}), None, 1.5, <class 'int'>]"
    )


@dataclass
class Account:
    name: str
    api_key: str


@pytest.mark.usefixtures("log")
def test_arguments_named_like_secrets_are_left_out(exposed: Any) -> None:
    @remote_method
    def enter(call: Call, user: str, password: str, *tokens: str, token: str = "") -> None: ...

    change(exposed, CALL_LOG_ARGUMENTS=True)
    registry.expose("enter", enter)
    try:
        shown = module._arguments(
            Call("enter", ["joe", "s1", "s2", "s3"], {"token": "s4", "user": "ann"})
        )
        many = module._arguments(Call("enter", ["s"] * 100_000))
    finally:
        registry.withdraw("enter")
    assert shown == "['joe', ***, ***, ***] {'token': ***, 'user': 'ann'}"
    assert many == f"['s', {'***, ' * 19}...]"
    login = {"a": [{"Password": "s1", "user": "joe"}]}
    alias = amf.TypedObject("a.Login", {"secret": {"deep": "s2"}, "n": 1})
    inside = [login, alias, amf.Dictionary([("apiKey", "s3"), (1, 2)]), Account("ann", "s4")]
    text = module._arguments(Call("nowhere", [*inside, amf.MixedArray([], {"pwd": "s5"})]))
    assert not re.search(r"s\d", text)
    assert "'user': 'joe'" in text
    assert "'name': 'ann'" in text
    assert text.count("***") == 5


@pytest.mark.django_db
def test_no_name_spoils_what_is_written_with_it(log: CallLog) -> None:
    fail("no\0where.at\0all")
    log.flush()
    (record,) = CallRecord.objects.all()
    assert (record.service, record.method) == ("nowhere", "atall")


@pytest.mark.django_db
def test_what_waits_is_bounded(
    log: CallLog, exposed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    change(exposed, CALL_LOG_WAITING=5)
    for _ in range(8):
        dispatch(Call("math.add", [1, 2]))
    log.flush()
    assert CallRecord.objects.count() == 5
    assert caplog.messages == ["3 calls were not logged: too many were waiting"]


@pytest.mark.django_db
def test_old_calls_are_deleted(log: CallLog, exposed: Any) -> None:
    change(exposed, CALL_LOG_DAYS=2)
    dispatch(Call("math.add", [1, 2]))
    log.flush()
    CallRecord.objects.update(called_at=timezone.now() - timedelta(days=3))
    log._pruned_at = float("-inf")
    log.flush()
    assert CallRecord.objects.count() == 0


def test_old_calls_are_looked_for_now_and_then(
    log: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[int] = []
    monkeypatch.setattr(module, "_write", lambda entries: None)
    monkeypatch.setattr(module, "prune", lambda: pruned.append(1))
    for _ in range(3):
        log.flush()
    assert pruned == [1]
    log._pruned_at -= batches.PRUNE_SECONDS
    log.flush()
    assert pruned == [1, 1]


def test_a_database_that_cannot_be_written_hurts_no_call(
    log: CallLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(entries: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(module, "_write", away)
    assert dispatch(Call("math.add", [1, 2])) == 3
    log.flush()
    with caplog.at_level(logging.ERROR):
        assert caplog.messages == ["1 calls could not be logged: gone"]


@pytest.fixture
def background(exposed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallLog]:
    change(exposed, CALL_LOG=True, CALL_LOG_SECONDS=0.05)
    mine = CallLog()
    monkeypatch.setattr(module, "call_log", mine)
    yield mine
    mine.close()


def test_a_thread_writes_and_the_end_flushes(
    background: CallLog, exposed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    arrived = threading.Event()

    def write(entries: list[Any]) -> None:
        written.extend(entries)
        if written:
            arrived.set()

    monkeypatch.setattr(module, "_write", write)
    monkeypatch.setattr(module, "prune", lambda: 0)
    dispatch(Call("math.add", [1, 2]))
    assert arrived.wait(5)
    change(exposed, CALL_LOG_SECONDS=60.0)
    dispatch(Call("math.add", [3, 4]))
    background.close()
    assert len(written) == 2
    assert background._thread is None


def test_the_thread_outlives_a_connection_that_cannot_be_closed(
    background: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = threading.Semaphore(0)

    def close_all() -> None:
        turns.release()
        raise OperationalError("the server has gone away")

    monkeypatch.setattr(module, "_write", lambda entries: None)
    monkeypatch.setattr(module, "prune", lambda: 0)
    monkeypatch.setattr(batches.connections, "close_all", close_all)
    dispatch(Call("math.add", [1, 2]))
    for _ in range(3):
        assert turns.acquire(timeout=30)
    background.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_does_not_write_for_its_parent(log: CallLog) -> None:
    dispatch(Call("math.add", [1, 2]))
    assert len(log._waiting) == 1
    log.forget_thread()
    assert len(log._waiting) == 0
    assert log._thread is None


@pytest.mark.django_db
def test_statistics_and_the_admin(log: CallLog, exposed: Any, admin_client: Client) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    for _ in range(3):
        dispatch(Call("math.add", [1, 2]))
    fail("math.add", 1)
    fail("math.nothing")
    fail("nobody.knows")
    log.flush()
    CallRecord.objects.update(milliseconds=2.0)
    old = CallRecord.objects.get(outcome="Client.BadArguments")
    old.pk, old.called_at = None, old.called_at - timedelta(hours=25)
    old.save()
    assert statistics() == {
        ("math", ""): Statistics(5, 2, 2.0),
        ("math", "add"): Statistics(4, 1, 2.0),
    }, "what a service lacks counts for it"
    CallRecord.objects.filter(pk=old.pk).delete()
    text = admin_client.get("/admin/amf_remoting/servicepolicy/").text
    assert "Calls in 24 h" in text
    assert (
        '<td class="amf-number" data-label="Calls in 24 h">4</td>'
        '<td class="amf-number" data-label="Errors">1</td>'
        '<td class="amf-number" data-label="Mean ms">2.00</td>'
    ) in text
    record = CallRecord.objects.first()
    assert record is not None
    record.service = "\u202e<b>"
    record.save()
    text = admin_client.get(f"/admin/amf_remoting/callrecord/{record.pk}/change/").text
    assert "\\u202e&lt;b&gt;.knows" in text
    assert f"{localtime(record.called_at):%Y-%m-%d %H:%M:%S}" in text
    assert admin_client.get("/admin/amf_remoting/callrecord/add/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("", 5),
        ("?service=math", 3),
        ("?service=-", 2),
        ("?outcome=ok", 2),
        ("?outcome=failed", 3),
        ("?outcome=Client.BadArguments", 1),
    ],
)
def test_the_log_in_the_admin(
    log: CallLog, exposed: Any, admin_client: Client, query: str, calls: int
) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    for _ in range(2):
        dispatch(Call("math.add", [1, 2]))
    fail("math.add", 1)
    fail("made-up-1.x")
    fail("made-up-2.x")
    log.flush()
    called_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    CallRecord.objects.update(milliseconds=0.0412, called_at=called_at)
    page = admin_client.get(f"/admin/amf_remoting/callrecord/{query}").text
    assert page.count("2026-01-02 03:04:05") == page.count(">0.04<") == calls
    assert "?service=made-up-1" not in page, "callers do not fill the filters"
    assert ('field-result">ok<' in page, "Client.<wbr>" in page) == (
        query in ("", "?service=math", "?outcome=ok"),
        query != "?outcome=ok",
    )
