"""The admin's policy: obeyed at once here, within a second elsewhere, without a query per call."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from amf_remoting import policy as policy_module
from amf_remoting.dispatch import Call, adispatch, dispatch
from amf_remoting.exceptions import Fault
from amf_remoting.models import PolicyVersion, ServicePolicy
from amf_remoting.packet import Message, Packet, parse
from amf_remoting.policy import Policy, Snapshot, policy
from amf_remoting.rules import Rule

from .conftest import Post

ROOT = Path(__file__).resolve().parents[2]


def code_of(target: str, arguments: list[Any] | None = None, user: Any = None) -> str:
    try:
        dispatch(Call(target, arguments or [], user=user))
    except Fault as fault:
        return fault.code
    return "ok"


@pytest.mark.django_db
@pytest.mark.usefixtures("with_policy")
class TestRules:
    def test_a_service_is_switched_off_and_on_at_once(self) -> None:
        assert code_of("echo.echo", [1]) == "ok"
        row = ServicePolicy.objects.create(service="echo", enabled=False)
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        assert code_of("math.add", [1, 2]) == "ok"
        row.enabled = True
        row.save()
        assert code_of("echo.echo", [1]) == "ok"

    def test_a_method_is_switched_off_alone(self) -> None:
        ServicePolicy.objects.create(service="echo", method="args", enabled=False)
        assert code_of("echo.args") == "Server.Unavailable"
        assert code_of("echo.echo", [1]) == "ok"

    def test_a_deleted_row_switches_on(self) -> None:
        row = ServicePolicy.objects.create(service="echo", enabled=False)
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        row.delete()
        assert code_of("echo.echo", [1]) == "ok"

    def test_bulk_operations_are_obeyed(self) -> None:
        ServicePolicy.objects.bulk_create([ServicePolicy(service="echo", enabled=False)])
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        ServicePolicy.objects.update(enabled=True)
        assert code_of("echo.echo", [1]) == "ok"
        ServicePolicy.objects.update(enabled=False)
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        ServicePolicy.objects.all().delete()
        assert code_of("echo.echo", [1]) == "ok"

    def test_login_and_permission_are_demanded(self) -> None:
        joe = User.objects.create(username="joe")
        ServicePolicy.objects.create(service="echo", login_required=True)
        ServicePolicy.objects.create(service="echo", method="args", permission="auth.add_user")
        assert code_of("echo.echo", [1]) == "Client.Authentication"
        assert code_of("echo.echo", [1], joe) == "ok"
        assert code_of("echo.args", [], joe) == "Client.Authorization"
        joe.user_permissions.add(Permission.objects.get(codename="add_user"))
        assert code_of("echo.args", [], User.objects.get(pk=joe.pk)) == "ok"

    def test_a_row_never_loosens_what_the_code_demands(self) -> None:
        ServicePolicy.objects.create(service="staff", method="whoami", login_required=False)
        assert code_of("staff.whoami") == "Client.Authentication"

    def test_no_query_per_call_and_one_per_period(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(policy, "clock", lambda: now[0])
        code_of("echo.echo", [1])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            for _ in range(100):
                assert code_of("echo.echo", [1]) == "ok"
        assert len(queries) == 0
        now[0] += 1.0
        with CaptureQueriesContext(connection) as queries:
            for _ in range(100):
                assert code_of("echo.echo", [1]) == "ok"
        assert len(queries) == 1
        assert "policyversion" in queries[0]["sql"]

    def test_a_change_elsewhere_is_obeyed_after_the_period(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [100.0]
        elsewhere = Policy(clock=lambda: now[0])
        assert elsewhere.current().rules == {}
        ServicePolicy.objects.create(service="echo", enabled=False)
        now[0] += 0.99
        assert elsewhere.current().rules == {}
        now[0] += 0.01
        assert list(elsewhere.current().rules) == [("echo", "")]

    def test_a_rolled_back_change_does_not_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(policy, "clock", lambda: now[0])
        with transaction.atomic():
            ServicePolicy.objects.create(service="echo", enabled=False)
            assert code_of("echo.echo", [1]) == "Server.Unavailable"
            transaction.set_rollback(True)
        now[0] += 1.0
        assert code_of("echo.echo", [1]) == "ok"

    def test_a_change_during_a_read_is_not_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader, query = Policy(), policy_module._query

        def slow(old: Any) -> Any:
            snapshot = query(old)
            reader.invalidate()
            return snapshot

        monkeypatch.setattr(policy_module, "_query", slow)
        reader.current()
        assert reader.if_fresh() is None

    def test_the_last_policy_holds_while_the_database_is_away(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        ServicePolicy.objects.create(service="echo", enabled=False)
        assert code_of("echo.echo", [1]) == "Server.Unavailable"

        def away(old: Any) -> Any:
            raise DatabaseError("gone")

        monkeypatch.setattr(policy_module, "_query", away)
        policy._checked_at = float("-inf")
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        assert code_of("math.add", [1, 2]) == "ok"
        warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
        assert len(warnings) == 1

    def test_without_any_policy_read_all_calls_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def away(old: Any) -> Any:
            raise DatabaseError("no such table")

        monkeypatch.setattr(policy_module, "_query", away)
        assert code_of("echo.echo", [1]) == "Server.Unavailable"
        assert "migrate?" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("with_policy")
def test_what_others_read_before_the_commit_does_not_outlive_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with transaction.atomic():
        ServicePolicy.objects.create(service="echo", enabled=False)
        with monkeypatch.context() as another_thread:  # which sees what was committed
            another_thread.setattr(policy_module, "_query", lambda old: Snapshot("before", {}))
            assert code_of("echo.echo", [1]) == "ok"
        assert code_of("echo.echo", [1]) == "ok"
    assert code_of("echo.echo", [1]) == "Server.Unavailable"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("with_policy")
async def test_async_calls_share_one_query_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    query = policy_module._query
    monkeypatch.setattr(policy_module, "_query", lambda old: asked.append(1) or query(old))
    await PolicyVersion.objects.aupdate_or_create(pk=1, defaults={"token": "a"})
    values = await asyncio.gather(*(adispatch(Call("echo.aecho", [n])) for n in range(50)))
    assert values == list(range(50))
    assert asked == [1]
    await ServicePolicy.objects.acreate(service="echo", enabled=False)
    with pytest.raises(Fault, match="switched off"):
        await adispatch(Call("echo.aecho", [1]))


@pytest.mark.django_db(transaction=True)
def test_the_views_ask_nothing_per_call(
    post: Post, with_policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted at the cursor: policy, users and permissions are read in other threads, too."""
    statements: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: Any, sql: str, *arguments: Any) -> Any:
        if not sql.startswith("SET SESSION"):  # MySQL's, for a new connection
            statements.append(sql)
        return execute(self, sql, *arguments)

    now = [100.0]
    monkeypatch.setattr(policy, "clock", lambda: now[0])
    monkeypatch.setattr(CursorWrapper, "execute", counted)
    calls = Packet(0, [], [Message("math.add", f"/{n}", [n, 1]) for n in range(20)])
    post(calls)
    assert "policyversion" in statements[0]
    assert "servicepolicy" in statements[1]
    statements.clear()
    for _ in range(3):
        assert [one.value for one in parse(post(calls).content).messages] == [*range(1, 21)]
    assert statements == []
    now[0] += 1.0
    for _ in range(3):
        post(calls)
    assert len(statements) == 1
    assert "policyversion" in statements[0]


async def test_a_call_behind_a_change_never_gets_a_snapshot_read_before_it(
    monkeypatch: pytest.MonkeyPatch, with_policy: Any
) -> None:
    reader, reading, gate = Policy(), threading.Event(), threading.Event()
    before, after = Snapshot("1", {}), Snapshot("2", {("echo", ""): Rule(enabled=False)})

    def slow(old: Any) -> Snapshot:
        reading.set()
        gate.wait(10)
        return before if old is None else after

    monkeypatch.setattr(policy_module, "_query", slow)
    early = asyncio.create_task(reader.acurrent())
    await asyncio.to_thread(reading.wait, 10)
    reader.invalidate()
    late = asyncio.create_task(reader.acurrent())
    await asyncio.sleep(0)
    gate.set()
    assert (await early, await late) == (before, after)


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator[list[Any]]:
    environment = {
        **os.environ,
        "DATABASE": str(tmp_path / "site.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "tests.gateway.policy_settings",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0", "amf_remoting"],
        cwd=ROOT, env=environment, check=True, timeout=60,
    )  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.policy_process"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield processes
    for process in processes:
        process.communicate(timeout=20)


def ask(process: Any, line: str) -> str:
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return str(process.stdout.readline().strip())


def test_another_process_obeys_within_a_second(two_processes: list[Any]) -> None:
    here, there = two_processes
    assert [ask(here, "call"), ask(there, "call")] == ["3", "3"]
    for switch, before, after in [
        ("off", "3", "Server.Unavailable"),
        ("on", "Server.Unavailable", "3"),
    ]:
        assert ask(here, switch) == "saved"
        assert ask(here, "call") == after
        assert ask(there, "call") == before  # no time has passed there
        assert ask(there, "a second passes") == "passed"
        assert ask(there, "call") == after
