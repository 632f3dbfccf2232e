"""From a call to its value, on threads and on loops."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from amf_remoting import auth, pool
from amf_remoting.dispatch import Call, adispatch, dispatch
from amf_remoting.exceptions import Fault
from amf_remoting.registry import registry, remote_method

from . import services


@pytest.fixture(autouse=True)
def _exposed() -> Iterator[None]:
    names = {"tecs": services.EchoService, "tstaff": services.StaffService, "tadd": services.add}
    for name, source in names.items():
        registry.expose(name, source)
    yield
    for name in names:
        registry.withdraw(name)


async def both(call: Call) -> Any:
    """The value or the fault's information; the same by both ways."""

    def sync() -> Any:
        try:
            return dispatch(Call(call.target, call.arguments, call.keywords))
        except Fault as fault:
            return fault.information

    one = await asyncio.to_thread(sync)
    try:
        two = await adispatch(call)
    except Fault as fault:
        two = fault.information
    assert one == two
    return two


@pytest.mark.parametrize(
    ("target", "arguments", "value"),
    [
        ("tecs.echo", [{"a": 1}], {"a": 1}),
        ("tecs.aecho", ["x"], "x"),
        ("tecs.args", [1, 2, 3], [1, 2, 3]),
        ("tecs.args", [], []),
        ("tadd", [1, 2], 3),
        ("tecs.static", [1], 2),
        ("tecs.keyword", [1], [1, 2]),
        ("tecs.caller", ["!"], "amf:tecs.caller:AnonymousUser!"),
        ("tecs.acaller", [], "amf:"),
    ],
)
async def test_values(target: str, arguments: list[Any], value: object) -> None:
    assert await both(Call(target, arguments)) == value


@pytest.mark.parametrize(
    ("target", "arguments", "keywords", "description", "argument"),
    [
        ("tadd", [1], {}, "argument 'b' is missing", "b"),
        ("tadd", [], {"b": 1}, "argument 'a' is missing", "a"),
        ("tadd", [1, 2, 3], {}, "2 arguments expected at most, got 3", None),
        ("tadd", [1, 2], {"a": 1}, "argument 'a' is given twice", "a"),
        ("tadd", [1], {"c": 1}, "there is no argument 'c'", "c"),
        ("tecs.caller", [], {"call": 1}, "there is no argument 'call'", "call"),
        ("tecs.caller", [], {"self": 1}, "there is no argument 'self'", "self"),
        ("tecs.args", [], {"args": 1}, "there is no argument 'args'", "args"),
    ],
)
async def test_arguments_at_fault_are_named(
    target: str,
    arguments: list[Any],
    keywords: dict[str, Any],
    description: str,
    argument: str | None,
) -> None:
    information = await both(Call(target, arguments, keywords))
    assert information["code"] == "Client.BadArguments"
    assert information["description"] == description
    assert information.get("argument") == argument


async def test_arguments_by_name() -> None:
    assert await both(Call("tecs.keyword", [1], {"second": 5})) == [1, 5]
    assert await both(Call("tadd", [], {"b": 2, "a": 1})) == 3


async def test_a_service_answers_with_a_fault_of_its_own() -> None:
    assert await both(Call("tecs.refuse")) == {
        "level": "error",
        "code": "Shop.SoldOut",
        "description": "none left",
        "left": 0,
    }


@pytest.mark.parametrize("target", ["tecs.fail", "tecs.afail"])
async def test_unexpected_errors_are_logged_and_not_told(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await both(Call(target, ["secret"])) == {
        "level": "error",
        "code": "Server.Processing",
        "description": f"{target} failed",
    }
    assert [record.message for record in caplog.records] == [f"{target} failed"] * 2
    assert "ValueError: secret" in caplog.text


def test_debug_tells_the_traceback(settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(Fault) as caught:
        dispatch(Call("tecs.fail", ["secret"]))
    assert caught.value.description == "ValueError: secret"
    assert "in fail" in str(caught.value.information["traceback"])


async def test_connection_methods_need_one() -> None:
    assert (await both(Call("tecs.lasting")))["code"] == "Client.ConnectionRequired"
    assert await adispatch(Call("tecs.lasting", connection="the consumer")) == "the consumer"


async def test_sync_methods_leave_the_loop_for_our_pool() -> None:
    assert (await adispatch(Call("tecs.thread"))).startswith("amf-remoting")
    assert await asyncio.to_thread(
        lambda: dispatch(Call("tecs.thread")) == threading.current_thread().name
    )


async def test_sync_methods_that_do_not_block_stay_on_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "thread_pool", Mock(side_effect=AssertionError))
    assert await adispatch(Call("tecs.instant")) == threading.current_thread().name


async def test_a_method_that_asks_the_database_on_the_loop_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Fault) as caught:
        await adispatch(Call("tecs.mistaken"))
    assert caught.value.code == "Server.Processing"
    assert "SynchronousOnlyOperation" in caplog.text


async def test_a_method_that_needs_a_login_refuses_the_anonymous() -> None:
    information = await both(Call("tstaff.whoami"))
    assert information["code"] == "Client.Authentication"
    assert information["description"] == "tstaff.whoami needs a login"
    assert (await both(Call("tstaff.hire", ["Eve"])))["code"] == "Client.Authentication"


@pytest.mark.django_db
def test_permissions() -> None:
    user = User(username="joe", is_active=True)
    user.save()
    assert dispatch(Call("tstaff.whoami", user=user)) == "joe"
    with pytest.raises(Fault) as caught:
        dispatch(Call("tstaff.hire", ["Eve"], user=user))
    assert caught.value.code == "Client.Authorization"
    boss = User(username="boss", is_superuser=True)
    assert dispatch(Call("tstaff.hire", ["Eve"], user=boss)) == "boss hires Eve"


@pytest.mark.parametrize(
    "error", [SystemExit(1), StopIteration(), asyncio.CancelledError(), MemoryError(), EOFError()]
)
@pytest.mark.parametrize("kind", ["blocking", "not blocking", "async"])
async def test_whatever_a_method_raises_is_a_fault(kind: str, error: BaseException) -> None:
    def fails() -> None:
        raise error

    async def afails() -> None:
        raise error

    mark = remote_method(blocking=kind == "blocking")
    registry.expose("fails", mark(afails if kind == "async" else fails))
    try:
        assert (await both(Call("fails")))["code"] == "Server.Processing"
    finally:
        registry.withdraw("fails")


@pytest.mark.parametrize("blocking", [True, False])
async def test_on_a_loop_nobody_but_the_method_raises_keyboard_interrupt(blocking: bool) -> None:
    def fails() -> None:
        raise KeyboardInterrupt

    registry.expose("fails", remote_method(blocking=blocking)(fails))
    try:
        with pytest.raises(Fault, match="fails failed"):
            await adispatch(Call("fails"))
    finally:
        registry.withdraw("fails")


def test_ctrl_c_ends_a_call_in_the_main_thread() -> None:
    @remote_method
    def slow() -> None:
        raise KeyboardInterrupt

    registry.expose("slow", slow)
    try:
        with pytest.raises(KeyboardInterrupt):
            dispatch(Call("slow"))
    finally:
        registry.withdraw("slow")


@pytest.mark.usefixtures("busy_pool")
@pytest.mark.django_db(transaction=True)
async def test_slow_methods_keep_no_async_method_waiting_for_its_user() -> None:
    @remote_method(login_required=True)
    async def name(call: Call) -> str:
        return str(call.user.get_username())

    joe = await User.objects.acreate(username="joe")
    lazy = SimpleLazyObject(lambda: User.objects.get(username="joe"))
    registry.expose("name", name)
    try:
        assert await adispatch(Call("name", user=joe)) == "joe"
        assert await adispatch(Call("name", user=lazy)) == "joe"
        with pytest.raises(Fault, match="is not permitted to you"):
            await adispatch(Call("tstaff.hire", ["Eve"], user=joe))
        with pytest.raises(Fault, match="too many calls are waiting"):
            await adispatch(Call("tecs.echo", [1]))
    finally:
        registry.withdraw("name")


async def test_the_pool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    small = pool.BoundedThreadPool(threads=1, max_waiting=1)
    monkeypatch.setitem(pool._pools, "methods", small)
    gate = threading.Event()

    @remote_method
    def wait() -> str:
        gate.wait(5)
        return "done"

    registry.expose("twait", wait)
    try:
        calls = [asyncio.ensure_future(adispatch(Call("twait"))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Fault) as caught:
            await adispatch(Call("twait"))
        assert caught.value.code == "Server.Busy"
        gate.set()
        assert await asyncio.gather(*calls) == ["done", "done"]
        assert await adispatch(Call("twait")) == "done"
    finally:
        gate.set()
        registry.withdraw("twait")
        small.shutdown()


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    small = pool.BoundedThreadPool(threads=1, max_waiting=9)
    monkeypatch.setitem(pool._pools, "methods", small)
    yield
    small.shutdown()


@pytest.mark.usefixtures("one_thread")
async def test_a_method_that_holds_the_last_thread_calls_others() -> None:
    async def both(*depths: int) -> list[int]:
        return await asyncio.gather(*(adispatch(Call("nested", [one])) for one in depths))

    @remote_method
    def nested(depth: int) -> int:
        return 1 + sum(async_to_sync(both)(depth - 1, depth - 1)) if depth else 1

    registry.expose("nested", nested)
    try:
        assert await asyncio.wait_for(adispatch(Call("nested", [3])), 30) == 15
        assert await asyncio.wait_for(adispatch(Call("nested", [0])), 30) == 1
    finally:
        registry.withdraw("nested")


@pytest.mark.usefixtures("one_thread")
async def test_what_goes_on_behind_a_method_waits_for_the_pool() -> None:
    ended, tasks = asyncio.Event(), []

    async def begin() -> None:
        async def later() -> str:
            await ended.wait()
            return str(await adispatch(Call("thread")))

        tasks.append(asyncio.create_task(later()))

    @remote_method
    def outer() -> None:
        async_to_sync(begin)()

    @remote_method
    def thread() -> str:
        return threading.current_thread().name

    registry.expose("outer", outer)
    registry.expose("thread", thread)
    try:
        await adispatch(Call("outer"))
        ended.set()
        assert await asyncio.wait_for(tasks[0], 30) == "amf-remoting_0"
    finally:
        registry.withdraw("outer")
        registry.withdraw("thread")


def test_without_django_auth_everybody_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "_has_auth", lambda: False)
    monkeypatch.setattr(auth, "_anonymous_class", lambda: auth.Anonymous)
    nobody = auth.anonymous_user()
    assert type(nobody) is auth.Anonymous
    assert (nobody.get_username(), nobody.has_perms([]), nobody.has_perms(["a.b"])) == (
        "",
        True,
        False,
    )
    assert dispatch(Call("tecs.caller")) == "amf:tecs.caller:AnonymousUser"
    with pytest.raises(Fault, match="wrong user or password"):
        auth.authenticated(RequestFactory().post("/"), "joe", "secret")


@pytest.mark.parametrize(("max_age", "closed"), [(0, True), (600, False), (None, False)])
async def test_connections_of_pool_threads_are_closed_after_use(
    monkeypatch: pytest.MonkeyPatch, max_age: int | None, closed: bool
) -> None:
    connection = Mock(in_atomic_block=False, settings_dict={"CONN_MAX_AGE": max_age})
    busy = Mock(in_atomic_block=True)
    monkeypatch.setattr(pool, "connections", Mock(all=lambda **keys: [busy, connection]))
    assert (await adispatch(Call("tecs.echo", [1]))) == 1
    assert connection.close.called is closed
    assert connection.close_if_unusable_or_obsolete.called is not closed
    assert not busy.close.called


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_callers_are_anonymous_by_default(user: Any) -> None:
    assert dispatch(Call("tecs.caller", user=user)) == "amf:tecs.caller:AnonymousUser"


@pytest.mark.usefixtures("exposed")
async def test_a_call_that_is_given_up_is_cancelled() -> None:
    started = asyncio.Event()

    @remote_method
    async def waits() -> None:
        started.set()
        await asyncio.sleep(60)

    registry.expose("waits", waits)
    try:
        task = asyncio.create_task(adispatch(Call("waits")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        registry.withdraw("waits")
